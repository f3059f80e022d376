//! Who: the findings and the orders, who undid it, who released it, who is still to hear of it. Who invoked is a claim of
//! theirs, and shown as the record has it.

use super::{Case, Listed, People, short, words};
use crate::ledger::{self, State};

const MOST: usize = 20;

pub(super) fn people(case: &Case<'_>) -> Vec<People> {
    let Some(record) = &case.record.containment else { return questions(case).into_iter().collect() };
    let mut all = Vec::new();
    let mut add = |what, who: Vec<String>| {
        if !who.is_empty() {
            all.push(People { what, who: Listed::first(MOST, who) });
        }
    };
    add("Why, and who ordered it", vec![short(&record.reason)]);
    if record.stop {
        add("Also ordered", vec!["that the instance be stopped".to_owned()]);
    }
    add("Findings", record.findings.iter().map(|finding| short(finding)).collect());
    let holder = match record.state {
        Some(State::Open | State::Releasing) => "Invocation that holds it, or held it last",
        Some(State::Closed | State::Withdrawn | State::Released) | None => "Last invocation that held it",
    };
    add(
        holder,
        Some(short(&record.holder)).filter(|id| !id.is_empty()).map(|id| format!("request {id}")).into_iter().collect(),
    );
    let notified =
        record.notified.as_deref().map(|word| format!("of the outcome \"{}\"", short(ledger::word_of(word))));
    add("People were notified", vec![notified.unwrap_or_else(|| "not on record".to_owned())]);
    let unsent =
        case.record.not_notified.iter().map(|unsent| format!("{}: {}", short(&unsent.subject), short(&unsent.why)));
    add("Messages that could not be sent", unsent.collect());
    if let Some(contest) = &record.contest {
        let by = case.contained.and_then(|(_, answer)| answer.contest.as_ref()).map(|contest| contest.by.as_slice());
        let by = by.unwrap_or_default();
        let mut who: Vec<String> = by.iter().map(|by| short(by)).collect();
        if who.is_empty() {
            who.push("not known".to_owned());
        }
        if let (Some(since), Some(seen)) = (contest.since, contest.seen) {
            who.push(format!("from {} to {}", words::moment(since), words::moment(seen)));
        }
        add("Who keeps undoing it", who);
    }
    let again = case.record.steps.iter().filter_map(|step| {
        let (times, last) = step.done_again()?;
        let times = words::count(times, "time");
        Some(format!("{} {}: {times}, last {}", short(&step.step), short(&step.resource), words::moment(last)))
    });
    add("Undone by somebody, and done again", again.collect());
    let released = case.released.map(|(at, answer)| format!("{} ({})", short(&answer.reason), words::moment(at)));
    add("Release", released.into_iter().collect());
    all.extend(questions(case));
    all
}

fn questions(case: &Case<'_>) -> Option<People> {
    let questions = case.record.questions.iter().map(|question| {
        let asked = question.asked_at.map_or_else(String::new, |at| format!(", asked {}", words::moment(at)));
        format!("{}: {} [{}]{asked}", short(&question.id), short(&question.reason), short(&question.finding))
    });
    let who = Listed::first(MOST, questions);
    (!who.shown.is_empty()).then_some(People { what: "Questions that wait for a decision", who })
}
