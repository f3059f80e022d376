//! The power that each duty is said to need is the power it uses: no call lacks an action, no look is listed that nothing
//! makes.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use brig_core::{
    decide::Asks,
    iam::power::{Duty, Read, there},
    model::{Destination, Principal, SessionKind},
    trigger::{Readiness, Rejoin},
};
use brig_sim::{REGION, Sim, World};

use crate::common::{calm, deliver};

/// Calls at home, and one that stands for several.
const HOME: [&str; 8] =
    ["Query", "GetItem", "PutItem", "UpdateItem", "TransactWriteItems", "DeleteItem", "Publish", "GetTopicAttributes"];

fn operations(sim: &Sim) -> BTreeSet<&'static str> {
    let calls = sim.calls();
    calls
        .iter()
        .map(|call| call.operation)
        .filter(|operation| !HOME.contains(operation) && *operation != "DryRun")
        .collect()
}

/// Names of the actions without their service.
fn actions(duty: Duty) -> BTreeSet<String> {
    there(duty).iter().filter_map(|action| action.split_once(':')).map(|(_, name)| name.to_owned()).collect()
}

fn lacking(sim: &Sim, duty: Duty) -> Vec<&'static str> {
    let actions = actions(duty);
    // Both ways of a rule have an operation each; the simulator has one for them.
    let name = |operation: &str| match operation {
        "AuthorizeSecurityGroup" => "AuthorizeSecurityGroupEgress".to_owned(),
        "RevokeSecurityGroup" => "RevokeSecurityGroupEgress".to_owned(),
        "ListObjectsV2" => "ListBucket".to_owned(),
        other => other.to_owned(),
    };
    operations(sim).into_iter().filter(|operation| !actions.contains(&name(operation))).collect()
}

