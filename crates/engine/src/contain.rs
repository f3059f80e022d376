//! One finding, from the first look to the closed ledger item. The order is the promise: look, decide, claim, cut; people
//! are told once the first attempt has read back what became true.

use std::{sync::Arc, time::Duration};

use brig_core::{
    containment::{Conclusion, Containment, Timings},
    finding::{Action, Finding},
    gap::{Gap, Subject},
    ids::{AccountId, ContainmentId, GroupId, Region},
    ledger::{InstanceKey, Records},
    notified::Cause,
    policy::{self, Decided, Decision, Guide, Known, Mode, Policy},
    step::Lane,
    survey::Instance,
    timestamp::Timestamp,
    verdict::Verdict,
};

use futures::{
    FutureExt,
    future::{Either, maybe_done, select},
};

use crate::{
    access::Access,
    claim::ClaimResult,
    lanes::network::{self, Seen},
    last_healthy::{self, Groups},
    ports::{Clock, Cloud, CloudError, Clouds, Ledger, Notifier},
    rulebook::{InForce, Rulebook},
    work::gap,
};

/// Work is tried again within an invocation until this long before its deadline.
pub(crate) const LAST_CALL: Duration = Duration::from_secs(10);

/// How often an event that waits for another invocation looks whether it has ended.
const LOOK_AGAIN: Duration = Duration::from_secs(3);
/// How long a claimed containment waits for the search for what stands and falls with the instance.
const GRACE: Duration = Duration::from_millis(300);
/// How long a preview waits for it.
const LOOKING: Duration = Duration::from_secs(5);

/// Contains instances through its ports.
pub struct Engine {
    /// AWS, by account and Region.
    pub clouds: Arc<dyn Clouds>,
    /// The record.
    pub ledger: Arc<dyn Ledger>,
    /// People.
    pub notifier: Arc<dyn Notifier>,
    /// A chat channel, where there is one.
    pub chat: Option<Arc<dyn Notifier>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The settings.
    pub policy: Policy,
    /// The account's own rules.
    pub rulebook: Rulebook,
    /// The ledger table's name, for messages.
    pub table: String,
}

/// The invocation that an attempt belongs to.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Its request id, which Lambda's retries of the event repeat.
    pub request_id: String,
    /// The function's own account.
    pub own: AccountId,
    /// The function's name, for messages.
    pub function: String,
    /// The name of the function that releases, for messages.
    pub release_function: String,
    /// The function's Region, for links; none where it is not known.
    pub region: Option<Region>,
    /// The function's log group, for links.
    pub log_group: String,
    /// When it began.
    pub began: Timestamp,
    /// When Lambda ends it.
    pub deadline: Timestamp,
    /// When the event arrived: at a queue, or with the invocation.
    pub arrived: Timestamp,
    /// How long an event waits for another invocation that works on its instance. None where a queue brings it again.
    pub patience: Duration,
}

/// One view of the account a lane.
pub(crate) struct Lanes {
    pub(crate) network: Arc<dyn Cloud>,
    pub(crate) credentials: Arc<dyn Cloud>,
    pub(crate) fleet: Arc<dyn Cloud>,
    pub(crate) evidence: Arc<dyn Cloud>,
}

/// The first look.
pub(crate) struct FirstLook {
    pub(crate) instance: Instance,
    pub(crate) network: Result<Seen, Gap>,
    pub(crate) records: Records,
}

impl FirstLook {
    /// Whether an interface carries a group of Brig's: the cut has begun.
    pub(crate) fn is_cut(&self) -> bool {
        self.network.as_ref().is_ok_and(|seen| {
            let brig = |id: &GroupId| seen.groups.iter().any(|group| group.id == *id);
            seen.interfaces.iter().any(|interface| interface.groups.iter().any(brig))
        })
    }
}

/// Whether a search for the instance may still begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MayLook {
    /// Not again.
    Here,
    /// In the account's other Regions.
    Elsewhere,
}

/// One finding in one invocation.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) finding: &'a Finding,
    pub(crate) action: Action,
    /// Whose call it is about, by ARN, where a call is looked into.
    pub(crate) by: Option<&'a str>,
    pub(crate) invocation: &'a Invocation,
}

/// What a case is worked on with, and what the first look showed.
pub(crate) struct Scene {
    pub(crate) lanes: Lanes,
    pub(crate) look: FirstLook,
    pub(crate) timings: Timings,
    /// The id of a containment that begins now; it names the session in another account too.
    pub(crate) named: ContainmentId,
}

impl Engine {
    /// Acts on one finding and says what became of it. Never fails: an error is an answer.
    pub async fn contain(
        &self,
        finding: &Finding,
        action: Action,
        force: bool,
        invocation: &Invocation,
    ) -> Containment {
        self.contain_case(Case { finding, action, by: None, invocation }, force).await
    }

