//! Who may take over a containment, and what a new one counts against.

use std::time::Duration;

use crate::{
    ledger::{Containment, State, StepRecord},
    model::{ids::TargetKey, timestamp::Timestamp},
};

/// Where a containment was counted. What is withdrawn before anything was changed gives its count back, once: with the
/// write that withdraws it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The hour, `2026-01-02T03`.
    pub hour: String,
    /// An earlier containment of the instance was counted in that hour, and is not withdrawn with this one.
    pub hour_stays: bool,
    /// The Auto Scaling group.
    pub group: Option<CountedInGroup>,
}

/// A containment in its Auto Scaling group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedInGroup {
    /// The group's name.
    pub name: String,
    /// When it was counted: the time that the group's item has.
    pub at: Timestamp,
    /// It was counted for an earlier containment of the instance, and is not withdrawn with this one.
    pub stays: bool,
}

/// How long a containment counts in its group.
pub const GROUP_TIME: Duration = Duration::from_hours(24);

/// What a new containment counts against, and how that is recorded with it: an instance counts once an hour, and once a day
/// in its group, however often it is contained. `before` is the instance's item as it was read.
#[must_use]
pub fn count(
    before: Option<&Containment>,
    limits: Option<Limits>,
    now: Timestamp,
) -> (Option<Limits>, Option<Counted>) {
    let known = before.and_then(|current| Some((current.state != State::Withdrawn, current.counted.as_ref()?)));
    let in_hour = known.filter(|(stands, counted)| counted.hour == now.hour() && (*stands || counted.hour_stays));
    let in_group = known.and_then(|(stands, counted)| counted.group.as_ref().filter(|group| stands || group.stays));
    let in_group = in_group.filter(|group| now.since(group.at) < GROUP_TIME);
    let stays = |group: &CountedInGroup| CountedInGroup { stays: true, ..group.clone() };
    let Some(mut limits) = limits else {
        // A person's order counts nowhere, and what was counted before it still does.
        let hour = in_hour.map(|(_, counted)| counted.hour.clone());
        let counted = hour.map(|hour| Counted { hour, hour_stays: true, group: in_group.map(stays) });
        return (None, counted);
    };
    let group = match (&limits.group, in_group) {
        (Some(name), Some(known)) if known.name == *name => {
            limits.group = None;
            Some(stays(known))
        }
        (Some(name), _) => Some(CountedInGroup { name: name.clone(), at: now, stays: false }),
        (None, known) => known.map(stays),
    };
    (Some(limits), Some(Counted { hour: now.hour(), hour_stays: in_hour.is_some(), group }))
}

/// What reaching the cap is answered with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OverCap {
    /// It is the first time in the hour.
    pub first: bool,
    /// The instances that were counted in the hour, in the order of their ids.
    pub instances: Vec<String>,
}

/// Whether an invocation may take an instance on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimable {
    /// No containment is active: a new one.
    New,
    /// An active containment that nobody works on: go on with it.
    Again,
    /// Another invocation holds it.
    Held {
        /// Its request id.
        by: String,
        /// Until when.
        until: Timestamp,
    },
}

/// Judges the item `current`. Lambda repeats the request id when it retries an event, so the same id means that the
/// holder is dead or is this very event delivered twice; both may go on at once, since every step is idempotent.
///
/// ```text
/// A  |-- claim: version 1, lease until t --|-- works --x   it dies, or is only slow
/// B       |-- held until t: waits, or leaves it to the queue
/// C                                      t  |-- claim: version 2 --|-- works on the same records --
/// A                                                |-- closes at version 1: refused, its answer says so
/// ```
///
/// Between t and A's end both may work. That is why a step reads before it writes, why its intent is recorded once, and why
/// nothing that one of them did is taken for the state before it.
#[must_use]
pub fn claimable(current: Option<&Containment>, request_id: &str, now: Timestamp) -> Claimable {
    match current {
        None => Claimable::New,
        Some(current) if !current.is_active() => Claimable::New,
        Some(current) if current.state == State::Closed => Claimable::Again,
        Some(current) if current.holder == request_id || current.lease_until <= now => Claimable::Again,
        Some(current) => Claimable::Held { by: current.holder.clone(), until: current.lease_until },
    }
}

/// What a claim writes in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub key: TargetKey,
    /// The item `current` as it shall be; its version is one more than the one it replaces.
    pub current: Containment,
    /// The version that was read, none where there was no item.
    pub read_version: Option<u64>,
    /// Steps that the ledger does not hold yet.
    pub steps: Vec<StepRecord>,
    /// For a new automatic containment: what it counts against.
    pub limits: Option<Limits>,
    /// When the claim is made; its hour is the one counted.
    pub now: Timestamp,
}

/// What a new automatic containment counts against, in the claim's transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// New automatic containments an hour, in the account and Region.
    pub cap: u32,
    /// How many of those may come from sources other than GuardDuty; none for GuardDuty's own.
    pub others: Option<u32>,
    /// The instance's Auto Scaling group: a third containment in it within a day says that its template is the hole.
    pub group: Option<String>,
}

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// It is ours.
    Yes,
    /// The item changed since it was read: read again.
    Moved,
    /// The hour's cap is reached.
    OverCap,
    /// It would be the third containment in the Auto Scaling group within a day.
    ThirdInGroup,
}
