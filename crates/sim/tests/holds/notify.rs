//! Nobody notified is not done: whatever sends a message, and whatever keeps it from being sent.

use std::{sync::Arc, time::Duration};

use brig_core::{
    decide::Asks,
    ledger::Cause,
    model::ids::{InstanceId, InstanceKey, TargetKey},
    report::{answer::Answer, fact::Truth},
    settings::{Mode, Policy},
    trigger::{Finding, Force, Invoked, Parsed, Rejoin, TrailCall, parse},
};
use brig_engine::{Drift, StatusPage, Touched, Verification};
use brig_sim::{ACCOUNT, Break, Fault, REGION, Sim, Victim, When, World};
use serde_json::json;

use crate::{
    common::{calm, deliver, report},
    drift::interface,
};

pub(crate) const TIME: Duration = Duration::from_mins(2);

pub(crate) fn status(sim: &Arc<Sim>) -> StatusPage {
    let (engine, invocation) = (sim.engine(0), sim.invocation("status", TIME));
    sim.run(engine.status(None, None, &invocation)).expect("an end").expect("an answer")
}

pub(crate) fn act(sim: &Arc<Sim>, finding: &Finding) -> Answer {
    let (engine, invocation) = (sim.engine(0), sim.invocation("r", TIME));
    sim.run(engine.contain(finding, Force::No, &invocation)).expect("an answer")
}

pub(crate) fn found(instance: &InstanceId, id: &str) -> Finding {
    let occasion = Finding::occasion(
        id.to_owned(),
        "mining".to_owned(),
        ACCOUNT.parse().expect("account"),
        REGION.parse().expect("Region"),
        instance.clone(),
    );
    Finding { source: brig_core::trigger::Source::GuardDuty, by_person: false, ..occasion }
}

pub(crate) fn contain(sim: &Arc<Sim>, victim: &Victim) -> Answer {
    act(sim, &found(&victim.id, "f"))
}

fn verify(sim: &Arc<Sim>, victim: &Victim, drift: Drift) -> Answer {
    let occasion = Finding { by_person: true, ..found(&victim.id, "look") };
    let (engine, invocation) = (sim.engine(0), sim.invocation("r", TIME));
    let verification = Verification::after("arn:aws:iam::123456789012:user/ana", drift);
    sim.run(engine.verify(&occasion, verification, &invocation)).expect("an answer")
}

pub(crate) fn exempt(world: &mut World, victim: &Victim) {
    let tags = &mut world.instances.get_mut(&victim.id).expect("it").shown.tags;
    tags.insert("brig:exempt".to_owned(), "true".to_owned());
}

fn undo(sim: &Sim, victim: &Victim) {
    let victim = victim.clone();
    sim.change(move |world| {
        let id = interface(world, &victim);
        let web = world.groups.values().find(|(group, _)| group.name == "web").expect("web").0.id.clone();
        world.interfaces.get_mut(&id).expect("it").shown.groups = vec![web];
    });
}

/// Whether it is left over, and why people were not notified.
type Ended = (bool, Option<String>);

fn ended(answer: &Answer) -> Ended {
    (answer.left_over, answer.not_notified.clone())
}

/// A way that ends in a message.
struct Way {
    name: &'static str,
    /// Part of its subject.
    subject: &'static str,
    begin: fn() -> (Arc<Sim>, Victim),
    run: fn(&Arc<Sim>, &Victim) -> Ended,
}

pub(crate) fn plain(policy: Policy, change: fn(&mut World, &Victim)) -> (Arc<Sim>, Victim) {
    let (mut world, victim) = World::plain();
    change(&mut world, &victim);
    (Sim::with(world, 1, policy), victim)
}

fn contained() -> (Arc<Sim>, Victim) {
    let (world, victim) = World::plain();
    (calm(&world, &victim), victim)
}

