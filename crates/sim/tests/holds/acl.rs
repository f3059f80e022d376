//! Remote addresses in network ACLs: on record before, merged over containments, and as they were once all are released.

use std::{collections::BTreeSet, fmt::Write as _, net::IpAddr, sync::Arc, time::Duration};

use brig_core::{
    ledger::Conclusion,
    model::{ids::InstanceId, reach::Route},
    report::{
        answer::{Answer, StepReport},
        fact::Truth,
    },
    settings::{Escalation, Policy},
    trigger::Rejoin,
};
use brig_sim::{Break, Fault, Sim, Victim, World};
use expect_test::expect;

use crate::{
    common::{deliver, is_whole, report},
    release::release,
};

const REMOTES: [&[&str]; 3] =
    [&["203.0.113.9", "2a01:4f8::1"], &["2a01:4f8::1", "198.51.100.7", "52.94.1.1"], &["203.0.113.9", "198.51.100.7"]];
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/// Three instances in one subnet, and findings that name addresses in common.
pub fn world() -> (World, Vec<Victim>) {
    let (mut world, victim) = World::plain();
    let web = world.groups.keys().next().cloned().expect("a group");
    let third = world.instance(3);
    world.interface(&third, "vpc-1", &[&web], "10.0.0.3");
    world.acl("acl-1", &["subnet-vpc-1", "subnet-of-others"]);
    world.published.push("52.94.0.0/22".parse().expect("a range"));
    let ids = [victim.id.clone(), victim.sibling.clone(), third];
    for (id, remotes) in ids.iter().zip(REMOTES) {
        world.remotes.insert(id.clone(), remotes.iter().map(|remote| remote.parse().expect("an address")).collect());
    }
    let victim = |id: &InstanceId| Victim { id: id.clone(), sibling: victim.sibling.clone() };
    (world, ids.iter().map(victim).collect())
}

pub fn with(world: &World) -> Arc<Sim> {
    Sim::with(world.clone(), 1, Policy { escalate: vec![Escalation::RemoteAcl], ..Policy::default() })
}

fn steps(answer: &Answer) -> String {
    let of_acls = answer.steps.iter().filter(|step| step.resource.starts_with("acl-"));
    let line = |step: &StepReport| format!("{} {} {} - {}\n", step.outcome, step.step, step.resource, step.detail);
    of_acls.map(line).collect::<Vec<_>>().concat()
}

/// The addresses that the ACL denies both ways before it lets anything through.
fn denied(world: &World) -> BTreeSet<IpAddr> {
    let acl = world.acls.get("acl-1").expect("the ACL");
    let of = |egress: bool| -> BTreeSet<IpAddr> {
        let early = acl.entries.iter().filter(|entry| entry.egress == egress && entry.number < acl.first_allow(egress));
        early.filter(|entry| !entry.allow).map(|entry| entry.cidr.addr()).collect()
    };
    of(false).intersection(&of(true)).copied().collect()
}

/// What the findings of these instances name and may be denied.
fn wanted(world: &World, of: &[&Victim]) -> BTreeSet<IpAddr> {
    let awss = world.published.first().expect("a range");
    let named = of.iter().flat_map(|victim| world.remotes.get(&victim.id).expect("addresses").iter());
    named.filter(|address| !awss.contains(*address)).copied().collect()
}

