//! What people are notified of: one SNS message whose first lines an on-call person can act on, and the response entry as
//! JSON for machines.

pub(crate) mod advice;
pub mod chat;
mod details;
mod headline;
mod links;
mod notice;
pub mod pager;
pub mod principal;
mod reply;
mod subject;

use serde_json::{Value, json};

pub use notice::Unhandled;

use crate::{
    decide::Exemption,
    ledger::Conclusion,
    model::{
        ids::{AccountId, Region},
        text,
        timestamp::Timestamp,
    },
    report::answer::{Answer, Resolution},
    trigger::Finding,
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
    const ALL: [(&str, &str); 8] = [
        ("outcome", "String"),
        ("account", "String"),
        ("region", "String"),
        ("instance_id", "String"),
        ("user", "String"),
        ("access_key_id", "String"),
        ("severity", "Number"),
        ("kind", "String"),
    ];
    ALL.into_iter().find(|(known, _)| *known == name)
}

/// What the texts need in addition to the containment itself.
#[derive(Debug, Clone)]
pub struct Audience<'a> {
    /// The function's name, for the commands in the text.
    pub function: &'a str,
    /// The name of the function that releases.
    pub release_function: &'a str,
    /// The ledger table's name.
    pub table: &'a str,
    /// The function's own account; none where it is not known.
    pub account: Option<&'a AccountId>,
    /// The function's Region, for links; none where it is not known.
    pub region: Option<&'a Region>,
    /// The function's log group.
    pub log_group: &'a str,
    /// The instance's name tag.
    pub instance_name: Option<String>,
    /// The tag that exempts the instance, where it has one.
    pub exemption: Option<Exemption<'a>>,
    /// What people were last told of the containment, as [`standing`](crate::report::notices::standing) says it; none of what is
    /// new to them.
    pub told: Option<&'a str>,
}

impl Audience<'_> {
    /// An instance as `brig` takes it: its id alone where the function itself is.
    fn place(&self, answer: &Answer) -> String {
        let Answer { account, region, instance_id, .. } = answer;
        let here = self.account == Some(account) && self.region == Some(region);
        if here { instance_id.to_string() } else { format!("{account}/{region}/{instance_id}") }
    }

    /// `brig`, with the stack's name where it is another one.
    fn command(&self) -> String {
        match self.function.strip_suffix("-contain") {
            Some("brig") | None => "brig".to_owned(),
            Some(stack) => format!("brig --stack {}", text::shell(stack)),
        }
    }
}

/// The first column of a table, in characters.
const WIDTH: usize = 13;

/// A text in lines. Whatever names and words of others are in a line, it stays one.
#[derive(Default)]
struct Text(String);

impl Text {
    /// A line. What indents it stays.
    fn line(&mut self, content: &str) {
        let words = content.trim_start_matches(' ');
        self.0.push_str(content.get(..content.len() - words.len()).unwrap_or_default());
        self.0.push_str(&text::one_line(words, text::REPORT));
        self.0.push('\n');
    }

    /// A line of a table with two columns.
    fn row(&mut self, title: &'static str, content: &str) {
        self.0.push_str(title);
        self.0.push_str(&" ".repeat(WIDTH.saturating_sub(title.len())));
        self.line(content);
    }
}

/// Composes the message about a containment.
#[must_use]
pub fn compose(answer: &Answer, finding: &Finding, audience: &Audience<'_>) -> Message {
    let sms = subject::sms(answer, audience);
    let body = [usize::MAX, 400, 100, 25, 5, 0]
        .into_iter()
        .map(|most| variants(answer, finding, audience, &sms, most))
        .find(|body| body.len() <= LARGEST)
        .unwrap_or_else(|| {
            json!({"default": text::one_line(&answer.verdict.summary.to_string(), text::REPORT)}).to_string()
        });
    let mut attributes = vec![
        ("outcome", "String", answer.outcome.word().to_owned()),
        ("account", "String", answer.account.to_string()),
        ("region", "String", answer.region.to_string()),
        ("instance_id", "String", answer.instance_id.to_string()),
    ];
    if let Some(severity) = finding.severity {
        attributes.push(("severity", "Number", severity.to_string()));
    }
    let chat = Some(chat::of(answer, audience));
    Message { subject: subject::of(answer, audience), body, attributes, chat }
}

