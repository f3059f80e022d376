//! Stopping the instance, where a person or a rule asks for that. Plans come from `brig_core::followups::stop`.

use brig_core::{
    followups::stop::{self},
    ledger::StepRecord,
    model::{Instance, InstanceState, Snapshot, tags::CONTAINMENT_TAG, text::Sentence},
    report::verdict::unready,
    step::{Lane, Note, Outcome, Plan, SnapshotMemory, Step, StopInstance},
};

use crate::{
    effects::{self, Room},
    ports::{Attribute, EvidencePorts},
    reports::Reports,
    work::{LaneReport, Work},
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
            report.note(Note::NotStopped(Sentence::new(&error)));
            report.look_again = error.is_retryable();
            return report;
        }
    };
    let unready = unready(&reports.facts());
    let plan = stop::plan(&stop::Look {
        instance: &instance,
        asked,
        now,
        recorded: &recorded,
        unready: unready.as_ref().map(|why| (why.as_str(), reports.any_left_over_but(is_stop))),
        protected: protected.ok().map(|value| value == "true"),
        snapshots: snapshots.as_deref().ok(),
    });
    report.done = work
        .run(&plan, |step| async move { effects::run(&step, Room::Stopping(effects::Stopping { work, cloud })).await })
        .await;
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
