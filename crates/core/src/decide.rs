//! Whether to act: a finding and what was seen of its instance -> contain, ask people, or ignore, always with the reason
//! that a person reads. The hourly cap is decided with the claim, since only the ledger can count.

use std::collections::BTreeMap;

use built_in::{built_in, of_a_node, settled};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    decide::rules::Rules,
    ledger::Cause,
    model::{
        Instance,
        ids::InstanceId,
        tags::CONTAINMENT_TAG,
        text::{self, Sentence},
        timestamp::Timestamp,
    },
    settings::Policy,
    trigger::{Finding, Force, ResourceRole, Source, Suspect},
};

mod asks;
mod built_in;
mod exemption;
mod gate;
mod known;
mod limits;
mod principal;
pub mod queue;
pub mod rules;

pub use self::{
    asks::Asks,
    exemption::by_tags,
    exemption::{Exemption, Strength, exemption},
    gate::{distrust, gate, ignored},
    known::Known,
    limits::{asks_about_dependents, last_healthy, limits, limits_of_user, over_cap, third_in_group},
    principal::{decide_holder, nobodys},
};

/// What to do about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Act.
    Contain {
        /// A person or a rule asks that the instance be stopped, too.
        stop: bool,
    },
    /// A person must decide; tell them what would be done.
    Ask,
    /// Nothing to do.
    Ignore,
    /// A precondition forbids what a person asks for: nothing may be done, whoever asks.
    Refuse,
}

impl Decision {
    /// `contain`, `ask`, `ignore` or `refuse`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Contain { .. } => "contain",
            Self::Ask => "ask",
            Self::Ignore => "ignore",
            Self::Refuse => "refuse",
        }
    }

    /// Whether something is to be done.
    #[must_use]
    pub fn acts(self) -> bool {
        matches!(self, Self::Contain { .. })
    }

    /// Whether the instance is to be stopped, too.
    #[must_use]
    pub fn stops(self) -> bool {
        matches!(self, Self::Contain { stop: true })
    }
}

impl Serialize for Decision {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// A decision and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// What to do.
    pub decision: Decision,
    /// Why, for a person. Names and titles of others are in it.
    pub reason: Sentence,
    /// A rule of the account's own said so: the built-in rules are not asked.
    pub by_rule: bool,
    /// Why, as a word: what tells news from a repetition.
    pub cause: Cause,
}

impl Decided {
    fn new(decision: Decision, reason: impl Into<Sentence>) -> Self {
        Self { decision, reason: reason.into(), by_rule: false, cause: Cause::Finding }
    }

    /// To act.
    #[must_use]
    pub fn contain(reason: impl Into<Sentence>) -> Self {
        Self::new(Decision::Contain { stop: false }, reason)
    }

    /// To ask people.
    #[must_use]
    pub fn ask(reason: impl Into<Sentence>) -> Self {
        Self::new(Decision::Ask, reason)
    }

    /// To do nothing.
    #[must_use]
    pub fn ignore(reason: impl Into<Sentence>) -> Self {
        Self::new(Decision::Ignore, reason)
    }

    /// To refuse what a person asks for.
    #[must_use]
    pub fn refuse(reason: impl Into<Sentence>) -> Self {
        Self::new(Decision::Refuse, reason)
    }

    /// The same for this cause.
    #[must_use]
    pub fn because(self, cause: Cause) -> Self {
        Self { cause, ..self }
    }
}

/// What decisions are made by: the settings and the account's own rules.
#[derive(Debug, Clone, Copy)]
pub struct Guide<'a> {
    /// The settings.
    pub policy: &'a Policy,
    /// `BRIG_POLICY`.
    pub rules: &'a Rules,
    /// Why the account's rules could not be read, where they could not.
    pub rules_lost: Option<&'a str>,
}

