//! One invocation: parse, contain what the event names, answer in the way that its sender understands.

use std::time::Duration;

use brig_core::{
    finding::{Action, Finding, Invoked, ParseError, Parsed, Queued, Readiness, Request, Roll, Touched, parse},
    ids::AccountId,
    message,
    timestamp::Timestamp,
};
use brig_engine::{
    Invocation,
    ports::{CloudError, Queue},
};
use futures::future::join_all;
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde_json::{Value, json};
use tracing::Instrument;

use crate::{
    app::{AccountError, App},
    config::Serves,
    metrics,
};

/// After how many seconds a message whose work is not finished comes again: long enough for a lease that ended in order.
const AGAIN_SECONDS: i32 = 10;
/// How long an invocation may take whose deadline makes no sense.
const NO_DEADLINE: Duration = Duration::from_mins(1);

/// Handles one event. Errors carry an `errorType`: `UnsupportedEvent`, `InvalidRequest`, `NotServed`,
/// `Incomplete`, `LedgerUnreachable` or `NoAccount`.
pub async fn handle(app: &App, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    let began = app.engine.clock.now();
    let (payload, context) = event.into_parts();
    let account = app.account(&context.invoked_function_arn).await.map_err(|error| no_account(&error))?;
    let invoked =
        Invoked { account: account.clone(), region: app.region().clone(), request_id: context.request_id.clone() };
    let parsed = parse(&payload, &invoked, &app.engine.policy);
    if let Some(why) = parsed.as_ref().ok().and_then(|parsed| not_served(app, parsed)) {
        tracing::warn!("NotServed: {why}");
        return Err(Diagnostic { error_type: "NotServed".to_owned(), error_message: why });
    }
    let invocation = &invocation(app, &context, account, began);
    match parsed {
        Ok(Parsed::Readiness(asked)) => ready(app, &asked, invocation).await,
        Ok(Parsed::Request(request)) => direct(app, &request, invocation).await,
        Ok(Parsed::Nothing(reason)) => Ok(ignored(&reason)),
        Ok(Parsed::Batch(batch)) => Ok(queued(app, batch, invocation).await),
        Ok(Parsed::Roll(roll)) => roll_call(app, &roll, invocation).await,
        Ok(Parsed::Touched(touched)) => {
            let (entries, left_over) = touch(app, &touched, invocation).await;
            let response = json!({"containments": entries});
            if left_over { Err(incomplete(&response)) } else { Ok(response) }
        }
        Err(error) => Err(unreadable(&error)),
    }
}

fn invocation(app: &App, context: &Context, own: AccountId, began: Timestamp) -> Invocation {
    let mut deadline = Timestamp::from_millis(i64::try_from(context.deadline).unwrap_or(i64::MAX));
    if deadline <= began {
        // Lambda never starts an invocation that is over; a local stand-in for it may send a duration or nothing.
        tracing::warn!("the deadline {deadline} lies before the invocation: {} s are assumed", NO_DEADLINE.as_secs());
        deadline = began.after(NO_DEADLINE);
    }
    Invocation {
        request_id: context.request_id.clone(),
        own,
        function: context.env_config.function_name.clone(),
        release_function: app.release_function.clone().unwrap_or_else(|| context.env_config.function_name.clone()),
        began,
        deadline,
    }
}

/// Why this function does not do it, where another one does.
fn not_served(app: &App, parsed: &Parsed) -> Option<String> {
    let is_release = match parsed {
        Parsed::Request(request) => matches!(request.action, Action::Release { .. } | Action::PlanRelease { .. }),
        Parsed::Nothing(_) | Parsed::Batch(_) | Parsed::Touched(_) | Parsed::Roll(_) | Parsed::Readiness(_) => false,
    };
    let status = matches!(parsed, Parsed::Roll(Roll::Status { .. }));
    match (app.serves, is_release) {
        (Serves::Contain, true) => Some(format!(
            "action: BRIG_SERVES=contain does not release{}",
            app.release_function.as_ref().map_or_else(String::new, |name| format!(": invoke {name}"))
        )),
        (Serves::Release, false) if !status => {
            Some("action: BRIG_SERVES=release serves \"release\", its plan and \"status\" only".to_owned())
        }
        (Serves::All | Serves::Contain | Serves::Release, _) => None,
    }
}

