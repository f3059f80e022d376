//! What people read. Each view is a pure function of an answer, a width and whether there is colour. What matters comes
//! first; a command to copy stands on a line of its own and is never broken.

pub mod evidence;
pub mod fault;
pub mod outcome;
pub mod page;
pub mod plan;
pub mod questions;
pub mod ready;
pub mod show;
pub mod status;
#[cfg(test)]
mod tests;
pub mod trace;
pub mod words;

/// Whether the terminal shows colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// It does.
    Yes,
    /// It does not, or must not.
    No,
}

/// How to write.
#[derive(Debug, Clone)]
pub struct Look {
    /// Columns.
    pub width: u16,
    /// Colour or none.
    pub colour: Colour,
    /// How the command is called, `brig --stack ir`.
    pub brig: String,
}
