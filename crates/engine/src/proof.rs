//! Asks flow logs, where there are any, whether the cut holds. Only a verification does: records come minutes late.

use std::time::Duration;

use brig_core::{
    model::Files,
    model::{Destination, FlowLog, Interface, Rule, ids::EniId, timestamp::Timestamp},
    report::proof::{Cut, Proof, Tally, judge},
    step::{Lane, Step},
};
use futures::{
    StreamExt as _,
    future::{join_all, try_join_all},
    stream,
};

use crate::{
    ports::{FlowLogs, Object, PortResult},
    work::Work,
};

/// So far back records are looked at, in milliseconds.
const LOOK_BACK_MS: i64 = 3_600_000;
/// So much of a bucket's files is read at one look, compressed, newest first. They hold the flows of a whole VPC.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// So many files are read at once.
const AT_ONCE: usize = 4;
/// The look takes no longer, and at most this share of the time that is left: others wait to be verified.
const PATIENCE: Duration = Duration::from_secs(20);
const PART: u32 = 8;

/// What a look needs.
struct Look<'a> {
    work: &'a Work<'a>,
    cloud: &'a dyn FlowLogs,
    cut: Cut<'a>,
    from: Timestamp,
    until: Timestamp,
}

/// `known` are the flow logs where the survey saw them, `let_in` is what forensic access lets through.
pub(crate) async fn look(
    work: &Work<'_>,
    cloud: &dyn FlowLogs,
    interfaces: &[Interface],
    known: Option<&[FlowLog]>,
    let_in: &[Rule],
) -> Proof {
    let Some(at) = cut_at(work) else {
        return Proof::unavailable("when it was cut is not on record");
    };
    let logs = match known {
        Some(known) => Ok(known.to_vec()),
        None => work.within("DescribeFlowLogs", cloud.describe_flow_logs()).await,
    };
    let logs = match logs {
        Ok(logs) => logs,
        Err(error) => return Proof::unavailable(&error.to_string()),
    };
    let now = work.clock.now();
    let from = at.max(Timestamp::from_millis(now.millis() - LOOK_BACK_MS));
    let until = now.after(PATIENCE.min(work.left() / PART));
    let look = Look { work, cloud, cut: Cut { at, let_in }, from, until };
    let watched: Vec<(EniId, Vec<&FlowLog>)> =
        interfaces.iter().map(|interface| (interface.id.clone(), watching(interface, &logs))).collect();
    // One an interface. Where one log of it cannot be read, the next may be.
    let mut tallies: Vec<Tally> = Vec::new();
    for round in 0.. {
        let mut groups: Vec<(Option<&FlowLog>, Vec<EniId>)> = Vec::new();
        for (interface, logs) in &watched {
            let log = logs.get(round).copied();
            let read = tallies.iter().any(|tally| tally.interface() == interface && !tally.is_unread());
            if read || (round > 0 && log.is_none()) {
                continue;
            }
            match groups.iter_mut().find(|(known, _)| *known == log) {
                Some((_, ids)) => ids.push(interface.clone()),
                None => groups.push((log, vec![interface.clone()])),
            }
        }
        if groups.is_empty() {
            break;
        }
        for tally in join_all(groups.iter().map(|(log, ids)| look.read(*log, ids))).await.concat() {
            let Some(known) = tallies.iter_mut().find(|known| known.interface() == tally.interface()) else {
                tallies.push(tally);
                continue;
            };
            let before = std::mem::replace(known, tally);
            // What a part of a log showed is not forgotten, nor why none of them could be read.
            if known.is_unread() || before.has_accepted() {
                known.merge(before);
            }
        }
    }
    judge(&tallies, at, work.clock.now())
}

/// When the last interface was isolated for good.
fn cut_at(work: &Work<'_>) -> Option<Timestamp> {
    let moves = work
        .recorded(Lane::Network)
        .into_iter()
        .filter(|record| matches!(record.step, Step::Isolate(_) | Step::Untrack(_)) && record.is_done());
    moves.filter_map(|record| record.finished_at).max()
}

/// The logs that watch an interface, those first that are read best.
fn watching<'a>(interface: &Interface, logs: &'a [FlowLog]) -> Vec<&'a FlowLog> {
    let mut fitting: Vec<&FlowLog> = logs.iter().filter(|log| log.watches(interface)).collect();
    fitting.sort_by_key(|log| match &log.destination {
        Destination::LogGroup(_) => 0,
        Destination::Bucket(files) if files.text => 1,
        Destination::Bucket(_) => 2,
        Destination::Other => 3,
    });
    fitting
}

