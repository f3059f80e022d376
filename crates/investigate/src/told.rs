//! What the topic says: messages about containments, by way of a queue.

use brig_core::model::{
    ids::{ContainmentId, TargetKey},
    timestamp::Timestamp,
};
use serde_json::Value;

/// What happened, as far as it is evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    Contained,
    Repaired,
    Released,
}

/// A message of the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub target: TargetKey,
    pub happened: Happened,
    pub containment: Option<ContainmentId>,
    /// When it was published.
    pub at: Timestamp,
    /// SNS's id of it.
    pub id: String,
    /// What was said.
    pub text: String,
}

/// One message of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// By which it is said to have failed.
    pub id: String,
    /// Which queue.
    pub queue: String,
    /// How often it came.
    pub count: u32,
    /// What it says; none where it is not for evidence, with the reason.
    pub told: Result<Told, String>,
}

/// Reads what SQS hands over; none where the event is nothing of the kind.
#[must_use]
pub fn items(event: &Value) -> Option<Vec<Item>> {
    let records = event.get("Records")?.as_array()?;
    let text = |value: &Value, path: &str| value.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_sqs = |record: &Value| text(record, "/eventSource") == "aws:sqs";
    if records.is_empty() || !records.iter().all(is_sqs) {
        return None;
    }
    let item = |record: &Value| Item {
        id: text(record, "/messageId"),
        queue: text(record, "/eventSourceARN"),
        count: text(record, "/attributes/ApproximateReceiveCount").parse().unwrap_or(1),
        told: told(&text(record, "/body")),
    };
    Some(records.iter().map(item).collect())
}

fn told(body: &str) -> Result<Told, String> {
    let envelope: Value = serde_json::from_str(body).map_err(|error| format!("its body is no JSON: {error}"))?;
    let text = |path: &str| envelope.pointer(path).and_then(Value::as_str);
    let attribute = |name: &str| text(&format!("/MessageAttributes/{name}/Value"));
    let happened = match attribute("outcome") {
        Some("contained" | "partial") => Happened::Contained,
        Some("repaired") => Happened::Repaired,
        Some("released" | "release_partial") => Happened::Released,
        Some(other) => return Err(format!("its outcome is {other}, of which no evidence is taken")),
        None => return Err("it has no outcome".to_owned()),
    };
    let account = attribute("account").ok_or("it names no account")?;
    let place = match (attribute("region"), attribute("instance_id"), attribute("user"), attribute("role")) {
        (Some(region), Some(instance), _, _) => format!("{account}/{region}/{instance}"),
        (_, _, Some(user), _) => format!("{account}/iam/{user}"),
        (_, _, _, Some(role)) => format!("{account}/iam/role/{role}"),
        (_, _, _, _) => return Err("it names no instance, user or role".to_owned()),
    };
    let target = TargetKey::parse(&place).ok_or_else(|| format!("{place} is no instance, user or role"))?;
    let said = text("/Message").unwrap_or_default().to_owned();
    let entry: Value = serde_json::from_str(&said).unwrap_or_default();
    let containment = entry.get("containment_id").and_then(Value::as_str);
    let at = envelope.get("Timestamp").and_then(Timestamp::read).ok_or("it has no time")?;
    Ok(Told {
        target,
        happened,
        containment: containment.map(Into::into),
        at,
        id: text("/MessageId").unwrap_or_default().to_owned(),
        text: said,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(attributes: &Value) -> Value {
        let attributes: serde_json::Map<String, Value> = attributes
            .as_object()
            .expect("an object")
            .iter()
            .map(|(name, value)| (name.clone(), json!({"Type": "String", "Value": value})))
            .collect();
        let body = json!({"Type": "Notification", "MessageId": "m-1", "Timestamp": "2026-01-02T03:04:05.678Z",
            "Message": json!({"containment_id": "i-1"}).to_string(), "MessageAttributes": attributes});
        json!({"Records": [{"eventSource": "aws:sqs", "messageId": "q-1", "body": body.to_string(),
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:q", "attributes": {"ApproximateReceiveCount": "2"}}]})
    }

    #[test]
    fn a_message_names_what_happened_to_what() {
        for (attributes, place, happened) in [
            (
                json!({"outcome": "partial", "account": "123456789012", "region": "us-east-1", "instance_id": "i-0123456789abcdef0"}),
                "123456789012/us-east-1/i-0123456789abcdef0",
                Happened::Contained,
            ),
            (
                json!({"outcome": "released", "account": "123456789012", "user": "alice"}),
                "123456789012/iam/alice",
                Happened::Released,
            ),
            (
                json!({"outcome": "repaired", "account": "123456789012", "role": "app"}),
                "123456789012/iam/role/app",
                Happened::Repaired,
            ),
        ] {
            let items = items(&event(&attributes)).expect("items");
            let [Item { count: 2, told: Ok(told), .. }] = items.as_slice() else { panic!("one: {items:?}") };
            assert_eq!((told.target.pk().as_str(), told.happened), (place, happened));
            assert_eq!(told.containment, Some("i-1".into()));
        }
    }

    #[test]
    fn what_is_no_evidence_says_why_and_fails_nothing() {
        for (attributes, why) in [
            (json!({"outcome": "asked", "account": "123456789012"}), "its outcome is asked"),
            (json!({"account": "123456789012"}), "it has no outcome"),
            (json!({"outcome": "contained", "account": "123456789012"}), "it names no instance"),
            (json!({"outcome": "contained", "account": "x", "user": "alice"}), "x/iam/alice is no"),
        ] {
            let items = items(&event(&attributes)).expect("items");
            let told = items[0].told.as_ref().expect_err("nothing");
            assert!(told.starts_with(why), "{told}");
        }
        assert_eq!(items(&json!({"action": "trace"})), None);
        assert_eq!(items(&json!({"Records": []})), None);
        let torn = json!({"Records": [{"eventSource": "aws:sqs", "messageId": "q", "body": "x"}]});
        assert!(items(&torn).expect("items")[0].told.is_err());
    }
}
