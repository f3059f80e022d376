//! The ledger's items as values, and who may take a containment on. The store itself is the engine's port.

use serde::{Deserialize, Serialize};

use crate::{
    model::{
        ids::{ContainmentId, TargetKey},
        text::Sentence,
        timestamp::Timestamp,
    },
    step::{Outcome, Step},
    trigger::Finding,
};

mod claim;
mod conclusion;
mod contest;
mod notices;
mod shared;

pub use self::{
    claim::{Claim, Claimable, Claimed, Counted, CountedInGroup, GROUP_TIME, Limits, OverCap, claimable, count},
    conclusion::Conclusion,
    contest::{Contest, KEPT_REPAIRS, MOST_REPAIRS, REPAIR_TIME},
    notices::{Cause, Channel, Question, QuestionPage, Release, Statement, Unheard, digest, is_known, word_of},
    shared::{MemberSet, Shared},
};

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

/// Roles and profiles that findings named: once the event is gone, only this knows whose sessions the instance may hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Names of roles.
    #[serde(default)]
    pub roles: Vec<String>,
    /// ARNs of instance profiles.
    #[serde(default)]
    pub profiles: Vec<String>,
}

/// How many roles, and how many profiles, a containment keeps.
const MOST_NAMED: usize = 16;

impl Named {
    /// Adds what a finding names.
    #[must_use]
    pub fn with<T>(mut self, finding: &Finding<T>) -> Self {
        for (kept, more) in [(&mut self.roles, &finding.roles), (&mut self.profiles, &finding.profiles)] {
            for name in more {
                if kept.len() < MOST_NAMED && !kept.contains(name) {
                    kept.push(name.clone());
                }
            }
        }
        self
    }
}

/// The instance's item `current`: its containment, and who holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Containment {
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
    pub reason: Sentence,
    /// The outcome of the last attempt that ended in order.
    pub outcome: Option<String>,
    /// The outcome that people were notified of last.
    pub told: Option<String>,
    /// When it was released.
    pub released_at: Option<Timestamp>,
    /// Somebody asked that the instance be stopped, too.
    pub stop: bool,
    /// Whose sessions the findings said the instance held.
    pub named: Named,
    /// The latest activity that a finding told of.
    pub last_activity: Option<Timestamp>,
    /// Somebody keeps undoing it.
    pub contest: Option<Contest>,
    /// What it was counted in, where a cap counts it.
    pub counted: Option<Counted>,
    /// When the last attempt that ended in order had read everything back.
    pub concluded_at: Option<Timestamp>,
}

/// How many findings a containment lists.
const MOST_FINDINGS: usize = 50;

impl Containment {
    /// Whether the instance is contained, or is being contained.
    #[must_use]
    pub fn is_active(&self) -> bool {
        match self.state {
            State::Open | State::Closed | State::Releasing => true,
            State::Withdrawn | State::Released => false,
        }
    }

    /// Whether a finding says something that the containment did not know: it is another one, or its activity went on.
    /// Where the list is full, another one shows by its activity alone.
    #[must_use]
    pub fn is_news<T>(&self, finding: &Finding<T>) -> bool {
        let another = self.findings.len() < MOST_FINDINGS && !self.findings.contains(&finding.id);
        another || finding.last_seen.is_some_and(|seen| self.last_activity.is_none_or(|known| seen > known))
    }

    /// Whether everything was seen to hold after the finding's event had arrived, and after its activity: the finding joins,
    /// and there is nothing to do for it.
    #[must_use]
    pub fn covers<T>(&self, finding: &Finding<T>, arrived: Timestamp, now: Timestamp) -> bool {
        let whole = self.state == State::Closed && self.outcome.as_deref() == Some(Conclusion::Contained.word());
        let latest = finding.last_seen.map_or(arrived, |seen| seen.max(arrived));
        // Sessions of a role that no finding named before are not denied yet.
        let known = self.named.clone().with(finding) == self.named;
        whole && known && self.concluded_at.is_some_and(|at| latest <= at && at <= now)
    }

    /// Adds a finding that names the same instance.
    pub fn add_finding<T>(&mut self, finding: &Finding<T>) {
        if self.findings.len() < MOST_FINDINGS && !self.findings.contains(&finding.id) {
            self.findings.push(finding.id.clone());
        }
        self.last_activity = self.last_activity.max(finding.last_seen);
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
    /// When it was first recorded to be done. What is done again later, having been undone, keeps it; records of versions
    /// that did not write it have none.
    pub first_done_at: Option<Timestamp>,
    /// When it was repaired, having drifted.
    pub repairs: Vec<Timestamp>,
}

impl StepRecord {
    /// The record of an intent.
    #[must_use]
    pub fn intended(key: String, step: Step, now: Timestamp) -> Self {
        Self { key, step, recorded_at: now, outcome: None, finished_at: None, first_done_at: None, repairs: Vec::new() }
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
        self.outcome.as_ref().is_some_and(Outcome::is_done)
    }

