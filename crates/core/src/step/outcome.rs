//! What running a step found.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Denial;
use crate::text;

/// Why a step failed, and whether trying again can help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The error, for a person: what was being done and what AWS answered.
    pub error: String,
    /// A later attempt may succeed.
    pub retryable: bool,
    /// Why AWS denied it, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denial: Option<Denial>,
}

impl Failure {
    /// A failure that is no denial of AWS's.
    #[must_use]
    pub fn new(error: impl Into<String>, retryable: bool) -> Self {
        Self { error: error.into(), retryable, denial: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)?;
        match self.denial {
            Some(denial) => write!(f, " ({})", denial.help()),
            None => Ok(()),
        }
    }
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

    /// The outcome's detail, without what helps; empty where there is none.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::Planned => "",
            Self::Changed(detail) | Self::AlreadyDone(detail) | Self::Missing(detail) | Self::Skipped(detail) => detail,
            Self::Failed(failure) => &failure.error,
        }
    }

    /// The same with its detail as one line, as it may be recorded and reported: AWS's own words are in it.
    #[must_use]
    pub fn clean(self) -> Self {
        let line = |detail: String| text::one_line(&detail, text::REPORT);
        match self {
            Self::Planned => Self::Planned,
            Self::Changed(detail) => Self::Changed(line(detail)),
            Self::AlreadyDone(detail) => Self::AlreadyDone(line(detail)),
            Self::Missing(detail) => Self::Missing(line(detail)),
            Self::Skipped(detail) => Self::Skipped(line(detail)),
            Self::Failed(failure) => Self::Failed(Failure { error: line(failure.error), ..failure }),
        }
    }

    /// Whether the resource is as the step wants it.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Changed(_) | Self::AlreadyDone(_))
    }

    /// Whether a later attempt may turn it into success.
    #[must_use]
    pub fn is_left_over(&self) -> bool {
        matches!(self, Self::Failed(Failure { retryable: true, .. }))
    }
}
