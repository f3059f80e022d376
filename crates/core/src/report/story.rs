//! The story of one instance's containment: everything that the ledger has on record of it, as one typed answer, made from
//! the records alone. Nothing is judged here: what is true now, a verification says.

mod kept;

pub use kept::{kept, kept_of_principal};
use serde::Serialize;
use serde_json::Value;

use crate::{
    ledger::{self, Containment, Question, Records, Report, State, StepRecord},
    model::{
        ids::TargetKey,
        text::{self, Sentence},
    },
    report::{answer::StepReport, notices::Unsent},
    step::{Kind, Lane, Outcome, OutcomeKind, Step},
};

/// Characters of what a step replaces, or puts there.
const LONGEST_SIDE: usize = 600;

/// Everything that is on record of one instance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Story {
    /// Whose.
    #[serde(flatten)]
    pub target: TargetKey,
    /// Its last containment, which may be over; none where this ledger never had one.
    pub containment: Option<OnRecord>,
    /// The steps of that containment and of its release, in the order in which they were recorded.
    pub steps: Vec<StepOnRecord>,
    /// What was read back last of that containment, and of its release: each as it was answered then.
    pub reports: Vec<ReportOnRecord>,
    /// Questions about the instance that wait for a person.
    pub questions: Vec<Question>,
    /// Messages about it that could not be sent.
    pub not_notified: Vec<NotSent>,
}

/// What the ledger has of an instance in addition to its containment. It is for people, and read for them alone.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Beside {
    /// What was read back last.
    pub reports: Vec<Report>,
    /// Questions that wait.
    pub questions: Vec<Question>,
    /// Messages that could not be sent.
    pub unsent: Vec<Unsent>,
}

/// What was read back. Times are RFC 3339, UTC.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportOnRecord {
    /// `containment` or `release`.
    pub of: &'static str,
    /// When all of it had been read back.
    pub at: String,
    /// The answer of then, but for its steps; null where it cannot be read.
    pub answer: Value,
}

/// A message that could not be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotSent {
    pub subject: String,
    /// Since when it waits.
    pub since: String,
    /// Why, in AWS's words.
    pub why: String,
}

/// A containment as the ledger has it. Times are RFC 3339, UTC.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OnRecord {
    pub containment_id: String,
    /// How far it is.
    pub state: State,
    /// When it was claimed: the plan of the cut and what it replaces were on record.
    pub claimed_at: String,
    /// Ids of the findings that named the instance, the first one first; a person's invoke is `manual-<request id>`.
    pub findings: Vec<String>,
    /// Why, and by whom where somebody said so.
    pub reason: Sentence,
    /// The outcome of the last attempt that ended in order.
    pub outcome: Option<String>,
    /// The outcome that people were notified of last.
    pub notified: Option<String>,
    /// When it was released.
    pub released_at: Option<String>,
    /// Somebody asked that the instance be stopped, too.
    pub stop: bool,
    /// The request id of the invocation that holds it, or held it last.
    pub holder: String,
    /// Until when it holds it.
    pub lease_until: String,
    /// Counts up with every claim and close.
    pub version: u64,
    /// When the last attempt that ended in order had read everything back.
    pub concluded_at: Option<String>,
    /// Somebody keeps undoing it.
    pub contest: Option<ContestOnRecord>,
}

/// A contest as the ledger has it. Times are RFC 3339, UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContestOnRecord {
    /// When a step was first held back.
    pub since: String,
    /// When one was last held back.
    pub seen: String,
    /// How often people were notified.
    pub notices: u32,
}

/// A step as the ledger has it. Times are RFC 3339, UTC.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepOnRecord {
    /// Its key within the containment.
    pub key: String,
    /// It belongs to the release.
    pub release: bool,
    pub lane: Lane,
    /// What kind of step it is, as its name.
    pub step: Kind,
    /// The API operation that makes the change.
    pub operation: &'static str,
    /// What it is about.
    pub resource: String,
    /// How it ended; `planned` where no attempt lived to record that.
    pub outcome: OutcomeKind,
    /// What a person should know of it: what it replaces and puts there, or what went wrong.
    pub detail: Sentence,
    /// What it changes: of what, from what, to what.
    pub change: ChangeOnRecord,
    /// The step itself, with what it replaces.
    pub record: Step,
    /// When the intent was recorded.
    pub recorded_at: String,
    /// When its outcome was.
    pub finished_at: Option<String>,
    /// When it was first recorded to be done; an older record does not say.
    pub first_done_at: Option<String>,
    /// When it was done again, having been undone.
    pub repairs: Vec<String>,
}

/// What a step changes, each side as one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangeOnRecord {
    /// What of the resource: `groups`, `instance profile`.
    pub of: &'static str,
    /// What was there before.
    pub before: String,
    /// What the step puts there.
    pub after: String,
}

