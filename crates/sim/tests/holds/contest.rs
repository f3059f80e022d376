//! Somebody keeps undoing a containment. Machines do not fight for ever; people are notified of it, and their orders, new evidence
//! and whatever stands open to the world are never held back.

use std::{sync::Arc, time::Duration};

use brig_core::{
    decide::Asks,
    ledger::Conclusion,
    model::ids::GroupId,
    report::answer::Answer,
    trigger::{Finding, Force, Source, TrailCall},
};
use brig_engine::{Drift, Verification, ports::TrailEvent};
use brig_sim::{ACCOUNT, OWN_SESSION, REGION, Sim, Victim, World};

use crate::{
    common::{calm, difference, ended, report},
    drift::{UNDONE, interface, verify},
};

const MALLORY: &str = "arn:aws:sts::123456789012:assumed-role/Admin/mallory";

fn swap(world: &mut World, victim: &Victim) {
    UNDONE.first().expect("one").1(world, victim);
}

/// The interface in the group that lets everything in and out.
fn open(world: &mut World, victim: &Victim) {
    let untrack = world.groups.values().find(|(group, _)| group.name == "brig-untrack").expect("it").0.id.clone();
    let id = interface(world, victim);
    world.interfaces.get_mut(&id).expect("it").shown.groups = vec![untrack];
}

fn is_cut(sim: &Sim, victim: &Victim) -> bool {
    let world = sim.world();
    world.interfaces.values().filter(|eni| eni.instance.as_ref() == Some(&victim.id)).all(|eni| world.is_cut(eni))
}

fn occasion(victim: &Victim, id: &str) -> Finding {
    let (account, region) = (ACCOUNT.parse().expect("account"), REGION.parse().expect("Region"));
    Finding::occasion(id.to_owned(), "requested by a person".to_owned(), account, region, victim.id.clone())
}

fn contain(sim: &Arc<Sim>, finding: &Finding) -> Answer {
    let (engine, invocation) = (sim.engine(0), sim.invocation(&finding.id, Duration::from_mins(2)));
    sim.run(engine.contain(finding, Force::No, &invocation)).expect("an answer")
}

/// A person's order, of either kind.
fn order(sim: &Arc<Sim>, victim: &Victim, again: bool) -> Answer {
    let occasion = occasion(victim, "order");
    if again {
        return contain(sim, &occasion);
    }
    let (engine, invocation) = (sim.engine(0), sim.invocation(&occasion.id, Duration::from_mins(2)));
    let verification = Verification::ordered(Asks::Person);
    sim.run(engine.verify(&occasion, verification, &invocation)).expect("an answer")
}

/// A finding about the instance.
fn found(sim: &Arc<Sim>, victim: &Victim, id: &str) -> Answer {
    let kind = "Backdoor:EC2/C&CActivity.B".to_owned();
    let finding =
        Finding { source: Source::GuardDuty, kind, severity: Some(8.0), by_person: false, ..occasion(victim, id) };
    contain(sim, &finding)
}

/// CloudTrail's record of the call reaches the function.
fn recorded(sim: &Arc<Sim>, victim: &Victim) -> Answer {
    let touched = TrailCall {
        id: "event".to_owned(),
        call: "ModifyNetworkInterfaceAttribute".to_owned(),
        by: MALLORY.to_owned(),
        source_identity: None,
        at: None,
        account: ACCOUNT.parse().expect("account"),
        region: REGION.parse().expect("Region"),
        instances: vec![victim.id.clone()],
        interfaces: Vec::new(),
        groups: Vec::<GroupId>::new(),
        addresses: Vec::new(),
        roles: Vec::new(),
        denied_roles: Vec::new(),
        users: Vec::new(),
    };
    let (engine, invocation) = (sim.engine(0), sim.invocation("trail", Duration::from_mins(2)));
    sim.run(engine.touched(&touched, &invocation)).expect("an end").entries.pop().expect("it is contained")
}

/// Undone and repaired until the repair is held back: the answer that said so, none where it never is.
fn fought(world: &World, victim: &Victim, undo: fn(&mut World, &Victim)) -> (Arc<Sim>, Option<Answer>) {
    let sim = calm(world, victim);
    // Of a step that names what was undone, the first repair is another step than the containment's own.
    for _ in 0..5 {
        sim.change(|world| undo(world, victim));
        let told = sim.told().len();
        let answer = verify(&sim, victim, Drift::Repair);
        assert_eq!(sim.told().len(), told + 1, "{}", answer.verdict.summary);
        if answer.outcome == Conclusion::Contested {
            return (sim, Some(answer));
        }
        assert_eq!(answer.outcome, Conclusion::Repaired, "{}", answer.verdict.summary);
    }
    sim.change(|world| undo(world, victim));
    (sim, None)
}

