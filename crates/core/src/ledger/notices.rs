//! What people are notified of, as a value: a statement has a digest, by which a repetition is known, and a message that
//! could not be sent has a record, by which it is sent later.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::{ids::TargetKey, text::Sentence, timestamp::Timestamp};

/// Why it was decided so, as far as a repetition must be told from news. The sentence is the decision's reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// What the finding itself says.
    #[default]
    Finding,
    /// The instance's exemption tag.
    Exempt,
    /// A containment that this ledger does not know.
    ForeignContainment,
    /// A person is releasing the instance.
    BeingReleased,
    /// It was released before.
    Released,
    /// The event names too many instances.
    Crowd,
    /// The account's own rules could not be read.
    RulesUnread,
    /// The hour's cap is reached.
    Cap,
    /// The first time in the hour that the cap is reached.
    CapReached,
    /// The third containment in its Auto Scaling group within a day.
    ThirdInGroup,
    /// It is the last healthy target of a target group.
    LastHealthy,
    /// A user that nobody contains through Brig.
    BreakGlass,
    /// The event's account may not name this instance.
    NotTrusted,
    /// The account cannot be worked in.
    Unreachable,
    /// There is no such instance.
    NotThere,
    /// Containment could not start.
    CannotStart,
    /// A verification could not look.
    CannotLook,
}

impl Cause {
    /// Its word in the ledger.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Finding => "finding",
            Self::Exempt => "exempt",
            Self::ForeignContainment => "foreign_containment",
            Self::BeingReleased => "being_released",
            Self::Released => "released",
            Self::Crowd => "crowd",
            Self::RulesUnread => "rules_unread",
            Self::Cap => "cap",
            Self::CapReached => "cap_reached",
            Self::ThirdInGroup => "third_in_group",
            Self::LastHealthy => "last_healthy",
            Self::BreakGlass => "break_glass",
            Self::NotTrusted => "not_trusted",
            Self::Unreachable => "unreachable",
            Self::NotThere => "not_there",
            Self::CannotStart => "cannot_start",
            Self::CannotLook => "cannot_look",
        }
    }

    /// Whether an older version, which knew a statement by its outcome and finding alone, may have sent it.
    #[must_use]
    pub fn was_known_before(self) -> bool {
        !matches!(self, Self::Cap | Self::CapReached | Self::CannotLook)
    }
}

/// A statement that people are notified of once: what was decided, why, and about what. Never a sentence, a time of day or
/// a count, so that the same statement about the same thing is the same value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The outcome's word, `asked`.
    pub what: String,
    /// Why.
    pub cause: Cause,
    /// The finding's id.
    pub finding: String,
    /// What else tells it apart: the steps that have drifted, the call that failed, the hour of a cap. Sorted.
    pub about: Vec<String>,
}

impl Statement {
    /// The statement that says this one too, and more: who heard of a finding that the hour's cap is reached knows that this
    /// finding is over it.
    #[must_use]
    pub fn louder(&self, now: Timestamp) -> Option<Self> {
        let about = [self.about.as_slice(), &[now.hour()]].concat();
        (self.cause == Cause::Cap).then(|| Self { cause: Cause::CapReached, about, ..self.clone() })
    }

    /// The digest that its record is known by.
    #[must_use]
    pub fn digest(&self) -> String {
        let about = self.about.iter().map(String::as_str);
        digest([self.what.as_str(), self.cause.word(), self.finding.as_str()].into_iter().chain(about))
    }
}

/// Whether people know that a containment stands so. Records of older versions have the outcome alone.
#[must_use]
pub fn is_known(told: Option<&str>, standing: &str) -> bool {
    told.is_some_and(|told| told == standing || (!told.contains('#') && word_of(standing) == told))
}

/// The outcome's word of a standing.
#[must_use]
pub fn word_of(standing: &str) -> &str {
    standing.split('#').next().unwrap_or(standing)
}

