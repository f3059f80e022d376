//! Where records come from: CloudTrail's LookupEvents.

use async_trait::async_trait;
use brig_aws::{Attribute, AwsClouds};
use brig_core::model::{
    ids::{AccountId, Region},
    timestamp::Timestamp,
};
use brig_engine::ports::{CloudError, ErrorKind, PortResult};
use serde_json::Value;

/// What records are looked up by: it is one attribute at a time
/// (<https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    /// The access key that signed the call.
    Key(String),
    /// A user's name, or a session's.
    Name(String),
    /// A resource, by its name or ARN.
    Resource(String),
}

impl std::fmt::Display for By {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Key(text) | Self::Name(text) | Self::Resource(text)) = self;
        f.write_str(text)
    }
}

/// A page of records, the newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    pub records: Vec<Value>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// CloudTrail's records of an account.
#[async_trait]
pub trait Source: Send + Sync {
    /// One page of a Region's records. Two a second are allowed in each Region.
    async fn page(
        &self,
        region: &Region,
        by: &By,
        window: (Timestamp, Timestamp),
        next: Option<&str>,
    ) -> PortResult<Page>;
}

/// CloudTrail itself, in one account.
pub struct CloudTrail<'a> {
    pub clouds: &'a AwsClouds,
    pub account: &'a AccountId,
    pub session: &'a str,
}

#[async_trait]
impl Source for CloudTrail<'_> {
    async fn page(
        &self,
        region: &Region,
        by: &By,
        window: (Timestamp, Timestamp),
        next: Option<&str>,
    ) -> PortResult<Page> {
        let records = self.clouds.records(self.account, region, self.session).await.map_err(|why| CloudError {
            operation: "LookupEvents",
            kind: ErrorKind::Other,
            code: "Unreachable".to_owned(),
            message: why.to_string(),
        })?;
        let by = match by {
            By::Key(key) => Attribute::Key(key),
            By::Name(name) => Attribute::Name(name),
            By::Resource(resource) => Attribute::Resource(resource),
        };
        let (records, next) = records.page(by, window, next).await?;
        Ok(Page { records, next })
    }
}
