//! What an invocation answers for one instance: the response entry, which is also what machines receive.

use serde::Serialize;

use crate::{
    decide::{Decided, Decision},
    ledger::{Cause, Channel, Conclusion, Unheard},
    model::{
        gap::{Gap, Subject},
        ids::{AccountId, ContainmentId, InstanceId, Region},
        text::{self, Sentence},
        timestamp::Timestamp,
    },
    report::{contest::Contested, verdict::Verdict},
    step::{Kind, Lane, Note, Outcome, OutcomeKind, Step},
    trigger::{Addressed, Finding, Locator},
};

/// Characters of a step's detail.
const LONGEST_DETAIL: usize = 600;

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepReport {
    pub lane: Lane,
    /// What kind of step it is, as its name.
    pub step: Kind,
    /// The API operation that makes the change.
    pub operation: &'static str,
    /// What it is about.
    pub resource: String,
    /// How it ended.
    pub outcome: OutcomeKind,
    /// What a person should know of it.
    pub detail: Sentence,
}

impl StepReport {
    /// The report of a step and its outcome. What would be done, or was done without another word, shows what it replaces
    /// and what it puts there. Names and AWS's words in it are one line each.
    #[must_use]
    pub fn new(step: &Step, outcome: &Outcome, target: &str) -> Self {
        let detail = match outcome {
            Outcome::Planned => step.change().to_string(),
            Outcome::Changed(detail) if detail.words.is_empty() => step.change().to_string(),
            Outcome::Changed(_) | Outcome::AlreadyDone(_) | Outcome::Missing(_) | Outcome::Skipped(_) => {
                outcome.words().to_string()
            }
            Outcome::Failed(failure) => failure.to_string(),
        };
        Self {
            lane: step.lane(),
            step: step.kind(),
            operation: step.kind().operation(),
            resource: text::one_line(&step.resource(target), text::LONG),
            outcome: outcome.kind(),
            detail: text::one_line(&detail, LONGEST_DETAIL).into(),
        }
    }
}

/// Milliseconds since the invocation began, where the point was reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Timings {
    /// The first look was complete.
    pub look: Option<u64>,
    /// The claim was recorded.
    pub claim: Option<u64>,
    /// Every interface was isolated for the first time: new flows are blocked but for DNS.
    pub isolated: Option<u64>,
    /// The longest time that an interface was in the untrack group (a duration, not a point).
    pub untrack_window: Option<u64>,
    /// The report was complete.
    pub done: Option<u64>,
}

/// When the network was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Isolated {
    /// When.
    pub at: Timestamp,
    /// Milliseconds since the event arrived, the time that it waited in a queue included.
    pub after_ms: u64,
}

/// The response entry of one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The instance's account.
    pub account: AccountId,
    pub region: Region,
    pub instance_id: InstanceId,
    /// The containment, where one exists.
    pub containment_id: Option<ContainmentId>,
    /// What was decided.
    pub decision: Decision,
    /// Why.
    pub reason: Sentence,
    /// How it ended.
    pub outcome: Conclusion,
    /// What became true.
    pub verdict: Verdict,
    /// What was done, lane by lane.
    pub steps: Vec<StepReport>,
    /// What else people should know.
    pub notes: Vec<Note>,
    /// Somebody keeps undoing it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contest: Option<Contested>,
    /// How long it took.
    pub timings_ms: Timings,
    /// When the containment was claimed, by the ledger; none where there is none yet.
    #[serde(skip)]
    pub claimed_at: Option<Timestamp>,
    /// When this was seen.
    #[serde(skip)]
    pub at: Option<Timestamp>,
    /// When every interface was isolated for the first time, where this invocation saw to that.
    #[serde(skip)]
    pub isolated: Option<Isolated>,
    /// Work is left that a later attempt may finish.
    #[serde(skip)]
    pub left_over: bool,
    /// Another invocation holds the containment: when its lease ends.
    #[serde(skip)]
    pub held_until: Option<Timestamp>,
    /// The account could not be worked in: its role was refused.
    #[serde(skip)]
    pub unreachable: bool,
    /// People were to be notified and could not be: why, in AWS's words. The message is kept and sent later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_notified: Option<String>,
    /// The id of the question, where a person must decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// Why it was decided so, as a word.
    #[serde(skip)]
    pub cause: Cause,
    /// What tells it apart from other statements of this outcome about this finding: the call that failed.
    #[serde(skip)]
    pub about: Vec<String>,
    /// What a preview could not read.
    #[serde(skip)]
    pub gaps: Vec<LaneGap>,
    /// The instance's Name tag, where it was looked at.
    #[serde(skip)]
    pub instance_name: Option<String>,
}

