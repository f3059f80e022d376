//! A person's direct invoke: `{"instance_id": "i-..."}` is enough. Strict, since a mistyped key at 3 AM must not be
//! taken for consent: every unknown key is an error.

use super::{
    Action, Force, Invoked, LedgerRequest, ParseError, Parsed, Place, Readiness, Rejoin, Request, Source, abuse,
    draft::{Draft, Target, one_line},
    look, whom,
};
use crate::{
    model::{
        Principal,
        ids::{AccountId, Region, TargetKey},
        text,
    },
    trigger::{
        json::{Field, shown},
        reading::optional,
    },
};

const KEYS: [&str; 23] = [
    "action",
    "instance_id",
    "access_key_id",
    "user",
    "role",
    "abuse_report",
    "region",
    "account",
    "reason",
    "force",
    "for",
    "rejoin",
    "next",
    "prepare",
    "accounts",
    "stop",
    "scheduled",
    "name",
    "address",
    "invoked_by",
    "question",
    "answer",
    "notify",
];
const LONGEST_REASON: usize = 1000;
const LONGEST_ARN: usize = 2048;

pub(super) fn parse(root: &Field<'_>, invoked: &Invoked) -> Result<Parsed, ParseError> {
    let unknown: Vec<String> = root
        .object()
        .into_iter()
        .flat_map(serde_json::Map::keys)
        .filter(|key| !KEYS.contains(&key.as_str()))
        .map(|key| format!("\"{}\"", text::one_line(key, 60)))
        .collect();
    if !unknown.is_empty() {
        let plural = if unknown.len() == 1 { "key" } else { "keys" };
        return Err(ParseError::InvalidRequest(format!(
            "unknown {plural} {}; the keys are {}",
            unknown.join(", "),
            KEYS.join(", ")
        )));
    }
    let given = root.object().into_iter().flat_map(serde_json::Map::iter);
    if let Some((key, value)) = given.into_iter().find(|(_, value)| is_empty(value)) {
        return Err(ParseError::InvalidRequest(format!(
            "{key}: {} is not a value; leave the key out, or give it one",
            shown(value)
        )));
    }
    if root.get("action").text()? == Some("readiness") {
        return Ok(Parsed::Readiness(readiness(root)?));
    }
    if root.get("action").text()? == Some("decide") {
        return Ok(Parsed::LedgerRequest(decide(root)?));
    }
    if let Some(key) = ["question", "answer"].into_iter().find(|key| !root.get(key).is_absent()) {
        return Err(ParseError::InvalidRequest(format!("{key}: it goes with \"action\": \"decide\" only")));
    }
    if let Some(key) = ["prepare", "accounts", "notify"].into_iter().find(|key| !root.get(key).is_absent()) {
        return Err(ParseError::InvalidRequest(format!("{key}: it goes with \"action\": \"readiness\" only")));
    }
    match root.get("action").text()? {
        Some("show") => return Ok(Parsed::LedgerRequest(LedgerRequest::Show(look::show(root, invoked)?))),
        Some("find") => return Ok(Parsed::LedgerRequest(LedgerRequest::Find(look::find(root, invoked)?))),
        _ => {}
    }
    if let Some(key) = ["name", "address"].into_iter().find(|key| !root.get(key).is_absent()) {
        return Err(ParseError::InvalidRequest(format!("{key}: it goes with \"action\": \"find\" only")));
    }
    if let Some(roll) = roll(root, invoked)? {
        return Ok(Parsed::LedgerRequest(roll));
    }
    let action = action(root)?;
    let reason = root.get("reason").text()?.unwrap_or_default();
    if reason.chars().count() > LONGEST_REASON {
        return Err(root.get("reason").wrong("a text of at most 1000 characters"));
    }
    let force = if root.get("force").flag()?.unwrap_or(false) { Force::Yes } else { Force::No };
    let stop = root.get("stop").flag()?.unwrap_or(false);
    let account: AccountId = optional(&root.get("account"), &invoked.account)?;
    let region: Region = optional(&root.get("region"), &invoked.region)?;
    let title = if reason.is_empty() { "requested by a person".to_owned() } else { one_line(reason) };
    let title = match claimed(&root.get("invoked_by"))? {
        Some(arn) => format!("{title} (invoked by {arn}, as the caller claims)"),
        None => title,
    };
    let target = principal(root, action, stop)?;
    let request = if let Some(text) = root.get("abuse_report").text()? {
        match abuse::from_person(text, &title, &account, &region, invoked) {
            Parsed::Request(_) if stop => {
                return Err(ParseError::InvalidRequest("stop: it goes with an instance_id".to_owned()));
            }
            Parsed::Request(request) => request,
            other @ (Parsed::Nothing(_)
            | Parsed::Notice(_)
            | Parsed::Batch(_)
            | Parsed::TrailCall(_)
            | Parsed::LedgerRequest(_)
            | Parsed::Readiness(_)) => {
                return Ok(other);
            }
        }
    } else {
        let draft = Draft {
            source: Source::Manual,
            id: format!("manual-{}", invoked.request_id),
            kind: "Manual".to_owned(),
            title,
            by_person: true,
            stop,
            place: place(root),
            ..Draft::default()
        };
        let target = match target {
            Some(principal) => Target::Principal(principal),
            None => Target::Instance(root.get("instance_id").parse()?),
        };
        draft.named(&invoked.account, vec![(account, region, target)])
    };
    Ok(Parsed::Request(Request { action, force, ..request }))
}

