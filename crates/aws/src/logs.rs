//! Amazon CloudWatch Logs (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/>).

use aws_sdk_cloudwatchlogs::Client;
use brig_core::timestamp::Timestamp;
use brig_engine::ports::{Answer, CloudError, ErrorKind};

use crate::error::Explain;

/// So many records of one interface are read.
const MOST: usize = 5_000;

pub(crate) async fn filter_log_events(
    client: &Client,
    group: &str,
    streams: &str,
    since: Timestamp,
) -> Answer<Vec<String>> {
    let request = client.filter_log_events().log_group_name(group).log_stream_name_prefix(streams);
    let mut pages = request.start_time(since.millis()).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.explain("FilterLogEvents")?;
        found.extend(page.events().iter().filter_map(|event| event.message()).map(str::to_owned));
        if found.len() > MOST {
            // The oldest come first: what is not read might be what matters.
            return Err(CloudError {
                operation: "FilterLogEvents",
                kind: ErrorKind::Other,
                code: "TooMany".to_owned(),
                message: format!("more than {MOST} records since the cut, or in the last hour: they are not read"),
            });
        }
    }
    Ok(found)
}
