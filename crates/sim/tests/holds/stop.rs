//! Stopping: last, where somebody asks, once nothing is lost by it.

use std::time::Duration;

use brig_core::{ledger::Conclusion, model::InstanceState, report::answer::Answer, trigger::Rejoin};
use brig_sim::{Break, Fault, Sim, Victim, World};
use expect_test::{Expect, expect};

use crate::{
    common::{deliver, is_whole},
    release::{difference, expected_after, killed_each, release},
};

/// A world in which somebody asks that the instance be stopped.
pub fn asked(hibernates: bool) -> (World, Victim) {
    let (mut world, victim) = World::production();
    world.stops.insert(victim.id.clone());
    world.instances.get_mut(&victim.id).expect("it").shown.hibernates = hibernates;
    (world, victim)
}

fn state(sim: &Sim, victim: &Victim) -> InstanceState {
    sim.world().instances.get(&victim.id).expect("it").shown.state
}

fn steps(answer: &Answer) -> String {
    let of_stop =
        answer.steps.iter().filter(|step| step.step.name().contains("stop_") || step.step.name().contains("memory"));
    of_stop.map(|step| format!("{} {} - {}\n", step.outcome, step.step, step.detail)).collect::<Vec<_>>().concat()
}

fn check(answer: &Answer, expected: &Expect) {
    expected.assert_eq(&steps(answer));
}

/// Snapshots that hold a memory, and how many of them are locked.
fn memory(sim: &Sim) -> (usize, usize) {
    let world = sim.world();
    let all = world.snapshots.values().filter(|snapshot| snapshot.tags.contains_key("brig:memory"));
    let locked = all.clone().filter(|snapshot| snapshot.locked == Some(true)).count();
    (all.count(), locked)
}

