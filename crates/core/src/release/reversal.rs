//! The steps of a release, each the reverse of a step of containment.

use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use crate::{
    ids::{EniId, GroupId},
    policy::RoleDeny,
    step::Lane,
    survey::{MetadataOptions, Target, Timeouts},
};

/// One thing that is given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, strum::EnumDiscriminants)]
#[serde(tag = "back", rename_all = "snake_case")]
#[strum_discriminants(name(ReversalKind), derive(strum::EnumIter), doc = "A kind of reversal, without its resource.")]
pub enum Reversal {
    /// The interface gets its own groups.
    RestoreGroups {
        /// The interface.
        eni: EniId,
        /// Its own groups.
        groups: Vec<GroupId>,
    },
    /// The interface gets its own idle timeouts, or its type's where it had none: AWS has no way to unset them.
    RestoreTimeouts {
        /// The interface.
        eni: EniId,
        /// The timeouts, all of them.
        timeouts: Timeouts,
    },
    /// The interface gets its elastic address.
    AssociateAddress {
        /// The interface.
        eni: EniId,
        /// The address.
        address: Ipv4Addr,
        /// The private address that it stands for.
        private: Option<Ipv4Addr>,
        /// `eipalloc-1`.
        allocation: String,
    },
    /// The containment leaves its share in the rules of a network ACL; the last one to leave takes them away.
    AllowInNetworkAcl {
        /// `acl-1`.
        acl: String,
        /// The address.
        address: IpAddr,
        /// The number of the rule for what comes in.
        ingress: i32,
        /// The number of the rule for what goes out.
        egress: i32,
        /// The ARN of the instance, whose share it is.
        instance_arn: String,
    },
    /// The role's policy loses this instance; with the last one it is deleted, or what it replaced is put back.
    AllowRole {
        /// The role's name.
        role: String,
        /// The role's ARN.
        role_arn: String,
        /// The instance's ARN.
        instance_arn: String,
        /// Whom the denial hit.
        reach: RoleDeny,
        /// The policy of that name before.
        was: Option<String>,
        /// The policy is somebody else's now and stays.
        foreign: bool,
    },
    /// The instance gets its profile.
    AssociateProfile {
        /// The profile's ARN.
        profile: String,
    },
    /// The instance gets its profile in the place of the responders'.
    ReplaceProfile {
        /// The association now.
        association: String,
        /// The profile's ARN.
        profile: String,
    },
    /// The metadata service answers as before.
    RestoreMetadata {
        /// The options before.
        options: MetadataOptions,
    },
    /// The instance joins its Auto Scaling group again.
    AttachInstances {
        /// The group's name.
        group: String,
    },
    /// The targets are registered again, with their ports.
    RegisterTargets {
        /// The target group's ARN.
        group: String,
        /// The targets.
        targets: Vec<Target>,
    },
    /// The instance is registered with a classic load balancer again.
    RegisterInstancesWithLoadBalancer {
        /// The balancer's name.
        balancer: String,
    },
    /// Its Auto Scaling group may choose it again when it scales in.
    UnprotectFromScaleIn {
        /// The group's name.
        group: String,
    },
    /// Termination by API is allowed.
    UnprotectTermination,
    /// The instance runs again.
    StartInstance,
    /// Stopping by API is allowed.
    UnprotectStop,
    /// A shutdown from inside does what it did.
    RestoreShutdown {
        /// `stop` or `terminate`.
        behavior: String,
    },
    /// AWS moves the instance by itself again where its hardware fails.
    RestoreAutoRecovery {
        /// The setting.
        setting: String,
    },
    /// Termination deletes these volumes again.
    RestoreVolumes {
        /// The devices.
        devices: Vec<String>,
    },
    /// Brig's tags go.
    DeleteTags,
}

impl Reversal {
    /// The lane that the step belongs to.
    #[must_use]
    pub fn lane(&self) -> Lane {
        match self {
            Self::RestoreGroups { .. }
            | Self::RestoreTimeouts { .. }
            | Self::AssociateAddress { .. }
            | Self::AllowInNetworkAcl { .. } => Lane::Network,
            Self::AllowRole { .. }
            | Self::AssociateProfile { .. }
            | Self::ReplaceProfile { .. }
            | Self::RestoreMetadata { .. } => Lane::Credentials,
            Self::AttachInstances { .. }
            | Self::UnprotectFromScaleIn { .. }
            | Self::RegisterTargets { .. }
            | Self::RegisterInstancesWithLoadBalancer { .. } => Lane::Fleet,
            Self::UnprotectTermination
            | Self::StartInstance
            | Self::UnprotectStop
            | Self::RestoreShutdown { .. }
            | Self::RestoreAutoRecovery { .. }
            | Self::RestoreVolumes { .. }
            | Self::DeleteTags => Lane::Evidence,
        }
    }

