//! Auto Scaling groups, target groups and classic load balancers.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::{Instance, Interface, gap::Gap, ids::VpcId};

/// The fleet lane's look.
#[derive(Debug, Clone, Default)]
pub struct FleetLook {
    /// The instance's membership of an Auto Scaling group.
    pub membership: Option<Membership>,
    /// The names of the lane's kinds of steps that are on record.
    pub recorded: BTreeSet<&'static str>,
    /// The balancers that the Auto Scaling group registers its members with.
    pub own: ScalingGroup,
    /// Target groups of any VPC that hold the instance's id or one of its addresses.
    pub registrations: Vec<Registration>,
    /// Classic load balancers that hold the instance.
    pub classic: Vec<String>,
    /// How many target groups were searched.
    pub searched: usize,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// Membership of an Auto Scaling group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The group's name.
    pub group: String,
    /// The lifecycle state, `InService`.
    pub state: String,
    /// Protected from scale-in.
    pub protected: bool,
}

/// An Auto Scaling group: its balancers, out of which it takes what it detaches, with draining, and what may stop it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScalingGroup {
    /// ARNs of its target groups.
    pub target_groups: Vec<String>,
    /// Names of its classic load balancers.
    pub classic: Vec<String>,
    /// Its suspended processes, `Launch`.
    pub suspended: Vec<String>,
    /// Names of the hooks that hold an instance on its way out; read only where one does.
    pub hooks: Vec<String>,
}

/// A target group and the targets in it that are this instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The group's ARN.
    pub group: String,
    /// The group's VPC; none for Lambda groups.
    pub vpc: Option<VpcId>,
    /// Targets registered by instance id or by address.
    pub targets: Vec<Target>,
}

/// A target: id and port together name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    /// An instance id or an address.
    pub id: String,
    /// The port it is registered on.
    pub port: Option<i32>,
    /// The Availability Zone it was registered with, where one was given.
    pub zone: Option<String>,
    /// Its health state, `healthy`, `draining`.
    pub state: String,
}

impl Target {
    /// Whether it carries the instance's id, or an address that one of its interfaces has in whichever VPC.
    #[must_use]
    pub fn may_be(&self, instance: &Instance) -> bool {
        self.id == instance.id.as_str() || instance.interfaces.iter().any(|interface| interface.has_address(&self.id))
    }
}

impl Registration {
    /// Targets that are this instance, and those that only carry an address which it has elsewhere: an address is the
    /// instance's in the VPC of the interface that has it, and in no other.
    #[must_use]
    pub fn split(&self, instance: &Instance) -> (Vec<Target>, Vec<Target>) {
        let near: Vec<&Interface> =
            instance.interfaces.iter().filter(|interface| Some(&interface.vpc) == self.vpc.as_ref()).collect();
        self.targets.iter().cloned().partition(|target| {
            target.id == instance.id.as_str() || near.iter().any(|interface| interface.has_address(&target.id))
        })
    }
}

impl Membership {
    /// Whether DetachInstances takes a lifecycle state. A retained instance does not count in its group's capacity any more
    /// (<https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-lifecycle-policy.html>).
    #[must_use]
    pub fn is_detachable(state: &str) -> bool {
        matches!(state, "InService" | "Standby" | "Terminating:Retained")
    }

    /// Whether its group is terminating the instance: no call of Auto Scaling takes it back.
    #[must_use]
    pub fn is_terminating(state: &str) -> bool {
        state.starts_with("Terminat") && !Self::is_detachable(state)
    }
}
