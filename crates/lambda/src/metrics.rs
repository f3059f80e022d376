//! Metrics in CloudWatch's embedded metric format: a log line that CloudWatch reads as metrics, so no call is made
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).

use std::collections::BTreeSet;

use brig_core::{
    ledger::{Cause, Conclusion},
    model::timestamp::Timestamp,
    report::{answer::Answer, principal::PrincipalAnswer},
};
use serde_json::{Map, Value, json};

/// Work that is left over, however it came. A failed item of a batch is a success to Lambda, whose own metric of errors does
/// not count it (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>).
pub(crate) const UNFINISHED: &str = "unfinished";
/// Messages that people, or a chat channel, did not get.
pub(crate) const NOT_NOTIFIED: &str = "not_notified";
/// Verifications that could not look.
pub(crate) const UNVERIFIED: &str = "unverified";
const INTERFACE_OPEN: &str = "interface_open";
const MEMBER_ROLE_REFUSED: &str = "member_role_refused";
const TIME_TO_ISOLATED: &str = "time_to_isolated";
const TIME_TO_DONE: &str = "time_to_done";

/// What an event's containment counts.
const OF_AN_EVENT: [(&str, Conclusion); 5] = [
    ("contained", Conclusion::Contained),
    ("partial", Conclusion::Partial),
    ("refused", Conclusion::Refused),
    ("asked", Conclusion::Asked),
    ("failed", Conclusion::Failed),
];

/// What a verification counts: what stays partial is no new containment, and alarms once, when it happens.
const OF_A_VERIFICATION: [(&str, Conclusion); 4] = [
    ("repaired", Conclusion::Repaired),
    ("drifted", Conclusion::Drifted),
    ("contested", Conclusion::Contested),
    (UNVERIFIED, Conclusion::Unverified),
];

/// The name of every metric that is written: what alarms and the dashboard may name.
#[must_use]
pub fn names() -> BTreeSet<&'static str> {
    let counted = OF_AN_EVENT.iter().chain(&OF_A_VERIFICATION).map(|(name, _)| *name);
    let others =
        [UNFINISHED, NOT_NOTIFIED, UNVERIFIED, INTERFACE_OPEN, MEMBER_ROLE_REFUSED, TIME_TO_ISOLATED, TIME_TO_DONE];
    counted.chain(others).collect()
}

/// What is counted of an answer.
pub(crate) struct Counts {
    outcome: Conclusion,
    open: bool,
    not_notified: bool,
    unreachable: bool,
    isolated: Option<u64>,
    done: Option<u64>,
    /// What it is about, as properties: a dimension an answer would be a metric an answer.
    about: Map<String, Value>,
}

impl From<&Answer> for Counts {
    fn from(answer: &Answer) -> Self {
        Self {
            outcome: answer.outcome,
            open: answer.verdict.open,
            not_notified: answer.not_notified.is_some(),
            unreachable: answer.unreachable,
            isolated: answer.timings_ms.isolated,
            done: answer.timings_ms.done,
            about: properties([
                ("instance_id", json!(answer.instance_id)),
                ("containment_id", json!(answer.containment_id)),
            ]),
        }
    }
}

impl From<&PrincipalAnswer> for Counts {
    fn from(answer: &PrincipalAnswer) -> Self {
        Self {
            outcome: answer.outcome,
            open: false,
            not_notified: answer.not_notified.is_some(),
            unreachable: answer.cause == Cause::Unreachable,
            isolated: None,
            done: answer.timings_ms.done,
            about: properties([("user", json!(answer.user)), ("containment_id", json!(answer.containment_id))]),
        }
    }
}

fn properties<const N: usize>(of: [(&str, Value); N]) -> Map<String, Value> {
    of.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Writes the metrics of an event's containment to standard output.
pub(crate) fn emit(answer: impl Into<Counts>, now: Timestamp) {
    println!("{}", line(answer.into(), &OF_AN_EVENT, now));
}

/// Writes those of a verification.
pub(crate) fn emit_verified(answer: impl Into<Counts>, now: Timestamp) {
    println!("{}", line(answer.into(), &OF_A_VERIFICATION, now));
}

/// Writes a count that belongs to no containment.
pub(crate) fn emit_count(name: &'static str, value: usize, now: Timestamp) {
    let mut values = Map::new();
    values.insert(name.to_owned(), json!(value));
    let metrics = vec![json!({"Name": name, "Unit": "Count"})];
    println!("{}", embedded(values, &metrics, now));
}

fn line(answer: Counts, counted: &[(&'static str, Conclusion)], now: Timestamp) -> Value {
    let mut metrics = Vec::new();
    let mut values = Map::new();
    let mut add = |name: &'static str, unit: &str, value: u64| {
        metrics.push(json!({"Name": name, "Unit": unit}));
        values.insert(name.to_owned(), json!(value));
    };
    for (name, conclusion) in counted {
        add(name, "Count", u64::from(answer.outcome == *conclusion));
    }
    add(INTERFACE_OPEN, "Count", u64::from(answer.open));
    add(NOT_NOTIFIED, "Count", u64::from(answer.not_notified));
    add(MEMBER_ROLE_REFUSED, "Count", u64::from(answer.unreachable));
    if matches!(answer.outcome, Conclusion::Contained | Conclusion::Partial) {
        for (name, value) in [(TIME_TO_ISOLATED, answer.isolated), (TIME_TO_DONE, answer.done)] {
            if let Some(value) = value {
                add(name, "Milliseconds", value);
            }
        }
    }
    values.extend(answer.about);
    embedded(values, &metrics, now)
}

fn embedded(mut values: Map<String, Value>, metrics: &[Value], now: Timestamp) -> Value {
    values.insert("service".to_owned(), json!("brig"));
    values.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": now.millis(),
            "CloudWatchMetrics": [{"Namespace": "Brig", "Dimensions": [["service"]], "Metrics": metrics}],
        }),
    );
    Value::Object(values)
}

#[cfg(test)]
mod tests {
    use brig_core::decide::Decided;
    use brig_core::report::answer::Timings;
    use brig_core::trigger::Finding;

    use super::*;

    fn contained() -> Answer {
        let (account, region) = ("123456789012".parse().expect("account"), "us-east-1".parse().expect("Region"));
        let instance = "i-0123456789abcdef0".parse().expect("id");
        let finding = Finding::occasion("f".to_owned(), "t".to_owned(), account, region, instance);
        Answer {
            timings_ms: Timings { isolated: Some(1), done: Some(2), ..Timings::default() },
            ..Answer::nothing_done(&finding, Decided::contain(""), Conclusion::Contained)
        }
    }

    #[test]
    fn what_is_written_is_what_is_named() {
        let now = Timestamp::from_millis(0);
        let lines =
            [line((&contained()).into(), &OF_AN_EVENT, now), line((&contained()).into(), &OF_A_VERIFICATION, now)];
        let metrics = lines.iter().filter_map(|line| line.pointer("/_aws/CloudWatchMetrics/0/Metrics")?.as_array());
        let mut written: BTreeSet<&str> = metrics.flatten().filter_map(|metric| metric["Name"].as_str()).collect();
        written.insert(UNFINISHED);
        assert_eq!(written, names());
        assert!(lines.iter().all(|line| line["service"] == "brig"));
    }
}
