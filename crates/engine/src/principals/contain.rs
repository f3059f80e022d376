//! One finding about a principal, from the first look to the closed ledger item. The order is that of an instance: look,
//! decide, claim, deny.

use brig_core::{
    decide::{self, Decided, Decision, Guide, Known},
    lanes::{self, holder::Terms},
    ledger::{Claim, Claimable, Claimed, Conclusion, Containment, Records, StepRecord, claimable, count},
    model::{
        Principal,
        ids::{ContainmentId, TargetKey},
    },
    report::{
        answer::StepReport,
        principal::{PrincipalAnswer, PrincipalVerdict},
    },
    settings::Mode,
    step::{Note, Plan},
    trigger::{Finding, Force},
};

use super::{UserCase, UserScene, UserStop};
use crate::{
    claim::{Try, Unsettled, claimed, fresh_records},
    engine::{Engine, Invocation, Occasion},
    ports::PortResult,
    rulebook::InForce,
};

/// What a try to claim it settled.
enum Claiming {
    Ours(Box<Containment>, Vec<StepRecord>),
    Held(Box<PrincipalAnswer>),
    OverCap,
}

impl Engine {
    /// Acts on one finding about a principal and says what became of it. Never fails: an error is an answer.
    pub async fn contain_principal(
        &self,
        finding: &Finding<Principal>,
        force: Force,
        invocation: &Invocation,
    ) -> PrincipalAnswer {
        let case = UserCase { finding, occasion: Occasion::Finding, invocation };
        self.patiently(invocation, async || Box::pin(self.contain_user_once(case, force)).await).await
    }

    /// What containing it would do. Changes nothing, and notifies nobody.
    pub async fn plan_principal(
        &self,
        finding: &Finding<Principal>,
        force: Force,
        invocation: &Invocation,
    ) -> PrincipalAnswer {
        let case = UserCase { finding, occasion: Occasion::Finding, invocation };
        let (finding, scene) = match self.arrive_at_user(case).await {
            Ok(arrived) => arrived,
            Err((finding, stop)) => return self.user_not_looked_at(UserCase { finding: &finding, ..case }, stop),
        };
        let case = UserCase { finding: &finding, ..case };
        let decided = self.judge_user(case, &scene, &scene.in_force, force);
        if decided.decision == Decision::Refuse {
            return self.nothing_of(case, &scene.key, decided, Conclusion::Refused);
        }
        self.preview_user(case, decided, Conclusion::Planned, &scene)
    }

    async fn contain_user_once(&self, case: UserCase<'_>, force: Force) -> PrincipalAnswer {
        let (finding, scene) = match self.arrive_at_user(case).await {
            Ok(arrived) => arrived,
            Err((finding, stop)) => {
                let case = UserCase { finding: &finding, ..case };
                return self.user_stopped(case, stop).await;
            }
        };
        let case = UserCase { finding: &finding, ..case };
        let decided = self.judge_user(case, &scene, &scene.in_force, force);
        if self.policy.mode == Mode::Enforce && decided.decision.acts() {
            return Box::pin(self.claim_user(case, decided, scene)).await;
        }
        let answer = match decided.decision {
            Decision::Contain { .. } => self.preview_user(case, decided, Conclusion::Observed, &scene),
            Decision::Ask => self.preview_user(case, decided, Conclusion::Asked, &scene),
            Decision::Ignore => return self.nothing_of(case, &scene.key, decided, Conclusion::Ignored),
            Decision::Refuse => self.nothing_of(case, &scene.key, decided, Conclusion::Refused),
        };
        self.tell_user_decision(case, answer).await
    }

    pub(crate) fn judge_user(
        &self,
        case: UserCase<'_>,
        scene: &UserScene,
        in_force: &InForce,
        force: Force,
    ) -> Decided {
        let guide = Guide { policy: &self.policy, rules: &in_force.rules, rules_lost: in_force.lost.as_deref() };
        let now = self.clock.now();
        let known = Known::of(scene.records.current.as_ref(), now);
        decide::decide_holder(case.finding, (&scene.seen, scene.used.as_ref()), &known, (force, now), &guide)
    }

