//! Worlds of every shape: contained, then released, each is as it was before.

use brig_core::{ledger::Conclusion, model::ids::GroupId, report::fact::Truth};
use brig_sim::{Sim, Victim, World};
use proptest::prelude::*;

use crate::{
    common::{deliver, is_whole},
    release::{difference, expected_after, release},
};

/// A world's shape.
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
#[derive(Debug, Clone)]
struct Shape {
    /// VPC and number of groups of each interface.
    interfaces: Vec<(u8, u8)>,
    /// DeleteOnTermination of each data volume.
    volumes: Vec<bool>,
    profile: bool,
    foreign_policy: bool,
    metadata_off: bool,
    protected: (bool, bool),
    shutdown_stop: bool,
    spot: bool,
    scaling: bool,
    /// By address or by id, and the port.
    targets: Vec<(bool, u16)>,
    classic: bool,
    stray_group: bool,
}

fn shape() -> impl Strategy<Value = Shape> {
    let flags = any::<[bool; 9]>();
    let interfaces = prop::collection::vec((0u8..3, 1u8..6), 1..5);
    let targets = prop::collection::vec((any::<bool>(), 1u16..9000), 0..6);
    (interfaces, prop::collection::vec(any::<bool>(), 0..5), targets, flags).prop_map(
        |(interfaces, volumes, targets, flags)| {
            let [profile, foreign_policy, metadata_off, a, b, shutdown_stop, spot, scaling, classic] = flags;
            Shape {
                interfaces,
                volumes,
                profile,
                foreign_policy: foreign_policy && profile,
                metadata_off,
                protected: (a, b),
                shutdown_stop,
                spot: spot && !scaling,
                scaling,
                targets,
                classic,
                stray_group: a && b,
            }
        },
    )
}

fn build(shape: &Shape) -> (World, Victim) {
    let mut world = World::default();
    let (id, sibling) = (world.instance(1), world.instance(2));
    for (number, (vpc, groups)) in shape.interfaces.iter().enumerate() {
        let vpc = format!("vpc-{vpc}");
        let made: Vec<GroupId> =
            (0..*groups).map(|group| world.open_group(&vpc, &format!("g{number}-{group}"))).collect();
        let made: Vec<&GroupId> = made.iter().collect();
        world.interface(&id, &vpc, &made, &format!("10.0.{number}.1"));
    }
    let web = world.open_group("vpc-0", "web");
    world.interface(&sibling, "vpc-0", &[&web], "10.9.9.9");
    if shape.stray_group {
        // A group of Brig's name that somebody else made.
        world.open_group("vpc-0", "brig-isolation");
    }
    for (number, delete) in shape.volumes.iter().enumerate() {
        world.volume(&id, &format!("/dev/sd{number}"), *delete);
    }
    if shape.profile {
        world.profile(&id, "app");
        world.profile(&sibling, "app");
    }
    if shape.foreign_policy {
        world.policies.insert(("app".to_owned(), "brig-deny".to_owned()), "{\"Statement\":[]}".to_owned());
    }
    let instance = world.instances.get_mut(&id).expect("it");
    if shape.metadata_off {
        "disabled".clone_into(&mut instance.shown.metadata.endpoint);
    }
    (instance.termination_protection, instance.stop_protection) =
        if shape.spot { (false, false) } else { shape.protected };
    if shape.shutdown_stop {
        "stop".clone_into(&mut instance.shutdown);
    }
    instance.shown.spot = shape.spot;
    let mut arns = Vec::new();
    for (number, (by_address, port)) in shape.targets.iter().enumerate() {
        let vpc = format!("vpc-{}", shape.interfaces.first().expect("one").0);
        let port = i32::from(*port);
        let name = format!("tg-{number}");
        arns.push(if *by_address {
            world.target_group(&name, &vpc, "ip", &[("10.0.0.1", port), ("10.7.7.7", port)])
        } else {
            world.target_group(&name, &vpc, "instance", &[(id.as_str(), port), (sibling.as_str(), port)])
        });
    }
    if shape.classic {
        world.classic.insert("classic".to_owned(), [id.clone(), sibling.clone()].into());
    }
    if shape.scaling {
        world.scaling_group("group", &[&id, &sibling], &[]);
    }
    (world, Victim { id, sibling })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn contained_and_released_every_world_is_as_it_was(shape in shape()) {
        let (world, victim) = build(&shape);
        let sim = Sim::new(world.clone(), 1);
        let answer = deliver(&sim, &victim, "r").expect("an answer");
        prop_assert_eq!(answer.verdict.truths.network, Truth::Yes, "{}", &answer.verdict.summary);
        let whole = is_whole(&answer);
        prop_assert!(whole, "{:?} {:?}", &answer.verdict.summary, &answer.notes);
        let contained = sim.world();
        let released = release(&sim, &victim);
        prop_assert_eq!(released.outcome, Conclusion::Released, "{}", &released.verdict.summary);
        let expected = expected_after(&world, &contained);
        prop_assert_eq!(difference(&sim, &expected), None);
    }
}