async fn ready(app: &App, asked: &Readiness, invocation: &Invocation) -> Result<Value, Diagnostic> {
    let ready = app.engine.readiness(asked, app.region(), invocation).await;
    let ready = ready.map_err(|why| Diagnostic { error_type: "InvalidRequest".to_owned(), error_message: why })?;
    Ok(serde_json::to_value(ready).unwrap_or_default())
}

/// An event, or a person's invoke.
async fn direct(app: &App, request: &Request, invocation: &Invocation) -> Result<Value, Diagnostic> {
    let (entries, left_over) = act(app, request, invocation).await;
    let mut response = json!({"containments": entries});
    if !left_over {
        return Ok(response);
    }
    if request.is_by_person() {
        // A person reads the answer and decides; nobody retries a synchronous invoke.
        if let Some(map) = response.as_object_mut() {
            map.insert("incomplete".to_owned(), Value::Bool(true));
        }
        return Ok(response);
    }
    Err(incomplete(&response))
}

fn incomplete(response: &Value) -> Diagnostic {
    Diagnostic { error_type: "Incomplete".to_owned(), error_message: response.to_string() }
}

/// A question about all active containments.
async fn roll_call(app: &App, roll: &Roll, invocation: &Invocation) -> Result<Value, Diagnostic> {
    let unread = |error: CloudError| Diagnostic {
        error_type: "LedgerUnreachable".to_owned(),
        error_message: format!("the active containments could not be listed: {error}"),
    };
    match roll {
        Roll::Status { from } => {
            let page = app.engine.status(from.as_deref(), invocation).await.map_err(unread)?;
            Ok(serde_json::to_value(page).unwrap_or_default())
        }
        Roll::Verify => {
            let verified = app.engine.verify_all(invocation).await.map_err(unread)?;
            for entry in &verified.entries {
                metrics::emit_verified(entry, app.engine.clock.now());
            }
            let mut response = json!({"containments": verified.entries});
            if let Some(map) = response.as_object_mut().filter(|_| verified.not_looked_at > 0) {
                map.insert("not_looked_at".to_owned(), json!(verified.not_looked_at));
            }
            Ok(response)
        }
    }
}

/// Somebody's call that may have touched a contained instance. Brig's own calls start nothing.
async fn touch(app: &App, touched: &Touched, invocation: &Invocation) -> (Vec<Value>, bool) {
    if app.is_own_call(touched).await {
        tracing::debug!("{} is Brig's own", touched.call);
        return (Vec::new(), false);
    }
    let entries = app.engine.touched(touched, invocation).await;
    let left_over = entries.iter().any(|entry| entry.left_over);
    for entry in &entries {
        metrics::emit_verified(entry, app.engine.clock.now());
    }
    (entries.iter().map(|entry| serde_json::to_value(entry).unwrap_or_default()).collect(), left_over)
}

/// An SQS batch: what could not be read or finished is a failed item, and comes again alone.
async fn queued(app: &App, batch: Vec<Queued>, invocation: &Invocation) -> Value {
    let results = join_all(batch.iter().map(|message| one_message(app, message, invocation))).await;
    let mut containments = Vec::new();
    let mut failures = Vec::new();
    for (message, (entries, done)) in batch.iter().zip(results) {
        containments.extend(entries);
        if !done {
            failures.push(json!({"itemIdentifier": message.message_id}));
        }
    }
    json!({"containments": containments, "batchItemFailures": failures})
}