    /// What would be done, by the first look.
    pub(crate) fn preview_user(
        &self,
        case: UserCase<'_>,
        decided: Decided,
        outcome: Conclusion,
        scene: &UserScene,
    ) -> PrincipalAnswer {
        let active = scene.records.active();
        let known: &[StepRecord] = if active.is_some() { &scene.records.steps } else { &[] };
        let plan = lanes::holder::plan(&scene.seen, known, &scene.terms).whole();
        let mut answer = self.nothing_of(case, &scene.key, decided, outcome);
        answer.containment_id = active.map(|current| current.containment.clone());
        let todo = plan.todo().count();
        let changes = if todo == 1 { "change" } else { "changes" };
        answer.verdict = PrincipalVerdict::untouched(format!(
            "Nothing was done to {} in {}: {}. Containing it would make {todo} {changes}.",
            scene.key.subject(),
            scene.key.account(),
            answer.reason
        ));
        let name = scene.key.name();
        answer.steps = plan.steps.iter().map(|one| StepReport::new(&one.step, &one.outcome, name)).collect();
        answer.notes = scene.seen.gaps().iter().cloned().map(Note::Gap).collect();
        answer.notes.extend(super::tell::notes(&scene.seen));
        answer
    }

    /// Takes the lease and records the whole plan, in one transaction; then the attempt.
    pub(crate) async fn claim_user(
        &self,
        case: UserCase<'_>,
        decided: Decided,
        mut scene: UserScene,
    ) -> PrincipalAnswer {
        let mut records = std::mem::take(&mut scene.records);
        let key = scene.key.clone();
        let claimed = self
            .settle(&key, case.invocation, &mut records, async |records| {
                self.try_claim_user(case, &decided, &scene, records).await
            })
            .await;
        scene.records = records;
        match claimed {
            Ok(Claiming::Ours(current, steps)) => {
                scene.timings.claim = Some(self.elapsed(case.invocation));
                Box::pin(self.attempt_user(case, decided, (*current, steps), scene)).await
            }
            Ok(Claiming::Held(answer)) => *answer,
            Ok(Claiming::OverCap) => {
                let decided = self.decided_over_cap(&key, &decided).await;
                let answer = self.preview_user(case, decided, Conclusion::Asked, &scene);
                self.tell_user_decision(case, answer).await
            }
            Err(Unsettled::Failed(error)) => self.user_stopped(case, UserStop::Failed(error)).await,
            Err(Unsettled::Restless) => {
                let mut answer = self.nothing_of(case, &scene.key, decided, Conclusion::InProgress);
                answer.left_over = case.finding.is_automatic();
                answer
            }
        }
    }

    async fn try_claim_user(
        &self,
        case: UserCase<'_>,
        decided: &Decided,
        scene: &UserScene,
        records: &Records,
    ) -> PortResult<Try<Claiming>> {
        let UserCase { finding, invocation, .. } = case;
        let now = self.clock.now();
        if let Claimable::Held { by, until } = claimable(records.current.as_ref(), &invocation.request_id, now) {
            let mut answer = self.nothing_of(case, &scene.key, decided.clone(), Conclusion::InProgress);
            answer.containment_id = records.active().map(|current| current.containment.clone());
            answer.verdict = PrincipalVerdict::untouched(format!(
                "{} is being contained by another invocation ({by}), which holds it until {until}.",
                scene.key.subject()
            ));
            answer.left_over = finding.is_automatic();
            answer.held_until = Some(until);
            return Ok(Try::Settled(Claiming::Held(Box::new(answer))));
        }
        let key = scene.key.clone();
        let new = records.active().is_none();
        let limits = (new && finding.is_automatic()).then(|| decide::limits_of_user(finding, &self.policy));
        let mut current = claimed(records, &self.new_user_id(&key), (finding, case.occasion), decided, invocation, now);
        let mut against = None;
        if new {
            (against, current.counted) = count(records.current.as_ref(), limits, now);
        }
        let known = if new { &[][..] } else { &records.steps };
        let terms = Terms { since: (!new).then_some(current.claimed_at), ..scene.terms.clone() };
        let plan: Plan = lanes::holder::plan(&scene.seen, known, &terms).whole();
        let steps = fresh_records(&plan, known, key.name(), now);
        let claim = Claim {
            key,
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
            Claimed::OverCap | Claimed::ThirdInGroup => Try::Settled(Claiming::OverCap),
            Claimed::Moved => Try::Overtaken,
        })
    }

    fn new_user_id(&self, key: &TargetKey) -> ContainmentId {
        ContainmentId::from(format!("{}{}", key.id_prefix(), self.clock.now().compact()))
    }
}
