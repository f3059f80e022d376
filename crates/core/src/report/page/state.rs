//! How it stands, in a word with a colour; from where the page's parts come; and what to do.

use super::{About, Advice, Case, Now, State, Tone, short, words};
use crate::{
    ledger::{self, Conclusion},
    model::text,
    report::contest,
};

/// How many callers get advice of their own.
const MOST_CALLERS: usize = 3;
const MOST_QUESTIONS: usize = 3;

pub(super) fn state(case: &Case<'_>) -> State {
    let (tone, word) = headline(case);
    State { tone, word, sentence: sentence(case), sources: sources(case) }
}

fn headline(case: &Case<'_>) -> (Tone, &'static str) {
    let Some(record) = &case.record.containment else { return (Tone::Calm, "Never contained") };
    let drifted = case.standing.as_ref().is_some_and(|standing| standing.drift > 0);
    match (record.state, record.outcome) {
        (Some(ledger::State::Released), _) => (Tone::Calm, "Released"),
        (Some(ledger::State::Withdrawn), _) => (Tone::Calm, "Withdrawn, nothing was changed"),
        (Some(ledger::State::Releasing), Some(Conclusion::ReleasePartial)) => (Tone::Bad, "Only partly released"),
        (Some(ledger::State::Releasing), _) => (Tone::Warn, "Being released, or interrupted at it"),
        (Some(ledger::State::Open | ledger::State::Closed), Some(Conclusion::Partial)) => {
            (Tone::Bad, "Only partly contained")
        }
        (Some(ledger::State::Open | ledger::State::Closed), Some(Conclusion::Failed)) => (Tone::Bad, "Not contained"),
        (Some(ledger::State::Open | ledger::State::Closed), Some(Conclusion::Contested)) => {
            (Tone::Bad, "Somebody keeps undoing it")
        }
        (Some(ledger::State::Open | ledger::State::Closed), Some(Conclusion::Contradicted)) => {
            (Tone::Bad, "Traffic after the cut")
        }
        (Some(ledger::State::Open), _) => (Tone::Warn, "Being contained, or interrupted at it"),
        (Some(ledger::State::Closed), Some(Conclusion::Drifted)) => (Tone::Bad, "Drifted"),
        (Some(ledger::State::Closed), _) if drifted => (Tone::Bad, "Drifted since it was read back"),
        (
            Some(ledger::State::Closed),
            Some(Conclusion::Contained | Conclusion::AlreadyContained | Conclusion::Verified | Conclusion::Repaired),
        ) => (Tone::Good, "Contained"),
        (Some(ledger::State::Closed), Some(Conclusion::Unverified)) => (Tone::Warn, "Not verified"),
        (Some(ledger::State::Closed) | None, _) => (Tone::Warn, "Not known to this version"),
    }
}

/// The answer that tells how it stands: the release's, once there is one.
fn sentence(case: &Case<'_>) -> String {
    let Some(record) = &case.record.containment else {
        return match case.record.about() {
            About::User => "This ledger has no containment of the user on record.".to_owned(),
            About::Role => "This ledger has no containment of the role on record.".to_owned(),
            About::Instance => "This ledger has no containment of the instance on record.".to_owned(),
        };
    };
    let gone = matches!(record.state, Some(ledger::State::Released | ledger::State::Releasing));
    let answer = if gone { case.released } else { case.contained };
    match (answer, record.state) {
        (Some((_, answer)), _) if !answer.verdict.summary.is_empty() => {
            text::one_line(&answer.verdict.summary, text::REPORT)
        }
        (_, Some(ledger::State::Released)) => "What its containment had changed was given back.".to_owned(),
        (_, Some(ledger::State::Withdrawn)) => "A question came up before anything was changed.".to_owned(),
        (_, Some(ledger::State::Open | ledger::State::Closed | ledger::State::Releasing) | None) => {
            "What was read back is not on record; the steps below are.".to_owned()
        }
    }
}