/// The document that rules are matched against.
#[must_use]
pub fn document(finding: &Finding, instance: &Instance) -> Value {
    let vpcs: Vec<&str> = instance.interfaces.iter().map(|interface| interface.vpc.as_str()).collect();
    json!({
        "finding": of_finding(finding),
        "instance": {
            "id": instance.id,
            "account": instance.account,
            "region": instance.region,
            "vpc": vpcs,
            "tags": instance.tags,
            "profile": instance.profile,
            "group": instance.auto_scaling_group(),
            "spot": instance.spot,
            "public": instance.public,
        },
    })
}

fn of_finding<T>(finding: &Finding<T>) -> Value {
    let role = finding.role.map(|role| match role {
        ResourceRole::Actor => "ACTOR",
        ResourceRole::Target => "TARGET",
    });
    json!({
        "source": finding.source.name(),
        "type": finding.kind,
        "severity": finding.severity,
        "role": role,
        "remotes": finding.remotes.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

/// Decides about a finding whose instance was seen. Exemption is read only here, when a new containment is decided: an
/// exempt tag that appears afterwards (an attacker can write tags too) lifts nothing.
#[must_use]
pub fn decide(finding: &Finding, instance: &Instance, known: &Known<'_>, force: Force, guide: &Guide<'_>) -> Decided {
    let subject = Subject {
        name: instance.id.as_str(),
        noun: InstanceId::NOUN,
        tags: &instance.tags,
        document: &|| document(finding, instance),
        doubt: &|what| of_a_node(finding, instance, what),
    };
    let decided = judge(finding, &subject, known, force, guide);
    match decided.decision {
        Decision::Contain { stop } => Decided { decision: Decision::Contain { stop: stop || finding.stop }, ..decided },
        Decision::Ask | Decision::Ignore | Decision::Refuse => decided,
    }
}

/// What is decided about, as far as a decision depends on it.
struct Subject<'a> {
    name: &'a str,
    /// What people call it.
    noun: &'a str,
    tags: &'a BTreeMap<String, String>,
    /// What rules are matched against.
    document: &'a dyn Fn() -> Value,
    /// Why a person is asked where neither a rule nor the finding settles it.
    doubt: &'a dyn Fn(&str) -> Option<Decided>,
}

fn judge<T: Suspect>(
    finding: &Finding<T>,
    subject: &Subject<'_>,
    known: &Known<'_>,
    force: Force,
    guide: &Guide<'_>,
) -> Decided {
    let (policy, noun, name) = (guide.policy, subject.noun, subject.name);
    let what =
        if finding.is_automatic() { format!("{}: {}", finding.kind, finding.title) } else { finding.title.clone() };
    match known {
        Known::Releasing(id) if finding.is_automatic() => {
            return Decided::ask(format!("{what}; a person is releasing the {noun} from {id}"))
                .because(Cause::BeingReleased);
        }
        Known::Active(_) | Known::Releasing(_) => return Decided::contain(what),
        Known::Released { at, findings } if finding.is_automatic() => {
            if let Some(decided) = after_release(finding, noun, &what, *at, findings) {
                return decided;
            }
        }
        Known::ReleasedInFuture { at } if finding.is_automatic() => {
            return Decided::ask(format!(
                "{what}; the ledger says that the {noun} was released at {at}, which is in the future, so it \
                     cannot show whether this activity is older. A clock is wrong, or somebody changed the ledger"
            ));
        }
        Known::Released { .. } | Known::ReleasedInFuture { .. } | Known::No => {}
    }
    if let Some(id) = subject.tags.get(CONTAINMENT_TAG)
        && force == Force::No
    {
        return Decided::refuse(format!(
            "{} carries the tag {CONTAINMENT_TAG}={}, a containment that this ledger does not know; invoke with \
             \"force\": true (brig: --force) to take it over, its original settings then being unknown",
            name,
            text::one_line(id, text::NAME)
        ))
        .because(Cause::ForeignContainment);
    }
    let Some(Exemption { tag, value, strength }) = by_tags(subject.tags, policy) else {
        return by_rule(finding, subject, what, force, guide);
    };
    let value = text::one_line(value, text::NAME);
    match strength {
        _ if finding.is_automatic() => {
            Decided::ask(format!("{what}; the {noun} is EXEMPT by its tag {tag}={value}, so a person must decide"))
                .because(Cause::Exempt)
        }
        Strength::Never => Decided::refuse(format!(
            "{name} is tagged {tag}=never: it may not be contained, not even by force, until that tag is changed"
        ))
        .because(Cause::Exempt),
        Strength::UnlessForced if force == Force::No => Decided::refuse(format!(
            "{name} is exempt by its tag {tag}={value}; invoke with \"force\": true (brig: --force) to contain it anyway"
        ))
        .because(Cause::Exempt),
        Strength::UnlessForced => by_rule(finding, subject, what, force, guide),
    }
}

/// Only activity since the release counts: findings go on being updated and delivered for hours. Of a finding that a
/// person has already judged, a person judges the update too.
fn after_release<T>(
    finding: &Finding<T>,
    noun: &str,
    what: &str,
    at: Timestamp,
    findings: &[String],
) -> Option<Decided> {
    match finding.last_seen {
        None => Some(Decided::ignore(format!(
            "{what}; the {noun} was released at {at}, and the event does not say when the activity was"
        ))),
        Some(seen) if seen <= at => {
            Some(Decided::ignore(format!("{what}; its activity ({seen}) is older than the {noun}'s release ({at})")))
        }
        Some(seen) if findings.contains(&finding.id) => Some(
            Decided::ask(format!(
                "{what}; the {noun} was released from this same finding at {at}, and the activity continues ({seen})"
            ))
            .because(Cause::Released),
        ),
        Some(_) => None,
    }
}

/// The crowd, the account's own rules, then the built-in ones.
fn by_rule<T: Suspect>(
    finding: &Finding<T>,
    subject: &Subject<'_>,
    what: String,
    force: Force,
    guide: &Guide<'_>,
) -> Decided {
    if let Some(unclear) = finding.unclear
        && force == Force::No
    {
        return Decided::ask(format!(
            "{what}; it is not plain that {} is meant: the report {}",
            subject.name,
            unclear.why()
        ));
    }
    // Who names an instance means it; a pasted report's instances are named by whoever wrote the report.
    if finding.by_person && (force == Force::Yes || finding.source != Source::AbuseReport) {
        return Decided::contain(what);
    }
    let noun = subject.noun;
    if finding.crowd > guide.policy.max_per_finding {
        return Decided::ask(format!(
            "{what}; the event names {} {noun}s, more than BRIG_MAX_PER_FINDING ({})",
            finding.crowd, guide.policy.max_per_finding
        ))
        .because(Cause::Crowd);
    }
    if finding.by_person && finding.source == Source::AbuseReport {
        return Decided::contain(what);
    }
    let decided = weigh(finding, subject, &what, guide);
    match decided.decision {
        Decision::Contain { .. } => settled(finding, &what, guide.policy).unwrap_or(decided),
        Decision::Ask | Decision::Ignore | Decision::Refuse => decided,
    }
}

fn weigh<T: Suspect>(finding: &Finding<T>, subject: &Subject<'_>, what: &str, guide: &Guide<'_>) -> Decided {
    if let Some((name, decision)) = guide.rules.decide(&(subject.document)()) {
        return Decided { by_rule: true, ..Decided::new(decision, format!("{what} (rule \"{name}\")")) };
    }
    if let Some(decided) = built_in(finding, guide.policy).or_else(|| (subject.doubt)(what)) {
        return decided;
    }
    match guide.rules_lost {
        Some(why) => {
            Decided::ask(format!("{what}; the account's own rules could not be read ({why}), so a person must decide"))
                .because(Cause::RulesUnread)
        }
        None => Decided::contain(what.to_owned()),
    }
}

#[cfg(test)]
mod tests;
