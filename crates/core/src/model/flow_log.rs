//! A flow log that covers an interface.

use std::time::Duration;

use crate::model::Interface;

mod files;

pub use files::{Files, Listing};

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
    Bucket(Files),
    /// Elsewhere.
    Other,
}
