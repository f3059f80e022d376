use expect_test::{Expect, expect};

use super::*;
use crate::{
    report::fact::network::facts,
    step::Isolate,
    testing::{account, interface, our_group},
};

struct World {
    state: InstanceState,
    interfaces: Vec<Interface>,
    groups: Vec<SecurityGroup>,
    shared: BTreeSet<GroupId>,
    untracked: BTreeSet<EniId>,
    untrack: Untrack,
}

fn world() -> World {
    World {
        state: InstanceState::Running,
        interfaces: vec![interface("eni-a", "vpc-1", &["sg-web", "sg-ssh"]), interface("eni-b", "vpc-1", &["sg-db"])],
        groups: vec![
            our_group(Purpose::Isolation, "vpc-1", vec![]),
            our_group(Purpose::Untrack, "vpc-1", untrack_rules()),
        ],
        shared: BTreeSet::new(),
        untracked: BTreeSet::new(),
        untrack: Untrack::Seconds(1),
    }
}

fn planned(world: &World) -> Plan {
    let account = account();
    let look = Look {
        account: &account,
        state: world.state,
        interfaces: &world.interfaces,
        groups: &world.groups,
        shared: &world.shared,
        untracked: &world.untracked,
        open_since: &[("eni-b".into(), Timestamp::from_millis(0))].into(),
    };
    plan(&look, &"i-0123abcd-20260102T030405Z".into(), world.untrack)
}

fn check(world: &World, expected: &Expect) {
    expected.assert_eq(&planned(world).to_string());
}

