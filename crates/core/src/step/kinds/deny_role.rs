//! Denies the instance's sessions in its role's inline policy `brig-deny`.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo, unread};
use crate::{
    model::{
        RoleLook,
        deny_policy::{self, RoleDeny},
    },
    step::{
        Lane, Note, Outcome, Plan, Reversal,
        change::{Change, Value, change, word},
        done, skipped,
        undo::{Look, ReleaseScope},
    },
};

/// Denies the instance's sessions in its role's inline policy `brig-deny`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DenyRole {
    /// The role's name.
    pub role: String,
    pub role_arn: String,
    pub instance_arn: String,
    /// Whom it hits.
    pub reach: RoleDeny,
    /// A policy of that name that Brig did not write.
    pub was: Option<String>,
}

impl DenyRole {
    pub(crate) fn plan(role: &RoleLook, instance_arn: &str, reach: RoleDeny, plan: &mut Plan) {
        let RoleLook { role, policy, denied, reach: recorded, .. } = role;
        // Another containment's denial of the whole role is not narrowed by this one.
        let whole = reach == RoleDeny::Role && policy.as_deref().is_some_and(deny_policy::denies_role);
        let reach = if whole { reach } else { recorded.unwrap_or(reach) };
        let visible = policy.as_deref().is_some_and(|policy| match reach {
            RoleDeny::Instance => deny_policy::denies(policy, instance_arn),
            RoleDeny::Role => deny_policy::denies_role(policy),
        });
        let outcome = if role.is_service_linked() {
            skipped("AWS does not let anyone change a service-linked role: its credentials stay valid")
        } else if visible && denied.iter().any(|arn| arn == instance_arn) {
            done("the role denies this instance's sessions")
        } else {
            Outcome::Planned
        };
        let step = Self {
            role: role.name.clone(),
            role_arn: role.arn.clone(),
            instance_arn: instance_arn.to_owned(),
            reach,
            was: policy.clone().filter(|policy| !deny_policy::is_ours(policy)),
        };
        plan.add(step.into(), outcome);
    }
}

impl Describe for DenyRole {
    const LANE: Lane = Lane::Credentials;
    const NAME: &'static str = "deny_role";
    const OPERATION: &'static str = "PutRolePolicy";
    const IAM_ACTIONS: &'static [&'static str] = &["iam:GetRolePolicy", "iam:PutRolePolicy"];

    fn resource(&self, _: &str) -> String {
        self.role_arn.clone()
    }

    fn change(&self) -> Change {
        let Self { reach, was, .. } = self;
        let before = was.as_ref().map_or(Value::Nothing, |_| word("one that Brig did not write"));
        let whom = match reach {
            RoleDeny::Instance => "denies this instance's sessions everything",
            RoleDeny::Role => "denies every session of the role everything",
        };
        change("policy brig-deny", before, word(whom))
    }
}

impl Undo for DenyRole {
    fn reverse(&self, look: &Look<'_>, _whole: ReleaseScope, plan: &mut Plan) -> Option<(Reversal, Outcome)> {
        let Self { role, role_arn, instance_arn, reach, was } = self;
        let seen = look.roles.iter().find(|seen| seen.role.arn == *role_arn);
        let policy = seen.and_then(|seen| seen.policy.as_deref());
        let ours = policy.is_some_and(deny_policy::is_ours);
        let in_set = seen.is_some_and(|seen| seen.denied.iter().any(|arn| arn == instance_arn));
        // A denial of the whole role names nobody: it goes with the last contained instance, and until then it is the others'.
        let whole = policy.is_some_and(deny_policy::denies_role);
        let others = seen.map_or(0, |seen| seen.denied.iter().filter(|arn| *arn != instance_arn).count());
        let named = || policy.is_some_and(|policy| deny_policy::denies(policy, instance_arn));
        let in_policy = ours && if whole { others == 0 } else { named() };
        if whole && others > 0 {
            plan.note(Note::RoleStaysDenied { role: role.clone(), others });
        }
        if policy.is_some() && !ours {
            plan.note(Note::ForeignPolicy { role: role.clone() });
        }
        let back = Reversal::AllowRole(AllowRole {
            role: role.clone(),
            role_arn: role_arn.clone(),
            instance_arn: instance_arn.clone(),
            reach: *reach,
            was: was.clone(),
            foreign: policy.is_some() && !ours,
        });
        let outcome = match seen {
            None => unread(),
            Some(seen) if seen.unread => unread(),
            Some(_) if in_set || in_policy => Outcome::Planned,
            Some(_) => done("the role does not deny it"),
        };
        Some((back, outcome))
    }
}

/// The role's policy loses this instance; with the last one it is deleted, or what it replaced is put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowRole {
    /// The role's name.
    pub role: String,
    pub role_arn: String,
    pub instance_arn: String,
    /// Whom the denial hit.
    pub reach: RoleDeny,
    /// The policy of that name before.
    pub was: Option<String>,
    /// The policy is somebody else's now and stays.
    pub foreign: bool,
}

impl Describe for AllowRole {
    const LANE: Lane = Lane::Credentials;
    const NAME: &'static str = "allow_role";
    const OPERATION: &'static str = "DeleteRolePolicy";
    const IAM_ACTIONS: &'static [&'static str] = &["iam:GetRolePolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy"];

    fn resource(&self, _: &str) -> String {
        self.role_arn.clone()
    }

    fn change(&self) -> Change {
        let Self { was, foreign, .. } = self;
        let after = match (foreign, was) {
            (true, _) => "the policy that someone else wrote stays",
            (false, Some(_)) => "the policy of that name before",
            (false, None) => "without this instance; deleted with the last one",
        };
        change("policy brig-deny", word("denies this instance's sessions"), word(after))
    }
}
