//! What people are told: one SNS message whose first sentence an on-call person can act on, and the response entry as
//! JSON for machines.

mod advice;
pub mod chat;
mod details;
mod notice;
pub mod pager;
mod reply;
mod subject;

use serde_json::{Value, json};

pub use notice::Unhandled;

use crate::{
    containment::{Containment, Resolution},
    finding::Finding,
    policy::Exemption,
    text,
    timestamp::Timestamp,
};

/// SNS's limit for a message with all its variants, in bytes
/// (<https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html>).
const LARGEST: usize = 256 * 1024 - 4096;

/// A message, ready to publish with `MessageStructure` json.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// At most 99 ASCII characters.
    pub subject: String,
    /// The JSON object of variants by protocol.
    pub body: String,
    /// Attributes: name, SNS data type, value; never an empty value.
    pub attributes: Vec<(&'static str, &'static str, String)>,
    /// The same for a chat channel: a custom notification as JSON. None in a message that is itself for one channel only.
    pub chat: Option<String>,
}

impl Message {
    /// The message as it is sent later than it was composed: its texts say so first, since what they say was true then.
    #[must_use]
    pub fn late(&self, composed: Timestamp) -> Self {
        let mut body: Value = serde_json::from_str(&self.body).unwrap_or(Value::Null);
        for text in ["default", "email"] {
            if let Some(value) = body.get_mut(text) {
                let was = value.as_str().unwrap_or_default();
                *value = Value::from(format!(
                    "Sent late: this message could not be sent at {composed}, and says what was true then.\n\n{was}"
                ));
            }
        }
        let body = if body.is_null() { self.body.clone() } else { body.to_string() };
        Self { body, ..self.clone() }
    }
}

/// The message that a readiness check sends, which alone shows that people can be notified.
#[must_use]
pub fn trial(function: &str) -> Message {
    let text = format!(
        "This is a test of {function}: somebody asked whether people can be notified, and they can. Nothing is contained.\n"
    );
    let body = json!({"default": text, "email": text}).to_string();
    let attributes = vec![("outcome", "String", "test".to_owned())];
    let title = format!("test: {function} can notify you");
    let chat = Some(chat::trial(&title, &text));
    Message { subject: subject::subject(&format!("[Brig] {title}")), body, attributes, chat }
}

/// The name and data type of an attribute, as messages have them; none for one that they do not have.
#[must_use]
pub fn attribute(name: &str) -> Option<(&'static str, &'static str)> {
    const ALL: [(&str, &str); 6] = [
        ("outcome", "String"),
        ("account", "String"),
        ("region", "String"),
        ("instance_id", "String"),
        ("severity", "Number"),
        ("kind", "String"),
    ];
    ALL.into_iter().find(|(known, _)| *known == name)
}

/// What the texts need beside the containment itself.
#[derive(Debug, Clone)]
pub struct Audience<'a> {
    /// The function's name, for the command lines in the text.
    pub function: &'a str,
    /// The name of the function that releases.
    pub release_function: &'a str,
    /// The ledger table's name.
    pub table: &'a str,
    /// The instance's name tag.
    pub instance_name: Option<String>,
    /// The tag that exempts the instance, where it has one.
    pub exemption: Option<Exemption<'a>>,
    /// What people were last told of the containment, as [`told::standing`](crate::told::standing) says it; none of what is
    /// new to them.
    pub told: Option<&'a str>,
}

/// Takes one line of a text.
type Line<'a> = dyn FnMut(&str) + 'a;

/// Composes the message about a containment.
#[must_use]
pub fn compose(containment: &Containment, finding: &Finding, audience: &Audience<'_>) -> Message {
    let sms = subject::sms(containment);
    let body = [usize::MAX, 400, 100, 25, 5, 0]
        .into_iter()
        .map(|most| variants(containment, finding, audience, &sms, most))
        .find(|body| body.len() <= LARGEST)
        .unwrap_or_else(|| json!({"default": text::one_line(&containment.verdict.summary, text::REPORT)}).to_string());
    let mut attributes = vec![
        ("outcome", "String", containment.outcome.word().to_owned()),
        ("account", "String", containment.account.to_string()),
        ("region", "String", containment.region.to_string()),
        ("instance_id", "String", containment.instance_id.to_string()),
    ];
    if let Some(severity) = finding.severity {
        attributes.push(("severity", "Number", severity.to_string()));
    }
    let chat = Some(chat::of(containment, audience));
    Message { subject: subject::of(containment), body, attributes, chat }
}

