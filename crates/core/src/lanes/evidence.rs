//! The evidence lane: nothing ends the instance or its disks, one consistent snapshot set of all of them, locked.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    ledger::StepRecord,
    model::{
        EvidenceLook, Instance, Refusal, Snapshot, Unpreserved,
        ids::{ContainmentId, VolumeId},
        tags::{DEVICE_TAG, MEMORY_TAG},
        timestamp::Timestamp,
    },
    step::{
        self, CreateSnapshot, CreateSnapshots, KeepVolumes, LockSnapshot, Note, Outcome, Plan, Step, TagInstance,
        TagSnapshot, done, skipped,
    },
};

/// A verification tries a snapshot that failed, or that AWS refused, again after so long: what it failed by is for people to
/// settle.
const REST: Duration = Duration::from_hours(24);

/// A person's order, or a new finding, has it tried at once; not again and again within an invocation.
pub const REST_OF_AN_ORDER: Duration = Duration::from_mins(1);

impl EvidenceLook {
    /// Adds what earlier attempts recorded. Of a step that is on record, only what AWS does not take is skipped.
    pub fn remember(&mut self, records: &[StepRecord], now: Timestamp) {
        self.now = Some(now);
        for record in records {
            match (&record.step, &record.outcome) {
                (Step::CreateSnapshots(_), Some(Outcome::Failed(failure))) if !failure.retryable => {
                    self.set_refused = record.finished_at.map(|at| Refusal { at, error: failure.error.clone() });
                }
                (Step::CreateSnapshot(CreateSnapshot { volume }), Some(Outcome::Failed(failure)))
                    if !failure.retryable =>
                {
                    let refusal = record.finished_at.map(|at| Refusal { at, error: failure.error.clone() });
                    self.refused.extend(refusal.map(|refusal| (volume.clone(), refusal)));
                }
                (step, Some(Outcome::Skipped(why))) if is_waivable(step) => {
                    self.waived.insert(record.key.clone(), why.words.clone());
                }
                _ => {}
            }
        }
    }

    /// Adds what this attempt found.
    pub fn found<'a>(&mut self, done: impl IntoIterator<Item = (&'a Step, &'a Outcome, String)>) {
        let Some(now) = self.now else { return };
        let as_records = done.into_iter().map(|(step, outcome, key)| StepRecord {
            outcome: Some(outcome.clone()),
            finished_at: Some(now),
            ..StepRecord::intended(key, step.clone(), now)
        });
        let records: Vec<StepRecord> = as_records.collect();
        self.remember(&records, now);
    }

    /// Whether a snapshot that an earlier attempt set out to take may exist without being listed yet.
    #[must_use]
    pub fn may_be_lost(&self, begun: &[VolumeId]) -> bool {
        let listed = |volume: &VolumeId| self.snapshots.iter().any(|snapshot| snapshot.volume == *volume);
        (self.attempted && self.snapshots.is_empty()) || begun.iter().any(|volume| !listed(volume))
    }

    pub(crate) fn waives(&self, step: &Step, instance: &Instance) -> bool {
        self.waived.contains_key(&step.key(instance.id.as_str()))
    }

    fn rests(&self, since: Option<Timestamp>) -> bool {
        match (self.now, since) {
            (Some(now), Some(since)) => now.since(since) < self.rest.unwrap_or(REST),
            // When it failed is not known: it is not tried again on a guess.
            (Some(_), None) => true,
            (None, _) => false,
        }
    }

    /// Why a volume has no snapshot, and whether that rests.
    pub(crate) fn failed(&self, volume: &VolumeId) -> Option<(Unpreserved, bool)> {
        let errored = self.snapshots.iter().filter(|snapshot| snapshot.volume == *volume && snapshot.state == "error");
        let errored = errored.max_by_key(|snapshot| snapshot.started.map(Timestamp::millis)).map(|snapshot| {
            let why = Unpreserved::SnapshotFailed { volume: volume.clone(), snapshot: snapshot.id.clone() };
            (why, self.rests(snapshot.started))
        });
        let refused = self.refused.get(volume).map(|refusal| {
            let why = Unpreserved::Refused { volume: volume.clone(), error: refusal.error.clone() };
            (why, self.rests(Some(refusal.at)))
        });
        match (errored, refused) {
            // Whichever rests says why nothing is tried.
            (Some(errored), Some(refused)) => Some(if refused.1 { refused } else { errored }),
            (errored, refused) => refused.or(errored),
        }
    }
}

/// Whether a step of this lane is one that AWS may not take for an instance's type, its market or its quota.
fn is_waivable(step: &Step) -> bool {
    matches!(
        step,
        Step::ProtectTermination(_)
            | Step::ProtectStop(_)
            | Step::StopOnShutdown(_)
            | Step::DisableAutoRecovery(_)
            | Step::KeepVolumes(_)
            | Step::LockSnapshot(_)
            | Step::TagSnapshot(_)
            | Step::TagInstance(TagInstance)
    )
}

/// What AWS does not take is not tried again by each verification: it is a note, and no promise.
fn waive(plan: &mut Plan, look: &EvidenceLook, instance: &Instance) {
    for planned in plan.steps.iter_mut().filter(|planned| planned.outcome == Outcome::Planned) {
        if let Some(why) = look.waived.get(&planned.step.key(instance.id.as_str())) {
            planned.outcome = skipped(why.clone());
        }
    }
}

