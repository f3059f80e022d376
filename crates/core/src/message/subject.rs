//! The subject and the SMS: what fits on a phone's first line.

use crate::{
    containment::{Conclusion, Containment, Resolution},
    text,
};

const LONGEST_SUBJECT: usize = 99;
/// Two parts: one has 160 characters, and the end of the sentence is what matters
/// (<https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html>).
const LONGEST_SMS: usize = 306;

pub(super) fn of(containment: &Containment) -> String {
    let Containment { instance_id, account, region, outcome, .. } = containment;
    subject(&format!("[Brig] {}: {instance_id} in {account}/{region}", heading(*outcome)))
}

pub(super) fn of_address(resolution: &Resolution) -> String {
    let Resolution { address, account, region, outcome, .. } = resolution;
    subject(&format!("[Brig] {}: {address} in {account}/{region}", heading(*outcome)))
}

pub(super) fn sms(containment: &Containment) -> String {
    short(&format!("Brig {}: {}", heading(containment.outcome), containment.verdict.summary))
}

/// A subject as SNS takes it (<https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>).
pub(super) fn subject(line: &str) -> String {
    ascii(line, LONGEST_SUBJECT)
}

/// A text as an SMS.
pub(super) fn short(line: &str) -> String {
    ascii(line, LONGEST_SMS)
}

/// One line of ASCII, which a subject must be and an SMS costs half as; a longer text is cut.
fn ascii(line: &str, most: usize) -> String {
    let line = text::one_line(line, text::REPORT);
    let mut ascii: String = line.chars().map(|c| if c.is_ascii() { c } else { '?' }).take(most).collect();
    if line.chars().count() > most {
        ascii.truncate(most.saturating_sub(3));
        ascii.push_str("...");
    }
    ascii
}

pub(super) fn heading(outcome: Conclusion) -> &'static str {
    match outcome {
        Conclusion::Contained => "contained",
        Conclusion::AlreadyContained => "already contained",
        Conclusion::Partial => "ONLY PARTLY CONTAINED",
        Conclusion::InProgress => "in progress",
        Conclusion::Observed => "observed, nothing done",
        Conclusion::Planned => "planned, nothing done",
        Conclusion::Asked => "DECISION NEEDED",
        Conclusion::Ignored => "ignored",
        Conclusion::Refused => "REFUSED",
        Conclusion::Failed => "NOT CONTAINED",
        Conclusion::Verified => "verified",
        Conclusion::Repaired => "DRIFT PUT RIGHT",
        Conclusion::Drifted => "CONTAINMENT HAS DRIFTED",
        Conclusion::Contested => "CONTAINMENT IS BEING FOUGHT",
        Conclusion::Contradicted => "TRAFFIC AFTER THE CUT",
        Conclusion::Unverified => "COULD NOT BE VERIFIED",
        Conclusion::Released => "released",
        Conclusion::ReleasePartial => "ONLY PARTLY RELEASED",
    }
}
