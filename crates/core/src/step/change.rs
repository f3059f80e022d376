//! What a step replaces and what it puts there, as values; and the one sentence that people read of it, in plans, release
//! plans, questions and reports.

use std::fmt;

use super::{GroupRef, Step};
use crate::{
    plan::{credentials::guarded, evidence::STATE_TAG},
    policy::{CONTAINMENT_TAG, RoleDeny},
    release::Reversal,
    survey::{MetadataOptions, Purpose, Rule, Target, Timeouts},
};

/// So many members of a list are shown; the rest is counted.
const MOST: usize = 10;

/// How something stands before a step or after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Not known.
    Unknown,
    /// There is none.
    Nothing,
    /// A switch.
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
    /// It is.
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
        crate::survey::Direction::Ingress => "from",
        crate::survey::Direction::Egress => "to",
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

fn word(text: impl Into<String>) -> Value {
    Value::Word(text.into())
}

fn switch(on: bool) -> Value {
    Value::Switch(if on { Switch::On } else { Switch::Off })
}

fn group(group: &GroupRef) -> Value {
    word(group.id.as_ref().map_or_else(|| group.name.clone(), |id| format!("{} ({id})", group.name)))
}

fn rules_of(purpose: Purpose) -> Value {
    match purpose {
        Purpose::Isolation => word("no rules"),
        Purpose::Untrack => word("everything allowed, both ways"),
    }
}

impl Step {
    /// What the step replaces, and what it puts there. Policy texts are not shown.
    #[must_use]
    pub fn change(&self) -> Change {
        let change = |of, before, after| Change { of, before, after };
        match self {
            Self::CreateSecurityGroup { group } => change("group", Value::Nothing, rules_of(group.purpose)),
            Self::RevokeSecurityGroupRules { was, .. } => change("rules", Value::Rules(was.clone()), Value::Nothing),
            Self::AuthorizeSecurityGroupRules { group } => change("rules", word("incomplete"), rules_of(group.purpose)),
            Self::AuthorizeForensicAccess { rules, .. } => {
                change("rules", word("incomplete"), Value::Rules(rules.clone()))
            }
            Self::Isolate { was, isolation, .. } => {
                let was = was.as_ref().map_or(Value::Unknown, |was| list(was.iter()));
                change("groups", was, group(isolation))
            }
            Self::Untrack { untrack, isolation, seconds, .. } => {
                let after = format!("{} for {seconds} s, then {}", group(untrack), group(isolation));
                change("groups", group(isolation), word(after))
            }
            Self::ShortenTimeouts { was, .. } => {
                change("idle timeouts", Value::Timeouts(*was), Value::Timeouts(Timeouts::LEAST))
            }
            Self::DisassociateAddress { address, allocation, .. } => {
                change("elastic address", word(format!("{address} ({allocation})")), Value::Nothing)
            }
            Self::UnassignPublicAddress { address, .. } => {
                change("public address", word(address.to_string()), word("none; AWS does not give it back"))
            }
            Self::DenyInNetworkAcl { ingress, egress, subnets, .. } => {
                let served = subnets.len();
                let after = format!("denied by rules {ingress} in and {egress} out, for {served} subnet(s)");
                change("remote address", word("as the network ACL has it"), word(after))
            }
            Self::DenyRole { reach, was, .. } => {
                let before = was.as_ref().map_or(Value::Nothing, |_| word("one that Brig did not write"));
                let whom = match reach {
                    RoleDeny::Instance => "denies this instance's sessions everything",
                    RoleDeny::Role => "denies every session of the role everything",
                };
                change("policy brig-deny", before, word(whom))
            }
            Self::DisassociateProfile { was, .. } => change("instance profile", word(was), Value::Nothing),
            Self::ReplaceProfile { was, with, .. } => change("instance profile", word(was), word(with)),
            Self::RequireTokens { was } => {
                change("metadata service", Value::Metadata(was.clone()), Value::Metadata(guarded()))
            }
            Self::DisableMetadata { was } => {
                change("metadata service", Value::Metadata(was.clone()), Value::Switch(Switch::Off))
            }
            Self::DetachInstances { was, protected, .. } => {
                let protected = if *protected { ", protected from scale-in" } else { "" };
                change("membership", word(format!("{was}{protected}")), word("detached; the group may replace it"))
            }
            Self::ProtectFromScaleIn { .. } => change("scale-in protection", switch(false), switch(true)),
            Self::RecordLifecycleActionHeartbeat { .. } => {
                change("lifecycle hook", word("waiting"), word("waiting for another heartbeat timeout"))
            }
            Self::DeregisterTargets { was, .. } => change("targets", Value::Targets(was.clone()), Value::Nothing),
            Self::DeregisterInstancesFromLoadBalancer { .. } => {
                change("instance", word("registered"), word("not registered"))
            }
            Self::ProtectTermination { was } => change("termination protection", switch(*was), switch(true)),
            Self::ProtectStop { was } => change("stop protection", switch(*was), switch(true)),
            Self::StopOnShutdown { was } => change("shutdown behavior", word(was), word("stop")),
            Self::DisableAutoRecovery { was } => change("automatic recovery", word(was), word("disabled")),
            Self::KeepVolumes { was } => {
                let volumes = was.iter().map(|(device, volume)| format!("{device} ({volume})")).collect();
                change("volumes deleted on termination", Value::List(volumes), Value::Nothing)
            }
            Self::CreateSnapshots { volumes } => {
                let after = format!("one set of {}", list(volumes.iter()));
                change("snapshots", Value::Nothing, word(after))
            }
            Self::CreateSnapshot { volume, .. } => {
                change("snapshots", Value::Nothing, word(format!("one of {volume}")))
            }
            Self::LockSnapshot { days, .. } => {
                change("lock", Value::Nothing, word(format!("governance mode, {days} day(s)")))
            }
            Self::TagSnapshot { device, .. } => change("device tag", Value::Nothing, word(device)),
            Self::StopInstance { hibernate, .. } => {
                change("instance", word("running"), word(if *hibernate { "hibernated" } else { "stopped" }))
            }
            Self::SnapshotMemory => change("snapshots", Value::Nothing, word("one set with its memory on disk")),
            Self::TagInstance => {
                let tags = vec![CONTAINMENT_TAG.to_owned(), STATE_TAG.to_owned()];
                change("tags", Value::Nothing, Value::List(tags))
            }
            Self::GiveBack(back) => back.change(),
        }
    }
}

