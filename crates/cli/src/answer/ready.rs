//! What is in place, and what is missing.

use serde::Deserialize;

/// What `readiness` answers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Ready {
    /// One line a check.
    pub lines: Vec<Check>,
    /// What was made ahead of time.
    pub prepared: Vec<String>,
}

/// One check.
#[derive(Debug, Clone, Deserialize)]
pub struct Check {
    /// What was checked.
    #[serde(rename = "check")]
    pub what: String,
    /// What it showed.
    pub state: CheckState,
    /// What was seen.
    #[serde(default)]
    pub detail: String,
    /// What to do.
    #[serde(rename = "do", default)]
    pub todo: String,
}

/// What one check showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Seen to be in place.
    Ok,
    /// Seen not to be.
    Missing,
    /// Not seen.
    #[serde(other)]
    Unknown,
}
