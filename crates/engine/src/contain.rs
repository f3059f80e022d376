//! One finding, from the first look to the closed ledger item. The order is the promise: look, decide, claim, cut; people
//! are notified once the first attempt has read back what became true.

use std::time::Duration;

use brig_core::{
    decide::{self, Decided, Decision, Guide, Known},
    ledger::Conclusion,
    model::timestamp::Timestamp,
    report::{answer::Answer, principal::PrincipalAnswer},
    settings::Mode,
    trigger::{Finding, Force},
};

use crate::{
    arrive::{Arrived, Scene},
    claim::ClaimResult,
    engine::{Case, Engine, Invocation, LAST_CALL, Occasion},
    last_healthy::LastHealthyCheck,
    rulebook::InForce,
};

/// How often an event that waits for another invocation looks whether it has ended.
const LOOK_AGAIN: Duration = Duration::from_secs(3);
/// How long a claimed containment waits for the search for services that depend on the instance.
const GRACE: Duration = Duration::from_millis(300);
/// How long a preview waits for it.
const LOOKING: Duration = Duration::from_secs(5);

impl Engine {
    /// Acts on one finding and says what became of it. Never fails: an error is an answer.
    pub async fn contain(&self, finding: &Finding, force: Force, invocation: &Invocation) -> Answer {
        let case = Case { finding, occasion: Occasion::Finding, invocation };
        self.patiently(invocation, async || Box::pin(self.contain_once(case, force)).await).await
    }

    /// What containing it would do. Changes nothing, and notifies nobody.
    pub async fn plan(&self, finding: &Finding, force: Force, invocation: &Invocation) -> Answer {
        let case = Case { finding, occasion: Occasion::Finding, invocation };
        let arrived = match self.arrive(case).await {
            Ok(arrived) => *arrived,
            Err(stop) => return self.not_looked_at(case, stop),
        };
        let Arrived { finding, scene, in_force, last_healthy } = arrived;
        let case = Case { finding: &finding, ..case };
        let decided = self.judge(case, &scene, &in_force, force);
        if decided.decision == Decision::Refuse {
            return self.nothing(case, decided, Conclusion::Refused);
        }
        let decided = match last_healthy.filter(|_| depends(case, &scene, &decided)) {
            Some(check) => check.within(LOOKING, &scene.look.instance, self.clock.as_ref()).await.weigh(decided),
            None => decided,
        };
        self.preview(case, decided, Conclusion::Planned, &scene).await
    }

    /// Works until the instance is no longer held by another invocation, as long as the invocation may wait for that.
    pub(crate) async fn patiently<A: Waits>(&self, invocation: &Invocation, mut work: impl AsyncFnMut() -> A) -> A {
        let ends = invocation.began.after(invocation.patience);
        loop {
            let answer = work().await;
            let now = self.clock.now();
            let Some(until) = answer.waits_until() else { return answer };
            let pause = (until.since(now) + Duration::from_millis(100)).min(LOOK_AGAIN);
            if now.after(pause) > ends || self.left(invocation) <= pause + LAST_CALL {
                return answer;
            }
            self.clock.sleep(pause).await;
        }
    }

    async fn contain_once(&self, case: Case<'_>, force: Force) -> Answer {
        let arrived = match self.arrive(case).await {
            Ok(arrived) => *arrived,
            Err(stop) => return self.stopped(case, stop).await,
        };
        let Arrived { finding, scene, in_force, last_healthy } = arrived;
        let case = Case { finding: &finding, ..case };
        let mut decided = self.judge(case, &scene, &in_force, force);
        let last_healthy = last_healthy.filter(|_| depends(case, &scene, &decided));
        if self.policy.mode == Mode::Enforce && decided.decision.acts() {
            // Boxed: it holds every lane, and would make every future that ends in it as large.
            return Box::pin(self.claim_and_attempt(case, decided, scene, last_healthy)).await;
        }
        if let Some(check) = last_healthy {
            decided = check.within(LOOKING, &scene.look.instance, self.clock.as_ref()).await.weigh(decided);
        }
        match decided.decision {
            Decision::Contain { .. } => self.preview_and_tell(case, decided, Conclusion::Observed, &scene).await,
            Decision::Ask => self.preview_and_tell(case, decided, Conclusion::Asked, &scene).await,
            Decision::Ignore => self.nothing(case, decided, Conclusion::Ignored),
            Decision::Refuse => {
                let answer = self.nothing(case, decided, Conclusion::Refused);
                self.tell_decision(case, answer, Some(&scene.look.instance)).await
            }
        }
    }

    fn judge(&self, case: Case<'_>, scene: &Scene, in_force: &InForce, force: Force) -> Decided {
        let guide = Guide { policy: &self.policy, rules: &in_force.rules, rules_lost: in_force.lost.as_deref() };
        let known = Known::of(scene.look.records.current.as_ref(), self.clock.now());
        decide::decide(case.finding, &scene.look.instance, &known, force, &guide)
    }

    /// The claim, with the search for services that depend on the instance at the same time; then the lanes.
    pub(crate) async fn claim_and_attempt(
        &self,
        case: Case<'_>,
        decided: Decided,
        scene: Scene,
        last_healthy: Option<LastHealthyCheck>,
    ) -> Answer {
        let Some(check) = last_healthy else {
            return match self.claim(case, &decided, scene).await {
                ClaimResult::Ended(answer) => *answer,
                ClaimResult::Ours(ours) => Box::pin(self.attempt(case, decided, *ours)).await,
            };
        };
        let instance = scene.look.instance.clone();
        let claim = Box::pin(self.claim(case, &decided, scene));
        let (claimed, seen) = check.during_and_after(claim, GRACE, &instance, self.clock.as_ref()).await;
        let ours = match claimed {
            ClaimResult::Ended(answer) => return *answer,
            ClaimResult::Ours(ours) => *ours,
        };
        let decided = seen.weigh(decided);
        if decided.decision.acts() {
            return Box::pin(self.attempt(case, decided, ours)).await;
        }
        self.withdraw(case, decided, ours).await
    }
}

/// An answer that may say: another invocation works on it.
pub(crate) trait Waits {
    /// Until when the other one holds it, where it is worth waiting for.
    fn waits_until(&self) -> Option<Timestamp>;
}

impl Waits for Answer {
    fn waits_until(&self) -> Option<Timestamp> {
        self.held_until.filter(|_| self.left_over)
    }
}

impl Waits for PrincipalAnswer {
    fn waits_until(&self) -> Option<Timestamp> {
        self.held_until.filter(|_| self.left_over)
    }
}

/// Whether services that depend on the instance are asked about: only before anything was done to it.
fn depends(case: Case<'_>, scene: &Scene, decided: &Decided) -> bool {
    let undone = !scene.look.records.has_begun() && !scene.look.is_cut();
    undone && decide::asks_about_dependents(case.finding, decided)
}
