//! The message for a chat channel, as Amazon Q Developer in chat applications takes it from a topic: a custom notification
//! (<https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html>). All messages of one containment are one
//! thread. Text of others mentions nobody and makes no link: [`text::chat`].

use serde_json::{Map, Value, json};

use super::{
    Audience, Message,
    advice::{Advice, advice},
    details, headline, pager,
};
use crate::{
    ledger::{self, Conclusion},
    model::{text, timestamp::Timestamp},
    report::{
        answer::{Answer, Resolution},
        fact::Truth,
        principal::{PrincipalAnswer, PrincipalLine},
        verdict::{LaneLine, Verdict},
    },
    step::Lane,
};

/// AWS takes a title of 250 characters and a description of 8,000; Slack shows 3,000 of one text at most
/// (<https://docs.slack.dev/reference/block-kit/blocks/section-block>).
const LONGEST_TITLE: usize = 250;
const LONGEST_SUMMARY: usize = 1500;
const LONGEST_REASON: usize = 400;
const LONGEST_LANE: usize = 400;

/// What a channel's custom actions can read of a containment (`event.metadata.additionalContext.<name>`). `question` is there
/// while it is asked, `containment_id` while there is something to release.
pub const CONTEXT: [&str; 6] = ["instance_id", "account", "region", "outcome", "question", "containment_id"];

/// A custom notification before it is JSON.
struct Notification<'a> {
    thread: &'a str,
    title: &'a str,
    /// The first one is the summary.
    lines: Vec<String>,
    next_steps: Vec<String>,
    outcome: &'a str,
    resources: Vec<String>,
    /// What the buttons of a channel can read.
    context: Map<String, Value>,
}

impl Notification<'_> {
    fn json(self) -> String {
        let summary = self.lines.first().map_or("", String::as_str);
        let id = ledger::digest([self.thread, self.outcome, summary]);
        let mut metadata = json!({
            "threadId": self.thread,
            "summary": text::one_line(summary, LONGEST_TITLE),
            "eventType": format!("brig-{}", self.outcome),
            "relatedResources": self.resources,
            "additionalContext": self.context,
        });
        // A button about nothing would only mislead.
        if self.context.is_empty()
            && let Some(map) = metadata.as_object_mut()
        {
            map.insert("enableCustomActions".to_owned(), json!(false));
        }
        json!({
            "version": "1.0",
            "source": "custom",
            "id": id,
            "content": {
                "textType": "client-markdown",
                "title": text::chat(&format!("Brig: {}", self.title), LONGEST_TITLE),
                "description": self.lines.join("\n"),
                "nextSteps": self.next_steps,
                "keywords": ["Brig", self.outcome],
            },
            "metadata": metadata,
        })
        .to_string()
    }
}

impl Message {
    /// The message for the chat channel's topic, where it has one.
    #[must_use]
    pub fn for_chat(&self) -> Option<Self> {
        let body = json!({"default": self.chat.as_ref()?}).to_string();
        Some(Self { body, chat: None, ..self.clone() })
    }

    /// The message for the chat channel as it is sent later than it was composed, which its description says first.
    #[must_use]
    pub fn late_in_chat(&self, composed: Timestamp) -> Self {
        let said = || {
            let body: Value = serde_json::from_str(&self.body).ok()?;
            let mut notification: Value = serde_json::from_str(body.get("default")?.as_str()?).ok()?;
            let description = notification.pointer_mut("/content/description")?;
            let was = description.as_str().unwrap_or_default();
            *description = Value::from(format!("Sent late: this was true at {composed}.\n{was}"));
            Some(json!({"default": notification.to_string()}).to_string())
        };
        Self { body: said().unwrap_or_else(|| self.body.clone()), ..self.clone() }
    }
}

pub(super) fn of(answer: &Answer, audience: &Audience<'_>) -> String {
    let Answer { account, region, instance_id, outcome, verdict, .. } = answer;
    let mut lines = vec![text::chat(&verdict.summary.to_string(), LONGEST_SUMMARY)];
    lines.extend(lanes(*outcome, verdict));
    lines.push(format!("Why: {}", text::chat(&answer.reason.to_string(), LONGEST_REASON)));
    let mut context = Map::new();
    let mut add = |name: &str, value: String| context.insert(name.to_owned(), Value::from(value));
    add("instance_id", instance_id.to_string());
    add("account", account.to_string());
    add("region", region.to_string());
    add("outcome", outcome.word().to_owned());
    if let Some(question) = &answer.question {
        add("question", question.clone());
    }
    if let Some(id) = answer.containment_id.as_ref().filter(|_| *outcome != Conclusion::Released) {
        add("containment_id", id.to_string());
    }
    let instance = headline::subject(answer, audience);
    Notification {
        thread: &pager::key(answer),
        title: &format!("{}: {instance} in {account}/{region}", headline::state(*outcome)),
        lines,
        next_steps: next_steps(answer, audience),
        outcome: outcome.word(),
        resources: vec![instance_id.to_string()],
        context,
    }
    .json()
}

