//! Looking again at what is contained: every fact that containment promised is read back, what drifted is put right and
//! told. There is no second way of doing so: a verification is another attempt at the same containment.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use brig_core::{
    containment::{Conclusion, Containment},
    finding::{Action, Finding, Touched, can_undo},
    ids::InstanceId,
    ledger::{InstanceKey, State},
    policy::{Decided, Decision, Mode},
    step::{Lane, Step},
    text::one_line,
    timestamp::Timestamp,
    verdict::{Truth, Verdict},
};
use futures::{StreamExt, future::join_all, stream};
use serde::Serialize;

use crate::{
    contain::{Case, Engine, Invocation, LAST_CALL, Scene},
    ports::{Answer, Cloud, InterfacesOf},
    standing::Groups,
};

/// Instances that are looked at at once: each makes some seventy calls.
const AT_ONCE: usize = 4;
/// CloudTrail answers two lookups a second.
const BETWEEN_LOOKUPS: Duration = Duration::from_millis(600);
const MOST_LOOKUPS: usize = 4;
const LOOK_BACK_MS: i64 = 6 * 3600 * 1000;

/// An ARN has at most 2,048 characters; more than this is nobody's name.
pub(crate) const LONGEST_CALLER: usize = 600;
/// Callers that are named of one resource.
const MOST_NAMED: usize = 3;

/// Resources that were undone, by the id that CloudTrail records, and since when a call on them counts.
pub(crate) type Undone = BTreeMap<String, Option<Timestamp>>;

/// Who undid it.
#[derive(Debug, Default)]
pub(crate) struct Callers {
    /// Sentences for people.
    pub(crate) notes: Vec<String>,
    /// ARNs.
    pub(crate) by: BTreeSet<String>,
}

/// An active containment, as `status` lists it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatusEntry {
    /// The instance and what was seen of it now; `steps` with the outcome `planned` have drifted.
    #[serde(flatten)]
    pub now: Containment,
    /// `open`, `closed` or `releasing`.
    pub state: State,
    /// When it began.
    pub claimed_at: String,
    /// Seconds since then.
    pub age_seconds: u64,
    /// The outcome of the last attempt that ended in order.
    pub last_outcome: Option<String>,
    /// The findings that named the instance.
    pub findings: Vec<String>,
    /// How many steps would be run to put it right.
    pub drift: usize,
}

/// A page of `status`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StatusPage {
    /// The active containments.
    pub active: Vec<StatusEntry>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// What a verification of all active containments did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verified {
    /// An entry for each instance that was looked at.
    pub entries: Vec<Containment>,
    /// Instances for which no time was left.
    pub not_looked_at: usize,
}

impl Engine {
    /// Verifies one instance, within an invocation that has looked at it.
    pub(crate) async fn verify_scene(
        &self,
        case: Case<'_>,
        scene: Scene,
        groups: &mut Groups<'_>,
        only_tell: bool,
    ) -> Containment {
        let decided = Decided::new(Decision::Contain, case.finding.title.clone());
        let Some(current) = scene.look.records.active() else {
            let why = format!("this ledger knows no active containment of {}", case.finding.instance);
            return self.nothing(case, Decided::refused(why), Conclusion::Refused);
        };
        if current.state == State::Releasing {
            let why = format!("a person is releasing it from {}", current.containment);
            return self.nothing(case, Decided::new(Decision::Ignore, why), Conclusion::Ignored);
        }
        if !only_tell && self.policy.mode == Mode::Enforce {
            return Box::pin(self.claim_and_attempt(case, decided, scene, groups, false)).await;
        }
        let mut answer = self.preview(case, decided, Conclusion::Verified, &scene).await;
        let drift = planned(&answer);
        if drift == 0 {
            answer.verdict.summary = format!("{} is as its containment left it.", case.finding.instance);
            return answer;
        }
        answer.outcome = Conclusion::Drifted;
        answer.verdict.summary = format!(
            "{} in {}/{} HAS DRIFTED from its containment: {drift} step(s) would put it right, and none was run.",
            case.finding.instance, case.finding.account, case.finding.region
        );
        let case = Case { action: Action::Contain, ..case };
        self.tell_decision(case, answer, Some(&scene.look.instance)).await
    }

