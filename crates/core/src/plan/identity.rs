//! The identity lane: the instance's credentials denied on their role wherever they are used, its profile taken away,
//! its metadata service off.

use super::{Plan, done, skipped};
use crate::{
    deny_policy,
    ids::InstanceId,
    policy::RoleDeny,
    step::{Outcome, Step},
    survey::{IdentityLook, Instance, InstanceState, MetadataOptions, RoleLook},
    verdict::{Fact, Truth},
};

/// Plans the credential cut. `forensic` is the ARN of the profile that responders want in the place of the instance's own.
#[must_use]
pub fn plan(look: &IdentityLook, instance: &Instance, reach: RoleDeny, forensic: Option<&str>) -> Plan {
    let mut plan = Plan::default();
    let instance_arn = instance.id.arn(&instance.account, &instance.region);
    for RoleLook { role, policy, denied, .. } in &look.roles {
        let visible = policy.as_deref().is_some_and(|policy| match reach {
            RoleDeny::Instance => deny_policy::denies(policy, &instance_arn),
            RoleDeny::Role => policy == deny_policy::render(&[], RoleDeny::Role),
        });
        let outcome = if role.arn.contains(":role/aws-service-role/") {
            skipped("AWS lets nobody change a service-linked role: its credentials stay alive")
        } else if visible && denied.contains(&instance_arn) {
            done("the role denies this instance's sessions")
        } else {
            Outcome::Planned
        };
        let step = Step::DenyRole {
            role: role.name.clone(),
            role_arn: role.arn.clone(),
            instance_arn: instance_arn.clone(),
            reach,
            was: policy.clone().filter(|policy| !deny_policy::is_ours(policy)),
        };
        plan.add(step, outcome);
    }
    // AWS replaces the profile of an instance that runs, and of no other.
    let there = look.association.as_ref().is_some_and(|association| Some(association.profile.as_str()) == forensic);
    let forensic = forensic.filter(|_| there || instance.state == InstanceState::Running);
    match (&look.association, forensic) {
        (Some(association), Some(with)) => {
            let step = Step::ReplaceProfile {
                association: association.id.clone(),
                was: association.profile.clone(),
                with: with.to_owned(),
            };
            plan.add(step, if there { done("the forensic profile") } else { Outcome::Planned });
        }
        (Some(association), None) => {
            let outcome =
                if association.state.starts_with("disassociat") { done(&association.state) } else { Outcome::Planned };
            let step =
                Step::DisassociateProfile { association: association.id.clone(), was: association.profile.clone() };
            plan.add(step, outcome);
        }
        (None, _) if instance.profile.is_some() && look.gaps.is_empty() => {
            plan.note("the instance shows a profile, yet EC2 lists no association to take away: check it by hand");
        }
        (None, _) if look.roles.is_empty() && !instance.state.is_ending() && look.gaps.is_empty() => {
            plan.note("it has no instance profile, so that nothing was denied; credentials of one that it had before live until they expire");
        }
        (None, _) => {}
    }
    let keeps = look.association.is_some() && forensic.is_some();
    if !keeps && instance.state.has_flows() {
        plan.note("Systems Manager can begin no session with it once it is cut, without profile and metadata service; one that is open may go on");
    }
    if keeps && !instance.state.is_ending() {
        let guarded = is_guarded(instance);
        let step = Step::RequireTokens { was: instance.metadata.clone() };
        plan.add(step, if guarded { done("tokens are required, one hop away at most") } else { Outcome::Planned });
    } else if !instance.state.is_ending() {
        let off = instance.metadata.endpoint == "disabled";
        let step = Step::DisableMetadata { was: instance.metadata.clone() };
        plan.add(step, if off { done("the metadata service is off") } else { Outcome::Planned });
    }
    plan
}

/// Plans it for an instance whose profile was taken away after all: the metadata service has nothing to stay on for.
#[must_use]
pub fn plan_without_profile(instance: &Instance) -> Plan {
    let mut plan =
        plan(&IdentityLook::default(), &Instance { profile: None, ..instance.clone() }, RoleDeny::Instance, None);
    plan.steps.retain(|planned| matches!(planned.step, Step::DisableMetadata { .. }));
    plan.notes.clear();
    plan
}