/// The message about an address that no instance is known for.
#[must_use]
pub fn unresolved(resolution: &Resolution) -> Message {
    let mut text = String::new();
    let mut line = |content: &str| write_line(&mut text, content);
    line(&resolution.verdict.summary);
    line("");
    line(&format!("Why: {}", resolution.reason));
    for note in &resolution.notes {
        line(&format!("- {note}"));
    }
    details::report(&mut line, &resolution.report);
    let mut entry = serde_json::to_value(resolution).unwrap_or(Value::Null);
    if let Some(map) = entry.as_object_mut() {
        map.insert("schema".to_owned(), json!(1));
        pager::Event::of_address(resolution).insert(map);
    }
    text::clean(&mut entry);
    let entry = entry.to_string();
    let chat = Some(chat::of_address(resolution));
    let body = json!({"default": text, "email": text, "sms": subject::short(&resolution.verdict.summary),
        "sqs": entry, "lambda": entry, "http": entry, "https": entry, "firehose": entry});
    Message {
        subject: subject::of_address(resolution),
        body: body.to_string(),
        attributes: vec![
            ("outcome", "String", resolution.outcome.word().to_owned()),
            ("account", "String", resolution.account.to_string()),
            ("region", "String", resolution.region.to_string()),
        ],
        chat,
    }
}

/// The text that a person reads. `most` bounds each list of steps.
#[must_use]
pub fn text(containment: &Containment, finding: &Finding, audience: &Audience<'_>, most: usize) -> String {
    let mut text = String::new();
    let mut line = |content: &str| write_line(&mut text, content);
    line(&containment.verdict.summary);
    line("");
    if let Some(name) = &audience.instance_name {
        line(&format!("Instance: {} ({name})", containment.instance_id));
    }
    line(&format!("Where: account {}, {}", containment.account, containment.region));
    let severity = finding.severity.map_or_else(String::new, |severity| format!(", severity {severity}"));
    line(&format!("Why: {}{severity} [{}]", containment.reason, finding.id));
    if let Some(id) = &containment.containment_id {
        line(&format!("Containment: {id}"));
    }
    line("");
    line("What to do now");
    for advice in advice::advice(containment, audience) {
        line(&format!("- {advice}"));
    }
    if details::is_question(containment) {
        details::known(&mut line, finding);
    }
    let done = |outcome: &str| matches!(outcome, "changed" | "already_done");
    let planned = containment.steps.iter().any(|step| step.outcome == "planned");
    details::section(
        &mut line,
        if planned { "What would be done" } else { "What could not be done" },
        containment,
        most,
        |outcome| !done(outcome),
    );
    details::section(&mut line, if planned { "What is so already" } else { "What was done" }, containment, most, done);
    details::what_is_left(&mut line, containment, most);
    if finding.source.is_abuse() && !planned {
        line("");
        line("Draft of an answer to AWS, which expects one within 24 hours (check it before you send it)");
        for sentence in reply::draft(containment) {
            line(&format!("  {sentence}"));
        }
    }
    if !containment.notes.is_empty() {
        line("");
        line("What you should know");
        details::listed(&mut line, &containment.notes, most);
    }
    text
}

/// Writes one line, whatever names and words of others are in it. What indents it stays.
fn write_line(text: &mut String, content: &str) {
    let words = content.trim_start_matches(' ');
    text.push_str(content.get(..content.len() - words.len()).unwrap_or_default());
    text.push_str(&text::one_line(words, text::REPORT));
    text.push('\n');
}

fn variants(containment: &Containment, finding: &Finding, audience: &Audience<'_>, sms: &str, most: usize) -> String {
    let text = text(containment, finding, audience, most);
    let entry = entry(containment, audience, most).to_string();
    let mut body = json!({"default": text, "email": text, "sms": sms});
    if let Some(map) = body.as_object_mut() {
        for protocol in ["sqs", "lambda", "http", "https", "firehose"] {
            map.insert(protocol.to_owned(), Value::from(entry.clone()));
        }
    }
    body.to_string()
}

/// The response entry with its schema's number; lists longer than `most` are cut and counted.
fn entry(containment: &Containment, audience: &Audience<'_>, most: usize) -> Value {
    let mut value = serde_json::to_value(containment).unwrap_or(Value::Null);
    let mut more = vec![("schema".to_owned(), json!(1))];
    for (name, list) in [("steps", "/steps"), ("notes", "/notes"), ("paths", "/verdict/paths")] {
        let Some(items) = value.pointer_mut(list).and_then(Value::as_array_mut) else { continue };
        let cut = items.len().saturating_sub(most);
        items.truncate(most);
        if cut > 0 {
            more.push((format!("{name}_cut"), json!(cut)));
        }
    }
    if let Some(map) = value.as_object_mut() {
        map.extend(more);
        pager::Event::of(containment, audience.told).insert(map);
    }
    text::clean(&mut value);
    value
}

#[cfg(test)]
mod tests;
