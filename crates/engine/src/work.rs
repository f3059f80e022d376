//! One attempt at one containment: what its lanes share, and the one way in which any of them records, runs and
//! finishes steps.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    ops::Deref,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use brig_core::{
    decide::Asks,
    ledger::{Containment, Named, StepEnd, StepRecord},
    model::{
        Instance,
        gap::{Gap, Subject},
        ids::{ContainmentId, EniId, InstanceId, TargetKey},
        text::Sentence,
        timestamp::Timestamp,
    },
    report::fact::Fact,
    settings::Policy,
    step::{Denial, Detail, Failure, Isolate, Lane, Note, Outcome, Plan, Planned, Step},
    trigger::Finding,
};
use futures::{StreamExt, future::Either, stream};

use crate::ports::{Clock, CloudError, ErrorKind, Ledger, PortResult};

/// What is kept to record and report once no further step is started.
pub(crate) const RESERVE: Duration = Duration::from_secs(2);
/// A lane's calls at once: enough for speed, few enough for AWS's smallest bucket (register and deregister: 20, 4 a second).
const AT_ONCE: usize = 8;

/// A step and what became of it.
#[derive(Debug, Clone)]
pub(crate) struct Done {
    pub(crate) step: Step,
    pub(crate) outcome: Outcome,
}

/// What a lane has to say at the end of an attempt.
#[derive(Debug, Default)]
pub(crate) struct LaneReport {
    pub(crate) done: Vec<Done>,
    pub(crate) notes: Vec<Note>,
    pub(crate) facts: Vec<Fact>,
    /// A read-back that does not show yet what was written, or a gap: trying again may help.
    pub(crate) look_again: bool,
}

impl LaneReport {
    pub(crate) fn is_left_over(&self) -> bool {
        self.look_again || self.done.iter().any(|done| done.outcome.is_left_over())
    }

    /// Adds follow-up work.
    pub(crate) fn add(&mut self, more: Self) {
        merge(&mut self.done, more.done);
        for note in more.notes {
            self.note(note);
        }
        self.look_again |= more.look_again;
    }

    /// What people should know of a plan.
    pub(crate) fn note_all(&mut self, plan: &Plan) {
        for note in &plan.notes {
            self.note(note.clone());
        }
    }

    /// A sentence for people, once.
    pub(crate) fn note(&mut self, note: Note) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// One attempt at an instance's containment.
pub(crate) struct Work<'a> {
    pub(crate) journal: Journal<'a>,
    pub(crate) policy: &'a Policy,
    pub(crate) finding: &'a Finding,
    /// Whose sessions findings said the instance held.
    pub(crate) named: Named,
    /// The first look's instance: its profile is gone from later ones.
    pub(crate) instance: Instance,
    /// The target groups of a long search that this invocation looked at: the instance was in none of them, or on its way
    /// out.
    pub(crate) searched: Searched,
}

impl<'a> Deref for Work<'a> {
    type Target = Journal<'a>;

    fn deref(&self) -> &Journal<'a> {
        &self.journal
    }
}

/// The steps of one attempt: their records, and the one way in which they are run.
pub(crate) struct Journal<'a> {
    pub(crate) ledger: &'a dyn Ledger,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) asks: Asks,
    pub(crate) key: TargetKey,
    pub(crate) containment: ContainmentId,
    pub(crate) deadline: Timestamp,
    /// Whose the target is, where AWS's denials name no missing grant because of that.
    pub(crate) owner: Option<Denial>,
    /// Keys of the records that this attempt found: another one's, which may be at work or dead.
    pub(crate) inherited: BTreeSet<String>,
    /// Of these, what had been done before the invocation began.
    pub(crate) held: BTreeSet<String>,
    pub(crate) records: Mutex<Vec<StepRecord>>,
    /// Steps whose intent another invocation recorded while this one was about to.
    pub(crate) overtaken: Mutex<BTreeSet<String>>,
    /// Interfaces that were found open to the world: isolating them is never held back.
    pub(crate) exposed: Mutex<BTreeSet<EniId>>,
    /// Steps that are held back, by key, and until when.
    pub(crate) held_back: Mutex<BTreeMap<String, Timestamp>>,
}

