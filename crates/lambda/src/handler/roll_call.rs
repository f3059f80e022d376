//! Questions about all active containments, and one person's answer to one of them.

use brig_core::{
    decide::Asks,
    ledger::Conclusion,
    model::ids::TargetKey,
    report::{answer::Answer, principal::PrincipalAnswer},
    trigger::{LedgerRequest, Whom},
};
use brig_engine::{Decision, Invocation, Verified, ports::CloudError};
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};

use super::{act::Left, unfinished};
use crate::{app::App, metrics};

/// A question about all active containments.
pub(super) async fn roll_call(app: &App, roll: &LedgerRequest, invocation: &Invocation) -> Result<Value, Diagnostic> {
    let unread = |error: CloudError| Diagnostic {
        error_type: "LedgerUnreachable".to_owned(),
        error_message: format!("the active containments could not be listed: {error}"),
    };
    match roll {
        LedgerRequest::Status { from, of } => {
            let of = match of {
                Some(whom) => Some(asked(app, whom, invocation).await?),
                None => None,
            };
            let page = app.engine.status(from.as_ref(), of.as_ref(), invocation).await.map_err(unread)?;
            Ok(serde_json::to_value(page).unwrap_or_default())
        }
        LedgerRequest::Questions { from } => {
            let page = app.engine.questions(from.as_deref()).await.map_err(unread)?;
            Ok(serde_json::to_value(page).unwrap_or_default())
        }
        LedgerRequest::Decide { question, contain, reason } => {
            match app.engine.decide(question, *contain, reason, invocation).await.map_err(unread)? {
                Decision::NotAsked => Err(Diagnostic {
                    error_type: "InvalidRequest".to_owned(),
                    error_message: format!(
                        "question: {question:?} does not wait for an answer; {{\"action\":\"questions\"}} (brig questions) lists those that do"
                    ),
                }),
                Decision::Closed(question) => Ok(json!({"closed": question})),
                Decision::Acted(answer) => {
                    metrics::emit(&*answer, app.engine.clock.now());
                    Ok(decided(app, &json!(answer), answer.left_over))
                }
                Decision::ActedOnPrincipal(answer) => {
                    metrics::emit(&*answer, app.engine.clock.now());
                    Ok(decided(app, &json!(answer), answer.left_over))
                }
            }
        }
        LedgerRequest::Show(whom) => {
            let key = asked(app, whom, invocation).await?;
            let story = app.engine.show(&key).await.map_err(|error| Diagnostic {
                error_type: "LedgerUnreachable".to_owned(),
                error_message: format!("what is on record of {} could not be read: {error}", key.pk()),
            })?;
            Ok(serde_json::to_value(story).unwrap_or_default())
        }
        LedgerRequest::Find(find) => {
            let found = app.engine.find(find, invocation).await.map_err(|why| Diagnostic {
                error_type: "LookupFailed".to_owned(),
                error_message: format!("the instance could not be looked up: {why}"),
            })?;
            Ok(serde_json::to_value(found).unwrap_or_default())
        }
        LedgerRequest::Verify { scheduled } => {
            let verified = app
                .engine
                .verify_all(if *scheduled { Asks::Machine } else { Asks::Person }, invocation)
                .await
                .map_err(unread)?;
            all_verified(app, verified, *scheduled)
        }
    }
}

/// Whom a question is about.
async fn asked(app: &App, whom: &Whom, invocation: &Invocation) -> Result<TargetKey, Diagnostic> {
    app.engine.whom(whom, invocation).await.map_err(|why| Diagnostic {
        error_type: "LookupFailed".to_owned(),
        error_message: format!("access_key_id: whose it is could not be looked up: {why}"),
    })
}

/// What a person's yes came to.
fn decided(app: &App, entry: &Value, left_over: bool) -> Value {
    let mut response = json!({"containments": [entry]});
    if left_over {
        metrics::emit_count(metrics::UNFINISHED, 1, app.engine.clock.now());
        if let Some(map) = response.as_object_mut() {
            map.insert("incomplete".to_owned(), Value::Bool(true));
        }
    }
    response
}

/// The answer to a verification of all. People not notified, and a look that may succeed later, fail the schedule's
/// invocation: Lambda tries again, and the dead-letter queue has it in the end. A person reads it in the answer.
fn all_verified(app: &App, verified: Verified, scheduled: bool) -> Result<Value, Diagnostic> {
    let now = app.engine.clock.now();
    for entry in &verified.entries {
        metrics::emit_verified(entry, now);
    }
    for entry in &verified.principals {
        metrics::emit_verified(entry, now);
    }
    let unseen = verified.not_looked_at + verified.unreadable.len();
    if unseen > 0 {
        metrics::emit_count(metrics::UNVERIFIED, unseen, now);
    }
    if verified.not_notified.is_some() {
        metrics::emit_count(metrics::NOT_NOTIFIED, 1, now);
    }
    // What nobody could look at may be seen at the next attempt.
    let unseen = |outcome: Conclusion, left: Left| outcome == Conclusion::Unverified && left.is_left_over();
    let instance = |entry: &Answer| entry.not_notified.is_some() || unseen(entry.outcome, Left::of(entry));
    let user =
        |entry: &PrincipalAnswer| entry.not_notified.is_some() || unseen(entry.outcome, Left::of_principal(entry));
    let left_over = verified.not_notified.is_some()
        || verified.entries.iter().any(instance)
        || verified.principals.iter().any(user);
    let mut entries: Vec<Value> = verified.entries.iter().map(|entry| json!(entry)).collect();
    entries.extend(verified.principals.iter().map(|entry| json!(entry)));
    let mut response = json!({"containments": entries});
    if let Some(map) = response.as_object_mut() {
        if verified.not_looked_at > 0 {
            map.insert("not_looked_at".to_owned(), json!(verified.not_looked_at));
        }
        if !verified.unreadable.is_empty() {
            map.insert("unreadable".to_owned(), json!(verified.unreadable));
        }
        if let Some(why) = verified.not_notified {
            map.insert("not_notified".to_owned(), json!(why));
        }
    }
    if left_over && scheduled {
        return Err(unfinished(app, &response));
    }
    if left_over && let Some(map) = response.as_object_mut() {
        metrics::emit_count(metrics::UNFINISHED, 1, now);
        map.insert("incomplete".to_owned(), Value::Bool(true));
    }
    Ok(response)
}
