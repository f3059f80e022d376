//! Who did what, and whether anybody watches: CloudTrail and GuardDuty.

use async_trait::async_trait;
use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};
use aws_sdk_guardduty::types::DetectorStatus;
use aws_smithy_types::DateTime;
use brig_core::{iam::readiness::Trail, model::timestamp::Timestamp};
use brig_engine::ports::{Clock, CloudError, Detection, ErrorKind, Lookup, PortResult, TrailEvent};

use crate::{clock::SystemClock, cloud::AwsCloud, error::Explain};

#[async_trait]
impl Detection for AwsCloud {
    async fn lookup_events(&self, by: Lookup<'_>, since: Timestamp) -> PortResult<Vec<TrailEvent>> {
        let client = self.cloudtrail();
        let key = match by {
            Lookup::Resource(_) => LookupAttributeKey::ResourceName,
            Lookup::Key(_) => LookupAttributeKey::AccessKeyId,
            Lookup::User(_) => LookupAttributeKey::Username,
        };
        let attribute = LookupAttribute::builder().attribute_key(key).attribute_value(by.value());
        let attribute = attribute.build().map_err(|error| CloudError {
            operation: "LookupEvents",
            kind: ErrorKind::Other,
            code: "BadRequest".to_owned(),
            message: error.to_string(),
        })?;
        let request = client.lookup_events().lookup_attributes(attribute).max_results(MOST);
        let since = kept(since, SystemClock.now());
        let request = request.start_time(DateTime::from_millis(since.millis()));
        let answer = request.send().await.explain("LookupEvents")?;
        Ok(answer.events().iter().filter_map(from_event).collect())
    }

    /// Trails of the organisation and of other Regions that record this one included.
    async fn describe_trails(&self) -> PortResult<Vec<Trail>> {
        let client = self.cloudtrail();
        let listed = client.describe_trails().include_shadow_trails(true).send().await.explain("DescribeTrails")?;
        let mut trails = Vec::new();
        for trail in listed.trail_list() {
            let Some(arn) = trail.trail_arn() else { continue };
            let status = client.get_trail_status().name(arn).send().await.explain("GetTrailStatus")?;
            trails.push(Trail {
                name: trail.name().unwrap_or(arn).to_owned(),
                all_regions: trail.is_multi_region_trail().unwrap_or(false),
                logging: status.is_logging().unwrap_or(false),
            });
        }
        Ok(trails)
    }

    /// A Region has at most one detector.
    async fn get_detectors(&self) -> PortResult<Vec<bool>> {
        let client = self.guardduty();
        let listed = client.list_detectors().send().await.explain("ListDetectors")?;
        let mut enabled = Vec::new();
        for id in listed.detector_ids() {
            let detector = client.get_detector().detector_id(id).send().await.explain("GetDetector")?;
            enabled.push(detector.status() == Some(&DetectorStatus::Enabled));
        }
        Ok(enabled)
    }
}

/// The newest events are on the first page, and enough.
const MOST: i32 = 50;

/// Ninety days, less what the clocks may differ by.
const KEPT_MS: i64 = 90 * 24 * 3600 * 1000 - 60 * 1000;

/// A time that CloudTrail has records of: it refuses ranges that begin before them.
fn kept(since: Timestamp, now: Timestamp) -> Timestamp {
    since.max(Timestamp::from_millis(now.millis() - KEPT_MS))
}

fn from_event(event: &Event) -> Option<TrailEvent> {
    let record: serde_json::Value = serde_json::from_str(event.cloud_trail_event()?).ok()?;
    let by = record.pointer("/userIdentity/arn").and_then(serde_json::Value::as_str);
    Some(TrailEvent {
        call: event.event_name()?.to_owned(),
        by: by.or(event.username())?.to_owned(),
        source_identity: record
            .pointer("/userIdentity/sessionContext/sourceIdentity")
            .and_then(serde_json::Value::as_str)
            .map(str::to_owned),
        key: event.access_key_id().and_then(|key| key.parse().ok()),
        resources: event.resources().iter().filter_map(|one| Some(one.resource_name()?.to_owned())).collect(),
        read_only: event.read_only() == Some("true"),
        at: event.event_time().and_then(|at| at.to_millis().ok()).map(Timestamp::from_millis),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_looked_for_within_what_cloudtrail_keeps() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let hour_ago = Timestamp::from_millis(now.millis() - 3_600_000);
        assert_eq!(kept(hour_ago, now), hour_ago);
        for long_ago in [0, 1, now.millis() - 91 * 86_400_000] {
            let bounded = kept(Timestamp::from_millis(long_ago), now);
            assert!(now.millis() - bounded.millis() < 90 * 86_400_000, "{bounded}");
        }
    }
}
