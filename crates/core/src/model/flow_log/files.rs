//! Where a flow log puts its files in a bucket
//! (<https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-path.html>).

use std::time::Duration;

use crate::model::{
    ids::{AccountId, Region},
    timestamp::Timestamp,
};

/// A file is named after the beginning of the five minutes in which its records end. There may be several of them.
const SPAN: Duration = Duration::from_mins(5);
const HOUR_MS: i64 = 3_600_000;

/// A flow log's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The bucket's name.
    pub bucket: String,
    /// What every key begins with: empty, or a folder with its slash.
    pub folder: String,
    /// The flow log's id.
    pub log: String,
    /// Whether folders are named as Hive does, `year=2026`.
    pub hive: bool,
    /// Whether each hour has a folder of its own.
    pub hourly: bool,
    /// Whether files are text; else they are Apache Parquet, which is not read.
    pub text: bool,
}

/// The keys of one folder that begin with `prefix` and come after `after`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The folder and the beginning of its files' names.
    pub prefix: String,
    /// Where to begin; no file need have this key.
    pub after: String,
}

impl Files {
    /// Text in folders of days, from the destination's ARN, `arn:aws:s3:::bucket` or `arn:aws:s3:::bucket/folder/`.
    #[must_use]
    pub fn of(destination: &str, log: &str) -> Option<Self> {
        let (bucket, folder) =
            destination.split(":s3:::").nth(1).map(|rest| rest.split_once('/').unwrap_or((rest, "")))?;
        let folder = match folder.trim_end_matches('/') {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        let known = !bucket.is_empty() && !log.is_empty();
        known.then(|| Self {
            bucket: bucket.to_owned(),
            folder,
            log: log.to_owned(),
            hive: false,
            hourly: false,
            text: true,
        })
    }

    /// Where records of `from` to `until` may be, oldest first.
    #[must_use]
    pub fn listings(&self, account: &AccountId, region: &Region, from: Timestamp, until: Timestamp) -> Vec<Listing> {
        let back = i64::try_from(SPAN.as_millis()).unwrap_or(0);
        let from = from.millis().saturating_sub(back);
        let hours = (from.div_euclid(HOUR_MS)..=until.millis().div_euclid(HOUR_MS)).map(|hour| hour * HOUR_MS);
        let mut folders: Vec<String> =
            hours.map(|hour| self.partition(account, region, Timestamp::from_millis(hour))).collect();
        folders.dedup();
        let stamp = Timestamp::from_millis(from).compact();
        let after = stamp.get(..13).unwrap_or_default();
        let listing = |folder: String| {
            let prefix = format!("{folder}{account}_vpcflowlogs_{region}_{}_", self.log);
            Listing { after: format!("{prefix}{after}"), prefix }
        };
        folders.into_iter().map(listing).collect()
    }

    /// Since when all records are in the files that are named after a later time than this one.
    #[must_use]
    pub fn after(&self, key: &str) -> Option<Timestamp> {
        let (_, name) = key.rsplit_once(&format!("_{}_", self.log))?;
        let part = |from: usize, to: usize| name.get(from..to);
        let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
        let (hour, minute) = (part(9, 11)?, part(11, 13)?);
        Timestamp::parse(&format!("{year}-{month}-{day}T{hour}:{minute}:00Z")).map(|named| named.after(SPAN))
    }

    fn partition(&self, account: &AccountId, region: &Region, at: Timestamp) -> String {
        let text = at.to_string();
        let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        let (year, month, day, hour) = (part(0, 4), part(5, 7), part(8, 10), part(11, 13));
        let folder = &self.folder;
        if self.hive {
            let hour = if self.hourly { format!("hour={hour}/") } else { String::new() };
            return format!(
                "{folder}AWSLogs/aws-account-id={account}/aws-service=vpcflowlogs/aws-region={region}/year={year}/month={month}/day={day}/{hour}"
            );
        }
        let hour = if self.hourly { format!("{hour}/") } else { String::new() };
        format!("{folder}AWSLogs/{account}/vpcflowlogs/{region}/{year}/{month}/{day}/{hour}")
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(destination: &str, hive: bool, hourly: bool, from: &str, until: &str, expected: &Expect) {
        let files = Files { hive, hourly, ..Files::of(destination, "fl-1").expect("a bucket") };
        let at = |text: &str| Timestamp::parse(text).expect("a time");
        let account = "123456789012".parse().expect("an account");
        let region = "us-east-1".parse().expect("a Region");
        let listings = files.listings(&account, &region, at(from), at(until));
        let lines: Vec<String> =
            listings.iter().map(|one| format!("{}: {} after {}", files.bucket, one.prefix, one.after)).collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn files_lie_in_the_folder_of_their_day() {
        check(
            "arn:aws:s3:::logs",
            false,
            false,
            "2026-05-01T12:34:56Z",
            "2026-05-01T13:10:00Z",
            &expect![
                "logs: AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/05/01/123456789012_vpcflowlogs_us-east-1_fl-1_ after AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/05/01/123456789012_vpcflowlogs_us-east-1_fl-1_20260501T1229"
            ],
        );
    }

    #[test]
    fn the_day_before_is_looked_at_where_the_time_begins_then() {
        check(
            "arn:aws:s3:::logs/net/",
            false,
            false,
            "2026-03-01T00:04:00Z",
            "2026-03-01T00:40:00Z",
            &expect![[r#"
                logs: net/AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/02/28/123456789012_vpcflowlogs_us-east-1_fl-1_ after net/AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/02/28/123456789012_vpcflowlogs_us-east-1_fl-1_20260228T2359
                logs: net/AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/03/01/123456789012_vpcflowlogs_us-east-1_fl-1_ after net/AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/03/01/123456789012_vpcflowlogs_us-east-1_fl-1_20260228T2359"#]],
        );
    }

    #[test]
    fn folders_of_hours_and_of_hive_are_named_so() {
        check(
            "arn:aws:s3:::logs/a/b",
            true,
            true,
            "2026-12-31T23:30:00Z",
            "2027-01-01T00:10:00Z",
            &expect![[r#"
                logs: a/b/AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=us-east-1/year=2026/month=12/day=31/hour=23/123456789012_vpcflowlogs_us-east-1_fl-1_ after a/b/AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=us-east-1/year=2026/month=12/day=31/hour=23/123456789012_vpcflowlogs_us-east-1_fl-1_20261231T2325
                logs: a/b/AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=us-east-1/year=2027/month=01/day=01/hour=00/123456789012_vpcflowlogs_us-east-1_fl-1_ after a/b/AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=us-east-1/year=2027/month=01/day=01/hour=00/123456789012_vpcflowlogs_us-east-1_fl-1_20261231T2325"#]],
        );
        check(
            "arn:aws-cn:s3:::logs",
            false,
            true,
            "2026-05-01T12:34:56Z",
            "2026-05-01T13:10:00Z",
            &expect![[r#"
                logs: AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/05/01/12/123456789012_vpcflowlogs_us-east-1_fl-1_ after AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/05/01/12/123456789012_vpcflowlogs_us-east-1_fl-1_20260501T1229
                logs: AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/05/01/13/123456789012_vpcflowlogs_us-east-1_fl-1_ after AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/05/01/13/123456789012_vpcflowlogs_us-east-1_fl-1_20260501T1229"#]],
        );
    }

    #[test]
    fn a_file_tells_since_when_the_later_ones_have_all() {
        let files = Files::of("arn:aws:s3:::logs", "fl-1").expect("a bucket");
        let after = |key: &str| files.after(key).map(|at| at.to_string());
        let key = "AWSLogs/1/vpcflowlogs/us-east-1/2026/12/31/1_vpcflowlogs_us-east-1_fl-1_20261231T2355Z_0a1b.log.gz";
        assert_eq!(after(key).as_deref(), Some("2027-01-01T00:00:00.000Z"));
        for key in
            ["", "x_fl-1_", "x_fl-1_20261331T2355Z_0.log.gz", "x_fl-2_20261231T2355Z_0.log.gz", "x_fl-1_äöüäöüäöü"]
        {
            assert_eq!(after(key), None, "{key}");
        }
    }

    #[test]
    fn what_is_no_bucket_is_none() {
        for arn in ["", "arn:aws:s3:::", "arn:aws:s3:::/folder", "arn:aws:firehose:us-east-1:1:deliverystream/x"] {
            assert_eq!(Files::of(arn, "fl-1"), None, "{arn}");
        }
        assert_eq!(Files::of("arn:aws:s3:::logs", ""), None);
    }
}