#[test]
fn it_is_stopped_last_and_started_by_the_release() {
    let (world, victim) = asked(false);
    let sim = Sim::new(world.clone(), 1);
    let answer = deliver(&sim, &victim, "r").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Contained, "{answer:#?}");
    check(
        &answer,
        &expect![[r#"
            changed enable_stop_protection - was off
            changed stop_on_shutdown - was terminate
            changed stop_instances - stopping; its MEMORY IS LOST because hibernation is not configured, and so is anything on an instance store
        "#]],
    );
    assert_eq!(state(&sim, &victim), InstanceState::Stopped);
    let calls = sim.calls();
    let at = |operation: &str| calls.iter().position(|call| call.operation == operation).expect("a call");
    assert!(at("CreateSnapshots") < at("StopInstances") && at("DetachInstances") < at("StopInstances"));
    let contained = sim.world();
    assert!(contained.instances[&victim.id].stop_protection, "nobody else stops or starts it by accident");
    let again = sim.contain(&victim.id, "r2").expect("an answer");
    assert_eq!(again.outcome, Conclusion::AlreadyContained, "{again:#?}");
    let back = release(&sim, &victim);
    assert_eq!(back.outcome, Conclusion::Released, "{back:#?}");
    assert_eq!(difference(&sim, &expected_after(&world, &contained)), None);
}

#[test]
fn it_joins_its_group_again_once_it_runs() {
    let (world, victim) = asked(false);
    let sim = Sim::new(world, 1);
    deliver(&sim, &victim, "r").expect("an answer");
    let back = sim.release(&victim.id, Rejoin::Yes, "back").expect("an answer");
    assert_eq!(back.outcome, Conclusion::Released, "{back:#?}");
    assert!(sim.world().scaling["group"].members.contains_key(&victim.id));
    assert_eq!(state(&sim, &victim), InstanceState::Running);
}

#[test]
fn a_hibernated_instance_is_snapshotted_with_its_memory() {
    let (world, victim) = asked(true);
    let sim = Sim::new(world.clone(), 1);
    let answer = deliver(&sim, &victim, "r").expect("an answer");
    assert!(is_whole(&answer), "{answer:#?}");
    check(
        &answer,
        &expect![[r#"
            changed enable_stop_protection - was off
            changed stop_on_shutdown - was terminate
            changed stop_instances - asked to hibernate; if that fails, AWS shuts it down instead and its memory is lost
            changed snapshot_memory - snap-00000012 of vol-0001a, snap-00000013 of vol-00000007, snap-00000014 of vol-00000008; whether its memory is on the root volume is not known: where hibernation fails, AWS shuts it down, and EC2's state reason does not say
        "#]],
    );
    assert_eq!(state(&sim, &victim), InstanceState::Stopped);
    let volumes = world.volumes(&victim.id).len();
    assert_eq!(memory(&sim), (volumes, volumes));
    assert!(!answer.notes.iter().any(|note| note.to_string().contains("snapshot sets")), "{:#?}", answer.notes);
}

#[test]
fn what_is_not_preserved_is_not_stopped() {
    let (world, victim) = asked(false);
    let sim = Sim::new(world.clone(), 1);
    sim.breaks(Break::Always("CreateSnapshots", Fault::Denied));
    sim.breaks(Break::Always("CreateSnapshot", Fault::Denied));
    let answer = deliver(&sim, &victim, "r").expect("an answer");
    let said = "is NOT stopped by Brig: its evidence is not preserved";
    assert!(answer.verdict.summary.to_string().contains(said), "{}", answer.verdict.summary);
    check(
        &answer,
        &expect![[r#"
            changed enable_stop_protection - was off
            changed stop_on_shutdown - was terminate
            skipped stop_instances - its evidence is not preserved (this does not hold: vol-0001a has a snapshot)
        "#]],
    );
    assert_eq!(state(&sim, &victim), InstanceState::Running);

    let sim = Sim::new(world.clone(), 1);
    sim.breaks(Break::Always("DetachInstances", Fault::Denied));
    let answer = deliver(&sim, &victim, "r").expect("an answer");
    check(
        &answer,
        &expect![[r#"
            changed enable_stop_protection - was off
            changed stop_on_shutdown - was terminate
            skipped stop_instances - it is not out of its Auto Scaling group and load balancers (this does not hold: it is in no Auto Scaling group)
        "#]],
    );
    assert_eq!(state(&sim, &victim), InstanceState::Running);
}

#[test]
fn its_owners_protection_and_somebodys_start_are_left_alone() {
    let (mut world, victim) = asked(false);
    world.instances.get_mut(&victim.id).expect("it").stop_protection = true;
    let sim = Sim::new(world, 1);
    let answer = deliver(&sim, &victim, "r").expect("an answer");
    check(
        &answer,
        &expect![[r#"
            already_done enable_stop_protection - on
            changed stop_on_shutdown - was terminate
            skipped stop_instances - its owner protects it from being stopped
        "#]],
    );
    assert_eq!(state(&sim, &victim), InstanceState::Running);

    let (world, victim) = asked(false);
    let sim = Sim::new(world, 1);
    deliver(&sim, &victim, "r").expect("an answer");
    sim.change(|world| world.instances.get_mut(&victim.id).expect("it").shown.state = InstanceState::Running);
    let answer = deliver(&sim, &victim, "r2").expect("an answer");
    check(
        &answer,
        &expect![[r#"
            already_done enable_stop_protection - on
            already_done stop_on_shutdown - stop
            skipped stop_instances - Brig stopped it, and somebody has started it since: it RUNS. Brig stops it only once; stop it by hand
        "#]],
    );
    assert_eq!(state(&sim, &victim), InstanceState::Running);
}

#[test]
fn the_ask_outlives_the_event_that_it_came_with() {
    let (world, victim) = asked(false);
    let sim = Sim::new(world, 1);
    sim.breaks(Break::Always("CreateSnapshots", Fault::ServerError));
    let answer = sim.contain_within(&victim.id, "r", Duration::from_secs(20)).expect("an answer");
    assert!(steps(&answer).contains("failed stop_instances - its evidence is not preserved"), "{}", steps(&answer));
    sim.heal();
    // What comes next asks for nothing: an update of the finding, a verification.
    sim.change(|world| world.stops.clear());
    deliver(&sim, &victim, "r2").expect("an answer");
    assert_eq!(state(&sim, &victim), InstanceState::Stopped);
}

#[test]
fn a_stop_that_may_not_be_is_tried_again_only_by_who_asks_again() {
    let (world, victim) = asked(false);
    let sim = Sim::new(world, 1);
    sim.breaks(Break::Always("StopInstances", Fault::Denied));
    let answer = deliver(&sim, &victim, "r").expect("an answer");
    assert!(answer.verdict.summary.to_string().contains("NOT stopped yet: StopInstances: AccessDenied"), "{answer:#?}");
    sim.heal();
    let tried = |sim: &Sim| sim.calls().iter().filter(|call| call.operation == "StopInstances").count();
    let before = tried(&sim);
    sim.change(|world| world.stops.clear());
    deliver(&sim, &victim, "r2").expect("an answer");
    assert_eq!(tried(&sim), before);
    sim.change(|world| world.stops.extend([victim.id.clone()]));
    deliver(&sim, &victim, "r3").expect("an answer");
    assert_eq!(state(&sim, &victim), InstanceState::Stopped);
}

#[test]
fn an_order_to_stop_a_contained_instance_is_reported_and_is_no_repair() {
    let (mut world, victim) = asked(false);
    world.stops.clear();
    let sim = Sim::new(world, 1);
    deliver(&sim, &victim, "r").expect("an answer");
    sim.change(|world| world.stops.extend([victim.id.clone()]));
    let answer = deliver(&sim, &victim, "r2").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Contained, "{answer:#?}");
    assert_eq!(sim.told().len(), 2, "{:?}", sim.told());
}

fn sweep(hibernates: bool, step: usize) {
    let (world, victim) = asked(hibernates);
    let preserved = |sim: &Sim| !hibernates || memory(sim).1 > 0;
    killed_each(&world, &victim, step, |world| Sim::new(world.clone(), 1), preserved);
}

#[test]
fn killed_at_every_await_point_it_is_stopped_all_the_same() {
    sweep(false, 1);
}

#[test]
fn killed_at_await_points_its_memory_is_preserved_all_the_same() {
    sweep(true, 3);
}
