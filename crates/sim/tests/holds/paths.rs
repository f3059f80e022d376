//! Whole containments in worlds that differ in how the instance reaches others: the verdict as a person reads it.

use std::collections::BTreeSet;

use brig_core::{
    ledger::Conclusion,
    model::{
        PublicAddress, Timeouts,
        reach::{Route, VpcEndpoint},
    },
    report::{
        answer::Answer,
        paths::{OpenFlows, lines},
    },
};
use brig_sim::{Break, Fault, Sim, Victim, World};
use expect_test::{Expect, expect};

use crate::common::changes;

/// A plain instance in a subnet with these routes.
fn world(routes: &[(&str, &str)]) -> (World, Victim) {
    let (mut world, victim) = World::plain();
    for table in &mut world.reach.tables {
        let new = routes.iter().map(|(destination, target)| Route {
            destination: (*destination).to_owned(),
            target: (*target).to_owned(),
        });
        table.routes.extend(new);
    }
    (world, victim)
}

fn contained((world, victim): (World, Victim)) -> Answer {
    let sim = Sim::new(world, 1);
    let answer = sim.contain(&victim.id, "r").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Contained, "{answer:#?}");
    assert!(answer.timings_ms.untrack_window.is_some_and(|window| window >= 1000), "{:?}", answer.timings_ms);
    answer
}

/// The summary's first words, and what differs from an instance that reaches its VPC alone.
fn check(world_and_victim: (World, Victim), expected: &Expect) {
    let shown = |answer: &Answer| lines(&answer.verdict.paths).join("\n");
    let (answer, base) = (contained(world_and_victim), contained(world(&[])));
    let first = answer.verdict.summary.to_string().split(", its credentials").next().unwrap_or_default().to_owned();
    expected.assert_eq(&format!("{first}\n{}", changes(&shown(&base), &shown(&answer))));
}

