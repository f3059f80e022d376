//! The evidence lane's effects. Plans come from `brig_core::lanes::evidence`.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use brig_core::{
    decide::Asks,
    lanes::evidence,
    model::{
        EvidenceLook, Instance, Snapshot,
        gap::Subject,
        ids::{ContainmentId, SnapshotId, VolumeId},
        tags::CONTAINMENT_TAG,
        text::Sentence,
    },
    report::fact::{self, Truth},
    step::{CreateSnapshot, Lane, Note, Outcome, Plan, Step, TagInstance},
};

use crate::{
    effects::{self, Room},
    ports::{Attribute, ErrorKind, EvidencePorts, PortResult, Snapshots, Tags},
    stable::{self, PAUSES, Shown},
    work::{Done, LaneReport, Work, gap, merge},
};

/// How long a snapshot set whose answer may have been lost is looked for before another is taken.
pub(crate) const LOST_ANSWER: Duration = Duration::from_secs(15);

pub(crate) async fn run(work: &Work<'_>, cloud: &dyn EvidencePorts) -> LaneReport {
    let mut report = LaneReport::default();
    let mut seen = look(cloud, &work.instance, Some(&work.containment)).await;
    if work.should_look_twice(&seen.gaps) {
        seen = look(cloud, &work.instance, Some(&work.containment)).await;
    }
    seen.remember(&work.recorded(Lane::Evidence), work.clock.now());
    if !matches!(work.asks, Asks::Machine) {
        seen.rest = Some(evidence::REST_OF_AN_ORDER);
    }
    seen.attempted = attempted(work);
    let begun = begun(work);
    if seen.may_be_lost(&begun) {
        find_lost(work, cloud, &mut seen, &begun).await;
    }
    let mut plan = evidence::plan(&seen, &work.instance, &work.containment);
    let intent = work.intend(&plan).await;
    if plan.todo().any(|step| is_snapshot(step) && work.was_overtaken(step)) {
        // The same event, delivered twice at the same time: the other one is taking the snapshots.
        find_lost(work, cloud, &mut seen, &taken_by(&plan)).await;
        plan = evidence::plan(&seen, &work.instance, &work.containment);
    }
    report.note_all(&plan);
    let made = Made::default();
    let mut done = work.run_if(&intent, &plan, |step| effect(work, cloud, step, &made)).await;
    seen.snapshots.extend(made.take());
    if done.iter().any(|done| matches!(&done.step, Step::CreateSnapshots(_)) && made.goes_one_by_one(done)) {
        done.extend(one_by_one(work, cloud, &mut seen, &made).await);
    }

    let locks = evidence::plan_locks(&seen, &work.instance, work.policy.lock_days);
    report.note_all(&locks);
    let (first, locked) = futures::join!(work.finish(&done), run_locks(work, cloud, &locks, &made));
    // A step that the brake held back is skipped too: only what AWS did not take is waived.
    let snapshots = done.iter().filter(|done| is_snapshot(&done.step));
    seen.found(snapshots.map(|done| (&done.step, &done.outcome, work.key_of(&done.step))));
    seen.waived.extend(made.waived());
    for note in done.iter().filter_map(untagged) {
        report.note(note);
    }
    merge(&mut report.done, done);
    let (second, (mut after, instance)) = futures::join!(work.finish(&locked), read_back(work, cloud, &seen));
    merge(&mut report.done, locked);
    for snapshot in &seen.snapshots {
        if !after.snapshots.iter().any(|found| found.id == snapshot.id) {
            after.snapshots.push(Snapshot { locked: None, ..snapshot.clone() });
        }
    }
    report.facts = fact::evidence::facts(&after, &instance, &work.containment, work.policy.lock_days);
    let refused = |done: &Done| is_snapshot(&done.step) && !done.outcome.is_left_over();
    report.look_again |= !(first && second) || after.gaps.iter().any(|gap| gap.retryable);
    let settled = |done: &Done| refused(done) || !matches!(done.outcome, Outcome::Failed(_));
    if report.done.iter().all(|done| settled(done) && !work.is_held_back(&done.step)) {
        report.look_again |= brig_core::report::fact::not_yet_visible(&mut report.facts);
    }
    let complete = after.gaps.is_empty();
    work.recap(Lane::Evidence, &mut report, complete);
    report
}

