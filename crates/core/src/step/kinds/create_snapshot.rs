//! A snapshot of one volume by itself: AWS refused the set, or the volume came after it.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo};
use crate::{
    model::ids::VolumeId,
    step::{
        Lane, Outcome, Plan, Reversal,
        change::{Change, Value, change, word},
        undo::{Look, ReleaseScope},
    },
};

/// A snapshot of one volume by itself: AWS refused the set, or the volume came after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateSnapshot {
    pub volume: VolumeId,
}

impl Describe for CreateSnapshot {
    const LANE: Lane = Lane::Evidence;
    const NAME: &'static str = "create_snapshot";
    const OPERATION: &'static str = "CreateSnapshot";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:CreateSnapshot", "ec2:CreateTags", "ec2:DescribeSnapshots"];

    fn resource(&self, _: &str) -> String {
        self.volume.to_string()
    }

    fn change(&self) -> Change {
        let Self { volume, .. } = self;
        change("snapshots", Value::Nothing, word(format!("one of {volume}")))
    }
}

impl Undo for CreateSnapshot {
    fn reverse(&self, _: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        // Snapshots are evidence and stay.
        None
    }
}