/// The message about an address that no instance is known for.
#[must_use]
pub fn unresolved(resolution: &Resolution) -> Message {
    let mut text = Text::default();
    text.line(&resolution.verdict.summary.to_string());
    text.line("");
    text.line(&format!("Why: {}", resolution.reason));
    for note in &resolution.notes {
        text.line(&format!("- {note}"));
    }
    details::report(&mut text, &resolution.report);
    let text = text.0;
    let mut entry = serde_json::to_value(resolution).unwrap_or(Value::Null);
    if let Some(map) = entry.as_object_mut() {
        map.insert("schema".to_owned(), json!(1));
        pager::Event::of_address(resolution).insert(map);
    }
    text::clean(&mut entry);
    let entry = entry.to_string();
    let chat = Some(chat::of_address(resolution));
    let body = json!({"default": text, "email": text, "sms": subject::short(&resolution.verdict.summary.to_string()),
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

/// The text that a person reads: the state, a line a lane, what to do now; then everything else. `most` bounds each list.
#[must_use]
pub fn text(answer: &Answer, finding: &Finding, audience: &Audience<'_>, most: usize) -> String {
    let mut text = Text::default();
    text.line(&headline::headline(answer, audience));
    details::state(&mut text, answer);
    text.line("");
    text.line("What to do now");
    for (number, advice) in (1..).zip(advice::advice(answer, audience)) {
        text.line(&format!("{number}. {}", advice.what));
        for command in advice.brig.iter().chain(&advice.aws) {
            text.line(&format!("   {command}"));
        }
    }
    text.line("");
    let severity = finding.severity.map_or_else(String::new, |severity| format!(", severity {severity}"));
    let released = matches!(answer.outcome, Conclusion::Released | Conclusion::ReleasePartial);
    let trigger = if released { "Was contained for" } else { "Trigger" };
    text.line(&format!("{trigger}: {}{severity} [{}]", answer.reason, finding.id));
    if let Some(id) = &answer.containment_id {
        text.line(&format!("Containment: {id}"));
    }
    for (what, link) in links::links(answer, finding, audience) {
        text.line(&format!("{what}: {link}"));
    }
    if details::is_question(answer) {
        details::known(&mut text, finding);
    }
    details::contest(&mut text, answer.contest.as_ref());
    details::steps(&mut text, &answer.steps, most);
    details::notes(&mut text, &answer.notes, most);
    details::what_is_left(&mut text, answer, most);
    if finding.source.is_abuse() && !details::is_plan(answer) {
        text.line("");
        text.line("Draft of an answer to AWS, which expects one within 24 hours (check it before you send it)");
        for sentence in reply::draft(answer) {
            text.line(&format!("  {sentence}"));
        }
    }
    text.0
}

fn variants(answer: &Answer, finding: &Finding, audience: &Audience<'_>, sms: &str, most: usize) -> String {
    let text = text(answer, finding, audience, most);
    let entry = entry(answer, audience, most).to_string();
    let mut body = json!({"default": text, "email": text, "sms": sms});
    if let Some(map) = body.as_object_mut() {
        for protocol in ["sqs", "lambda", "http", "https", "firehose"] {
            map.insert(protocol.to_owned(), Value::from(entry.clone()));
        }
    }
    body.to_string()
}

/// The response entry with its schema's number; lists longer than `most` are cut and counted.
fn entry(answer: &Answer, audience: &Audience<'_>, most: usize) -> Value {
    let mut value = serde_json::to_value(answer).unwrap_or(Value::Null);
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
        pager::Event::of(answer, audience.told).insert(map);
    }
    text::clean(&mut value);
    value
}

#[cfg(test)]
mod goldens;
#[cfg(test)]
mod tests;
