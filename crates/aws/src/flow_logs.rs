//! VPC flow logs, in CloudWatch Logs and in S3.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::{DestinationFileFormat, DestinationOptionsResponse, LogDestinationType, TrafficType};
use brig_core::{
    model::{Destination, FlowLog, timestamp::Timestamp},
    model::{Files, Listing},
};
use brig_engine::ports::{FlowLogs, Lines, Object, PortResult};

use crate::{cloud::AwsCloud, error::Explain};

/// AWS's default, and its most
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html>).
const LONGEST_INTERVAL: Duration = Duration::from_mins(10);

#[async_trait]
impl FlowLogs for AwsCloud {
    async fn describe_flow_logs(&self) -> PortResult<Vec<FlowLog>> {
        let client = self.ec2();
        let mut pages = client.describe_flow_logs().into_paginator().items().send();
        let mut logs = Vec::new();
        while let Some(log) = pages.next().await {
            let log = log.explain("DescribeFlowLogs")?;
            if let Some(resource) = log.resource_id().filter(|_| log.flow_log_status() == Some("ACTIVE")) {
                logs.push(FlowLog {
                    resource: resource.to_owned(),
                    traffic: log.traffic_type().map_or("ALL", TrafficType::as_str).to_owned(),
                    destination: destination(&log),
                    format: log.log_format().unwrap_or_default().to_owned(),
                    interval: log
                        .max_aggregation_interval()
                        .and_then(|seconds| u64::try_from(seconds).ok())
                        .map_or(LONGEST_INTERVAL, Duration::from_secs),
                });
            }
        }
        Ok(logs)
    }

    async fn filter_log_events(&self, group: &str, streams: &str, since: Timestamp, line: Lines<'_>) -> PortResult<()> {
        let client = self.logs();
        let request = client.filter_log_events().log_group_name(group).log_stream_name_prefix(streams);
        let mut pages = request.start_time(since.millis()).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.explain("FilterLogEvents")?;
            page.events().iter().filter_map(|event| event.message()).for_each(&mut *line);
        }
        Ok(())
    }

    async fn list_objects(&self, bucket: &str, listing: &Listing) -> PortResult<Vec<Object>> {
        self.s3().list_objects(bucket, listing).await
    }

    async fn get_object_lines(&self, bucket: &str, key: &str, line: Lines<'_>) -> PortResult<()> {
        self.s3().get_object_lines(bucket, key, line).await
    }
}

fn destination(log: &aws_sdk_ec2::types::FlowLog) -> Destination {
    let arn = log.log_destination();
    match log.log_destination_type().map(LogDestinationType::as_str) {
        Some("s3") => {
            let options = log.destination_options();
            let is = |option: Option<bool>| option == Some(true);
            let hive = is(options.and_then(DestinationOptionsResponse::hive_compatible_partitions));
            let hourly = is(options.and_then(DestinationOptionsResponse::per_hour_partition));
            let parquet = options.and_then(|options| options.file_format()) == Some(&DestinationFileFormat::Parquet);
            let files = Files::of(arn.unwrap_or_default(), log.flow_log_id().unwrap_or_default());
            files.map_or(Destination::Other, |files| {
                Destination::Bucket(Files { hive, hourly, text: !parquet, ..files })
            })
        }
        Some("cloud-watch-logs") | None => {
            // `arn:aws:logs:us-east-1:123456789012:log-group:name:*`
            let by_arn = || arn?.split(":log-group:").nth(1)?.split(':').next();
            log.log_group_name()
                .or_else(by_arn)
                .map_or(Destination::Other, |group| Destination::LogGroup(group.to_owned()))
        }
        Some(_) => Destination::Other,
    }
}
