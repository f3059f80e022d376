//! The same scenarios in the simulator and at the endpoints end in the same state, so that what the simulator's sweeps show
//! is true of more than the simulator.
#![expect(clippy::expect_used, reason = "a test stops at the first thing that is not as it must be")]

use std::{collections::BTreeMap, sync::Arc};

use brig_core::{
    model::{deny_policy, ids::InstanceId},
    trigger::Rejoin,
};
use brig_sim::{Sim, World};
use brig_tests::{
    account::{ACCOUNT, Account, Office, REGION},
    function::Function,
    seed::Launch,
};
use serde_json::json;

/// What both sides can be asked about an instance, without the ids that AWS gives.
#[derive(Debug, PartialEq)]
struct Facts {
    interfaces: Vec<Vec<String>>,
    has_profile: bool,
    metadata: String,
    group: Option<bool>,
    targets: usize,
    classic: usize,
    protection: (bool, bool),
    shutdown: String,
    volumes: BTreeMap<String, bool>,
    state_tag: Option<String>,
    denied: bool,
    /// Device and lock of each snapshot.
    snapshots: Vec<(Option<String>, bool)>,
}

fn arn(instance: &str) -> String {
    let id: InstanceId = instance.parse().expect("an id");
    id.arn(&ACCOUNT.parse().expect("an account"), &REGION.parse().expect("a Region"))
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort();
    items
}

async fn at_the_endpoints(account: &Account, instance: &str, role: Option<&str>, containment: Option<&str>) -> Facts {
    let state = account.state(instance).await;
    let policy = match role {
        Some(role) => account.policy(role, deny_policy::NAME).await,
        None => None,
    };
    let snapshots = match containment {
        Some(id) => account.snapshots(id).await,
        None => Vec::new(),
    };
    Facts {
        interfaces: sorted(state.interfaces.values().map(|groups| groups.iter().cloned().collect())),
        has_profile: state.profile.is_some(),
        metadata: state.metadata,
        group: state.group.map(|_| true),
        targets: state.targets.len(),
        classic: state.classic.len(),
        protection: state.protection,
        shutdown: state.shutdown,
        volumes: state.volumes,
        state_tag: state.tags.get("brig:state").cloned(),
        denied: policy.is_some_and(|policy| deny_policy::denies(&policy, &arn(instance))),
        snapshots: sorted(snapshots.into_iter().map(|(_, device, locked)| (device, locked))),
    }
}

fn in_the_simulator(sim: &Sim, id: &InstanceId) -> Facts {
    let world = sim.world();
    let instance = world.instances.get(id).expect("it");
    let name = |group| world.groups.get(group).map(|(group, _)| group.name.clone()).unwrap_or_default();
    let own = world.interfaces.values().filter(|eni| eni.instance.as_ref() == Some(id));
    let addresses: Vec<String> =
        own.clone().flat_map(|eni| &eni.shown.addresses).map(ToString::to_string).chain([id.to_string()]).collect();
    let targets = world.target_groups.values().flat_map(|group| &group.targets);
    let volumes = world.volumes(id);
    Facts {
        interfaces: sorted(own.map(|eni| sorted(eni.shown.groups.iter().map(name)))),
        has_profile: world.describe(id).and_then(|seen| seen.profile).is_some(),
        metadata: instance.shown.metadata.endpoint.clone(),
        group: world.scaling.values().any(|group| group.members.contains_key(id)).then_some(true),
        targets: targets.filter(|held| addresses.contains(&held.id) && held.state != "draining").count(),
        classic: world.classic.values().filter(|held| held.contains(id)).count(),
        protection: (instance.termination_protection, instance.stop_protection),
        shutdown: instance.shutdown.clone(),
        volumes: instance.shown.volumes.iter().map(|v| (v.device.clone(), v.delete_on_termination)).collect(),
        state_tag: instance.shown.tags.get("brig:state").cloned(),
        denied: world.policies.values().any(|policy| deny_policy::denies(policy, &arn(id.as_str()))),
        snapshots: sorted(
            world
                .snapshots
                .values()
                .filter(|snapshot| volumes.contains(&snapshot.volume))
                .map(|snapshot| (snapshot.tags.get("brig:device").cloned(), snapshot.locked == Some(true))),
        ),
    }
}

async fn invoke(function: &Function, event: serde_json::Value) -> Option<String> {
    let response = function.invoke(&event).await.expect("a response");
    response.pointer("/containments/0/containment_id").and_then(serde_json::Value::as_str).map(str::to_owned)
}

async fn open() -> (Account, Office, Function) {
    let account = Account::open().await;
    let office = account.office().await;
    let function = Function::start(&office.settings()).await;
    (account, office, function)
}

