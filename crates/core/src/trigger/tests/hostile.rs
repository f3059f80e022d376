//! The events of `events/`, with every text in turn replaced by what would forge, hide or break out of something: nothing
//! of it reaches a message, a question, a reason or an error raw.

use std::collections::BTreeSet;

use super::{
    mutations::{EVENTS, places},
    *,
};
use crate::{
    decide::Decided,
    ledger::Conclusion,
    report::{
        answer::{Answer, Resolution},
        message::{Message, Unhandled, compose, unresolved},
    },
    step::Note,
    testing::AUDIENCE,
};

const HOSTILE: [&str; 3] = [
    "x\r\nFORGED line\n\n- FORGED advice\u{1b}[31m\u{85}\u{202e}\u{2066}\u{200b}\u{2028}FORGED\u{2029}\u{feff}\u{e0041}\u{fe0f}",
    "x'; $(reboot) `reboot` \" \\ && reboot #",
    "LONG",
];

/// The characters among it that show nothing, or change what others show.
const HIDDEN: [char; 9] =
    ['\u{202e}', '\u{2066}', '\u{200b}', '\u{2028}', '\u{2029}', '\u{feff}', '\u{ad}', '\u{e0041}', '\u{fe0f}'];

/// What of a text must not be there.
fn raw(text: &str) -> Option<String> {
    let hidden = text.chars().find(|c| *c != '\n' && (c.is_control() || HIDDEN.contains(c)));
    // The words of a report are marked as such, line by line.
    let own = |line: &&str| !line.starts_with("  > ");
    let forged = text.lines().filter(own).any(|line| line.trim_start_matches(['-', ' ']).starts_with("FORGED"));
    let command = text.lines().find_map(|line| line.strip_prefix("- aws "));
    let words = command.is_some_and(|command| shlex::split(command).is_none() || command.contains("reboot"));
    hidden
        .map(|c| format!("{c:?}"))
        .or_else(|| forged.then(|| "a forged line".to_owned()))
        .or_else(|| text.contains(&"w".repeat(5_000)).then(|| "10,000 characters".to_owned()))
        .or_else(|| words.then(|| "a command with a stranger's words".to_owned()))
}

fn strings(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(map) => map.values().for_each(|item| strings(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn in_message(message: &Message, found: &mut Vec<String>) {
    found.push(message.subject.clone());
    let chat: Value = serde_json::from_str(message.chat.as_deref().expect("a chat message")).expect("JSON");
    strings(&chat, found);
    let body: Value = serde_json::from_str(&message.body).expect("JSON");
    for text in body.as_object().expect("variants").values().filter_map(Value::as_str) {
        match serde_json::from_str::<Value>(text) {
            Ok(entry @ Value::Object(_)) => strings(&entry, found),
            Ok(_) | Err(_) => found.push(text.to_owned()),
        }
    }
}

/// The question that a finding leads to at worst.
fn asked(finding: &Finding) -> Answer {
    let decided = Decided::ask(format!("{}: {}", finding.kind, finding.title));
    Answer {
        notes: finding.notes.iter().map(|note| Note::OfTheEvent(note.into())).collect(),
        ..Answer::nothing_done(finding, decided, Conclusion::Asked)
    }
}

/// The message about what nothing could be done about.
fn unhandled(unread: &[Unread], notices: &[Notice]) -> Message {
    let place = invoked();
    let (event, function) = ("event", "brig-contain");
    Unhandled { event, account: &place.account, region: &place.region, function, unread, notices }.message()
}

/// Every text that an event leads to.
fn said(parsed: &Result<Parsed, ParseError>, found: &mut Vec<String>) {
    let audience = AUDIENCE;
    if let Err(error) = parsed {
        found.push(error.to_string());
    }
    if let Ok(Parsed::Nothing(why)) = parsed {
        found.push(why.clone());
    }
    if let Ok(Parsed::TrailCall(touched)) = parsed {
        let title = format!("{} by {}", touched.call, touched.by);
        for instance in &touched.instances {
            let (account, region) = (touched.account.clone(), touched.region.clone());
            let finding = Finding::occasion(touched.id.clone(), title.clone(), account, region, instance.clone());
            in_message(&compose(&asked(&finding), &finding, &audience), found);
        }
    }
    if let Ok(Parsed::Batch(batch)) = parsed {
        for message in batch {
            said(&message.body.clone().map(|parsed| *parsed), found);
        }
    }
    if let Ok(Parsed::Notice(notice)) = parsed {
        in_message(&unhandled(&[], std::slice::from_ref(notice.as_ref())), found);
    }
    if let Ok(Parsed::Request(request)) = parsed {
        in_message(&unhandled(&request.unread, &request.notices), found);
        for finding in &request.findings {
            found.extend([finding.id.clone(), finding.kind.clone(), finding.title.clone()]);
            found.extend(finding.notes.iter().cloned().chain(finding.report.iter().map(|line| format!("  > {line}"))));
            in_message(&compose(&asked(finding), finding, &audience), found);
        }
        for addressed in &request.addresses {
            let resolution = Resolution::new(addressed, "no interface has the address now");
            in_message(&unresolved(&resolution), found);
        }
    }
}

#[test]
fn nothing_that_an_event_holds_reaches_people_raw() {
    let mut kinds = BTreeSet::new();
    for event in EVENTS.iter() {
        let mut all = Vec::new();
        places(event, "", &mut all);
        for place in all.iter().filter(|place| event.pointer(place).is_some_and(Value::is_string)) {
            for hostile in HOSTILE {
                let mut document = event.clone();
                let long = "w".repeat(10_000);
                let bad = if hostile == "LONG" { &long } else { hostile };
                // Alone, and after what makes the text be read at all.
                let old = event.pointer(place).and_then(Value::as_str).unwrap_or_default();
                for bad in [bad.to_owned(), format!("{old}{bad}"), format!("{old}\n{bad}")] {
                    if let Some(slot) = document.pointer_mut(place) {
                        *slot = Value::from(bad);
                    }
                    let mut found = Vec::new();
                    said(&parse(&document, &invoked(), &policy()), &mut found);
                    for text in found {
                        kinds.insert(text.len().min(50));
                        assert_eq!(raw(&text), None, "{place}: {text}");
                    }
                }
            }
        }
    }
    assert!(kinds.len() > 10, "texts were made");
}
