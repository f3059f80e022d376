//! Decides what containing a compromised EC2 instance means: which instance an event names, whether to act, which
//! steps, in which order, and what became true. Everything here is a function of its arguments: no async, no AWS SDK,
//! no clock, no environment. The engine acts on what this crate returns.

pub mod decide;
pub mod followups;
pub mod iam;
pub mod lanes;
pub mod ledger;
pub mod model;
pub mod release;
pub mod report;
pub mod settings;
pub mod step;
pub mod trigger;

#[cfg(test)]
mod testing;
