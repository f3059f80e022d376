//! What VPC flow logs say of the time after the cut: proof, contradiction, or nothing
//! (<https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html>).

mod files;
mod tally;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::survey::Interface;

pub use self::{
    files::{Files, Listing},
    tally::{Cut, Tally, judge},
};

/// A flow log that is active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowLog {
    /// The VPC, subnet or interface that it watches.
    pub resource: String,
    /// `ALL`, `ACCEPT` or `REJECT`.
    pub traffic: String,
    /// Where it goes.
    pub destination: Destination,
    /// The fields of its records, `${version} ${account-id} ...`.
    pub format: String,
    /// How long a time one record covers at most.
    pub interval: Duration,
}

impl FlowLog {
    /// Whether it has records of what an interface accepts.
    #[must_use]
    pub fn watches(&self, interface: &Interface) -> bool {
        let watched = [interface.id.as_str(), &interface.subnet, interface.vpc.as_str()];
        watched.contains(&self.resource.as_str()) && self.traffic != "REJECT"
    }
}

/// Where a flow log goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A log group of CloudWatch Logs, by name.
    LogGroup(String),
    /// A bucket.
    Bucket(Files),
    /// Elsewhere.
    Other,
}

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
