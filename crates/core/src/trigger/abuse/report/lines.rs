//! What a line is apart from its sentences: a header of the mail, a row of a log, a time.

use super::roles::{Role, mentions};
use crate::model::timestamp::Timestamp;

/// Headers of mail that no report's own fields are named like.
pub(super) fn is_mail_header(line: &str) -> bool {
    const HEADERS: [&str; 32] = [
        "received",
        "message-id",
        "return-path",
        "delivered-to",
        "reply-to",
        "to",
        "from",
        "cc",
        "bcc",
        "subject",
        "sender",
        "mime-version",
        "content-type",
        "content-transfer-encoding",
        "content-disposition",
        "dkim-signature",
        "received-spf",
        "authentication-results",
        "in-reply-to",
        "references",
        "user-agent",
        "list-id",
        "list-unsubscribe",
        "errors-to",
        "precedence",
        "thread-topic",
        "thread-index",
        "envelope-to",
        "original-recipient",
        "importance",
        "sent",
        "auto-submitted",
    ];
    let Some((label, value)) = line.split_once(':') else { return false };
    let label = label.trim().to_ascii_lowercase();
    if label.contains(' ') {
        return false;
    }
    // `From: 203.0.113.9` is a field of a log, not of a mail.
    let is_mailbox = !matches!(label.as_str(), "from" | "to" | "sent")
        || mentions(value).first().is_none_or(|first| value.trim().find(first.text.as_str()) != Some(0));
    (label.starts_with("x-") || label.starts_with("arc-") || HEADERS.contains(&label.as_str())) && is_mailbox
}

/// The roles of a log's columns that hold hosts, where a line names columns and at least one of them is an origin's.
pub(super) fn columns(line: &str) -> Option<Vec<Role>> {
    if !mentions(line).is_empty() || line.ends_with([':', '.']) {
        return None;
    }
    let lower = line.to_ascii_lowercase();
    let cells: Vec<&str> = if lower.contains([',', '\t', '|', ';']) {
        lower.split([',', '\t', '|', ';']).collect()
    } else if lower.contains("  ") {
        lower.split("  ").collect()
    } else {
        lower.split(' ').collect()
    };
    let cells: Vec<String> = cells
        .iter()
        .map(|cell| cell.chars().filter(char::is_ascii_alphanumeric).collect::<String>())
        .filter(|cell| !cell.is_empty())
        .collect();
    if cells.len() < 2 {
        return None;
    }
    let role = |cell: &String| {
        let origin = [
            "src",
            "srcip",
            "source",
            "sourceip",
            "sourceaddress",
            "srcaddr",
            "ip",
            "ipaddress",
            "address",
            "attacker",
            "attackerip",
            "offender",
            "offendingip",
            "origin",
            "clientip",
            "srcaddress",
            "infectedip",
            "instanceid",
            "instance",
        ];
        let other = [
            "dst",
            "dstip",
            "dest",
            "destip",
            "destination",
            "destinationip",
            "destinationaddress",
            "dstaddr",
            "dstaddress",
            "target",
            "targetip",
            "victim",
            "victimip",
            "sensor",
            "sensorip",
            "honeypot",
            "serverip",
            "reporter",
            "reporterip",
        ];
        if origin.contains(&cell.as_str()) {
            Some(Role::Origin)
        } else if other.contains(&cell.as_str()) {
            Some(Role::Other)
        } else {
            None
        }
    };
    let roles: Vec<Role> = cells.iter().filter_map(role).collect();
    let known = [
        "time",
        "timestamp",
        "date",
        "datetime",
        "port",
        "srcport",
        "dstport",
        "proto",
        "protocol",
        "bytes",
        "packets",
        "action",
        "count",
        "tag",
        "asn",
        "geo",
        "region",
        "hostname",
    ];
    let plain = cells.iter().filter(|cell| known.contains(&cell.as_str())).count();
    (roles.contains(&Role::Origin) && roles.len() + plain >= 2).then_some(roles)
}

/// The time that a line states: behind a label that says so, or at the head of a log's line.
pub(super) fn time_in(line: &str) -> Option<Timestamp> {
    if let Some((label, value)) = line.split_once(':') {
        let label = label.to_ascii_lowercase();
        if ["time", "date", "seen", "when", "observed"].iter().any(|word| label.contains(word)) && label.len() < 40 {
            return Timestamp::parse(value);
        }
    }
    let cells = line.split([',', '|', '\t', ';']).map(|cell| cell.trim().trim_matches('"'));
    if let Some(found) = cells.filter(|cell| cell.contains(':')).find_map(Timestamp::parse) {
        return Some(found);
    }
    if let Some(inside) =
        line.split_once('[').and_then(|(_, rest)| rest.split_once(']')).and_then(|(inside, _)| Timestamp::parse(inside))
    {
        return Some(inside);
    }
    let words: Vec<&str> = line.split_whitespace().take(32).collect();
    (0..words.len()).find_map(|from| {
        let starts = words.get(from).is_some_and(|word| word.starts_with("20") && word.contains(['-', '/']));
        if !starts {
            return None;
        }
        (1..=3).rev().find_map(|count| {
            Timestamp::parse(words.get(from..from + count)?.join(" ").trim_matches(['[', ']', '(', ')', ',']))
        })
    })
}
