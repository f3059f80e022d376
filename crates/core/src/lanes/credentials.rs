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
    step::{DenyRole, DisableMetadata, DisassociateProfile, Outcome, Plan, ReplaceProfile, RequireTokens, Step},
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
            plan.note("the instance shows a profile, yet EC2 lists no association to take away: check it by hand");
        }
        (None, _) if had_none(look) && !instance.state.is_ending() && look.gaps.is_empty() => {
            plan.note("it has no instance profile, so there was nothing to deny; credentials of one that it had before live until they expire");
        }
        (None, _) => {}
    }
    for profile in &look.empty_profiles {
        plan.note(Undenied::EmptyProfile { profile: profile.clone() }.sentence_beside(!look.roles.is_empty()));
    }
    for unresolved in &look.unresolved {
        plan.note(format!("{} ({})", unresolved.what.sentence(), unresolved.error));
    }
    let keeps = look.association.is_some() && forensic.is_some();
    if !keeps && instance.state.has_flows() {
        plan.note("Systems Manager cannot start a session with it once it is cut off, without profile and metadata service; an existing session may continue");
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

/// Who else uses the role, and what the denial does to them. `siblings` are other instances with one of its profiles.
#[must_use]
pub fn sharing(role: &str, siblings: &[InstanceId], reach: Denied) -> Option<String> {
    let shown: Vec<&str> = siblings.iter().take(20).map(InstanceId::as_str).collect();
    let more = siblings.len().saturating_sub(shown.len());
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    let who = format!("{} other instance(s) use the role {role}: {}{rest}", siblings.len(), shown.join(", "));
    let by = match reach {
        Denied::Instance if siblings.is_empty() => return None,
        Denied::Instance => return Some(format!("{who}; they keep their access")),
        Denied::Role => "BRIG_ROLE_DENY=role",
        Denied::Overflow => "its policy has no room to name its contained instances; BRIG_ROLE_DENY_OVERFLOW=role",
    };
    Some(if siblings.is_empty() {
        format!("every user of the role {role} is DENIED, whoever they are ({by})")
    } else {
        format!("{who}; their access is DENIED too ({by})")
    })
}

/// Whom a role's policy denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// The contained instances' sessions.
    Instance,
    /// Everybody, as the setting asks.
    Role,
    /// Everybody, since the instances are too many to be named.
    Overflow,
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

/// What no denial on a role reaches, as far as AWS documents it
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-roles-for-amazon-ec2.html#ec2-instance-identity-roles>,
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>).
pub const NOT_COVERED: &str = "the denial does not cover sessions that it got by sts:AssumeRole, the instance identity role's credentials, sts:GetCallerIdentity, or calls that an AWS service makes on behalf of a session";

/// Neither a role nor anything that may have been one is known.
pub(crate) fn had_none(look: &CredentialsLook) -> bool {
    look.roles.is_empty() && look.empty_profiles.is_empty() && look.unresolved.is_empty()
}

#[cfg(test)]
mod tests;
