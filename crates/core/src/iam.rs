//! What Brig may do in AWS: the actions that each function needs, and whether an account lets it.

pub mod power;
pub mod readiness;