#[test]
fn what_every_isolated_instance_has() {
    expect![[r#"
        new connections blocked, existing ones MAY CONTINUE: eni-00000002 ICMP - AWS always tracks it, and does not say for how long
        new connections blocked, existing ones MAY CONTINUE until idle for 10 minutes: eni-00000002 other protocols - AWS tracks them by address and protocol: until then even the other side may start again
        new connections blocked, existing ones expected to drop: eni-00000002 IPv4 the VPC vpc-1 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
        new connections open: DNS vpc-1 - no security group filters DNS to the VPC's resolver, nor DHCP, the time service and Windows activation; no DNS firewall is associated with the VPC
        blocked: the serial console - the account does not use it in this Region
    "#]].assert_eq(&(lines(&contained(world(&[])).verdict.paths).join("\n") + "\n"));
}

fn endpoint(id: &str, kind: &str, service: &str) -> VpcEndpoint {
    VpcEndpoint { id: id.to_owned(), vpc: "vpc-1".into(), kind: kind.to_owned(), service: service.to_owned() }
}

#[test]
fn a_public_instance() {
    let (mut world, victim) = world(&[("0.0.0.0/0", "igw-1"), ("::/0", "igw-1")]);
    for eni in world.interfaces.values_mut() {
        eni.shown.public.push(PublicAddress {
            address: "198.51.100.7".parse().expect("an address"),
            private: None,
            assigned: true,
            elastic: None,
        });
        eni.shown.addresses.push("2001:db8::7".parse().expect("an address"));
    }
    check(
        (world, victim),
        &expect![[r#"
            i-00000000000000001 (web-1) in 123456789012/us-east-1 is contained: new connections are blocked, except through DNS; existing ones are expected to drop, which AWS does not guarantee (ICMP and similar protocols may continue)
            - new connections blocked, existing ones expected to drop: eni-00000002 IPv4 the VPC vpc-1 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
            + new connections blocked, existing ones expected to drop: eni-00000002 IPv4 the VPC vpc-1, eni-00000002 IPv4 the internet gateway igw-1, eni-00000002 IPv6 the VPC vpc-1, eni-00000002 IPv6 the internet gateway igw-1 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
        "#]],
    );
}

#[test]
fn a_private_instance_behind_a_nat_gateway() {
    check(
        world(&[("0.0.0.0/0", "nat-1")]),
        &expect![[r#"
            i-00000000000000001 (web-1) in 123456789012/us-east-1 is contained: new connections are blocked, except through DNS; existing ones MAY CONTINUE through the NAT gateway nat-1 (until idle for 5 days)
            + new connections blocked, existing ones MAY CONTINUE until idle for 5 days: eni-00000002 IPv4 the NAT gateway nat-1 - AWS always tracks what goes through a NAT gateway; its idle timeouts have since been set to their minimum, and AWS does not say whether that applies to connections already tracked
        "#]],
    );
}

#[test]
fn a_private_instance_with_ipv6() {
    let (mut world, victim) = world(&[("0.0.0.0/0", "nat-1"), ("::/0", "eigw-1")]);
    for eni in world.interfaces.values_mut() {
        eni.shown.addresses.push("2001:db8::7".parse().expect("an address"));
        eni.shown.timeouts = Timeouts { tcp_established: Some(600), ..Timeouts::default() };
    }
    check(
        (world, victim),
        &expect![[r#"
            i-00000000000000001 (web-1) in 123456789012/us-east-1 is contained: new connections are blocked, except through DNS; existing ones MAY CONTINUE through the NAT gateway nat-1 (until idle for 10 minutes), the egress-only internet gateway eigw-1 (until idle for 10 minutes)
            - new connections blocked, existing ones expected to drop: eni-00000002 IPv4 the VPC vpc-1 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
            + new connections blocked, existing ones MAY CONTINUE until idle for 10 minutes: eni-00000002 IPv4 the NAT gateway nat-1 - AWS always tracks what goes through a NAT gateway; its idle timeouts have since been set to their minimum, and AWS does not say whether that applies to connections already tracked
            + new connections blocked, existing ones MAY CONTINUE until idle for 10 minutes: eni-00000002 IPv6 the egress-only internet gateway eigw-1 - AWS always tracks what goes through an egress-only gateway; its idle timeouts have since been set to their minimum, and AWS does not say whether that applies to connections already tracked
            + new connections blocked, existing ones expected to drop: eni-00000002 IPv4 the VPC vpc-1, eni-00000002 IPv6 the VPC vpc-1 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
        "#]],
    );
}

#[test]
fn other_networks() {
    check(
        world(&[
            ("10.1.0.0/16", "pcx-1"),
            ("10.2.0.0/16", "tgw-1"),
            ("10.3.0.0/16", "vgw-1"),
            ("10.4.0.0/16", "eni-9"),
        ]),
        &expect![[r#"
            i-00000000000000001 (web-1) in 123456789012/us-east-1 is contained: new connections are blocked, except through DNS; existing ones MAY CONTINUE through the transit gateway tgw-1 (until idle for 5 days)
            - new connections blocked, existing ones expected to drop: eni-00000002 IPv4 the VPC vpc-1 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
            + new connections blocked, existing ones MAY CONTINUE until idle for 5 days: eni-00000002 IPv4 the transit gateway tgw-1 - AWS's former list of what it always tracks names transit gateways, the present one does not; its idle timeouts have since been set to their minimum, and AWS does not say whether that applies to connections already tracked
            + new connections blocked, existing ones expected to drop: eni-00000002 IPv4 the VPC vpc-1, eni-00000002 IPv4 the appliance eni-9 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
            + new connections blocked, existing ones expected to drop: eni-00000002 IPv4 the peering connection pcx-1, eni-00000002 IPv4 the virtual private gateway vgw-1 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends; what lies beyond it was not looked at
        "#]],
    );
}

#[test]
fn endpoints_and_a_firewall() {
    let (mut world, victim) = world(&[("pl-s3", "vpce-s3"), ("pl-ddb", "vpce-ddb"), ("0.0.0.0/0", "vpce-fire")]);
    world.reach.endpoints = vec![
        endpoint("vpce-s3", "Gateway", "com.amazonaws.us-east-1.s3"),
        endpoint("vpce-ddb", "Gateway", "com.amazonaws.us-east-1.dynamodb"),
        endpoint("vpce-fire", "GatewayLoadBalancer", "com.amazonaws.vpce.us-east-1.vpce-svc-1"),
        endpoint("vpce-ssm", "Interface", "com.amazonaws.us-east-1.ssm"),
    ];
    world.reach.dns_firewalls.insert("vpc-1".into(), 2);
    check(
        (world, victim),
        &expect![[r#"
            i-00000000000000001 (web-1) in 123456789012/us-east-1 is contained: new connections are blocked, except through DNS; existing ones MAY CONTINUE through the gateway endpoint vpce-ddb (until idle for 5 days), the firewall endpoint vpce-fire (until idle for 5 days) and 1 more
            - new connections blocked, existing ones expected to drop: eni-00000002 IPv4 the VPC vpc-1 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
            - new connections open: DNS vpc-1 - no security group filters DNS to the VPC's resolver, nor DHCP, the time service and Windows activation; no DNS firewall is associated with the VPC
            + new connections blocked, existing ones MAY CONTINUE until idle for 5 days: eni-00000002 IPv4 the gateway endpoint vpce-ddb - AWS always tracks what goes through DynamoDB's gateway endpoint; its idle timeouts have since been set to their minimum, and AWS does not say whether that applies to connections already tracked
            + new connections blocked, existing ones MAY CONTINUE until idle for 5 days: eni-00000002 IPv4 the firewall endpoint vpce-fire - AWS always tracks what goes through Network Firewall, whose endpoints are of this kind; its idle timeouts have since been set to their minimum, and AWS does not say whether that applies to connections already tracked
            + new connections blocked, existing ones MAY CONTINUE until idle for 5 days: eni-00000002 IPv4 interface endpoints - AWS always tracks what goes to an interface endpoint; its idle timeouts have since been set to their minimum, and AWS does not say whether that applies to connections already tracked
            + new connections blocked, existing ones expected to drop: eni-00000002 IPv4 the VPC vpc-1, eni-00000002 IPv4 the gateway endpoint vpce-s3 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
            + new connections open: DNS vpc-1 - no security group filters DNS to the VPC's resolver, nor DHCP, the time service and Windows activation; 2 DNS firewall rule group(s) are associated with the VPC
        "#]],
    );
}

#[test]
fn services_in_the_vpc() {
    let (mut world, victim) = world(&[]);
    let kinds = ["lambda", "network_load_balancer", "global_accelerator_managed", "ec2_instance_connect_endpoint"];
    world.reach.neighbours.insert("vpc-1".into(), kinds.iter().map(|kind| (*kind).to_owned()).collect());
    world.reach.lattice.insert("vpc-1".into());
    world.reach.serial_console = Some(true);
    check(
        (world, victim),
        &expect![[r#"
            i-00000000000000001 (web-1) in 123456789012/us-east-1 is contained: new connections are blocked, except through DNS and the serial console; existing ones MAY CONTINUE through Network Load Balancers in the VPC, Lambda functions in the VPC (until idle for 5 days) and 1 more
            - new connections blocked, existing ones expected to drop: eni-00000002 IPv4 the VPC vpc-1 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
            - blocked: the serial console - the account does not use it in this Region
            + new connections blocked, existing ones MAY CONTINUE: eni-00000002 IPv4 Network Load Balancers in the VPC - AWS always tracks what goes to or from a Network Load Balancer; its idle timeouts have since been set to their minimum, and AWS does not say whether that applies to connections already tracked
            + new connections blocked, existing ones MAY CONTINUE until idle for 5 days: eni-00000002 IPv4 Lambda functions in the VPC - AWS always tracks what goes to or from Lambda's shared interfaces; its idle timeouts have since been set to their minimum, and AWS does not say whether that applies to connections already tracked
            + new connections blocked, existing ones MAY CONTINUE until idle for 5 days: eni-00000002 IPv4 Global Accelerator - AWS always tracks what comes through Global Accelerator; its idle timeouts have since been set to their minimum, and AWS does not say whether that applies to connections already tracked
            + new connections blocked, existing ones expected to drop: eni-00000002 IPv4 the VPC vpc-1, eni-00000002 IPv4 Instance Connect endpoints - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
            + new connections blocked, existing ones expected to drop: eni-00000002 IPv4 VPC Lattice - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends; whether it is a target there was not looked at
            + new connections open: the serial console - it needs no network, and the account may use it in this Region; a session that is open is not seen
        "#]],
    );
}

#[test]
fn a_target_of_a_network_load_balancer() {
    let (mut world, victim) = world(&[]);
    let (id, other) = (victim.id.to_string(), victim.sibling.to_string());
    for (name, protocol) in [("tcp", "TCP"), ("web", "HTTPS"), ("inspect", "GENEVE")] {
        let arn = world.target_group(name, "vpc-1", "instance", &[(&id, 80), (&other, 80)]);
        protocol.clone_into(&mut world.target_groups.get_mut(&arn).expect("the group").protocol);
    }
    check(
        (world, victim),
        &expect![[r#"
            i-00000000000000001 (web-1) in 123456789012/us-east-1 is contained: new connections are blocked, except through DNS; existing ones MAY CONTINUE through the Gateway Load Balancer of inspect/1, the Network Load Balancer of tcp/1
            + new connections blocked, existing ones MAY CONTINUE: the Gateway Load Balancer of inspect/1 - what a Gateway Load Balancer sends is tracked by AWS's former list of what it always tracks
            + new connections blocked, existing ones MAY CONTINUE: the Network Load Balancer of tcp/1 - AWS always tracks what comes through a Network Load Balancer
        "#]],
    );
}

#[test]
fn interfaces_in_two_vpcs() {
    let (mut world, victim) = World::production();
    for table in &mut world.reach.tables {
        let target = if table.vpc.as_str() == "vpc-1" { "igw-1" } else { "nat-2" };
        table.routes.push(Route { destination: "0.0.0.0/0".to_owned(), target: target.to_owned() });
    }
    check(
        (world, victim),
        &expect![[r#"
            i-00000000000000001 (web-1) in 123456789012/us-east-1 is contained: new connections are blocked, except through DNS; existing ones MAY CONTINUE through the NAT gateway nat-2 (until idle for 5 days)
            - new connections blocked, existing ones MAY CONTINUE: eni-00000002 ICMP - AWS always tracks it, and does not say for how long
            - new connections blocked, existing ones MAY CONTINUE until idle for 10 minutes: eni-00000002 other protocols - AWS tracks them by address and protocol: until then even the other side may start again
            - new connections blocked, existing ones expected to drop: eni-00000002 IPv4 the VPC vpc-1 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
            - new connections open: DNS vpc-1 - no security group filters DNS to the VPC's resolver, nor DHCP, the time service and Windows activation; no DNS firewall is associated with the VPC
            + new connections blocked, existing ones MAY CONTINUE: eni-00000004 ICMP, eni-00000005 ICMP - AWS always tracks it, and does not say for how long
            + new connections blocked, existing ones MAY CONTINUE until idle for 10 minutes: eni-00000004 other protocols, eni-00000005 other protocols - AWS tracks them by address and protocol: until then even the other side may start again
            + new connections blocked, existing ones MAY CONTINUE until idle for 5 days: eni-00000005 IPv4 the NAT gateway nat-2 - AWS always tracks what goes through a NAT gateway; its idle timeouts have since been set to their minimum, and AWS does not say whether that applies to connections already tracked
            + new connections blocked, existing ones expected to drop: eni-00000004 IPv4 the VPC vpc-1, eni-00000005 IPv4 the VPC vpc-2 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
            + new connections open: DNS vpc-1, DNS vpc-2 - no security group filters DNS to the VPC's resolver, nor DHCP, the time service and Windows activation; no DNS firewall is associated with the VPC
        "#]],
    );
}

#[test]
fn a_look_that_is_refused_costs_the_certainty_and_nothing_else() {
    let (world, victim) = world(&[("0.0.0.0/0", "igw-1")]);
    let looks = [
        "DescribeRouteTables",
        "DescribeVpcEndpoints",
        "DescribeInstanceTypes",
        "GetSerialConsoleAccessStatus",
        "ListFirewallRuleGroupAssociations",
        "ListServiceNetworkVpcAssociations",
    ];
    for look in looks {
        for fault in [Fault::Denied, Fault::Throttled, Fault::Timeout] {
            let sim = Sim::new(world.clone(), 1);
            sim.breaks(Break::Always(look, fault));
            let answer = sim.contain(&victim.id, "r").expect("an answer");
            assert_eq!(answer.outcome, Conclusion::Contained, "{look}: {answer:#?}");
            assert!(!answer.left_over, "{look}");
            // Nothing waits for the look but the report.
            assert!(answer.timings_ms.isolated.is_some_and(|at| at < 1000), "{look}: {:?}", answer.timings_ms);
            let said: BTreeSet<&str> = answer.verdict.paths.iter().map(|path| path.why.as_str()).collect();
            let unknown = answer.verdict.paths.iter().any(|path| path.open_flows == OpenFlows::Unknown)
                || said.iter().any(|why| why.contains("could not be read"));
            assert!(unknown || look == "DescribeInstanceTypes", "{look}: {said:#?}");
        }
    }
}

#[test]
fn an_interface_that_was_put_back_gets_a_window_of_its_own_again() {
    let (world, victim) = world(&[]);
    let sim = Sim::new(world.clone(), 1);
    sim.contain(&victim.id, "r").expect("an answer");
    sim.change(|now| {
        for (id, eni) in &mut now.interfaces {
            eni.shown.groups.clone_from(&world.interfaces[id].shown.groups);
        }
    });
    sim.wait(std::time::Duration::from_mins(5));
    let answer = sim.contain(&victim.id, "later").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Repaired, "{answer:#?}");
    assert!(answer.timings_ms.untrack_window.is_some_and(|window| window >= 1000), "{:?}", answer.timings_ms);
    assert!(answer.verdict.paths.iter().any(|path| path.open_flows == OpenFlows::ExpectedCut));
}

#[test]
fn a_shared_vpc_shows_less_than_there_is() {
    let (mut world, victim) = world(&[("0.0.0.0/0", "igw-1")]);
    for table in &mut world.reach.tables {
        table.owner = Some("999988887777".to_owned());
    }
    let answer = Sim::new(world, 1).contain(&victim.id, "r").expect("an answer");
    let lines = lines(&answer.verdict.paths);
    let said = |words: &str| lines.iter().any(|line| line.contains(words));
    assert!(said("the account 999988887777 shares this VPC"), "{lines:#?}");
    assert!(said("whether a DNS firewall is associated with the VPC could not be read"), "{lines:#?}");
}
