//! What was read back, and what was released: for people.

use async_trait::async_trait;
use brig_core::{
    ledger::{Received, Release, Report},
    model::ids::TargetKey,
};
use brig_engine::ports::{CloudError, ErrorKind, PortResult, Reports};

use super::{
    DynamoLedger,
    items::{self, number},
    unless_conditional,
};
use crate::error::Explain;

/// An item takes 400 KB with its keys.
const LARGEST_EVENT: usize = 390_000;

#[async_trait]
impl Reports for DynamoLedger {
    async fn keep_report(&self, key: &TargetKey, report: &Report) -> PortResult<()> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(items::report(key, report)));
        let put = put
            .condition_expression("attribute_not_exists(pk) OR version <= :version")
            .expression_attribute_values(":version", number(report.version));
        unless_conditional(put.send().await.explain("PutItem").map(|_| ())).map(|_| ())
    }

    async fn reports(&self, key: &TargetKey) -> PortResult<Vec<Report>> {
        let query = self.steps_query(key, items::REPORTS.to_owned());
        let answer = query.send().await.explain("Query")?;
        answer.items().iter().map(items::read_report).collect()
    }

    async fn keep_received(&self, key: &TargetKey, received: &Received) -> PortResult<()> {
        if received.event.len() > LARGEST_EVENT {
            return Err(CloudError {
                operation: "PutItem",
                kind: ErrorKind::LimitReached,
                code: "TooLarge".to_owned(),
                message: format!("the event has {} bytes, and an item takes 400 KB", received.event.len()),
            });
        }
        let put = self.client.put_item().table_name(&self.table).set_item(Some(items::received(key, received)));
        let put = put.condition_expression("attribute_not_exists(pk)");
        unless_conditional(put.send().await.explain("PutItem").map(|_| ())).map(|_| ())
    }

    async fn releases(&self) -> PortResult<Vec<Release>> {
        self.last_releases().await
    }
}
