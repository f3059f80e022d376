//! The evidence lane: nothing ends the instance or its disks, one consistent snapshot set of all of them, locked.

use std::collections::BTreeSet;

use super::{Plan, done, skipped, stop::MEMORY_TAG};
use crate::{
    ids::{ContainmentId, VolumeId},
    policy::CONTAINMENT_TAG,
    step::{Failure, Outcome, Step},
    survey::{EvidenceLook, Instance, InstanceState, Snapshot},
    verdict::{Fact, Truth},
};

/// The tag that says how far the containment of an instance is.
pub const STATE_TAG: &str = "brig:state";
/// The tag of a snapshot that names the device its volume was attached as.
pub const DEVICE_TAG: &str = "brig:device";
const ENDED: &str = "the instance is terminated";

/// Plans what preserves the instance, and the snapshot set where none is complete.
#[must_use]
pub fn plan(look: &EvidenceLook, instance: &Instance, containment: &ContainmentId) -> Plan {
    let mut plan = Plan::default();
    let gone = instance.state == InstanceState::Terminated;
    if let Some(was) = look.termination_protection {
        let outcome = match was {
            true => done("on"),
            false if gone => skipped(ENDED),
            false if instance.spot => skipped("AWS allows no termination protection on a Spot instance"),
            false => Outcome::Planned,
        };
        plan.add(Step::ProtectTermination { was }, outcome);
    }
    if let Some(was) = look.stop_protection {
        let outcome = match was {
            true => done("on"),
            false if gone => skipped(ENDED),
            false if instance.spot => skipped("AWS allows no stop protection on a Spot instance"),
            false if !instance.ebs_root => skipped("AWS allows no stop protection with an instance-store root"),
            false => Outcome::Planned,
        };
        plan.add(Step::ProtectStop { was }, outcome);
    }
    if let Some(was) = &look.shutdown_behavior {
        let outcome = match was.as_str() {
            "stop" => done("stop"),
            _ if gone => skipped(ENDED),
            _ if !instance.ebs_root => skipped("an instance-store root cannot be stopped"),
            _ => Outcome::Planned,
        };
        plan.add(Step::StopOnShutdown { was: was.clone() }, outcome);
    }
    if let Some(was) = &instance.auto_recovery {
        let outcome = match was.as_str() {
            "disabled" => done("disabled"),
            _ if gone => skipped(ENDED),
            _ => Outcome::Planned,
        };
        plan.add(Step::DisableAutoRecovery { was: was.clone() }, outcome);
    }
    for event in &look.scheduled {
        plan.note(format!(
            "AWS has scheduled {event}: termination and stop protection do not bind it; aws ec2 modify-instance-event-start-time moves some"
        ));
    }
    let doomed: Vec<_> = instance
        .volumes
        .iter()
        .filter(|volume| volume.delete_on_termination)
        .map(|volume| (volume.device.clone(), volume.id.clone()))
        .collect();
    if !instance.volumes.is_empty() {
        let outcome = if doomed.is_empty() { done("every volume outlives the instance") } else { Outcome::Planned };
        plan.add(Step::KeepVolumes { was: doomed }, outcome);
    }
    plan_snapshots(&mut plan, look, instance);
    if instance.spot {
        plan.note(
            "a Spot instance can be reclaimed by AWS, usually at two minutes' notice: the snapshots are what stays",
        );
    }
    if !instance.ebs_root {
        plan.note("the root device is an instance store: stopping the instance loses it, and no snapshot holds it");
    }
    if !gone {
        let outcome = if is_tagged(instance, containment) { done("tagged") } else { Outcome::Planned };
        plan.add(Step::TagInstance, outcome);
    }
    plan
}

fn plan_snapshots(plan: &mut Plan, look: &EvidenceLook, instance: &Instance) {
    let volumes: Vec<VolumeId> = instance.volumes.iter().map(|volume| volume.id.clone()).collect();
    let missing = without_snapshot(look, instance);
    let outcome = if volumes.is_empty() && instance.state.is_ending() {
        Outcome::Missing("no volume is attached any more".to_owned())
    } else if volumes.is_empty() {
        skipped("no EBS volume is attached")
    } else if look.snapshots_unread && look.attempted {
        // A set may exist: another one is not taken blindly, again and again.
        Outcome::Failed(Failure {
            error: "whether an earlier attempt's snapshots exist could not be read".to_owned(),
            retryable: look.gaps.iter().any(|gap| gap.retryable),
        })
    } else if missing.is_empty() {
        done("every volume has its snapshot")
    } else {
        Outcome::Planned
    };
    plan.add(Step::CreateSnapshots { volumes }, outcome);
}