const WAYS: [Way; 11] = [
    Way {
        name: "contained",
        subject: "CONTAINED",
        begin: || plain(Policy::default(), |_, _| {}),
        run: |sim, victim| ended(&contain(sim, victim)),
    },
    Way {
        name: "partial",
        subject: "ONLY PARTLY CONTAINED",
        begin: || plain(Policy::default(), |_, _| {}),
        run: |sim, victim| {
            sim.breaks(Break::Always("PutRolePolicy", Fault::Denied));
            ended(&contain(sim, victim))
        },
    },
    Way {
        name: "asked",
        subject: "DECISION NEEDED",
        begin: || plain(Policy::default(), exempt),
        run: |sim, victim| ended(&contain(sim, victim)),
    },
    Way {
        name: "over the cap",
        subject: "DECISION NEEDED",
        begin: || plain(Policy { max_per_hour: 0, ..Policy::default() }, |_, _| {}),
        run: |sim, victim| ended(&contain(sim, victim)),
    },
    Way {
        name: "observed",
        subject: "OBSERVED",
        begin: || plain(Policy { mode: Mode::Observe, ..Policy::default() }, |_, _| {}),
        run: |sim, victim| ended(&contain(sim, victim)),
    },
    Way {
        name: "refused",
        subject: "REFUSED",
        begin: || plain(Policy::default(), |_, _| {}),
        run: |sim, _| ended(&act(sim, &found(&"i-0000000000000dead".parse().expect("id"), "f"))),
    },
    Way {
        name: "cannot start",
        subject: "NOT CONTAINED",
        begin: || plain(Policy::default(), |_, _| {}),
        run: |sim, victim| {
            sim.breaks(Break::Always("TransactWriteItems", Fault::Denied));
            ended(&contain(sim, victim))
        },
    },
    Way {
        name: "repaired",
        subject: "CHANGED BY SOMEBODY, REPAIRED",
        begin: || {
            let (sim, victim) = contained();
            undo(&sim, &victim);
            (sim, victim)
        },
        run: |sim, victim| ended(&verify(sim, victim, Drift::Repair)),
    },
    Way {
        name: "drifted",
        subject: "HAS DRIFTED",
        begin: || {
            let (sim, victim) = contained();
            undo(&sim, &victim);
            (sim, victim)
        },
        run: |sim, victim| ended(&verify(sim, victim, Drift::Report)),
    },
    Way {
        name: "cannot look",
        subject: "COULD NOT BE VERIFIED",
        begin: contained,
        run: |sim, victim| {
            sim.breaks(Break::Always("DescribeInstances", Fault::Denied));
            ended(&verify(sim, victim, Drift::Repair))
        },
    },
    Way {
        name: "an address that nobody has",
        subject: "DECISION NEEDED: 203.0.113.9",
        begin: || plain(Policy::default(), |_, _| {}),
        run: |sim, _| {
            let (engine, invocation) = (sim.engine(0), sim.invocation("r", TIME));
            let invoked = Invoked {
                account: ACCOUNT.parse().expect("account"),
                region: REGION.parse().expect("Region"),
                request_id: "r".to_owned(),
            };
            let event = json!({"abuse_report": "Source: 203.0.113.9"});
            let parsed = parse(&event, &invoked, &sim.engine(0).policy).expect("an event");
            let Parsed::Request(request) = parsed else { return (false, None) };
            let addressed = request.addresses.first().expect("an address");
            let mut resolution =
                sim.run(engine.resolve(addressed, &invocation)).expect("an end").expect_err("nobody has it");
            sim.run(engine.unresolved(addressed, &mut resolution, &invocation)).expect("an end");
            (resolution.not_notified.is_some(), resolution.not_notified)
        },
    },
];

