//! Asks flow logs, where there are any, whether the cut holds. Only a verification does: records come minutes late.

use brig_core::{
    proof::{Destination, FlowLog, Proof, Read, judge},
    step::{Lane, Step},
    survey::{Interface, Rule},
    timestamp::Timestamp,
};
use futures::future::join_all;

use crate::{ports::Cloud, work::Work};

/// So far back records are looked at, in milliseconds.
const LOOK_BACK_MS: i64 = 3_600_000;

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
    let reads = interfaces.iter().map(|interface| read(work, cloud, interface, &logs, from));
    judge(&join_all(reads).await, cut, let_in)
}

/// When the last interface was isolated for good.
fn cut_at(work: &Work<'_>) -> Option<Timestamp> {
    let moves = work
        .recorded(Lane::Network)
        .into_iter()
        .filter(|record| matches!(record.step, Step::Isolate { .. } | Step::Untrack { .. }) && record.is_done());
    moves.filter_map(|record| record.finished_at).max()
}

async fn read(work: &Work<'_>, cloud: &dyn Cloud, interface: &Interface, logs: &[FlowLog], from: Timestamp) -> Read {
    let watched = [interface.id.as_str(), &interface.subnet, interface.vpc.as_str()];
    let fits = |log: &&FlowLog| watched.contains(&log.resource.as_str()) && log.traffic != "REJECT";
    let named = |log: &&FlowLog| matches!(log.destination, Destination::LogGroup(_));
    let log = logs.iter().filter(fits).find(named).or_else(|| logs.iter().find(fits));
    let (format, records) = match log {
        None => (String::new(), Err("no flow log watches it".to_owned())),
        Some(log) => {
            let records = match &log.destination {
                Destination::LogGroup(group) => {
                    let found = cloud.filter_log_events(group, interface.id.as_str(), from);
                    work.within("FilterLogEvents", found).await.map_err(|error| error.to_string())
                }
                // An object holds the flows of a whole VPC: more than a function reads beside its work.
                Destination::Bucket(bucket) => Err(format!(
                    "its flow log goes to {bucket}, which is not read; Amazon Athena finds records of {} with the action ACCEPT there",
                    interface.id
                )),
                Destination::Other => Err("its flow log goes where it is not read".to_owned()),
            };
            (log.format.clone(), records)
        }
    };
    Read { interface: interface.id.clone(), format, records }
}
