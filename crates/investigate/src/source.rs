//! Where records come from: CloudTrail's LookupEvents.

use async_trait::async_trait;
pub use brig_aws::Attribute as By;
use brig_aws::AwsClouds;
use brig_core::model::{
    ids::{AccountId, Region},
    timestamp::Timestamp,
};
use brig_engine::ports::{CloudError, ErrorKind, PortResult};
use serde_json::Value;

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
        let (records, next) = records.page(by, window, next).await?;
        Ok(Page { records, next })
    }
}