/// Half of a SHA-256 in hexadecimal: nobody who chooses a finding's id can make it another statement's.
#[must_use]
pub fn digest<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length keeps "a", "bc" apart from "ab", "c".
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(16).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The way that a message takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The topic that people and machines subscribe to.
    #[default]
    People,
    /// The topic of a chat channel. Who does not read it there reads it in the mail.
    Chat,
}

impl Channel {
    /// Its word in the ledger and in answers.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Chat => "chat",
        }
    }

    /// The id that a statement's message is kept by where this way does not take it.
    #[must_use]
    pub fn id(self, statement: &str) -> String {
        match self {
            Self::People => statement.to_owned(),
            Self::Chat => format!("{statement}-chat"),
        }
    }
}

/// A message that could not be sent: by which way, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unheard {
    /// The way.
    pub channel: Channel,
    /// Why, in AWS's words.
    pub why: String,
}

impl fmt::Display for Unheard {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.channel {
            Channel::People => out.write_str(&self.why),
            Channel::Chat => write!(out, "the chat channel's topic: {}", self.why),
        }
    }
}

/// A question that waits for a person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Question {
    /// Its id, by which it is answered.
    pub question: String,
    /// What it is about.
    #[serde(flatten)]
    pub target: TargetKey,
    /// The instance's Name tag.
    pub name: Option<String>,
    /// Why it is asked, for a person.
    pub reason: Sentence,
    /// Why, as a word.
    pub cause: Cause,
    /// The finding's id.
    pub finding: String,
    /// The finding's source.
    pub source: String,
    /// The finding's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The finding's severity, where it has one.
    pub severity: Option<f64>,
    /// When the activity was last seen, where the finding says so.
    #[serde(serialize_with = "shown")]
    pub last_seen: Option<Timestamp>,
    /// When it was asked.
    #[serde(serialize_with = "shown")]
    pub asked_at: Timestamp,
    /// Whether people were notified of it.
    pub notified: bool,
}

/// A time as everything that people read shows it.
fn shown<T: Into<Option<Timestamp>> + Copy, S: serde::Serializer>(at: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let at: Option<Timestamp> = (*at).into();
    at.map(|at| at.to_string()).serialize(serializer)
}

/// One page of the questions that wait.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct QuestionPage {
    /// The questions, by instance.
    pub questions: Vec<Question>,
    /// Where the next page begins; none on the last.
    pub next: Option<String>,
}

/// A containment that was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Release {
    /// What was contained.
    #[serde(flatten)]
    pub target: TargetKey,
    pub containment_id: String,
    /// When it was released.
    pub released_at: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(cause: Cause, about: &[&str]) -> Statement {
        let about = about.iter().map(|part| (*part).to_owned()).collect();
        Statement { what: "asked".to_owned(), cause, finding: "f-1".to_owned(), about }
    }

    #[test]
    fn statements_that_differ_in_any_part_have_digests_of_their_own() {
        let all = [
            told(Cause::Finding, &[]),
            told(Cause::Cap, &[]),
            told(Cause::CapReached, &["2026-01-01T10"]),
            told(Cause::CapReached, &["2026-01-01T11"]),
            told(Cause::Finding, &["ab", "c"]),
            told(Cause::Finding, &["a", "bc"]),
        ];
        let digests: std::collections::BTreeSet<String> = all.iter().map(Statement::digest).collect();
        assert_eq!(digests.len(), all.len());
        assert_eq!(told(Cause::Exempt, &["x"]).digest(), told(Cause::Exempt, &["x"]).digest());
    }

    #[test]
    fn what_an_older_version_recorded_is_known() {
        assert!(is_known(Some("partial"), "partial#0123"));
        assert!(is_known(Some("partial#0123"), "partial#0123"));
        assert!(!is_known(Some("partial#9999"), "partial#0123"));
        assert!(!is_known(Some("contained"), "partial#0123"));
        assert!(!is_known(None, "contained"));
    }
}
