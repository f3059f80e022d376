//! What became of one instance or user: the outcome, the verdict, the steps.

use serde::Deserialize;

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
    /// The role's name.
    #[serde(default)]
    pub role: Option<String>,
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
