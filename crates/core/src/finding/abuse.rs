//! Abuse reports: the text of the mail that AWS or a victim sends, handed over by a person or by a mail pipeline. Only
//! what a report calls its origin becomes a target: the instance ids in it, and the addresses in the origin's place. The
//! reporter's and the victim's addresses never do.

use std::net::IpAddr;

use super::{
    Invoked, ParseError, Parsed, Source,
    draft::{Draft, Named, Target, one_line, parsed},
};
use crate::{
    ids::{AccountId, InstanceId, Region},
    json::Field,
    timestamp::Timestamp,
};

/// A report is read up to this size; what follows is quoted mail.
const LONGEST: usize = 256 * 1024;

/// So many lines of a report are shown to who decides.
const SHOWN_LINES: usize = 20;
/// So many characters of each.
const SHOWN_WIDTH: usize = 200;

/// `source` `brig.abuse`, `detail-type` `Abuse Report`. Anyone who can write to the bus can send it: ids are believed,
/// since naming one takes knowledge of the account; addresses and free text lead to a question.
pub(super) fn from_event(root: &Field<'_>) -> Result<Parsed, ParseError> {
    let detail = root.get("detail");
    let said_by: AccountId = root.get("account").parse()?;
    let region: Region = root.get("region").parse()?;
    let time = root.get("time").value().as_str().and_then(Timestamp::parse);
    let mut named: Vec<Named> = Vec::new();
    let mut unauthenticated = false;
    for item in detail.get("instance_ids").items() {
        named.push((said_by.clone(), region.clone(), Target::Instance(item.parse()?)));
    }
    let mut seen = time;
    for item in detail.get("addresses").items() {
        let address: IpAddr = item.required_text()?.parse().map_err(|_| item.wrong("an IP address"))?;
        named.push((said_by.clone(), region.clone(), Target::Address(address)));
        unauthenticated = true;
    }
    let mut said = Vec::new();
    if let Some(text) = detail.get("text").text()? {
        let report = Report::read(text);
        said = words(text);
        unauthenticated = true;
        seen = report.time.or(seen);
        for (found_region, target) in report.origins {
            named.push((said_by.clone(), found_region.unwrap_or_else(|| region.clone()), target));
        }
    }
    let draft = Draft {
        source: if unauthenticated { Source::AbuseText } else { Source::AbuseReport },
        id: format!("abuse-{}", one_line(root.get("id").text()?.unwrap_or("report"))),
        kind: "Abuse Report".to_owned(),
        title: "an abuse report on the event bus".to_owned(),
        last_seen: seen,
        report: said,
        ..Draft::default()
    };
    Ok(parsed(draft.named(&said_by, named), NAMES_NOTHING))
}

/// The text that a person hands over by direct invoke, and so vouches for.
pub(super) fn from_person(text: &str, title: &str, account: &AccountId, region: &Region, invoked: &Invoked) -> Parsed {
    let report = Report::read(text);
    let mut named: Vec<Named> = Vec::new();
    for (found, target) in report.origins {
        named.push((account.clone(), found.unwrap_or_else(|| region.clone()), target));
    }
    let draft = Draft {
        source: Source::AbuseReport,
        id: format!("abuse-{}", invoked.request_id),
        kind: "Abuse Report".to_owned(),
        title: title.to_owned(),
        last_seen: report.time,
        by_person: true,
        remotes: report.others,
        report: words(text),
        ..Draft::default()
    };
    parsed(draft.named(&invoked.account, named), NAMES_NOTHING)
}

/// The beginning of a report, as people read it.
fn words(text: &str) -> Vec<String> {
    crate::text::lines(text, SHOWN_LINES, SHOWN_WIDTH)
}

const NAMES_NOTHING: &str = "the abuse report names no instance and no address of origin";

/// What a report's text says about its origin.
#[derive(Debug, Default, PartialEq)]
struct Report {
    origins: Vec<(Option<Region>, Target)>,
    /// What the report calls its destination: the other end.
    others: Vec<IpAddr>,
    time: Option<Timestamp>,
}

