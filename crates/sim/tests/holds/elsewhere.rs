//! An instance that is not where the event says is looked for in the account's other Regions, and nothing is called gone
//! that could not be looked for.

use std::{sync::Arc, time::Duration};

use brig_core::{
    ledger::Conclusion,
    report::answer::Answer,
    trigger::{Finding, Force, Place, Source},
};
use brig_sim::{Break, Fault, Sim, Victim, World};

/// A report that AWS itself makes of an instance.
pub fn finding(victim: &Victim) -> Finding {
    let account = "123456789012".parse().expect("an account");
    let base = Finding::occasion(
        "f-1".to_owned(),
        "a report".to_owned(),
        account,
        "us-east-1".parse().expect("a Region"),
        victim.id.clone(),
    );
    Finding { source: Source::Health, by_person: false, place: Place::Stated, ..base }
}

pub fn contain(sim: &Arc<Sim>, finding: &Finding) -> Answer {
    let engine = sim.engine(0);
    let invocation = sim.invocation("r", Duration::from_mins(2));
    sim.run(Box::pin(engine.contain(finding, Force::No, &invocation))).expect("an answer")
}

fn moved(region: &str) -> (World, Victim) {
    let (mut world, victim) = World::plain();
    world.elsewhere.insert(victim.id.clone(), region.parse().expect("a Region"));
    (world, victim)
}

#[test]
fn an_instance_in_another_region_is_found_and_contained_there() {
    let (world, victim) = moved("eu-west-1");
    let sim = Sim::new(world, 1);
    let answer = contain(&sim, &finding(&victim));
    assert_eq!((answer.outcome, answer.region.as_str()), (Conclusion::Contained, "eu-west-1"), "{answer:#?}");
    assert_eq!(sim.violations(), Vec::<String>::new());
}

#[test]
fn where_it_is_as_said_no_other_region_is_looked_in() {
    let (world, victim) = World::plain();
    let sim = Sim::new(world, 1);
    assert_eq!(contain(&sim, &finding(&victim)).outcome, Conclusion::Contained);
    assert!(sim.calls().iter().all(|call| call.operation != "DescribeRegions"));
}

#[test]
fn where_it_is_nowhere_the_regions_that_were_looked_in_are_named() {
    let (mut world, victim) = World::plain();
    world.instances.remove(&victim.id);
    let sim = Sim::new(world, 1);
    let answer = contain(&sim, &finding(&victim));
    assert_eq!(answer.outcome, Conclusion::Refused);
    assert!(answer.reason.to_string().contains("there is no instance"), "{}", answer.reason);
    assert!(answer.reason.to_string().contains("looked in ap-southeast-2, eu-west-1, us-east-1"), "{}", answer.reason);
    assert!(!answer.left_over);
    assert_eq!(sim.told().len(), 1);
}

#[test]
fn what_could_not_be_looked_in_is_named_and_is_no_no() {
    let (mut world, victim) = World::plain();
    world.instances.remove(&victim.id);
    world.unreadable.insert("eu-west-1".parse().expect("a Region"));
    let sim = Sim::new(world.clone(), 1);
    let answer = contain(&sim, &finding(&victim));
    assert!(!answer.reason.to_string().contains("there is no instance"), "{}", answer.reason);
    assert!(answer.reason.to_string().contains("NOT looked in: eu-west-1"), "{}", answer.reason);
    let sim = Sim::new(world, 1);
    sim.breaks(Break::Always("DescribeRegions", Fault::ServerError));
    let answer = contain(&sim, &finding(&victim));
    assert!(answer.reason.to_string().contains("NOT looked in: the other Regions"), "{}", answer.reason);
    assert!(answer.left_over, "another try may read them");
}

#[test]
fn an_instance_that_shows_only_at_a_second_look_is_contained() {
    let (world, victim) = World::plain();
    let late = world.instances.get(&victim.id).cloned().expect("the instance");
    let mut without = world;
    without.instances.remove(&victim.id);
    let sim = Sim::new(without, 1);
    let id = victim.id.clone();
    // The first look makes four calls; it shows before the second.
    sim.happens(6, move |world| {
        world.instances.insert(id, late);
    });
    let answer = contain(&sim, &finding(&victim));
    assert_eq!(answer.outcome, Conclusion::Contained, "{}", answer.reason);
}

#[test]
fn a_person_who_mistypes_an_id_hears_it_and_nobody_else_does() {
    let (mut world, victim) = World::plain();
    world.instances.remove(&victim.id);
    let sim = Sim::new(world, 1);
    let finding = Finding { source: Source::Manual, by_person: true, ..finding(&victim) };
    let answer = contain(&sim, &finding);
    assert_eq!(answer.outcome, Conclusion::Refused);
    assert_eq!(sim.told(), Vec::<String>::new());
}

#[test]
fn a_forgotten_region_of_a_release_is_that_of_the_containment_on_record() {
    let (world, victim) = moved("eu-west-1");
    let sim = Sim::new(world, 1);
    contain(&sim, &finding(&victim));
    let forgot = Finding {
        source: Source::Manual,
        by_person: true,
        place: Place::Assumed { account: true, region: true },
        ..finding(&victim)
    };
    let engine = sim.engine(0);
    let invocation = sim.invocation("r2", Duration::from_mins(2));
    let placed = sim.run(engine.placed(&forgot, &invocation)).expect("an end").expect("one place");
    assert_eq!((placed.region.as_str(), placed.place), ("eu-west-1", Place::OnRecord));
    let stated = Finding { place: Place::Assumed { account: true, region: false }, ..forgot };
    let placed = sim.run(engine.placed(&stated, &invocation)).expect("an end").expect("as it was said");
    assert_eq!(placed.region.as_str(), "us-east-1", "a Region that was given is not overruled");
}