/// Target groups by ARN.
#[derive(Debug, Default)]
pub(crate) struct Searched(Mutex<BTreeSet<String>>);

impl Searched {
    pub(crate) fn has(&self, group: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(group)
    }

    pub(crate) fn add(&self, group: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(group.to_owned());
    }
}

impl Work<'_> {
    pub(crate) fn id(&self) -> &InstanceId {
        &self.instance.id
    }
}

impl<'a> Journal<'a> {
    /// Of a containment that this invocation holds, with the records that it found.
    pub(crate) fn new(
        ledger: &'a dyn Ledger,
        clock: &'a dyn Clock,
        key: TargetKey,
        current: &Containment,
        records: Vec<StepRecord>,
    ) -> Self {
        Self {
            ledger,
            clock,
            asks: Asks::Person,
            key,
            containment: current.containment.clone(),
            deadline: current.lease_until,
            owner: None,
            inherited: BTreeSet::new(),
            held: BTreeSet::new(),
            records: Mutex::new(records),
            overtaken: Mutex::default(),
            exposed: Mutex::default(),
            held_back: Mutex::default(),
        }
    }

    /// The same for an attempt at containing: what others recorded before is theirs.
    pub(crate) fn inheriting(self, asks: Asks) -> Self {
        let records = self.records();
        let held = records.iter().filter(|record| record.is_done()).map(|record| record.key.clone()).collect();
        let inherited = records.iter().map(|record| record.key.clone()).collect();
        drop(records);
        Self { asks, inherited, held, ..self }
    }

    /// The time left before the reserve begins.
    pub(crate) fn left(&self) -> Duration {
        self.deadline.since(self.clock.now()).saturating_sub(RESERVE)
    }

