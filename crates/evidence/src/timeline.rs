//! What happened when, a JSON object a line, with the fields that Timesketch needs: `message`, `datetime`, `timestamp_desc`
//! (<https://timesketch.org/guides/user/import-from-json-csv/>).

use brig_core::{model::timestamp::Timestamp, report::story::Story, step::OutcomeKind};
use brig_trace::Record;
use serde::Serialize;

/// One moment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Row {
    /// RFC 3339, UTC.
    pub datetime: String,
    /// What kind of moment it is.
    pub timestamp_desc: &'static str,
    /// What happened, for a person.
    pub message: String,
    /// `cloudtrail` or `brig`.
    pub source_short: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

impl Row {
    fn of_brig(datetime: String, timestamp_desc: &'static str, message: String, resource: Option<String>) -> Self {
        Self {
            datetime,
            timestamp_desc,
            message,
            source_short: "brig",
            event_id: None,
            event_name: None,
            user: None,
            access_key_id: None,
            source_ip: None,
            region: None,
            error: None,
            resource,
        }
    }
}

/// The rows of CloudTrail's records.
pub fn rows_of_records(records: &[Record]) -> impl Iterator<Item = Row> + '_ {
    records.iter().map(|record| {
        let who = record.caller.shown();
        let failed = record.error.as_ref().map(|error| format!(" failed: {error}")).unwrap_or_default();
        Row {
            datetime: record.at.to_string(),
            timestamp_desc: "API call",
            message: format!("{} by {who}{failed}", record.call),
            source_short: "cloudtrail",
            event_id: Some(record.id.clone()),
            event_name: Some(format!("{}:{}", record.service, record.call)),
            user: Some(who),
            access_key_id: record.caller.key.clone(),
            source_ip: record.address.clone(),
            region: Some(record.region.clone()),
            error: record.error.clone(),
            resource: record.resources.first().cloned(),
        }
    })
}

/// The rows of a containment, from what is on record.
#[must_use]
pub fn rows_of_story(story: &Story) -> Vec<Row> {
    let mut rows = Vec::new();
    if let Some(containment) = &story.containment {
        let mut add = |at: Option<&String>, desc, message: &str| {
            rows.extend(at.map(|at| Row::of_brig(at.clone(), desc, message.to_owned(), None)));
        };
        add(Some(&containment.claimed_at), "containment claimed", "the plan, and all that it replaces, is on record");
        add(containment.concluded_at.as_ref(), "containment read back", "everything was read back for the last time");
        add(containment.released_at.as_ref(), "containment released", "it was given back");
    }
    for step in &story.steps {
        let resource = Some(step.resource.clone());
        let name: &'static str = step.operation;
        let what = if step.release { "giving back" } else { "step" };
        let mut add = |at: Option<&String>, desc, message: String| {
            rows.extend(at.map(|at| Row {
                event_name: Some(name.to_owned()),
                ..Row::of_brig(at.clone(), desc, message, resource.clone())
            }));
        };
        add(Some(&step.recorded_at), "step planned", format!("{what} planned: {}", step.key));
        if step.outcome != OutcomeKind::Planned {
            let outcome = serde_json::to_value(step.outcome).unwrap_or_default();
            let outcome = outcome.as_str().unwrap_or_default();
            add(step.finished_at.as_ref(), "step ended", format!("{what} {outcome}: {}", step.key));
        }
        for at in &step.repairs {
            add(Some(at), "step repaired", format!("{what} done again, having been undone: {}", step.key));
        }
    }
    rows
}

/// The timeline's text: each row once, in the order of time.
#[must_use]
pub fn timeline(mut rows: Vec<Row>) -> String {
    rows.sort_by_cached_key(|row| (Timestamp::parse(&row.datetime), row.clone()));
    rows.dedup();
    rows.iter().filter_map(|row| serde_json::to_string(row).ok()).map(|line| line + "\n").collect()
}
