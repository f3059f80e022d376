//! Removes rules that do not belong into the isolation group.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo};
use crate::{
    model::Rule,
    step::{
        GroupRef, Lane, Outcome, Plan, Reversal,
        change::{Change, Value, change},
        undo::{Look, ReleaseScope},
    },
};

/// Removes rules that do not belong into the isolation group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeSecurityGroupRules {
    pub group: GroupRef,
    /// The rules removed.
    pub was: Vec<Rule>,
}

impl Describe for RevokeSecurityGroupRules {
    const LANE: Lane = Lane::Network;
    const NAME: &'static str = "revoke_security_group_rules";
    const OPERATION: &'static str = "RevokeSecurityGroupIngress";
    const IAM_ACTIONS: &'static [&'static str] =
        &["ec2:DescribeSecurityGroupRules", "ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress"];

    fn resource(&self, _: &str) -> String {
        let Self { group, .. } = self;
        format!("{}/{}", group.vpc, group.name)
    }

    fn key_parts(&self) -> Option<Vec<String>> {
        Some(self.was.iter().map(|rule| format!("{rule:?}")).collect())
    }

    fn change(&self) -> Change {
        let Self { was, .. } = self;
        change("rules", Value::Rules(was.clone()), Value::Nothing)
    }
}

impl Undo for RevokeSecurityGroupRules {
    fn closes_to_the_world(&self) -> bool {
        let world = |rule: &Rule| matches!(rule.peer.as_str(), "0.0.0.0/0" | "::/0");
        self.was.iter().any(world)
    }

    fn reverse(&self, _: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        // A stray rule of Brig's own group belongs to nobody.
        None
    }
}
