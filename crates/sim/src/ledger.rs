//! The ledger, with the conditions that its DynamoDB adapter puts on each write.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use brig_core::{
    ledger::{Announcement, Containment, MemberSet, Question, Records, Release, Report, ReportOf, Shared, StepRecord},
    model::{
        ids::{ContainmentId, TargetKey},
        timestamp::Timestamp,
    },
    report::notices::Unsent,
};
use brig_engine::ports::PortResult;

use crate::sim::{Sim, State};

mod containments;
mod notices;
mod questions;
mod reports;
mod settings;
mod shares;

const DAY_MS: i64 = 24 * 3600 * 1000;
/// So many questions are in a page, as in the DynamoDB adapter.
const MOST_QUESTIONS: usize = 100;

/// The instances that were counted in an hour.
#[derive(Default)]
struct Hour {
    all: BTreeSet<String>,
    others: BTreeSet<String>,
    said: bool,
}

#[derive(Default)]
pub(crate) struct Tables {
    current: BTreeMap<TargetKey, Containment>,
    steps: BTreeMap<(TargetKey, ContainmentId), Vec<StepRecord>>,
    told: BTreeSet<(String, String)>,
    unsent: BTreeMap<(String, String), Unsent>,
    questions: BTreeMap<(TargetKey, String), Question>,
    released: Vec<Release>,
    reports: BTreeMap<(TargetKey, ReportOf), Report>,
    received: BTreeMap<(TargetKey, String), String>,
    hours: BTreeMap<String, Hour>,
    groups: BTreeMap<String, (i64, i64)>,
    shared: BTreeMap<Shared, MemberSet>,
    policies: BTreeMap<String, (String, Timestamp)>,
    active: BTreeSet<TargetKey>,
    announced: BTreeSet<Announcement>,
}

impl Tables {
    /// Every step on record.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &StepRecord> {
        self.steps.values().flatten()
    }

    fn records(&self, key: &TargetKey) -> Records {
        let current = self.current.get(key).cloned();
        let of = |current: &Containment| self.steps.get(&(key.clone(), current.containment.clone())).cloned();
        Records { steps: current.as_ref().and_then(of).unwrap_or_default(), current }
    }
}

pub(crate) struct SimLedger {
    pub(crate) sim: Arc<Sim>,
    pub(crate) process: usize,
}

impl SimLedger {
    async fn call<T>(
        &self,
        operation: &'static str,
        writes: bool,
        effect: impl FnOnce(&mut State) -> PortResult<T>,
    ) -> PortResult<T> {
        self.sim.call(self.process, operation, writes, effect).await
    }
}
