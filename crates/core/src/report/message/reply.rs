//! The draft of an answer to AWS about an abuse report: what was found, what was done, and when. It claims only what was
//! done to this instance and read back.

use crate::{
    ledger::Conclusion,
    report::{answer::Answer, fact::Truth},
    step::{Kind, StepKind},
};

pub(super) fn draft(answer: &Answer) -> Vec<String> {
    let whole = matches!(answer.outcome, Conclusion::Contained | Conclusion::AlreadyContained);
    let done = done(answer);
    let (contained, so_far) = if whole {
        ("have contained the instance", done.join("; "))
    } else if done.is_empty() {
        ("are looking into it", "nothing has been changed yet".to_owned())
    } else {
        ("have started to contain the instance", done.join("; "))
    };
    let started = answer.claimed_at.map_or_else(String::new, |at| format!(" (started {at}, UTC)"));
    vec![
        format!("Thank you for the report about {} in {}.", answer.instance_id, answer.region),
        format!("We {contained}{started}: {so_far}."),
        "We are investigating how it was compromised and will take it out of use or rebuild it.".to_owned(),
    ]
}

fn done(answer: &Answer) -> Vec<&'static str> {
    let did = |kinds: &[StepKind]| {
        let mut steps = answer.steps.iter().filter(|step| step.outcome.is_done());
        steps.any(|step| kinds.iter().any(|kind| step.step == Kind::Contain(*kind)))
    };
    let verdict = &answer.verdict;
    let balancers = did(&[StepKind::DeregisterTargets, StepKind::DeregisterInstancesFromLoadBalancer]);
    let fleet = match (did(&[StepKind::DetachInstances]), balancers) {
        (true, true) => Some("it was taken out of its Auto Scaling group and its load balancers"),
        (true, false) => Some("it was taken out of its Auto Scaling group"),
        (false, true) => Some("it was taken out of its load balancers"),
        (false, false) => None,
    };
    [
        (
            verdict.truths.network,
            Some("its network interfaces were isolated by security groups, which leave DNS to AWS's own resolver open"),
        ),
        (verdict.truths.credentials, did(&[StepKind::DenyRole]).then_some("its role denies its sessions everything")),
        (verdict.truths.fleet, fleet),
        (
            verdict.truths.evidence,
            Some("its volumes are kept, and snapshots of them were started for the investigation"),
        ),
    ]
    .into_iter()
    .filter(|(truth, _)| *truth == Truth::Yes)
    .filter_map(|(_, sentence)| sentence)
    .collect()
}