    /// Until when only a person or new evidence has it repaired: it was as often within the last hour as machines do.
    #[must_use]
    pub fn held_until(&self, now: Timestamp) -> Option<Timestamp> {
        let mut recent: Vec<Timestamp> =
            self.repairs.iter().copied().filter(|at| now.since(*at) < REPAIR_TIME).collect();
        recent.sort_unstable();
        recent.iter().rev().nth(MOST_REPAIRS - 1).map(|at| at.after(REPAIR_TIME))
    }

    /// The times of its repairs once it is repaired now: the latest ones only.
    #[must_use]
    pub fn repaired(&self, now: Timestamp) -> Vec<Timestamp> {
        let older = self.repairs.len().saturating_sub(KEPT_REPAIRS - 1);
        self.repairs.iter().skip(older).copied().chain([now]).collect()
    }
}

/// What people were notified of of an event that names nothing to contain: pk `event/<event>`, sk the digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Announcement {
    /// The event's id, or that of the request which brought it; at most 256 printable ASCII characters.
    pub event: String,
    /// What was said, as 16 hex digits.
    pub digest: String,
}

/// What an attempt needs of the ledger about an instance. Questions and notifications about it are kept elsewhere, and
/// read only before a message: questions pile up, and the cut waits for none of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records {
    /// The item `current`.
    pub current: Option<Containment>,
    /// The steps of the current containment.
    pub steps: Vec<StepRecord>,
}

impl Records {
    /// The containment that is active.
    #[must_use]
    pub fn active(&self) -> Option<&Containment> {
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

/// Which of an instance's reports; each is replaced by the next of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReportOf {
    /// What containing, or looking again, read back.
    Answer,
    /// What giving back read back.
    Release,
}

impl ReportOf {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Answer, Self::Release];

    /// Its word in the ledger and in answers.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Answer => "containment",
            Self::Release => "release",
        }
    }
}

/// What an attempt read back last, sk `report/<of>`. Nothing is decided by it: it is kept for people, since what an answer
/// says is gone once its message is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Which.
    pub of: ReportOf,
    pub containment: ContainmentId,
    /// The version that the item `current` gets with it: an older attempt replaces no newer report.
    pub version: u64,
    /// When it was kept: all of it had been read back.
    pub at: Timestamp,
    /// The answer without its steps, as JSON; see [`crate::report::story::kept`].
    pub answer: String,
}

/// An event that led to a containment, as it was received. It is kept as evidence, and nothing reads it to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub containment: ContainmentId,
    /// When it had been acted on.
    pub at: Timestamp,
    /// Its JSON.
    pub event: String,
}

impl Received {
    /// The sort key: the same event of the same containment is one.
    #[must_use]
    pub fn sk(&self) -> String {
        format!("received/{}/{}", self.containment, digest([self.event.as_str()]))
    }
}

/// What a step found, for its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepEnd {
    /// The record's key.
    pub key: String,
    pub outcome: Outcome,
    /// When it ended.
    pub at: Timestamp,
    /// Replaces the times of its repairs; where it is empty they stay as they are.
    pub repairs: Vec<Timestamp>,
}

/// One page of the active containments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActivePage {
    /// The instances, in the order of their keys.
    pub keys: Vec<TargetKey>,
    /// Entries that name no instance: somebody wrote them, or the table is broken.
    pub unreadable: Vec<String>,
    /// Where the next page begins; none on the last.
    pub next: Option<String>,
}

/// The sort key of a statement that people were notified of.
#[must_use]
pub fn told_sk(told: &Statement) -> String {
    format!("told/{}", told.digest())
}

