//! Records of VPC flow logs, where AWS puts them.

use std::{
    io::Write as _,
    time::{Duration, SystemTime},
};

use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use flate2::{Compression, write::GzEncoder};
use time::{OffsetDateTime, macros::format_description};

use crate::account::{ACCOUNT, Account, REGION};

const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";

#[expect(clippy::disallowed_methods, reason = "the records are of this time")]
fn now() -> OffsetDateTime {
    SystemTime::now().into()
}

/// A record of the minutes that come: packets may be a minute older than their record's start.
fn record(eni: &str, action: &str) -> String {
    let [start, end] = [120, 180].map(|ahead| (now() + Duration::from_secs(ahead)).unix_timestamp());
    format!("2 {ACCOUNT} {eni} 203.0.113.9 10.0.0.1 443 50000 6 3 4096 {start} {end} {action} OK")
}

impl Account {
    /// Writes a record into a log group.
    pub async fn flow(&self, group: &str, eni: &str, action: &str) {
        let stream = format!("{eni}-all");
        let _ = self.logs.create_log_group().log_group_name(group).send().await;
        let _ = self.logs.create_log_stream().log_group_name(group).log_stream_name(&stream).send().await;
        let millis = now().unix_timestamp() * 1000 + 999;
        let event = InputLogEvent::builder().message(record(eni, action)).timestamp(millis).build().expect("an event");
        let put = self.logs.put_log_events().log_group_name(group).log_stream_name(stream).log_events(event);
        put.send().await.expect("a record");
    }

    /// Makes a bucket, where flow logs are read and where EC2 looks whether it is there.
    pub async fn bucket(&self, name: &str) {
        for s3 in [&self.s3, &self.ec2_s3] {
            // A run before may have made it.
            let _ = s3.create_bucket().bucket(name).send().await;
            s3.head_bucket().bucket(name).send().await.expect("a bucket");
        }
    }

    /// Writes a file of a flow log, with a record of another interface before this one's.
    pub async fn flow_file(&self, bucket: &str, log: &str, eni: &str, action: &str) {
        let now = now();
        let day = now.format(format_description!("[year]/[month]/[day]")).expect("a day");
        let stamp = now.format(format_description!("[year][month][day]T[hour][minute]Z")).expect("a time");
        let name = format!("{ACCOUNT}_vpcflowlogs_{REGION}_{log}_{stamp}_{action}.log.gz");
        let mut zip = GzEncoder::new(Vec::new(), Compression::default());
        let lines = [HEADER.to_owned(), record("eni-0", "ACCEPT"), record(eni, action), String::new()];
        zip.write_all(lines.join("\n").as_bytes()).expect("memory");
        let put =
            self.s3.put_object().bucket(bucket).key(format!("AWSLogs/{ACCOUNT}/vpcflowlogs/{REGION}/{day}/{name}"));
        put.body(zip.finish().expect("memory").into()).send().await.expect("a file");
    }
}
