//! What else may end or replace the instance: its Auto Scaling group's processes, Kubernetes, Karpenter, ECS, the Spot
//! market. What AWS's API can do about them is a step; the rest is said to people, with what to run.

use crate::{
    model::{
        FleetLook, Instance, Membership,
        node::{Node, node},
    },
    step::{FleetKind, Note},
};

/// What people should know of the instance's controllers.
pub(super) fn notes(look: &FleetLook, instance: &Instance) -> Vec<Note> {
    let mut notes = Vec::new();
    if instance.is_auto_mode_node() {
        notes.push(Note::AutoMode);
    }
    if let Some(membership) = &look.membership {
        notes.extend(lifecycle(membership, look));
    }
    match node(&instance.tags) {
        Some(Node::Kubernetes { cluster, pool, group }) => notes.extend(kubernetes(instance, cluster, pool, group)),
        Some(Node::Ecs { .. }) => notes.push(Note::EcsInstance),
        None => {}
    }
    notes.extend(fleet(instance));
    if instance.spot {
        notes.push(Note::Spot);
    }
    notes
}

/// What its Auto Scaling group does about it, by the state it is in
/// (<https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html>).
fn lifecycle(membership: &Membership, look: &FleetLook) -> Vec<Note> {
    let group = || membership.group.clone();
    let state = membership.state.as_str();
    let no_launch = look.own.suspended.iter().any(|process| process == "Launch");
    let mut notes = Vec::new();
    if !no_launch && !state.starts_with("Warmed") {
        notes.push(Note::MayBeReplaced { group: group() });
    }
    match state {
        "Pending:Wait" => notes.push(Note::WaitsInHook { group: group() }),
        "Terminating:Wait" if look.own.hooks.is_empty() => notes.push(Note::EndsWithoutHook { group: group() }),
        "Terminating:Wait" => notes.push(Note::HeldByHook { group: group() }),
        state if state.starts_with("Warmed:") => notes.push(Note::InWarmPool { group: group() }),
        _ => {}
    }
    if no_launch {
        notes.push(Note::LaunchSuspended { group: group() });
    }
    notes
}

/// AWS tags what a fleet launched; Auto Scaling and Karpenter launch through fleets that keep nothing
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-fleet-request-type.html>).
fn fleet(instance: &Instance) -> Option<Note> {
    let tag = |key: &str| instance.tags.get(key);
    if tag("aws:autoscaling:groupName").or_else(|| tag("karpenter.sh/nodepool")).is_some() {
        return None;
    }
    match (tag("aws:ec2:fleet-id"), tag("aws:ec2spot:fleet-request-id")) {
        (Some(id), _) => Some(Note::LaunchedByFleet { kind: FleetKind::Ec2, id: id.clone() }),
        (None, Some(id)) => Some(Note::LaunchedByFleet { kind: FleetKind::Spot, id: id.clone() }),
        (None, None) => None,
    }
}

/// What Kubernetes and Karpenter do about a node that is cut off.
fn kubernetes(instance: &Instance, cluster: Option<&str>, pool: Option<&str>, group: Option<&str>) -> Vec<Note> {
    let id = || instance.id.clone();
    let mut notes = vec![Note::KubernetesNode { instance: id(), cluster: cluster.map(str::to_owned) }];
    if let Some(pool) = pool {
        notes.push(Note::Karpenter { instance: id(), pool: pool.to_owned(), spot: instance.spot });
    } else if let Some(group) = group {
        notes.push(Note::ManagedNodeGroup(group.to_owned()));
    }
    notes
}
