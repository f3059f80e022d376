//! The record of every containment, by what it records.

mod containments;
mod notices;
mod questions;
mod reports;
mod settings;
mod shares;

pub use containments::Containments;
pub use notices::Notices;
pub use questions::Questions;
pub use reports::Reports;
pub use settings::Settings;
pub use shares::Shares;

/// All of it.
pub trait Ledger: Containments + Reports + Notices + Questions + Shares + Settings {}

impl<T: Containments + Reports + Notices + Questions + Shares + Settings> Ledger for T {}
