//! Taking a containment on: the lease and the plan of the cut in one transaction.

use std::time::Duration;

use brig_core::{
    decide::{self, Decided},
    ledger::{
        Claim, Claimable, Claimed, Conclusion, Containment, Named, OverCap, Records, State, StepRecord, claimable,
        count,
    },
    model::{
        ids::{ContainmentId, TargetKey},
        timestamp::Timestamp,
    },
    report::{answer::Answer, fact::Truth, verdict::Verdict},
    settings::Escalation,
    step::{DenyRole, PerLane, Plan, Step},
    trigger::Finding,
};

use crate::{
    arrive::Scene,
    engine::{Case, Engine, Invocation, LAST_CALL, Occasion, key_of},
    followups::escalation,
    lanes::network,
    ports::{CloudError, PortResult},
    tell::log,
    verify::Caller,
};

/// How often a claim is tried: each try that fails means that another claim was written meanwhile.
const TRIES: usize = 16;
/// After the first call that failed; each further pause is twice as long, up to a second.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// How long a claim outlives its holder's deadline.
const LEASE_SPARE: Duration = Duration::from_secs(5);

/// A claimed containment.
pub(crate) struct Ours {
    pub(crate) current: Containment,
    pub(crate) records: Vec<StepRecord>,
    pub(crate) scene: Scene,
}

/// What a claim ended in.
pub(crate) enum ClaimResult {
    Ours(Box<Ours>),
    Ended(Box<Answer>),
}

/// One try of a write that another invocation's may overtake.
pub(crate) enum Try<T> {
    /// There is nothing more to try.
    Settled(T),
    /// Somebody else wrote meanwhile: what is written depends on what that was.
    Overtaken,
}

/// Why no try settled it.
pub(crate) enum Unsettled {
    /// A call failed for good, or for as long as there was time.
    Failed(CloudError),
    /// The records changed at every try.
    Restless,
}

/// What a try to claim it settled.
enum Claiming {
    /// The item `current` as written, and the records of all steps.
    Ours(Box<Containment>, Vec<StepRecord>),
    /// The finding joined an active containment, which needed no work.
    Joined(Box<Answer>),
    Held(Lease),
    OverCap,
    ThirdInGroup,
}

/// Another invocation's hold on a containment.
struct Lease {
    /// Its request id.
    by: String,
    until: Timestamp,
}

impl Engine {
    /// Tries until one try settles it, with the records read again where another invocation wrote meanwhile.
    ///
    /// ```text
    /// this one     read v1 ------------ write if v1: refused, read v2 ---- write if v2: ours
    /// another one        read v1 - write if v1: v2
    /// ```
    pub(crate) async fn settle<T>(
        &self,
        key: &TargetKey,
        invocation: &Invocation,
        records: &mut Records,
        mut attempt: impl AsyncFnMut(&Records) -> PortResult<Try<T>>,
    ) -> Result<T, Unsettled> {
        let mut pause = FIRST_PAUSE;
        let mut last = None;
        for _ in 0..TRIES {
            match attempt(records).await {
                Ok(Try::Settled(settled)) => return Ok(settled),
                Ok(Try::Overtaken) => {
                    *records = self.ledger.read(key).await.map_err(Unsettled::Failed)?;
                }
                Err(error) if self.pauses_after(invocation, &error, &mut pause).await => last = Some(error),
                Err(error) => return Err(Unsettled::Failed(error)),
            }
        }
        Err(last.map_or(Unsettled::Restless, Unsettled::Failed))
    }

