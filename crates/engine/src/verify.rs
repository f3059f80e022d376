//! Looking again at what is contained: every fact that containment promised is read back, what drifted is repaired and
//! told. There is no second way of doing so: a verification is another attempt at the same containment.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use brig_core::{
    decide::{Asks, Decided},
    ledger::{Cause, Conclusion, State},
    model::{
        ids::{InstanceKey, TargetKey},
        text::{Sentence, one_line},
        timestamp::Timestamp,
    },
    report::{answer::Answer, principal::PrincipalAnswer},
    settings::Mode,
    step::{Note, OutcomeKind},
    trigger::{Finding, can_undo},
};
use futures::{StreamExt, stream};

use crate::{
    arrive::Scene,
    engine::{Case, Engine, Invocation, LAST_CALL, Occasion},
    ports::{Detection, Lookup, PortResult},
};

/// Instances that are looked at at once: each makes some seventy calls.
pub(crate) const AT_ONCE: usize = 4;
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
    pub(crate) notes: Vec<Note>,
    /// ARNs.
    pub(crate) by: BTreeSet<String>,
}

/// What a verification of all active containments did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verified {
    /// An entry for each instance that was looked at.
    pub entries: Vec<Answer>,
    /// One for each user.
    pub principals: Vec<PrincipalAnswer>,
    /// Targets for which no time was left.
    pub not_looked_at: usize,
    /// Entries of the list of active containments that name no instance.
    pub unreadable: Vec<String>,
    /// Messages that could not be sent before cannot be sent yet: why.
    pub not_notified: Option<String>,
}

/// One look of a verification of all.
enum Look {
    Instance(Box<Answer>),
    Principal(Box<PrincipalAnswer>),
}

/// How a containment is looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verification<'a> {
    /// What is done about drift.
    pub drift: Drift,
    /// Who may have caused it.
    pub caller: Caller<'a>,
    /// Who has it made.
    pub asks: Asks,
}

/// What is done about drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drift {
    /// It is repaired.
    Repair,
    /// People are notified of it, and it is left: a responder's change.
    Report,
}

/// Who may have changed what is contained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller<'a> {
    /// Nobody is known: CloudTrail's record is asked where something had drifted, and flow logs are read.
    Unknown,
    /// Whoever made the recorded call that this look follows at once, by ARN.
    Named(&'a str),
}

impl<'a> Verification<'a> {
    /// As the schedule or a person has it made.
    #[must_use]
    pub fn ordered(asks: Asks) -> Self {
        Self { drift: Drift::Repair, caller: Caller::Unknown, asks }
    }

    /// After a recorded call.
    #[must_use]
    pub fn after(caller: &'a str, drift: Drift) -> Self {
        Self { drift, caller: Caller::Named(caller), asks: Asks::Machine }
    }
}

impl Engine {
    /// Reads back what one containment promised, and repairs what drifted. Never fails: an error is an answer.
    pub async fn verify(&self, finding: &Finding, verification: Verification<'_>, invocation: &Invocation) -> Answer {
        let case = Case { finding, occasion: Occasion::Verification(verification), invocation };
        self.patiently(invocation, async || match self.arrive(case).await {
            Ok(arrived) => Box::pin(self.verify_scene(case, arrived.scene, verification.drift)).await,
            Err(stop) => self.stopped(case, stop).await,
        })
        .await
    }

    async fn verify_scene(&self, case: Case<'_>, scene: Scene, drift: Drift) -> Answer {
        let decided = Decided::contain(case.finding.title.clone());
        let Some(current) = scene.look.records.active() else {
            let why = format!("this ledger knows no active containment of {}", case.finding.target);
            return self.nothing(case, Decided::refuse(why), Conclusion::Refused);
        };
        if current.state == State::Releasing {
            let why = format!("a person is releasing it from {}", current.containment);
            return self.nothing(case, Decided::ignore(why), Conclusion::Ignored);
        }
        if drift == Drift::Repair && self.policy.mode == Mode::Enforce {
            return self.claim_and_attempt(case, decided, scene, None).await;
        }
        let mut answer = self.preview(case, decided, Conclusion::Verified, &scene).await;
        let drift = planned(&answer);
        if drift == 0 && !answer.gaps.is_empty() {
            return self.unread(case, answer, &scene).await;
        }
        if drift == 0 {
            answer.verdict.summary = format!("{} is as its containment left it.", case.finding.target).into();
            return answer;
        }
        answer.outcome = Conclusion::Drifted;
        answer.verdict.summary = format!(
            "{} in {}/{} HAS DRIFTED from its containment: {drift} step(s) would put it right, and none was run.",
            case.finding.target, case.finding.account, case.finding.region
        )
        .into();
        self.tell_decision(case, answer, Some(&scene.look.instance)).await
    }

