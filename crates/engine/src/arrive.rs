//! From a finding to the instance that it is about: what the finding alone settles, the clients, the first look, and the
//! search where the instance is not there. Containing, planning and verifying all begin here.

use std::{borrow::Cow, sync::Arc};

use brig_core::{
    decide::{self, Decided, Decision},
    ledger::{Cause, Records},
    model::{
        Instance,
        gap::{Gap, Subject},
        ids::{ContainmentId, GroupId},
    },
    report::answer::Timings,
    step::{Lane, PerLane},
    trigger::Finding,
};

use crate::{
    engine::{Case, Engine, Lanes, Occasion, key_of},
    followups::forensic_access::Access,
    lanes::network::{self, Seen},
    last_healthy::LastHealthyCheck,
    ports::{CloudError, View},
    rulebook::InForce,
    work::gap,
};

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

/// What a case is worked on with, and what the first look showed.
pub(crate) struct Scene {
    pub(crate) lanes: Lanes,
    pub(crate) look: FirstLook,
    pub(crate) timings: Timings,
    /// The id of a containment that begins now; it names the session in another account too.
    pub(crate) named: ContainmentId,
}

/// The instance, found and looked at.
pub(crate) struct Arrived<'a> {
    /// What it is about: in another Region, where it was found there.
    pub(crate) finding: Cow<'a, Finding>,
    pub(crate) scene: Scene,
    pub(crate) in_force: Arc<InForce>,
    /// Begun for whoever may need it; none for a verification, and where a person asks.
    pub(crate) last_healthy: Option<LastHealthyCheck>,
}

/// Why nothing could be looked at.
pub(crate) enum Stop {
    /// The finding alone, or the rules, say that nothing is to be done.
    Ignored(Decided),
    /// A precondition failed.
    Refused(Decided),
    /// The account or Region cannot be worked in.
    Unreachable(String),
    /// The instance is in no Region that answered; `retryable` says whether another try may find it.
    NotThere { why: String, retryable: bool },
    /// A read failed.
    Failed(CloudError),
}

/// One look at one place.
enum Looked<'a> {
    Seen(Box<Arrived<'a>>),
    NotThere(Lanes),
}

impl Engine {
    /// Looks at the instance, in another Region where it is not in its own.
    pub(crate) async fn arrive<'a>(&self, case: Case<'a>) -> Result<Box<Arrived<'a>>, Stop> {
        let lanes = match self.look_at(case, Cow::Borrowed(case.finding)).await? {
            Looked::Seen(arrived) => return Ok(arrived),
            Looked::NotThere(lanes) => lanes,
        };
        let finding = self.not_here(case, &lanes).await?;
        let (instance, account, region) = (finding.target.clone(), finding.account.clone(), finding.region.clone());
        match self.look_at(case, finding).await? {
            Looked::Seen(arrived) => Ok(arrived),
            Looked::NotThere(_) => {
                let why = format!("there is no instance {instance} in {account}/{region}");
                Err(Stop::Refused(Decided::refuse(why).because(Cause::NotThere)))
            }
        }
    }

    async fn look_at<'a>(&self, case: Case<'a>, finding: Cow<'a, Finding>) -> Result<Looked<'a>, Stop> {
        self.gate(case, &finding)?;
        let named = self.new_id(&finding);
        let lanes = self.open(&finding, &named).await.map_err(Stop::Unreachable)?;
        let look = self.first_look(&finding, &lanes);
        // Whether the instance is a service's last healthy target is looked up during the look and the claim, not before.
        let mut last_healthy = match case.occasion {
            Occasion::Finding if finding.is_automatic() => Some(LastHealthyCheck::begin(&lanes)),
            Occasion::Finding | Occasion::Verification(_) => None,
        };
        let look = match &mut last_healthy {
            Some(check) => check.during(look).await,
            None => look.await,
        };
        let Some((look, in_force)) = look.map_err(Stop::Failed)? else { return Ok(Looked::NotThere(lanes)) };
        let timings = Timings { look: Some(self.elapsed(case.invocation)), ..Timings::default() };
        let scene = Scene { lanes, look, timings, named };
        Ok(Looked::Seen(Box::new(Arrived { finding, scene, in_force, last_healthy })))
    }

    /// What the finding alone settles, before anything is looked at.
    fn gate(&self, case: Case<'_>, finding: &Finding) -> Result<(), Stop> {
        let early = decide::gate(finding, &self.policy, &case.invocation.own);
        let early = early.or_else(|| decide::ignored(finding, &self.policy).filter(|_| self.rulebook.is_empty()));
        match early {
            None => Ok(()),
            Some(decided) if decided.decision == Decision::Refuse => Err(Stop::Refused(decided)),
            Some(decided) => Err(Stop::Ignored(decided)),
        }
    }

    pub(crate) async fn open(&self, finding: &Finding, named: &ContainmentId) -> Result<Lanes, String> {
        let open = async |view| {
            let opened = self.clouds.open(&finding.account, &finding.region, view, named.as_str()).await;
            opened.map_err(|error| error.to_string())
        };
        let each = PerLane {
            network: open(View::Lane(Lane::Network)).await?,
            credentials: open(View::Lane(Lane::Credentials)).await?,
            fleet: open(View::Lane(Lane::Fleet)).await?,
            evidence: open(View::Lane(Lane::Evidence)).await?,
        };
        Ok(Lanes { each, reads: open(View::Reads).await?, target_groups: Arc::default() })
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
            cloud.describe_instance(&finding.target),
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
}
