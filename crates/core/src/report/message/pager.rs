//! What a pager needs to keep one incident a containment: a key that all of its messages share, and whether a message opens
//! the incident, changes nothing about it, or ends it. The words are those of PagerDuty's Events API v2
//! (<https://developer.pagerduty.com/docs/events-api-v2-overview>), which others took over.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    ledger::{self, Conclusion},
    report::{
        answer::{Answer, Resolution},
        principal::PrincipalAnswer,
    },
};

/// PagerDuty takes no longer key.
const LONGEST_KEY: usize = 255;

/// What a message does to its incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EventAction {
    /// Somebody is needed: opens the incident, or adds to the one that is open.
    Trigger,
    /// No news for somebody who knows of it: nobody else is to be woken.
    Acknowledge,
    /// What somebody was needed for is over.
    Resolve,
}

impl EventAction {
    /// The action of an outcome. `told` is what people were last told of the containment.
    #[must_use]
    pub fn of(outcome: Conclusion, told: Option<&str>) -> Self {
        match outcome {
            // The first one needs somebody who investigates. After anything else it is whole again.
            Conclusion::Contained => match told.map(ledger::word_of) {
                None => Self::Trigger,
                Some(word) if word == Conclusion::Contained.word() => Self::Trigger,
                Some(_) => Self::Resolve,
            },
            Conclusion::Partial
            | Conclusion::Observed
            | Conclusion::Asked
            | Conclusion::Refused
            | Conclusion::Failed
            // It holds again, and whoever undid it may do so again.
            | Conclusion::Repaired
            | Conclusion::Drifted
            | Conclusion::Contested
            | Conclusion::Contradicted
            | Conclusion::Unverified
            | Conclusion::ReleasePartial => Self::Trigger,
            Conclusion::AlreadyContained | Conclusion::InProgress | Conclusion::Planned | Conclusion::Ignored => {
                Self::Acknowledge
            }
            Conclusion::Verified | Conclusion::Released => Self::Resolve,
        }
    }
}

/// What the entry for machines says to a pager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The same for every message of one containment.
    pub dedup_key: String,
    /// What becomes of the incident.
    pub event_action: EventAction,
}

impl Event {
    /// Of a containment; where there is none yet, of the question, else of the instance.
    #[must_use]
    pub fn of(answer: &Answer, told: Option<&str>) -> Self {
        Self { dedup_key: key(answer), event_action: EventAction::of(answer.outcome, told) }
    }

    /// Of a principal's containment; where there is none yet, of the question, else of the principal.
    #[must_use]
    pub fn of_principal(answer: &PrincipalAnswer, told: Option<&str>) -> Self {
        let key = match (&answer.containment_id, &answer.question) {
            (Some(id), _) => id.as_str().to_owned(),
            (None, Some(question)) => format!("question/{question}"),
            (None, None) => answer.place(),
        };
        Self { dedup_key: bounded(key), event_action: EventAction::of(answer.outcome, told) }
    }

    /// Of an address that no instance is known for.
    #[must_use]
    pub fn of_address(resolution: &Resolution) -> Self {
        let Resolution { account, region, address, .. } = resolution;
        Self {
            dedup_key: bounded(format!("{account}/{region}/{address}")),
            event_action: EventAction::of(resolution.outcome, None),
        }
    }

    /// Of what an event holds that nothing could be done about.
    #[must_use]
    pub fn of_event(event: &str) -> Self {
        Self { dedup_key: bounded(format!("event/{event}")), event_action: EventAction::Trigger }
    }

    pub(super) fn insert(self, entry: &mut Map<String, Value>) {
        entry.insert("dedup_key".to_owned(), Value::from(self.dedup_key));
        entry.insert("event_action".to_owned(), json!(self.event_action));
    }
}

/// The key of an incident, which is also the thread of a chat.
#[must_use]
pub fn key(answer: &Answer) -> String {
    let Answer { account, region, instance_id, .. } = answer;
    match (&answer.containment_id, &answer.question) {
        (Some(id), _) => id.as_str().to_owned(),
        (None, Some(question)) => format!("question/{question}"),
        (None, None) => format!("{account}/{region}/{instance_id}"),
    }
}

/// A key that is too long for a pager is cut, with its digest, so that two of them stay two.
fn bounded(key: String) -> String {
    if key.len() <= LONGEST_KEY {
        return key;
    }
    let digest = ledger::digest([key.as_str()]);
    let head: String = key.chars().filter(char::is_ascii).take(LONGEST_KEY - digest.len() - 1).collect();
    format!("{head}#{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_again_and_released_end_the_incident_and_the_first_containment_does_not() {
        for (outcome, told, action) in [
            (Conclusion::Contained, None, EventAction::Trigger),
            (Conclusion::Contained, Some("contained"), EventAction::Trigger),
            (Conclusion::Contained, Some("partial#0123456789ab"), EventAction::Resolve),
            (Conclusion::Contained, Some("contested"), EventAction::Resolve),
            (Conclusion::Contained, Some("contradicted"), EventAction::Resolve),
            (Conclusion::Verified, Some("contained"), EventAction::Resolve),
            (Conclusion::Released, Some("contained"), EventAction::Resolve),
            (Conclusion::ReleasePartial, Some("contained"), EventAction::Trigger),
            (Conclusion::Repaired, Some("contained"), EventAction::Trigger),
            (Conclusion::Asked, None, EventAction::Trigger),
            (Conclusion::AlreadyContained, Some("contained"), EventAction::Acknowledge),
        ] {
            assert_eq!(EventAction::of(outcome, told), action, "{outcome:?} after {told:?}");
        }
    }

    #[test]
    fn a_key_that_is_too_long_is_cut_and_stays_its_own() {
        let [one, other] = ["a", "b"].map(|end| Event::of_event(&format!("{}{end}", "x".repeat(300))).dedup_key);
        assert!(one.len() <= LONGEST_KEY && one.starts_with("event/xxx") && one != other, "{one}");
    }
}
