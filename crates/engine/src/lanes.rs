//! The four lanes. Each looks further if it must, plans, records, runs, and reads back; none waits for another.

pub(crate) mod credentials;
pub(crate) mod evidence;
pub(crate) mod fleet;
pub(crate) mod network;