    /// Takes the lease and records the plan of the cut, in one transaction.
    pub(crate) async fn claim(&self, case: Case<'_>, decided: &Decided, mut scene: Scene) -> ClaimResult {
        let mut records = std::mem::take(&mut scene.look.records);
        let key = key_of(case.finding);
        let claimed = self.settle(&key, case.invocation, &mut records, async |records| {
            self.try_claim(case, decided, &scene, records).await
        });
        let ended = |answer: Answer| ClaimResult::Ended(Box::new(answer));
        match claimed.await {
            Ok(Claiming::Ours(current, steps)) => {
                scene.look.records = records;
                ClaimResult::Ours(Box::new(Ours { current: *current, records: steps, scene }))
            }
            Ok(Claiming::Joined(answer)) => ended(*answer),
            Ok(Claiming::Held(lease)) => ended(self.in_progress(case, decided, &records, lease)),
            Ok(Claiming::OverCap) => {
                scene.look.records = records;
                ended(self.over_cap(case, decided, &scene).await)
            }
            Ok(Claiming::ThirdInGroup) => {
                scene.look.records = records;
                let group = scene.look.instance.auto_scaling_group().unwrap_or_default();
                let decided = decide::third_in_group(&decided.reason, group);
                ended(self.preview_and_tell(case, decided, Conclusion::Asked, &scene).await)
            }
            Err(Unsettled::Failed(error)) => ended(self.cannot_start(case, &error).await),
            Err(Unsettled::Restless) => {
                let mut answer = self.nothing(case, decided.clone(), Conclusion::InProgress);
                answer.left_over = case.finding.is_automatic();
                ended(answer)
            }
        }
    }

    async fn try_claim(
        &self,
        case: Case<'_>,
        decided: &Decided,
        scene: &Scene,
        records: &Records,
    ) -> PortResult<Try<Claiming>> {
        let Case { finding, invocation, .. } = case;
        let instance = &scene.look.instance;
        let now = self.clock.now();
        if let Claimable::Held { by, until } = claimable(records.current.as_ref(), &invocation.request_id, now) {
            return Ok(Try::Settled(Claiming::Held(Lease { by, until })));
        }
        let new = records.active().is_none();
        let limits = || decide::limits(finding, decided, instance, &self.policy);
        let limits = (new && finding.is_automatic()).then(limits);
        let mut current = claimed(records, &scene.named, (finding, case.occasion), decided, invocation, now);
        let mut against = None;
        if new {
            (against, current.counted) = count(records.current.as_ref(), limits, now);
        }
        let plan = match &scene.look.network {
            Ok(seen) => {
                let steps = &records.steps;
                let mut plan = network::plan_from(seen, steps, instance, &current.containment, self.policy.untrack);
                plan.steps.extend(escalation::plan(steps, instance, &seen.interfaces, &self.policy).steps);
                plan
            }
            Err(_) => Plan::default(),
        };
        if let Some(known) = records.active().filter(|_| self.joins(case, decided, records, &plan, now)) {
            let joined = self.join(case, decided, known).await?;
            return Ok(joined.map_or(Try::Overtaken, |answer| Try::Settled(Claiming::Joined(Box::new(answer)))));
        }
        let known = if new { &[][..] } else { &records.steps };
        let steps = fresh_records(&plan, known, instance.id.as_str(), now);
        let claim = Claim {
            key: key_of(finding),
            current: current.clone(),
            read_version: records.current.as_ref().map(|current| current.version),
            steps: steps.clone(),
            limits: against,
            now,
        };
        Ok(match self.ledger.claim(&claim).await? {
            Claimed::Yes => {
                let steps = known.iter().cloned().chain(steps).collect();
                Try::Settled(Claiming::Ours(Box::new(current), steps))
            }
            Claimed::OverCap => Try::Settled(Claiming::OverCap),
            Claimed::ThirdInGroup => Try::Settled(Claiming::ThirdInGroup),
            Claimed::Moved => Try::Overtaken,
        })
    }

    /// Another invocation works on it.
    fn in_progress(&self, case: Case<'_>, decided: &Decided, records: &Records, lease: Lease) -> Answer {
        let Lease { by, until } = lease;
        let mut answer = self.nothing(case, decided.clone(), Conclusion::InProgress);
        answer.containment_id = records.active().map(|current| current.containment.clone());
        answer.verdict.summary = format!(
            "{} is being contained by another invocation ({by}), which holds it until {until}.",
            case.finding.target
        )
        .into();
        // An event comes again: what it tells of may be later than what the holder reads back.
        answer.left_over = match case.occasion {
            Occasion::Finding => case.finding.is_automatic(),
            Occasion::Verification(verification) => {
                case.finding.is_automatic() || matches!(verification.caller, Caller::Named(_))
            }
        };
        answer.held_until = Some(until);
        answer
    }

