//! The ledger's items as values, and who may take a containment on. The store itself is the engine's port.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    ids::{AccountId, ContainmentId, InstanceId, Region},
    step::{Outcome, Step},
    timestamp::Timestamp,
};

/// An instance, everywhere: the ledger's partition key is `<account>/<region>/<instance>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceKey {
    /// Its account.
    pub account: AccountId,
    /// Its Region.
    pub region: Region,
    /// Its id.
    pub instance: InstanceId,
}

impl InstanceKey {
    /// The partition key.
    #[must_use]
    pub fn pk(&self) -> String {
        format!("{}/{}/{}", self.account, self.region, self.instance)
    }
}

/// How far a containment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Somebody works on it, or died working on it.
    Open,
    /// Its last attempt ended in order.
    Closed,
    /// It was claimed, and a question to people came out before anything was changed.
    Withdrawn,
    /// A person takes it back, or the one who did died at it.
    Releasing,
    /// It was taken back.
    Released,
}

/// The instance's item `current`: its containment, and who holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    /// The containment.
    pub containment: ContainmentId,
    /// How far it is.
    pub state: State,
    /// The request id of the invocation that holds it.
    pub holder: String,
    /// Until when it holds it.
    pub lease_until: Timestamp,
    /// Counts up with every claim and close: a writer whose version is old has lost the containment.
    pub version: u64,
    /// When it was first claimed.
    pub claimed_at: Timestamp,
    /// Ids of the findings that named the instance, the first one first.
    pub findings: Vec<String>,
    /// Why, for a person.
    pub reason: String,
    /// The outcome of the last attempt that ended in order.
    pub outcome: Option<String>,
    /// The outcome that people were told last.
    pub told: Option<String>,
    /// When it was released.
    pub released_at: Option<Timestamp>,
    /// Somebody asked that the instance be stopped, too.
    pub stop: bool,
}

/// A fact is put right so often within [`REPAIR_TIME`], then only told.
const MOST_REPAIRS: usize = 3;
const REPAIR_TIME: Duration = Duration::from_hours(1);
/// How many findings a containment lists.
const MOST_FINDINGS: usize = 50;

impl Current {
    /// Whether the instance is contained, or is being contained.
    #[must_use]
    pub fn is_active(&self) -> bool {
        match self.state {
            State::Open | State::Closed | State::Releasing => true,
            State::Withdrawn | State::Released => false,
        }
    }

    /// Adds a finding that names the same instance.
    pub fn add_finding(&mut self, id: &str) {
        if self.findings.len() < MOST_FINDINGS && !self.findings.iter().any(|known| known == id) {
            self.findings.push(id.to_owned());
        }
    }
}

/// A step's item, sk `<containment id>/<step key>`. `step` is what was recorded first and is never overwritten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRecord {
    /// The step's key within its containment.
    pub key: String,
    /// The step with what it replaces.
    pub step: Step,
    /// When the intent was recorded.
    pub recorded_at: Timestamp,
    /// What running it found, where an attempt lived to record that.
    pub outcome: Option<Outcome>,
    /// When that was recorded.
    pub finished_at: Option<Timestamp>,
    /// When it was put right, having drifted.
    pub repairs: Vec<Timestamp>,
}

impl StepRecord {
    /// The record of an intent.
    #[must_use]
    pub fn intended(key: String, step: Step, now: Timestamp) -> Self {
        Self { key, step, recorded_at: now, outcome: None, finished_at: None, repairs: Vec::new() }
    }

    /// Whether its effect may be there: outcomes are recorded after it, and answers are lost.
    #[must_use]
    pub fn may_have_happened(&self) -> bool {
        match &self.outcome {
            None | Some(Outcome::Changed(_) | Outcome::AlreadyDone(_) | Outcome::Planned) => true,
            Some(Outcome::Failed(failure)) => failure.retryable,
            Some(Outcome::Missing(_) | Outcome::Skipped(_)) => false,
        }
    }

    /// Whether it was seen to be done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Changed(_) | Outcome::AlreadyDone(_)))
    }

    /// Whether it has been put right as often within the last hour as Brig does without a person.
    #[must_use]
    pub fn is_tired(&self, now: Timestamp) -> bool {
        self.repairs.iter().filter(|at| now.since(**at) < REPAIR_TIME).count() >= MOST_REPAIRS
    }
}

/// A decision that people were told without a containment: sk `told/<decision>/<finding id>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What was told, `asked`.
    pub what: String,
    /// The finding it was told about.
    pub finding: String,
}

/// What people were told of an event that names nothing to contain: pk `event/<event>`, sk the digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Announced {
    /// The event's id, or that of the request which brought it; at most 256 printable ASCII characters.
    pub event: String,
    /// What was said, as 16 hex digits.
    pub digest: String,
}

/// What an attempt needs of the ledger about an instance. What people were asked and told about it is kept beside, and
/// read only before a message: questions pile up, and the cut waits for none of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records {
    /// The item `current`.
    pub current: Option<Current>,
    /// The steps of the current containment.
    pub steps: Vec<StepRecord>,
}

