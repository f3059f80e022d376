//! The one message about what an event holds that nothing could be done about: notices, and entries that cannot be read.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::json;

use super::{LARGEST, Message, chat, pager, subject};
use crate::{
    ledger::Announcement,
    model::{
        ids::{AccountId, Region},
        text,
    },
    trigger::{Notice, Unread},
};

/// What people are notified of an event beyond its containments.
#[derive(Debug, Clone, Copy)]
pub struct Unhandled<'a> {
    /// The event: its own id, or that of the request which brought it.
    pub event: &'a str,
    /// The function's account.
    pub account: &'a AccountId,
    /// The function's Region.
    pub region: &'a Region,
    /// The function that contains, for the command in the text.
    pub function: &'a str,
    /// Entries that cannot be read.
    pub unread: &'a [Unread],
    /// Well-formed, and nothing to contain.
    pub notices: &'a [Notice],
}

/// How many entries of each list are shown, from all to none, until the message fits.
const SHOWN: [usize; 4] = [50, 10, 3, 0];

impl Unhandled<'_> {
    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.unread.is_empty() && self.notices.is_empty()
    }

    /// What is on record once people were notified: the event, and what it was that they were told.
    #[must_use]
    pub fn record(&self) -> Announcement {
        let mut digest = DefaultHasher::new();
        for notice in self.notices {
            (notice.summary(), &notice.id, &notice.named).hash(&mut digest);
        }
        for unread in self.unread {
            unread.to_string().hash(&mut digest);
        }
        let event = self.event.chars().filter(char::is_ascii_graphic).take(256).collect();
        Announcement { event, digest: format!("{:016x}", digest.finish()) }
    }

    /// Composes the message.
    #[must_use]
    pub fn message(&self) -> Message {
        let sms = subject::short(&format!("Brig: {}", self.first_sentence()));
        let body = SHOWN
            .into_iter()
            .map(|most| self.variants(&sms, most))
            .find(|body| body.len() <= LARGEST)
            .unwrap_or_else(|| json!({"default": sms}).to_string());
        let (account, region) = self.place();
        let title = self.headline();
        Message {
            subject: subject::subject(&format!("[Brig] {title}")),
            chat: Some(chat::of_event(&self.record().event, &title, &self.first_sentence(), self.outcome())),
            body,
            attributes: vec![
                ("outcome", "String", self.outcome().to_owned()),
                ("account", "String", account.to_string()),
                ("region", "String", region.to_string()),
            ],
        }
    }

    fn outcome(&self) -> &'static str {
        if self.notices.is_empty() { "unread" } else { "notice" }
    }

    fn place(&self) -> (&AccountId, &Region) {
        self.notices.first().map_or((self.account, self.region), |notice| (&notice.account, &notice.region))
    }

    fn headline(&self) -> String {
        let (account, region) = self.place();
        match (self.notices, self.unread.len()) {
            ([notice], 0) => {
                let urgent = if notice.kind.expects_answer() { "ANSWER EXPECTED" } else { "nothing done" };
                format!("{urgent}: {} in {account}/{region}", notice.code)
            }
            ([], 1) => "one entry of an event could not be read".to_owned(),
            ([], count) => format!("{count} entries of an event could not be read"),
            (notices, unread) => format!("{} parts of an event need a person", notices.len() + unread),
        }
    }

    fn first_sentence(&self) -> String {
        match (self.notices, self.unread) {
            ([notice, ..], _) => notice.summary(),
            ([], [unread, ..]) => format!("Nothing was done about an entry that cannot be read: {unread}."),
            ([], []) => String::new(),
        }
    }

    fn text(&self, most: usize) -> String {
        let mut lines = vec![self.first_sentence()];
        for notice in self.notices.iter().take(most) {
            lines.push(String::new());
            lines.push(format!("Event: {} [{}]", notice.code, notice.id));
            lines.push(format!("Where: account {}, {}", notice.account, notice.region));
            if let Some(time) = notice.time {
                lines.push(format!("Time: {time}"));
            }
            if !notice.title.is_empty() {
                lines.push(format!("Text: {}", notice.title));
            }
            if !notice.named.is_empty() {
                lines.push(format!("It names: {}", notice.named.join(", ")));
            }
            lines.push(format!("Why nothing was done: {}", notice.kind.why()));
            if let Some(link) = &notice.link {
                lines.push(format!("Console: {link}"));
            }
            lines.push(format!("What to do now: {}", notice.kind.what_to_do()));
        }
        more(&mut lines, self.notices.len(), most);
        if !self.unread.is_empty() {
            lines.push(String::new());
            lines.push("What could not be read (the rest of the event was acted on)".to_owned());
            lines.extend(self.unread.iter().take(most).map(|unread| format!("- {unread}")));
            more(&mut lines, self.unread.len(), most);
            lines.push("What to do now: look at the event at its source, and contain by id what it names.".to_owned());
        }
        lines.push(String::new());
        lines.push(format!(
            "To contain an instance: aws lambda invoke --function-name {} --cli-read-timeout 150 \
             --cli-binary-format raw-in-base64-out --payload \
             '{{\"instance_id\":\"i-...\",\"account\":\"{}\",\"region\":\"{}\"}}' /dev/stdout",
            text::shell(self.function),
            self.place().0,
            self.place().1
        ));
        lines.push(format!("Event delivered as: {}", self.record().event));
        let clean: Vec<String> = lines.iter().map(|line| text::one_line(line, text::REPORT)).collect();
        clean.join("\n") + "\n"
    }

    fn variants(&self, sms: &str, most: usize) -> String {
        let text = self.text(most);
        let mut entry = json!({
            "schema": 1,
            "outcome": self.outcome(),
            "event": self.record().event,
            "summary": self.first_sentence(),
            "notices": self.notices.iter().take(most).collect::<Vec<_>>(),
            "unread": self.unread.iter().take(most).collect::<Vec<_>>(),
        });
        if let Some(map) = entry.as_object_mut() {
            pager::Event::of_event(&self.record().event).insert(map);
        }
        text::clean(&mut entry);
        let entry = entry.to_string();
        json!({"default": text, "email": text, "sms": sms,
            "sqs": entry, "lambda": entry, "http": entry, "https": entry, "firehose": entry})
        .to_string()
    }
}

