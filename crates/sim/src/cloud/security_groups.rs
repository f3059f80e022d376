//! EC2 security groups and their rules.

use async_trait::async_trait;
use brig_core::{
    model::{
        Direction, Rule, SecurityGroup,
        ids::{GroupId, VpcId},
    },
    step::{AuthorizeForensicAccess, AuthorizeSecurityGroupRules, CreateSecurityGroup, RevokeSecurityGroupRules, Step},
};
use brig_engine::ports::{ErrorKind, ListedRule, PortResult, SecurityGroups, Tags};

use super::{SimCloud, not_found, refused};
use crate::sim::State;

#[async_trait]
impl SecurityGroups for SimCloud {
    async fn describe_brig_groups(&self) -> PortResult<Vec<SecurityGroup>> {
        self.read("DescribeSecurityGroups", |world| {
            let groups = world.groups.values().map(|(group, _)| group.clone());
            Ok(groups.filter(|group| group.name.starts_with("brig-")).collect())
        })
        .await
    }

    async fn describe_groups(&self, groups: &[GroupId]) -> PortResult<Vec<SecurityGroup>> {
        self.read("DescribeSecurityGroups", |world| {
            Ok(groups.iter().filter_map(|id| world.groups.get(id)).map(|(group, _)| group.clone()).collect())
        })
        .await
    }

    async fn describe_groups_named(&self, name: &str) -> PortResult<Vec<SecurityGroup>> {
        self.read("DescribeSecurityGroups", |world| {
            Ok(world.groups.values().map(|(group, _)| group).filter(|group| group.name == name).cloned().collect())
        })
        .await
    }

    async fn describe_groups_of_vpc(&self, vpc: &VpcId) -> PortResult<Vec<SecurityGroup>> {
        self.read("DescribeSecurityGroups", |world| {
            Ok(world.groups.values().map(|(group, _)| group).filter(|group| group.vpc == *vpc).cloned().collect())
        })
        .await
    }

    async fn describe_security_group_rules(&self, id: &GroupId) -> PortResult<Vec<ListedRule>> {
        self.read("DescribeSecurityGroupRules", |world| {
            let Some((group, _)) = world.groups.get(id) else {
                return Err(not_found("DescribeSecurityGroupRules", "InvalidGroup.NotFound"));
            };
            let listed = group.rules.iter().map(|rule| ListedRule { id: format!("{rule:?}"), rule: rule.clone() });
            Ok(listed.collect())
        })
        .await
    }

    async fn create_security_group(&self, vpc: &VpcId, name: &str, tags: &Tags) -> PortResult<GroupId> {
        const OPERATION: &str = "CreateSecurityGroup";
        self.write(
            OPERATION,
            |step| of_group(step, vpc, name),
            |state| {
                if state.world.groups.values().any(|(group, _)| group.vpc == *vpc && group.name == name) {
                    return Err(refused(OPERATION, ErrorKind::Duplicate, "InvalidGroup.Duplicate"));
                }
                let held = state.world.groups.values().filter(|(group, _)| group.vpc == *vpc).count();
                if state.world.most_groups.is_some_and(|most| held >= most) {
                    return Err(refused(OPERATION, ErrorKind::LimitReached, "SecurityGroupLimitExceeded"));
                }
                let id = state.world.open_group(vpc.as_str(), name);
                let now = state.now;
                if let Some((group, made)) = state.world.groups.get_mut(&id) {
                    group.rules.retain(|rule| rule.direction == Direction::Egress);
                    group.tags.clone_from(tags);
                    *made = now;
                }
                Ok(id)
            },
        )
        .await
    }

    async fn authorize_rule(&self, group: &GroupId, rule: &Rule) -> PortResult<()> {
        let operation = match rule.direction {
            Direction::Ingress => "AuthorizeSecurityGroupIngress",
            Direction::Egress => "AuthorizeSecurityGroupEgress",
        };
        self.on_group(operation, group, |group| {
            if !group.rules.contains(rule) {
                group.rules.push(rule.clone());
            }
        })
        .await
    }

    async fn revoke_rules(&self, group: &GroupId, direction: Direction, rules: &[String]) -> PortResult<()> {
        let operation = match direction {
            Direction::Ingress => "RevokeSecurityGroupIngress",
            Direction::Egress => "RevokeSecurityGroupEgress",
        };
        self.on_group(operation, group, |group| {
            group.rules.retain(|rule| !rules.contains(&format!("{rule:?}")));
        })
        .await
    }

    async fn revoke_all_egress(&self, group: &GroupId, cidr: &str) -> PortResult<()> {
        self.on_group("RevokeSecurityGroupEgress", group, |group| {
            group.rules.retain(|rule| rule.direction != Direction::Egress || rule.peer != cidr);
        })
        .await
    }
}

impl SimCloud {
    async fn on_group(
        &self,
        operation: &'static str,
        id: &GroupId,
        change: impl FnOnce(&mut SecurityGroup),
    ) -> PortResult<()> {
        self.sim
            .call(self.process, operation, true, |state| {
                let made = state.world.groups.get(id).map(|(_, made)| *made);
                let known = made.is_some_and(|made| state.is_known(made));
                let Some((vpc, name)) = place(state, id).filter(|_| known) else {
                    return Err(not_found(operation, "InvalidGroup.NotFound"));
                };
                if !state.tables.steps().any(|record| of_group(&record.step, &vpc, &name)) {
                    state.violations.push(format!("{operation} on {name} without a record of its intent"));
                }
                if let Some((group, _)) = state.world.groups.get_mut(id) {
                    change(group);
                }
                Ok(())
            })
            .await
    }
}

fn of_group(step: &Step, vpc: &VpcId, name: &str) -> bool {
    match step {
        Step::CreateSecurityGroup(CreateSecurityGroup { group })
        | Step::RevokeSecurityGroupRules(RevokeSecurityGroupRules { group, .. })
        | Step::AuthorizeForensicAccess(AuthorizeForensicAccess { group, .. })
        | Step::AuthorizeSecurityGroupRules(AuthorizeSecurityGroupRules { group }) => {
            group.vpc == *vpc && group.name == name
        }
        _ => false,
    }
}

/// The place of a group, for the check of its intent.
fn place(state: &State, id: &GroupId) -> Option<(VpcId, String)> {
    state.world.groups.get(id).map(|(group, _)| (group.vpc.clone(), group.name.clone()))
}
