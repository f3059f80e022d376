//! What people were notified of, and what they still have to be.

use async_trait::async_trait;
use brig_core::{
    ledger::{Announcement, Statement},
    model::timestamp::Timestamp,
    report::notices::{Unsent, UnsentPage},
};

use super::super::PortResult;

/// What people were notified of, and what they still have to be.
#[async_trait]
pub trait Notices: Send + Sync {
    /// Whether people were notified of this statement about a place. Asked before a message, never before the cut.
    async fn was_told(&self, place: &str, told: &Statement) -> PortResult<bool>;
    /// Records that people were notified of a statement about a place, with the report that they got.
    async fn record_told(&self, place: &str, told: &Statement, at: Timestamp, report: &str) -> PortResult<()>;
    /// Whether people were notified of what an event holds beyond its containments, consistently read.
    async fn was_announced(&self, what: &Announcement) -> PortResult<bool>;
    /// Records that they were. The item may go once no retry of the event can come any more.
    async fn record_announced(&self, what: &Announcement, at: Timestamp, subject: &str) -> PortResult<()>;
    /// Keeps a message that could not be sent. One of the same place and id is replaced.
    async fn keep_unsent(&self, unsent: &Unsent) -> PortResult<()>;
    /// The messages about a place, or about any, that could not be sent: a bounded number, by place.
    async fn unsent(&self, place: Option<&str>) -> PortResult<UnsentPage>;
    /// Forgets a message that has been sent.
    async fn forget_unsent(&self, place: &str, id: &str) -> PortResult<()>;
}
