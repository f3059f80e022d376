//! One invocation: parse, contain what the event names, answer in the way that its sender understands.

mod act;
mod queue;
mod roll_call;

use std::time::Duration;

use act::{Left, act};

use brig_core::{
    model::{ids::AccountId, text, timestamp::Timestamp},
    trigger::{Action, Invoked, LedgerRequest, Notice, ParseError, Parsed, Readiness, Request, TrailCall, parse},
};
use brig_engine::{Invocation, Touched};
use futures::FutureExt;
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use queue::queued;
use roll_call::roll_call;
use serde_json::{Value, json};

use crate::{
    app::{AccountError, App},
    config::Serves,
    metrics,
};

/// How long an invocation may take whose deadline makes no sense.
const NO_DEADLINE: Duration = Duration::from_mins(1);

/// Handles one event. Errors carry an `errorType`: `UnsupportedEvent`, `InvalidRequest`, `NotServed`,
/// `Incomplete`, `LedgerUnreachable`, `LookupFailed` or `NoAccount`.
pub async fn handle(app: &App, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    // Boxed: the compiler lays out futures within futures to a limited depth.
    answered(app, event)
        .boxed_local()
        .await
        .map(clean)
        .map_err(|error| Diagnostic { error_message: text::one_line(&error.error_message, usize::MAX), ..error })
}

/// An answer as it leaves the function: whatever names and words of others are in it, each text is one line.
fn clean(mut answer: Value) -> Value {
    text::clean(&mut answer);
    answer
}

async fn answered(app: &App, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
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
        Ok(Parsed::Request(request)) => direct(app, &request, &payload, invocation).await,
        Ok(Parsed::Notice(notice)) => direct(app, &only_to_tell(*notice), &payload, invocation).await,
        Ok(Parsed::Nothing(reason)) => Ok(ignored(&reason)),
        Ok(Parsed::Batch(batch)) => Ok(queued(app, batch, &payload, invocation).await),
        Ok(Parsed::LedgerRequest(roll)) => roll_call(app, &roll, invocation).await,
        Ok(Parsed::TrailCall(touched)) => {
            let (entries, left) = touch(app, &touched, invocation).await;
            let response = json!({"containments": entries});
            if left.is_left_over() { Err(unfinished(app, &response)) } else { Ok(response) }
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
        region: Some(app.region().clone()),
        log_group: context.env_config.log_group.clone(),
        began,
        deadline,
        arrived: began,
        // Lambda brings an event twice more at most: it rather waits here.
        patience: deadline.since(began),
    }
}

/// Why this function does not do it, where another one does.
fn not_served(app: &App, parsed: &Parsed) -> Option<String> {
    let is_release = match parsed {
        Parsed::Request(request) => matches!(request.action, Action::Release { .. } | Action::PlanRelease { .. }),
        Parsed::Nothing(_)
        | Parsed::Notice(_)
        | Parsed::Batch(_)
        | Parsed::TrailCall(_)
        | Parsed::LedgerRequest(_)
        | Parsed::Readiness(_) => false,
    };
    let status = matches!(
        parsed,
        Parsed::LedgerRequest(LedgerRequest::Status { .. } | LedgerRequest::Show(_) | LedgerRequest::Find(_))
    );
    match (app.serves, is_release) {
        (Serves::Contain, true) => Some(format!(
            "action: BRIG_SERVES=contain does not release{}",
            app.release_function.as_ref().map_or_else(String::new, |name| format!(": invoke {name}"))
        )),
        (Serves::Release, false) if !status => Some(
            "action: BRIG_SERVES=release serves \"release\", its plan, \"status\", \"show\" and \"find\" only"
                .to_owned(),
        ),
        (Serves::All | Serves::Contain | Serves::Release, _) => None,
    }
}

