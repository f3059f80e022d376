//! What the end-to-end tests, the demo and the benchmark share: an account to contain in, and the function's binary with
//! the Lambda service in front of it. Endpoints come from the environment; `make test` starts them.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a harness stops at the first thing that is not as it must be"
)]

pub mod account;
pub mod events;
mod flows;
pub mod function;
pub mod proxy;
pub mod replay;
pub mod seed;
pub mod stack;
pub mod state;