/// Reads the instance's protections and, of a containment, its snapshots.
pub(crate) async fn look(
    cloud: &dyn EvidencePorts,
    instance: &Instance,
    containment: Option<&ContainmentId>,
) -> EvidenceLook {
    let mut seen = EvidenceLook::default();
    let snapshots = async {
        match containment {
            Some(id) => cloud.describe_snapshots_tagged(CONTAINMENT_TAG, id.as_str()).await,
            None => Ok(Vec::new()),
        }
    };
    let attribute = |attribute| cloud.describe_instance_attribute(&instance.id, attribute);
    let (termination, stop, shutdown, scheduled, snapshots) = futures::join!(
        attribute(Attribute::DisableApiTermination),
        attribute(Attribute::DisableApiStop),
        attribute(Attribute::ShutdownBehavior),
        cloud.describe_scheduled_events(&instance.id),
        snapshots
    );
    let mut gaps = Vec::new();
    let mut read = |what: Subject, answer: PortResult<String>| match answer {
        Ok(value) => Some(value),
        // Attributes of an instance that has just gone are no gap: there is nothing left to protect. Nor is one that its
        // type does not have.
        Err(error) if error.kind == ErrorKind::NotFound && instance.state.is_ending() => None,
        Err(error) if error.kind == ErrorKind::Unsupported => None,
        Err(error) => {
            gaps.push(gap(what, &error));
            None
        }
    };
    seen.termination_protection = read(Subject::TerminationProtection, termination).map(|value| value == "true");
    seen.stop_protection = read(Subject::StopProtection, stop).map(|value| value == "true");
    seen.shutdown_behavior = read(Subject::ShutdownBehavior, shutdown);
    // What is scheduled is said, and promised by nobody: unread, it is no gap.
    seen.scheduled = scheduled.unwrap_or_default();
    match snapshots {
        Ok(snapshots) => seen.snapshots = snapshots,
        Err(error) => {
            seen.snapshots_unread = true;
            gaps.push(gap(Subject::Snapshots, &error));
        }
    }
    if let Err(error) = read_locks(cloud, &mut seen.snapshots).await {
        gaps.push(gap(Subject::SnapshotLocks, &error));
    }
    seen.gaps = gaps;
    seen
}

/// Reads which of the snapshots are locked; where that cannot be read it stays unknown.
async fn read_locks(cloud: &dyn Snapshots, snapshots: &mut [Snapshot]) -> PortResult<()> {
    let ids: Vec<SnapshotId> = snapshots.iter().map(|snapshot| snapshot.id.clone()).collect();
    if !ids.is_empty() {
        let locked = cloud.describe_locked_snapshots(&ids).await?;
        for snapshot in snapshots {
            snapshot.locked = Some(locked.contains(&snapshot.id));
        }
    }
    Ok(())
}

/// Whether an attempt before this one recorded that it would take snapshots.
fn attempted(work: &Work<'_>) -> bool {
    work.recorded(Lane::Evidence)
        .iter()
        .any(|record| matches!(record.step, Step::CreateSnapshots(_)) && work.inherited.contains(&record.key))
}

/// Volumes of which an attempt before this one began a snapshot by itself and did not live to record how that ended.
fn begun(work: &Work<'_>) -> Vec<VolumeId> {
    let open = work
        .recorded(Lane::Evidence)
        .into_iter()
        .filter(|record| work.inherited.contains(&record.key) && record.may_have_happened() && !record.is_done());
    open.filter_map(
        |record| if let Step::CreateSnapshot(CreateSnapshot { volume }) = record.step { Some(volume) } else { None },
    )
    .collect()
}

