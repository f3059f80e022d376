//! Locks a snapshot in governance mode.

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

/// Locks a snapshot in governance mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockSnapshot {
    pub snapshot: SnapshotId,
    /// For how many days.
    pub days: u32,
}

impl Describe for LockSnapshot {
    const LANE: Lane = Lane::Evidence;
    const NAME: &'static str = "lock_snapshot";
    const OPERATION: &'static str = "LockSnapshot";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:LockSnapshot", "ec2:DescribeLockedSnapshots"];

    fn resource(&self, _: &str) -> String {
        self.snapshot.to_string()
    }

    fn change(&self) -> Change {
        let Self { days, .. } = self;
        change("lock", Value::Nothing, word(format!("governance mode, {days} day(s)")))
    }
}

impl Undo for LockSnapshot {
    fn reverse(&self, _: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        // A lock ends by itself.
        None
    }
}
