//! The ledger on Amazon DynamoDB: one table with the string keys `pk` and `sk`.
//!
//! | pk | sk | what |
//! |---|---|---|
//! | `<account>/<region>/<instance>` | `current` | the containment, its holder and outcome |
//! | the same | `<containment id>/<lane>/<step>/<resource>` | a step, what it replaces, what it found |
//! | the same | `told/<digest>` | a statement that people were notified of; `told/<what>/<finding id>` of older versions |
//! | the same | `report/containment`, `report/release` | what was read back last, as it was answered |
//! | the same | `received/<containment id>/<digest>` | an event as it was received |
//! | `evidence/<account>/<region>/<instance>` | `<containment id>/...` | the chain of custody; written by the function that investigates alone |
//! | `unsent` | `<account>/<region>/<instance>#<digest>` | a message that could not be sent |
//! | `questions`, `answered` | `<account>/<region>/<instance>#<question>` | a question that waits for a person; its answer |
//! | `released` | `<time>#<account>/<region>/<instance>` | a release |
//! | `event/<event id>` | a digest | that people were notified of an event that names nothing to contain |
//! | `active` | `<account>/<region>/<instance>` | an active containment |
//! | `<account>/<region>` | `hour/<hour>` | new automatic containments in that hour |
//! | `role/<role arn>` | `current` | the contained instances of a role |
//! | `acl/<account>/<region>/<acl>` | `current` | who shares which rules of a network ACL |
//! | `policy/<parameter>` | `current` | the account's rules as they were last read |

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    config::retry::RetryConfig,
    operation::{query::builders::QueryFluentBuilder, transact_write_items::TransactWriteItemsError},
    types::{AttributeValue, Delete, Put, TransactWriteItem, Update, builders::UpdateBuilder},
};
use brig_core::{
    ledger::{Claim, Claimed, Containment, Counted, CountedInGroup, Limits, State},
    model::ids::TargetKey,
};
use brig_engine::ports::{CloudError, ErrorKind, PortResult};
use items::{number, text};

use crate::{
    error::{Explain, cloud_error},
    session::Session,
};

mod containments;
mod items;
mod lists;
mod notices;
mod questions;
mod reports;
mod settings;
mod shares;
mod steps;

/// A transaction takes 100 items; the rest is written after it and before any effect.
const STEPS_IN_CLAIM: usize = 96;
/// The limit of a transaction.
const STEPS_AT_ONCE: usize = 100;
const WRITES_AT_ONCE: usize = 16;
/// Counters of past hours are of no use; DynamoDB's TTL removes them where the table has it on `expires_at`.
const COUNTER_LIFE_SECONDS: i64 = 2 * 24 * 3600;
/// How long a question or notification is kept: GuardDuty keeps a finding for 90 days
/// (<https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings.html>), and sends no later update of it.
const TOLD_LIFE_SECONDS: i64 = 90 * 24 * 3600;
/// Steps in the first answer, the newest containment's first: more than most containments have, so that those of earlier
/// ones of the instance do not slow the cut however many there were.
const NEWEST_STEPS: i32 = 200;
const DAY_MS: i64 = 24 * 3600 * 1000;
/// A queue keeps a message for fourteen days at most
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>).
const EVENT_LIFE_SECONDS: i64 = 15 * 24 * 3600;

/// Active containments in one answer.
const ACTIVE_PAGE: i32 = 25;

/// The sort key of an instance's containment.
const CURRENT: &str = "current";

type Item = HashMap<String, AttributeValue>;

/// The ledger in one table.
#[derive(Debug, Clone)]
pub struct DynamoLedger {
    client: Client,
    table: String,
}

impl DynamoLedger {
    /// The table's name.
    #[must_use]
    pub fn new(session: &Session, table: String) -> Self {
        Self { client: Client::new(session.config()), table }
    }

