//! The evidence lane's effects. Plans come from `brig_core::plan::evidence`.

use std::time::Duration;

use brig_core::{
    ids::{ContainmentId, SnapshotId},
    plan::{Plan, evidence},
    policy::CONTAINMENT_TAG,
    step::{Lane, Outcome, Step},
    survey::{EvidenceLook, Instance, Snapshot},
    verdict::Truth,
};

use crate::{
    ports::{Answer, Attribute, AttributeChange, Cloud, ErrorKind, Tags},
    work::{LaneReport, Work, eventually, failed, failed_for_now, gap, merge},
};

/// How long a snapshot set whose answer may have been lost is looked for before another is taken.
pub(crate) const LOST_ANSWER: Duration = Duration::from_secs(15);

pub(crate) async fn run(work: &Work<'_>, cloud: &dyn Cloud) -> LaneReport {
    let mut report = LaneReport::default();
    let mut seen = look(cloud, &work.instance, Some(&work.containment)).await;
    seen.attempted = attempted(work);
    if seen.attempted {
        find_lost_set(work, cloud, &mut seen).await;
    }
    let mut plan = evidence::plan(&seen, &work.instance, &work.containment);
    let intent = work.intend(&plan).await;
    if plan.todo().any(|step| matches!(step, Step::CreateSnapshots { .. }) && work.was_overtaken(step)) {
        // The same event, delivered twice at the same time: the other one is taking the set.
        find_lost_set(work, cloud, &mut seen).await;
        plan = evidence::plan(&seen, &work.instance, &work.containment);
    }
    report.note_all(&plan);
    let made = std::sync::Mutex::new(Vec::new());
    let done = work.run_if(&intent, &plan, |step| effect(work, cloud, step, &made)).await;
    seen.snapshots.extend(made.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner));

    let locks = evidence::plan_locks(&seen, &work.instance, work.policy.lock_days);
    report.note_all(&locks);
    let (first, locked) = futures::join!(work.finish(&done), run_locks(work, cloud, &locks));
    merge(&mut report.done, done);
    let (second, (mut after, instance)) = futures::join!(work.finish(&locked), read_back(work, cloud, &seen));
    merge(&mut report.done, locked);
    for snapshot in &seen.snapshots {
        if !after.snapshots.iter().any(|found| found.id == snapshot.id) {
            after.snapshots.push(Snapshot { locked: None, ..snapshot.clone() });
        }
    }
    report.facts = evidence::facts(&after, &instance, &work.containment, work.policy.lock_days);
    report.look_again |= !(first && second) || after.gaps.iter().any(|gap| gap.retryable);
    if report.done.iter().all(|done| !matches!(done.outcome, Outcome::Failed(_)) && !work.is_held_back(&done.step)) {
        report.look_again |= brig_core::verdict::not_yet_visible(&mut report.facts);
    }
    let complete = after.gaps.is_empty();
    work.recap(Lane::Evidence, &mut report, complete);
    report
}

/// Reads the instance's protections and, of a containment, its snapshots.
pub(crate) async fn look(cloud: &dyn Cloud, instance: &Instance, containment: Option<&ContainmentId>) -> EvidenceLook {
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
    let mut read = |what: &str, answer: Answer<String>| match answer {
        Ok(value) => Some(value),
        // Attributes of an instance that has just gone are no gap: there is nothing left to protect.
        Err(error) if error.kind == ErrorKind::NotFound && instance.state.is_ending() => None,
        Err(error) => {
            gaps.push(gap(what, &error));
            None
        }
    };
    seen.termination_protection = read("termination protection", termination).map(|value| value == "true");
    seen.stop_protection = read("stop protection", stop).map(|value| value == "true");
    seen.shutdown_behavior = read("shutdown behaviour", shutdown);
    // What is scheduled is said, and promised by nobody: unread, it is no gap.
    seen.scheduled = scheduled.unwrap_or_default();
    match snapshots {
        Ok(snapshots) => seen.snapshots = snapshots,
        Err(error) => {
            seen.snapshots_unread = true;
            gaps.push(gap("the snapshots", &error));
        }
    }
    if let Err(error) = read_locks(cloud, &mut seen.snapshots).await {
        gaps.push(gap("the snapshots' locks", &error));
    }
    seen.gaps = gaps;
    seen
}