impl Records {
    /// The containment that is active.
    #[must_use]
    pub fn active(&self) -> Option<&Current> {
        self.current.as_ref().filter(|current| current.is_active())
    }

    /// Whether an active containment may have changed something: a step has an outcome, or somebody concluded.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.active().is_some_and(|current| current.outcome.is_some())
            || self.steps.iter().any(|record| record.outcome.is_some())
    }

    /// The step recorded under a key.
    #[must_use]
    pub fn step(&self, key: &str) -> Option<&StepRecord> {
        self.steps.iter().find(|record| record.key == key)
    }
}

/// Whether an invocation may take an instance on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimable {
    /// No containment is active: a new one.
    New,
    /// An active containment that nobody works on: go on with it.
    Again,
    /// Another invocation holds it.
    Held {
        /// Its request id.
        by: String,
        /// Until when.
        until: Timestamp,
    },
}

/// Judges the item `current`. Lambda repeats the request id when it retries an event, so the same id means that the
/// holder is dead or is this very event delivered twice; both may go on at once, since every step is idempotent.
#[must_use]
pub fn claimable(current: Option<&Current>, request_id: &str, now: Timestamp) -> Claimable {
    match current {
        None => Claimable::New,
        Some(current) if !current.is_active() => Claimable::New,
        Some(current) if current.state == State::Closed => Claimable::Again,
        Some(current) if current.holder == request_id || current.lease_until <= now => Claimable::Again,
        Some(current) => Claimable::Held { by: current.holder.clone(), until: current.lease_until },
    }
}

/// What a claim writes in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The instance.
    pub key: InstanceKey,
    /// The item `current` as it shall be; its version is one more than the one it replaces.
    pub current: Current,
    /// The version that was read, none where there was no item.
    pub read_version: Option<u64>,
    /// Steps that the ledger does not hold yet.
    pub steps: Vec<StepRecord>,
    /// For a new automatic containment: what it counts against.
    pub limits: Option<Limits>,
    /// When the claim is made; its hour is the one counted.
    pub now: Timestamp,
}

/// What a new automatic containment counts against, in the claim's transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// New automatic containments an hour, in the account and Region.
    pub cap: u32,
    /// How many of those may come from sources other than GuardDuty; none for GuardDuty's own.
    pub others: Option<u32>,
    /// The instance's Auto Scaling group: a third containment in it within a day says that its template is the hole.
    pub group: Option<String>,
}

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// It is ours.
    Yes,
    /// The item changed since it was read: read again.
    Moved,
    /// The hour's cap is reached.
    OverCap,
    /// It would be the third containment in the Auto Scaling group within a day.
    ThirdInGroup,
}

/// What several containments share: a role's policy, the rules of a network ACL. The sk is `current`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shared(String);

impl Shared {
    /// A role's contained instances, by their ARNs.
    #[must_use]
    pub fn role(arn: &str) -> Self {
        Self(format!("role/{arn}"))
    }

    /// Shares in the rules of a network ACL, each a [`crate::acl::Denial`].
    #[must_use]
    pub fn acl(account: &AccountId, region: &Region, acl: &str) -> Self {
        Self(format!("acl/{account}/{region}/{acl}"))
    }

    /// The partition key.
    #[must_use]
    pub fn pk(&self) -> &str {
        &self.0
    }
}

/// Who shares it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberSet {
    /// Counts up with every change of the set.
    pub version: u64,
    /// Its members, in no order.
    pub members: Vec<String>,
}

/// One page of the active containments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActivePage {
    /// The instances, in the order of their keys.
    pub keys: Vec<InstanceKey>,
    /// Where the next page begins; none on the last.
    pub next: Option<String>,
}

/// The sort key of a told decision.
#[must_use]
pub fn told_sk(told: &Told) -> String {
    format!("told/{}/{}", told.what, told.finding)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn current(state: State, holder: &str, until: i64) -> Current {
        Current {
            containment: "c".into(),
            state,
            holder: holder.to_owned(),
            lease_until: Timestamp::from_millis(until),
            version: 1,
            claimed_at: Timestamp::from_millis(0),
            findings: vec!["f".to_owned()],
            reason: String::new(),
            outcome: None,
            told: None,
            released_at: None,
            stop: false,
        }
    }

    #[test]
    fn a_lease_holds_until_it_ends_or_its_own_request_returns() {
        let now = Timestamp::from_millis(1000);
        let judge = |current: &Current, request: &str| claimable(Some(current), request, now);
        assert_eq!(claimable(None, "r", now), Claimable::New);
        assert_eq!(judge(&current(State::Closed, "other", 9999), "r"), Claimable::Again);
        assert_eq!(judge(&current(State::Open, "r", 9999), "r"), Claimable::Again);
        assert_eq!(judge(&current(State::Withdrawn, "other", 9999), "r"), Claimable::New);
        assert_eq!(judge(&current(State::Open, "other", 1000), "r"), Claimable::Again);
        assert_eq!(
            judge(&current(State::Open, "other", 1001), "r"),
            Claimable::Held { by: "other".to_owned(), until: Timestamp::from_millis(1001) }
        );
    }
}
