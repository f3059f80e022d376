//! Lists: what is contained, which questions wait, which instances fit a name.

use serde::Deserialize;

use super::{Entry, Outcome, story::State};

/// A page of `status`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Status {
    /// The active containments of instances.
    pub active: Vec<Standing>,
    /// Those of users.
    pub principals: Vec<PrincipalStanding>,
    /// Where the next page begins.
    pub next: Option<String>,
    /// Questions that wait for a person: the first of them.
    pub questions: Vec<Question>,
    /// Where the list of questions goes on, if more wait.
    pub more_questions: Option<String>,
    /// Messages that could not be sent to people.
    pub not_notified: Vec<NotNotified>,
    /// There are more of them.
    pub more_not_notified: bool,
    /// Entries of the ledger that name no instance.
    pub unreadable: Vec<String>,
}

/// A message that could not be sent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct NotNotified {
    /// What it is about.
    pub about: String,
    /// The way that did not take it: people, where it says nothing else.
    pub channel: String,
    /// Why it could not be sent.
    pub why: String,
}

/// What `questions` answers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Questions {
    /// The questions, in no order.
    pub questions: Vec<Question>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// A question that waits for a person.
#[derive(Debug, Clone, Deserialize)]
pub struct Question {
    /// Its id, by which it is answered.
    #[serde(rename = "question")]
    pub id: String,
    /// Its account.
    pub account: String,
    #[serde(default)]
    pub region: String,
    #[serde(default)]
    pub instance_id: Option<String>,
    #[serde(default)]
    pub user: Option<String>,
    #[serde(default)]
    pub role: Option<String>,
    /// Its Name tag.
    #[serde(default)]
    pub name: Option<String>,
    /// Why it is asked.
    #[serde(default)]
    pub reason: String,
    /// When it was asked, RFC 3339.
    #[serde(default)]
    pub asked_at: String,
    /// What a yes would do, where the function says so.
    #[serde(default)]
    pub yes: Option<String>,
}

/// What `find` answers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Matches {
    /// The instances that fit.
    pub instances: Vec<Match>,
    /// How many more there are.
    pub more: usize,
}

/// An instance that fits a name or an address.
#[derive(Debug, Clone, Deserialize)]
pub struct Match {
    pub account: String,
    pub region: String,
    pub instance_id: String,
    /// Its Name tag.
    #[serde(default)]
    pub name: Option<String>,
    /// Its life cycle state.
    #[serde(default)]
    pub state: String,
    #[serde(default)]
    pub addresses: Vec<String>,
    /// When it was launched.
    #[serde(default)]
    pub launched: Option<String>,
}

/// An active containment, as `status` lists it.
#[derive(Debug, Clone, Deserialize)]
pub struct Standing {
    /// The instance, and what was seen of it now.
    #[serde(flatten)]
    pub now: Entry,
    /// How far it is.
    pub state: State,
    /// Its Name tag.
    #[serde(default)]
    pub name: Option<String>,
    /// Seconds since it began.
    #[serde(default)]
    pub age_seconds: u64,
    /// The outcome of the last attempt that ended in order.
    #[serde(default)]
    pub last_outcome: Option<Outcome>,
    /// How many steps would put it right.
    #[serde(default)]
    pub drift: u64,
    /// Steps that have never succeeded.
    #[serde(default)]
    pub never_done: Vec<Undone>,
}

/// A contained user, as `status` lists it.
#[derive(Debug, Clone, Deserialize)]
pub struct PrincipalStanding {
    /// The user, and what was seen of it now.
    #[serde(flatten)]
    pub now: Entry,
    /// How far it is.
    pub state: State,
    /// Seconds since it began.
    #[serde(default)]
    pub age_seconds: u64,
    /// The outcome of the last attempt that ended in order.
    #[serde(default)]
    pub last_outcome: Option<Outcome>,
    /// How many steps would put it right.
    #[serde(default)]
    pub drift: u64,
    /// How many steps have never succeeded.
    #[serde(default)]
    pub never_done: u64,
}

impl PrincipalStanding {
    /// Whether it was seen to be as its containment left it.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.now.outcome == Outcome::Planned && self.drift == 0 && self.never_done == 0
    }
}

/// A step that has never succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Undone {
    pub lane: String,
    /// Its name.
    pub step: String,
}
