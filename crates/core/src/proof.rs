//! What VPC flow logs say of the time after the cut: proof, contradiction, or nothing
//! (<https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html>).

mod files;

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

pub use self::files::{Files, Listing};
use crate::{
    ids::EniId,
    survey::{Direction, Rule},
    timestamp::Timestamp,
};

/// So many flows are named.
const NAMED: usize = 3;

/// A flow log that is active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowLog {
    /// The VPC, subnet or interface that it watches.
    pub resource: String,
    /// `ALL`, `ACCEPT` or `REJECT`.
    pub traffic: String,
    /// Where it goes.
    pub destination: Destination,
    /// The fields of its records, `${version} ${account-id} ...`.
    pub format: String,
}

/// Where a flow log goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A log group of CloudWatch Logs, by name.
    LogGroup(String),
    /// A bucket.
    Bucket(Files),
    /// Elsewhere.
    Other,
}

/// Records of one interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The interface.
    pub interface: EniId,
    /// The log's format.
    pub format: String,
    /// Its records since the cut, as far as they were read.
    pub records: Vec<String>,
    /// Why there may be others.
    pub unread: Option<String>,
}

/// How far flow logs bear out the cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Every interface has records after the cut, and none accepted a byte.
    Proof,
    /// A record after the cut accepted bytes.
    Contradiction,
    /// No proof is available.
    Unavailable,
}

/// What flow logs say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// In a word.
    pub state: State,
    /// For a person.
    pub detail: String,
}

impl Proof {
    /// No proof, and why.
    #[must_use]
    pub fn unavailable(why: &str) -> Self {
        Self { state: State::Unavailable, detail: format!("no proof is available: {why}") }
    }
}

/// One record, as far as it is needed.
struct Record {
    start: i64,
    end: i64,
    accepted: bool,
    /// It is of forensic access.
    let_in: bool,
    bytes: u64,
    flow: String,
}

/// The field of a record by its name in the format.
struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Fields<'a> {
    fn of(format: &'a str, record: &'a str) -> Self {
        let names = format.split_whitespace().map(|name| name.trim_start_matches("${").trim_end_matches('}'));
        Self(names.zip(record.split_whitespace()).collect())
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// A record's `start` may be up to a minute after its packets
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html>).
const LATE_MS: i64 = 60_000;

/// A record whose packets all came after the cut; an error where it shows that others are missing.
fn record(read: &Read, line: &str, cut: Timestamp, let_in: &[Rule]) -> Result<Option<Record>, &'static str> {
    let fields = Fields::of(&read.format, line);
    if fields.get("interface-id").is_some_and(|id| id != read.interface.as_str()) {
        return Ok(None);
    }
    let number = |name: &str| fields.get(name).and_then(|value| value.parse::<i64>().ok());
    let (Some(start), Some(end), Some(action)) = (number("start"), number("end"), fields.get("action")) else {
        return Ok(None);
    };
    if start.saturating_mul(1000) <= cut.millis().saturating_add(LATE_MS) {
        return Ok(None);
    }
    let status = fields.get("log-status");
    if status == Some("SKIPDATA") {
        return Err("records were skipped");
    }
    let word = |name: &str| fields.get(name).unwrap_or("?");
    let accepted = action == "ACCEPT";
    if !accepted && status.is_none() {
        return Err("its format does not say whether records were skipped");
    }
    Ok(Some(Record {
        start,
        end,
        accepted,
        let_in: let_in.iter().any(|rule| fits(&fields, rule)),
        bytes: fields.get("bytes").and_then(|value| value.parse().ok()).unwrap_or(0),
        flow: format!(
            "{} to {} (ports {} and {}, protocol {})",
            word("srcaddr"),
            word("dstaddr"),
            word("srcport"),
            word("dstport"),
            word("protocol")
        ),
    }))
}

/// Whether a record is of flows that a rule of forensic access lets through, of either way. Who carries a group is not in
/// the records: its rule's port is all there is to go by.
fn fits(fields: &Fields<'_>, rule: &Rule) -> bool {
    let address = |name: &str| fields.get(name).and_then(|value| value.parse::<IpAddr>().ok());
    let port = |name: &str| fields.get(name).and_then(|value| value.parse::<i32>().ok());
    let served = |name: &str| port(name).is_some_and(|port| rule.ports == Some((port, port)));
    let peer = |name: &str| match rule.peer.parse::<IpNet>() {
        Ok(net) => address(name).is_some_and(|address| net.contains(&address)),
        Err(_) => rule.peer.starts_with("sg-"),
    };
    let tcp = fields.get("protocol") == Some("6");
    tcp && match rule.direction {
        Direction::Ingress => (served("dstport") && peer("srcaddr")) || (served("srcport") && peer("dstaddr")),
        Direction::Egress => (served("dstport") && peer("dstaddr")) || (served("srcport") && peer("srcaddr")),
    }
}

