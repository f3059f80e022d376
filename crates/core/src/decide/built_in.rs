//! The built-in rules: what a finding is worth where the account's own rules say nothing, and what no rule lifts.

use super::{Decided, Policy};
use crate::{
    model::{Instance, node::node},
    trigger::{Doubt, Finding, ResourceRole, Source, Suspect},
};

/// The built-in rules, which stand after the account's own. `None`: contain.
pub(super) fn built_in<T: Suspect>(finding: &Finding<T>, policy: &Policy) -> Option<Decided> {
    let ignore = |reason: String| Some(Decided::ignore(reason));
    let ask = |reason: String| Some(Decided::ask(reason));
    if finding.by_person {
        return None;
    }
    let what = format!("{}: {}", finding.kind, finding.title);
    let noun = T::NOUN;
    if T::IS_ATTACKED && finding.role == Some(ResourceRole::Target) && only_attacked(&finding.kind) {
        return match finding.source {
            Source::CustomAction => {
                ask(format!("{what}; the finding says that the instance was attacked, which is not yet compromised"))
            }
            Source::GuardDuty
            | Source::Health
            | Source::AbuseReport
            | Source::AbuseText
            | Source::Tag
            | Source::Alarm
            | Source::CloudTrail
            | Source::Manual => {
                ignore(format!("{}: the instance was attacked, which is not yet compromised", finding.kind))
            }
        };
    }
    match finding.severity {
        Some(severity) if severity < policy.min_severity => {
            return ignore(format!("severity {severity} is below the minimum of {}", policy.min_severity));
        }
        _ => {}
    }
    match finding.doubt {
        Some(Doubt::SharedHost) => {
            return ask(format!("{what}; the instance is the host of containers that others may share"));
        }
        Some(Doubt::ByCustomer) => {
            return ask(format!("{what}; whoever may attach a policy can cause this"));
        }
        Some(Doubt::OnInstance) => {
            return ask(format!("{what}; whoever was on the instance may have the key"));
        }
        Some(Doubt::Mentioned) => {
            return ask(format!(
                "{what}; the finding is about {}, and only mentions the {noun}",
                if T::IS_ATTACKED { "credentials or another resource" } else { "another resource" }
            ));
        }
        None => {}
    }
    match finding.source {
        Source::Alarm => ask(format!("{what}; an alarm is a sign, not a verdict")),
        Source::AbuseText => ask(format!("{what}; no one vouches for the text of the report")),
        Source::GuardDuty
        | Source::Health
        | Source::AbuseReport
        | Source::Tag
        | Source::CustomAction
        | Source::CloudTrail
        | Source::Manual => None,
    }
}

/// Whether the instance is a node of a cluster, by its tags: a finding about it may come of one container on it.
pub(super) fn of_a_node(finding: &Finding, instance: &Instance, what: &str) -> Option<Decided> {
    let node = match finding.source {
        Source::GuardDuty | Source::CustomAction => node(&instance.tags)?,
        Source::Health
        | Source::AbuseReport
        | Source::AbuseText
        | Source::Tag
        | Source::Alarm
        | Source::CloudTrail
        | Source::Manual => {
            return None;
        }
    };
    let reason = format!("{what}; by its tags the instance is {node}: other containers on it would be cut off too");
    Some(Decided::ask(reason))
}

/// What keeps a finding from containing whatever a rule says: a click on what is a sample or closed, and a finding that
/// Security Hub sends for another reason than new activity.
pub(super) fn settled<T>(finding: &Finding<T>, what: &str, policy: &Policy) -> Option<Decided> {
    let ask = |why: String| Some(Decided::ask(format!("{what}; {why}, so a person must decide")));
    if finding.source == Source::CustomAction {
        return match finding.closed {
            _ if finding.sample => ask("the finding is a sample".to_owned()),
            Some(closed) => ask(format!("the finding is {closed} at its source")),
            None => None,
        };
    }
    let sent = finding.imported?.sent;
    match (finding.last_seen, sent) {
        (Some(seen), Some(sent)) if sent.since(seen) <= policy.import_max_age => None,
        (Some(seen), Some(sent)) => ask(format!(
            "its activity was last seen at {seen}, more than {} h before Security Hub sent it ({sent}): it was sent \
             because somebody edited it, or late (BRIG_IMPORT_MAX_AGE_HOURS)",
            policy.import_max_age.as_secs() / 3600
        )),
        (_, _) => ask("Security Hub does not say when its activity was".to_owned()),
    }
}

/// Types that anyone on the internet can cause on a reachable host: acting on them would hand strangers a switch.
fn only_attacked(kind: &str) -> bool {
    kind.starts_with("Recon:") || ["BruteForce", "PortProbe"].iter().any(|part| kind.contains(part))
}