/// Plans what preserves the instance, and the snapshot set where none is complete.
#[must_use]
pub fn plan(look: &EvidenceLook, instance: &Instance, containment: &ContainmentId) -> Plan {
    let mut plan = Plan::default();
    step::plan_protections(look, instance, &mut plan);
    for event in &look.scheduled {
        plan.note(Note::ScheduledEvent(event.clone()));
    }
    KeepVolumes::plan(instance, &mut plan);
    plan_snapshots(&mut plan, look, instance);
    if instance.spot {
        plan.note(Note::SpotEvidence);
    }
    if !instance.ebs_root {
        plan.note(Note::InstanceStoreRoot);
    }
    TagInstance::plan(instance, containment, &mut plan);
    waive(&mut plan, look, instance);
    plan
}

fn plan_snapshots(plan: &mut Plan, look: &EvidenceLook, instance: &Instance) {
    let volumes: Vec<VolumeId> = instance.volumes.iter().map(|volume| volume.id.clone()).collect();
    let missing = without_snapshot(look, instance);
    let outcome = if volumes.is_empty() && instance.state.is_ending() {
        Outcome::Missing("no volume is attached now".into())
    } else if volumes.is_empty() {
        skipped("no EBS volume is attached")
    } else if look.snapshots_unread && look.attempted {
        // A set may exist: another one is not taken blindly, again and again.
        let why = skipped("whether an earlier attempt's snapshots exist could not be read");
        plan.add(Step::CreateSnapshots(CreateSnapshots { volumes }), why);
        return;
    } else if missing.len() < volumes.len() {
        // What the set does not hold, or what it was refused for, is taken by itself.
        match (&look.set_refused, missing.is_empty()) {
            (Some(refusal), _) => skipped(format!("AWS refused the set at {}: {}", refusal.at, refusal.error)),
            (None, true) => done("every volume has its snapshot"),
            (None, false) => done("the set is there"),
        }
    } else if let Some(refusal) = look.set_refused.as_ref().filter(|refusal| look.rests(Some(refusal.at))) {
        skipped(format!("AWS refused the set at {}, and it is tried again after a day: {}", refusal.at, refusal.error))
    } else if missing.iter().filter_map(|volume| look.failed(volume)).any(|(_, rests)| rests) {
        skipped("the set ended in the state error: it is tried again after a day")
    } else {
        Outcome::Planned
    };
    let singly = matches!(outcome, Outcome::Skipped(_) | Outcome::AlreadyDone(_)) && !volumes.is_empty();
    plan.add(Step::CreateSnapshots(CreateSnapshots { volumes }), outcome);
    if singly {
        plan.steps.extend(plan_single_snapshots(look, instance).steps);
    }
}

/// Plans a snapshot of each volume that has none, one by one: not of one point in time, and better than none.
#[must_use]
pub fn plan_single_snapshots(look: &EvidenceLook, instance: &Instance) -> Plan {
    let mut plan = Plan::default();
    for volume in without_snapshot(look, instance) {
        let outcome = match look.failed(&volume) {
            Some((why, true)) => skipped(format!("{}; it is tried again after a day", why.sentence())),
            Some((_, false)) | None => Outcome::Planned,
        };
        plan.add(Step::CreateSnapshot(CreateSnapshot { volume }), outcome);
    }
    plan
}

/// Plans what the snapshots still need: their lock, and the device they were attached as.
#[must_use]
pub fn plan_locks(look: &EvidenceLook, instance: &Instance, days: u32) -> Plan {
    let mut plan = Plan::default();
    for snapshot in usable(look) {
        let lock = Step::LockSnapshot(LockSnapshot { snapshot: snapshot.id.clone(), days });
        let outcome = match snapshot.locked {
            Some(true) => done("locked"),
            _ if days == 0 => skipped("BRIG_LOCK_DAYS is 0"),
            _ => Outcome::Planned,
        };
        plan.add(lock, outcome);
        if let Some(volume) = instance.volumes.iter().find(|volume| volume.id == snapshot.volume) {
            let tagged = snapshot.tags.get(DEVICE_TAG) == Some(&volume.device);
            let step = Step::TagSnapshot(TagSnapshot { snapshot: snapshot.id.clone(), device: volume.device.clone() });
            plan.add(step, if tagged { done("tagged") } else { Outcome::Planned });
        }
    }
    waive(&mut plan, look, instance);
    let sets = usable(look).filter(|snapshot| !snapshot.tags.contains_key(MEMORY_TAG));
    let sets = sets.filter(|s| instance.volumes.first().is_some_and(|v| v.id == s.volume)).count();
    if sets > 1 {
        plan.note(Note::SnapshotSets(sets));
    }
    plan
}

pub(crate) fn usable(look: &EvidenceLook) -> impl Iterator<Item = &Snapshot> {
    look.snapshots.iter().filter(|snapshot| snapshot.state != "error")
}

pub(crate) fn without_snapshot(look: &EvidenceLook, instance: &Instance) -> Vec<VolumeId> {
    let kept: BTreeSet<&VolumeId> = usable(look).map(|snapshot| &snapshot.volume).collect();
    instance.volumes.iter().map(|volume| &volume.id).filter(|id| !kept.contains(id)).cloned().collect()
}

#[cfg(test)]
mod tests;
