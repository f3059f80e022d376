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
        for (typed, what) in found {
            // A line of its own: in a column, a long name next to it would break it.
            page.command(typed);
            page.grid(4, &[], &[vec![(Tone::Plain, what.clone())]]);
        }
        if *more > 0 {
            page.line(Tone::Plain, &format!("  and {more} more"));
        }
        page.paragraph(Tone::Plain, "Name one of them by its line, account/region/id.");
    }
    let advice = fault.advice(&look.brig);
    if !advice.is_empty() {
        page.paragraph(Tone::Plain, &advice);
    }
    page.done()
}
