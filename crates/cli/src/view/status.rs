//! All that is contained: what does not hold first.

use super::{
    Look,
    page::{Page, Tone},
    words,
};
use crate::answer::{Standing, Truth};

/// The text. Rows whose `typed` name is in `changed` are marked.
#[must_use]
pub fn render(active: &[Standing], changed: &[String], look: &Look) -> String {
    let mut page = Page::new(look);
    let (weak, whole): (Vec<&Standing>, Vec<&Standing>) = active.iter().partition(|standing| is_weak(standing));
    match (active.len(), weak.len()) {
        (0, _) => page.line(Tone::Good, "Nothing is contained."),
        (1, 0) => page.line(Tone::Good, "1 instance is contained, and everything holds."),
        (all, 0) => page.line(Tone::Good, &format!("{all} instances are contained, and everything holds.")),
        (1, _) => page.line(Tone::Bad, "1 instance is contained, and not everything holds."),
        (all, weak) => page.line(Tone::Bad, &format!("{all} instances are contained; {weak} of them not wholly.")),
    }
    if active.is_empty() {
        return page.done();
    }
    page.gap();
    let rows: Vec<_> = weak.iter().chain(&whole).map(|standing| row(standing, changed)).collect();
    page.grid(0, &["instance", "state", "lanes", "age", "last outcome"], &rows);
    let drifted = active.iter().filter(|standing| standing.drift > 0).count();
    if drifted > 0 {
        page.section("What to do now");
        page.paragraph(Tone::Plain, "See what has drifted, then repair it:");
        for standing in active.iter().filter(|standing| standing.drift > 0).take(3) {
            page.command(&format!("{} plan {}", look.brig, words::typed(&standing.now)));
            page.command(&format!("{} verify {}", look.brig, words::typed(&standing.now)));
        }
    }
    page.done()
}

fn is_weak(standing: &Standing) -> bool {
    standing.drift > 0 || standing.now.verdict.lanes().iter().any(|(_, truth)| *truth != Truth::Yes)
}

fn row(standing: &Standing, changed: &[String]) -> Vec<(Tone, String)> {
    let entry = &standing.now;
    let name = words::typed(entry);
    let mark = if changed.contains(&name) { "> " } else { "" };
    let instance = entry.instance_id.clone().unwrap_or_default();
    let state = match standing.state.as_str() {
        "open" => "being worked on",
        "closed" => "contained",
        "releasing" => "being released",
        other => other,
    };
    let weak: Vec<String> = entry
        .verdict
        .lanes()
        .into_iter()
        .filter(|(_, truth)| *truth != Truth::Yes)
        .map(|(lane, truth)| format!("{lane} {}", words::truth(truth).1))
        .collect();
    let (tone, mut lanes) =
        if weak.is_empty() { (Tone::Good, "all done".to_owned()) } else { (Tone::Bad, weak.join("\n")) };
    if standing.drift > 0 {
        lanes = format!("{lanes}\n{} to repair", standing.drift);
    }
    vec![
        (Tone::Plain, format!("{mark}{instance}\n{mark}{}/{}", entry.account, entry.region)),
        (Tone::Plain, state.to_owned()),
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
        (words::typed(&standing.now), standing.state.clone(), verdict.lanes(), standing.drift, standing.last_outcome)
    };
    let known: Vec<_> = before.iter().map(seen).collect();
    now.iter().map(seen).filter(|now| !known.contains(now)).map(|now| now.0).collect()
}
