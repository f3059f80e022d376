//! What is not known, and why: said as plainly as what is.

use super::{
    About, Case, Listed, Now, Unknown,
    record::{Found, StepOnRecord},
    short, words,
};
use crate::{
    ledger::State,
    report::paths::{self, NewFlows, OpenFlows},
    step::Lane,
};

const MOST: usize = 30;
const MOST_NOTES: usize = 30;

pub(super) fn unknown(case: &Case<'_>) -> Listed<Unknown> {
    let mut all: Vec<Unknown> = Vec::new();
    let mut add = |what: String, why: String| {
        let unknown = Unknown { what: short(&what), why: short(&why) };
        if !all.contains(&unknown) {
            all.push(unknown);
        }
    };
    let Some(record) = &case.record.containment else { return Listed::first(MOST, all) };
    match case.contained {
        None if record.state != Some(State::Withdrawn) => add(
            "what became true of each lane and path".to_owned(),
            "no answer of an attempt is on record: none has ended, or an earlier version of Brig made it".to_owned(),
        ),
        None => {}
        Some((at, answer)) => {
            for line in super::lanes::lanes(case).iter().filter(|line| line.read_back.1 == words::truth(None).1) {
                let why =
                    format!("it could not be read when all was read back, {}; the notes say why", words::moment(at));
                add(format!("{}: whether {}", words::lane(line.lane), words::promise(case.record, line.lane)), why);
            }
            for path in &answer.verdict.paths {
                let name = paths::name_of(&path.kind, path.via.as_deref());
                if path.new_flows == NewFlows::Unknown {
                    add(format!("whether a new connection can start through {name}"), path.why.clone());
                } else if path.open_flows == OpenFlows::Unknown {
                    add(format!("whether open connections go on through {name}"), path.why.clone());
                }
            }
            if let Some(proof) = &answer.verdict.proof
                && proof.state != Some(crate::report::proof::State::Proof)
                && proof.state != Some(crate::report::proof::State::Contradiction)
            {
                add("whether flow logs bear out the cut".to_owned(), proof.detail.clone());
            }
            add(
                "what has happened since".to_owned(),
                match case.record.about() {
                    About::Instance => format!("lanes and paths are as they were read back {}", words::moment(at)),
                    About::User | About::Role => {
                        format!("its credentials are as they were read back {}", words::moment(at))
                    }
                },
            );
        }
    }
    for step in case.record.steps.iter().filter(|step| step.outcome == Found::Planned) {
        let why = "its intent is on record, and no outcome: whoever ran it is at it, or died at it";
        add(format!("whether {} took effect", named(step)), why.to_owned());
    }
    for undone in case.standing.iter().flat_map(|standing| &standing.never_done) {
        let why = if undone.why.is_empty() { "it was never run" } else { &undone.why };
        let lane = words::lane_of(&undone.lane).map_or("", words::lane);
        add(format!("{lane}: {} {} has never succeeded", undone.step, undone.resource), why.to_owned());
    }
    for unread in case.standing.iter().flat_map(|standing| &standing.unread) {
        add(format!("{} now", unread.what), unread.error.clone());
    }
    if let Now::Unseen { why } = case.sources.now {
        add("how it stands now".to_owned(), format!("it could not be looked at: {why}"));
    }
    if case.record.about() != About::Instance && case.record.containment.is_some() {
        add(
            "what its credentials made before they were denied".to_owned(),
            "other users, roles, and sessions of roles live on: Brig does not look for them, CloudTrail has the calls"
                .to_owned(),
        );
    }
    if case.record.steps.iter().any(|step| words::lane_of(&step.lane) == Some(Lane::Evidence)) {
        add(
            "whether the snapshots have completed".to_owned(),
            "AWS goes on copying after it has accepted them; the command under Evidence shows it".to_owned(),
        );
    }
    Listed::first(MOST, all)
}

fn named(step: &StepOnRecord) -> String {
    format!("{} {}", step.step, step.resource)
}

/// What was noted as it was read back; of a release too.
pub(super) fn notes(case: &Case<'_>) -> Listed<String> {
    let answers = || [case.released, case.contained].into_iter().flatten().map(|(_, answer)| answer);
    let mut notes: Vec<String> = Vec::new();
    for note in answers().flat_map(|answer| &answer.notes).map(|note| short(note)) {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    let mut listed = Listed::first(MOST_NOTES, notes);
    listed.more += answers().map(|answer| answer.left_out.notes).sum::<usize>();
    listed
}
