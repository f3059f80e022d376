//! What a step replaces and what it puts there, as values; and the one sentence that people read of it, in plans, release
//! plans, questions and reports.

use std::fmt;

use super::GroupRef;
use crate::model::{MetadataOptions, Purpose, Rule, Target, Timeouts};

/// So many members of a list are shown; the rest is counted.
const MOST: usize = 10;

/// How something stands before a step or after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Not known.
    Unknown,
    /// There is none.
    Nothing,
    Switch(Switch),
    /// A setting's word, a name, an id or a short description.
    Word(String),
    /// Ids, names or addresses.
    List(Vec<String>),
    /// Rules of a security group.
    Rules(Vec<Rule>),
    /// Idle timeouts of connection tracking.
    Timeouts(Timeouts),
    /// How the metadata service answers.
    Metadata(MetadataOptions),
    /// Targets of a target group.
    Targets(Vec<Target>),
}

/// Whether something is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    On,
    /// It is not.
    Off,
}

/// One step's change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What of the resource changes: `groups`, `instance profile`.
    pub of: &'static str,
    /// How it is before.
    pub before: Value,
    /// How it is after.
    pub after: Value,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} -> {}", self.of, self.before, self.after)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("unknown"),
            Self::Nothing => f.write_str("none"),
            Self::Switch(Switch::On) => f.write_str("on"),
            Self::Switch(Switch::Off) => f.write_str("off"),
            Self::Word(word) => f.write_str(word),
            Self::List(items) => listed(f, items.iter().map(String::as_str)),
            Self::Rules(rules) => listed(f, rules.iter().map(shown_rule)),
            Self::Timeouts(timeouts) => f.write_str(&shown_timeouts(*timeouts)),
            Self::Metadata(options) => f.write_str(&shown_options(options)),
            Self::Targets(targets) => listed(f, targets.iter().map(shown_target)),
        }
    }
}

fn listed(f: &mut fmt::Formatter<'_>, items: impl ExactSizeIterator<Item = impl AsRef<str>>) -> fmt::Result {
    let all = items.len();
    if all == 0 {
        return f.write_str("none");
    }
    for (number, item) in items.take(MOST).enumerate() {
        let comma = if number > 0 { ", " } else { "" };
        write!(f, "{comma}{}", item.as_ref())?;
    }
    if all > MOST { write!(f, " and {} more", all - MOST) } else { Ok(()) }
}

fn shown_rule(rule: &Rule) -> String {
    let protocol = if rule.protocol == "-1" { "everything" } else { rule.protocol.as_str() };
    let ports = match rule.ports {
        Some((from, to)) if from == to => format!(" {from}"),
        Some((from, to)) => format!(" {from}-{to}"),
        None => String::new(),
    };
    let way = match rule.direction {
        crate::model::Direction::Ingress => "from",
        crate::model::Direction::Egress => "to",
    };
    format!("{protocol}{ports} {way} {}", rule.peer)
}

fn shown_timeouts(timeouts: Timeouts) -> String {
    let one = |name: &str, seconds: Option<u32>| {
        seconds.map_or_else(|| format!("{name} default"), |seconds| format!("{name} {seconds} s"))
    };
    [one("TCP", timeouts.tcp_established), one("UDP stream", timeouts.udp_stream), one("UDP", timeouts.udp)].join(", ")
}

fn shown_options(options: &MetadataOptions) -> String {
    if options.endpoint == "disabled" {
        return "off".to_owned();
    }
    let hops = options.hop_limit.map_or_else(String::new, |hops| format!(", hop limit {hops}"));
    format!("on, tokens {}{hops}", options.tokens)
}

fn shown_target(target: &Target) -> String {
    let port = target.port.map_or_else(String::new, |port| format!(":{port}"));
    let state = if target.state.is_empty() { String::new() } else { format!(" ({})", target.state) };
    format!("{}{port}{state}", target.id)
}

pub(super) fn word(text: impl Into<String>) -> Value {
    Value::Word(text.into())
}

pub(super) fn switch(on: bool) -> Value {
    Value::Switch(if on { Switch::On } else { Switch::Off })
}

pub(super) fn group(group: &GroupRef) -> Value {
    word(group.id.as_ref().map_or_else(|| group.name.clone(), |id| format!("{} ({id})", group.name)))
}

