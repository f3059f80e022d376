//! Taking a containment on: the lease and the plan of the cut in one transaction.

use std::time::Duration;

use brig_core::{
    containment::{Conclusion, Containment, Timings},
    finding::{Action, Finding},
    ids::ContainmentId,
    ledger::{Claim, Claimable, Claimed, Current, State, StepRecord, claimable},
    plan::Plan,
    policy::{self, Decided},
    timestamp::Timestamp,
};

use crate::{
    contain::{Engine, FirstLook, Invocation, LAST_CALL, Lanes, key_of},
    lanes::network,
};

/// How often a claim is tried: each try that fails means that another claim was written meanwhile.
const TRIES: usize = 16;
/// How long a claim outlives its holder's deadline.
const LEASE_SPARE: Duration = Duration::from_secs(5);

/// What a claim ended in.
pub(crate) enum Taken {
    Ours { current: Current, records: Vec<StepRecord>, look: Box<FirstLook> },
    Ended(Box<Containment>),
}

impl Engine {
    /// Takes the lease and records the plan of the cut, in one transaction; reads again where somebody was faster.
    pub(crate) async fn claim(
        &self,
        finding: &Finding,
        decided: &Decided,
        mut look: FirstLook,
        lanes: &Lanes,
        timings: Timings,
        invocation: &Invocation,
    ) -> Taken {
        let key = key_of(finding);
        let ended = |answer: Containment| Taken::Ended(Box::new(answer));
        let mut pause = Duration::from_millis(50);
        for _ in 0..TRIES {
            let now = self.clock.now();
            let existing = look.records.current.as_ref();
            if let Claimable::Held { by, until } = claimable(existing, &invocation.request_id, now) {
                let mut answer = self.nothing(finding, decided.clone(), Conclusion::InProgress, invocation);
                answer.containment_id = existing.map(|current| current.containment.clone());
                answer.verdict.summary = format!(
                    "{} is being contained by another invocation ({by}), which holds it until {until}.",
                    finding.instance
                );
                answer.left_over = finding.is_automatic();
                return ended(answer);
            }
            let containment = existing.map_or_else(
                || ContainmentId::from(format!("{}-{}", finding.instance, now.compact())),
                |current| current.containment.clone(),
            );
            let (current, read_version) = claimed(existing, &containment, finding, decided, now, invocation);
            let plan = match &look.network {
                Ok(seen) => {
                    network::plan_from(seen, &look.records.steps, &look.instance, &containment, self.policy.untrack)
                }
                Err(_) => Plan::default(),
            };
            let steps = fresh_records(&plan, &look, now);
            let new = existing.is_none();
            let claim = Claim {
                key: key.clone(),
                current: current.clone(),
                read_version,
                steps: steps.clone(),
                limits: (new && finding.is_automatic()).then(|| policy::limits(finding, &look.instance, &self.policy)),
                now,
            };
            match self.ledger.claim(&claim).await {
                Ok(Claimed::Yes) => {
                    let mut records = look.records.steps.clone();
                    records.extend(steps);
                    return Taken::Ours { current, records, look: Box::new(look) };
                }
                Ok(over @ (Claimed::OverCap | Claimed::ThirdInGroup)) => {
                    let group = look.instance.auto_scaling_group().unwrap_or_default();
                    let decided = match over {
                        Claimed::ThirdInGroup => policy::third_in_group(&decided.reason, group),
                        Claimed::OverCap | Claimed::Yes | Claimed::Moved => {
                            policy::over_cap(&decided.reason, &self.policy)
                        }
                    };
                    let conclusion = Conclusion::Asked;
                    return ended(
                        self.preview_and_tell(finding, decided, conclusion, lanes, &look, timings, invocation).await,
                    );
                }
                Ok(Claimed::Moved) => match self.ledger.read(&key).await {
                    Ok(records) => look.records = records,
                    Err(error) => return ended(self.cannot_start(finding, &error, Action::Contain, invocation).await),
                },
                Err(error) if error.is_retryable() && self.left(invocation) > LAST_CALL => {
                    self.clock.sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(1));
                }
                Err(error) => return ended(self.cannot_start(finding, &error, Action::Contain, invocation).await),
            }
        }
        let mut answer = self.nothing(finding, decided.clone(), Conclusion::InProgress, invocation);
        answer.left_over = finding.is_automatic();
        ended(answer)
    }
}

/// The item `current` as the claim writes it.
fn claimed(
    existing: Option<&Current>,
    containment: &ContainmentId,
    finding: &Finding,
    decided: &Decided,
    now: Timestamp,
    invocation: &Invocation,
) -> (Current, Option<u64>) {
    let lease_until = invocation.deadline.after(LEASE_SPARE);
    let holder = invocation.request_id.clone();
    if let Some(old) = existing {
        let new = Current { state: State::Open, holder, lease_until, version: old.version + 1, ..old.clone() };
        return (new, Some(old.version));
    }
    let new = Current {
        containment: containment.clone(),
        state: State::Open,
        holder,
        lease_until,
        version: 1,
        claimed_at: now,
        finding: finding.id.clone(),
        reason: decided.reason.clone(),
        outcome: None,
        told: None,
    };
    (new, None)
}

fn fresh_records(plan: &Plan, look: &FirstLook, now: Timestamp) -> Vec<StepRecord> {
    plan.todo()
        .map(|step| (step.key(look.instance.id.as_str()), step))
        .filter(|(key, _)| look.records.step(key).is_none())
        .map(|(key, step)| StepRecord { key, step: step.clone(), recorded_at: now, outcome: None, finished_at: None })
        .collect()
}
