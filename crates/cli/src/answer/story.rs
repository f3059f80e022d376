//! What `show` answers, as far as people are shown it.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Entry, Outcome, Step};

/// What `show` answers: all that is on record of an instance.
#[derive(Debug, Clone, Deserialize)]
pub struct Story {
    pub account: String,
    #[serde(default)]
    pub region: String,
    #[serde(default)]
    pub instance_id: String,
    /// The user's name, where it is one.
    #[serde(default)]
    pub user: Option<String>,
    /// The role's name, where it is one.
    #[serde(default)]
    pub role: Option<String>,
    /// Its last containment.
    pub containment: Option<OnRecord>,
    /// The steps, in the order of time.
    #[serde(default)]
    pub steps: Vec<StepOnRecord>,
    /// What was read back last, of the containment and of its release.
    #[serde(default)]
    pub reports: Vec<Report>,
}

/// What an attempt read back, as it was answered then.
#[derive(Debug, Clone, Deserialize)]
pub struct Report {
    /// `containment` or `release`.
    pub of: String,
    /// When all of it had been read back.
    pub at: String,
    /// The answer, without its steps; none where this version cannot read it.
    #[serde(default, deserialize_with = "lenient")]
    pub answer: Option<Entry>,
}

fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Entry>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

/// A containment as the ledger has it.
#[derive(Debug, Clone, Deserialize)]
pub struct OnRecord {
    pub containment_id: String,
    /// How far it is.
    pub state: State,
    /// When it was claimed.
    pub claimed_at: String,
    /// The findings that named the instance.
    #[serde(default)]
    pub findings: Vec<String>,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// The outcome of the last attempt that ended in order.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// When it was released.
    #[serde(default)]
    pub released_at: Option<String>,
}

/// How far a containment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Somebody works on it, or died working on it.
    Open,
    /// Its last attempt ended in order.
    Closed,
    /// A question came out of it before anything was changed.
    Withdrawn,
    /// It is being given back.
    Releasing,
    /// It was given back.
    Released,
    /// A word that this version does not know.
    #[serde(other)]
    Unknown,
}

/// A step as the ledger has it.
#[derive(Debug, Clone, Deserialize)]
pub struct StepOnRecord {
    /// The step in a report's form.
    #[serde(flatten)]
    pub step: Step,
    /// It belongs to the release.
    #[serde(default)]
    pub release: bool,
    /// When its outcome was.
    #[serde(default)]
    pub finished_at: Option<String>,
    /// When it was done again.
    #[serde(default)]
    pub repairs: Vec<String>,
}