#[test]
fn in_two_hours_of_swapping_back_orders_are_obeyed_and_people_hear_at_growing_intervals() {
    let (world, victim) = World::plain();
    let expected = ended(&calm(&world, &victim));
    let sim = calm(&world, &victim);
    let start = sim.clock();
    let minute = |sim: &Sim| sim.clock().since(start).as_secs() / 60;
    let (mut contested, mut messages) = (Vec::new(), vec![0]);
    for round in 0..40_u64 {
        sim.wait(Duration::from_secs(180 - sim.clock().since(start).as_secs() % 180));
        let told = sim.told().len();
        sim.change(|world| swap(world, &victim));
        let answer = if round % 5 == 4 { verify(&sim, &victim, Drift::Repair) } else { recorded(&sim, &victim) };
        assert!(!answer.left_over, "{}", answer.verdict.summary);
        if answer.outcome == Conclusion::Repaired {
            assert!(is_cut(&sim, &victim));
        } else {
            assert_eq!(answer.outcome, Conclusion::Contested, "minute {}: {}", minute(&sim), answer.verdict.summary);
            assert!(!is_cut(&sim, &victim));
            let contest = answer.contest.as_ref().expect("what it is about");
            if round % 5 != 4 {
                assert_eq!(contest.by.first().map(String::as_str), Some(MALLORY));
            }
            if sim.told().len() > told {
                assert_eq!(sim.told().last().map(|subject| subject.contains("KEEPS BEING UNDONE")), Some(true));
                contested.push(minute(&sim));
            }
        }
        if round % 8 == 7 {
            let obeyed = order(&sim, &victim, round % 16 == 7);
            assert!(is_cut(&sim, &victim), "minute {}: {}", minute(&sim), obeyed.verdict.summary);
        }
        if round % 10 == 9 {
            sim.change(|world| open(world, &victim));
            recorded(&sim, &victim);
            assert!(is_cut(&sim, &victim), "minute {}: what is open to the world is closed", minute(&sim));
        }
        if sim.told().len() > told {
            messages.push(minute(&sim));
        }
    }
    let intervals: Vec<u64> = contested.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(contested.first().is_some_and(|first| *first <= 12), "at once: {contested:?}");
    assert!(intervals.first().is_some_and(|first| *first >= 60), "{contested:?}");
    assert!(intervals.windows(2).all(|pair| pair[1] > pair[0]), "{contested:?}");
    assert!(messages.windows(2).all(|pair| pair[1] - pair[0] <= 60), "never silence: {messages:?}");
    let last = order(&sim, &victim, true);
    assert!(is_cut(&sim, &victim), "{}", last.verdict.summary);
    assert_eq!(difference(&sim, &expected), None);
}

#[test]
fn every_fact_that_is_held_back_is_repaired_at_once_for_a_person_and_for_new_evidence() {
    let (world, victim) = World::production();
    let expected = ended(&calm(&world, &victim));
    let mut failures = Vec::new();
    for (what, undo) in UNDONE {
        let (held, answer) = fought(&world, &victim, undo);
        // That rule lets the whole internet in.
        let open = what == "a rule in the isolation group";
        if answer.is_none_or(|answer| answer.left_over) != open {
            failures.push(format!("{what}: not held back, or tried again in vain"));
        }
        let told = held.told().len();
        let known = found(&held, &victim, &format!("finding-of-{}", victim.id)).outcome;
        if !open && (known != Conclusion::Contested || held.told().len() > told) {
            failures.push(format!("{what}: a finding that is known is a machine's: {known:?}"));
        }
        order(&held, &victim, true);
        failures.extend(difference(&held, &expected).map(|difference| format!("{what}, ordered:\n{difference}")));

        let (evident, _) = fought(&world, &victim, undo);
        found(&evident, &victim, "another");
        failures.extend(difference(&evident, &expected).map(|difference| format!("{what}, evidence:\n{difference}")));
    }
    report(UNDONE.len() * 2, &failures);
}

#[test]
fn swapped_back_at_any_call_of_an_order_the_next_order_ends_right() {
    let (world, victim) = World::plain();
    let expected = ended(&calm(&world, &victim));
    let calls = {
        let (sim, _) = fought(&world, &victim, swap);
        let before = sim.calls().len();
        order(&sim, &victim, false);
        sim.calls().len() - before
    };
    let mut failures = Vec::new();
    for call in 0..calls {
        for undo in [swap, open] {
            let (sim, _) = fought(&world, &victim, swap);
            let of = victim.clone();
            sim.happens(sim.calls().len() + call, move |world| undo(world, &of));
            order(&sim, &victim, false);
            order(&sim, &victim, true);
            if let Some(difference) = difference(&sim, &expected) {
                failures.push(format!("call {call}:\n{difference}"));
            }
        }
    }
    report(calls * 2, &failures);
}

#[test]
fn an_interface_that_is_open_to_the_world_is_isolated_however_often_it_was() {
    let (world, victim) = World::plain();
    let sim = calm(&world, &victim);
    for time in 0..12 {
        sim.change(|world| open(world, &victim));
        verify(&sim, &victim, Drift::Repair);
        assert!(is_cut(&sim, &victim), "time {time}");
    }
}

#[test]
fn who_did_it_is_never_brig_itself_and_a_late_record_is_said_to_be_late() {
    let (world, victim) = World::plain();
    let event = |by: &str| TrailEvent {
        call: "ModifyNetworkInterfaceAttribute".to_owned(),
        by: by.to_owned(),
        ..TrailEvent::default()
    };
    for (trail, named) in [(vec![OWN_SESSION, MALLORY], true), (vec![OWN_SESSION, OWN_SESSION], false), (vec![], false)]
    {
        let sim = calm(&world, &victim);
        sim.change(|world| {
            let id = interface(world, &victim).to_string();
            world.trail = trail.iter().map(|by| (id.clone(), event(by))).collect();
            swap(world, &victim);
        });
        let notes =
            verify(&sim, &victim, Drift::Repair).notes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(!notes.contains(OWN_SESSION), "{notes}");
        assert_eq!(notes.contains(MALLORY), named, "{notes}");
        assert_eq!(notes.contains("15 minutes late"), !named, "{notes}");
    }
}