impl Answer {
    /// About a finding about which nothing was done, and nothing is known but what it says.
    #[must_use]
    pub fn nothing_done(finding: &Finding, decided: Decided, outcome: Conclusion) -> Self {
        Self {
            account: finding.account.clone(),
            region: finding.region.clone(),
            instance_id: finding.target.clone(),
            containment_id: None,
            decision: decided.decision,
            verdict: Verdict::untouched(format!("Nothing was done to {}: {}.", finding.target, decided.reason)),
            reason: decided.reason,
            outcome,
            steps: Vec::new(),
            notes: Vec::new(),
            contest: None,
            timings_ms: Timings::default(),
            claimed_at: None,
            at: None,
            isolated: None,
            left_over: false,
            held_until: None,
            unreachable: false,
            not_notified: None,
            question: None,
            cause: decided.cause,
            about: Vec::new(),
            gaps: Vec::new(),
            instance_name: None,
        }
    }

    /// Nobody notified is not done, whatever the reason: it is said, and left over for a later attempt.
    pub fn not_notified(&mut self, unheard: Option<Unheard>) {
        let Some(unheard) = unheard else { return };
        let why = Sentence::from(&unheard.why);
        self.notes.push(match unheard.channel {
            Channel::People => Note::NotNotified(why),
            Channel::Chat => Note::NotInChat(why),
        });
        self.not_notified = Some(unheard.to_string());
        self.left_over = true;
    }
}

/// Something that a lane should have read and could not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LaneGap {
    pub lane: Lane,
    /// What was to be read.
    pub what: Subject,
    /// What AWS said instead.
    pub error: Sentence,
}

impl LaneGap {
    /// The gap of a lane's survey.
    #[must_use]
    pub fn new(lane: Lane, gap: &Gap) -> Self {
        Self { lane, what: gap.what.clone(), error: gap.error.clone() }
    }
}

/// An address that could not be resolved to an instance: people are asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Resolution {
    /// The account that was looked in.
    pub account: AccountId,
    /// The Region that was looked in.
    pub region: Region,
    /// Always none: no instance is known.
    pub instance_id: Option<InstanceId>,
    /// The address, or the interface.
    pub address: Locator,
    /// Always to ask.
    pub decision: Decision,
    /// Why it is not resolved.
    pub reason: Sentence,
    /// Always asked.
    pub outcome: Conclusion,
    /// Nothing was looked at.
    pub verdict: Verdict,
    /// None.
    pub steps: Vec<StepReport>,
    /// When the activity was, as far as the report says.
    pub notes: Vec<Sentence>,
    /// The words of the report.
    #[serde(skip)]
    pub report: Vec<String>,
    /// People were to be notified and could not be: why, in AWS's words. The message is kept and sent later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_notified: Option<String>,
}

impl Resolution {
    /// The answer for an address that no instance is known for.
    #[must_use]
    pub fn new(addressed: &Addressed, why: &str) -> Self {
        let (kind, title, id) = addressed.about();
        let summary = format!(
            "Nothing was done about {} in {}/{}: {why}. Find out which instance had it and invoke Brig with that instance's id; to say no, do nothing.",
            addressed.address, addressed.account, addressed.region
        );
        Self {
            account: addressed.account.clone(),
            region: addressed.region.clone(),
            instance_id: None,
            address: addressed.address.clone(),
            decision: Decision::Ask,
            reason: format!("{kind}: {title} [{id}]; {why}").into(),
            outcome: Conclusion::Asked,
            verdict: Verdict::untouched(summary),
            steps: Vec::new(),
            notes: vec![match addressed.seen() {
                Some(seen) => Sentence::new(format_args!("last activity: {seen} (UTC)")),
                None => "last activity: the report does not say".into(),
            }],
            report: addressed.report().to_vec(),
            not_notified: None,
        }
    }
}
