//! Volumes and what termination does to them.

use brig_core::step::{KeepVolumes, Outcome, RestoreVolumes};

use super::{Effect, Evidence, GONE, Release, modify, outcome, protect};
use crate::ports::AttributeChange;

impl<'r> Effect<'r> for KeepVolumes {
    type Room = Evidence<'r>;

    async fn run(&self, room: Evidence<'r>) -> Outcome {
        let Self { was } = self;
        let devices = was.iter().map(|(device, _)| (device.clone(), false)).collect();
        let names: Vec<&str> = was.iter().map(|(_, volume)| volume.as_str()).collect();
        let said = format!("{} would have been deleted at termination", names.join(", "));
        protect(room, AttributeChange::DeleteOnTermination(devices), said).await
    }
}

impl<'r> Effect<'r> for RestoreVolumes {
    type Room = Release<'r>;

    async fn run(&self, room: Release<'r>) -> Outcome {
        let Self { devices } = self;
        let devices = devices.iter().map(|device| (device.clone(), true)).collect();
        outcome(modify(room, AttributeChange::DeleteOnTermination(devices)).await, GONE)
    }
}
