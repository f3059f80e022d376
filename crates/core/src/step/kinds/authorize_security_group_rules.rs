//! Adds the rules that an untrack group lacks.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo};
use crate::step::{
    GroupRef, Lane, Outcome, Plan, Reversal,
    change::{Change, change, rules_of, word},
    undo::{Look, ReleaseScope},
};

/// Adds the rules that an untrack group lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizeSecurityGroupRules {
    pub group: GroupRef,
}

impl Describe for AuthorizeSecurityGroupRules {
    const LANE: Lane = Lane::Network;
    const NAME: &'static str = "authorize_security_group_rules";
    const OPERATION: &'static str = "AuthorizeSecurityGroupIngress";
    const IAM_ACTIONS: &'static [&'static str] =
        &["ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress"];

    fn resource(&self, _: &str) -> String {
        let Self { group } = self;
        format!("{}/{}", group.vpc, group.name)
    }

    fn change(&self) -> Change {
        let Self { group } = self;
        change("rules", word("incomplete"), rules_of(group.purpose))
    }
}

impl Undo for AuthorizeSecurityGroupRules {
    fn reverse(&self, _: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        // Brig's groups stay, with the rules that they must have.
        None
    }
}
