//! The words of facts.

use std::fmt;

use super::{Cause, Fact, Promise};
use crate::{
    model::{ids::GroupId, text::Sentence},
    report::fact::Truth,
};

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Isolated(eni) => write!(f, "{eni} is isolated"),
            Self::NoInterface => f.write_str("no interface is attached"),
            Self::RoleDenies(role) => write!(f, "the role {role} denies the instance's sessions"),
            Self::NamedRole(role) => f.write_str(&role.sentence()),
            Self::CredentialsDenied => f.write_str("the credentials it had are denied"),
            Self::NoProfile => f.write_str("no instance profile is associated"),
            Self::ForensicProfile => f.write_str("no instance profile but the forensic one is associated"),
            Self::NoRole => f.write_str("it has no instance profile, and no role of its own is on record"),
            Self::TokensRequired => f.write_str("the metadata service requires tokens, one hop away at most"),
            Self::MetadataOff => f.write_str("the metadata service is off"),
            Self::NoCredentials => f.write_str("there are no credentials"),
            Self::NoScalingGroup => f.write_str("it is in no Auto Scaling group"),
            Self::NoBalancer => f.write_str("it is behind no load balancer"),
            Self::OutOf(group) => write!(f, "it is out of {group}"),
            Self::Exists => f.write_str("the instance exists"),
            Self::Tagged => f.write_str("it is tagged with its containment"),
            Self::TerminationProtected => f.write_str("it is protected from termination"),
            Self::StopProtected => f.write_str("it is protected from stopping"),
            Self::StopsOnShutdown => f.write_str("a shutdown from inside keeps the instance"),
            Self::NoAutoRecovery => f.write_str("AWS does not move it by itself"),
            Self::Outlives(volume) => write!(f, "{volume} outlives the instance"),
            Self::HasSnapshot(volume) => write!(f, "{volume} has a snapshot"),
            Self::SnapshotTaken(snapshot, volume) => write!(f, "{snapshot} of {volume} was started"),
            Self::DeviceTagged(snapshot, device) => write!(f, "{snapshot} says that it was {device}"),
            Self::Locked(snapshot) => write!(f, "{snapshot} is locked"),
            Self::Denied(user) => write!(f, "the permissions boundary of {user} denies everything"),
            Self::DenialAttached(user) => write!(f, "a policy that denies everything is attached to {user}"),
            Self::SessionsDenied(role, before) => {
                write!(f, "sessions of the role {role} issued before {before} are denied")
            }
            Self::Inactive(kind, id) => write!(f, "the {} {id} is inactive", kind.noun()),
            Self::GivenBack(kind, resource) => write!(f, "{} {resource}", kind.name()),
            Self::Read(subject) => subject.fmt(f),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("it is OPEN TO THE WORLD"),
            Self::HasRule(group) => write!(f, "its group {group} has a rule"),
            Self::In(groups) => write!(f, "it is in {}", listed(groups)),
            Self::NotYetVisible(None) => f.write_str("not yet visible"),
            Self::NotYetVisible(Some(instead)) => write!(f, "not yet visible: {instead}"),
            Self::MayBeAccess(group, unread) => {
                write!(f, "{group} has rules that may be forensic access, and {unread} could not be read")
            }
            Self::Uncut(interface) => f.write_str(&interface.sentence()),
            Self::PolicyUnread => f.write_str("its policy could not be read"),
            Self::Undenied(role) => f.write_str(&role.sentence()),
            Self::Unresolved(_, error) | Self::Unread(error) | Self::Found(error) => error.fmt(f),
            Self::OwnIsForensic => f.write_str("its own profile is the responders', whose role is not denied"),
            Self::ProfileForgotten => f.write_str("EC2 shows no profile of an instance that has ended"),
            Self::Ended => f.write_str("it has been terminated; what is left is its snapshots and volumes"),
            Self::Unpreserved(volume) => f.write_str(&volume.sentence()),
            Self::SnapshotsUnread => f.write_str("the snapshots could not be read"),
            Self::NotYetGivenBack => f.write_str("not yet as it was"),
        }
    }
}

impl Fact {
    /// A fact that does not hold, or is not known to, for a person; none for one that holds.
    #[must_use]
    pub fn complaint(&self) -> Option<Sentence> {
        let why = self.why.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
        Some(Sentence::new(match (&self.what, self.truth) {
            (_, Truth::Yes) => return None,
            (Promise::Read(subject), _) => format!("{subject} could not be read{why}"),
            // These say themselves what is wrong.
            (Promise::NamedRole(role), _) => format!("{}{why}", role.sentence()),
            (Promise::Inactive(kind, id), Truth::No | Truth::Partial) => {
                format!("the {} {id} is STILL ACTIVE{why}", kind.noun())
            }
            (Promise::Denied(user), Truth::No | Truth::Partial) => {
                format!("the permissions boundary of {user} does NOT deny everything{why}")
            }
            (Promise::SessionsDenied(role, before), Truth::No | Truth::Partial) => {
                format!("sessions of the role {role} issued before {before} are NOT denied{why}")
            }
            (Promise::DenialAttached(user), Truth::No | Truth::Partial) => {
                format!("the policy that denies everything is NOT attached to {user}{why}")
            }
            (what, Truth::Unknown) => format!("not known: {what}{why}"),
            (what, Truth::No | Truth::Partial) => format!("not true: {what}{why}"),
        }))
    }
}

fn listed(groups: &[GroupId]) -> String {
    if groups.is_empty() {
        return "no group".to_owned();
    }
    groups.iter().map(GroupId::as_str).collect::<Vec<_>>().join(", ")
}
