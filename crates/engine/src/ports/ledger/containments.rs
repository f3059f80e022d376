//! Containments, their steps, and what they are counted in.

use async_trait::async_trait;
use brig_core::{
    ledger::{ActivePage, Claim, Claimed, Containment, OverCap, Records, StepEnd, StepRecord},
    model::{
        ids::{AccountId, ContainmentId, InstanceKey, Region, TargetKey},
        timestamp::Timestamp,
    },
};

use super::super::PortResult;

/// Containments, their steps, and what they are counted in.
#[async_trait]
pub trait Containments: Send + Sync {
    /// The item `current` of an instance and the steps of its containment, consistently read; nothing else.
    async fn read(&self, key: &TargetKey) -> PortResult<Records>;
    /// One transaction: the item `current`, the steps of the cut, the hour's counter.
    async fn claim(&self, claim: &Claim) -> PortResult<Claimed>;
    /// Adds steps that the ledger does not hold; one that it holds keeps what it recorded first. Returns the keys of those
    /// that it held: somebody else was faster.
    async fn record(
        &self,
        key: &TargetKey,
        containment: &ContainmentId,
        steps: &[StepRecord],
    ) -> PortResult<Vec<String>>;
    /// Records what steps found.
    async fn finish(&self, key: &TargetKey, containment: &ContainmentId, ended: &[StepEnd]) -> PortResult<()>;
    /// Replaces `current` if its version is still `read_version`; says whether it was. One that is withdrawn gives back, in
    /// the same transaction, what it was counted in.
    async fn close(&self, key: &TargetKey, current: &Containment, read_version: u64) -> PortResult<bool>;
    /// A page of the active containments of every account and Region.
    async fn active(&self, from: Option<&str>) -> PortResult<ActivePage>;
    /// The active containments of an account's instances, in one Region or in all.
    async fn active_in(&self, account: &AccountId, region: Option<&Region>) -> PortResult<Vec<InstanceKey>>;
    /// Records, once an hour in the account and Region, that the cap is reached: whether this is the first time, and the
    /// instances that were counted.
    async fn over_cap(&self, key: &TargetKey, at: Timestamp) -> PortResult<OverCap>;
}
