//! What should have been read and could not be: which thing, and in AWS's words why. A gap is never an empty list.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::model::{
    CredentialKind,
    ids::{EniId, VpcId},
    text::Sentence,
};

/// Something that should have been read and could not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// What was to be read.
    pub what: Subject,
    /// Why it could not be, in AWS's words where there are some.
    pub error: Sentence,
    /// Whether a later attempt may read it.
    pub retryable: bool,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} could not be read: {}", self.what, self.error)
    }
}

/// What is read of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// All that a lane looks at.
    Lane,
    Instance,
    /// One network interface.
    Interface(EniId),
    /// The instance's interfaces and their groups.
    Interfaces,
    /// Brig's own security groups.
    BrigGroups,
    /// The security groups that the interfaces had.
    FormerGroups,
    /// What forensic access is made from.
    ForensicAccess,
    NetworkAcls,
    /// The ledger's sets of the network ACLs.
    AclSets,
    /// The association with an instance profile.
    Association,
    /// The role of the instance profile.
    ProfileRole,
    /// The inline policy of a role, by the role's name.
    RolePolicy(String),
    /// The ledger's set of the instances denied on a role.
    RoleSet(String),
    /// Which other instances use a role.
    RoleUsers(String),
    MetadataOptions,
    /// Membership of an Auto Scaling group.
    Membership,
    /// The load balancers of an Auto Scaling group.
    GroupBalancers(String),
    /// The lifecycle hooks of an Auto Scaling group.
    LifecycleHooks(String),
    /// The list of target groups.
    TargetGroups,
    SomeTargetGroups {
        /// How many were not looked at.
        left: usize,
        /// How many there are.
        all: usize,
    },
    /// The targets of one target group, by its ARN.
    Targets(String),
    /// The classic load balancers.
    ClassicBalancers,
    TerminationProtection,
    StopProtection,
    /// What a shutdown from inside does.
    ShutdownBehavior,
    /// The instance's volumes.
    Volumes,
    Snapshots,
    SnapshotLocks,
    RouteTables,
    VpcEndpoints,
    /// The interfaces of AWS's services in the VPC.
    ServiceInterfaces,
    /// The VPC Lattice associations.
    Lattice,
    /// What other accounts have in a shared VPC.
    OthersIn(VpcId),
    /// A user's credentials of one kind.
    Credentials(CredentialKind),
    AttachedPolicies,
    InlinePolicies,
    Groups,
    LoginProfile,
    MfaDevices,
    UserData,
    /// CloudTrail's records of calls on the instance, or by the user.
    TrailRecords,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lane => f.write_str("everything that this lane looks at"),
            Self::Instance => f.write_str("the instance"),
            Self::Interface(eni) => write!(f, "the interface {eni}"),
            Self::Interfaces => f.write_str("the interfaces and their groups"),
            Self::BrigGroups => f.write_str("Brig's security groups"),
            Self::FormerGroups => f.write_str("the security groups that its interfaces had"),
            Self::ForensicAccess => f.write_str("what forensic access is made from"),
            Self::NetworkAcls => f.write_str("the network ACLs"),
            Self::AclSets => f.write_str("the ledger's sets of the network ACLs"),
            Self::Association => f.write_str("the association with an instance profile"),
            Self::ProfileRole => f.write_str("the role of the instance profile"),
            Self::RolePolicy(role) => write!(f, "the policy of the role {role}"),
            Self::RoleSet(role) => write!(f, "the ledger's set of the role {role}"),
            Self::RoleUsers(role) => write!(f, "which other instances use the role {role}"),
            Self::MetadataOptions => f.write_str("the metadata options"),
            Self::Membership => f.write_str("membership of an Auto Scaling group"),
            Self::GroupBalancers(group) => write!(f, "the load balancers of the Auto Scaling group {group}"),
            Self::LifecycleHooks(group) => write!(f, "the lifecycle hooks of {group}"),
            Self::TargetGroups => f.write_str("the target groups"),
            Self::SomeTargetGroups { left, all } => write!(f, "{left} of {all} target groups"),
            Self::Targets(group) => write!(f, "the targets of {group}"),
            Self::ClassicBalancers => f.write_str("the classic load balancers"),
            Self::TerminationProtection => f.write_str("termination protection"),
            Self::StopProtection => f.write_str("stop protection"),
            Self::ShutdownBehavior => f.write_str("the shutdown behavior"),
            Self::Volumes => f.write_str("the volumes"),
            Self::Snapshots => f.write_str("the snapshots"),
            Self::SnapshotLocks => f.write_str("the snapshots' locks"),
            Self::RouteTables => f.write_str("the route tables"),
            Self::VpcEndpoints => f.write_str("the VPC endpoints"),
            Self::ServiceInterfaces => f.write_str("the interfaces of AWS services"),
            Self::Lattice => f.write_str("the VPC Lattice associations"),
            Self::Credentials(kind) => write!(f, "the user's {}s", kind.noun()),
            Self::AttachedPolicies => f.write_str("the policies attached to the user"),
            Self::InlinePolicies => f.write_str("the user's inline policies"),
            Self::Groups => f.write_str("the user's groups"),
            Self::LoginProfile => f.write_str("whether the user has a console password"),
            Self::MfaDevices => f.write_str("the user's MFA devices"),
            Self::UserData => f.write_str("the user data, which may hold access keys,"),
            Self::TrailRecords => f.write_str("CloudTrail's records"),
            Self::OthersIn(vpc) => write!(f, "what other accounts have in {vpc}"),
        }
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Sentence::new(self))
    }
}
