//! Readiness: what is missing first, then what was not seen, then what is in place.

use super::{
    Look,
    page::{Page, Tone},
};
use crate::answer::{Check, CheckState, Ready};

/// The text.
#[must_use]
pub fn render(ready: &Ready, look: &Look) -> String {
    let mut page = Page::new(look);
    let of = |state: CheckState| ready.lines.iter().filter(move |line| line.state == state);
    let count = |state: CheckState| of(state).count();
    let (missing, unknown) = (count(CheckState::Missing), count(CheckState::Unknown));
    match (missing, unknown) {
        (0, 0) => page.line(Tone::Good, "READY: everything that was checked is in place."),
        (0, unknown) => page.line(Tone::Warn, &format!("READY as far as was seen: {unknown} not seen.")),
        (missing, 0) => page.line(Tone::Bad, &format!("NOT READY: {missing} missing.")),
        (missing, unknown) => page.line(Tone::Bad, &format!("NOT READY: {missing} missing, {unknown} not seen.")),
    }
    page.gap();
    let rows: Vec<_> =
        [CheckState::Missing, CheckState::Unknown, CheckState::Ok].into_iter().flat_map(of).map(row).collect();
    page.grid(0, &["check", "state", "what was seen, and what to do"], &rows);
    if !ready.prepared.is_empty() {
        page.section("Prepared");
        page.list(ready.prepared.iter().map(String::as_str));
    }
    page.done()
}

fn row(line: &Check) -> Vec<(Tone, String)> {
    let (tone, state) = match line.state {
        CheckState::Ok => (Tone::Good, "ok"),
        CheckState::Missing => (Tone::Bad, "MISSING"),
        CheckState::Unknown => (Tone::Warn, "not seen"),
    };
    let text = if line.todo.is_empty() { line.detail.clone() } else { format!("{}\n-> {}", line.detail, line.todo) };
    vec![(Tone::Plain, line.what.clone()), (tone, state.to_owned()), (Tone::Plain, text)]
}
