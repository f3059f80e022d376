//! What running a step found.

use serde::{Deserialize, Serialize};

/// Why a step failed, and whether trying again can help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The error, for a person: what was being done and what AWS answered.
    pub error: String,
    /// A later attempt may succeed.
    pub retryable: bool,
}

/// What running a step found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "detail", rename_all = "snake_case")]
pub enum Outcome {
    /// Not run: it would be.
    Planned,
    /// It changed the resource; a detail for a person.
    Changed(String),
    /// The resource was already as it should be.
    AlreadyDone(String),
    /// The resource is not there (any more).
    Missing(String),
    /// Not done, for this reason.
    Skipped(String),
    /// It failed.
    Failed(Failure),
}

impl Outcome {
    /// The outcome's word in reports and in the ledger.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Changed(_) => "changed",
            Self::AlreadyDone(_) => "already_done",
            Self::Missing(_) => "missing",
            Self::Skipped(_) => "skipped",
            Self::Failed(_) => "failed",
        }
    }

    /// The outcome's detail; empty where there is none.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::Planned => "",
            Self::Changed(detail) | Self::AlreadyDone(detail) | Self::Missing(detail) | Self::Skipped(detail) => detail,
            Self::Failed(failure) => &failure.error,
        }
    }

    /// Whether a later attempt may turn it into success.
    #[must_use]
    pub fn is_left_over(&self) -> bool {
        matches!(self, Self::Failed(Failure { retryable: true, .. }))
    }
}
