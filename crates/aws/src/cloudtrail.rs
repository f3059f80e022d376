//! AWS CloudTrail's own record of the last 90 days
//! (<https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>): two calls a second, and up to
//! fifteen minutes late.

use aws_sdk_cloudtrail::{
    Client,
    types::{Event, LookupAttribute, LookupAttributeKey},
};
use aws_smithy_types::DateTime;
use brig_core::{readiness::Trail, timestamp::Timestamp};
use brig_engine::ports::{Answer, Clock, CloudError, ErrorKind, TrailEvent};

use crate::{clock::SystemClock, error::Explain};

/// The newest events are on the first page, and enough.
const MOST: i32 = 20;
/// Ninety days, less what the clocks may differ by.
const KEPT_MS: i64 = 90 * 24 * 3600 * 1000 - 60 * 1000;

pub(crate) async fn lookup_events(client: &Client, resource: &str, since: Timestamp) -> Answer<Vec<TrailEvent>> {
    let attribute =
        LookupAttribute::builder().attribute_key(LookupAttributeKey::ResourceName).attribute_value(resource);
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

/// A time that CloudTrail has records of: it refuses ranges that begin before them.
fn kept(since: Timestamp, now: Timestamp) -> Timestamp {
    since.max(Timestamp::from_millis(now.millis() - KEPT_MS))
}

/// Trails of the organisation and of other Regions that record this one included.
pub(crate) async fn describe_trails(client: &Client) -> Answer<Vec<Trail>> {
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
