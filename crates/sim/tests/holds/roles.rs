//! Denying the sessions of a role: every call broken in every way, killed at every point, released exactly.

use std::{sync::Arc, time::Duration};

use brig_core::{
    decide::Asks,
    ledger::Conclusion,
    model::{Principal, SessionKind, deny_policy, timestamp::Timestamp},
    trigger::{Finding, Force},
};
use brig_sim::{Break, Fault, Sim, When, World, about};

use crate::{notify::status, users::deliver};

const ROLE: &str = "app";

fn session() -> Principal {
    Principal::Session { kind: SessionKind::Role, name: ROLE.to_owned() }
}

/// A world in which instances use the role.
fn world() -> World {
    let (world, _) = World::plain();
    assert!(world.role(ROLE).is_some(), "{:?}", world.profiles);
    world
}

fn policy(world: &World) -> Option<&String> {
    world.policies.get(&(ROLE.to_owned(), deny_policy::SESSIONS.to_owned()))
}

fn denied_before(sim: &Sim) -> Option<Timestamp> {
    policy(&sim.world()).and_then(|policy| deny_policy::sessions_denied_before(policy))
}

fn calm() -> (Arc<Sim>, World) {
    let world = world();
    let sim = Sim::new(world.clone(), 1);
    let answer = deliver(&sim, &session(), "r").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Contained, "{answer:#?}");
    assert_eq!(sim.violations(), Vec::<String>::new());
    (sim, world)
}

#[test]
fn a_persons_order_denies_what_was_issued_before_says_who_else_uses_the_role_and_comes_back_exactly() {
    let (sim, before) = calm();
    let now = sim.world();
    assert!(denied_before(&sim).is_some(), "{:?}", now.policies);
    assert_eq!(now.policies.len(), before.policies.len() + 1, "nothing else is written");
    let body = &sim.messages()[0].body;
    assert!(body.contains("NEW ONES ARE NOT"), "{body}");
    assert!(body.contains("use the role app"), "siblings are listed: {body}");
    let again = sim.order_principal(&session(), "again").expect("an answer");
    assert_eq!(again.outcome, Conclusion::AlreadyContained, "{again:#?}");
    let verified = sim.verify_principal(&session(), Asks::Machine, "v").expect("an answer");
    assert_eq!(verified.outcome, Conclusion::Verified, "{verified:#?}");
    let standing = status(&sim).principals;
    assert_eq!(standing.iter().map(|one| (one.drift, one.never_done)).collect::<Vec<_>>(), [(0, 0)]);
    let released = sim.release_principal(&session(), "release").expect("an answer");
    assert_eq!(released.outcome, Conclusion::Released, "{released:#?}");
    assert_eq!(sim.world().policies, before.policies);
}

#[test]
fn without_a_rule_or_a_person_it_is_a_question_whose_yes_denies() {
    let sim = Sim::new(world(), 1);
    let answer = sim.contain_principal(&session(), "r").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Asked, "{answer:#?}");
    assert_eq!(policy(&sim.world()), None);
    let questions = status(&sim).questions;
    let [question] = questions.as_slice() else { panic!("{questions:?}") };
    assert_eq!(question.target.pk(), "123456789012/iam/role/app");
    let (engine, invocation) = (sim.engine(0), sim.invocation("p", Duration::from_mins(2)));
    sim.run(engine.decide(&question.question, true, "", &invocation)).expect("an end").expect("an answer");
    assert!(denied_before(&sim).is_some());
    assert_eq!(status(&sim).questions, []);
}

#[test]
fn a_role_that_is_not_there_is_asked_about_and_never_forgotten() {
    let sim = Sim::new(world(), 1);
    let gone = Principal::Session { kind: SessionKind::Role, name: "gone".to_owned() };
    let answer = sim.contain_principal(&gone, "r").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Asked, "{answer:#?}");
    assert_eq!(sim.told().len(), 1);
}

#[test]
fn brig_does_not_deny_itself() {
    let sim = Sim::new(world(), 1);
    let own = Principal::Session { kind: SessionKind::Role, name: "brig-contain".to_owned() };
    let answer = sim.order_principal(&own, "r").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Refused, "{answer:#?}");
}

