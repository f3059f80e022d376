//! One invocation: parse, contain what the event names, answer.

use brig_core::{
    containment::Containment,
    finding::{Action, Finding, Invoked, ParseError, Parsed, Request, Source, parse},
    timestamp::Timestamp,
};
use brig_engine::Invocation;
use futures::future::join_all;
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::{Value, json};
use tracing::Instrument;

use crate::{
    app::{AccountError, App},
    metrics,
};

/// Handles one event. Errors carry an `errorType`: `UnsupportedEvent`, `InvalidRequest`, `Incomplete` or `NoAccount`.
pub async fn handle(app: &App, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    let began = app.engine.clock.now();
    let (payload, context) = event.into_parts();
    let account = app.account(&context.invoked_function_arn).await.map_err(|error| no_account(&error))?;
    let invoked = Invoked { account, region: app.region().clone(), request_id: context.request_id.clone() };
    let request = match parse(&payload, &invoked) {
        Ok(Parsed::Request(request)) => request,
        Ok(Parsed::Nothing(reason)) => {
            tracing::info!("ignored: {reason}");
            return Ok(json!({"containments": [], "ignored": reason}));
        }
        Err(error) => return Err(unreadable(&error)),
    };
    let invocation = Invocation {
        request_id: context.request_id.clone(),
        function: context.env_config.function_name.clone(),
        began,
        deadline: Timestamp::from_millis(i64::try_from(context.deadline).unwrap_or(i64::MAX)),
    };
    answer(app, &request, &invocation).await
}

async fn answer(app: &App, request: &Request, invocation: &Invocation) -> Result<Value, Diagnostic> {
    let contained = join_all(request.findings.iter().map(|finding| one(app, finding, request, invocation))).await;
    let left_over = contained.iter().any(|containment| containment.left_over);
    let mut response = json!({"containments": contained});
    if !left_over {
        return Ok(response);
    }
    let by_a_person = request.findings.iter().all(|finding| finding.source == Source::Manual);
    if by_a_person {
        // A person reads the answer and decides; nobody retries a synchronous invoke.
        if let Some(map) = response.as_object_mut() {
            map.insert("incomplete".to_owned(), Value::Bool(true));
        }
        return Ok(response);
    }
    Err(Diagnostic { error_type: "Incomplete".to_owned(), error_message: response.to_string() })
}

async fn one(app: &App, finding: &Finding, request: &Request, invocation: &Invocation) -> Containment {
    let span = tracing::info_span!("finding", finding.id = %finding.id, instance.id = %finding.instance);
    let containment = app.engine.contain(finding, request.action, request.force, invocation).instrument(span).await;
    if request.action == Action::Contain {
        metrics::emit(&containment, app.engine.clock.now());
    }
    containment
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
