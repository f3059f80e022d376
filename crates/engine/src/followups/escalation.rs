//! The next steps after the cut. Plans come from `brig_core::followups::escalation`.

use brig_core::{
    followups::escalation,
    ledger::StepRecord,
    model::{Instance, Interface},
    step::{Lane, Plan},
};

use crate::{
    effects::{self, Room},
    ports::Interfaces,
    work::{LaneReport, Work},
};

/// Plans and runs them, once the network lane has ended. `interfaces` are as they were last seen.
pub(crate) async fn run(work: &Work<'_>, cloud: &dyn Interfaces, interfaces: &[Interface]) -> LaneReport {
    let mut report = LaneReport::default();
    let plan = plan(&work.recorded(Lane::Network), &work.instance, interfaces, work.policy);
    report.note_all(&plan);
    report.done = work.run(&plan, |step| async move { effects::run(&step, Room::FollowUp(cloud)).await }).await;
    report.look_again = !work.finish(&report.done).await;
    report
}

/// The plan for what was seen, given what the ledger has.
pub(crate) fn plan(
    records: &[StepRecord],
    instance: &Instance,
    interfaces: &[Interface],
    policy: &brig_core::settings::Policy,
) -> Plan {
    let recorded: Vec<StepRecord> = records.iter().filter(|record| record.step.is_escalation()).cloned().collect();
    escalation::plan(&escalation::Look { instance, interfaces, recorded: &recorded }, &policy.escalate)
}
