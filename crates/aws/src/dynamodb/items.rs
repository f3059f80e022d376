//! Ledger items to and from values. Texts a person reads in the console stand beside the JSON that Brig reads back.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use brig_core::{
    ids::ContainmentId,
    ledger::{ActivePage, Current, InstanceKey, MemberSet, Records, State, StepRecord, Told},
    step::{Failure, Outcome},
    timestamp::Timestamp,
};
use brig_engine::ports::{Answer, CloudError, ErrorKind};

use super::Item;

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

/// The partition key of the list of active containments.
pub(super) const ACTIVE: &str = "active";

pub(super) fn active(key: &InstanceKey) -> Item {
    HashMap::from([("pk".to_owned(), text(ACTIVE)), ("sk".to_owned(), text(key.pk()))])
}

pub(super) fn active_page(items: &[Item], last: Option<&Item>) -> ActivePage {
    let keys = items.iter().filter_map(|item| {
        let mut parts = get(item, "sk")?.splitn(3, '/');
        Some(InstanceKey {
            account: parts.next()?.parse().ok()?,
            region: parts.next()?.parse().ok()?,
            instance: parts.next()?.parse().ok()?,
        })
    });
    ActivePage { keys: keys.collect(), next: last.and_then(|item| get(item, "sk")).map(str::to_owned) }
}

pub(super) fn policy_pk(parameter: &str) -> String {
    format!("policy/{parameter}")
}

pub(super) fn kept_policy(item: &Item) -> Option<(String, Timestamp)> {
    Some((get(item, "text")?.to_owned(), get(item, "read_at").and_then(Timestamp::parse)?))
}

pub(super) fn current(key: &InstanceKey, current: &Current) -> Item {
    let state = match current.state {
        State::Open => "open",
        State::Closed => "closed",
        State::Withdrawn => "withdrawn",
        State::Releasing => "releasing",
        State::Released => "released",
    };
    let mut item: Item = HashMap::from([
        ("pk".to_owned(), text(key.pk())),
        ("sk".to_owned(), text("current")),
        ("containment_id".to_owned(), text(current.containment.as_str())),
        ("state".to_owned(), text(state)),
        ("holder".to_owned(), text(&current.holder)),
        ("lease_until".to_owned(), text(current.lease_until.to_string())),
        ("version".to_owned(), number(current.version)),
        ("claimed_at".to_owned(), text(current.claimed_at.to_string())),
        ("findings".to_owned(), AttributeValue::L(current.findings.iter().map(text).collect())),
        ("reason".to_owned(), text(&current.reason)),
    ]);
    if current.stop {
        item.insert("stop".to_owned(), AttributeValue::Bool(true));
    }
    let released_at = current.released_at.map(|at| at.to_string());
    for (name, value) in [("outcome", &current.outcome), ("told", &current.told), ("released_at", &released_at)] {
        if let Some(value) = value {
            item.insert(name.to_owned(), text(value));
        }
    }
    item
}

pub(super) fn step(key: &InstanceKey, containment: &ContainmentId, record: &StepRecord) -> Answer<Item> {
    let body = serde_json::to_string(&record.step).map_err(|error| broken("Put", &error.to_string()))?;
    Ok(HashMap::from([
        ("pk".to_owned(), text(key.pk())),
        ("sk".to_owned(), text(format!("{containment}/{}", record.key))),
        ("lane".to_owned(), text(record.step.lane().name())),
        ("step".to_owned(), text(record.step.name())),
        ("resource".to_owned(), text(record.step.resource(key.instance.as_str()))),
        ("body".to_owned(), text(body)),
        ("recorded_at".to_owned(), text(record.recorded_at.to_string())),
        ("outcome".to_owned(), text("planned")),
    ]))
}

pub(super) fn member_set(item: Option<&Item>) -> MemberSet {
    let Some(item) = item else { return MemberSet::default() };
    // The attribute's name is of the time when only roles had sets.
    let members = item.get("instances").and_then(|value| value.as_ss().ok()).cloned().unwrap_or_default();
    let version = item.get("version").and_then(|value| value.as_n().ok()).and_then(|n| n.parse().ok());
    MemberSet { version: version.unwrap_or(0), members }
}

/// All items of an instance; steps of containments before the current one are history and left out.
pub(super) fn records(items: &[Item]) -> Answer<Records> {
    let mut records = Records::default();
    if let Some(item) = items.iter().find(|item| get(item, "sk") == Some("current")) {
        records.current = Some(read_current(item)?);
    }
    let prefix = records.current.as_ref().map(|current| format!("{}/", current.containment));
    for item in items {
        let sk = get(item, "sk").unwrap_or_default();
        if let Some(told) = sk.strip_prefix("told/") {
            if let Some((what, finding)) = told.split_once('/') {
                records.told.push(Told { what: what.to_owned(), finding: finding.to_owned() });
            }
        } else if let Some(key) = prefix.as_deref().and_then(|prefix| sk.strip_prefix(prefix)) {
            records.steps.push(read_step(item, key)?);
        }
    }
    Ok(records)
}

