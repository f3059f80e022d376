//! SQS batches: each message on its own.

use std::time::Duration;

use brig_core::{
    decide::queue::again_after,
    trigger::{Parsed, Queued},
};
use brig_engine::{Invocation, ports::Queue};
use futures::future::join_all;
use serde_json::{Value, json};

use super::{
    act::{Acted, Heard, Left, act},
    ignored, only_to_tell, touch, unreadable,
};
use crate::{app::App, metrics};

/// An SQS batch: what could not be read or finished is a failed item, and comes again alone.
pub(super) async fn queued(app: &App, batch: Vec<Queued>, payload: &Value, invocation: &Invocation) -> Value {
    let results = join_all(batch.into_iter().map(|message| one_message(app, message, payload, invocation))).await;
    let mut containments = Vec::new();
    let mut failures = Vec::new();
    let mut heard = Heard::default();
    for (message_id, acted) in results {
        containments.extend(acted.entries);
        heard.unread.extend(acted.heard.unread);
        heard.notices.extend(acted.heard.notices);
        if acted.left.is_left_over() {
            failures.push(json!({"itemIdentifier": message_id}));
        }
    }
    if !failures.is_empty() {
        metrics::emit_count(metrics::UNFINISHED, failures.len(), app.engine.clock.now());
    }
    let mut response = json!({"containments": containments, "batchItemFailures": failures});
    heard.show(&mut response);
    response
}

/// One message, by its id. Work that is left over fails the item: it comes again, and in the end lies in the dead-letter queue.
async fn one_message(app: &App, message: Queued, payload: &Value, invocation: &Invocation) -> (String, Acted) {
    let Queued { message_id, receipt, queue, receives, sent, body } = message;
    // A message comes again when its visibility ends, which is after its holder's deadline: it may go on at once. One that
    // waits for another invocation takes no place from other instances' events: the queue brings it again.
    let arrived = sent.map_or(invocation.arrived, |sent| sent.min(invocation.arrived));
    let mut invocation = Invocation { arrived, patience: Duration::ZERO, ..invocation.clone() };
    if !message_id.is_empty() {
        invocation.request_id.clone_from(&message_id);
    }
    let request = match body.map(|parsed| *parsed) {
        Ok(Parsed::Request(request)) => request,
        Ok(Parsed::Notice(notice)) => only_to_tell(*notice),
        Ok(Parsed::Nothing(reason)) => {
            ignored(&reason);
            return (message_id, Acted::default());
        }
        Ok(Parsed::TrailCall(touched)) => {
            let (entries, left) = touch(app, &touched, &invocation).await;
            again(app, (&queue, &receipt), receives, left).await;
            return (message_id, Acted { entries, left, ..Acted::default() });
        }
        Ok(Parsed::Batch(_) | Parsed::LedgerRequest(_) | Parsed::Readiness(_)) => {
            return (message_id, Acted { left: Left::Work, ..Acted::default() });
        }
        Err(error) => {
            unreadable(&error);
            return (message_id, Acted { left: Left::Work, ..Acted::default() });
        }
    };
    let records = payload.get("Records").and_then(Value::as_array).into_iter().flatten();
    let of = |record: &&Value, name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let received = records.into_iter().find(|record| of(record, "messageId") == message_id);
    let received = received.map(|record| of(&record, "body")).unwrap_or_default();
    let acted = act(app, &request, (&invocation.request_id, &received), &invocation).await;
    again(app, (&queue, &receipt), receives, acted.left).await;
    (message_id, acted)
}

/// Says when a message that is not finished comes again.
async fn again(app: &App, (queue, receipt): (&str, &str), receives: u32, left: Left) {
    let held_until = match left {
        Left::Nothing => return,
        Left::Work => None,
        Left::Lease(until) => Some(until),
    };
    let after = again_after(receives, held_until, app.engine.clock.now());
    let seconds = i32::try_from(after.as_secs()).unwrap_or(i32::MAX);
    if let Err(error) = app.queue.change_visibility(queue, receipt, seconds).await {
        tracing::warn!(%error, "a message that is not finished comes again only when its visibility ends");
    }
}
