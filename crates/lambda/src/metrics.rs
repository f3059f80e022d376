//! Metrics in CloudWatch's embedded metric format: a log line that CloudWatch reads as metrics, so no call is made
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).

use brig_core::{
    containment::{Conclusion, Containment},
    timestamp::Timestamp,
};
use serde_json::{Map, Value, json};

/// Writes the metrics of an event's containment to standard output.
pub(crate) fn emit(containment: &Containment, now: Timestamp) {
    let counted = [
        ("contained", Conclusion::Contained),
        ("partial", Conclusion::Partial),
        ("refused", Conclusion::Refused),
        ("asked", Conclusion::Asked),
        ("failed", Conclusion::Failed),
    ];
    println!("{}", line(containment, &counted, now));
}

/// Writes those of a verification: what stays partial is no new containment, and alarms once, when it happens.
pub(crate) fn emit_verified(containment: &Containment, now: Timestamp) {
    let counted = [
        ("repaired", Conclusion::Repaired),
        ("drifted", Conclusion::Drifted),
        ("contested", Conclusion::Contested),
        ("unverified", Conclusion::Unverified),
    ];
    println!("{}", line(containment, &counted, now));
}

/// Writes a count that belongs to no containment.
pub(crate) fn emit_count(name: &str, value: usize, now: Timestamp) {
    let mut values = Map::new();
    values.insert(name.to_owned(), json!(value));
    let metrics = vec![json!({"Name": name, "Unit": "Count"})];
    println!("{}", embedded(values, &metrics, now));
}

/// Work that is left over, however it came. A failed item of a batch is a success to Lambda, whose own metric of errors does
/// not count it (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>).
pub(crate) const UNFINISHED: &str = "unfinished";
/// Messages that people did not get.
pub(crate) const NOT_NOTIFIED: &str = "not_notified";
/// Verifications that could not look.
pub(crate) const UNVERIFIED: &str = "unverified";

fn line(containment: &Containment, counted: &[(&str, Conclusion)], now: Timestamp) -> Value {
    let mut metrics = Vec::new();
    let mut values = Map::new();
    let mut add = |name: &str, unit: &str, value: u64| {
        metrics.push(json!({"Name": name, "Unit": unit}));
        values.insert(name.to_owned(), json!(value));
    };
    for (name, conclusion) in counted {
        add(name, "Count", u64::from(containment.outcome == *conclusion));
    }
    add("interface_open", "Count", u64::from(containment.verdict.open));
    add(NOT_NOTIFIED, "Count", u64::from(containment.not_notified.is_some()));
    add("member_role_refused", "Count", u64::from(containment.unreachable));
    if matches!(containment.outcome, Conclusion::Contained | Conclusion::Partial) {
        for (name, value) in
            [("time_to_isolated", containment.timings_ms.isolated), ("time_to_done", containment.timings_ms.done)]
        {
            if let Some(value) = value {
                add(name, "Milliseconds", value);
            }
        }
    }
    // The ids are properties, not dimensions: a dimension a containment would be a metric a containment.
    values.insert("instance_id".to_owned(), json!(containment.instance_id));
    values.insert("containment_id".to_owned(), json!(containment.containment_id));
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
