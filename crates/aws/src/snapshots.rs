//! EBS snapshots and their locks.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::{
    config::{retry::RetryConfig, timeout::TimeoutConfig},
    primitives::DateTime,
    types::{InstanceSpecification, LockMode, LockState, ResourceType, SnapshotState, Tag},
};
use brig_core::model::{
    Snapshot,
    ids::{InstanceId, SnapshotId, VolumeId},
    timestamp::Timestamp,
};
use brig_engine::ports::{CloudError, ErrorKind, PortResult, Snapshots, Tags};

use crate::{
    cloud::AwsCloud,
    ec2::{filter, specification, tags_of},
    error::Explain,
};

#[async_trait]
impl Snapshots for AwsCloud {
    async fn create_snapshots(
        &self,
        instance: &InstanceId,
        description: &str,
        tags: &Tags,
    ) -> PortResult<Vec<Snapshot>> {
        let client = self.ec2();
        let answer = client
            .create_snapshots()
            .instance_specification(
                InstanceSpecification::builder().instance_id(instance.as_str()).exclude_boot_volume(false).build(),
            )
            .description(description)
            .tag_specifications(specification(ResourceType::Snapshot, tags))
            .customize()
            .config_override(single_try())
            .send()
            .await
            .explain("CreateSnapshots")?;
        Ok(answer
            .snapshots()
            .iter()
            .filter_map(|made| {
                snapshot(made.snapshot_id(), made.volume_id(), made.state(), made.tags(), made.start_time())
            })
            .collect())
    }

    async fn create_snapshot(&self, volume: &VolumeId, description: &str, tags: &Tags) -> PortResult<Snapshot> {
        let client = self.ec2();
        let made = client
            .create_snapshot()
            .volume_id(volume.as_str())
            .description(description)
            .tag_specifications(specification(ResourceType::Snapshot, tags))
            .customize()
            .config_override(single_try())
            .send()
            .await
            .explain("CreateSnapshot")?;
        snapshot(made.snapshot_id(), made.volume_id(), made.state(), made.tags(), made.start_time()).ok_or_else(|| {
            CloudError {
                operation: "CreateSnapshot",
                kind: ErrorKind::Other,
                code: "NoSnapshot".to_owned(),
                message: "the answer names none".to_owned(),
            }
        })
    }

    async fn describe_snapshots_tagged(&self, key: &str, value: &str) -> PortResult<Vec<Snapshot>> {
        let client = self.ec2();
        let mut pages = client
            .describe_snapshots()
            .owner_ids("self")
            .filters(filter(&format!("tag:{key}"), &[value]))
            .into_paginator()
            .items()
            .send();
        let mut found = Vec::new();
        while let Some(made) = pages.next().await {
            let made = made.explain("DescribeSnapshots")?;
            found.extend(snapshot(made.snapshot_id(), made.volume_id(), made.state(), made.tags(), made.start_time()));
        }
        Ok(found)
    }

    async fn lock_snapshot(&self, snapshot: &SnapshotId, days: u32) -> PortResult<()> {
        let client = self.ec2();
        client
            .lock_snapshot()
            .snapshot_id(snapshot.as_str())
            .lock_mode(LockMode::Governance)
            .lock_duration(i32::try_from(days).unwrap_or(i32::MAX))
            .send()
            .await
            .explain("LockSnapshot")?;
        Ok(())
    }

    async fn describe_locked_snapshots(&self, snapshots: &[SnapshotId]) -> PortResult<Vec<SnapshotId>> {
        let client = self.ec2();
        let mut locked = Vec::new();
        let mut token = None;
        loop {
            let answer = client
                .describe_locked_snapshots()
                .set_snapshot_ids(Some(snapshots.iter().map(ToString::to_string).collect()))
                .set_next_token(token)
                .send()
                .await
                .explain("DescribeLockedSnapshots")?;
            // An expired lock is still listed, and no longer holds.
            let holding = answer.snapshots().iter().filter(|lock| lock.lock_state() != Some(&LockState::Expired));
            locked.extend(holding.filter_map(|lock| lock.snapshot_id()).map(SnapshotId::from));
            token = answer.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
            if token.is_none() {
                return Ok(locked);
            }
        }
    }
}

/// CreateSnapshots has no client token: a repeat after a lost answer would take a second set. The engine looks for the
/// first one instead. AWS takes its time to freeze many volumes at once.
fn single_try() -> aws_sdk_ec2::config::Builder {
    let patient =
        TimeoutConfig::builder().connect_timeout(Duration::from_secs(1)).read_timeout(Duration::from_secs(20));
    aws_sdk_ec2::config::Builder::new().retry_config(RetryConfig::disabled()).timeout_config(patient.build())
}

fn snapshot(
    id: Option<&str>,
    volume: Option<&str>,
    state: Option<&SnapshotState>,
    tags: &[Tag],
    started: Option<&DateTime>,
) -> Option<Snapshot> {
    Some(Snapshot {
        id: id?.into(),
        volume: volume?.into(),
        state: state.map_or("pending", SnapshotState::as_str).to_owned(),
        tags: tags_of(tags),
        locked: None,
        started: started.and_then(|time| time.to_millis().ok()).map(Timestamp::from_millis),
    })
}