/// Judges the records of all interfaces. `cut` is when the last of them was isolated for good, `let_in` what forensic access
/// lets through.
#[must_use]
pub fn judge(reads: &[Read], cut: Timestamp, let_in: &[Rule]) -> Proof {
    let at = |seconds: i64| Timestamp::from_millis(seconds.saturating_mul(1000));
    let (mut accepted, mut silent, mut unread) = (Vec::new(), Vec::new(), Vec::new());
    let mut examined = 0;
    // What all interfaces have records of.
    let (mut from, mut until) = (i64::MIN, i64::MAX);
    for read in reads {
        unread.extend(read.unread.as_ref().map(|why| format!("{}: {why}", read.interface)));
        let mut records = Vec::new();
        for line in &read.records {
            match record(read, line, cut, let_in) {
                Ok(found) => records.extend(found),
                Err(why) => unread.push(format!("{}: {why}", read.interface)),
            }
        }
        if records.is_empty() {
            silent.push(read.interface.to_string());
        }
        from = from.max(records.iter().map(|one| one.start).min().unwrap_or(i64::MIN));
        until = until.min(records.iter().map(|one| one.end).max().unwrap_or(i64::MAX));
        examined += records.iter().filter(|one| one.accepted && one.let_in).count();
        for one in records.into_iter().filter(|one| one.accepted && !one.let_in) {
            accepted.push((one.bytes, format!("{}: {}", read.interface, one.flow), one.end));
        }
    }
    if !accepted.is_empty() {
        accepted.sort_by(|a, b| b.cmp(a));
        let all: u64 = accepted.iter().map(|(bytes, ..)| bytes).sum();
        let named: Vec<String> = accepted
            .iter()
            .take(NAMED)
            .map(|(bytes, flow, end)| format!("{flow}, {bytes} bytes until {}", at(*end)))
            .collect();
        let detail = format!("flow logs show {all} accepted bytes after the cut at {cut}: {}", named.join("; "));
        return Proof { state: State::Contradiction, detail };
    }
    if !unread.is_empty() {
        unread.dedup();
        return Proof::unavailable(&unread.join("; "));
    }
    if reads.is_empty() || !silent.is_empty() {
        let which = if silent.is_empty() { "any interface".to_owned() } else { silent.join(", ") };
        return Proof::unavailable(&format!(
            "the flow logs have no record of {which} that begins a minute after the cut at {cut} or later; they come minutes late"
        ));
    }
    if from >= until {
        return Proof::unavailable("the interfaces have no records of the same time");
    }
    let but = if examined == 0 { String::new() } else { format!(" but {examined} record(s) of forensic access") };
    let detail = format!(
        "flow logs show nothing accepted{but} from {} to {} (DNS, metadata, time and DHCP are never in them)",
        at(from),
        at(until)
    );
    Proof { state: State::Proof, detail }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    const FORMAT: &str = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}";

    fn read(interface: &str, lines: &[&str]) -> Read {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        Read { interface: interface.into(), format: FORMAT.to_owned(), records: lines, unread: None }
    }

    fn check(reads: &[Read], expected: &Expect) {
        let proof = judge(reads, Timestamp::from_millis(940_000), &[]);
        expected.assert_eq(&format!("{:?}: {}", proof.state, proof.detail));
    }

    const QUIET: &str = "2 1 eni-1 - - - - - - - 1060 1120 - NODATA";
    const REFUSED: &str = "2 1 eni-1 203.0.113.9 10.0.0.1 443 50000 6 3 180 1060 1120 REJECT OK";
    const ACCEPTED: &str = "2 1 eni-1 203.0.113.9 10.0.0.1 443 50000 6 3 4096 1060 1120 ACCEPT OK";
    const BEFORE: &str = "2 1 eni-1 203.0.113.9 10.0.0.1 443 50000 6 3 4096 990 1050 ACCEPT OK";

    #[test]
    fn nothing_accepted_is_proof() {
        check(
            &[read("eni-1", &[BEFORE, QUIET, REFUSED])],
            &expect![
                "Proof: flow logs show nothing accepted from 1970-01-01T00:17:40.000Z to 1970-01-01T00:18:40.000Z (DNS, metadata, time and DHCP are never in them)"
            ],
        );
    }

    #[test]
    fn accepted_bytes_are_a_contradiction_whatever_else_is_unread() {
        let half = Read { unread: Some("2 of 3 files were read".to_owned()), ..read("eni-1", &[QUIET, ACCEPTED]) };
        let denied = Read { unread: Some("AccessDenied".to_owned()), ..read("eni-2", &[]) };
        check(
            &[half, denied],
            &expect![
                "Contradiction: flow logs show 4096 accepted bytes after the cut at 1970-01-01T00:15:40.000Z: eni-1: 203.0.113.9 to 10.0.0.1 (ports 443 and 50000, protocol 6), 4096 bytes until 1970-01-01T00:18:40.000Z"
            ],
        );
    }

    #[test]
    fn without_records_after_the_cut_there_is_no_proof() {
        check(
            &[read("eni-1", &[BEFORE]), read("eni-2", &[])],
            &expect![
                "Unavailable: no proof is available: the flow logs have no record of eni-1, eni-2 that begins a minute after the cut at 1970-01-01T00:15:40.000Z or later; they come minutes late"
            ],
        );
        check(
            &[Read { unread: Some("AccessDenied".to_owned()), ..read("eni-1", &[QUIET]) }],
            &expect!["Unavailable: no proof is available: eni-1: AccessDenied"],
        );
        check(
            &[],
            &expect![
                "Unavailable: no proof is available: the flow logs have no record of any interface that begins a minute after the cut at 1970-01-01T00:15:40.000Z or later; they come minutes late"
            ],
        );
    }

    #[test]
    fn what_was_skipped_or_does_not_overlap_proves_nothing() {
        check(
            &[read("eni-1", &[QUIET, "2 1 eni-1 - - - - - - - 1120 1180 - SKIPDATA"])],
            &expect!["Unavailable: no proof is available: eni-1: records were skipped"],
        );
        check(
            &[read("eni-1", &[QUIET]), read("eni-2", &["2 1 eni-2 - - - - - - - 1260 1320 - NODATA"])],
            &expect!["Unavailable: no proof is available: the interfaces have no records of the same time"],
        );
    }

    #[test]
    fn forensic_access_is_no_contradiction() {
        let rule = |direction, port, peer: &str| Rule {
            direction,
            protocol: "tcp".to_owned(),
            ports: Some((port, port)),
            peer: peer.to_owned(),
        };
        let let_in = [rule(Direction::Ingress, 22, "10.9.0.0/16"), rule(Direction::Egress, 443, "10.0.7.1/32")];
        let state = |from: &str, to: &str, ports: &str| {
            let line = format!("2 1 eni-1 {from} {to} {ports} 6 9 99 1001 1060 ACCEPT OK");
            judge(&[read("eni-1", &[&line])], Timestamp::from_millis(940_000), &let_in).state
        };
        assert_eq!(state("10.9.3.3", "10.0.0.1", "50000 22"), State::Proof);
        assert_eq!(state("10.0.0.1", "10.9.3.3", "22 50000"), State::Proof);
        assert_eq!(state("10.0.0.1", "10.0.7.1", "50000 443"), State::Proof);
        assert_eq!(state("203.0.113.9", "10.0.0.1", "50000 22"), State::Contradiction);
        assert_eq!(state("10.0.0.1", "203.0.113.9", "50000 443"), State::Contradiction);
        assert_eq!(state("10.9.3.3", "10.0.0.1", "50000 80"), State::Contradiction);
    }

    #[test]
    fn a_format_of_ones_own_is_read_by_its_names() {
        let own = Read {
            format: "${end} ${action} ${bytes} ${start} ${interface-id} ${srcaddr}".to_owned(),
            ..read("eni-1", &["1120 ACCEPT 7 1060 eni-1 10.0.0.1"])
        };
        check(
            &[own],
            &expect![
                "Contradiction: flow logs show 7 accepted bytes after the cut at 1970-01-01T00:15:40.000Z: eni-1: 10.0.0.1 to ? (ports ? and ?, protocol ?), 7 bytes until 1970-01-01T00:18:40.000Z"
            ],
        );
        let format = "${srcaddr} ${bytes} ${start} ${end}".to_owned();
        let without = Read { format, ..read("eni-1", &["10.0.0.1 7 1060 1120"]) };
        check(
            &[without],
            &expect![
                "Unavailable: no proof is available: the flow logs have no record of eni-1 that begins a minute after the cut at 1970-01-01T00:15:40.000Z or later; they come minutes late"
            ],
        );
    }
}
