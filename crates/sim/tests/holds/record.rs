//! What people ask for later is on record: what was read back, and when a step was first done.

use std::{sync::Arc, time::Duration};

use brig_core::{
    model::ids::InstanceKey,
    report::story::{ReportOnRecord, Story},
    trigger::Rejoin,
};
use brig_engine::Drift;
use brig_sim::{ACCOUNT, REGION, Sim, Victim, World};
use serde_json::Value;

use crate::{
    common::calm,
    drift::{UNDONE, verify},
};

fn show(sim: &Arc<Sim>, victim: &Victim) -> Story {
    let (account, region) = (ACCOUNT.parse().expect("account"), REGION.parse().expect("Region"));
    let key = InstanceKey { account, region, instance: victim.id.clone() };
    let engine = sim.engine(0);
    sim.run(engine.show(&key.into())).expect("an end").expect("an answer")
}

fn outcomes<'a>(story: &'a Story) -> Vec<(&'static str, &'a str)> {
    let outcome = |report: &'a ReportOnRecord| report.answer.get("outcome").and_then(Value::as_str).unwrap_or_default();
    story.reports.iter().map(|report| (report.of, outcome(report))).collect()
}

#[test]
fn what_was_read_back_last_is_on_record_and_a_repair_does_not_move_the_first_cut() {
    let (world, victim) = World::production();
    let sim = calm(&world, &victim);
    let first = show(&sim, &victim);
    assert_eq!(outcomes(&first), [("containment", "contained")]);
    let answer = &first.reports[0].answer;
    assert_eq!((&answer["verdict"]["network"], answer.get("steps")), (&"yes".into(), None));
    assert!(answer["verdict"]["paths"].as_array().is_some_and(|paths| !paths.is_empty()), "{answer}");

    sim.wait(Duration::from_hours(1));
    let (what, undo) = UNDONE[0];
    sim.change(|world| undo(world, &victim));
    verify(&sim, &victim, Drift::Repair);
    let later = show(&sim, &victim);
    assert_eq!(outcomes(&later), [("containment", "repaired")], "{what}");
    let again: Vec<_> = later.steps.iter().filter(|step| step.finished_at > step.first_done_at).collect();
    assert!(again.iter().any(|step| step.step.name() == "isolate"), "{what}: {again:#?}");
    for step in again {
        let before = first.steps.iter().find(|known| known.key == step.key).expect("it was on record");
        assert_eq!(step.first_done_at, before.first_done_at);
    }

    sim.release(&victim.id, Rejoin::No, "release").expect("an answer");
    let released = show(&sim, &victim);
    assert_eq!(outcomes(&released), [("containment", "repaired"), ("release", "released")]);
}
