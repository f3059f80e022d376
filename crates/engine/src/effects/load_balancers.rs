//! Target groups and classic load balancers.

use brig_core::step::{
    DeregisterInstancesFromLoadBalancer, DeregisterTargets, Outcome, RegisterInstancesWithLoadBalancer, RegisterTargets,
};

use super::{Effect, Fleet, Release, outcome};
use crate::{ports::ErrorKind, work::failed};

impl<'r> Effect<'r> for DeregisterTargets {
    type Room = Fleet<'r>;

    async fn run(&self, room: Fleet<'r>) -> Outcome {
        let Fleet { cloud, .. } = room;
        let Self { group, was } = self;
        match cloud.deregister_targets(group, was).await {
            Ok(()) => {
                let shown: Vec<String> = was
                    .iter()
                    .map(|target| target.port.map_or_else(|| target.id.clone(), |port| format!("{}:{port}", target.id)))
                    .collect();
                Outcome::Changed(format!("was {}", shown.join(", ")).into())
            }
            Err(error) if error.kind == ErrorKind::NotFound => Outcome::Missing("the target group is gone".into()),
            Err(error) => failed(&error),
        }
    }
}

impl<'r> Effect<'r> for RegisterTargets {
    type Room = Release<'r>;

    async fn run(&self, room: Release<'r>) -> Outcome {
        let Release { lanes, .. } = room;
        let Self { group, targets } = self;
        outcome(lanes.fleet.register_targets(group, targets).await, "the target group is gone")
    }
}

impl<'r> Effect<'r> for DeregisterInstancesFromLoadBalancer {
    type Room = Fleet<'r>;

    async fn run(&self, room: Fleet<'r>) -> Outcome {
        let Fleet { work, cloud } = room;
        let Self { balancer } = self;
        match cloud.deregister_from_classic_balancer(balancer, work.id()).await {
            Ok(()) => Outcome::changed(),
            Err(error) if error.kind == ErrorKind::NotFound => Outcome::Missing("the balancer is gone".into()),
            Err(error) => failed(&error),
        }
    }
}

impl<'r> Effect<'r> for RegisterInstancesWithLoadBalancer {
    type Room = Release<'r>;

    async fn run(&self, room: Release<'r>) -> Outcome {
        let Release { work, lanes } = room;
        let Self { balancer } = self;
        outcome(lanes.fleet.register_with_classic_balancer(balancer, work.id()).await, "the balancer is gone")
    }
}
