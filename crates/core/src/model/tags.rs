//! The tags that Brig writes and knows again.

/// The tag that a group of ours carries in addition to its name.
pub const GROUP_ROLE_TAG: &str = "brig:role";

/// The tag that names the containment an instance is in.
pub const CONTAINMENT_TAG: &str = "brig:containment";

/// The tag that says how far the containment of an instance is.
pub const STATE_TAG: &str = "brig:state";

/// The tag of a snapshot that names the device its volume was attached as.
pub const DEVICE_TAG: &str = "brig:device";

/// The tag of snapshots that hold a hibernated instance's memory.
pub const MEMORY_TAG: &str = "brig:memory";
