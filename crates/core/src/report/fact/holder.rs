//! What a later look shows of a user, or of a role whose sessions are denied.

use crate::{
    lanes::holder::Terms,
    model::{
        Holder, RoleShown, User,
        deny_policy::sessions_denied_before,
        gap::{Gap, Subject},
    },
    report::fact::{Cause, Fact, Promise},
};

/// Whether a policy that denies is to be attached to the user, in addition to the boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attachment {
    /// It is.
    Promised,
    /// IAM has no room for it, or refuses it: the boundary denies alone.
    Waived,
}

/// What is seen of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HolderFacts {
    /// Of what denies it everything.
    pub denial: Vec<Fact>,
    /// Of its credentials.
    pub credentials: Vec<Fact>,
}

/// What a later look shows, by what was to be denied.
#[must_use]
pub fn facts(holder: &Holder, terms: &Terms, attachment: Attachment) -> HolderFacts {
    match holder {
        Holder::User(user) => of_user(user, &terms.deny, attachment),
        Holder::Role(role) => of_role(role, terms),
    }
}

fn of_role(role: &RoleShown, terms: &Terms) -> HolderFacts {
    let promise = Promise::SessionsDenied(role.name.clone(), terms.before);
    let denied = role.policy.as_ref().map(|policy| policy.as_deref().and_then(sessions_denied_before));
    let fact = match denied {
        Some(denied) => Fact::seen(promise, denied.is_some_and(|denied| denied >= terms.before)),
        None => Fact::unknown(promise, Cause::PolicyUnread),
    };
    HolderFacts { denial: vec![fact], credentials: Vec::new() }
}

fn of_user(user: &User, deny: &str, attachment: Attachment) -> HolderFacts {
    let mut facts = HolderFacts::default();
    let boundary = Promise::Denied(user.name.clone());
    facts.denial.push(Fact::seen(boundary, user.boundary.as_deref() == Some(deny)));
    if let (Some(attached), Attachment::Promised) = (&user.attached, attachment) {
        let attached = attached.iter().any(|policy| policy == deny);
        facts.denial.push(Fact::seen(Promise::DenialAttached(user.name.clone()), attached));
    }
    for credential in user.listed() {
        let inactive = Promise::Inactive(credential.kind, credential.id.clone());
        facts.credentials.push(Fact::seen(inactive, !credential.active));
    }
    for gap in user.gaps.iter().filter(|gap| is_promised(gap)) {
        let part = if gap.what == Subject::AttachedPolicies { &mut facts.denial } else { &mut facts.credentials };
        part.push(Fact::unread(gap));
    }
    facts
}

/// Whether what could not be read is part of what is promised.
#[must_use]
pub fn is_promised(gap: &Gap) -> bool {
    matches!(gap.what, Subject::AttachedPolicies | Subject::Credentials(_) | Subject::RolePolicy(_))
}
