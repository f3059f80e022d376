//! One crash-consistent snapshot set of all volumes.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo};
use crate::{
    model::ids::VolumeId,
    step::{
        Lane, Outcome, Plan, Reversal,
        change::{Change, Value, change, list, word},
        undo::{Look, ReleaseScope},
    },
};

/// One crash-consistent snapshot set of all volumes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateSnapshots {
    /// The volumes attached when it was planned.
    pub volumes: Vec<VolumeId>,
}

impl Describe for CreateSnapshots {
    const LANE: Lane = Lane::Evidence;
    const NAME: &'static str = "create_snapshots";
    const OPERATION: &'static str = "CreateSnapshots";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:CreateSnapshots", "ec2:CreateTags", "ec2:DescribeSnapshots"];

    fn resource(&self, instance: &str) -> String {
        instance.to_owned()
    }

    fn change(&self) -> Change {
        let Self { volumes } = self;
        let after = format!("one set of {}", list(volumes.iter()));
        change("snapshots", Value::Nothing, word(after))
    }
}

impl Undo for CreateSnapshots {
    fn reverse(&self, _: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        // Snapshots are evidence and stay.
        None
    }
}