    /// The same about a case. An event that finds its instance held by another invocation waits for that, as long as it may.
    pub(crate) async fn contain_case(&self, case: Case<'_>, force: bool) -> Containment {
        let invocation = case.invocation;
        let ends = invocation.began.after(invocation.patience);
        loop {
            let answer = Box::pin(self.contain_once(case, force, MayLook::Elsewhere)).await;
            let now = self.clock.now();
            let Some(until) = answer.held_until.filter(|_| answer.left_over) else { return answer };
            let pause = (until.since(now) + Duration::from_millis(100)).min(LOOK_AGAIN);
            if now.after(pause) > ends || self.left(invocation) <= pause + LAST_CALL {
                return answer;
            }
            self.clock.sleep(pause).await;
        }
    }

    /// Once; where the instance is not there, the account's other Regions are looked in if they may be.
    pub(crate) async fn contain_once(&self, case: Case<'_>, force: bool, may_look: MayLook) -> Containment {
        let Case { finding, action, invocation, .. } = case;
        let early = policy::gate(finding, &self.policy, &invocation.own);
        let early = early.or_else(|| policy::ignored(finding, &self.policy).filter(|_| self.rulebook.is_empty()));
        if let Some(decided) = early {
            if !decided.refused {
                return self.nothing(case, decided, Conclusion::Ignored);
            }
            return self.refuse(case, decided).await;
        }
        let named = ContainmentId::from(format!("{}-{}", finding.instance, self.clock.now().compact()));
        let lanes = match self.open(finding, &named).await {
            Ok(lanes) => lanes,
            Err(why) => {
                let refused = self.refuse(case, Decided::refused(why).because(Cause::Unreachable)).await;
                return Containment { unreachable: true, ..refused };
            }
        };
        // Whether the instance is a service's last healthy target is looked up during the look and the claim, not before.
        let fleet = Arc::clone(&lanes.fleet);
        let listing =
            async move { if finding.is_automatic() { Some(fleet.describe_target_groups().await) } else { None } };
        let mut groups: Groups<'_> = maybe_done(listing.boxed());
        let look = match select(self.first_look(finding, &lanes).boxed(), &mut groups).await {
            Either::Left((look, _)) => look,
            Either::Right(((), look)) => look.await,
        };
        let (look, in_force) = match look {
            Ok(Some(look)) => look,
            Ok(None) if may_look == MayLook::Elsewhere => {
                // Boxed: it ends in this very future again.
                return Box::pin(self.not_here(case, force, &lanes)).await;
            }
            Ok(None) => {
                let why =
                    format!("there is no instance {} in {}/{}", finding.instance, finding.account, finding.region);
                return self.refuse(case, Decided::refused(why).because(Cause::NotThere)).await;
            }
            Err(error) => return self.cannot_start(case, &error).await,
        };
        let timings = Timings { look: Some(self.elapsed(invocation)), ..Timings::default() };
        let scene = Scene { lanes, look, timings, named };

        if let Action::Verify { only_tell, .. } = action {
            return self.verify_scene(case, scene, &mut groups, only_tell).await;
        }
        let guide = Guide { policy: &self.policy, rules: &in_force.rules, rules_lost: in_force.lost.as_deref() };
        let known = Known::of(scene.look.records.current.as_ref(), self.clock.now());
        let mut decided = policy::decide(finding, &scene.look.instance, &known, force, &guide);
        if decided.refused {
            let answer = self.nothing(case, decided, Conclusion::Refused);
            return self.tell_decision(case, answer, Some(&scene.look.instance)).await;
        }
        let undone = !scene.look.records.has_begun() && !scene.look.is_cut();
        let minds = undone && policy::minds_the_fleet(finding, &decided);
        let acts = action == Action::Contain && self.policy.mode == Mode::Enforce;
        if acts && decided.decision == Decision::Contain {
            // Boxed: it holds every lane, and would make every future that ends in it as large.
            return Box::pin(self.claim_and_attempt(case, decided, scene, &mut groups, minds)).await;
        }
        if minds {
            let standing = self.standing(&scene, &mut groups, LOOKING).await;
            decided = standing.weigh(decided);
        }
        match (decided.decision, action) {
            (_, Action::Plan) => self.preview(case, decided, Conclusion::Planned, &scene).await,
            (Decision::Contain, Action::Contain) => {
                self.preview_and_tell(case, decided, Conclusion::Observed, &scene).await
            }
            (Decision::Ask, Action::Contain) => self.preview_and_tell(case, decided, Conclusion::Asked, &scene).await,
            (Decision::Ignore, Action::Contain) => self.nothing(case, decided, Conclusion::Ignored),
            (_, Action::Release { .. } | Action::PlanRelease { .. } | Action::Verify { .. }) => {
                let why = "this is not a containment".to_owned();
                self.nothing(case, Decided::refused(why), Conclusion::Refused)
            }
        }
    }