async fn one_message(app: &App, message: &Queued, invocation: &Invocation) -> (Vec<Value>, bool) {
    let request = match &message.body {
        Ok(parsed) => match parsed.as_ref() {
            Parsed::Request(request) => request,
            Parsed::Nothing(reason) => {
                ignored(reason);
                return (Vec::new(), true);
            }
            Parsed::Touched(touched) => {
                let invocation = Invocation { request_id: message.message_id.clone(), ..invocation.clone() };
                let (entries, left_over) = touch(app, touched, &invocation).await;
                return (entries, !left_over);
            }
            Parsed::Batch(_) | Parsed::Roll(_) | Parsed::Readiness(_) => return (Vec::new(), false),
        },
        Err(error) => {
            unreadable(error);
            return (Vec::new(), false);
        }
    };
    // A message comes again when its visibility ends, which is after its holder's deadline: it may go on at once.
    let invocation = Invocation { request_id: message.message_id.clone(), ..invocation.clone() };
    let (entries, left_over) = act(app, request, &invocation).await;
    if left_over && let Err(error) = app.queue.change_visibility(&message.queue, &message.receipt, AGAIN_SECONDS).await
    {
        tracing::warn!(%error, "message {} comes again only when its visibility ends", message.message_id);
    }
    (entries, !left_over)
}

/// Contains everything that a request names, at once. The entries, and whether work is left over.
async fn act(app: &App, request: &Request, invocation: &Invocation) -> (Vec<Value>, bool) {
    let named = join_all(request.findings.iter().map(|finding| one(app, finding, request, invocation)));
    let addressed = join_all(request.addresses.iter().map(|addressed| async move {
        match app.engine.resolve(addressed).await {
            Ok(finding) => one(app, &finding, request, invocation).await,
            Err(resolution) => {
                tracing::info!("asked: {}", resolution.verdict.summary);
                let told = if request.action == Action::Contain {
                    app.engine.notifier.publish(&message::unresolved(&resolution)).await
                } else {
                    Ok(())
                };
                let left_over = told.as_ref().is_err_and(brig_engine::ports::CloudError::is_retryable);
                (serde_json::to_value(&resolution).unwrap_or_default(), left_over)
            }
        }
    }));
    let (named, addressed) = tokio::join!(named, addressed);
    let mut entries = Vec::new();
    let mut left_over = false;
    for (entry, left) in named.into_iter().chain(addressed) {
        entries.push(entry);
        left_over |= left;
    }
    (entries, left_over)
}

async fn one(app: &App, finding: &Finding, request: &Request, invocation: &Invocation) -> (Value, bool) {
    let span = tracing::info_span!("finding", finding.id = %finding.id, instance.id = %finding.instance);
    let (engine, action) = (&app.engine, request.action);
    let containment = match action {
        Action::Contain | Action::Plan | Action::Verify { .. } => {
            engine.contain(finding, action, request.force, invocation).instrument(span).await
        }
        Action::Release { rejoin } => engine.release(finding, rejoin, false, invocation).instrument(span).await,
        Action::PlanRelease { rejoin } => engine.release(finding, rejoin, true, invocation).instrument(span).await,
    };
    if request.action == Action::Contain {
        metrics::emit(&containment, app.engine.clock.now());
    }
    (serde_json::to_value(&containment).unwrap_or_default(), containment.left_over)
}

fn ignored(reason: &str) -> Value {
    tracing::info!("ignored: {reason}");
    json!({"containments": [], "ignored": reason})
}

fn unreadable(error: &ParseError) -> Diagnostic {
    let error_type = match error {
        ParseError::UnsupportedEvent(_) => "UnsupportedEvent",
        ParseError::InvalidRequest(_) => "InvalidRequest",
    };
    tracing::warn!("{error_type}: {error}");
    Diagnostic { error_type: error_type.to_owned(), error_message: error.to_string() }
}

fn no_account(error: &AccountError) -> Diagnostic {
    let AccountError::Unknown(source) = error;
    let why = source.as_ref().map_or_else(String::new, |source| format!(": {source}"));
    Diagnostic { error_type: "NoAccount".to_owned(), error_message: format!("{error}{why}") }
}
