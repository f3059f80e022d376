//! A person's direct invoke: `{"instance_id": "i-..."}` is enough. Strict, since a mistyped key at 3 AM must not be
//! taken for consent: every unknown key is an error.

use super::{Action, Finding, Invoked, ParseError, Parsed, Request, Source};
use crate::json::{Field, shown};

const KEYS: [&str; 6] = ["action", "instance_id", "region", "account", "reason", "force"];
const LONGEST_REASON: usize = 1000;

pub(super) fn parse(root: &Field<'_>, invoked: &Invoked) -> Result<Parsed, ParseError> {
    let unknown: Vec<String> = root
        .object()
        .into_iter()
        .flat_map(serde_json::Map::keys)
        .filter(|key| !KEYS.contains(&key.as_str()))
        .map(|key| format!("\"{}\"", key.chars().take(60).collect::<String>()))
        .collect();
    if !unknown.is_empty() {
        let plural = if unknown.len() == 1 { "key" } else { "keys" };
        return Err(ParseError::InvalidRequest(format!(
            "unknown {plural} {}; the keys are {}",
            unknown.join(", "),
            KEYS.join(", ")
        )));
    }
    let action = match root.get("action").text()? {
        None | Some("contain") => Action::Contain,
        Some("plan") => Action::Plan,
        Some(_) => {
            return Err(ParseError::InvalidRequest(format!(
                "action: {} is neither \"contain\" nor \"plan\"",
                shown(root.get("action").value())
            )));
        }
    };
    let reason = root.get("reason").text()?.unwrap_or_default();
    if reason.chars().count() > LONGEST_REASON {
        return Err(root.get("reason").wrong("a text of at most 1000 characters"));
    }
    Ok(Parsed::Request(Request {
        action,
        force: root.get("force").flag()?.unwrap_or(false),
        findings: vec![Finding {
            source: Source::Manual,
            id: format!("manual-{}", invoked.request_id),
            kind: "Manual".to_owned(),
            title: if reason.is_empty() { "requested by a person".to_owned() } else { one_line(reason) },
            severity: None,
            attacked: false,
            sample: false,
            archived: false,
            last_seen: None,
            account: optional(&root.get("account"), &invoked.account)?,
            region: optional(&root.get("region"), &invoked.region)?,
            instance: root.get("instance_id").parse()?,
        }],
    }))
}

fn optional<T>(field: &Field<'_>, default: &T) -> Result<T, ParseError>
where
    T: std::str::FromStr<Err = crate::ids::InvalidId> + Clone,
{
    if field.is_absent() { Ok(default.clone()) } else { field.parse() }
}

/// The reason goes into messages and tags of the ledger: control characters would forge lines there.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
