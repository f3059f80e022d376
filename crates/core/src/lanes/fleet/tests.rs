use expect_test::{Expect, expect};

use super::*;
use crate::{
    model::{Membership, ScalingGroup},
    report::fact::{Truth, fleet::facts},
    step::{DeregisterTargets, Step},
    testing::{instance, interface},
};

fn membership(state: &str) -> Membership {
    Membership { group: "web".to_owned(), state: state.to_owned(), protected: false }
}

fn target(id: &str, port: i32) -> Target {
    Target { id: id.to_owned(), port: Some(port), zone: None, state: "healthy".to_owned() }
}

fn registration(group: &str, vpc: &str, targets: Vec<Target>) -> Registration {
    Registration { group: group.to_owned(), vpc: Some(vpc.into()), targets }
}

fn check(look: &FleetLook, expected: &Expect) {
    expected.assert_eq(&plan(look, &instance(), &BTreeSet::new()).to_string());
}

#[test]
fn it_leaves_its_group_and_every_balancer_on_every_port() {
    let look = FleetLook {
        membership: Some(membership("InService")),
        registrations: vec![
            registration(
                "tg/web",
                "vpc-1",
                vec![target("i-0123456789abcdef0", 80), target("i-0123456789abcdef0", 8080)],
            ),
            registration("tg/ip", "vpc-1", vec![target("10.0.0.7", 443)]),
        ],
        classic: vec!["old".to_owned()],
        ..FleetLook::default()
    };
    check(
        &look,
        &expect![[r#"
            planned      detach_instances web
            planned      deregister_targets tg/web
            planned      deregister_targets tg/ip
            planned      deregister_instances_from_load_balancer old
            note: web may launch a replacement from the same template, with the same hole
        "#]],
    );
    let plan = plan(&look, &instance(), &BTreeSet::new());
    assert!(matches!(&plan.steps[1].step, Step::DeregisterTargets(DeregisterTargets { was, .. }) if was.len() == 2));
    assert_eq!(Truth::of(&facts(&look, &instance())), Truth::No);
}

#[test]
fn the_same_address_in_another_vpc_is_a_note_and_never_a_target() {
    let look = FleetLook {
        registrations: vec![registration("tg/other", "vpc-9", vec![target("10.0.0.7", 443)])],
        ..FleetLook::default()
    };
    check(
        &look,
        &expect![[r"
        note: tg/other of the VPC vpc-9 holds the address 10.0.0.7, which the instance has in another VPC: private addresses repeat, so it is left alone
    "]],
    );
    assert_eq!(Truth::of(&facts(&look, &instance())), Truth::Yes);
}

#[test]
fn an_instance_alone_plans_nothing() {
    check(&FleetLook::default(), &expect![""]);
    assert_eq!(Truth::of(&facts(&FleetLook::default(), &instance())), Truth::Yes);
}

fn in_group(state: &str, own: ScalingGroup) -> FleetLook {
    FleetLook { membership: Some(membership(state)), own, ..FleetLook::default() }
}

#[test]
fn a_hook_that_holds_it_on_its_way_out_is_asked_for_another_heartbeat() {
    let own = ScalingGroup {
        hooks: vec!["drain".to_owned()],
        suspended: vec!["Terminate".to_owned()],
        ..ScalingGroup::default()
    };
    check(
        &in_group("Terminating:Wait", own.clone()),
        &expect![[r#"
            skipped      detach_instances web - Terminating:Wait: its group is terminating it, and AWS no longer detaches it
            planned      record_lifecycle_action_heartbeat web/drain
            note: web may launch a replacement from the same template, with the same hole
            note: web is terminating it; a lifecycle hook holds it, and each attempt asks for another heartbeat: AWS allows 48 hours or 100 heartbeats in all, whichever is less. Only an instance lifecycle policy of the group that retains it stops the termination itself; aws autoscaling record-lifecycle-action-heartbeat prolongs it further
        "#]],
    );
    check(
        &in_group("Terminating:Proceed", own),
        &expect![[r#"
            skipped      detach_instances web - Terminating:Proceed: its group is terminating it, and AWS no longer detaches it
            note: web may launch a replacement from the same template, with the same hole
        "#]],
    );
}

#[test]
fn a_hook_on_the_way_in_and_a_warm_pool_are_said_with_what_to_run() {
    check(
        &in_group("Pending:Wait", ScalingGroup::default()),
        &expect![[r#"
            planned      detach_instances web
            note: web may launch a replacement from the same template, with the same hole
            note: it waits in a lifecycle hook of web and can be detached only once it is InService: aws autoscaling complete-lifecycle-action --lifecycle-action-result CONTINUE ends the wait
        "#]],
    );
    check(
        &in_group("Warmed:Stopped", ScalingGroup::default()),
        &expect![[r#"
            skipped      detach_instances web - Warmed:Stopped: AWS detaches no instance from a warm pool; its group may still use or terminate it
            note: it is in the warm pool of web, from which AWS detaches nothing: the group may put it into service, stop or terminate it; aws autoscaling suspend-processes --auto-scaling-group-name web --scaling-processes Launch Terminate may keep it where it is, which AWS does not promise, and stops all scaling of the group
        "#]],
    );
}

#[test]
fn without_launch_there_is_no_replacement() {
    let own = ScalingGroup { suspended: vec!["Launch".to_owned()], ..ScalingGroup::default() };
    check(
        &in_group("InService", own),
        &expect![[r#"
        planned      detach_instances web
        note: the process Launch of web is suspended: no replacement comes, its capacity is one less
    "#]],
    );
}

#[test]
fn kubernetes_karpenter_ecs_and_spot_are_known_by_their_tags() {
    let tagged = |tags: &[(&str, &str)]| {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Instance { tags, ..instance() }
    };
    let told = |instance: &Instance, expected: &Expect| {
        expected.assert_eq(&plan(&FleetLook::default(), instance, &BTreeSet::new()).to_string());
    };
    told(
        &tagged(&[("karpenter.sh/nodepool", "spot"), ("kubernetes.io/cluster/prod", "owned")]),
        &expect![[r#"
            note: it is a Kubernetes node of the cluster prod: its pods are cut off with it, and Kubernetes starts them elsewhere once the node has been silent for a while (five minutes by default). To keep new pods off: NODE=$(kubectl get nodes -o json | jq -r '.items[] | select(.spec.providerID | endswith("/i-0123456789abcdef0")) | .metadata.name'); kubectl cordon $NODE
            note: Karpenter (pool spot) replaces a node whose security groups differ from its node class: EC2 refuses its call to terminate while termination protection is on. To keep it from that (expiry and repair excepted): NODE=$(kubectl get nodes -o json | jq -r '.items[] | select(.spec.providerID | endswith("/i-0123456789abcdef0")) | .metadata.name'); kubectl annotate node $NODE karpenter.sh/do-not-disrupt=true
        "#]],
    );
    told(
        &tagged(&[("aws:ec2:fleet-id", "fleet-1")]),
        &expect![[r#"
        note: it was launched by the EC2 Fleet fleet-1, which is not looked at: one of the type maintain may terminate or replace it; aws ec2 describe-fleets --fleet-ids fleet-1 shows the type
    "#]],
    );
    told(
        &tagged(&[("aws:ec2spot:fleet-request-id", "sfr-1")]),
        &expect![[r#"
        note: it was launched by the Spot Fleet sfr-1, which is not looked at: one of the type maintain may terminate or replace it; aws ec2 describe-spot-fleet-requests --spot-fleet-request-ids sfr-1 shows the type
    "#]],
    );
    told(&tagged(&[("aws:ec2:fleet-id", "fleet-1"), ("aws:autoscaling:groupName", "web")]), &expect![""]);
    // Spot has no termination protection.
    let spot = Instance { spot: true, ..tagged(&[("karpenter.sh/nodepool", "spot")]) };
    let notes = plan(&FleetLook::default(), &spot, &BTreeSet::new()).to_string();
    assert!(notes.contains("has no termination protection, so that its call to terminate succeeds"), "{notes}");
    told(
        &tagged(&[("eks:cluster-name", "prod"), ("eks:nodegroup-name", "ng-1")]),
        &expect![[r#"
            note: it is a Kubernetes node of the cluster prod: its pods are cut off with it, and Kubernetes starts them elsewhere once the node has been silent for a while (five minutes by default). To keep new pods off: NODE=$(kubectl get nodes -o json | jq -r '.items[] | select(.spec.providerID | endswith("/i-0123456789abcdef0")) | .metadata.name'); kubectl cordon $NODE
            note: it is of the managed node group ng-1, an Auto Scaling group that EKS owns; what an update or repair of that node group does to an instance that was detached AWS does not say
        "#]],
    );
    told(
        &Instance { spot: true, ..tagged(&[("AmazonECSManaged", "true")]) },
        &expect![[r#"
            note: it is a container instance of ECS: its tasks are cut off with it, and ECS may place tasks on it while its agent is connected; to stop that: aws ecs update-container-instances-state --status DRAINING --cluster <cluster> --container-instances <id>
            note: it is a Spot instance: AWS may take it back, usually with two minutes' notice, which nothing stops; stopping or hibernating it is the Spot request's to decide
        "#]],
    );
}

#[test]
fn each_lifecycle_state_has_its_plan() {
    let outcome = |state: &str| {
        let look = FleetLook { membership: Some(membership(state)), ..FleetLook::default() };
        plan(&look, &instance(), &BTreeSet::new()).steps[0].outcome.word()
    };
    for (state, word) in [
        ("InService", "planned"),
        ("Standby", "planned"),
        ("EnteringStandby", "planned"),
        ("Pending", "planned"),
        ("Pending:Wait", "planned"),
        ("Detaching", "already_done"),
        ("Terminating:Wait", "skipped"),
        ("Terminated", "skipped"),
        ("Warmed:Running", "skipped"),
    ] {
        assert_eq!(outcome(state), word, "{state}");
    }
}

#[test]
fn what_drains_is_recorded_once_and_then_has_left() {
    let mut draining = target("i-0123456789abcdef0", 80);
    draining.state = "draining".to_owned();
    let look =
        FleetLook { registrations: vec![registration("tg/web", "vpc-1", vec![draining])], ..FleetLook::default() };
    check(
        &look,
        &expect![[r"
        planned      deregister_targets tg/web
    "]],
    );
    let again = plan(&look, &instance(), &["tg/web".to_owned()].into());
    assert_eq!(again.todo().count(), 0);
    assert_eq!(Truth::of(&facts(&look, &instance())), Truth::Yes);
}

#[test]
fn an_address_is_the_instances_only_in_the_vpc_of_its_interface() {
    let mut bridge = instance();
    let mut far = crate::testing::interface("eni-b", "vpc-2", &["sg-x"]);
    far.addresses = vec!["10.9.9.9".parse().expect("address")];
    bridge.interfaces.push(far);
    // 10.0.0.7 is eni-a's, in vpc-1: the same address in vpc-2 is another host's.
    let look = FleetLook {
        registrations: vec![
            registration("tg/theirs", "vpc-2", vec![target("10.0.0.7", 443)]),
            registration("tg/ours", "vpc-2", vec![target("10.9.9.9", 443)]),
        ],
        ..FleetLook::default()
    };
    let plan = plan(&look, &bridge, &BTreeSet::new());
    let touched: Vec<String> = plan.todo().map(|step| step.resource("")).collect();
    assert_eq!(touched, ["tg/ours"]);
    assert_eq!(plan.notes.len(), 1);
}

#[test]
fn an_address_lies_in_its_delegated_prefix() {
    let within = |prefix: &str, address: &str| {
        let mut eni = interface("eni-a", "vpc-1", &[]);
        eni.prefixes.push(prefix.to_owned());
        eni.has_address(address)
    };
    assert!(within("10.0.0.16/28", "10.0.0.31"));
    assert!(!within("10.0.0.16/28", "10.0.0.32"));
    assert!(within("2001:db8::/80", "2001:db8::1:2"));
    assert!(!within("2001:db8::/80", "2001:db8:0:0:1::"));
    assert!(within("0.0.0.0/0", "192.0.2.1"));
    assert!(!within("10.0.0.0/8", "::ffff:10.0.0.1"));
    assert!(!within("nonsense", "10.0.0.1"));
}
