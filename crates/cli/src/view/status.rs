//! All that is contained: what does not hold first; and what else waits for a person.

use super::{
    Look,
    page::{Page, Tone},
    words,
};
use crate::answer::{PrincipalStanding, Standing, Status, Truth};

/// So many instances get commands of their own.
const MOST_COMMANDS: usize = 3;

/// The text. Rows whose `typed` name is in `changed` are marked.
#[must_use]
pub fn render(status: &Status, changed: &[String], look: &Look) -> String {
    let mut page = Page::new(look);
    let (weak, whole): (Vec<&Standing>, Vec<&Standing>) = status.active.iter().partition(|standing| is_weak(standing));
    let (all, not_whole) = (status.principals.len(), status.principals.iter().filter(|one| !one.holds()).count());
    match (status.active.len(), weak.len()) {
        (0, _) if all > 0 => {}
        (0, _) => page.line(Tone::Good, "Nothing is contained."),
        (1, 0) => page.line(Tone::Good, "1 instance is contained, and everything holds."),
        (all, 0) => page.line(Tone::Good, &format!("{all} instances are contained, and everything holds.")),
        (1, _) => page.line(Tone::Bad, "1 instance is contained, and not everything holds."),
        (all, weak) => page.line(Tone::Bad, &format!("{all} instances are contained; {weak} of them not wholly.")),
    }
    match (all, not_whole) {
        (0, _) => {}
        (1, 0) => page.line(Tone::Good, "1 user is contained, and everything holds."),
        (1, _) => page.line(Tone::Bad, "1 user is contained, and not everything holds."),
        (all, 0) => page.line(Tone::Good, &format!("{all} users are contained, and everything holds.")),
        (all, weak) => page.line(Tone::Bad, &format!("{all} users are contained; {weak} of them not wholly.")),
    }
    waiting(&mut page, status, &look.brig);
    users(&mut page, &status.principals, &look.brig);
    if status.active.is_empty() {
        return page.done();
    }
    page.gap();
    let rows: Vec<_> = weak.iter().chain(&whole).map(|standing| row(standing, changed)).collect();
    page.grid(0, &["instance", "state", "lanes", "age", "last outcome"], &rows);
    if !weak.is_empty() {
        page.section("What to do now");
        page.paragraph(Tone::Plain, "See what is not as it should be, then repair it:");
        for standing in weak.iter().take(MOST_COMMANDS) {
            page.command(&format!("{} plan {}", look.brig, words::typed(&standing.now)));
            page.command(&format!("{} verify {}", look.brig, words::typed(&standing.now)));
        }
    }
    page.done()
}

/// Contained users, and how each stands.
fn users(page: &mut Page<'_>, all: &[PrincipalStanding], brig: &str) {
    if all.is_empty() {
        return;
    }
    page.gap();
    let row = |one: &PrincipalStanding| {
        let tone = if one.holds() { Tone::Good } else { Tone::Bad };
        vec![
            (Tone::Plain, words::typed(&one.now)),
            (Tone::Plain, words::state(one.state).to_owned()),
            (tone, one.now.verdict.summary.clone()),
            (Tone::Plain, words::age(one.age_seconds)),
            (Tone::Plain, one.last_outcome.map_or("none yet", words::short).to_owned()),
        ]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    page.grid(0, &["user or role", "state", "now", "age", "last outcome"], &rows);
    for one in all.iter().filter(|one| !one.holds()).take(MOST_COMMANDS) {
        page.command(&format!("{brig} verify {}", words::typed(&one.now)));
    }
}

/// What is no containment and needs somebody.
fn waiting(page: &mut Page<'_>, status: &Status, brig: &str) {
    match status.questions.len() {
        0 => {}
        count if status.more_questions.is_some() => {
            page.line(Tone::Warn, &format!("More than {count} questions wait for a decision: {brig} questions"));
        }
        1 => page.line(Tone::Warn, &format!("1 question waits for a decision: {brig} questions")),
        count => page.line(Tone::Warn, &format!("{count} questions wait for a decision: {brig} questions")),
    }
    for unsent in &status.not_notified {
        let (tone, who) = match unsent.channel.as_str() {
            "chat" => (Tone::Warn, "The chat channel"),
            _ => (Tone::Bad, "People"),
        };
        page.paragraph(tone, &format!("{who} could not be notified about {}: {}", unsent.about, unsent.why));
    }
    if status.more_not_notified {
        page.paragraph(Tone::Bad, "More messages could not be sent than are listed here.");
    }
    for entry in &status.unreadable {
        page.paragraph(Tone::Bad, &format!("An entry of the ledger names no instance: {entry}"));
    }
}

fn is_weak(standing: &Standing) -> bool {
    standing.drift > 0
        || !standing.never_done.is_empty()
        || standing.now.verdict.lanes().iter().any(|(_, truth)| *truth != Truth::Yes)
}

fn row(standing: &Standing, changed: &[String]) -> Vec<(Tone, String)> {
    let entry = &standing.now;
    let mark = if changed.contains(&words::typed(entry)) { "> " } else { "" };
    let instance = entry.instance_id.clone().unwrap_or_default();
    let name = standing.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    let weak: Vec<String> = entry
        .verdict
        .lanes()
        .into_iter()
        .filter(|(_, truth)| *truth != Truth::Yes)
        .map(|(lane, truth)| format!("{lane} {}", words::truth(truth).1))
        .collect();
    let (mut tone, mut lanes) =
        if weak.is_empty() { (Tone::Good, "all done".to_owned()) } else { (Tone::Bad, weak.join("\n")) };
    for (count, what) in [(standing.drift, "drifted"), (standing.never_done.len() as u64, "never done")] {
        if count > 0 {
            tone = Tone::Bad;
            lanes = format!("{lanes}\n{count} {what}");
        }
    }
    vec![
        (Tone::Plain, format!("{mark}{instance}{name}\n{mark}{}/{}", entry.account, entry.region)),
        (Tone::Plain, words::state(standing.state).to_owned()),
        (tone, lanes),
        (Tone::Plain, words::age(standing.age_seconds)),
        (Tone::Plain, standing.last_outcome.map_or("none yet", words::short).to_owned()),
    ]
}

/// The instances that look otherwise than before, and those that are new.
#[must_use]
pub fn changed(before: &[Standing], now: &[Standing]) -> Vec<String> {
    let seen = |standing: &Standing| {
        let verdict = &standing.now.verdict;
        let undone = standing.never_done.len();
        (words::typed(&standing.now), standing.state, verdict.lanes(), standing.drift, undone, standing.last_outcome)
    };
    let known: Vec<_> = before.iter().map(seen).collect();
    now.iter().map(seen).filter(|now| !known.contains(now)).map(|now| now.0).collect()
}
