//! What is contained stays contained: every fact that is undone is repaired and reported, but not forever, and not against
//! responders.

use std::{sync::Arc, time::Duration};

use brig_core::{
    decide::Asks,
    ledger::Conclusion,
    model::ids::{EniId, GroupId},
    report::{answer::Answer, fact::Truth},
    settings::Policy,
    trigger::{Finding, Rejoin, TrailCall},
};
use brig_engine::{Drift, StatusPage, Verification, Verified, ports::TrailEvent};
use brig_sim::{ACCOUNT, REGION, Sim, Victim, World};

use crate::common::{calm, deliver, difference, ended, report};

fn occasion(victim: &Victim) -> Finding {
    let (account, region) = (ACCOUNT.parse().expect("account"), REGION.parse().expect("Region"));
    Finding::occasion("look".to_owned(), "looked at again".to_owned(), account, region, victim.id.clone())
}

pub fn verify(sim: &Arc<Sim>, victim: &Victim, drift: Drift) -> Answer {
    let engine = sim.engine(0);
    let invocation = sim.invocation("verify", Duration::from_mins(2));
    let verification = Verification { drift, ..Verification::ordered(Asks::Machine) };
    sim.run(engine.verify(&occasion(victim), verification, &invocation)).expect("an answer")
}

fn verify_all(sim: &Arc<Sim>) -> Verified {
    let engine = sim.engine(0);
    let invocation = sim.invocation("schedule", Duration::from_mins(2));
    sim.run(engine.verify_all(Asks::Machine, &invocation)).expect("an end").expect("an answer")
}

fn status(sim: &Arc<Sim>) -> StatusPage {
    let engine = sim.engine(0);
    let invocation = sim.invocation("status", Duration::from_mins(2));
    sim.run(engine.status(None, None, &invocation)).expect("an end").expect("an answer")
}

fn web(world: &World) -> GroupId {
    world.groups.values().find(|(group, _)| group.name == "web").expect("web").0.id.clone()
}

pub fn interface(world: &World, victim: &Victim) -> EniId {
    let eni = world.interfaces.values().find(|eni| eni.instance.as_ref() == Some(&victim.id)).expect("an interface");
    eni.shown.id.clone()
}