#[test]
fn remote_addresses_are_denied_and_given_back() {
    let (world, victims) = world();
    let sim = with(&world);
    let answer = sim.contain(&victims[1].id, "r").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Contained, "{answer:#?}");
    let notes: Vec<String> =
        answer.notes.iter().map(ToString::to_string).filter(|note| note.contains("network ACL")).collect();
    let rules = sim.world().denied();
    let back = release(&sim, &victims[1]);
    assert_eq!(back.outcome, Conclusion::Released, "{back:#?}");
    assert_eq!(sim.world().denied(), world.denied());
    assert_eq!(sim.violations(), Vec::<String>::new());
    expect![[r#"
        changed create_network_acl_entry acl-1/2a01:4f8::1 - both ways, rules 1 and 1
        changed create_network_acl_entry acl-1/198.51.100.7 - both ways, rules 2 and 2
        [
            "52.94.1.1 is not denied in a network ACL: it is AWS's own (52.94.0.0/22 is published)",
            "what is denied in the network ACL acl-1 is denied to everyone in subnet-vpc-1, subnet-of-others, not only to this instance",
        ]
        acl-1 1 denies from 2a01:4f8::1/128
        acl-1 2 denies from 198.51.100.7/32
        acl-1 100 allows from 0.0.0.0/0
        acl-1 32767 denies from 0.0.0.0/0
        acl-1 1 denies to 2a01:4f8::1/128
        acl-1 2 denies to 198.51.100.7/32
        acl-1 100 allows to 0.0.0.0/0
        acl-1 32767 denies to 0.0.0.0/0
        released:
        changed delete_network_acl_entry acl-1/2a01:4f8::1/1/1 - the rules are gone
        changed delete_network_acl_entry acl-1/198.51.100.7/2/2 - the rules are gone
    "#]].assert_eq(&format!("{}{notes:#?}\n{rules}released:\n{}", steps(&answer), steps(&back)));
}

#[test]
fn three_containments_merge_and_released_in_any_order_give_the_acl_back() {
    for order in ORDERS {
        let (world, victims) = world();
        let sim = with(&world);
        for victim in &victims {
            let answer = deliver(&sim, victim, victim.id.as_str()).expect("an answer");
            assert_eq!(answer.outcome, Conclusion::Contained, "{answer:#?}");
        }
        assert_eq!(denied(&sim.world()), wanted(&world, &victims.iter().collect::<Vec<_>>()));
        let rules = sim.world().acls["acl-1"].entries.len() - world.acls["acl-1"].entries.len();
        assert_eq!(rules, 6, "each address is denied once each way");
        for (at, one) in order.iter().enumerate() {
            let back = release(&sim, &victims[*one]);
            assert_eq!(back.outcome, Conclusion::Released, "{order:?}: {back:#?}");
            let left: Vec<&Victim> = order[at + 1..].iter().map(|other| &victims[*other]).collect();
            assert_eq!(denied(&sim.world()), wanted(&world, &left), "{order:?} after {one}");
        }
        assert_eq!(sim.world().denied(), world.denied(), "{order:?}");
        assert_eq!(sim.violations(), Vec::<String>::new());
    }
}

#[test]
fn containments_and_releases_at_once_leave_what_the_contained_want() {
    let (world, victims) = world();
    let mut failures = Vec::new();
    let seeds = 0..600;
    for seed in seeds.clone() {
        let policy = Policy { escalate: vec![Escalation::RemoteAcl], ..Policy::default() };
        let sim = Sim::with(world.clone(), seed, policy);
        deliver(&sim, &victims[0], "first").expect("an answer");
        sim.latency(1, 400);
        let time = Duration::from_mins(2);
        // One is released while two others are contained.
        let (one, two) = (sim.process(1, &victims[1].id, "a", time), sim.process(2, &victims[2].id, "b", time));
        let back = sim.releasing(3, &victims[0].id, Rejoin::No, "back");
        let ended = sim.run(futures::future::join3(one, two, back)).expect("nobody waits for ever");
        let calm = [&ended.0, &ended.1].iter().all(|answer| answer.as_ref().is_some_and(|answer| !answer.left_over));
        let found = denied(&sim.world());
        if calm && found != wanted(&world, &[&victims[1], &victims[2]]) {
            failures.push(format!("seed {seed}, at once: {found:?}"));
        }
        for victim in &victims[1..] {
            deliver(&sim, victim, &format!("again-{}", victim.id)).expect("an answer");
        }
        let found = denied(&sim.world());
        if found != wanted(&world, &[&victims[1], &victims[2]]) {
            failures.push(format!("seed {seed}: {found:?}"));
        }
        for victim in &victims[1..] {
            release(&sim, victim);
        }
        if sim.world().denied() != world.denied() {
            failures.push(format!("seed {seed}: left over\n{}", sim.world().denied()));
        }
        failures.extend(sim.violations());
    }
    report(seeds.count(), &failures);
}

#[test]
fn killed_at_every_await_point_it_ends_the_same_and_is_given_back() {
    let (world, victims) = world();
    let calm = with(&world);
    deliver(&calm, &victims[0], "r").expect("an answer");
    let mut failures = Vec::new();
    let points = calm.points();
    for point in 0..points {
        let sim = with(&world);
        sim.kill_at(point);
        let _ = sim.contain(&victims[0].id, "r");
        sim.wait(Duration::from_mins(1));
        let answer = deliver(&sim, &victims[0], "r").expect("an answer");
        let found = denied(&sim.world());
        if !is_whole(&answer) || found != wanted(&world, &[&victims[0]]) {
            failures.push(format!("killed at {point}: {found:?} {}", answer.verdict.summary));
        }
        release(&sim, &victims[0]);
        if sim.world().denied() != world.denied() {
            failures.push(format!("killed at {point}: left over\n{}", sim.world().denied()));
        }
        failures.extend(sim.violations());
    }
    report(points, &failures);
}

#[test]
fn a_release_killed_at_every_await_point_is_ended_by_the_next() {
    let (world, victims) = world();
    let contained = || {
        let sim = with(&world);
        for victim in &victims[..2] {
            deliver(&sim, victim, victim.id.as_str()).expect("an answer");
        }
        sim
    };
    let calm = contained();
    let before = calm.points();
    release(&calm, &victims[0]);
    let mut failures = Vec::new();
    let points = before..calm.points();
    for point in points.clone() {
        let sim = contained();
        sim.kill_at(point);
        let _ = sim.release(&victims[0].id, Rejoin::No, "back");
        sim.revive(0);
        sim.wait(Duration::from_mins(3));
        let back = sim.release(&victims[0].id, Rejoin::No, "again").expect("an answer");
        let found = denied(&sim.world());
        if back.outcome != Conclusion::Released || found != wanted(&world, &[&victims[1]]) {
            failures.push(format!("killed at {point}: {found:?} {}", back.verdict.summary));
        }
        release(&sim, &victims[1]);
        if sim.world().denied() != world.denied() {
            failures.push(format!("killed at {point}: left over\n{}", sim.world().denied()));
        }
        failures.extend(sim.violations());
    }
    report(points.count(), &failures);
}

#[test]
fn two_releases_at_once_of_which_one_dies_leave_no_rule() {
    let (world, victims) = world();
    let both = |kill: Option<usize>| {
        let sim = with(&world);
        for victim in [&victims[0], &victims[2]] {
            deliver(&sim, victim, victim.id.as_str()).expect("an answer");
        }
        let before = sim.points();
        if let Some(point) = kill {
            sim.kill_at(point);
        }
        let (one, two) =
            (sim.releasing(1, &victims[0].id, Rejoin::No, "one"), sim.releasing(2, &victims[2].id, Rejoin::No, "two"));
        let _ = sim.run(futures::future::join(one, two));
        (sim, before)
    };
    let (calm, before) = both(None);
    assert_eq!(calm.world().denied(), world.denied());
    let points = before..calm.points();
    let mut failures = Vec::new();
    for point in points.clone() {
        let (sim, _) = both(Some(point));
        sim.wait(Duration::from_mins(3));
        for victim in [&victims[0], &victims[2]] {
            sim.release(&victim.id, Rejoin::No, "again").expect("an answer");
        }
        if sim.world().denied() != world.denied() {
            failures.push(format!("killed at {point}: left over\n{}", sim.world().denied()));
        }
        failures.extend(sim.violations());
    }
    report(points.count(), &failures);
}

#[test]
fn what_cannot_be_read_or_made_costs_no_cut_and_is_said() {
    let (world, victims) = world();
    let mut shown = String::new();
    for operation in ["DescribeNetworkAcls", "CreateNetworkAclEntry", "GetPublishedRanges", "DescribeRouteTables"] {
        let sim = with(&world);
        sim.breaks(Break::Always(operation, Fault::Denied));
        let answer = sim.contain(&victims[0].id, "r").expect("an answer");
        assert_eq!(denied(&sim.world()), BTreeSet::new());
        assert_eq!(answer.verdict.truths.network, Truth::Yes, "{operation}: {}", answer.verdict.summary);
        let notes = answer
            .notes
            .iter()
            .filter(|note| note.to_string().contains("203.0.113.9") || note.to_string().contains("remote address"));
        let _ = write!(shown, "{operation}: {:?}\n{}", answer.outcome, steps(&answer));
        shown.extend(notes.map(|note| format!("  {note}\n")));
    }
    expect![[r#"
        DescribeNetworkAcls: Contained
          no remote address is denied in a network ACL: they could not be read (DescribeNetworkAcls: AccessDenied: by the simulator)
        CreateNetworkAclEntry: Contained
        failed create_network_acl_entry acl-1/203.0.113.9 - CreateNetworkAclEntry: AccessDenied: by the simulator (grant this operation to the function's role)
        failed create_network_acl_entry acl-1/2a01:4f8::1 - CreateNetworkAclEntry: AccessDenied: by the simulator (grant this operation to the function's role)
        GetPublishedRanges: Contained
          203.0.113.9 is not denied in a network ACL: it may be AWS's own: its published ranges could not be read (GetPublishedRanges: AccessDenied: by the simulator)
        DescribeRouteTables: Contained
          203.0.113.9 is not denied in a network ACL: it may be your own: the route tables could not be read (DescribeRouteTables: AccessDenied: by the simulator)
    "#]].assert_eq(&shown);
}

#[test]
fn a_number_taken_meanwhile_is_left_to_who_took_it() {
    let (world, victims) = world();
    let calm = with(&world);
    deliver(&calm, &victims[0], "r").expect("an answer");
    let at = calm.calls().iter().position(|call| call.operation == "CreateNetworkAclEntry").expect("a call");
    let sim = with(&world);
    let theirs = "192.0.2.0/24".parse().expect("a range");
    sim.happens(at, move |world| {
        let acl = world.acls.get_mut("acl-1").expect("the ACL");
        let mut entry = acl.entries[0].clone();
        (entry.number, entry.allow, entry.cidr) = (1, false, theirs);
        acl.entries.insert(0, entry);
    });
    let answer = deliver(&sim, &victims[0], "r").expect("an answer");
    assert!(is_whole(&answer), "{answer:#?}");
    assert_eq!(denied(&sim.world()), wanted(&world, &[&victims[0]]));
    release(&sim, &victims[0]);
    let left = sim.world().denied();
    let theirs = "acl-1 1 denies from 192.0.2.0/24";
    assert!(left.contains(theirs), "{left}");
    assert_eq!(left.replace(&format!("{theirs}\n"), ""), world.denied());
}

#[test]
fn a_way_to_networks_of_ones_own_denies_nothing() {
    let (mut world, victims) = world();
    world.remotes.insert(victims[0].id.clone(), vec!["203.0.113.9".parse().expect("an address")]);
    let route = Route { destination: "0.0.0.0/0".to_owned(), target: "tgw-1".to_owned() };
    world.reach.tables[0].routes.push(route);
    let sim = with(&world);
    let answer = sim.contain(&victims[0].id, "r").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Contained);
    assert_eq!(sim.world().denied(), world.denied());
    assert!(
        answer.notes.iter().any(|note| note.to_string().contains("203.0.113.9 is not denied")),
        "{:#?}",
        answer.notes
    );
}
