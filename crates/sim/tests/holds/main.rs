//! What must hold whatever happens: sweeps over the simulated account.
#![expect(clippy::expect_used, reason = "a test stops at the first thing that is not as it must be")]
#![expect(clippy::disallowed_methods, reason = "the seed to run again comes from the environment")]

mod access;
mod acl;
mod adversary;
mod announce;
mod chat;
mod common;
mod contest;
mod crashes;
mod credentials;
mod drift;
mod elsewhere;
mod escalation;
mod evidence;
mod faults;
mod fleet;
mod flood;
mod forensic;
mod hostile;
mod interfaces;
mod links;
mod looks;
mod mistyped;
mod notify;
mod paths;
mod permanent;
mod power;
mod proof;
mod questions;
mod races;
mod record;
mod release;
mod roles;
mod stop;
mod user_worlds;
mod users;
mod words;
mod worlds;
