//! What turns a decision into a question once the claim has counted, and what is counted.

use crate::{
    decide::Decided,
    ledger::{Cause, Limits, OverCap},
    model::{Instance, Principal, text::Sentence},
    settings::Policy,
    trigger::{Finding, Source},
};

/// How many instances the sentence about the cap names.
const MOST_NAMED: usize = 20;

/// The decision once the claim found the hour's cap reached.
#[must_use]
pub fn over_cap(reason: &Sentence, policy: &Policy, over: &OverCap) -> Decided {
    let loud = if over.first {
        "NOTHING MORE IS CONTAINED AUTOMATICALLY THIS HOUR, this instance and those that follow: "
    } else {
        ""
    };
    let named = over.instances.iter().take(MOST_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let used_by = match over.instances.len() {
        0 => String::new(),
        all if all > MOST_NAMED => format!(" (used by {named} and {} more)", all - MOST_NAMED),
        _ => format!(" (used by {named})"),
    };
    Decided::ask(format!(
            "{loud}{reason}; the cap of {} new automatic containments an hour in this account and Region is reached{used_by}, so a person must decide",
            policy.max_per_hour
        ),
    )
    .because(if over.first { Cause::CapReached } else { Cause::Cap })
}

/// The decision once the claim found two containments in the group within a day.
#[must_use]
pub fn third_in_group(reason: &Sentence, group: &str) -> Decided {
    Decided::ask(format!(
            "{reason}; it is the third containment in the Auto Scaling group {group} within 24 hours: its template itself may be the hole, and every replacement has it"
        ),
    )
    .because(Cause::ThirdInGroup)
}

/// The decision once the instance was seen to be the last healthy target of these target groups (ARNs).
#[must_use]
pub fn last_healthy(reason: &Sentence, groups: &[String]) -> Decided {
    Decided::ask(format!(
        "{reason}; it is the last healthy target of {}: containing it takes that service down, so a person must decide",
        groups.join(", ")
    ))
    .because(Cause::LastHealthy)
}

/// Whether what depends on the instance may still turn the decision into a question: not for a person's own request, nor
/// where a rule of the account's says to contain.
#[must_use]
pub fn asks_about_dependents(finding: &Finding, decided: &Decided) -> bool {
    finding.is_automatic() && decided.decision.acts() && !decided.by_rule
}

/// What a new automatic containment counts against: half of the hour's cap is kept for GuardDuty's own events, so that
/// tags, reports, alarms and imports cannot use it up.
#[must_use]
pub fn limits(finding: &Finding, decided: &Decided, instance: &Instance, policy: &Policy) -> Limits {
    let cap = policy.max_per_hour;
    let group = if asks_about_dependents(finding, decided) { instance.auto_scaling_group() } else { None };
    Limits { cap, others: others(finding, cap), group: group.map(str::to_owned) }
}

/// The same of a user: users of an account count together, apart from its instances.
#[must_use]
pub fn limits_of_user(finding: &Finding<Principal>, policy: &Policy) -> Limits {
    Limits { cap: policy.max_per_hour, others: others(finding, policy.max_per_hour), group: None }
}

fn others<T>(finding: &Finding<T>, cap: u32) -> Option<u32> {
    (finding.source != Source::GuardDuty || finding.imported.is_some()).then_some(cap.div_ceil(2))
}
