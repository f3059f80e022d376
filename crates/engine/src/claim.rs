//! Taking a containment on: the lease and the plan of the cut in one transaction.

use std::time::Duration;

use brig_core::{
    containment::{Conclusion, Containment},
    finding::Action,
    ids::ContainmentId,
    ledger::{Claim, Claimable, Claimed, Current, Named, OverCap, Records, State, StepRecord, claimable, count},
    plan::Plan,
    policy::{self, Decided, Escalation},
    step::Step,
    survey::Instance,
    timestamp::Timestamp,
    verdict::{Truth, Verdict},
};

use crate::{
    contain::{Case, Engine, LAST_CALL, Scene, key_of},
    escalation,
    lanes::network,
    ports::Answer,
    tell::log,
};

/// How often a claim is tried: each try that fails means that another claim was written meanwhile.
const TRIES: usize = 16;
/// How long a claim outlives its holder's deadline.
pub(crate) const LEASE_SPARE: Duration = Duration::from_secs(5);

/// What a claim ended in.
pub(crate) enum ClaimResult {
    Ours { current: Box<Current>, records: Vec<StepRecord>, scene: Box<Scene> },
    Ended(Box<Containment>),
}

impl Engine {
    /// Takes the lease and records the plan of the cut, in one transaction; reads again where somebody was faster.
    pub(crate) async fn claim(&self, case: Case<'_>, decided: &Decided, mut scene: Scene) -> ClaimResult {
        let Case { finding, invocation, .. } = case;
        let key = key_of(finding);
        let ended = |answer: Containment| ClaimResult::Ended(Box::new(answer));
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
                // An event comes again: what it tells of may be later than what the holder reads back.
                answer.left_over = finding.is_automatic() || case.by.is_some();
                answer.held_until = Some(until);
                return ended(answer);
            }
            let new = records.active().is_none();
            let limits = || policy::limits(finding, decided, &scene.look.instance, &self.policy);
            let limits = (new && finding.is_automatic()).then(limits);
            let mut current = claimed(records, &scene.named, case, decided, now);
            let mut against = None;
            if new {
                (against, current.counted) = count(records.current.as_ref(), limits, now);
            }
            let plan = match &scene.look.network {
                Ok(seen) => {
                    let (steps, instance) = (&records.steps, &scene.look.instance);
                    let mut plan = network::plan_from(seen, steps, instance, &current.containment, self.policy.untrack);
                    plan.steps.extend(escalation::plan(steps, instance, &seen.interfaces, &self.policy).steps);
                    plan
                }
                Err(_) => Plan::default(),
            };
            if let Some(known) = records.active().filter(|_| self.joins(case, decided, records, &plan, now)) {
                match self.join(case, decided, known).await {
                    Ok(Some(answer)) => return ended(answer),
                    Ok(None) => match self.ledger.read(&key).await {
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
                continue;
            }
            let known = if new { &[][..] } else { &records.steps };
            let steps = fresh_records(&plan, known, &scene.look.instance, now);
            let claim = Claim {
                key: key.clone(),
                current: current.clone(),
                read_version: records.current.as_ref().map(|current| current.version),
                steps: steps.clone(),
                limits: against,
                now,
            };
            match self.ledger.claim(&claim).await {
                Ok(Claimed::Yes) => {
                    let records = known.iter().cloned().chain(steps).collect();
                    return ClaimResult::Ours { current: Box::new(current), records, scene: Box::new(scene) };
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

    /// Whether a finding joins the active containment without work: everything was seen to hold after its event had arrived,
    /// the first look shows the interfaces isolated, and it brings nothing that would be done for it alone.
    fn joins(&self, case: Case<'_>, decided: &Decided, records: &Records, plan: &Plan, now: Timestamp) -> bool {
        let finding = case.finding;
        let Some(known) = records.active() else { return false };
        let is_denied = |role: &String| {
            let denies = |step: &Step| matches!(step, Step::DenyRole { role: denied, .. } if denied == role);
            records.steps.iter().any(|record| denies(&record.step))
        };
        let denies = self.policy.escalate.contains(&Escalation::RemoteAcl) && !finding.remotes.is_empty();
        let asks = denies || (decided.stop && !known.stop) || !finding.roles.iter().all(is_denied);
        let isolated = plan.steps.iter().any(|planned| matches!(planned.step, Step::Isolate { .. }));
        finding.is_automatic()
            && case.action == Action::Contain
            && !asks
            && isolated
            && plan.todo().next().is_none()
            && known.covers(finding, case.invocation.arrived, now)
    }

    /// Adds the finding to the containment's list. None where somebody else wrote to it meanwhile.
    async fn join(&self, case: Case<'_>, decided: &Decided, known: &Current) -> Answer<Option<Containment>> {
        let mut joined = Current { version: known.version.saturating_add(1), ..known.clone() };
        joined.add_finding(case.finding);
        let lists = joined.findings == known.findings && joined.last_activity == known.last_activity;
        if !lists && !self.ledger.close(&key_of(case.finding), &joined, known.version).await? {
            return Ok(None);
        }
        let mut answer = self.nothing(case, decided.clone(), Conclusion::AlreadyContained);
        let at = known.concluded_at.map_or_else(String::new, |at| format!(" at {at}"));
        answer.containment_id = Some(known.containment.clone());
        answer.verdict = Verdict::of(
            [Truth::Yes; 4],
            format!(
                "{} is already contained ({}): everything was read back{at}, and its interfaces are isolated now.",
                case.finding.instance, known.containment
            ),
        );
        log(&answer, case.finding);
        Ok(Some(answer))
    }

    /// Past the cap a person is asked; the first time in an hour loudly, since more may come than anybody reads.
    async fn over_cap(&self, case: Case<'_>, decided: &Decided, scene: &Scene, now: Timestamp) -> Containment {
        // Where the ledger cannot say whether it is the first time, once too often is better than never.
        let over = self.ledger.over_cap(&key_of(case.finding), now).await;
        let over = over.unwrap_or_else(|_| OverCap { first: true, instances: Vec::new() });
        let decided = policy::over_cap(&decided.reason, &self.policy, &over);
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
        let mut pause = Duration::from_millis(50);
        let in_progress = |decided| {
            let mut answer = self.nothing(case, decided, Conclusion::InProgress);
            answer.left_over = case.finding.is_automatic();
            answer
        };
        loop {
            match self.ledger.close(&key_of(case.finding), &ended, version).await {
                Ok(true) => return self.preview_and_tell(case, decided, Conclusion::Asked, scene).await,
                Ok(false) => return in_progress(decided),
                // Claims and withdrawals of one hour share its counter: they take turns.
                Err(error) if error.is_retryable() && self.left(case.invocation) > LAST_CALL => {
                    self.clock.sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(1));
                }
                Err(error) => return self.cannot_start(case, &error).await,
            }
        }
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
        current.named = old.named.clone().with(case.finding);
        if !matches!(case.action, Action::Verify { .. }) {
            current.add_finding(case.finding);
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
        named: Named::default().with(case.finding),
        last_activity: case.finding.last_seen,
        contest: None,
        counted: None,
        concluded_at: None,
    }
}

fn fresh_records(plan: &Plan, known: &[StepRecord], instance: &Instance, now: Timestamp) -> Vec<StepRecord> {
    plan.todo()
        .map(|step| (step.key(instance.id.as_str()), step))
        .filter(|(key, _)| known.iter().all(|record| record.key != *key))
        .map(|(key, step)| StepRecord::intended(key, step.clone(), now))
        .collect()
}