    /// Bounds a call by the deadline: out of time is an answer like any other.
    pub(crate) async fn within<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = PortResult<T>>,
    ) -> PortResult<T> {
        self.at_most(self.left(), operation, call).await
    }

    /// Bounds a call by a duration of its own.
    pub(crate) async fn at_most<T>(
        &self,
        most: Duration,
        operation: &'static str,
        call: impl Future<Output = PortResult<T>>,
    ) -> PortResult<T> {
        at_most(self.clock, most, operation, call).await
    }

    fn records(&self) -> MutexGuard<'_, Vec<StepRecord>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn record_of(&self, key: &str) -> Option<StepRecord> {
        self.records().iter().find(|record| record.key == key).cloned()
    }

    pub(crate) fn recorded(&self, lane: Lane) -> Vec<StepRecord> {
        let of_lane = |record: &&StepRecord| record.step.lane() == lane && !matches!(record.step, Step::GiveBack(_));
        self.records().iter().filter(of_lane).cloned().collect()
    }

    /// Whether a lane whose steps were done before looks again before it plans: what one answer did not show would be done
    /// once more, and called a repair of what nobody had undone.
    pub(crate) fn should_look_twice(&self, gaps: &[Gap]) -> bool {
        !self.held.is_empty() && gaps.iter().any(|gap| gap.retryable)
    }

    pub(crate) fn was_overtaken(&self, step: &Step) -> bool {
        self.overtaken.lock().unwrap_or_else(PoisonError::into_inner).contains(&self.key_of(step))
    }

    /// Until when a repair is held back, where it is. What stands open to the world never is.
    fn hold_back(&self, step: &Step) -> Option<Timestamp> {
        let exposed = |eni| self.exposed.lock().unwrap_or_else(PoisonError::into_inner).contains(eni);
        let exposes = step.closes_to_the_world() || matches!(step, Step::Isolate(Isolate { eni, .. }) if exposed(eni));
        // Nothing is opened but what was isolated in this attempt, and flows that began meanwhile are to end, too.
        if self.asks != Asks::Machine || exposes || matches!(step, Step::Untrack(_)) {
            return None;
        }
        let key = self.key_of(step);
        let until = self.record_of(&key)?.held_until(self.clock.now())?;
        self.held_back.lock().unwrap_or_else(PoisonError::into_inner).insert(key, until);
        Some(until)
    }

    /// Whether a step was held back in this attempt.
    pub(crate) fn is_held_back(&self, step: &Step) -> bool {
        self.held_back.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&self.key_of(step))
    }

    /// When the first of the steps that are held back is no longer; none where none is.
    pub(crate) fn held_until(&self) -> Option<Timestamp> {
        self.held_back.lock().unwrap_or_else(PoisonError::into_inner).values().min().copied()
    }

    /// The keys of all records that are known now.
    pub(crate) fn known_keys(&self) -> BTreeSet<String> {
        self.records().iter().map(|record| record.key.clone()).collect()
    }

    pub(crate) fn key_of(&self, step: &Step) -> String {
        step.key(self.key.name())
    }

    /// The records that `steps` still need; those that the ledger holds keep what they recorded first.
    pub(crate) fn missing_records<'s>(&self, steps: impl Iterator<Item = &'s Step>) -> Vec<StepRecord> {
        let now = self.clock.now();
        steps
            .filter(|step| self.record_of(&self.key_of(step)).is_none())
            .map(|step| StepRecord::intended(self.key_of(step), step.clone(), now))
            .collect()
    }

    /// Intent before effect: records every step that would change something.
    pub(crate) async fn intend(&self, plan: &Plan) -> PortResult<()> {
        let records = self.missing_records(plan.todo());
        if records.is_empty() {
            return Ok(());
        }
        let held = self.within("record", self.ledger.record(&self.key, &self.containment, &records)).await?;
        self.overtaken.lock().unwrap_or_else(PoisonError::into_inner).extend(held);
        self.records().extend(records);
        Ok(())
    }

    /// Runs a plan's steps at once, each bounded by the deadline, once their intent is on record.
    pub(crate) async fn run<F>(&self, plan: &Plan, effect: impl Fn(Step) -> F) -> Vec<Done>
    where
        F: Future<Output = Outcome>,
    {
        self.run_if(&self.intend(plan).await, plan, effect).await
    }

    /// Runs a plan's steps whose intent was recorded with this answer.
    pub(crate) async fn run_if<F>(&self, intent: &PortResult<()>, plan: &Plan, effect: impl Fn(Step) -> F) -> Vec<Done>
    where
        F: Future<Output = Outcome>,
    {
        let effect = &effect;
        stream::iter(plan.steps.clone())
            .map(|Planned { step, outcome }| async move {
                let outcome = match (outcome, intent) {
                    (Outcome::Planned, Err(error)) => Outcome::Failed(Failure { error: Sentence::new(format_args!("not started, since its intent could not be recorded: {error}")), retryable: error.is_retryable(), denial: None }),
                    (Outcome::Planned, Ok(())) => match self.hold_back(&step) {
                        Some(until) => Outcome::Skipped(format!(
                            "repaired three times within the last hour; the next repair is held back until {until}, unless a person orders it"
                        ).into()),
                        None => self.owned(self.bounded(effect(step.clone())).await),
                    },
                    (settled, _) => self.settle(&step, settled),
                };
                Done { step, outcome }
            })
            .buffered(AT_ONCE)
            .collect()
            .await
    }

    /// A denial on a node of EKS Auto Mode is EKS's, whatever words EC2 has for it.
    fn owned(&self, outcome: Outcome) -> Outcome {
        let Outcome::Failed(failure) = outcome else { return outcome };
        let owned = |denial: Denial| if denial.is_missing_grant() { self.owner.unwrap_or(denial) } else { denial };
        let denial = failure.denial.map(owned);
        Outcome::Failed(Failure { denial, ..failure })
    }

    /// Effects end with the deadline: an effect in flight then is on record as intended and is looked at again later.
    async fn bounded(&self, effect: impl Future<Output = Outcome>) -> Outcome {
        let late = || failed_out_of_time();
        let left = self.left();
        if left.is_zero() {
            return late();
        }
        let effect = std::pin::pin!(effect);
        match futures::future::select(effect, self.clock.sleep(left)).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(((), _)) => late(),
        }
    }

    /// What is found done although its record has no end is the work of an attempt that died or lost AWS's answer.
    fn settle(&self, step: &Step, settled: Outcome) -> Outcome {
        let Outcome::AlreadyDone(detail) = &settled else { return settled };
        match self.record_of(&self.key_of(step)).map(|record| record.outcome) {
            Some(None | Some(Outcome::Failed(_))) => Outcome::Changed(Detail {
                words: Sentence::new(format_args!("{detail}; by an earlier attempt")),
                ..detail.clone()
            }),
            Some(Some(_)) | None => settled,
        }
    }

    /// Records what steps found, while other work continues. Says whether all of it is on record.
    pub(crate) async fn finish(&self, done: &[Done]) -> bool {
        let now = self.clock.now();
        let ended = done.iter().filter_map(|done| {
            let key = self.key_of(&done.step);
            let record = self.record_of(&key)?;
            // A repeat that finds nothing to do does not replace the outcome of the attempt that did it.
            let settled = matches!(done.outcome, Outcome::AlreadyDone(_) | Outcome::Skipped(_) | Outcome::Missing(_));
            if record.outcome.is_some() && settled {
                return None;
            }
            // Done before this attempt, and done again: somebody had undone it.
            let changed = |outcome: &Outcome| matches!(outcome, Outcome::Changed(_) | Outcome::AlreadyDone(_));
            let repair = self.inherited.contains(&key)
                && matches!(done.outcome, Outcome::Changed(_))
                && record.outcome.as_ref().is_some_and(changed);
            // Only repairs among machines count: a person may order as many as it takes.
            let repairs = if repair && self.asks == Asks::Machine { record.repaired(now) } else { Vec::new() };
            Some(StepEnd { key, outcome: done.outcome.clone(), at: now, repairs })
        });
        let ended: Vec<StepEnd> = ended.collect();
        if ended.is_empty() {
            return true;
        }
        if let Err(error) = self.ledger.finish(&self.key, &self.containment, &ended).await {
            let keys = ended.iter().map(|end| end.key.as_str()).collect::<Vec<_>>().join(", ");
            tracing::warn!(steps = %keys, %error, "outcomes are not on record: {keys}");
            return false;
        }
        let mut records = self.records();
        for end in ended {
            if let Some(record) = records.iter_mut().find(|record| record.key == end.key) {
                record.outcome = Some(end.outcome);
                record.finished_at = Some(end.at);
            }
        }
        true
    }

    /// Steps of a lane that are on record but in no plan of this attempt: where the lane could see everything, nothing is
    /// left of them to do. `complete` says whether it could.
    pub(crate) fn recap(&self, lane: Lane, report: &mut LaneReport, complete: bool) {
        for record in self.recorded(lane) {
            // A next step that took the place of another one, at other numbers say, speaks for both.
            let stands_for = |done: &Done| {
                self.key_of(&done.step) == record.key
                    || (record.step.is_escalation()
                        && done.step.name() == record.step.name()
                        && same_resource(&done.step, &record.step))
            };
            if report.done.iter().any(stands_for) {
                continue;
            }
            let ended = record.is_done();
            let on_interface = matches!(record.step, Step::Isolate(_) | Step::Untrack(_));
            let outcome = if ended {
                Outcome::AlreadyDone(format!("recorded {}", record.recorded_at).into())
            } else if record.step.is_escalation() {
                Outcome::Skipped("intended, not seen to be done, and no longer planned".into())
            } else if complete && on_interface {
                Outcome::Missing("the interface is no longer attached to the instance".into())
            } else if complete {
                self.settle(&record.step, Outcome::AlreadyDone("nothing is left to do".into()))
            } else {
                Outcome::Failed(Failure::passing("intended, and whether it took effect could not be seen"))
            };
            report.done.push(Done { step: record.step, outcome });
        }
    }
}