fn shown(notes: &[Note]) -> String {
    notes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_interface_is_isolated_then_untracked() {
    check(
        &world(),
        &expect![[r"
            planned      isolate eni-a
            planned      isolate eni-b
            planned      untrack eni-a
            planned      untrack eni-b
        "]],
    );
}

#[test]
fn what_an_interface_had_is_in_the_step_without_our_groups() {
    let mut world = world();
    world.interfaces = vec![interface("eni-a", "vpc-1", &["sg-web", "sg-isolation-vpc-1"])];
    let plan = planned(&world);
    assert!(
        matches!(plan.todo().next(), Some(Step::Isolate(Isolate { was: Some(was), .. })) if *was == ["sg-web".into()])
    );
}

#[test]
fn the_first_use_of_each_vpc_makes_its_groups() {
    let mut world = world();
    world.interfaces.push(interface("eni-c", "vpc-2", &["sg-x"]));
    check(
        &world,
        &expect![[r"
            planned      create_security_group vpc-2/brig-isolation
            planned      create_security_group vpc-2/brig-untrack
            planned      isolate eni-a
            planned      isolate eni-b
            planned      isolate eni-c
            planned      untrack eni-a
            planned      untrack eni-b
            planned      untrack eni-c
        "]],
    );
}

#[test]
fn a_contained_instance_plans_nothing() {
    let mut world = world();
    world.interfaces = vec![interface("eni-a", "vpc-1", &["sg-isolation-vpc-1"])];
    world.untracked = [EniId::from("eni-a")].into();
    assert_eq!(planned(&world).todo().count(), 0);
    check(
        &world,
        &expect![[r"
            already_done isolate eni-a - in the isolation group
            already_done untrack eni-a - by an earlier attempt
        "]],
    );
}

#[test]
fn an_interface_found_open_is_isolated_before_all_else_and_not_opened_again() {
    let mut world = world();
    world.interfaces[1].groups = vec!["sg-untrack-vpc-1".into()];
    check(
        &world,
        &expect![[r#"
            planned      isolate eni-b
            planned      isolate eni-a
            planned      untrack eni-a
            already_done untrack eni-b - found open; isolated at once
            note: eni-b was OPEN TO THE WORLD since 1970-01-01T00:00:00.000Z at the earliest; it is isolated before everything else
        "#]],
    );
}

#[test]
fn a_stopped_instance_has_nothing_to_untrack_and_needs_no_untrack_group() {
    let mut world = world();
    world.state = InstanceState::Stopped;
    world.groups.pop();
    check(
        &world,
        &expect![[r#"
            planned      isolate eni-a
            planned      isolate eni-b
            skipped      untrack eni-a - the instance is not running, so it has no connections
            skipped      untrack eni-b - the instance is not running, so it has no connections
        "#]],
    );
}

#[test]
fn untrack_can_be_off() {
    let mut world = world();
    world.untrack = Untrack::Off;
    world.interfaces.pop();
    check(
        &world,
        &expect![[r#"
            planned      isolate eni-a
            skipped      untrack eni-a - BRIG_UNTRACK_SECONDS is off: connections that were tracked continue until they idle out
        "#]],
    );
}

fn stray() -> Vec<Rule> {
    vec![Rule { direction: Direction::Egress, protocol: "-1".to_owned(), ports: None, peer: "0.0.0.0/0".to_owned() }]
}

#[test]
fn a_stray_rule_is_revoked_while_the_isolation_group_holds_only_contained_interfaces() {
    let mut world = world();
    world.interfaces.pop();
    world.groups[0].rules = stray();
    check(
        &world,
        &expect![[r"
            planned      revoke_security_group_rules vpc-1/brig-isolation
            planned      isolate eni-a
            planned      untrack eni-a
            note: the isolation group sg-isolation-vpc-1 had 1 stray rule(s)
        "]],
    );
}

#[test]
fn a_shared_isolation_group_with_rules_is_left_alone_and_another_made() {
    let mut world = world();
    world.interfaces.pop();
    world.groups[0].rules = stray();
    world.shared = [world.groups[0].id.clone()].into();
    check(
        &world,
        &expect![[r"
            planned      create_security_group vpc-1/brig-isolation-i-0123abcd-20260102T030405Z
            planned      isolate eni-a
            planned      untrack eni-a
            note: the isolation group sg-isolation-vpc-1 of vpc-1 has rules and holds an interface that is in no active containment: both are left alone, see who changed it
        "]],
    );
}

#[test]
fn a_production_group_tagged_or_named_like_ours_is_never_used() {
    let mut world = world();
    world.interfaces.pop();
    world.groups[0].tags.clear();
    world.groups[1].name = "brig-untrack-legacy".to_owned();
    check(
        &world,
        &expect![[r"
            planned      create_security_group vpc-1/brig-isolation-i-0123abcd-20260102T030405Z
            planned      create_security_group vpc-1/brig-untrack
            planned      isolate eni-a
            planned      untrack eni-a
            note: vpc-1 has a group brig-isolation (sg-isolation-vpc-1) that Brig did not make: it is left alone
        "]],
    );
}

#[test]
fn an_untrack_group_that_lacks_a_family_gets_its_rules() {
    let mut world = world();
    world.interfaces.pop();
    world.groups[1].rules.retain(|rule| rule.peer != "::/0");
    check(
        &world,
        &expect![[r"
            planned      authorize_security_group_rules vpc-1/brig-untrack
            planned      isolate eni-a
            planned      untrack eni-a
        "]],
    );
}

#[test]
fn an_interface_counts_as_isolated_only_alone_in_an_empty_group_of_ours() {
    let account = account();
    let truth = |groups: &[&str], rules: Vec<Rule>| {
        let interfaces = [interface("eni-a", "vpc-1", groups)];
        let groups = [our_group(Purpose::Isolation, "vpc-1", rules), our_group(Purpose::Untrack, "vpc-1", vec![])];
        let (shared, untracked) = (BTreeSet::new(), BTreeSet::new());
        let look = Look {
            account: &account,
            state: InstanceState::Running,
            interfaces: &interfaces,
            groups: &groups,
            shared: &shared,
            untracked: &untracked,
            open_since: &BTreeMap::new(),
        };
        let fact = facts(&look, &[]).remove(0);
        format!("{} {}", fact.truth.word(), fact.why.map_or_else(String::new, |why| why.to_string()))
    };
    assert_eq!(truth(&["sg-isolation-vpc-1"], vec![]), "yes ");
    assert_eq!(truth(&["sg-isolation-vpc-1", "sg-web"], vec![]), "no it is in sg-isolation-vpc-1, sg-web");
    assert_eq!(truth(&["sg-isolation-vpc-1"], stray()), "no its group sg-isolation-vpc-1 has a rule");
    assert_eq!(truth(&["sg-untrack-vpc-1"], vec![]), "no it is OPEN TO THE WORLD");
    assert_eq!(truth(&["sg-web"], vec![]), "no it is in sg-web");
}

#[test]
fn what_to_do_by_hand_names_every_interface_and_a_group_that_nothing_uses() {
    let uncut = [Uncut::SecurityGroupQuota { vpc: "vpc-1".into(), interface: "eni-a".into() }];
    let region = "us-east-1".parse().expect("region");
    expect![[r#"
        to make room in vpc-1, delete a security group that nothing uses, then run this again: aws ec2 describe-security-groups --region us-east-1 --filters Name=vpc-id,Values=vpc-1 --query 'SecurityGroups[].[GroupId,GroupName,Description]' --output text; aws ec2 delete-security-group --region us-east-1 --group-id <GroupId>
        or ask AWS for a higher quota, then run this again: aws service-quotas get-service-quota --region us-east-1 --service-code vpc --quota-code L-E79EC296; aws service-quotas request-service-quota-increase --region us-east-1 --service-code vpc --quota-code L-E79EC296 --desired-value <more>
        or cut eni-a by hand now, by a group without rules: aws ec2 modify-network-interface-attribute --region us-east-1 --network-interface-id eni-a --groups <a group of yours without rules>"#]]
    .assert_eq(&shown(&by_hand(&uncut, &[], &region)));
    let spare = group_without_rules("sg-9", "old");
    let notes = shown(&by_hand(&uncut, &[spare], &region));
    assert!(notes.contains("delete-security-group --region us-east-1 --group-id sg-9"), "{notes}");
    assert!(notes.contains("--network-interface-id eni-a --groups sg-9"), "{notes}");
}

fn group_without_rules(id: &str, name: &str) -> SecurityGroup {
    SecurityGroup {
        id: id.into(),
        name: name.to_owned(),
        vpc: "vpc-1".into(),
        owner: account(),
        tags: BTreeMap::new(),
        rules: Vec::new(),
    }
}
