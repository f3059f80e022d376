//! What an engine is made of, and what belongs to one invocation.

use std::{ops::Deref, sync::Arc, time::Duration};

use brig_core::{
    decide::Decided,
    ledger::Conclusion,
    model::{
        ids::{AccountId, ContainmentId, InstanceKey, Region, TargetKey},
        timestamp::Timestamp,
    },
    report::answer::{Answer, Timings},
    settings::Policy,
    step::PerLane,
    trigger::Finding,
};

use crate::{
    ports::{Clock, Cloud, Clouds, Ledger, Notifier},
    rulebook::Rulebook,
    target_groups::TargetGroups,
    verify::{Caller, Verification},
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

/// The views of the account: each lane's, and one for reads that are no lane's.
pub(crate) struct Lanes {
    pub(crate) each: PerLane<Arc<dyn Cloud>>,
    pub(crate) reads: Arc<dyn Cloud>,
    pub(crate) target_groups: Arc<TargetGroups>,
}

impl Deref for Lanes {
    type Target = PerLane<Arc<dyn Cloud>>;

    fn deref(&self) -> &Self::Target {
        &self.each
    }
}

/// One finding in one invocation.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) finding: &'a Finding,
    pub(crate) occasion: Occasion<'a>,
    pub(crate) invocation: &'a Invocation,
}

/// Why an instance is worked on.
#[derive(Clone, Copy)]
pub(crate) enum Occasion<'a> {
    /// A finding, or a person, wants it contained.
    Finding,
    /// It is contained, and looked at again.
    Verification(Verification<'a>),
}

impl Invocation {
    /// Where IAM is asked: the function's own Region names the partition.
    pub(crate) fn home(&self) -> Region {
        self.region.clone().unwrap_or_else(Region::first)
    }
}

impl<'a> Case<'a> {
    /// Who may have changed what is contained, where it is looked at again.
    pub(crate) fn caller(&self) -> Option<Caller<'a>> {
        match self.occasion {
            Occasion::Finding => None,
            Occasion::Verification(verification) => Some(verification.caller),
        }
    }
}

impl Engine {
    /// An answer for a finding about which nothing was done.
    pub(crate) fn nothing(&self, case: Case<'_>, decided: Decided, outcome: Conclusion) -> Answer {
        let timings_ms = Timings { done: Some(self.elapsed(case.invocation)), ..Timings::default() };
        Answer { timings_ms, at: Some(self.clock.now()), ..Answer::nothing_done(case.finding, decided, outcome) }
    }

    /// The id of a containment that would begin now.
    pub(crate) fn new_id(&self, finding: &Finding) -> ContainmentId {
        ContainmentId::from(format!("{}-{}", finding.target, self.clock.now().compact()))
    }

    pub(crate) fn elapsed(&self, invocation: &Invocation) -> u64 {
        u64::try_from(self.clock.now().since(invocation.began).as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn left(&self, invocation: &Invocation) -> Duration {
        invocation.deadline.since(self.clock.now())
    }
}

pub(crate) fn key_of(finding: &Finding) -> TargetKey {
    TargetKey::Instance(InstanceKey {
        account: finding.account.clone(),
        region: finding.region.clone(),
        instance: finding.target.clone(),
    })
}