/// Repeats a call while AWS does not find what Brig has just made: EC2's reads lag its writes.
pub(crate) async fn eventually<T, F>(clock: &dyn Clock, mut call: impl FnMut() -> F) -> PortResult<T>
where
    F: Future<Output = PortResult<T>>,
{
    let mut pause = Duration::from_millis(100);
    loop {
        match call().await {
            Err(error) if error.kind == ErrorKind::NotFound && pause < Duration::from_secs(2) => {
                clock.sleep(pause).await;
                pause *= 2;
            }
            answer => return answer,
        }
    }
}

fn failed_out_of_time() -> Outcome {
    Outcome::Failed(Failure::passing("not finished: the invocation is nearly out of time"))
}

/// The outcome of a step whose call failed. Why it was denied is kept as a value: what helps depends on it.
pub(crate) fn failed(error: &CloudError) -> Outcome {
    Outcome::Failed(failure(error))
}

/// The outcome of a change of an attribute or a tag. What AWS does not take for this resource, whoever asks and however
/// often, costs the step and nothing else: it is skipped, and no later verification counts it as lacking.
pub(crate) fn applied(answer: PortResult<()>, changed: impl Into<Detail>, missing: &str) -> Outcome {
    match answer {
        Ok(()) => Outcome::Changed(changed.into()),
        Err(error) if error.kind == ErrorKind::NotFound => Outcome::Missing(missing.into()),
        Err(error) if matches!(error.kind, ErrorKind::Unsupported | ErrorKind::LimitReached) => {
            Outcome::Skipped(format!("AWS does not support this here: {error}").into())
        }
        Err(error) => failed(&error),
    }
}

