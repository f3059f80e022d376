//! Bursts of findings about one instance, by way of the queue: all are done in the end, none ends as a dead letter, and
//! neither calls nor messages grow with them as they would one by one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use brig_core::{
    decide::queue::again_after,
    model::timestamp::Timestamp,
    trigger::{Finding, Force, Source},
};
use brig_engine::Invocation;
use brig_sim::{ACCOUNT, REGION, Sim, Victim, World};
use futures::future::join_all;

use crate::common::{calm, difference, ended};

/// Invocations at once, as the template has them.
const CONSUMERS: usize = 10;
/// A message that was received more often is a dead letter: half of what the template's queue takes.
const RECEIVES: u32 = 5;
/// What the template's queue takes.
const DEPLOYED_RECEIVES: u32 = 10;
const VISIBILITY: Duration = Duration::from_secs(130);
const TIMEOUT: Duration = Duration::from_mins(2);

struct Message {
    visible_at: Timestamp,
    receives: u32,
}

/// A queue that delivers a message again until somebody deletes it.
struct Queue {
    most: u32,
    waiting: Mutex<BTreeMap<usize, Message>>,
    dead: Mutex<Vec<usize>>,
}

impl Queue {
    fn of(many: usize, most: u32, now: Timestamp) -> Self {
        let messages = (0..many).map(|number| (number, Message { visible_at: now, receives: 0 }));
        Self { most, waiting: Mutex::new(messages.collect()), dead: Mutex::default() }
    }

    /// The next message that is visible, and how often it was received.
    fn receive(&self, now: Timestamp) -> Option<(usize, u32)> {
        let mut waiting = self.waiting.lock().expect("unpoisoned");
        let dead: Vec<usize> = waiting
            .iter()
            .filter(|(_, message)| message.visible_at <= now && message.receives >= self.most)
            .map(|(number, _)| *number)
            .collect();
        for number in dead {
            waiting.remove(&number);
            self.dead.lock().expect("unpoisoned").push(number);
        }
        let (number, message) = waiting.iter_mut().find(|(_, message)| message.visible_at <= now)?;
        message.receives += 1;
        message.visible_at = now.after(VISIBILITY);
        Some((*number, message.receives))
    }

    fn is_empty(&self) -> bool {
        self.waiting.lock().expect("unpoisoned").is_empty()
    }
}

fn finding(victim: &Victim, number: usize, seen: Option<Timestamp>) -> Finding {
    let (account, region) = (ACCOUNT.parse().expect("account"), REGION.parse().expect("Region"));
    Finding {
        source: Source::GuardDuty,
        kind: "Backdoor:EC2/C&CActivity.B".to_owned(),
        severity: Some(8.0),
        by_person: false,
        last_seen: seen,
        ..Finding::occasion(format!("f{number}"), "burst".to_owned(), account, region, victim.id.clone())
    }
}

async fn consume(sim: &Arc<Sim>, queue: &Queue, victim: &Victim, process: usize, seen: Timestamp) {
    while !queue.is_empty() {
        let Some((number, receives)) = queue.receive(sim.clock()) else {
            sim.sleep(Duration::from_millis(200)).await;
            continue;
        };
        sim.revive(process);
        let (finding, id) = (finding(victim, number, Some(seen)), format!("m{number}"));
        let engine = sim.engine(process);
        let invocation = Invocation { arrived: seen, ..sim.invocation(&id, TIMEOUT) };
        let work = engine.contain(&finding, Force::No, &invocation);
        let Some(answer) = Box::pin(sim.mortal(process, work)).await else { continue };
        let mut waiting = queue.waiting.lock().expect("unpoisoned");
        if !answer.left_over {
            waiting.remove(&number);
        } else if let Some(message) = waiting.get_mut(&number) {
            message.visible_at = sim.clock().after(again_after(receives, answer.held_until, sim.clock()));
        }
    }
}

/// A burst of two hundred findings: what did not end, and the simulator.
fn burst(world: &World, victim: &Victim, kill: Option<usize>, latency: (u64, u64)) -> (Vec<usize>, Arc<Sim>) {
    let most = if kill.is_some() { DEPLOYED_RECEIVES } else { RECEIVES };
    let sim = Sim::new(world.clone(), 1);
    sim.latency(latency.0, latency.1);
    if let Some(point) = kill {
        sim.kill_at(point);
    }
    let queue = Queue::of(200, most, sim.clock());
    let seen = sim.clock();
    let consumers = (0..CONSUMERS).map(|process| consume(&sim, &queue, victim, process, seen));
    sim.run(join_all(consumers)).expect("nobody waits for ever");
    let dead = queue.dead.lock().expect("unpoisoned").clone();
    (dead, sim)
}

#[test]
fn a_burst_of_findings_about_one_instance_ends_with_all_of_them_done() {
    let (world, victim) = World::production();
    let expected = ended(&calm(&world, &victim));
    for latency in [(20, 20), (100, 400)] {
        let (dead, sim) = burst(&world, &victim, None, latency);
        assert_eq!(dead, Vec::<usize>::new(), "dead letters");
        assert_eq!(difference(&sim, &expected), None);
        assert_eq!(sim.told().len(), 1, "{:?}", sim.told());
        let calls = sim.calls().len();
        println!("{calls} calls, answers within {} ms", latency.1 * 2);
        assert!(calls < 200 * 20, "{calls} calls: as if each were worked on");
    }
}

#[test]
fn a_burst_whose_first_invocation_dies_ends_with_all_of_them_done() {
    let (world, victim) = World::production();
    let expected = ended(&calm(&world, &victim));
    for point in [60, 150, 260, 400] {
        let (dead, sim) = burst(&world, &victim, Some(point), (20, 20));
        assert_eq!(dead, Vec::<usize>::new(), "dead letters after a death at {point}");
        assert_eq!(difference(&sim, &expected), None, "death at {point}");
        assert!(sim.told().len() <= 2, "{:?}", sim.told());
    }
}
