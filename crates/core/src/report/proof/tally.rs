//! Records as they are read: of each only what the judgement needs is kept.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use ipnet::IpNet;

use super::{Proof, State};
use crate::model::{Direction, Rule, ids::EniId, timestamp::Timestamp};

/// So many flows, and so many stretches of time, are named.
const NAMED: usize = 3;
/// A record's `start` may be up to a minute after its packets
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html>).
const LATE_MS: i64 = 60_000;
/// Records come within some ten minutes after the time that they cover; AWS promises nothing
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs.html>).
const DELIVERY: Duration = Duration::from_mins(10);

/// What records are held against.
#[derive(Debug, Clone, Copy)]
pub struct Cut<'a> {
    /// When the last interface was isolated for good.
    pub at: Timestamp,
    /// What forensic access lets through.
    pub let_in: &'a [Rule],
}

/// What was read of one interface's records after the cut.
#[derive(Debug, Clone)]
pub struct Tally {
    interface: EniId,
    fields: Vec<String>,
    interval: Duration,
    /// From when to when there are records, in seconds: stretches without a gap.
    seen: BTreeMap<i64, i64>,
    bytes: u64,
    /// The largest of the accepted flows.
    accepted: Vec<(u64, String, i64)>,
    /// Records of forensic access.
    examined: usize,
    /// Why nothing can be proved.
    unread: Vec<String>,
    /// Since when all records were read, and why not before.
    since: Option<(Timestamp, String)>,
}

/// A record by the names of its fields.
struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Fields<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.get(name)?.parse().ok()
    }

    /// Whether a record is of flows that a rule of forensic access lets through, of either way. Who carries a group is not
    /// in the records: its rule's port is all there is to go by.
    fn fit(&self, rule: &Rule) -> bool {
        let address = |name: &str| self.get(name).and_then(|value| value.parse::<IpAddr>().ok());
        let served = |name: &str| {
            let port = self.get(name).and_then(|value| value.parse::<i32>().ok());
            port.is_some_and(|port| rule.ports == Some((port, port)))
        };
        let peer = |name: &str| match rule.peer.parse::<IpNet>() {
            Ok(net) => address(name).is_some_and(|address| net.contains(&address)),
            Err(_) => rule.peer.starts_with("sg-"),
        };
        let tcp = self.get("protocol") == Some("6");
        tcp && match rule.direction {
            Direction::Ingress => (served("dstport") && peer("srcaddr")) || (served("srcport") && peer("dstaddr")),
            Direction::Egress => (served("dstport") && peer("dstaddr")) || (served("srcport") && peer("srcaddr")),
        }
    }

    fn flow(&self) -> String {
        let word = |name: &str| self.get(name).unwrap_or("?");
        format!(
            "{} to {} (ports {} and {}, protocol {})",
            word("srcaddr"),
            word("dstaddr"),
            word("srcport"),
            word("dstport"),
            word("protocol")
        )
    }
}

impl Tally {
    /// Before anything was read. `format` and `interval` are the log's.
    #[must_use]
    pub fn new(interface: EniId, format: &str, interval: Duration) -> Self {
        let name = |field: &str| field.trim_start_matches("${").trim_end_matches('}').to_owned();
        Self {
            interface,
            fields: format.split_whitespace().map(name).collect(),
            interval,
            seen: BTreeMap::new(),
            bytes: 0,
            accepted: Vec::new(),
            examined: 0,
            unread: Vec::new(),
            since: None,
        }
    }

    /// Whose records it counts.
    #[must_use]
    pub fn interface(&self) -> &EniId {
        &self.interface
    }

    /// Whether its records name their interface.
    #[must_use]
    pub fn names_interfaces(&self) -> bool {
        self.fields.iter().any(|field| field == "interface-id")
    }

    /// Whether there is a reason why nothing can be proved.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// Whether a record of it contradicts the cut.
    #[must_use]
    pub fn has_accepted(&self) -> bool {
        !self.accepted.is_empty()
    }

