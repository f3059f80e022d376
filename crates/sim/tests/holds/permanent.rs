//! What cannot succeed, what appears on the way, and what is out of reach: the verdict says so, and everything else is done.

use std::collections::BTreeSet;

use brig_core::{
    ledger::Conclusion,
    model::{Direction, InstanceState, Rule, ids::GroupId},
    report::{answer::Answer, fact::Truth},
};
use brig_sim::{Break, Fault, Sim, Victim, World};
use expect_test::expect;

use crate::{
    common::{calm, deliver, difference, ended, is_whole, report},
    release::{expected_after, release},
};

fn lanes(answer: &Answer) -> [(&'static str, Truth); 4] {
    let verdict = &answer.verdict;
    [
        ("network", verdict.truths.network),
        ("credentials", verdict.truths.credentials),
        ("fleet", verdict.truths.fleet),
        ("evidence", verdict.truths.evidence),
    ]
}

/// The lane that an operation belongs to; none for the ledger's, and for reads that several lanes need.
fn lane_of(operation: &str) -> Option<&'static str> {
    Some(match operation {
        "ModifyNetworkInterfaceAttribute"
        | "CreateSecurityGroup"
        | "AuthorizeSecurityGroup"
        | "RevokeSecurityGroupEgress"
        | "DescribeNetworkInterfaces" => "network",
        "DisassociateIamInstanceProfile"
        | "ModifyInstanceMetadataOptions"
        | "GetInstanceProfile"
        | "GetRolePolicy"
        | "PutRolePolicy"
        | "DescribeIamInstanceProfileAssociations"
        | "ListInstanceProfilesForRole" => "credentials",
        "DetachInstances"
        | "DescribeAutoScalingInstances"
        | "DescribeAutoScalingGroups"
        | "DescribeTargetGroups"
        | "DescribeTargetHealth"
        | "DeregisterTargets"
        | "DescribeLoadBalancers"
        | "DeregisterInstancesFromLoadBalancer" => "fleet",
        "ModifyInstanceAttribute"
        | "DescribeInstanceAttribute"
        | "CreateSnapshots"
        | "DescribeSnapshots"
        | "LockSnapshot"
        | "DescribeLockedSnapshots"
        | "CreateTags" => "evidence",
        _ => return None,
    })
}

#[test]
fn a_missing_permission_costs_its_own_lane_and_is_named() {
    let (world, victim) = World::production();
    let operations: BTreeSet<&'static str> = calm(&world, &victim).calls().iter().map(|call| call.operation).collect();
    let (mut swept, mut failures) = (0, Vec::new());
    for operation in operations {
        let Some(lane) = lane_of(operation) else { continue };
        let sim = Sim::new(world.clone(), 1);
        sim.breaks(Break::Always(operation, Fault::Denied));
        let answer = sim.contain(&victim.id, "r").expect("an answer");
        swept += 1;
        let mut wrong = Vec::new();
        if answer.left_over {
            wrong.push("it would be retried, which cannot help".to_owned());
        }
        for (other, truth) in lanes(&answer) {
            // An untrack group that cannot be made costs the untrack step only; volumes are taken one by one without the set.
            let harmless = operation.starts_with("AuthorizeSecurityGroup")
                || matches!(operation, "ListInstanceProfilesForRole" | "CreateSnapshots");
            if (other != lane || harmless) != (truth == Truth::Yes) {
                wrong.push(format!("{other} is {}", truth.word()));
            }
        }
        let report = format!("{answer:?}");
        if !report.contains(operation) || !(report.contains("grant") || report.contains("not opened")) {
            wrong.push("what to grant is not named".to_owned());
        }
        if !wrong.is_empty() {
            failures.push(format!("{operation} denied: {}: {}", answer.verdict.summary, wrong.join("; ")));
        }
        failures.extend(sim.violations());
    }
    report(swept, &failures);
}

#[test]
fn without_the_ledger_nothing_is_changed_and_people_are_notified() {
    for operation in ["Query", "TransactWriteItems"] {
        for fault in [Fault::ServerError, Fault::Denied] {
            let (world, victim) = World::production();
            let before = world.summary();
            let sim = Sim::new(world, 1);
            sim.breaks(Break::Always(operation, fault));
            let answer = sim.contain(&victim.id, "r").expect("an answer");
            assert_eq!(answer.outcome, Conclusion::Failed);
            assert_eq!(answer.left_over, fault == Fault::ServerError, "{operation} {fault:?}");
            assert_eq!(sim.world().summary(), before, "{operation} {fault:?}");
            assert!(answer.verdict.summary.to_string().contains("NOT contained"), "{}", answer.verdict.summary);
            assert_eq!(sim.told().len(), 1, "{operation} {fault:?}");
        }
    }
}

