//! What an answer states, asks, and could not send, as the ledger keeps it.

use crate::{
    ledger::{Cause, Channel, Conclusion, Question, Statement, digest},
    model::{
        ids::{InstanceKey, TargetKey},
        text::{self, Sentence},
        timestamp::Timestamp,
    },
    report::{answer::Answer, message::Message},
    step::OutcomeKind,
    trigger::Finding,
};

/// How a containment stands, as far as a change of it is news: the outcome; where that is not whole, how far each lane
/// holds and which steps failed. It is kept with the containment.
#[must_use]
pub fn standing(answer: &Answer, word: &str) -> String {
    if answer.outcome != Conclusion::Partial && answer.outcome != Conclusion::Failed {
        return word.to_owned();
    }
    let verdict = &answer.verdict;
    let lanes = verdict.truths.to_array().map(crate::report::fact::Truth::word);
    let open = if verdict.open { "open" } else { "" };
    let failed = steps(answer, OutcomeKind::Failed);
    let parts = lanes.into_iter().chain([open]).chain(failed.iter().map(String::as_str));
    format!("{word}#{}", digest(parts).chars().take(12).collect::<String>())
}

/// The steps of an outcome, each once, in order.
fn steps(answer: &Answer, outcome: OutcomeKind) -> Vec<String> {
    let of = answer.steps.iter().filter(|step| step.outcome == outcome);
    let mut steps: Vec<String> =
        of.map(|step| format!("{}/{}/{}", step.lane.key_word(), step.step.key_word(), step.resource)).collect();
    steps.sort();
    steps.dedup();
    steps
}

/// A message that could not be sent, as it was composed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    /// What it is about: an instance's key, or another place of the same shape.
    pub place: String,
    /// The way that did not take it.
    pub channel: Channel,
    /// The digest of what it says; see [`Channel::id`].
    pub id: String,
    /// When it was composed.
    pub at: Timestamp,
    /// Why it could not be sent, in AWS's words.
    pub why: String,
    pub message: Message,
}

/// The first messages that could not be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnsentPage {
    pub unsent: Vec<Unsent>,
    /// There are more than these.
    pub more: bool,
}

impl Unsent {
    /// The message as it is sent now, which says that it is late.
    #[must_use]
    pub fn late(&self) -> Message {
        match self.channel {
            Channel::People => self.message.late(self.at),
            Channel::Chat => self.message.late_in_chat(self.at),
        }
    }
}

fn answer_key(answer: &Answer) -> InstanceKey {
    InstanceKey { account: answer.account.clone(), region: answer.region.clone(), instance: answer.instance_id.clone() }
}

impl Statement {
    /// The statement of an answer about a finding.
    #[must_use]
    pub fn of(answer: &Answer, finding: &Finding, now: Timestamp) -> Self {
        let mut about = answer.about.clone();
        if answer.outcome == Conclusion::Drifted {
            about.extend(steps(answer, OutcomeKind::Planned));
        }
        let mut finding = finding.id.clone();
        match answer.cause {
            // Once an hour the cap is news, whatever finding met it.
            Cause::CapReached => about.push(now.hour()),
            // What cannot be looked at stays news once a day, not once a schedule.
            Cause::CannotLook => {
                "verification".clone_into(&mut finding);
                about.push(now.to_string().chars().take(10).collect());
            }
            Cause::Finding
            | Cause::Exempt
            | Cause::ForeignContainment
            | Cause::BeingReleased
            | Cause::Released
            | Cause::Crowd
            | Cause::RulesUnread
            | Cause::Cap
            | Cause::ThirdInGroup
            | Cause::LastHealthy
            | Cause::BreakGlass
            | Cause::NotTrusted
            | Cause::Unreachable
            | Cause::NotThere
            | Cause::CannotStart => {}
        }
        about.sort();
        about.dedup();
        Self { what: answer.outcome.word().to_owned(), cause: answer.cause, finding, about }
    }
}

impl Question {
    /// The question that an answer asks about a finding.
    #[must_use]
    pub fn of(answer: &Answer, finding: &Finding, told: &Statement, now: Timestamp) -> Self {
        let name = answer.instance_name.as_deref().map(|name| text::one_line(name, text::NAME));
        let why = (answer.reason.clone(), answer.cause);
        Self { name, ..Self::about(answer_key(answer).into(), why, finding, told, now) }
    }

    /// The question about a target.
    #[must_use]
    pub fn about<T>(
        target: TargetKey,
        (reason, cause): (Sentence, Cause),
        finding: &Finding<T>,
        told: &Statement,
        now: Timestamp,
    ) -> Self {
        Self {
            // One finding may ask about several targets: each question has an id of its own.
            question: digest([told.digest().as_str(), target.pk().as_str()]).chars().take(12).collect(),
            target,
            name: None,
            reason,
            cause,
            finding: text::one_line(&finding.id, text::SENTENCE),
            source: finding.source.name().to_owned(),
            kind: text::one_line(&finding.kind, text::SENTENCE),
            severity: finding.severity,
            last_seen: finding.last_seen,
            asked_at: now,
            notified: false,
        }
    }
}
