//! The ledger, with the conditions that its DynamoDB adapter puts on each write.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use async_trait::async_trait;
use brig_core::{
    deny_policy,
    ids::{AccountId, ContainmentId, Region},
    ledger::{
        ActivePage, Announcement, Claim, Claimed, Counted, Current, InstanceKey, MemberSet, OverCap, Records, Report,
        ReportOf, Shared, State as Status, Statement, StepRecord,
    },
    notified::{Question, QuestionPage, Release, Unsent},
    step::{Outcome, Step},
    timestamp::Timestamp,
};
use brig_engine::ports::{Answer, Ledger};

use crate::sim::{Sim, State};

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
    current: BTreeMap<InstanceKey, Current>,
    steps: BTreeMap<(InstanceKey, ContainmentId), Vec<StepRecord>>,
    told: BTreeSet<(String, String)>,
    unsent: BTreeMap<(String, String), Unsent>,
    questions: BTreeMap<(InstanceKey, String), Question>,
    released: Vec<Release>,
    reports: BTreeMap<(InstanceKey, ReportOf), Report>,
    hours: BTreeMap<String, Hour>,
    groups: BTreeMap<String, (i64, i64)>,
    shared: BTreeMap<Shared, MemberSet>,
    policies: BTreeMap<String, (String, Timestamp)>,
    active: BTreeSet<InstanceKey>,
    announced: BTreeSet<Announcement>,
}

impl Tables {
    /// Every step on record.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &StepRecord> {
        self.steps.values().flatten()
    }

    fn records(&self, key: &InstanceKey) -> Records {
        let current = self.current.get(key).cloned();
        let of = |current: &Current| self.steps.get(&(key.clone(), current.containment.clone())).cloned();
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
        effect: impl FnOnce(&mut State) -> Answer<T>,
    ) -> Answer<T> {
        self.sim.call(self.process, operation, writes, effect).await
    }
}

fn claim(state: &mut State, claim: &Claim) -> Claimed {
    let tables = &mut state.tables;
    if tables.current.get(&claim.key).map(|current| current.version) != claim.read_version {
        return Claimed::Moved;
    }
    let id = (claim.key.clone(), claim.current.containment.clone());
    let known = tables.steps.get(&id).map(Vec::as_slice).unwrap_or_default();
    if claim.steps.iter().any(|step| known.iter().any(|old| old.key == step.key)) {
        return Claimed::Moved;
    }
    if let Some(limits) = &claim.limits {
        let instance = claim.key.instance.as_str();
        let hour = tables.hours.entry(claim.now.hour()).or_default();
        let fits = |counted: &BTreeSet<String>, most: u32| {
            counted.contains(instance) || counted.len() < usize::try_from(most).unwrap_or(usize::MAX)
        };
        if !fits(&hour.all, limits.cap) || limits.others.is_some_and(|most| !fits(&hour.others, most)) {
            return Claimed::OverCap;
        }
        if let Some(group) = &limits.group {
            let (older, newer) = tables.groups.get(group).copied().unwrap_or_default();
            if older >= claim.now.millis() - DAY_MS {
                return Claimed::ThirdInGroup;
            }
            tables.groups.insert(group.clone(), (newer, claim.now.millis()));
        }
        let hour = tables.hours.entry(claim.now.hour()).or_default();
        hour.all.insert(instance.to_owned());
        if limits.others.is_some() {
            hour.others.insert(instance.to_owned());
        }
    }
    tables.current.insert(claim.key.clone(), claim.current.clone());
    tables.active.insert(claim.key.clone());
    record(state, &id.0, &id.1, &claim.steps);
    Claimed::Yes
}

/// A containment that was withdrawn no longer counts.
fn give_back(tables: &mut Tables, key: &InstanceKey, counted: &Counted) {
    if !counted.hour_stays
        && let Some(hour) = tables.hours.get_mut(&counted.hour)
    {
        hour.all.remove(key.instance.as_str());
        hour.others.remove(key.instance.as_str());
    }
    let Some(group) = counted.group.as_ref().filter(|group| !group.stays) else { return };
    let Some((older, newer)) = tables.groups.get_mut(&group.name) else { return };
    if *newer == group.at.millis() {
        *newer = std::mem::take(older);
    } else if *older == group.at.millis() {
        *older = 0;
    }
}

fn record(state: &mut State, key: &InstanceKey, containment: &ContainmentId, steps: &[StepRecord]) -> Vec<String> {
    let mut already = Vec::new();
    for step in steps {
        check_original(state, step);
        let held = state.tables.steps.entry((key.clone(), containment.clone())).or_default();
        if held.iter().all(|old| old.key != step.key) {
            held.push(step.clone());
        } else {
            already.push(step.key.clone());
        }
    }
    already
}

