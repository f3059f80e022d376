//! What is contained, what waits for a person, and what people do not know yet. Changes nothing.

use brig_core::{
    ledger::{Conclusion, Containment, Question, QuestionPage, Records, Release, State, StepRecord},
    model::ids::{InstanceKey, TargetKey},
    report::{
        answer::{Answer, LaneGap, StepReport},
        fact::Truth,
        notices::UnsentPage,
        verdict::Verdict,
    },
    step::{Kind, Lane, Outcome, OutcomeKind, PerLane},
    trigger::Force,
};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use crate::{
    engine::{Engine, Invocation},
    ports::PortResult,
    principals::PrincipalStanding,
    verify::AT_ONCE,
};

/// An active containment, as `status` lists it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatusEntry {
    /// The instance and what was seen of it now; `reason` is why it was contained.
    #[serde(flatten)]
    pub now: Answer,
    /// The instance's Name tag, where it was seen.
    pub name: Option<String>,
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
    /// How many steps had been done, or were not needed, and would have to be run now.
    pub drift: usize,
    /// Steps that have never succeeded: nobody undid them.
    pub never_done: Vec<Undone>,
    /// What could not be read now.
    pub unread: Vec<LaneGap>,
    /// Whether people were notified of `last_outcome`.
    pub notified: bool,
}

/// A step that has never succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Undone {
    pub lane: Lane,
    /// What kind of step, as its name.
    pub step: Kind,
    /// What it is about.
    pub resource: String,
    /// Why, in AWS's words; empty where it was never run.
    pub why: String,
}

/// A message that could not be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotNotified {
    /// `<account>/<region>/<instance>`, or what else the message is about.
    pub about: String,
    /// The way that does not take it: `people`, or `chat`, where people have it by mail.
    pub channel: &'static str,
    pub subject: String,
    /// Since when it waits.
    pub since: String,
    /// Why, in AWS's words.
    pub why: String,
}

/// A page of `status`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StatusPage {
    /// The active containments of instances.
    pub active: Vec<StatusEntry>,
    /// The active containments of users.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub principals: Vec<PrincipalStanding>,
    /// Where the next page begins.
    pub next: Option<String>,
    /// Questions that wait for a person: the first of them.
    pub questions: Vec<Question>,
    /// Where `questions` goes on, if more wait than are here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more_questions: Option<String>,
    /// Messages that could not be sent: the first of them.
    pub not_notified: Vec<NotNotified>,
    /// There are more of them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub more_not_notified: bool,
    /// The last releases, the newest first.
    pub released: Vec<Release>,
    /// Entries of the list of active containments that name no instance.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
}

impl Engine {
    /// One page of the active containments, each with what has drifted, or the one of an instance. The first page also has
    /// what waits for people. An unreadable ledger is an error, never an empty list.
    pub async fn status(
        &self,
        from: Option<&TargetKey>,
        of: Option<&TargetKey>,
        invocation: &Invocation,
    ) -> PortResult<StatusPage> {
        let place = of.map(TargetKey::pk);
        let active = async {
            match of {
                Some(key) => Ok((vec![key.clone()], None, Vec::new())),
                None => self
                    .ledger
                    .active(from.map(TargetKey::pk).as_deref())
                    .await
                    .map(|page| (page.keys, page.next, page.unreadable)),
            }
        };
        let first = from.is_none();
        let questions =
            async { if first { self.ledger.questions(of, None).await } else { Ok(QuestionPage::default()) } };
        let unsent =
            async { if first { self.ledger.unsent(place.as_deref()).await } else { Ok(UnsentPage::default()) } };
        let released = async { if first { self.ledger.releases().await } else { Ok(Vec::new()) } };
        let (active, questions, unsent, released) = futures::join!(active, questions, unsent, released);
        let ((keys, next, unreadable), questions, unsent, mut released) = (active?, questions?, unsent?, released?);
        if let Some(key) = of {
            released.retain(|release| release.target == *key);
        }
        let holders: Vec<TargetKey> = keys.iter().filter(|key| key.instance().is_none()).cloned().collect();
        let looks = stream::iter(holders).map(|key| async move { self.user_standing(&key, invocation).await });
        let principals: Vec<Option<PrincipalStanding>> = looks.buffered(AT_ONCE).try_collect().await?;
        let instances: Vec<InstanceKey> = keys.iter().filter_map(TargetKey::instance).cloned().collect();
        let looks = stream::iter(instances).map(|key| async move { self.standing_of(&key, invocation).await });
        let found: Vec<Option<StatusEntry>> = looks.buffered(AT_ONCE).try_collect().await?;
        let waits = |unsent: brig_core::report::notices::Unsent| NotNotified {
            about: unsent.place,
            channel: unsent.channel.word(),
            subject: unsent.message.subject,
            since: unsent.at.to_string(),
            why: unsent.why,
        };
        Ok(StatusPage {
            active: found.into_iter().flatten().collect(),
            principals: principals.into_iter().flatten().collect(),
            next,
            questions: questions.questions,
            more_questions: questions.next,
            not_notified: unsent.unsent.into_iter().map(waits).collect(),
            more_not_notified: unsent.more,
            released,
            unreadable,
        })
    }

