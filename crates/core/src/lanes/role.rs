//! What contains a role's sessions: those that were issued before a moment are denied. The role itself goes on.

use super::holder::HolderPlan;
use crate::{
    ledger::StepRecord,
    model::{RoleShown, timestamp::Timestamp},
    step::{DenyRoleSessions, Step},
};

/// Plans what is left to do: deny what was issued before `before`.
pub(super) fn plan(role: &RoleShown, records: &[StepRecord], before: Timestamp) -> HolderPlan {
    let mut plan = HolderPlan::default();
    DenyRoleSessions::plan(role, before, denials(records).min_by_key(|step| step.before.millis()), &mut plan.denial);
    plan
}

/// Before when sessions must have been issued to be denied, by what is on record: the latest moment of all.
#[must_use]
pub fn recorded(records: &[StepRecord]) -> Option<Timestamp> {
    denials(records).map(|step| step.before).max()
}

fn denials(records: &[StepRecord]) -> impl Iterator<Item = &DenyRoleSessions> {
    records.iter().filter_map(|record| if let Step::DenyRoleSessions(step) = &record.step { Some(step) } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Holder, deny_policy},
        release,
        step::Outcome,
        testing::role,
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_790_000_000_000 + seconds * 1000)
    }

    fn record(plan: &HolderPlan) -> StepRecord {
        let step = plan.whole().steps.first().expect("a step").step.clone();
        let mut record = StepRecord::intended(step.key("app"), step, at(0));
        record.outcome = Some(Outcome::changed());
        record
    }

    #[test]
    fn a_later_finding_moves_the_moment_and_what_was_there_first_is_what_comes_back() {
        let foreign = RoleShown { policy: Some(Some("{\"theirs\": true}".to_owned())), ..role() };
        let first = record(&plan(&foreign, &[], at(10)));
        let denied = RoleShown { policy: Some(Some(deny_policy::render_sessions(at(10)))), ..role() };
        assert_eq!(plan(&denied, std::slice::from_ref(&first), at(10)).whole().todo().count(), 0);
        assert_eq!(
            plan(&denied, std::slice::from_ref(&first), at(5)).whole().todo().count(),
            0,
            "an earlier moment is covered"
        );
        let later = plan(&denied, std::slice::from_ref(&first), at(20));
        assert_eq!(later.whole().todo().count(), 1);
        let records = [first, record(&later)];
        assert_eq!(recorded(&records), Some(at(20)));
        let back = release::plan_holder(&records, &Holder::Role(denied)).whole();
        let [one] = back.steps.as_slice() else { panic!("{back}") };
        assert!(format!("{:?}", one.step).contains("theirs"), "{:?}", one.step);
    }

    #[test]
    fn what_could_not_be_read_is_not_written_over() {
        let unread = RoleShown { policy: None, ..role() };
        assert_eq!(plan(&unread, &[], at(0)).whole().todo().count(), 0);
    }
}