/// The principal that is named, where one is; an error where more than one thing is, or what a principal has no use for.
fn principal(root: &Field<'_>, action: Action, stop: bool) -> Result<Option<Principal>, ParseError> {
    let principal = whom::principal(root)?;
    let targets = whom::KEYS.into_iter().chain(["abuse_report"]);
    let given: Vec<&str> = targets.filter(|key| !root.get(key).is_absent()).collect();
    if given.len() > 1 {
        return Err(ParseError::InvalidRequest(format!("{}: give one of them", given.join(" and "))));
    }
    if principal.is_some() && (stop || action.rejoins()) {
        return Err(ParseError::InvalidRequest("stop and rejoin: they go with an instance_id".to_owned()));
    }
    Ok(principal)
}

/// Who invoked, by the caller's own word: nobody checks it, and it is shown as a claim. CloudTrail's data events are the
/// proof (<https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html>).
fn claimed<'a>(field: &Field<'a>) -> Result<Option<&'a str>, ParseError> {
    let Some(arn) = field.text()? else { return Ok(None) };
    let fits = arn.starts_with("arn:") && arn.len() <= LONGEST_ARN && arn.chars().all(|c| c.is_ascii_graphic());
    if fits { Ok(Some(arn)) } else { Err(field.wrong("an ARN, as sts:GetCallerIdentity gives it")) }
}

