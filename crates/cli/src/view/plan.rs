//! What would be done, with what each change replaces.

use super::{
    Look,
    outcome::{self, headline},
    page::{Page, Tone},
    words,
};
use crate::answer::{Answer, Entry, Found, Outcome, Step};

/// The text. What is no plan (refused, a question) is shown as what it is.
#[must_use]
pub fn render(answer: &Answer, look: &Look) -> String {
    if answer.containments.is_empty() || answer.containments.iter().any(|entry| entry.outcome != Outcome::Planned) {
        return outcome::render(answer, look);
    }
    let mut page = Page::new(look);
    for (number, entry) in answer.containments.iter().enumerate() {
        if number > 0 {
            page.gap();
        }
        one(&mut page, entry);
    }
    page.done()
}

fn one(page: &mut Page<'_>, entry: &Entry) {
    headline(page, entry);
    let planned: Vec<&Step> = entry.steps.iter().filter(|step| step.outcome == Found::Planned).collect();
    let others: Vec<&Step> = entry.steps.iter().filter(|step| step.outcome != Found::Planned).collect();
    match planned.len() {
        0 => page.line(Tone::Strong, "Nothing would be changed."),
        1 => page.line(Tone::Strong, "1 change would be made:"),
        count => page.line(Tone::Strong, &format!("{count} changes would be made:")),
    }
    let rows: Vec<_> =
        planned.iter().map(|step| vec![(Tone::Plain, words::lane(step)), (Tone::Plain, words::change(step))]).collect();
    page.grid(2, &[], &rows);
    if !others.is_empty() {
        page.section("No change needed, or none possible");
        let rows: Vec<_> = others
            .iter()
            .map(|step| {
                let found = (words::found(step.outcome), step.outcome.word().to_owned());
                vec![found, (Tone::Plain, words::lane(step)), (Tone::Plain, words::change(step))]
            })
            .collect();
        page.grid(2, &[], &rows);
    }
    if !entry.notes.is_empty() {
        page.section("Notes");
        page.list(entry.notes.iter().map(String::as_str));
    }
}