#[test]
fn a_message_that_cannot_be_sent_is_left_over_listed_and_sent_later_once_whatever_kept_it() {
    let (mut swept, mut failures) = (0, Vec::new());
    for way in &WAYS {
        for fault in Fault::ALL {
            let (sim, victim) = (way.begin)();
            let before = sim.told().len();
            sim.breaks(Break::Always("Publish", fault));
            let (left_over, why) = (way.run)(&sim, &victim);
            swept += 1;
            let mut wrong = Vec::new();
            if !left_over || why.is_none() {
                wrong.push(format!("left over: {left_over}, why: {why:?}"));
            }
            sim.heal();
            let waits = status(&sim).not_notified;
            if !waits.iter().any(|waits| waits.subject.contains(way.subject)) {
                wrong.push(format!("status lists {waits:?}"));
            }
            if sim.told().len() != before {
                wrong.push("people got a message all the same".to_owned());
            }
            // The event comes again.
            sim.wait(Duration::from_mins(3));
            let (_, why) = (way.run)(&sim, &victim);
            if why.is_some() {
                wrong.push(format!("the second time too: {why:?}"));
            }
            let of = |sim: &Sim| sim.told().iter().skip(before).filter(|told| told.contains(way.subject)).count();
            if of(&sim) != 1 {
                wrong.push(format!("people got {:?}", sim.told()));
            }
            sim.heal();
            let waits = status(&sim).not_notified;
            if !waits.is_empty() {
                wrong.push(format!("status still lists {waits:?}"));
            }
            (way.run)(&sim, &victim);
            if of(&sim) != 1 {
                wrong.push(format!("people got it again: {:?}", sim.told()));
            }
            if !wrong.is_empty() {
                failures.push(format!("{} {fault:?}: {}", way.name, wrong.join("; ")));
            }
        }
    }
    report(swept, &failures);
}

#[test]
fn a_release_that_nobody_was_notified_of_is_sent_by_the_next_release_or_verification() {
    for fault in Fault::ALL {
        let (sim, victim) = contained();
        let before = sim.told().len();
        sim.breaks(Break::Always("Publish", fault));
        let answer = sim.release(&victim.id, Rejoin::No, "r").expect("an answer");
        assert!(answer.left_over && answer.not_notified.is_some(), "{fault:?}: {answer:?}");
        sim.heal();
        let (engine, invocation) = (sim.engine(0), sim.invocation("schedule", TIME));
        let verified = sim.run(engine.verify_all(Asks::Machine, &invocation)).expect("an end").expect("an answer");
        assert_eq!(verified.not_notified, None, "{fault:?}");
        let told: Vec<String> = sim.told().into_iter().skip(before).collect();
        assert!(told.len() == 1 && told.iter().all(|subject| subject.contains("RELEASED")), "{fault:?}: {told:?}");
        let again = sim.release(&victim.id, Rejoin::No, "r2").expect("an answer");
        assert!(!again.left_over, "{fault:?}: {again:?}");
    }
}

#[test]
fn what_is_sent_late_says_so_and_keeps_its_reason() {
    let (sim, victim) = contained();
    undo(&sim, &victim);
    sim.breaks(Break::Always("Publish", Fault::Denied));
    verify(&sim, &victim, Drift::Repair);
    sim.heal();
    let (engine, invocation) = (sim.engine(0), sim.invocation("schedule", TIME));
    sim.run(engine.verify_all(Asks::Machine, &invocation)).expect("an end").expect("an answer");
    let last = sim.messages().pop().expect("a message");
    assert!(last.subject.contains("CHANGED BY SOMEBODY, REPAIRED"), "{}", last.subject);
    assert!(last.body.contains("Sent late"), "{}", last.body);
}

#[test]
fn the_containment_that_nobody_was_notified_of_is_sent_as_it_was_decided() {
    let (sim, victim) = plain(Policy::default(), |_, _| {});
    sim.breaks(Break::Always("Publish", Fault::Denied));
    // Nor can the message be kept.
    sim.breaks(Break::Always("PutItem", Fault::Denied));
    let answer = contain(&sim, &victim);
    assert!(answer.left_over, "{answer:?}");
    sim.heal();
    sim.wait(Duration::from_mins(3));
    let other = Finding { title: "something else".to_owned(), ..found(&victim.id, "f2") };
    act(&sim, &other);
    let message = sim.messages().pop().expect("a message");
    assert!(message.subject.contains("] CONTAINED:"), "{}", message.subject);
    assert!(message.body.contains("mining") && !message.body.contains("something else"), "{}", message.body);
}