    /// How one containment stands; none where the ledger says that it has ended.
    async fn standing_of(&self, key: &InstanceKey, invocation: &Invocation) -> PortResult<Option<StatusEntry>> {
        let Records { current, steps } = self.ledger.read(&key.clone().into()).await?;
        let Some(current) = current.filter(Containment::is_active) else { return Ok(None) };
        let finding = self.occasion(key);
        let mut now = Box::pin(self.plan(&finding, Force::No, invocation)).await;
        let looked = now.outcome == Conclusion::Planned;
        let (never_done, drift) = sort(&now, &steps);
        let truths = PerLane::of(|lane| standing_in(&now, looked, lane));
        let summary = summary(&now, looked, &never_done, drift);
        now.verdict = Verdict { open: now.verdict.open, ..Verdict::of(truths, summary) };
        now.reason.clone_from(&current.reason);
        Ok(Some(StatusEntry {
            name: now.instance_name.clone(),
            drift,
            never_done,
            unread: now.gaps.clone(),
            now,
            state: current.state,
            claimed_at: current.claimed_at.to_string(),
            age_seconds: self.clock.now().since(current.claimed_at).as_secs(),
            notified: current.told.is_some(),
            last_outcome: current.outcome,
            findings: current.findings,
        }))
    }
}

/// Steps that would be run, by what the record says of them: those that never succeeded, and how many were undone since.
fn sort(now: &Answer, records: &[StepRecord]) -> (Vec<Undone>, usize) {
    let mut never_done = Vec::new();
    let mut drift = 0;
    for step in now.steps.iter().filter(|step| step.outcome == OutcomeKind::Planned) {
        let record = records.iter().find(|record| is_of(record, step, now));
        match record.map(|record| &record.outcome) {
            Some(Some(Outcome::Failed(failure))) => never_done.push(undone(step, failure.error.to_string())),
            Some(None | Some(Outcome::Planned)) => never_done.push(undone(step, String::new())),
            // Nothing is on record of what appeared since; what was missing or skipped is there now.
            Some(Some(Outcome::Changed(_) | Outcome::AlreadyDone(_) | Outcome::Missing(_) | Outcome::Skipped(_)))
            | None => drift += 1,
        }
    }
    (never_done, drift)
}

fn is_of(record: &StepRecord, step: &StepReport, now: &Answer) -> bool {
    record.step.lane() == step.lane
        && record.step.kind() == step.step
        && record.step.resource(now.instance_id.as_str()) == step.resource
}

fn undone(step: &StepReport, why: String) -> Undone {
    Undone { lane: step.lane, step: step.step, resource: step.resource.clone(), why }
}

fn summary(now: &Answer, looked: bool, never_done: &[Undone], drift: usize) -> String {
    let id = &now.instance_id;
    if !looked {
        return format!("How {id} stands could NOT be seen: {}.", now.reason);
    }
    let mut sentences = Vec::new();
    if drift > 0 {
        sentences.push(format!("{id} HAS DRIFTED: {drift} step(s) would repair it."));
    }
    if !never_done.is_empty() {
        sentences.push(format!(
            "{id} is only partly contained: {} step(s) have never succeeded (see never_done).",
            never_done.len()
        ));
    }
    if !now.gaps.is_empty() {
        sentences.push(format!("{} look(s) failed (see unread).", now.gaps.len()));
    }
    if drift == 0 && never_done.is_empty() {
        let as_far = if now.gaps.is_empty() { "" } else { ", as far as could be read" };
        sentences.insert(0, format!("{id} is as its containment left it{as_far}."));
    }
    sentences.join(" ")
}

/// How far a lane holds: a step that would be run is a promise that does not hold. What the lane could not read leaves it
/// unknown, and no other lane.
fn standing_in(now: &Answer, looked: bool, lane: Lane) -> Truth {
    if !looked {
        return Truth::Unknown;
    }
    let of_lane = || now.steps.iter().filter(|step| step.lane == lane);
    let open = of_lane().filter(|step| step.outcome == OutcomeKind::Planned).count();
    let unread = now.gaps.iter().any(|gap| gap.lane == lane);
    match (of_lane().count(), open) {
        (all, open) if open > 0 && open == all && !unread => Truth::No,
        (_, open) if open > 0 => Truth::Partial,
        _ if unread => Truth::Unknown,
        // Out of its fleet there is nothing left to list.
        (0, _) if lane != Lane::Fleet => Truth::Unknown,
        _ => Truth::Yes,
    }
}
