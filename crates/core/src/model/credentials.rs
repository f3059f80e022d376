//! The roles whose sessions an instance may hold, and its instance profile.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::{deny_policy::RoleDeny, gap::Gap, ids::arn_name, text::Sentence};

/// The credentials lane's look.
#[derive(Debug, Clone, Default)]
pub struct CredentialsLook {
    /// The association of the instance with its profile.
    pub association: Option<Association>,
    /// The role in the profile, those that the ledger says the instance had, and those that a finding named.
    pub roles: Vec<RoleLook>,
    /// Profiles that hold no role, or none any more.
    pub empty_profiles: Vec<String>,
    /// What a finding named and IAM did not show.
    pub unresolved: Vec<Unresolved>,
    /// Why AWS does not take a change of the metadata options for this instance.
    pub metadata_waived: Option<Sentence>,
    /// Roles (ARNs) of which a change was refused for good, and why.
    pub refused: BTreeMap<String, Undenied>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// A role that the instance's credentials came from.
#[derive(Debug, Clone)]
pub struct RoleLook {
    pub role: Role,
    /// Its inline policy of our name, where it has one.
    pub policy: Option<String>,
    /// The policy could not be read.
    pub unread: bool,
    /// The set of instance ARNs that the ledger has for it.
    pub denied: Vec<String>,
    /// Whom the denial that is on record hits; for a role that only a finding names, only the instance.
    pub reach: Option<RoleDeny>,
}

/// What a finding named and could not be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved {
    /// What, and why.
    pub what: Undenied,
    /// The error's own words.
    pub error: Sentence,
    /// Whether a later attempt may find it.
    pub retryable: bool,
}

/// A role whose sessions live on although the instance may hold them, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Undenied {
    /// IAM knows no role of this name in the instance's account.
    NoSuchRole {
        /// Its name.
        role: String,
    },
    /// IAM did not show the role.
    RoleUnread {
        /// Its name.
        role: String,
    },
    /// Nobody can change a service-linked role.
    ServiceLinked {
        /// Its name.
        role: String,
    },
    /// Brig may not write the role's policy.
    NotAllowed {
        /// Its name.
        role: String,
    },
    /// The role's inline policies have no room left.
    PolicyFull {
        /// Its name.
        role: String,
    },
    /// IAM refused the policy for another reason.
    Refused {
        /// Its name.
        role: String,
    },
    /// The profile holds no role: which one it held before is not known.
    EmptyProfile {
        /// Its ARN.
        profile: String,
    },
    /// The role of a profile that the finding shows could not be read.
    ProfileUnread {
        /// Its ARN.
        profile: String,
    },
}

impl Undenied {
    /// The same for a note, where another role of the instance's is known and `denied`.
    #[must_use]
    pub fn sentence_beside(&self, denied: bool) -> String {
        match self {
            Self::EmptyProfile { profile } if denied => format!(
                "its instance profile {} holds no role, or is gone; sessions of a role that it held before live until they expire, unless that role is named here",
                arn_name(profile)
            ),
            Self::NoSuchRole { .. }
            | Self::RoleUnread { .. }
            | Self::ServiceLinked { .. }
            | Self::NotAllowed { .. }
            | Self::PolicyFull { .. }
            | Self::Refused { .. }
            | Self::EmptyProfile { .. }
            | Self::ProfileUnread { .. } => self.sentence(),
        }
    }

    /// For a person, without a full stop.
    #[must_use]
    pub fn sentence(&self) -> String {
        let lives = |role: &str, why: &str| format!("sessions of the role {role} are NOT denied: {why}");
        match self {
            Self::NoSuchRole { role } => lives(role, "IAM knows no role of that name in the instance's account"),
            Self::RoleUnread { role } => lives(role, "the role could not be read"),
            Self::ServiceLinked { role } => lives(role, "no one can change a service-linked role"),
            Self::NotAllowed { role } => lives(role, "Brig is not allowed to write its policy"),
            Self::PolicyFull { role } => lives(role, "its inline policies have no room left"),
            Self::Refused { role } => lives(role, "IAM refused the policy"),
            Self::EmptyProfile { profile } => format!(
                "its instance profile {} holds no role, so nothing was denied: sessions of a role that it held before live until they expire",
                arn_name(profile)
            ),
            Self::ProfileUnread { profile } => format!(
                "sessions from the instance profile {}, which the finding shows on it, are NOT denied: its role could not be read",
                arn_name(profile)
            ),
        }
    }
}

/// An instance's association with an instance profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Association {
    /// `iip-assoc-...`.
    pub id: String,
    pub instance: String,
    /// The profile's ARN.
    pub profile: String,
    /// `associating`, `associated`, `disassociating`, `disassociated`.
    pub state: String,
}

/// An IAM role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its name, without the path.
    pub name: String,
    /// Its ARN, with the path.
    pub arn: String,
}

impl Role {
    /// Whether AWS owns it: nobody can change it.
    #[must_use]
    pub fn is_service_linked(&self) -> bool {
        self.arn.contains(":role/aws-service-role/")
    }
}
