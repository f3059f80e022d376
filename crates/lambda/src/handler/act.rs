//! Acts on everything that a request names, side by side, and says what is left over.

use brig_core::{
    decide::Asks,
    ledger::Received,
    model::{
        Principal,
        ids::{ContainmentId, InstanceKey, RoleKey, TargetKey, UserKey},
        timestamp::Timestamp,
    },
    report::{answer::Answer, message::Unhandled, principal::PrincipalAnswer},
    trigger::{Action, Finding, Notice, Request, Unread},
};
use brig_engine::{Invocation, Verification};
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tracing::Instrument;

use crate::{app::App, metrics};

/// Instances that are worked on at once.
const AT_ONCE: usize = 10;
static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);
/// So many notices and unread entries are in a response.
const MOST_SHOWN: usize = 50;

/// What is left of an event, the least first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Left {
    #[default]
    Nothing,
    /// Another invocation is at it, until then at the latest.
    Lease(Timestamp),
    /// Something that may succeed later.
    Work,
}

impl Left {
    pub(super) fn of(answer: &Answer) -> Self {
        match (answer.left_over, answer.held_until) {
            (false, _) => Self::Nothing,
            (true, Some(until)) => Self::Lease(until),
            (true, None) => Self::Work,
        }
    }

    pub(super) fn of_principal(answer: &PrincipalAnswer) -> Self {
        match (answer.left_over, answer.held_until) {
            (false, _) => Self::Nothing,
            (true, Some(until)) => Self::Lease(until),
            (true, None) => Self::Work,
        }
    }

    pub(super) fn is_left_over(self) -> bool {
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
pub(super) struct Heard {
    pub(super) unread: Vec<Unread>,
    pub(super) notices: Vec<Notice>,
}

impl Heard {
    /// Adds it to a response, where there is any.
    pub(super) fn show(&self, response: &mut Value) {
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
pub(super) struct Acted {
    pub(super) entries: Vec<Value>,
    pub(super) heard: Heard,
    pub(super) left: Left,
}

/// Contains everything that a request names, and notifies people of the rest.
///
/// `received` is the event as it came: what led to a containment is evidence.
pub(super) async fn act(
    app: &App,
    request: &Request,
    (event, received): (&str, &str),
    invocation: &Invocation,
) -> Acted {
    let named = join_all(request.findings.iter().map(|finding| one(app, finding, (request, received), invocation)));
    let principals =
        join_all(request.principals.iter().map(|finding| principal(app, finding, (request, received), invocation)));
    let addressed = join_all(request.addresses.iter().map(|addressed| async move {
        let resolved = {
            let _turn = TURNS.acquire().await;
            app.engine.resolve(addressed, invocation).await
        };
        match resolved {
            Ok(finding) => one(app, &finding, (request, received), invocation).await,
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

async fn one(
    app: &App,
    finding: &Finding,
    (request, received): (&Request, &str),
    invocation: &Invocation,
) -> (Value, Left) {
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
        Action::Contain => {
            let (account, region, instance) =
                (answer.account.clone(), answer.region.clone(), answer.instance_id.clone());
            let key = InstanceKey { account, region, instance };
            keep(app, key.into(), answer.containment_id.as_ref(), received).await;
            metrics::emit(&answer, app.engine.clock.now());
        }
        Action::Verify | Action::Release { .. } => metrics::emit_verified(&answer, app.engine.clock.now()),
        Action::Plan | Action::PlanRelease { .. } => {}
    }
    (serde_json::to_value(&answer).unwrap_or_default(), Left::of(&answer))
}

/// Keeps the event that led to a containment. That it could not be kept costs evidence, and nothing else.
async fn keep(app: &App, key: TargetKey, containment: Option<&ContainmentId>, received: &str) {
    let Some(containment) = containment else { return };
    let event = Received { containment: containment.clone(), at: app.engine.clock.now(), event: received.to_owned() };
    if let Err(error) = app.engine.ledger.keep_received(&key, &event).await {
        tracing::warn!(%error, "the event that led to {containment} is not on record");
    }
}

/// One principal. Two keys of one user take turns at the ledger.
async fn principal(
    app: &App,
    finding: &Finding<Principal>,
    (request, received): (&Request, &str),
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
        Action::Contain => {
            let account = answer.account.clone();
            let key = match (answer.user.clone(), answer.role.clone()) {
                (Some(user), _) => Some(UserKey { account, user }.into()),
                (None, Some(role)) => Some(RoleKey { account, role }.into()),
                (None, None) => None,
            };
            if let Some(key) = key {
                keep(app, key, answer.containment_id.as_ref(), received).await;
            }
            metrics::emit(&answer, app.engine.clock.now());
        }
        Action::Verify | Action::Release { .. } => metrics::emit_verified(&answer, app.engine.clock.now()),
        Action::Plan | Action::PlanRelease { .. } => {}
    }
    (serde_json::to_value(&answer).unwrap_or_default(), Left::of_principal(&answer))
}
