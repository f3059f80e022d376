//! What else may end or replace the instance: its Auto Scaling group's processes, Kubernetes, Karpenter, ECS, the Spot
//! market. What AWS's API can do about them is a step; the rest is said to people, with what to run.

use crate::{
    model::{
        FleetLook, Instance, Membership,
        node::{Node, node},
        text,
    },
    step::ProtectFromScaleIn,
};

/// What people should know of the instance's controllers.
pub(super) fn notes(look: &FleetLook, instance: &Instance) -> Vec<String> {
    let mut notes = Vec::new();
    if instance.is_auto_mode_node() {
        notes.push(
            "EKS Auto Mode manages this instance: AWS may refuse every change to it, whatever Brig's role is granted; cordon the node and cut its pods off with a network policy"
                .to_owned(),
        );
    }
    if let Some(membership) = &look.membership {
        notes.extend(lifecycle(membership, look));
    }
    match node(&instance.tags) {
        Some(Node::Kubernetes { cluster, pool, group }) => notes.extend(kubernetes(instance, cluster, pool, group)),
        Some(Node::Ecs { .. }) => notes.push(
            "it is a container instance of ECS: its tasks are cut off with it, and ECS may place tasks on it while its agent is connected; to stop that: aws ecs update-container-instances-state --status DRAINING --cluster <cluster> --container-instances <id>"
                .to_owned(),
        ),
        None => {}
    }
    notes.extend(fleet(instance));
    if instance.spot {
        notes.push(
            "it is a Spot instance: AWS may take it back, usually with two minutes' notice, which nothing stops; stopping or hibernating it is the Spot request's to decide"
                .to_owned(),
        );
    }
    notes
}

/// What its Auto Scaling group does about it, by the state it is in
/// (<https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html>).
fn lifecycle(membership: &Membership, look: &FleetLook) -> Vec<String> {
    let group = &membership.group;
    let state = membership.state.as_str();
    let no_launch = look.own.suspended.iter().any(|process| process == "Launch");
    let mut notes = Vec::new();
    if !no_launch && !state.starts_with("Warmed") {
        notes.push(format!("{group} may launch a replacement from the same template, with the same hole"));
    }
    match state {
        "Pending:Wait" => notes.push(format!(
            "it waits in a lifecycle hook of {group} and can be detached only once it is InService: aws autoscaling complete-lifecycle-action --lifecycle-action-result CONTINUE ends the wait"
        )),
        "Terminating:Wait" if look.own.hooks.is_empty() => notes.push(format!(
            "{group} is terminating it, and no lifecycle hook that could hold it was seen: the snapshots are what remains"
        )),
        "Terminating:Wait" => notes.push(format!(
            "{group} is terminating it; a lifecycle hook holds it, and each attempt asks for another heartbeat: AWS allows 48 hours or 100 heartbeats in all, whichever is less. Only an instance lifecycle policy of the group that retains it stops the termination itself; aws autoscaling record-lifecycle-action-heartbeat prolongs it further"
        )),
        state if state.starts_with("Warmed:") => notes.push(format!(
            "it is in the warm pool of {group}, from which AWS detaches nothing: the group may put it into service, stop or terminate it; aws autoscaling suspend-processes --auto-scaling-group-name {} --scaling-processes Launch Terminate may keep it where it is, which AWS does not promise, and stops all scaling of the group",
            text::shell(group)
        )),
        _ => {}
    }
    if no_launch {
        notes.push(format!(
            "the process Launch of {group} is suspended: no replacement comes, its capacity is one less"
        ));
    }
    if membership.protected && !ProtectFromScaleIn::is_recorded(look) {
        notes.push(format!(
            "it was protected from scale-in in {group}; that protection ends with the detachment; a rejoin takes what the group sets for its members"
        ));
    }
    notes
}

/// AWS tags what a fleet launched; Auto Scaling and Karpenter launch through fleets that keep nothing
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-fleet-request-type.html>).
fn fleet(instance: &Instance) -> Option<String> {
    let tag = |key: &str| instance.tags.get(key);
    if tag("aws:autoscaling:groupName").or_else(|| tag("karpenter.sh/nodepool")).is_some() {
        return None;
    }
    let (of, show, id) = match (tag("aws:ec2:fleet-id"), tag("aws:ec2spot:fleet-request-id")) {
        (Some(id), _) => ("EC2 Fleet", "describe-fleets --fleet-ids", id),
        (None, Some(id)) => ("Spot Fleet", "describe-spot-fleet-requests --spot-fleet-request-ids", id),
        (None, None) => return None,
    };
    Some(format!(
        "it was launched by the {of} {id}, which is not looked at: one of the type maintain may terminate or replace it; aws ec2 {show} {} shows the type",
        text::shell(id)
    ))
}

/// What Kubernetes and Karpenter do about a node that is cut off.
fn kubernetes(instance: &Instance, cluster: Option<&str>, pool: Option<&str>, group: Option<&str>) -> Vec<String> {
    let node = format!(
        "NODE=$(kubectl get nodes -o json | jq -r '.items[] | select(.spec.providerID | endswith(\"/{}\")) | .metadata.name')",
        instance.id
    );
    let of = cluster.map_or_else(String::new, |cluster| format!(" of the cluster {cluster}"));
    let mut notes = vec![format!(
        "it is a Kubernetes node{of}: its pods are cut off with it, and Kubernetes starts them elsewhere once the node has been silent for a while (five minutes by default). To keep new pods off: {node}; kubectl cordon $NODE"
    )];
    if let Some(pool) = pool {
        let refused = if instance.spot {
            "a Spot instance has no termination protection, so that its call to terminate succeeds"
        } else {
            "EC2 refuses its call to terminate while termination protection is on"
        };
        notes.push(format!(
            "Karpenter (pool {pool}) replaces a node whose security groups differ from its node class: {refused}. To keep it from that (expiry and repair excepted): {node}; kubectl annotate node $NODE karpenter.sh/do-not-disrupt=true"
        ));
    } else if let Some(group) = group {
        notes.push(format!(
            "it is of the managed node group {group}, an Auto Scaling group that EKS owns; what an update or repair of that node group does to an instance that was detached AWS does not say"
        ));
    }
    notes
}
