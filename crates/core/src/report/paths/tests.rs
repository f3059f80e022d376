use expect_test::{Expect, expect};

use super::*;
use crate::{
    model::{
        Direction, InstanceState, Rule, SecurityGroup,
        gap::{Gap, Subject},
        reach::{RouteTable, VpcEndpoint},
    },
    testing::{account, instance, interface},
};

/// A group that lets everything out, and in what `ingress` says, from everywhere.
fn group(ingress: &[(&str, Option<(i32, i32)>)]) -> SecurityGroup {
    let rule = |direction, protocol: &str, ports| Rule {
        direction,
        protocol: protocol.to_owned(),
        ports,
        peer: "0.0.0.0/0".to_owned(),
    };
    let mut rules = vec![rule(Direction::Egress, "-1", None)];
    rules.extend(ingress.iter().map(|(protocol, ports)| rule(Direction::Ingress, protocol, *ports)));
    SecurityGroup {
        id: "sg-web".into(),
        name: "web".to_owned(),
        vpc: "vpc-1".into(),
        owner: account(),
        tags: BTreeMap::new(),
        rules,
    }
}

fn look(routes: &[(&str, &str)]) -> ReachLook {
    let route = |(destination, target): &(&str, &str)| Route {
        destination: (*destination).to_owned(),
        target: (*target).to_owned(),
    };
    let table = RouteTable {
        vpc: "vpc-1".into(),
        owner: None,
        main: true,
        subnets: Vec::new(),
        routes: routes.iter().map(route).collect(),
    };
    ReachLook {
        groups: vec![group(&[("tcp", Some((443, 443)))])],
        tables: vec![table],
        serial_console: Some(false),
        dns_firewalls: [("vpc-1".into(), 0)].into(),
        ..ReachLook::default()
    }
}

struct Case {
    instance: Instance,
    interfaces: Vec<Interface>,
    treated: InterfaceHistory,
    left: Vec<&'static str>,
    look: ReachLook,
}

impl Case {
    fn of(look: ReachLook) -> Self {
        let treated = InterfaceHistory {
            was: Some(vec!["sg-web".into()]),
            untracked: true,
            may_have_been_open: true,
            shortened: None,
            isolated: Some(Truth::Yes),
        };
        let interfaces = vec![interface("eni-1", "vpc-1", &["sg-iso"])];
        Self { instance: instance(), interfaces, treated, left: Vec::new(), look }
    }

    fn paths(&self) -> Vec<Path> {
        let treated = self.interfaces.iter().map(|one| (one.id.clone(), self.treated.clone())).collect();
        let left = self.left.iter().map(|arn| (*arn).to_owned()).collect();
        judge(&Ways {
            instance: &self.instance,
            interfaces: &self.interfaces,
            treated: &treated,
            left: &left,
            look: &self.look,
        })
    }

    /// The sentence, and what differs from an instance that reaches its VPC alone.
    fn check(&self, expected: &Expect) {
        let (paths, base) = (self.paths(), lines(&Self::of(look(&[])).paths()));
        let shown = lines(&paths);
        let gone = base.iter().filter(|line| !shown.contains(line)).map(|line| format!("- {line}\n"));
        let new = shown.iter().filter(|line| !base.contains(line)).map(|line| format!("+ {line}\n"));
        expected.assert_eq(&format!("{}\n{}", sentence(&paths), gone.chain(new).collect::<String>()));
    }
}