impl Look<'_> {
    fn left(&self) -> Duration {
        self.work.left().min(self.until.since(self.work.clock.now()))
    }

    /// What one log says of the interfaces that it watches.
    async fn read(&self, log: Option<&FlowLog>, interfaces: &[EniId]) -> Vec<Tally> {
        let Some(log) = log else {
            let none = interfaces.iter().map(|id| Tally::new(id.clone(), "", Duration::ZERO));
            return failed(none.collect(), "no flow log covers it");
        };
        let tallies: Vec<Tally> =
            interfaces.iter().map(|id| Tally::new(id.clone(), &log.format, log.interval)).collect();
        match &log.destination {
            Destination::LogGroup(group) => {
                join_all(tallies.into_iter().map(|tally| self.in_log_group(group, tally))).await
            }
            Destination::Bucket(files) if !files.text => {
                let bucket = &files.bucket;
                failed(
                    tallies,
                    &format!(
                        "its flow log writes Apache Parquet to {bucket}, which is not read: Amazon Athena reads it"
                    ),
                )
            }
            Destination::Bucket(_) if !tallies.iter().all(Tally::names_interfaces) => {
                failed(tallies, "the format of its flow log has no interface-id")
            }
            Destination::Bucket(files) => self.in_files(files, tallies).await,
            Destination::Other => failed(tallies, "its flow log goes somewhere that Brig does not read"),
        }
    }

    async fn in_log_group(&self, group: &str, mut tally: Tally) -> Tally {
        let interface = tally.interface().to_string();
        let mut count = |line: &str| tally.line(line, self.cut);
        let events = self.cloud.filter_log_events(group, &interface, self.from, &mut count);
        if let Err(error) = self.work.at_most(self.left(), "FilterLogEvents", events).await {
            tally.fail(&error.to_string());
        }
        tally
    }

    /// Counts in a log's files, the newest first: what goes on now matters most.
    async fn in_files(&self, files: &Files, mut tallies: Vec<Tally>) -> Vec<Tally> {
        let bucket = &files.bucket;
        let at = &self.work.instance;
        let listings = files.listings(&at.account, &at.region, self.from, self.work.clock.now());
        let lists = listings
            .iter()
            .map(|listing| self.work.at_most(self.left(), "ListObjectsV2", self.cloud.list_objects(bucket, listing)));
        let mut objects = match try_join_all(lists).await {
            Ok(lists) => lists.concat(),
            Err(error) => return failed(tallies, &format!("{error} (of {bucket})")),
        };
        objects.sort_by(|a, b| b.key.cmp(&a.key));
        let mut bytes: u64 = 0;
        let few = objects.iter().take_while(|object| {
            bytes = bytes.saturating_add(object.bytes);
            bytes <= MOST_BYTES
        });
        let few: Vec<&Object> = few.collect();
        let empty = tallies.clone();
        let reads = stream::iter(&few).map(|object| self.in_file(bucket, object, empty.clone()));
        let mut reads = reads.buffered(AT_ONCE);
        let (mut read, mut why) = (0, format!("they are more than {} MiB", MOST_BYTES >> 20));
        while let Some((found, answer)) = reads.next().await {
            for (tally, found) in tallies.iter_mut().zip(found) {
                tally.merge(found);
            }
            if let Err(error) = answer {
                why = error.to_string();
                break;
            }
            read += 1;
        }
        let Some(first_unread) = objects.get(read) else { return tallies };
        let why = format!("{read} of {} files in {bucket} were read ({why}): Amazon Athena reads all", objects.len());
        match files.after(&first_unread.key).filter(|_| read > 0) {
            Some(since) => {
                for tally in &mut tallies {
                    tally.read_since(since, &why);
                }
            }
            None => return failed(tallies, &why),
        }
        tallies
    }

    async fn in_file(&self, bucket: &str, object: &Object, mut tallies: Vec<Tally>) -> (Vec<Tally>, PortResult<()>) {
        let mut count = |line: &str| {
            for tally in tallies.iter_mut().filter(|tally| line.contains(tally.interface().as_str())) {
                tally.line(line, self.cut);
            }
        };
        let lines = self.cloud.get_object_lines(bucket, &object.key, &mut count);
        let answer = self.work.at_most(self.left(), "GetObject", lines).await;
        (tallies, answer)
    }
}

fn failed(mut tallies: Vec<Tally>, why: &str) -> Vec<Tally> {
    for tally in &mut tallies {
        tally.fail(why);
    }
    tallies
}
