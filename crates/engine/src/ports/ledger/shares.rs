//! What several containments share: a role's policy, a network ACL's rules.

use async_trait::async_trait;
use brig_core::ledger::{MemberSet, Shared};

use super::super::PortResult;

/// What several containments share: a role's policy, a network ACL's rules.
#[async_trait]
pub trait Shares: Send + Sync {
    /// Adds a member to a set and returns the set as it then is.
    async fn join(&self, shared: &Shared, member: &str) -> PortResult<MemberSet>;
    /// Takes a member out of a set and returns the set as it then is.
    async fn leave(&self, shared: &Shared, member: &str) -> PortResult<MemberSet>;
    /// A set, consistently read.
    async fn members(&self, shared: &Shared) -> PortResult<MemberSet>;
}