fn more(lines: &mut Vec<String>, all: usize, most: usize) {
    if all > most {
        lines.push(format!("- and {} more", all - most));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trigger::{NoticeKind, Source};

    fn notice(number: usize) -> Notice {
        Notice {
            kind: NoticeKind::AbuseNamesNothing,
            source: Source::Health,
            id: format!("arn:aws:health:global::event/ABUSE/{number}"),
            code: "AWS_ABUSE_DOS_REPORT".to_owned(),
            title: "x".repeat(5000),
            account: "123456789012".parse().expect("account"),
            region: "us-east-1".parse().expect("Region"),
            time: None,
            link: Some("https://health.aws.amazon.com/health/home".to_owned()),
            named: (0..5000).map(|n| format!("https://example.com/{n}")).collect(),
        }
        .tidy()
    }

    fn message(unread: &[Unread], notices: &[Notice]) -> Message {
        let (account, region) = ("123456789012".parse().expect("account"), "us-east-1".parse().expect("Region"));
        Unhandled { event: "e-1", account: &account, region: &region, function: "brig", unread, notices }.message()
    }

    #[test]
    fn a_notice_says_code_account_reason_link_and_what_to_do_in_a_message_that_fits() {
        let told = message(&[], &[notice(1)]);
        assert_eq!(told.subject, "[Brig] ANSWER EXPECTED: AWS_ABUSE_DOS_REPORT in 123456789012/us-east-1");
        for part in
            ["AWS_ABUSE_DOS_REPORT", "names no instance", "https://health.aws", "What to do now", "and 4980 more"]
        {
            assert!(told.body.contains(part), "{part}");
        }
        assert!(told.body.len() < 64 * 1024, "{}", told.body.len());
        let body: serde_json::Value = serde_json::from_str(&told.body).expect("JSON");
        let entry: serde_json::Value = serde_json::from_str(body["sqs"].as_str().expect("text")).expect("JSON");
        assert_eq!((&entry["dedup_key"], &entry["event_action"]), (&json!("event/e-1"), &json!("trigger")));
    }

    #[test]
    fn however_much_an_event_holds_it_is_one_message_within_what_sns_takes() {
        let notices: Vec<Notice> = (0..500).map(notice).collect();
        let unread: Vec<Unread> = (0..10_000)
            .map(|n| Unread {
                field: format!("detail.ids[{n}]"),
                value: "\"x\"".to_owned(),
                expected: "an id".to_owned(),
            })
            .collect();
        let told = message(&unread, &notices);
        assert!(told.body.len() <= LARGEST, "{}", told.body.len());
        assert!(told.body.contains("more"));
    }

    #[test]
    fn another_text_about_the_same_event_is_another_record() {
        let (account, region) = ("123456789012".parse().expect("account"), "us-east-1".parse().expect("Region"));
        let of = |notices: &[Notice]| {
            let said =
                Unhandled { event: "e-1", account: &account, region: &region, function: "b", unread: &[], notices };
            said.record()
        };
        assert_eq!(of(&[notice(1)]), of(&[notice(1)]));
        assert_ne!(of(&[notice(1)]), of(&[notice(2)]));
    }
}
