//! Does what `brig-core` decides: looks, claims, runs the four lanes at once, reads back, tells people. Everything
//! outside is behind the ports, so the same engine runs against AWS and against a simulator.

mod access;
mod acl;
mod announce;
mod attempt;
mod claim;
mod contain;
mod denial;
mod escalation;
mod lanes;
mod look;
pub mod ports;
mod preview;
mod proof;
mod reach;
mod readiness;
mod release;
mod reports;
mod resolve;
pub mod rulebook;
mod search;
mod standing;
mod stop;
mod tell;
mod verify;
mod work;

pub use contain::{Engine, Invocation};
pub use look::{Found, FoundPage};
pub use readiness::Ready;
pub use verify::{StatusEntry, StatusPage, Verified};
