//! What a later look shows of the credentials lane.

use crate::{
    lanes::credentials::had_none,
    model::{
        CredentialsLook, Instance, RoleLook, Undenied,
        deny_policy::{self},
    },
    report::fact::{Cause, Fact, Promise},
    step::RequireTokens,
};

/// What a later look shows of the credential cut.
#[must_use]
pub fn facts(look: &CredentialsLook, instance: &Instance, forensic: Option<&str>) -> Vec<Fact> {
    let mut facts = Vec::new();
    let instance_arn = instance.id.arn(&instance.account, &instance.region);
    for RoleLook { role, policy, unread, .. } in &look.roles {
        let denies = policy.as_deref().is_some_and(|policy| deny_policy::denies(policy, &instance_arn));
        let what = Promise::RoleDenies(role.name.clone());
        let linked = role.is_service_linked().then(|| Undenied::ServiceLinked { role: role.name.clone() });
        let refused = linked.or_else(|| look.refused.get(&role.arn).cloned());
        facts.push(match refused {
            _ if *unread => Fact::unknown(what, Cause::PolicyUnread),
            Some(refused) if !denies => Fact::broken(what, Cause::Undenied(refused)),
            Some(_) | None => Fact::seen(what, denies),
        });
    }
    for unresolved in &look.unresolved {
        // Brig denied nothing there, whatever the reason.
        let why = Cause::Unresolved(unresolved.what.clone(), unresolved.error.clone());
        facts.push(Fact::broken(Promise::NamedRole(unresolved.what.clone()), why));
    }
    if look.roles.is_empty() {
        for profile in &look.empty_profiles {
            let empty = Undenied::EmptyProfile { profile: profile.clone() };
            facts.push(Fact::unknown(Promise::CredentialsDenied, Cause::Undenied(empty)));
        }
    }
    let associated = look.association.as_ref().filter(|association| association.state.starts_with("associat"));
    let keeps = associated.is_some_and(|association| Some(association.profile.as_str()) == forensic);
    if keeps {
        facts.push(Fact::holding(Promise::ForensicProfile));
        if look.roles.is_empty() {
            // Nothing was replaced: what it had before is what responders use.
            facts.push(Fact::broken(Promise::CredentialsDenied, Cause::OwnIsForensic));
        }
    } else {
        facts.push(Fact::seen(Promise::NoProfile, associated.is_none()));
        if had_none(look) && associated.is_none() && look.gaps.is_empty() && !instance.state.is_ending() {
            facts.push(Fact::holding(Promise::NoRole));
        }
    }
    let waived = look.metadata_waived.is_some();
    let in_effect = !(instance.metadata_pending && instance.state.has_flows());
    if waived || instance.state.is_ending() {
        // Nobody can change it: it is said, and not promised.
    } else if keeps {
        facts.push(Fact::seen(Promise::TokensRequired, in_effect && RequireTokens::is_on(instance)));
    } else {
        let off = instance.metadata.endpoint == "disabled";
        facts.push(Fact::seen(Promise::MetadataOff, in_effect && off));
    }
    if instance.state.is_ending() && look.roles.is_empty() {
        // EC2 soon forgets the profile of an instance that ends; its credentials live on until they expire.
        facts.push(Fact::unknown(Promise::CredentialsDenied, Cause::ProfileForgotten));
    }
    facts.extend(look.gaps.iter().map(Fact::unread));
    if facts.is_empty() {
        facts.push(Fact::holding(Promise::NoCredentials));
    }
    facts
}
