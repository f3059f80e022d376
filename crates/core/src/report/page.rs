//! The incident page: what is on record of the containment of one instance or user, for people who were not there. It is a function of
//! the answer of `show`, of a look of now where there was one, and of the time that it is made: the same of them is the same
//! page. First it becomes a typed [`Page`], of which then HTML and Markdown are written. It claims what was read back, with
//! the time, and no more.

mod changes;
mod custody;
mod html;
mod lanes;
mod markdown;
mod people;
mod record;
mod state;
mod timeline;
mod unknown;
mod words;

use serde::Deserialize;
use serde_json::Value;

use self::record::{Answer, Record, Standing, Status};
use crate::{
    ledger::ReportOf,
    model::{
        text::{self, shell},
        timestamp::Timestamp,
    },
    step::Lane,
};

/// What a page is made from.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The answer of `show`; it may be an older or a newer function's.
    pub show: &'a Value,
    /// What was seen since.
    pub now: Now<'a>,
    /// The answer of `custody`, of the function that takes evidence; none where it was not asked, or has none.
    pub custody: Option<&'a Value>,
    /// When the page is made.
    pub as_of: Timestamp,
    /// How the command is called, for commands that are suggested: `brig --stack ir`.
    pub brig: &'a str,
}

/// What was seen after the record was read.
#[derive(Debug, Clone, Copy)]
pub enum Now<'a> {
    /// Nobody looked.
    NotLooked,
    /// The answer of `status`, and when it came.
    Looked {
        /// The answer.
        status: &'a Value,
        /// When it came.
        at: Timestamp,
    },
    /// It could not be looked at.
    Unseen {
        /// Why, for a person.
        why: &'a str,
    },
}

/// How something is marked: always next to a word that says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// It does not hold, or needs somebody now.
    Bad,
    /// It is not known, or may not hold.
    Warn,
    /// Nothing to judge.
    Calm,
    /// It was seen to hold.
    Good,
}

/// The first of a list, and how many more there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// Those that are shown.
    pub shown: Vec<T>,
    /// How many are not.
    pub more: usize,
}

impl<T> Listed<T> {
    fn first(most: usize, all: impl IntoIterator<Item = T>) -> Self {
        let mut all = all.into_iter();
        let shown = all.by_ref().take(most).collect();
        Self { shown, more: all.count() }
    }
}

/// The page, as data. Texts are one bounded line each; times are shown as UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// `<account>/<region>/<instance>`, or `<account>/iam/<user>`.
    pub place: String,
    /// What it is about.
    pub about: About,
    /// The instance's id, or the user's name.
    pub id: String,
    /// Its Name tag, as it was last seen.
    pub name: Option<String>,
    /// When the page was made.
    pub as_of: Timestamp,
    /// How it stands.
    pub state: State,
    /// What to do.
    pub advice: Vec<Advice>,
    /// The four lanes, the weakest first, of a user the credentials alone; none where nothing was contained.
    pub lanes: Vec<LaneLine>,
    /// When lanes and paths of the containment were read back; none where that is not on record.
    pub read_back: Option<Timestamp>,
    /// The paths, the weakest first.
    pub paths: Listed<PathLine>,
    /// What became of flow logs.
    pub proof: Option<(Tone, String)>,
    /// What happened when.
    pub timeline: timeline::Timeline,
    /// What was changed, lane by lane.
    pub changed: Vec<(Lane, Listed<ChangeLine>)>,
    /// What was given back.
    pub given_back: Listed<ChangeLine>,
    /// What was preserved.
    pub evidence: Evidence,
    /// What is not known, and why.
    pub unknown: Listed<Unknown>,
    /// What else was noted as it was read back.
    pub notes: Listed<String>,
    /// Who, and by which invocation.
    pub people: Vec<People>,
}

/// What a page is about. A user or a role has no network, no fleet and no disks, and its page no sections on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    Instance,
    User,
    /// The sessions of a role.
    Role,
}

/// How it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// How it is marked.
    pub tone: Tone,
    /// In a word or two.
    pub word: &'static str,
    /// What was read back, in one sentence.
    pub sentence: String,
    /// Which part of the page comes from where, and of when it is.
    pub sources: Vec<(&'static str, String)>,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// Why, and what.
    pub text: String,
    /// A command to copy.
    pub command: Option<String>,
}