impl Story {
    /// Tells what is on record. A report about an earlier containment is left out.
    #[must_use]
    pub fn of(key: &TargetKey, records: &Records, beside: Beside) -> Self {
        let current = records.current.as_ref();
        let reports =
            beside.reports.iter().filter(|report| current.is_some_and(|it| it.containment == report.containment));
        let reports = reports.map(|report| ReportOnRecord {
            of: report.of.word(),
            at: report.at.to_string(),
            answer: serde_json::from_str(&report.answer).unwrap_or_default(),
        });
        let unsent = beside.unsent.into_iter().map(|unsent| NotSent {
            subject: unsent.message.subject,
            since: unsent.at.to_string(),
            why: unsent.why,
        });
        let mut steps: Vec<&StepRecord> = records.steps.iter().collect();
        steps.sort_by_key(|record| (record.recorded_at, record.finished_at));
        Self {
            target: key.clone(),
            containment: records.current.as_ref().map(on_record),
            steps: steps.into_iter().map(|record| step_on_record(record, key.name())).collect(),
            reports: reports.collect(),
            questions: beside.questions,
            not_notified: unsent.collect(),
        }
    }
}

fn on_record(current: &Containment) -> OnRecord {
    OnRecord {
        containment_id: current.containment.to_string(),
        state: current.state,
        claimed_at: current.claimed_at.to_string(),
        findings: current.findings.clone(),
        reason: current.reason.clone(),
        outcome: current.outcome.clone(),
        notified: current.told.as_deref().map(|told| ledger::word_of(told).to_owned()),
        released_at: current.released_at.map(|at| at.to_string()),
        stop: current.stop,
        holder: current.holder.clone(),
        lease_until: current.lease_until.to_string(),
        version: current.version,
        concluded_at: current.concluded_at.map(|at| at.to_string()),
        contest: current.contest.as_ref().map(|contest| ContestOnRecord {
            since: contest.since.to_string(),
            seen: contest.seen.to_string(),
            notices: contest.notices,
        }),
    }
}

fn step_on_record(record: &StepRecord, instance: &str) -> StepOnRecord {
    let report = StepReport::new(&record.step, record.outcome.as_ref().unwrap_or(&Outcome::Planned), instance);
    let change = record.step.change();
    StepOnRecord {
        key: record.key.clone(),
        release: matches!(record.step, Step::GiveBack(_)),
        lane: report.lane,
        step: report.step,
        operation: report.operation,
        resource: report.resource,
        outcome: report.outcome,
        detail: report.detail,
        change: ChangeOnRecord {
            of: change.of,
            before: text::one_line(&change.before.to_string(), LONGEST_SIDE),
            after: text::one_line(&change.after.to_string(), LONGEST_SIDE),
        },
        record: record.step.clone(),
        recorded_at: record.recorded_at.to_string(),
        finished_at: record.finished_at.map(|at| at.to_string()),
        first_done_at: record.first_done_at.map(|at| at.to_string()),
        repairs: record.repairs.iter().map(ToString::to_string).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::ReportOf;
    use crate::model::ids::InstanceKey;
    use crate::model::timestamp::Timestamp;
    use crate::step::{ProtectStop, ProtectTermination};

    fn key() -> TargetKey {
        TargetKey::Instance(InstanceKey {
            account: "123456789012".parse().expect("account"),
            region: "us-east-1".parse().expect("region"),
            instance: "i-0123abcd".parse().expect("id"),
        })
    }

    #[test]
    fn an_instance_without_records_has_a_story_without_a_containment() {
        let story = Story::of(&key(), &Records::default(), Beside::default());
        assert_eq!((story.containment, story.steps), (None, Vec::new()));
    }

    #[test]
    fn steps_are_told_in_the_order_of_time_with_what_they_replace_and_each_repair() {
        let at = Timestamp::from_millis;
        let mut first =
            StepRecord::intended("k-1".to_owned(), Step::ProtectStop(ProtectStop { was: false }), at(2_000));
        first.outcome = Some(Outcome::changed());
        first.finished_at = Some(at(2_500));
        first.repairs = vec![at(9_000)];
        let unfinished = StepRecord::intended(
            "k-0".to_owned(),
            Step::ProtectTermination(ProtectTermination { was: true }),
            at(1_000),
        );
        let records = Records { steps: vec![first, unfinished], ..Records::default() };
        let story = Story::of(&key(), &records, Beside::default());
        let told: Vec<_> = story.steps.iter().map(|step| (step.key.as_str(), step.outcome.word())).collect();
        assert_eq!(told, [("k-0", "planned"), ("k-1", "changed")]);
        let value = serde_json::to_value(&story).expect("JSON");
        assert_eq!(value["steps"][1]["record"]["was"], false);
        assert_eq!(value["steps"][1]["repairs"][0], "1970-01-01T00:00:09.000Z");
        assert_eq!(value["steps"][1]["finished_at"], "1970-01-01T00:00:02.500Z");
        assert_eq!(
            value["steps"][1]["change"],
            serde_json::json!({"of": "stop protection", "before": "off", "after": "on"})
        );
    }

    #[test]
    fn what_was_read_back_is_told_of_this_containment_alone() {
        let report = |of: ReportOf, containment: &str, answer: &str| Report {
            of,
            containment: containment.into(),
            version: 1,
            at: Timestamp::from_millis(1_000),
            answer: answer.to_owned(),
        };
        let reports = vec![
            report(ReportOf::Answer, "c", r#"{"outcome":"partial"}"#),
            report(ReportOf::Release, "an earlier one", r#"{"outcome":"released"}"#),
        ];
        let records = Records { current: Some(crate::testing::current()), steps: Vec::new() };
        let story = Story::of(&key(), &records, Beside { reports, ..Beside::default() });
        let told: Vec<_> = story.reports.iter().map(|report| (report.of, &report.answer["outcome"])).collect();
        assert_eq!(told, [("containment", &Value::from("partial"))]);
    }
}
