//! EC2 security groups and their rules.

use async_trait::async_trait;
use aws_sdk_ec2::{
    Client,
    types::{
        IpPermission, IpRange, Ipv6Range, ResourceType, SecurityGroupRule, UserIdGroupPair,
        builders::IpPermissionBuilder,
    },
};
use brig_core::model::{
    Direction, Rule, SecurityGroup,
    ids::{GroupId, VpcId},
};
use brig_engine::ports::{ErrorKind, ListedRule, PortResult, SecurityGroups, Tags};

use crate::{
    cloud::AwsCloud,
    ec2::{filter, specification, tags_of},
    error::Explain,
};

#[async_trait]
impl SecurityGroups for AwsCloud {
    async fn describe_brig_groups(&self) -> PortResult<Vec<SecurityGroup>> {
        let client = self.ec2();
        let mut pages = client
            .describe_security_groups()
            .filters(filter("group-name", &["brig-isolation*", "brig-untrack*"]))
            .into_paginator()
            .items()
            .send();
        let mut groups = Vec::new();
        while let Some(group) = pages.next().await {
            groups.extend(security_group(&group.explain("DescribeSecurityGroups")?));
        }
        Ok(groups)
    }

    /// By a filter: an id that is gone is then left out, rather than failing the call.
    async fn describe_groups(&self, groups: &[GroupId]) -> PortResult<Vec<SecurityGroup>> {
        let client = self.ec2();
        let ids: Vec<&str> = groups.iter().map(GroupId::as_str).collect();
        let mut pages =
            client.describe_security_groups().filters(filter("group-id", &ids)).into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(group) = pages.next().await {
            found.extend(security_group(&group.explain("DescribeSecurityGroups")?));
        }
        Ok(found)
    }

    /// By a filter, which takes `*` for anything: a name that has one stands for itself alone.
    async fn describe_groups_named(&self, name: &str) -> PortResult<Vec<SecurityGroup>> {
        let client = self.ec2();
        let mut found = groups_by(client, "group-name", name).await?;
        found.retain(|group| group.name == name);
        Ok(found)
    }

    async fn describe_groups_of_vpc(&self, vpc: &VpcId) -> PortResult<Vec<SecurityGroup>> {
        let client = self.ec2();
        groups_by(client, "vpc-id", vpc.as_str()).await
    }

    async fn describe_security_group_rules(&self, group: &GroupId) -> PortResult<Vec<ListedRule>> {
        let client = self.ec2();
        let mut pages = client
            .describe_security_group_rules()
            .filters(filter("group-id", &[group.as_str()]))
            .into_paginator()
            .items()
            .send();
        let mut rules = Vec::new();
        while let Some(rule) = pages.next().await {
            let rule = rule.explain("DescribeSecurityGroupRules")?;
            rules.extend(rule.security_group_rule_id().map(|id| ListedRule { id: id.to_owned(), rule: listed(&rule) }));
        }
        Ok(rules)
    }

    async fn create_security_group(&self, vpc: &VpcId, name: &str, tags: &Tags) -> PortResult<GroupId> {
        let client = self.ec2();
        let made = client
            .create_security_group()
            .vpc_id(vpc.as_str())
            .group_name(name)
            .description("Made by Brig for containment; do not attach anything to it by hand")
            .tag_specifications(specification(ResourceType::SecurityGroup, tags))
            .send()
            .await
            .explain("CreateSecurityGroup")?;
        Ok(made.group_id().unwrap_or_default().into())
    }

    async fn authorize_rule(&self, group: &GroupId, rule: &Rule) -> PortResult<()> {
        let client = self.ec2();
        let permission = permission(rule);
        let answer = match rule.direction {
            Direction::Ingress => client
                .authorize_security_group_ingress()
                .group_id(group.as_str())
                .ip_permissions(permission)
                .send()
                .await
                .explain("AuthorizeSecurityGroupIngress")
                .map(|_| ()),
            Direction::Egress => client
                .authorize_security_group_egress()
                .group_id(group.as_str())
                .ip_permissions(permission)
                .send()
                .await
                .explain("AuthorizeSecurityGroupEgress")
                .map(|_| ()),
        };
        match answer {
            Err(error) if error.kind == ErrorKind::Duplicate => Ok(()),
            answer => answer,
        }
    }

    async fn revoke_rules(&self, group: &GroupId, direction: Direction, rules: &[String]) -> PortResult<()> {
        let client = self.ec2();
        let rules = Some(rules.to_vec());
        let answer = match direction {
            Direction::Ingress => client
                .revoke_security_group_ingress()
                .group_id(group.as_str())
                .set_security_group_rule_ids(rules)
                .send()
                .await
                .explain("RevokeSecurityGroupIngress")
                .map(|_| ()),
            Direction::Egress => client
                .revoke_security_group_egress()
                .group_id(group.as_str())
                .set_security_group_rule_ids(rules)
                .send()
                .await
                .explain("RevokeSecurityGroupEgress")
                .map(|_| ()),
        };
        gone_is_revoked(answer)
    }

