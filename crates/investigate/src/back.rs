//! Looks back: gathers the records of a root, makes the trace of them, and reads back what is true now.

use std::time::Duration;

use brig_core::model::{
    ids::{AccountId, Region},
    timestamp::Timestamp,
};
use brig_engine::ports::{Clock, Cloud, Clouds, Containments, View};
use brig_trace::{Named, Record, Root, Standing, Trace, Tracer};
use serde_json::{Value, json};

use crate::{
    app::{App, Failed},
    gather::{Texts, Window, gather},
    look::look,
    request::Request,
    source::{By, CloudTrail},
};

/// How long CloudTrail answers for (<https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>).
const KEPT: Duration = Duration::from_hours(90 * 24);
/// So many credentials, deeds and attempts are answered, each: Lambda's answers have a limit of 6 MB.
const MOST: usize = 2_000;

/// What was found.
#[derive(Debug, Clone)]
pub struct Back {
    pub trace: Trace,
    pub account: AccountId,
    pub regions: Vec<Region>,
    pub since: Timestamp,
    pub lookups: usize,
    pub records: Vec<Record>,
    /// The records as CloudTrail has them, where they are wanted.
    pub texts: Vec<String>,
}

impl Back {
    /// The answer to whoever asked for a trace.
    #[must_use]
    pub fn answer(mut self) -> Value {
        cap(&mut self.trace);
        for list in [&mut self.trace.deeds, &mut self.trace.attempts] {
            if list.len() > MOST {
                self.trace.gaps.push(format!("{} more deeds or attempts are not in this answer", list.len() - MOST));
                list.truncate(MOST);
            }
        }
        json!({"trace": self.trace, "account": self.account, "regions": self.regions, "since": self.since.to_string(),
            "records": self.records.len(), "lookups": self.lookups})
    }
}

/// When an invocation must end, and what it is called.
#[derive(Debug, Clone, Copy)]
pub struct Turn<'a> {
    pub own: &'a AccountId,
    pub request: &'a str,
    /// No look-up begins after it.
    pub until: Timestamp,
}

/// Looks back.
///
/// # Errors
/// `Unreachable`: the account cannot be worked in.
pub async fn back(app: &App, request: &Request, turn: Turn<'_>, texts: Texts) -> Result<Back, Failed> {
    let now = app.clock.now();
    let account = request.account.clone().unwrap_or_else(|| turn.own.clone());
    let mut gaps = Vec::new();
    let cut = match request.cut {
        Some(cut) => Some(cut),
        None => on_record(app, request, turn.own, &mut gaps).await,
    };
    let session = format!("brig-{}", turn.request);
    let home = request.region.clone().unwrap_or_else(|| app.region.clone());
    let clouds: &dyn Clouds = app.clouds.as_ref();
    let cloud = clouds
        .open(&account, &home, View::Reads, &session)
        .await
        .map_err(|error| Failed::new("Unreachable", error.to_string()))?;
    let regions = match cloud.describe_regions().await {
        Ok(regions) if !regions.is_empty() => regions,
        Ok(_) => {
            gaps.push(format!("EC2 lists no Region of the account, so only {home} was read"));
            vec![home.clone()]
        }
        Err(error) => {
            gaps.push(format!("the account's Regions could not be listed, so only {home} was read: {error}"));
            vec![home.clone()]
        }
    };
    let since = Timestamp::from_millis(
        cut.unwrap_or(now).millis().saturating_sub(i64::try_from(request.back.as_millis()).unwrap_or(0)),
    );
    let kept = Timestamp::from_millis(now.millis().saturating_sub(i64::try_from(KEPT.as_millis()).unwrap_or(0)));
    if since < kept {
        gaps.push(format!("CloudTrail keeps 90 days: nothing from {since} to {kept} was read"));
    }
    let since = since.max(kept);
    let window = Window { since, until: now, deadline: turn.until };
    let source = CloudTrail { clouds: &app.clouds, account: &account, session: &session };
    let first = firsts(&request.root, cloud.as_ref(), &mut gaps).await;
    let gathered = gather(&source, &app.clock, (&request.root, first, window), &regions, texts).await;
    let mut tracer = Tracer::new(request.root.clone()).read(&gathered.records);
    // Where every Region was read to the end of the window, its silence was read too.
    if gathered.gaps.is_empty() {
        tracer.read_until(window.until);
    }
    gaps.extend(gathered.gaps);
    let mut trace = tracer.finish(cut, now, gaps);
    look(&mut trace, clouds, (&account, &home), &session, now).await;
    let (records, lookups, texts) = (gathered.records, gathered.lookups, gathered.texts);
    tracing::info!(root = %request.root, records = records.len(), lookups, credentials = trace.credentials.len(), "traced");
    Ok(Back { trace, account, regions, since, lookups, records, texts })
}

/// Keeps what an answer has room for: what may be alive before what is dead.
fn cap(trace: &mut Trace) {
    let over = trace.credentials.len().saturating_sub(MOST);
    if over == 0 {
        return;
    }
    trace.gaps.push(format!("{over} more credentials are not in this answer"));
    let mut left = over;
    trace.credentials.retain(|one| {
        let drops = left > 0 && matches!(one.standing, Standing::Dead { .. });
        left -= usize::from(drops);
        !drops
    });
    trace.credentials.truncate(MOST);
}

/// What is looked up before anything is known of the root.
async fn firsts(root: &Root, cloud: &dyn Cloud, gaps: &mut Vec<String>) -> Vec<By> {
    match root {
        // The session's name is the instance's id; calls on the instance name it as a resource.
        Root::Instance(id) => vec![By::Name(id.clone()), By::Resource(id.clone())],
        Root::Key(key) => vec![By::Key(key.clone())],
        Root::User(named) => vec![By::Name(named.name.clone())],
        // AssumeRole names the role by its ARN.
        Root::Role(Named { name, .. }) => match cloud.get_role(name).await {
            Ok(Some(seen)) => vec![By::Resource(seen.role.arn), By::Resource(name.clone())],
            Ok(None) => vec![By::Resource(name.clone())],
            Err(error) => {
                gaps.push(format!(
                    "the ARN of role {name} could not be read, by which CloudTrail knows who assumed it: {error}"
                ));
                vec![By::Resource(name.clone())]
            }
        },
    }
}

/// When the ledger says that it was contained.
async fn on_record(app: &App, request: &Request, own: &AccountId, gaps: &mut Vec<String>) -> Option<Timestamp> {
    let (ledger, target) = (app.ledger.as_ref()?, request.target(own, &app.region)?);
    match ledger.read(&target).await {
        // What was released since may be used again.
        Ok(records) => records.active().map(|current| current.claimed_at),
        Err(error) => {
            gaps.push(format!("when it was contained could not be read from the ledger: {error}"));
            None
        }
    }
}