    /// Opens the connection that the first read will use; a failure is none.
    pub async fn warm(&self) {
        let once = aws_sdk_dynamodb::config::Builder::new().retry_config(RetryConfig::disabled());
        let read = self.client.get_item().table_name(&self.table).key("pk", text("warm-up")).key("sk", text("warm-up"));
        let _ = read.customize().config_override(once).send().await;
    }

    async fn current(&self, key: &TargetKey) -> PortResult<Option<Item>> {
        let get = self
            .client
            .get_item()
            .table_name(&self.table)
            .consistent_read(true)
            .key("pk", text(key.pk()))
            .key("sk", text(CURRENT));
        Ok(get.send().await.explain("GetItem")?.item)
    }

    /// The steps of the newest containments of an instance, the last key first, and whether these are all that there are.
    /// A containment's id begins with the instance's: questions and notifications lie outside of that range.
    async fn newest_steps(&self, key: &TargetKey) -> PortResult<(Vec<Item>, bool)> {
        let query = self.steps_query(key, key.id_prefix()).scan_index_forward(false).limit(NEWEST_STEPS);
        let answer = query.send().await.explain("Query")?;
        let all = answer.last_evaluated_key().is_none_or(HashMap::is_empty);
        Ok((answer.items.unwrap_or_default(), all))
    }

    /// Every step of the containment that the item `current` names.
    async fn all_steps(&self, key: &TargetKey, current: &Item) -> PortResult<Vec<Item>> {
        let mut pages = self.steps_query(key, items::prefix(current)?).into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(item) = pages.next().await {
            found.push(item.explain("Query")?);
        }
        Ok(found)
    }