    /// Whether a finding joins the active containment without work: everything was seen to hold after its event had arrived,
    /// the first look shows the interfaces isolated, and it brings nothing that would be done for it alone.
    fn joins(&self, case: Case<'_>, decided: &Decided, records: &Records, plan: &Plan, now: Timestamp) -> bool {
        let finding = case.finding;
        let Some(known) = records.active() else { return false };
        let is_denied = |role: &String| {
            let denies = |step: &Step| matches!(step, Step::DenyRole(DenyRole { role: denied, .. }) if denied == role);
            records.steps.iter().any(|record| denies(&record.step))
        };
        let denies = self.policy.escalate.contains(&Escalation::RemoteAcl) && !finding.remotes.is_empty();
        let asks = denies || (decided.decision.stops() && !known.stop) || !finding.roles.iter().all(is_denied);
        let isolated = plan.steps.iter().any(|planned| matches!(planned.step, Step::Isolate(_)));
        finding.is_automatic()
            && matches!(case.occasion, Occasion::Finding)
            && !asks
            && isolated
            && plan.todo().next().is_none()
            && known.covers(finding, case.invocation.arrived, now)
    }

    /// Adds the finding to the containment's list. None where somebody else wrote to it meanwhile.
    async fn join(&self, case: Case<'_>, decided: &Decided, known: &Containment) -> PortResult<Option<Answer>> {
        let mut joined = Containment { version: known.version.saturating_add(1), ..known.clone() };
        joined.add_finding(case.finding);
        let lists = joined.findings == known.findings && joined.last_activity == known.last_activity;
        if !lists && !self.ledger.close(&key_of(case.finding), &joined, known.version).await? {
            return Ok(None);
        }
        let mut answer = self.nothing(case, decided.clone(), Conclusion::AlreadyContained);
        let at = known.concluded_at.map_or_else(String::new, |at| format!(" at {at}"));
        answer.containment_id = Some(known.containment.clone());
        answer.verdict = Verdict::of(
            PerLane::of(|_| Truth::Yes),
            format!(
                "{} is already contained ({}): everything was read back{at}, and its interfaces are isolated now.",
                case.finding.target, known.containment
            ),
        );
        log(&answer, case.finding);
        Ok(Some(answer))
    }

    /// Past the cap a person is asked; the first time in an hour loudly, since more may come than anybody reads.
    async fn over_cap(&self, case: Case<'_>, decided: &Decided, scene: &Scene) -> Answer {
        let decided = self.decided_over_cap(&key_of(case.finding), decided).await;
        self.preview_and_tell(case, decided, Conclusion::Asked, scene).await
    }

    pub(crate) async fn decided_over_cap(&self, key: &TargetKey, decided: &Decided) -> Decided {
        // Where the ledger cannot say whether it is the first time, once too often is better than never.
        let over = self.ledger.over_cap(key, self.clock.now()).await;
        let over = over.unwrap_or_else(|_| OverCap { first: true, instances: Vec::new() });
        decide::over_cap(&decided.reason, &self.policy, &over)
    }

    /// Gives up a claim under which nothing was changed, and asks a person.
    pub(crate) async fn withdraw(&self, case: Case<'_>, decided: Decided, ours: Ours) -> Answer {
        let Ours { current, scene, .. } = ours;
        let version = current.version;
        let ended = Containment {
            state: State::Withdrawn,
            lease_until: self.clock.now(),
            version: version.saturating_add(1),
            ..current
        };
        // Claims and withdrawals of one hour share its counter: they take turns, for as long as there is time.
        let mut pause = FIRST_PAUSE;
        loop {
            match self.ledger.close(&key_of(case.finding), &ended, version).await {
                Ok(true) => return self.preview_and_tell(case, decided, Conclusion::Asked, &scene).await,
                Ok(false) => {
                    let mut answer = self.nothing(case, decided, Conclusion::InProgress);
                    answer.left_over = case.finding.is_automatic();
                    return answer;
                }
                Err(error) if !self.pauses_after(case.invocation, &error, &mut pause).await => {
                    return self.cannot_start(case, &error).await;
                }
                Err(_) => {}
            }
        }
    }

