//! Ledger items to and from values. Texts that a person reads in the console stand next to the JSON that Brig reads back.

use std::{collections::HashMap, str::FromStr};

use aws_sdk_dynamodb::types::AttributeValue;
use brig_core::{
    ledger::{
        ActivePage, Announcement, Containment, Contest, Counted, CountedInGroup, MemberSet, Named, Received, Records,
        Report, ReportOf, State, StepRecord,
    },
    model::{
        ids::{ContainmentId, TargetKey},
        text::{LONG, one_line},
        timestamp::Timestamp,
    },
    step::{Detail, Failure, Mark, Outcome},
};
use brig_engine::ports::{CloudError, ErrorKind, PortResult};

use super::Item;

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

pub(super) fn received(key: &TargetKey, received: &Received) -> Item {
    HashMap::from([
        ("pk".to_owned(), text(key.pk())),
        ("sk".to_owned(), text(received.sk())),
        ("at".to_owned(), text(received.at.to_string())),
        ("event".to_owned(), text(&received.event)),
    ])
}

/// Nobody claims this often; a number above it is somebody else's, and counting up from it might overflow.
const MOST_VERSION: u64 = u64::MAX / 2;

/// The partition key of the list of active containments.
pub(super) const ACTIVE: &str = "active";

pub(super) fn active(key: &TargetKey) -> Item {
    HashMap::from([("pk".to_owned(), text(ACTIVE)), ("sk".to_owned(), text(key.pk()))])
}

pub(super) fn active_page(items: &[Item], last: Option<&Item>) -> ActivePage {
    let mut page =
        ActivePage { next: last.and_then(|item| get(item, "sk")).map(str::to_owned), ..ActivePage::default() };
    for sk in items.iter().map(|item| get(item, "sk").unwrap_or_default()) {
        match TargetKey::parse(sk) {
            Some(key) => page.keys.push(key),
            None => page.unreadable.push(sk.chars().take(200).collect()),
        }
    }
    page
}

pub(super) fn event_pk(what: &Announcement) -> String {
    format!("event/{}", what.event)
}

pub(super) fn policy_pk(parameter: &str) -> String {
    format!("policy/{parameter}")
}

pub(super) fn kept_policy(item: &Item) -> Option<(String, Timestamp)> {
    Some((get(item, "text")?.to_owned(), get(item, "read_at").and_then(Timestamp::parse)?))
}

pub(super) fn current(key: &TargetKey, current: &Containment) -> Item {
    let state = match current.state {
        State::Open => "open",
        State::Closed => "closed",
        State::Withdrawn => "withdrawn",
        State::Releasing => "releasing",
        State::Released => "released",
    };
    let mut item: Item = HashMap::from([
        ("pk".to_owned(), text(key.pk())),
        ("sk".to_owned(), text("current")),
        ("containment_id".to_owned(), text(current.containment.as_str())),
        ("state".to_owned(), text(state)),
        ("holder".to_owned(), text(&current.holder)),
        ("lease_until".to_owned(), text(current.lease_until.to_string())),
        ("version".to_owned(), number(current.version)),
        ("claimed_at".to_owned(), text(current.claimed_at.to_string())),
        ("findings".to_owned(), AttributeValue::L(current.findings.iter().map(text).collect())),
        ("reason".to_owned(), text(current.reason.to_string())),
    ]);
    for (name, named) in [("roles", &current.named.roles), ("profiles", &current.named.profiles)] {
        if !named.is_empty() {
            item.insert(name.to_owned(), AttributeValue::L(named.iter().map(text).collect()));
        }
    }
    if current.stop {
        item.insert("stop".to_owned(), AttributeValue::Bool(true));
    }
    let released_at = current.released_at.map(|at| at.to_string());
    let last_activity = current.last_activity.map(|at| at.to_string());
    let concluded_at = current.concluded_at.map(|at| at.to_string());
    if let Some(contest) = &current.contest {
        let contest: Item = HashMap::from([
            ("since".to_owned(), text(contest.since.to_string())),
            ("seen".to_owned(), text(contest.seen.to_string())),
            ("notices".to_owned(), number(contest.notices)),
            ("next_at".to_owned(), text(contest.next_at.to_string())),
        ]);
        item.insert("contest".to_owned(), AttributeValue::M(contest));
    }
    if let Some(counted) = &current.counted {
        item.insert("counted".to_owned(), AttributeValue::M(counted_item(counted)));
    }
    for (name, value) in [
        ("outcome", &current.outcome),
        ("told", &current.told),
        ("released_at", &released_at),
        ("last_activity", &last_activity),
        ("concluded_at", &concluded_at),
    ] {
        if let Some(value) = value {
            item.insert(name.to_owned(), text(value));
        }
    }
    item
}

