//! The first line of a message: the state, the instance, where and when.

use super::Audience;
use crate::{ledger::Conclusion, model::text, report::answer::Answer};

/// The state in a few words; capitals for what nobody should overlook.
pub(super) fn state(outcome: Conclusion) -> &'static str {
    match outcome {
        Conclusion::Contained => "CONTAINED",
        Conclusion::AlreadyContained => "ALREADY CONTAINED",
        Conclusion::Partial => "ONLY PARTLY CONTAINED",
        Conclusion::InProgress => "IN PROGRESS",
        Conclusion::Observed => "OBSERVED, NOTHING CHANGED",
        Conclusion::Planned => "PLANNED, NOTHING CHANGED",
        Conclusion::Asked => "DECISION NEEDED",
        Conclusion::Ignored => "IGNORED",
        Conclusion::Refused => "REFUSED",
        Conclusion::Failed => "NOT CONTAINED",
        Conclusion::Verified => "VERIFIED",
        Conclusion::Repaired => "CHANGED BY SOMEBODY, REPAIRED",
        Conclusion::Drifted => "CONTAINMENT HAS DRIFTED",
        Conclusion::Contested => "CONTAINMENT KEEPS BEING UNDONE",
        Conclusion::Contradicted => "TRAFFIC AFTER THE CUT",
        Conclusion::Unverified => "COULD NOT BE VERIFIED",
        Conclusion::Released => "RELEASED",
        Conclusion::ReleasePartial => "ONLY PARTLY RELEASED",
    }
}

/// The instance, with its Name tag where it has one.
pub(super) fn subject(answer: &Answer, audience: &Audience<'_>) -> String {
    let name = audience.instance_name.as_ref().or(answer.instance_name.as_ref());
    match name {
        Some(name) => format!("{} ({})", answer.instance_id, text::one_line(name, text::NAME)),
        None => answer.instance_id.to_string(),
    }
}

/// `CONTAINED: i-1 (web-1), 123456789012, us-east-1, 18:37:44 UTC, 0.6 s after the event.`
pub(super) fn headline(answer: &Answer, audience: &Audience<'_>) -> String {
    let Answer { account, region, outcome, .. } = answer;
    let mut parts = vec![subject(answer, audience), account.to_string(), region.to_string()];
    if let Some(at) = answer.isolated.map(|isolated| isolated.at).or(answer.at) {
        let at = at.to_string();
        let time = at.split('T').nth(1).and_then(|time| time.get(..8)).unwrap_or_default();
        parts.push(format!("{time} UTC"));
    }
    if let Some(isolated) = answer.isolated {
        parts.push(format!("{} after the event", seconds(isolated.after_ms)));
    }
    format!("{}: {}.", state(*outcome), parts.join(", "))
}

/// Milliseconds as seconds, to a tenth below a minute.
fn seconds(millis: u64) -> String {
    let tenths = millis.saturating_add(50) / 100;
    if tenths < 600 { format!("{}.{} s", tenths / 10, tenths % 10) } else { format!("{} s", tenths / 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_told_to_a_tenth_while_that_matters() {
        let told: Vec<String> = [0, 49, 50, 640, 59_949, 59_950, 125_000].into_iter().map(seconds).collect();
        assert_eq!(told, ["0.0 s", "0.0 s", "0.1 s", "0.6 s", "59.9 s", "60 s", "125 s"]);
    }
}