    /// Verifies every active containment, until time is nearly over. A person's order holds no repair back.
    pub async fn verify_all(&self, ordered: bool, invocation: &Invocation) -> Answer<Verified> {
        let mut verified = Verified::default();
        let mut from: Option<String> = None;
        loop {
            let page = self.ledger.active(from.as_deref()).await?;
            let looks = stream::iter(page.keys).map(|key| async move {
                if self.left(invocation) <= LAST_CALL * 2 {
                    return None;
                }
                let finding = self.occasion(&key);
                let action = Action::Verify { only_tell: false, look_up: true, ordered };
                Some(Box::pin(self.contain(&finding, action, false, invocation)).await)
            });
            for entry in looks.buffered(AT_ONCE).collect::<Vec<_>>().await {
                match entry {
                    Some(entry) => verified.entries.push(entry),
                    None => verified.not_looked_at += 1,
                }
            }
            from = page.next;
            if from.is_none() || verified.not_looked_at > 0 {
                return Ok(verified);
            }
        }
    }

    /// One page of the active containments, each with what has drifted. Changes nothing.
    pub async fn status(&self, from: Option<&str>, invocation: &Invocation) -> Answer<StatusPage> {
        let page = self.ledger.active(from).await?;
        let looks = stream::iter(page.keys).map(|key| async move { self.standing_of(&key, invocation).await });
        let found: Vec<Option<StatusEntry>> = looks.buffered(AT_ONCE).collect().await;
        Ok(StatusPage { active: found.into_iter().flatten().collect(), next: page.next })
    }

    async fn standing_of(&self, key: &InstanceKey, invocation: &Invocation) -> Option<StatusEntry> {
        let finding = self.occasion(key);
        let mut now = Box::pin(self.contain(&finding, Action::Plan, false, invocation)).await;
        now.verdict = Verdict {
            network: standing_in(&now, Lane::Network),
            credentials: standing_in(&now, Lane::Identity),
            fleet: standing_in(&now, Lane::Fleet),
            evidence: standing_in(&now, Lane::Evidence),
            open: now.verdict.open,
            paths: Vec::new(),
            proof: None,
            uncut: Vec::new(),
            undenied: Vec::new(),
            unpreserved: Vec::new(),
            summary: match planned(&now) {
                0 => format!("{} is as its containment left it, as far as was looked.", now.instance_id),
                drift => format!("{} HAS DRIFTED: {drift} step(s) would put it right.", now.instance_id),
            },
        };
        let current = self.ledger.read(key).await.ok()?.current.filter(brig_core::ledger::Current::is_active)?;
        Some(StatusEntry {
            drift: planned(&now),
            now,
            state: current.state,
            claimed_at: current.claimed_at.to_string(),
            age_seconds: self.clock.now().since(current.claimed_at).as_secs(),
            last_outcome: current.outcome,
            findings: current.findings,
        })
    }

    /// Verifies the contained instances that somebody's call touched. A responder's change is told, and left.
    pub async fn touched(&self, touched: &Touched, invocation: &Invocation) -> Vec<Containment> {
        let instances = self.touched_instances(touched, invocation).await;
        let only_tell = self.policy.is_responder(&touched.by);
        let looks = instances.into_iter().map(|instance| async move {
            let when = touched.at.map_or_else(String::new, |at| format!(" at {at}"));
            let title = format!("{} by {}{when}", touched.call, touched.by);
            let (account, region) = (touched.account.clone(), touched.region.clone());
            let finding = Finding::occasion(touched.id.clone(), title, account, region, instance);
            let action = Action::Verify { only_tell, look_up: false, ordered: false };
            let case = Case { finding: &finding, action, by: Some(&touched.by), invocation };
            Box::pin(self.contain_case(case, false)).await
        });
        join_all(looks).await
    }

    /// The active containments among what a call names, by the ledger and by what hangs on interfaces, groups and roles.
    async fn touched_instances(&self, touched: &Touched, invocation: &Invocation) -> BTreeSet<InstanceId> {
        let mut named: BTreeSet<InstanceId> = touched.instances.iter().cloned().collect();
        let session = format!("brig-{}", invocation.request_id);
        let opened = self.clouds.open(&touched.account, &touched.region, Lane::Network, &session).await;
        if let Ok(cloud) = opened {
            let interfaces = touched.interfaces.iter().map(|eni| InterfacesOf::Ids(std::slice::from_ref(eni)));
            let groups = touched.groups.iter().map(InterfacesOf::Group);
            let addresses = touched.addresses.iter().copied().map(InterfacesOf::Address);
            let places: Vec<InterfacesOf<'_>> = interfaces.chain(groups).chain(addresses).collect();
            let looks = stream::iter(places).map(|of| cloud.describe_network_interfaces(of));
            for found in looks.buffered(AT_ONCE).collect::<Vec<_>>().await.into_iter().flatten().flatten() {
                named.extend(found.instance.and_then(|id| id.parse::<InstanceId>().ok()));
            }
        }
        let mut active = BTreeSet::new();
        for instance in named {
            let key = InstanceKey { account: touched.account.clone(), region: touched.region.clone(), instance };
            if self.ledger.read(&key).await.is_ok_and(|records| records.active().is_some()) {
                active.insert(key.instance);
            }
        }
        if !touched.roles.is_empty() {
            active.extend(self.with_role(touched).await);
        }
        active
    }

