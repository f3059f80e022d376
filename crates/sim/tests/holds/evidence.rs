//! What AWS refuses to preserve, or to take for an instance: it is said of what it is true, everything else is done, and no
//! verification tries the same again and again. So is a quota that leaves no room for a group.

use std::{sync::Arc, time::Duration};

use brig_core::{
    decide::Asks,
    ledger::Conclusion,
    model::{Uncut, Unpreserved, ids::VolumeId},
    report::{answer::Answer, fact::Truth},
};
use brig_sim::{Sim, Victim, World};

use crate::{
    common::{calm, deliver, is_whole, report},
    release::{expected_after, release},
};

fn verify(sim: &Arc<Sim>) -> Answer {
    let engine = sim.engine(0);
    let invocation = sim.invocation("v", Duration::from_mins(2));
    let verified = sim.run(engine.verify_all(Asks::Machine, &invocation)).expect("an end").expect("an answer");
    verified.entries.into_iter().next().expect("one containment")
}

fn taken(sim: &Sim) -> usize {
    sim.calls().iter().filter(|call| call.operation.starts_with("CreateSnapshot")).count()
}

/// One volume's key is disabled.
fn with_a_bad_volume() -> (World, Victim, VolumeId) {
    let (mut world, victim) = World::production();
    let bad = world.volumes(&victim.id).last().expect("a volume").clone();
    world.bad_volumes.insert(bad.clone());
    (world, victim, bad)
}

#[test]
fn where_the_set_is_refused_the_volumes_are_taken_one_by_one() {
    let (world, victim, bad) = with_a_bad_volume();
    let sim = Sim::new(world, 1);
    let answer = deliver(&sim, &victim, "r").expect("an answer");
    assert_eq!((answer.outcome, answer.left_over), (Conclusion::Partial, false), "{answer:#?}");
    assert_eq!(answer.verdict.truths.evidence, Truth::Partial);
    let [Unpreserved::Refused { volume, error }] = answer.verdict.unpreserved.as_slice() else {
        panic!("{:?}", answer.verdict.unpreserved);
    };
    assert!(*volume == bad && error.to_string().contains("InvalidVolume.InvalidKmsKey"), "{error}");
    assert!(answer.verdict.summary.to_string().contains(bad.as_str()), "{}", answer.verdict.summary);
    let evidence = sim.world().evidence();
    assert_eq!(evidence.len(), 2, "{evidence:?}");
    assert!(evidence.iter().all(|(_, device, locked)| device.is_some() && *locked == Some(true)), "{evidence:?}");
    assert_eq!(sim.violations(), Vec::<String>::new());

    // Nobody takes it again all day, and it is still said.
    let before = taken(&sim);
    for _ in 0..3 {
        sim.wait(Duration::from_hours(1));
        let again = verify(&sim);
        assert_eq!(again.verdict.unpreserved.len(), 1, "{again:#?}");
    }
    assert_eq!(taken(&sim), before);
    // A day later it is tried once, and once a day after that.
    sim.wait(Duration::from_hours(24));
    verify(&sim);
    assert_eq!(taken(&sim), before + 1);
    sim.wait(Duration::from_hours(1));
    verify(&sim);
    assert_eq!(taken(&sim), before + 1);
    // Once its key is back, the next try holds.
    sim.change(|world| world.bad_volumes.clear());
    sim.wait(Duration::from_hours(24));
    let mended = verify(&sim);
    assert_eq!(mended.verdict.truths.evidence, Truth::Yes, "{mended:#?}");
    assert_eq!(sim.world().evidence().len(), 3);
}

