//! What is taken, each from where it is.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use brig_aws::evidence::{Custody, Look, Scene};
use brig_core::{
    model::{
        Destination, Instance,
        ids::{ContainmentId, TargetKey},
        timestamp::Timestamp,
    },
    report::{
        page::{Now, Page, Sources},
        story::Story,
    },
};
use brig_engine::ports::Cloud;
use brig_evidence::{Case, rows_of_records, rows_of_story, timeline};

use crate::{
    app::App,
    back::{Turn, back},
    bundle::{Again, Found, NotHad, Take},
    gather::Texts,
    request::Request,
};

/// How far back before the cut CloudTrail is read.
const BACK: Duration = Duration::from_hours(24);
/// So much of an interface's flow records is taken, in bytes.
const MOST_OF_FLOW_LOGS: usize = 32 << 20;
/// So long flow logs are waited for.
const PATIENCE: Duration = Duration::from_secs(30);

fn futile(why: impl Into<String>) -> NotHad {
    NotHad { why: why.into(), may_help: Again::IsFutile }
}

/// A text that is there already.
pub struct Given {
    name: &'static str,
    source: &'static str,
    text: Result<String, String>,
}

impl Given {
    pub fn text(name: &'static str, source: &'static str, text: String) -> Self {
        Self { name, source, text: Ok(text) }
    }

    /// What is on record, and the incident page of it, as people read it.
    pub fn pages(story: &Story, now: Timestamp) -> Vec<Box<dyn Take>> {
        let show = serde_json::to_value(story).unwrap_or_default();
        let sources = Sources { show: &show, now: Now::NotLooked, custody: None, as_of: now, brig: "brig" };
        let page = Page::of(&sources).map_err(|error| error.to_string());
        let html = page.as_ref().map(Page::html).map_err(Clone::clone);
        let markdown = page.as_ref().map(Page::markdown).map_err(Clone::clone);
        let made = |name, text| Box::new(Self { name, source: "brig", text }) as Box<dyn Take>;
        vec![
            made("page.html", html),
            made("page.md", markdown),
            made("record.json", Ok(serde_json::to_string_pretty(&show).unwrap_or_default())),
        ]
    }
}

#[async_trait]
impl Take for Given {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    async fn take(&self) -> Result<Vec<Found>, NotHad> {
        let text = self.text.clone().map_err(futile)?;
        let source = self.source.to_owned();
        Ok(vec![Found { name: self.name(), bytes: text.into_bytes(), source, requests: Vec::new() }])
    }
}

/// What AWS answers.
pub struct Looks {
    /// Or why the account cannot be worked in.
    pub scene: Result<Scene, String>,
    pub look: Look,
}

#[async_trait]
impl Take for Looks {
    fn name(&self) -> String {
        self.look.name()
    }

    async fn take(&self) -> Result<Vec<Found>, NotHad> {
        let scene = self.scene.as_ref().map_err(|why| futile(why.clone()))?;
        let taken = scene.take(&self.look).await?;
        let found = taken.into_iter().map(|file| Found {
            name: file.name,
            bytes: file.bytes,
            source: file.source.to_owned(),
            requests: file.requests,
        });
        Ok(found.collect())
    }
}

/// The ledger's items.
pub struct Ledger {
    pub custody: Custody,
    pub target: TargetKey,
}

#[async_trait]
impl Take for Ledger {
    fn name(&self) -> String {
        "ledger".to_owned()
    }

    async fn take(&self) -> Result<Vec<Found>, NotHad> {
        let pages = self.custody.ledger(&self.target).await?;
        let found = (1..).zip(pages).map(|(number, raw)| Found {
            name: format!("ledger/items-{number:03}.json"),
            bytes: raw.bytes,
            source: "dynamodb:Query".to_owned(),
            requests: raw.request.into_iter().collect(),
        });
        Ok(found.collect())
    }
}

/// CloudTrail's records of what its credentials did, the trace of them, and the timeline of both.
pub struct Trail<'a> {
    app: &'a App,
    request: Request,
    story: Story,
    turn: Turn<'a>,
}

impl<'a> Trail<'a> {
    pub fn new(app: &'a App, case: &Case, story: &Story, turn: Turn<'a>) -> Self {
        Self { app, request: Request::of(&case.target, &app.region, BACK), story: story.clone(), turn }
    }
}

