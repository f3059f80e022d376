//! Containments, their steps, and what they are counted in.

use std::collections::BTreeSet;

use async_trait::async_trait;
use brig_core::{
    ledger::{
        ActivePage, Claim, Claimed, Containment, Counted, OverCap, Records, Release, State as Status, StepEnd,
        StepRecord,
    },
    model::{
        deny_policy,
        ids::{AccountId, ContainmentId, InstanceKey, Region, TargetKey},
        timestamp::Timestamp,
    },
    step::{DenyRole, Isolate, Step},
};
use brig_engine::ports::{Containments, PortResult};

use super::{DAY_MS, SimLedger, Tables};
use crate::sim::State;

#[async_trait]
impl Containments for SimLedger {
    async fn read(&self, key: &TargetKey) -> PortResult<Records> {
        self.call("Query", false, |state| Ok(state.tables.records(key))).await
    }

    async fn claim(&self, wanted: &Claim) -> PortResult<Claimed> {
        self.call("TransactWriteItems", true, |state| Ok(claim(state, wanted))).await
    }

    async fn record(
        &self,
        key: &TargetKey,
        containment: &ContainmentId,
        steps: &[StepRecord],
    ) -> PortResult<Vec<String>> {
        let operation = if steps.len() == 1 { "PutItem" } else { "TransactWriteItems" };
        self.call(operation, true, |state| Ok(record(state, key, containment, steps))).await
    }

    async fn finish(&self, key: &TargetKey, containment: &ContainmentId, ended: &[StepEnd]) -> PortResult<()> {
        self.call(if ended.len() == 1 { "UpdateItem" } else { "TransactWriteItems" }, true, |state| {
            let held = state.tables.steps.entry((key.clone(), containment.clone())).or_default();
            for StepEnd { key, outcome, at, repairs } in ended {
                match held.iter_mut().find(|record| record.key == *key) {
                    Some(record) => {
                        record.outcome = Some(outcome.clone());
                        record.finished_at = Some(*at);
                        if outcome.is_done() {
                            record.first_done_at.get_or_insert(*at);
                        }
                        if !repairs.is_empty() {
                            record.repairs.clone_from(repairs);
                        }
                    }
                    None => state.violations.push(format!("{key} ended without a record of its intent")),
                }
            }
            Ok(())
        })
        .await
    }

    async fn close(&self, key: &TargetKey, current: &Containment, read_version: u64) -> PortResult<bool> {
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
                    target: key.clone(),
                    containment_id: current.containment.to_string(),
                    released_at: at.to_string(),
                });
            }
            Ok(true)
        })
        .await
    }

    async fn active(&self, _from: Option<&str>) -> PortResult<ActivePage> {
        let page = |state: &mut State| {
            Ok(ActivePage { keys: state.tables.active.iter().cloned().collect(), ..ActivePage::default() })
        };
        self.call("Query", false, page).await
    }

    async fn active_in(&self, account: &AccountId, region: Option<&Region>) -> PortResult<Vec<InstanceKey>> {
        let here = |key: &&InstanceKey| key.account == *account && region.is_none_or(|region| key.region == *region);
        self.call("Query", false, |state| {
            let instances = state.tables.active.iter().filter_map(TargetKey::instance);
            Ok(instances.filter(here).cloned().collect())
        })
        .await
    }

    async fn over_cap(&self, _key: &TargetKey, at: Timestamp) -> PortResult<OverCap> {
        self.call("UpdateItem", true, |state| {
            let hour = state.tables.hours.entry(at.hour()).or_default();
            let first = !std::mem::replace(&mut hour.said, true);
            Ok(OverCap { first, instances: hour.all.iter().cloned().collect() })
        })
        .await
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
        let instance = claim.key.name();
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
fn give_back(tables: &mut Tables, key: &TargetKey, counted: &Counted) {
    if !counted.hour_stays
        && let Some(hour) = tables.hours.get_mut(&counted.hour)
    {
        hour.all.remove(key.name());
        hour.others.remove(key.name());
    }
    let Some(group) = counted.group.as_ref().filter(|group| !group.stays) else { return };
    let Some((older, newer)) = tables.groups.get_mut(&group.name) else { return };
    if *newer == group.at.millis() {
        *newer = std::mem::take(older);
    } else if *older == group.at.millis() {
        *older = 0;
    }
}

fn record(state: &mut State, key: &TargetKey, containment: &ContainmentId, steps: &[StepRecord]) -> Vec<String> {
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
        Step::Isolate(Isolate { was: Some(was), .. }) => was.iter().any(brigs),
        Step::DenyRole(DenyRole { was: Some(was), .. }) => deny_policy::is_ours(was),
        _ => false,
    };
    if wrong {
        state.violations.push(format!("{} was recorded with Brig's own state as the original", record.key));
    }
}
