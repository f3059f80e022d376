//! The subject and the SMS: what fits on a phone's first line.

use super::{Audience, details, headline};
use crate::{
    decide::Strength,
    ledger::Conclusion,
    model::text::{self, Sentence},
    report::{
        answer::{Answer, Resolution},
        fact::Truth,
    },
    step::Lane,
};

const LONGEST_SUBJECT: usize = 99;
/// Two parts: one has 160 characters, and the end of the sentence is what matters
/// (<https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html>).
const LONGEST_SMS: usize = 306;

pub(super) fn of(answer: &Answer, audience: &Audience<'_>) -> String {
    let Answer { account, region, outcome, .. } = answer;
    let instance = headline::subject(answer, audience);
    subject(&format!("[Brig] {}: {instance} in {account}/{region}", headline::state(*outcome)))
}

pub(super) fn of_address(resolution: &Resolution) -> String {
    let Resolution { address, account, region, outcome, .. } = resolution;
    subject(&format!("[Brig] {}: {address} in {account}/{region}", headline::state(*outcome)))
}

/// The headline, then what does not hold, then what does, then what to do.
pub(super) fn sms(answer: &Answer, audience: &Audience<'_>) -> String {
    let Answer { outcome, verdict, .. } = answer;
    let mut parts = vec![format!("Brig: {}", headline::headline(answer, audience))];
    parts.extend(verdict.alerts.iter().map(|alert| format!("{alert}.")));
    if verdict.lanes.is_empty() {
        let why = if verdict.alerts.is_empty() { answer.reason.clone() } else { Sentence::NONE };
        parts.push(format!("{why}."));
    } else {
        let mut lanes: Vec<_> = verdict.lanes.iter().collect();
        lanes.sort_by_key(|line| line.truth == Truth::Yes);
        let words: Vec<String> = lanes
            .iter()
            .map(|line| match line.truth {
                Truth::Yes => kept(line.lane).to_owned(),
                Truth::Partial => format!("{} PARTLY", details::title(line.lane)),
                Truth::No => format!("{} FAILED", details::title(line.lane)),
                Truth::Unknown => format!("{} NOT CONFIRMED", details::title(line.lane)),
            })
            .collect();
        parts.push(format!("{}.", words.join(", ")));
    }
    let next = match outcome {
        // A yes would be refused as long as the tag forbids it: what to do first is in the message.
        Conclusion::Asked if audience.exemption.is_some_and(|tag| tag.strength == Strength::Never) => None,
        Conclusion::Asked => answer.question.as_ref().map(|question| format!("decide {question} yes|no")),
        Conclusion::Contained
        | Conclusion::Partial
        | Conclusion::AlreadyContained
        | Conclusion::InProgress
        | Conclusion::Observed
        | Conclusion::Planned
        | Conclusion::Ignored
        | Conclusion::Refused
        | Conclusion::Failed
        | Conclusion::Verified
        | Conclusion::Repaired
        | Conclusion::Drifted
        | Conclusion::Contested
        | Conclusion::Contradicted
        | Conclusion::Unverified
        | Conclusion::Released
        | Conclusion::ReleasePartial => None,
    };
    let next = next.unwrap_or_else(|| format!("show {}", audience.place(answer)));
    let next = format!("{} {next}", audience.command());
    // What to do is never cut off: the rest makes room for it.
    let room = LONGEST_SMS.saturating_sub(next.chars().count() + 1);
    format!("{} {}", ascii(&parts.join(" "), room), ascii(&next, LONGEST_SMS))
}

/// What holds of a lane, in a word or two.
fn kept(lane: Lane) -> &'static str {
    match lane {
        Lane::Network => "Network blocked",
        Lane::Credentials => "Credentials denied",
        Lane::Fleet => "Fleet left",
        Lane::Evidence => "Evidence kept",
    }
}

/// A subject as SNS takes it (<https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>).
pub(super) fn subject(line: &str) -> String {
    ascii(line, LONGEST_SUBJECT)
}

/// A text as an SMS.
pub(super) fn short(line: &str) -> String {
    ascii(line, LONGEST_SMS)
}

/// One line of ASCII, which a subject must be and an SMS costs half as; a longer text ends after a whole word.
fn ascii(line: &str, most: usize) -> String {
    let line = text::one_line(line, text::REPORT);
    let line: String = line.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
    if line.len() <= most {
        return line;
    }
    let room = most.saturating_sub(3);
    let cut = line.get(..room).unwrap_or_default();
    let ends_a_word = line.get(room..).is_some_and(|rest| rest.starts_with(' '));
    let whole = if ends_a_word { cut } else { cut.rsplit_once(' ').map_or(cut, |(whole, _)| whole) };
    format!("{}...", whole.trim_end())
}
