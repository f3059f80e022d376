//! The next steps after the cut. Plans come from `brig_core::plan::escalation`.

use brig_core::{
    ledger::StepRecord,
    plan::{Plan, escalation},
    step::{DisassociateAddress, Lane, Outcome, ShortenTimeouts, Step, UnassignPublicAddress},
    survey::{Instance, Interface, Timeouts},
};

use crate::{
    ports::{Answer, ErrorKind, Interfaces},
    work::{LaneReport, Work, failed, failed_for_now},
};

/// Plans and runs them, once the network lane has ended. `interfaces` are as they were last seen.
pub(crate) async fn run(work: &Work<'_>, cloud: &dyn Interfaces, interfaces: &[Interface]) -> LaneReport {
    let mut report = LaneReport::default();
    let plan = plan(&work.recorded(Lane::Network), &work.instance, interfaces, work.policy);
    report.note_all(&plan);
    report.done = work.run(&plan, |step| effect(cloud, step)).await;
    report.look_again = !work.finish(&report.done).await;
    report
}

/// The plan for what was seen, given what the ledger has.
pub(crate) fn plan(
    records: &[StepRecord],
    instance: &Instance,
    interfaces: &[Interface],
    policy: &brig_core::policy::Policy,
) -> Plan {
    let recorded: Vec<StepRecord> = records.iter().filter(|record| record.step.is_escalation()).cloned().collect();
    escalation::plan(&escalation::Look { instance, interfaces, recorded: &recorded }, &policy.escalate)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a plan of next steps has no other")]
async fn effect(cloud: &dyn Interfaces, step: Step) -> Outcome {
    match &step {
        Step::ShortenTimeouts(ShortenTimeouts { eni, was }) => {
            let answer = cloud.modify_network_interface_timeouts(eni, &Timeouts::LEAST).await;
            let was = was.tcp_established.map_or_else(|| "not set".to_owned(), |seconds| format!("{seconds} s"));
            outcome(
                answer,
                format!("TCP was {was}; AWS does not say whether this applies to connections it already tracks"),
            )
        }
        Step::DisassociateAddress(DisassociateAddress { association, address, .. }) => match cloud
            .disassociate_address(association)
            .await
        {
            // It was there at the look: an earlier try whose answer was lost took it off.
            Err(error) if error.kind == ErrorKind::NotFound => {
                Outcome::Changed(format!("{address}; no longer associated when asked again").into())
            }
            answer => outcome(answer, format!("{address}; AWS may assign the interface an address of its own instead")),
        },
        Step::UnassignPublicAddress(UnassignPublicAddress { eni, address }) => {
            outcome(cloud.unassign_public_address(eni).await, format!("{address}, which does not come back"))
        }
        _ => Outcome::Skipped("no next step".into()),
    }
}

/// A refusal that trying again cannot change costs the step, and nothing else.
fn outcome(answer: Answer<()>, done: String) -> Outcome {
    match answer {
        Ok(()) => Outcome::Changed(done.into()),
        Err(error) if error.kind == ErrorKind::NotFound => Outcome::Missing("it is gone".into()),
        Err(error) if error.is_refusal() => Outcome::Skipped(format!("AWS does not support this here: {error}").into()),
        // Another change of the same thing is under way.
        Err(error) if error.kind == ErrorKind::Conflict => failed_for_now(&error),
        Err(error) => failed(&error),
    }
}
