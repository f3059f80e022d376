//! EBS snapshots and their locks.

use async_trait::async_trait;
use brig_core::{
    model::{
        Snapshot,
        ids::{InstanceId, SnapshotId, VolumeId},
    },
    step::{CreateSnapshot, LockSnapshot, SnapshotMemory, Step},
};
use brig_engine::ports::{ErrorKind, PortResult, Snapshots, Tags};

use super::{SimCloud, not_found, refused};

#[async_trait]
impl Snapshots for SimCloud {
    async fn create_snapshots(&self, id: &InstanceId, _: &str, tags: &Tags) -> PortResult<Vec<Snapshot>> {
        const OPERATION: &str = "CreateSnapshots";
        let intended = |step: &Step| matches!(step, Step::CreateSnapshots(_) | Step::SnapshotMemory(SnapshotMemory));
        self.write(OPERATION, intended, |state| {
            let Some(instance) = state.world.instances.get(id) else {
                return Err(not_found(OPERATION, "InvalidInstanceID.NotFound"));
            };
            if instance.shown.state.is_ending() {
                return Err(refused(OPERATION, ErrorKind::Conflict, "IncorrectInstanceState"));
            }
            let (volumes, now) = (state.world.volumes(id), state.time());
            if volumes.iter().any(|volume| state.world.bad_volumes.contains(volume)) {
                return Err(refused(OPERATION, ErrorKind::Other, "InvalidVolume.InvalidKmsKey"));
            }
            Ok(volumes.into_iter().map(|volume| state.world.snapshot(volume, tags, now)).collect())
        })
        .await
    }

    async fn create_snapshot(&self, volume: &VolumeId, _: &str, tags: &Tags) -> PortResult<Snapshot> {
        let intended = |step: &Step| {
            matches!(step, Step::CreateSnapshot(CreateSnapshot { volume: of }) if of == volume)
                || matches!(step, Step::SnapshotMemory(SnapshotMemory))
        };
        self.write("CreateSnapshot", intended, |state| {
            if state.world.bad_volumes.contains(volume) {
                return Err(refused("CreateSnapshot", ErrorKind::Other, "InvalidVolume.InvalidKmsKey"));
            }
            let now = state.time();
            Ok(state.world.snapshot(volume.clone(), tags, now))
        })
        .await
    }

    async fn describe_snapshots_tagged(&self, key: &str, value: &str) -> PortResult<Vec<Snapshot>> {
        self.read("DescribeSnapshots", |world| {
            let tagged =
                world.snapshots.values().filter(|snapshot| snapshot.tags.get(key).is_some_and(|tag| tag == value));
            Ok(tagged.map(|snapshot| Snapshot { locked: None, ..snapshot.clone() }).collect())
        })
        .await
    }

    async fn lock_snapshot(&self, id: &SnapshotId, _: u32) -> PortResult<()> {
        let intended =
            |step: &Step| matches!(step, Step::LockSnapshot(LockSnapshot { snapshot, .. }) if snapshot == id);
        self.write("LockSnapshot", intended, |state| match state.world.snapshots.get_mut(id) {
            Some(snapshot) => {
                snapshot.locked = Some(true);
                Ok(())
            }
            None => Err(not_found("LockSnapshot", "InvalidSnapshot.NotFound")),
        })
        .await
    }

    async fn describe_locked_snapshots(&self, snapshots: &[SnapshotId]) -> PortResult<Vec<SnapshotId>> {
        self.read("DescribeLockedSnapshots", |world| {
            let locked = |id: &&SnapshotId| world.snapshots.get(*id).is_some_and(|held| held.locked == Some(true));
            Ok(snapshots.iter().filter(locked).cloned().collect())
        })
        .await
    }
}
