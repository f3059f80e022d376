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
    expected.assert_eq(&plan(look, &instance()).to_string());
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
        gaps: Vec::new(),
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
    let plan = plan(&look, &instance());
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
        note: tg/other holds the address 10.0.0.7 in another VPC (vpc-9): private addresses repeat, so it is left alone
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
fn what_drains_has_left() {
    let mut draining = target("i-0123456789abcdef0", 80);
    draining.state = "draining".to_owned();
    let look =
        FleetLook { registrations: vec![registration("tg/web", "vpc-1", vec![draining])], ..FleetLook::default() };
    check(
        &look,
        &expect![[r"
        already_done deregister_targets tg/web - draining
    "]],
    );
    assert_eq!(Truth::of(&facts(&look, &instance())), Truth::Yes);
}
