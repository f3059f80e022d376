//! A credential: how it came to be, how it was used, and whether it lives.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use brig_core::model::timestamp::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Record;

/// So many addresses and agents of one credential are kept.
const MOST: usize = 20;

/// By what a credential is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CredentialId {
    /// An access key, of a user or of a session.
    Key(String),
    /// What an instance's metadata service hands out.
    Instance(String),
    /// A user's console password.
    Password(String),
    /// A service-specific credential of a user.
    Service(String),
    /// A session whose key no record has: its role, its name, and when it was issued.
    Session(String),
}

impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) | Self::Instance(id) | Self::Service(id) | Self::Session(id) => f.write_str(id),
            Self::Password(user) => write!(f, "password of {user}"),
        }
    }
}

impl Serialize for CredentialId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CredentialId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match text.strip_prefix("password of ") {
            Some(user) => Self::Password(user.to_owned()),
            None if text.starts_with("i-") => Self::Instance(text),
            None if text.starts_with("ACCA") => Self::Service(text),
            None if text.contains(' ') => Self::Session(text),
            None => Self::Key(text),
        })
    }
}

/// What sort of credential it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// A user's, or the root user's, long-term key.
    AccessKey,
    /// Of a role that somebody assumed.
    RoleSession,
    /// Of GetSessionToken: its user's.
    UserSession,
    /// Of GetFederationToken: its user's.
    FederatedSession,
    /// What an instance's metadata service hands out, as one.
    Instance,
    Password,
    /// Of the console.
    ConsoleSession,
    ServiceSpecific,
}

impl CredentialKind {
    /// What people call it.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::AccessKey => "access key",
            Self::RoleSession => "session of a role",
            Self::UserSession => "session of a user (GetSessionToken)",
            Self::FederatedSession => "federated session (GetFederationToken)",
            Self::Instance => "credentials of an instance",
            Self::Password => "console password",
            Self::ConsoleSession => "session of the console",
            Self::ServiceSpecific => "service-specific credential",
        }
    }
}

/// By which version of the instance's metadata service it was handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Delivery {
    /// Any request from the instance gets them, one that an attacker has a web server make too.
    #[serde(rename = "1.0")]
    V1,
    #[serde(rename = "2.0")]
    V2,
}

impl Delivery {
    pub(crate) fn of(text: &str) -> Option<Self> {
        match text {
            "1.0" => Some(Self::V1),
            "2.0" => Some(Self::V2),
            _ => None,
        }
    }
}

/// Whether a credential works now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Standing {
    /// It was seen not to: why.
    Dead { why: String },
    /// Nobody looked, or nobody could.
    Unknown { why: String },
    /// It was seen to.
    Alive { why: String },
}

impl Standing {
    /// The higher, the worse.
    #[must_use]
    pub fn weakness(&self) -> u8 {
        match self {
            Self::Dead { .. } => 0,
            Self::Unknown { .. } => 1,
            Self::Alive { .. } => 2,
        }
    }

    /// `dead`, `unknown` or `ALIVE`, and why.
    #[must_use]
    pub fn words(&self) -> (&'static str, &str) {
        match self {
            Self::Dead { why } => ("dead", why),
            Self::Unknown { why } => ("unknown", why),
            Self::Alive { why } => ("ALIVE", why),
        }
    }
}

/// How it was used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uses {
    /// Calls that did something or answered something.
    pub succeeded: usize,
    /// Calls that AWS refused, or that only asked whether they would be allowed.
    pub refused: usize,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    /// The last that succeeded.
    pub last_success: Option<Timestamp>,
    /// The last that succeeded and that a policy could have denied.
    #[serde(default)]
    pub last_deniable: Option<Timestamp>,
    /// Where calls came from, and how many: the most frequent ones.
    pub addresses: BTreeMap<String, usize>,
    pub agents: BTreeMap<String, usize>,
    pub regions: BTreeSet<String>,
}

impl Uses {
    pub(crate) fn take(&mut self, record: &Record) {
        if record.succeeded() {
            self.succeeded += 1;
            self.last_success = self.last_success.max(Some(record.at));
            // STS answers it whatever is denied
            // (<https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>).
            if record.call != "GetCallerIdentity" {
                self.last_deniable = self.last_deniable.max(Some(record.at));
            }
        } else {
            self.refused += 1;
        }
        self.first = Some(self.first.map_or(record.at, |first| first.min(record.at)));
        self.last = self.last.max(Some(record.at));
        for (text, counts) in [(&record.address, &mut self.addresses), (&record.agent, &mut self.agents)] {
            if let Some(text) = text {
                *counts.entry(text.clone()).or_default() += 1;
            }
        }
        self.regions.insert(record.region.clone());
    }

    /// Keeps the most frequent ones; which they are depends on no order.
    pub(crate) fn tidy(&mut self) {
        for counts in [&mut self.addresses, &mut self.agents] {
            let mut all: Vec<(String, usize)> = std::mem::take(counts).into_iter().collect();
            all.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
            *counts = all.into_iter().take(MOST).collect();
        }
    }
}

/// A credential of the graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    pub id: CredentialId,
    pub kind: CredentialKind,
    /// What it came from; none for where the trace begins.
    pub from: Option<CredentialId>,
    /// The call that made it.
    pub by: Option<String>,
    /// When it was issued, where a record says so.
    pub issued: Option<Timestamp>,
    /// When it ends by itself, where a record says so.
    pub expires: Option<Timestamp>,
    /// Whose it is: a user's name, a role's ARN.
    pub of: Option<String>,
    /// The session's name.
    pub session: Option<String>,
    pub account: Option<String>,
    /// How an instance's was handed out.
    pub delivery: Option<Delivery>,
    /// Other keys that records show for the same session.
    pub also: BTreeSet<String>,
    pub uses: Uses,
    /// Whether it works now.
    pub standing: Standing,
}
