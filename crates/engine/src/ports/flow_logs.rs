//! VPC flow logs, in CloudWatch Logs and in S3.

use async_trait::async_trait;
use brig_core::{
    model::Listing,
    model::{FlowLog, timestamp::Timestamp},
};

use super::PortResult;

/// Takes one line after the other; those that came before an error count.
pub type Lines<'a> = &'a mut (dyn FnMut(&str) + Send);

/// An object of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub key: String,
    /// Its size as it is stored.
    pub bytes: u64,
}

/// VPC flow logs, in CloudWatch Logs and in S3.
#[async_trait]
pub trait FlowLogs: Send + Sync {
    /// DescribeFlowLogs: those that are active.
    async fn describe_flow_logs(&self) -> PortResult<Vec<FlowLog>>;
    /// FilterLogEvents of CloudWatch Logs: the messages of the streams with this prefix, since then.
    async fn filter_log_events(&self, group: &str, streams: &str, since: Timestamp, line: Lines<'_>) -> PortResult<()>;
    /// ListObjectsV2: the objects of a bucket that a listing names, in the order of their keys.
    async fn list_objects(&self, bucket: &str, listing: &Listing) -> PortResult<Vec<Object>>;
    /// GetObject of a text that gzip compressed: its lines.
    async fn get_object_lines(&self, bucket: &str, key: &str, line: Lines<'_>) -> PortResult<()>;
}
