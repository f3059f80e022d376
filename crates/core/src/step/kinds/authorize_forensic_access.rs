//! Adds the rules of forensic access that an isolation group lacks.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo};
use crate::{
    model::Rule,
    step::{
        GroupRef, Lane, Outcome, Plan, Reversal,
        change::{Change, Value, change, word},
        undo::{Look, ReleaseScope},
    },
};

/// Adds the rules of forensic access that an isolation group lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizeForensicAccess {
    pub group: GroupRef,
    /// All that it may have.
    pub rules: Vec<Rule>,
}

impl Describe for AuthorizeForensicAccess {
    const LANE: Lane = Lane::Network;
    const NAME: &'static str = "authorize_forensic_access";
    const OPERATION: &'static str = "AuthorizeSecurityGroupIngress";
    const IAM_ACTIONS: &'static [&'static str] =
        &["ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress"];

    fn resource(&self, _: &str) -> String {
        let Self { group, .. } = self;
        format!("{}/{}", group.vpc, group.name)
    }

    fn key_parts(&self) -> Option<Vec<String>> {
        Some(self.rules.iter().map(|rule| format!("{rule:?}")).collect())
    }

    fn change(&self) -> Change {
        let Self { rules, .. } = self;
        change("rules", word("incomplete"), Value::Rules(rules.clone()))
    }
}

impl Undo for AuthorizeForensicAccess {
    const IS_FOLLOW_UP: bool = true;

    fn reverse(&self, _: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        // The rules stay in the group until the setting is gone.
        None
    }
}
