//! Makes a group of ours in a VPC that has none and gives it exactly its rules.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo};
use crate::step::{
    GroupRef, Lane, Outcome, Plan, Reversal,
    change::{Change, Value, change, rules_of},
    undo::{Look, ReleaseScope},
};

/// Makes a group of ours in a VPC that has none and gives it exactly its rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateSecurityGroup {
    /// The group to make.
    pub group: GroupRef,
}

impl Describe for CreateSecurityGroup {
    const LANE: Lane = Lane::Network;
    const NAME: &'static str = "create_security_group";
    const OPERATION: &'static str = "CreateSecurityGroup";
    const IAM_ACTIONS: &'static [&'static str] = &[
        "ec2:CreateSecurityGroup",
        "ec2:CreateTags",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSecurityGroupRules",
        "ec2:AuthorizeSecurityGroupEgress",
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:RevokeSecurityGroupEgress",
    ];

    fn resource(&self, _: &str) -> String {
        let Self { group } = self;
        format!("{}/{}", group.vpc, group.name)
    }

    fn change(&self) -> Change {
        let Self { group } = self;
        change("group", Value::Nothing, rules_of(group.purpose))
    }
}

impl Undo for CreateSecurityGroup {
    fn reverse(&self, _: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        // Brig's groups stay: other containments use them.
        None
    }
}