pub(super) fn step(key: &TargetKey, containment: &ContainmentId, record: &StepRecord) -> PortResult<Item> {
    let body = serde_json::to_string(&record.step).map_err(|error| broken("Put", &error.to_string()))?;
    Ok(HashMap::from([
        ("pk".to_owned(), text(key.pk())),
        ("sk".to_owned(), text(format!("{containment}/{}", record.key))),
        ("lane".to_owned(), text(record.step.lane().name())),
        ("step".to_owned(), text(record.step.name())),
        ("resource".to_owned(), text(one_line(&record.step.resource(key.name()), LONG))),
        ("body".to_owned(), text(body)),
        ("recorded_at".to_owned(), text(record.recorded_at.to_string())),
        ("outcome".to_owned(), text("planned")),
    ]))
}

/// What the sort keys of an instance's reports begin with.
pub(super) const REPORTS: &str = "report/";

pub(super) fn report(key: &TargetKey, report: &Report) -> Item {
    HashMap::from([
        ("pk".to_owned(), text(key.pk())),
        ("sk".to_owned(), text(format!("{REPORTS}{}", report.of.word()))),
        ("containment_id".to_owned(), text(report.containment.as_str())),
        ("version".to_owned(), number(report.version)),
        ("at".to_owned(), text(report.at.to_string())),
        ("answer".to_owned(), text(&report.answer)),
    ])
}

pub(super) fn read_report(item: &Item) -> PortResult<Report> {
    let report = Reading { what: "a report", item };
    let of = report.text("sk")?;
    let known = ReportOf::ALL.into_iter().find(|kind| of.strip_prefix(REPORTS) == Some(kind.word()));
    Ok(Report {
        of: known.ok_or_else(|| broken("Query", &format!("there is a report {of}")))?,
        containment: report.text("containment_id")?.into(),
        version: report.version()?,
        at: report.time("at")?,
        answer: report.text("answer")?.to_owned(),
    })
}

/// The members of a set. One that cannot be read is an error: taken for empty, a role's policy would be written without
/// the instances that it denies.
pub(super) fn member_set(item: Option<&Item>) -> PortResult<MemberSet> {
    let Some(item) = item else { return Ok(MemberSet::default()) };
    let set = Reading { what: "the set", item };
    // The attribute's name is of the time when only roles had sets. An empty set is an absent attribute.
    let members = match item.get("instances") {
        None => Vec::new(),
        Some(AttributeValue::Ss(members)) => members.clone(),
        Some(other) => return Err(set.wrong("instances", other)),
    };
    Ok(MemberSet { version: set.version()?, members })
}

/// What the sort keys of a containment's steps begin with.
pub(super) fn prefix(current: &Item) -> PortResult<String> {
    Ok(format!("{}/", Reading { what: "current", item: current }.text("containment_id")?))
}

/// Whether steps that were read from the last key on, `all` or the first page, hold every step of the current containment:
/// its keys lie together, so that an earlier key ends them.
pub(super) fn covers(key: &TargetKey, newest: &[Item], all: bool, current: &Item) -> PortResult<bool> {
    let prefix = prefix(current)?;
    let in_range = prefix.starts_with(&key.id_prefix());
    let ended = newest.iter().any(|item| get(item, "sk").is_some_and(|sk| sk < prefix.as_str()));
    Ok(in_range && (all || ended))
}

/// The item `current` and the steps of its containment among `steps`; those of earlier containments are history and left
/// out. Steps without `current` are no sign that nothing is contained: somebody took it away.
pub(super) fn records(key: &TargetKey, current: Option<&Item>, steps: &[Item]) -> PortResult<Records> {
    let Some(item) = current else {
        let Some(step) = steps.first() else { return Ok(Records::default()) };
        let sk = get(step, "sk").unwrap_or_default();
        return Err(broken("Query", &format!("{} has the step {sk} and no item current", key.pk())));
    };
    let prefix = prefix(item)?;
    let of_it = steps.iter().filter_map(|step| Some((step, get(step, "sk")?.strip_prefix(&prefix)?)));
    Ok(Records {
        current: Some(read_current(item)?),
        steps: of_it.map(|(step, key)| read_step(step, key)).collect::<PortResult<_>>()?,
    })
}

