//! The fleet lane: out of the Auto Scaling group, which replaces the instance, and out of every load balancer.

use std::collections::BTreeSet;

use crate::{
    lanes::controllers,
    model::{FleetLook, Instance, Registration, Target},
    step::{self, DeregisterInstancesFromLoadBalancer, DeregisterTargets, Plan},
};

/// Plans the instance's way out of its fleet. `recorded` are target groups whose targets the ledger holds.
#[must_use]
pub fn plan(look: &FleetLook, instance: &Instance, recorded: &BTreeSet<String>) -> Plan {
    let mut plan = Plan::default();
    step::plan_group(look, &mut plan);
    for note in controllers::notes(look, instance) {
        plan.note(note);
    }
    for registration in &look.registrations {
        DeregisterTargets::plan(registration, instance, recorded, &mut plan);
    }
    DeregisterInstancesFromLoadBalancer::plan(look, &mut plan);
    plan
}

/// Whether the instance is healthy in a target group in which nothing else is. `registration` holds all its targets.
#[must_use]
pub fn leaves_none_healthy(registration: &Registration, instance: &Instance) -> bool {
    let (ours, others) = registration.split(instance);
    let healthy = |targets: &[Target]| targets.iter().any(|target| target.state == "healthy");
    healthy(&ours) && !healthy(&others)
}

#[cfg(test)]
mod tests;