async fn ready(app: &App, asked: &Readiness, invocation: &Invocation) -> Result<Value, Diagnostic> {
    let ready = app.engine.readiness(asked, app.region(), invocation).await;
    let ready = ready.map_err(|why| Diagnostic { error_type: "InvalidRequest".to_owned(), error_message: why })?;
    Ok(serde_json::to_value(ready).unwrap_or_default())
}

/// An event, or a person's invoke.
async fn direct(app: &App, request: &Request, payload: &Value, invocation: &Invocation) -> Result<Value, Diagnostic> {
    let event = (event_id(payload, invocation), payload.to_string());
    let acted = act(app, request, (&event.0, &event.1), invocation).await;
    let mut response = json!({"containments": acted.entries});
    acted.heard.show(&mut response);
    if !acted.left.is_left_over() {
        return Ok(response);
    }
    if request.is_by_person() {
        metrics::emit_count(metrics::UNFINISHED, 1, app.engine.clock.now());
        // A person reads the answer and decides; nobody retries a synchronous invoke.
        if let Some(map) = response.as_object_mut() {
            map.insert("incomplete".to_owned(), Value::Bool(true));
        }
        return Ok(response);
    }
    Err(unfinished(app, &response))
}

/// The error of work that is left over, and its metric.
fn unfinished(app: &App, response: &Value) -> Diagnostic {
    metrics::emit_count(metrics::UNFINISHED, 1, app.engine.clock.now());
    incomplete(response)
}

fn incomplete(response: &Value) -> Diagnostic {
    Diagnostic { error_type: "Incomplete".to_owned(), error_message: response.to_string() }
}

/// Somebody's call that may have touched a contained instance. Brig's own calls start nothing.
async fn touch(app: &App, touched: &TrailCall, invocation: &Invocation) -> (Vec<Value>, Left) {
    if app.is_own_call(touched).await {
        tracing::debug!("{} is Brig's own", touched.call);
        return (Vec::new(), Left::Nothing);
    }
    let Touched { entries, principals, failed } = app.engine.touched(touched, invocation).await;
    if let Some(error) = &failed {
        tracing::error!(%error, "{error}");
        metrics::emit_count(metrics::UNVERIFIED, 1, app.engine.clock.now());
    }
    let failed = Left::from(failed.is_some());
    let left = entries.iter().map(Left::of).chain(principals.iter().map(Left::of_principal)).max();
    let left = left.unwrap_or_default().max(failed);
    for entry in &entries {
        metrics::emit_verified(entry, app.engine.clock.now());
    }
    for entry in &principals {
        metrics::emit_verified(entry, app.engine.clock.now());
    }
    let all = entries.iter().map(|entry| json!(entry)).chain(principals.iter().map(|entry| json!(entry)));
    (all.collect(), left)
}

/// The event's own id, which a redelivery repeats; else the request's, which Lambda's retries repeat.
fn event_id(payload: &Value, invocation: &Invocation) -> String {
    let own =
        ["/id", "/Records/0/Sns/MessageId"].into_iter().find_map(|at| payload.pointer(at).and_then(Value::as_str));
    own.unwrap_or(&invocation.request_id).to_owned()
}

fn only_to_tell(notice: Notice) -> Request {
    Request { notices: vec![notice], ..Request::default() }
}

fn ignored(reason: &str) -> Value {
    tracing::info!("ignored: {reason}");
    json!({"containments": [], "ignored": reason})
}

fn unreadable(error: &ParseError) -> Diagnostic {
    let error_type = match error {
        ParseError::UnsupportedEvent(_) => "UnsupportedEvent",
        ParseError::InvalidRequest(_) | ParseError::Unread(_) => "InvalidRequest",
    };
    tracing::warn!("{error_type}: {error}");
    Diagnostic { error_type: error_type.to_owned(), error_message: error.to_string() }
}

fn no_account(error: &AccountError) -> Diagnostic {
    let AccountError::Unknown(source) = error;
    let why = source.as_ref().map_or_else(String::new, |source| format!(": {source}"));
    Diagnostic { error_type: "NoAccount".to_owned(), error_message: format!("{error}{why}") }
}
