//! Contain, then release: the world is as it was, whatever breaks on the way.

use std::{sync::Arc, time::Duration};

use brig_core::{
    ledger::Conclusion,
    report::answer::Answer,
    trigger::{Finding, Force, Rejoin},
};
use brig_sim::{ACCOUNT, Break, Fault, REGION, Sim, Victim, When, World};

use crate::common::{calm, deliver, is_whole, report};

/// The world without what a release leaves: Brig's own groups.
fn without_brigs(world: &World) -> Vec<String> {
    world.summary().lines().filter(|line| !is_brigs(line)).map(str::to_owned).collect()
}

/// A group that Brig made has no rule, or only those of the untrack group.
fn is_brigs(line: &str) -> bool {
    let made = line.contains(" brig-isolation []") || line.contains(" brig-untrack ");
    made || (line.contains(" brig-isolation-i-") && line.ends_with("[]"))
}

/// What the release of a calm containment ends in: the world before it, but for the replacement that the group launched.
fn expected(world: &World, victim: &Victim) -> Vec<String> {
    expected_after(world, &calm(world, victim).world())
}

/// The same, from the world before and the world while contained.
pub fn expected_after(world: &World, contained: &World) -> Vec<String> {
    let mut world = world.clone();
    let replaced = contained.clone();
    for (name, group) in replaced.scaling {
        world.scaling.insert(name, group);
    }
    for (id, instance) in replaced.instances {
        world.instances.entry(id).or_insert(instance);
    }
    for (arn, group) in replaced.target_groups {
        let held = world.target_groups.get_mut(&arn).expect("the group");
        let new = group.targets.into_iter().filter(|target| {
            target.state != "draining" && held.targets.iter().all(|old| old.id != target.id || old.port != target.port)
        });
        let new: Vec<_> = new.collect();
        held.targets.extend(new);
    }
    without_brigs(&world)
}

pub fn difference(sim: &Sim, expected: &[String]) -> Option<String> {
    let found = without_brigs(&sim.world());
    let mut lines: Vec<String> =
        found.iter().filter(|line| !expected.contains(line)).map(|line| format!("  + {line}")).collect();
    lines.extend(expected.iter().filter(|line| !found.contains(line)).map(|line| format!("  - {line}")));
    lines.extend(sim.violations().into_iter().map(|violation| format!("  VIOLATION {violation}")));
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// What is wrong where a release did not give everything back.
fn unreleased(sim: &Sim, expected: &[String], answer: &Answer, what: impl FnOnce() -> String) -> Option<String> {
    let difference = difference(sim, expected);
    if answer.outcome == Conclusion::Released && difference.is_none() {
        return None;
    }
    Some(format!("{}: {}\n{}", what(), answer.verdict.summary, difference.unwrap_or_default()))
}

/// A person tries again until it is done.
pub fn release(sim: &Arc<Sim>, victim: &Victim) -> Answer {
    let mut last = None;
    for attempt in 0..4 {
        sim.revive(0);
        last = sim.release(&victim.id, Rejoin::No, &format!("release-{attempt}"));
        if last.as_ref().is_some_and(|answer| answer.outcome == Conclusion::Released) {
            break;
        }
        sim.heal();
        sim.wait(Duration::from_mins(3));
    }
    last.expect("an answer")
}

#[test]
fn a_release_gives_the_world_back() {
    for (world, victim) in [World::production(), World::plain()] {
        let sim = calm(&world, &victim);
        let answer = release(&sim, &victim);
        assert_eq!(answer.outcome, Conclusion::Released, "{answer:#?}");
        assert_eq!(difference(&sim, &expected(&world, &victim)), None);
        let again = release(&sim, &victim);
        assert!(again.reason.to_string().contains("already"), "{}", again.reason);
        // Contained and released once more: each is its own record.
        let anew = sim.contain(&victim.id, "manual").expect("an answer");
        assert_eq!(anew.outcome, Conclusion::Ignored, "the same finding, without later activity: {}", anew.reason);
    }
}

#[test]
fn a_plan_for_what_was_released_does_not_count_what_was_done_before() {
    let (world, victim) = World::plain();
    let plan = |sim: &Arc<Sim>| {
        let finding = Finding::occasion(
            "p".to_owned(),
            "p".to_owned(),
            ACCOUNT.parse().expect("id"),
            REGION.parse().expect("Region"),
            victim.id.clone(),
        );
        let invocation = sim.invocation("p", Duration::from_mins(2));
        let planned = sim.run(sim.engine(0).plan(&finding, Force::No, &invocation)).expect("an answer");
        planned.steps.iter().map(|step| format!("{} {} {}", step.outcome, step.step, step.resource)).collect::<Vec<_>>()
    };
    let first = plan(&Sim::new(world.clone(), 1));
    assert!(first.iter().any(|step| step.starts_with("planned untrack")), "{first:#?}");
    let sim = calm(&world, &victim);
    assert_eq!(release(&sim, &victim).outcome, Conclusion::Released);
    let again = plan(&sim);
    assert!(again.iter().any(|step| step.starts_with("planned untrack")), "{again:#?}");
}

#[test]
fn every_call_of_a_release_broken_in_every_way_ends_in_the_same_world() {
    let (mut swept, mut failures) = (0, Vec::new());
    for (world, victim) in [World::production(), World::plain()] {
        let expected = expected(&world, &victim);
        let begin = calm(&world, &victim).calls().len();
        let sim = calm(&world, &victim);
        release(&sim, &victim);
        let end = sim.calls().len();
        for number in begin..end {
            for (fault, when) in [
                (Fault::Throttled, When::Before),
                (Fault::Timeout, When::Before),
                (Fault::Denied, When::Before),
                (Fault::ServerError, When::After),
                (Fault::Unreadable, When::Before),
                (Fault::Unreadable, When::After),
            ] {
                let sim = calm(&world, &victim);
                sim.breaks(Break::Once(number, fault, when));
                let answer = release(&sim, &victim);
                swept += 1;
                let call = || sim.calls().get(number).map(|call| call.operation);
                let broken = || format!("{:?} (call {number}) {fault:?} {when:?}", call());
                failures.extend(unreleased(&sim, &expected, &answer, broken));
            }
        }
    }
    report(swept, &failures);
}

#[test]
fn a_release_killed_at_every_await_point_is_ended_by_the_next() {
    let (mut swept, mut failures) = (0, Vec::new());
    for (world, victim) in [World::production(), World::plain()] {
        let expected = expected(&world, &victim);
        let begin = calm(&world, &victim).points();
        let sim = calm(&world, &victim);
        release(&sim, &victim);
        for point in begin..sim.points() {
            let sim = calm(&world, &victim);
            sim.kill_at(point);
            let answer = release(&sim, &victim);
            swept += 1;
            failures.extend(unreleased(&sim, &expected, &answer, || format!("killed at point {point}")));
        }
    }
    report(swept, &failures);
}

#[test]
fn what_a_killed_and_retried_containment_replaced_is_given_back() {
    let (mut swept, mut failures) = (0, Vec::new());
    for (world, victim) in [World::production(), World::plain()] {
        let expected = expected(&world, &victim);
        for point in 0..calm(&world, &victim).points() {
            let sim = Sim::new(world.clone(), 1);
            sim.kill_at(point);
            let _ = sim.contain(&victim.id, "r");
            sim.heal();
            sim.wait(Duration::from_mins(1));
            deliver(&sim, &victim, "r").expect("an answer");
            let answer = release(&sim, &victim);
            swept += 1;
            failures.extend(unreleased(&sim, &expected, &answer, || format!("killed at point {point}")));
        }
    }
    report(swept, &failures);
}

#[test]
fn an_instance_that_is_gone_is_released_from_its_role() {
    let (world, victim) = World::production();
    let sim = calm(&world, &victim);
    let id = victim.id.clone();
    sim.change(|world| world.terminate(&id));
    let answer = release(&sim, &victim);
    assert_eq!(answer.outcome, Conclusion::Released, "{answer:#?}");
    assert!(sim.world().policies.is_empty());
}

#[test]
fn what_was_draining_when_it_was_first_seen_is_reported_and_not_registered_again() {
    let (mut world, victim) = World::production();
    let arn = world.target_groups.keys().find(|arn| arn.contains("/addresses/")).expect("a group").clone();
    let group = world.target_groups.get_mut(&arn).expect("it");
    for target in group.targets.iter_mut().filter(|target| target.id == "10.0.0.1") {
        "draining".clone_into(&mut target.state);
    }
    let sim = calm(&world, &victim);
    let answer = sim.release(&victim.id, Rejoin::No, "back").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Released, "{answer:#?}");
    let notes = answer.notes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(notes.contains("10.0.0.1 was draining in") && notes.contains("register it"), "{notes}");
    let here = |target: &&brig_core::model::Target| target.id == "10.0.0.1" && target.state == "healthy";
    assert_eq!(sim.world().target_groups[&arn].targets.iter().filter(here).count(), 0);
}