pub(crate) fn failure(error: &CloudError) -> Failure {
    Failure { error: Sentence::new(error), retryable: error.is_retryable(), denial: error.denial() }
}

/// The outcome of a step on something that Brig made or saw a moment ago and AWS does not find: it will.
pub(crate) fn failed_for_now(error: &CloudError) -> Outcome {
    Outcome::Failed(Failure { retryable: true, ..failure(error) })
}

/// Something that could not be read.
pub(crate) fn gap(what: Subject, error: &CloudError) -> Gap {
    Gap { what, error: Sentence::new(failure(error)), retryable: error.is_retryable() }
}

/// Keeps the newest outcome of each step, in the order in which steps first appeared.
pub(crate) fn merge(done: &mut Vec<Done>, newer: Vec<Done>) {
    for new in newer {
        match done.iter_mut().find(|old| old.step.name() == new.step.name() && same_resource(&old.step, &new.step)) {
            // What this attempt changed stays changed in its report, though a later look finds it done.
            Some(old)
                if matches!(old.outcome, Outcome::Changed(_))
                    && (matches!(new.outcome, Outcome::AlreadyDone(_))
                        || matches!((&new.step, &new.outcome), (Step::GiveBack(_), Outcome::Missing(_)))) => {}
            Some(old) => *old = new,
            None => done.push(new),
        }
    }
}

fn same_resource(a: &Step, b: &Step) -> bool {
    a.resource("") == b.resource("")
}

/// Bounds a call: out of time is an answer like any other.
pub(crate) async fn at_most<T>(
    clock: &dyn Clock,
    most: Duration,
    operation: &'static str,
    call: impl Future<Output = PortResult<T>>,
) -> PortResult<T> {
    let call = std::pin::pin!(call);
    match futures::future::select(call, clock.sleep(most)).await {
        Either::Left((answer, _)) => answer,
        Either::Right(((), _)) => Err(CloudError {
            operation,
            kind: ErrorKind::Transient,
            code: "OutOfTime".to_owned(),
            message: format!("no answer within {} ms", most.as_millis()),
        }),
    }
}
