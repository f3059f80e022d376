//! The story of one instance's containment: everything that the ledger has on record of it, as one typed answer, made from
//! the records alone. Nothing is judged here: what is true now, a verification says.

use serde::Serialize;

use crate::{
    containment::StepReport,
    ids::{AccountId, InstanceId, Region},
    ledger::{Current, InstanceKey, Records, State, StepRecord},
    step::{Kind, Lane, Outcome, OutcomeKind, Step},
    text::Sentence,
    told,
};

/// Everything that is on record of one instance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Story {
    /// Its account.
    pub account: AccountId,
    /// Its Region.
    pub region: Region,
    /// The instance.
    pub instance_id: InstanceId,
    /// Its last containment, which may be over; none where this ledger never had one.
    pub containment: Option<OnRecord>,
    /// The steps of that containment and of its release, in the order in which they were recorded.
    pub steps: Vec<StepOnRecord>,
}

/// A containment as the ledger has it. Times are RFC 3339, UTC.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OnRecord {
    /// Its id.
    pub containment_id: String,
    /// How far it is.
    pub state: State,
    /// When it was claimed: the plan of the cut and what it replaces were on record.
    pub claimed_at: String,
    /// Ids of the findings that named the instance, the first one first; a person's invoke is `manual-<request id>`.
    pub findings: Vec<String>,
    /// Why, and by whom where somebody said so.
    pub reason: String,
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
}

/// A step as the ledger has it. Times are RFC 3339, UTC.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepOnRecord {
    /// Its key within the containment.
    pub key: String,
    /// It belongs to the release.
    pub release: bool,
    /// The lane.
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
    /// The step itself, with what it replaces.
    pub record: Step,
    /// When the intent was recorded.
    pub recorded_at: String,
    /// When its outcome was.
    pub finished_at: Option<String>,
    /// When it was done again, having been undone.
    pub repairs: Vec<String>,
}

impl Story {
    /// Tells what is on record.
    #[must_use]
    pub fn of(key: &InstanceKey, records: &Records) -> Self {
        let mut steps: Vec<&StepRecord> = records.steps.iter().collect();
        steps.sort_by_key(|record| (record.recorded_at, record.finished_at));
        Self {
            account: key.account.clone(),
            region: key.region.clone(),
            instance_id: key.instance.clone(),
            containment: records.current.as_ref().map(on_record),
            steps: steps.into_iter().map(|record| step_on_record(record, &key.instance)).collect(),
        }
    }
}

fn on_record(current: &Current) -> OnRecord {
    OnRecord {
        containment_id: current.containment.to_string(),
        state: current.state,
        claimed_at: current.claimed_at.to_string(),
        findings: current.findings.clone(),
        reason: current.reason.clone(),
        outcome: current.outcome.clone(),
        notified: current.told.as_deref().map(|told| told::word_of(told).to_owned()),
        released_at: current.released_at.map(|at| at.to_string()),
        stop: current.stop,
        holder: current.holder.clone(),
        lease_until: current.lease_until.to_string(),
        version: current.version,
    }
}

fn step_on_record(record: &StepRecord, instance: &InstanceId) -> StepOnRecord {
    let report = StepReport::new(&record.step, record.outcome.as_ref().unwrap_or(&Outcome::Planned), instance);
    StepOnRecord {
        key: record.key.clone(),
        release: matches!(record.step, Step::GiveBack(_)),
        lane: report.lane,
        step: report.step,
        operation: report.operation,
        resource: report.resource,
        outcome: report.outcome,
        detail: report.detail,
        record: record.step.clone(),
        recorded_at: record.recorded_at.to_string(),
        finished_at: record.finished_at.map(|at| at.to_string()),
        repairs: record.repairs.iter().map(ToString::to_string).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::Timestamp;

    fn key() -> InstanceKey {
        InstanceKey {
            account: "123456789012".parse().expect("account"),
            region: "us-east-1".parse().expect("region"),
            instance: "i-0123abcd".parse().expect("id"),
        }
    }

    #[test]
    fn an_instance_without_records_has_a_story_without_a_containment() {
        let story = Story::of(&key(), &Records::default());
        assert_eq!((story.containment, story.steps), (None, Vec::new()));
    }

    #[test]
    fn steps_are_told_in_the_order_of_time_with_what_they_replace_and_each_repair() {
        let at = Timestamp::from_millis;
        let mut first = StepRecord::intended("k-1".to_owned(), Step::ProtectStop { was: false }, at(2_000));
        first.outcome = Some(Outcome::changed());
        first.finished_at = Some(at(2_500));
        first.repairs = vec![at(9_000)];
        let unfinished = StepRecord::intended("k-0".to_owned(), Step::ProtectTermination { was: true }, at(1_000));
        let records = Records { steps: vec![first, unfinished], ..Records::default() };
        let story = Story::of(&key(), &records);
        let told: Vec<_> = story.steps.iter().map(|step| (step.key.as_str(), step.outcome.word())).collect();
        assert_eq!(told, [("k-0", "planned"), ("k-1", "changed")]);
        let value = serde_json::to_value(&story).expect("JSON");
        assert_eq!(value["steps"][1]["record"]["was"], false);
        assert_eq!(value["steps"][1]["repairs"][0], "1970-01-01T00:00:09.000Z");
        assert_eq!(value["steps"][1]["finished_at"], "1970-01-01T00:00:02.500Z");
    }
}