#[test]
fn a_group_at_its_maximum_is_left_whole_and_takes_nothing_back() {
    let (mut world, victim) = World::production();
    let group = world.scaling.get_mut("group").expect("a group");
    group.most = group.members.len();
    let (least, most) = (group.desired, group.most);
    let sim = calm(&world, &victim);
    let held = sim.world().scaling["group"].clone();
    assert_eq!((held.desired, held.members.len()), (least, most), "its capacity stays: it launched a replacement");
    let answer = sim.release(&victim.id, Rejoin::Yes, "back").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Released, "{answer:#?}");
    let attach = answer.steps.iter().find(|step| step.step.name() == "attach_instances").expect("the step");
    assert_eq!(attach.outcome.word(), "missing", "{attach:#?}");
    assert!(attach.detail.to_string().contains("it stays out of the group"), "{}", attach.detail);
    assert_eq!(sim.world().scaling["group"].desired, least);
}

/// Kills a containment at each of its await points in turn: the next delivery ends the same, and all is given back.
pub fn killed_anywhere(world: &World, victim: &Victim, with: impl Fn(&World) -> Arc<Sim>) {
    killed_each(world, victim, 1, with, |_| true);
}

/// The same at each so many-th point. `also` is what else must hold, once it is contained.
pub fn killed_each(
    world: &World,
    victim: &Victim,
    step: usize,
    with: impl Fn(&World) -> Arc<Sim>,
    also: impl Fn(&Sim) -> bool,
) {
    let calm = with(world);
    deliver(&calm, victim, "r").expect("an answer");
    let expected = calm.world().summary();
    let (mut swept, mut failures) = (0, Vec::new());
    for point in (0..calm.points()).step_by(step) {
        swept += 1;
        let sim = with(world);
        sim.kill_at(point);
        let _ = sim.contain(&victim.id, "r");
        sim.wait(Duration::from_mins(1));
        let answer = deliver(&sim, victim, "r").expect("an answer");
        let contained = sim.world();
        if !is_whole(&answer) || contained.summary() != expected || !also(&sim) {
            failures.push(format!("killed at {point}: {}", answer.verdict.summary));
        }
        let back = sim.release(&victim.id, Rejoin::No, "back").expect("an answer");
        if back.outcome != Conclusion::Released {
            failures.push(format!("killed at {point}: {}", back.verdict.summary));
        }
        failures.extend(difference(&sim, &expected_after(world, &contained)));
        failures.extend(sim.violations());
    }
    report(swept, &failures);
}
