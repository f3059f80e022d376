//! Where clouds come from: a view of an account and Region for each lane, and one for reads that are no lane's.

use std::sync::Arc;

use async_trait::async_trait;
use brig_core::{
    model::{
        ids::{AccountId, Region, RoleName},
        text,
    },
    step::Lane,
};

use super::{Cloud, PortResult};

/// Why an account or Region cannot be worked in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", text::one_line(.0, text::REPORT))]
pub struct Unreachable(pub String);

/// A view of an account. Each has a retry quota of its own: what throttles one view takes no retry away from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    Lane(Lane),
    /// For what is no lane's: finding the instance, paths, flow logs, CloudTrail, readiness.
    Reads,
}

impl View {
    /// Every view.
    pub const ALL: [Self; 5] = [
        Self::Lane(Lane::Network),
        Self::Lane(Lane::Credentials),
        Self::Lane(Lane::Fleet),
        Self::Lane(Lane::Evidence),
        Self::Reads,
    ];

    /// `network`, ..., `reads`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lane(lane) => lane.name(),
            Self::Reads => "reads",
        }
    }
}

/// Gives the cloud of an account and Region.
#[async_trait]
pub trait Clouds: Send + Sync {
    /// One view; builds clients once. `session` names the work where a role must be assumed for it.
    async fn open(
        &self,
        account: &AccountId,
        region: &Region,
        view: View,
        session: &str,
    ) -> Result<Arc<dyn Cloud>, Unreachable>;
    /// Whether a caller that CloudTrail names, by ARN and source identity, is this function: its own session, or a session of
    /// a member role with the source identity that Brig gives it.
    async fn is_own(&self, by: &str, source_identity: Option<&str>) -> PortResult<bool>;
    /// Whether a role is one that Brig runs as: of this function, of another one, or in a member account.
    async fn is_own_role(&self, account: &AccountId, role: &RoleName) -> PortResult<bool>;
}
