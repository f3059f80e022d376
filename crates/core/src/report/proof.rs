//! What VPC flow logs say of the time after the cut: proof, contradiction, or nothing
//! (<https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html>).

use serde::{Deserialize, Serialize};

mod tally;

pub use self::tally::{Cut, Tally, judge};

/// How far flow logs bear out the cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Every interface has records after the cut, and none accepted a byte.
    Proof,
    /// A record after the cut accepted bytes.
    Contradiction,
    /// No proof is available.
    Unavailable,
}

/// What flow logs say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// In a word.
    pub state: State,
    /// For a person.
    pub detail: String,
}

impl Proof {
    /// No proof, and why.
    #[must_use]
    pub fn unavailable(why: &str) -> Self {
        Self { state: State::Unavailable, detail: format!("no proof is available: {why}") }
    }
}

#[cfg(test)]
mod tests;