fn read_current(item: &Item) -> PortResult<Containment> {
    let current = Reading { what: "current", item };
    let state = match current.text("state")? {
        "open" => State::Open,
        "closed" => State::Closed,
        "withdrawn" => State::Withdrawn,
        "releasing" => State::Releasing,
        "released" => State::Released,
        other => return Err(broken("Query", &format!("current has the state {other:?}"))),
    };
    let released_at = current.optional_time("released_at")?;
    if state == State::Released && released_at.is_none() {
        return Err(current.lacks("released_at"));
    }
    Ok(Containment {
        containment: current.text("containment_id")?.into(),
        state,
        holder: current.text("holder")?.to_owned(),
        lease_until: current.time("lease_until")?,
        version: current.version()?,
        claimed_at: current.time("claimed_at")?,
        findings: current.texts("findings")?.into_iter().map(str::to_owned).collect(),
        reason: current.text("reason")?.to_owned().into(),
        outcome: current.optional("outcome")?.map(str::to_owned),
        told: current.optional("told")?.map(str::to_owned),
        released_at,
        stop: current.flag("stop")?.unwrap_or(false),
        named: Named {
            roles: current.texts("roles")?.into_iter().map(str::to_owned).collect(),
            profiles: current.texts("profiles")?.into_iter().map(str::to_owned).collect(),
        },
        last_activity: current.optional_time("last_activity")?,
        concluded_at: current.optional_time("concluded_at")?,
        contest: match item.get("contest") {
            None => None,
            Some(AttributeValue::M(item)) => Some(read_contest(item)?),
            Some(other) => return Err(current.wrong("contest", other)),
        },
        counted: match item.get("counted") {
            None => None,
            Some(AttributeValue::M(item)) => Some(read_counted(item)?),
            Some(other) => return Err(current.wrong("counted", other)),
        },
    })
}

fn counted_item(counted: &Counted) -> Item {
    let mut item = HashMap::from([
        ("hour".to_owned(), text(&counted.hour)),
        ("hour_stays".to_owned(), AttributeValue::Bool(counted.hour_stays)),
    ]);
    if let Some(group) = &counted.group {
        item.insert("group".to_owned(), text(&group.name));
        item.insert("group_at".to_owned(), text(group.at.to_string()));
        item.insert("group_stays".to_owned(), AttributeValue::Bool(group.stays));
    }
    item
}

fn read_counted(item: &Item) -> PortResult<Counted> {
    let counted = Reading { what: "counted", item };
    let group = counted.optional("group")?.map(|name| {
        Ok(CountedInGroup {
            name: name.to_owned(),
            at: counted.time("group_at")?,
            stays: counted.flag("group_stays")?.unwrap_or(false),
        })
    });
    Ok(Counted {
        hour: counted.text("hour")?.to_owned(),
        hour_stays: counted.flag("hour_stays")?.unwrap_or(false),
        group: group.transpose()?,
    })
}

/// The instances that an hour's item counts.
pub(super) fn counted(hour: Option<&Item>) -> Vec<String> {
    let set = hour.and_then(|item| item.get("counted")).and_then(|value| value.as_ss().ok());
    let mut instances = set.cloned().unwrap_or_default();
    instances.sort();
    instances
}

fn read_contest(item: &Item) -> PortResult<Contest> {
    let contest = Reading { what: "contest", item };
    Ok(Contest {
        since: contest.time("since")?,
        seen: contest.time("seen")?,
        notices: contest.number("notices")?,
        next_at: contest.time("next_at")?,
    })
}

/// An item that is read back: an attribute that no version of Brig wrote is an error with its name and value, never a
/// default.
struct Reading<'a> {
    what: &'a str,
    item: &'a Item,
}

impl<'a> Reading<'a> {
    fn lacks(&self, name: &str) -> CloudError {
        broken("Query", &format!("{} has no {name}", self.what))
    }