#[test]
fn a_finding_that_was_asked_about_is_asked_about_again_where_the_cause_is_another() {
    let (mut world, victim) = World::plain();
    exempt(&mut world, &victim);
    let sim = Sim::with(world, 1, Policy { max_per_hour: 0, ..Policy::default() });
    for _ in 0..2 {
        contain(&sim, &victim);
        assert_eq!(sim.told().len(), 1, "the same question is asked once");
    }
    sim.change(|world| world.instances.get_mut(&victim.id).expect("it").shown.tags.clear());
    for _ in 0..2 {
        let answer = contain(&sim, &victim);
        assert!(matches!(answer.cause, Cause::Cap | Cause::CapReached), "{answer:?}");
    }
    let last = sim.messages().pop().expect("a message");
    assert!(sim.messages().iter().any(|message| message.body.contains("NOTHING MORE IS CONTAINED")), "{}", last.body);
    let questions = status(&sim).questions;
    assert!(questions.len() >= 2 && questions.iter().all(|question| question.notified), "{questions:?}");
}

#[test]
fn a_partial_containment_that_gets_worse_is_news() {
    let (sim, victim) = plain(Policy::default(), |_, _| {});
    sim.breaks(Break::Always("PutRolePolicy", Fault::Denied));
    contain(&sim, &victim);
    let told = sim.told().len();
    assert_eq!(verify(&sim, &victim, Drift::Repair).outcome.word(), "partial");
    assert_eq!(sim.told().len(), told, "the same is no news");
    undo(&sim, &victim);
    sim.breaks(Break::Always("ModifyNetworkInterfaceAttribute", Fault::Denied));
    verify(&sim, &victim, Drift::Repair);
    assert_eq!(sim.told().len(), told + 1, "{:?}", sim.told());
}

#[test]
fn a_verification_that_cannot_look_is_a_failure_that_people_hear_of_once_a_day() {
    let mut failures = Vec::new();
    let reads = ["DescribeInstances", "Query"];
    for operation in reads {
        for fault in Fault::ALL.into_iter().filter(|fault| *fault != Fault::NotFound) {
            let (sim, victim) = contained();
            let before = sim.told().len();
            sim.breaks(Break::Always(operation, fault));
            for _ in 0..2 {
                let answer = verify(&sim, &victim, Drift::Repair);
                if answer.outcome.word() != "unverified" {
                    failures.push(format!("{operation} {fault:?}: {}", answer.outcome.word()));
                }
                sim.wait(Duration::from_mins(5));
            }
            let told = sim.told().len() - before;
            if told != 1 || !sim.told().last().is_some_and(|last| last.contains("COULD NOT BE VERIFIED")) {
                failures.push(format!("{operation} {fault:?}: people heard {:?}", sim.told()));
            }
            sim.wait(Duration::from_hours(24));
            verify(&sim, &victim, Drift::Repair);
            if sim.told().len() - before != 2 {
                failures.push(format!("{operation} {fault:?}: a day later people heard {:?}", sim.told()));
            }
        }
    }
    report(reads.len() * Fault::ALL.len(), &failures);
}

#[test]
fn an_unreadable_ledger_is_no_empty_status() {
    for fault in Fault::ALL {
        let (sim, _) = contained();
        sim.breaks(Break::Always("Query", fault));
        let (engine, invocation) = (sim.engine(0), sim.invocation("status", TIME));
        let answer = sim.run(engine.status(None, None, &invocation)).expect("an end");
        assert!(answer.is_err(), "{fault:?}: {answer:?}");
        // Each read of it in turn.
        let calls = {
            sim.heal();
            let first = sim.calls().len();
            status(&sim);
            sim.calls().into_iter().skip(first).map(|call| call.operation).collect::<Vec<_>>()
        };
        for (number, operation) in calls.iter().enumerate() {
            let at = sim.calls().len() + number;
            sim.breaks(Break::Once(at, fault, When::Before));
            let invocation = sim.invocation("status", TIME);
            let answer = sim.run(engine.status(None, None, &invocation)).expect("an end");
            let listed = answer.as_ref().is_ok_and(|page| page.active.len() == 1);
            assert!(answer.is_err() || listed, "{operation} {fault:?}: {answer:?}");
            sim.heal();
        }
    }
}

