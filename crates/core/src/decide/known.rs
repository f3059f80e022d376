//! What the ledger knows of the instance, as far as a decision depends on it.

use std::time::Duration;

use crate::{
    ledger::{Containment, State},
    model::timestamp::Timestamp,
};

/// What the ledger knows of the instance, as far as a decision needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known<'a> {
    /// No containment of this instance is active.
    No,
    /// This one is.
    Active(&'a str),
    /// A person is taking the containment back, or died at it.
    Releasing(&'a str),
    /// It was taken back.
    Released {
        /// When.
        at: Timestamp,
        /// The findings that had led to it.
        findings: &'a [String],
    },
    /// The ledger dates its release in the future: a wrong clock, or somebody wrote to it. That time shows nothing.
    ReleasedInFuture {
        /// When, by the ledger.
        at: Timestamp,
    },
}

/// How far two functions' clocks may be apart.
const CLOCK_SKEW: Duration = Duration::from_mins(1);

impl<'a> Known<'a> {
    /// Reads the item `current`, as of now.
    #[must_use]
    pub fn of(current: Option<&'a Containment>, now: Timestamp) -> Self {
        let Some(current) = current else { return Self::No };
        match (current.state, current.released_at) {
            (State::Open | State::Closed, _) => Self::Active(current.containment.as_str()),
            (State::Releasing, _) => Self::Releasing(current.containment.as_str()),
            (State::Released, Some(at)) if at.since(now) > CLOCK_SKEW => Self::ReleasedInFuture { at },
            (State::Released, Some(at)) => Self::Released { at, findings: &current.findings },
            (State::Withdrawn, _) | (State::Released, None) => Self::No,
        }
    }
}