    /// What the step changes.
    #[must_use]
    pub fn resource(&self, instance: &str) -> String {
        match self {
            Self::RestoreGroups { eni, .. } => eni.to_string(),
            Self::RestoreTimeouts { eni, .. } => format!("{eni}/connectionTracking"),
            Self::AssociateAddress { allocation, .. } => allocation.clone(),
            Self::AllowInNetworkAcl { acl, address, ingress, egress, .. } => {
                format!("{acl}/{address}/{ingress}/{egress}")
            }
            Self::AllowRole { role_arn, .. } => role_arn.clone(),
            // An instance has one profile and one Auto Scaling group: of several records the first is given back.
            Self::AssociateProfile { .. }
            | Self::ReplaceProfile { .. }
            | Self::RestoreMetadata { .. }
            | Self::RestoreAutoRecovery { .. }
            | Self::StartInstance
            | Self::DeleteTags => instance.to_owned(),
            Self::AttachInstances { group } => group.clone(),
            Self::UnprotectFromScaleIn { group } => format!("{group}/protectedFromScaleIn"),
            Self::RegisterTargets { group, targets } => {
                let listed: Vec<String> =
                    targets.iter().map(|target| format!("{}:{}", target.id, target.port.unwrap_or_default())).collect();
                format!("{group} {}", listed.join(" "))
            }
            Self::RegisterInstancesWithLoadBalancer { balancer } => balancer.clone(),
            Self::UnprotectTermination => format!("{instance}/disableApiTermination"),
            Self::UnprotectStop => format!("{instance}/disableApiStop"),
            Self::RestoreShutdown { .. } => format!("{instance}/instanceInitiatedShutdownBehavior"),
            Self::RestoreVolumes { devices } => format!("{instance}/blockDeviceMapping/{}", devices.join(",")),
        }
    }
}

impl ReversalKind {
    /// The IAM actions that a step of this kind needs.
    #[must_use]
    pub fn iam_actions(self) -> &'static [&'static str] {
        match self {
            Self::RestoreGroups | Self::RestoreTimeouts => &["ec2:ModifyNetworkInterfaceAttribute"],
            Self::AssociateAddress => &["ec2:AssociateAddress"],
            // Another containment may come to share the rules while they are taken away.
            Self::AllowInNetworkAcl => {
                &["ec2:CreateNetworkAclEntry", "ec2:DeleteNetworkAclEntry", "ec2:DescribeNetworkAcls"]
            }
            Self::AllowRole => &["iam:GetRolePolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy"],
            Self::AssociateProfile => &["ec2:AssociateIamInstanceProfile", "iam:PassRole"],
            Self::ReplaceProfile => &[
                "ec2:AssociateIamInstanceProfile",
                "ec2:DisassociateIamInstanceProfile",
                "ec2:ReplaceIamInstanceProfileAssociation",
                "iam:PassRole",
            ],
            Self::RestoreMetadata => &["ec2:ModifyInstanceMetadataOptions"],
            Self::AttachInstances => &["autoscaling:AttachInstances"],
            Self::UnprotectFromScaleIn => &["autoscaling:SetInstanceProtection"],
            Self::RegisterTargets => &["elasticloadbalancing:RegisterTargets"],
            Self::RegisterInstancesWithLoadBalancer => &["elasticloadbalancing:RegisterInstancesWithLoadBalancer"],
            Self::UnprotectTermination | Self::UnprotectStop | Self::RestoreShutdown | Self::RestoreVolumes => {
                &["ec2:ModifyInstanceAttribute"]
            }
            Self::RestoreAutoRecovery => &["ec2:ModifyInstanceMaintenanceOptions"],
            // Volumes that a key of the customer's encrypts are opened by a grant of the caller's.
            Self::StartInstance => &["ec2:StartInstances", "kms:CreateGrant"],
            Self::DeleteTags => &["ec2:DeleteTags"],
        }
    }
}