pub type Undo = (&'static str, fn(&mut World, &Victim));

/// What somebody may undo.
pub const UNDONE: [Undo; 11] = [
    ("groups swapped back", |world, victim| {
        let (id, web) = (interface(world, victim), web(world));
        world.interfaces.get_mut(&id).expect("it").shown.groups = vec![web];
    }),
    ("a rule in the isolation group", |world, _| {
        let rules = world.groups.values().find(|(group, _)| group.name == "web").expect("web").0.rules.clone();
        let isolation = world.groups.values_mut().find(|(group, _)| group.name == "brig-isolation").expect("it");
        isolation.0.rules = rules;
    }),
    ("the profile attached again", |world, victim| {
        let arn = world.profiles.values().next().expect("a profile").0.clone();
        world.associations.insert("iip-assoc-new".to_owned(), (victim.id.clone(), arn));
    }),
    ("the policy removed", |world, _| world.policies.clear()),
    ("the metadata service on", |world, victim| {
        "enabled".clone_into(&mut world.instances.get_mut(&victim.id).expect("it").shown.metadata.endpoint);
    }),
    ("a target registered again", |world, victim| {
        let (arn, group) = world.target_groups.iter().next().expect("a group");
        let (arn, mut target) = (arn.clone(), group.targets.first().expect("a target").clone());
        "10.0.0.1".clone_into(&mut target.id);
        let _ = victim;
        "healthy".clone_into(&mut target.state);
        let targets = &mut world.target_groups.get_mut(&arn).expect("it").targets;
        targets.retain(|held| held.id != target.id);
        targets.push(target);
    }),
    ("in the classic balancer again", |world, victim| {
        world.classic.get_mut("classic").expect("it").insert(victim.id.clone());
    }),
    ("termination protection lifted", |world, victim| {
        world.instances.get_mut(&victim.id).expect("it").termination_protection = false;
    }),
    ("stop protection lifted", |world, victim| {
        world.instances.get_mut(&victim.id).expect("it").stop_protection = false;
    }),
    ("shutdown terminates again", |world, victim| {
        "terminate".clone_into(&mut world.instances.get_mut(&victim.id).expect("it").shutdown);
    }),
    ("volumes end with it again", |world, victim| {
        for volume in &mut world.instances.get_mut(&victim.id).expect("it").shown.volumes {
            volume.delete_on_termination = true;
        }
    }),
];

#[test]
fn every_fact_that_is_undone_is_repaired_and_reported() {
    let (world, victim) = World::production();
    let expected = ended(&calm(&world, &victim));
    let mut failures = Vec::new();
    for (what, undo) in UNDONE {
        let sim = calm(&world, &victim);
        let told = sim.told().len();
        sim.change(|world| undo(world, &victim));
        let found = status(&sim);
        let drift = found.active.first().expect("it is listed").drift;
        let answer = verify(&sim, &victim, Drift::Repair);
        let right = answer.outcome == Conclusion::Repaired && drift > 0 && sim.told().len() == told + 1;
        let difference = difference(&sim, &expected);
        if !right || difference.is_some() {
            let difference = difference.unwrap_or_default();
            failures
                .push(format!("{what} (drift {drift}): {:?} {}\n{difference}", answer.outcome, answer.verdict.summary));
        }
        let again = verify(&sim, &victim, Drift::Repair);
        if again.outcome != Conclusion::Verified || sim.told().len() != told + 1 {
            failures.push(format!("{what}: a second look is {:?}", again.outcome));
        }
    }
    report(UNDONE.len(), &failures);
}

#[test]
fn a_scheduled_verification_says_who_did_it_where_the_trail_knows() {
    let (world, victim) = World::plain();
    let sim = calm(&world, &victim);
    let event = |call: &str| TrailEvent {
        call: call.to_owned(),
        by: "arn:aws:sts::123456789012:assumed-role/Admin/mallory".to_owned(),
        ..TrailEvent::default()
    };
    sim.change(|world| {
        let id = interface(world, &victim);
        UNDONE.first().expect("one").1(world, &victim);
        world.trail = vec![
            (id.to_string(), event("ModifyNetworkInterfaceAttribute")),
            (id.to_string(), event("DescribeNetworkInterfaces")),
        ];
    });
    let answer = verify(&sim, &victim, Drift::Repair);
    let notes = answer.notes.iter().map(ToString::to_string);
    let who: Vec<String> = notes.filter(|note| note.contains("CloudTrail's record of")).collect();
    assert_eq!(who.len(), 1, "{:?}", answer.notes);
    assert!(who.iter().all(|note| note.contains("ModifyNetworkInterfaceAttribute by arn:aws:sts")));
}

#[test]
fn status_says_lane_by_lane_what_holds() {
    let (world, victim) = World::production();
    let sim = calm(&world, &victim);
    let lanes = |sim: &Arc<Sim>| {
        let page = status(sim);
        let verdict = &page.active.first().expect("it is listed").now.verdict;
        verdict.truths.to_array()
    };
    assert_eq!(lanes(&sim), [Truth::Yes; 4]);
    sim.change(|world| UNDONE.first().expect("one").1(world, &victim));
    let [network, others @ ..] = lanes(&sim);
    assert_ne!(network, Truth::Yes);
    assert_eq!(others, [Truth::Yes; 3]);
}

#[test]
fn a_new_interface_is_isolated_by_the_next_verification() {
    let (world, victim) = World::production();
    let sim = calm(&world, &victim);
    sim.change(|world| {
        let web = web(world);
        world.interface(&victim.id, "vpc-1", &[&web], "10.0.0.99");
    });
    let answer = verify(&sim, &victim, Drift::Repair);
    assert_eq!(answer.outcome, Conclusion::Repaired, "{}", answer.verdict.summary);
    let world = sim.world();
    assert!(
        world.interfaces.values().filter(|eni| eni.instance.as_ref() == Some(&victim.id)).all(|eni| world.is_cut(eni))
    );
}

#[test]
fn a_fact_is_repaired_three_times_an_hour_and_then_only_reported() {
    let (world, victim) = World::plain();
    let sim = calm(&world, &victim);
    let undo = |world: &mut World| world.instances.get_mut(&victim.id).expect("it").stop_protection = false;
    for _ in 0..3 {
        sim.change(undo);
        assert_eq!(verify(&sim, &victim, Drift::Repair).outcome, Conclusion::Repaired);
        sim.wait(Duration::from_mins(5));
    }
    sim.change(undo);
    let answer = verify(&sim, &victim, Drift::Repair);
    assert_eq!(answer.outcome, Conclusion::Contested, "{}", answer.verdict.summary);
    assert!(!answer.left_over, "trying again before its time cannot help");
    assert!(!sim.world().instances.get(&victim.id).expect("it").stop_protection);
    sim.wait(Duration::from_hours(1));
    let later = verify(&sim, &victim, Drift::Repair);
    assert!(sim.world().instances.get(&victim.id).expect("it").stop_protection, "{later:?}");
}

#[test]
fn a_verification_ends_a_containment_whose_function_died() {
    let (world, victim) = World::production();
    let expected = ended(&calm(&world, &victim));
    let sim = Sim::new(world, 1);
    sim.kill_at(100);
    assert!(sim.contain(&victim.id, "r").is_none());
    sim.heal();
    sim.revive(0);
    sim.wait(Duration::from_mins(3));
    let verified = verify_all(&sim);
    assert_eq!(verified.entries.len(), 1);
    assert_eq!(difference(&sim, &expected), None);
}

#[test]
fn a_responders_change_is_reported_and_left() {
    let (world, victim) = World::production();
    let responder = "arn:aws:iam::123456789012:role/sec/Responder".to_owned();
    let policy = Policy { responders: vec![responder], ..Policy::default() };
    let sim = Sim::with(world, 1, policy);
    deliver(&sim, &victim, "r").expect("an answer");
    let touched = |by: &str, sim: &Sim| TrailCall {
        id: format!("event-of-{}", by.rsplit('/').next().unwrap_or_default()),
        call: "ModifyNetworkInterfaceAttribute".to_owned(),
        by: by.to_owned(),
        source_identity: None,
        at: None,
        account: ACCOUNT.parse().expect("account"),
        region: REGION.parse().expect("Region"),
        instances: Vec::new(),
        interfaces: vec![interface(&sim.world(), &victim)],
        groups: Vec::new(),
        addresses: Vec::new(),
        roles: Vec::new(),
        denied_roles: Vec::new(),
        users: Vec::new(),
    };
    sim.change(|world| {
        let (id, web) = (interface(world, &victim), web(world));
        world.interfaces.get_mut(&id).expect("it").shown.groups = vec![web];
    });
    let look = |by: &str| {
        let (engine, invocation) = (sim.engine(0), sim.invocation("trail", Duration::from_mins(2)));
        let event = touched(by, &sim);
        sim.run(engine.touched(&event, &invocation)).expect("an end").entries
    };
    let told = sim.told().len();
    let entries = look("arn:aws:sts::123456789012:assumed-role/Responder/ann");
    assert_eq!(entries.first().expect("an entry").outcome, Conclusion::Drifted);
    assert_eq!(sim.told().len(), told + 1);
    let is_cut = |sim: &Sim| {
        let world = sim.world();
        world.is_cut(world.interfaces.get(&interface(&world, &victim)).expect("it"))
    };
    assert!(!is_cut(&sim));
    let entries = look("arn:aws:sts::123456789012:assumed-role/Mallory/x");
    assert_eq!(entries.first().expect("an entry").outcome, Conclusion::Repaired);
    assert!(is_cut(&sim));
}

#[test]
fn what_no_containment_holds_is_not_looked_at() {
    let (world, victim) = World::production();
    let sim = Sim::new(world, 1);
    assert_eq!(verify(&sim, &victim, Drift::Repair).outcome, Conclusion::Refused);
    assert_eq!(verify_all(&sim), Verified::default());
    assert_eq!(status(&sim), StatusPage::default());
}

#[test]
fn a_second_containment_of_a_released_instance_is_verified_by_itself() {
    let (world, victim) = World::plain();
    let sim = calm(&world, &victim);
    assert_eq!(status(&sim).active.len(), 1);
    let answer = sim.release(&victim.id, Rejoin::No, "release").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Released);
    assert_eq!(status(&sim).active.len(), 0);
}
