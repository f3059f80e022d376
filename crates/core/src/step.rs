//! A step: one change to one resource, with what it replaces, so that going back needs no guess; and what running it
//! found. Steps are written to the ledger as they are here, before their effect.

mod actions;
mod change;
mod denial;
mod kind;
mod outcome;

use std::net::{IpAddr, Ipv4Addr};

pub use change::{Change, Switch, Value};
pub use denial::{Denial, PolicyKind};
pub use kind::Kind;
pub use outcome::{Detail, Failure, Mark, Outcome, OutcomeKind};
use serde::{Deserialize, Serialize};

use crate::{
    ids::{EniId, GroupId, SnapshotId, VolumeId, VpcId},
    policy::RoleDeny,
    release::{Reversal, ReversalKind},
    survey::{MetadataOptions, Purpose, Rule, Target, Timeouts},
};

/// One of the four lanes that run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Every interface cut off.
    Network,
    /// The instance's credentials dead. Older ledgers call it `identity`.
    #[serde(alias = "identity")]
    Credentials,
    /// Out of its Auto Scaling group and load balancers.
    Fleet,
    /// Disks and the instance itself preserved.
    Evidence,
}

impl Lane {
    /// All of them, in the order that reports use.
    pub const ALL: [Self; 4] = [Self::Network, Self::Credentials, Self::Fleet, Self::Evidence];

    /// The lane's name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Credentials => "credentials",
            Self::Fleet => "fleet",
            Self::Evidence => "evidence",
        }
    }
}

/// A group of ours that exists, or one that an earlier step of the same plan creates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRef {
    /// Its VPC.
    pub vpc: VpcId,
    /// What it is for.
    pub purpose: Purpose,
    /// Its name.
    pub name: String,
    /// Its id, where it exists.
    pub id: Option<GroupId>,
}

