//! Interfaces that are more than an instance's own: trunks and branches, fabric adapters, those of AWS's services.

use brig_core::{
    ledger::Conclusion,
    model::ids::EniId,
    report::{fact::Truth, paths::lines},
};
use brig_sim::{Break, Fault, Sim, Victim, World};

use crate::{
    common::calm,
    elsewhere,
    release::{difference, expected_after, release},
};

/// A node whose trunk interface has two branches, and a branch of another node.
pub fn node() -> (World, Victim, Vec<EniId>) {
    let (mut world, victim) = World::plain();
    let pods = world.open_group("vpc-1", "pods");
    let trunk = |world: &World, of: &brig_core::model::ids::InstanceId| {
        let own = world.interfaces.values().find(|eni| eni.instance.as_ref() == Some(of));
        own.map(|eni| eni.shown.id.clone()).expect("an interface")
    };
    let (mine, theirs) = (trunk(&world, &victim.id), trunk(&world, &victim.sibling));
    let mut branches = Vec::new();
    for (of, address) in [(&mine, "10.0.1.1"), (&mine, "10.0.1.2"), (&theirs, "10.0.1.3")] {
        let before: Vec<EniId> = world.interfaces.keys().cloned().collect();
        world.interface(&victim.id, "vpc-1", &[&pods], address);
        let id = world.interfaces.keys().find(|id| !before.contains(id)).cloned().expect("the new one");
        let eni = world.interfaces.get_mut(&id).expect("the new one");
        eni.instance = None;
        eni.trunk = Some(of.clone());
        "branch".clone_into(&mut eni.shown.kind);
        branches.push(id);
    }
    for id in [&mine, &theirs] {
        "trunk".clone_into(&mut world.interfaces.get_mut(id).expect("the trunk").shown.kind);
    }
    (world, victim, branches)
}

#[test]
fn the_branches_of_a_trunk_are_isolated_and_given_back() {
    let (world, victim, branches) = node();
    let sim = calm(&world, &victim);
    let contained = sim.world();
    let isolated = |id: &EniId| {
        let groups = &contained.interfaces[id].shown.groups;
        groups.iter().all(|group| contained.groups[group].0.name == "brig-isolation")
    };
    assert_eq!(
        branches.iter().map(isolated).collect::<Vec<_>>(),
        [true, true, false],
        "two of its own, one of another"
    );
    let answer = release(&sim, &victim);
    assert_eq!(answer.outcome, Conclusion::Released, "{answer:#?}");
    assert_eq!(difference(&sim, &expected_after(&world, &contained)), None);
}

#[test]
fn a_fabric_adapter_is_isolated_and_its_doubt_is_said() {
    let (mut world, victim) = World::plain();
    for eni in world.interfaces.values_mut() {
        "efa".clone_into(&mut eni.shown.kind);
    }
    let answer = Sim::new(world, 1).contain(&victim.id, "r").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Contained, "{answer:#?}");
    assert!(
        answer.notes.iter().any(|note| note.to_string().contains("is an Elastic Fabric Adapter")),
        "{:#?}",
        answer.notes
    );
    assert!(
        answer.verdict.summary.to_string().contains("MAY CONTINUE through the elastic fabric adapter"),
        "{}",
        answer.verdict.summary
    );
    assert!(lines(&answer.verdict.paths).iter().any(|line| line.contains("bypasses the operating system")));
}

#[test]
fn an_interface_that_a_service_owns_is_named_and_the_others_are_isolated() {
    let (mut world, victim) = World::production();
    let own = world.interfaces.values_mut().filter(|eni| eni.instance.as_ref() == Some(&victim.id));
    let managed = own.last().expect("an interface");
    managed.managed = true;
    let id = managed.shown.id.clone();
    let answer = Sim::new(world, 1).contain(&victim.id, "r").expect("an answer");
    assert_eq!((answer.outcome, answer.verdict.truths.network), (Conclusion::Partial, Truth::Partial), "{answer:#?}");
    assert!(!answer.left_over, "trying again cannot help");
    let failed = answer
        .steps
        .iter()
        .find(|step| step.step.name() == "isolate" && step.outcome.word() == "failed")
        .expect("the step");
    assert_eq!(failed.resource, id.to_string());
    assert!(failed.detail.to_string().contains("AuthFailure"), "{}", failed.detail);
    assert!(failed.detail.to_string().contains("an AWS service manages this resource"), "{}", failed.detail);
    assert!(!failed.detail.to_string().contains("grant this operation"), "{}", failed.detail);
    assert!(
        answer.notes.iter().any(|note| note.to_string().contains(&format!("{id} is isolated"))),
        "{:#?}",
        answer.notes
    );
}

#[test]
fn the_step_that_opened_an_interface_isolates_it_again_though_no_later_look_is_answered() {
    let (world, victim) = World::production();
    let sim = Sim::new(world, 1);
    sim.breaks(Break::Always("DescribeNetworkInterfaces", Fault::Denied));
    let answer = sim.contain(&victim.id, "r").expect("an answer");
    let untracked = answer.steps.iter().filter(|step| step.step.name() == "untrack");
    assert!(untracked.clone().count() > 0 && untracked.clone().all(|step| step.outcome.word() == "changed"));
    let world = sim.world();
    for eni in world.interfaces.values().filter(|eni| eni.instance.as_ref() == Some(&victim.id)) {
        let names: Vec<&str> = eni.shown.groups.iter().map(|group| world.groups[group].0.name.as_str()).collect();
        assert_eq!(names, ["brig-isolation"], "{}", eni.shown.id);
    }
}

#[test]
fn on_a_node_of_eks_auto_mode_no_grant_is_advised() {
    let (mut world, victim) = World::production();
    let tags = &mut world.instances.get_mut(&victim.id).expect("it").shown.tags;
    tags.insert("eks:eks-cluster-name".to_owned(), "prod".to_owned());
    tags.insert("karpenter.sh/nodepool".to_owned(), "general-purpose".to_owned());
    let sim = Sim::new(world, 1);
    for operation in ["ModifyNetworkInterfaceAttribute", "ModifyInstanceAttribute", "DisassociateIamInstanceProfile"] {
        sim.breaks(Break::Always(operation, Fault::Denied));
    }
    // GuardDuty's finding about a node would ask.
    let answer = elsewhere::contain(&sim, &elsewhere::finding(&victim));
    let failed: Vec<_> = answer.steps.iter().filter(|step| step.outcome.word() == "failed").collect();
    assert!(!failed.is_empty(), "{answer:#?}");
    assert!(failed.iter().all(|step| !step.detail.to_string().contains("grant this operation")), "{failed:#?}");
    assert!(
        failed.iter().any(|step| step.detail.to_string().contains("EKS Auto Mode manages this instance")),
        "{failed:#?}"
    );
    assert!(
        answer.notes.iter().any(|note| note.to_string().starts_with("EKS Auto Mode manages this instance")),
        "{:#?}",
        answer.notes
    );
}