#[test]
fn a_later_finding_moves_the_moment_and_a_repetition_does_not() {
    let (sim, before) = calm();
    let first = denied_before(&sim).expect("a moment");
    sim.wait(Duration::from_mins(10));
    let contain = |id: &str| {
        let (engine, invocation) = (sim.engine(0), sim.invocation(id, Duration::from_mins(2)));
        let finding = Finding { by_person: true, place: brig_core::trigger::Place::Stated, ..about(&session(), id) };
        sim.run(engine.contain_principal(&finding, Force::No, &invocation)).expect("an answer")
    };
    contain("new");
    let second = denied_before(&sim).expect("a moment");
    assert!(second > first, "{first} {second}");
    sim.wait(Duration::from_mins(10));
    contain("new");
    sim.verify_principal(&session(), Asks::Machine, "v").expect("an answer");
    assert_eq!(denied_before(&sim), Some(second));
    assert_eq!(sim.violations(), Vec::<String>::new());
    let released = sim.release_principal(&session(), "release").expect("an answer");
    assert_eq!(released.outcome, Conclusion::Released, "{released:#?}");
    assert_eq!(sim.world().policies, before.policies);
}

#[test]
fn a_later_event_about_a_contained_role_denies_more_and_is_told_once_as_what_it_is() {
    let (sim, _) = calm();
    let told = sim.told().len();
    let first = denied_before(&sim).expect("a moment");
    let contain = |id: &str, minutes: i64| {
        let (engine, invocation) = (sim.engine(0), sim.invocation(id, Duration::from_mins(2)));
        let seen = Timestamp::from_millis(first.millis() + minutes * 60_000);
        let finding = Finding { last_seen: Some(seen), ..about(&session(), id) };
        sim.run(engine.contain_principal(&finding, Force::No, &invocation)).expect("an answer")
    };
    sim.wait(Duration::from_mins(10));
    let later = contain("later", 5);
    assert_eq!(later.outcome, Conclusion::Contained, "{later:#?}");
    assert!(!later.verdict.summary.to_string().contains("no longer held"), "{}", later.verdict.summary);
    let second = denied_before(&sim).expect("a moment");
    assert!(second > first);
    assert_eq!(sim.told().len(), told + 1, "it is news");
    sim.wait(Duration::from_mins(10));
    contain("later", 5);
    assert_eq!((denied_before(&sim), sim.told().len()), (Some(second), told + 1), "the event twice");
    sim.wait(Duration::from_mins(10));
    contain("later", 25);
    let third = denied_before(&sim).expect("a moment");
    assert!(third > second, "the finding that was known goes on");
    let verified = sim.verify_principal(&session(), Asks::Machine, "v").expect("an answer");
    assert_eq!((verified.outcome, denied_before(&sim)), (Conclusion::Verified, Some(third)));
    let standing = status(&sim).principals;
    assert_eq!(standing.iter().map(|one| (one.drift, one.never_done)).collect::<Vec<_>>(), [(0, 0)]);
    assert_eq!((sim.told().len(), sim.violations()), (told + 2, Vec::new()));
}

#[test]
fn a_session_whose_role_cannot_be_looked_at_is_a_question_with_the_reason() {
    let own = Principal::Session { kind: SessionKind::Role, name: "Brig-Contain".to_owned() };
    for (principal, fault) in [(session(), Some(Fault::Denied)), (own, None)] {
        let sim = Sim::new(world(), 1);
        if let Some(fault) = fault {
            sim.breaks(Break::Always("GetRole", fault));
        }
        let answer = sim.contain_principal(&principal, "r").expect("an answer");
        assert_eq!(answer.outcome, Conclusion::Asked, "{answer:#?}");
        assert!(answer.reason.to_string().contains("could not be looked at"), "{}", answer.reason);
        assert_eq!((sim.told().len(), policy(&sim.world())), (1, None));
    }
}

