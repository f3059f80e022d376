//! The account's rules as they were last read, and whether the ledger can be written.

use async_trait::async_trait;
use brig_core::model::timestamp::Timestamp;
use brig_engine::ports::{PortResult, Settings};

use super::SimLedger;

#[async_trait]
impl Settings for SimLedger {
    async fn keep_policy(&self, parameter: &str, text: &str, at: Timestamp) -> PortResult<()> {
        self.call("PutItem", true, |state| {
            state.tables.policies.insert(parameter.to_owned(), (text.to_owned(), at));
            Ok(())
        })
        .await
    }

    async fn kept_policy(&self, parameter: &str) -> PortResult<Option<(String, Timestamp)>> {
        self.call("GetItem", false, |state| Ok(state.tables.policies.get(parameter).cloned())).await
    }

    async fn try_write(&self, _at: Timestamp) -> PortResult<()> {
        self.call("PutItem", true, |_| Ok(())).await
    }
}
