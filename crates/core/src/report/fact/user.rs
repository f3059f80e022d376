//! What a later look shows of a user.

use crate::{
    model::{
        User,
        gap::{Gap, Subject},
    },
    report::fact::{Fact, Promise},
};

/// Whether a policy that denies is to be attached to the user, in addition to the boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attachment {
    /// It is.
    Promised,
    /// IAM has no room for it, or refuses it: the boundary denies alone.
    Waived,
}

/// What is seen of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserFacts {
    /// Of what denies it everything.
    pub denial: Vec<Fact>,
    /// Of its credentials.
    pub credentials: Vec<Fact>,
}

/// What a later look shows. `deny` is the ARN of the policy that denies everything.
#[must_use]
pub fn facts(user: &User, deny: &str, attachment: Attachment) -> UserFacts {
    let mut facts = UserFacts::default();
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
    matches!(gap.what, Subject::AttachedPolicies | Subject::Credentials(_))
}
