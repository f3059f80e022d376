//! What people were notified of, and what they still have to be.

use async_trait::async_trait;
use brig_core::{
    ledger::{Announcement, Statement},
    model::timestamp::Timestamp,
    report::notices::{Unsent, UnsentPage},
};
use brig_engine::ports::{Notices, PortResult};

use super::SimLedger;

#[async_trait]
impl Notices for SimLedger {
    async fn was_told(&self, place: &str, told: &Statement) -> PortResult<bool> {
        let key = (place.to_owned(), told.digest());
        self.call("GetItem", false, |state| Ok(state.tables.told.contains(&key))).await
    }

    async fn record_told(&self, place: &str, told: &Statement, _at: Timestamp, _report: &str) -> PortResult<()> {
        let key = (place.to_owned(), told.digest());
        self.call("PutItem", true, |state| {
            state.tables.told.insert(key);
            Ok(())
        })
        .await
    }

    async fn was_announced(&self, what: &Announcement) -> PortResult<bool> {
        self.call("GetItem", false, |state| Ok(state.tables.announced.contains(what))).await
    }

    async fn record_announced(&self, what: &Announcement, _at: Timestamp, _subject: &str) -> PortResult<()> {
        self.call("PutItem", true, |state| {
            state.tables.announced.insert(what.clone());
            Ok(())
        })
        .await
    }

    async fn keep_unsent(&self, unsent: &Unsent) -> PortResult<()> {
        let key = (unsent.place.clone(), unsent.id.clone());
        self.call("PutItem", true, |state| {
            state.tables.unsent.insert(key, unsent.clone());
            Ok(())
        })
        .await
    }

    async fn unsent(&self, place: Option<&str>) -> PortResult<UnsentPage> {
        let of = |unsent: &&Unsent| place.is_none_or(|place| unsent.place == place);
        self.call("Query", false, |state| {
            let unsent = state.tables.unsent.values().filter(of).cloned().collect();
            Ok(UnsentPage { unsent, more: false })
        })
        .await
    }

    async fn forget_unsent(&self, place: &str, id: &str) -> PortResult<()> {
        let key = (place.to_owned(), id.to_owned());
        self.call("DeleteItem", true, |state| {
            state.tables.unsent.remove(&key);
            Ok(())
        })
        .await
    }
}