    fn steps_query(&self, key: &TargetKey, prefix: String) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", text(key.pk()))
            .expression_attribute_values(":prefix", text(prefix))
    }

    /// Closes a containment for good: it leaves the list of the active ones in the same transaction.
    async fn end(&self, key: &TargetKey, current: &Containment, read_version: u64) -> PortResult<bool> {
        let put = self
            .put(items::current(key, current))
            .condition_expression("version = :read")
            .expression_attribute_values(":read", number(read_version));
        let delete = Delete::builder().table_name(&self.table).set_key(Some(items::active(key)));
        let mut writes = vec![
            TransactWriteItem::builder().put(built(put.build())?).build(),
            TransactWriteItem::builder().delete(built(delete.build())?).build(),
        ];
        if let Some(released) = lists::released(key, current) {
            writes.push(TransactWriteItem::builder().put(built(self.put(released).build())?).build());
        }
        let counted = current.counted.as_ref().filter(|_| current.state == State::Withdrawn);
        if let Some(counted) = counted.filter(|counted| !counted.hour_stays) {
            writes.push(TransactWriteItem::builder().update(built(self.uncount(key, counted).build())?).build());
        }
        let group = counted.and_then(|counted| counted.group.as_ref()).filter(|group| !group.stays);
        let ways = match group {
            Some(group) => vec![Some((group, "newer")), Some((group, "older")), None],
            None => vec![None],
        };
        for way in ways {
            let mut writes = writes.clone();
            if let Some((group, place)) = way {
                let update = self.uncount_in_group(key, group, place);
                writes.push(TransactWriteItem::builder().update(built(update.build())?).build());
            }
            let Err(error) = self.client.transact_write_items().set_transact_items(Some(writes)).send().await else {
                return Ok(true);
            };
            let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error()
            else {
                return Err(cloud_error("TransactWriteItems", &error));
            };
            let codes: Vec<&str> =
                cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or("None")).collect();
            match cancelled_end(&codes, way.is_some())? {
                Ended::Moved => return Ok(false),
                Ended::NotThere => {}
            }
        }
        Ok(false)
    }

    /// Takes an instance out of those that were counted in an hour; one that is not among them is success.
    fn uncount(&self, key: &TargetKey, counted: &Counted) -> UpdateBuilder {
        let instances = AttributeValue::Ss(vec![key.name().to_owned()]);
        Update::builder()
            .table_name(&self.table)
            .key("pk", text(key.place()))
            .key("sk", text(format!("hour/{}", counted.hour)))
            .update_expression("DELETE counted :instances, counted_others :instances")
            .expression_attribute_values(":instances", instances)
    }

    /// Takes a containment out of its group's last two: from the newer place, or from the older where another one came
    /// since. What stood before it there is a day old or more, or would have refused it: it no longer counts.
    fn uncount_in_group(&self, key: &TargetKey, group: &CountedInGroup, place: &str) -> UpdateBuilder {
        let set = if place == "newer" { "SET newer = older, older = :never" } else { "SET older = :never" };
        Update::builder()
            .table_name(&self.table)
            .key("pk", text(key.place()))
            .key("sk", text(format!("group/{}", group.name)))
            .update_expression(set)
            .condition_expression(format!("{place} = :at"))
            .expression_attribute_values(":never", number(0))
            .expression_attribute_values(":at", number(group.at.millis()))
    }

    /// Counts a new automatic containment in its hour: the item holds the instances, so that each counts once. An hour that
    /// an earlier version began also has its own number.
    fn hour(&self, claim: &Claim, limits: &Limits) -> UpdateBuilder {
        let expires = claim.now.millis() / 1000 + COUNTER_LIFE_SECONDS;
        let update = Update::builder()
            .table_name(&self.table)
            .key("pk", text(claim.key.place()))
            .key("sk", text(format!("hour/{}", claim.now.hour())))
            .expression_attribute_values(":expires", number(expires))
            .expression_attribute_values(":instance", text(claim.key.name()))
            .expression_attribute_values(":instances", AttributeValue::Ss(vec![claim.key.name().to_owned()]))
            .expression_attribute_values(":cap", number(limits.cap));
        let below = |set: &str, most: &str, before: &str| {
            format!(
                "(attribute_not_exists({set}) OR size({set}) < {most} OR contains({set}, :instance)) \
                 AND (attribute_not_exists({before}) OR {before} < {most})"
            )
        };
        let below_cap = below("counted", ":cap", "containments");
        match limits.others {
            None => update
                .update_expression("SET expires_at = :expires ADD counted :instances")
                .condition_expression(below_cap),
            Some(most) => update
                .update_expression("SET expires_at = :expires ADD counted :instances, counted_others :instances")
                .condition_expression(format!("{below_cap} AND {}", below("counted_others", ":others", "from_others")))
                .expression_attribute_values(":others", number(most)),
        }
    }

    /// Keeps the times of the last two automatic containments in an Auto Scaling group; the older of them must be a day
    /// old for a third.
    fn group(&self, claim: &Claim, group: &str) -> UpdateBuilder {
        let now = claim.now.millis();
        Update::builder()
            .table_name(&self.table)
            .key("pk", text(claim.key.place()))
            .key("sk", text(format!("group/{group}")))
            .update_expression("SET older = if_not_exists(newer, :never), newer = :now, expires_at = :expires")
            .condition_expression("attribute_not_exists(older) OR older < :yesterday")
            .expression_attribute_values(":never", number(0))
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":yesterday", number(now - DAY_MS))
            .expression_attribute_values(":expires", number(now / 1000 + COUNTER_LIFE_SECONDS))
    }

    fn put(&self, item: Item) -> aws_sdk_dynamodb::types::builders::PutBuilder {
        Put::builder().table_name(&self.table).set_item(Some(item))
    }
}

/// A condition that did not hold is an answer, not an error.
fn unless_conditional(answer: PortResult<()>) -> PortResult<bool> {
    match answer {
        Ok(()) => Ok(true),
        Err(error) if error.code == "ConditionalCheckFailedException" => Ok(false),
        Err(error) => Err(error),
    }
}

fn built<T>(result: Result<T, aws_sdk_dynamodb::error::BuildError>) -> PortResult<T> {
    result.map_err(|error| CloudError {
        operation: "TransactWriteItems",
        kind: ErrorKind::Other,
        code: "BadRequest".to_owned(),
        message: error.to_string(),
    })
}

/// Why a containment was not ended.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    /// Somebody else took it on.
    Moved,
    /// It is not in that place of its group.
    NotThere,
}

