//! What a later look shows of the evidence lane.

use crate::{
    lanes::evidence::{usable, without_snapshot},
    model::{EvidenceLook, Instance, InstanceState, ids::ContainmentId, tags::DEVICE_TAG},
    report::fact::{Cause, Fact, Promise},
    step::{
        DisableAutoRecovery, KeepVolumes, LockSnapshot, ProtectStop, ProtectTermination, Step, StopOnShutdown,
        TagInstance, TagSnapshot,
    },
};

/// What a later look shows of the evidence.
#[must_use]
pub fn facts(look: &EvidenceLook, instance: &Instance, containment: &ContainmentId, days: u32) -> Vec<Fact> {
    let mut facts = Vec::new();
    let promised = |step: &Step| !look.waives(step, instance);
    if instance.state == InstanceState::Terminated {
        facts.push(Fact::broken(Promise::Exists, Cause::Ended));
    } else {
        if promised(&Step::TagInstance(TagInstance)) {
            facts.push(Fact::seen(Promise::Tagged, TagInstance::is_on(instance, containment)));
        }
        if !instance.spot && promised(&Step::ProtectTermination(ProtectTermination { was: false })) {
            facts.extend(look.termination_protection.map(|on| Fact::seen(Promise::TerminationProtected, on)));
        }
        if !instance.spot && instance.ebs_root && promised(&Step::ProtectStop(ProtectStop { was: false })) {
            facts.extend(look.stop_protection.map(|on| Fact::seen(Promise::StopProtected, on)));
        }
        if instance.ebs_root && promised(&Step::StopOnShutdown(StopOnShutdown { was: String::new() })) {
            let stops = look.shutdown_behavior.as_ref().map(|behavior| behavior == "stop");
            facts.extend(stops.map(|on| Fact::seen(Promise::StopsOnShutdown, on)));
        }
        if promised(&Step::DisableAutoRecovery(DisableAutoRecovery { was: String::new() })) {
            let stays = instance.auto_recovery.as_ref().map(|setting| setting == "disabled");
            facts.extend(stays.map(|on| Fact::seen(Promise::NoAutoRecovery, on)));
        }
    }
    let doomed = KeepVolumes::doomed(instance);
    if promised(&Step::KeepVolumes(KeepVolumes { was: doomed.clone() })) {
        facts.extend(doomed.iter().map(|(_, id)| Fact::seen(Promise::Outlives(id.clone()), false)));
    }
    for id in without_snapshot(look, instance) {
        let what = Promise::HasSnapshot(id.clone());
        facts.push(match look.failed(&id) {
            Some((why, _)) => Fact::broken(what, Cause::Unpreserved(why)),
            None if look.snapshots_unread => Fact::unknown(what, Cause::SnapshotsUnread),
            None => Fact::seen(what, false),
        });
    }
    for snapshot in usable(look) {
        facts.push(Fact::holding(Promise::SnapshotTaken(snapshot.id.clone(), snapshot.volume.clone())));
        if let Some(volume) = instance.volumes.iter().find(|volume| volume.id == snapshot.volume) {
            let (id, device) = (snapshot.id.clone(), volume.device.clone());
            if promised(&Step::TagSnapshot(TagSnapshot { snapshot: id, device })) {
                let what = Promise::DeviceTagged(snapshot.id.clone(), volume.device.clone());
                let tagged = snapshot.tags.get(DEVICE_TAG) == Some(&volume.device);
                facts.push(match tagged {
                    false if look.snapshots_unread => Fact::unknown(what, Cause::SnapshotsUnread),
                    tagged => Fact::seen(what, tagged),
                });
            }
        }
        let what = Promise::Locked(snapshot.id.clone());
        match snapshot.locked {
            _ if days == 0 || !promised(&Step::LockSnapshot(LockSnapshot { snapshot: snapshot.id.clone(), days })) => {}
            Some(locked) => facts.push(Fact::seen(what, locked)),
            None => facts.push(Fact::unknown(what, Cause::NotYetVisible(None))),
        }
    }
    facts.extend(look.gaps.iter().map(Fact::unread));
    facts
}
