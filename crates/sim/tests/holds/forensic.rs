//! The responders' instance profile in the place of the instance's own.

use std::sync::Arc;

use brig_core::{
    ledger::Conclusion,
    model::{InstanceState, Role},
    report::fact::Truth,
    settings::Policy,
};
use brig_sim::{ACCOUNT, Break, Fault, Sim, Victim, World};
use expect_test::expect;

use crate::{
    common::is_whole,
    release::{difference, expected_after, killed_anywhere, release},
};

const PROFILE: &str = "arn:aws:iam::123456789012:instance-profile/ir/forensic";

pub fn world() -> (World, Victim) {
    let (mut world, victim) = World::plain();
    let role = Role { name: "forensic".to_owned(), arn: format!("arn:aws:iam::{ACCOUNT}:role/ir/forensic") };
    world.profiles.insert("forensic".to_owned(), (PROFILE.to_owned(), Some(role)));
    (world, victim)
}

pub fn with(world: &World) -> Arc<Sim> {
    let forensic_profile = Some("arn:aws:iam::{account}:instance-profile/ir/forensic".to_owned());
    Sim::with(world.clone(), 1, Policy { forensic_profile, ..Policy::default() })
}

fn profile(sim: &Sim, victim: &Victim) -> Option<String> {
    sim.world().describe(&victim.id).and_then(|instance| instance.profile)
}

#[test]
fn it_takes_the_place_of_its_own_and_goes_with_the_release() {
    let (world, victim) = world();
    let sim = with(&world);
    let answer = sim.contain(&victim.id, "r").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Contained, "{answer:#?}");
    let contained = sim.world();
    assert_eq!(profile(&sim, &victim).as_deref(), Some(PROFILE));
    let metadata = contained.instances[&victim.id].shown.metadata.clone();
    let denied: Vec<&(String, String)> = contained.policies.keys().collect();
    expect![[r#"
        MetadataOptions { endpoint: "enabled", tokens: "required", hop_limit: Some(1), ipv6: None, tags: None }
        [("app", "brig-deny")]"#]]
    .assert_eq(&format!("{metadata:?}\n{denied:?}"));
    // Looked at again, nothing is left to do, and the responders' role stays as it is.
    let again = sim.contain(&victim.id, "r2").expect("an answer");
    assert_eq!(again.outcome, Conclusion::AlreadyContained, "{again:#?}");
    let back = release(&sim, &victim);
    assert_eq!(back.outcome, Conclusion::Released, "{back:#?}");
    assert_eq!(difference(&sim, &expected_after(&world, &contained)), None);
}

#[test]
fn a_metadata_service_that_somebody_set_meanwhile_is_left_alone_and_said() {
    let (world, victim) = world();
    let sim = with(&world);
    sim.contain(&victim.id, "r").expect("an answer");
    sim.change(|world| world.instances.get_mut(&victim.id).expect("it").shown.metadata.hop_limit = Some(2));
    let back = release(&sim, &victim);
    let said = back.steps.iter().find(|step| step.step.name() == "restore_metadata").expect("the step");
    expect!["missing: the metadata service is enabled now, with tokens required and hop limit 2, which is left alone"]
        .assert_eq(&format!("{}: {}", said.outcome, said.detail));
    assert_eq!(sim.world().instances[&victim.id].shown.metadata.hop_limit, Some(2));
}

#[test]
fn where_it_cannot_be_had_the_own_profile_goes_all_the_same() {
    let (mut world, victim) = world();
    world.profiles.remove("forensic");
    let always = |fault| Some(Break::Always("ReplaceIamInstanceProfileAssociation", fault));
    for broken in [None, always(Fault::Denied), always(Fault::NotFound)] {
        let sim = with(&world);
        if let Some(broken) = broken {
            sim.breaks(broken);
        }
        let answer = sim.contain(&victim.id, "r").expect("an answer");
        assert!(is_whole(&answer), "{answer:#?}");
        assert_eq!(sim.told().len(), 1, "people hear of it once: {:?}", sim.told());
        assert_eq!(answer.verdict.truths.credentials, Truth::Yes, "{answer:#?}");
        assert_eq!(profile(&sim, &victim), None);
        let said = answer.steps.iter().find(|step| step.step.name() == "replace_profile").expect("the step");
        assert!(
            said.detail.to_string().contains("taken away, since forensic could not be put in its place"),
            "{said:?}"
        );
        sim.heal();
        let contained = sim.world();
        let back = release(&sim, &victim);
        assert_eq!(back.outcome, Conclusion::Released, "{back:#?}");
        assert_eq!(difference(&sim, &expected_after(&world, &contained)), None);
    }
}

#[test]
fn of_an_instance_that_does_not_run_the_own_profile_goes() {
    let (mut world, victim) = world();
    world.instances.get_mut(&victim.id).expect("it").shown.state = InstanceState::Stopped;
    let sim = with(&world);
    let answer = sim.contain(&victim.id, "r").expect("an answer");
    assert!(is_whole(&answer), "{answer:#?}");
    assert_eq!(profile(&sim, &victim), None);
    // Stopped while it has the responders' profile: released all the same.
    let (world, victim) = self::world();
    let sim = with(&world);
    sim.contain(&victim.id, "r").expect("an answer");
    sim.change(|world| world.instances.get_mut(&victim.id).expect("it").shown.state = InstanceState::Stopped);
    let back = release(&sim, &victim);
    assert_eq!(back.outcome, Conclusion::Released, "{back:#?}");
    assert!(profile(&sim, &victim).is_some_and(|arn| arn.ends_with("app-profile")));
}

#[test]
fn an_instance_that_had_the_responders_profile_before_is_not_said_to_be_cut_off() {
    let (mut world, victim) = world();
    for (instance, profile) in world.associations.values_mut() {
        if *instance == victim.id {
            PROFILE.clone_into(profile);
        }
    }
    let sim = with(&world);
    let answer = sim.contain(&victim.id, "r").expect("an answer");
    assert_eq!(answer.verdict.truths.credentials, Truth::Partial, "{answer:#?}");
    assert!(
        answer.notes.iter().any(|note| note.to_string().contains("whose role is not denied")),
        "{:#?}",
        answer.notes
    );
}

#[test]
fn killed_at_every_await_point_it_ends_the_same_and_is_given_back() {
    let (world, victim) = world();
    killed_anywhere(&world, &victim, with);
}
