//! Turns a user's credentials off, one kind of step for each kind of credential. None is ever deleted: what is deleted
//! cannot be given back.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo, gone, unread};
use crate::{
    model::{Credential, CredentialKind, Holder, User, ids::UserName},
    step::{
        Lane, Outcome, Plan, Reversal, Step,
        change::{Change, change, switch},
        done, skipped,
        undo::{Look, ReleaseScope},
    },
};

/// When a credential came to be active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Made {
    /// Before the user was contained.
    Before,
    /// It was made, or turned on, while the user was contained: a release leaves it off.
    Since,
    /// It could not be listed when the user was contained: a release leaves it off too.
    Unclear,
}

macro_rules! deactivations {
    ($($(#[$doc:meta])* $off:ident $on:ident $kind:ident $name_off:literal $name_on:literal $operation:literal)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $off {
            pub user: UserName,
            /// AWS's id of it.
            pub id: String,
            /// When it came to be active.
            pub made: Made,
        }

        impl Describe for $off {
            const LANE: Lane = Lane::Credentials;
            const NAME: &'static str = $name_off;
            const OPERATION: &'static str = $operation;
            const IAM_ACTIONS: &'static [&'static str] = &[concat!("iam:", $operation)];

            fn resource(&self, _: &str) -> String {
                self.id.clone()
            }

            fn change(&self) -> Change {
                change(CredentialKind::$kind.noun(), switch(true), switch(false))
            }
        }

        impl Undo for $off {
            fn reverse(&self, _: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
                None
            }

            fn reverse_of_holder(&self, holder: &Holder, _: &mut Plan) -> Option<(Reversal, Outcome)> {
                let user = holder.user()?;
                let back = $on { user: self.user.clone(), id: self.id.clone() };
                Some((back.into(), reactivation(user, CredentialKind::$kind, &self.id, self.made)))
            }
        }

        /// It is turned on again.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $on {
            pub user: UserName,
            /// AWS's id of it.
            pub id: String,
        }

        impl Describe for $on {
            const LANE: Lane = Lane::Credentials;
            const NAME: &'static str = $name_on;
            const OPERATION: &'static str = $operation;
            const IAM_ACTIONS: &'static [&'static str] = &[concat!("iam:", $operation)];

            fn resource(&self, _: &str) -> String {
                self.id.clone()
            }

            fn change(&self) -> Change {
                change(CredentialKind::$kind.noun(), switch(false), switch(true))
            }
        }
    )*

        /// Which kind of credential a step turns off, and when that came to be active; none for any other step.
        #[must_use]
        pub fn credential_of(step: &Step) -> Option<(CredentialKind, Made)> {
            $(if let Step::$off(step) = step {
                return Some((CredentialKind::$kind, step.made));
            })*
            None
        }

        fn step(user: &UserName, kind: CredentialKind, id: String, made: Made) -> Step {
            let user = user.clone();
            match kind {
                $(CredentialKind::$kind => $off { user, id, made }.into(),)*
            }
        }
    };
}

deactivations! {
    /// Turns an access key off. Sessions that it made live on, and are ended by the denial alone
    /// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html>).
    DeactivateAccessKey ActivateAccessKey AccessKey "deactivate_access_key" "activate_access_key" "UpdateAccessKey"
    /// Turns a service-specific credential off
    /// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateServiceSpecificCredential.html>).
    DeactivateServiceSpecificCredential ActivateServiceSpecificCredential ServiceSpecificCredential
        "deactivate_service_specific_credential" "activate_service_specific_credential" "UpdateServiceSpecificCredential"
    /// Turns an SSH public key off
    /// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateSSHPublicKey.html>).
    DeactivateSshPublicKey ActivateSshPublicKey SshPublicKey "deactivate_ssh_public_key" "activate_ssh_public_key"
        "UpdateSSHPublicKey"
    /// Turns a signing certificate off
    /// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateSigningCertificate.html>).
    DeactivateSigningCertificate ActivateSigningCertificate SigningCertificate "deactivate_signing_certificate"
        "activate_signing_certificate" "UpdateSigningCertificate"
}

/// Plans what turns a credential off.
pub(crate) fn plan(user: &User, credential: &Credential, made: Made, plan: &mut Plan) {
    let Credential { kind, id, active, .. } = credential;
    let outcome = if *active { Outcome::Planned } else { done("it is inactive") };
    plan.add(step(&user.name, *kind, id.clone(), made), outcome);
}

fn reactivation(user: &User, kind: CredentialKind, id: &str, made: Made) -> Outcome {
    match user.credential(kind, id) {
        None => unread(),
        Some(None) => gone("somebody deleted it since"),
        Some(Some(now)) if now.active => done("it is active"),
        Some(Some(_)) => match made {
            Made::Before => Outcome::Planned,
            Made::Since => skipped(
                "it was made, or turned on, while the user was contained: it stays inactive, and a person decides about it",
            ),
            Made::Unclear => skipped(
                "whether it was active before could not be read: it stays inactive, and a person decides about it",
            ),
        },
    }
}
