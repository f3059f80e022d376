//! What was read back, and what was released: for people.

use async_trait::async_trait;
use brig_core::{
    ledger::{Received, Release, Report, ReportOf},
    model::ids::TargetKey,
};
use brig_engine::ports::{PortResult, Reports};

use super::SimLedger;

#[async_trait]
impl Reports for SimLedger {
    async fn keep_report(&self, key: &TargetKey, report: &Report) -> PortResult<()> {
        self.call("PutItem", true, |state| {
            let kept = state.tables.reports.entry((key.clone(), report.of)).or_insert_with(|| report.clone());
            if kept.version <= report.version {
                kept.clone_from(report);
            }
            Ok(())
        })
        .await
    }

    async fn reports(&self, key: &TargetKey) -> PortResult<Vec<Report>> {
        let of = |((of, _), report): (&(TargetKey, ReportOf), &Report)| (of == key).then(|| report.clone());
        self.call("Query", false, |state| Ok(state.tables.reports.iter().filter_map(of).collect())).await
    }

    async fn keep_received(&self, key: &TargetKey, received: &Received) -> PortResult<()> {
        self.call("PutItem", true, |state| {
            state.tables.received.entry((key.clone(), received.sk())).or_insert_with(|| received.event.clone());
            Ok(())
        })
        .await
    }

    async fn releases(&self) -> PortResult<Vec<Release>> {
        self.call("Query", false, |state| Ok(state.tables.released.iter().rev().cloned().collect())).await
    }
}
