//! Termination no longer deletes these volumes.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo, gone};
use crate::{
    model::{Instance, ids::VolumeId},
    step::{
        Lane, Outcome, Plan, Reversal,
        change::{Change, Value, change},
        done,
        undo::{Look, ReleaseScope},
    },
};

/// Termination no longer deletes these volumes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeepVolumes {
    /// Device and volume, of those that termination would have deleted.
    pub was: Vec<(String, VolumeId)>,
}

impl KeepVolumes {
    pub(crate) fn plan(instance: &Instance, plan: &mut Plan) {
        if instance.volumes.is_empty() {
            return;
        }
        let was = Self::doomed(instance);
        let outcome = if was.is_empty() { done("every volume outlives the instance") } else { Outcome::Planned };
        plan.add(Self { was }.into(), outcome);
    }

    /// Device and volume of those that termination would delete.
    pub(crate) fn doomed(instance: &Instance) -> Vec<(String, VolumeId)> {
        let doomed = instance.volumes.iter().filter(|volume| volume.delete_on_termination);
        doomed.map(|volume| (volume.device.clone(), volume.id.clone())).collect()
    }
}

impl Describe for KeepVolumes {
    const LANE: Lane = Lane::Evidence;
    const NAME: &'static str = "keep_volumes";
    const OPERATION: &'static str = "ModifyInstanceAttribute";
    const KEY_WORD: &'static str = "modify_instance_attribute";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:ModifyInstanceAttribute"];

    fn resource(&self, instance: &str) -> String {
        format!("{instance}/blockDeviceMapping")
    }

    fn key_parts(&self) -> Option<Vec<String>> {
        Some(self.was.iter().map(|(device, volume)| format!("{device}={volume}")).collect())
    }

    fn change(&self) -> Change {
        let Self { was } = self;
        let volumes = was.iter().map(|(device, volume)| format!("{device} ({volume})")).collect();
        change("volumes deleted on termination", Value::List(volumes), Value::Nothing)
    }
}

impl Undo for KeepVolumes {
    fn reverse(&self, look: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        let Self { was } = self;
        Some(volumes(was, look))
    }
}

/// Termination deletes these volumes again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreVolumes {
    pub devices: Vec<String>,
}

impl Describe for RestoreVolumes {
    const LANE: Lane = Lane::Evidence;
    const NAME: &'static str = "restore_volumes";
    const OPERATION: &'static str = "ModifyInstanceAttribute";
    const KEY_WORD: &'static str = "modify_instance_attribute";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:ModifyInstanceAttribute"];

    fn resource(&self, instance: &str) -> String {
        let Self { devices } = self;
        format!("{instance}/blockDeviceMapping/{}", devices.join(","))
    }

    fn change(&self) -> Change {
        let Self { devices } = self;
        change("volumes deleted on termination", Value::Nothing, Value::List(devices.clone()))
    }
}

fn volumes(was: &[(String, VolumeId)], look: &Look<'_>) -> (Reversal, Outcome) {
    let attached: Vec<(String, bool)> = was
        .iter()
        .filter_map(|(device, id)| {
            let volume = look.instance.volumes.iter().find(|volume| volume.id == *id && volume.device == *device)?;
            Some((device.clone(), volume.delete_on_termination))
        })
        .collect();
    let outcome = if look.instance.state.is_ending() {
        gone("the instance is gone")
    } else if attached.is_empty() {
        gone("none of the volumes is still attached")
    } else if attached.iter().all(|(_, delete)| *delete) {
        done("deleted with the instance")
    } else {
        Outcome::Planned
    };
    (
        Reversal::RestoreVolumes(RestoreVolumes { devices: attached.into_iter().map(|(device, _)| device).collect() }),
        outcome,
    )
}
