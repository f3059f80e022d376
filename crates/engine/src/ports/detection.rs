//! Who did what, and whether anybody watches: CloudTrail and GuardDuty.

use async_trait::async_trait;
use brig_core::{
    iam::readiness::Trail,
    model::{
        ids::{AccessKeyId, UserName},
        timestamp::Timestamp,
    },
};

use super::PortResult;

/// A call on a resource, by CloudTrail's record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrailEvent {
    pub call: String,
    /// The ARN of who made it, or a user's name.
    pub by: String,
    /// The source identity of the session, where it has one.
    pub source_identity: Option<String>,
    /// The key that signed it.
    pub key: Option<AccessKeyId>,
    /// The ids or ARNs that the record names.
    pub resources: Vec<String>,
    /// It only reads.
    pub read_only: bool,
    /// When.
    pub at: Option<Timestamp>,
}

/// What CloudTrail's records are looked up by: it takes one attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// A resource's id.
    Resource(&'a str),
    Key(&'a AccessKeyId),
    User(&'a UserName),
}

impl<'a> Lookup<'a> {
    /// The attribute's value.
    #[must_use]
    pub fn value(self) -> &'a str {
        match self {
            Self::Resource(id) => id,
            Self::Key(key) => key.as_str(),
            Self::User(user) => user.as_str(),
        }
    }
}

/// Who did what, and whether anybody watches: CloudTrail and GuardDuty.
#[async_trait]
pub trait Detection: Send + Sync {
    /// LookupEvents of CloudTrail, one page, newest first. Two calls a second are allowed.
    async fn lookup_events(&self, by: Lookup<'_>, since: Timestamp) -> PortResult<Vec<TrailEvent>>;
    /// DescribeTrails and GetTrailStatus of CloudTrail.
    async fn describe_trails(&self) -> PortResult<Vec<Trail>>;
    /// ListDetectors and GetDetector of GuardDuty: whether each is enabled.
    async fn get_detectors(&self) -> PortResult<Vec<bool>>;
}
