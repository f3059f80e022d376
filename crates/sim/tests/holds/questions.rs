//! What a person must decide: each question is on record, is listed, and is answered by its id.

use brig_core::{
    ledger::Cause,
    model::ids::InstanceId,
    settings::Policy,
    trigger::{Finding, Force},
};
use brig_engine::Decision;
use brig_sim::{Break, Fault, Sim, World};

use crate::notify::{TIME, act, contain, exempt, found, key, plain, status};

#[test]
fn a_question_is_listed_until_the_instance_is_contained() {
    let (sim, victim) = plain(Policy::default(), exempt);
    contain(&sim, &victim);
    let questions = status(&sim).questions;
    let question = questions.first().expect("a question");
    assert_eq!((question.cause, question.notified, &question.finding), (Cause::Exempt, true, &"f".to_owned()));
    let person = Finding { by_person: true, ..found(&victim.id, "p") };
    let (engine, invocation) = (sim.engine(0), sim.invocation("p", TIME));
    sim.run(engine.contain(&person, Force::Yes, &invocation)).expect("an answer");
    assert!(status(&sim).questions.is_empty());
}

#[test]
fn a_question_is_answered_yes_or_no_by_its_id() {
    for (contain_it, waits) in [(true, 0), (false, 0)] {
        let (sim, victim) = plain(Policy::default(), exempt);
        let asked = contain(&sim, &victim).question.expect("an id");
        let (engine, invocation) = (sim.engine(0), sim.invocation("p", TIME));
        let decide = |id: &str| {
            let answer = sim.run(engine.decide(id, contain_it, "a drill", &invocation));
            answer.expect("an end").expect("an answer")
        };
        assert_eq!(decide("another"), Decision::NotAsked);
        match (contain_it, decide(&asked)) {
            (true, Decision::Acted(answer)) => assert_eq!(answer.outcome.word(), "contained", "{answer:?}"),
            (false, Decision::Closed(question)) => assert_eq!(question.question, asked),
            (_, other) => assert_eq!(other, Decision::NotAsked, "{contain_it}"),
        }
        assert_eq!(status(&sim).questions.len(), waits);
        assert_eq!(decide(&asked), Decision::NotAsked);
    }
}

#[test]
fn one_finding_that_asks_about_two_instances_asks_two_questions() {
    let (mut world, victim) = World::plain();
    exempt(&mut world, &victim);
    let other: InstanceId = "i-0000000000000beef".parse().expect("id");
    let mut shown = world.instances.get(&victim.id).expect("it").clone();
    shown.shown.id = other.clone();
    world.instances.insert(other.clone(), shown);
    let sim = Sim::new(world, 1);
    let ask = |instance: &InstanceId| act(&sim, &found(instance, "f")).question.expect("an id");
    let (first, second) = (ask(&victim.id), ask(&other));
    assert_ne!(first, second);
    let (engine, invocation) = (sim.engine(0), sim.invocation("p", TIME));
    match sim.run(engine.decide(&second, true, "", &invocation)).expect("an end").expect("an answer") {
        Decision::Acted(answer) => assert_eq!(answer.instance_id, other),
        decision @ (Decision::NotAsked | Decision::Closed(_) | Decision::ActedOnPrincipal(_)) => panic!("{decision:?}"),
    }
}

#[test]
fn of_many_questions_every_one_is_listed_and_can_be_answered() {
    let (sim, victim) = plain(Policy::default(), exempt);
    contain(&sim, &victim);
    let asked = status(&sim).questions.first().expect("a question").clone();
    let (engine, invocation) = (sim.engine(0), sim.invocation("p", TIME));
    for number in 1..150 {
        let target = key(&format!("i-{number:017x}").parse().expect("an id"));
        let question = brig_core::ledger::Question { question: format!("q-{number}"), target, ..asked.clone() };
        sim.run(engine.ledger.ask(&question)).expect("an end").expect("recorded");
    }
    let mut listed = Vec::new();
    let mut from = None;
    loop {
        let page = sim.run(engine.questions(from.as_deref())).expect("an end").expect("a page");
        assert!(page.questions.len() <= 100);
        listed.extend(page.questions);
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(listed.len(), 150);
    let page = status(&sim);
    assert!(page.questions.len() == 100 && page.more_questions.is_some(), "{:?}", page.more_questions);
    let last = listed.last().expect("a question");
    match sim.run(engine.decide(&last.question, false, "a drill", &invocation)).expect("an end").expect("an answer") {
        Decision::Closed(question) => assert_eq!(question.question, last.question),
        decision @ (Decision::NotAsked | Decision::Acted(_) | Decision::ActedOnPrincipal(_)) => panic!("{decision:?}"),
    }
}

#[test]
fn a_containment_closes_every_question_about_its_instance() {
    let (sim, victim) = plain(Policy::default(), exempt);
    contain(&sim, &victim);
    let asked = status(&sim).questions.first().expect("a question").clone();
    let (engine, invocation) = (sim.engine(0), sim.invocation("p", TIME));
    for number in 1..150 {
        let question = brig_core::ledger::Question { question: format!("q-{number}"), ..asked.clone() };
        sim.run(engine.ledger.ask(&question)).expect("an end").expect("recorded");
    }
    let person = Finding { by_person: true, ..found(&victim.id, "p") };
    sim.run(engine.contain(&person, Force::Yes, &invocation)).expect("an answer");
    assert_eq!(status(&sim).questions, Vec::new());
}

#[test]
fn a_question_that_could_not_be_recorded_is_recorded_by_the_retry() {
    let (sim, victim) = plain(Policy::default(), exempt);
    sim.breaks(Break::Always("PutItem", Fault::ServerError));
    let answer = contain(&sim, &victim);
    assert!(answer.left_over, "{answer:?}");
    sim.heal();
    contain(&sim, &victim);
    assert_eq!(status(&sim).questions.len(), 1);
    assert!(!sim.told().is_empty());
}
