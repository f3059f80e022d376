//! Denies the sessions of a role that were issued before a moment, in its inline policy `brig-deny-sessions`.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo, gone, unread};
use crate::{
    model::{Holder, RoleShown, deny_policy, ids::RoleName, timestamp::Timestamp},
    step::{
        Failure, Lane, Outcome, Plan, Reversal,
        change::{Change, Value, change, word},
        done,
        undo::{Look, ReleaseScope},
    },
};

/// Denies the sessions of a role that were issued before a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DenyRoleSessions {
    pub role: RoleName,
    pub role_arn: String,
    /// Sessions that were issued before it are denied.
    pub before: Timestamp,
    /// A policy of that name that Brig did not write.
    pub was: Option<String>,
}

impl DenyRoleSessions {
    pub(crate) fn plan(role: &RoleShown, before: Timestamp, was: Option<&Self>, plan: &mut Plan) {
        let RoleShown { name, arn, policy, .. } = role;
        let outcome = match policy {
            None => Outcome::Failed(Failure::passing("the role's policy could not be read")),
            Some(policy) => match policy.as_deref().and_then(deny_policy::sessions_denied_before) {
                Some(denied) if denied >= before => done("the role denies those sessions"),
                Some(_) | None => Outcome::Planned,
            },
        };
        // What was there before the first denial is given back, whichever denial was the last.
        let first = || policy.clone().flatten().filter(|policy| deny_policy::sessions_denied_before(policy).is_none());
        let was = was.map_or_else(first, |recorded| recorded.was.clone());
        plan.add(Self { role: name.clone(), role_arn: arn.clone(), before, was }.into(), outcome);
    }
}

impl Describe for DenyRoleSessions {
    const LANE: Lane = Lane::Credentials;
    const NAME: &'static str = "deny_role_sessions";
    const OPERATION: &'static str = "PutRolePolicy";
    const IAM_ACTIONS: &'static [&'static str] = &["iam:GetRolePolicy", "iam:PutRolePolicy"];

    fn resource(&self, _: &str) -> String {
        self.role_arn.clone()
    }

    /// A later moment is another step, with a record of its own.
    fn key_parts(&self) -> Option<Vec<String>> {
        Some(vec![self.before.to_string()])
    }

    fn change(&self) -> Change {
        let before = self.was.as_ref().map_or(Value::Nothing, |_| word("one that Brig did not write"));
        let after = format!("denies every session issued before {}", self.before);
        change("policy brig-deny-sessions", before, word(after))
    }
}

impl Undo for DenyRoleSessions {
    const DENIES_HOLDER: bool = true;

    fn reverse(&self, _: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        None
    }

    fn reverse_of_holder(&self, holder: &Holder, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        let Holder::Role(role) = holder else { return None };
        let outcome = match &role.policy {
            None => unread(),
            Some(None) if self.was.is_none() => done("the role denies no sessions"),
            Some(None) => gone("somebody took the policy away since, which is left so"),
            Some(Some(policy)) if deny_policy::sessions_denied_before(policy).is_some() => Outcome::Planned,
            Some(now) if *now == self.was => done("the policy is as it was"),
            Some(Some(_)) => gone("somebody wrote another policy of that name since, which is left alone"),
        };
        let back =
            AllowRoleSessions { role: self.role.clone(), role_arn: self.role_arn.clone(), was: self.was.clone() };
        Some((back.into(), outcome))
    }
}

/// The role's policy is taken away, or what it replaced is put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowRoleSessions {
    pub role: RoleName,
    pub role_arn: String,
    /// The policy of that name before.
    pub was: Option<String>,
}

impl Describe for AllowRoleSessions {
    const LANE: Lane = Lane::Credentials;
    const NAME: &'static str = "allow_role_sessions";
    const OPERATION: &'static str = "DeleteRolePolicy";
    const IAM_ACTIONS: &'static [&'static str] = &["iam:GetRolePolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy"];

    fn resource(&self, _: &str) -> String {
        self.role_arn.clone()
    }

    fn change(&self) -> Change {
        let after = self.was.as_ref().map_or(Value::Nothing, |_| word("the policy of that name before"));
        change("policy brig-deny-sessions", word("denies earlier sessions"), after)
    }
}
