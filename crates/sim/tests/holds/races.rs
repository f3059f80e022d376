//! Several invocations at once, interleaved at random, with reads that lag. `BRIG_SEED=<n>` runs one seed, `BRIG_SEEDS=<n>`
//! so many.

use std::{sync::Arc, time::Duration};

use brig_core::ledger::Conclusion;
use brig_sim::{Sim, Victim, World};
use futures::future::join_all;

use crate::common::{Ended, calm, deliver, difference, ended, is_whole, report};

/// Each of the two tests below runs half of ten thousand.
const SEEDS: u64 = 5_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// The seeds to run: one, so many, or, for a soak, new ones until time is over.
fn seeds() -> Box<dyn Iterator<Item = u64>> {
    match (number("BRIG_SEED"), number("BRIG_SOAK_SECONDS"), number("BRIG_SEEDS")) {
        (Some(one), ..) => Box::new(std::iter::once(one)),
        (None, Some(seconds), _) => {
            let began = std::time::Instant::now();
            let unseen = u64::from(std::process::id()) << 32;
            Box::new((unseen..).take_while(move |_| began.elapsed() < Duration::from_secs(seconds)))
        }
        (None, None, many) => Box::new(0..many.unwrap_or(SEEDS)),
    }
}

fn again_line(seed: u64) -> String {
    format!("again: BRIG_SEED={seed} cargo test --workspace --test holds interleaving")
}

/// One seed: two or three invocations, some of which begin later, one of which may die.
fn race(world: &World, victim: &Victim, seed: u64, lag: u64) -> Arc<Sim> {
    let sim = Sim::new(world.clone(), seed);
    sim.latency(1, 400);
    sim.lag(lag);
    let many = 2 + usize::try_from(seed % 2).expect("small");
    if seed.is_multiple_of(3) {
        sim.kill_at(usize::try_from(seed % 211).expect("small"));
    }
    let runs = (0..many).map(|process| {
        let sim = Arc::clone(&sim);
        async move {
            // Deliveries of one event repeat its request id; another finding has its own.
            let request = if seed.is_multiple_of(5) { "same".to_owned() } else { format!("r{process}") };
            for _ in 0..4 {
                let answer = Box::pin(sim.process(process, &victim.id, &request, Duration::from_mins(2))).await;
                if answer.is_some_and(|answer| !answer.left_over) {
                    break;
                }
                sim.revive(process);
                sim.sleep(Duration::from_secs(65)).await;
            }
        }
    });
    sim.run(join_all(runs)).expect("nobody waits for ever");
    sim
}

#[test]
fn any_interleaving_of_invocations_is_one_containment() {
    interleave(0);
}

#[test]
fn any_interleaving_with_reads_that_lag_is_one_containment() {
    interleave(1_500);
}

fn interleave(lag: u64) {
    let (world, victim) = World::plain();
    let expected = ended(&calm(&world, &victim));
    let (mut swept, mut failures, mut second_sets) = (0, Vec::new(), 0);
    for seed in seeds() {
        let sim = race(&world, &victim, seed, lag);
        // Whoever comes last finds everything in order.
        sim.heal();
        sim.lag(0);
        sim.wait(Duration::from_mins(5));
        let answer = deliver(&sim, &victim, "last").expect("an answer");
        swept += 1;
        let mut difference = difference(&sim, &expected);
        if answer.notes.iter().any(|note| note.to_string().contains("snapshot sets")) {
            second_sets += 1;
            difference = difference.filter(|text| text.lines().any(|line| !line.starts_with("  snapshots")));
        }
        let whole = is_whole(&answer);
        if !whole || difference.is_some() {
            let difference = difference.unwrap_or_default();
            failures.push(format!("seed {seed}: {}\n{difference}\n{}", answer.verdict.summary, again_line(seed)));
        }
        if failures.len() > 3 {
            break;
        }
    }
    println!("{second_sets} runs took a second snapshot set and said so");
    report(swept, &failures);
}

#[test]
fn while_one_holds_it_another_changes_nothing() {
    let (world, victim) = World::production();
    let sim = Sim::new(world, 1);
    let time = Duration::from_mins(2);
    let later = async {
        sim.sleep(Duration::from_millis(500)).await;
        Box::pin(sim.process(1, &victim.id, "another", time)).await
    };
    let run = futures::future::join(sim.process(0, &victim.id, "one", time), later);
    let (one, another) = sim.run(run).expect("nobody waits for ever");
    assert_eq!(one.expect("an answer").outcome, Conclusion::Contained);
    let another = another.expect("an answer");
    assert_eq!(another.outcome, Conclusion::InProgress);
    assert!(another.left_over, "the event is delivered again");
    let wrote: Vec<&str> =
        sim.calls().iter().filter(|call| call.process == 1 && call.writes).map(|call| call.operation).collect();
    assert_eq!(wrote, Vec::<&str>::new());
}

#[test]
fn two_instances_of_one_role_both_end_in_its_policy() {
    let (world, victim) = World::plain();
    let both: Ended = {
        let sim = calm(&world, &victim);
        let other = Victim { id: victim.sibling.clone(), sibling: victim.id.clone() };
        deliver(&sim, &other, "other").expect("an answer");
        ended(&sim)
    };
    let mut failures = Vec::new();
    let seeds: Vec<u64> = seeds().take(2_000).collect();
    for seed in &seeds {
        let sim = Sim::new(world.clone(), *seed);
        sim.latency(1, 400);
        let time = Duration::from_mins(2);
        let (one, two) = (sim.process(0, &victim.id, "a", time), sim.process(1, &victim.sibling, "b", time));
        sim.run(futures::future::join(one, two)).expect("nobody waits for ever");
        if let Some(difference) = difference(&sim, &both) {
            failures.push(format!("seed {seed}\n{difference}\n{}", again_line(*seed)));
        }
    }
    report(seeds.len(), &failures);
}
