//! From the JSON that invoked the function to the findings it holds. One file per source below; each ends in the same
//! [`Finding`]. Only the instance's id, account and Region are taken from an event: groups, roles and addresses are
//! surveyed, never believed.

mod guardduty;
mod manual;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    ids::{AccountId, InstanceId, Region},
    json::{Field, shown},
    timestamp::Timestamp,
};

/// Who says that an instance is compromised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// An Amazon GuardDuty finding.
    GuardDuty,
    /// A person, by direct invoke.
    Manual,
}

/// One instance named by one trigger, after parsing.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Who said it.
    pub source: Source,
    /// The finding's id at its source; for a person's invoke the request id.
    pub id: String,
    /// The finding's type at its source, `Backdoor:EC2/C&CActivity.B!DNS`.
    pub kind: String,
    /// What a person reads about it, one line.
    pub title: String,
    /// GuardDuty's scale: 1 to 3.9 low, 4 to 6.9 medium, 7 to 8.9 high, 9 to 10 critical. None where the source has none.
    pub severity: Option<f64>,
    /// GuardDuty calls the instance the TARGET of the activity: attacked, which alone is not compromised.
    pub attacked: bool,
    /// A sample finding that somebody generated.
    pub sample: bool,
    /// Archived at its source: suppressed or dealt with.
    pub archived: bool,
    /// When the activity was last seen, where the source says so.
    pub last_seen: Option<Timestamp>,
    /// The instance's account.
    pub account: AccountId,
    /// The instance's Region.
    pub region: Region,
    /// The instance.
    pub instance: InstanceId,
}

impl Finding {
    /// Whether nobody pressed the button: an automatic finding counts against the hourly cap and respects exemption.
    #[must_use]
    pub fn is_automatic(&self) -> bool {
        self.source != Source::Manual
    }
}

/// What the invoker wants done about the findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Contain.
    Contain,
    /// Survey and show the plan; change nothing.
    Plan,
}

/// What an event asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What to do.
    pub action: Action,
    /// A person overrides exemption and a foreign containment's tag.
    pub force: bool,
    /// One finding for every instance that the event names.
    pub findings: Vec<Finding>,
}

/// What an event turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    /// It names instances.
    Request(Request),
    /// It is well-formed and names no instance; the text says why, for a person.
    Nothing(String),
}

/// Why an event cannot be read. The message names the field and the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// No source that Brig knows writes such events.
    #[error("{0}")]
    UnsupportedEvent(String),
    /// The source is known, and a field of the event is not what it must be.
    #[error("{0}")]
    InvalidRequest(String),
}

/// Where the function itself runs, and which invocation this is: what a person's invoke leaves out.
#[derive(Debug, Clone)]
pub struct Invoked {
    /// The function's account.
    pub account: AccountId,
    /// The function's Region.
    pub region: Region,
    /// The invocation's request id; Lambda's own retries of an event repeat it.
    pub request_id: String,
}

/// Reads an event. Total: any JSON ends in a request, in "names nothing" or in an error.
pub fn parse(event: &Value, invoked: &Invoked) -> Result<Parsed, ParseError> {
    let root = Field::root(event);
    let Some(map) = root.object() else {
        return Err(ParseError::UnsupportedEvent(format!("the event is {}, not a JSON object", shown(event))));
    };
    if map.contains_key("source") || map.contains_key("detail-type") {
        return envelope(&root);
    }
    if map.contains_key("instance_id") || map.contains_key("action") {
        return manual::parse(&root, invoked);
    }
    if guardduty::is_finding(&root) {
        return guardduty::parse(&root, None);
    }
    let mut keys: Vec<String> = map.keys().take(8).map(|key| key.chars().take(40).collect()).collect();
    keys.sort();
    Err(ParseError::UnsupportedEvent(format!(
        "no trigger has the keys [{}]; a direct invoke needs \"instance_id\"",
        keys.join(", ")
    )))
}

/// An EventBridge event: matched on `source` and `detail-type`, then read as that one type.
fn envelope(root: &Field<'_>) -> Result<Parsed, ParseError> {
    let source = root.get("source").text()?.unwrap_or_default();
    let detail_type = root.get("detail-type").text()?.unwrap_or_default();
    match (source, detail_type) {
        ("aws.guardduty", "GuardDuty Finding") => guardduty::parse(&root.get("detail"), Some(root)),
        _ => Err(ParseError::UnsupportedEvent(format!(
            "source: {} with detail-type {} is no trigger",
            shown(root.get("source").value()),
            shown(root.get("detail-type").value())
        ))),
    }
}

#[cfg(test)]
mod tests;