/// How a lane stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneLine {
    /// Which.
    pub lane: Lane,
    /// What it promises; none once it is given back.
    pub promise: Option<&'static str>,
    /// As it was read back, from the record.
    pub read_back: (Tone, &'static str),
    /// As it was seen now, where it was looked at.
    pub now: Option<(Tone, &'static str)>,
    /// How many of its steps ended.
    pub steps: (Tone, String),
}

/// What is left of a path. Paths of which the same is to be said share one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathLine {
    /// What it leads through.
    pub through: String,
    /// The id of that, where it has one.
    pub via: Option<String>,
    /// Interfaces and address families.
    pub places: Listed<String>,
    /// Whether a connection can start.
    pub new: (Tone, &'static str),
    /// What becomes of those that were open.
    pub open: (Tone, &'static str),
    /// For how long without traffic one is remembered at most.
    pub idle: Option<String>,
    pub why: String,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeLine {
    /// What it found.
    pub found: (Tone, &'static str),
    /// Its name.
    pub step: String,
    /// What it is about.
    pub resource: String,
    /// Of what, from what, to what.
    pub change: Option<(String, String, String)>,
    /// What else a person should know.
    pub detail: Option<String>,
    /// When its outcome was recorded.
    pub at: Option<Timestamp>,
    /// How often at least it was done again, having been undone, and when last.
    pub repaired: Option<(usize, Timestamp)>,
}

/// What was preserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Snapshots by id.
    pub snapshots: Listed<Snapshot>,
    /// What the steps that took them said.
    pub said: Listed<(String, String)>,
    /// Where the record itself is: name and id.
    pub record: Vec<(&'static str, String)>,
    /// The command that shows whether the snapshots have completed.
    pub command: Option<String>,
}

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub id: String,
    /// The device that its volume was attached as.
    pub device: Option<String>,
    /// How it is locked, as the step recorded it.
    pub lock: (Tone, String),
}

/// Something that is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    pub what: String,
    pub why: String,
}

/// What is known of who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct People {
    /// What they did, or are to do.
    pub what: &'static str,
    /// Who, or what.
    pub who: Listed<String>,
}

impl Page {
    /// Makes the page.
    ///
    /// # Errors
    /// The answer is not one of `show`.
    pub fn of(sources: &Sources<'_>) -> Result<Self, serde_json::Error> {
        let record = Record::deserialize(clean(sources.show))?;
        let status = match sources.now {
            Now::Looked { status, .. } => Some(Status::deserialize(clean(status))?),
            Now::NotLooked | Now::Unseen { .. } => None,
        };
        let of = |kind: ReportOf| {
            let report = record.reports.iter().find(|report| report.of == kind.word())?;
            Some((report.at?, report.answer.as_ref()?))
        };
        let place = record.place();
        let case = Case {
            standing: status.as_ref().and_then(|status| status.of(&record)),
            contained: of(ReportOf::Answer),
            released: of(ReportOf::Release),
            typed: shell(&place),
            sources,
            record: &record,
        };
        Ok(Self {
            about: record.about(),
            id: short(record.id()),
            name: case.name(),
            as_of: sources.as_of,
            state: state::state(&case),
            advice: state::advice(&case),
            lanes: lanes::lanes(&case),
            read_back: case.contained.map(|(at, _)| at),
            paths: lanes::paths(&case),
            proof: lanes::proof(&case),
            timeline: timeline::timeline(&case),
            changed: changes::changed(&case),
            given_back: changes::given_back(&case),
            evidence: changes::evidence(&case),
            unknown: unknown::unknown(&case),
            notes: unknown::notes(&case),
            people: people::people(&case).into_iter().chain(custody::custody(&case)).collect(),
            place,
        })
    }

    /// The page in HTML: one static file without a script, of at most 300 KB, that makes no request.
    #[must_use]
    pub fn html(&self) -> String {
        html::write(self)
    }

    /// The page in Markdown, as GitHub reads it.
    #[must_use]
    pub fn markdown(&self) -> String {
        markdown::write(self)
    }
}

/// All that the sections are made from.
struct Case<'a> {
    sources: &'a Sources<'a>,
    record: &'a Record,
    standing: Option<Standing>,
    contained: Option<(Timestamp, &'a Answer)>,
    released: Option<(Timestamp, &'a Answer)>,
    typed: String,
}

impl Case<'_> {
    fn name(&self) -> Option<String> {
        let seen = self.standing.as_ref().and_then(|standing| standing.name.as_ref());
        let kept = self.contained.and_then(|(_, answer)| answer.instance_name.as_ref());
        seen.or(kept).filter(|name| !name.is_empty()).map(|name| text::one_line(name, text::NAME))
    }

    /// A command of the command line for people.
    fn command(&self, verb: &str) -> String {
        format!("{} {verb} {}", self.sources.brig, self.typed)
    }
}

/// Characters of a resource, a reason or one side of a change: enough for any ARN that AWS makes for what Brig changes, and
/// few enough that a page of them stays small.
const LONGEST: usize = 400;

fn short(line: &str) -> String {
    text::one_line(line, LONGEST)
}

fn clean(value: &Value) -> Value {
    let mut value = value.clone();
    text::clean(&mut value);
    value
}

#[cfg(test)]
mod tests;