#[async_trait]
impl Take for Trail<'_> {
    fn name(&self) -> String {
        "cloudtrail".to_owned()
    }

    async fn take(&self) -> Result<Vec<Found>, NotHad> {
        let seen = back(self.app, &self.request, self.turn, Texts::Kept).await.map_err(|error| futile(error.why))?;
        let lines: String = seen.texts.iter().flat_map(|text| [text.as_str(), "\n"]).collect();
        let rows = rows_of_records(&seen.records).chain(rows_of_story(&self.story)).collect();
        let trace = serde_json::to_string_pretty(&seen.trace).unwrap_or_default();
        let found = |name: &str, source: &str, text: String| Found {
            name: name.to_owned(),
            bytes: text.into_bytes(),
            source: source.to_owned(),
            requests: Vec::new(),
        };
        Ok(vec![
            found("cloudtrail.jsonl", "cloudtrail:LookupEvents", lines),
            found("trace.json", "brig", trace),
            found("timeline.jsonl", "brig", timeline(rows)),
        ])
    }
}

/// The records of flow logs that go to CloudWatch Logs.
pub struct FlowLogRecords {
    pub cloud: Arc<dyn Cloud>,
    pub instance: Instance,
    pub since: Timestamp,
}

#[async_trait]
impl Take for FlowLogRecords {
    fn name(&self) -> String {
        "network/flow-logs".to_owned()
    }

    async fn take(&self) -> Result<Vec<Found>, NotHad> {
        let logs = self.cloud.describe_flow_logs().await?;
        let (mut found, mut elsewhere, mut watched) = (Vec::new(), Vec::new(), false);
        for interface in &self.instance.interfaces {
            for log in logs.iter().filter(|log| log.watches(interface)) {
                watched = true;
                match &log.destination {
                    Destination::LogGroup(group) => found.extend(self.of_group(group, interface.id.as_str()).await?),
                    Destination::Bucket(files) => elsewhere.push(format!("s3://{}", files.bucket)),
                    Destination::Other => elsewhere.push("a destination that is not read".to_owned()),
                }
            }
        }
        if !found.is_empty() {
            return Ok(found);
        }
        elsewhere.sort();
        elsewhere.dedup();
        Err(futile(match (watched, elsewhere.is_empty()) {
            (true, false) => format!("its flow logs go to {}: copy the files from there", elsewhere.join(", ")),
            (_, _) => "no flow log watches its interfaces".to_owned(),
        }))
    }
}

impl FlowLogRecords {
    async fn of_group(&self, group: &str, interface: &str) -> Result<Vec<Found>, NotHad> {
        let (mut text, mut left_out) = (String::new(), 0_usize);
        let mut line = |line: &str| {
            if text.len() + line.len() < MOST_OF_FLOW_LOGS {
                text.push_str(line);
                text.push('\n');
            } else {
                left_out += 1;
            }
        };
        let read = self.cloud.filter_log_events(group, interface, self.since, &mut line);
        let why = match tokio::time::timeout(PATIENCE, read).await {
            Ok(Ok(())) if left_out == 0 => None,
            Ok(Ok(())) => Some(format!("{left_out} more records were left out")),
            Ok(Err(error)) if text.is_empty() => return Err(error.into()),
            Ok(Err(error)) => Some(format!("only what was read before an error is here: {error}")),
            Err(_) => Some(format!("only what was read within {} s is here", PATIENCE.as_secs())),
        };
        let place = format!("{}-{interface}", group.trim_matches('/').replace('/', "-"));
        let source = "logs:FilterLogEvents".to_owned();
        let file = |name: String, text: String| Found {
            name,
            bytes: text.into_bytes(),
            source: source.clone(),
            requests: Vec::new(),
        };
        let rest = why.map(|why| file(format!("network/flow-logs/{place}.incomplete.txt"), why + "\n"));
        Ok([file(format!("network/flow-logs/{place}.txt"), text)].into_iter().chain(rest).collect())
    }
}

/// The events that led to it, as they were received.
pub struct Received {
    pub custody: Custody,
    pub target: TargetKey,
    pub containment: ContainmentId,
}

#[async_trait]
impl Take for Received {
    fn name(&self) -> String {
        "finding".to_owned()
    }

    async fn take(&self) -> Result<Vec<Found>, NotHad> {
        let events = self.custody.received(&self.target, &self.containment).await?;
        let found = (1..).zip(events).map(|(number, text)| Found {
            name: format!("finding/received-{number:03}.json"),
            bytes: text.into_bytes(),
            source: "brig".to_owned(),
            requests: Vec::new(),
        });
        let found: Vec<Found> = found.collect();
        if found.is_empty() {
            return Err(futile("no event is on record: an earlier version contained it, or the event was too large"));
        }
        Ok(found)
    }
}
