//! Attaches a policy that denies everything to a user.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo, unread};
use crate::{
    model::{Holder, User, ids::UserName},
    step::{
        Failure, Lane, Outcome, Plan, Reversal,
        change::{Change, Value, change, word},
        done, skipped,
        undo::{Look, ReleaseScope},
    },
};

/// Attaches a policy that denies everything to a user, in addition to its boundary: who takes one of the two away has
/// another one to find.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachUserPolicy {
    pub user: UserName,
    /// The ARN of the policy.
    pub policy: String,
}

/// How many managed policies IAM lets a user have, where nobody asked for more (20 at most)
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>).
pub(crate) const MOST_ATTACHED: usize = 10;

/// Whether IAM has refused to attach another policy to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quota {
    Open,
    Reached,
}

impl AttachUserPolicy {
    pub(crate) fn plan(user: &User, deny: &str, quota: Quota, plan: &mut Plan) {
        let outcome = match &user.attached {
            Some(attached) if attached.iter().any(|policy| policy == deny) => done("it is attached"),
            Some(attached) if quota == Quota::Reached && attached.len() >= MOST_ATTACHED => {
                skipped("IAM has no room for another policy: the boundary denies alone")
            }
            Some(_) => Outcome::Planned,
            // What was attached before must not be taken off by a release.
            None => Outcome::Failed(Failure::passing("the policies attached to the user could not be read")),
        };
        plan.add(Self { user: user.name.clone(), policy: deny.to_owned() }.into(), outcome);
    }
}

impl Describe for AttachUserPolicy {
    const LANE: Lane = Lane::Credentials;
    const NAME: &'static str = "attach_user_policy";
    const OPERATION: &'static str = "AttachUserPolicy";
    const IAM_ACTIONS: &'static [&'static str] = &["iam:AttachUserPolicy"];

    fn resource(&self, _: &str) -> String {
        format!("{}/{}", self.user, self.policy)
    }

    fn change(&self) -> Change {
        change("attached policy", Value::Nothing, word(&self.policy))
    }
}

impl Undo for AttachUserPolicy {
    const DENIES_HOLDER: bool = true;

    fn reverse(&self, _: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        None
    }

    fn reverse_of_holder(&self, holder: &Holder, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        let user = holder.user()?;
        let outcome = match &user.attached {
            None => unread(),
            Some(attached) if attached.contains(&self.policy) => Outcome::Planned,
            Some(_) => done("it is not attached"),
        };
        Some((DetachUserPolicy { user: self.user.clone(), policy: self.policy.clone() }.into(), outcome))
    }
}

/// The policy is taken off again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetachUserPolicy {
    pub user: UserName,
    /// The ARN of the policy.
    pub policy: String,
}

impl Describe for DetachUserPolicy {
    const LANE: Lane = Lane::Credentials;
    const NAME: &'static str = "detach_user_policy";
    const OPERATION: &'static str = "DetachUserPolicy";
    const IAM_ACTIONS: &'static [&'static str] = &["iam:DetachUserPolicy"];

    fn resource(&self, _: &str) -> String {
        format!("{}/{}", self.user, self.policy)
    }

    fn change(&self) -> Change {
        change("attached policy", word(&self.policy), Value::Nothing)
    }
}
