//! Forensic access through the isolation groups: exactly that, tolerated and kept right.

use std::{fmt::Write as _, sync::Arc};

use brig_core::{
    ledger::Conclusion,
    model::{Direction, Rule},
    report::fact::Truth,
    settings::{ForensicAccess, Policy},
};
use brig_sim::{Break, Fault, Sim, Victim, World};
use expect_test::expect;

use crate::common::{deliver, is_whole};

/// Two instances in one VPC, which has the endpoints of Systems Manager, and a group of responders.
pub fn world() -> (World, Victim) {
    let (mut world, victim) = World::plain();
    let web = world.groups.keys().next().cloned().expect("a group");
    let host = world.instance(9);
    for (at, service) in ["ssm", "ssmmessages", "ec2messages"].into_iter().enumerate() {
        world.interface(&host, "vpc-1", &[&web], &format!("10.0.7.{at}"));
        let eni = world.interfaces.values().last().expect("an interface").shown.id.clone();
        world.endpoints.push((service.to_owned(), "vpc-1".into(), eni));
    }
    world.open_group("vpc-1", "forensics");
    (world, victim)
}

pub fn with(world: &World, access: &str) -> Arc<Sim> {
    let forensic_access = Some(ForensicAccess::parse(access).expect("a setting"));
    Sim::with(world.clone(), 1, Policy { forensic_access, ..Policy::default() })
}

fn rules(sim: &Sim) -> Vec<String> {
    let world = sim.world();
    let isolation = world.groups.values().map(|(group, _)| group).filter(|group| group.name == "brig-isolation");
    let line = |rule: &Rule| {
        let peer =
            world.groups.get(&rule.peer.as_str().into()).map_or(rule.peer.clone(), |(group, _)| group.name.clone());
        format!("{:?} {} {:?} {peer}", rule.direction, rule.protocol, rule.ports)
    };
    let mut lines: Vec<String> = isolation.flat_map(|group| group.rules.iter().map(line)).collect();
    lines.sort();
    lines
}