fn read_current(item: &Item) -> Answer<Current> {
    let must = |name: &str| get(item, name).ok_or_else(|| broken("Query", &format!("current has no {name}")));
    let version = item.get("version").and_then(|value| value.as_n().ok()).and_then(|n| n.parse().ok());
    let moment = |name: &str| {
        must(name).and_then(|text| {
            Timestamp::parse(text).ok_or_else(|| broken("Query", &format!("current has no time in {name}")))
        })
    };
    Ok(Current {
        containment: must("containment_id")?.into(),
        state: match must("state")? {
            "open" => State::Open,
            "closed" => State::Closed,
            "withdrawn" => State::Withdrawn,
            "releasing" => State::Releasing,
            "released" => State::Released,
            other => return Err(broken("Query", &format!("current has the state {other}"))),
        },
        holder: must("holder")?.to_owned(),
        lease_until: moment("lease_until")?,
        version: version.ok_or_else(|| broken("Query", "current has no version"))?,
        claimed_at: moment("claimed_at")?,
        findings: texts(item, "findings").map(str::to_owned).collect(),
        reason: must("reason")?.to_owned(),
        outcome: get(item, "outcome").map(str::to_owned),
        told: get(item, "told").map(str::to_owned),
        released_at: get(item, "released_at").and_then(Timestamp::parse),
        stop: item.get("stop").and_then(|value| value.as_bool().ok()).copied().unwrap_or(false),
    })
}

fn read_step(item: &Item, key: &str) -> Answer<StepRecord> {
    let body = get(item, "body").unwrap_or_default();
    let step = serde_json::from_str(body).map_err(|error| broken("Query", &format!("step {key}: {error}")))?;
    let detail = || get(item, "detail").unwrap_or_default().to_owned();
    let retryable = item.get("retryable").and_then(|value| value.as_bool().ok()).copied().unwrap_or(true);
    let outcome = match get(item, "outcome") {
        Some("changed") => Some(Outcome::Changed(detail())),
        Some("already_done") => Some(Outcome::AlreadyDone(detail())),
        Some("missing") => Some(Outcome::Missing(detail())),
        Some("skipped") => Some(Outcome::Skipped(detail())),
        Some("failed") => Some(Outcome::Failed(Failure { error: detail(), retryable })),
        _ => None,
    };
    Ok(StepRecord {
        key: key.to_owned(),
        step,
        recorded_at: get(item, "recorded_at").and_then(Timestamp::parse).unwrap_or(Timestamp::from_millis(0)),
        outcome,
        finished_at: get(item, "finished_at").and_then(Timestamp::parse),
        repairs: texts(item, "repairs").filter_map(Timestamp::parse).collect(),
    })
}

fn texts<'a>(item: &'a Item, name: &str) -> impl Iterator<Item = &'a str> {
    let list = item.get(name).and_then(|value| value.as_l().ok()).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(|value| value.as_s().ok()).map(String::as_str)
}

fn get<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
}

/// A record that cannot be written or read back: named, since a containment must not go on without its originals.
fn broken(operation: &'static str, what: &str) -> CloudError {
    CloudError {
        operation,
        kind: ErrorKind::Other,
        code: "BrokenRecord".to_owned(),
        message: what.chars().take(300).collect(),
    }
}

#[cfg(test)]
mod tests {
    use brig_core::step::{GroupRef, Step};
    use brig_core::survey::Purpose;

    use super::*;

    #[test]
    fn what_is_recorded_is_read_back() {
        let key = InstanceKey {
            account: "123456789012".parse().expect("account"),
            region: "us-east-1".parse().expect("region"),
            instance: "i-0123abcd".parse().expect("id"),
        };
        let at = Timestamp::from_millis(1_700_000_000_123);
        let now = Current {
            containment: "c-1".into(),
            state: State::Open,
            holder: "r".to_owned(),
            lease_until: at,
            version: 3,
            claimed_at: at,
            findings: vec!["f".to_owned(), "g".to_owned()],
            reason: "why".to_owned(),
            outcome: Some("partial".to_owned()),
            told: None,
            released_at: Some(at),
            stop: true,
        };
        let step_record = StepRecord {
            key: "network/isolate/eni-1".to_owned(),
            step: Step::Isolate {
                eni: "eni-1".into(),
                was: Some(vec!["sg-1".into()]),
                isolation: GroupRef {
                    vpc: "vpc-1".into(),
                    purpose: Purpose::Isolation,
                    name: "brig-isolation".to_owned(),
                    id: Some("sg-9".into()),
                },
            },
            recorded_at: at,
            outcome: None,
            finished_at: None,
            repairs: Vec::new(),
        };
        let mut other = step_record.clone();
        other.key = "network/isolate/eni-2".to_owned();
        let items = [
            current(&key, &now),
            step(&key, &"c-1".into(), &step_record).expect("item"),
            step(&key, &"c-0".into(), &other).expect("item"),
            HashMap::from([("sk".to_owned(), text("told/asked/f/1"))]),
        ];
        let read = records(&items).expect("records");
        assert_eq!(read.current, Some(now));
        assert_eq!(read.steps, [step_record]);
        assert!(read.was_told("asked", "f/1"));
    }
}