/// What was there before is never Brig's own.
fn check_original(state: &mut State, record: &StepRecord) {
    let brigs = |id| {
        state
            .world
            .groups
            .get(id)
            .is_some_and(|(group, _)| group.name.starts_with("brig-") && group.tags.contains_key("brig:role"))
    };
    let wrong = match &record.step {
        Step::Isolate { was: Some(was), .. } => was.iter().any(brigs),
        Step::DenyRole { was: Some(was), .. } => deny_policy::is_ours(was),
        _ => false,
    };
    if wrong {
        state.violations.push(format!("{} was recorded with Brig's own state as the original", record.key));
    }
}

#[async_trait]
impl Ledger for SimLedger {
    async fn read(&self, key: &InstanceKey) -> Answer<Records> {
        self.call("Query", false, |state| Ok(state.tables.records(key))).await
    }

    async fn claim(&self, wanted: &Claim) -> Answer<Claimed> {
        self.call("TransactWriteItems", true, |state| Ok(claim(state, wanted))).await
    }

    async fn record(
        &self,
        key: &InstanceKey,
        containment: &ContainmentId,
        steps: &[StepRecord],
    ) -> Answer<Vec<String>> {
        self.call("PutItem", true, |state| Ok(record(state, key, containment, steps))).await
    }

    async fn finish(
        &self,
        key: &InstanceKey,
        containment: &ContainmentId,
        step: &str,
        outcome: &Outcome,
        at: Timestamp,
        repairs: &[Timestamp],
    ) -> Answer<()> {
        self.call("UpdateItem", true, |state| {
            let held = state.tables.steps.entry((key.clone(), containment.clone())).or_default();
            match held.iter_mut().find(|record| record.key == step) {
                Some(record) => {
                    record.outcome = Some(outcome.clone());
                    record.finished_at = Some(at);
                    if outcome.is_done() {
                        record.first_done_at.get_or_insert(at);
                    }
                    if !repairs.is_empty() {
                        record.repairs = repairs.to_vec();
                    }
                }
                None => state.violations.push(format!("{step} ended without a record of its intent")),
            }
            Ok(())
        })
        .await
    }

    async fn close(&self, key: &InstanceKey, current: &Current, read_version: u64) -> Answer<bool> {
        self.call("PutItem", true, |state| {
            let tables = &mut state.tables;
            if tables.current.get(key).map(|current| current.version) != Some(read_version) {
                return Ok(false);
            }
            tables.current.insert(key.clone(), current.clone());
            if !current.is_active() {
                tables.active.remove(key);
            }
            if current.state == Status::Withdrawn
                && let Some(counted) = &current.counted
            {
                give_back(tables, key, counted);
            }
            if let Some(at) = current.released_at.filter(|_| current.state == Status::Released) {
                tables.released.push(Release {
                    account: key.account.clone(),
                    region: key.region.clone(),
                    instance_id: key.instance.clone(),
                    containment_id: current.containment.to_string(),
                    released_at: at.to_string(),
                });
            }
            Ok(true)
        })
        .await
    }

    async fn keep_report(&self, key: &InstanceKey, report: &Report) -> Answer<()> {
        self.call("PutItem", true, |state| {
            let kept = state.tables.reports.entry((key.clone(), report.of)).or_insert_with(|| report.clone());
            if kept.version <= report.version {
                kept.clone_from(report);
            }
            Ok(())
        })
        .await
    }

    async fn reports(&self, key: &InstanceKey) -> Answer<Vec<Report>> {
        let of = |((of, _), report): (&(InstanceKey, ReportOf), &Report)| (of == key).then(|| report.clone());
        self.call("Query", false, |state| Ok(state.tables.reports.iter().filter_map(of).collect())).await
    }

    async fn was_told(&self, place: &str, told: &Statement) -> Answer<bool> {
        let key = (place.to_owned(), told.digest());
        self.call("GetItem", false, |state| Ok(state.tables.told.contains(&key))).await
    }

    async fn record_told(&self, place: &str, told: &Statement, _at: Timestamp, _report: &str) -> Answer<()> {
        let key = (place.to_owned(), told.digest());
        self.call("PutItem", true, |state| {
            state.tables.told.insert(key);
            Ok(())
        })
        .await
    }

    async fn was_announced(&self, what: &Announcement) -> Answer<bool> {
        self.call("GetItem", false, |state| Ok(state.tables.announced.contains(what))).await
    }

    async fn record_announced(&self, what: &Announcement, _at: Timestamp, _subject: &str) -> Answer<()> {
        self.call("PutItem", true, |state| {
            state.tables.announced.insert(what.clone());
            Ok(())
        })
        .await
    }

    async fn keep_unsent(&self, unsent: &Unsent) -> Answer<()> {
        let key = (unsent.place.clone(), unsent.id.clone());
        self.call("PutItem", true, |state| {
            state.tables.unsent.insert(key, unsent.clone());
            Ok(())
        })
        .await
    }

