//! The fleet lane: out of the Auto Scaling group, which replaces the instance, and out of every load balancer.

use std::collections::BTreeSet;

use crate::{
    lanes::controllers,
    model::{FleetLook, Instance, Interface, Membership, Registration, Target, ids::VpcId},
    step::{
        DeregisterInstancesFromLoadBalancer, DeregisterTargets, DetachInstances, Outcome, Plan, ProtectFromScaleIn,
        RecordLifecycleActionHeartbeat, Step, done, skipped,
    },
};

/// Plans the instance's way out of its fleet. `recorded` are target groups whose targets the ledger holds.
#[must_use]
pub fn plan(look: &FleetLook, instance: &Instance, recorded: &BTreeSet<String>) -> Plan {
    let mut plan = Plan::default();
    if let Some(membership) = &look.membership {
        let step = Step::DetachInstances(DetachInstances {
            group: membership.group.clone(),
            was: membership.state.clone(),
            protected: membership.protected && !look.protected_here,
        });
        plan.add(step, detachable(membership));
        // Of the states in which it may be protected, the others are detached at once.
        if membership.state == "EnteringStandby" && (look.protected_here || !membership.protected) {
            let outcome = if membership.protected { done("protected") } else { Outcome::Planned };
            plan.add(Step::ProtectFromScaleIn(ProtectFromScaleIn { group: membership.group.clone() }), outcome);
        }
        for hook in look.own.hooks.iter().filter(|_| membership.state == "Terminating:Wait") {
            let (group, hook) = (membership.group.clone(), hook.clone());
            plan.add(
                Step::RecordLifecycleActionHeartbeat(RecordLifecycleActionHeartbeat { group, hook }),
                Outcome::Planned,
            );
        }
    }
    for note in controllers::notes(look, instance) {
        plan.note(note);
    }
    for registration in &look.registrations {
        let (ours, foreign) = split(registration, instance);
        for target in foreign {
            plan.note(format!(
                "{} of the VPC {} holds the address {}, which the instance has in another VPC: private addresses repeat, so it is left alone",
                registration.group,
                registration.vpc.as_ref().map_or("none", VpcId::as_str),
                target.id
            ));
        }
        if ours.is_empty() {
            continue;
        }
        // What its Auto Scaling group has just begun to drain is on record only once it was planned here.
        let leaving = recorded.contains(&registration.group) && ours.iter().all(|target| target.state == "draining");
        let step = Step::DeregisterTargets(DeregisterTargets { group: registration.group.clone(), was: ours });
        plan.add(step, if leaving { done("draining") } else { Outcome::Planned });
    }
    for balancer in &look.classic {
        plan.add(
            Step::DeregisterInstancesFromLoadBalancer(DeregisterInstancesFromLoadBalancer {
                balancer: balancer.clone(),
            }),
            Outcome::Planned,
        );
    }
    plan
}

/// Whether the instance is healthy in a target group in which nothing else is. `registration` holds all its targets.
#[must_use]
pub fn leaves_none_healthy(registration: &Registration, instance: &Instance) -> bool {
    let (ours, others) = split(registration, instance);
    let healthy = |targets: &[Target]| targets.iter().any(|target| target.state == "healthy");
    healthy(&ours) && !healthy(&others)
}

/// Whether DetachInstances takes a lifecycle state. A retained instance does not count in its group's capacity any more
/// (<https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-lifecycle-policy.html>).
#[must_use]
pub fn is_detachable(state: &str) -> bool {
    matches!(state, "InService" | "Standby" | "Terminating:Retained")
}

/// Whether its group is terminating the instance: no call of Auto Scaling takes it back.
#[must_use]
pub fn is_terminating(state: &str) -> bool {
    state.starts_with("Terminat") && !is_detachable(state)
}

/// States on the way to a detachable one are waited for, those on the way out are final
/// (<https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html>).
fn detachable(membership: &Membership) -> Outcome {
    let state = membership.state.as_str();
    if state.starts_with("Detach") {
        done(state)
    } else if is_terminating(state) {
        skipped(format!("{state}: its group is terminating it, and AWS no longer detaches it"))
    } else if state.starts_with("Warmed") {
        skipped(format!("{state}: AWS detaches no instance from a warm pool; its group may still use or terminate it"))
    } else {
        Outcome::Planned
    }
}

/// Targets that are this instance, and those that only carry an address which it has elsewhere: an address is the
/// instance's in the VPC of the interface that has it, and in no other.
pub(crate) fn split(registration: &Registration, instance: &Instance) -> (Vec<Target>, Vec<Target>) {
    let near: Vec<&Interface> =
        instance.interfaces.iter().filter(|interface| Some(&interface.vpc) == registration.vpc.as_ref()).collect();
    registration.targets.iter().cloned().partition(|target| {
        target.id == instance.id.as_str() || near.iter().any(|interface| interface.has_address(&target.id))
    })
}

#[cfg(test)]
mod tests;
