//! What the functions answer, as far as people are shown it. Fields that are not known here are ignored, so that an older
//! command reads a newer function; a word that is not known is `Unknown`, never taken for a good one.

mod story;

use brig_core::model::text::one_line;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
pub use story::*;

use crate::fault::Fault;

/// An answer as it came, and as a value whose texts are safe to show.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The bytes of the answer, for `--json`.
    pub raw: String,
    value: Value,
}

impl Reply {
    /// Reads the payload of an answer.
    ///
    /// # Errors
    /// It is not JSON.
    pub fn read(raw: &[u8]) -> Result<Self, Fault> {
        let raw = String::from_utf8_lossy(raw).into_owned();
        let mut value = serde_json::from_str(&raw).map_err(|error| Fault::Unreadable(error.to_string()))?;
        tame(&mut value);
        Ok(Self { raw, value })
    }

    /// The answer as a typed value.
    ///
    /// # Errors
    /// It has another shape: the deployed function is of another version.
    pub fn typed<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        T::deserialize(&self.value).map_err(|error| Fault::Unreadable(error.to_string()))
    }

    /// The answer, untyped, with texts that are safe to show.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The same answer with another list of this name: several pages as one.
    #[must_use]
    pub fn with_list(mut self, name: &str, items: Vec<Value>) -> Self {
        if let Some(map) = self.value.as_object_mut() {
            map.insert(name.to_owned(), Value::Array(items));
            map.insert("next".to_owned(), Value::Null);
        }
        Self { raw: self.value.to_string(), value: self.value }
    }

    /// The list of this name in a page, untyped.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<Value> {
        self.value.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
    }
}

/// Characters of one text: an answer has none that is longer, and a terminal has no use for it.
const LONGEST: usize = 4000;

/// Tags, names and AWS's messages come from outside: a control or bidirectional character in one would move the cursor or
/// reorder the line in somebody's terminal.
fn tame(value: &mut Value) {
    match value {
        Value::String(text) => *text = one_line(text, LONGEST),
        Value::Array(items) => items.iter_mut().for_each(tame),
        Value::Object(map) => map.values_mut().for_each(tame),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// How an invocation ended for one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything that was promised was seen to hold.
    Contained,
    /// Something was not, or could not be seen.
    Partial,
    /// It was contained already.
    AlreadyContained,
    /// Another invocation is at it.
    InProgress,
    /// Observe mode: nothing was changed.
    Observed,
    /// A plan was asked for.
    Planned,
    /// A person must decide.
    Asked,
    /// Nothing to do.
    Ignored,
    /// A precondition failed.
    Refused,
    /// Nothing could be done.
    Failed,
    /// It still holds.
    Verified,
    /// Something had drifted and was repaired.
    Repaired,
    /// Something has drifted.
    Drifted,
    /// Somebody keeps undoing it.
    Contested,
    /// Flow logs show accepted traffic after the cut.
    Contradicted,
    /// A verification could not look.
    Unverified,
    /// What the containment changed is given back.
    Released,
    /// Something of it is not.
    ReleasePartial,
    /// A word that this version does not know.
    #[serde(other)]
    Unknown,
}

/// How far something is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// Every fact was seen to hold.
    Yes,
    /// Some hold.
    Partial,
    /// None holds.
    No,
    /// It was not seen.
    #[default]
    #[serde(other)]
    Unknown,
}

/// What an invocation of `contain`, `plan`, `verify` or `release` answers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Answer {
    /// One entry for each instance.
    pub containments: Vec<Entry>,
    /// Work is left, and nobody retries it.
    pub incomplete: bool,
    /// Instances for which no time was left.
    pub not_looked_at: u64,
    /// Why nothing was done at all.
    pub ignored: Option<String>,
    /// Entries of the ledger that name no instance.
    pub unreadable: Vec<String>,
    /// Why people could not be notified.
    pub not_notified: Option<String>,
}

/// The answer for one instance.
#[derive(Debug, Clone, Deserialize)]
pub struct Entry {
    pub account: String,
    /// None of a user, which has no Region.
    #[serde(default)]
    pub region: String,
    /// Its id; none where an address was not resolved, and of a user.
    #[serde(default)]
    pub instance_id: Option<String>,
    /// The user's name.
    #[serde(default)]
    pub user: Option<String>,
    /// The user's key that was named.
    #[serde(default)]
    pub access_key_id: Option<String>,
    /// Another principal that was named.
    #[serde(default)]
    pub principal: Option<String>,
    /// The containment, where there is one.
    #[serde(default)]
    pub containment_id: Option<String>,
    /// Why it was done, or not.
    #[serde(default)]
    pub reason: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What became true.
    pub verdict: Verdict,
    /// What was done, lane by lane.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// What else there is to know.
    #[serde(default)]
    pub notes: Vec<String>,
    /// How long it took.
    #[serde(default)]
    pub timings_ms: Timings,
}

/// One lane in a line.
#[derive(Debug, Clone, Deserialize)]
pub struct LaneLine {
    pub lane: String,
    /// What holds, or what does not and why.
    pub text: String,
}

/// One part of a user's containment in a line.
#[derive(Debug, Clone, Deserialize)]
pub struct PartLine {
    pub part: String,
    pub truth: Truth,
    /// What holds, or what does not and why.
    pub text: String,
}

