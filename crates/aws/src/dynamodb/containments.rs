//! Containments, their steps, and what they are counted in.

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    operation::{transact_write_items::TransactWriteItemsError, update_item::UpdateItemError},
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem},
};
use brig_core::{
    ledger::{ActivePage, Claim, Claimed, Containment, OverCap, Records, StepEnd, StepRecord},
    model::{
        ids::{AccountId, ContainmentId, InstanceKey, Region, TargetKey},
        timestamp::Timestamp,
    },
};
use brig_engine::ports::{Containments, PortResult};

use super::{
    ACTIVE_PAGE, DynamoLedger, Item, STEPS_AT_ONCE, STEPS_IN_CLAIM, built, cancelled_claim,
    items::{self, number, text},
    unless_conditional,
};
use crate::error::{Explain, cloud_error};

#[async_trait]
impl Containments for DynamoLedger {
    async fn read(&self, key: &TargetKey) -> PortResult<Records> {
        let (current, newest) = futures::join!(self.current(key), self.newest_steps(key));
        let (mut current, (newest, all)) = (current?, newest?);
        if current.is_none() && !newest.is_empty() {
            // The claim that wrote these steps may have come between the two reads.
            current = self.current(key).await?;
        }
        let Some(item) = current else {
            return items::records(key, None, &newest);
        };
        let found = items::records(key, Some(&item), &newest)?;
        if items::covers(key, &newest, all, &item)? {
            return Ok(found);
        }
        items::records(key, Some(&item), &self.all_steps(key, &item).await?)
    }

    async fn claim(&self, claim: &Claim) -> PortResult<Claimed> {
        if claim.limits.as_ref().is_some_and(|limits| limits.cap == 0) {
            return Ok(Claimed::OverCap);
        }
        let mut current = self.put(items::current(&claim.key, &claim.current));
        current = match claim.read_version {
            None => current.condition_expression("attribute_not_exists(pk)"),
            Some(version) => {
                current.condition_expression("version = :read").expression_attribute_values(":read", number(version))
            }
        };
        let mut writes = vec![TransactWriteItem::builder().put(built(current.build())?).build()];
        if let Some(limits) = &claim.limits {
            writes.push(TransactWriteItem::builder().update(built(self.hour(claim, limits).build())?).build());
            if let Some(group) = &limits.group {
                writes.push(TransactWriteItem::builder().update(built(self.group(claim, group).build())?).build());
            }
        }
        let (first, rest) = claim.steps.split_at(claim.steps.len().min(STEPS_IN_CLAIM));
        for record in first {
            let put = self
                .put(items::step(&claim.key, &claim.current.containment, record)?)
                .condition_expression("attribute_not_exists(pk)");
            writes.push(TransactWriteItem::builder().put(built(put.build())?).build());
        }
        writes.push(TransactWriteItem::builder().put(built(self.put(items::active(&claim.key)).build())?).build());
        let answer = self.client.transact_write_items().set_transact_items(Some(writes)).send().await;
        let Err(error) = answer else {
            self.record(&claim.key, &claim.current.containment, rest).await?;
            return Ok(Claimed::Yes);
        };
        if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() {
            let codes: Vec<&str> =
                cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or("None")).collect();
            return cancelled_claim(&codes, claim.limits.as_ref());
        }
        Err(cloud_error("TransactWriteItems", &error))
    }

    async fn record(
        &self,
        key: &TargetKey,
        containment: &ContainmentId,
        steps: &[StepRecord],
    ) -> PortResult<Vec<String>> {
        let mut held = Vec::new();
        for some in steps.chunks(STEPS_AT_ONCE) {
            // Most often none of them is there yet, and one call records them all.
            if some.len() == 1 || !self.record_together(key, containment, some).await? {
                held.extend(self.record_each(key, containment, some).await?);
            }
        }
        Ok(held)
    }

    async fn finish(&self, key: &TargetKey, containment: &ContainmentId, ended: &[StepEnd]) -> PortResult<()> {
        for some in ended.chunks(STEPS_AT_ONCE) {
            if some.len() == 1 || !self.finish_together(key, containment, some).await? {
                self.finish_each(key, containment, some).await?;
            }
        }
        Ok(())
    }

    async fn close(&self, key: &TargetKey, current: &Containment, read_version: u64) -> PortResult<bool> {
        if !current.is_active() {
            return self.end(key, current, read_version).await;
        }
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(items::current(key, current)))
            .condition_expression("version = :read")
            .expression_attribute_values(":read", number(read_version));
        unless_conditional(put.send().await.explain("PutItem").map(|_| ()))
    }

    async fn active(&self, from: Option<&str>) -> PortResult<ActivePage> {
        let start = from.map(|sk| Item::from([("pk".to_owned(), text(items::ACTIVE)), ("sk".to_owned(), text(sk))]));
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(items::ACTIVE))
            .limit(ACTIVE_PAGE)
            .set_exclusive_start_key(start);
        let answer = query.send().await.explain("Query")?;
        Ok(items::active_page(answer.items(), answer.last_evaluated_key()))
    }

    async fn active_in(&self, account: &AccountId, region: Option<&Region>) -> PortResult<Vec<InstanceKey>> {
        self.active_of(account, region).await
    }

    async fn over_cap(&self, key: &TargetKey, at: Timestamp) -> PortResult<OverCap> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(key.place()))
            .key("sk", text(format!("hour/{}", at.hour())))
            .update_expression("SET told_at = :at")
            .condition_expression("attribute_not_exists(told_at)")
            .expression_attribute_values(":at", text(at.to_string()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match update.send().await {
            Ok(answer) => Ok(OverCap { first: true, instances: items::counted(answer.attributes()) }),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(OverCap { first: false, instances: items::counted(failed.item()) })
                }
                Some(_) | None => Err(cloud_error("UpdateItem", &error)),
            },
        }
    }
}