fn list<T: fmt::Display>(items: impl Iterator<Item = T>) -> Value {
    Value::List(items.map(|item| item.to_string()).collect())
}

impl Reversal {
    /// What the step replaces, and what it puts there.
    #[must_use]
    pub fn change(&self) -> Change {
        let change = |of, before, after| Change { of, before, after };
        match self {
            Self::RestoreGroups { groups, .. } => change("groups", word("Brig's"), list(groups.iter())),
            Self::RestoreTimeouts { timeouts, .. } => {
                change("idle timeouts", Value::Timeouts(Timeouts::LEAST), Value::Timeouts(*timeouts))
            }
            Self::AssociateAddress { address, allocation, .. } => {
                change("elastic address", Value::Nothing, word(format!("{address} ({allocation})")))
            }
            Self::AllowInNetworkAcl { ingress, egress, .. } => {
                let before = format!("denied by rules {ingress} in and {egress} out");
                let after = "as the network ACL has it, unless another containment denies it";
                change("remote address", word(before), word(after))
            }
            Self::AllowRole { was, foreign, .. } => {
                let after = match (foreign, was) {
                    (true, _) => "the policy that someone else wrote stays",
                    (false, Some(_)) => "the policy of that name before",
                    (false, None) => "without this instance; deleted with the last one",
                };
                change("policy brig-deny", word("denies this instance's sessions"), word(after))
            }
            Self::AssociateProfile { profile } => change("instance profile", Value::Nothing, word(profile)),
            Self::ReplaceProfile { profile, .. } => change("instance profile", word("the responders'"), word(profile)),
            Self::RestoreMetadata { options } => {
                change("metadata service", word("as contained"), Value::Metadata(options.clone()))
            }
            Self::AttachInstances { .. } => {
                change("membership", Value::Nothing, word("a member; the desired capacity rises by one"))
            }
            Self::RegisterTargets { targets, .. } => {
                let targets = targets.iter().map(|target| Target { state: String::new(), ..target.clone() });
                change("targets", Value::Nothing, Value::Targets(targets.collect()))
            }
            Self::RegisterInstancesWithLoadBalancer { .. } => {
                change("instance", word("not registered"), word("registered"))
            }
            Self::UnprotectFromScaleIn { .. } => change("scale-in protection", switch(true), switch(false)),
            Self::UnprotectTermination => change("termination protection", switch(true), switch(false)),
            Self::StartInstance => change("instance", word("stopped"), word("running")),
            Self::UnprotectStop => change("stop protection", switch(true), switch(false)),
            Self::RestoreShutdown { behavior } => change("shutdown behavior", word("stop"), word(behavior)),
            Self::RestoreAutoRecovery { setting } => change("automatic recovery", word("disabled"), word(setting)),
            Self::RestoreVolumes { devices } => {
                change("volumes deleted on termination", Value::Nothing, Value::List(devices.clone()))
            }
            Self::DeleteTags => {
                let tags = vec![CONTAINMENT_TAG.to_owned(), STATE_TAG.to_owned()];
                change("tags", Value::List(tags), Value::Nothing)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survey::Direction;

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
                Step::Isolate {
                    eni: "eni-1".into(),
                    was: Some(vec!["sg-1".into(), "sg-2".into()]),
                    isolation: isolation.clone(),
                },
                "groups: sg-1, sg-2 -> brig-isolation (sg-9)",
            ),
            (
                Step::Isolate { eni: "eni-1".into(), was: None, isolation: isolation.clone() },
                "groups: unknown -> brig-isolation (sg-9)",
            ),
            (
                Step::RevokeSecurityGroupRules { group: isolation, was: vec![rule] },
                "rules: tcp 22 from 0.0.0.0/0 -> none",
            ),
            (
                Step::ShortenTimeouts { eni: "eni-1".into(), was: Timeouts::default() },
                "idle timeouts: TCP default, UDP stream default, UDP default -> TCP 60 s, UDP stream 60 s, UDP 30 s",
            ),
            (Step::DisableMetadata { was: was.clone() }, "metadata service: on, tokens optional, hop limit 2 -> off"),
            (Step::ProtectStop { was: false }, "stop protection: off -> on"),
            (
                Step::GiveBack(Reversal::RestoreMetadata { options: was }),
                "metadata service: as contained -> on, tokens optional, hop limit 2",
            ),
            (
                Step::GiveBack(Reversal::RestoreGroups { eni: "eni-1".into(), groups: vec!["sg-1".into()] }),
                "groups: Brig's -> sg-1",
            ),
        ] {
            assert_eq!(step.change().to_string(), sentence);
        }
    }

    #[test]
    fn a_long_list_is_cut_and_counted() {
        let volumes: Vec<crate::ids::VolumeId> = (0..12).map(|n| format!("vol-{n}").into()).collect();
        let sentence = Step::CreateSnapshots { volumes }.change().to_string();
        assert!(sentence.ends_with("vol-9 and 2 more"), "{sentence}");
    }

    #[test]
    fn a_policy_is_named_and_not_shown() {
        let was = Some("{\"Statement\":\"secret\"}".to_owned());
        let step = Step::DenyRole {
            role: "app".to_owned(),
            role_arn: "arn".to_owned(),
            instance_arn: "arn".to_owned(),
            reach: RoleDeny::Instance,
            was,
        };
        let sentence = step.change().to_string();
        assert_eq!(
            sentence,
            "policy brig-deny: one that Brig did not write -> denies this instance's sessions everything"
        );
    }
}