/// Plans what the snapshots still need: their lock, and the device they were attached as.
#[must_use]
pub fn plan_locks(look: &EvidenceLook, instance: &Instance, days: u32) -> Plan {
    let mut plan = Plan::default();
    for snapshot in usable(look) {
        let lock = Step::LockSnapshot { snapshot: snapshot.id.clone(), days };
        let outcome = match snapshot.locked {
            Some(true) => done("locked"),
            _ if days == 0 => skipped("BRIG_LOCK_DAYS is 0"),
            _ => Outcome::Planned,
        };
        plan.add(lock, outcome);
        if let Some(volume) = instance.volumes.iter().find(|volume| volume.id == snapshot.volume) {
            let tagged = snapshot.tags.get(DEVICE_TAG) == Some(&volume.device);
            let step = Step::TagSnapshot { snapshot: snapshot.id.clone(), device: volume.device.clone() };
            plan.add(step, if tagged { done("tagged") } else { Outcome::Planned });
        }
    }
    let sets = look.snapshots.iter().filter(|snapshot| !snapshot.tags.contains_key(MEMORY_TAG));
    let sets = sets.filter(|s| instance.volumes.first().is_some_and(|v| v.id == s.volume)).count();
    if sets > 1 {
        plan.note(format!("there are {sets} snapshot sets: an earlier attempt's answer was lost; all are kept"));
    }
    plan
}

/// What a later look shows of the evidence.
#[must_use]
pub fn facts(look: &EvidenceLook, instance: &Instance, containment: &ContainmentId, days: u32) -> Vec<Fact> {
    let mut facts = Vec::new();
    if instance.state == InstanceState::Terminated {
        facts.push(Fact::new("the instance exists", Truth::No, ENDED));
    } else {
        facts.push(Fact::seen("tagged with its containment", is_tagged(instance, containment)));
        if !instance.spot {
            facts.extend(look.termination_protection.map(|on| Fact::seen("protected from termination", on)));
        }
        if !instance.spot && instance.ebs_root {
            facts.extend(look.stop_protection.map(|on| Fact::seen("protected from stopping", on)));
        }
        if instance.ebs_root {
            let stops = look.shutdown_behavior.as_ref().map(|behavior| behavior == "stop");
            facts.extend(stops.map(|on| Fact::seen("a shutdown from inside keeps the instance", on)));
        }
        let stays = instance.auto_recovery.as_ref().map(|setting| setting == "disabled");
        facts.extend(stays.map(|on| Fact::seen("AWS does not move it by itself", on)));
    }
    for volume in instance.volumes.iter().filter(|volume| volume.delete_on_termination) {
        facts.push(Fact::seen(format!("{} outlives the instance", volume.id), false));
    }
    facts.extend(
        without_snapshot(look, instance).into_iter().map(|id| Fact::seen(format!("{id} has a snapshot"), false)),
    );
    for snapshot in usable(look) {
        facts.push(Fact::seen(format!("{} of {} was taken", snapshot.id, snapshot.volume), true));
        if let Some(volume) = instance.volumes.iter().find(|volume| volume.id == snapshot.volume) {
            let tagged = snapshot.tags.get(DEVICE_TAG) == Some(&volume.device);
            facts.push(Fact::seen(format!("{} says that it was {}", snapshot.id, volume.device), tagged));
        }
        match snapshot.locked {
            _ if days == 0 => {}
            Some(locked) => facts.push(Fact::seen(format!("{} is locked", snapshot.id), locked)),
            None => facts.push(Fact::new(format!("{} is locked", snapshot.id), Truth::Unknown, "not yet visible")),
        }
    }
    facts.extend(look.gaps.iter().map(Fact::unread));
    facts
}

fn is_tagged(instance: &Instance, containment: &ContainmentId) -> bool {
    instance.tags.get(CONTAINMENT_TAG).is_some_and(|id| id == containment.as_str())
}

fn usable(look: &EvidenceLook) -> impl Iterator<Item = &Snapshot> {
    look.snapshots.iter().filter(|snapshot| snapshot.state != "error")
}

fn without_snapshot(look: &EvidenceLook, instance: &Instance) -> Vec<VolumeId> {
    let kept: BTreeSet<&VolumeId> = usable(look).map(|snapshot| &snapshot.volume).collect();
    instance.volumes.iter().map(|volume| &volume.id).filter(|id| !kept.contains(id)).cloned().collect()
}

#[cfg(test)]
mod tests;
