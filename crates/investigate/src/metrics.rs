//! One metric, in CloudWatch's embedded metric format: no call is made
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).

use brig_core::model::timestamp::Timestamp;
use serde_json::json;

/// The name of every metric that is written: what alarms and the dashboard may name.
pub const METRICS: [&str; 1] = [USED_AFTER_CUT];
const USED_AFTER_CUT: &str = "used_after_cut";

/// Credentials that were used after the cut.
pub(crate) fn used_after_cut(place: &str, credentials: usize, at: Timestamp) {
    let definition = json!([{"Namespace": "Brig", "Dimensions": [["service"]], "Metrics": [{"Name": USED_AFTER_CUT, "Unit": "Count"}]}]);
    let line = json!({"_aws": {"Timestamp": at.millis(), "CloudWatchMetrics": definition}, USED_AFTER_CUT: credentials, "service": "brig", "place": place});
    println!("{line}");
}