#[test]
fn without_sns_it_is_contained_and_the_message_is_tried_again() {
    let (world, victim) = World::plain();
    let sim = Sim::new(world, 1);
    sim.breaks(Break::Always("Publish", Fault::ServerError));
    let answer = sim.contain(&victim.id, "r").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Contained);
    assert!(answer.left_over && answer.notes.iter().any(|note| note.to_string().contains("could NOT be notified")));
    assert_eq!(sim.told().len(), 0);
    sim.heal();
    assert!(!deliver(&sim, &victim, "r").expect("an answer").left_over);
    assert_eq!(sim.told().len(), 1);
}

/// Something appears just before each call in turn: the containment that follows is whole, and has caught it.
/// `look` is the call that would see it.
fn appears(look: &str, what: fn(&mut World, &Victim), caught: fn(&World, &Victim) -> bool) {
    let (world, victim) = World::production();
    let all = calm(&world, &victim).calls();
    let calls = all.len();
    let last = all.iter().rposition(|call| call.operation == look).expect("the look");
    let mut failures = Vec::new();
    for at in 0..calls {
        let sim = Sim::new(world.clone(), 1);
        let named = victim.clone();
        sim.happens(at, move |world| what(world, &named));
        let answer = deliver(&sim, &victim, "r").expect("an answer");
        let world = sim.world();
        let (whole, caught) = (is_whole(&answer), caught(&world, &victim));
        // What comes after the last look is not seen, and not claimed: the schedule of `verify` finds it.
        if at <= last && !(whole && caught) {
            failures.push(format!("before call {at}: whole {whole}, caught {caught}: {}", answer.verdict.summary));
        }
        failures.extend(sim.violations());
    }
    report(calls, &failures);
}

#[test]
fn an_interface_that_appears_is_caught() {
    appears(
        "DescribeNetworkInterfaces",
        |world, victim| {
            let group = world.groups.keys().next().expect("a group").clone();
            world.interface(&victim.id, "vpc-1", &[&group], "10.0.0.77");
        },
        |world, victim| {
            world
                .interfaces
                .values()
                .filter(|eni| eni.instance.as_ref() == Some(&victim.id))
                .all(|eni| world.is_cut(eni))
        },
    );
}

#[test]
fn a_volume_that_appears_is_caught() {
    appears(
        "DescribeSnapshots",
        |world, victim| world.volume(&victim.id, "/dev/sdz", true),
        |world, victim| {
            let volumes = &world.instances.get(&victim.id).expect("it").shown.volumes;
            let kept = |id| world.snapshots.values().any(|snapshot| snapshot.volume == id);
            volumes.iter().all(|volume| !volume.delete_on_termination && kept(volume.id.clone()))
        },
    );
}

#[test]
fn a_registration_that_appears_is_caught() {
    appears(
        "DescribeTargetGroups",
        |world, victim| {
            let targets: Vec<(&str, i32)> = vec![(victim.id.as_str(), 7070), (victim.sibling.as_str(), 7070)];
            world.target_group("late", "vpc-1", "instance", &targets);
        },
        |world, victim| {
            let held = |group: &brig_sim::TargetGroup| {
                group.targets.iter().any(|target| target.id == victim.id.as_str() && target.state != "draining")
            };
            !world.target_groups.values().any(held)
        },
    );
}

#[test]
fn an_instance_that_loses_a_volume_on_the_way_ends_in_a_truthful_verdict() {
    let (world, victim) = World::production();
    let calls = calm(&world, &victim).calls().len();
    let mut failures = Vec::new();
    for at in 0..calls {
        let sim = Sim::new(world.clone(), 1);
        let id = victim.id.clone();
        sim.happens(at, move |world| {
            world.instances.get_mut(&id).expect("it").shown.volumes.retain(|volume| volume.device != "/dev/sdg");
        });
        let answer = deliver(&sim, &victim, "r").expect("an answer");
        let whole = is_whole(&answer);
        if answer.left_over || !whole {
            failures.push(format!("before call {at}: {:?} {}", answer.outcome, answer.verdict.summary));
        }
        failures.extend(sim.violations());
    }
    report(calls, &failures);
}

