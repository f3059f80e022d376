//! Decides what containing a compromised EC2 instance means: which instance an event names, whether to act, which
//! steps, in which order, and what became true. Everything here is a function of its arguments: no async, no AWS SDK,
//! no clock, no environment. The engine acts on what this crate returns.

pub mod access;
pub mod acl;
mod console;
pub mod containment;
pub mod contest;
pub mod deny_policy;
pub mod fact;
pub mod finding;
pub mod gap;
pub mod ids;
mod json;
pub mod ledger;
pub mod message;
pub mod node;
pub mod notified;
pub mod page;
pub mod paths;
pub mod plan;
pub mod policy;
pub mod power;
pub mod proof;
pub mod queue;
pub mod reach;
pub mod readiness;
pub mod release;
pub mod rules;
pub mod step;
pub mod story;
pub mod survey;
pub mod text;
pub mod timestamp;
pub mod verdict;

#[cfg(test)]
mod testing;
