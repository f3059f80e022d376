//! Which source an event is from, and by which way it came: matched on `source` and `detail-type`, unwrapped from SNS and
//! SQS, then read as that one type. What a person may say is read by direct invoke only.

use serde_json::Value;

use super::{
    Invoked, ParseError, Parsed, Queued, Request, Unread, abuse, alarm, cloudtrail, guardduty, health, manual, ocsf,
    securityhub, tag, whom,
};
use crate::{
    model::timestamp::Timestamp,
    settings::Policy,
    trigger::json::{Field, shown},
};

/// SNS in SQS is usual; deeper nesting is nobody's configuration.
const DEEPEST: usize = 3;

pub(super) fn parse(event: &Value, invoked: &Invoked, policy: &Policy) -> Result<Parsed, ParseError> {
    Reader { invoked, policy }.direct(event)
}

struct Reader<'a> {
    invoked: &'a Invoked,
    policy: &'a Policy,
}

impl Reader<'_> {
    /// What Lambda was invoked with.
    fn direct(&self, event: &Value) -> Result<Parsed, ParseError> {
        let root = Field::root(event);
        if is_records(&root) {
            return self.records(&root, 0);
        }
        if is_manual(&root) {
            return manual::parse(&root, self.invoked);
        }
        self.event(&root)
    }

    /// An event that came wrapped: the same sources but a person.
    fn wrapped(&self, text: &str, depth: usize) -> Result<Parsed, ParseError> {
        if depth > DEEPEST {
            return Err(unsupported("the event is wrapped too deep".to_owned()));
        }
        let event: Value = serde_json::from_str(text)
            .map_err(|error| ParseError::InvalidRequest(format!("the message is not JSON: {error}")))?;
        let root = Field::root(&event);
        if is_records(&root) {
            return self.records(&root, depth + 1);
        }
        // SNS to SQS without raw delivery: the notification is the body.
        if root.get("Type").value().as_str() == Some("Notification") {
            return self.wrapped(root.get("Message").required_text()?, depth + 1);
        }
        if is_manual(&root) {
            return Err(unsupported("a manual request is accepted by direct invoke only, not in a message".to_owned()));
        }
        self.event(&root)
    }

    fn event(&self, root: &Field<'_>) -> Result<Parsed, ParseError> {
        // The list of findings without what an API's answer has around it.
        if !root.items().is_empty() && root.items().iter().any(is_finding) {
            return guardduty::parse_list(root, self.invoked, self.policy);
        }
        let Some(map) = root.object() else {
            return Err(unsupported(format!("the event is {}, not a JSON object", shown(root.value()))));
        };
        if map.contains_key("alarmData") {
            return Ok(alarm::from_action(root, self.invoked));
        }
        if alarm::is_message(root) {
            return Ok(alarm::from_message(root, self.invoked));
        }
        if map.contains_key("source") || map.contains_key("detail-type") {
            return self.bridge(root);
        }
        if ["Findings", "findings"].iter().any(|key| map.contains_key(*key)) {
            return guardduty::parse_list(&root.get("Findings"), self.invoked, self.policy);
        }
        if guardduty::is_listed(root) {
            return guardduty::parse_listed(root, self.invoked, self.policy);
        }
        if guardduty::is_finding(root) {
            return guardduty::parse(root, None, self.invoked, self.policy);
        }
        let mut keys: Vec<String> = map.keys().take(8).map(|key| key.chars().take(40).collect()).collect();
        keys.sort();
        Err(unsupported(format!(
            "no trigger has the keys [{}]; a direct invoke needs \"instance_id\", \"access_key_id\", \"user\" or \"role\"",
            keys.join(", ")
        )))
    }

    /// An EventBridge event.
    fn bridge(&self, root: &Field<'_>) -> Result<Parsed, ParseError> {
        let source = root.get("source").text()?.unwrap_or_default();
        let detail_type = root.get("detail-type").text()?.unwrap_or_default();
        match (source, detail_type) {
            ("aws.guardduty", "GuardDuty Finding") => {
                guardduty::parse(&root.get("detail"), Some(root), self.invoked, self.policy)
            }
            ("aws.health", "AWS Health Abuse Event" | "AWS Health Event") => health::parse(root, self.invoked),
            ("brig.abuse", "Abuse Report") => Ok(abuse::from_event(root, self.invoked)),
            ("aws.tag", "Tag Change on Resource") => tag::parse(root, self.policy),
            ("aws.securityhub", "Security Hub Findings - Custom Action") => {
                securityhub::custom_action(root, self.policy)
            }
            ("aws.securityhub", "Security Hub Findings - Imported") => securityhub::imported(root, self.policy),
            ("aws.securityhub", "Findings Imported V2") => ocsf::parse(root, self.policy),
            ("aws.cloudwatch", "CloudWatch Alarm State Change" | "CloudWatch Alarm Contributor State Change") => {
                Ok(alarm::from_event(root, self.invoked))
            }
            ("aws.ec2" | "aws.iam" | "aws.autoscaling" | "aws.elasticloadbalancing", "AWS API Call via CloudTrail") => {
                cloudtrail::parse(root, self.invoked)
            }
            // Facts of life, which a broad rule may send along.
            (
                "aws.ec2" | "aws.autoscaling" | "aws.cloudwatch" | "aws.securityhub" | "aws.guardduty" | "aws.health",
                _,
            )
            | (_, "AWS API Call via CloudTrail" | "AWS Console Sign In via CloudTrail") => {
                Ok(Parsed::Nothing(format!(
                    "{} of {} is not a sign of compromise",
                    shown(root.get("detail-type").value()),
                    shown(root.get("source").value())
                )))
            }
            _ => Err(unsupported(format!(
                "source: {} with detail-type {} is not a trigger",
                shown(root.get("source").value()),
                shown(root.get("detail-type").value())
            ))),
        }
    }

    /// The records of one SNS or SQS invocation.
    fn records(&self, root: &Field<'_>, depth: usize) -> Result<Parsed, ParseError> {
        let records = root.get("Records").items();
        let wrote =
            |service: &str| records.iter().any(|record| record.get("eventSource").value().as_str() == Some(service));
        if wrote("aws:sqs") {
            return Ok(Parsed::Batch(records.iter().map(|record| self.queued(record, depth)).collect()));
        }
        if !wrote("aws:sns") {
            return Err(unsupported("Records: neither SNS nor SQS wrote them".to_owned()));
        }
        let mut whole = Request::default();
        let mut why = "the notification names nothing".to_owned();
        let mut alone: Option<ParseError> = None;
        for record in &records {
            match self.notified(record, depth) {
                Ok(Parsed::Request(request)) => whole.absorb(request),
                Ok(Parsed::Notice(notice)) => whole.notices.push(*notice),
                Ok(Parsed::Nothing(reason)) => why = reason,
                Ok(Parsed::TrailCall(_) | Parsed::LedgerRequest(_) | Parsed::Readiness(_) | Parsed::Batch(_)) => {
                    let error = unsupported("no finding inside a notification".to_owned());
                    whole.unread.push(Unread::below(record.path(), error.clone()));
                    alone = alone.or(Some(error));
                }
                Err(error) => {
                    whole.unread.push(Unread::below(record.path(), error.clone()));
                    alone = alone.or(Some(error));
                }
            }
        }
        match alone {
            // With no readable neighbour the whole event is an error, which Lambda retries and keeps.
            Some(error) if whole.unread.len() == records.len() => Err(error),
            Some(_) | None if whole.is_empty() => Ok(Parsed::Nothing(why)),
            Some(_) | None => Ok(Parsed::Request(whole)),
        }
    }

    fn notified(&self, record: &Field<'_>, depth: usize) -> Result<Parsed, ParseError> {
        self.wrapped(record.get("Sns").get("Message").required_text()?, depth + 1)
    }

    /// A record that cannot be read is a failed item of its own; the others go on.
    fn queued(&self, record: &Field<'_>, depth: usize) -> Queued {
        let text = |name: &str| record.get(name).value().as_str().unwrap_or_default().to_owned();
        // SQS writes numbers as texts.
        let number = |name: &str| record.get("attributes").get(name).value().as_str()?.parse::<i64>().ok();
        let body = record.get("body");
        let body = body.required_text().and_then(|body| self.wrapped(body, depth + 1)).map(Box::new);
        Queued {
            message_id: text("messageId"),
            receipt: text("receiptHandle"),
            queue: text("eventSourceARN"),
            // Where there is none, it is the first time.
            receives: number("ApproximateReceiveCount").and_then(|count| u32::try_from(count).ok()).unwrap_or(1),
            sent: number("SentTimestamp").map(Timestamp::from_millis),
            body,
        }
    }
}

fn is_finding(entry: &Field<'_>) -> bool {
    guardduty::is_finding(entry) || guardduty::is_listed(entry)
}

/// Lambda writes `eventSource` for SQS and `EventSource` for SNS; a field is found under both spellings.
fn is_records(root: &Field<'_>) -> bool {
    let records = root.get("Records").items();
    records.iter().any(|record| record.get("eventSource").value().is_string())
}

/// A person's request has its own keys and none of an event's.
fn is_manual(root: &Field<'_>) -> bool {
    root.object().is_some_and(|map| {
        whom::KEYS.iter().chain(&["action", "abuse_report"]).any(|key| map.contains_key(*key))
            && !map.contains_key("source")
            && !map.contains_key("detail-type")
    })
}

fn unsupported(message: String) -> ParseError {
    ParseError::UnsupportedEvent(message)
}