#[test]
fn an_instance_that_ends_on_the_way_ends_in_a_truthful_verdict() {
    let (world, victim) = World::production();
    let calls = calm(&world, &victim).calls().len();
    let (mut swept, mut failures) = (0, Vec::new());
    for at in 0..calls {
        let sim = Sim::new(world.clone(), 1);
        let id = victim.id.clone();
        sim.happens(at, move |world| world.terminate(&id));
        let answer = deliver(&sim, &victim, "r").expect("an answer");
        swept += 1;
        let later = at + 40 > calls;
        if answer.left_over {
            failures.push(format!("before call {at}: it is retried for ever: {answer:?}"));
        }
        if answer.verdict.truths.evidence == Truth::Yes && !later {
            failures.push(format!("before call {at}: evidence is claimed: {}", answer.verdict.summary));
        }
    }
    report(swept, &failures);
}

#[test]
fn an_instance_that_stops_or_is_shutting_down_is_preserved() {
    for state in [InstanceState::Stopped, InstanceState::Stopping, InstanceState::ShuttingDown] {
        let (mut world, victim) = World::production();
        world.instances.get_mut(&victim.id).expect("it").shown.state = state;
        let sim = Sim::new(world, 1);
        let answer = deliver(&sim, &victim, "r").expect("an answer");
        assert_eq!(answer.verdict.truths.network, Truth::Yes, "{state:?}: {}", answer.verdict.summary);
        assert_eq!(sim.world().snapshots.len(), 3, "{state:?}: {answer:#?}");
        assert_eq!(sim.violations(), Vec::<String>::new());
    }
}

#[test]
fn a_stray_rule_in_the_isolation_group_is_revoked() {
    let (world, victim) = World::plain();
    let sim = calm(&world, &victim);
    let expected = ended(&sim);
    sim.change(|world| {
        let rule = world.groups.values().find(|(group, _)| group.name == "web").expect("web").0.rules.clone();
        let isolation: GroupId =
            world.groups.values().find(|(g, _)| g.name == "brig-isolation").expect("it").0.id.clone();
        world.groups.get_mut(&isolation).expect("it").0.rules = rule;
    });
    deliver(&sim, &victim, "again").expect("an answer");
    assert_eq!(difference(&sim, &expected), None);
}

#[test]
fn what_aws_may_do_to_the_instance_is_stopped_or_said() {
    let (mut world, victim) = World::plain();
    let shown = world.instances.get_mut(&victim.id).expect("the instance");
    shown.scheduled.push("instance-retirement not before 2026-02-01T00:00:00Z".to_owned());
    let sim = calm(&world, &victim);
    let now = sim.world();
    assert_eq!(now.instances[&victim.id].shown.auto_recovery.as_deref(), Some("disabled"));
    let answer = sim.contain(&victim.id, "again").expect("an answer");
    expect![
        "AWS has scheduled instance-retirement not before 2026-02-01T00:00:00Z: termination and stop protection do not bind it; aws ec2 modify-instance-event-start-time moves some"
    ]
    .assert_eq(&answer.notes.iter().map(ToString::to_string).find(|note| note.contains("scheduled")).expect("a note"));
}

#[test]
fn whatever_groups_it_had_they_are_replaced_and_come_back() {
    let (mut world, victim) = World::plain();
    let mut ids = Vec::new();
    for number in 0..9 {
        let id = world.open_group("vpc-1", &format!("many-{number}"));
        let (group, _) = world.groups.get_mut(&id).expect("it");
        for peer in ["pl-63a5400a", "sg-0123456789abcdef0", "10.0.0.0/8", "::/0"] {
            group.rules.push(Rule {
                direction: Direction::Ingress,
                protocol: "tcp".to_owned(),
                ports: Some((443, 443)),
                peer: peer.to_owned(),
            });
        }
        ids.push(id);
    }
    let groups: Vec<&GroupId> = ids.iter().collect();
    world.interface(&victim.id, "vpc-1", &groups, "10.0.0.99");
    let sim = calm(&world, &victim);
    let contained = sim.world();
    assert!(
        contained
            .interfaces
            .values()
            .filter(|eni| eni.instance.as_ref() == Some(&victim.id))
            .all(|eni| contained.is_cut(eni))
    );
    let back = release(&sim, &victim);
    assert_eq!(back.outcome, Conclusion::Released, "{back:#?}");
    assert_eq!(crate::release::difference(&sim, &expected_after(&world, &contained)), None);
}
