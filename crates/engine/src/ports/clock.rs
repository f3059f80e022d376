//! Time, real or virtual.

use std::time::Duration;

use async_trait::async_trait;
use brig_core::model::timestamp::Timestamp;

/// Time, real or virtual.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time.
    fn now(&self) -> Timestamp;
    /// Waits.
    async fn sleep(&self, duration: Duration);
}
