//! Where a case's evidence lies: `<account>/<region>/<instance>/<containment>/<part>/`, of a user or a role
//! `<account>/iam/<user>/<containment>/<part>/`.

use std::fmt;

use brig_core::model::{
    ids::{ContainmentId, TargetKey},
    timestamp::Timestamp,
};

/// The manifest's name in its part.
pub const MANIFEST: &str = "manifest.jsonl";
/// The seal's.
pub const SEAL: &str = "seal.json";

/// A containment, as evidence knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    pub target: TargetKey,
    pub containment: ContainmentId,
}

impl Case {
    /// Where its parts lie, without a slash at the end.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("{}/{}", self.target.pk(), self.containment)
    }
}

/// What was taken on one occasion, with a manifest of its own. The same occasion told twice is the same part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Right after the cut, or at the first order to investigate.
    Contained,
    /// After a repair.
    Repaired(Timestamp),
    /// After the release that ended then.
    Released(Timestamp),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contained => f.write_str("contained"),
            Self::Repaired(at) => write!(f, "repaired-{}", at.compact()),
            Self::Released(at) => write!(f, "released-{}", at.compact()),
        }
    }
}