    /// Nothing can be proved, and why.
    pub fn fail(&mut self, why: &str) {
        if !self.unread.iter().any(|known| known == why) {
            self.unread.push(why.to_owned());
        }
    }

    /// Only what was recorded since then was read, and why.
    pub fn read_since(&mut self, since: Timestamp, why: &str) {
        self.since = Some((since, why.to_owned()));
    }

    /// Counts a record, where it is one of this interface's and all of its packets came after the cut.
    pub fn line(&mut self, line: &str, cut: Cut<'_>) {
        let names = self.fields.iter().map(String::as_str);
        let fields = Fields(names.zip(line.split_whitespace()).collect());
        if fields.get("interface-id").is_some_and(|id| id != self.interface.as_str()) {
            return;
        }
        let (Some(start), Some(end)) = (fields.number("start"), fields.number("end")) else { return };
        let Some(action) = fields.get("action") else { return };
        if start.saturating_mul(1000) <= cut.at.millis().saturating_add(LATE_MS) {
            return;
        }
        let status = fields.get("log-status");
        let accepted = action == "ACCEPT";
        let why = match status {
            Some("SKIPDATA") => Some("records were skipped"),
            None if !accepted => Some("its format does not say whether records were skipped"),
            _ => None,
        };
        let let_in = accepted && cut.let_in.iter().any(|rule| fields.fit(rule));
        let bytes = fields.get("bytes").and_then(|value| value.parse().ok()).unwrap_or(0);
        let flow = (accepted && !let_in).then(|| (bytes, fields.flow(), end));
        match why {
            Some(why) => self.fail(why),
            None => self.cover(start, end),
        }
        self.examined += usize::from(let_in);
        if let Some(flow) = flow {
            self.accept(bytes, [flow]);
        }
    }

    /// Of flows that were accepted, with so many bytes in all, the largest are kept.
    fn accept(&mut self, bytes: u64, flows: impl IntoIterator<Item = (u64, String, i64)>) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.accepted.extend(flows);
        self.accepted.sort_by(|a, b| b.cmp(a));
        self.accepted.truncate(NAMED);
    }

    /// Adds what another part of the same log says of the same interface.
    pub fn merge(&mut self, other: Self) {
        for (start, end) in other.seen {
            self.cover(start, end);
        }
        self.accept(other.bytes, other.accepted);
        self.examined += other.examined;
        for why in other.unread {
            self.fail(&why);
        }
    }

    /// So many seconds may lie between two neighbours: a quiet interval has a record of its own. On Nitro it is a minute
    /// whatever the log asks for, which is not known here.
    fn apart(&self) -> i64 {
        i64::try_from(self.interval.as_secs()).unwrap_or(0).saturating_mul(2)
    }

    /// Joins it to what it is a neighbour of.
    fn cover(&mut self, start: i64, end: i64) {
        let apart = self.apart();
        let (mut start, mut end) = (start, end.max(start.saturating_add(1)));
        let joined = |from: i64, until: i64, start: i64, end: i64| {
            from <= end.saturating_add(apart) && until.saturating_add(apart) >= start
        };
        while let Some((from, until)) = self
            .seen
            .iter()
            .map(|(from, until)| (*from, *until))
            .find(|(from, until)| joined(*from, *until, start, end))
        {
            self.seen.remove(&from);
            (start, end) = (start.min(from), end.max(until));
        }
        self.seen.insert(start, end);
    }

    /// The stretches of which all records should have been read by now.
    fn settled(&self, now: Timestamp) -> Vec<(i64, i64)> {
        let since = self.since.as_ref().map_or(i64::MIN, |(since, _)| since.millis().div_euclid(1000));
        let age = i64::try_from((DELIVERY + self.interval).as_secs()).unwrap_or(0);
        let until = now.millis().div_euclid(1000).saturating_sub(age);
        clip(&self.seen.iter().map(|(from, until)| (*from, *until)).collect::<Vec<_>>(), &[(since, until)])
    }
}

