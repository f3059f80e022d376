//! Words that several views share.

use super::page::Tone;
use crate::answer::{Entry, Found, NewFlows, OpenFlows, Outcome, State, Step, Truth};

/// The state of an instance, for a headline.
#[must_use]
pub fn heading(outcome: Outcome) -> (Tone, &'static str) {
    match outcome {
        Outcome::Contained => (Tone::Good, "CONTAINED"),
        Outcome::AlreadyContained => (Tone::Good, "ALREADY CONTAINED"),
        Outcome::Partial => (Tone::Bad, "ONLY PARTLY CONTAINED"),
        Outcome::InProgress => (Tone::Warn, "IN PROGRESS: another invocation is working on it"),
        Outcome::Observed => (Tone::Warn, "NOTHING CHANGED: observe mode"),
        Outcome::Planned => (Tone::Strong, "PLAN: nothing was changed"),
        Outcome::Asked => (Tone::Warn, "DECISION NEEDED: nothing was changed"),
        Outcome::Ignored => (Tone::Warn, "NOTHING DONE"),
        Outcome::Refused => (Tone::Bad, "REFUSED: nothing was changed"),
        Outcome::Failed => (Tone::Bad, "NOT CONTAINED"),
        Outcome::Verified => (Tone::Good, "VERIFIED: still contained"),
        Outcome::Repaired => (Tone::Warn, "DRIFT REPAIRED: contained again"),
        Outcome::Drifted => (Tone::Bad, "DRIFTED"),
        Outcome::Contested => (Tone::Bad, "CONTAINMENT KEEPS BEING UNDONE"),
        Outcome::Contradicted => (Tone::Bad, "TRAFFIC AFTER THE CUT"),
        Outcome::Unverified => (Tone::Bad, "NOT VERIFIED: it could not be looked at"),
        Outcome::Released => (Tone::Good, "RELEASED"),
        Outcome::ReleasePartial => (Tone::Bad, "ONLY PARTLY RELEASED"),
        Outcome::Unknown => (Tone::Warn, "UNKNOWN OUTCOME: this command is older than the function"),
    }
}

/// The outcome in a table.
#[must_use]
pub fn short(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Contained => "contained",
        Outcome::AlreadyContained => "already contained",
        Outcome::Partial => "partial",
        Outcome::InProgress => "in progress",
        Outcome::Observed => "observed",
        Outcome::Planned => "planned",
        Outcome::Asked => "asked",
        Outcome::Ignored => "ignored",
        Outcome::Refused => "refused",
        Outcome::Failed => "failed",
        Outcome::Verified => "verified",
        Outcome::Repaired => "repaired",
        Outcome::Drifted => "drifted",
        Outcome::Contested => "being undone",
        Outcome::Contradicted => "contradicted",
        Outcome::Unverified => "not verified",
        Outcome::Released => "released",
        Outcome::ReleasePartial => "partly released",
        Outcome::Unknown => "unknown",
    }
}

/// How far a containment is.
#[must_use]
pub fn state(state: State) -> &'static str {
    match state {
        State::Open => "being worked on",
        State::Closed => "contained",
        State::Withdrawn => "withdrawn",
        State::Releasing => "being released",
        State::Released => "released",
        State::Unknown => "unknown",
    }
}

/// How far a lane holds.
#[must_use]
pub fn truth(truth: Truth) -> (Tone, &'static str) {
    match truth {
        Truth::Yes => (Tone::Good, "done"),
        Truth::Partial => (Tone::Bad, "PARTLY"),
        Truth::No => (Tone::Bad, "NOT DONE"),
        Truth::Unknown => (Tone::Warn, "not confirmed"),
    }
}

/// What each lane promises.
#[must_use]
pub fn promise(lane: &str) -> &'static str {
    match lane {
        "network" => "new connections are blocked, except through DNS",
        "credentials" => "the instance's credentials are dead",
        "fleet" => "out of its Auto Scaling group and load balancers",
        "evidence" => "instance and disks are preserved",
        _ => "",
    }
}

/// A step's lane by the name that the verdict uses.
#[must_use]
pub fn lane(step: &Step) -> String {
    if step.lane == "identity" { "credentials".to_owned() } else { step.lane.clone() }
}

/// How a step's outcome is marked.
#[must_use]
pub fn found(found: Found) -> Tone {
    match found {
        Found::Changed | Found::AlreadyDone => Tone::Good,
        Found::Planned | Found::Missing | Found::Skipped => Tone::Plain,
        Found::Unknown => Tone::Warn,
        Found::Failed => Tone::Bad,
    }
}

/// A step in words: what is changed, and below it what it replaces.
#[must_use]
pub fn change(step: &Step) -> String {
    let detail = if step.detail.is_empty() { String::new() } else { format!("\n{}", step.detail) };
    format!("{} {}{detail}", step.name, step.resource)
}

/// Whether a connection can start.
#[must_use]
pub fn new_flows(flows: NewFlows) -> (Tone, &'static str) {
    match flows {
        NewFlows::Blocked => (Tone::Good, "blocked"),
        NewFlows::Unknown => (Tone::Warn, "unknown"),
        NewFlows::Open => (Tone::Bad, "OPEN"),
    }
}

/// What becomes of connections that were open.
#[must_use]
pub fn open_flows(flows: OpenFlows) -> (Tone, &'static str) {
    match flows {
        OpenFlows::None => (Tone::Good, "none"),
        OpenFlows::Cut => (Tone::Good, "ended"),
        OpenFlows::ExpectedCut => (Tone::Plain, "expected to end"),
        OpenFlows::Unknown => (Tone::Warn, "unknown"),
        OpenFlows::MayGoOn => (Tone::Warn, "MAY CONTINUE"),
    }
}

/// A length of time as people say it.
#[must_use]
pub fn age(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {} min", minutes % 60),
        (days, hours, _) => format!("{days} d {} h", hours % 24),
    }
}

/// Milliseconds as people say them.
#[must_use]
pub fn seconds(millis: u64) -> String {
    format!("{}.{} s", millis / 1000, millis % 1000 / 100)
}

/// A user or a role as the command takes it; none of an instance.
#[must_use]
pub fn holder(account: &str, user: Option<&str>, role: Option<&str>) -> Option<String> {
    match (role, user) {
        (Some(role), _) => Some(format!("{account}/iam/role/{role}")),
        (None, Some(user)) => Some(format!("{account}/iam/{user}")),
        (None, None) => None,
    }
}

/// An instance as the command takes it, whatever its account and Region.
#[must_use]
pub fn typed(entry: &Entry) -> String {
    if let Some(holder) = holder(&entry.account, entry.user.as_deref(), entry.role.as_deref()) {
        return holder;
    }
    match (&entry.instance_id, &entry.access_key_id) {
        (Some(id), _) => format!("{}/{}/{id}", entry.account, entry.region),
        (None, Some(key)) => key.clone(),
        (None, None) if entry.region.is_empty() => entry.account.clone(),
        (None, None) => format!("{}/{}", entry.account, entry.region),
    }
}
