//! What would be done: every lane looks and plans, nothing is changed. For `plan`, observe mode, and questions to people.

use std::time::Duration;

use brig_core::{
    decide::Decided,
    lanes::{credentials as credentials_plan, evidence as evidence_plan, fleet as fleet_plan},
    ledger::{Conclusion, StepRecord},
    model::{
        CredentialsLook, EvidenceLook, FleetLook, Instance,
        gap::{Gap, Subject},
        ids::ContainmentId,
    },
    report::answer::{Answer, LaneGap, StepReport, Timings},
    step::{Lane, Note, PerLane, Plan},
};
use futures::future::Either;

use crate::{
    arrive::Scene,
    engine::{Case, Engine},
    followups::{escalation, network_acl, stop},
    lanes::{credentials, evidence, fleet, network},
    work::gap,
};

/// Kept of the time for telling people.
const TELLING: Duration = Duration::from_secs(5);

impl Engine {
    pub(crate) async fn preview_and_tell(
        &self,
        case: Case<'_>,
        decided: Decided,
        outcome: Conclusion,
        scene: &Scene,
    ) -> Answer {
        let answer = self.preview(case, decided, outcome, scene).await;
        self.tell_decision(case, answer, Some(&scene.look.instance)).await
    }

    pub(crate) async fn preview(&self, case: Case<'_>, decided: Decided, outcome: Conclusion, scene: &Scene) -> Answer {
        let Case { finding, invocation, .. } = case;
        let Scene { lanes, look, .. } = scene;
        // What an active containment put on record is looked at too: a profile that is gone no longer names its role.
        let known: &[StepRecord] = if look.records.active().is_some() { &look.records.steps } else { &[] };
        let instance = &look.instance;
        let active = look.records.active().map(|current| current.containment.clone());
        let containment = active.clone().unwrap_or_else(|| ContainmentId::from(format!("{}-planned", finding.target)));
        // A preview goes to people: it ends early enough for that, whatever the search still had to look at.
        let time = self.left(invocation).saturating_sub(TELLING);
        let roles = credentials::roles_of(known);
        let named = look.records.active().map(|current| current.named.clone()).unwrap_or_default().with(finding);
        // A role that only the responders' profile holds is none of the instance's.
        let named = credentials::without(named, self.policy.forensic_profile(&instance.account).as_deref());
        let forensic = self.policy.forensic_profile(&instance.account);
        let interfaces = look.network.as_ref().map_or(&instance.interfaces, |seen| &seen.interfaces);
        // A role of the responders' is none of the instance's.
        let profile = instance.profile.clone().filter(|profile| forensic.as_ref() != Some(profile));
        let own = Instance { profile, ..instance.clone() };
        let looks = async {
            futures::join!(
                credentials::look(self.ledger.as_ref(), lanes.credentials.as_ref(), &own, &roles, &named),
                fleet::look(self.clock.as_ref(), lanes, instance, time.saturating_sub(TELLING)),
                evidence::look(lanes.evidence.as_ref(), instance, active.as_ref()),
                network_acl::look(
                    self.ledger.as_ref(),
                    lanes.network.as_ref(),
                    instance,
                    interfaces,
                    &finding.remotes,
                    known,
                    &self.policy
                )
            )
        };
        let looks = std::pin::pin!(looks);
        let mut late = Vec::new();
        let (mut credentials, fleet, mut evidence, acls) =
            match futures::future::select(looks, self.clock.sleep(time)).await {
                Either::Left((looks, _)) => looks,
                Either::Right(((), _)) => {
                    late.push(Note::Late);
                    (CredentialsLook::default(), FleetLook::default(), EvidenceLook::default(), Ok(None))
                }
            };
        credentials.metadata_waived = credentials_plan::metadata_waived(known);
        evidence.remember(known, self.clock.now());
        let mut unseen = Vec::new();
        let network = match &look.network {
            Ok(seen) => network::plan_from(seen, known, instance, &containment, self.policy.untrack),
            Err(gap) => {
                unseen.push(gap.clone());
                Plan { steps: Vec::new(), notes: vec![Note::Gap(gap.clone())] }
            }
        };
        let denials = match acls {
            Ok(seen) => seen.map(|seen| seen.plan(known, instance, &self.policy)).unwrap_or_default(),
            Err(error) => {
                let gap = gap(Subject::NetworkAcls, &error);
                let notes = vec![Note::Gap(gap.clone())];
                unseen.push(gap);
                Plan { steps: Vec::new(), notes }
            }
        };
        let plans = [
            network,
            credentials_plan::plan(&credentials, instance, self.policy.role_deny, forensic.as_deref()),
            fleet_plan::plan(&fleet, instance, &fleet::groups_of(known)),
            evidence_plan::plan(&evidence, instance, &containment),
            evidence_plan::plan_locks(&evidence, instance, self.policy.lock_days),
            escalation::plan(known, instance, interfaces, &self.policy),
            denials,
        ];
        let lane_gaps = lane_gaps(
            PerLane { network: &unseen, credentials: &credentials.gaps, fleet: &fleet.gaps, evidence: &evidence.gaps },
            !late.is_empty(),
        );
        let gaps = credentials.gaps.iter().chain(&fleet.gaps).chain(&evidence.gaps);
        let asked =
            decided.decision.stops() || case.finding.stop || look.records.active().is_some_and(|current| current.stop);
        let snapshots = (!evidence.snapshots_unread).then_some(evidence.snapshots.as_slice());
        let stopped = stop::preview(instance, known, asked, evidence.stop_protection, snapshots);
        let plans = plans.into_iter().chain([stopped]).collect::<Vec<_>>();
        let mut answer = self.nothing(case, decided, outcome);
        answer.containment_id.clone_from(&active);
        answer.claimed_at = look.records.active().map(|current| current.claimed_at);
        answer.gaps = lane_gaps;
        answer.instance_name = instance.name();
        answer.steps = plans
            .iter()
            .flat_map(|plan| &plan.steps)
            .map(|planned| StepReport::new(&planned.step, &planned.outcome, instance.id.as_str()))
            .collect();
        answer.notes = plans
            .iter()
            .flat_map(|plan| plan.notes.iter().cloned())
            .chain(gaps.cloned().map(Note::Gap))
            .chain(late)
            .chain(finding.notes.iter().map(|note| Note::OfTheEvent(note.into())))
            .collect();
        answer.timings_ms = Timings { done: Some(self.elapsed(invocation)), ..scene.timings };
        answer
    }
}

/// What each lane could not read, in the order of the lanes; all but the network were not looked at where it was late.
fn lane_gaps(gaps: PerLane<&Vec<Gap>>, late: bool) -> Vec<LaneGap> {
    let of = |(lane, gaps): (Lane, &&Vec<Gap>)| gaps.iter().map(|gap| LaneGap::new(lane, gap)).collect::<Vec<_>>();
    let mut all: Vec<LaneGap> = gaps.iter().flat_map(of).collect();
    if late {
        let gap = Gap { what: Subject::Lane, error: "there was no time".into(), retryable: true };
        let not_looked_at = Lane::ALL.into_iter().filter(|lane| *lane != Lane::Network);
        all.extend(not_looked_at.map(|lane| LaneGap::new(lane, &gap)));
    }
    all
}
