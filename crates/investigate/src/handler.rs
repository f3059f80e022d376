//! One invocation: somebody asks, or the topic says that something happened.

use std::time::Duration;

use brig_core::model::{ids::TargetKey, timestamp::Timestamp};
use brig_engine::ports::{Clock as _, Clouds, View};
use brig_trace::{Over, Root};
use futures::FutureExt as _;
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::{Value, json};

use crate::{
    app::{App, Failed},
    back::{Turn, back},
    bundle::Standing,
    evidence::{Asked, Occasion, custody, note, take_evidence},
    gather::Texts,
    request::{Action, Request},
    told::{Item, Told, items},
};

/// What reading back and the answer need at the end.
const CLOSING: Duration = Duration::from_secs(20);
/// Evidence needs more: what was read back is written then, with the manifest.
const CLOSING_OF_EVIDENCE: Duration = Duration::from_secs(40);
/// How far back a renewal of the proof looks before the cut.
const RENEWAL: Duration = Duration::from_hours(1);
/// The proof is renewed so often: a message of that queue comes after 15 minutes, and again after 30.
const RENEWALS: u32 = 2;

/// Handles one request, or the messages of a queue. Errors carry an `errorType`: `InvalidRequest`, `NoAccount`, `Unreachable`, `NoEvidence`,
/// `NotOnRecord`, `NoObjectLock`, `InProgress` or `Unavailable`.
///
/// # Errors
/// Nothing could be done.
pub async fn handle(app: &App, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    // Boxed: the compiler lays out futures within futures to a limited depth.
    answered(app, event).boxed_local().await
}

async fn answered(app: &App, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    let (payload, context) = event.into_parts();
    let end = Timestamp::from_millis(i64::try_from(context.deadline).unwrap_or(i64::MAX));
    if let Some(items) = items(&payload) {
        return Ok(queued(app, items, &context.invoked_function_arn, &context.request_id, end).await);
    }
    let request = Request::read(&payload).map_err(|error| Failed::new("InvalidRequest", error.to_string()))?;
    let own = app.own(&context.invoked_function_arn).await?;
    if let Some(cut) = request.cut.filter(|cut| *cut > app.clock.now()) {
        return Err(Failed::new("InvalidRequest", format!("cut: {cut} is in the future")).into());
    }
    let turn = |closing: Duration| Turn { own: &own, request: &context.request_id, until: before(end, closing) };
    match request.action {
        Action::Trace => Ok(back(app, &request, turn(CLOSING), Texts::Dropped).await?.answer()),
        Action::Investigate => {
            let target = target(app, &request, turn(CLOSING)).await?;
            let by = request.by.clone().unwrap_or_else(|| format!("invoke {}", context.request_id));
            let asked = Asked { by, occasion: Occasion::ByHand, containment: None, message: None };
            let bundle = take_evidence(app, &target, asked, turn(CLOSING_OF_EVIDENCE)).await?;
            Ok(json!({"bundle": bundle, "bucket": app.office.as_ref().map(|office| &office.settings.bucket)}))
        }
        Action::Custody => {
            let target = target(app, &request, turn(CLOSING)).await?;
            Ok(custody(app, &target).await?)
        }
    }
}

fn before(end: Timestamp, closing: Duration) -> Timestamp {
    Timestamp::from_millis(end.millis().saturating_sub(i64::try_from(closing.as_millis()).unwrap_or(0)))
}