/// One change. `was` is what the change replaces: none where that is unknown (a containment taken over by force).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, strum::EnumDiscriminants)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[strum_discriminants(name(StepKind), derive(strum::EnumIter), doc = "A kind of step, without its resource.")]
pub enum Step {
    /// Makes a group of ours in a VPC that has none and gives it exactly its rules.
    CreateSecurityGroup {
        /// The group to make.
        group: GroupRef,
    },
    /// Removes rules that do not belong into the isolation group.
    RevokeSecurityGroupRules {
        /// The group.
        group: GroupRef,
        /// The rules removed.
        was: Vec<Rule>,
    },
    /// Adds the rules that an untrack group lacks.
    AuthorizeSecurityGroupRules {
        /// The group.
        group: GroupRef,
    },
    /// Adds the rules of forensic access that an isolation group lacks.
    AuthorizeForensicAccess {
        /// The group.
        group: GroupRef,
        /// All that it may have.
        rules: Vec<Rule>,
    },
    /// Replaces an interface's groups by the isolation group.
    Isolate {
        /// The interface.
        eni: EniId,
        /// Its own groups before.
        was: Option<Vec<GroupId>>,
        /// The isolation group of its VPC.
        isolation: GroupRef,
    },
    /// Opens an isolated interface for the untrack window and isolates it again.
    Untrack {
        /// The interface.
        eni: EniId,
        /// The untrack group of its VPC.
        untrack: GroupRef,
        /// The isolation group of its VPC.
        isolation: GroupRef,
        /// Seconds between the two calls.
        seconds: u32,
    },
    /// Sets an interface's idle timeouts of connection tracking to their least.
    ShortenTimeouts {
        /// The interface.
        eni: EniId,
        /// Its own timeouts before.
        was: Timeouts,
    },
    /// Takes an elastic address off an interface.
    DisassociateAddress {
        /// The interface.
        eni: EniId,
        /// The address.
        address: Ipv4Addr,
        /// The private address that it stood for.
        private: Option<Ipv4Addr>,
        /// `eipalloc-1`.
        allocation: String,
        /// `eipassoc-1`.
        association: String,
    },
    /// Gives up the public address that AWS assigned to an interface; it does not come back.
    UnassignPublicAddress {
        /// The interface.
        eni: EniId,
        /// The address.
        address: Ipv4Addr,
    },
    /// Denies a remote address in a network ACL, both ways.
    DenyInNetworkAcl {
        /// `acl-1`.
        acl: String,
        /// The address.
        address: IpAddr,
        /// The number of the rule for what comes in; none has it yet, or a containment that denies the same address.
        ingress: i32,
        /// The number of the rule for what goes out.
        egress: i32,
        /// Every subnet that the ACL serves: they all lose the address.
        subnets: Vec<String>,
        /// The ARN of the instance, whose share in the rules it is.
        instance_arn: String,
    },
    /// Denies the instance's sessions in its role's inline policy `brig-deny`.
    DenyRole {
        /// The role's name.
        role: String,
        /// The role's ARN.
        role_arn: String,
        /// The instance's ARN.
        instance_arn: String,
        /// Whom it hits.
        reach: RoleDeny,
        /// A policy of that name that Brig did not write.
        was: Option<String>,
    },
    /// Takes the instance profile off the instance.
    DisassociateProfile {
        /// The association's id.
        association: String,
        /// The profile's ARN.
        was: String,
    },
    /// Puts the responders' instance profile in the place of the instance's own.
    ReplaceProfile {
        /// The association's id.
        association: String,
        /// The profile's ARN.
        was: String,
        /// The ARN of the responders' profile.
        with: String,
    },
    /// The metadata service answers requests with a token alone, and not beyond the instance.
    RequireTokens {
        /// The options before.
        was: MetadataOptions,
    },
    /// Turns the metadata service off.
    DisableMetadata {
        /// The options before.
        was: MetadataOptions,
    },
    /// Takes the instance out of its Auto Scaling group, which replaces it.
    DetachInstances {
        /// The group's name.
        group: String,
        /// Its lifecycle state before.
        was: String,
        /// Whether it was protected from scale-in.
        protected: bool,
    },
    /// Protects an instance that cannot be detached yet from being chosen when its group scales in.
    ProtectFromScaleIn {
        /// The group's name.
        group: String,
    },
    /// Holds an instance that its group is terminating, by another heartbeat of the hook that holds it.
    RecordLifecycleActionHeartbeat {
        /// The group's name.
        group: String,
        /// The hook's name.
        hook: String,
    },
    /// Takes the instance out of a target group.
    DeregisterTargets {
        /// The group's ARN.
        group: String,
        /// The targets, with their ports.
        was: Vec<Target>,
    },
    /// Takes the instance out of a classic load balancer.
    DeregisterInstancesFromLoadBalancer {
        /// The balancer's name.
        balancer: String,
    },
    /// Forbids termination by API.
    ProtectTermination {
        /// The flag before.
        was: bool,
    },
    /// Forbids stopping by API.
    ProtectStop {
        /// The flag before.
        was: bool,
    },
    /// A shutdown from inside stops the instance and keeps its disks.
    StopOnShutdown {
        /// The behaviour before.
        was: String,
    },
    /// AWS no longer moves the instance to other hardware by itself, which loses its memory.
    DisableAutoRecovery {
        /// The setting before.
        was: String,
    },
    /// Termination no longer deletes these volumes.
    KeepVolumes {
        /// Device and volume, of those that termination would have deleted.
        was: Vec<(String, VolumeId)>,
    },
    /// One crash-consistent snapshot set of all volumes.
    CreateSnapshots {
        /// The volumes attached when it was planned.
        volumes: Vec<VolumeId>,
    },
    /// A snapshot of one volume by itself: AWS refused the set, or the volume came after it.
    CreateSnapshot {
        /// The volume.
        volume: VolumeId,
    },
    /// Locks a snapshot in governance mode.
    LockSnapshot {
        /// The snapshot.
        snapshot: SnapshotId,
        /// For how many days.
        days: u32,
    },
    /// Tags the snapshot with the device its volume was attached as.
    TagSnapshot {
        /// The snapshot.
        snapshot: SnapshotId,
        /// The device name.
        device: String,
    },
    /// Stops the instance.
    StopInstance {
        /// It is asked to hibernate.
        hibernate: bool,
        /// Stop protection is Brig's own, and is lifted for it.
        lift: bool,
    },
    /// One more snapshot set, of the instance that has stopped with its memory on disk.
    SnapshotMemory,
    /// Tags the instance with its containment; release takes the tags away.
    TagInstance,
    /// Takes a step of containment back.
    GiveBack(Reversal),
}