fn swapped_back(sim: &Sim, victim: &Victim) -> TrailCall {
    TrailCall {
        id: "event".to_owned(),
        call: "ModifyNetworkInterfaceAttribute".to_owned(),
        by: "arn:aws:sts::123456789012:assumed-role/Mallory/x".to_owned(),
        source_identity: None,
        at: None,
        account: ACCOUNT.parse().expect("account"),
        region: REGION.parse().expect("Region"),
        instances: Vec::new(),
        interfaces: vec![interface(&sim.world(), victim)],
        groups: Vec::new(),
        addresses: Vec::new(),
        roles: Vec::new(),
        denied_roles: Vec::new(),
        users: Vec::new(),
    }
}

#[test]
fn a_drift_event_whose_calls_fail_is_never_dropped_and_nothing_false_is_said() {
    let look = |sim: &Arc<Sim>, victim: &Victim| {
        let (engine, invocation) = (sim.engine(0), sim.invocation("m", TIME));
        sim.run(engine.touched(&swapped_back(sim, victim), &invocation)).expect("an end")
    };
    let is_cut = |sim: &Sim, victim: &Victim| {
        let world = sim.world();
        world.is_cut(world.interfaces.get(&interface(&world, victim)).expect("it"))
    };
    let (first, last) = {
        let (sim, victim) = contained();
        undo(&sim, &victim);
        let first = sim.calls().len();
        look(&sim, &victim);
        (first, sim.calls().len())
    };
    let (mut swept, mut failures) = (0, Vec::new());
    for number in first..last {
        for fault in Fault::ALL {
            for when in [When::Before, When::After] {
                let (sim, victim) = contained();
                undo(&sim, &victim);
                sim.breaks(Break::Once(number, fault, when));
                let told = sim.told().len();
                let Touched { entries, failed, .. } = look(&sim, &victim);
                swept += 1;
                let left = failed.is_some() || entries.iter().any(|entry| entry.left_over);
                let heard = sim.told().len() > told;
                let says = entries.iter().map(|entry| entry.outcome.word()).collect::<Vec<_>>();
                if entries.is_empty() && failed.is_none() {
                    failures.push(format!("call {number} {fault:?} {when:?}: it touched nothing"));
                }
                if !is_cut(&sim, &victim) && !left && !heard {
                    failures.push(format!("call {number} {fault:?} {when:?}: dropped, {says:?}"));
                }
                if !is_cut(&sim, &victim) && says.iter().any(|word| ["verified", "repaired"].contains(word)) {
                    failures.push(format!("call {number} {fault:?} {when:?}: {says:?} is not so"));
                }
                sim.heal();
                sim.wait(Duration::from_mins(3));
                look(&sim, &victim);
                if !is_cut(&sim, &victim) {
                    failures.push(format!("call {number} {fault:?} {when:?}: the next delivery does not end it"));
                }
            }
        }
    }
    report(swept, &failures);
}

#[test]
fn an_event_that_names_thousands_of_resources_is_looked_up_in_a_few_calls() {
    let (sim, victim) = contained();
    let mut touched = swapped_back(&sim, &victim);
    touched.interfaces.extend((0..5_000).map(|number| format!("eni-{number:017x}").as_str().into()));
    touched.groups.extend((0..5_000).map(|number| format!("sg-{number:017x}").as_str().into()));
    touched.instances.extend((0..5_000).filter_map(|number| format!("i-f{number:016x}").parse().ok()));
    let before = sim.calls().len();
    let (engine, invocation) = (sim.engine(0), sim.invocation("m", TIME));
    let Touched { entries, failed, .. } = sim.run(engine.touched(&touched, &invocation)).expect("an end");
    assert!(failed.is_none() && entries.len() == 1, "{entries:?} {failed:?}");
    let small = {
        let (sim, victim) = contained();
        let before = sim.calls().len();
        let (engine, invocation) = (sim.engine(0), sim.invocation("m", TIME));
        sim.run(engine.touched(&swapped_back(&sim, &victim), &invocation)).expect("an end");
        sim.calls().len() - before
    };
    assert_eq!(sim.calls().len() - before, small);
}

