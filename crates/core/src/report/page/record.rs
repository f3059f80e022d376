//! What the page is made from, read leniently: the command may be older than the function, and the record older than both.
//! What is missing or of a word that this version does not know is not known, never good.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use super::About;
use crate::{
    ledger::{Conclusion, State},
    model::timestamp::Timestamp,
    report::{
        fact::Truth,
        paths::{Family, NewFlows, OpenFlows},
        proof,
    },
    step::Step,
};

/// A value, or none where it is missing, null, or not known to this version.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

/// A time as answers write it.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.as_deref().and_then(Timestamp::parse))
}

fn times<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Timestamp>, D::Error> {
    Ok(Vec::<String>::deserialize(deserializer)?.iter().filter_map(|text| Timestamp::parse(text)).collect())
}

/// The answer of `show`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    pub account: String,
    pub region: String,
    pub instance_id: String,
    /// The IAM user, where it is no instance.
    pub user: Option<String>,
    /// The IAM role whose sessions are denied, where it is one.
    pub role: Option<String>,
    pub containment: Option<OnRecord>,
    pub steps: Vec<StepOnRecord>,
    pub reports: Vec<Report>,
    pub questions: Vec<Question>,
    pub not_notified: Vec<NotSent>,
}

impl Record {
    pub(super) fn about(&self) -> About {
        match (&self.user, &self.role) {
            (Some(_), _) => About::User,
            (None, Some(_)) => About::Role,
            (None, None) => About::Instance,
        }
    }

    /// The id of the instance, or the name of the user or the role.
    pub(super) fn id(&self) -> &str {
        self.user.as_deref().or(self.role.as_deref()).unwrap_or(&self.instance_id)
    }

    /// Its key in the ledger.
    pub(super) fn place(&self) -> String {
        match self.about() {
            About::User => format!("{}/iam/{}", self.account, self.id()),
            About::Role => format!("{}/iam/role/{}", self.account, self.id()),
            About::Instance => format!("{}/{}/{}", self.account, self.region, self.instance_id),
        }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct OnRecord {
    pub containment_id: String,
    #[serde(deserialize_with = "lenient")]
    pub state: Option<State>,
    #[serde(deserialize_with = "time")]
    pub claimed_at: Option<Timestamp>,
    #[serde(deserialize_with = "time")]
    pub concluded_at: Option<Timestamp>,
    #[serde(deserialize_with = "time")]
    pub released_at: Option<Timestamp>,
    pub findings: Vec<String>,
    pub reason: String,
    #[serde(deserialize_with = "lenient")]
    pub outcome: Option<Conclusion>,
    pub notified: Option<String>,
    pub stop: bool,
    pub holder: String,
    pub contest: Option<Contest>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Contest {
    #[serde(deserialize_with = "time")]
    pub since: Option<Timestamp>,
    #[serde(deserialize_with = "time")]
    pub seen: Option<Timestamp>,
}

/// What a step found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Found {
    /// No attempt lived to say.
    Planned,
    Changed,
    AlreadyDone,
    Missing,
    Skipped,
    Failed,
    #[default]
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct StepOnRecord {
    pub release: bool,
    pub lane: String,
    pub step: String,
    pub resource: String,
    pub outcome: Found,
    pub detail: String,
    pub change: Option<Change>,
    #[serde(deserialize_with = "lenient")]
    pub record: Option<Step>,
    #[serde(deserialize_with = "time")]
    pub recorded_at: Option<Timestamp>,
    #[serde(deserialize_with = "time")]
    pub finished_at: Option<Timestamp>,
    #[serde(deserialize_with = "time")]
    pub first_done_at: Option<Timestamp>,
    #[serde(deserialize_with = "times")]
    pub repairs: Vec<Timestamp>,
}

impl StepOnRecord {
    /// When it ended: when it was first done, where that is on record.
    pub(super) fn ended_at(&self) -> Option<Timestamp> {
        self.first_done_at.or(self.finished_at)
    }

    /// When it was last done again, having been undone, and how often as far as that is on record. A person's order is not
    /// among the repairs that are counted.
    pub(super) fn done_again(&self) -> Option<(usize, Timestamp)> {
        let later = self
            .finished_at
            .filter(|at| self.outcome == Found::Changed && self.first_done_at.is_some_and(|first| first < *at));
        let last = self.repairs.iter().copied().chain(later).max()?;
        Some((self.repairs.len().max(1), last))
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Change {
    pub of: String,
    pub before: String,
    pub after: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Report {
    pub of: String,
    #[serde(deserialize_with = "time")]
    pub at: Option<Timestamp>,
    #[serde(deserialize_with = "lenient")]
    pub answer: Option<Answer>,
}

/// What an attempt answered.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Answer {
    pub instance_name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub outcome: Option<Conclusion>,
    pub reason: String,
    pub verdict: Verdict,
    pub notes: Vec<String>,
    pub contest: Option<Contested>,
    pub left_out: LeftOut,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct LeftOut {
    pub paths: usize,
    pub notes: usize,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Contested {
    pub by: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Verdict {
    #[serde(deserialize_with = "lenient")]
    pub network: Option<Truth>,
    #[serde(deserialize_with = "lenient", alias = "identity")]
    pub credentials: Option<Truth>,
    #[serde(deserialize_with = "lenient")]
    pub fleet: Option<Truth>,
    #[serde(deserialize_with = "lenient")]
    pub evidence: Option<Truth>,
    /// Of a user: whether everything that it signs is denied.
    #[serde(deserialize_with = "lenient")]
    pub denied: Option<Truth>,
    /// Of a user: whether its credentials are off.
    #[serde(deserialize_with = "lenient")]
    pub inactive: Option<Truth>,
    pub summary: String,
    pub paths: Vec<Path>,
    pub proof: Option<Proof>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Path {
    pub kind: String,
    pub via: Option<String>,
    pub interface: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub family: Option<Family>,
    pub new_flows: NewFlows,
    pub open_flows: OpenFlows,
    pub at_most_idle_seconds: Option<u32>,
    pub why: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Proof {
    #[serde(deserialize_with = "lenient")]
    pub state: Option<proof::State>,
    pub detail: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Question {
    #[serde(rename = "question")]
    pub id: String,
    pub reason: String,
    pub finding: String,
    #[serde(deserialize_with = "time")]
    pub asked_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct NotSent {
    pub subject: String,
    pub why: String,
}

/// The answer of `status` for one instance.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    pub active: Vec<Standing>,
    pub principals: Vec<HolderStanding>,
}

impl Status {
    /// What it says of this one.
    pub(super) fn of(&self, record: &Record) -> Option<Standing> {
        let is_it = |it: &&HolderStanding| it.user == record.user && it.role == record.role;
        match record.about() {
            About::User | About::Role => self.principals.iter().find(is_it).map(|it| Standing {
                verdict: it.verdict.clone(),
                drift: it.drift,
                ..Standing::default()
            }),
            About::Instance => self.active.iter().find(|it| it.instance_id == record.instance_id).cloned(),
        }
    }
}

/// How a user or a role stands now.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct HolderStanding {
    pub user: Option<String>,
    pub role: Option<String>,
    pub verdict: Verdict,
    pub drift: u64,
}

/// How it stands now, as far as `status` sees.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Standing {
    pub instance_id: String,
    pub name: Option<String>,
    pub verdict: Verdict,
    pub drift: u64,
    pub never_done: Vec<Undone>,
    pub unread: Vec<Unread>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Undone {
    pub lane: String,
    pub step: String,
    pub resource: String,
    pub why: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Unread {
    pub what: String,
    pub error: String,
}
