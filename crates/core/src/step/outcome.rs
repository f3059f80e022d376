//! What running a step found.

use std::fmt;

use serde::Serialize;

use super::Denial;
use crate::model::text::Sentence;

/// Why a step failed, and whether trying again can help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The error, for a person: what was being done and what AWS answered.
    pub error: Sentence,
    /// A later attempt may succeed.
    pub retryable: bool,
    /// Why AWS denied it, where it did.
    pub denial: Option<Denial>,
}

impl Failure {
    /// A failure that another try may not meet.
    #[must_use]
    pub fn passing(error: impl Into<Sentence>) -> Self {
        Self { error: error.into(), retryable: true, denial: None }
    }

    /// A failure that every try meets until somebody changes something.
    #[must_use]
    pub fn lasting(error: impl Into<Sentence>) -> Self {
        Self { error: error.into(), retryable: false, denial: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)?;
        match self.denial {
            Some(denial) => write!(f, " ({})", denial.help()),
            None => Ok(()),
        }
    }
}

/// What a person should know of an outcome, and what later decisions need of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Detail {
    /// For a person.
    pub words: Sentence,
    /// For later decisions.
    pub mark: Option<Mark>,
}

/// What an outcome means beyond its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The call that opens an interface may have taken effect: its answer was lost.
    MayHaveOpened,
    /// A network ACL denies an address one way only.
    OneWay,
    /// What it wants is so, by the doing of others.
    Foreign,
}

impl Mark {
    /// Its word in the ledger.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::MayHaveOpened => "may_have_opened",
            Self::OneWay => "one_way",
            Self::Foreign => "foreign",
        }
    }

    /// The mark that a word of the ledger stands for; a newer version's is none.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::MayHaveOpened, Self::OneWay, Self::Foreign].into_iter().find(|mark| mark.word() == word)
    }
}

impl<T: Into<Sentence>> From<T> for Detail {
    fn from(words: T) -> Self {
        Self { words: words.into(), mark: None }
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.words.fmt(f)
    }
}

/// What running a step found.
#[derive(Debug, Clone, PartialEq, Eq, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(OutcomeKind),
    derive(Serialize, strum::EnumIter),
    serde(rename_all = "snake_case"),
    doc = "A kind of outcome, without its detail."
)]
pub enum Outcome {
    /// Not run: it would be.
    Planned,
    /// It changed the resource.
    Changed(Detail),
    /// The resource was already as it should be.
    AlreadyDone(Detail),
    /// The resource is not there, or no longer.
    Missing(Detail),
    /// Not done, for this reason.
    Skipped(Detail),
    Failed(Failure),
}

impl fmt::Display for OutcomeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl OutcomeKind {
    /// Its word in reports and in the ledger.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Changed => "changed",
            Self::AlreadyDone => "already_done",
            Self::Missing => "missing",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }

    /// Whether the resource is as the step wants it.
    #[must_use]
    pub fn is_done(self) -> bool {
        matches!(self, Self::Changed | Self::AlreadyDone)
    }
}

impl Outcome {
    /// It changed the resource, and there is nothing else to say.
    #[must_use]
    pub fn changed() -> Self {
        Self::Changed(Detail::default())
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> OutcomeKind {
        self.into()
    }

    /// Refused for good, or not Brig's to do: trying it again in the same invocation would change nothing.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Failed(failure) => !failure.retryable,
            Self::Skipped(_) | Self::Missing(_) => true,
            Self::Changed(_) | Self::AlreadyDone(_) | Self::Planned => false,
        }
    }

    /// The outcome's word in reports and in the ledger.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.kind().word()
    }

    /// The outcome's words, without what helps; none where there are none.
    #[must_use]
    pub fn words(&self) -> &Sentence {
        match self {
            Self::Planned => const { &Sentence::NONE },
            Self::Changed(detail) | Self::AlreadyDone(detail) | Self::Missing(detail) | Self::Skipped(detail) => {
                &detail.words
            }
            Self::Failed(failure) => &failure.error,
        }
    }

    /// What later decisions need of it.
    #[must_use]
    pub fn mark(&self) -> Option<Mark> {
        match self {
            Self::Changed(detail) | Self::AlreadyDone(detail) | Self::Missing(detail) | Self::Skipped(detail) => {
                detail.mark
            }
            Self::Planned | Self::Failed(_) => None,
        }
    }

    /// The same outcome with a mark; one that has no detail takes none.
    #[must_use]
    pub fn marked(mut self, mark: Mark) -> Self {
        match &mut self {
            Self::Changed(detail) | Self::AlreadyDone(detail) | Self::Missing(detail) | Self::Skipped(detail) => {
                detail.mark = Some(mark);
            }
            Self::Planned | Self::Failed(_) => {}
        }
        self
    }

    /// Whether the resource is as the step wants it.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.kind().is_done()
    }

    /// Whether a later attempt may turn it into success.
    #[must_use]
    pub fn is_left_over(&self) -> bool {
        matches!(self, Self::Failed(Failure { retryable: true, .. }))
    }
}
