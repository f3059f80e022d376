//! What keeps the instance: protections, what a shutdown does, automatic recovery.

use brig_core::step::{
    DisableAutoRecovery, Outcome, ProtectStop, ProtectTermination, RestoreAutoRecovery, RestoreShutdown,
    StopOnShutdown, UnprotectStop, UnprotectTermination,
};

use super::{Effect, Evidence, GONE, Release, modify, outcome, protect};
use crate::{ports::AttributeChange, work::applied};

impl<'r> Effect<'r> for ProtectTermination {
    type Room = Evidence<'r>;

    async fn run(&self, room: Evidence<'r>) -> Outcome {
        protect(room, AttributeChange::DisableApiTermination(true), "was off".to_owned()).await
    }
}

impl<'r> Effect<'r> for UnprotectTermination {
    type Room = Release<'r>;

    async fn run(&self, room: Release<'r>) -> Outcome {
        outcome(modify(room, AttributeChange::DisableApiTermination(false)).await, GONE)
    }
}

impl<'r> Effect<'r> for ProtectStop {
    type Room = Evidence<'r>;

    async fn run(&self, room: Evidence<'r>) -> Outcome {
        protect(room, AttributeChange::DisableApiStop(true), "was off".to_owned()).await
    }
}

impl<'r> Effect<'r> for UnprotectStop {
    type Room = Release<'r>;

    async fn run(&self, room: Release<'r>) -> Outcome {
        outcome(modify(room, AttributeChange::DisableApiStop(false)).await, GONE)
    }
}

impl<'r> Effect<'r> for StopOnShutdown {
    type Room = Evidence<'r>;

    async fn run(&self, room: Evidence<'r>) -> Outcome {
        let Self { was } = self;
        protect(room, AttributeChange::ShutdownBehavior("stop".to_owned()), format!("was {was}")).await
    }
}

impl<'r> Effect<'r> for RestoreShutdown {
    type Room = Release<'r>;

    async fn run(&self, room: Release<'r>) -> Outcome {
        let Self { behavior } = self;
        outcome(modify(room, AttributeChange::ShutdownBehavior(behavior.clone())).await, GONE)
    }
}

impl<'r> Effect<'r> for DisableAutoRecovery {
    type Room = Evidence<'r>;

    async fn run(&self, room: Evidence<'r>) -> Outcome {
        let Evidence { work, cloud, .. } = room;
        let Self { was } = self;
        applied(cloud.set_auto_recovery(work.id(), "disabled").await, format!("was {was}"), GONE)
    }
}

impl<'r> Effect<'r> for RestoreAutoRecovery {
    type Room = Release<'r>;

    async fn run(&self, room: Release<'r>) -> Outcome {
        let Release { work, lanes } = room;
        let Self { setting } = self;
        outcome(lanes.evidence.set_auto_recovery(work.id(), setting).await, GONE)
    }
}
