//! Runs that tests compare.

use std::{sync::Arc, time::Duration};

use brig_core::{ledger::Conclusion, report::answer::Answer};
use brig_sim::{Sim, Victim, World};

/// How often Lambda delivers an asynchronous event.
const ATTEMPTS: usize = 3;

/// What a run ended in.
#[derive(Debug, PartialEq)]
pub struct Ended {
    /// The world's summary.
    pub world: String,
    /// Its snapshots.
    pub evidence: Vec<(String, Option<String>, Option<bool>)>,
}

pub fn ended(sim: &Sim) -> Ended {
    let world = sim.world();
    Ended { world: world.summary(), evidence: world.evidence() }
}

/// Whether Lambda would deliver the event again.
pub fn again(answer: Option<&Answer>) -> bool {
    answer.is_none_or(|answer| answer.left_over)
}

/// Whether everything that was promised holds.
pub fn is_whole(answer: &Answer) -> bool {
    matches!(answer.outcome, Conclusion::Contained | Conclusion::AlreadyContained | Conclusion::Repaired)
}

/// Delivers an event as Lambda does: again a minute later, with the same request id, while it fails.
pub fn deliver(sim: &Arc<Sim>, victim: &Victim, request: &str) -> Option<Answer> {
    let mut last = None;
    for _ in 0..ATTEMPTS {
        sim.revive(0);
        last = sim.contain(&victim.id, request);
        if !again(last.as_ref()) {
            break;
        }
        sim.wait(Duration::from_mins(1));
    }
    last
}

/// One calm run of a world: its simulator afterwards.
pub fn calm(world: &World, victim: &Victim) -> Arc<Sim> {
    let sim = Sim::new(world.clone(), 1);
    let answer = deliver(&sim, victim, "r").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Contained, "{answer:#?}");
    assert_eq!(sim.violations(), Vec::<String>::new());
    sim
}

/// Lines that are gone, `- ...`, then those that are new, `+ ...`.
pub fn changes(before: &str, after: &str) -> String {
    let only = |these: &str, mark: char, those: &str| {
        let lines = these.lines().filter(|line| !those.lines().any(|other| other == *line));
        lines.fold(String::new(), |text, line| text + &format!("{mark} {line}\n"))
    };
    only(before, '-', after) + &only(after, '+', before)
}

/// What differs from what was expected; none where nothing does.
pub fn difference(sim: &Sim, expected: &Ended) -> Option<String> {
    let found = ended(sim);
    let changes = changes(&expected.world, &found.world);
    let mut lines: Vec<String> = changes.lines().map(|line| format!("  {line}")).collect();
    if found.evidence != expected.evidence {
        lines.push(format!("  snapshots {:?} instead of {:?}", found.evidence, expected.evidence));
    }
    lines.extend(sim.violations().into_iter().map(|violation| format!("  VIOLATION {violation}")));
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Fails with all that was found, so that a sweep shows its whole extent.
pub fn report(swept: usize, failures: &[String]) {
    println!("{swept} runs swept");
    assert!(failures.is_empty(), "{} of {swept} runs:\n{}", failures.len(), failures.join("\n"));
}
