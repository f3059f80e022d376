//! How people are notified, and the queue that an event came from.

use async_trait::async_trait;
use brig_core::{iam::readiness::Topic, report::message::Message};

use super::PortResult;

/// Tells people.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Publishes one message.
    async fn publish(&self, message: &Message) -> PortResult<()>;
    /// GetTopicAttributes: who is subscribed, and under which key messages are kept.
    async fn topic(&self) -> PortResult<Topic>;
}

/// The queue that an event came from.
#[async_trait]
pub trait Queue: Send + Sync {
    /// ChangeMessageVisibility: the message is delivered again after `seconds`.
    async fn change_visibility(&self, queue_arn: &str, receipt: &str, seconds: i32) -> PortResult<()>;
}
