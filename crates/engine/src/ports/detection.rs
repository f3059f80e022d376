//! Who did what, and whether anybody watches: CloudTrail and GuardDuty.

use async_trait::async_trait;
use brig_core::{iam::readiness::Trail, model::timestamp::Timestamp};

use super::PortResult;

/// A call on a resource, by CloudTrail's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailEvent {
    pub call: String,
    /// The ARN of who made it, or a user's name.
    pub by: String,
    /// The source identity of the session, where it has one.
    pub source_identity: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
}

/// Who did what, and whether anybody watches: CloudTrail and GuardDuty.
#[async_trait]
pub trait Detection: Send + Sync {
    /// LookupEvents of CloudTrail by a resource's id, newest first. Two calls a second are allowed.
    async fn lookup_events(&self, resource: &str, since: Timestamp) -> PortResult<Vec<TrailEvent>>;
    /// DescribeTrails and GetTrailStatus of CloudTrail.
    async fn describe_trails(&self) -> PortResult<Vec<Trail>>;
    /// ListDetectors and GetDetector of GuardDuty: whether each is enabled.
    async fn get_detectors(&self) -> PortResult<Vec<bool>>;
}
