//! EBS snapshots and their locks.

use async_trait::async_trait;
use brig_core::model::{
    Snapshot,
    ids::{InstanceId, SnapshotId, VolumeId},
};

use super::{PortResult, Tags};

/// EBS snapshots and their locks.
#[async_trait]
pub trait Snapshots: Send + Sync {
    /// CreateSnapshots: all volumes of the instance at one point in time, each snapshot with these tags.
    async fn create_snapshots(
        &self,
        instance: &InstanceId,
        description: &str,
        tags: &Tags,
    ) -> PortResult<Vec<Snapshot>>;
    /// CreateSnapshot of one volume, for an instance that AWS takes no set of any more.
    async fn create_snapshot(&self, volume: &VolumeId, description: &str, tags: &Tags) -> PortResult<Snapshot>;
    /// Snapshots of this account that carry the tag.
    async fn describe_snapshots_tagged(&self, key: &str, value: &str) -> PortResult<Vec<Snapshot>>;
    /// LockSnapshot in governance mode.
    async fn lock_snapshot(&self, snapshot: &SnapshotId, days: u32) -> PortResult<()>;
    /// Those of the given snapshots that are locked.
    async fn describe_locked_snapshots(&self, snapshots: &[SnapshotId]) -> PortResult<Vec<SnapshotId>>;
}
