//! Network interfaces: isolating and untracking them, their idle timeouts.

use brig_core::{
    model::Timeouts,
    step::{Failure, Isolate, Outcome, RestoreGroups, RestoreTimeouts, ShortenTimeouts, Untrack},
};

use super::{Effect, FollowUp, Network, Release, Untracking, added, outcome};
use crate::ports::ErrorKind;

impl<'r> Effect<'r> for Isolate {
    type Room = Network<'r>;

    async fn run(&self, room: Network<'r>) -> Outcome {
        room.isolate(&self.eni, &self.isolation, self.was.as_deref()).await
    }
}

impl<'r> Effect<'r> for RestoreGroups {
    type Room = Release<'r>;

    async fn run(&self, room: Release<'r>) -> Outcome {
        let Release { lanes, .. } = room;
        let Self { eni, groups } = self;
        match lanes.network.modify_network_interface_groups(eni, groups).await {
            Err(error) if error.kind == ErrorKind::NotFound && error.code.contains("Group") => {
                Outcome::Skipped(format!("{error}: it stays isolated until someone sets its groups").into())
            }
            // The quota was lowered since.
            Err(error) if error.kind == ErrorKind::LimitReached => {
                let most = groups.len();
                let error = format!(
                    "{error}: it stays isolated; it had {most} groups: ask AWS for that many an interface (aws service-quotas request-service-quota-increase --service-code vpc --quota-code L-2AFB9258 --desired-value {most}), then release again"
                );
                Outcome::Failed(Failure::lasting(error))
            }
            answer => outcome(answer, "the interface is gone"),
        }
    }
}

impl<'r> Effect<'r> for Untrack {
    type Room = Untracking<'r>;

    async fn run(&self, room: Untracking<'r>) -> Outcome {
        room.lane.untrack(self, room.closed).await
    }
}

impl<'r> Effect<'r> for ShortenTimeouts {
    type Room = FollowUp<'r>;

    async fn run(&self, room: FollowUp<'r>) -> Outcome {
        let Self { eni, was } = self;
        let answer = room.modify_network_interface_timeouts(eni, &Timeouts::LEAST).await;
        let was = was.tcp_established.map_or_else(|| "not set".to_owned(), |seconds| format!("{seconds} s"));
        added(answer, format!("TCP was {was}; AWS does not say whether this applies to connections it already tracks"))
    }
}

impl<'r> Effect<'r> for RestoreTimeouts {
    type Room = Release<'r>;

    async fn run(&self, room: Release<'r>) -> Outcome {
        let Release { lanes, .. } = room;
        let Self { eni, timeouts } = self;
        outcome(lanes.network.modify_network_interface_timeouts(eni, timeouts).await, "the interface is gone")
    }
}
