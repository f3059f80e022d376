//! The function dies at every point at which it waits, and is started again by Lambda.

use std::time::Duration;

use brig_sim::{Sim, World};

use crate::common::{again, calm, deliver, difference, ended, is_whole, report};

#[test]
fn killed_at_every_await_point_a_retry_ends_in_the_same_state() {
    let (mut swept, mut failures) = (0, Vec::new());
    for (world, victim) in [World::production(), World::plain()] {
        let sim = calm(&world, &victim);
        let expected = ended(&sim);
        for point in 0..sim.points() {
            let sim = Sim::new(world.clone(), 1);
            sim.kill_at(point);
            let first = sim.contain(&victim.id, "r");
            assert!(first.is_none(), "point {point}: it did not die");
            let open = is_open(&sim.world());
            sim.wait(Duration::from_mins(1));
            let before = sim.calls().len();
            let answer = deliver(&sim, &victim, "r").expect("an answer");
            swept += 1;
            let at =
                || format!("killed at point {point} in {:?}", sim.calls().get(point / 2).map(|call| call.operation));
            if open {
                let calls = sim.calls();
                let next = calls.iter().skip(before).find(|call| call.writes && call.operation.starts_with("Modify"));
                let leads = answer.verdict.summary.to_string().contains("OPEN TO THE WORLD since");
                if next.is_none_or(|call| call.operation != "ModifyNetworkInterfaceAttribute") || !leads {
                    failures.push(format!("{}: not isolated first, or not said: {}", at(), answer.verdict.summary));
                }
            }
            let mut difference = difference(&sim, &expected);
            // CreateSnapshots has no token: a set whose answer was lost may be taken twice, and is reported.
            if answer.notes.iter().any(|note| note.to_string().contains("snapshot sets")) {
                difference = difference.filter(|text| text.lines().any(|line| !line.starts_with("  snapshots")));
            }
            let whole = is_whole(&answer);
            if !whole || difference.is_some() {
                let difference = difference.unwrap_or_default();
                failures.push(format!("{}: {}\n{difference}", at(), answer.verdict.summary));
            }
        }
    }
    report(swept, &failures);
}

#[test]
fn killed_twice_the_third_attempt_still_ends_well() {
    let (world, victim) = World::production();
    let sim = calm(&world, &victim);
    let expected = ended(&sim);
    let (mut swept, mut failures) = (0, Vec::new());
    for first in (0..sim.points()).step_by(7) {
        for second in (first + 1..first + 200).step_by(11) {
            let sim = Sim::new(world.clone(), 1);
            sim.kill_at(first);
            let _ = sim.contain(&victim.id, "r");
            sim.wait(Duration::from_mins(1));
            sim.revive(0);
            sim.kill_at(second);
            let answer = sim.contain(&victim.id, "r");
            sim.heal();
            sim.wait(Duration::from_mins(2));
            let answer = if again(answer.as_ref()) { deliver(&sim, &victim, "r") } else { answer };
            let answer = answer.expect("an answer");
            swept += 1;
            let mut difference = difference(&sim, &expected);
            if answer.notes.iter().any(|note| note.to_string().contains("snapshot sets")) {
                difference = difference.filter(|text| text.lines().any(|line| !line.starts_with("  snapshots")));
            }
            if let Some(difference) = difference {
                failures.push(format!("killed at {first} and {second}: {}\n{difference}", answer.verdict.summary));
            }
        }
    }
    report(swept, &failures);
}

#[test]
fn out_of_time_at_every_moment_the_retry_ends_well() {
    let (mut swept, mut failures) = (0, Vec::new());
    for (world, victim) in [World::production(), World::plain()] {
        let expected = ended(&calm(&world, &victim));
        for millis in (0..20_000).step_by(250) {
            let sim = Sim::new(world.clone(), 1);
            let time = Duration::from_millis(millis);
            let mut answer = None;
            for _ in 0..2 {
                answer = sim.contain_within(&victim.id, "r", time);
                sim.wait(Duration::from_mins(1));
            }
            swept += 1;
            if again(answer.as_ref()) {
                answer = sim.contain(&victim.id, "r");
            }
            let answer = answer.expect("an answer");
            let whole = is_whole(&answer);
            let difference = difference(&sim, &expected);
            if !whole || difference.is_some() {
                let difference = difference.unwrap_or_default();
                failures.push(format!("with {millis} ms: {}\n{difference}", answer.verdict.summary));
            }
        }
    }
    report(swept, &failures);
}

fn is_open(world: &World) -> bool {
    world.interfaces.values().any(|eni| {
        let open = |id| world.groups.get(id).is_some_and(|(group, _)| group.name.starts_with("brig-untrack"));
        eni.shown.groups.iter().any(open)
    })
}
