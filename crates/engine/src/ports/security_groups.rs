//! EC2 security groups and their rules.

use async_trait::async_trait;
use brig_core::model::{
    Direction, Rule, SecurityGroup,
    ids::{GroupId, VpcId},
};

use super::{PortResult, Tags};

/// A rule as DescribeSecurityGroupRules lists it.
#[derive(Debug, Clone)]
pub struct ListedRule {
    /// `sgr-...`.
    pub id: String,
    /// What it is.
    pub rule: Rule,
}

/// EC2 security groups and their rules.
#[async_trait]
pub trait SecurityGroups: Send + Sync {
    /// Every group of the account and Region whose name begins with `brig-isolation` or `brig-untrack`.
    async fn describe_brig_groups(&self) -> PortResult<Vec<SecurityGroup>>;
    /// DescribeSecurityGroups by id, with their rules; those that are gone are left out.
    async fn describe_groups(&self, groups: &[GroupId]) -> PortResult<Vec<SecurityGroup>>;
    /// DescribeSecurityGroups by name, of every VPC, without those that only share a beginning.
    async fn describe_groups_named(&self, name: &str) -> PortResult<Vec<SecurityGroup>>;
    /// DescribeSecurityGroups of a VPC, with their rules.
    async fn describe_groups_of_vpc(&self, vpc: &VpcId) -> PortResult<Vec<SecurityGroup>>;
    /// DescribeSecurityGroupRules.
    async fn describe_security_group_rules(&self, group: &GroupId) -> PortResult<Vec<ListedRule>>;
    /// CreateSecurityGroup, with its tags in the same call; `Duplicate` where the VPC has the name.
    async fn create_security_group(&self, vpc: &VpcId, name: &str, tags: &Tags) -> PortResult<GroupId>;
    /// AuthorizeSecurityGroupIngress or -Egress; a rule that exists is success.
    async fn authorize_rule(&self, group: &GroupId, rule: &Rule) -> PortResult<()>;
    /// Revoke by rule id; a rule that is gone is success.
    async fn revoke_rules(&self, group: &GroupId, direction: Direction, rules: &[String]) -> PortResult<()>;
    /// Revoke the egress rule that lets everything out to a CIDR block; one that is not there is success.
    async fn revoke_all_egress(&self, group: &GroupId, cidr: &str) -> PortResult<()>;
}
