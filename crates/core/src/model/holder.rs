//! Whose credentials are denied: an IAM user, or a role, of which the sessions are.

use std::collections::BTreeMap;

use crate::model::{
    User,
    gap::Gap,
    ids::{AccountId, RoleKey, RoleName, TargetKey, UserKey},
};

/// What IAM shows of a role whose sessions are to be denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleShown {
    pub account: AccountId,
    pub name: RoleName,
    /// Its ARN, with the path.
    pub arn: String,
    pub tags: BTreeMap<String, String>,
    /// Its inline policy that denies sessions; an outer none where it could not be read.
    pub policy: Option<Option<String>>,
    pub gaps: Vec<Gap>,
}

/// Whose credentials are denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    User(User),
    Role(RoleShown),
}

impl Holder {
    /// What somebody deleted: nothing of it is there. None for what IAM does not hold.
    #[must_use]
    pub fn gone(key: &TargetKey) -> Option<Self> {
        match key {
            TargetKey::Instance(_) => None,
            TargetKey::User(key) => Some(Self::User(User::gone(key))),
            TargetKey::Role(key) => Some(Self::Role(RoleShown {
                account: key.account.clone(),
                name: key.role.clone(),
                arn: String::new(),
                tags: BTreeMap::new(),
                policy: Some(None),
                gaps: Vec::new(),
            })),
        }
    }

    #[must_use]
    pub fn account(&self) -> &AccountId {
        match self {
            Self::User(user) => &user.account,
            Self::Role(role) => &role.account,
        }
    }

    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::User(user) => user.name.as_str(),
            Self::Role(role) => role.name.as_str(),
        }
    }

    #[must_use]
    pub fn tags(&self) -> &BTreeMap<String, String> {
        match self {
            Self::User(user) => &user.tags,
            Self::Role(role) => &role.tags,
        }
    }

    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        match self {
            Self::User(user) => &user.gaps,
            Self::Role(role) => &role.gaps,
        }
    }

    /// What the ledger knows it by.
    #[must_use]
    pub fn key(&self) -> TargetKey {
        match self {
            Self::User(user) => UserKey { account: user.account.clone(), user: user.name.clone() }.into(),
            Self::Role(role) => RoleKey { account: role.account.clone(), role: role.name.clone() }.into(),
        }
    }

    /// `user` or `role`.
    #[must_use]
    pub fn noun(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Role(_) => "role",
        }
    }

    #[must_use]
    pub fn user(&self) -> Option<&User> {
        match self {
            Self::User(user) => Some(user),
            Self::Role(_) => None,
        }
    }
}