/// How the metadata service answers where a forensic profile's credentials come from it.
#[must_use]
pub fn guarded() -> MetadataOptions {
    MetadataOptions {
        endpoint: "enabled".to_owned(),
        tokens: "required".to_owned(),
        hop_limit: Some(1),
        ipv6: None,
        tags: None,
    }
}

fn is_guarded(instance: &Instance) -> bool {
    let MetadataOptions { endpoint, tokens, hop_limit, .. } = guarded();
    let now = &instance.metadata;
    now.endpoint == endpoint && now.tokens == tokens && now.hop_limit == hop_limit
}

/// Who else uses the role, and what the denial does to them. `siblings` are other instances with one of its profiles.
#[must_use]
pub fn sharing(role: &str, siblings: &[InstanceId], reach: RoleDeny) -> Option<String> {
    let shown: Vec<&str> = siblings.iter().take(20).map(InstanceId::as_str).collect();
    let more = siblings.len().saturating_sub(shown.len());
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    let who = format!("{} other instance(s) use the role {role}: {}{rest}", siblings.len(), shown.join(", "));
    match reach {
        RoleDeny::Instance if siblings.is_empty() => None,
        RoleDeny::Instance => Some(format!("{who}; they keep their access")),
        RoleDeny::Role if siblings.is_empty() => {
            Some(format!("every user of the role {role} is DENIED, whoever they are (BRIG_ROLE_DENY=role)"))
        }
        RoleDeny::Role => Some(format!("{who}; their access is DENIED too (BRIG_ROLE_DENY=role)")),
    }
}

/// The fact that leaves it the responders' credentials, which whoever is root on it can read.
pub const FORENSIC: &str = "no instance profile but the forensic one is associated";

/// The fact that there was no role to deny.
pub const NO_ROLE: &str = "it has no instance profile, and no role of its is on record";

/// What a later look shows of the credential cut.
#[must_use]
pub fn facts(look: &IdentityLook, instance: &Instance, forensic: Option<&str>) -> Vec<Fact> {
    let mut facts = Vec::new();
    let instance_arn = instance.id.arn(&instance.account, &instance.region);
    for RoleLook { role, policy, unread, .. } in &look.roles {
        let denies = policy.as_deref().is_some_and(|policy| deny_policy::denies(policy, &instance_arn));
        let what = format!("the role {} denies the instance's sessions", role.name);
        facts.push(match unread {
            true => Fact::new(what, Truth::Unknown, "its policy could not be read"),
            false => Fact::seen(what, denies),
        });
    }
    let associated = look.association.as_ref().filter(|association| association.state.starts_with("associat"));
    let keeps = associated.is_some_and(|association| Some(association.profile.as_str()) == forensic);
    if keeps {
        facts.push(Fact::holding(FORENSIC));
        if look.roles.is_empty() {
            // Nothing was replaced: what it had before is what responders use.
            let why = "its own profile is the responders', whose role is not denied";
            facts.push(Fact::new("the credentials it had are denied", Truth::No, why));
        }
    } else {
        facts.push(Fact::seen("no instance profile is associated", associated.is_none()));
        if look.roles.is_empty() && associated.is_none() && look.gaps.is_empty() && !instance.state.is_ending() {
            facts.push(Fact::holding(NO_ROLE));
        }
    }
    let in_effect = !(instance.metadata_pending && instance.state.has_flows());
    if keeps && !instance.state.is_ending() {
        let what = "the metadata service requires tokens, one hop away at most";
        facts.push(Fact::seen(what, in_effect && is_guarded(instance)));
    } else if !instance.state.is_ending() {
        let off = instance.metadata.endpoint == "disabled";
        facts.push(Fact::seen("the metadata service is off", in_effect && off));
    }
    if instance.state.is_ending() && look.roles.is_empty() {
        // EC2 soon forgets the profile of an instance that ends; its credentials live on until they expire.
        facts.push(Fact::new(
            "the credentials it had are denied",
            Truth::Unknown,
            "EC2 shows no profile of an ended instance",
        ));
    }
    facts.extend(look.gaps.iter().map(Fact::unread));
    if facts.is_empty() {
        facts.push(Fact::new("no credentials", Truth::Yes, ""));
    }
    facts
}

#[cfg(test)]
mod tests;
