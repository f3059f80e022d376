//! Makes a policy that denies everything the permissions boundary of a user.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo, gone};
use crate::{
    model::{Holder, User, ids::UserName},
    step::{
        Lane, Outcome, Plan, Reversal,
        change::{Change, Value, change, word},
        done,
        undo::{Look, ReleaseScope},
    },
};

/// Makes a policy that denies everything the permissions boundary of a user: whatever else allows it, nothing the user signs
/// is let through, and nothing that its sessions sign
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html>).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutUserPermissionsBoundary {
    pub user: UserName,
    /// The ARN of the policy.
    pub boundary: String,
    /// The ARN of the boundary before; none where there was none.
    pub was: Option<String>,
}

impl PutUserPermissionsBoundary {
    pub(crate) fn plan(user: &User, deny: &str, plan: &mut Plan) {
        let outcome = if user.boundary.as_deref() == Some(deny) {
            done("the permissions boundary denies everything")
        } else {
            Outcome::Planned
        };
        let step = Self { user: user.name.clone(), boundary: deny.to_owned(), was: user.boundary.clone() };
        plan.add(step.into(), outcome);
    }
}

impl Describe for PutUserPermissionsBoundary {
    const LANE: Lane = Lane::Credentials;
    const NAME: &'static str = "put_user_permissions_boundary";
    const OPERATION: &'static str = "PutUserPermissionsBoundary";
    const IAM_ACTIONS: &'static [&'static str] = &["iam:PutUserPermissionsBoundary"];

    fn resource(&self, _: &str) -> String {
        self.user.to_string()
    }

    fn change(&self) -> Change {
        boundaries(self.was.as_deref(), Some(&self.boundary))
    }
}

impl Undo for PutUserPermissionsBoundary {
    const DENIES_HOLDER: bool = true;

    fn reverse(&self, _: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        None
    }

    fn reverse_of_holder(&self, holder: &Holder, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        let user = holder.user()?;
        let Self { boundary, was, .. } = self;
        let outcome = match user.boundary.as_ref() {
            now if now == was.as_ref() => done("the boundary is as it was"),
            Some(now) if now == boundary => Outcome::Planned,
            Some(now) => gone(&format!("somebody made {now} the boundary since, which is left alone")),
            None => gone("somebody took the boundary away since, which is left alone"),
        };
        let back =
            RestoreUserPermissionsBoundary { user: self.user.clone(), boundary: boundary.clone(), was: was.clone() };
        Some((back.into(), outcome))
    }
}

/// The boundary that the user had, or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreUserPermissionsBoundary {
    pub user: UserName,
    /// The one that is taken away.
    pub boundary: String,
    /// The one that is put back; none where there was none.
    pub was: Option<String>,
}

impl Describe for RestoreUserPermissionsBoundary {
    const LANE: Lane = Lane::Credentials;
    const NAME: &'static str = "restore_user_permissions_boundary";
    const OPERATION: &'static str = "DeleteUserPermissionsBoundary";
    const IAM_ACTIONS: &'static [&'static str] =
        &["iam:GetUser", "iam:PutUserPermissionsBoundary", "iam:DeleteUserPermissionsBoundary"];

    fn resource(&self, _: &str) -> String {
        self.user.to_string()
    }

    fn change(&self) -> Change {
        boundaries(Some(&self.boundary), self.was.as_deref())
    }
}

fn boundaries(before: Option<&str>, after: Option<&str>) -> Change {
    let shown = |boundary: Option<&str>| boundary.map_or(Value::Nothing, word);
    change("permissions boundary", shown(before), shown(after))
}