    fn wrong(&self, name: &str, value: &AttributeValue) -> CloudError {
        broken("Query", &format!("{}: {name}: {value:?} is not expected", self.what))
    }

    fn optional(&self, name: &str) -> PortResult<Option<&'a str>> {
        match self.item.get(name) {
            None => Ok(None),
            Some(AttributeValue::S(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(name, other)),
        }
    }

    fn text(&self, name: &str) -> PortResult<&'a str> {
        self.optional(name)?.ok_or_else(|| self.lacks(name))
    }

    fn optional_time(&self, name: &str) -> PortResult<Option<Timestamp>> {
        let read = |text| Timestamp::parse(text).ok_or_else(|| self.wrong(name, &AttributeValue::S(text.to_owned())));
        self.optional(name)?.map(read).transpose()
    }

    fn time(&self, name: &str) -> PortResult<Timestamp> {
        self.optional_time(name)?.ok_or_else(|| self.lacks(name))
    }

    fn flag(&self, name: &str) -> PortResult<Option<bool>> {
        match self.item.get(name) {
            None => Ok(None),
            Some(AttributeValue::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(self.wrong(name, other)),
        }
    }

    fn texts(&self, name: &str) -> PortResult<Vec<&'a str>> {
        match self.item.get(name) {
            None => Ok(Vec::new()),
            Some(AttributeValue::L(values)) => values
                .iter()
                .map(|value| value.as_s().map(String::as_str).map_err(|other| self.wrong(name, other)))
                .collect(),
            Some(other) => Err(self.wrong(name, other)),
        }
    }

    fn number<T: FromStr>(&self, name: &str) -> PortResult<T> {
        match self.item.get(name) {
            None => Err(self.lacks(name)),
            Some(value @ AttributeValue::N(number)) => number.parse().map_err(|_| self.wrong(name, value)),
            Some(other) => Err(self.wrong(name, other)),
        }
    }

    /// A version that the next claim can count up from.
    fn version(&self) -> PortResult<u64> {
        let version = self.number("version")?;
        if version > MOST_VERSION {
            return Err(self.wrong("version", &number(version)));
        }
        Ok(version)
    }
}

fn read_step(item: &Item, key: &str) -> PortResult<StepRecord> {
    let what = format!("the step {key}");
    let record = Reading { what: &what, item };
    let step = serde_json::from_str(record.text("body")?)
        .map_err(|error| broken("Query", &format!("{what}: body: {error}")))?;
    let words = record.optional("detail")?.unwrap_or_default();
    // Versions before marks had a sentence alone, which began so.
    let mark = match record.optional("mark")? {
        Some(word) => Mark::of(word),
        None if words.starts_with("not surely opened") => Some(Mark::MayHaveOpened),
        None => None,
    };
    let detail = Detail { words: words.into(), mark };
    let outcome = match record.optional("outcome")? {
        None | Some("planned") => None,
        Some("changed") => Some(Outcome::Changed(detail)),
        Some("already_done") => Some(Outcome::AlreadyDone(detail)),
        Some("missing") => Some(Outcome::Missing(detail)),
        Some("skipped") => Some(Outcome::Skipped(detail)),
        Some("failed") => Some(Outcome::Failed(Failure {
            error: detail.words,
            retryable: record.flag("retryable")?.unwrap_or(true),
            denial: None,
        })),
        Some(other) => return Err(broken("Query", &format!("{what} has the outcome {other:?}"))),
    };
    let time =
        |text: &str| Timestamp::parse(text).ok_or_else(|| record.wrong("repairs", &AttributeValue::S(text.to_owned())));
    Ok(StepRecord {
        key: key.to_owned(),
        step,
        recorded_at: record.time("recorded_at")?,
        outcome,
        finished_at: record.optional_time("finished_at")?,
        first_done_at: record.optional_time("first_done_at")?,
        repairs: record.texts("repairs")?.into_iter().map(time).collect::<PortResult<_>>()?,
    })
}

pub(super) fn get<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
}

/// A record that cannot be written or read back: named, since a containment must not go on without its originals.
pub(super) fn broken(operation: &'static str, what: &str) -> CloudError {
    CloudError {
        operation,
        kind: ErrorKind::Other,
        code: "BrokenRecord".to_owned(),
        message: what.chars().take(300).collect(),
    }
}

#[cfg(test)]
mod tests;
