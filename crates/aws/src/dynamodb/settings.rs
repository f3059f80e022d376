//! The account's rules as they were last read, and whether the ledger can be written.

use async_trait::async_trait;
use brig_core::model::timestamp::Timestamp;
use brig_engine::ports::{PortResult, Settings};

use super::{
    DynamoLedger,
    items::{self, text},
};
use crate::error::Explain;

#[async_trait]
impl Settings for DynamoLedger {
    async fn keep_policy(&self, parameter: &str, policy: &str, at: Timestamp) -> PortResult<()> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", text(items::policy_pk(parameter)))
            .item("sk", text("current"))
            .item("text", text(policy))
            .item("read_at", text(at.to_string()));
        put.send().await.explain("PutItem")?;
        Ok(())
    }

    async fn kept_policy(&self, parameter: &str) -> PortResult<Option<(String, Timestamp)>> {
        let get = self
            .client
            .get_item()
            .table_name(&self.table)
            .consistent_read(true)
            .key("pk", text(items::policy_pk(parameter)))
            .key("sk", text("current"));
        let answer = get.send().await.explain("GetItem")?;
        Ok(answer.item().and_then(items::kept_policy))
    }

    async fn try_write(&self, at: Timestamp) -> PortResult<()> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", text("readiness"))
            .item("sk", text("current"))
            .item("asked_at", text(at.to_string()));
        put.send().await.explain("PutItem")?;
        Ok(())
    }
}
