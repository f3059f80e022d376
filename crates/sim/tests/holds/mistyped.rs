//! What a person mistypes is said in the answer to that person, and sent to nobody. What an event gets wrong has nobody who
//! reads an answer: people are notified.

use std::{sync::Arc, time::Duration};

use brig_core::{
    ledger::Conclusion,
    model::ids::InstanceId,
    report::answer::Answer,
    trigger::{Finding, Force},
};
use brig_sim::{ACCOUNT, REGION, Sim, World};

fn person(instance: &str, region: &str) -> Finding {
    let (account, region) = (ACCOUNT.parse().expect("account"), region.parse().expect("Region"));
    let instance: InstanceId = instance.parse().expect("an id");
    Finding::occasion("manual-r".to_owned(), "requested by a person".to_owned(), account, region, instance)
}

fn contain(sim: &Arc<Sim>, finding: &Finding) -> Answer {
    let invocation = sim.invocation("r", Duration::from_mins(2));
    sim.run(sim.engine(0).contain(finding, Force::No, &invocation)).expect("an answer")
}

#[test]
fn what_a_person_mistypes_is_answered_and_sent_to_nobody() {
    let unknown = "i-0fffffffffffffff0";
    let (mut world, victim) = World::plain();
    world.instances.get_mut(&victim.id).expect("it").shown.tags.insert("brig:exempt".to_owned(), "core".to_owned());
    for finding in [
        person(unknown, REGION),
        // It is there, and exempt: force is missing.
        person(victim.id.as_str(), REGION),
        Finding { account: "999988887777".parse().expect("account"), ..person(victim.id.as_str(), REGION) },
    ] {
        let sim = Sim::new(world.clone(), 1);
        let answer = contain(&sim, &finding);
        assert_eq!(answer.outcome, Conclusion::Refused, "{answer:#?}");
        assert!(!answer.reason.is_empty());
        assert_eq!(sim.told(), Vec::<String>::new(), "{}", answer.reason);
    }
}

#[test]
fn what_an_event_gets_wrong_is_sent() {
    let (world, _) = World::plain();
    let sim = Sim::new(world, 1);
    let finding = Finding { by_person: false, ..person("i-0fffffffffffffff0", REGION) };
    assert_eq!(contain(&sim, &finding).outcome, Conclusion::Refused);
    assert_eq!(sim.told().len(), 1);
}