fn root_device(world: &mut World, id: &InstanceId) {
    // The endpoint's images boot from this device, and an instance of its own shuts down to stopped.
    let instance = world.instances.get_mut(id).expect("it");
    if let Some(root) = instance.shown.volumes.first_mut() {
        "/dev/sda1".clone_into(&mut root.device);
    }
    "stop".clone_into(&mut instance.shutdown);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_production_account_ends_the_same_in_both() {
    let (account, _office, function) = open().await;
    let seeded = account.production().await;
    let role = Some(seeded.identity.role.as_str());

    let mut world = World::default();
    let (web, admin) = (world.open_group("vpc-1", "web"), world.open_group("vpc-1", "admin"));
    let (id, sibling) = (world.instance(1), world.instance(2));
    world.interface(&id, "vpc-1", &[&web], "10.20.0.4");
    world.interface(&id, "vpc-1", &[&admin], "10.20.1.4");
    world.interface(&sibling, "vpc-1", &[&web], "10.20.0.5");
    world.volume(&id, "/dev/sdf", false);
    world.volume(&id, "/dev/sdg", false);
    root_device(&mut world, &id);
    root_device(&mut world, &sibling);
    world.profile(&id, "app");
    world.profile(&sibling, "app");
    let (a, b) = (id.to_string(), sibling.to_string());
    let own = world.target_group("web", "vpc-1", "instance", &[(&a, 80), (&b, 80)]);
    world.target_group("ports", "vpc-1", "instance", &[(&a, 8080), (&a, 9090), (&b, 8080)]);
    world.target_group("addresses", "vpc-1", "ip", &[("10.20.0.4", 443), ("10.20.0.5", 443)]);
    world.classic.insert("classic".to_owned(), [id.clone(), sibling.clone()].into());
    world.scaling_group("group", &[&id, &sibling], &[&own]);
    let sim: Arc<Sim> = Sim::new(world, 1);

    let before = at_the_endpoints(&account, &seeded.victim, role, None).await;
    assert_eq!(before, in_the_simulator(&sim, &id), "before");
    let containment = invoke(&function, json!({"instance_id": seeded.victim})).await;
    sim.contain(&id, "r").expect("an answer");
    let contained = at_the_endpoints(&account, &seeded.victim, role, containment.as_deref()).await;
    assert_eq!(contained, in_the_simulator(&sim, &id), "contained");
    let beside = at_the_endpoints(&account, &seeded.sibling, role, None).await;
    assert_eq!(beside, in_the_simulator(&sim, &sibling), "the sibling");
    invoke(&function, json!({"instance_id": seeded.victim, "action": "release", "rejoin": true})).await;
    sim.release(&id, Rejoin::Yes, "release").expect("an answer");
    let released = at_the_endpoints(&account, &seeded.victim, role, containment.as_deref()).await;
    assert_eq!(released, in_the_simulator(&sim, &id), "released");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_of_a_role_end_the_same_in_both() {
    let (account, _office, function) = open().await;
    let network = account.network(97, false).await;
    let identity = account.identity().await;
    let role = Some(identity.role.as_str());
    let launch =
        async |name| account.launch(&network, name, Launch { profile: Some(&identity), ..Launch::default() }).await;
    let (one, two) = (launch("one").await, launch("two").await);

    let mut world = World::default();
    let (web, admin) = (world.open_group("vpc-1", "web"), world.open_group("vpc-1", "admin"));
    let (id, other) = (world.instance(1), world.instance(2));
    for (number, id) in [&id, &other].into_iter().enumerate() {
        world.interface(id, "vpc-1", &[&web, &admin], &format!("10.97.0.{}", number + 4));
        world.profile(id, "app");
        root_device(&mut world, id);
    }
    let sim: Arc<Sim> = Sim::new(world, 1);

    let mut containments = Vec::new();
    for (endpoint, simulated) in [(&one, &id), (&two, &other)] {
        containments.push(invoke(&function, json!({"instance_id": endpoint})).await);
        sim.contain(simulated, simulated.as_str()).expect("an answer");
    }
    for (endpoint, simulated, containment) in [(&one, &id, containments.first()), (&two, &other, containments.last())] {
        let containment = containment.and_then(Option::as_deref);
        let found = at_the_endpoints(&account, endpoint, role, containment).await;
        assert_eq!(found, in_the_simulator(&sim, simulated), "both contained");
    }
    invoke(&function, json!({"instance_id": one, "action": "release"})).await;
    sim.release(&id, Rejoin::No, "release").expect("an answer");
    for (endpoint, simulated, containment) in [(&one, &id, containments.first()), (&two, &other, containments.last())] {
        let containment = containment.and_then(Option::as_deref);
        let found = at_the_endpoints(&account, endpoint, role, containment).await;
        assert_eq!(found, in_the_simulator(&sim, simulated), "one released");
    }
}