    async fn revoke_all_egress(&self, group: &GroupId, cidr: &str) -> PortResult<()> {
        let client = self.ec2();
        let answer = client
            .revoke_security_group_egress()
            .group_id(group.as_str())
            .ip_permissions(everything(cidr))
            .send()
            .await
            .explain("RevokeSecurityGroupEgress")
            .map(|_| ());
        gone_is_revoked(answer)
    }
}

pub(super) fn security_group(group: &aws_sdk_ec2::types::SecurityGroup) -> Option<SecurityGroup> {
    let mut rules: Vec<Rule> = group.ip_permissions().iter().flat_map(|p| rules_of(p, Direction::Ingress)).collect();
    rules.extend(group.ip_permissions_egress().iter().flat_map(|p| rules_of(p, Direction::Egress)));
    Some(SecurityGroup {
        id: group.group_id()?.into(),
        name: group.group_name()?.to_owned(),
        vpc: group.vpc_id()?.into(),
        owner: group.owner_id()?.parse().ok()?,
        tags: tags_of(group.tags()),
        rules,
    })
}

fn rules_of(permission: &IpPermission, direction: Direction) -> Vec<Rule> {
    let ports = permission.from_port().zip(permission.to_port());
    // All protocols have all ports, however an API writes that.
    let protocol = permission.ip_protocol().unwrap_or_default().to_owned();
    let ports = if protocol == "-1" { None } else { ports };
    let v4 = permission.ip_ranges().iter().filter_map(|range| range.cidr_ip());
    let v6 = permission.ipv6_ranges().iter().filter_map(|range| range.cidr_ipv6());
    let lists = permission.prefix_list_ids().iter().filter_map(|list| list.prefix_list_id());
    let groups = permission.user_id_group_pairs().iter().filter_map(|pair| pair.group_id());
    v4.chain(v6)
        .chain(lists)
        .chain(groups)
        .map(|peer| Rule { direction, protocol: protocol.clone(), ports, peer: peer.to_owned() })
        .collect()
}

fn listed(rule: &SecurityGroupRule) -> Rule {
    let direction = if rule.is_egress() == Some(true) { Direction::Egress } else { Direction::Ingress };
    let protocol = rule.ip_protocol().unwrap_or_default().to_owned();
    let group = rule.referenced_group_info().and_then(|group| group.group_id());
    let peer = rule.cidr_ipv4().or_else(|| rule.cidr_ipv6()).or_else(|| rule.prefix_list_id()).or(group);
    let ports = rule.from_port().zip(rule.to_port()).filter(|_| protocol != "-1");
    Rule { direction, protocol, ports, peer: peer.unwrap_or_default().to_owned() }
}

/// A rule that is not there needs no revoking; a group that is not there is an error all the same.
fn gone_is_revoked(answer: PortResult<()>) -> PortResult<()> {
    match answer {
        Err(error)
            if matches!(error.code.as_str(), "InvalidPermission.NotFound" | "InvalidSecurityGroupRuleId.NotFound") =>
        {
            Ok(())
        }
        answer => answer,
    }
}

fn permission(rule: &Rule) -> IpPermission {
    let ports = rule.ports.unzip();
    let permission = IpPermission::builder().ip_protocol(&rule.protocol).set_from_port(ports.0).set_to_port(ports.1);
    if rule.peer.starts_with("sg-") {
        permission.user_id_group_pairs(UserIdGroupPair::builder().group_id(&rule.peer).build()).build()
    } else {
        to(permission, &rule.peer)
    }
}

/// All protocols and ports, from or to a CIDR block of either family.
fn everything(cidr: &str) -> IpPermission {
    to(IpPermission::builder().ip_protocol("-1"), cidr)
}

fn to(permission: IpPermissionBuilder, cidr: &str) -> IpPermission {
    if cidr.contains(':') {
        permission.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(cidr).build()).build()
    } else {
        permission.ip_ranges(IpRange::builder().cidr_ip(cidr).build()).build()
    }
}

async fn groups_by(client: &Client, key: &str, value: &str) -> PortResult<Vec<SecurityGroup>> {
    let mut pages = client.describe_security_groups().filters(filter(key, &[value])).into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(group) = pages.next().await {
        found.extend(security_group(&group.explain("DescribeSecurityGroups")?));
    }
    Ok(found)
}
