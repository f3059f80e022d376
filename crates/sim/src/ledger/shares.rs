//! What several containments share: a role's policy, a network ACL's rules.

use async_trait::async_trait;
use brig_core::ledger::{MemberSet, Shared};
use brig_engine::ports::{PortResult, Shares};

use super::SimLedger;

#[async_trait]
impl Shares for SimLedger {
    async fn join(&self, shared: &Shared, member: &str) -> PortResult<MemberSet> {
        self.call("UpdateItem", true, |state| {
            let set = state.tables.shared.entry(shared.clone()).or_default();
            set.version += 1;
            if !set.members.iter().any(|held| held == member) {
                set.members.push(member.to_owned());
                set.members.sort();
            }
            Ok(set.clone())
        })
        .await
    }

    async fn leave(&self, shared: &Shared, member: &str) -> PortResult<MemberSet> {
        self.call("UpdateItem", true, |state| {
            let set = state.tables.shared.entry(shared.clone()).or_default();
            set.version += 1;
            set.members.retain(|held| held != member);
            Ok(set.clone())
        })
        .await
    }

    async fn members(&self, shared: &Shared) -> PortResult<MemberSet> {
        self.call("GetItem", false, |state| Ok(state.tables.shared.get(shared).cloned().unwrap_or_default())).await
    }
}