fn is_snapshot(step: &Step) -> bool {
    matches!(step, Step::CreateSnapshots(_) | Step::CreateSnapshot(_))
}

/// The volumes that a plan takes one by one.
fn taken_by(plan: &Plan) -> Vec<VolumeId> {
    let volume = |step: &Step| {
        if let Step::CreateSnapshot(CreateSnapshot { volume }) = step { Some(volume.clone()) } else { None }
    };
    plan.todo().filter_map(volume).collect()
}

/// CreateSnapshots has no client token. Where an earlier attempt recorded the intent, its set may exist although its
/// answer was lost and AWS does not list it yet: it is waited for, since a second set is allowed but not wanted.
///
/// ```text
/// first attempt  |-- intent on record --|-- CreateSnapshots --x   it dies, or the answer is lost
/// EC2                                       |-- makes the set --|-- lists it, seconds later --
/// next attempt                                 |-- intent, no set: list again ... --|-- found by its tag
/// ```
///
/// Where it is not found in time, another set is taken, and a note says that there may be two.
async fn find_lost(work: &Work<'_>, cloud: &dyn Snapshots, seen: &mut EvidenceLook, begun: &[VolumeId]) {
    if work.instance.volumes.is_empty() {
        return;
    }
    let until = work.clock.now().after(LOST_ANSWER);
    let lost = |seen: &EvidenceLook| seen.snapshots.is_empty() || seen.may_be_lost(begun);
    while lost(seen) && work.clock.now() < until && work.left() > Duration::from_secs(10) {
        work.clock.sleep(Duration::from_secs(1)).await;
        match cloud.describe_snapshots_tagged(CONTAINMENT_TAG, work.containment.as_str()).await {
            Ok(found) => {
                seen.snapshots = found;
                seen.snapshots_unread = false;
            }
            Err(error) if error.is_retryable() => {}
            Err(_) => return,
        }
    }
}

/// That an instance could not be tagged is nothing that anybody can mend by granting something: it is said.
fn untagged(done: &Done) -> Option<Note> {
    match (&done.step, &done.outcome) {
        (Step::TagInstance(TagInstance), Outcome::Skipped(why)) => Some(Note::NotTagged(why.words.clone())),
        _ => None,
    }
}

async fn run_locks(work: &Work<'_>, cloud: &dyn EvidencePorts, locks: &Plan, made: &Made) -> Vec<Done> {
    work.run(locks, |step| effect(work, cloud, step, made)).await
}

/// Snapshots that were made, whether the set was refused in a way that single volumes may not be, and the steps (by their
/// keys) that AWS does not take.
#[derive(Default)]
pub(crate) struct Made {
    snapshots: Mutex<Vec<Snapshot>>,
    refused: Mutex<bool>,
    waived: Mutex<BTreeMap<String, Sentence>>,
}

impl Made {
    pub(crate) fn add(&self, made: impl IntoIterator<Item = Snapshot>) {
        self.snapshots.lock().unwrap_or_else(PoisonError::into_inner).extend(made);
    }

