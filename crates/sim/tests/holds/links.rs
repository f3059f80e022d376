//! From an instance to the users whose keys it shows, and from a user to what its key reached.

use std::time::Duration;

use brig_core::{ledger::Conclusion, model::ids::UserName};
use brig_engine::ports::TrailEvent;
use brig_sim::{Break, Fault, Sim, Victim, World};

use crate::{
    notify::status,
    users::{calm, deliver, keys},
};

/// An instance, and a user with a key of its own.
fn world() -> (World, Victim, UserName, String) {
    let (mut world, victim) = World::plain();
    let user = world.user_named("alice");
    let key = keys(&world, &user).first().expect("a key").clone();
    (world, victim, user, key)
}

fn call(call: &str, key: &str) -> TrailEvent {
    TrailEvent {
        call: call.to_owned(),
        by: "alice".to_owned(),
        key: key.parse().ok(),
        resources: vec!["i-1".to_owned()],
        ..TrailEvent::default()
    }
}

type Change = fn(&mut World, &Victim, &str);

const WAYS: [(&str, Change); 3] = [
    ("its user data shows", |world, victim, key| {
        world.instances.get_mut(&victim.id).expect("it").user_data = format!("export AWS_ACCESS_KEY_ID={key}");
    }),
    ("its tag deployer shows", |world, victim, key| {
        let shown = &mut world.instances.get_mut(&victim.id).expect("it").shown;
        shown.tags.insert("deployer".to_owned(), key.to_owned());
    }),
    ("CloudTrail shows RunInstances on it, signed with", |world, victim, key| {
        world.trail.push((victim.id.to_string(), call("RunInstances", key)));
    }),
];

#[test]
fn a_key_on_a_contained_instance_asks_about_its_user_once_and_touches_nothing_of_the_user() {
    for (words, shows) in WAYS {
        let (mut world, victim, user, key) = world();
        shows(&mut world, &victim, &key);
        let sim = Sim::new(world.clone(), 1);
        let answer = sim.contain(&victim.id, "r").expect("an answer");
        assert_eq!(answer.outcome, Conclusion::Contained, "{words}");
        assert!(answer.notes.iter().any(|note| note.to_string().contains(words)), "{words}: {:?}", answer.notes);
        assert_eq!(sim.world().users, world.users, "{words}: a question changes nothing");
        let questions = status(&sim).questions;
        let [question] = questions.as_slice() else { panic!("{words}: {questions:?}") };
        assert_eq!(question.target.user().map(|key| &key.user), Some(&user), "{words}");
        assert!(question.reason.to_string().contains(words), "{}", question.reason);
        assert_eq!(sim.told().len(), 2, "{words}: the containment and the question");
        sim.contain(&victim.id, "r").expect("an answer");
        assert_eq!((sim.told().len(), status(&sim).questions.len()), (2, 1), "{words}: the event twice");
    }
}

#[test]
fn a_key_that_only_reads_about_the_instance_or_is_of_a_session_asks_nothing() {
    let (mut world, victim, _, key) = world();
    world.trail.push((victim.id.to_string(), call("DescribeInstances", &key)));
    world.instances.get_mut(&victim.id).expect("it").user_data = key.replace("AKIA", "ASIA");
    let sim = Sim::new(world, 1);
    sim.contain(&victim.id, "r").expect("an answer");
    assert_eq!(status(&sim).questions, []);
}

#[test]
fn what_cannot_be_read_is_a_note_and_keeps_no_containment_from_being_whole() {
    for fault in [Fault::Denied, Fault::Throttled] {
        let (world, victim, ..) = world();
        let sim = Sim::new(world, 1);
        sim.breaks(Break::Always("LookupEvents", fault));
        let answer = sim.contain(&victim.id, "r").expect("an answer");
        assert_eq!(answer.outcome, Conclusion::Contained, "{fault:?}");
        assert!(!answer.left_over, "{fault:?}");
        let said = answer.notes.iter().any(|note| note.to_string().contains("CloudTrail's records could not be read"));
        assert!(said, "{fault:?}: {:?}", answer.notes);
    }
}

#[test]
fn a_question_about_a_user_that_could_not_be_asked_is_asked_by_the_retry() {
    let (mut world, victim, _, key) = world();
    world.instances.get_mut(&victim.id).expect("it").user_data = key;
    let sim = Sim::new(world, 1);
    sim.breaks(Break::Always("GetUser", Fault::Throttled));
    let arrived = sim.invocation("r", Duration::from_mins(2)).arrived;
    assert!(sim.contain(&victim.id, "r").expect("an answer").left_over);
    sim.heal();
    // A queue delivers the event again, which keeps the time at which it arrived first.
    let again = sim.contain_redelivered(&victim.id, "r", arrived).expect("an answer");
    assert!(!again.left_over, "{again:#?}");
    assert_eq!(status(&sim).questions.len(), 1);
    let joined = sim.contain_redelivered(&victim.id, "r", arrived).expect("an answer");
    assert_eq!((joined.left_over, status(&sim).questions.len()), (false, 1), "nothing is left to ask");
}

#[test]
fn a_process_killed_at_every_point_has_its_question_asked_by_the_retry() {
    let (mut world, victim, _, key) = world();
    world.instances.get_mut(&victim.id).expect("it").user_data = key;
    let whole = Sim::new(world.clone(), 1);
    let arrived = whole.invocation("r", Duration::from_mins(2)).arrived;
    whole.contain(&victim.id, "r").expect("an answer");
    println!("{} runs", whole.points());
    for point in 0..whole.points() {
        let sim = Sim::new(world.clone(), 1);
        sim.kill_at(point);
        if sim.contain(&victim.id, "r").is_none() {
            sim.revive(0);
            sim.wait(Duration::from_mins(3));
            sim.contain_redelivered(&victim.id, "r-2", arrived).expect("an answer");
        }
        assert_eq!(status(&sim).questions.len(), 1, "{point}");
        assert_eq!(sim.violations(), Vec::<String>::new(), "{point}");
    }
}

#[test]
fn one_key_on_many_instances_is_one_question_and_one_that_is_off_is_none() {
    let (world, first, user, key) = world();
    for active in [true, false] {
        let mut world = world.clone();
        for id in [&first.id, &first.sibling] {
            world.instances.get_mut(id).expect("it").user_data.clone_from(&key);
        }
        for credential in &mut world.users.get_mut(&user).expect("the user").credentials {
            credential.active = active;
        }
        let sim = Sim::new(world, 1);
        sim.contain(&first.id, "r").expect("an answer");
        sim.contain(&first.sibling, "s").expect("an answer");
        let asked = usize::from(active);
        assert_eq!((status(&sim).questions.len(), sim.told().len()), (asked, 2 + asked), "{active}");
    }
}

#[test]
fn the_message_about_a_user_lists_what_its_key_reached() {
    let (_, world, user, principal) = calm();
    let named = keys(&world, &user).first().expect("a key").clone();
    let sim = Sim::new(world, 1);
    sim.change(|world| {
        world.trail.push((named.clone(), call("RunInstances", &named)));
        world.trail.push((named.clone(), TrailEvent { read_only: true, ..call("ListBuckets", &named) }));
    });
    let answer = deliver(&sim, &principal, "r").expect("an answer");
    let note = "RunInstances (i-1), 1 that only read";
    assert!(answer.notes.iter().any(|one| one.to_string().contains(note)), "{:?}", answer.notes);
    assert!(sim.messages().iter().any(|message| message.body.contains(note)), "people read it");
}
