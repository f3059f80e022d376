//! The chain of custody, in the ledger's table: partition `evidence/<account>/<region>/<instance>`, and below it a record for each part, each
//! object and each time that somebody asked. The role may write items of these partitions, and no others.

use std::collections::HashMap;

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use brig_core::model::{
    ids::{ContainmentId, TargetKey},
    timestamp::Timestamp,
};
use brig_engine::ports::PortResult;

use super::raw::{Raw, keep};
use crate::{error::Explain, session::Session};

/// The chain of custody in one table.
#[derive(Debug, Clone)]
pub struct Custody {
    client: Client,
    table: String,
}

/// Who may replace an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease<'a> {
    /// The request id of the invocation.
    pub holder: &'a str,
    pub now: Timestamp,
    /// Until when it is held.
    pub until: Timestamp,
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn partition(target: &TargetKey) -> String {
    format!("evidence/{}", target.pk())
}

impl Custody {
    /// The table's name.
    #[must_use]
    pub fn new(session: &Session, table: String) -> Self {
        Self { client: Client::new(session.config()), table }
    }

    /// The records of a target's evidence below a prefix, consistently read: each its sort key and its JSON.
    pub async fn records(&self, target: &TargetKey, prefix: &str) -> PortResult<Vec<(String, String)>> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", text(partition(target)))
            .expression_attribute_values(":prefix", text(prefix));
        let mut pages = query.into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.explain("Query")?;
            let of = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
            found.extend(of("sk").zip(of("record")));
        }
        Ok(found)
    }

    /// Puts a record.
    pub async fn put(&self, target: &TargetKey, sk: &str, record: &str) -> PortResult<()> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item(target, sk, record)));
        put.send().await.explain("PutItem").map(|_| ())
    }

    /// Puts a record that is held, unless somebody else holds it; says whether it did.
    pub async fn put_held(&self, target: &TargetKey, sk: &str, record: &str, lease: Lease<'_>) -> PortResult<bool> {
        let mut item = item(target, sk, record);
        item.insert("holder".to_owned(), text(lease.holder));
        item.insert("lease_until".to_owned(), AttributeValue::N(lease.until.millis().to_string()));
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR holder = :holder OR lease_until < :now")
            .expression_attribute_values(":holder", text(lease.holder))
            .expression_attribute_values(":now", AttributeValue::N(lease.now.millis().to_string()));
        match put.send().await.explain("PutItem") {
            Ok(_) => Ok(true),
            Err(error) if error.code == "ConditionalCheckFailedException" => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The events that led to a containment, as they were received.
    pub async fn received(&self, target: &TargetKey, containment: &ContainmentId) -> PortResult<Vec<String>> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", text(target.pk()))
            .expression_attribute_values(":prefix", text(format!("received/{containment}/")));
        let mut pages = query.into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(item) = pages.next().await {
            found.extend(item.explain("Query")?.get("event").and_then(|event| event.as_s().ok()).cloned());
        }
        Ok(found)
    }

    /// The ledger's items of a target, as DynamoDB answers them: a page each.
    pub async fn ledger(&self, target: &TargetKey) -> PortResult<Vec<Raw>> {
        let (mut pages, mut from): (Vec<Raw>, Option<HashMap<String, AttributeValue>>) = (Vec::new(), None);
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", text(target.pk()))
                .set_exclusive_start_key(from);
            let (answer, raw) = keep!("Query", query)?;
            pages.push(raw);
            from = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if from.is_none() {
                return Ok(pages);
            }
        }
    }
}

fn item(target: &TargetKey, sk: &str, record: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([
        ("pk".to_owned(), text(partition(target))),
        ("sk".to_owned(), text(sk)),
        ("record".to_owned(), text(record)),
    ])
}