/// What became true, lane by lane.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Verdict {
    /// No new connection can start.
    pub network: Truth,
    /// The instance's credentials are dead.
    #[serde(alias = "identity")]
    pub credentials: Truth,
    /// Out of its Auto Scaling group and load balancers.
    pub fleet: Truth,
    /// Instance and disks preserved.
    pub evidence: Truth,
    /// All of it in one sentence.
    pub summary: String,
    /// What the function says of each part of a user's containment.
    pub lines: Vec<PartLine>,
    /// What the function says of each lane; none from an older one.
    #[serde(rename = "lanes")]
    pub said: Vec<LaneLine>,
    /// What is left of each path.
    pub paths: Vec<Path>,
    /// What flow logs say.
    pub proof: Option<Proof>,
}

impl Verdict {
    /// The lanes by name, in the order of every report.
    #[must_use]
    pub fn lanes(&self) -> [(&'static str, Truth); 4] {
        [
            ("network", self.network),
            ("credentials", self.credentials),
            ("fleet", self.fleet),
            ("evidence", self.evidence),
        ]
    }
}

/// Whether a connection can start on a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewFlows {
    /// None can.
    Blocked,
    /// One can.
    Open,
    /// It was not seen.
    #[serde(other)]
    Unknown,
}

impl NewFlows {
    /// The higher, the worse.
    #[must_use]
    pub fn weakness(self) -> u8 {
        match self {
            Self::Blocked => 0,
            Self::Unknown => 1,
            Self::Open => 2,
        }
    }
}

/// What becomes of connections that were open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum OpenFlows {
    /// There was none.
    #[serde(rename = "none")]
    None,
    /// They ended.
    #[serde(rename = "cut")]
    Cut,
    /// They are expected to have ended.
    #[serde(rename = "expected cut")]
    ExpectedCut,
    /// They may go on.
    #[serde(rename = "may go on")]
    MayGoOn,
    /// It was not seen.
    #[serde(other)]
    Unknown,
}

impl OpenFlows {
    /// The higher, the worse.
    #[must_use]
    pub fn weakness(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Cut => 1,
            Self::ExpectedCut => 2,
            Self::Unknown => 3,
            Self::MayGoOn => 4,
        }
    }
}

/// One way to or from the instance.
#[derive(Debug, Clone, Deserialize)]
pub struct Path {
    /// What it leads through.
    pub kind: String,
    /// The gateway or endpoint.
    #[serde(default)]
    pub via: Option<String>,
    #[serde(default)]
    pub interface: Option<String>,
    /// Whether a connection can start.
    pub new_flows: NewFlows,
    /// What becomes of those that were open.
    pub open_flows: OpenFlows,
    /// For how many seconds without traffic one is remembered at most.
    #[serde(default)]
    pub at_most_idle_seconds: Option<u64>,
    #[serde(default)]
    pub why: String,
}

/// What flow logs say of the time after the cut.
#[derive(Debug, Clone, Deserialize)]
pub struct Proof {
    /// For a person.
    #[serde(default)]
    pub detail: String,
}

/// What a step found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// It would be run.
    Planned,
    /// It changed the resource.
    Changed,
    /// The resource was so already.
    AlreadyDone,
    /// The resource is not there.
    Missing,
    /// Not done, for a reason.
    Skipped,
    Failed,
    /// A word that this version does not know.
    #[serde(other)]
    Unknown,
}

impl Found {
    /// Whether the resource is as the step wants it.
    #[must_use]
    pub fn is_done(self) -> bool {
        matches!(self, Self::Changed | Self::AlreadyDone)
    }

    /// The word that people read.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Changed => "changed",
            Self::AlreadyDone => "already so",
            Self::Missing => "not there",
            Self::Skipped => "skipped",
            Self::Failed => "FAILED",
            Self::Unknown => "unknown",
        }
    }
}

/// One line of what was done.
#[derive(Debug, Clone, Deserialize)]
pub struct Step {
    pub lane: String,
    #[serde(rename = "step")]
    pub name: String,
    /// What it is about.
    pub resource: String,
    /// What it found.
    pub outcome: Found,
    /// What a person should know of it.
    #[serde(default)]
    pub detail: String,
}

/// Milliseconds since the invocation began.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub struct Timings {
    /// Every interface was isolated.
    pub isolated: Option<u64>,
    /// AWS had accepted what denies a user everything.
    pub denied: Option<u64>,
    /// The report was complete.
    pub done: Option<u64>,
}

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

/// What `readiness` answers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Ready {
    /// One line a check.
    pub lines: Vec<Check>,
    /// What was made ahead of time.
    pub prepared: Vec<String>,
}

/// One check.
#[derive(Debug, Clone, Deserialize)]
pub struct Check {
    /// What was checked.
    #[serde(rename = "check")]
    pub what: String,
    /// What it showed.
    pub state: CheckState,
    /// What was seen.
    #[serde(default)]
    pub detail: String,
    /// What to do.
    #[serde(rename = "do", default)]
    pub todo: String,
}

/// What one check showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Seen to be in place.
    Ok,
    /// Seen not to be.
    Missing,
    /// Not seen.
    #[serde(other)]
    Unknown,
}
