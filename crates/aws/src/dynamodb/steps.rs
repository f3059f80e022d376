//! The steps of a containment: many in one transaction where that works, else one by one.

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, TransactWriteItem, Update, builders::UpdateBuilder},
};
use brig_core::{
    ledger::{StepEnd, StepRecord},
    model::ids::{ContainmentId, TargetKey},
};
use brig_engine::ports::PortResult;
use futures::{StreamExt, TryStreamExt, stream};

use super::{
    DynamoLedger, Item, WRITES_AT_ONCE, built,
    items::{self, text},
    unless_conditional,
};
use crate::error::{Explain, cloud_error};

const IS_NEW: &str = "attribute_not_exists(pk)";
const IS_THERE: &str = "attribute_exists(pk)";

impl DynamoLedger {
    /// All or none: none where the ledger holds one of them, or something else is writing one.
    pub(super) async fn record_together(
        &self,
        key: &TargetKey,
        containment: &ContainmentId,
        steps: &[StepRecord],
    ) -> PortResult<bool> {
        let puts = steps.iter().map(|record| {
            let put = self.put(items::step(key, containment, record)?).condition_expression(IS_NEW);
            Ok(TransactWriteItem::builder().put(built(put.build())?).build())
        });
        self.together(puts.collect::<PortResult<_>>()?).await
    }

    /// What an earlier attempt recorded is what was there before, and stays: returns the keys of those.
    pub(super) async fn record_each(
        &self,
        key: &TargetKey,
        containment: &ContainmentId,
        steps: &[StepRecord],
    ) -> PortResult<Vec<String>> {
        let items: Vec<(String, Item)> = steps
            .iter()
            .map(|record| Ok((record.key.clone(), items::step(key, containment, record)?)))
            .collect::<PortResult<_>>()?;
        let held: Vec<Option<String>> = stream::iter(items)
            .map(|(step, item)| async move {
                let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
                let put = put.condition_expression(IS_NEW);
                let ours = unless_conditional(put.send().await.explain("PutItem").map(|_| ()))?;
                Ok((!ours).then_some(step))
            })
            .buffered(WRITES_AT_ONCE)
            .try_collect()
            .await?;
        Ok(held.into_iter().flatten().collect())
    }

    /// All or none: none where something else is writing one of them.
    pub(super) async fn finish_together(
        &self,
        key: &TargetKey,
        containment: &ContainmentId,
        ended: &[StepEnd],
    ) -> PortResult<bool> {
        let updates = ended.iter().map(|end| {
            let update = self.end_of(key, containment, end);
            Ok(TransactWriteItem::builder().update(built(update.build())?).build())
        });
        self.together(updates.collect::<PortResult<_>>()?).await
    }

    pub(super) async fn finish_each(
        &self,
        key: &TargetKey,
        containment: &ContainmentId,
        ended: &[StepEnd],
    ) -> PortResult<()> {
        let updates: Vec<Update> =
            ended.iter().map(|end| built(self.end_of(key, containment, end).build())).collect::<PortResult<_>>()?;
        stream::iter(updates)
            .map(|update| async move {
                let sent = self
                    .client
                    .update_item()
                    .table_name(update.table_name())
                    .set_key(Some(update.key().clone()))
                    .update_expression(update.update_expression())
                    .set_condition_expression(update.condition_expression().map(str::to_owned))
                    .set_expression_attribute_values(update.expression_attribute_values().cloned());
                sent.send().await.explain("UpdateItem").map(drop)
            })
            .buffered(WRITES_AT_ONCE)
            .try_collect()
            .await
    }

    async fn together(&self, writes: Vec<TransactWriteItem>) -> PortResult<bool> {
        let answer = self.client.transact_write_items().set_transact_items(Some(writes)).send().await;
        let Err(error) = answer else { return Ok(true) };
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(_)) => Ok(false),
            Some(_) | None => Err(cloud_error("TransactWriteItems", &error)),
        }
    }

    fn end_of(&self, key: &TargetKey, containment: &ContainmentId, end: &StepEnd) -> UpdateBuilder {
        let StepEnd { key: step, outcome, at, repairs } = end;
        let mut set = "SET outcome = :outcome, detail = :detail, retryable = :retryable, finished_at = :at".to_owned();
        if !repairs.is_empty() {
            set.push_str(", repairs = :repairs");
        }
        if outcome.is_done() {
            set.push_str(", first_done_at = if_not_exists(first_done_at, :at)");
        }
        let mark = outcome.mark();
        set.push_str(if mark.is_some() { ", mark = :mark" } else { " REMOVE mark" });
        let mut update = Update::builder()
            .table_name(&self.table)
            .key("pk", text(key.pk()))
            .key("sk", text(format!("{containment}/{step}")))
            .update_expression(set)
            .condition_expression(IS_THERE)
            .expression_attribute_values(":outcome", text(outcome.word()))
            .expression_attribute_values(":detail", text(outcome.words().to_string()))
            .expression_attribute_values(":retryable", AttributeValue::Bool(outcome.is_left_over()))
            .expression_attribute_values(":at", text(at.to_string()));
        if !repairs.is_empty() {
            let times = repairs.iter().map(|repair| text(repair.to_string())).collect();
            update = update.expression_attribute_values(":repairs", AttributeValue::L(times));
        }
        if let Some(mark) = mark {
            update = update.expression_attribute_values(":mark", text(mark.word()));
        }
        update
    }
}