    /// Waits after a call that failed, longer each time; false where it failed for good, or time is nearly over.
    pub(crate) async fn pauses_after(&self, invocation: &Invocation, error: &CloudError, pause: &mut Duration) -> bool {
        let goes_on = error.is_retryable() && self.left(invocation) > LAST_CALL;
        if goes_on {
            self.clock.sleep(*pause).await;
            *pause = (*pause * 2).min(Duration::from_secs(1));
        }
        goes_on
    }

    /// Takes the lease for a release; what the containment recorded stays as it is. None where somebody else wrote meanwhile.
    pub(crate) async fn claim_as_releasing(
        &self,
        key: TargetKey,
        old: Containment,
        invocation: &Invocation,
        now: Timestamp,
    ) -> PortResult<Option<Containment>> {
        let read_version = Some(old.version);
        let current = Containment {
            state: State::Releasing,
            holder: invocation.request_id.clone(),
            lease_until: Self::lease(invocation),
            version: old.version.saturating_add(1),
            ..old
        };
        let claim = Claim { key, current: current.clone(), read_version, steps: Vec::new(), limits: None, now };
        Ok(match self.ledger.claim(&claim).await? {
            Claimed::Yes => Some(current),
            Claimed::Moved | Claimed::OverCap | Claimed::ThirdInGroup => None,
        })
    }

    /// Until when a claim of this invocation holds.
    pub(crate) fn lease(invocation: &Invocation) -> Timestamp {
        invocation.deadline.after(LEASE_SPARE)
    }
}

/// The item `current` as the claim writes it.
pub(crate) fn claimed<T>(
    records: &Records,
    named: &ContainmentId,
    (finding, occasion): (&Finding<T>, Occasion<'_>),
    decided: &Decided,
    invocation: &Invocation,
    now: Timestamp,
) -> Containment {
    let lease_until = Engine::lease(invocation);
    let holder = invocation.request_id.clone();
    if let Some(old) = records.active() {
        let mut current = Containment {
            state: State::Open,
            holder,
            lease_until,
            version: old.version.saturating_add(1),
            ..old.clone()
        };
        current.stop |= decided.decision.stops();
        current.named = old.named.clone().with(finding);
        if matches!(occasion, Occasion::Finding) {
            current.add_finding(finding);
        }
        return current;
    }
    let version = records.current.as_ref().map_or(1, |old| old.version.saturating_add(1));
    // Two containments of one target within a second are two records all the same.
    let taken = records.current.as_ref().is_some_and(|old| old.containment == *named);
    let containment = if taken { ContainmentId::from(format!("{named}-{version}")) } else { named.clone() };
    Containment {
        containment,
        state: State::Open,
        holder,
        lease_until,
        version,
        claimed_at: now,
        findings: vec![finding.id.clone()],
        reason: decided.reason.clone(),
        outcome: None,
        told: None,
        released_at: None,
        stop: decided.decision.stops(),
        named: Named::default().with(finding),
        last_activity: finding.last_seen,
        contest: None,
        counted: None,
        concluded_at: None,
    }
}

pub(crate) fn fresh_records(plan: &Plan, known: &[StepRecord], target: &str, now: Timestamp) -> Vec<StepRecord> {
    plan.todo()
        .map(|step| (step.key(target), step))
        .filter(|(key, _)| known.iter().all(|record| record.key != *key))
        .map(|(key, step)| StepRecord::intended(key, step.clone(), now))
        .collect()
}