/// The sort key by which older versions knew it: by outcome and finding alone.
#[must_use]
pub fn older_told_sk(told: &Statement) -> String {
    format!("told/{}/{}", told.what, told.finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn current(state: State, holder: &str, until: i64) -> Containment {
        let lease_until = Timestamp::from_millis(until);
        Containment { state, holder: holder.to_owned(), lease_until, ..crate::testing::current() }
    }

    #[test]
    fn a_step_is_held_back_from_its_third_repair_within_an_hour_until_the_first_of_them_is_an_hour_old() {
        let minute = |minutes: i64| Timestamp::from_millis(1_790_000_000_000 + minutes * 60_000);
        let plan = crate::step::Step::from(crate::step::DisableMetadata { was: crate::testing::instance().metadata });
        let mut record = StepRecord::intended("k".to_owned(), plan, minute(0));
        for at in [0, 50, 55] {
            assert_eq!(record.held_until(minute(at)), None);
            record.repairs = record.repaired(minute(at));
        }
        assert_eq!(record.held_until(minute(56)), Some(minute(60)));
        assert_eq!(record.held_until(minute(60)), None);
        for at in 60..200 {
            record.repairs = record.repaired(minute(at));
        }
        assert_eq!(record.repairs.len(), KEPT_REPAIRS, "however often, its record does not grow");
        assert_eq!(record.held_until(minute(199)), Some(minute(197 + 60)));
    }

    #[test]
    fn a_finding_joins_only_what_was_seen_to_hold_after_its_event_and_its_activity() {
        let at = Timestamp::from_millis(1_790_000_000_000);
        let whole = Containment {
            state: State::Closed,
            outcome: Some("contained".to_owned()),
            concluded_at: Some(at),
            ..crate::testing::current()
        };
        let seen = |seen| Finding { last_seen: seen, ..crate::testing::finding() };
        let later = at.after(Duration::from_secs(1));
        let covers = |current: &Containment, finding: &Finding, arrived| current.covers(finding, arrived, later);
        assert!(covers(&whole, &seen(None), at));
        assert!(covers(&whole, &seen(Some(at)), at));
        assert!(!covers(&whole, &seen(None), later), "it came later");
        assert!(!covers(&whole, &seen(Some(later)), at), "its activity is later");
        assert!(
            !whole.covers(&seen(None), at, Timestamp::from_millis(at.millis() - 1)),
            "no time in the future counts"
        );
        assert!(!covers(&Containment { state: State::Open, ..whole.clone() }, &seen(None), at));
        assert!(!covers(&Containment { outcome: Some("partial".to_owned()), ..whole.clone() }, &seen(None), at));
        let stolen = Finding { roles: vec!["web".to_owned()], ..seen(None) };
        assert!(!covers(&whole, &stolen, at), "it names a role that is not denied yet");
        let named = Named { roles: vec!["web".to_owned()], profiles: Vec::new() };
        assert!(covers(&Containment { named, ..whole.clone() }, &stolen, at));
        assert!(!covers(&Containment { concluded_at: None, ..whole }, &seen(None), at), "an earlier version wrote it");
    }

    #[test]
    fn an_instance_counts_once_an_hour_and_a_day_and_what_stood_before_a_withdrawn_claim_stays_counted() {
        let hour = |hours: u64| Timestamp::from_millis(1_790_000_000_000).after(Duration::from_hours(hours));
        let limits = || Some(Limits { cap: 1, others: None, group: Some("web".to_owned()) });
        let group = |at, stays| Some(CountedInGroup { name: "web".to_owned(), at, stays });
        let after = |state, counted: &Option<Counted>| Containment {
            state,
            counted: counted.clone(),
            ..crate::testing::current()
        };
        let (against, first) = count(None, limits(), hour(0));
        assert_eq!(against, limits());
        assert_eq!(first, Some(Counted { hour: hour(0).hour(), hour_stays: false, group: group(hour(0), false) }));

        let (against, again) = count(Some(&after(State::Released, &first)), limits(), hour(0));
        assert_eq!(against, Some(Limits { cap: 1, others: None, group: None }), "not twice in its group");
        assert_eq!(again, Some(Counted { hour: hour(0).hour(), hour_stays: true, group: group(hour(0), true) }));

        let (against, anew) = count(Some(&after(State::Withdrawn, &first)), limits(), hour(0));
        assert_eq!((against, &anew), (limits(), &first), "what was given back counts as if it had not been");
        let (against, third) = count(Some(&after(State::Withdrawn, &again)), limits(), hour(0));
        assert_eq!(against.and_then(|limits| limits.group), None);
        assert_eq!(third, again, "the first of them stays counted");

        let (_, later) = count(Some(&after(State::Released, &first)), limits(), hour(1));
        assert_eq!(later, Some(Counted { hour: hour(1).hour(), hour_stays: false, group: group(hour(0), true) }));
        let (against, next_day) = count(Some(&after(State::Released, &first)), limits(), hour(25));
        assert_eq!((against, next_day.and_then(|counted| counted.group)), (limits(), group(hour(25), false)));
        assert_eq!(count(None, None, hour(0)), (None, None), "a person's order");
        assert_eq!(count(Some(&after(State::Released, &first)), None, hour(0)).1, again);
    }

    #[test]
    fn a_lease_holds_until_it_ends_or_its_own_request_returns() {
        let now = Timestamp::from_millis(1000);
        let judge = |current: &Containment, request: &str| claimable(Some(current), request, now);
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
