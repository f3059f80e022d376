//! IAM users: what denies them, and their credentials.

use std::collections::BTreeMap;

use async_trait::async_trait;
use brig_core::{
    model::{
        Credential, CredentialKind, KeyUse,
        ids::{AccessKeyId, AccountId, UserName},
    },
    release::Reversal,
    step::Step,
};
use brig_engine::ports::{CredentialStatus, ErrorKind, PortResult, UserCredentials, UserShown, Users};

use super::{SimCloud, not_found, refused};
use crate::{
    sim::State,
    world::{User, World},
};

/// IAM attaches so many managed policies to a user
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>).
const MOST_ATTACHED: usize = 10;

impl World {
    fn user(&self, name: &UserName, operation: &'static str) -> PortResult<&User> {
        self.user_of(name).map(|(_, user)| user).ok_or_else(|| not_found(operation, "NoSuchEntity"))
    }

    /// IAM does not tell names apart by case
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>).
    fn user_of(&self, name: &UserName) -> Option<(&UserName, &User)> {
        self.users.iter().find(|(known, _)| known.as_str().eq_ignore_ascii_case(name.as_str()))
    }
}

impl SimCloud {
    async fn on_user(
        &self,
        operation: &'static str,
        name: &UserName,
        intended: impl Fn(&Step) -> bool,
        change: impl FnOnce(&mut User) -> PortResult<()>,
    ) -> PortResult<()> {
        self.write(operation, intended, |state: &mut State| match state.world.users.get_mut(name) {
            Some(user) => change(user),
            None => Err(not_found(operation, "NoSuchEntity")),
        })
        .await
    }
}

#[async_trait]
impl Users for SimCloud {
    async fn get_user(&self, name: &UserName) -> PortResult<Option<UserShown>> {
        self.read("GetUser", |world| {
            Ok(world.user_of(name).map(|(name, user)| UserShown {
                name: name.clone(),
                arn: format!("arn:aws:iam::{}:user/{name}", crate::ACCOUNT),
                boundary: user.boundary.clone(),
                tags: user.tags.clone(),
            }))
        })
        .await
    }

    async fn list_attached_user_policies(&self, name: &UserName) -> PortResult<Vec<String>> {
        let operation = "ListAttachedUserPolicies";
        self.read(operation, |world| Ok(world.user(name, operation)?.attached.iter().cloned().collect())).await
    }

    async fn list_user_policies(&self, name: &UserName) -> PortResult<Vec<String>> {
        self.read("ListUserPolicies", |world| world.user(name, "ListUserPolicies").map(|_| Vec::new())).await
    }

    async fn list_groups_for_user(&self, name: &UserName) -> PortResult<Vec<String>> {
        self.read("ListGroupsForUser", |world| world.user(name, "ListGroupsForUser").map(|user| user.groups.clone()))
            .await
    }

    async fn put_user_permissions_boundary(&self, name: &UserName, policy: &str) -> PortResult<()> {
        let intended = |step: &Step| match step {
            Step::PutUserPermissionsBoundary(step) => step.user == *name && step.boundary == policy,
            step => super::back(
                step,
                |back| matches!(back, Reversal::RestoreUserPermissionsBoundary(back) if back.user == *name),
            ),
        };
        self.on_user("PutUserPermissionsBoundary", name, intended, |user| {
            user.boundary = Some(policy.to_owned());
            Ok(())
        })
        .await
    }

    async fn delete_user_permissions_boundary(&self, name: &UserName) -> PortResult<()> {
        let intended = |step: &Step| {
            super::back(
                step,
                |back| matches!(back, Reversal::RestoreUserPermissionsBoundary(back) if back.user == *name && back.was.is_none()),
            )
        };
        self.on_user("DeleteUserPermissionsBoundary", name, intended, |user| {
            user.boundary = None;
            Ok(())
        })
        .await
    }

    async fn attach_user_policy(&self, name: &UserName, policy: &str) -> PortResult<()> {
        let intended =
            |step: &Step| matches!(step, Step::AttachUserPolicy(step) if step.user == *name && step.policy == policy);
        self.on_user("AttachUserPolicy", name, intended, |user| {
            if user.attached.len() >= MOST_ATTACHED && !user.attached.contains(policy) {
                return Err(refused("AttachUserPolicy", ErrorKind::LimitReached, "LimitExceeded"));
            }
            user.attached.insert(policy.to_owned());
            Ok(())
        })
        .await
    }