/// What stands for nothing: it shows that something was meant which did not come through.
fn is_empty(value: &serde_json::Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// What of the place the person left out.
fn place(root: &Field<'_>) -> Place {
    let (account, region) = (root.get("account").is_absent(), root.get("region").is_absent());
    if account || region { Place::Assumed { account, region } } else { Place::Stated }
}

/// How ready the function's own account and Region are.
fn readiness(root: &Field<'_>) -> Result<Readiness, ParseError> {
    let allowed = ["action", "reason", "prepare", "accounts", "instance_id", "notify"];
    if let Some(key) = KEYS.into_iter().find(|key| !allowed.contains(key) && !root.get(key).is_absent()) {
        return Err(ParseError::InvalidRequest(format!("{key}: \"readiness\" does not take it")));
    }
    let instance = root.get("instance_id");
    let accounts = root.get("accounts");
    if !accounts.is_absent() && !accounts.value().is_array() {
        return Err(accounts.wrong("a list of AWS account ids"));
    }
    Ok(Readiness {
        prepare: root.get("prepare").flag()?.unwrap_or(false),
        notify: root.get("notify").flag()?.unwrap_or(false),
        accounts: accounts.items().iter().map(Field::parse).collect::<Result<_, _>>()?,
        instance: if instance.is_absent() { None } else { Some(instance.parse()?) },
    })
}

/// Questions about all active containments name no instance.
fn roll(root: &Field<'_>, invoked: &Invoked) -> Result<Option<LedgerRequest>, ParseError> {
    let action = root.get("action").text()?;
    let from = root.get("next").text()?;
    let roll = match action {
        Some("status") if names_one(root) => return status_of(root, invoked).map(Some),
        Some("status") => {
            let wrong = || {
                root.get("next").wrong("what an answer of \"status\" has in \"next\": <account>/<region>/<instance> or <account>/iam/<user>")
            };
            let from = from.map(|next| TargetKey::parse(next).ok_or_else(wrong)).transpose()?;
            LedgerRequest::Status { from, of: None }
        }
        Some("questions") => {
            let is_place = |next: &&str| {
                next.rsplit_once('#').is_some_and(|(key, id)| TargetKey::parse(key).is_some() && !id.is_empty())
            };
            let wrong = || root.get("next").wrong("what an answer of \"questions\" has in \"next\"");
            let from = from.map(|next| Some(next).filter(is_place).ok_or_else(wrong)).transpose()?;
            LedgerRequest::Questions { from: from.map(str::to_owned) }
        }
        _ if from.is_some() => {
            return Err(ParseError::InvalidRequest(
                "next: it goes with \"action\": \"status\" or \"questions\" only".to_owned(),
            ));
        }
        Some("verify") if !names_one(root) => {
            LedgerRequest::Verify { scheduled: root.get("scheduled").flag()?.unwrap_or(false) }
        }
        _ if !root.get("scheduled").is_absent() => {
            return Err(ParseError::InvalidRequest(
                "scheduled: it goes with \"action\": \"verify\" of all active containments only".to_owned(),
            ));
        }
        _ => return Ok(None),
    };
    if matches!(roll, LedgerRequest::Status { .. }) && !root.get("scheduled").is_absent() {
        return Err(ParseError::InvalidRequest("scheduled: \"status\" does not take it".to_owned()));
    }
    let other = ["instance_id", "abuse_report", "region", "account", "force", "for", "rejoin", "stop", "invoked_by"]
        .into_iter()
        .find(|key| !root.get(key).is_absent());
    match other {
        Some(key) => Err(ParseError::InvalidRequest(format!("{key}: this action is about all active containments"))),
        None => Ok(Some(roll)),
    }
}

fn names_one(root: &Field<'_>) -> bool {
    whom::KEYS.iter().any(|key| !root.get(key).is_absent())
}

/// A person's answer to a question.
fn decide(root: &Field<'_>) -> Result<LedgerRequest, ParseError> {
    let allowed = ["action", "question", "answer", "reason", "invoked_by"];
    if let Some(key) = KEYS.into_iter().find(|key| !allowed.contains(key) && !root.get(key).is_absent()) {
        return Err(ParseError::InvalidRequest(format!("{key}: \"decide\" does not take it")));
    }
    let question = root.get("question");
    let id = question.text()?.filter(|id| !id.is_empty());
    let answer = root.get("answer");
    Ok(LedgerRequest::Decide {
        question: id.ok_or_else(|| question.wrong("the id of a question, as \"questions\" lists it"))?.to_owned(),
        contain: match answer.text()? {
            Some("yes") => true,
            Some("no") => false,
            Some(_) | None => return Err(answer.wrong("\"yes\" or \"no\"")),
        },
        reason: match claimed(&root.get("invoked_by"))? {
            Some(arn) => format!("{} (invoked by {arn}, as the caller claims)", reason(root)?),
            None => reason(root)?,
        },
    })
}

/// Why, in a person's words; empty where they gave none.
fn reason(root: &Field<'_>) -> Result<String, ParseError> {
    let reason = root.get("reason").text()?.unwrap_or_default();
    if reason.chars().count() > LONGEST_REASON {
        return Err(root.get("reason").wrong("a text of at most 1000 characters"));
    }
    Ok(one_line(reason))
}

/// The status of one instance, in the function's own account and Region where none is given.
fn status_of(root: &Field<'_>, invoked: &Invoked) -> Result<LedgerRequest, ParseError> {
    let other = ["next", "abuse_report", "force", "for", "rejoin", "stop", "scheduled"]
        .into_iter()
        .find(|key| !root.get(key).is_absent());
    if let Some(key) = other {
        return Err(ParseError::InvalidRequest(format!("{key}: the status of one instance does not take it")));
    }
    Ok(LedgerRequest::Status { from: None, of: Some(whom::whom(root, invoked)?) })
}

/// What is wanted; a key that belongs to another action is an error, since it shows that something else was meant.
fn action(root: &Field<'_>) -> Result<Action, ParseError> {
    let wrong = |text: String| Err(ParseError::InvalidRequest(text));
    if root.get("action").text()? == Some("verify") {
        let other =
            ["abuse_report", "force", "for", "rejoin", "stop"].into_iter().find(|key| !root.get(key).is_absent());
        return match other {
            Some(key) => wrong(format!("{key}: a verification does not take it")),
            None => Ok(Action::Verify),
        };
    }
    let releases = match (root.get("action").text()?, root.get("for").text()?) {
        (Some("release"), None) | (Some("plan"), Some("release")) => true,
        (None | Some("contain" | "plan"), None) | (Some("plan"), Some("contain")) => false,
        (Some("plan"), Some(_)) => {
            return wrong(format!("for: {} is neither \"contain\" nor \"release\"", shown(root.get("for").value())));
        }
        (None | Some("contain" | "release"), Some(_)) => {
            return wrong("for: it says what \"action\": \"plan\" plans, and goes with nothing else".to_owned());
        }
        (Some(_), _) => {
            return wrong(format!(
                "action: {} is not one of \"contain\", \"plan\", \"release\", \"verify\", \"status\", \"questions\", \"decide\", \"show\", \"find\", \"readiness\"",
                shown(root.get("action").value())
            ));
        }
    };
    let plans = root.get("action").text()? == Some("plan");
    let rejoin = root.get("rejoin").flag()?;
    if releases && ["force", "abuse_report", "stop"].iter().any(|key| !root.get(key).is_absent()) {
        return wrong("force, abuse_report and stop: a release takes none of them".to_owned());
    }
    match (releases, rejoin) {
        (false, Some(_)) => wrong("rejoin: it goes with a release only".to_owned()),
        (false, None) if plans => Ok(Action::Plan),
        (false, None) => Ok(Action::Contain),
        (true, rejoin) => {
            let rejoin = if rejoin.unwrap_or(false) { Rejoin::Yes } else { Rejoin::No };
            Ok(if plans { Action::PlanRelease { rejoin } } else { Action::Release { rejoin } })
        }
    }
}
