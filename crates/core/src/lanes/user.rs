//! What contains an IAM user: first everything that its credentials sign is denied, then each of them is turned off.

use super::holder::HolderPlan;
use crate::{
    ledger::StepRecord,
    model::{Credential, User, timestamp::Timestamp},
    step::{Made, Outcome, Quota, Step, credential_of, plan_deactivation, plan_denial},
};

/// Plans what is left to do for a user. `deny` is the ARN of the policy that denies everything, `since` when the user's
/// containment was claimed: none where it is about to be.
pub(super) fn plan(user: &User, records: &[StepRecord], deny: &str, since: Option<Timestamp>) -> HolderPlan {
    let mut plan = HolderPlan::default();
    plan_denial(user, deny, quota(records), &mut plan.denial);
    for credential in user.listed() {
        let is_known = || records.iter().any(|record| record.step.resource(user.name.as_str()) == credential.id);
        // One that has been off all along is no step.
        if credential.active || is_known() {
            plan_deactivation(user, credential, made(user, credential, records, since), &mut plan.deactivation);
        }
    }
    plan
}

/// An attachment that IAM refused is not tried again as long as the user has as many policies: it would be a step that never
/// succeeds.
fn quota(records: &[StepRecord]) -> Quota {
    let refused = |record: &StepRecord| {
        matches!(record.step, Step::AttachUserPolicy(_)) && matches!(record.outcome, Some(Outcome::Skipped(_)))
    };
    if records.iter().any(refused) { Quota::Reached } else { Quota::Open }
}

/// When an active credential came to be so. The claim recorded each that was active then: what it has no record of was made
/// or turned on since, if its kind could be listed at all. IAM's times are whole seconds: what is not plainly older than the
/// claim came since.
fn made(user: &User, credential: &Credential, records: &[StepRecord], since: Option<Timestamp>) -> Made {
    let Some(since) = since else { return Made::Before };
    let of = |record: &&StepRecord| record.step.resource(user.name.as_str()) == credential.id;
    if let Some((_, made)) = records.iter().find(of).and_then(|record| credential_of(&record.step)) {
        return made;
    }
    let of_kind = |record: &StepRecord| credential_of(&record.step).is_some_and(|(kind, _)| kind == credential.kind);
    match credential.created {
        Some(created) if created.millis() / 1000 >= since.millis() / 1000 => Made::Since,
        _ if records.iter().any(of_kind) => Made::Since,
        _ => Made::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::{
        model::CredentialKind,
        step::DeactivateAccessKey,
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
    fn when_a_credential_came_to_be_active_is_told_by_the_claims_records() {
        let at = |seconds: i64| Timestamp::from_millis(1_790_000_000_000 + seconds * 1000);
        let user = user();
        let step = |id: &str, made| {
            let step = DeactivateAccessKey { user: user.name.clone(), id: id.to_owned(), made }.into();
            StepRecord::intended("key".to_owned(), step, at(10))
        };
        let claimed = [step("AKIA1", Made::Before)];
        let came = |id: &str, created, records: &[StepRecord]| {
            made(&user, &credential(CredentialKind::AccessKey, id, created), records, Some(at(10)))
        };
        assert_eq!(came("AKIA1", Some(at(1)), &claimed), Made::Before);
        assert_eq!(came("AKIA2", Some(at(10)), &claimed), Made::Since, "made since");
        assert_eq!(came("AKIA2", Some(at(9)), &claimed), Made::Since, "it was inactive at the claim");
        assert_eq!(came("AKIA2", Some(at(9)), &[]), Made::Unclear, "its kind was not listed at the claim");
        assert_eq!(came("AKIA2", Some(at(9)), &[step("AKIA2", Made::Since)]), Made::Since, "as it was recorded");
    }

    #[test]
    fn what_iam_had_no_room_for_is_not_planned_again_until_it_has() {
        let step = crate::step::AttachUserPolicy { user: user().name, policy: DENY.to_owned() };
        let mut record = StepRecord::intended("key".to_owned(), step.into(), Timestamp::from_millis(0));
        record.outcome = Some(crate::step::skipped("no room"));
        let with = |policies: usize| User { attached: Some(vec!["arn:p".to_owned(); policies]), ..user() };
        let planned = |user: &User, records: &[StepRecord]| {
            let plan = plan(user, records, DENY, None);
            plan.denial.todo().any(|step| matches!(step, Step::AttachUserPolicy(_)))
        };
        // The quota of an account may be higher: only IAM says that there is no room.
        assert!(planned(&with(10), &[]));
        assert!(!planned(&with(10), std::slice::from_ref(&record)));
        assert!(planned(&with(9), &[record]));
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
