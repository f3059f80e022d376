//! What would be done: every lane looks and plans, nothing is changed. For `plan`, observe mode, and questions to people.

use brig_core::{
    containment::{Conclusion, Containment, StepReport, Timings},
    finding::{Action, Finding},
    ids::ContainmentId,
    plan::{Plan, evidence as evidence_plan, fleet as fleet_plan, identity as identity_plan},
    policy::Decided,
    survey::Gap,
};

use crate::{
    contain::{Engine, FirstLook, Invocation, Lanes},
    lanes::{evidence, fleet, identity, network},
};

impl Engine {
    #[expect(clippy::too_many_arguments, reason = "each is a result of the stage before")]
    pub(crate) async fn preview_and_tell(
        &self,
        finding: &Finding,
        decided: Decided,
        outcome: Conclusion,
        lanes: &Lanes,
        look: &FirstLook,
        timings: Timings,
        invocation: &Invocation,
    ) -> Containment {
        let answer = self.preview(finding, decided, outcome, lanes, look, timings, invocation).await;
        let records = &look.records;
        self.tell_decision(answer, finding, Some(&look.instance), records, Action::Contain, invocation).await
    }

    #[expect(clippy::too_many_arguments, reason = "each is a result of the stage before")]
    pub(crate) async fn preview(
        &self,
        finding: &Finding,
        decided: Decided,
        outcome: Conclusion,
        lanes: &Lanes,
        look: &FirstLook,
        mut timings: Timings,
        invocation: &Invocation,
    ) -> Containment {
        let instance = &look.instance;
        let active = look.records.current.as_ref().map(|current| current.containment.clone());
        let containment =
            active.clone().unwrap_or_else(|| ContainmentId::from(format!("{}-planned", finding.instance)));
        let (identity, fleet, evidence) = futures::join!(
            identity::look(self.ledger.as_ref(), lanes.identity.as_ref(), instance, &[]),
            fleet::look(lanes.fleet.as_ref(), instance),
            evidence::look(lanes.evidence.as_ref(), instance, active.as_ref())
        );
        let network = match &look.network {
            Ok(seen) => network::plan_from(seen, &look.records.steps, instance, &containment, self.policy.untrack),
            Err(gap) => Plan { steps: Vec::new(), notes: vec![unread(gap)] },
        };
        let plans = [
            network,
            identity_plan::plan(&identity, instance, self.policy.role_deny),
            fleet_plan::plan(&fleet, instance),
            evidence_plan::plan(&evidence, instance, &containment),
            evidence_plan::plan_locks(&evidence, instance, self.policy.lock_days),
        ];
        let gaps = identity.gaps.iter().chain(&fleet.gaps).chain(&evidence.gaps);
        let mut answer = self.nothing(finding, decided, outcome, invocation);
        answer.containment_id = active;
        answer.steps = plans
            .iter()
            .flat_map(|plan| &plan.steps)
            .map(|planned| StepReport::new(&planned.step, &planned.outcome, &instance.id))
            .collect();
        answer.notes = plans.iter().flat_map(|plan| plan.notes.iter().cloned()).chain(gaps.map(unread)).collect();
        timings.done = Some(self.elapsed(invocation));
        answer.timings_ms = timings;
        answer
    }
}

fn unread(gap: &Gap) -> String {
    format!("{} could not be read: {}", gap.what, gap.error)
}
