//! Effects on IAM users, and what gives them back.

use brig_core::{
    model::{CredentialKind, ids::UserName},
    step::{
        ActivateAccessKey, ActivateServiceSpecificCredential, ActivateSigningCertificate, ActivateSshPublicKey,
        AttachUserPolicy, DeactivateAccessKey, DeactivateServiceSpecificCredential, DeactivateSigningCertificate,
        DeactivateSshPublicKey, DetachUserPolicy, Outcome, PutUserPermissionsBoundary, RestoreUserPermissionsBoundary,
    },
};

use super::{Effect, Principals, outcome};
use crate::{
    ports::{CredentialStatus, ErrorKind},
    work::{failed, failed_for_now},
};

const GONE: &str = "the user is gone";
const DELETED: &str = "somebody deleted it";

impl<'r> Effect<'r> for PutUserPermissionsBoundary {
    type Room = Principals<'r>;

    async fn run(&self, cloud: Self::Room) -> Outcome {
        outcome(cloud.put_user_permissions_boundary(&self.user, &self.boundary).await, GONE)
    }
}

impl<'r> Effect<'r> for RestoreUserPermissionsBoundary {
    type Room = Principals<'r>;

    async fn run(&self, cloud: Self::Room) -> Outcome {
        // Between the plan and now somebody may have set another one: that stays.
        match cloud.get_user(&self.user).await {
            Ok(Some(user)) if user.boundary == self.was => {
                return Outcome::AlreadyDone("the boundary is as it was".into());
            }
            Ok(Some(user)) if user.boundary.as_deref() != Some(self.boundary.as_str()) => {
                return Outcome::Missing("the boundary is another one by now, which is left alone".into());
            }
            Ok(Some(_)) => {}
            Ok(None) => return Outcome::Missing(GONE.into()),
            Err(error) => return failed(&error),
        }
        let answer = match &self.was {
            Some(was) => cloud.put_user_permissions_boundary(&self.user, was).await,
            None => cloud.delete_user_permissions_boundary(&self.user).await,
        };
        match answer {
            // The policy that was the boundary is gone: without it the user would have more than it ever had.
            Err(error) if error.kind == ErrorKind::NotFound && self.was.is_some() => {
                Outcome::Failed(brig_core::step::Failure::lasting(format!(
                    "the policy that was its boundary is gone, so the denial stays: {error}"
                )))
            }
            answer => outcome(answer, "it has no boundary"),
        }
    }
}

impl<'r> Effect<'r> for AttachUserPolicy {
    type Room = Principals<'r>;

    async fn run(&self, cloud: Self::Room) -> Outcome {
        match cloud.attach_user_policy(&self.user, &self.policy).await {
            Err(error) if error.kind == ErrorKind::LimitReached => Outcome::Skipped(
                format!("IAM has no room for another policy: the boundary denies alone ({error})").into(),
            ),
            answer => outcome(answer, GONE),
        }
    }
}

impl<'r> Effect<'r> for DetachUserPolicy {
    type Room = Principals<'r>;

    async fn run(&self, cloud: Self::Room) -> Outcome {
        outcome(cloud.detach_user_policy(&self.user, &self.policy).await, "it was not attached")
    }
}

async fn update(
    cloud: Principals<'_>,
    user: &UserName,
    kind: CredentialKind,
    id: &str,
    status: CredentialStatus,
) -> Outcome {
    match cloud.update_credential(user, kind, id, status).await {
        // What was listed a moment ago is there: IAM's reads lag its writes.
        Err(error) if error.kind == ErrorKind::NotFound => match cloud.list_credentials(user, kind).await {
            Ok(listed) if listed.iter().any(|credential| credential.id == id) => failed_for_now(&error),
            Ok(_) => Outcome::Missing(DELETED.into()),
            Err(error) if error.kind == ErrorKind::NotFound => Outcome::Missing(GONE.into()),
            Err(error) => failed(&error),
        },
        answer => outcome(answer, DELETED),
    }
}

macro_rules! credentials {
    ($($off:ident $on:ident $kind:ident)*) => {$(
        impl<'r> Effect<'r> for $off {
            type Room = Principals<'r>;

            async fn run(&self, cloud: Self::Room) -> Outcome {
                update(cloud, &self.user, CredentialKind::$kind, &self.id, CredentialStatus::Inactive).await
            }
        }

        impl<'r> Effect<'r> for $on {
            type Room = Principals<'r>;

            async fn run(&self, cloud: Self::Room) -> Outcome {
                update(cloud, &self.user, CredentialKind::$kind, &self.id, CredentialStatus::Active).await
            }
        }
    )*};
}
credentials! {
    DeactivateAccessKey ActivateAccessKey AccessKey
    DeactivateServiceSpecificCredential ActivateServiceSpecificCredential ServiceSpecificCredential
    DeactivateSshPublicKey ActivateSshPublicKey SshPublicKey
    DeactivateSigningCertificate ActivateSigningCertificate SigningCertificate
}
