//! The fleet lane: out of the Auto Scaling group, which replaces the instance, and out of every load balancer.

use std::collections::BTreeSet;

use super::{Plan, done, skipped};
use crate::{
    ids::VpcId,
    step::{Outcome, Step},
    survey::{FleetLook, Instance, Membership, Registration, Target},
    verdict::Fact,
};

/// Plans the instance's way out of its fleet.
#[must_use]
pub fn plan(look: &FleetLook, instance: &Instance) -> Plan {
    let mut plan = Plan::default();
    if let Some(membership) = &look.membership {
        let step = Step::DetachInstances {
            group: membership.group.clone(),
            was: membership.state.clone(),
            protected: membership.protected,
        };
        plan.add(step, detachable(membership));
        plan.note(format!(
            "{} launches a replacement from the same template: it may have the same hole",
            membership.group
        ));
    }
    for registration in &look.registrations {
        let (ours, foreign) = split(registration, instance);
        for target in foreign {
            plan.note(format!(
                "{} holds the address {} in another VPC ({}): private addresses repeat, so it is left alone",
                registration.group,
                target.id,
                registration.vpc.as_ref().map_or("none", VpcId::as_str)
            ));
        }
        if ours.is_empty() {
            continue;
        }
        let leaving = ours.iter().all(|target| target.state == "draining");
        let step = Step::DeregisterTargets { group: registration.group.clone(), was: ours };
        plan.add(step, if leaving { done("draining") } else { Outcome::Planned });
    }
    for balancer in &look.classic {
        plan.add(Step::DeregisterInstancesFromLoadBalancer { balancer: balancer.clone() }, Outcome::Planned);
    }
    plan
}

/// What a later look shows of the fleet.
#[must_use]
pub fn facts(look: &FleetLook, instance: &Instance) -> Vec<Fact> {
    let mut facts = Vec::new();
    let detached = look.membership.as_ref().is_none_or(|membership| membership.state.starts_with("Detach"));
    facts.push(Fact::seen("in no Auto Scaling group", detached));
    let mut held: Vec<String> = look
        .registrations
        .iter()
        .filter(|registration| split(registration, instance).0.iter().any(|target| target.state != "draining"))
        .map(|registration| registration.group.clone())
        .collect();
    held.extend(look.classic.iter().cloned());
    if held.is_empty() {
        facts.push(Fact::seen("in no load balancer", true));
    }
    facts.extend(held.into_iter().map(|group| Fact::seen(format!("out of {group}"), false)));
    facts.extend(look.gaps.iter().map(Fact::unread));
    facts
}

/// DetachInstances takes InService and Standby; states on the way there are waited for, those on the way out are final
/// (<https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html>).
fn detachable(membership: &Membership) -> Outcome {
    let state = membership.state.as_str();
    if state.starts_with("Detach") {
        done(state)
    } else if state.starts_with("Terminat") {
        skipped(format!("{state}: its group is terminating it, which nothing stops any more"))
    } else if state.starts_with("Warmed") {
        skipped(format!("{state}: AWS detaches no instance from a warm pool; its group may still use or terminate it"))
    } else {
        Outcome::Planned
    }
}

/// Targets that are this instance, and addresses of a VPC that it has no interface in.
fn split(registration: &Registration, instance: &Instance) -> (Vec<Target>, Vec<Target>) {
    let vpcs: BTreeSet<&VpcId> = instance.interfaces.iter().map(|interface| &interface.vpc).collect();
    let near = registration.vpc.as_ref().is_some_and(|vpc| vpcs.contains(vpc));
    registration.targets.iter().cloned().partition(|target| near || target.id == instance.id.as_str())
}

#[cfg(test)]
mod tests;
