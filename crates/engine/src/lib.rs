//! Does what `brig-core` decides: looks, claims, runs the four lanes at once, reads back, notifies people. Everything
//! outside is behind the ports, so the same engine runs against AWS and against a simulator.

mod announce;
mod arrive;
mod attempt;
mod claim;
mod contain;
mod decide;
mod denial;
mod effects;
mod engine;
mod followups;
mod lanes;
mod last_healthy;
mod links;
mod look;
mod notify;
pub mod ports;
mod preview;
mod principals;
mod proof;
mod reach;
mod readiness;
mod release;
mod reports;
mod resolve;
pub mod rulebook;
mod search;
mod stable;
mod status;
mod target_groups;
mod tell;
mod trail;
mod verify;
mod work;

pub use decide::Decision;
pub use engine::{Engine, Invocation};
pub use look::{Found, FoundPage, story};
pub use notify::Notified;
pub use principals::PrincipalStanding;
pub use readiness::Ready;
pub use status::{StatusEntry, StatusPage, Undone};
pub use trail::{Touched, TouchedError};
pub use verify::{Caller, Drift, Verification, Verified};
