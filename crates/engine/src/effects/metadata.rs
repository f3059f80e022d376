//! The metadata service.

use std::{sync::PoisonError, time::Duration};

use brig_core::{
    model::MetadataOptions,
    step::{DisableMetadata, Outcome, RequireTokens, RestoreMetadata},
};

use super::{Credentials, Effect, GONE, Release, outcome};
use crate::{
    lanes::credentials::Refused,
    ports::{ErrorKind, PortResult},
    work::{applied, failed},
};

impl<'r> Effect<'r> for RequireTokens {
    type Room = Credentials<'r>;

    async fn run(&self, room: Credentials<'r>) -> Outcome {
        let Credentials { work, cloud, refused } = room;
        let Self { was } = self;
        metadata(cloud.restore_metadata_options(work.id(), &MetadataOptions::guarded()).await, was, refused)
    }
}

impl<'r> Effect<'r> for DisableMetadata {
    type Room = Credentials<'r>;

    async fn run(&self, room: Credentials<'r>) -> Outcome {
        let Credentials { work, cloud, refused } = room;
        let Self { was } = self;
        metadata(cloud.disable_metadata_endpoint(work.id()).await, was, refused)
    }
}

impl<'r> Effect<'r> for RestoreMetadata {
    type Room = Release<'r>;

    /// Options first, while the endpoint is on; the endpoint goes off once they are in effect.
    async fn run(&self, room: Release<'r>) -> Outcome {
        let Release { work, lanes } = room;
        let Self { options } = self;
        let cloud = lanes.credentials.as_ref();
        let (changes, off) = options.changes_from(&work.instance.metadata);
        if let Some(changes) = &changes {
            let restored = outcome(cloud.restore_metadata_options(work.id(), changes).await, GONE);
            if !off || !matches!(restored, Outcome::Changed(_)) {
                return restored;
            }
            for pause in [200, 400, 800, 1600] {
                let pending = cloud.describe_instance(work.id()).await;
                if pending.is_ok_and(|seen| seen.is_none_or(|seen| !seen.metadata_pending)) {
                    break;
                }
                work.clock.sleep(Duration::from_millis(pause)).await;
            }
        }
        outcome(cloud.disable_metadata_endpoint(work.id()).await, GONE)
    }
}

fn metadata(answer: PortResult<()>, was: &MetadataOptions, refused: &Refused) -> Outcome {
    let outcome = match answer {
        Err(error) if error.kind == ErrorKind::NotFound => failed(&error),
        answer => applied(answer, format!("was {}, tokens {}", was.endpoint, was.tokens), ""),
    };
    if let Outcome::Skipped(why) = &outcome {
        *refused.metadata.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.words.clone());
    }
    outcome
}
