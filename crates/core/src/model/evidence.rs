//! Protections, volumes and snapshots.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use crate::model::{
    gap::Gap,
    ids::{SnapshotId, VolumeId},
    text::Sentence,
    timestamp::Timestamp,
};

/// The evidence lane's look.
#[derive(Debug, Clone, Default)]
pub struct EvidenceLook {
    /// `disableApiTermination`.
    pub termination_protection: Option<bool>,
    /// `disableApiStop`.
    pub stop_protection: Option<bool>,
    /// `instanceInitiatedShutdownBehavior`.
    pub shutdown_behavior: Option<String>,
    /// What AWS has scheduled for the instance: code and when at the earliest (`instance-retirement not before ...`).
    pub scheduled: Vec<String>,
    /// Snapshots tagged with this containment.
    pub snapshots: Vec<Snapshot>,
    /// They could not be read.
    pub snapshots_unread: bool,
    /// An earlier attempt meant to take them.
    pub attempted: bool,
    /// When and why AWS refused the set for good.
    pub set_refused: Option<Refusal>,
    /// When and why AWS refused a snapshot of a volume for good.
    pub refused: BTreeMap<VolumeId, Refusal>,
    /// Steps, by their keys, that AWS does not take for this instance or snapshot, and why.
    pub waived: BTreeMap<String, Sentence>,
    /// The time.
    pub now: Option<Timestamp>,
    /// After how long a snapshot that failed, or that AWS refused, is tried again; a day where nothing else is said.
    pub rest: Option<Duration>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// A snapshot of one of the instance's volumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub id: SnapshotId,
    pub volume: VolumeId,
    /// `pending`, `completed`, `error`.
    pub state: String,
    pub tags: BTreeMap<String, String>,
    /// Locked against deletion; none where that is not known yet.
    pub locked: Option<bool>,
    /// When it was begun.
    pub started: Option<Timestamp>,
}

/// AWS would not do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When it said so.
    pub at: Timestamp,
    /// What it said.
    pub error: Sentence,
}

/// A volume that no snapshot preserves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Unpreserved {
    /// Its snapshot was begun and failed.
    SnapshotFailed {
        volume: VolumeId,
        /// The snapshot that ended in the state `error`.
        snapshot: SnapshotId,
    },
    /// AWS refused to begin one.
    Refused {
        volume: VolumeId,
        /// What it said.
        error: Sentence,
    },
}

impl Unpreserved {
    /// For a person, without a full stop.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::SnapshotFailed { volume, snapshot } => {
                format!("{volume} has no snapshot: {snapshot} ended in the state error")
            }
            Self::Refused { volume, error } => format!("{volume} has no snapshot: {error}"),
        }
    }
}