/// Reads why the transaction that ends a containment was cancelled: `current` is its first item, the group its last.
fn cancelled_end(codes: &[&str], with_group: bool) -> PortResult<Ended> {
    let failed = |code: Option<&&str>| code.is_some_and(|code| *code == "ConditionalCheckFailed");
    if failed(codes.first()) {
        return Ok(Ended::Moved);
    }
    if with_group && failed(codes.last()) {
        return Ok(Ended::NotThere);
    }
    Err(cancelled(codes))
}

/// The error of a cancelled transaction that no condition cancelled.
fn cancelled(codes: &[&str]) -> CloudError {
    let error = |kind, code: &str, message: String| CloudError {
        operation: "TransactWriteItems",
        kind,
        code: code.to_owned(),
        message,
    };
    if codes.contains(&"TransactionConflict") {
        // Claims of one account and Region share the hour's counter: a burst of findings takes turns.
        return error(ErrorKind::Conflict, "TransactionConflict", "another claim was being written".to_owned());
    }
    let throttled = codes.iter().any(|code| code.contains("Throttling") || code.contains("Throughput"));
    let kind = if throttled { ErrorKind::Throttled } else { ErrorKind::Other };
    error(kind, "TransactionCanceledException", codes.join(", "))
}

/// Reads why a claim's transaction was cancelled: a reason an item, `current` first, then the counters where there are any.
fn cancelled_claim(codes: &[&str], limits: Option<&Limits>) -> PortResult<Claimed> {
    let failed = |code: &&str| *code == "ConditionalCheckFailed";
    let counters = limits.map_or(0, |limits| 1 + usize::from(limits.group.is_some()));
    let counted = codes.get(1..=counters).unwrap_or_default();
    let lost = codes.iter().enumerate().any(|(at, code)| failed(code) && !(1..=counters).contains(&at));
    if lost {
        return Ok(Claimed::Moved);
    }
    if codes.contains(&"TransactionConflict") {
        return Err(cancelled(codes));
    }
    match counted {
        [hour, ..] if failed(hour) => return Ok(Claimed::OverCap),
        [_, group] if failed(group) => return Ok(Claimed::ThirdInGroup),
        _ => {}
    }
    Err(cancelled(codes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_claim_says_whether_it_was_lost_or_over_the_cap() {
        let limits = |group: Option<&str>| Limits { cap: 1, others: None, group: group.map(str::to_owned) };
        let (hour, both) = (limits(None), limits(Some("web")));
        let judge = |codes: &[&str], limits: Option<&Limits>| cancelled_claim(codes, limits).expect("an answer");
        let no = "ConditionalCheckFailed";
        assert_eq!(judge(&[no, "None"], Some(&hour)), Claimed::Moved);
        assert_eq!(judge(&["None", no, "None"], Some(&hour)), Claimed::OverCap);
        assert_eq!(judge(&["None", "None", no], Some(&hour)), Claimed::Moved);
        assert_eq!(judge(&["None", "None", no], Some(&both)), Claimed::ThirdInGroup);
        assert_eq!(judge(&["None", no, no], Some(&both)), Claimed::OverCap);
        assert_eq!(judge(&[no, no], Some(&hour)), Claimed::Moved);
        assert_eq!(judge(&["None", no], None), Claimed::Moved);
        assert!(cancelled_claim(&["None", "TransactionConflict"], Some(&hour)).expect_err("in turn").is_retryable());
        assert!(cancelled_claim(&["ThrottlingError", "None"], Some(&hour)).expect_err("throttled").is_retryable());
        assert_eq!(cancelled_end(&[no, "None", no], true).expect("lost"), Ended::Moved);
        assert_eq!(cancelled_end(&["None", "None", "None", no], true).expect("elsewhere"), Ended::NotThere);
        assert!(cancelled_end(&["None", "None", "TransactionConflict"], false).expect_err("in turn").is_retryable());
        assert!(!cancelled_claim(&["ValidationError"], None).expect_err("wrong").is_retryable());
    }
}
