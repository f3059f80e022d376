//! How an attempt ended, in a word that the ledger keeps.

use serde::{Deserialize, Serialize};

/// How an invocation ended for one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    /// Everything that was promised was seen to hold.
    Contained,
    /// Something was not, or could not be seen.
    Partial,
    /// It was contained already and nothing had to be changed.
    AlreadyContained,
    /// Another invocation is at it.
    InProgress,
    /// Observe mode: what would be done was recorded and reported.
    Observed,
    /// A plan was asked for.
    Planned,
    /// A person must decide.
    Asked,
    /// Nothing to do, with a reason.
    Ignored,
    /// A precondition failed.
    Refused,
    /// Nothing could be done.
    Failed,
    /// Everything that containment promised was seen to hold still.
    Verified,
    /// Something had drifted and was repaired.
    Repaired,
    /// Something has drifted and was only reported.
    Drifted,
    /// Somebody keeps undoing it: what was repaired three times within the hour is left until a person orders it.
    Contested,
    /// Everything reads back as promised, and flow logs show accepted traffic after the cut.
    Contradicted,
    /// A verification could not look.
    Unverified,
    /// What containment changed is given back.
    Released,
    /// Something of it is not.
    ReleasePartial,
}

impl Conclusion {
    /// The word in responses, messages and the ledger.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Contained => "contained",
            Self::Partial => "partial",
            Self::AlreadyContained => "already_contained",
            Self::InProgress => "in_progress",
            Self::Observed => "observed",
            Self::Planned => "planned",
            Self::Asked => "asked",
            Self::Ignored => "ignored",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Verified => "verified",
            Self::Repaired => "repaired",
            Self::Drifted => "drifted",
            Self::Contested => "contested",
            Self::Contradicted => "contradicted",
            Self::Unverified => "unverified",
            Self::Released => "released",
            Self::ReleasePartial => "release_partial",
        }
    }
}