/// Whom the ledger has on record: of a key, its user.
async fn target(app: &App, request: &Request, turn: Turn<'_>) -> Result<TargetKey, Failed> {
    if let Some(target) = request.target(turn.own, &app.region) {
        return Ok(target);
    }
    let Root::Key(key) = &request.root else {
        return Err(Failed::new(
            "InvalidRequest",
            format!("{} is no instance, user, role or access key", request.root),
        ));
    };
    let account = request.account.as_ref().unwrap_or(turn.own);
    let unreachable = |why: String| Failed::new("Unreachable", why);
    let clouds: &dyn Clouds = app.clouds.as_ref();
    let session = format!("brig-{}", turn.request);
    let cloud = clouds.open(account, &app.region, View::Reads, &session).await;
    let cloud = cloud.map_err(|error| unreachable(error.to_string()))?;
    let id =
        key.parse().map_err(|_| Failed::new("InvalidRequest", format!("access_key_id: {key} is no long-term key")))?;
    let used = cloud.get_access_key_last_used(&id).await.map_err(|error| unreachable(error.to_string()))?;
    let user = used.user.ok_or_else(|| Failed::new("NotOnRecord", format!("{key} is a key of the root user")))?;
    TargetKey::parse(&format!("{account}/iam/{user}"))
        .ok_or_else(|| Failed::new("NotOnRecord", format!("{user} is no name of a user")))
}

/// The messages of a queue. What failed comes again.
async fn queued(app: &App, items: Vec<Item>, function: &str, request: &str, end: Timestamp) -> Value {
    let mut failed = Vec::new();
    for item in items {
        let told = match item.told {
            Ok(told) => told,
            Err(why) => {
                tracing::info!("not evidence: {why}");
                continue;
            }
        };
        let renews = app.renewals.as_ref() == Some(&item.queue);
        let ended = if renews {
            renewed(app, &told, function, (request, end)).await.map(|()| item.count >= RENEWALS)
        } else {
            hear(app, told, function, (request, end)).await
        };
        match ended {
            Ok(true) => {}
            Ok(false) => failed.push(item.id),
            Err(error) => {
                tracing::error!(kind = error.kind, "{}", error.why);
                failed.push(item.id);
            }
        }
    }
    let failures: Vec<Value> = failed.into_iter().map(|id| json!({"itemIdentifier": id})).collect();
    json!({"batchItemFailures": failures})
}

/// Takes evidence of what happened; says whether it is done with.
async fn hear(app: &App, told: Told, function: &str, (request, end): (&str, Timestamp)) -> Result<bool, Failed> {
    let own = app.own(function).await?;
    if app.office.is_none() {
        tracing::info!("no evidence is kept: BRIG_EVIDENCE_BUCKET is not set");
        return Ok(true);
    }
    let target = told.target.clone();
    let turn = Turn { own: &own, request, until: before(end, CLOSING_OF_EVIDENCE) };
    match take_evidence(app, &target, Asked::by_message(told), turn).await {
        Ok(bundle) => Ok(bundle.standing != Standing::Unfinished),
        // Whoever was told of it may have been told by another ledger's Brig.
        Err(error) if error.kind == "NotOnRecord" => {
            tracing::warn!("{}", error.why);
            Ok(true)
        }
        Err(error) => Err(error),
    }
}

/// Looks once more whether a credential was used after the cut. One that was is a contradiction: a metric and the log say so
/// at once, and an alarm on them notifies people.
async fn renewed(app: &App, told: &Told, function: &str, (request, end): (&str, Timestamp)) -> Result<(), Failed> {
    let own = app.own(function).await?;
    let asked = Request::of(&told.target, &app.region, RENEWAL);
    let turn = Turn { own: &own, request, until: before(end, CLOSING) };
    let seen = back(app, &asked, turn, Texts::Dropped).await?;
    let result = match &seen.trace.over {
        Over::Contradicted { calls, .. } => {
            let (place, count) = (told.target.pk(), calls.len());
            crate::metrics::used_after_cut(&place, count, app.clock.now());
            let named: Vec<String> = calls.iter().map(|(id, at)| format!("{id} at {at}")).collect();
            tracing::error!(target = %place, "CONTRADICTED: {count} credentials were used after the cut");
            format!("contradicted: used after the cut: {}", named.join(", "))
        }
        Over::Proven { until, .. } => format!("no successful call from the cut until {until}"),
        Over::TooEarly { again, .. } => format!("too early to say: CloudTrail may be late until {again}"),
        Over::Unread { gaps, .. } => format!("not known: {gaps} gaps in what was read"),
        Over::NoCut => "not known: no cut is on record".to_owned(),
    };
    tracing::info!(target = %told.target.pk(), "{result}");
    note(app, told, request, result).await
}
