//! Answers that cannot be read (a page, a redirection, nothing, half of it), at each call of a scheduled verification and of
//! a drift event: nothing is dropped, and nothing is said that is not so.

use std::{sync::Arc, time::Duration};

use brig_core::{
    decide::Asks,
    ledger::Conclusion,
    report::{answer::Answer, fact::Truth},
    trigger::TrailCall,
};
use brig_engine::{Touched, Verified};
use brig_sim::{ACCOUNT, Break, Fault, REGION, Sim, Victim, When, World};

use crate::{
    common::{calm, difference, ended, report},
    drift::{UNDONE, interface},
};

const TIME: Duration = Duration::from_mins(2);
/// How often Lambda delivers an event that fails.
const ATTEMPTS: usize = 3;
/// A page and a redirection come instead of AWS's answer; nothing and half of it after its effect.
const WHEN: [When; 2] = [When::Before, When::After];

const RULE: &str = "a rule in the isolation group";

/// What one delivery ended in.
struct Look {
    entries: Vec<Answer>,
    /// Whether Lambda delivers it again, as the function's handler decides.
    again: bool,
}

fn scheduled(sim: &Arc<Sim>) -> Look {
    let (engine, invocation) = (sim.engine(0), sim.invocation("schedule", TIME));
    match sim.run(engine.verify_all(Asks::Machine, &invocation)).expect("an end") {
        Ok(Verified { entries, not_looked_at, unreadable, not_notified, .. }) => {
            assert_eq!((not_looked_at, unreadable.len()), (0, 0), "there was time, and every entry can be read");
            let fails = |entry: &Answer| {
                entry.not_notified.is_some() || (entry.outcome == Conclusion::Unverified && entry.left_over)
            };
            Look { again: not_notified.is_some() || entries.iter().any(fails), entries }
        }
        Err(_) => Look { entries: Vec::new(), again: true },
    }
}

fn touch(sim: &Arc<Sim>, touched: &TrailCall) -> Look {
    let (engine, invocation) = (sim.engine(0), sim.invocation(&touched.id, TIME));
    let Touched { entries, failed, .. } = sim.run(engine.touched(touched, &invocation)).expect("an end");
    Look { again: failed.is_some() || entries.iter().any(|entry| entry.left_over), entries }
}

fn swapped_back(world: &World, victim: &Victim) -> TrailCall {
    TrailCall {
        id: "event".to_owned(),
        call: "ModifyNetworkInterfaceAttribute".to_owned(),
        by: "arn:aws:sts::123456789012:assumed-role/Admin/mallory".to_owned(),
        source_identity: None,
        at: None,
        account: ACCOUNT.parse().expect("account"),
        region: REGION.parse().expect("Region"),
        instances: Vec::new(),
        interfaces: vec![interface(world, victim)],
        groups: Vec::new(),
        addresses: Vec::new(),
        roles: Vec::new(),
        denied_roles: Vec::new(),
        users: Vec::new(),
    }
}

fn policy_removed(world: &World, victim: &Victim) -> TrailCall {
    let (role, _) = world.policies.keys().next().expect("a policy").clone();
    let call = "DeleteRolePolicy".to_owned();
    TrailCall { call, interfaces: Vec::new(), roles: vec![role], ..swapped_back(world, victim) }
}

/// Somebody's call on a world.
type Event = fn(&World, &Victim) -> TrailCall;

/// What of the world is not as it must be.
type Differs<'a> = &'a dyn Fn(&Sim) -> Option<String>;

/// A delivery that is not repeated while something is undone, or that says something else of what is whole.
fn untrue(sim: &Sim, look: &Look, told: usize, differs: Differs<'_>, wanted: Conclusion) -> Option<String> {
    let whole = differs(sim).is_none();
    let heard = sim.told().len() > told;
    look.entries.iter().find_map(|entry| {
        let wrong = match entry.outcome {
            Conclusion::Verified | Conclusion::AlreadyContained | Conclusion::Contained | Conclusion::Repaired => {
                let lanes = [entry.verdict.truths.network, entry.verdict.truths.credentials];
                let repaired = entry.outcome == Conclusion::Repaired;
                let said = repaired && wanted == Conclusion::Verified;
                !whole || said || (repaired && !lanes.iter().all(|lane| *lane == Truth::Yes))
            }
            // What is not whole is said, or tried again.
            Conclusion::Unverified | Conclusion::Partial | Conclusion::Failed | Conclusion::InProgress => {
                !(heard || look.again)
            }
            Conclusion::Observed
            | Conclusion::Planned
            | Conclusion::Asked
            | Conclusion::Ignored
            | Conclusion::Refused
            | Conclusion::Drifted
            | Conclusion::Contested
            | Conclusion::Contradicted
            | Conclusion::Released
            | Conclusion::ReleasePartial => true,
        };
        wrong.then(|| format!("{:?}, left over {}: {}", entry.outcome, entry.left_over, entry.verdict.summary))
    })
}

