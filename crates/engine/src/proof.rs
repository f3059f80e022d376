//! Asks flow logs, where there are any, whether the cut holds. Only a verification does: records come minutes late.

use std::time::Duration;

use brig_core::{
    ids::EniId,
    proof::{Destination, Files, FlowLog, Proof, Read, judge},
    step::{Lane, Step},
    survey::{Interface, Rule},
    timestamp::Timestamp,
};
use futures::{
    StreamExt as _,
    future::{join_all, try_join_all},
    stream,
};

use crate::{
    ports::{Cloud, Object},
    work::Work,
};

/// So far back records are looked at, in milliseconds.
const LOOK_BACK_MS: i64 = 3_600_000;
/// So much of a bucket's files is read at one look, compressed, oldest first. They hold the flows of a whole VPC.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// So many records of the interfaces are kept at once.
const MOST_LINES: usize = 20_000;
/// So many files are read at once.
const AT_ONCE: usize = 4;
/// The look at a bucket takes no longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// `let_in` is what forensic access lets through.
pub(crate) async fn look(work: &Work<'_>, cloud: &dyn Cloud, interfaces: &[Interface], let_in: &[Rule]) -> Proof {
    let Some(cut) = cut_at(work) else {
        return Proof::unavailable("when it was cut is not on record");
    };
    let logs = match work.within("DescribeFlowLogs", cloud.describe_flow_logs()).await {
        Ok(logs) => logs,
        Err(error) => return Proof::unavailable(&error.to_string()),
    };
    let from = cut.max(Timestamp::from_millis(work.clock.now().millis() - LOOK_BACK_MS));
    let mut watched: Vec<(Option<&FlowLog>, Vec<EniId>)> = Vec::new();
    for interface in interfaces {
        let log = watching(interface, &logs);
        match watched.iter_mut().find(|(known, _)| *known == log) {
            Some((_, ids)) => ids.push(interface.id.clone()),
            None => watched.push((log, vec![interface.id.clone()])),
        }
    }
    let reads = watched.iter().map(|(log, ids)| read(work, cloud, *log, ids, from));
    judge(&join_all(reads).await.concat(), cut, let_in)
}

/// When the last interface was isolated for good.
fn cut_at(work: &Work<'_>) -> Option<Timestamp> {
    let moves = work
        .recorded(Lane::Network)
        .into_iter()
        .filter(|record| matches!(record.step, Step::Isolate { .. } | Step::Untrack { .. }) && record.is_done());
    moves.filter_map(|record| record.finished_at).max()
}

/// The log that watches an interface, one that is read before one that is not.
fn watching<'a>(interface: &Interface, logs: &'a [FlowLog]) -> Option<&'a FlowLog> {
    let watched = [interface.id.as_str(), &interface.subnet, interface.vpc.as_str()];
    let fits = |log: &&FlowLog| watched.contains(&log.resource.as_str()) && log.traffic != "REJECT";
    logs.iter().filter(fits).min_by_key(|log| match &log.destination {
        Destination::LogGroup(_) => 0,
        Destination::Bucket(files) if files.text => 1,
        Destination::Bucket(_) => 2,
        Destination::Other => 3,
    })
}

/// What one log says of the interfaces that it watches.
async fn read(
    work: &Work<'_>,
    cloud: &dyn Cloud,
    log: Option<&FlowLog>,
    interfaces: &[EniId],
    from: Timestamp,
) -> Vec<Read> {
    let format = log.map(|log| log.format.clone()).unwrap_or_default();
    let read = |interface: &EniId, (records, unread)| Read {
        interface: interface.clone(),
        format: format.clone(),
        records,
        unread,
    };
    let nothing = |why: &str| (Vec::new(), Some(why.to_owned()));
    match log.map(|log| &log.destination) {
        Some(Destination::LogGroup(group)) => {
            let events = interfaces.iter().map(|interface| async {
                let found = cloud.filter_log_events(group, interface.as_str(), from);
                let found = work.within("FilterLogEvents", found).await;
                read(interface, found.map_or_else(|error| nothing(&error.to_string()), |records| (records, None)))
            });
            join_all(events).await
        }
        Some(Destination::Bucket(files)) => {
            let (lines, unread) = if format.contains("${interface-id}") {
                in_files(work, cloud, files, interfaces, from).await
            } else {
                (Vec::new(), Some("the format of its flow log has no interface-id".to_owned()))
            };
            let of = |interface: &EniId| {
                lines.iter().filter(|line| line.contains(interface.as_str())).cloned().collect::<Vec<_>>()
            };
            interfaces.iter().map(|interface| read(interface, (of(interface), unread.clone()))).collect()
        }
        Some(Destination::Other) => {
            interfaces.iter().map(|one| read(one, nothing("its flow log goes where it is not read"))).collect()
        }
        None => interfaces.iter().map(|one| read(one, nothing("no flow log watches it"))).collect(),
    }
}

/// The lines about these interfaces in a log's files, which hold the flows of a whole VPC; and why some may lack.
async fn in_files(
    work: &Work<'_>,
    cloud: &dyn Cloud,
    files: &Files,
    interfaces: &[EniId],
    from: Timestamp,
) -> (Vec<String>, Option<String>) {
    let bucket = &files.bucket;
    if !files.text {
        let why = format!("its flow log writes Apache Parquet to {bucket}, which is not read: Amazon Athena reads it");
        return (Vec::new(), Some(why));
    }
    let until = work.clock.now().after(PATIENCE);
    let left = || work.left().min(until.since(work.clock.now()));
    let listings = files.listings(&work.key.account, &work.key.region, from, work.clock.now());
    let lists =
        listings.iter().map(|listing| work.at_most(left(), "ListObjectsV2", cloud.list_objects(bucket, listing)));
    let objects = match try_join_all(lists).await {
        Ok(lists) => lists.concat(),
        Err(error) => return (Vec::new(), Some(format!("{error} (of {bucket})"))),
    };
    let mut bytes: u64 = 0;
    let few = objects.iter().take_while(|object| {
        bytes = bytes.saturating_add(object.bytes);
        bytes <= MOST_BYTES
    });
    let few: Vec<&Object> = few.collect();
    let rest = |read: usize, why: &str| {
        Some(format!("{read} of {} files in {bucket} were read ({why}): Amazon Athena reads all", objects.len()))
    };
    let (mut lines, mut read) = (Vec::new(), 0);
    let mut answers = stream::iter(&few)
        .map(|object| work.at_most(left(), "GetObject", cloud.get_object_lines(bucket, &object.key, interfaces)))
        .buffered(AT_ONCE);
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(found) => lines.extend(found),
            Err(error) => return (lines, rest(read, &error.to_string())),
        }
        read += 1;
        if lines.len() > MOST_LINES {
            return (lines, rest(read, &format!("they have more than {MOST_LINES} records of it")));
        }
    }
    let unread = (few.len() < objects.len()).then(|| rest(read, &format!("they are more than {MOST_BYTES} bytes")));
    (lines, unread.flatten())
}
