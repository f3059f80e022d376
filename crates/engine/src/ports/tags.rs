//! Tags.

use std::collections::BTreeMap;

/// Tags as key and value.
pub type Tags = BTreeMap<String, String>;