impl Step {
    /// The lane that the step runs in.
    #[must_use]
    pub fn lane(&self) -> Lane {
        match self {
            Self::CreateSecurityGroup { .. }
            | Self::RevokeSecurityGroupRules { .. }
            | Self::AuthorizeSecurityGroupRules { .. }
            | Self::AuthorizeForensicAccess { .. }
            | Self::Isolate { .. }
            | Self::Untrack { .. }
            | Self::ShortenTimeouts { .. }
            | Self::DisassociateAddress { .. }
            | Self::UnassignPublicAddress { .. }
            | Self::DenyInNetworkAcl { .. } => Lane::Network,
            Self::DenyRole { .. }
            | Self::DisassociateProfile { .. }
            | Self::ReplaceProfile { .. }
            | Self::RequireTokens { .. }
            | Self::DisableMetadata { .. } => Lane::Credentials,
            Self::DetachInstances { .. }
            | Self::ProtectFromScaleIn { .. }
            | Self::RecordLifecycleActionHeartbeat { .. }
            | Self::DeregisterTargets { .. }
            | Self::DeregisterInstancesFromLoadBalancer { .. } => Lane::Fleet,
            Self::ProtectTermination { .. }
            | Self::ProtectStop { .. }
            | Self::StopOnShutdown { .. }
            | Self::DisableAutoRecovery { .. }
            | Self::KeepVolumes { .. }
            | Self::CreateSnapshots { .. }
            | Self::CreateSnapshot { .. }
            | Self::LockSnapshot { .. }
            | Self::TagSnapshot { .. }
            | Self::StopInstance { .. }
            | Self::SnapshotMemory
            | Self::TagInstance => Lane::Evidence,
            Self::GiveBack(back) => back.lane(),
        }
    }

    /// What the step changes. `instance` is the resource of every step that names no other.
    #[must_use]
    pub fn resource(&self, instance: &str) -> String {
        match self {
            Self::CreateSecurityGroup { group }
            | Self::RevokeSecurityGroupRules { group, .. }
            | Self::AuthorizeForensicAccess { group, .. }
            | Self::AuthorizeSecurityGroupRules { group } => format!("{}/{}", group.vpc, group.name),
            Self::Isolate { eni, .. } | Self::Untrack { eni, .. } => eni.to_string(),
            Self::ShortenTimeouts { eni, .. } => format!("{eni}/connectionTracking"),
            Self::UnassignPublicAddress { eni, .. } => format!("{eni}/associatePublicIpAddress"),
            Self::DisassociateAddress { allocation, .. } => allocation.clone(),
            Self::DenyInNetworkAcl { acl, address, .. } => format!("{acl}/{address}"),
            Self::DenyRole { role_arn, .. } => role_arn.clone(),
            Self::DisassociateProfile { was, .. } => was.clone(),
            Self::DetachInstances { group, .. } | Self::DeregisterTargets { group, .. } => group.clone(),
            Self::ProtectFromScaleIn { group } => format!("{group}/protectedFromScaleIn"),
            Self::RecordLifecycleActionHeartbeat { group, hook } => format!("{group}/{hook}"),
            Self::DeregisterInstancesFromLoadBalancer { balancer } => balancer.clone(),
            Self::ProtectTermination { .. } => format!("{instance}/disableApiTermination"),
            Self::ProtectStop { .. } => format!("{instance}/disableApiStop"),
            Self::StopOnShutdown { .. } => format!("{instance}/instanceInitiatedShutdownBehavior"),
            Self::KeepVolumes { .. } => format!("{instance}/blockDeviceMapping"),
            Self::CreateSnapshot { volume } => volume.to_string(),
            Self::LockSnapshot { snapshot, .. } | Self::TagSnapshot { snapshot, .. } => snapshot.to_string(),
            Self::DisableMetadata { .. }
            | Self::ReplaceProfile { .. }
            | Self::RequireTokens { .. }
            | Self::DisableAutoRecovery { .. }
            | Self::CreateSnapshots { .. }
            | Self::StopInstance { .. }
            | Self::SnapshotMemory
            | Self::TagInstance => instance.to_owned(),
            Self::GiveBack(back) => back.resource(instance),
        }
    }

