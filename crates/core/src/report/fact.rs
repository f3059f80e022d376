//! A fact: one thing that containment promises, whether it was seen to hold, and why not. Decisions are made on these
//! types; their words are for people alone, and stand in `fact/text.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    model::{
        CredentialKind, Uncut, Undenied, Unpreserved,
        gap::{Gap, Subject},
        ids::{EniId, GroupId, RoleName, SnapshotId, UserName, VolumeId},
        text::Sentence,
        timestamp::Timestamp,
    },
    step::Kind,
};

pub mod credentials;
pub mod evidence;
pub mod fleet;
pub mod holder;
pub mod network;
pub mod release;
mod text;

/// One thing that containment promises, and whether it was seen to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    pub what: Promise,
    /// Whether it holds; never [`Truth::Partial`].
    pub truth: Truth,
    /// What was seen instead.
    pub why: Option<Cause>,
}

/// How far something is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// Every fact was seen to hold.
    Yes,
    /// Some hold, some do not.
    Partial,
    /// None holds.
    No,
    /// It could not be seen.
    Unknown,
}

impl Truth {
    /// The truth of several facts together. No fact at all means that nothing was looked at.
    #[must_use]
    pub fn of(facts: &[Fact]) -> Self {
        let count = |truth: Self| facts.iter().filter(|fact| fact.truth == truth).count();
        let (yes, no, unknown) = (count(Self::Yes), count(Self::No), count(Self::Unknown));
        match (yes, no, unknown) {
            (0, 0, _) => Self::Unknown,
            (_, 0, 0) => Self::Yes,
            (0, _, 0) => Self::No,
            (_, 0, _) => Self::Unknown,
            _ => Self::Partial,
        }
    }

    /// The word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Partial => "partial",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}

/// What containment, or a release, promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Promise {
    /// The interface is in an isolation group without rules, and in no other.
    Isolated(EniId),
    /// There is no interface to isolate.
    NoInterface,
    /// The role denies the instance's sessions.
    RoleDenies(String),
    /// A role or profile that a finding names was resolved, and denied.
    NamedRole(Undenied),
    /// Whatever credentials it had are denied.
    CredentialsDenied,
    /// No instance profile is associated.
    NoProfile,
    /// It holds the responders' profile, whose credentials whoever is root on it can read.
    ForensicProfile,
    /// There was no role to deny.
    NoRole,
    /// The metadata service asks for tokens, one hop away at most.
    TokensRequired,
    /// The metadata service is off.
    MetadataOff,
    /// There is nothing of this lane to look at.
    NoCredentials,
    /// It is a member of no Auto Scaling group.
    NoScalingGroup,
    /// It is behind no load balancer.
    NoBalancer,
    /// It is out of this target group or classic load balancer.
    OutOf(String),
    /// The instance exists.
    Exists,
    /// It carries its containment's tag.
    Tagged,
    /// Termination by API is refused.
    TerminationProtected,
    /// Stopping by API is refused.
    StopProtected,
    /// A shutdown from inside stops it and keeps it.
    StopsOnShutdown,
    /// AWS does not move it to other hardware by itself.
    NoAutoRecovery,
    /// The volume is kept when the instance ends.
    Outlives(VolumeId),
    HasSnapshot(VolumeId),
    /// A snapshot was begun.
    SnapshotTaken(SnapshotId, VolumeId),
    /// The snapshot says which device its volume was.
    DeviceTagged(SnapshotId, String),
    Locked(SnapshotId),
    /// The user's permissions boundary denies everything.
    Denied(UserName),
    /// A policy that denies everything is attached to the user.
    DenialAttached(UserName),
    /// The role's sessions that were issued before it are denied.
    SessionsDenied(RoleName, Timestamp),
    /// A user's credential is off.
    Inactive(CredentialKind, String),
    /// A step of a release is done.
    GivenBack(Kind, String),
    /// It could be read.
    Read(Subject),
}

/// Why a promise does not hold, or is not known to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The interface is in an untrack group: open to the world.
    Open,
    /// Its isolation group has a rule.
    HasRule(GroupId),
    /// It is in these groups.
    In(Vec<GroupId>),
    /// AWS accepted the change and does not show it yet; what it shows instead.
    NotYetVisible(Option<Box<Cause>>),
    /// The group has rules that may be forensic access, and this could not be read.
    MayBeAccess(GroupId, Subject),
    /// An interface could not be cut.
    Uncut(Uncut),
    /// The role's policy could not be read.
    PolicyUnread,
    /// Sessions of a role live on.
    Undenied(Undenied),
    /// What was asked for the role or profile, and what AWS said.
    Unresolved(Undenied, Sentence),
    /// Its own profile is the responders', whose role is not denied.
    OwnIsForensic,
    /// EC2 shows no profile of an ended instance.
    ProfileForgotten,
    /// The instance is gone.
    Ended,
    /// A volume has no snapshot.
    Unpreserved(Unpreserved),
    /// The snapshots could not be read.
    SnapshotsUnread,
    /// What a release still has to do.
    NotYetGivenBack,
    /// What a release found instead: the outcome's own words.
    Found(Sentence),
    /// It could not be read.
    Unread(Sentence),
}

impl Fact {
    /// A fact that holds.
    #[must_use]
    pub fn holding(what: Promise) -> Self {
        Self { what, truth: Truth::Yes, why: None }
    }

    /// A fact that holds or does not, as it was seen.
    #[must_use]
    pub fn seen(what: Promise, holds: bool) -> Self {
        Self { what, truth: if holds { Truth::Yes } else { Truth::No }, why: None }
    }

    /// A fact that does not hold, and why.
    #[must_use]
    pub fn broken(what: Promise, why: Cause) -> Self {
        Self { what, truth: Truth::No, why: Some(why) }
    }

    /// A fact of which it is not known whether it holds, and why.
    #[must_use]
    pub fn unknown(what: Promise, why: Cause) -> Self {
        Self { what, truth: Truth::Unknown, why: Some(why) }
    }

    /// A fact that could not be read.
    #[must_use]
    pub fn unread(gap: &Gap) -> Self {
        Self::unknown(Promise::Read(gap.what.clone()), Cause::Unread(gap.error.clone()))
    }

    /// The interface that could not be cut.
    #[must_use]
    pub fn uncut(&self) -> Option<&Uncut> {
        if let Some(Cause::Uncut(interface)) = &self.why { Some(interface) } else { None }
    }

    /// The role whose sessions live on.
    #[must_use]
    pub fn undenied(&self) -> Option<&Undenied> {
        if let Some(Cause::Undenied(role) | Cause::Unresolved(role, _)) = &self.why { Some(role) } else { None }
    }

    /// The volume that no snapshot preserves.
    #[must_use]
    pub fn unpreserved(&self) -> Option<&Unpreserved> {
        if let Some(Cause::Unpreserved(volume)) = &self.why { Some(volume) } else { None }
    }

    /// Whether an interface was seen open to the world.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.truth == Truth::No && self.why == Some(Cause::Open)
    }
}

/// What AWS accepted and does not show yet is unknown, rather than untrue. Says whether there is any such fact.
pub fn not_yet_visible(facts: &mut [Fact]) -> bool {
    let mut any = false;
    for fact in facts.iter_mut().filter(|fact| fact.truth == Truth::No && fact.why.is_none()) {
        fact.truth = Truth::Unknown;
        fact.why = Some(Cause::NotYetVisible(None));
        any = true;
    }
    any
}
