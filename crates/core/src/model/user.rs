//! An IAM user and its credentials, as IAM shows them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{
    gap::Gap,
    ids::{AccessKeyId, AccountId, Region, TargetKey, UserKey, UserName},
    timestamp::Timestamp,
};

/// What a user signs calls with, and what IAM can turn off without deleting it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    AccessKey,
    /// For CodeCommit, Amazon Keyspaces or Amazon Bedrock.
    ServiceSpecificCredential,
    /// For CodeCommit.
    SshPublicKey,
    SigningCertificate,
}

impl CredentialKind {
    /// What people call it.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::AccessKey => "access key",
            Self::ServiceSpecificCredential => "service-specific credential",
            Self::SshPublicKey => "SSH public key",
            Self::SigningCertificate => "signing certificate",
        }
    }
}

/// One of a user's credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    pub kind: CredentialKind,
    /// AWS's id of it, `AKIA...`, `ACCA...`, `APKA...`.
    pub id: String,
    /// AWS's status `Active`; any other is one with which nobody can sign.
    pub active: bool,
    /// When it was made, where AWS says so.
    pub created: Option<Timestamp>,
}

/// What IAM shows of a user. `None` is what could not be read: it is neither there nor gone, and `gaps` say why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub account: AccountId,
    pub name: UserName,
    /// Its ARN, which may carry a path.
    pub arn: String,
    /// The ARN of the policy that is its permissions boundary.
    pub boundary: Option<String>,
    pub tags: BTreeMap<String, String>,
    /// Every credential that can be turned off, by kind.
    pub credentials: BTreeMap<CredentialKind, Option<Vec<Credential>>>,
    /// ARNs of the managed policies that are attached to it.
    pub attached: Option<Vec<String>>,
    /// The names of its inline policies.
    pub inline: Option<Vec<String>>,
    /// The names of its groups.
    pub groups: Option<Vec<String>>,
    /// Whether it has a password for the console.
    pub console: Option<bool>,
    /// How many MFA devices it has.
    pub mfa: Option<usize>,
    pub gaps: Vec<Gap>,
}

impl User {
    /// A user that somebody deleted: nothing of it is there.
    #[must_use]
    pub fn gone(key: &UserKey) -> Self {
        use strum::IntoEnumIterator as _;
        Self {
            account: key.account.clone(),
            name: key.user.clone(),
            arn: String::new(),
            boundary: None,
            tags: BTreeMap::new(),
            credentials: CredentialKind::iter().map(|kind| (kind, Some(Vec::new()))).collect(),
            attached: Some(Vec::new()),
            inline: Some(Vec::new()),
            groups: Some(Vec::new()),
            console: Some(false),
            mfa: Some(0),
            gaps: Vec::new(),
        }
    }

    /// All credentials that could be listed.
    pub fn listed(&self) -> impl Iterator<Item = &Credential> {
        self.credentials.values().flatten().flatten()
    }

    /// One credential; none where it is not there, an outer none where its kind could not be listed.
    #[must_use]
    pub fn credential(&self, kind: CredentialKind, id: &str) -> Option<Option<&Credential>> {
        let all = self.credentials.get(&kind)?.as_ref()?;
        Some(all.iter().find(|credential| credential.id == id))
    }
}

/// Who a key belongs to, and how it was last used, by GetAccessKeyLastUsed
/// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html>).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyUse {
    /// None where IAM names none: the key is the root user's.
    pub user: Option<UserName>,
    /// When it last signed a call, to within a few hours.
    pub at: Option<Timestamp>,
    /// The service that was called, `s3`.
    pub service: Option<String>,
    pub region: Option<String>,
}

/// Whose sessions a trigger names, where they are no user's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// Of a role that somebody assumed.
    Role,
    /// Of a role that IAM Identity Center made.
    IdentityCenter,
    /// Of GetFederationToken: it ends with the user that asked for it.
    Federated,
    /// Of anything else that the trigger names.
    Other,
}

/// A principal, as a trigger names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Principal {
    /// An access key. Whose it is, IAM says; `user` is whose the trigger says it is, for a key that IAM no longer knows, and
    /// for one of a session.
    AccessKey {
        id: AccessKeyId,
        user: Option<UserName>,
    },
    User(UserName),
    /// The account's root user, which no role can contain.
    Root {
        key: Option<AccessKeyId>,
    },
    /// A session that is no user's: of a role, or of a federated identity.
    Session {
        kind: SessionKind,
        name: String,
    },
}

impl Principal {
    /// The principal that the ledger knows by a key; none for an instance.
    #[must_use]
    pub fn of(key: &TargetKey) -> Option<Self> {
        match key {
            TargetKey::Instance(_) => None,
            TargetKey::User(key) => Some(Self::User(key.user.clone())),
            TargetKey::Role(key) => Some(Self::Session { kind: SessionKind::Role, name: key.role.to_string() }),
        }
    }
}

impl std::fmt::Display for Principal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AccessKey { id, .. } => id.fmt(f),
            Self::User(name) => name.fmt(f),
            Self::Root { .. } => f.write_str("the root user"),
            Self::Session { kind: SessionKind::Role | SessionKind::IdentityCenter, name } => {
                write!(f, "a session of the role {name}")
            }
            Self::Session { kind: SessionKind::Federated, name } => write!(f, "the federated session {name}"),
            Self::Session { kind: SessionKind::Other, name } => write!(f, "the session {name}"),
        }
    }
}

/// AWS's managed policy that denies everything
/// (<https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSDenyAll.html>).
#[must_use]
pub fn deny_all(region: &Region) -> String {
    format!("arn:{}:iam::aws:policy/AWSDenyAll", region.partition())
}
