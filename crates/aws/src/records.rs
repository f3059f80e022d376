//! CloudTrail's records, a page at a time: for whoever looks back.

use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};
use aws_smithy_types::DateTime;
use brig_core::model::{
    ids::{AccountId, Region},
    timestamp::Timestamp,
};
use brig_engine::ports::{CloudError, ErrorKind, PortResult, Unreachable};
use serde_json::Value;

use crate::{error::Explain, session::AwsClouds};

/// A page has at most so many.
const MOST: i32 = 50;

/// What records are looked up by: it is one attribute at a time
/// (<https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    /// The access key that signed the call.
    Key(String),
    /// A user's name, or a session's.
    Name(String),
    /// A resource, by its name or ARN.
    Resource(String),
}

impl std::fmt::Display for Attribute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Key(text) | Self::Name(text) | Self::Resource(text)) = self;
        f.write_str(text)
    }
}

/// The records of one account and Region.
pub struct Records {
    client: aws_sdk_cloudtrail::Client,
}

impl AwsClouds {
    /// The records of an account and Region, through the member role where it is another account.
    ///
    /// # Errors
    /// The account cannot be worked in.
    pub async fn records(&self, account: &AccountId, region: &Region, session: &str) -> Result<Records, Unreachable> {
        let config = self.config(account, region, session).await?;
        Ok(Records { client: aws_sdk_cloudtrail::Client::new(&config) })
    }
}

impl Records {
    /// One page, the newest first, and where the next one begins. What of it is no JSON is `null`.
    pub async fn page(
        &self,
        by: &Attribute,
        (since, until): (Timestamp, Timestamp),
        next: Option<&str>,
    ) -> PortResult<(Vec<Value>, Option<String>)> {
        let (key, value) = match by {
            Attribute::Key(key) => (LookupAttributeKey::AccessKeyId, key),
            Attribute::Name(name) => (LookupAttributeKey::Username, name),
            Attribute::Resource(resource) => (LookupAttributeKey::ResourceName, resource),
        };
        let attribute = LookupAttribute::builder().attribute_key(key).attribute_value(value).build();
        let attribute = attribute.map_err(|error| CloudError {
            operation: "LookupEvents",
            kind: ErrorKind::Other,
            code: "BadRequest".to_owned(),
            message: error.to_string(),
        })?;
        let request = self.client.lookup_events().lookup_attributes(attribute).max_results(MOST);
        let request = request.start_time(DateTime::from_millis(since.millis()));
        let request = request.end_time(DateTime::from_millis(until.millis())).set_next_token(next.map(str::to_owned));
        let answer = request.send().await.explain("LookupEvents")?;
        // What is no JSON is no record either: the reader counts it, and says so.
        let read = |event: &Event| serde_json::from_str(event.cloud_trail_event()?).ok();
        let records = answer.events().iter().map(|event| read(event).unwrap_or_default());
        Ok((records.collect(), answer.next_token().map(str::to_owned)))
    }
}