fn idle(used: &BTreeSet<&'static str>, duty: Duty) -> Vec<&'static str> {
    use strum::IntoEnumIterator as _;
    Read::iter().filter(|read| read.serves(duty)).map(Read::operation).filter(|name| !used.contains(name)).collect()
}

#[test]
fn a_containment_makes_no_call_that_is_missing_from_its_power_and_looks_at_all_that_it_lists() {
    let (world, victim) = World::production();
    let contained: Arc<Sim> = calm(&world, &victim);
    assert_eq!(lacking(&contained, Duty::Contain), Vec::<&str>::new());
    let mut used = operations(&contained);

    // A verification asks who did it; a group that was changed has its rules listed.
    contained.change(|world| {
        world.flow_logs.push(brig_core::model::FlowLog {
            resource: "vpc-1".to_owned(),
            traffic: "ALL".to_owned(),
            destination: Destination::LogGroup("flow".to_owned()),
            format: String::new(),
            interval: Duration::from_mins(1),
        });
        world
            .associations
            .insert("iip-assoc-9".to_owned(), (victim.id.clone(), "arn:aws:iam::1:instance-profile/x".to_owned()));
        for (group, _) in world.groups.values_mut().filter(|(group, _)| group.name == "brig-isolation") {
            group.rules.push(brig_core::model::Rule {
                direction: brig_core::model::Direction::Egress,
                protocol: "-1".to_owned(),
                ports: None,
                peer: "0.0.0.0/0".to_owned(),
            });
        }
    });
    let engine = contained.engine(0);
    let invocation = contained.invocation("v", Duration::from_mins(2));
    contained.run(engine.verify_all(Asks::Machine, &invocation)).expect("an end").expect("an answer");
    // The next one reads a flow log's files.
    contained.change(|world| {
        for log in &mut world.flow_logs {
            log.destination = Destination::Bucket(crate::proof::files());
            log.format = "${interface-id}".to_owned();
        }
    });
    crate::proof::put(&contained, 1, "a", &[]);
    let again = contained.invocation("w", Duration::from_mins(2));
    contained.run(engine.verify_all(Asks::Machine, &again)).expect("an end").expect("an answer");
    let asked = Readiness { prepare: false, accounts: Vec::new(), instance: Some(victim.id.clone()), notify: false };
    let region = REGION.parse().expect("a Region");
    contained.run(engine.readiness(&asked, &region, &invocation)).expect("an end").expect("an answer");
    assert_eq!(lacking(&contained, Duty::Contain), Vec::<&str>::new());
    used.extend(operations(&contained));

    // The responders' profile takes the place of the instance's own.
    let (world, victim) = crate::forensic::world();
    let forensic = crate::forensic::with(&world);
    deliver(&forensic, &victim, "r").expect("an answer");
    assert_eq!(lacking(&forensic, Duty::Contain), Vec::<&str>::new());

    // One that is not where the event says is looked for in the account's other Regions.
    let (mut world, victim) = World::plain();
    world.elsewhere.insert(victim.id.clone(), "eu-west-1".parse().expect("a Region"));
    let moved = Sim::new(world, 1);
    deliver(&moved, &victim, "r").expect("an answer");
    assert_eq!(lacking(&moved, Duty::Contain), Vec::<&str>::new());
    used.extend(operations(&moved));

    // A role that a finding names is looked up.
    let (mut world, victim) = World::plain();
    world.named.insert(victim.id.clone(), (vec!["app".to_owned()], Vec::new()));
    let named = calm(&world, &victim);
    assert_eq!(lacking(&named, Duty::Contain), Vec::<&str>::new());
    used.extend(operations(&named));

    // It is stopped where somebody asks, and started by the release.
    let (world, victim) = crate::stop::asked(true);
    let stopped = Sim::new(world, 1);
    deliver(&stopped, &victim, "r").expect("an answer");
    assert_eq!(lacking(&stopped, Duty::Contain), Vec::<&str>::new());

    // Network ACLs are looked at where a finding's remote addresses are denied in them.
    let (world, victims) = crate::acl::world();
    let denying = crate::acl::with(&world);
    deliver(&denying, &victims[0], "r").expect("an answer");
    let published = |operation: &&str| *operation != "GetPublishedRanges";
    assert_eq!(lacking(&denying, Duty::Contain).into_iter().filter(published).count(), 0);
    used.extend(operations(&denying));

    // Hooks are looked at where one holds the instance.
    let (mut world, victim) = World::production();
    let group = world.scaling.get_mut("group").expect("a group");
    group.members.insert(victim.id.clone(), "Terminating:Wait".to_owned());
    group.hooks.insert("drain".to_owned(), 0);
    let held = Sim::new(world, 1);
    deliver(&held, &victim, "r").expect("an answer");
    assert_eq!(lacking(&held, Duty::Contain), Vec::<&str>::new());
    used.extend(operations(&held));

    // A user; a key of another account is asked about.
    let (mut world, user) = crate::users::world();
    world.foreign_keys.insert("AKIAFOREIGNFOREIGN00".to_owned(), "999988887777".to_owned());
    let foreign = Principal::AccessKey { id: "AKIAFOREIGNFOREIGN00".parse().expect("a key"), user: None };
    let principal = crate::users::key(&world, &user);
    let denied = Sim::new(world, 1);
    denied.contain_principal(&principal, "r").expect("an answer");
    denied.contain_principal(&foreign, "s").expect("an answer");
    assert_eq!(lacking(&denied, Duty::Contain), Vec::<&str>::new());
    used.extend(operations(&denied));
    assert_eq!(idle(&used, Duty::Contain), Vec::<&str>::new());
}

#[test]
fn a_release_makes_no_call_that_is_missing_from_its_power_and_looks_at_all_that_it_lists() {
    let (world, victim) = World::production();
    // A pod's interface is looked at by itself.
    let (node, host, _) = crate::interfaces::node();
    let mut used = BTreeSet::new();
    for (world, victim) in [(world, victim), (node, host), crate::stop::asked(false)] {
        let sim = calm(&world, &victim);
        let before = sim.calls().len();
        sim.release(&victim.id, Rejoin::Yes, "back").expect("an answer");
        let calls = sim.calls().into_iter().skip(before).map(|call| call.operation);
        used.extend(calls.filter(|operation| !HOME.contains(operation)));
    }
    let (world, victims) = crate::acl::world();
    let denying = crate::acl::with(&world);
    deliver(&denying, &victims[0], "r").expect("an answer");
    let before = denying.calls().len();
    denying.release(&victims[0].id, Rejoin::Yes, "back").expect("an answer");
    let calls = denying.calls().into_iter().skip(before).map(|call| call.operation);
    used.extend(calls.filter(|operation| !HOME.contains(operation)));
    let (mut world, user) = crate::users::world();
    world.foreign_keys.insert("AKIAFOREIGNFOREIGN00".to_owned(), "999988887777".to_owned());
    let foreign = Principal::AccessKey { id: "AKIAFOREIGNFOREIGN00".parse().expect("a key"), user: None };
    world.users.get_mut(&user).expect("it").boundary = Some("arn:aws:iam::123456789012:policy/before".to_owned());
    let other: brig_core::model::ids::UserName = "bob".parse().expect("a name");
    let denied = Sim::new(world.clone(), 1);
    for principal in [crate::users::key(&world, &user), crate::users::key(&world, &other), foreign] {
        denied.contain_principal(&principal, "r").expect("an answer");
        let before = denied.calls().len();
        denied.release_principal(&principal, "back").expect("an answer");
        let calls = denied.calls().into_iter().skip(before).map(|call| call.operation);
        used.extend(calls.filter(|operation| !HOME.contains(operation)));
    }
    let (world, _) = World::plain();
    let role = Principal::Session { kind: SessionKind::Role, name: "app".to_owned() };
    let denied = Sim::new(world, 1);
    denied.order_principal(&role, "r").expect("an answer");
    assert_eq!(lacking(&denied, Duty::Contain), Vec::<&str>::new());
    let before = denied.calls().len();
    denied.release_principal(&role, "back").expect("an answer");
    let calls = denied.calls().into_iter().skip(before).map(|call| call.operation);
    used.extend(calls.filter(|operation| !HOME.contains(operation)));
    let actions = actions(Duty::Release);
    let lacking: Vec<_> = used.iter().filter(|operation| !actions.contains(**operation)).collect();
    assert_eq!(lacking, Vec::<&&str>::new());
    assert_eq!(idle(&used, Duty::Release), Vec::<&str>::new());
}