    /// The step's name within its containment: the same step planned again has the same key, and the ledger keeps what
    /// the first plan of it replaced. A step that replaces a list has the list in its key: a target registered on another
    /// port since is another step, with a record of its own.
    #[must_use]
    pub fn key(&self, instance: &str) -> String {
        let base = format!("{}/{}/{}", self.lane().key_word(), self.kind().key_word(), self.resource(instance));
        let mut parts: Vec<String> = match self {
            Self::GiveBack(_) if base.len() < 900 => return format!("release/{base}"),
            Self::GiveBack(_) => return format!("release/{}/{:016x}", self.kind().key_word(), fnv1a(&base)),
            Self::DeregisterTargets { was, .. } => {
                was.iter().map(|target| format!("{}:{}", target.id, target.port.unwrap_or_default())).collect()
            }
            Self::KeepVolumes { was } => was.iter().map(|(device, volume)| format!("{device}={volume}")).collect(),
            Self::RevokeSecurityGroupRules { was, .. } | Self::AuthorizeForensicAccess { rules: was, .. } => {
                was.iter().map(|rule| format!("{rule:?}")).collect()
            }
            // At other numbers it is another pair of rules.
            Self::DenyInNetworkAcl { ingress, egress, .. } => vec![format!("in {ingress}"), format!("out {egress}")],
            Self::CreateSecurityGroup { .. }
            | Self::AuthorizeSecurityGroupRules { .. }
            | Self::Isolate { .. }
            | Self::Untrack { .. }
            | Self::ShortenTimeouts { .. }
            | Self::DisassociateAddress { .. }
            | Self::UnassignPublicAddress { .. }
            | Self::DenyRole { .. }
            | Self::DisassociateProfile { .. }
            | Self::ReplaceProfile { .. }
            | Self::RequireTokens { .. }
            | Self::DisableMetadata { .. }
            | Self::DetachInstances { .. }
            | Self::ProtectFromScaleIn { .. }
            | Self::RecordLifecycleActionHeartbeat { .. }
            | Self::DeregisterInstancesFromLoadBalancer { .. }
            | Self::ProtectTermination { .. }
            | Self::ProtectStop { .. }
            | Self::StopOnShutdown { .. }
            | Self::DisableAutoRecovery { .. }
            | Self::CreateSnapshots { .. }
            | Self::CreateSnapshot { .. }
            | Self::LockSnapshot { .. }
            | Self::TagSnapshot { .. }
            | Self::StopInstance { .. }
            | Self::SnapshotMemory
            | Self::TagInstance => return base,
        };
        parts.sort_unstable();
        format!("{base}#{:016x}", fnv1a(&parts.join(",")))
    }

    /// Whether it takes a rule of Brig's own groups away that lets any address of the internet in or out.
    #[must_use]
    pub fn closes_to_the_world(&self) -> bool {
        let world = |rule: &Rule| matches!(rule.peer.as_str(), "0.0.0.0/0" | "::/0");
        matches!(self, Self::RevokeSecurityGroupRules { was, .. } if was.iter().any(world))
    }

    /// Whether it is added to the cut after it: by a setting, or by somebody who asks for a stop. One that is new is no repair.
    #[must_use]
    pub fn is_escalation(&self) -> bool {
        matches!(
            self,
            Self::ShortenTimeouts { .. }
                | Self::DisassociateAddress { .. }
                | Self::UnassignPublicAddress { .. }
                | Self::DenyInNetworkAcl { .. }
                | Self::AuthorizeForensicAccess { .. }
                | Self::StopInstance { .. }
                | Self::SnapshotMemory
        )
    }

    /// The IAM actions that the step's calls need, its own comparing reads included.
    #[must_use]
    pub fn iam_actions(&self) -> &'static [&'static str] {
        if let Self::GiveBack(back) = self {
            return ReversalKind::from(back).iam_actions();
        }
        StepKind::from(self).iam_actions()
    }
}

/// A short name for a list (FNV-1a, 64 bit): the ledger's keys have at most 1,024 bytes.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod every;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_the_same_after_a_round_through_the_ledger() {
        let step = Step::Isolate {
            eni: "eni-1".into(),
            was: Some(vec!["sg-1".into()]),
            isolation: GroupRef {
                vpc: "vpc-1".into(),
                purpose: Purpose::Isolation,
                name: "brig-isolation".to_owned(),
                id: None,
            },
        };
        let text = serde_json::to_string(&step).expect("serialises");
        assert_eq!(serde_json::from_str::<Step>(&text).expect("reads back"), step);
        assert_eq!(step.key("i-1"), "network/isolate/eni-1");
    }
}
