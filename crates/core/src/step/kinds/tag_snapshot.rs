//! Tags the snapshot with the device its volume was attached as.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo};
use crate::{
    model::ids::SnapshotId,
    step::{
        Lane, Outcome, Plan, Reversal,
        change::{Change, Value, change, word},
        undo::{Look, ReleaseScope},
    },
};

/// Tags the snapshot with the device its volume was attached as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagSnapshot {
    pub snapshot: SnapshotId,
    /// The device name.
    pub device: String,
}

impl Describe for TagSnapshot {
    const LANE: Lane = Lane::Evidence;
    const NAME: &'static str = "tag_snapshot";
    const OPERATION: &'static str = "CreateTags";
    const KEY_WORD: &'static str = "create_tags";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:CreateTags"];

    fn resource(&self, _: &str) -> String {
        self.snapshot.to_string()
    }

    fn change(&self) -> Change {
        let Self { device, .. } = self;
        change("device tag", Value::Nothing, word(device))
    }
}

impl Undo for TagSnapshot {
    fn reverse(&self, _: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        // The snapshot stays, and its tag with it.
        None
    }
}
