//! A chat channel in addition to the mail: it gets what people get, at the same time, and what goes wrong with it is said, kept
//! and sent later without anybody hearing twice or waiting.

use std::{sync::Arc, time::Duration};

use brig_core::{
    decide::Asks,
    report::answer::Answer,
    trigger::{Finding, Force, Rejoin},
};
use brig_engine::StatusPage;
use brig_sim::{ACCOUNT, Break, Fault, REGION, Sim, Victim, World};
use serde_json::Value;

const TIME: Duration = Duration::from_mins(2);

fn opened() -> (Arc<Sim>, Victim) {
    let (world, victim) = World::plain();
    let sim = Sim::with(world, 1, brig_core::settings::Policy::default());
    sim.open_chat();
    (sim, victim)
}

fn asking() -> (Arc<Sim>, Victim) {
    let (sim, victim) = opened();
    let id = victim.id.clone();
    sim.change(move |world| {
        let tags = &mut world.instances.get_mut(&id).expect("it").shown.tags;
        tags.insert("brig:exempt".to_owned(), "true".to_owned());
    });
    (sim, victim)
}

fn contain(sim: &Arc<Sim>, victim: &Victim) -> Answer {
    let found = Finding::occasion(
        "f".to_owned(),
        "mining".to_owned(),
        ACCOUNT.parse().expect("account"),
        REGION.parse().expect("Region"),
        victim.id.clone(),
    );
    let finding = Finding { source: brig_core::trigger::Source::GuardDuty, by_person: false, ..found };
    let (engine, invocation) = (sim.engine(0), sim.invocation("r", TIME));
    sim.run(engine.contain(&finding, Force::No, &invocation)).expect("an answer")
}

fn status(sim: &Arc<Sim>) -> StatusPage {
    let (engine, invocation) = (sim.engine(0), sim.invocation("status", TIME));
    sim.run(engine.status(None, None, &invocation)).expect("an end").expect("an answer")
}

fn schedule(sim: &Arc<Sim>) -> Option<String> {
    let (engine, invocation) = (sim.engine(0), sim.invocation("schedule", TIME));
    sim.run(engine.verify_all(Asks::Machine, &invocation)).expect("an end").expect("an answer").not_notified
}

/// The channel's notifications.
fn said(sim: &Sim) -> Vec<Value> {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    let notification = |body: &str| parsed(body).get("default").and_then(Value::as_str).map(parsed);
    sim.in_chat().iter().map(|message| notification(&message.body).expect("a notification")).collect()
}

#[test]
fn the_channel_hears_what_people_hear_and_a_containment_is_one_thread() {
    let (sim, victim) = opened();
    contain(&sim, &victim);
    sim.release(&victim.id, Rejoin::No, "r2").expect("an answer");
    assert_eq!(sim.told().len(), 2, "{:?}", sim.told());
    let said = said(&sim);
    let titles: Vec<&str> = said.iter().filter_map(|said| said["content"]["title"].as_str()).collect();
    assert_eq!(titles.len(), 2, "{titles:?}");
    assert!(titles[0].contains("CONTAINED") && titles[1].contains("RELEASED"), "{titles:?}");
    assert_eq!(said[0]["metadata"]["threadId"], said[1]["metadata"]["threadId"]);
    // At the same time: neither waits for the other's answer.
    let at = |operation: &str| sim.calls().iter().find(|call| call.operation == operation).expect("a call").at;
    assert!((at("PublishToChat") - at("Publish")).abs() < 100, "{} {}", at("PublishToChat"), at("Publish"));
}

#[test]
fn without_a_channel_nothing_is_sent_there_and_nothing_is_left_over() {
    let (world, victim) = World::plain();
    let sim = Sim::with(world, 1, brig_core::settings::Policy::default());
    let answer = contain(&sim, &victim);
    assert!(!answer.left_over && answer.not_notified.is_none(), "{answer:?}");
    assert!(sim.in_chat().is_empty());
}

