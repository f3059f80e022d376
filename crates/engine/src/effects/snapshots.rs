//! Snapshots of its volumes, and their locks.

use brig_core::{
    model::tags::DEVICE_TAG,
    step::{CreateSnapshot, CreateSnapshots, Failure, LockSnapshot, Outcome, Step, TagSnapshot},
};

use super::{Effect, Evidence, GONE};
use crate::{
    lanes::evidence::{listed, tags},
    ports::{CloudError, ErrorKind, PortResult, Tags},
    work::{Work, applied, eventually, failed, failed_for_now},
};

impl<'r> Effect<'r> for CreateSnapshots {
    type Room = Evidence<'r>;

    async fn run(&self, room: Evidence<'r>) -> Outcome {
        let Evidence { work, cloud, made } = room;
        match cloud.create_snapshots(work.id(), &description(work), &tags(work)).await {
            Ok(snapshots) => {
                let shown = listed(&snapshots);
                made.add(snapshots);
                Outcome::Changed(shown.into())
            }
            Err(error) if error.kind == ErrorKind::NotFound && !work.instance.state.is_ending() => {
                Outcome::Missing(GONE.into())
            }
            Err(error) if refuses_the_set(work, &self.clone().into(), &error) => {
                made.refuse();
                let error = crate::work::failure(&error);
                let error = format!("{error}; the volumes are taken one by one, not at one point in time");
                Outcome::Failed(Failure::lasting(error))
            }
            Err(error) => failed(&error),
        }
    }
}

impl<'r> Effect<'r> for CreateSnapshot {
    type Room = Evidence<'r>;

    async fn run(&self, room: Evidence<'r>) -> Outcome {
        let Evidence { work, cloud, made } = room;
        let Self { volume } = self;
        match cloud.create_snapshot(volume, &description(work), &tags(work)).await {
            Ok(snapshot) => {
                let shown = format!("{}, by itself", snapshot.id);
                made.add([snapshot]);
                Outcome::Changed(shown.into())
            }
            Err(error) if error.kind == ErrorKind::NotFound => Outcome::Missing("the volume is gone".into()),
            Err(error) => failed(&error),
        }
    }
}

impl<'r> Effect<'r> for LockSnapshot {
    type Room = Evidence<'r>;

    async fn run(&self, room: Evidence<'r>) -> Outcome {
        let Evidence { work, cloud, .. } = room;
        let Self { snapshot, days } = self;
        made_now(
            eventually(work.clock, || cloud.lock_snapshot(snapshot, *days)).await,
            format!("governance, {days} days"),
        )
    }
}

impl<'r> Effect<'r> for TagSnapshot {
    type Room = Evidence<'r>;

    async fn run(&self, room: Evidence<'r>) -> Outcome {
        let Evidence { work, cloud, .. } = room;
        let Self { snapshot, device } = self;
        let tags: Tags = [(DEVICE_TAG.to_owned(), device.clone())].into();
        made_now(eventually(work.clock, || cloud.create_tags(snapshot.as_str(), &tags)).await, device.clone())
    }
}

fn description(work: &Work<'_>) -> String {
    format!("Brig: evidence of {}", work.containment)
}

/// Whether single volumes may be taken where AWS gave this answer for the set: it will not take the set, whoever asks
/// again. A volume that is in a state which forbids it now may be soon: once it was waited for. An instance that ends is
/// none that AWS takes a set of; its volumes are there for a moment yet.
fn refuses_the_set(work: &Work<'_>, step: &Step, error: &CloudError) -> bool {
    if work.instance.state.is_ending() {
        return error.denial().is_none();
    }
    let waited = error.kind == ErrorKind::Conflict && work.inherited.contains(&work.key_of(step));
    waited || !error.is_retryable()
}

/// What was made a moment ago and is not found will be.
fn made_now(answer: PortResult<()>, changed: String) -> Outcome {
    match answer {
        Err(error) if error.kind == ErrorKind::NotFound => failed_for_now(&error),
        answer => applied(answer, changed, ""),
    }
}
