//! Stopping the instance, where a person or a rule asks for that. Plans come from `brig_core::plan::stop`.

use std::time::Duration;

use brig_core::{
    ledger::StepRecord,
    plan::{
        Plan,
        stop::{self, MEMORY_TAG},
    },
    policy::CONTAINMENT_TAG,
    step::{Lane, Outcome, SnapshotMemory, Step, StopInstance},
    survey::{Instance, InstanceState, Snapshot},
};

use crate::{
    lanes::evidence::{self, LOST_ANSWER},
    ports::{Attribute, AttributeChange, ErrorKind, EvidencePorts, Instances, Snapshots},
    reports::Reports,
    work::{LaneReport, Work, failed},
};

/// Who wants it stopped.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    /// The containment has it on record.
    pub(crate) on_record: bool,
    /// This invocation's person or rule wants it.
    pub(crate) now: bool,
}

/// Stops it once its disks are preserved and nothing would replace it. Nothing where nobody asks and nothing is on record.
pub(crate) async fn run(work: &Work<'_>, cloud: &dyn EvidencePorts, reports: &Reports, wanted: Wanted) -> LaneReport {
    let Wanted { on_record: asked, now } = wanted;
    let mut report = LaneReport::default();
    let recorded = work.recorded(Lane::Evidence);
    if !asked && !stop::is_recorded(&recorded) {
        return report;
    }
    let (instance, protected, snapshots) = futures::join!(
        work.within("DescribeInstances", cloud.describe_instance(work.id())),
        work.within(
            "DescribeInstanceAttribute",
            cloud.describe_instance_attribute(work.id(), Attribute::DisableApiStop)
        ),
        work.within("DescribeSnapshots", cloud.describe_snapshots_tagged(CONTAINMENT_TAG, work.containment.as_str()))
    );
    let instance = match instance {
        Ok(Some(instance)) => instance,
        Ok(None) => Instance { state: InstanceState::Terminated, ..work.instance.clone() },
        Err(error) => {
            report.note(format!("it is not stopped: it could not be looked at ({error})"));
            report.look_again = error.is_retryable();
            return report;
        }
    };
    let unready = stop::unready(&reports.facts());
    let plan = stop::plan(&stop::Look {
        instance: &instance,
        asked,
        now,
        recorded: &recorded,
        unready: unready.as_ref().map(|why| (why.as_str(), reports.any_left_over_but(is_stop))),
        protected: protected.ok().map(|value| value == "true"),
        snapshots: snapshots.as_deref().ok(),
    });
    report.done = work.run(&plan, |step| effect(work, cloud, step)).await;
    report.look_again = !work.finish(&report.done).await;
    // Its memory is still to be preserved, or the snapshots that hold it to be locked.
    report.look_again |= report.done.iter().any(|done| {
        let goes_on = matches!(
            done.step,
            Step::SnapshotMemory(SnapshotMemory) | Step::StopInstance(StopInstance { hibernate: true, .. })
        );
        goes_on && matches!(done.outcome, Outcome::Changed(_))
    });
    report
}

fn is_stop(step: &Step) -> bool {
    matches!(step, Step::StopInstance(_) | Step::SnapshotMemory(SnapshotMemory))
}

/// What would be done, for a preview.
pub(crate) fn preview(
    instance: &Instance,
    recorded: &[StepRecord],
    asked: bool,
    protected: Option<bool>,
    snapshots: Option<&[Snapshot]>,
) -> Plan {
    stop::plan(&stop::Look { instance, asked, now: asked, recorded, unready: None, protected, snapshots })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a plan of stopping has no other step")]
async fn effect(work: &Work<'_>, cloud: &dyn EvidencePorts, step: Step) -> Outcome {
    match &step {
        Step::StopInstance(StopInstance { hibernate, lift }) => stop(work, cloud, *hibernate, *lift).await,
        Step::SnapshotMemory(SnapshotMemory) => {
            if work.inherited.contains(&work.key_of(&step)) && found_lost(work, cloud).await {
                return Outcome::Changed("an earlier attempt's answer was lost; its snapshots exist".into());
            }
            let mut tags = evidence::tags(work);
            tags.insert(MEMORY_TAG.to_owned(), "hibernated".to_owned());
            let description = format!("Brig: evidence of {}, with its memory", work.containment);
            match cloud.create_snapshots(work.id(), &description, &tags).await {
                Ok(snapshots) => {
                    let memory = stop::hibernated(&work.instance);
                    Outcome::Changed(format!("{}; {memory}", evidence::listed(&snapshots)).into())
                }
                Err(error) if error.is_retryable() => failed(&error),
                // One volume may be the reason; the memory is on the root volume.
                Err(error) => {
                    let (made, not) = evidence::each_by_itself(work, cloud, &description, &tags).await;
                    if made.is_empty() {
                        return failed(&error);
                    }
                    let memory = stop::hibernated(&work.instance);
                    let not = if not.is_empty() { String::new() } else { format!("; NOT of {}", not.join(", ")) };
                    Outcome::Changed(format!("one by one: {}{not}; {memory}", evidence::listed(&made)).into())
                }
            }
        }
        _ => Outcome::Skipped("no step of stopping".into()),
    }
}

/// CreateSnapshots has no client token: a set whose answer was lost is waited for, since it may not be listed yet.
async fn found_lost(work: &Work<'_>, cloud: &dyn Snapshots) -> bool {
    let until = work.clock.now().after(LOST_ANSWER);
    loop {
        let listed = cloud.describe_snapshots_tagged(CONTAINMENT_TAG, work.containment.as_str()).await;
        if listed.is_ok_and(|found| found.iter().any(|snapshot| snapshot.tags.contains_key(MEMORY_TAG))) {
            return true;
        }
        if work.clock.now() >= until || work.left() <= Duration::from_secs(10) {
            return false;
        }
        work.clock.sleep(Duration::from_secs(1)).await;
    }
}

async fn stop(work: &Work<'_>, cloud: &dyn Instances, hibernate: bool, lift: bool) -> Outcome {
    let protect = async |on: bool| {
        if !lift {
            return Ok(());
        }
        cloud.modify_instance_attribute(work.id(), &AttributeChange::DisableApiStop(on)).await
    };
    if let Err(error) = protect(false).await {
        return failed(&error);
    }
    let stopped = cloud.stop_instance(work.id(), hibernate).await;
    let again = match protect(true).await {
        Ok(()) => String::new(),
        Err(error) => format!("; stop protection is off until it is looked at again ({error})"),
    };
    match stopped {
        Ok(()) if hibernate => Outcome::Changed(format!(
            "asked to hibernate; if that fails, AWS shuts it down instead and its memory is lost{again}"
        ).into()),
        Ok(()) => Outcome::Changed(format!(
            "stopping; its MEMORY IS LOST because hibernation is not configured, and so is anything on an instance store{again}"
        ).into()),
        Err(error) if error.kind == ErrorKind::NotFound => Outcome::Missing("the instance is gone".into()),
        Err(error) if error.is_refusal() && hibernate => Outcome::Skipped(format!(
            "AWS does not hibernate it now ({error}): it is NOT stopped, since its memory would be lost{again}"
        ).into()),
        Err(error) if error.is_refusal() => Outcome::Skipped(format!("AWS does not stop it: {error}{again}").into()),
        Err(error) => failed(&error),
    }
}
