//! VPC flow logs, in CloudWatch Logs and in S3.

use async_trait::async_trait;
use brig_core::{
    model::Listing,
    model::{FlowLog, ids::EniId, timestamp::Timestamp},
};
use brig_engine::ports::{FlowLogs, Lines, Object, PortResult};

use super::SimCloud;

#[async_trait]
impl FlowLogs for SimCloud {
    async fn describe_flow_logs(&self) -> PortResult<Vec<FlowLog>> {
        self.read("DescribeFlowLogs", |world| Ok(world.flow_logs.clone())).await
    }

    async fn filter_log_events(&self, group: &str, streams: &str, since: Timestamp, line: Lines<'_>) -> PortResult<()> {
        let found: Vec<String> = self
            .read("FilterLogEvents", |world| {
                let fits = |(of, eni, at, _): &&(String, EniId, i64, String)| {
                    of == group && eni.as_str() == streams && *at >= since.millis()
                };
                Ok(world.flows.iter().filter(fits).map(|(.., record)| record.clone()).collect())
            })
            .await?;
        for found in &found {
            line(found);
        }
        Ok(())
    }

    async fn list_objects(&self, bucket: &str, listing: &Listing) -> PortResult<Vec<Object>> {
        self.read("ListObjectsV2", |world| {
            let listed = world
                .files
                .iter()
                .filter(|((of, key), _)| of == bucket && key.starts_with(&listing.prefix) && *key > listing.after);
            let size = |lines: &Vec<String>| u64::try_from(lines.concat().len()).unwrap_or(u64::MAX);
            Ok(listed.map(|((_, key), lines)| Object { key: key.clone(), bytes: size(lines) }).collect())
        })
        .await
    }

    async fn get_object_lines(&self, bucket: &str, key: &str, line: Lines<'_>) -> PortResult<()> {
        let place = (bucket.to_owned(), key.to_owned());
        let found = self.read("GetObject", |world| Ok(world.files.get(&place).cloned().unwrap_or_default())).await?;
        for found in &found {
            line(found);
        }
        Ok(())
    }
}
