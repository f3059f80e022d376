//! Going back: from the ledger's records and a fresh survey to the steps that give everything back. Only what this
//! containment changed is given back, and only where it is still as the containment left it; what changed hands since is
//! left alone and reported.

use std::collections::BTreeSet;

use crate::{
    lanes::holder::HolderPlan,
    ledger::StepRecord,
    model::{Holder, Rejoin},
    step::{Lane, Outcome, Plan, Planned, StartInstance, Step},
};

pub use crate::step::undo::{Look, ReleaseScope};

pub use crate::step::{Reversal, ReversalKind};

/// Plans the release of a user, or of a role's sessions. The denial goes last: until then no credential works, whichever
/// is on again.
#[must_use]
pub fn plan_holder(records: &[StepRecord], holder: &Holder) -> HolderPlan {
    let mut plan = HolderPlan::default();
    let mut given = BTreeSet::new();
    let mut records: Vec<&StepRecord> = records.iter().filter(|record| record.may_have_happened()).collect();
    records.sort_by_key(|record| record.recorded_at.millis());
    for record in records {
        let part = if record.step.denies_holder() { &mut plan.denial } else { &mut plan.deactivation };
        let Some((back, outcome)) = record.step.reverse_of_holder(holder, part) else { continue };
        let step = Step::GiveBack(back);
        // Of two records about one thing the older one has what was there first.
        if given.insert(step.key(holder.name())) {
            part.add(step, outcome);
        }
    }
    plan
}

/// Plans the release. `rejoin` attaches the instance to its Auto Scaling group again.
#[must_use]
pub fn plan(records: &[StepRecord], look: &Look<'_>, rejoin: Rejoin) -> Plan {
    let mut plan = Plan::default();
    let mut records: Vec<&StepRecord> = records.iter().filter(|record| record.may_have_happened()).collect();
    records.sort_by_key(|record| record.recorded_at.millis());
    let guards = records.iter().any(|record| matches!(record.step, Step::RequireTokens(_)));
    let whole = ReleaseScope { rejoin, guards };
    let mut given = BTreeSet::new();
    for record in records {
        // Of two records about one thing the older one has what was there first.
        let Some((back, outcome)) = record.step.reverse(look, whole, &mut plan) else { continue };
        let step = Step::GiveBack(back);
        if given.insert(step.key(look.instance.id.as_str())) {
            plan.add(step, outcome);
        }
    }
    // Groups and balancers take an instance that runs, and AWS replaces the profile of no other.
    let waits = |step: &Step| step.lane() == Lane::Fleet || matches!(step, Step::GiveBack(Reversal::ReplaceProfile(_)));
    let starts = |planned: &Planned| {
        matches!(planned.step, Step::GiveBack(Reversal::StartInstance(StartInstance)))
            && planned.outcome == Outcome::Planned
    };
    if plan.steps.iter().any(starts) {
        plan.steps.retain(|planned| !waits(&planned.step));
    }
    plan
}
