//! What was read back, and what was released: for people.

use async_trait::async_trait;
use brig_core::{
    ledger::{Received, Release, Report},
    model::ids::TargetKey,
};

use super::super::PortResult;

/// What was read back, and what was released: for people.
#[async_trait]
pub trait Reports: Send + Sync {
    /// Keeps what an attempt read back, unless a newer attempt's is kept.
    async fn keep_report(&self, key: &TargetKey, report: &Report) -> PortResult<()>;
    /// What was read back last, of each kind. Read for people alone, never before the cut.
    async fn reports(&self, key: &TargetKey) -> PortResult<Vec<Report>>;
    /// Keeps an event as it was received. One that is kept already stays; one that is too large for an item is refused.
    async fn keep_received(&self, key: &TargetKey, received: &Received) -> PortResult<()>;
    /// The last releases, the newest first: a bounded number.
    async fn releases(&self) -> PortResult<Vec<Release>>;
}
