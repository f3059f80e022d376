//! Instance profiles.

use std::sync::atomic::Ordering;

use brig_core::{
    model::{InstanceState, ids::arn_name},
    step::{AssociateProfile, DisassociateProfile, Outcome, ReplaceProfile, RestoreProfile},
};

use super::{Credentials, Effect, GONE, Release, outcome};
use crate::{
    ports::ErrorKind,
    work::{failed, failed_for_now},
};

impl<'r> Effect<'r> for DisassociateProfile {
    type Room = Credentials<'r>;

    async fn run(&self, room: Credentials<'r>) -> Outcome {
        let Credentials { cloud, .. } = room;
        let Self { association, was } = self;
        match cloud.disassociate_profile(association).await {
            Ok(()) => Outcome::Changed(format!("was {}", arn_name(was)).into()),
            // It was there at the look: an earlier try whose answer was lost took it away.
            Err(error) if error.kind == ErrorKind::NotFound => {
                Outcome::Changed(format!("was {}; gone when asked again", arn_name(was)).into())
            }
            Err(error) => failed(&error),
        }
    }
}

impl<'r> Effect<'r> for AssociateProfile {
    type Room = Release<'r>;

    async fn run(&self, room: Release<'r>) -> Outcome {
        let Release { work, lanes } = room;
        let Self { profile } = self;
        outcome(lanes.credentials.associate_profile(work.id(), profile).await, GONE)
    }
}

impl<'r> Effect<'r> for ReplaceProfile {
    type Room = Credentials<'r>;

    /// Where the responders' profile cannot be had, the instance's own is taken away all the same.
    async fn run(&self, room: Credentials<'r>) -> Outcome {
        let Credentials { cloud, refused, .. } = room;
        let Self { association, was, with } = self;
        let why = match cloud.replace_profile(association, with).await {
            Ok(()) => return Outcome::Changed(format!("{} in the place of {}", arn_name(with), arn_name(was)).into()),
            // The association has a successor; where it is the profile that is not there, it never will be.
            Err(error) if error.kind == ErrorKind::NotFound && error.code.contains("Association") => {
                return failed_for_now(&error);
            }
            Err(error) if error.is_retryable() => return failed(&error),
            Err(error) => error,
        };
        refused.profile.store(true, Ordering::Relaxed);
        match cloud.disassociate_profile(association).await {
            Err(error) if error.kind != ErrorKind::NotFound => failed(&error),
            Ok(()) | Err(_) => Outcome::Changed(
                format!(
                    "was {}; taken away, since {} could not be put in its place: {why}",
                    arn_name(was),
                    arn_name(with)
                )
                .into(),
            ),
        }
    }
}

impl<'r> Effect<'r> for RestoreProfile {
    type Room = Release<'r>;

    /// AWS replaces the profile of an instance that runs: of another one it is taken away first.
    async fn run(&self, room: Release<'r>) -> Outcome {
        let Release { work, lanes } = room;
        let Self { association, profile } = self;
        let cloud = lanes.credentials.as_ref();
        let missing = "the association is gone";
        if work.instance.state == InstanceState::Running {
            return outcome(cloud.replace_profile(association, profile).await, missing);
        }
        match cloud.disassociate_profile(association).await {
            Ok(()) => outcome(cloud.associate_profile(work.id(), profile).await, GONE),
            answer => outcome(answer, missing),
        }
    }
}
