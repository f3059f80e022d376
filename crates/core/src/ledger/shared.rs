//! Sets that containments share: the instances of a role's denial, the addresses of a network ACL.

use crate::model::ids::{AccountId, Region};

/// What several containments share: a role's policy, the rules of a network ACL. The sk is `current`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shared(String);

impl Shared {
    /// A role's contained instances, by their ARNs.
    #[must_use]
    pub fn role(arn: &str) -> Self {
        Self(format!("role/{arn}"))
    }

    /// Shares in the rules of a network ACL, each a [`crate::model::network_acl::Denial`].
    #[must_use]
    pub fn acl(account: &AccountId, region: &Region, acl: &str) -> Self {
        Self(format!("acl/{account}/{region}/{acl}"))
    }

    /// The partition key.
    #[must_use]
    pub fn pk(&self) -> &str {
        &self.0
    }
}

/// Who shares it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberSet {
    /// Counts up with every change of the set.
    pub version: u64,
    /// Its members, in no order.
    pub members: Vec<String>,
}
