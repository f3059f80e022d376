//! Whose credentials are denied: every role whose sessions the instance may hold, however many instances share it.

use std::sync::Arc;

use brig_core::{
    ledger::Conclusion,
    model::{
        Role, Undenied,
        deny_policy::{self, RoleDeny, RoleOverflow},
        ids::InstanceId,
    },
    report::{answer::Answer, fact::Truth},
    settings::Policy,
    trigger::Rejoin,
};
use brig_sim::{ACCOUNT, Break, Fault, REGION, Sim, Victim, When, World};

use crate::{
    common::{calm, deliver, difference, ended, is_whole, report},
    release::{expected_after, release},
};

fn role(name: &str) -> Role {
    Role { name: name.to_owned(), arn: format!("arn:aws:iam::{ACCOUNT}:role/old/{name}") }
}

fn arn(id: &InstanceId) -> String {
    id.arn(&ACCOUNT.parse().expect("an account"), &REGION.parse().expect("a Region"))
}

fn denies(sim: &Sim, role: &str, id: &InstanceId) -> bool {
    let policy = sim.world().policies.get(&(role.to_owned(), deny_policy::NAME.to_owned())).cloned();
    policy.is_some_and(|policy| deny_policy::denies(&policy, &arn(id)))
}

/// The profile was taken off before the finding came, which names the role.
fn disassociated() -> (World, Victim) {
    let (mut world, victim) = World::production();
    world.associations.retain(|_, (of, _)| *of != victim.id);
    world.roles.push(role("before"));
    world.named.insert(victim.id.clone(), (vec!["before".to_owned()], Vec::new()));
    (world, victim)
}

/// Another profile was put on since; the finding shows the one before, and names its role.
fn replaced() -> (World, Victim) {
    let (mut world, victim) = World::production();
    let profile = format!("arn:aws:iam::{ACCOUNT}:instance-profile/old/before");
    world.profiles.insert("before".to_owned(), (profile.clone(), Some(role("before"))));
    world.named.insert(victim.id.clone(), (Vec::new(), vec![profile]));
    (world, victim)
}

#[test]
fn the_role_that_a_finding_names_is_denied_too_and_given_back() {
    for (world, victim, own) in [disassociated(), replaced()].map(|(world, victim)| {
        let own = world.associations.values().any(|(of, _)| *of == victim.id);
        (world, victim, own)
    }) {
        let sim = calm(&world, &victim);
        assert!(denies(&sim, "before", &victim.id));
        assert_eq!(denies(&sim, "app", &victim.id), own);
        let contained = sim.world();
        let back = release(&sim, &victim);
        assert_eq!(back.outcome, Conclusion::Released, "{back:#?}");
        assert_eq!(crate::release::difference(&sim, &expected_after(&world, &contained)), None);
        assert!(!denies(&sim, "before", &victim.id));
    }
}

#[test]
fn where_the_role_itself_is_found_a_profile_that_is_gone_is_a_note() {
    let (mut world, victim) = disassociated();
    let gone = format!("arn:aws:iam::{ACCOUNT}:instance-profile/old/gone");
    world.named.insert(victim.id.clone(), (vec!["before".to_owned()], vec![gone.clone()]));
    let sim = calm(&world, &victim);
    assert!(denies(&sim, "before", &victim.id));
    // Without it, nobody knows whose sessions live on.
    world.named.insert(victim.id.clone(), (Vec::new(), vec![gone.clone()]));
    partly(&Sim::new(world, 1), &victim, &Undenied::ProfileUnread { profile: gone });
}

#[test]
fn killed_at_every_point_the_roles_that_a_finding_names_are_denied_all_the_same() {
    let (mut swept, mut failures) = (0, Vec::new());
    for (world, victim) in [disassociated(), replaced()] {
        let calm = calm(&world, &victim);
        let expected = ended(&calm);
        for point in 0..calm.points() {
            let sim = Sim::new(world.clone(), 1);
            sim.kill_at(point);
            deliver(&sim, &victim, "r");
            swept += 1;
            failures.extend(difference(&sim, &expected).map(|found| format!("killed at {point}:\n{found}")));
            sim.heal();
            let contained = sim.world();
            let back = release(&sim, &victim);
            if back.outcome != Conclusion::Released {
                failures.push(format!("killed at {point}, then released: {}", back.verdict.summary));
            }
            let wrong = crate::release::difference(&sim, &expected_after(&world, &contained));
            failures.extend(wrong.map(|found| format!("killed at {point}, then released:\n{found}")));
        }
    }
    report(swept, &failures);
}

#[test]
fn a_role_that_a_later_finding_names_joins_the_containment_and_stays_on_record() {
    let (mut world, victim) = World::production();
    world.roles.push(role("later"));
    let sim = calm(&world, &victim);
    sim.change(|world| {
        world.named.insert(victim.id.clone(), (vec!["later".to_owned()], Vec::new()));
    });
    deliver(&sim, &victim, "second").expect("an answer");
    assert!(denies(&sim, "later", &victim.id) && denies(&sim, "app", &victim.id));
    // The event is gone, and somebody takes the denial away: it is the ledger that knows the role.
    sim.change(|world| {
        world.named.clear();
        world.policies.clear();
    });
    deliver(&sim, &victim, "third").expect("an answer");
    assert!(denies(&sim, "later", &victim.id) && denies(&sim, "app", &victim.id));
}

