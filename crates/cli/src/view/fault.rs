//! An error for a person: what is wrong, then what to do.

use super::{
    Look,
    page::{Page, Tone},
};
use crate::fault::Fault;

/// The text for standard error.
#[must_use]
pub fn render(fault: &Fault, look: &Look) -> String {
    let mut page = Page::new(look);
    page.paragraph(Tone::Bad, &format!("brig: {fault}"));
    if let Fault::Several { found, more, .. } = fault {
        let rows: Vec<_> =
            found.iter().map(|(typed, what)| vec![(Tone::Plain, typed.clone()), (Tone::Plain, what.clone())]).collect();
        page.grid(2, &[], &rows);
        if *more > 0 {
            page.line(Tone::Plain, &format!("  and {more} more"));
        }
        page.paragraph(Tone::Plain, "Name one of them as it stands in the first column.");
    }
    let advice = fault.advice(&look.brig);
    if !advice.is_empty() {
        page.paragraph(Tone::Plain, &advice);
    }
    page.done()
}
