use std::fmt::Write as _;

use expect_test::{Expect, expect};
use ipnet::IpNet;

use super::*;
use crate::{
    model::{
        network_acl::LAST_NUMBER,
        reach::{Route, RouteTable},
        timestamp::Timestamp,
    },
    step::{DenyInNetworkAcl, Failure},
    testing::{account, instance},
};

struct World {
    acls: Vec<NetworkAcl>,
    denials: BTreeMap<String, Vec<Denial>>,
    recorded: Vec<StepRecord>,
    remotes: Vec<IpAddr>,
    subnets: BTreeSet<String>,
}

fn entry(number: i32, egress: bool, allow: bool, cidr: &str) -> AclEntry {
    let cidr = cidr.parse().expect("a range");
    AclEntry { number, egress, allow, protocol: "-1".to_owned(), cidr }
}

/// An ACL as AWS makes it.
fn acl(id: &str, subnets: &[&str]) -> NetworkAcl {
    let entries = [false, true]
        .into_iter()
        .flat_map(|egress| [entry(100, egress, true, "0.0.0.0/0"), entry(LAST_NUMBER + 1, egress, false, "0.0.0.0/0")]);
    NetworkAcl {
        id: id.to_owned(),
        owner: Some(account().to_string()),
        subnets: subnets.iter().map(|subnet| (*subnet).to_owned()).collect(),
        entries: entries.collect(),
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn world(remotes: &[&str]) -> World {
    World {
        acls: vec![acl("acl-1", &["subnet-a", "subnet-b"])],
        denials: BTreeMap::new(),
        recorded: Vec::new(),
        remotes: remotes.iter().map(|remote| address(remote)).collect(),
        subnets: BTreeSet::from(["subnet-a".to_owned()]),
    }
}

const ARN: &str = "arn:aws:ec2:us-east-1:123456789012:instance/i-1";
const OTHER: &str = "arn:aws:ec2:us-east-1:123456789012:instance/i-2";

fn planned(world: &World) -> Plan {
    let route = Route { destination: "0.0.0.0/0".to_owned(), target: "igw-1".to_owned() };
    let tables =
        [RouteTable { vpc: "vpc-1".into(), owner: None, main: true, subnets: Vec::new(), routes: vec![route] }];
    let published: [IpNet; 1] = ["52.94.0.0/22".parse().expect("a range")];
    plan(&Look {
        account: &account(),
        instance_arn: ARN,
        subnets: &world.subnets,
        remotes: &world.remotes,
        own: &BTreeSet::from([address("203.0.113.77")]),
        recorded: &world.recorded,
        acls: &world.acls,
        denials: &world.denials,
        spared: NeverDenied { never: &[], routes: Ok(&tables), published: Ok(&published) },
    })
}

fn check(world: &World, expected: &Expect) {
    let mut shown = String::new();
    let plan = planned(world);
    for step in &plan.steps {
        if let Step::DenyInNetworkAcl(DenyInNetworkAcl { ingress, egress, .. }) = &step.step {
            let _ = write!(shown, "in {ingress}, out {egress}: ");
        }
        shown.push_str(&Plan { steps: vec![step.clone()], notes: Vec::new() }.to_string());
    }
    expected.assert_eq(&format!("{shown}{}", Plan { steps: Vec::new(), notes: plan.notes }));
}

fn share(instance: &str, remote: &str, ingress: i32, egress: i32) -> Denial {
    Denial { instance: instance.to_owned(), address: address(remote), ingress, egress }
}

/// As it is once another containment has denied an address.
fn shared(remote: &str, ingress: i32, egress: i32) -> World {
    let mut world = world(&[remote]);
    let share = share(OTHER, remote, ingress, egress);
    world.acls[0].entries.extend(share.entries());
    world.denials.insert("acl-1".to_owned(), vec![share]);
    world
}

#[test]
fn a_remote_address_is_denied_before_the_first_rule_that_allows() {
    check(
        &world(&["203.0.113.9", "2a01:4f8::1", "203.0.113.9"]),
        &expect![[r#"
        in 1, out 1: planned      create_network_acl_entry acl-1/203.0.113.9
        in 2, out 2: planned      create_network_acl_entry acl-1/2a01:4f8::1
        note: what is denied in the network ACL acl-1 is denied to everyone in subnet-a, subnet-b, not only to this instance
    "#]],
    );
    let mut early = world(&["203.0.113.9"]);
    early.acls[0].entries.push(entry(1, false, false, "192.0.2.0/24"));
    early.acls[0].entries.push(entry(2, true, true, "192.0.2.0/24"));
    check(
        &early,
        &expect![[r#"
        in 2, out 1: planned      create_network_acl_entry acl-1/203.0.113.9
        note: what is denied in the network ACL acl-1 is denied to everyone in subnet-a, subnet-b, not only to this instance
    "#]],
    );
}

#[test]
fn what_must_not_be_denied_is_said() {
    check(
        &world(&["10.0.0.7", "52.94.1.1", "203.0.113.77"]),
        &expect![[r#"
            note: 10.0.0.7 is not denied in a network ACL: it is not a public address
            note: 52.94.1.1 is not denied in a network ACL: it is AWS's own (52.94.0.0/22 is published)
            note: 203.0.113.77 is not denied in a network ACL: it is the instance's own
        "#]],
    );
}

#[test]
fn another_containments_rules_are_shared() {
    check(
        &shared("203.0.113.9", 1, 3),
        &expect![[r#"
        in 1, out 3: planned      create_network_acl_entry acl-1/203.0.113.9
        note: what is denied in the network ACL acl-1 is denied to everyone in subnet-a, subnet-b, not only to this instance
    "#]],
    );
    let mut own = shared("203.0.113.9", 1, 3);
    own.denials.insert("acl-1".to_owned(), vec![share(ARN, "203.0.113.9", 1, 3)]);
    check(
        &own,
        &expect![[r#"
        in 1, out 3: already_done create_network_acl_entry acl-1/203.0.113.9 - rules of its own
        note: what is denied in the network ACL acl-1 is denied to everyone in subnet-a, subnet-b, not only to this instance
    "#]],
    );
    // Meant, and not made yet: the number is kept free for it.
    let mut meant = world(&["198.51.100.7"]);
    meant.denials.insert("acl-1".to_owned(), vec![share(OTHER, "203.0.113.9", 1, 1)]);
    check(
        &meant,
        &expect![[r#"
        in 2, out 2: planned      create_network_acl_entry acl-1/198.51.100.7
        note: what is denied in the network ACL acl-1 is denied to everyone in subnet-a, subnet-b, not only to this instance
    "#]],
    );
}

#[test]
fn a_number_that_somebody_else_took_is_not_used() {
    let mut world = world(&["203.0.113.9"]);
    world.denials.insert("acl-1".to_owned(), vec![share(ARN, "203.0.113.9", 1, 1)]);
    world.acls[0].entries.push(entry(1, true, false, "192.0.2.0/24"));
    check(
        &world,
        &expect![[r#"
        in 2, out 2: planned      create_network_acl_entry acl-1/203.0.113.9
        note: what is denied in the network ACL acl-1 is denied to everyone in subnet-a, subnet-b, not only to this instance
    "#]],
    );
    let mut late = shared("203.0.113.9", 1, 1);
    late.acls[0].entries.push(entry(1, false, true, "192.0.2.0/24"));
    check(
        &late,
        &expect![[r#"
            note: 1 of 1 addresses are NOT denied in acl-1: it has no room for more rules before its first allow rule (a network ACL has at most 20 per direction and address family): 203.0.113.9
        "#]],
    );
}

#[test]
fn rules_of_others_that_deny_it_are_enough() {
    let mut world = world(&["203.0.113.9"]);
    world.acls[0].entries.push(entry(50, false, false, "203.0.113.0/24"));
    world.acls[0].entries.push(entry(60, true, false, "203.0.113.9/32"));
    check(
        &world,
        &expect![[r#"
        in 50, out 60: already_done create_network_acl_entry acl-1/203.0.113.9 - denied by rules that are not Brig's
        note: what is denied in the network ACL acl-1 is denied to everyone in subnet-a, subnet-b, not only to this instance
    "#]],
    );
}

#[test]
fn the_quota_is_kept_and_what_does_not_fit_is_counted() {
    let mut full = world(&["203.0.113.9", "203.0.113.10", "203.0.113.11", "2a01:4f8::1"]);
    for number in 200..217 {
        full.acls[0].entries.push(entry(number, true, true, "192.0.2.0/24"));
    }
    check(
        &full,
        &expect![[r#"
            in 1, out 1: planned      create_network_acl_entry acl-1/203.0.113.9
            in 2, out 2: planned      create_network_acl_entry acl-1/2a01:4f8::1
            note: what is denied in the network ACL acl-1 is denied to everyone in subnet-a, subnet-b, not only to this instance
            note: 2 of 4 addresses are NOT denied in acl-1: it has no room for more rules before its first allow rule (a network ACL has at most 20 per direction and address family): 203.0.113.10, 203.0.113.11
        "#]],
    );
    let mut first = world(&["203.0.113.9"]);
    first.acls[0].entries.push(entry(1, false, true, "192.0.2.0/24"));
    check(
        &first,
        &expect![[r#"
            note: 1 of 1 addresses are NOT denied in acl-1: it has no room for more rules before its first allow rule (a network ACL has at most 20 per direction and address family): 203.0.113.9
        "#]],
    );
}

#[test]
fn somebody_elses_acl_is_left_to_its_owner() {
    let mut world = world(&["203.0.113.9"]);
    world.acls[0].owner = Some("999988887777".to_owned());
    world.subnets.insert("subnet-z".to_owned());
    check(
        &world,
        &expect![[r#"
        note: no network ACL of subnet-z was seen: nothing is denied there
        note: the network ACL acl-1 belongs to the account 999988887777, which shares its subnet: only its owner can deny 203.0.113.9 there
    "#]],
    );
}

/// The step of a rule at 4 for what comes in, and at 5 for what goes out.
fn denying(remote: &str) -> Step {
    Step::DenyInNetworkAcl(DenyInNetworkAcl {
        acl: "acl-1".to_owned(),
        address: address(remote),
        ingress: 4,
        egress: 5,
        subnets: Vec::new(),
        instance_arn: ARN.to_owned(),
    })
}

#[test]
fn a_rule_on_record_that_is_gone_is_made_again() {
    let mut world = world(&[]);
    let step = denying("203.0.113.9");
    let mut record = StepRecord::intended(step.key(instance().id.as_str()), step, Timestamp::from_millis(0));
    record.outcome = Some(Outcome::changed());
    world.recorded.push(record.clone());
    world.denials.insert("acl-1".to_owned(), vec![share(ARN, "203.0.113.9", 4, 5)]);
    check(
        &world,
        &expect![[r#"
        in 4, out 5: planned      create_network_acl_entry acl-1/203.0.113.9
        note: what is denied in the network ACL acl-1 is denied to everyone in subnet-a, subnet-b, not only to this instance
    "#]],
    );
    // Somebody has said since that it must not be.
    world.recorded[0].step = denying("52.94.1.1");
    check(
        &world,
        &expect![[r#"
            note: 52.94.1.1 is AWS's own (52.94.0.0/22 is published), and is or may be denied already: only a release takes those rules away
        "#]],
    );
    // What was refused before is not wanted again by the record alone.
    record.outcome = Some(Outcome::Failed(Failure::lasting("denied".to_owned())));
    world.recorded = vec![record];
    check(&world, &expect![[""]]);
}