#[test]
fn what_the_channel_does_not_take_is_left_over_listed_and_sent_late_and_people_hear_once() {
    for begin in [opened as fn() -> (Arc<Sim>, Victim), asking] {
        for fault in Fault::ALL {
            let (sim, victim) = begin();
            sim.breaks(Break::Always("PublishToChat", fault));
            let began = sim.clock();
            let answer = contain(&sim, &victim);
            let took = sim.clock().since(began);
            let why = answer.not_notified.clone().unwrap_or_default();
            assert!(answer.left_over && why.starts_with("the chat channel's topic: "), "{fault:?}: {answer:?}");
            assert!(
                answer.notes.iter().any(|note| note.to_string().starts_with("people were notified, but")),
                "{fault:?}"
            );
            assert_eq!(sim.told().len(), 1, "{fault:?}: people were notified");
            assert!(took < Duration::from_secs(30), "{fault:?}: {took:?}");
            let page = status(&sim);
            let [waits] = page.not_notified.as_slice() else { panic!("{fault:?}: {:?}", page.not_notified) };
            assert_eq!(waits.channel, "chat");
            assert!(page.questions.iter().all(|question| question.notified), "people know of the question");
            // The event comes again while it is still so, and after.
            assert!(contain(&sim, &victim).left_over, "{fault:?}");
            sim.heal();
            sim.wait(Duration::from_mins(3));
            assert!(!contain(&sim, &victim).left_over, "{fault:?}");
            assert_eq!(sim.told().len(), 1, "{fault:?}: {:?}", sim.told());
            let said = said(&sim);
            let [late] = said.as_slice() else { panic!("{fault:?}: {said:?}") };
            assert!(late["content"]["description"].as_str().expect("text").starts_with("Sent late"), "{late:#}");
            assert!(status(&sim).not_notified.is_empty(), "{fault:?}");
        }
    }
}

#[test]
fn a_release_that_did_not_reach_the_channel_is_sent_there_by_the_schedule() {
    let (sim, victim) = opened();
    contain(&sim, &victim);
    sim.breaks(Break::Always("PublishToChat", Fault::Denied));
    let answer = sim.release(&victim.id, Rejoin::No, "r2").expect("an answer");
    assert!(answer.not_notified.is_some(), "{answer:?}");
    sim.heal();
    assert!(status(&sim).active.is_empty(), "it is released: people know it");
    assert_eq!(schedule(&sim), None);
    assert_eq!((sim.told().len(), sim.in_chat().len()), (2, 2));
}

#[test]
fn while_people_cannot_be_notified_the_channel_is_not_notified_again_and_again() {
    for begin in [opened as fn() -> (Arc<Sim>, Victim), asking] {
        let (sim, victim) = begin();
        sim.breaks(Break::Always("Publish", Fault::Denied));
        for _ in 0..3 {
            assert!(contain(&sim, &victim).left_over);
        }
        assert_eq!((sim.told().len(), sim.in_chat().len()), (0, 1));
        sim.heal();
        assert!(!contain(&sim, &victim).left_over);
        assert_eq!((sim.told().len(), sim.in_chat().len()), (1, 1));
    }
}

#[test]
fn a_question_that_was_answered_is_not_asked_again_because_the_channel_did_not_hear_it() {
    let (sim, victim) = asking();
    sim.breaks(Break::Always("PublishToChat", Fault::Denied));
    contain(&sim, &victim);
    let question = status(&sim).questions.pop().expect("a question");
    let (engine, at) = (sim.engine(0), sim.clock());
    sim.run(engine.ledger.close_question(&question.target, &question.question, "no", at))
        .expect("an end")
        .expect("closed");
    // The event comes again for the channel's sake.
    assert!(contain(&sim, &victim).left_over);
    assert!(status(&sim).questions.is_empty());
}

#[test]
fn a_channel_that_hangs_holds_nobody_up() {
    let (sim, victim) = opened();
    contain(&sim, &victim);
    let calm = sim.calls().iter().find(|call| call.operation == "Publish").expect("a call").at;
    let (sim, victim) = opened();
    sim.breaks(Break::Always("PublishToChat", Fault::Timeout));
    let began = sim.clock();
    contain(&sim, &victim);
    let hung = sim.calls().iter().find(|call| call.operation == "Publish").expect("a call").at;
    assert_eq!(calm, hung, "people are notified as soon");
    assert!(sim.clock().since(began) < Duration::from_secs(20));
}
