//! One finding, from the first look to the closed ledger item. The order is the promise: look, decide, claim, cut; people
//! are told once the first attempt has read back what became true.

use std::{sync::Arc, time::Duration};

use brig_core::{
    containment::{Conclusion, Containment, Timings},
    finding::{Action, Finding},
    ids::AccountId,
    ledger::{InstanceKey, Records},
    policy::{self, Decided, Decision, Guide, Known, Mode, Policy},
    rules::Rules,
    step::Lane,
    survey::{Gap, Instance},
    timestamp::Timestamp,
    verdict::Verdict,
};

use crate::{
    claim::Taken,
    lanes::network::{self, Seen},
    ports::{Clock, Cloud, CloudError, Clouds, Ledger, Notifier},
    work::gap,
};

/// Work is tried again within an invocation until this long before its deadline.
pub(crate) const LAST_CALL: Duration = Duration::from_secs(10);

/// Contains instances through its ports.
pub struct Engine {
    /// AWS, by account and Region.
    pub clouds: Arc<dyn Clouds>,
    /// The record.
    pub ledger: Arc<dyn Ledger>,
    /// People.
    pub notifier: Arc<dyn Notifier>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The settings.
    pub policy: Policy,
    /// The account's own rules.
    pub rules: Rules,
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
    /// When it began.
    pub began: Timestamp,
    /// When Lambda ends it.
    pub deadline: Timestamp,
}

/// One view of the account a lane.
pub(crate) struct Lanes {
    pub(crate) network: Arc<dyn Cloud>,
    pub(crate) identity: Arc<dyn Cloud>,
    pub(crate) fleet: Arc<dyn Cloud>,
    pub(crate) evidence: Arc<dyn Cloud>,
}

/// The first look.
pub(crate) struct FirstLook {
    pub(crate) instance: Instance,
    pub(crate) network: Result<Seen, Gap>,
    pub(crate) records: Records,
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
        let mut timings = Timings::default();
        let guide = Guide { policy: &self.policy, rules: &self.rules, own: &invocation.own, rules_lost: None };
        if let Some(decided) = policy::gate(finding, &guide) {
            if !decided.refused {
                return self.nothing(finding, decided, Conclusion::Ignored, invocation);
            }
            let answer = self.nothing(finding, decided, Conclusion::Refused, invocation);
            let records = self.ledger.read(&key_of(finding)).await.unwrap_or_default();
            return self.tell_decision(answer, finding, None, &records, action, invocation).await;
        }
        let lanes = match self.open(finding).await {
            Ok(lanes) => lanes,
            Err(why) => {
                let answer = self.nothing(finding, Decided::refused(why), Conclusion::Refused, invocation);
                let records = self.ledger.read(&key_of(finding)).await.unwrap_or_default();
                return self.tell_decision(answer, finding, None, &records, action, invocation).await;
            }
        };
        let look = match self.first_look(finding, &lanes).await {
            Ok(Some(look)) => look,
            Ok(None) => {
                let why =
                    format!("there is no instance {} in {}/{}", finding.instance, finding.account, finding.region);
                let answer = self.nothing(finding, Decided::refused(why), Conclusion::Refused, invocation);
                let records = self.ledger.read(&key_of(finding)).await.unwrap_or_default();
                return self.tell_decision(answer, finding, None, &records, action, invocation).await;
            }
            Err(error) => return self.cannot_start(finding, &error, action, invocation).await,
        };
        timings.look = Some(self.elapsed(invocation));

        let known = match &look.records.current {
            Some(current) => Known::Active(current.containment.as_str()),
            None => Known::No,
        };
        let decided = policy::decide(finding, &look.instance, &known, force, &guide);
        if action == Action::Plan {
            return self.preview(finding, decided, Conclusion::Planned, &lanes, &look, timings, invocation).await;
        }
        if decided.refused {
            let answer = self.nothing(finding, decided, Conclusion::Refused, invocation);
            return self.tell_decision(answer, finding, Some(&look.instance), &look.records, action, invocation).await;
        }
        match (decided.decision, self.policy.mode) {
            (Decision::Contain, Mode::Enforce) => {}
            (Decision::Contain, Mode::Observe) => {
                return self
                    .preview_and_tell(finding, decided, Conclusion::Observed, &lanes, &look, timings, invocation)
                    .await;
            }
            (Decision::Ask, _) => {
                return self
                    .preview_and_tell(finding, decided, Conclusion::Asked, &lanes, &look, timings, invocation)
                    .await;
            }
            (Decision::Ignore, _) => return self.nothing(finding, decided, Conclusion::Ignored, invocation),
        }
        match self.claim(finding, &decided, look, &lanes, timings, invocation).await {
            Taken::Ended(answer) => *answer,
            Taken::Ours { current, records, look } => {
                timings.claim = Some(self.elapsed(invocation));
                self.attempt(finding, decided, current, records, *look, &lanes, timings, invocation).await
            }
        }
    }

    async fn open(&self, finding: &Finding) -> Result<Lanes, String> {
        // The form of a containment's id, which the claim may find exists already under another second.
        let session = format!("{}-{}", finding.instance, self.clock.now().compact());
        let open = async |lane| {
            let opened = self.clouds.open(&finding.account, &finding.region, lane, &session).await;
            opened.map_err(|error| error.to_string())
        };
        Ok(Lanes {
            network: open(Lane::Network).await?,
            identity: open(Lane::Identity).await?,
            fleet: open(Lane::Fleet).await?,
            evidence: open(Lane::Evidence).await?,
        })
    }

    /// Everything that the cut needs, in one round trip.
    async fn first_look(&self, finding: &Finding, lanes: &Lanes) -> Result<Option<FirstLook>, CloudError> {
        let key = key_of(finding);
        let cloud = lanes.network.as_ref();
        let (instance, groups, records) = futures::join!(
            cloud.describe_instance(&finding.instance),
            cloud.describe_brig_groups(),
            self.ledger.read(&key)
        );
        let Some(instance) = instance? else { return Ok(None) };
        let records = records?;
        let network = match groups {
            Ok(groups) => {
                let ledger = self.ledger.as_ref();
                let interfaces = instance.interfaces.clone();
                let shared = network::shared_groups(ledger, cloud, &instance, &interfaces, &groups).await;
                Ok(Seen { interfaces, groups, shared })
            }
            Err(error) => Err(gap("the groups of Brig", &error)),
        };
        Ok(Some(FirstLook { instance, network, records }))
    }

    /// An answer for a finding about which nothing was done.
    pub(crate) fn nothing(
        &self,
        finding: &Finding,
        decided: Decided,
        outcome: Conclusion,
        invocation: &Invocation,
    ) -> Containment {
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
            timings_ms: Timings { done, ..Timings::default() },
            left_over: false,
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