    /// The claim, with the search for services that depend on the instance at the same time; then the lanes.
    pub(crate) async fn claim_and_attempt(
        &self,
        case: Case<'_>,
        decided: Decided,
        scene: Scene,
        groups: &mut Groups<'_>,
        minds: bool,
    ) -> Containment {
        if !minds {
            return match self.claim(case, &decided, scene).await {
                ClaimResult::Ended(answer) => *answer,
                ClaimResult::Ours { current, records, scene } => {
                    Box::pin(self.attempt(case, decided, *current, records, *scene)).await
                }
            };
        }
        let fleet = Arc::clone(&scene.lanes.fleet);
        let instance = scene.look.instance.clone();
        let standing = std::pin::pin!(last_healthy::look(groups, fleet.as_ref(), &instance));
        let (taken, standing) = match select(std::pin::pin!(self.claim(case, &decided, scene)), standing).await {
            Either::Left((taken, standing)) => (taken, self.soon(standing, GRACE).await),
            Either::Right((standing, claim)) => (claim.await, standing),
        };
        let ClaimResult::Ours { current, records, scene } = taken else {
            return match taken {
                ClaimResult::Ended(answer) => *answer,
                ClaimResult::Ours { .. } => self.nothing(case, decided, Conclusion::Failed),
            };
        };
        let decided = standing.weigh(decided);
        if decided.decision == Decision::Contain {
            return Box::pin(self.attempt(case, decided, *current, records, *scene)).await;
        }
        self.withdraw(case, decided, *current, &scene).await
    }

    pub(crate) async fn open(&self, finding: &Finding, named: &ContainmentId) -> Result<Lanes, String> {
        let open = async |lane| {
            let opened = self.clouds.open(&finding.account, &finding.region, lane, named.as_str()).await;
            opened.map_err(|error| error.to_string())
        };
        Ok(Lanes {
            network: open(Lane::Network).await?,
            credentials: open(Lane::Credentials).await?,
            fleet: open(Lane::Fleet).await?,
            evidence: open(Lane::Evidence).await?,
        })
    }

    /// Everything that the cut needs, in one round trip.
    async fn first_look(
        &self,
        finding: &Finding,
        lanes: &Lanes,
    ) -> Result<Option<(FirstLook, Arc<InForce>)>, CloudError> {
        let key = key_of(finding);
        let cloud = lanes.network.as_ref();
        let (instance, groups, records, in_force) = futures::join!(
            cloud.describe_instance(&finding.instance),
            cloud.describe_brig_groups(),
            self.ledger.read(&key),
            self.rulebook.in_force(self.clock.as_ref(), self.ledger.as_ref())
        );
        let Some(instance) = instance? else { return Ok(None) };
        let records = records?;
        let network = match groups {
            Ok(mut groups) => {
                let setting = self.policy.forensic_access.as_ref();
                let access = Access::by_shape(setting, &mut groups, &instance.account);
                let ledger = self.ledger.as_ref();
                let interfaces = instance.interfaces.clone();
                let shared = network::shared_groups(ledger, cloud, &instance, &interfaces, &groups).await;
                Ok(Seen { interfaces, groups, shared, access })
            }
            Err(error) => Err(gap(Subject::BrigGroups, &error)),
        };
        Ok(Some((FirstLook { instance, network, records }, in_force)))
    }

    /// An answer for a finding about which nothing was done.
    pub(crate) fn nothing(&self, case: Case<'_>, decided: Decided, outcome: Conclusion) -> Containment {
        let Case { finding, invocation, .. } = case;
        let summary = format!("Nothing was done to {}: {}.", finding.instance, decided.reason);
        let done = Some(self.elapsed(invocation));
        Containment {
            account: finding.account.clone(),
            region: finding.region.clone(),
            instance_id: finding.instance.clone(),
            containment_id: None,
            decision: decided.decision,
            reason: decided.reason,
            outcome,
            verdict: Verdict::untouched(summary),
            steps: Vec::new(),
            notes: Vec::new(),
            contest: None,
            held_until: None,
            timings_ms: Timings { done, ..Timings::default() },
            claimed_at: None,
            at: Some(self.clock.now()),
            isolated: None,
            left_over: false,
            unreachable: false,
            not_notified: None,
            question: None,
            cause: decided.cause,
            about: Vec::new(),
            gaps: Vec::new(),
            instance_name: None,
        }
    }

    pub(crate) fn elapsed(&self, invocation: &Invocation) -> u64 {
        u64::try_from(self.clock.now().since(invocation.began).as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn left(&self, invocation: &Invocation) -> Duration {
        invocation.deadline.since(self.clock.now())
    }
}

pub(crate) fn key_of(finding: &Finding) -> InstanceKey {
    InstanceKey { account: finding.account.clone(), region: finding.region.clone(), instance: finding.instance.clone() }
}
