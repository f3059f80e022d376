//! A person's direct invoke: `{"instance_id": "i-..."}` is enough. Strict, since a mistyped key at 3 AM must not be
//! taken for consent: every unknown key is an error.

use super::{
    Action, Invoked, ParseError, Parsed, Request, Source, abuse,
    draft::{Draft, Target, one_line},
};
use crate::{
    ids::{AccountId, Region},
    json::{Field, shown},
};

const KEYS: [&str; 7] = ["action", "instance_id", "abuse_report", "region", "account", "reason", "force"];
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
    let force = root.get("force").flag()?.unwrap_or(false);
    let account: AccountId = optional(&root.get("account"), &invoked.account)?;
    let region: Region = optional(&root.get("region"), &invoked.region)?;
    let title = if reason.is_empty() { "requested by a person".to_owned() } else { one_line(reason) };
    let request = match root.get("abuse_report").text()? {
        Some(_) if !root.get("instance_id").is_absent() => {
            return Err(ParseError::InvalidRequest("abuse_report and instance_id: give one of the two".to_owned()));
        }
        Some(text) => match abuse::from_person(text, &title, &account, &region, invoked) {
            Parsed::Request(request) => request,
            other @ (Parsed::Nothing(_) | Parsed::Batch(_)) => return Ok(other),
        },
        None => {
            let draft = Draft {
                source: Source::Manual,
                id: format!("manual-{}", invoked.request_id),
                kind: "Manual".to_owned(),
                title,
                by_person: true,
                ..Draft::default()
            };
            draft.named(&invoked.account, vec![(account, region, Target::Instance(root.get("instance_id").parse()?))])
        }
    };
    Ok(Parsed::Request(Request { action, force, ..request }))
}

fn optional<T>(field: &Field<'_>, default: &T) -> Result<T, ParseError>
where
    T: std::str::FromStr<Err = crate::ids::InvalidId> + Clone,
{
    if field.is_absent() { Ok(default.clone()) } else { field.parse() }
}