/// What is in both.
fn clip(a: &[(i64, i64)], b: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let both = |a: &(i64, i64), b: &(i64, i64)| (a.0.max(b.0), a.1.min(b.1));
    a.iter().flat_map(|a| b.iter().map(move |b| both(a, b))).filter(|(from, until)| from < until).collect()
}

/// Judges what was read of all interfaces by now.
#[must_use]
pub fn judge(tallies: &[Tally], cut: Timestamp, now: Timestamp) -> Proof {
    let at = |seconds: i64| Timestamp::from_millis(seconds.saturating_mul(1000));
    let accepted = tallies.iter().flat_map(|tally| tally.accepted.iter().map(|flow| (flow, &tally.interface)));
    let mut accepted: Vec<_> = accepted.collect();
    if !accepted.is_empty() {
        accepted.sort_by(|a, b| b.cmp(a));
        let all: u64 = tallies.iter().map(|tally| tally.bytes).fold(0, u64::saturating_add);
        let named: Vec<String> = accepted
            .iter()
            .take(NAMED)
            .map(|((bytes, flow, end), interface)| format!("{interface}: {flow}, {bytes} bytes until {}", at(*end)))
            .collect();
        let detail = format!("flow logs show {all} accepted bytes after the cut at {cut}: {}", named.join("; "));
        return Proof { state: State::Contradiction, detail };
    }
    let named = |tally: &Tally, why: &str| format!("{}: {why}", tally.interface);
    let unread: Vec<String> =
        tallies.iter().flat_map(|tally| tally.unread.iter().map(|why| named(tally, why))).collect();
    if !unread.is_empty() {
        return Proof::unavailable(&unread.join("; "));
    }
    let partly: Vec<String> =
        tallies.iter().filter_map(|tally| tally.since.as_ref().map(|(_, why)| named(tally, why))).collect();
    let partly = if partly.is_empty() { String::new() } else { format!("; {}", partly.join("; ")) };
    let silent: Vec<&str> =
        tallies.iter().filter(|tally| tally.seen.is_empty()).map(|tally| tally.interface.as_str()).collect();
    if tallies.is_empty() || !silent.is_empty() {
        let which = if silent.is_empty() { "any interface".to_owned() } else { silent.join(", ") };
        return Proof::unavailable(&format!(
            "the flow logs have no record of {which} that starts a minute after the cut at {cut} or later; records arrive minutes late{partly}"
        ));
    }
    let settled: Vec<Vec<(i64, i64)>> = tallies.iter().map(|tally| tally.settled(now)).collect();
    if settled.iter().any(Vec::is_empty) {
        let interval = tallies.iter().map(|tally| tally.interval).max().unwrap_or_default();
        let minutes = (DELIVERY + interval).as_secs().div_ceil(60);
        return Proof::unavailable(&format!(
            "nothing accepted is recorded since the cut, and the records are younger than {minutes} minutes: others of that time may still come{partly}"
        ));
    }
    let common = settled.into_iter().reduce(|a, b| clip(&a, &b)).unwrap_or_default();
    if common.is_empty() {
        return Proof::unavailable(&format!("the interfaces have no records of the same time{partly}"));
    }
    let examined: usize = tallies.iter().map(|tally| tally.examined).sum();
    let but = if examined == 0 { String::new() } else { format!(" but {examined} record(s) of forensic access") };
    let latest = common.len().saturating_sub(NAMED);
    let stretches: Vec<String> =
        common.iter().skip(latest).map(|(from, until)| format!("from {} to {}", at(*from), at(*until))).collect();
    let apart = tallies.iter().map(Tally::apart).max().unwrap_or_default() / 60;
    let detail = format!(
        "flow logs show nothing accepted{but} {} (in records at most {apart} minutes apart; AWS's own DNS, metadata, time and DHCP are never in them){partly}",
        stretches.join(", and ")
    );
    Proof { state: State::Proof, detail }
}
