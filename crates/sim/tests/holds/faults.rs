//! Every call of a containment, broken in every way: the retry ends in the state of one calm run.

use std::time::Duration;

use brig_sim::{Break, Fault, Sim, When, World};

use crate::common::{calm, deliver, difference, ended, is_whole, report};

#[test]
fn a_calm_run_contains_and_nothing_else_changes() {
    let (world, victim) = World::production();
    let sim = calm(&world, &victim);
    println!("{}", sim.world().summary());
    println!("{} calls, {} points", sim.calls().len(), sim.points());
    assert_eq!(sim.told().len(), 1);
}

#[test]
fn every_call_broken_in_every_way_ends_in_the_same_state() {
    let (mut swept, mut failures) = (0, Vec::new());
    for (world, victim) in [World::production(), World::plain()] {
        let sim = calm(&world, &victim);
        let expected = ended(&sim);
        for (number, call) in sim.calls().iter().enumerate() {
            for (fault, when) in WAYS {
                let sim = Sim::new(world.clone(), 1);
                sim.breaks(Break::Once(number, fault, when));
                let mut answer = deliver(&sim, &victim, "r").expect("an answer");
                swept += 1;
                sim.heal();
                if matches!(fault, Fault::Denied | Fault::NotFound) {
                    // Not retried where that cannot help; a person's next try ends it all the same.
                    // The lease of an attempt that could not say how it ended holds until its deadline.
                    sim.wait(Duration::from_mins(3));
                    answer = deliver(&sim, &victim, "r2").expect("an answer");
                }
                let difference = difference(&sim, &expected);
                if !is_whole(&answer) || difference.is_some() {
                    failures.push(format!(
                        "{} (call {number}) {fault:?} {when:?}: {} {}\n{}",
                        call.operation,
                        answer.outcome.word(),
                        answer.verdict.summary,
                        difference.unwrap_or_default()
                    ));
                }
            }
        }
    }
    report(swept, &failures);
}

/// An effect without an answer is the same whatever kind of silence follows; other faults come before it.
const WAYS: [(Fault, When); 9] = [
    (Fault::Throttled, When::Before),
    (Fault::ServerError, When::Before),
    (Fault::Timeout, When::Before),
    (Fault::Denied, When::Before),
    (Fault::NotFound, When::Before),
    (Fault::ServerError, When::After),
    (Fault::Timeout, When::After),
    (Fault::Unreadable, When::Before),
    (Fault::Unreadable, When::After),
];

/// In the simulator a round trip takes exactly 40 ms and nothing else takes time.
#[test]
fn a_whole_containment_takes_eleven_round_trips_on_a_vpcs_first_use() {
    let (world, victim) = World::production();
    let sim = Sim::new(world, 1);
    let timings = deliver(&sim, &victim, "r").expect("an answer").timings_ms;
    let done = timings.done.unwrap_or_default() - timings.untrack_window.unwrap_or_default();
    assert_eq!(timings.isolated.map(|ms| ms / 40), Some(5), "look, claim, groups, their rules, isolate");
    assert_eq!(done / 40, 11);
}
