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
    let advice = fault.advice(&look.brig);
    if !advice.is_empty() {
        page.paragraph(Tone::Plain, &advice);
    }
    page.done()
}
