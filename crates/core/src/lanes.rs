//! From what was seen to what will be done. One file per lane; each has `plan`, which makes every choice, and `facts`,
//! which reads from a later look what became true. Executing a plan makes no choice that is not in it.

pub(crate) mod controllers;
pub mod credentials;
pub mod evidence;
pub mod fleet;
pub mod holder;
pub mod network;
pub mod role;
mod user;
