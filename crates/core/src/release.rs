//! Going back: from the ledger's records and a fresh survey to the steps that give everything back. Only what this
//! containment changed is given back, and only where it is still as the containment left it; what changed hands since is
//! left alone and reported.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    acl::{Denial, NetworkAcl},
    fact::{Cause, Fact, Promise},
    finding::Rejoin,
    gap::Gap,
    ledger::StepRecord,
    plan::{Plan, Planned},
    step::{Lane, Outcome, StartInstance, Step},
    survey::{Association, EvidenceLook, Instance, Membership, RoleLook, SecurityGroup, Target, Timeouts},
    text::Sentence,
};

pub use crate::step::{Reversal, ReversalKind};

/// What a release is planned from. An outer `None` is what could not be read: it is neither given back nor taken for gone.
#[derive(Debug, Clone)]
pub struct Look<'a> {
    /// The instance; one that is gone is shown as terminated, without interfaces and volumes.
    pub instance: &'a Instance,
    /// Brig's groups.
    pub groups: Option<&'a [SecurityGroup]>,
    /// The profile that is associated now.
    pub association: Option<Option<&'a Association>>,
    /// The recorded roles as they are now.
    pub roles: &'a [RoleLook],
    /// The instance's Auto Scaling group now.
    pub membership: Option<Option<&'a Membership>>,
    /// Every target that each recorded target group has now; a group that is gone is not in it.
    pub targets: &'a BTreeMap<String, Option<Vec<Target>>>,
    /// Classic load balancers that hold the instance now.
    pub classic: Option<&'a [String]>,
    /// The recorded network ACLs as they are now; one that is gone is not in it.
    pub acls: Option<&'a [NetworkAcl]>,
    /// The ledger's shares in their rules, by ACL; one that could not be read is not in it.
    pub denials: &'a BTreeMap<String, Vec<Denial>>,
    /// Protections as they are now.
    pub evidence: &'a EvidenceLook,
    /// The idle timeouts of the instance's type, where they could be read.
    pub defaults: Timeouts,
    /// How often it was started in this release.
    pub starts: usize,
    /// What could not be read.
    pub gaps: &'a [Gap],
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

/// What of the whole release a record's reversal depends on.
#[derive(Debug, Clone, Copy)]
pub struct ReleaseScope {
    /// It goes back into its Auto Scaling group.
    pub rejoin: Rejoin,
    /// The containment made the metadata service require tokens.
    pub guards: bool,
}

/// What a later plan shows of the release: what it would still do is not given back; what it cannot do stays as it is.
#[must_use]
pub fn facts(plan: &Plan, gaps: &[Gap], instance: &str) -> Vec<(Lane, Fact)> {
    let mut facts = Vec::new();
    for planned in &plan.steps {
        let step = &planned.step;
        let what = Promise::GivenBack(step.kind(), step.resource(instance));
        let fact = match &planned.outcome {
            Outcome::AlreadyDone(_) | Outcome::Changed(_) => Fact::holding(what),
            Outcome::Missing(why) => Fact { why: Some(Cause::Found(why.words.clone())), ..Fact::holding(what) },
            Outcome::Planned => Fact::broken(what, Cause::NotYetGivenBack),
            Outcome::Skipped(why) => Fact::broken(what, Cause::Found(why.words.clone())),
            Outcome::Failed(failure) => Fact::broken(what, Cause::Found(Sentence::new(failure))),
        };
        facts.push((step.lane(), fact));
    }
    facts.extend(gaps.iter().map(|gap| (Lane::Evidence, Fact::unread(gap))));
    facts
}