    /// What could not be read is neither as it was left nor drifted.
    async fn unread(&self, case: Case<'_>, mut answer: Answer, scene: &Scene) -> Answer {
        answer.outcome = Conclusion::Unverified;
        answer.cause = Cause::CannotLook;
        answer.about = answer.gaps.iter().map(|gap| format!("{}/{}", gap.lane.key_word(), gap.what)).collect();
        answer.verdict.summary = format!(
            "Whether the containment of {} in {}/{} still holds could NOT be verified: {} read(s) failed. Nothing was changed.",
            case.finding.target,
            case.finding.account,
            case.finding.region,
            answer.gaps.len()
        ).into();
        self.tell_decision(case, answer, Some(&scene.look.instance)).await
    }

    /// Verifies every active containment, until time is nearly over, and sends what could not be sent before. A
    /// person's order holds no repair back.
    pub async fn verify_all(&self, asks: Asks, invocation: &Invocation) -> PortResult<Verified> {
        let mut verified = Verified { not_notified: self.send_held(invocation).await, ..Verified::default() };
        let mut from: Option<String> = None;
        loop {
            let page = self.ledger.active(from.as_deref()).await?;
            verified.unreadable.extend(page.unreadable);
            let looks = stream::iter(page.keys).map(|key| async move {
                if self.left(invocation) <= LAST_CALL * 2 {
                    return None;
                }
                let verification = Verification::ordered(asks);
                Some(match key {
                    TargetKey::Instance(key) => {
                        let finding = self.occasion(&key);
                        Look::Instance(Box::new(Box::pin(self.verify(&finding, verification, invocation)).await))
                    }
                    key @ (TargetKey::User(_) | TargetKey::Role(_)) => {
                        let finding = self.occasion_of(&key, invocation)?;
                        let look = Box::pin(self.verify_principal(&finding, verification, invocation)).await;
                        Look::Principal(Box::new(look))
                    }
                })
            });
            for look in looks.buffered(AT_ONCE).collect::<Vec<_>>().await {
                match look {
                    Some(Look::Instance(entry)) => verified.entries.push(*entry),
                    Some(Look::Principal(entry)) => verified.principals.push(*entry),
                    None => verified.not_looked_at += 1,
                }
            }
            from = page.next;
            if from.is_none() || verified.not_looked_at > 0 {
                return Ok(verified);
            }
        }
    }

    /// Who changed resources after Brig had last seen to them, by CloudTrail's record. Brig's own calls are left out: the
    /// newest call on what was just repaired is its own, and the record is late. Beside nothing urgent, a call at a time.
    pub(crate) async fn callers(&self, undone: &Undone, cloud: &dyn Detection) -> Callers {
        let earliest = Timestamp::from_millis(self.clock.now().millis().saturating_sub(LOOK_BACK_MS));
        let mut callers = Callers::default();
        for (number, (id, seen_to)) in undone.iter().take(MOST_LOOKUPS).enumerate() {
            if number > 0 {
                self.clock.sleep(BETWEEN_LOOKUPS).await;
            }
            let since = seen_to.map_or(earliest, |at| at.max(earliest));
            let events = match cloud.lookup_events(Lookup::Resource(id), since).await {
                Ok(events) => events,
                Err(error) => {
                    callers.notes.push(Note::TrailUnread { id: id.clone(), error: Sentence::new(error) });
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
                        let by = one_line(&event.by, LONGEST_CALLER);
                        callers.notes.push(Note::TrailCall {
                            id: id.clone(),
                            call: event.call,
                            by: by.clone(),
                            at: event.at,
                        });
                        callers.by.insert(by);
                    }
                    Err(error) => {
                        callers.notes.push(Note::TrailCallerUnknown {
                            id: id.clone(),
                            call: event.call,
                            error: Sentence::new(error),
                        });
                        break;
                    }
                }
            }
        }
        if callers.notes.is_empty() {
            callers.notes.push(Note::TrailSilent);
        }
        callers
    }

    /// The occasion of a scheduled verification: people are notified of one drift at most once an hour.
    pub(crate) fn occasion(&self, key: &InstanceKey) -> Finding {
        let id = format!("verification-{}", self.clock.now().hour());
        let title = "looked at again".to_owned();
        Finding::occasion(id, title, key.account.clone(), key.region.clone(), key.instance.clone())
    }
}

pub(crate) fn planned(answer: &Answer) -> usize {
    answer.steps.iter().filter(|step| step.outcome == OutcomeKind::Planned).count()
}
