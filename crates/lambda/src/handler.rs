//! One invocation: parse, contain what the event names, answer in the way that its sender understands.

use std::time::Duration;

use brig_core::{
    decide::{Asks, queue::again_after},
    ledger::Conclusion,
    model::{
        Principal,
        ids::{AccountId, TargetKey},
        text,
        timestamp::Timestamp,
    },
    report::{answer::Answer, message::Unhandled, principal::PrincipalAnswer},
    trigger::{
        Action, Finding, Invoked, LedgerRequest, Notice, ParseError, Parsed, Queued, Readiness, Request, TrailCall,
        Unread, Whom, parse,
    },
};
use brig_engine::{
    Decision, Invocation, Touched, Verification, Verified,
    ports::{CloudError, Queue},
};
use futures::{FutureExt, future::join_all};
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tracing::Instrument;

use crate::{
    app::{AccountError, App},
    config::Serves,
    metrics,
};

/// Instances that are worked on at once.
const AT_ONCE: usize = 10;
static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);
/// So many notices and unread entries are in a response.
const MOST_SHOWN: usize = 50;
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
        Ok(Parsed::Request(request)) => direct(app, &request, &event_id(&payload, invocation), invocation).await,
        Ok(Parsed::Notice(notice)) => {
            direct(app, &only_to_tell(*notice), &event_id(&payload, invocation), invocation).await
        }
        Ok(Parsed::Nothing(reason)) => Ok(ignored(&reason)),
        Ok(Parsed::Batch(batch)) => Ok(queued(app, batch, invocation).await),
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
async fn direct(app: &App, request: &Request, event: &str, invocation: &Invocation) -> Result<Value, Diagnostic> {
    let acted = act(app, request, event, invocation).await;
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

/// A question about all active containments.
async fn roll_call(app: &App, roll: &LedgerRequest, invocation: &Invocation) -> Result<Value, Diagnostic> {
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
    let again = |not_notified: bool, outcome: Conclusion, left_over: bool| {
        not_notified || (outcome == Conclusion::Unverified && left_over)
    };
    let left_over = verified.not_notified.is_some()
        || verified.entries.iter().any(|entry| again(entry.not_notified.is_some(), entry.outcome, entry.left_over))
        || verified.principals.iter().any(|entry| again(entry.not_notified.is_some(), entry.outcome, entry.left_over));
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

/// An SQS batch: what could not be read or finished is a failed item, and comes again alone.
async fn queued(app: &App, batch: Vec<Queued>, invocation: &Invocation) -> Value {
    let results = join_all(batch.into_iter().map(|message| one_message(app, message, invocation))).await;
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
async fn one_message(app: &App, message: Queued, invocation: &Invocation) -> (String, Acted) {
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
    let acted = act(app, &request, &invocation.request_id, &invocation).await;
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

/// What is left of an event, the least first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Left {
    #[default]
    Nothing,
    /// Another invocation is at it, until then at the latest.
    Lease(Timestamp),
    /// Something that may succeed later.
    Work,
}

impl Left {
    fn of(answer: &Answer) -> Self {
        match (answer.left_over, answer.held_until) {
            (false, _) => Self::Nothing,
            (true, Some(until)) => Self::Lease(until),
            (true, None) => Self::Work,
        }
    }

    fn of_principal(answer: &PrincipalAnswer) -> Self {
        match (answer.left_over, answer.held_until) {
            (false, _) => Self::Nothing,
            (true, Some(until)) => Self::Lease(until),
            (true, None) => Self::Work,
        }
    }

    fn is_left_over(self) -> bool {
        self != Self::Nothing
    }
}

impl From<bool> for Left {
    fn from(left_over: bool) -> Self {
        if left_over { Self::Work } else { Self::Nothing }
    }
}

/// What an event holds beyond its containments.
#[derive(Default)]
struct Heard {
    unread: Vec<Unread>,
    notices: Vec<Notice>,
}

impl Heard {
    /// Adds it to a response, where there is any.
    fn show(&self, response: &mut Value) {
        let Some(map) = response.as_object_mut() else { return };
        if !self.unread.is_empty() {
            map.insert("unread".to_owned(), json!(self.unread.iter().take(MOST_SHOWN).collect::<Vec<_>>()));
        }
        if !self.notices.is_empty() {
            map.insert("notices".to_owned(), json!(self.notices.iter().take(MOST_SHOWN).collect::<Vec<_>>()));
        }
    }
}

/// What became of a request.
#[derive(Default)]
struct Acted {
    entries: Vec<Value>,
    heard: Heard,
    left: Left,
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

/// Contains everything that a request names, and notifies people of the rest.
async fn act(app: &App, request: &Request, event: &str, invocation: &Invocation) -> Acted {
    let named = join_all(request.findings.iter().map(|finding| one(app, finding, request, invocation)));
    let principals = join_all(request.principals.iter().map(|finding| principal(app, finding, request, invocation)));
    let addressed = join_all(request.addresses.iter().map(|addressed| async move {
        let resolved = {
            let _turn = TURNS.acquire().await;
            app.engine.resolve(addressed, invocation).await
        };
        match resolved {
            Ok(finding) => one(app, &finding, request, invocation).await,
            Err(mut resolution) => {
                // Who pasted the report reads it in the answer.
                if !request.is_by_person() {
                    tracing::info!("asked: {}", resolution.verdict.summary);
                    if request.action == Action::Contain {
                        app.engine.unresolved(addressed, &mut resolution, invocation).await;
                    }
                }
                let left_over = resolution.not_notified.is_some();
                if left_over {
                    metrics::emit_count(metrics::NOT_NOTIFIED, 1, app.engine.clock.now());
                }
                (serde_json::to_value(&resolution).unwrap_or_default(), Left::from(left_over))
            }
        }
    }));
    let told = tell(app, request, event, invocation);
    let (named, principals, addressed, told) = tokio::join!(named, principals, addressed, told);
    let heard = Heard { unread: request.unread.clone(), notices: request.notices.clone() };
    let mut acted = Acted { heard, left: Left::from(!told), entries: Vec::new() };
    for (entry, left) in named.into_iter().chain(principals).chain(addressed) {
        acted.entries.push(entry);
        acted.left = acted.left.max(left);
    }
    acted
}

/// Whether people were notified of what cannot be read and of what names nothing. A person reads that in the answer.
async fn tell(app: &App, request: &Request, event: &str, invocation: &Invocation) -> bool {
    if request.is_by_person() {
        return true;
    }
    let said = Unhandled {
        event,
        account: &invocation.own,
        region: app.region(),
        function: &invocation.function,
        unread: &request.unread,
        notices: &request.notices,
    };
    match app.engine.announce(&said, invocation).await {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(%error, "people could NOT be notified of {event}");
            metrics::emit_count(metrics::NOT_NOTIFIED, 1, app.engine.clock.now());
            false
        }
    }
}

async fn one(app: &App, finding: &Finding, request: &Request, invocation: &Invocation) -> (Value, Left) {
    // Findings about one instance take turns: the later ones find it contained.
    let _turn = app.turns.take(&finding.target).await;
    let span = tracing::info_span!("finding", finding.id = %finding.id, instance.id = %finding.target);
    // However much an event names, so much is worked on at once: each takes calls, connections and memory.
    let _room = TURNS.acquire().await;
    let engine = &app.engine;
    let placed = match request.action {
        Action::Contain | Action::Plan => Ok(finding.clone()),
        Action::Verify | Action::Release { .. } | Action::PlanRelease { .. } => {
            engine.placed(finding, invocation).await
        }
    };
    let finding = match &placed {
        Ok(finding) => finding,
        Err(answer) => return (serde_json::to_value(answer).unwrap_or_default(), Left::of(answer)),
    };
    let act = async {
        match request.action {
            Action::Contain => engine.contain(finding, request.force, invocation).await,
            Action::Plan => engine.plan(finding, request.force, invocation).await,
            Action::Verify => engine.verify(finding, Verification::ordered(Asks::Person), invocation).await,
            Action::Release { rejoin } => engine.release(finding, rejoin, invocation).await,
            Action::PlanRelease { rejoin } => engine.plan_release(finding, rejoin, invocation).await,
        }
    };
    let answer = act.instrument(span).await;
    match request.action {
        Action::Contain => metrics::emit(&answer, app.engine.clock.now()),
        Action::Verify | Action::Release { .. } => metrics::emit_verified(&answer, app.engine.clock.now()),
        Action::Plan | Action::PlanRelease { .. } => {}
    }
    (serde_json::to_value(&answer).unwrap_or_default(), Left::of(&answer))
}

/// One principal. Two keys of one user take turns at the ledger.
async fn principal(
    app: &App,
    finding: &Finding<Principal>,
    request: &Request,
    invocation: &Invocation,
) -> (Value, Left) {
    let span = tracing::info_span!("finding", finding.id = %finding.id, principal = %finding.target);
    let _room = TURNS.acquire().await;
    let engine = &app.engine;
    let act = async {
        match request.action {
            Action::Contain => engine.contain_principal(finding, request.force, invocation).await,
            Action::Plan => engine.plan_principal(finding, request.force, invocation).await,
            Action::Verify => engine.verify_principal(finding, Verification::ordered(Asks::Person), invocation).await,
            Action::Release { .. } => engine.release_principal(finding, invocation).await,
            Action::PlanRelease { .. } => engine.plan_release_principal(finding, invocation).await,
        }
    };
    let answer = act.instrument(span).await;
    match request.action {
        Action::Contain => metrics::emit(&answer, app.engine.clock.now()),
        Action::Verify | Action::Release { .. } => metrics::emit_verified(&answer, app.engine.clock.now()),
        Action::Plan | Action::PlanRelease { .. } => {}
    }
    (serde_json::to_value(&answer).unwrap_or_default(), Left::of_principal(&answer))
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
