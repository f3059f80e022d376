//! Taking a containment on: the lease and the plan of the cut in one transaction.

use std::time::Duration;

use brig_core::{
    containment::{Conclusion, Containment},
    finding::Action,
    ids::ContainmentId,
    ledger::{Claim, Claimable, Claimed, Current, Records, State, StepRecord, claimable},
    plan::Plan,
    policy::{self, Decided},
    survey::Instance,
    timestamp::Timestamp,
};

use crate::{
    contain::{Case, Engine, LAST_CALL, Scene, key_of},
    escalation,
    lanes::network,
};

/// How often a claim is tried: each try that fails means that another claim was written meanwhile.
const TRIES: usize = 16;
/// How long a claim outlives its holder's deadline.
pub(crate) const LEASE_SPARE: Duration = Duration::from_secs(5);

/// What a claim ended in.
pub(crate) enum Taken {
    Ours { current: Box<Current>, records: Vec<StepRecord>, scene: Box<Scene> },
    Ended(Box<Containment>),
}

impl Engine {
    /// Takes the lease and records the plan of the cut, in one transaction; reads again where somebody was faster.
    pub(crate) async fn claim(&self, case: Case<'_>, decided: &Decided, mut scene: Scene) -> Taken {
        let Case { finding, invocation, .. } = case;
        let key = key_of(finding);
        let ended = |answer: Containment| Taken::Ended(Box::new(answer));
        let mut pause = Duration::from_millis(50);
        let mut last = None;
        for _ in 0..TRIES {
            let now = self.clock.now();
            let records = &scene.look.records;
            if let Claimable::Held { by, until } = claimable(records.current.as_ref(), &invocation.request_id, now) {
                let mut answer = self.nothing(case, decided.clone(), Conclusion::InProgress);
                answer.containment_id = records.active().map(|current| current.containment.clone());
                answer.verdict.summary = format!(
                    "{} is being contained by another invocation ({by}), which holds it until {until}.",
                    finding.instance
                );
                answer.left_over = finding.is_automatic();
                return ended(answer);
            }
            let new = records.active().is_none();
            let current = claimed(records, &scene.named, case, decided, now);
            let plan = match &scene.look.network {
                Ok(seen) => {
                    let (steps, instance) = (&records.steps, &scene.look.instance);
                    let mut plan = network::plan_from(seen, steps, instance, &current.containment, self.policy.untrack);
                    plan.steps.extend(escalation::plan(steps, instance, &seen.interfaces, &self.policy).steps);
                    plan
                }
                Err(_) => Plan::default(),
            };
            let known = if new { &[][..] } else { &records.steps };
            let steps = fresh_records(&plan, known, &scene.look.instance, now);
            let limits = || policy::limits(finding, decided, &scene.look.instance, &self.policy);
            let claim = Claim {
                key: key.clone(),
                current: current.clone(),
                read_version: records.current.as_ref().map(|current| current.version),
                steps: steps.clone(),
                limits: (new && finding.is_automatic()).then(limits),
                now,
            };
            match self.ledger.claim(&claim).await {
                Ok(Claimed::Yes) => {
                    let records = known.iter().cloned().chain(steps).collect();
                    return Taken::Ours { current: Box::new(current), records, scene: Box::new(scene) };
                }
                Ok(Claimed::OverCap) => return ended(self.over_cap(case, decided, &scene, now).await),
                Ok(Claimed::ThirdInGroup) => {
                    let group = scene.look.instance.auto_scaling_group().unwrap_or_default();
                    let decided = policy::third_in_group(&decided.reason, group);
                    return ended(self.preview_and_tell(case, decided, Conclusion::Asked, &scene).await);
                }
                Ok(Claimed::Moved) => match self.ledger.read(&key).await {
                    Ok(records) => scene.look.records = records,
                    Err(error) => return ended(self.cannot_start(case, &error).await),
                },
                Err(error) if error.is_retryable() && self.left(invocation) > LAST_CALL => {
                    self.clock.sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(1));
                    last = Some(error);
                }
                Err(error) => return ended(self.cannot_start(case, &error).await),
            }
        }
        if let Some(error) = last {
            return ended(self.cannot_start(case, &error).await);
        }
        let mut answer = self.nothing(case, decided.clone(), Conclusion::InProgress);
        answer.left_over = finding.is_automatic();
        ended(answer)
    }

    /// Past the cap a person is asked; the first time in an hour loudly, since more may come than anybody reads.
    async fn over_cap(&self, case: Case<'_>, decided: &Decided, scene: &Scene, now: Timestamp) -> Containment {
        // Where the ledger cannot say whether it is the first time, once too often is better than never.
        let first = self.ledger.first_over_cap(&key_of(case.finding), now).await.unwrap_or(true);
        let decided = policy::over_cap(&decided.reason, &self.policy, first);
        self.preview_and_tell(case, decided, Conclusion::Asked, scene).await
    }

    /// Gives up a claim under which nothing was changed, and asks a person.
    pub(crate) async fn withdraw(
        &self,
        case: Case<'_>,
        decided: Decided,
        current: Current,
        scene: &Scene,
    ) -> Containment {
        let version = current.version;
        let ended = Current {
            state: State::Withdrawn,
            lease_until: self.clock.now(),
            version: version.saturating_add(1),
            ..current
        };
        match self.ledger.close(&key_of(case.finding), &ended, version).await {
            Ok(true) => {}
            Ok(false) => {
                let mut answer = self.nothing(case, decided, Conclusion::InProgress);
                answer.left_over = case.finding.is_automatic();
                return answer;
            }
            Err(error) => return self.cannot_start(case, &error).await,
        }
        self.preview_and_tell(case, decided, Conclusion::Asked, scene).await
    }
}

/// The item `current` as the claim writes it.
fn claimed(records: &Records, named: &ContainmentId, case: Case<'_>, decided: &Decided, now: Timestamp) -> Current {
    let invocation = case.invocation;
    let lease_until = invocation.deadline.after(LEASE_SPARE);
    let holder = invocation.request_id.clone();
    if let Some(old) = records.active() {
        let mut current =
            Current { state: State::Open, holder, lease_until, version: old.version.saturating_add(1), ..old.clone() };
        current.stop |= decided.stop;
        if !matches!(case.action, Action::Verify { .. }) {
            current.add_finding(&case.finding.id);
        }
        return current;
    }
    let version = records.current.as_ref().map_or(1, |old| old.version.saturating_add(1));
    // Two containments of an instance within a second are two records all the same.
    let taken = records.current.as_ref().is_some_and(|old| old.containment == *named);
    let containment = if taken { ContainmentId::from(format!("{named}-{version}")) } else { named.clone() };
    Current {
        containment,
        state: State::Open,
        holder,
        lease_until,
        version,
        claimed_at: now,
        findings: vec![case.finding.id.clone()],
        reason: decided.reason.clone(),
        outcome: None,
        told: None,
        released_at: None,
        stop: decided.stop,
    }
}

fn fresh_records(plan: &Plan, known: &[StepRecord], instance: &Instance, now: Timestamp) -> Vec<StepRecord> {
    plan.todo()
        .map(|step| (step.key(instance.id.as_str()), step))
        .filter(|(key, _)| known.iter().all(|record| record.key != *key))
        .map(|(key, step)| StepRecord::intended(key, step.clone(), now))
        .collect()
}
