//! Decisions hang on types, never on words: with every sentence replaced by `x`, everything is decided and done as before.

use std::{sync::Arc, time::Duration};

use brig_core::{
    model::text::mute,
    report::{answer::Answer, fact::Truth},
};
use brig_engine::Drift;
use brig_sim::{Break, Fault, Sim, Victim, When, World};

use crate::{
    common::{calm, deliver, ended, report},
    drift::{UNDONE, verify},
};

/// What an answer decides and claims, without a word of it.
fn decided(answer: &Answer) -> String {
    let steps: Vec<String> = answer
        .steps
        .iter()
        .map(|step| format!("{} {} {} {}", step.lane.name(), step.step, step.resource, step.outcome))
        .collect();
    let verdict = &answer.verdict;
    format!(
        "{:?} {:?} left over {} {:?} open {} uncut {} undenied {} unpreserved {} paths {:?}\n{}",
        answer.outcome,
        answer.decision,
        answer.left_over,
        verdict.truths.to_array(),
        verdict.open,
        verdict.uncut.len(),
        verdict.undenied.len(),
        verdict.unpreserved.len(),
        verdict.paths.iter().map(|path| (path.kind, path.new_flows, path.open_flows)).collect::<Vec<_>>(),
        steps.join("\n"),
    )
}

/// Runs something twice, the second time without words; what differs, where something does.
fn differs(what: &str, run: impl Fn() -> (Arc<Sim>, Answer)) -> Option<String> {
    let (sim, answer) = run();
    let (told, said) = (ended(&sim), decided(&answer));
    let (mute_sim, mute) = mute::every_sentence(run);
    // Notes are data: what they say is made when they are shown.
    assert_eq!(mute.verdict.summary.to_string(), "x", "{what}: it is not mute");
    let muted = decided(&mute);
    (ended(&mute_sim) != told || muted != said).then(|| format!("{what}:\n{said}\n--- without words\n{muted}"))
}

/// Faults that leave an attempt with something to say.
const WAYS: [(Fault, When); 4] = [
    (Fault::Denied, When::Before),
    (Fault::Timeout, When::Before),
    (Fault::Timeout, When::After),
    (Fault::Invalid, When::Before),
];

#[test]
fn without_words_every_broken_containment_is_decided_as_before() {
    let (world, victim) = World::production();
    let calls = calm(&world, &victim).calls().len();
    let (mut swept, mut failures) = (0, Vec::new());
    for number in 0..calls {
        for (fault, when) in WAYS {
            swept += 1;
            failures.extend(differs(&format!("call {number} {fault:?} {when:?}"), || {
                let sim = Sim::new(world.clone(), 1);
                sim.breaks(Break::Once(number, fault, when));
                let answer = deliver(&sim, &victim, "r").expect("an answer");
                (sim, answer)
            }));
        }
    }
    report(swept, &failures);
}

#[test]
fn without_words_every_undone_fact_is_repaired_as_before() {
    let (world, victim) = World::production();
    let mut failures = Vec::new();
    for (what, undo) in UNDONE {
        for drift in [Drift::Report, Drift::Repair] {
            failures.extend(differs(what, || {
                let sim = calm(&world, &victim);
                sim.wait(Duration::from_mins(3));
                sim.change(|world| undo(world, &victim));
                let answer = verify(&sim, &victim, drift);
                (sim, answer)
            }));
        }
    }
    report(UNDONE.len() * 2, &failures);
}

/// The truth of each lane after a scheduled look at which this operation is denied.
fn lanes_without(world: &World, victim: &Victim, operation: &'static str) -> [Truth; 4] {
    let sim = calm(world, victim);
    sim.wait(Duration::from_mins(3));
    sim.breaks(Break::Always(operation, Fault::Denied));
    let verdict = verify(&sim, victim, Drift::Repair).verdict;
    verdict.truths.to_array()
}

#[test]
fn a_denied_read_makes_exactly_its_own_lane_unknown() {
    let (world, victim) = World::production();
    assert_eq!(lanes_without(&world, &victim, "Nothing"), [Truth::Yes; 4]);
    for (lane, operations) in [
        (1, ["GetRolePolicy", "DescribeIamInstanceProfileAssociations"].as_slice()),
        (2, ["DescribeAutoScalingInstances", "DescribeTargetGroups", "DescribeTargetHealth"].as_slice()),
        (3, ["DescribeSnapshots", "DescribeLockedSnapshots", "DescribeInstanceAttribute"].as_slice()),
    ] {
        for operation in operations {
            let mut expected = [Truth::Yes; 4];
            expected[lane] = Truth::Unknown;
            assert_eq!(lanes_without(&world, &victim, operation), expected, "{operation}");
        }
    }
}
