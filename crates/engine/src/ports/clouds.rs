//! Where clouds come from: one view of an account and Region a lane.

use std::sync::Arc;

use async_trait::async_trait;
use brig_core::{
    model::{
        ids::{AccountId, Region},
        text,
    },
    step::Lane,
};

use super::{Cloud, PortResult};

/// Why an account or Region cannot be worked in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", text::one_line(.0, text::REPORT))]
pub struct Unreachable(pub String);

/// Gives the cloud of an account and Region, one view a lane.
#[async_trait]
pub trait Clouds: Send + Sync {
    /// The view of one lane; builds clients once. `session` names the work where a role must be assumed for it.
    async fn open(
        &self,
        account: &AccountId,
        region: &Region,
        lane: Lane,
        session: &str,
    ) -> Result<Arc<dyn Cloud>, Unreachable>;
    /// Whether a caller that CloudTrail names, by ARN and source identity, is this function: its own session, or a session of
    /// a member role with the source identity that Brig gives it.
    async fn is_own(&self, by: &str, source_identity: Option<&str>) -> PortResult<bool>;
}