    fn take(&self) -> Vec<Snapshot> {
        std::mem::take(&mut self.snapshots.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn refuse(&self) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }

    fn waive(&self, key: String, why: &Sentence) {
        self.waived.lock().unwrap_or_else(PoisonError::into_inner).insert(key, why.clone());
    }

    fn waived(&self) -> BTreeMap<String, Sentence> {
        self.waived.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn goes_one_by_one(&self, done: &Done) -> bool {
        matches!(done.outcome, Outcome::Failed(_)) && *self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The set was refused: one volume may be the reason, and the others are taken by themselves.
async fn one_by_one(work: &Work<'_>, cloud: &dyn EvidencePorts, seen: &mut EvidenceLook, made: &Made) -> Vec<Done> {
    let mut plan = evidence::plan_single_snapshots(seen, &work.instance);
    let intent = work.intend(&plan).await;
    if plan.todo().any(|step| work.was_overtaken(step)) {
        find_lost(work, cloud, seen, &taken_by(&plan)).await;
        plan = evidence::plan_single_snapshots(seen, &work.instance);
    }
    let done = work.run_if(&intent, &plan, |step| effect(work, cloud, step, made)).await;
    seen.snapshots.extend(made.take());
    done
}

async fn effect(work: &Work<'_>, cloud: &dyn EvidencePorts, step: Step, made: &Made) -> Outcome {
    let key = work.key_of(&step);
    let outcome = effects::run(&step, Room::Evidence(effects::Evidence { work, cloud, made })).await;
    if let Outcome::Skipped(why) = &outcome {
        made.waive(key, &why.words);
    }
    outcome
}

/// What snapshots are tagged with.
pub(crate) fn tags(work: &Work<'_>) -> Tags {
    [
        (CONTAINMENT_TAG.to_owned(), work.containment.to_string()),
        ("brig:instance".to_owned(), work.id().to_string()),
        ("brig:finding".to_owned(), tag_value(&work.finding.id)),
    ]
    .into()
}

/// Snapshots and their volumes, for a person.
pub(crate) fn listed(snapshots: &[Snapshot]) -> String {
    let each = snapshots.iter().map(|snapshot| format!("{} of {}", snapshot.id, snapshot.volume));
    each.collect::<Vec<_>>().join(", ")
}

/// A snapshot of each volume by itself, where AWS refuses a set that nothing waits for: what was made, and what was not.
pub(crate) async fn each_by_itself(
    work: &Work<'_>,
    cloud: &dyn Snapshots,
    text: &str,
    tags: &Tags,
) -> (Vec<Snapshot>, Vec<String>) {
    let calls = work.instance.volumes.iter().map(|volume| async move {
        let answer = cloud.create_snapshot(&volume.id, text, tags).await;
        answer.map_err(|error| format!("{}: {error}", volume.id))
    });
    let (mut made, mut not) = (Vec::new(), Vec::new());
    for answer in futures::future::join_all(calls).await {
        match answer {
            Ok(snapshot) => made.push(snapshot),
            Err(why) => not.push(why),
        }
    }
    (made, not)
}

/// AWS takes letters, digits, spaces and `_.:/=+-@` in tag values, 256 characters at most.
fn tag_value(text: &str) -> String {
    text.chars().map(|c| if c.is_alphanumeric() || " _.:/=+-@".contains(c) { c } else { '_' }).take(256).collect()
}

async fn read_back(work: &Work<'_>, cloud: &dyn EvidencePorts, before: &EvidenceLook) -> (EvidenceLook, Instance) {
    stable::read_back(work, &PAUSES, async || {
        let (mut seen, instance) = futures::join!(
            look(cloud, &work.instance, Some(&work.containment)),
            work.within("DescribeInstances", cloud.describe_instance(work.id()))
        );
        let instance = match instance {
            Ok(Some(instance)) => instance,
            Ok(None) => work.instance.clone(),
            Err(error) => {
                seen.gaps.push(gap(Subject::Volumes, &error));
                work.instance.clone()
            }
        };
        let listed = before.snapshots.iter().all(|old| seen.snapshots.iter().any(|new| new.id == old.id));
        seen.now = before.now;
        seen.set_refused.clone_from(&before.set_refused);
        seen.refused.clone_from(&before.refused);
        seen.waived.clone_from(&before.waived);
        let facts = fact::evidence::facts(&seen, &instance, &work.containment, work.policy.lock_days);
        // What does not hold for a reason will not hold in a moment.
        let settled = listed && facts.iter().all(|fact| fact.truth != Truth::No || fact.why.is_some());
        Shown::when(settled, (seen, instance))
    })
    .await
}