#[test]
fn one_denied_read_makes_its_lane_unknown_and_no_other_and_is_no_drift() {
    let mut failures = Vec::new();
    let reads = [
        ("DescribeSecurityGroups", 0),
        ("GetInstanceProfile", 1),
        ("DescribeTargetGroups", 2),
        ("DescribeInstanceAttribute", 3),
    ];
    for (operation, lane) in reads {
        let (world, victim) = World::production();
        let sim = calm(&world, &victim);
        sim.breaks(Break::Always(operation, Fault::Denied));
        let page = status(&sim);
        let entry = page.active.first().expect("it is listed");
        let verdict = &entry.now.verdict;
        let lanes = verdict.truths.to_array();
        let others = (0..4).filter(|other| *other != lane);
        let right = others.filter_map(|other| lanes.get(other)).all(|truth| *truth == Truth::Yes);
        if !right || lanes.get(lane) == Some(&Truth::Yes) && operation != "GetInstanceProfile" {
            failures.push(format!("{operation}: {lanes:?} {:?}", entry.unread));
        }
        if entry.drift != 0 || verdict.summary.to_string().contains("HAS DRIFTED") {
            failures.push(format!("{operation}: {}", verdict.summary));
        }
    }
    report(reads.len(), &failures);
}

pub(crate) fn key(id: &InstanceId) -> TargetKey {
    let (account, region) = (ACCOUNT.parse().expect("account"), REGION.parse().expect("Region"));
    TargetKey::Instance(InstanceKey { account, region, instance: id.clone() })
}

#[test]
fn what_never_succeeded_has_not_drifted_and_the_reason_and_the_name_are_shown() {
    let (sim, victim) = plain(Policy::default(), |_, _| {});
    sim.breaks(Break::Always("PutRolePolicy", Fault::Denied));
    contain(&sim, &victim);
    let page = status(&sim);
    let entry = page.active.first().expect("it is listed");
    assert_eq!(entry.drift, 0, "{}", entry.now.verdict.summary);
    assert!(!entry.now.verdict.summary.to_string().contains("DRIFTED"), "{}", entry.now.verdict.summary);
    let undone = entry.never_done.first().expect("a step");
    assert!(undone.step.name() == "deny_role" && undone.why.contains("PutRolePolicy"), "{undone:?}");
    assert!(entry.now.reason.to_string().contains("mining"), "{}", entry.now.reason);
    assert_eq!(entry.name.as_deref(), Some("web-1"));
    let (engine, invocation) = (sim.engine(0), sim.invocation("status", TIME));
    let one = sim.run(engine.status(None, Some(&key(&victim.id)), &invocation)).expect("an end").expect("a page");
    assert_eq!(one.active.len(), 1);
    let none = sim.run(engine.status(None, Some(&key(&victim.sibling)), &invocation)).expect("an end").expect("a page");
    assert!(none.active.is_empty());
}

#[test]
fn an_event_that_could_not_be_sent_stays_left_over_until_it_is_sent() {
    let (world, victim) = World::production();
    let sim = Sim::new(world, 1);
    sim.breaks(Break::Always("Publish", Fault::Denied));
    assert!(deliver(&sim, &victim, "r").expect("an answer").left_over);
    sim.heal();
    assert!(!deliver(&sim, &victim, "r").expect("an answer").left_over);
    assert_eq!(sim.told().len(), 1, "{:?}", sim.told());
}
