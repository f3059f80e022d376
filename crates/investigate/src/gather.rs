//! Gathers the records of a root and of every credential that came from it, from every Region at once, within CloudTrail's two
//! look-ups a second. What time or errors left out is a gap, never an empty list.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use brig_core::model::{ids::Region, timestamp::Timestamp};
use brig_engine::ports::Clock;
use brig_trace::{CredentialId, Index, Record, Root};
use futures::future::join_all;

use crate::source::{By, Page, Source};

/// CloudTrail answers two look-ups a second in each Region
/// (<https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>).
const PACE: Duration = Duration::from_millis(520);
/// What is throttled or unanswered is asked again so often.
const TRIES: u32 = 6;
/// So many credentials are followed, and so many records are kept.
const MOST_CREDENTIALS: usize = 300;
const MOST_RECORDS: usize = 40_000;

/// What time to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub since: Timestamp,
    pub until: Timestamp,
    /// No look-up begins after it.
    pub deadline: Timestamp,
}

/// Whether the records' own texts are kept too: evidence is what CloudTrail wrote, not what is read of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Texts {
    Kept,
    Dropped,
}

/// What was gathered.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    /// Each once, in the order of time.
    pub records: Vec<Record>,
    pub gaps: Vec<String>,
    pub lookups: usize,
    /// Each record as CloudTrail has it, where that is kept, in the same order.
    pub texts: Vec<String>,
}

/// One look-up that is to be made.
#[derive(Debug, Clone)]
struct Ask {
    by: By,
    next: Option<String>,
    tries: u32,
}

/// Gathers: `firsts` in every Region, then what came from it.
pub async fn gather(
    source: &dyn Source,
    clock: &dyn Clock,
    (root, firsts, window): (&Root, Vec<By>, Window),
    regions: &[Region],
    texts: Texts,
) -> Gathered {
    let mut gathered = Gathered::default();
    let mut records: BTreeMap<(Timestamp, String), (Record, String)> = BTreeMap::new();
    let mut index = Index::default();
    let mut asked: BTreeSet<By> = BTreeSet::new();
    let mut queues: BTreeMap<Region, VecDeque<Ask>> =
        regions.iter().map(|region| (region.clone(), VecDeque::new())).collect();
    for by in firsts {
        ask(&mut queues, &mut asked, &by);
    }
    let mut unreadable = 0;
    loop {
        let began = clock.now();
        let batch: Vec<(Region, Ask)> = queues
            .iter_mut()
            .filter_map(|(region, queue)| queue.pop_front().map(|ask| (region.clone(), ask)))
            .collect();
        if batch.is_empty() || began >= window.deadline || records.len() >= MOST_RECORDS {
            for (region, ask) in batch {
                queues.entry(region).or_default().push_front(ask);
            }
            break;
        }
        gathered.lookups += batch.len();
        let span = (window.since, window.until);
        let answers =
            join_all(batch.iter().map(|(region, ask)| source.page(region, &ask.by, span, ask.next.as_deref())));
        for ((region, ask), answer) in batch.iter().zip(answers.await) {
            match answer {
                Ok(Page { records: found, next }) => {
                    for value in found {
                        match Record::read(&value) {
                            Ok(record) => {
                                index.take(&record);
                                let text = if texts == Texts::Kept { value.to_string() } else { String::new() };
                                records.insert((record.at, record.id.clone()), (record, text));
                            }
                            Err(_) => unreadable += 1,
                        }
                    }
                    if let Some(next) = next {
                        let more = Ask { by: ask.by.clone(), next: Some(next), tries: 0 };
                        queues.entry(region.clone()).or_default().push_back(more);
                    }
                }
                Err(error) if error.is_retryable() && ask.tries + 1 < TRIES => {
                    let again = Ask { tries: ask.tries + 1, ..ask.clone() };
                    queues.entry(region.clone()).or_default().push_back(again);
                }
                Err(error) => {
                    gathered.gaps.push(format!("{region}: the records of {} could not be read: {error}", ask.by));
                }
            }
        }
        follow(&index, root, &mut queues, &mut asked);
        let took = clock.now().since(began);
        if queues.values().any(|queue| !queue.is_empty()) {
            clock.sleep(PACE.saturating_sub(took)).await;
        }
    }
    let ended = if records.len() >= MOST_RECORDS { format!("{MOST_RECORDS} were") } else { "time was over".to_owned() };
    for (region, queue) in queues {
        let left: BTreeSet<String> = queue.iter().map(|ask| ask.by.to_string()).collect();
        if !left.is_empty() {
            let left: Vec<String> = left.into_iter().take(10).collect();
            gathered.gaps.push(format!("{region}: not all records of {} were read before {ended}", left.join(", ")));
        }
    }
    if asked.len() >= MOST_CREDENTIALS {
        gathered
            .gaps
            .push(format!("more than {MOST_CREDENTIALS} credentials came from {root}: the rest was not followed"));
    }
    if unreadable > 0 {
        gathered.gaps.push(format!("{unreadable} values of CloudTrail's answers are no records"));
    }
    gathered.gaps.sort();
    let (records, written): (Vec<Record>, Vec<String>) = records.into_values().unzip();
    gathered.records = records;
    gathered.texts = if texts == Texts::Kept { written } else { Vec::new() };
    gathered
}

/// Looks up each credential of the graph that nobody has looked up, before the rest of what is known already.
fn follow(index: &Index, root: &Root, queues: &mut BTreeMap<Region, VecDeque<Ask>>, asked: &mut BTreeSet<By>) {
    for id in index.credentials(root) {
        if asked.len() >= MOST_CREDENTIALS {
            return;
        }
        match id {
            CredentialId::Key(key) => ask(queues, asked, &By::Key(key)),
            CredentialId::Instance(instance) => ask(queues, asked, &By::Name(instance)),
            // A sign-in is on record where its page was, and what was done afterwards where it was done.
            CredentialId::Password(user) => ask(queues, asked, &By::Name(user)),
            CredentialId::Service(_) | CredentialId::Session(_) => {}
        }
    }
}

fn ask(queues: &mut BTreeMap<Region, VecDeque<Ask>>, asked: &mut BTreeSet<By>, by: &By) {
    if !asked.insert(by.clone()) {
        return;
    }
    for queue in queues.values_mut() {
        queue.push_front(Ask { by: by.clone(), next: None, tries: 0 });
    }
}
