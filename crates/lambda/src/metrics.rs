//! Metrics in CloudWatch's embedded metric format: a log line that CloudWatch reads as metrics, so no call is made
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).

use std::collections::BTreeSet;

use brig_core::{ledger::Conclusion, model::timestamp::Timestamp, report::answer::Answer};
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

/// Writes the metrics of an event's containment to standard output.
pub(crate) fn emit(answer: &Answer, now: Timestamp) {
    println!("{}", line(answer, &OF_AN_EVENT, now));
}

/// Writes those of a verification.
pub(crate) fn emit_verified(answer: &Answer, now: Timestamp) {
    println!("{}", line(answer, &OF_A_VERIFICATION, now));
}

/// Writes a count that belongs to no containment.
pub(crate) fn emit_count(name: &'static str, value: usize, now: Timestamp) {
    let mut values = Map::new();
    values.insert(name.to_owned(), json!(value));
    let metrics = vec![json!({"Name": name, "Unit": "Count"})];
    println!("{}", embedded(values, &metrics, now));
}

fn line(answer: &Answer, counted: &[(&'static str, Conclusion)], now: Timestamp) -> Value {
    let mut metrics = Vec::new();
    let mut values = Map::new();
    let mut add = |name: &'static str, unit: &str, value: u64| {
        metrics.push(json!({"Name": name, "Unit": unit}));
        values.insert(name.to_owned(), json!(value));
    };
    for (name, conclusion) in counted {
        add(name, "Count", u64::from(answer.outcome == *conclusion));
    }
    add(INTERFACE_OPEN, "Count", u64::from(answer.verdict.open));
    add(NOT_NOTIFIED, "Count", u64::from(answer.not_notified.is_some()));
    add(MEMBER_ROLE_REFUSED, "Count", u64::from(answer.unreachable));
    if matches!(answer.outcome, Conclusion::Contained | Conclusion::Partial) {
        for (name, value) in [(TIME_TO_ISOLATED, answer.timings_ms.isolated), (TIME_TO_DONE, answer.timings_ms.done)] {
            if let Some(value) = value {
                add(name, "Milliseconds", value);
            }
        }
    }
    // The ids are properties, not dimensions: a dimension a answer would be a metric a answer.
    values.insert("instance_id".to_owned(), json!(answer.instance_id));
    values.insert("containment_id".to_owned(), json!(answer.containment_id));
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
        let lines = [line(&contained(), &OF_AN_EVENT, now), line(&contained(), &OF_A_VERIFICATION, now)];
        let metrics = lines.iter().filter_map(|line| line.pointer("/_aws/CloudWatchMetrics/0/Metrics")?.as_array());
        let mut written: BTreeSet<&str> = metrics.flatten().filter_map(|metric| metric["Name"].as_str()).collect();
        written.insert(UNFINISHED);
        assert_eq!(written, names());
        assert!(lines.iter().all(|line| line["service"] == "brig"));
    }
}
