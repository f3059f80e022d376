//! What several containments share: a role's policy, a network ACL's rules.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use brig_core::ledger::{MemberSet, Shared};
use brig_engine::ports::{PortResult, Shares};

use super::{
    DynamoLedger,
    items::{self, number, text},
};
use crate::error::Explain;

#[async_trait]
impl Shares for DynamoLedger {
    async fn join(&self, shared: &Shared, member: &str) -> PortResult<MemberSet> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(shared.pk()))
            .key("sk", text("current"))
            .update_expression("ADD instances :instance, version :one")
            .expression_attribute_values(":instance", AttributeValue::Ss(vec![member.to_owned()]))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .explain("UpdateItem")?;
        items::member_set(answer.attributes())
    }

    async fn leave(&self, shared: &Shared, member: &str) -> PortResult<MemberSet> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(shared.pk()))
            .key("sk", text("current"))
            .update_expression("ADD version :one DELETE instances :instance")
            .expression_attribute_values(":instance", AttributeValue::Ss(vec![member.to_owned()]))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew);
        let answer = update.send().await.explain("UpdateItem")?;
        items::member_set(answer.attributes())
    }

    async fn members(&self, shared: &Shared) -> PortResult<MemberSet> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .consistent_read(true)
            .key("pk", text(shared.pk()))
            .key("sk", text("current"))
            .send()
            .await
            .explain("GetItem")?;
        items::member_set(answer.item())
    }
}
