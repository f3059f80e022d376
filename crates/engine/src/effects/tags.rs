//! Brig's tags on the instance.

use brig_core::{
    model::tags::{CONTAINMENT_TAG, STATE_TAG},
    step::{DeleteTags, Outcome, TagInstance},
};

use super::{Effect, Evidence, GONE, Release, outcome};
use crate::{
    ports::{ErrorKind, Tags},
    work::{applied, failed},
};

impl<'r> Effect<'r> for TagInstance {
    type Room = Evidence<'r>;

    async fn run(&self, room: Evidence<'r>) -> Outcome {
        let Evidence { work, cloud, .. } = room;
        let own: Tags = [(CONTAINMENT_TAG.to_owned(), work.containment.to_string())].into();
        let mut both = own.clone();
        both.insert(STATE_TAG.to_owned(), "containing".to_owned());
        let tagged = match cloud.create_tags(work.id().as_str(), &both).await {
            // There may be room for one.
            Err(error) if error.kind == ErrorKind::LimitReached => cloud.create_tags(work.id().as_str(), &own).await,
            tagged => tagged,
        };
        match tagged {
            Err(error) if error.kind == ErrorKind::NotFound => failed(&error),
            tagged => applied(tagged, String::new(), GONE),
        }
    }
}

impl<'r> Effect<'r> for DeleteTags {
    type Room = Release<'r>;

    async fn run(&self, room: Release<'r>) -> Outcome {
        let Release { work, lanes } = room;
        outcome(lanes.evidence.delete_tags(work.id().as_str(), &[CONTAINMENT_TAG, STATE_TAG]).await, "it is gone")
    }
}