#[test]
fn exactly_that_is_opened_after_the_cut() {
    let (world, victim) = world();
    let sim = with(&world, "forensics");
    let answer = sim.contain(&victim.id, "r").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Contained, "{answer:#?}");
    let bare = Sim::new(world, 1);
    deliver(&bare, &victim, "r").expect("an answer");
    let cut = |sim: &Sim| sim.calls().iter().position(|call| call.operation == "ModifyNetworkInterfaceAttribute");
    assert_eq!(cut(&sim), cut(&bare), "the cut waits for none of it");
    let path = answer.verdict.paths.iter().find(|path| path.kind == "forensic_access").expect("the path");
    expect![[r#"
        [
            "Egress tcp Some((443, 443)) 10.0.7.0/32",
            "Egress tcp Some((443, 443)) 10.0.7.1/32",
            "Egress tcp Some((443, 443)) 10.0.7.2/32",
            "Ingress tcp Some((22, 22)) forensics",
            "Ingress tcp Some((3389, 3389)) forensics",
        ]
        BRIG_FORENSIC_ACCESS lets SSH and RDP in from sg-00000009, and HTTPS out to 10.0.7.0/32, 10.0.7.1/32, 10.0.7.2/32
        i-00000000000000001 (web-1) in 123456789012/us-east-1 is contained: new connections are blocked, except through DNS and forensic access; existing ones are expected to drop, which AWS does not guarantee (ICMP and similar protocols may continue), its credentials are denied, it is in no Auto Scaling group and behind no load balancer, its volumes are kept and snapshots have started."#]].assert_eq(&format!("{:#?}\n{}\n{}", rules(&sim), path.why, answer.verdict.summary));
    assert_eq!(sim.violations(), Vec::<String>::new());
}

#[test]
fn the_next_containment_finds_it_and_changes_nothing() {
    let (world, victim) = world();
    let sim = with(&world, "10.9.0.0/16");
    deliver(&sim, &victim, "r").expect("an answer");
    let before = (rules(&sim), sim.calls().len());
    let other = Victim { id: victim.sibling.clone(), sibling: victim.id.clone() };
    let answer = deliver(&sim, &other, "other").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Contained, "{answer:#?}");
    assert_eq!(rules(&sim), before.0);
    let touched = |name: &str| sim.calls().iter().skip(before.1).filter(|call| call.operation == name).count();
    let rules = ["RevokeSecurityGroupIngress", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress"];
    assert_eq!(rules.map(touched), [0, 0, 0], "what is there stays");
    let again = sim.contain(&victim.id, "r2").expect("an answer");
    assert_eq!(again.outcome, Conclusion::AlreadyContained, "{again:#?}");
}

#[test]
fn a_stray_rule_goes_and_what_was_removed_comes_back() {
    let (world, victim) = world();
    let sim = with(&world, "10.9.0.0/16");
    deliver(&sim, &victim, "r").expect("an answer");
    let right = rules(&sim);
    sim.change(|world| {
        let (group, _) = world.groups.values_mut().find(|(group, _)| group.name == "brig-isolation").expect("it");
        group.rules.remove(0);
        let wide = Rule { peer: "0.0.0.0/0".to_owned(), ..group.rules[0].clone() };
        group.rules.push(wide);
        let shaped = |peer: &str| Rule {
            direction: Direction::Egress,
            protocol: "tcp".to_owned(),
            ports: Some((443, 443)),
            peer: peer.to_owned(),
        };
        // One like it, to a stranger: what it is decides, not its shape.
        group.rules.push(shaped("203.0.113.9/32"));
    });
    let answer = deliver(&sim, &victim, "r2").expect("an answer");
    assert!(is_whole(&answer), "{answer:#?}");
    let revoked = answer.steps.iter().find(|step| step.step.name() == "revoke_security_group_rules").expect("the step");
    assert_eq!(revoked.detail.to_string(), "1 rule(s) revoked", "what belongs there stays meanwhile");
    assert_eq!(rules(&sim), right);
    assert_eq!(sim.violations(), Vec::<String>::new());
}

#[test]
fn without_the_setting_it_is_a_stray() {
    let (world, victim) = world();
    let sim = with(&world, "10.9.0.0/16");
    deliver(&sim, &victim, "r").expect("an answer");
    let bare = Sim::with(sim.world(), 1, Policy::default());
    let other = Victim { id: victim.sibling.clone(), sibling: victim.id.clone() };
    let answer = deliver(&bare, &other, "other").expect("an answer");
    assert_eq!(answer.verdict.truths.network, Truth::Yes, "{answer:#?}");
    assert!(answer.verdict.paths.iter().all(|path| path.kind != "forensic_access"));
}

#[test]
fn what_may_be_forensic_access_and_is_not_known_to_be_is_not_said_to_be_isolated() {
    let (world, victim) = world();
    let sim = with(&world, "10.9.0.0/16");
    deliver(&sim, &victim, "r").expect("an answer");
    sim.change(|world| {
        let (group, _) = world.groups.values_mut().find(|(group, _)| group.name == "brig-isolation").expect("it");
        let peer = "203.0.113.9/32".to_owned();
        let ports = Some((443, 443));
        group.rules.push(Rule { direction: Direction::Egress, protocol: "tcp".to_owned(), ports, peer });
    });
    sim.breaks(Break::Always("DescribeVpcEndpoints", Fault::Denied));
    let answer = deliver(&sim, &victim, "r2").expect("an answer");
    assert_eq!(answer.verdict.truths.network, Truth::Unknown, "{answer:#?}");
    sim.heal();
    let answer = deliver(&sim, &victim, "r3").expect("an answer");
    assert_eq!(answer.verdict.truths.network, Truth::Yes, "{answer:#?}");
    assert!(!rules(&sim).iter().any(|rule| rule.contains("203.0.113.9")), "{:?}", rules(&sim));
}

#[test]
fn what_it_needs_and_cannot_be_read_costs_no_cut() {
    let (world, victim) = world();
    let mut shown = String::new();
    for operation in ["DescribeVpcEndpoints", "AuthorizeSecurityGroupIngress"] {
        let sim = with(&world, "10.9.0.0/16");
        sim.breaks(Break::Always(operation, Fault::Denied));
        let answer = deliver(&sim, &victim, "r").expect("an answer");
        assert_eq!(answer.verdict.truths.network, Truth::Yes, "{operation}: {answer:#?}");
        let notes = answer.notes.iter().filter(|note| note.to_string().contains("forensic access"));
        let steps = answer.steps.iter().filter(|step| step.step.name() == "authorize_forensic_access");
        let _ = writeln!(shown, "{operation}");
        shown.extend(notes.map(|note| format!("  {note}\n")));
        shown.extend(steps.map(|step| format!("  {} {} {}\n", step.outcome, step.step, step.detail)));
    }
    expect![[r#"
        DescribeVpcEndpoints
          forensic access is as it was: what forensic access is made from could not be read: DescribeVpcEndpoints: AccessDenied: by the simulator (grant this operation to the function's role)
        AuthorizeSecurityGroupIngress
          failed authorize_forensic_access AuthorizeSecurityGroupIngress: AccessDenied: by the simulator (grant this operation to the function's role)
    "#]].assert_eq(&shown);
}
