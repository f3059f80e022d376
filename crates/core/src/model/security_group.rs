//! Security groups and their rules; which are Brig's own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{
    ids::{AccountId, EniId, GroupId, VpcId},
    tags::GROUP_ROLE_TAG,
};

/// The way of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To the interface.
    Ingress,
    /// From the interface.
    Egress,
}

/// One rule of a security group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rule {
    /// Its way.
    pub direction: Direction,
    /// `-1` for all protocols, else a name or number.
    pub protocol: String,
    /// The port range, where the protocol has one.
    pub ports: Option<(i32, i32)>,
    /// A CIDR block, a prefix list or a group.
    pub peer: String,
}

/// What a group of ours is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// No rule at all.
    Isolation,
    /// Everything allowed, both ways, both address families.
    Untrack,
}

impl Purpose {
    /// The group's name.
    #[must_use]
    pub fn group_name(self) -> &'static str {
        match self {
            Self::Isolation => "brig-isolation",
            Self::Untrack => "brig-untrack",
        }
    }

    /// The value of the group's tag `brig:role`.
    #[must_use]
    pub fn tag_value(self) -> &'static str {
        match self {
            Self::Isolation => "isolation",
            Self::Untrack => "untrack",
        }
    }
}

/// A security group whose name begins as ours do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityGroup {
    pub id: GroupId,
    pub name: String,
    pub vpc: VpcId,
    /// The account that owns it.
    pub owner: AccountId,
    pub tags: BTreeMap<String, String>,
    pub rules: Vec<Rule>,
}

impl SecurityGroup {
    /// Whether this is a group that Brig made for `purpose`: name, owner and tag together. A tag alone makes no group
    /// ours, nor does a name.
    #[must_use]
    pub fn is_ours(&self, purpose: Purpose, account: &AccountId) -> bool {
        let named = self.name == purpose.group_name()
            || self.name.strip_prefix(purpose.group_name()).is_some_and(|rest| rest.starts_with("-i-"));
        named
            && self.owner == *account
            && self.tags.get(GROUP_ROLE_TAG).is_some_and(|value| value == purpose.tag_value())
    }

    /// Whether Brig made it, for whichever purpose.
    #[must_use]
    pub fn is_brigs(&self, account: &AccountId) -> bool {
        self.is_ours(Purpose::Isolation, account) || self.is_ours(Purpose::Untrack, account)
    }
}

/// An interface that could not be cut, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Uncut {
    /// The quota of security groups is used up: its VPC has no isolation group, and none can be made.
    SecurityGroupQuota { vpc: VpcId, interface: EniId },
}

impl Uncut {
    /// For a person, without a full stop.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::SecurityGroupQuota { vpc, interface } => format!(
                "{interface} is NOT isolated: the quota of security groups is used up, and {vpc} has no isolation group yet"
            ),
        }
    }
}