    async fn unsent(&self, place: Option<&str>) -> Answer<Vec<Unsent>> {
        let of = |unsent: &&Unsent| place.is_none_or(|place| unsent.place == place);
        self.call("Query", false, |state| Ok(state.tables.unsent.values().filter(of).cloned().collect())).await
    }

    async fn forget_unsent(&self, place: &str, id: &str) -> Answer<()> {
        let key = (place.to_owned(), id.to_owned());
        self.call("DeleteItem", true, |state| {
            state.tables.unsent.remove(&key);
            Ok(())
        })
        .await
    }

    async fn ask(&self, question: &Question) -> Answer<()> {
        self.call("PutItem", true, |state| {
            state.tables.questions.insert((question.key(), question.question.clone()), question.clone());
            Ok(())
        })
        .await
    }

    async fn questions(&self, of: Option<&InstanceKey>, from: Option<&str>) -> Answer<QuestionPage> {
        let sk = |question: &Question| format!("{}#{}", question.key().pk(), question.question);
        let wanted = |question: &&Question| {
            of.is_none_or(|key| question.key() == *key) && from.is_none_or(|from| sk(question).as_str() > from)
        };
        self.call("Query", false, |state| {
            let mut questions: Vec<Question> = state.tables.questions.values().filter(wanted).cloned().collect();
            questions.sort_by_key(sk);
            let more = questions.len() > MOST_QUESTIONS;
            questions.truncate(MOST_QUESTIONS);
            let next = questions.last().filter(|_| more).map(sk);
            Ok(QuestionPage { questions, next })
        })
        .await
    }

    async fn question(&self, id: &str) -> Answer<Option<Question>> {
        self.call("Query", false, |state| {
            Ok(state.tables.questions.values().find(|question| question.question == id).cloned())
        })
        .await
    }

    async fn close_question(&self, key: &InstanceKey, question: &str, _answer: &str, _at: Timestamp) -> Answer<()> {
        self.call("TransactWriteItems", true, |state| {
            state.tables.questions.remove(&(key.clone(), question.to_owned()));
            Ok(())
        })
        .await
    }

    async fn releases(&self) -> Answer<Vec<Release>> {
        self.call("Query", false, |state| Ok(state.tables.released.iter().rev().cloned().collect())).await
    }

    async fn active_in(&self, account: &AccountId, region: Option<&Region>) -> Answer<Vec<InstanceKey>> {
        let here = |key: &&InstanceKey| key.account == *account && region.is_none_or(|region| key.region == *region);
        self.call("Query", false, |state| Ok(state.tables.active.iter().filter(here).cloned().collect())).await
    }

    async fn join(&self, shared: &Shared, member: &str) -> Answer<MemberSet> {
        self.call("UpdateItem", true, |state| {
            let set = state.tables.shared.entry(shared.clone()).or_default();
            set.version += 1;
            if !set.members.iter().any(|held| held == member) {
                set.members.push(member.to_owned());
                set.members.sort();
            }
            Ok(set.clone())
        })
        .await
    }

    async fn members(&self, shared: &Shared) -> Answer<MemberSet> {
        self.call("GetItem", false, |state| Ok(state.tables.shared.get(shared).cloned().unwrap_or_default())).await
    }

    async fn leave(&self, shared: &Shared, member: &str) -> Answer<MemberSet> {
        self.call("UpdateItem", true, |state| {
            let set = state.tables.shared.entry(shared.clone()).or_default();
            set.version += 1;
            set.members.retain(|held| held != member);
            Ok(set.clone())
        })
        .await
    }

    async fn active(&self, _from: Option<&str>) -> Answer<ActivePage> {
        let page = |state: &mut State| {
            Ok(ActivePage { keys: state.tables.active.iter().cloned().collect(), ..ActivePage::default() })
        };
        self.call("Query", false, page).await
    }

    async fn keep_policy(&self, parameter: &str, text: &str, at: Timestamp) -> Answer<()> {
        self.call("PutItem", true, |state| {
            state.tables.policies.insert(parameter.to_owned(), (text.to_owned(), at));
            Ok(())
        })
        .await
    }

    async fn kept_policy(&self, parameter: &str) -> Answer<Option<(String, Timestamp)>> {
        self.call("GetItem", false, |state| Ok(state.tables.policies.get(parameter).cloned())).await
    }

    async fn try_write(&self, _at: Timestamp) -> Answer<()> {
        self.call("PutItem", true, |_| Ok(())).await
    }

    async fn over_cap(&self, _key: &InstanceKey, at: Timestamp) -> Answer<OverCap> {
        self.call("UpdateItem", true, |state| {
            let hour = state.tables.hours.entry(at.hour()).or_default();
            let first = !std::mem::replace(&mut hour.said, true);
            Ok(OverCap { first, instances: hour.all.iter().cloned().collect() })
        })
        .await
    }
}
