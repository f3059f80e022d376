//! One more snapshot set, of the instance that has stopped with its memory on disk.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo};
use crate::step::{
    Lane, Outcome, Plan, Reversal,
    change::{Change, Value, change, word},
    undo::{Look, ReleaseScope},
};

/// One more snapshot set, of the instance that has stopped with its memory on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotMemory;

impl Describe for SnapshotMemory {
    const LANE: Lane = Lane::Evidence;
    const NAME: &'static str = "snapshot_memory";
    const OPERATION: &'static str = "CreateSnapshots";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:CreateSnapshot", "ec2:CreateSnapshots", "ec2:CreateTags"];

    fn resource(&self, instance: &str) -> String {
        instance.to_owned()
    }

    fn change(&self) -> Change {
        change("snapshots", Value::Nothing, word("one set with its memory on disk"))
    }
}

impl Undo for SnapshotMemory {
    const IS_FOLLOW_UP: bool = true;

    fn reverse(&self, _: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        // Snapshots are evidence and stay.
        None
    }
}
