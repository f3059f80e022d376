//! The account's rules as they were last read, and whether the ledger can be written.

use async_trait::async_trait;
use brig_core::model::timestamp::Timestamp;

use super::super::PortResult;

/// The account's rules as they were last read, and whether the ledger can be written.
#[async_trait]
pub trait Settings: Send + Sync {
    /// Keeps the account's rules as they were read from a parameter.
    async fn keep_policy(&self, parameter: &str, text: &str, at: Timestamp) -> PortResult<()>;
    /// The rules that were kept, and when.
    async fn kept_policy(&self, parameter: &str) -> PortResult<Option<(String, Timestamp)>>;
    /// Writes an item that nothing reads, to see that it can.
    async fn try_write(&self, at: Timestamp) -> PortResult<()>;
}
