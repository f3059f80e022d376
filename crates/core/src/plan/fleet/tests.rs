use expect_test::{Expect, expect};

use super::*;
use crate::{testing::instance, verdict::Truth};

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
        &expect![[r"
            planned      detach_instances web
            planned      deregister_targets tg/web
            planned      deregister_targets tg/ip
            planned      deregister_instances_from_load_balancer old
            note: web launches a replacement from the same template: it may have the same hole
        "]],
    );
    let plan = plan(&look, &instance(), &BTreeSet::new());
    assert!(matches!(&plan.steps[1].step, Step::DeregisterTargets { was, .. } if was.len() == 2));
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

#[test]
fn each_lifecycle_state_has_its_plan() {
    let outcome = |state: &str| detachable(&membership(state)).word();
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
    let within = |prefix: &str, address: &str| contains(prefix, address.parse().expect("address"));
    assert!(within("10.0.0.16/28", "10.0.0.31"));
    assert!(!within("10.0.0.16/28", "10.0.0.32"));
    assert!(within("2001:db8::/80", "2001:db8::1:2"));
    assert!(!within("2001:db8::/80", "2001:db8:0:0:1::"));
    assert!(within("0.0.0.0/0", "192.0.2.1"));
    assert!(!within("10.0.0.0/8", "::ffff:10.0.0.1"));
    assert!(!within("nonsense", "10.0.0.1"));
}
