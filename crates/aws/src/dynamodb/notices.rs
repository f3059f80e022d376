//! What people were notified of, and what they still have to be.

use async_trait::async_trait;
use brig_core::{
    ledger::{Announcement, Statement, older_told_sk, told_sk},
    model::timestamp::Timestamp,
    report::notices::{Unsent, UnsentPage},
};
use brig_engine::ports::{Notices, PortResult};

use super::{
    DynamoLedger, EVENT_LIFE_SECONDS, TOLD_LIFE_SECONDS,
    items::{self, number, text},
    lists,
};
use crate::error::Explain;

#[async_trait]
impl Notices for DynamoLedger {
    async fn was_told(&self, place: &str, told: &Statement) -> PortResult<bool> {
        let get = |sk: String| {
            let get = self.client.get_item().table_name(&self.table).consistent_read(true);
            get.key("pk", text(place)).key("sk", text(sk)).projection_expression("pk")
        };
        let found = get(told_sk(told)).send().await.explain("GetItem")?;
        if found.item().is_some() || !told.cause.was_known_before() {
            return Ok(found.item().is_some());
        }
        Ok(get(older_told_sk(told)).send().await.explain("GetItem")?.item().is_some())
    }

    async fn record_told(&self, place: &str, told: &Statement, at: Timestamp, report: &str) -> PortResult<()> {
        self.client
            .put_item()
            .table_name(&self.table)
            .item("pk", text(place))
            .item("sk", text(told_sk(told)))
            .item("outcome", text(&told.what))
            .item("cause", text(told.cause.word()))
            .item("finding", text(&told.finding))
            .item("told_at", text(at.to_string()))
            .item("expires_at", number(at.millis() / 1000 + TOLD_LIFE_SECONDS))
            .item("report", text(report))
            .send()
            .await
            .explain("PutItem")?;
        Ok(())
    }

    async fn was_announced(&self, what: &Announcement) -> PortResult<bool> {
        let get = self
            .client
            .get_item()
            .table_name(&self.table)
            .consistent_read(true)
            .key("pk", text(items::event_pk(what)))
            .key("sk", text(&what.digest));
        Ok(get.send().await.explain("GetItem")?.item().is_some())
    }

    async fn record_announced(&self, what: &Announcement, at: Timestamp, subject: &str) -> PortResult<()> {
        self.client
            .put_item()
            .table_name(&self.table)
            .item("pk", text(items::event_pk(what)))
            .item("sk", text(&what.digest))
            .item("told_at", text(at.to_string()))
            .item("subject", text(subject))
            .item("expires_at", number(at.millis() / 1000 + EVENT_LIFE_SECONDS))
            .send()
            .await
            .explain("PutItem")?;
        Ok(())
    }

    async fn keep_unsent(&self, unsent: &Unsent) -> PortResult<()> {
        self.keep(lists::unsent(unsent)).await
    }

    async fn unsent(&self, place: Option<&str>) -> PortResult<UnsentPage> {
        self.unsent_of(place).await
    }

    async fn forget_unsent(&self, place: &str, id: &str) -> PortResult<()> {
        self.forget(place, id).await
    }
}