#[test]
fn killed_at_every_point_each_volume_is_taken_once_or_said() {
    let (world, victim, bad) = with_a_bad_volume();
    let first = Sim::new(world.clone(), 1);
    deliver(&first, &victim, "r").expect("an answer");
    let points = first.points();
    let mut failures = Vec::new();
    for point in 0..points {
        let sim = Sim::new(world.clone(), 1);
        sim.kill_at(point);
        let answer = deliver(&sim, &victim, "r");
        let volumes: Vec<String> = sim.world().evidence().into_iter().map(|(volume, ..)| volume).collect();
        let said = answer
            .is_some_and(|answer| answer.verdict.unpreserved.iter().any(|lost| lost.sentence().contains(bad.as_str())));
        if volumes.len() != 2 || !said {
            failures.push(format!("killed at {point}: {volumes:?}, said {said}"));
        }
        failures.extend(sim.violations());
    }
    report(points, &failures);
}

#[test]
fn a_set_that_ends_in_error_is_no_evidence_and_is_taken_again_once_a_day() {
    let (world, victim) = World::production();
    let sim = calm(&world, &victim);
    let before = taken(&sim);
    sim.change(|world| {
        for snapshot in world.snapshots.values_mut() {
            "error".clone_into(&mut snapshot.state);
        }
    });
    for _ in 0..3 {
        let seen = verify(&sim);
        assert_ne!(seen.verdict.truths.evidence, Truth::Yes, "{seen:#?}");
        assert_eq!(seen.verdict.unpreserved.len(), 3, "{seen:#?}");
        let failed = |lost: &Unpreserved| matches!(lost, Unpreserved::SnapshotFailed { .. });
        assert!(seen.verdict.unpreserved.iter().all(failed));
        sim.wait(Duration::from_hours(1));
    }
    assert_eq!(taken(&sim), before);
    sim.wait(Duration::from_hours(24));
    let again = verify(&sim);
    assert_eq!((taken(&sim), again.verdict.truths.evidence), (before + 1, Truth::Yes), "{again:#?}");
}

#[test]
fn a_volume_that_is_attached_later_is_taken_by_itself() {
    let (world, victim) = World::production();
    let sim = calm(&world, &victim);
    sim.change(|world| world.volume(&victim.id, "/dev/sdz", false));
    let answer = verify(&sim);
    assert_eq!(answer.verdict.truths.evidence, Truth::Yes, "{answer:#?}");
    assert_eq!(sim.world().snapshots.len(), 4);
}

#[test]
fn what_ec2_does_not_take_for_an_instance_is_skipped_and_never_a_lasting_partial() {
    for attribute in [
        "DisableApiTermination",
        "DisableApiStop",
        "InstanceInitiatedShutdownBehavior",
        "BlockDeviceMappings",
        "AutoRecovery",
        "ModifyInstanceMetadataOptions",
    ] {
        let (mut world, victim) = World::production();
        world.unsupported.insert(attribute.to_owned());
        let sim = Sim::new(world.clone(), 1);
        let answer = deliver(&sim, &victim, "r").expect("an answer");
        assert!(is_whole(&answer) && !answer.left_over, "{attribute}: {} {:?}", answer.verdict.summary, answer.notes);
        let skipped = answer.steps.iter().filter(|step| step.detail.to_string().contains("UnsupportedOperation"));
        assert_eq!(skipped.count(), 1, "{attribute}: {:#?}", answer.steps);
        // Nor is it drift, and nobody asks EC2 for it again.
        let writes =
            |sim: &Sim| sim.calls().iter().filter(|call| call.writes && call.operation.starts_with("Modify")).count();
        let before = writes(&sim);
        assert_eq!(verify(&sim).outcome, Conclusion::Verified, "{attribute}");
        assert_eq!(writes(&sim), before, "{attribute}");
        let contained = sim.world();
        let back = release(&sim, &victim);
        assert_eq!(back.outcome, Conclusion::Released, "{attribute}: {back:#?}");
        assert_eq!(crate::release::difference(&sim, &expected_after(&world, &contained)), None, "{attribute}");
    }
}

fn tagged(count: usize) -> (World, Victim) {
    let (mut world, victim) = World::production();
    let tags = &mut world.instances.get_mut(&victim.id).expect("it").shown.tags;
    let held = tags.keys().filter(|key| !key.starts_with("aws:")).count();
    tags.extend((held..count).map(|number| (format!("tag-{number}"), String::new())));
    (world, victim)
}