#[test]
fn while_only_earlier_sessions_are_denied_the_answer_says_partly() {
    let (sim, _) = calm();
    let first = denied_before(&sim).expect("a moment");
    sim.wait(Duration::from_mins(10));
    sim.breaks(Break::Always("PutRolePolicy", Fault::Denied));
    let answer = sim.contain_principal(&session(), "more").expect("an answer");
    let summary = answer.verdict.summary.to_string();
    assert_eq!(answer.outcome, Conclusion::Partial, "{answer:#?}");
    assert!(summary.contains("PARTLY") && summary.contains(&first.to_string()), "{summary}");
}

#[test]
fn who_takes_the_denial_away_finds_it_repaired_and_another_policy_of_the_name_comes_back() {
    let mut world = world();
    let foreign = r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned();
    let place = (ROLE.to_owned(), deny_policy::SESSIONS.to_owned());
    world.policies.insert(place.clone(), foreign);
    let sim = Sim::new(world.clone(), 1);
    deliver(&sim, &session(), "r").expect("an answer");
    let denied = denied_before(&sim).expect("a moment");
    sim.change(|world| {
        world.policies.remove(&place);
    });
    sim.wait(Duration::from_mins(5));
    let verified = sim.verify_principal(&session(), Asks::Machine, "v").expect("an answer");
    assert_eq!(verified.outcome, Conclusion::Repaired, "{verified:#?}");
    assert_eq!(denied_before(&sim), Some(denied));
    sim.release_principal(&session(), "release").expect("an answer");
    assert_eq!(sim.world().policies, world.policies);
}

#[test]
fn every_call_broken_in_every_way_ends_in_the_same_state() {
    let (whole, world) = calm();
    let calls = whole.calls();
    let mut runs = 0;
    for (at, call) in calls.iter().enumerate() {
        for fault in Fault::ALL {
            for when in [When::Before, When::After] {
                let sim = Sim::new(world.clone(), 1);
                sim.breaks(Break::Once(at, fault, when));
                let place = format!("call {at} ({}) {fault:?} {when:?}", call.operation);
                let answer = deliver(&sim, &session(), "r").unwrap_or_else(|| panic!("{place}: no answer"));
                assert_eq!(sim.violations(), Vec::<String>::new(), "{place}");
                let denied = denied_before(&sim).is_some();
                if matches!(fault, Fault::Throttled | Fault::ServerError | Fault::Timeout) {
                    assert!(denied, "{place}: {answer:#?}");
                }
                let claims = matches!(answer.outcome, Conclusion::Contained | Conclusion::AlreadyContained);
                assert!(!claims || denied, "{place}: it claims what is not: {answer:#?}");
                runs += 1;
            }
        }
    }
    println!("{runs} runs");
}

#[test]
fn a_process_killed_at_every_point_and_retried_ends_in_the_same_state_and_is_given_back() {
    let (whole, world) = calm();
    println!("{} runs", whole.points());
    for point in 0..whole.points() {
        let sim = Sim::new(world.clone(), 1);
        sim.kill_at(point);
        let answer = deliver(&sim, &session(), "r").unwrap_or_else(|| panic!("{point}: no answer"));
        assert_eq!(sim.violations(), Vec::<String>::new(), "{point}");
        assert!(denied_before(&sim).is_some(), "{point}: {answer:#?}");
        let released = sim.release_principal(&session(), "release").expect("an answer");
        assert_eq!(released.outcome, Conclusion::Released, "{point}: {released:#?}");
        assert_eq!(sim.world().policies, world.policies, "{point}");
    }
}

#[test]
fn a_release_killed_at_every_point_and_repeated_gives_everything_back() {
    let (whole, world) = calm();
    let first = whole.points();
    whole.release_principal(&session(), "release").expect("an answer");
    for point in first..whole.points() {
        let (sim, _) = calm();
        sim.kill_at(point);
        let mut answer = sim.release_principal(&session(), "release");
        if answer.is_none() {
            sim.revive(0);
            sim.wait(Duration::from_mins(3));
            answer = sim.release_principal(&session(), "release-2");
        }
        let answer = answer.unwrap_or_else(|| panic!("{point}: no answer"));
        assert_eq!(answer.outcome, Conclusion::Released, "{point}: {answer:#?}");
        assert_eq!(sim.world().policies, world.policies, "{point}");
        assert_eq!(sim.violations(), Vec::<String>::new(), "{point}");
    }
}
