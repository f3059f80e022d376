//! What contains whoever holds credentials in IAM: deny first, then turn off what can be turned off.

use crate::{
    ledger::StepRecord,
    model::{Holder, timestamp::Timestamp},
    step::Plan,
};

/// The steps, in the order in which they run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HolderPlan {
    /// What denies.
    pub denial: Plan,
    /// What turns credentials off.
    pub deactivation: Plan,
}

impl HolderPlan {
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

/// What a denial is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The ARN of the policy that denies a user everything.
    pub deny: String,
    /// When the containment was claimed: none where it is about to be.
    pub since: Option<Timestamp>,
    /// A role's sessions are denied that were issued before it.
    pub before: Timestamp,
}

/// Plans what is left to do.
#[must_use]
pub fn plan(holder: &Holder, records: &[StepRecord], terms: &Terms) -> HolderPlan {
    match holder {
        Holder::User(user) => super::user::plan(user, records, &terms.deny, terms.since),
        Holder::Role(role) => super::role::plan(role, records, terms.before),
    }
}