pub(super) fn rules_of(purpose: Purpose) -> Value {
    match purpose {
        Purpose::Isolation => word("no rules"),
        Purpose::Untrack => word("everything allowed, both ways"),
    }
}

pub(super) fn list<T: fmt::Display>(items: impl Iterator<Item = T>) -> Value {
    Value::List(items.map(|item| item.to_string()).collect())
}

pub(super) fn change(of: &'static str, before: Value, after: Value) -> Change {
    Change { of, before, after }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Direction;
    use crate::model::deny_policy::RoleDeny;
    use crate::step::{
        CreateSnapshots, DenyRole, DisableMetadata, Isolate, ProtectStop, RestoreGroups, RestoreMetadata, Reversal,
        RevokeSecurityGroupRules, ShortenTimeouts, Step,
    };

    #[test]
    fn before_and_after_are_one_sentence() {
        let isolation = GroupRef {
            vpc: "vpc-1".into(),
            purpose: Purpose::Isolation,
            name: "brig-isolation".to_owned(),
            id: Some("sg-9".into()),
        };
        let rule = Rule {
            direction: Direction::Ingress,
            protocol: "tcp".to_owned(),
            ports: Some((22, 22)),
            peer: "0.0.0.0/0".to_owned(),
        };
        let was = MetadataOptions {
            endpoint: "enabled".to_owned(),
            tokens: "optional".to_owned(),
            hop_limit: Some(2),
            ipv6: None,
            tags: None,
        };
        for (step, sentence) in [
            (
                Step::Isolate(Isolate {
                    eni: "eni-1".into(),
                    was: Some(vec!["sg-1".into(), "sg-2".into()]),
                    isolation: isolation.clone(),
                }),
                "groups: sg-1, sg-2 -> brig-isolation (sg-9)",
            ),
            (
                Step::Isolate(Isolate { eni: "eni-1".into(), was: None, isolation: isolation.clone() }),
                "groups: unknown -> brig-isolation (sg-9)",
            ),
            (
                Step::RevokeSecurityGroupRules(RevokeSecurityGroupRules { group: isolation, was: vec![rule] }),
                "rules: tcp 22 from 0.0.0.0/0 -> none",
            ),
            (
                Step::ShortenTimeouts(ShortenTimeouts { eni: "eni-1".into(), was: Timeouts::default() }),
                "idle timeouts: TCP default, UDP stream default, UDP default -> TCP 60 s, UDP stream 60 s, UDP 30 s",
            ),
            (
                Step::DisableMetadata(DisableMetadata { was: was.clone() }),
                "metadata service: on, tokens optional, hop limit 2 -> off",
            ),
            (Step::ProtectStop(ProtectStop { was: false }), "stop protection: off -> on"),
            (
                Step::GiveBack(Reversal::RestoreMetadata(RestoreMetadata { options: was })),
                "metadata service: as contained -> on, tokens optional, hop limit 2",
            ),
            (
                Step::GiveBack(Reversal::RestoreGroups(RestoreGroups {
                    eni: "eni-1".into(),
                    groups: vec!["sg-1".into()],
                })),
                "groups: Brig's -> sg-1",
            ),
        ] {
            assert_eq!(step.change().to_string(), sentence);
        }
    }

    #[test]
    fn a_long_list_is_cut_and_counted() {
        let volumes: Vec<crate::model::ids::VolumeId> = (0..12).map(|n| format!("vol-{n}").into()).collect();
        let sentence = Step::CreateSnapshots(CreateSnapshots { volumes }).change().to_string();
        assert!(sentence.ends_with("vol-9 and 2 more"), "{sentence}");
    }

    #[test]
    fn a_policy_is_named_and_not_shown() {
        let was = Some("{\"Statement\":\"secret\"}".to_owned());
        let step = Step::DenyRole(DenyRole {
            role: "app".to_owned(),
            role_arn: "arn".to_owned(),
            instance_arn: "arn".to_owned(),
            reach: RoleDeny::Instance,
            was,
        });
        let sentence = step.change().to_string();
        assert_eq!(
            sentence,
            "policy brig-deny: one that Brig did not write -> denies this instance's sessions everything"
        );
    }
}
