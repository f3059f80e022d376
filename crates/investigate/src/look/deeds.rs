//! Whether what a deed made or changed in IAM is there.

use brig_core::model::ids::{RoleName, UserName};
use brig_trace::{Deed, DeedKind, Presence};

use super::{Now, RoleNow, UserNow};

fn there(seen: impl Into<String>) -> Presence {
    Presence::There { seen: seen.into() }
}

fn gone(seen: impl Into<String>) -> Presence {
    Presence::Gone { seen: seen.into() }
}

fn unread(what: &str, error: impl std::fmt::Display) -> Presence {
    Presence::Unknown { why: format!("{what} could not be read: {error}") }
}

/// The role and the policy that a deed gave it.
pub(super) fn policy_of_role(deed: &Deed) -> Option<(RoleName, &str)> {
    if deed.kind != DeedKind::Policy || !matches!(deed.call.as_str(), "AttachRolePolicy" | "PutRolePolicy") {
        return None;
    }
    let [role, policy] = deed.what.as_slice() else { return None };
    Some((role.parse().ok()?, policy))
}

/// Whether a user or a role holds a policy.
fn held<E: std::fmt::Display>(holder: &str, held: Result<bool, E>) -> Presence {
    match held {
        Ok(true) => there(format!("{holder} has it")),
        Ok(false) => gone(format!("{holder} no longer has it")),
        Err(error) => unread(&format!("the policies of {holder}"), error),
    }
}

impl Now {
    /// Whether what a deed made or changed in IAM is there; none of what is looked at elsewhere, or not at all.
    pub(super) fn presence(&self, deed: &Deed) -> Option<Presence> {
        let name = deed.what.first()?;
        match (deed.kind, deed.call.as_str()) {
            (DeedKind::User, _) => self.of(name, |user, _| Some(there(format!("user {user}")))),
            (DeedKind::Role, _) => self.of_role_named(name, |role, _| Some(there(format!("role {role}")))),
            // That it is gone ends the trust; what a role trusts now is not compared.
            (DeedKind::Trust, _) => self.of_role_named(name, |_, _| None),
            (DeedKind::Credential, "CreateAccessKey") => self.of(deed.what.get(1)?, |user, now| {
                Some(match &now.keys {
                    Ok(keys) => match keys.iter().find(|one| one.id == *name) {
                        Some(one) if one.active => there("active"),
                        Some(_) => there("inactive"),
                        None => gone(format!("{user} no longer has it")),
                    },
                    Err(error) => unread(&format!("the keys of {user}"), error),
                })
            }),
            (DeedKind::Credential, "CreateLoginProfile" | "UpdateLoginProfile") => self.of(name, |user, now| {
                Some(match &now.password {
                    Ok(true) => there(format!("{user} has a console password")),
                    Ok(false) => gone(format!("{user} has no console password")),
                    Err(error) => unread(&format!("the password of {user}"), error),
                })
            }),
            (DeedKind::Policy, "AttachUserPolicy" | "PutUserPolicy") => {
                let policy = deed.what.get(1)?;
                self.of(name, |user, now| {
                    let policies = if deed.call == "AttachUserPolicy" { &now.attached } else { &now.inline };
                    Some(held(user, policies.as_ref().map(|policies| policies.contains(policy))))
                })
            }
            (DeedKind::Policy, _) => {
                let (_, policy) = policy_of_role(deed)?;
                self.of_role_named(name, |role, now| {
                    if deed.call == "AttachRolePolicy" {
                        let attached = now.attached.as_ref();
                        return Some(held(role, attached.map(|attached| attached.iter().any(|one| one == policy))));
                    }
                    Some(held(role, now.inline.get(policy)?.as_ref().map(Option::is_some)))
                })
            }
            _ => None,
        }
    }

    /// What is to be said of a user that is there.
    fn of(&self, name: &str, say: impl FnOnce(&str, &UserNow) -> Option<Presence>) -> Option<Presence> {
        let name: UserName = name.parse().ok()?;
        match self.users.get(&name)? {
            Ok(Some(now)) => say(name.as_str(), now),
            Ok(None) if self.renamed.contains(name.as_str()) => {
                Some(Presence::Unknown { why: format!("user {name} was renamed") })
            }
            Ok(None) => Some(gone(format!("IAM shows no user {name}"))),
            Err(error) => Some(unread(&format!("user {name}"), error)),
        }
    }

    /// What is to be said of a role that is there.
    fn of_role_named(&self, name: &str, say: impl FnOnce(&str, &RoleNow) -> Option<Presence>) -> Option<Presence> {
        let name: RoleName = name.parse().ok()?;
        match self.roles.get(&name)? {
            Ok(Some(now)) => say(name.as_str(), now),
            Ok(None) => Some(gone(format!("IAM shows no role {name}"))),
            Err(error) => Some(unread(&format!("role {name}"), error)),
        }
    }
}
