//! Auto Scaling groups.

use std::time::Duration;

use brig_core::{
    model::Membership,
    step::{
        AttachInstances, DetachInstances, Failure, Outcome, ProtectFromScaleIn, RecordLifecycleActionHeartbeat,
        UnprotectFromScaleIn,
    },
};

use super::{Effect, Fleet, Release, outcome};
use crate::{
    ports::{AutoScaling, ErrorKind},
    work::{Work, failed},
};

impl<'r> Effect<'r> for DetachInstances {
    type Room = Fleet<'r>;

    async fn run(&self, room: Fleet<'r>) -> Outcome {
        let Fleet { work, cloud } = room;
        let Self { group, was, .. } = self;
        detach(work, cloud, group, was).await
    }
}

impl<'r> Effect<'r> for AttachInstances {
    type Room = Release<'r>;

    async fn run(&self, room: Release<'r>) -> Outcome {
        let Release { work, lanes } = room;
        let Self { group } = self;
        match lanes.fleet.attach_instance(group, work.id()).await {
            // Above the group's maximum, or no state that can be attached: the group's owner decides.
            Err(error) if error.is_refusal() => Outcome::Missing(format!("{error}: it stays out of the group").into()),
            answer => outcome(answer, "the group is gone"),
        }
    }
}

impl<'r> Effect<'r> for ProtectFromScaleIn {
    type Room = Fleet<'r>;

    async fn run(&self, room: Fleet<'r>) -> Outcome {
        let Fleet { work, cloud } = room;
        let Self { group } = self;
        match cloud.set_instance_protection(group, work.id(), true).await {
            Ok(()) => Outcome::Changed("until it can be detached".into()),
            // Its state moved on: the next look says where to.
            Err(error) if error.denial().is_none() && !error.is_retryable() => {
                Outcome::Missing(format!("its state no longer takes protection: {error}").into())
            }
            Err(error) => failed(&error),
        }
    }
}

impl<'r> Effect<'r> for UnprotectFromScaleIn {
    type Room = Release<'r>;

    async fn run(&self, room: Release<'r>) -> Outcome {
        let Release { work, lanes } = room;
        let Self { group } = self;
        outcome(
            lanes.fleet.set_instance_protection(group, work.id(), false).await,
            "it is no longer in the group, and its protection ended with that",
        )
    }
}

impl<'r> Effect<'r> for RecordLifecycleActionHeartbeat {
    type Room = Fleet<'r>;

    async fn run(&self, room: Fleet<'r>) -> Outcome {
        let Fleet { work, cloud } = room;
        let Self { group, hook } = self;
        match cloud.record_lifecycle_heartbeat(group, hook, work.id()).await {
            Ok(()) => Outcome::Changed("held for another heartbeat".into()),
            Err(error) if error.kind == ErrorKind::NotFound || error.is_refusal() => {
                Outcome::Missing(format!("the hook no longer holds it: {error}").into())
            }
            Err(error) => failed(&error),
        }
    }
}

/// How long one attempt waits for a state that can be detached.
const WAIT: Duration = Duration::from_secs(5);

/// States on the way to InService or Standby are waited for, a few seconds in one attempt: other lanes and the first
/// message must not wait for a lifecycle hook.
async fn detach(work: &Work<'_>, cloud: &dyn AutoScaling, group: &str, was: &str) -> Outcome {
    let mut state = was.to_owned();
    let until = work.clock.now().after(WAIT);
    loop {
        if Membership::is_detachable(&state) {
            match cloud.detach_instance(group, work.id()).await {
                Ok(()) => {
                    let then = match was {
                        "Terminating:Retained" => "it no longer counted in the desired capacity of its group",
                        _ => "the group keeps its desired capacity and may launch a replacement",
                    };
                    return Outcome::Changed(format!("was {was}; {then}").into());
                }
                // It was there at the look: an earlier try whose answer was lost took it out.
                Err(error) if error.kind == ErrorKind::NotFound => {
                    return Outcome::Changed(format!("was {was}; no longer in the group when asked again").into());
                }
                // The state moved between look and call; the next look says where to.
                Err(error) if error.kind == ErrorKind::Conflict && work.left() > Duration::from_secs(3) => {}
                Err(error) => return failed(&error),
            }
        }
        if work.clock.now() >= until || work.left() < Duration::from_secs(12) {
            return Outcome::Failed(Failure::passing(format!(
                "{state} is a state that AWS does not detach from; it is tried again"
            )));
        }
        work.clock.sleep(Duration::from_secs(1)).await;
        match cloud.describe_auto_scaling_instance(work.id()).await {
            Ok(None) => return Outcome::Missing("it is no longer in an Auto Scaling group".into()),
            Ok(Some(now)) if Membership::is_terminating(&now.state) => {
                return Outcome::Skipped(format!("{}: its group is terminating it", now.state).into());
            }
            Ok(Some(now)) if now.state.starts_with("Detach") => return Outcome::AlreadyDone(now.state.into()),
            Ok(Some(now)) => state = now.state,
            Err(error) if error.is_retryable() => {}
            Err(error) => return failed(&error),
        }
    }
}