#[test]
fn an_instance_with_all_its_tags_is_contained_with_a_note() {
    for (count, marked) in [(50, false), (49, true)] {
        let (world, victim) = tagged(count);
        let sim = Sim::new(world.clone(), 1);
        let answer = deliver(&sim, &victim, "r").expect("an answer");
        assert!(is_whole(&answer) && !answer.left_over, "{count}: {answer:#?}");
        assert!(
            answer.notes.iter().any(|note| note.to_string().contains("TagLimitExceeded")),
            "{count}: {:?}",
            answer.notes
        );
        let tags = &sim.world().instances[&victim.id].shown.tags;
        assert_eq!(tags.contains_key("brig:containment"), marked, "{count}");
        assert_eq!(verify(&sim).outcome, Conclusion::Verified, "{count}");
        let contained = sim.world();
        assert_eq!(release(&sim, &victim).outcome, Conclusion::Released, "{count}");
        assert_eq!(crate::release::difference(&sim, &expected_after(&world, &contained)), None, "{count}");
    }
}

#[test]
fn metadata_options_are_given_back_where_the_endpoint_was_off_before() {
    let (mut world, victim) = crate::forensic::world();
    let shown = &mut world.instances.get_mut(&victim.id).expect("it").shown;
    "disabled".clone_into(&mut shown.metadata.endpoint);
    let sim = crate::forensic::with(&world);
    deliver(&sim, &victim, "r").expect("an answer");
    let contained = sim.world();
    assert_eq!(contained.instances[&victim.id].shown.metadata.tokens, "required");
    assert_eq!(release(&sim, &victim).outcome, Conclusion::Released);
    assert_eq!(crate::release::difference(&sim, &expected_after(&world, &contained)), None);
}

#[test]
fn with_room_for_one_group_it_is_the_one_that_cuts() {
    let (mut world, victim) = World::plain();
    world.most_groups = Some(world.groups.len() + 1);
    for seed in 0..20 {
        let sim = Sim::new(world.clone(), seed);
        let answer = deliver(&sim, &victim, "r").expect("an answer");
        assert_eq!(answer.verdict.truths.network, Truth::Yes, "{seed}: {answer:#?}");
    }
}

#[test]
fn without_room_for_a_group_people_get_the_commands_first() {
    let (mut world, victim) = World::plain();
    let bare = world.open_group("vpc-1", "old");
    world.groups.get_mut(&bare).expect("it").0.rules.clear();
    world.most_groups = Some(world.groups.len());
    let eni =
        world.interfaces.values().find(|eni| eni.instance.as_ref() == Some(&victim.id)).expect("it").shown.id.clone();
    let sim = Sim::new(world, 1);
    let answer = deliver(&sim, &victim, "r").expect("an answer");
    assert_eq!(answer.verdict.truths.network, Truth::No);
    let uncut = Uncut::SecurityGroupQuota { vpc: "vpc-1".into(), interface: eni.clone() };
    assert_eq!(answer.verdict.uncut, std::slice::from_ref(&uncut));
    let first = format!("contained: new connections are NOT blocked ({})", uncut.sentence());
    assert!(answer.verdict.summary.to_string().contains(&first), "{}", answer.verdict.summary);
    for command in [
        format!("aws ec2 delete-security-group --region us-east-1 --group-id {bare}"),
        format!(
            "aws ec2 modify-network-interface-attribute --region us-east-1 --network-interface-id {eni} --groups {bare}"
        ),
        "aws service-quotas request-service-quota-increase --region us-east-1".to_owned(),
    ] {
        assert!(answer.notes.iter().any(|note| note.to_string().contains(&command)), "{command}: {:#?}", answer.notes);
    }
    assert!(!answer.left_over, "no retry makes room");
    assert_eq!((answer.verdict.truths.credentials, answer.verdict.truths.evidence), (Truth::Yes, Truth::Yes));
    // Once there is room, the same event cuts it.
    sim.change(|world| world.most_groups = None);
    assert!(is_whole(&deliver(&sim, &victim, "again").expect("an answer")));
}