    async fn detach_user_policy(&self, name: &UserName, policy: &str) -> PortResult<()> {
        let intended = |step: &Step| {
            super::back(step, |back| matches!(back, Reversal::DetachUserPolicy(back) if back.user == *name))
        };
        self.on_user("DetachUserPolicy", name, intended, |user| {
            if user.attached.remove(policy) { Ok(()) } else { Err(not_found("DetachUserPolicy", "NoSuchEntity")) }
        })
        .await
    }
}

#[async_trait]
impl UserCredentials for SimCloud {
    async fn get_access_key_last_used(&self, key: &AccessKeyId) -> PortResult<KeyUse> {
        self.read("GetAccessKeyLastUsed", |world| {
            let holds = |user: &User| user.credentials.iter().any(|credential| credential.id == key.as_str());
            match world.users.iter().find(|(_, user)| holds(user)) {
                Some((name, user)) => Ok(KeyUse { user: Some(name.clone()), at: user.used, ..KeyUse::default() }),
                None if world.root_keys.contains(key.as_str()) => Ok(KeyUse::default()),
                None => Err(not_found("GetAccessKeyLastUsed", "NoSuchEntity")),
            }
        })
        .await
    }

    async fn get_access_key_info(&self, key: &AccessKeyId) -> PortResult<AccountId> {
        self.read("GetAccessKeyInfo", |world| {
            let account = world.foreign_keys.get(key.as_str()).map_or(crate::ACCOUNT, String::as_str);
            Ok(account.parse().expect("an account"))
        })
        .await
    }

    async fn list_credentials(&self, name: &UserName, kind: CredentialKind) -> PortResult<Vec<Credential>> {
        let operation = match kind {
            CredentialKind::AccessKey => "ListAccessKeys",
            CredentialKind::ServiceSpecificCredential => "ListServiceSpecificCredentials",
            CredentialKind::SshPublicKey => "ListSSHPublicKeys",
            CredentialKind::SigningCertificate => "ListSigningCertificates",
        };
        self.read(operation, |world| {
            let user = world.user(name, operation)?;
            Ok(user.credentials.iter().filter(|credential| credential.kind == kind).cloned().collect())
        })
        .await
    }

    async fn update_credential(
        &self,
        name: &UserName,
        kind: CredentialKind,
        id: &str,
        status: CredentialStatus,
    ) -> PortResult<()> {
        let operation = match kind {
            CredentialKind::AccessKey => "UpdateAccessKey",
            CredentialKind::ServiceSpecificCredential => "UpdateServiceSpecificCredential",
            CredentialKind::SshPublicKey => "UpdateSSHPublicKey",
            CredentialKind::SigningCertificate => "UpdateSigningCertificate",
        };
        let active = status == CredentialStatus::Active;
        let intended =
            |step: &Step| step.resource(name.as_str()) == id && (matches!(step, Step::GiveBack(_)) == active);
        self.on_user(operation, name, intended, |user| {
            match user.credentials.iter_mut().find(|credential| credential.id == id && credential.kind == kind) {
                Some(credential) => {
                    credential.active = active;
                    Ok(())
                }
                None => Err(not_found(operation, "NoSuchEntity")),
            }
        })
        .await
    }

    async fn get_login_profile(&self, name: &UserName) -> PortResult<bool> {
        self.read("GetLoginProfile", |world| world.user(name, "GetLoginProfile").map(|user| user.console)).await
    }

    async fn list_mfa_devices(&self, name: &UserName) -> PortResult<usize> {
        self.read("ListMFADevices", |world| world.user(name, "ListMFADevices").map(|_| 0)).await
    }
}

/// Users as lines that a person can compare.
pub(crate) fn summary(users: &BTreeMap<UserName, User>) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for (name, user) in users {
        let _ =
            writeln!(out, "{name} boundary {:?} attached {:?} console {}", user.boundary, user.attached, user.console);
        for credential in &user.credentials {
            let _ = writeln!(out, "  {} {} active {}", credential.kind.noun(), credential.id, credential.active);
        }
    }
    out
}