fn partly(sim: &Arc<Sim>, victim: &Victim, why: &Undenied) -> Answer {
    let answer = deliver(sim, victim, "r").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Partial, "{answer:#?}");
    assert!(answer.verdict.undenied.contains(why), "{:?}", answer.verdict);
    let first = "is only PARTLY contained: its credentials are NOT";
    assert!(answer.verdict.summary.to_string().contains(first), "{}", answer.verdict.summary);
    assert!(answer.verdict.summary.to_string().contains(&why.sentence()), "{}", answer.verdict.summary);
    assert!(!answer.verdict.summary.to_string().contains("no instance profile"), "{}", answer.verdict.summary);
    assert_eq!(sim.violations(), Vec::<String>::new());
    answer
}

#[test]
fn a_role_that_cannot_be_denied_comes_first_whatever_the_reason() {
    let named = || "before".to_owned();
    let (mut gone, victim) = disassociated();
    gone.roles.clear();
    let answer = partly(&Sim::new(gone, 1), &victim, &Undenied::NoSuchRole { role: named() });
    assert!(!answer.left_over, "{answer:#?}");

    let (world, victim) = disassociated();
    let sim = Sim::new(world, 1);
    sim.breaks(Break::Always("GetRole", Fault::Denied));
    assert!(!partly(&sim, &victim, &Undenied::RoleUnread { role: named() }).left_over);

    let (world, victim) = disassociated();
    let sim = Sim::new(world, 1);
    sim.breaks(Break::Always("PutRolePolicy", Fault::Denied));
    assert!(!partly(&sim, &victim, &Undenied::NotAllowed { role: named() }).left_over);

    let (mut world, victim) = disassociated();
    let linked = format!("arn:aws:iam::{ACCOUNT}:role/aws-service-role/x.amazonaws.com/before");
    world.roles = vec![Role { name: named(), arn: linked }];
    partly(&Sim::new(world, 1), &victim, &Undenied::ServiceLinked { role: named() });
}

#[test]
fn a_role_that_is_read_later_is_denied_then() {
    let (world, victim) = disassociated();
    let sim = Sim::new(world, 1);
    sim.breaks(Break::Always("GetRole", Fault::ServerError));
    let answer = sim.contain(&victim.id, "r").expect("an answer");
    assert!(answer.left_over, "{answer:#?}");
    sim.heal();
    assert!(is_whole(&deliver(&sim, &victim, "r").expect("an answer")));
    assert!(denies(&sim, "before", &victim.id));
}

#[test]
fn a_profile_without_a_role_is_reported_as_that() {
    let (mut world, victim) = World::production();
    for (_, held) in world.profiles.values_mut() {
        *held = None;
    }
    let profile = world.associations.values().find(|(of, _)| *of == victim.id).expect("one").1.clone();
    let sim = Sim::new(world, 1);
    let answer = partly(&sim, &victim, &Undenied::EmptyProfile { profile: profile.clone() });
    assert_eq!(answer.verdict.truths.credentials, Truth::Unknown);
    // And so it stays once the profile is taken off.
    let again = sim.contain(&victim.id, "again").expect("an answer");
    assert_eq!(again.verdict.undenied, [Undenied::EmptyProfile { profile }]);
}

/// So many instances of one role, each with an interface.
fn fleet(count: u32, own_policy: usize) -> (World, Vec<InstanceId>) {
    let mut world = World { takes_timeouts: true, ..World::default() };
    let web = world.open_group("vpc-1", "web");
    let mut ids = Vec::new();
    for number in 1..=count {
        let id = world.instance(number);
        world.interface(&id, "vpc-1", &[&web], &format!("10.0.{}.{}", number / 250, number % 250 + 1));
        world.profile(&id, "app");
        ids.push(id);
    }
    if own_policy > 0 {
        world.policies.insert(("app".to_owned(), "own".to_owned()), "x".repeat(own_policy));
    }
    (world, ids)
}

fn contained(sim: &Arc<Sim>, ids: &[InstanceId]) -> Vec<Answer> {
    let victim = |id: &InstanceId| Victim { id: id.clone(), sibling: id.clone() };
    ids.iter().map(|id| deliver(sim, &victim(id), &format!("r-{id}")).expect("an answer")).collect()
}

fn without_cap(overflow: RoleOverflow) -> Policy {
    Policy { max_per_hour: 100_000, role_overflow: overflow, ..Policy::default() }
}