    /// Contained instances of a role whose policy was written.
    async fn with_role(&self, touched: &Touched) -> Vec<InstanceId> {
        let mut found = Vec::new();
        let mut from: Option<String> = None;
        while let Ok(page) = self.ledger.active(from.as_deref()).await {
            for key in page.keys.into_iter().filter(|key| key.account == touched.account) {
                let denies = |step: &Step| matches!(step, Step::DenyRole { role, .. } if touched.roles.contains(role));
                let records = self.ledger.read(&key).await.unwrap_or_default();
                if records.steps.iter().any(|record| denies(&record.step)) {
                    found.push(key.instance);
                }
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        found
    }

    /// Who changed resources after Brig had last seen to them, by CloudTrail's record. Brig's own calls are left out: the
    /// newest call on what was just repaired is its own, and the record is late. Beside nothing urgent, a call at a time.
    pub(crate) async fn callers(&self, undone: &Undone, cloud: &dyn Cloud) -> Callers {
        let earliest = Timestamp::from_millis(self.clock.now().millis().saturating_sub(LOOK_BACK_MS));
        let mut callers = Callers::default();
        for (number, (id, seen_to)) in undone.iter().take(MOST_LOOKUPS).enumerate() {
            if number > 0 {
                self.clock.sleep(BETWEEN_LOOKUPS).await;
            }
            let since = seen_to.map_or(earliest, |at| at.max(earliest));
            let events = match cloud.lookup_events(id, since).await {
                Ok(events) => events,
                Err(error) => {
                    callers.notes.push(format!("CloudTrail could not be asked who changed {id}: {error}"));
                    continue;
                }
            };
            let mut named = 0;
            for event in events.into_iter().filter(|event| can_undo(&event.call)) {
                if event.at.is_some_and(|at| at < since) || named == MOST_NAMED {
                    continue;
                }
                match self.clouds.is_own(&event.by, event.source_identity.as_deref()).await {
                    Ok(true) => {}
                    Ok(false) => {
                        named += 1;
                        let at = event.at.map_or_else(String::new, |at| format!(" at {at}"));
                        let by = one_line(&event.by, LONGEST_CALLER);
                        callers.notes.push(format!("CloudTrail's record of {id}: {} by {by}{at}", event.call));
                        callers.by.insert(by);
                    }
                    Err(error) => {
                        callers.notes.push(format!(
                            "CloudTrail's record of {id} has a {} of which it is not known whether it is Brig's own: {error}",
                            event.call
                        ));
                        break;
                    }
                }
            }
        }
        if callers.notes.is_empty() {
            callers.notes.push(
                "CloudTrail's record does not name yet who changed it: the record can be up to 15 minutes late"
                    .to_owned(),
            );
        }
        callers
    }

    /// The occasion of a scheduled verification: people are told of one drift at most once an hour.
    fn occasion(&self, key: &InstanceKey) -> Finding {
        let id = format!("verification-{}", self.clock.now().hour());
        let title = "looked at again".to_owned();
        Finding::occasion(id, title, key.account.clone(), key.region.clone(), key.instance.clone())
    }
}

/// How far a lane holds: a step that would be run is a promise that does not hold. Something unread leaves it unknown.
fn standing_in(now: &Containment, lane: Lane) -> Truth {
    let of_lane = || now.steps.iter().filter(|step| step.lane == lane.name());
    let open = of_lane().filter(|step| step.outcome == "planned").count();
    let unread = now.notes.iter().any(|note| note.contains("could not be read"));
    match (of_lane().count(), open) {
        (all, open) if open > 0 && open == all => Truth::No,
        (_, open) if open > 0 => Truth::Partial,
        _ if unread => Truth::Unknown,
        // Out of its fleet there is nothing left to list.
        (0, _) if lane != Lane::Fleet => Truth::Unknown,
        _ => Truth::Yes,
    }
}

fn planned(answer: &Containment) -> usize {
    answer.steps.iter().filter(|step| step.outcome == "planned").count()
}
