//! One invocation: read the request, gather, trace, read back, answer.

use std::{sync::Arc, time::Duration};

use brig_aws::{AwsClouds, DynamoLedger, Session, SystemClock};
use brig_core::model::{
    ids::{AccountId, Region},
    timestamp::Timestamp,
};
use brig_engine::ports::{Clock, Cloud, Clouds, Containments, View};
use brig_trace::{Named, Root, Standing, Trace, Tracer};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::{
    gather::{Window, gather},
    look::look,
    request::Request,
    source::{By, CloudTrail},
};

/// How long CloudTrail answers for (<https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>).
const KEPT: Duration = Duration::from_hours(90 * 24);
/// What reading back and the answer need at the end.
const CLOSING: Duration = Duration::from_secs(20);
/// So many credentials, deeds and attempts are answered, each: Lambda's answers have a limit of 6 MB.
const MOST: usize = 2_000;

/// What lives as long as the process.
pub struct App {
    session: Session,
    clouds: Arc<AwsClouds>,
    ledger: Option<DynamoLedger>,
    region: Region,
    account: OnceCell<AccountId>,
}

impl App {
    /// `table` is the ledger's, where it may be read; `member_role` the name of the role to assume in other accounts.
    ///
    /// # Errors
    /// AWS_REGION is not set.
    pub async fn start(table: Option<String>, member_role: Option<String>) -> Result<Self, String> {
        let session = Session::from_environment().await;
        let region = session.region().ok_or_else(|| "AWS_REGION is not set, or is not a Region".to_owned())?;
        let clouds = Arc::new(AwsClouds::new(session.clone(), member_role, Vec::new(), String::new()));
        let ledger = table.map(|table| DynamoLedger::new(&session, table));
        Ok(Self { session, clouds, ledger, region, account: OnceCell::new() })
    }

    /// The function's account: its ARN says it, else STS.
    async fn own(&self, arn: &str) -> Result<AccountId, Diagnostic> {
        let account = self.account.get_or_try_init(|| async {
            if let Some(account) = arn.split(':').nth(4).and_then(|account| account.parse().ok()) {
                return Ok(account);
            }
            match self.session.account().await {
                Ok(Some(account)) => Ok(account),
                Ok(None) => Err("STS did not say the function's account".to_owned()),
                Err(error) => Err(error.to_string()),
            }
        });
        let account = account.await.cloned().map_err(|why| failed("NoAccount", why))?;
        self.clouds.set_own_account(account.clone());
        Ok(account)
    }
}

fn failed(kind: &str, why: impl Into<String>) -> Diagnostic {
    Diagnostic { error_type: kind.to_owned(), error_message: why.into() }
}

/// Handles one request. Errors carry an `errorType`: `InvalidRequest`, `NoAccount` or `Unreachable`.
///
/// # Errors
/// Nothing could be traced.
pub async fn handle(app: &App, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    let (payload, context) = event.into_parts();
    let request = Request::read(&payload).map_err(|error| failed("InvalidRequest", error.to_string()))?;
    let own = app.own(&context.invoked_function_arn).await?;
    let now = SystemClock.now();
    let deadline = Timestamp::from_millis(i64::try_from(context.deadline).unwrap_or(i64::MAX));
    let account = request.account.clone().unwrap_or_else(|| own.clone());
    if let Some(cut) = request.cut.filter(|cut| *cut > now) {
        return Err(failed("InvalidRequest", format!("cut: {cut} is in the future")));
    }
    let mut gaps = Vec::new();
    let cut = match request.cut {
        Some(cut) => Some(cut),
        None => on_record(app, &request, &own, &mut gaps).await,
    };
    let session = format!("brig-{}", context.request_id);
    let home = request.region.clone().unwrap_or_else(|| app.region.clone());
    let clouds: &dyn Clouds = app.clouds.as_ref();
    let cloud = clouds
        .open(&account, &home, View::Reads, &session)
        .await
        .map_err(|error| failed("Unreachable", error.to_string()))?;
    let regions = match cloud.describe_regions().await {
        Ok(regions) if !regions.is_empty() => regions,
        Ok(_) => vec![home.clone()],
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
    let window = Window {
        since,
        until: now,
        deadline: Timestamp::from_millis(deadline.millis() - i64::try_from(CLOSING.as_millis()).unwrap_or(0)),
    };
    let source = CloudTrail { clouds: &app.clouds, account: &account, session: &session };
    let first = firsts(&request.root, cloud.as_ref(), &mut gaps).await;
    let gathered = gather(&source, &SystemClock, (&request.root, first, window), &regions).await;
    let read = gathered.records.len();
    let mut tracer = Tracer::new(request.root.clone()).read(&gathered.records);
    // Where every Region was read to the end of the window, its silence was read too.
    if gathered.gaps.is_empty() {
        tracer.read_until(window.until);
    }
    gaps.extend(gathered.gaps);
    let mut trace = tracer.finish(cut, now, gaps);
    look(&mut trace, clouds, (&account, &home), &session, now).await;
    tracing::info!(root = %request.root, records = read, lookups = gathered.lookups, credentials = trace.credentials.len(), "traced");
    cap(&mut trace);
    for list in [&mut trace.deeds, &mut trace.attempts] {
        if list.len() > MOST {
            trace.gaps.push(format!("{} more deeds or attempts are not in this answer", list.len() - MOST));
            list.truncate(MOST);
        }
    }
    Ok(
        json!({"trace": trace, "account": account, "regions": regions, "since": since.to_string(), "records": read, "lookups": gathered.lookups}),
    )
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
