//! What each kind of step needs of IAM.

use super::StepKind;

impl StepKind {
    /// The IAM actions that a step of this kind needs; a step of a release has those of its reversal.
    #[must_use]
    pub fn iam_actions(self) -> &'static [&'static str] {
        match self {
            Self::CreateSecurityGroup => &[
                "ec2:CreateSecurityGroup",
                "ec2:CreateTags",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSecurityGroupRules",
                "ec2:AuthorizeSecurityGroupEgress",
                "ec2:AuthorizeSecurityGroupIngress",
                "ec2:RevokeSecurityGroupEgress",
            ],
            Self::RevokeSecurityGroupRules => {
                &["ec2:DescribeSecurityGroupRules", "ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress"]
            }
            Self::AuthorizeSecurityGroupRules | Self::AuthorizeForensicAccess => {
                &["ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress"]
            }
            Self::Isolate | Self::Untrack | Self::ShortenTimeouts | Self::UnassignPublicAddress => {
                &["ec2:ModifyNetworkInterfaceAttribute"]
            }
            Self::DisassociateAddress => &["ec2:DisassociateAddress"],
            Self::DenyInNetworkAcl => &["ec2:CreateNetworkAclEntry", "ec2:DescribeNetworkAcls"],
            Self::DenyRole => &["iam:GetRolePolicy", "iam:PutRolePolicy"],
            Self::DisassociateProfile => &["ec2:DisassociateIamInstanceProfile"],
            // The profile of an instance where the responders' cannot be had is taken away.
            Self::ReplaceProfile => {
                &["ec2:DisassociateIamInstanceProfile", "ec2:ReplaceIamInstanceProfileAssociation", "iam:PassRole"]
            }
            Self::RequireTokens | Self::DisableMetadata => &["ec2:ModifyInstanceMetadataOptions"],
            Self::DetachInstances => &["autoscaling:DetachInstances"],
            Self::ProtectFromScaleIn => &["autoscaling:SetInstanceProtection"],
            Self::RecordLifecycleActionHeartbeat => &["autoscaling:RecordLifecycleActionHeartbeat"],
            Self::DeregisterTargets => &["elasticloadbalancing:DeregisterTargets"],
            Self::DeregisterInstancesFromLoadBalancer => &["elasticloadbalancing:DeregisterInstancesFromLoadBalancer"],
            Self::ProtectTermination | Self::ProtectStop | Self::StopOnShutdown | Self::KeepVolumes => {
                &["ec2:ModifyInstanceAttribute"]
            }
            Self::DisableAutoRecovery => &["ec2:ModifyInstanceMaintenanceOptions"],
            Self::CreateSnapshots => &["ec2:CreateSnapshots", "ec2:CreateTags", "ec2:DescribeSnapshots"],
            Self::CreateSnapshot => &["ec2:CreateSnapshot", "ec2:CreateTags", "ec2:DescribeSnapshots"],
            Self::StopInstance => &["ec2:ModifyInstanceAttribute", "ec2:StopInstances"],
            Self::SnapshotMemory => &["ec2:CreateSnapshot", "ec2:CreateSnapshots", "ec2:CreateTags"],
            Self::LockSnapshot => &["ec2:LockSnapshot", "ec2:DescribeLockedSnapshots"],
            Self::TagSnapshot | Self::TagInstance => &["ec2:CreateTags"],
            Self::GiveBack => &[],
        }
    }
}