impl Report {
    fn read(text: &str) -> Self {
        let mut report = Self::default();
        let end = text.char_indices().map(|(at, _)| at).find(|at| *at >= LONGEST).unwrap_or(text.len());
        for line in text.get(..end).unwrap_or_default().lines() {
            report.line(line.trim());
        }
        report
    }

    fn line(&mut self, line: &str) {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        // kind, origin, time, destination, protocol, ports, Region.
        if let [_, origin, time, other, ..] = cells.as_slice()
            && let Some(time) = Timestamp::parse(time)
        {
            self.time = self.time.min(Some(time)).or(Some(time));
            let region = cells.iter().rev().find_map(|cell| cell.parse::<Region>().ok());
            if let Ok(id) = origin.parse::<InstanceId>() {
                self.add(region, Target::Instance(id));
            } else if let Ok(address) = origin.parse::<IpAddr>() {
                self.add(region, Target::Address(address));
            }
            self.other(other);
            return;
        }
        for id in ids_in(line) {
            self.add(None, Target::Instance(id));
        }
        let Some((label, value)) = line.split_once(':') else { return };
        let label = label.to_ascii_lowercase();
        if label.contains("time") || label.contains("date") {
            self.time = self.time.or_else(|| Timestamp::parse(value.trim()));
        }
        let is_origin =
            ["source", "origin", "offending", "abusive", "infected"].iter().any(|word| label.contains(word));
        let is_far = ["destination", "target", "victim"].iter().any(|word| label.contains(word));
        let first = value.split_whitespace().next().unwrap_or_default().trim_end_matches([',', ';', '.']);
        if is_far {
            self.other(first);
        } else if is_origin
            && !label.contains("reporter")
            && let Ok(address) = first.parse::<IpAddr>()
        {
            self.add(None, Target::Address(address));
        }
    }

    fn other(&mut self, text: &str) {
        if let Ok(address) = text.parse::<IpAddr>()
            && !self.others.contains(&address)
        {
            self.others.push(address);
        }
    }

    fn add(&mut self, region: Option<Region>, target: Target) {
        if !self.origins.iter().any(|(_, known)| *known == target) {
            self.origins.push((region, target));
        }
    }
}

/// Whole instance ids in a text: never a part of `eni-...` or `ami-...`.
fn ids_in(text: &str) -> impl Iterator<Item = InstanceId> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).filter_map(|word| word.parse().ok())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(text: &str, expected: &Expect) {
        let report = Report::read(text);
        let lines: Vec<String> = report
            .origins
            .iter()
            .map(|(region, target)| format!("{target:?} {}", region.as_ref().map_or("", Region::as_str)))
            .chain(report.others.iter().map(|address| format!("with {address}")))
            .chain(report.time.map(|time| format!("at {time}")))
            .collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn the_log_lines_of_a_report_name_the_origin_and_not_the_destination() {
        check(
            "Dear customer,\nDOS,i-0abcdef0123456789,2026-01-02T03:04:05Z,198.51.100.7,TCP,*,80,us-east-1\n\
             DOS,203.0.113.9,2026-01-02T03:04:06Z,198.51.100.7,TCP,*,80,eu-west-1\n",
            &expect![[r#"
                Instance(InstanceId("i-0abcdef0123456789")) us-east-1
                Address(203.0.113.9) eu-west-1
                with 198.51.100.7
                at 2026-01-02T03:04:05.000Z"#]],
        );
    }

    #[test]
    fn labelled_lines_are_read_and_reporters_are_not_targets() {
        check(
            "Reporter: 192.0.2.1\nSource IP: 203.0.113.9\nDestination address: 198.51.100.7\n\
             Received: from mail.example.org (192.0.2.77)\nInstance: i-0abcdef0123456789, eni-bfcffe88, ami-99999999",
            &expect![[r#"
                Address(203.0.113.9) 
                Instance(InstanceId("i-0abcdef0123456789")) 
                with 198.51.100.7"#]],
        );
    }

    #[test]
    fn a_text_that_names_nothing_names_nothing() {
        check("hello\ni-XYZ 10.0.0.1 xi-0abcdef0123456789", &expect![""]);
    }
}