/// What to do, and the command for it.
pub(super) type Told = (String, Option<String>);

pub(super) fn of_principal(
    answer: &PrincipalAnswer,
    title: &str,
    advice: Vec<Told>,
    context: Map<String, Value>,
) -> String {
    let mut lines = vec![text::chat(&answer.verdict.summary.to_string(), LONGEST_SUMMARY)];
    let said = |line: &PrincipalLine| text::chat(&line.text.to_string(), LONGEST_LANE);
    lines.extend(
        answer.verdict.lines.iter().map(|line| format!("- {}: {}{}", line.part, details::mark(line.truth), said(line))),
    );
    lines.push(format!("Why: {}", text::chat(&answer.reason.to_string(), LONGEST_REASON)));
    let step = |(what, command): Told| match command {
        Some(command) => {
            format!("{} `{}`", text::chat(&what, LONGEST_REASON), text::chat(&command, LONGEST_SUMMARY))
        }
        None => text::chat(&what, LONGEST_REASON),
    };
    Notification {
        thread: &pager::Event::of_principal(answer, None).dedup_key,
        title,
        lines,
        next_steps: advice.into_iter().map(step).collect(),
        outcome: answer.outcome.word(),
        resources: vec![answer.subject()],
        context,
    }
    .json()
}

pub(super) fn of_address(resolution: &Resolution) -> String {
    let Resolution { account, region, address, outcome, .. } = resolution;
    Notification {
        thread: &pager::Event::of_address(resolution).dedup_key,
        title: &format!("{}: {address} in {account}/{region}", headline::state(*outcome)),
        lines: vec![text::chat(&resolution.verdict.summary.to_string(), LONGEST_SUMMARY)],
        next_steps: vec!["Find out which instance had it, and contain it by its id: `brig contain i-...`".to_owned()],
        outcome: outcome.word(),
        resources: vec![text::chat(&address.to_string(), text::NAME)],
        context: Map::new(),
    }
    .json()
}

pub(super) fn of_event(event: &str, title: &str, summary: &str, outcome: &str) -> String {
    Notification {
        thread: &pager::Event::of_event(event).dedup_key,
        title,
        lines: vec![text::chat(summary, LONGEST_SUMMARY)],
        next_steps: vec!["Read the mail with the same subject: it has the rest, and what to do.".to_owned()],
        outcome,
        resources: Vec::new(),
        context: Map::new(),
    }
    .json()
}

pub(super) fn trial(title: &str, summary: &str) -> String {
    Notification {
        thread: "brig-test",
        title,
        lines: vec![text::chat(summary, LONGEST_SUMMARY)],
        next_steps: Vec::new(),
        outcome: "test",
        resources: Vec::new(),
        context: Map::new(),
    }
    .json()
}

/// One line a lane, where there is anything to say of them: what was read back after the cut, or after a release.
fn lanes(outcome: Conclusion, verdict: &Verdict) -> Vec<String> {
    let released = matches!(outcome, Conclusion::Released | Conclusion::ReleasePartial);
    if released {
        let given_back = |lane: Lane| match *verdict.truths.get(lane) {
            Truth::Yes => "given back",
            Truth::Partial => "only PARTLY given back",
            Truth::No => "NOT given back",
            Truth::Unknown => "not known",
        };
        return Lane::ALL.map(|lane| format!("- {}: {}", details::title(lane), given_back(lane))).to_vec();
    }
    let line = |line: &LaneLine| {
        let said = text::chat(&line.text.to_string(), LONGEST_LANE);
        format!("- {}: {}{said}", details::title(line.lane), details::mark(line.truth))
    };
    verdict.lanes.iter().map(line).collect()
}

/// What a person can run: the same as in the mail, in the short form.
fn next_steps(answer: &Answer, audience: &Audience<'_>) -> Vec<String> {
    let step = |advice: Advice| {
        let what = text::chat(&advice.what, LONGEST_REASON);
        match advice.brig.or(advice.aws) {
            Some(command) => format!("{what} `{}`", text::chat(&command, LONGEST_SUMMARY)),
            None => what,
        }
    };
    advice(answer, audience).into_iter().map(step).collect()
}

#[cfg(test)]
mod tests;