/// Breaks each call of `run` in turn, and then every call of each operation for a whole delivery.
fn sweep(begin: &dyn Fn() -> Arc<Sim>, run: &dyn Fn(&Arc<Sim>) -> Look, differs: Differs<'_>, wanted: Conclusion) {
    let quiet = begin();
    let first = quiet.calls().len();
    let look = run(&quiet);
    assert!(!look.again);
    assert_eq!(look.entries.first().map(|entry| entry.outcome), Some(wanted));
    let calls: Vec<_> = quiet.calls().into_iter().skip(first).map(|call| call.operation).collect();
    let mut breaks: Vec<Break> = Vec::new();
    for (number, _) in calls.iter().enumerate() {
        breaks.extend(WHEN.map(|when| Break::Once(first + number, Fault::Unreadable, when)));
    }
    let mut operations = calls.clone();
    operations.sort_unstable();
    operations.dedup();
    breaks.extend(operations.iter().map(|operation| Break::Always(operation, Fault::Unreadable)));
    let mut failures = Vec::new();
    for broken in &breaks {
        let sim = begin();
        let told = sim.told().len();
        sim.breaks(broken.clone());
        let name = match broken {
            Break::Once(number, ..) => calls.get(number - first).copied().unwrap_or_default(),
            Break::Always(operation, _) | Break::Next(operation, ..) => operation,
        };
        let mut delivered = 0;
        loop {
            let look = run(&sim);
            delivered += 1;
            if let Some(what) = untrue(&sim, &look, told, differs, wanted) {
                failures.push(format!("{name} {broken:?}, delivery {delivered}: {what}"));
            }
            if !look.again || delivered == ATTEMPTS {
                break;
            }
            sim.heal();
            sim.wait(Duration::from_mins(1));
        }
        // The next one on the schedule finds everything as it must be, whatever this one could not do.
        sim.heal();
        sim.wait(Duration::from_mins(5));
        let next = scheduled(&sim);
        let sound = next.entries.len() == 1 && next.entries.iter().all(|entry| entry.outcome.word() != "partial");
        let difference = differs(&sim);
        let heard = wanted == Conclusion::Verified || sim.told().len() > told;
        if next.again || !sound || difference.is_some() || !heard {
            let outcome = next.entries.first().map(|entry| entry.outcome);
            let difference = difference.unwrap_or_default();
            failures.push(format!("{name} {broken:?}: {outcome:?} in the end, heard {heard}\n{difference}"));
        }
    }
    report(breaks.len(), &failures);
}

#[test]
fn a_verification_whose_answers_cannot_be_read_says_nothing_false_of_what_is_in_order() {
    for (world, victim) in [World::production(), World::plain()] {
        let expected = ended(&calm(&world, &victim));
        sweep(&|| calm(&world, &victim), &scheduled, &|sim| difference(sim, &expected), Conclusion::Verified);
    }
}

#[test]
fn a_verification_whose_answers_cannot_be_read_still_repairs_all_that_was_undone() {
    let (world, victim) = World::production();
    let expected = ended(&calm(&world, &victim));
    let begin = |wanted: fn(&str) -> bool| {
        let sim = calm(&world, &victim);
        for (_, undo) in UNDONE.into_iter().filter(|(what, _)| wanted(what)) {
            sim.change(|world| undo(world, &victim));
        }
        sim
    };
    let differs = |sim: &Sim| difference(sim, &expected);
    sweep(&|| begin(|what| what != RULE), &scheduled, &differs, Conclusion::Repaired);
    // Where the strange rule cannot be seen to be gone, the interface is isolated in a group of the containment's own.
    let is_open = |sim: &Sim| {
        let world = sim.world();
        let own = world.interfaces.values().filter(|eni| eni.instance.as_ref() == Some(&victim.id));
        let open: Vec<String> = own.filter(|eni| !world.is_cut(eni)).map(|eni| eni.shown.id.to_string()).collect();
        (!open.is_empty()).then(|| open.join(", "))
    };
    sweep(&|| begin(|what| what == RULE), &scheduled, &is_open, Conclusion::Repaired);
}

#[test]
fn a_drift_event_whose_answers_cannot_be_read_is_not_dropped() {
    let (world, victim) = World::production();
    let expected = ended(&calm(&world, &victim));
    let events: [(&str, Event); 2] = [("groups swapped back", swapped_back), ("the policy removed", policy_removed)];
    for (what, event) in events {
        let event = event(&calm(&world, &victim).world(), &victim);
        let (_, undo) = UNDONE.into_iter().find(|(name, _)| *name == what).expect("what is undone");
        let begin = || {
            let sim = calm(&world, &victim);
            sim.change(|world| undo(world, &victim));
            sim
        };
        sweep(&begin, &|sim| touch(sim, &event), &|sim| difference(sim, &expected), Conclusion::Repaired);
        // Of somebody's call that changed nothing, nothing is said to have been repaired.
        let begin = || calm(&world, &victim);
        sweep(&begin, &|sim| touch(sim, &event), &|sim| difference(sim, &expected), Conclusion::Verified);
    }
}
