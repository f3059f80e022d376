//! An AWS in memory behind the engine's ports, made to be broken: latency per call, throttling, late reads, faults before
//! and after an effect, killed processes. Time is virtual and everything follows from a seed, so that thousands of runs
//! take seconds and a failing one can be run again.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::wildcard_enum_match_arm,
    reason = "a world that cannot be built ends the test"
)]

mod build;
mod cloud;
mod ledger;
mod life;
mod process;
mod sim;
mod time;
mod world;

pub use build::{ACCOUNT, REGION, Victim};
pub use cloud::OWN_SESSION;
pub use process::{about, by_person};
pub use sim::{Break, Call, Fault, Sim, When};
pub use world::{DENY_ALL, Instance, Interface, Scaling, TargetGroup, User, World};
