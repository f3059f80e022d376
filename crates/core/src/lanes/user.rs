//! What contains an IAM user: first everything that its credentials sign is denied, then each of them is turned off.

use crate::{
    ledger::StepRecord,
    model::{Credential, User, timestamp::Timestamp},
    step::{Made, Plan, plan_deactivation, plan_denial},
};

/// The steps for a user, in the order in which they run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserPlan {
    /// What denies.
    pub denial: Plan,
    /// What turns credentials off.
    pub deactivation: Plan,
}

impl UserPlan {
    /// All of it as one plan.
    #[must_use]
    pub fn whole(&self) -> Plan {
        let Self { denial, deactivation } = self.clone();
        Plan {
            steps: denial.steps.into_iter().chain(deactivation.steps).collect(),
            notes: denial.notes.into_iter().chain(deactivation.notes).collect(),
        }
    }
}

/// Plans what is left to do for a user. `deny` is the ARN of the policy that denies everything, `since` when the user's
/// containment was claimed: none where it is about to be.
#[must_use]
pub fn plan(user: &User, records: &[StepRecord], deny: &str, since: Option<Timestamp>) -> UserPlan {
    let mut plan = UserPlan::default();
    plan_denial(user, deny, &mut plan.denial);
    for credential in user.listed() {
        let known = records.iter().any(|record| record.step.resource(user.name.as_str()) == credential.id);
        plan_deactivation(user, credential, made(credential, since), known, &mut plan.deactivation);
    }
    plan
}

/// IAM's times are whole seconds: what is not plainly older than the claim came since.
fn made(credential: &Credential, since: Option<Timestamp>) -> Made {
    match (credential.created, since) {
        (Some(created), Some(since)) if created.millis() / 1000 >= since.millis() / 1000 => Made::Since,
        (Some(_) | None, _) => Made::Before,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::{
        model::CredentialKind,
        testing::{credential, user},
    };

    const DENY: &str = "arn:aws:iam::aws:policy/AWSDenyAll";

    #[test]
    fn a_user_is_denied_first_and_each_active_credential_is_turned_off() {
        let plan = plan(&user(), &[], DENY, None);
        expect![[r"
            planned      put_user_permissions_boundary alice
            planned      attach_user_policy alice/arn:aws:iam::aws:policy/AWSDenyAll
        "]]
        .assert_eq(&plan.denial.to_string());
        expect![[r"
            planned      deactivate_access_key AKIAIOSFODNN7EXAMPLE
            planned      deactivate_ssh_public_key APKAIOSFODNN7EXAMPLE
        "]]
        .assert_eq(&plan.deactivation.to_string());
    }

    #[test]
    fn a_contained_user_plans_nothing() {
        let mut user = user();
        user.boundary = Some(DENY.to_owned());
        user.attached = Some(vec![DENY.to_owned()]);
        for credential in user.credentials.values_mut().flatten().flatten() {
            credential.active = false;
        }
        assert_eq!(plan(&user, &[], DENY, None).whole().todo().count(), 0);
    }

    #[test]
    fn a_key_that_is_not_older_than_the_claim_came_since() {
        let at = |seconds: i64| Timestamp::from_millis(1_790_000_000_000 + seconds * 1000);
        let made_at = |created| made(&credential(CredentialKind::AccessKey, "AKIA1", created), Some(at(10)));
        assert_eq!(
            [made_at(Some(at(9))), made_at(Some(at(10))), made_at(None)],
            [Made::Before, Made::Since, Made::Before]
        );
    }

    #[test]
    fn what_is_attached_is_not_attached_where_it_could_not_be_read_what_was() {
        let unread = User { attached: None, ..user() };
        let plan = plan(&unread, &[], DENY, None);
        assert_eq!(
            plan.denial.todo().map(crate::step::Step::name).collect::<Vec<_>>(),
            ["put_user_permissions_boundary"]
        );
    }
}
