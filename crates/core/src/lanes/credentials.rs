//! The credentials lane: the instance's credentials denied on their role wherever they are used, its profile taken away,
//! its metadata service off.

use crate::{
    ledger::StepRecord,
    model::{
        CredentialsLook, Instance, InstanceState, Undenied,
        deny_policy::{self, RoleDeny},
        ids::InstanceId,
        text::Sentence,
    },
    step::{
        Denied, DenyRole, DisableMetadata, DisassociateProfile, Note, Outcome, Plan, ReplaceProfile, RequireTokens,
        Step,
    },
};

/// Plans the credential cut. `forensic` is the ARN of the profile that responders want in the place of the instance's own.
#[must_use]
pub fn plan(look: &CredentialsLook, instance: &Instance, reach: RoleDeny, forensic: Option<&str>) -> Plan {
    let mut plan = Plan::default();
    let instance_arn = instance.id.arn(&instance.account, &instance.region);
    for role in &look.roles {
        DenyRole::plan(role, &instance_arn, reach, &mut plan);
    }
    // AWS replaces the profile of an instance that runs, and of no other.
    let there = look.association.as_ref().is_some_and(|association| Some(association.profile.as_str()) == forensic);
    let forensic = forensic.filter(|_| there || instance.state == InstanceState::Running);
    match (&look.association, forensic) {
        (Some(association), Some(with)) => ReplaceProfile::plan(association, with, &mut plan),
        (Some(association), None) => DisassociateProfile::plan(association, &mut plan),
        (None, _) if instance.profile.is_some() && look.gaps.is_empty() => {
            plan.note(Note::ProfileWithoutAssociation);
        }
        (None, _) if had_none(look) && !instance.state.is_ending() && look.gaps.is_empty() => {
            plan.note(Note::NoProfile);
        }
        (None, _) => {}
    }
    for profile in &look.empty_profiles {
        plan.note(Note::Undenied {
            what: Undenied::EmptyProfile { profile: profile.clone() },
            others: !look.roles.is_empty(),
        });
    }
    for unresolved in &look.unresolved {
        plan.note(Note::Unresolved { what: unresolved.what.clone(), error: unresolved.error.clone() });
    }
    let keeps = look.association.is_some() && forensic.is_some();
    if !keeps && instance.state.has_flows() {
        plan.note(Note::NoSession);
    }
    if keeps && !instance.state.is_ending() {
        RequireTokens::plan(look, instance, &mut plan);
    } else if !instance.state.is_ending() {
        DisableMetadata::plan(look, instance, &mut plan);
    }
    plan
}

fn is_metadata(step: &Step) -> bool {
    matches!(step, Step::RequireTokens(_) | Step::DisableMetadata(_))
}

/// Why AWS does not take a change of the metadata options, by the record of an earlier attempt.
#[must_use]
pub fn metadata_waived(records: &[StepRecord]) -> Option<Sentence> {
    let skipped = records.iter().filter(|record| is_metadata(&record.step)).find_map(|record| record.outcome.as_ref());
    if let Some(Outcome::Skipped(why)) = skipped { Some(why.words.clone()) } else { None }
}

/// Plans it for an instance whose profile was taken away after all: the metadata service has nothing to stay on for.
#[must_use]
pub fn plan_without_profile(instance: &Instance) -> Plan {
    let mut plan =
        plan(&CredentialsLook::default(), &Instance { profile: None, ..instance.clone() }, RoleDeny::Instance, None);
    plan.steps.retain(|planned| matches!(planned.step, Step::DisableMetadata(_)));
    plan.notes.clear();
    plan
}

impl Denied {
    /// What a role's policy was seen to do, or is about to.
    #[must_use]
    pub fn seen(policy: Option<&str>, reach: RoleDeny) -> Self {
        match (policy.is_some_and(deny_policy::denies_role), reach) {
            (_, RoleDeny::Role) => Self::Role,
            (true, RoleDeny::Instance) => Self::Overflow,
            (false, RoleDeny::Instance) => Self::Instance,
        }
    }
}

/// Who else uses the role, where that changes anything for them. `siblings` are other instances with one of its profiles.
#[must_use]
pub fn sharing(role: &str, siblings: Vec<InstanceId>, by: Denied) -> Option<Note> {
    let concerns = by != Denied::Instance || !siblings.is_empty();
    concerns.then(|| Note::RoleShared { role: role.to_owned(), siblings, by })
}

/// Neither a role nor anything that may have been one is known.
pub(crate) fn had_none(look: &CredentialsLook) -> bool {
    look.roles.is_empty() && look.empty_profiles.is_empty() && look.unresolved.is_empty()
}

#[cfg(test)]
mod tests;
