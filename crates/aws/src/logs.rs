//! Amazon CloudWatch Logs (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/>).

use aws_sdk_cloudwatchlogs::Client;
use brig_core::timestamp::Timestamp;
use brig_engine::ports::{Answer, Lines};

use crate::error::Explain;

pub(crate) async fn filter_log_events(
    client: &Client,
    group: &str,
    streams: &str,
    since: Timestamp,
    line: Lines<'_>,
) -> Answer<()> {
    let request = client.filter_log_events().log_group_name(group).log_stream_name_prefix(streams);
    let mut pages = request.start_time(since.millis()).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.explain("FilterLogEvents")?;
        page.events().iter().filter_map(|event| event.message()).for_each(&mut *line);
    }
    Ok(())
}