#[test]
fn four_hundred_instances_of_a_role_are_denied_and_one_of_them_is_given_back_exactly() {
    let (world, ids) = fleet(400, 300);
    let sim = Sim::with(world.clone(), 1, without_cap(RoleOverflow::Fail));
    for answer in contained(&sim, &ids) {
        assert!(is_whole(&answer), "{} {:?}", answer.verdict.summary, answer.notes);
    }
    assert!(ids.iter().all(|id| denies(&sim, "app", id)));
    let back = sim.release(&ids[200], Rejoin::No, "back").expect("an answer");
    assert_eq!(back.outcome, Conclusion::Released, "{back:#?}");
    for (number, id) in ids.iter().enumerate() {
        assert_eq!(denies(&sim, "app", id), number != 200, "{id}");
    }
    assert_eq!(
        sim.world().policies.get(&("app".to_owned(), "own".to_owned())),
        world.policies.get(&("app".to_owned(), "own".to_owned()))
    );
    assert_eq!(sim.violations(), Vec::<String>::new());
}

#[test]
fn whoever_was_denied_stays_denied_whichever_write_of_the_policy_breaks() {
    // About where the instances' ARNs find no room any more, and again where their ids find none.
    let (mut swept, mut failures) = (0, Vec::new());
    for (own_policy, overflow) in [(9_700, RoleOverflow::Fail), (9_700, RoleOverflow::Role)] {
        let (world, ids) = fleet(18, own_policy);
        let denied = |sim: &Sim| ids.iter().filter(|id| denies(sim, "app", id)).cloned().collect::<Vec<_>>();
        for fault in [Fault::Throttled, Fault::Denied, Fault::Timeout] {
            for when in [When::Before, When::After] {
                let sim = Sim::with(world.clone(), 1, without_cap(overflow));
                for id in &ids {
                    let before = denied(&sim);
                    let next = sim.calls().len();
                    // The first write of a policy in this containment breaks, wherever it comes.
                    sim.breaks(Break::Next("PutRolePolicy", next, fault, when));
                    contained(&sim, std::slice::from_ref(id));
                    sim.heal();
                    contained(&sim, std::slice::from_ref(id));
                    let after = denied(&sim);
                    swept += 1;
                    if let Some(lost) = before.iter().find(|id| !after.contains(id)) {
                        failures.push(format!("{overflow:?} {fault:?} {when:?}: {lost} is let go for {id}"));
                    }
                }
                if overflow == RoleOverflow::Role && denied(&sim).len() != ids.len() {
                    failures.push(format!("{overflow:?} {fault:?} {when:?}: not all are denied"));
                }
            }
        }
    }
    report(swept, &failures);
}

#[test]
fn where_a_role_has_no_room_the_setting_decides_and_it_is_said_first() {
    let (world, ids) = fleet(20, 9_700);
    let sim = Sim::with(world.clone(), 1, without_cap(RoleOverflow::Fail));
    let answers = contained(&sim, &ids);
    let full = Undenied::PolicyFull { role: "app".to_owned() };
    let (fit, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| is_whole(answer));
    assert!(!fit.is_empty() && !refused.is_empty(), "{} fit", fit.len());
    for answer in &refused {
        assert_eq!(answer.verdict.undenied, std::slice::from_ref(&full), "{}", answer.verdict.summary);
        assert!(
            answer.verdict.summary.to_string().contains("contained: its credentials are NOT"),
            "{}",
            answer.verdict.summary
        );
        assert!(!answer.left_over);
    }
    // Those that are not denied are no burden to those that are: a release gives back exactly one, and makes room.
    let first = fit[0].instance_id.clone();
    let back = sim.release(&first, Rejoin::No, "back").expect("an answer");
    assert_eq!(back.outcome, Conclusion::Released, "{back:#?}");
    let still: Vec<bool> = fit.iter().skip(1).map(|answer| denies(&sim, "app", &answer.instance_id)).collect();
    assert!(still.iter().all(|denied| *denied) && !denies(&sim, "app", &first), "{still:?}");
    let next = refused[0].instance_id.clone();
    contained(&sim, std::slice::from_ref(&next));
    assert!(denies(&sim, "app", &next), "there is room now");

    let sim = Sim::with(world.clone(), 1, without_cap(RoleOverflow::Role));
    let answers = contained(&sim, &ids);
    assert!(answers.iter().all(is_whole));
    let last = answers.last().expect("one");
    let said = "BRIG_ROLE_DENY_OVERFLOW=role";
    assert!(
        last.notes.iter().any(|note| note.to_string().contains(said) && note.to_string().contains("DENIED")),
        "{:?}",
        last.notes
    );
    // Everything is given back, and the role's own policy was never touched.
    for id in &ids {
        let back = sim.release(id, Rejoin::No, "back").expect("an answer");
        assert_eq!(back.outcome, Conclusion::Released, "{back:#?}");
    }
    assert_eq!(sim.world().policies, world.policies);
}

#[test]
fn a_finding_never_denies_a_whole_role_by_naming_it() {
    let (world, victim) = disassociated();
    let sim = Sim::with(world, 1, Policy { role_deny: RoleDeny::Role, ..Policy::default() });
    deliver(&sim, &victim, "r").expect("an answer");
    assert!(denies(&sim, "before", &victim.id) && !denies(&sim, "before", &victim.sibling));
}