#[test]
fn what_every_isolated_instance_has() {
    expect![[r#"
        new connections blocked, existing ones MAY CONTINUE: eni-1 ICMP - AWS always tracks it, and does not say for how long
        new connections blocked, existing ones MAY CONTINUE until idle for 10 minutes: eni-1 other protocols - AWS tracks them by address and protocol: until then even the other side may start again
        new connections blocked, existing ones expected to drop: eni-1 IPv4 the VPC vpc-1 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
        new connections open: DNS vpc-1 - no security group filters DNS to the VPC's resolver, nor DHCP, the time service and Windows activation; no DNS firewall is associated with the VPC
        blocked: the serial console - the account does not use it in this Region
    "#]].assert_eq(&(lines(&Case::of(look(&[])).paths()).join("\n") + "\n"));
}

#[test]
fn a_nat_gateway_is_the_weakest_path() {
    Case::of(look(&[("10.0.0.0/16", "local"), ("0.0.0.0/0", "nat-1")])).check(&expect![[r#"
        new connections are blocked, except through DNS; existing ones MAY CONTINUE through the NAT gateway nat-1 (until idle for 5 days)
        + new connections blocked, existing ones MAY CONTINUE until idle for 5 days: eni-1 IPv4 the NAT gateway nat-1 - AWS always tracks what goes through a NAT gateway
    "#]]);
}

#[test]
fn an_interfaces_own_timeout_is_the_one_that_counts() {
    let mut case = Case::of(look(&[("0.0.0.0/0", "nat-1")]));
    case.look.defaults.tcp_established = Some(350);
    case.check(&expect![[r#"
        new connections are blocked, except through DNS; existing ones MAY CONTINUE through the NAT gateway nat-1 (until idle for 350 s)
        + new connections blocked, existing ones MAY CONTINUE until idle for 350 s: eni-1 IPv4 the NAT gateway nat-1 - AWS always tracks what goes through a NAT gateway
    "#]]);
    for interface in &mut case.interfaces {
        interface.timeouts = Timeouts::LEAST;
    }
    case.treated.shortened = Some(Timeouts { tcp_established: Some(600), ..Timeouts::default() });
    case.check(&expect![[r#"
        new connections are blocked, except through DNS; existing ones MAY CONTINUE through the NAT gateway nat-1 (until idle for 10 minutes)
        + new connections blocked, existing ones MAY CONTINUE until idle for 10 minutes: eni-1 IPv4 the NAT gateway nat-1 - AWS always tracks what goes through a NAT gateway; its idle timeouts have since been set to their minimum, and AWS does not say whether that applies to connections already tracked
    "#]]);
}

#[test]
fn an_internet_gateway_is_a_path_of_public_addresses_only() {
    let mut case = Case::of(look(&[("0.0.0.0/0", "igw-1"), ("::/0", "igw-1")]));
    case.check(&expect![[r#"
        new connections are blocked, except through DNS; existing ones are expected to drop, which AWS does not guarantee (ICMP and similar protocols may continue)
    "#]]);
    for interface in &mut case.interfaces {
        interface.public.push(crate::testing::public("198.51.100.7"));
        interface.addresses.push("2001:db8::7".parse().expect("an address"));
    }
    case.check(&expect![[r#"
        new connections are blocked, except through DNS; existing ones are expected to drop, which AWS does not guarantee (ICMP and similar protocols may continue)
        - new connections blocked, existing ones expected to drop: eni-1 IPv4 the VPC vpc-1 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
        + new connections blocked, existing ones expected to drop: eni-1 IPv4 the VPC vpc-1, eni-1 IPv4 the internet gateway igw-1, eni-1 IPv6 the VPC vpc-1, eni-1 IPv6 the internet gateway igw-1 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
    "#]]);
}

#[test]
fn what_was_untracked_in_one_family_is_cut_in_that_family() {
    let mut case = Case::of(look(&[]));
    case.look.groups = vec![group(&[("-1", None)])];
    for interface in &mut case.interfaces {
        interface.addresses.push("2001:db8::7".parse().expect("an address"));
    }
    case.check(&expect![[r#"
        new connections are blocked, except through DNS; existing ones are expected to drop, which AWS does not guarantee (ICMP and similar protocols may continue)
        - new connections blocked, existing ones expected to drop: eni-1 IPv4 the VPC vpc-1 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
        + new connections blocked, existing ones expected to drop: eni-1 IPv6 the VPC vpc-1 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
        + new connections blocked, existing ones cut: eni-1 IPv4 the VPC vpc-1 - its groups allow all IPv4 traffic both ways, so connections that started under these rules were not tracked; what rules there were before is not known
    "#]]);
}

#[test]
fn cut_off_is_said_where_nothing_may_go_on() {
    let mut case = Case::of(look(&[]));
    let mut only = group(&[("tcp", None), ("udp", None)]);
    only.rules.retain(|rule| rule.direction == Direction::Ingress);
    let out: Vec<Rule> = only.rules.iter().map(|rule| Rule { direction: Direction::Egress, ..rule.clone() }).collect();
    only.rules.extend(out);
    case.look.groups = vec![only];
    (case.treated.untracked, case.treated.may_have_been_open) = (false, false);
    case.check(&expect![[r#"
        it is cut off, except through DNS
        - new connections blocked, existing ones MAY CONTINUE: eni-1 ICMP - AWS always tracks it, and does not say for how long
        - new connections blocked, existing ones MAY CONTINUE until idle for 10 minutes: eni-1 other protocols - AWS tracks them by address and protocol: until then even the other side may start again
        - new connections blocked, existing ones expected to drop: eni-1 IPv4 the VPC vpc-1 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
        + new connections blocked, existing ones cut: eni-1 IPv4 the VPC vpc-1 - its groups allow all IPv4 traffic both ways, so connections that started under these rules were not tracked; what rules there were before is not known
        + blocked: eni-1 ICMP, eni-1 other protocols - its groups before did not allow it
    "#]]);
}

#[test]
fn without_a_window_what_was_tracked_goes_on() {
    let mut case = Case::of(look(&[]));
    (case.treated.untracked, case.treated.may_have_been_open) = (false, false);
    case.check(&expect![[r#"
        new connections are blocked, except through DNS; existing ones MAY CONTINUE through the VPC vpc-1 (until idle for 5 days)
        - new connections blocked, existing ones expected to drop: eni-1 IPv4 the VPC vpc-1 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
        + new connections blocked, existing ones MAY CONTINUE until idle for 5 days: eni-1 IPv4 the VPC vpc-1 - it was tracked, and no untrack window was opened
    "#]]);
}

#[test]
fn groups_that_are_not_known_are_taken_for_the_worst() {
    let mut case = Case::of(look(&[]));
    case.treated.was = None;
    case.check(&expect![[r#"
        new connections are blocked, except through DNS; existing ones are expected to drop, which AWS does not guarantee (ICMP and similar protocols may continue)
    "#]]);
}

#[test]
fn every_target_of_a_route_has_its_word() {
    let mut case = Case::of(look(&[
        ("10.1.0.0/16", "pcx-1"),
        ("10.2.0.0/16", "tgw-1"),
        ("10.3.0.0/16", "vgw-1"),
        ("10.4.0.0/16", "vpce-fire"),
        ("10.5.0.0/16", "vpce-gone"),
        ("10.6.0.0/16", "eni-9"),
        ("10.7.0.0/16", "lgw-1"),
        ("10.8.0.0/16", "arn:aws:networkmanager::123456789012:core-network/core-network-1"),
        ("pl-s3", "vpce-s3"),
        ("pl-ddb", "vpce-ddb"),
        ("::/0", "eigw-1"),
    ]));
    let endpoint = |id: &str, kind: &str, service: &str| VpcEndpoint {
        id: id.to_owned(),
        vpc: "vpc-1".into(),
        kind: kind.to_owned(),
        service: service.to_owned(),
    };
    case.look.endpoints = vec![
        endpoint("vpce-fire", "GatewayLoadBalancer", "com.amazonaws.vpce.us-east-1.vpce-svc-1"),
        endpoint("vpce-s3", "Gateway", "com.amazonaws.us-east-1.s3"),
        endpoint("vpce-ddb", "Gateway", "com.amazonaws.us-east-1.dynamodb"),
        endpoint("vpce-ssm", "Interface", "com.amazonaws.us-east-1.ssm"),
        endpoint("vpce-lattice", "ServiceNetwork", "none"),
    ];
    case.look.lattice = ["vpc-1".into()].into();
    let kinds = ["lambda", "network_load_balancer", "global_accelerator_managed", "ec2_instance_connect_endpoint"];
    case.look.neighbours = [("vpc-1".into(), kinds.map(str::to_owned).into())].into();
    for interface in &mut case.interfaces {
        interface.addresses.push("2001:db8::7".parse().expect("an address"));
    }
    case.check(&expect![[r#"
        new connections are blocked, except through DNS; existing ones MAY CONTINUE through the transit gateway tgw-1 (until idle for 5 days), the firewall endpoint vpce-fire (until idle for 5 days) and 9 more
        - new connections blocked, existing ones expected to drop: eni-1 IPv4 the VPC vpc-1 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
        + new connections blocked, existing ones MAY CONTINUE until idle for 5 days: eni-1 IPv4 the transit gateway tgw-1 - AWS's former list of what it always tracks names transit gateways, the present one does not
        + new connections blocked, existing ones MAY CONTINUE until idle for 5 days: eni-1 IPv4 the firewall endpoint vpce-fire - AWS always tracks what goes through Network Firewall, whose endpoints are of this kind
        + new connections blocked, existing ones MAY CONTINUE until idle for 5 days: eni-1 IPv4 the endpoint vpce-gone - what the endpoint serves was not seen; AWS always tracks some
        + new connections blocked, existing ones MAY CONTINUE until idle for 5 days: eni-1 IPv4 the other route arn:aws:networkmanager::123456789012:core-network/core-network-1 - AWS does not say whether it tracks what goes this way
        + new connections blocked, existing ones MAY CONTINUE until idle for 5 days: eni-1 IPv4 the gateway endpoint vpce-ddb, eni-1 IPv6 the gateway endpoint vpce-ddb - AWS always tracks what goes through DynamoDB's gateway endpoint
        + new connections blocked, existing ones MAY CONTINUE until idle for 5 days: eni-1 IPv4 interface endpoints, eni-1 IPv6 interface endpoints - AWS always tracks what goes to an interface endpoint
        + new connections blocked, existing ones MAY CONTINUE until idle for 5 days: eni-1 IPv4 endpoints of VPC Lattice, eni-1 IPv6 endpoints of VPC Lattice - AWS always tracks what goes to interface endpoints, and does not say it of these
        + new connections blocked, existing ones MAY CONTINUE: eni-1 IPv4 Network Load Balancers in the VPC, eni-1 IPv6 Network Load Balancers in the VPC - AWS always tracks what goes to or from a Network Load Balancer
        + new connections blocked, existing ones MAY CONTINUE until idle for 5 days: eni-1 IPv4 Lambda functions in the VPC, eni-1 IPv6 Lambda functions in the VPC - AWS always tracks what goes to or from Lambda's shared interfaces
        + new connections blocked, existing ones MAY CONTINUE until idle for 5 days: eni-1 IPv4 Global Accelerator, eni-1 IPv6 Global Accelerator - AWS always tracks what comes through Global Accelerator
        + new connections blocked, existing ones MAY CONTINUE until idle for 5 days: eni-1 IPv6 the egress-only internet gateway eigw-1 - AWS always tracks what goes through an egress-only gateway
        + new connections blocked, existing ones expected to drop: eni-1 IPv4 the VPC vpc-1, eni-1 IPv4 the appliance eni-9, eni-1 IPv4 the local gateway lgw-1, eni-1 IPv4 the gateway endpoint vpce-s3, eni-1 IPv4 Instance Connect endpoints, eni-1 IPv6 the VPC vpc-1, eni-1 IPv6 the gateway endpoint vpce-s3, eni-1 IPv6 Instance Connect endpoints - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
        + new connections blocked, existing ones expected to drop: eni-1 IPv4 the peering connection pcx-1, eni-1 IPv4 the virtual private gateway vgw-1 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends; what lies beyond it was not looked at
        + new connections blocked, existing ones expected to drop: eni-1 IPv4 VPC Lattice, eni-1 IPv6 VPC Lattice - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends; whether it is a target there was not looked at
    "#]]);
}

#[test]
fn a_subnets_own_table_counts_before_the_main_one() {
    let mut case = Case::of(look(&[("0.0.0.0/0", "nat-1")]));
    case.look.tables.push(RouteTable {
        vpc: "vpc-1".into(),
        owner: None,
        main: false,
        subnets: vec!["subnet-vpc-1".to_owned()],
        routes: vec![Route { destination: "10.0.0.0/16".to_owned(), target: "local".to_owned() }],
    });
    case.check(&expect![[r#"
        new connections are blocked, except through DNS; existing ones are expected to drop, which AWS does not guarantee (ICMP and similar protocols may continue)
    "#]]);
}

#[test]
fn what_came_through_balancers_depends_on_their_kind() {
    let mut case = Case::of(look(&[]));
    case.left = vec![
        "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/1",
        "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/tcp/2",
        "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/unseen/3",
    ];
    let protocols = ["HTTPS", "TCP"];
    case.look.protocols = case.left.iter().zip(protocols).map(|(arn, p)| ((*arn).to_owned(), p.to_owned())).collect();
    case.check(&expect![[r#"
        new connections are blocked, except through DNS; existing ones MAY CONTINUE through the Network Load Balancer of tcp/2
        + new connections blocked, existing ones MAY CONTINUE: the Network Load Balancer of tcp/2 - AWS always tracks what comes through a Network Load Balancer
        + new connections blocked, existing ones unknown: the load balancer of unseen/3 - its protocol was not seen
    "#]]);
}

#[test]
fn a_stopped_instance_has_no_flows() {
    let mut case = Case::of(look(&[("0.0.0.0/0", "nat-1")]));
    case.instance.state = InstanceState::Stopped;
    case.check(&expect![[r#"
        it is cut off
        - new connections blocked, existing ones MAY CONTINUE: eni-1 ICMP - AWS always tracks it, and does not say for how long
        - new connections blocked, existing ones MAY CONTINUE until idle for 10 minutes: eni-1 other protocols - AWS tracks them by address and protocol: until then even the other side may start again
        - new connections blocked, existing ones expected to drop: eni-1 IPv4 the VPC vpc-1 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
        - new connections open: DNS vpc-1 - no security group filters DNS to the VPC's resolver, nor DHCP, the time service and Windows activation; no DNS firewall is associated with the VPC
        + blocked: eni-1 IPv4 the VPC vpc-1, eni-1 IPv4 the NAT gateway nat-1, eni-1 ICMP, eni-1 other protocols - the instance is not running, so it has no connections
        + blocked: DNS vpc-1 - once it runs: no security group filters DNS to the VPC's resolver, nor DHCP, the time service and Windows activation; no DNS firewall is associated with the VPC
    "#]]);
}

#[test]
fn what_could_not_be_read_is_not_known() {
    let mut case = Case::of(ReachLook::default());
    case.look.groups = look(&[]).groups;
    case.look.gaps = vec![Gap { what: Subject::RouteTables, error: "AccessDenied".into(), retryable: false }];
    case.check(&expect![[r#"
        new connections are blocked, except through DNS (not known: the serial console); whether existing ones continue is not known (ICMP and similar protocols may continue)
        - new connections open: DNS vpc-1 - no security group filters DNS to the VPC's resolver, nor DHCP, the time service and Windows activation; no DNS firewall is associated with the VPC
        - blocked: the serial console - the account does not use it in this Region
        + new connections blocked, existing ones unknown: what was not seen - the route tables could not be read: AccessDenied
        + new connections open: DNS vpc-1 - no security group filters DNS to the VPC's resolver, nor DHCP, the time service and Windows activation; whether a DNS firewall is associated with the VPC could not be read
        + new connections unknown: the serial console - it needs no network; whether the account may use it could not be read
    "#]]);
}

#[test]
fn the_serial_console_and_an_interface_that_is_not_isolated_are_open() {
    let mut case = Case::of(look(&[]));
    case.look.serial_console = Some(true);
    case.treated.isolated = Some(Truth::Unknown);
    case.check(&expect![[r#"
        new connections are blocked, except through DNS and the serial console (not known: the VPC, ICMP, other protocols); whether existing ones continue is not known (ICMP and similar protocols may continue)
        - new connections blocked, existing ones MAY CONTINUE: eni-1 ICMP - AWS always tracks it, and does not say for how long
        - new connections blocked, existing ones MAY CONTINUE until idle for 10 minutes: eni-1 other protocols - AWS tracks them by address and protocol: until then even the other side may start again
        - new connections blocked, existing ones expected to drop: eni-1 IPv4 the VPC vpc-1 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
        - blocked: the serial console - the account does not use it in this Region
        + new connections unknown, existing ones MAY CONTINUE: eni-1 ICMP - AWS always tracks it, and does not say for how long
        + new connections unknown, existing ones MAY CONTINUE until idle for 10 minutes: eni-1 other protocols - AWS tracks them by address and protocol: until then even the other side may start again
        + new connections unknown, existing ones unknown: eni-1 IPv4 the VPC vpc-1 - whether it is isolated was not seen
        + new connections open: the serial console - it needs no network, and the account may use it in this Region; a session that is open is not seen
    "#]]);
}

#[test]
fn of_an_interface_that_is_not_isolated_nothing_is_said_to_be_cut() {
    // Its own groups allow everything: what is open is untracked, and goes on with the rule that allows it.
    let mut case = Case::of(look(&[("0.0.0.0/0", "igw-1")]));
    case.treated.isolated = Some(Truth::No);
    case.look.groups = vec![group(&[("-1", None)])];
    case.left = vec!["arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/net/1"];
    case.look.protocols.insert(case.left[0].to_owned(), "TCP".to_owned());
    case.check(&expect![[r#"
        new connections are blocked, except through the VPC and ICMP and other protocols and the Network Load Balancer of and DNS; existing ones MAY CONTINUE through the VPC vpc-1, the Network Load Balancer of net/1
        - new connections blocked, existing ones MAY CONTINUE: eni-1 ICMP - AWS always tracks it, and does not say for how long
        - new connections blocked, existing ones MAY CONTINUE until idle for 10 minutes: eni-1 other protocols - AWS tracks them by address and protocol: until then even the other side may start again
        - new connections blocked, existing ones expected to drop: eni-1 IPv4 the VPC vpc-1 - it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends
        + new connections open, existing ones MAY CONTINUE: eni-1 IPv4 the VPC vpc-1 - it is not isolated: existing connections continue and new ones can start
        + new connections open, existing ones MAY CONTINUE: eni-1 ICMP - AWS always tracks it, and does not say for how long
        + new connections open, existing ones MAY CONTINUE: eni-1 other protocols - AWS tracks them by address and protocol: until then even the other side may start again
        + new connections open, existing ones MAY CONTINUE: the Network Load Balancer of net/1 - AWS always tracks what comes through a Network Load Balancer
    "#]]);
}
