//! Takes the instance out of a classic load balancer.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo, gone, unread};
use crate::{
    model::FleetLook,
    step::{
        Lane, Outcome, Plan, Reversal,
        change::{Change, change, word},
        done,
        undo::{Look, ReleaseScope},
    },
};

/// Takes the instance out of a classic load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeregisterInstancesFromLoadBalancer {
    /// The balancer's name.
    pub balancer: String,
}

impl DeregisterInstancesFromLoadBalancer {
    pub(crate) fn plan(look: &FleetLook, plan: &mut Plan) {
        for balancer in &look.classic {
            plan.add(Self { balancer: balancer.clone() }.into(), Outcome::Planned);
        }
    }
}

impl Describe for DeregisterInstancesFromLoadBalancer {
    const LANE: Lane = Lane::Fleet;
    const NAME: &'static str = "deregister_instances_from_load_balancer";
    const OPERATION: &'static str = "DeregisterInstancesFromLoadBalancer";
    const IAM_ACTIONS: &'static [&'static str] = &["elasticloadbalancing:DeregisterInstancesFromLoadBalancer"];

    fn resource(&self, _: &str) -> String {
        self.balancer.clone()
    }

    fn change(&self) -> Change {
        change("instance", word("registered"), word("not registered"))
    }
}

impl Undo for DeregisterInstancesFromLoadBalancer {
    fn reverse(&self, look: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        let instance = look.instance;
        let ended = instance.state.is_ending();
        let Self { balancer } = self;
        let outcome = match look.classic.map(|held| held.contains(balancer)) {
            _ if ended => gone("the instance is gone"),
            None => unread(),
            Some(true) => done("registered"),
            Some(false) => Outcome::Planned,
        };
        Some((
            Reversal::RegisterInstancesWithLoadBalancer(RegisterInstancesWithLoadBalancer {
                balancer: balancer.clone(),
            }),
            outcome,
        ))
    }
}

/// The instance is registered with a classic load balancer again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterInstancesWithLoadBalancer {
    /// The balancer's name.
    pub balancer: String,
}

impl Describe for RegisterInstancesWithLoadBalancer {
    const LANE: Lane = Lane::Fleet;
    const NAME: &'static str = "register_instances_with_load_balancer";
    const OPERATION: &'static str = "RegisterInstancesWithLoadBalancer";
    const IAM_ACTIONS: &'static [&'static str] = &["elasticloadbalancing:RegisterInstancesWithLoadBalancer"];

    fn resource(&self, _: &str) -> String {
        self.balancer.clone()
    }

    fn change(&self) -> Change {
        change("instance", word("not registered"), word("registered"))
    }
}