/// Reads which of the snapshots are locked; where that cannot be read it stays unknown.
async fn read_locks(cloud: &dyn Cloud, snapshots: &mut [Snapshot]) -> Answer<()> {
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
        .any(|record| matches!(record.step, Step::CreateSnapshots { .. }) && work.inherited.contains(&record.key))
}

/// CreateSnapshots has no client token. Where an earlier attempt recorded the intent, its set may exist although its
/// answer was lost and AWS does not list it yet: it is waited for, since a second set is allowed but not wanted.
async fn find_lost_set(work: &Work<'_>, cloud: &dyn Cloud, seen: &mut EvidenceLook) {
    if work.instance.volumes.is_empty() {
        return;
    }
    let until = work.clock.now().after(LOST_ANSWER);
    while seen.snapshots.is_empty() && work.clock.now() < until && work.left() > Duration::from_secs(10) {
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

async fn run_locks(work: &Work<'_>, cloud: &dyn Cloud, locks: &Plan) -> Vec<crate::work::Done> {
    let unused = std::sync::Mutex::new(Vec::new());
    work.run(locks, |step| effect(work, cloud, step, &unused)).await
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a lane runs the steps of its own plan only")]
async fn effect(work: &Work<'_>, cloud: &dyn Cloud, step: Step, made: &std::sync::Mutex<Vec<Snapshot>>) -> Outcome {
    let modify =
        async |change: AttributeChange, was: String| match cloud.modify_instance_attribute(work.id(), &change).await {
            Ok(()) => Outcome::Changed(was),
            Err(error) if error.kind == ErrorKind::NotFound => Outcome::Missing("the instance is gone".to_owned()),
            Err(error) => failed(&error),
        };
    match &step {
        Step::ProtectTermination { .. } => {
            modify(AttributeChange::DisableApiTermination(true), "was off".to_owned()).await
        }
        Step::ProtectStop { .. } => modify(AttributeChange::DisableApiStop(true), "was off".to_owned()).await,
        Step::StopOnShutdown { was } => {
            modify(AttributeChange::ShutdownBehavior("stop".to_owned()), format!("was {was}")).await
        }
        Step::DisableAutoRecovery { was } => match cloud.set_auto_recovery(work.id(), "disabled").await {
            Ok(()) => Outcome::Changed(format!("was {was}")),
            Err(error) if error.kind == ErrorKind::NotFound => Outcome::Missing("the instance is gone".to_owned()),
            Err(error) => failed(&error),
        },
        Step::KeepVolumes { was } => {
            let devices = was.iter().map(|(device, _)| (device.clone(), false)).collect();
            let names: Vec<&str> = was.iter().map(|(_, volume)| volume.as_str()).collect();
            modify(
                AttributeChange::DeleteOnTermination(devices),
                format!("{} would have been deleted at termination", names.join(", ")),
            )
            .await
        }
        Step::CreateSnapshots { .. } => create_snapshots(work, cloud, made).await,
        Step::LockSnapshot { snapshot, days } => {
            match eventually(work.clock, || cloud.lock_snapshot(snapshot, *days)).await {
                Ok(()) => Outcome::Changed(format!("governance, {days} days")),
                Err(error) if error.kind == ErrorKind::NotFound => failed_for_now(&error),
                Err(error) => failed(&error),
            }
        }
        Step::TagSnapshot { snapshot, device } => {
            let tags: Tags = [(evidence::DEVICE_TAG.to_owned(), device.clone())].into();
            match eventually(work.clock, || cloud.create_tags(snapshot.as_str(), &tags)).await {
                Ok(()) => Outcome::Changed(device.clone()),
                Err(error) if error.kind == ErrorKind::NotFound => failed_for_now(&error),
                Err(error) => failed(&error),
            }
        }
        Step::TagInstance => {
            let tags: Tags = [
                (CONTAINMENT_TAG.to_owned(), work.containment.to_string()),
                (evidence::STATE_TAG.to_owned(), "containing".to_owned()),
            ]
            .into();
            match cloud.create_tags(work.id().as_str(), &tags).await {
                Ok(()) => Outcome::Changed(String::new()),
                Err(error) => failed(&error),
            }
        }
        _ => Outcome::Skipped("no step of the evidence lane".to_owned()),
    }
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

async fn create_snapshots(work: &Work<'_>, cloud: &dyn Cloud, made: &std::sync::Mutex<Vec<Snapshot>>) -> Outcome {
    let tags = tags(work);
    let description = format!("Brig: evidence of {}", work.containment);
    match cloud.create_snapshots(work.id(), &description, &tags).await {
        Ok(snapshots) => {
            let shown = listed(&snapshots);
            made.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(snapshots);
            Outcome::Changed(shown)
        }
        // An instance that ends is none that AWS takes a set of; its volumes are there for a moment yet.
        Err(error) if work.instance.state.is_ending() && error.kind != ErrorKind::Denied => {
            one_by_one(work, cloud, &description, &tags, made).await
        }
        Err(error) if error.kind == ErrorKind::NotFound => Outcome::Missing("the instance is gone".to_owned()),
        Err(error) => failed(&error),
    }
}

/// A snapshot of each volume by itself: not of one point in time, and better than none.
async fn one_by_one(
    work: &Work<'_>,
    cloud: &dyn Cloud,
    description: &str,
    tags: &Tags,
    made: &std::sync::Mutex<Vec<Snapshot>>,
) -> Outcome {
    let calls = work.instance.volumes.iter().map(|volume| cloud.create_snapshot(&volume.id, description, tags));
    let mut shown = Vec::new();
    let mut last = None;
    for answer in futures::future::join_all(calls).await {
        match answer {
            Ok(snapshot) => {
                shown.push(format!("{} of {}", snapshot.id, snapshot.volume));
                made.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(snapshot);
            }
            Err(error) => last = Some(error),
        }
    }
    match last {
        Some(error) if shown.is_empty() => failed(&error),
        Some(error) => Outcome::Changed(format!("one by one: {}; not all: {error}", shown.join(", "))),
        None => Outcome::Changed(format!("one by one, not of one point in time: {}", shown.join(", "))),
    }
}

/// AWS takes letters, digits, spaces and `_.:/=+-@` in tag values, 256 characters at most.
fn tag_value(text: &str) -> String {
    text.chars().map(|c| if c.is_alphanumeric() || " _.:/=+-@".contains(c) { c } else { '_' }).take(256).collect()
}

async fn read_back(work: &Work<'_>, cloud: &dyn Cloud, before: &EvidenceLook) -> (EvidenceLook, Instance) {
    let mut pauses = [200, 400, 800, 1600].into_iter();
    loop {
        let (mut seen, instance) = futures::join!(
            look(cloud, &work.instance, Some(&work.containment)),
            work.within("DescribeInstances", cloud.describe_instance(work.id()))
        );
        let instance = match instance {
            Ok(Some(instance)) => instance,
            Ok(None) => work.instance.clone(),
            Err(error) => {
                seen.gaps.push(gap("the volumes", &error));
                work.instance.clone()
            }
        };
        let listed = before.snapshots.iter().all(|old| seen.snapshots.iter().any(|new| new.id == old.id));
        let facts = evidence::facts(&seen, &instance, &work.containment, work.policy.lock_days);
        let settled = listed && facts.iter().all(|fact| fact.truth != Truth::No);
        match pauses.next() {
            Some(pause) if !settled && work.left().as_secs() > 5 => {
                work.clock.sleep(Duration::from_millis(pause)).await;
            }
            _ => return (seen, instance),
        }
    }
}