fn sources(case: &Case<'_>) -> Vec<(&'static str, String)> {
    let mut sources = vec![("On record", format!("the ledger, read {}", words::moment(case.sources.as_of)))];
    if case.record.containment.is_some() {
        let (unknown, what) = match case.record.about() {
            About::Instance => ("lanes and paths are not known here", "lanes, paths, notes"),
            About::User | About::Role => ("its credentials are not known here", "credentials, notes"),
        };
        let read = case
            .contained
            .map_or_else(|| format!("not on record: {unknown}"), |(at, _)| format!("{} ({what})", words::moment(at)));
        sources.push(("Read back last", read));
    }
    if let Some((at, _)) = case.released {
        sources.push(("Release read back", words::moment(at)));
    }
    match case.sources.now {
        Now::NotLooked => {}
        Now::Unseen { why } => {
            sources.push(("Seen now", format!("no: it could not be looked at: {}", short(why))));
        }
        Now::Looked { at, .. } => {
            let paths = match case.record.about() {
                About::User | About::Role => "",
                About::Instance => "; paths were not looked at",
            };
            let seen = case.standing.as_ref().map_or_else(
                || "the ledger lists no active containment of it".to_owned(),
                |standing| match standing.drift {
                    0 => format!("nothing has drifted{paths}"),
                    1 => format!("1 step would have to be run again{paths}"),
                    drift => format!("{drift} steps would have to be run again{paths}"),
                },
            );
            sources.push(("Seen now", format!("{}: {seen}", words::moment(at))));
        }
    }
    sources
}

pub(super) fn advice(case: &Case<'_>) -> Vec<Advice> {
    let say = |text: &str, command: Option<String>| Advice { text: text.to_owned(), command };
    let Some(record) = &case.record.containment else {
        return vec![say("To see what a containment would do; it changes nothing:", Some(case.command("plan")))];
    };
    let mut advice = Vec::new();
    let release = || say("To give everything back (it shows the plan and asks first):", Some(case.command("release")));
    match (record.state, headline(case).0) {
        (Some(ledger::State::Closed), Tone::Good) => {
            let take_over = match case.record.about() {
                About::User => {
                    "Find out where its key leaked from, and in CloudTrail what it made: users, roles and sessions of roles are not covered by the denial."
                }
                About::Role => {
                    "Find out in CloudTrail who assumed the role: whoever may, can begin new sessions, which are not denied."
                }
                About::Instance => {
                    "Take over the investigation. Sessions that its role got elsewhere by sts:AssumeRole are not covered by the denial."
                }
            };
            advice.push(say(take_over, None));
            advice
                .push(say("To read everything back again, and repair what has drifted:", Some(case.command("verify"))));
            advice.push(release());
        }
        (Some(ledger::State::Closed), _) => {
            advice.extend(callers(case));
            advice.push(say(
                "Settle what is not as it should be, below. Then have it repaired:",
                Some(case.command("verify")),
            ));
            advice.push(release());
        }
        (Some(ledger::State::Open), _) => {
            advice.push(say(
                "Settle what failed, below. If nobody is working on it, go on where it stopped:",
                Some(case.command("contain")),
            ));
        }
        (Some(ledger::State::Releasing), _) => {
            advice.push(say("If nobody is working on it, finish the release:", Some(case.command("release"))));
        }
        (Some(ledger::State::Released), _) if case.record.about() == About::User => {
            advice.push(say("Nothing more is needed. Delete the keys that leaked: they work again.", None));
        }
        (Some(ledger::State::Released), _) => advice.push(say(
            "Nothing more is needed. Snapshots stay; delete them once nobody needs them, when their locks have ended.",
            None,
        )),
        (Some(ledger::State::Withdrawn), _) => {
            advice.push(say("Answer the question; nothing is touched until somebody does.", None));
        }
        (None, _) => advice.push(say("Update the command: the function is newer than it.", None)),
    }
    for question in case.record.questions.iter().take(MOST_QUESTIONS) {
        let command = format!("{} decide {} yes|no", case.sources.brig, text::shell(&short(&question.id)));
        advice.push(say("A question waits for a decision:", Some(command)));
    }
    advice
}

/// What takes the access away of whoever undoes it.
fn callers(case: &Case<'_>) -> Vec<Advice> {
    let contest = case.contained.and_then(|(_, answer)| answer.contest.as_ref());
    let by = contest.into_iter().flat_map(|contest| contest.by.iter().take(MOST_CALLERS));
    let lines = by.flat_map(|by| contest::take_away(by));
    lines.map(|text| Advice { text: short(&text), command: None }).collect()
}
