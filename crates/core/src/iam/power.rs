//! The power that each duty needs: the IAM actions of its steps, its reads, and its own bookkeeping. The deployed policies
//! are tested against this, both ways: nothing may lack, and nothing may be there that nothing needs.

use std::collections::BTreeSet;

use strum::IntoEnumIterator as _;

use crate::step::{ReversalKind, StepKind};

/// What a function is deployed to do, with a role of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumIter)]
pub enum Duty {
    /// Contain, verify, and say how ready the account is.
    Contain,
    /// Give back.
    Release,
    /// Look back, and take evidence. It changes nothing else.
    Investigate,
}

/// A call that only looks. The name is AWS's own, of the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, strum::EnumIter, strum::IntoStaticStr)]
#[expect(missing_docs, reason = "they are AWS's operations")]
pub enum Read {
    DescribeInstances,
    DescribeInstanceAttribute,
    DescribeInstanceStatus,
    DescribeNetworkInterfaces,
    DescribeSecurityGroups,
    DescribeIamInstanceProfileAssociations,
    DescribeSnapshots,
    DescribeLockedSnapshots,
    GetInstanceProfile,
    GetRole,
    ListInstanceProfilesForRole,
    GetRolePolicy,
    ListAttachedRolePolicies,
    DescribeAutoScalingInstances,
    DescribeAutoScalingGroups,
    DescribeLifecycleHooks,
    DescribeTargetGroups,
    DescribeTargetHealth,
    DescribeLoadBalancers,
    LookupEvents,
    DescribeRouteTables,
    DescribeNetworkAcls,
    DescribeVpcEndpoints,
    DescribeInstanceTypes,
    GetSerialConsoleAccessStatus,
    ListFirewallRuleGroupAssociations,
    ListServiceNetworkVpcAssociations,
    DescribeRegions,
    DescribeVpcs,
    DescribeFlowLogs,
    FilterLogEvents,
    ListObjectsV2,
    GetObject,
    GetInstanceMetadataDefaults,
    GetDetector,
    ListDetectors,
    DescribeTrails,
    GetTrailStatus,
    GetUser,
    GetLoginProfile,
    GetAccessKeyLastUsed,
    ListAccessKeys,
    ListServiceSpecificCredentials,
    #[strum(serialize = "ListSSHPublicKeys")]
    ListSshPublicKeys,
    ListSigningCertificates,
    ListAttachedUserPolicies,
    ListUserPolicies,
    ListGroupsForUser,
    #[strum(serialize = "ListMFADevices")]
    ListMfaDevices,
    GetAccessKeyInfo,
    DescribeVolumes,
    GetConsoleOutput,
    GetConsoleScreenshot,
    ListRolePolicies,
    GetUserPolicy,
    GetPolicy,
    GetPolicyVersion,
}

impl Read {
    /// AWS's name of the operation.
    #[must_use]
    pub fn operation(self) -> &'static str {
        self.into()
    }

    /// The IAM actions that allow it.
    #[must_use]
    pub fn iam_actions(self) -> Vec<String> {
        let service = match self {
            Self::ListObjectsV2 => return vec!["s3:ListBucket".to_owned()],
            // Where a key of one's own encrypts the bucket.
            Self::GetObject => return vec!["s3:GetObject".to_owned(), "kms:Decrypt".to_owned()],
            Self::GetInstanceProfile
            | Self::GetRole
            | Self::ListInstanceProfilesForRole
            | Self::GetRolePolicy
            | Self::ListAttachedRolePolicies
            | Self::GetUser
            | Self::GetLoginProfile
            | Self::GetAccessKeyLastUsed
            | Self::ListAccessKeys
            | Self::ListServiceSpecificCredentials
            | Self::ListSshPublicKeys
            | Self::ListSigningCertificates
            | Self::ListAttachedUserPolicies
            | Self::ListUserPolicies
            | Self::ListGroupsForUser
            | Self::ListMfaDevices
            | Self::ListRolePolicies
            | Self::GetUserPolicy
            | Self::GetPolicy
            | Self::GetPolicyVersion => "iam",
            Self::GetAccessKeyInfo => "sts",
            Self::DescribeAutoScalingInstances | Self::DescribeAutoScalingGroups | Self::DescribeLifecycleHooks => {
                "autoscaling"
            }
            Self::DescribeTargetGroups | Self::DescribeTargetHealth | Self::DescribeLoadBalancers => {
                "elasticloadbalancing"
            }
            Self::LookupEvents | Self::DescribeTrails | Self::GetTrailStatus => "cloudtrail",
            Self::GetDetector | Self::ListDetectors => "guardduty",
            Self::FilterLogEvents => "logs",
            Self::ListFirewallRuleGroupAssociations => "route53resolver",
            Self::ListServiceNetworkVpcAssociations => "vpc-lattice",
            Self::DescribeInstances
            | Self::DescribeInstanceAttribute
            | Self::DescribeInstanceStatus
            | Self::DescribeNetworkInterfaces
            | Self::DescribeSecurityGroups
            | Self::DescribeIamInstanceProfileAssociations
            | Self::DescribeSnapshots
            | Self::DescribeLockedSnapshots
            | Self::DescribeRouteTables
            | Self::DescribeNetworkAcls
            | Self::DescribeVpcEndpoints
            | Self::DescribeInstanceTypes
            | Self::GetSerialConsoleAccessStatus
            | Self::DescribeRegions
            | Self::DescribeVpcs
            | Self::DescribeFlowLogs
            | Self::GetInstanceMetadataDefaults
            | Self::DescribeVolumes
            | Self::GetConsoleOutput
            | Self::GetConsoleScreenshot => "ec2",
        };
        vec![format!("{service}:{}", self.operation())]
    }

    /// Whether a duty makes the call.
    #[must_use]
    pub fn serves(self, duty: Duty) -> bool {
        match duty {
            // What an adversary's deeds and evidence need alone.
            Duty::Contain => !matches!(
                self,
                Self::ListAttachedRolePolicies
                    | Self::DescribeVolumes
                    | Self::GetConsoleOutput
                    | Self::GetConsoleScreenshot
                    | Self::ListRolePolicies
                    | Self::GetUserPolicy
                    | Self::GetPolicy
                    | Self::GetPolicyVersion
            ),
            Duty::Investigate => matches!(
                self,
                Self::LookupEvents
                    | Self::DescribeTrails
                    | Self::GetTrailStatus
                    | Self::ListAttachedRolePolicies
                    | Self::DescribeRegions
                    | Self::DescribeInstances
                    | Self::GetRole
                    | Self::GetRolePolicy
                    | Self::GetUser
                    | Self::GetLoginProfile
                    | Self::ListAccessKeys
                    | Self::ListAttachedUserPolicies
                    | Self::ListUserPolicies
                    | Self::DescribeVolumes
                    | Self::GetConsoleOutput
                    | Self::GetConsoleScreenshot
                    | Self::ListRolePolicies
                    | Self::GetUserPolicy
                    | Self::GetPolicy
                    | Self::GetPolicyVersion
                    | Self::DescribeNetworkInterfaces
                    | Self::DescribeInstanceAttribute
                    | Self::DescribeSecurityGroups
                    | Self::DescribeRouteTables
                    | Self::DescribeNetworkAcls
                    | Self::DescribeFlowLogs
                    | Self::DescribeSnapshots
                    | Self::DescribeAutoScalingInstances
                    | Self::DescribeTargetHealth
                    | Self::GetInstanceProfile
                    | Self::ListGroupsForUser
                    | Self::FilterLogEvents
                    | Self::GetAccessKeyLastUsed
            ),
            Duty::Release => matches!(
                self,
                Self::DescribeInstances
                    | Self::DescribeInstanceAttribute
                    | Self::DescribeInstanceStatus
                    | Self::DescribeSecurityGroups
                    | Self::DescribeIamInstanceProfileAssociations
                    | Self::GetRole
                    | Self::GetRolePolicy
                    | Self::DescribeAutoScalingInstances
                    | Self::DescribeTargetHealth
                    | Self::DescribeLoadBalancers
                    | Self::DescribeInstanceTypes
                    | Self::DescribeNetworkInterfaces
                    | Self::DescribeNetworkAcls
                    | Self::GetUser
                    | Self::GetLoginProfile
                    | Self::GetAccessKeyLastUsed
                    | Self::ListAccessKeys
                    | Self::ListServiceSpecificCredentials
                    | Self::ListSshPublicKeys
                    | Self::ListSigningCertificates
                    | Self::ListAttachedUserPolicies
                    | Self::ListUserPolicies
                    | Self::ListGroupsForUser
                    | Self::ListMfaDevices
                    | Self::GetAccessKeyInfo
            ),
        }
    }
}

/// The IAM actions in the account of the instance.
#[must_use]
pub fn there(duty: Duty) -> BTreeSet<String> {
    let reads = Read::iter().filter(|read| read.serves(duty)).flat_map(Read::iam_actions);
    reads.chain(steps(duty)).collect()
}

/// The IAM actions in the account of the instance where that is another one: what `readiness` looks at is the function's own.
#[must_use]
pub fn elsewhere(duty: Duty) -> BTreeSet<String> {
    let home = |read: &Read| {
        matches!(
            read,
            Read::GetInstanceMetadataDefaults
                | Read::GetDetector
                | Read::ListDetectors
                | Read::DescribeTrails
                | Read::GetTrailStatus
        )
    };
    let reads = Read::iter().filter(|read| read.serves(duty) && !home(read)).flat_map(Read::iam_actions);
    reads.chain(steps(duty)).collect()
}

/// The IAM actions in the function's own account in addition to those: the ledger, the topic, the queue, the log, the other
/// accounts. A transaction of the ledger needs the actions of its parts
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>).
#[must_use]
pub fn at_home(duty: Duty) -> BTreeSet<String> {
    let both = [
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sns:Publish",
        "sts:AssumeRole",
        "sts:SetSourceIdentity",
    ];
    let contain = [
        "sns:GetTopicAttributes",
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
        "ssm:GetParameter",
    ];
    let investigate = [
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "kms:GetPublicKey",
        "kms:Sign",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:GetBucketObjectLockConfiguration",
        "s3:GetObjectRetention",
        "s3:ListBucket",
        "s3:PutObject",
        "s3:PutObjectRetention",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    ];
    let actions = match duty {
        Duty::Contain => [&both[..], &contain].concat(),
        Duty::Release => both.to_vec(),
        Duty::Investigate => investigate.to_vec(),
    };
    actions.into_iter().map(str::to_owned).collect()
}

fn steps(duty: Duty) -> Vec<String> {
    let actions: Vec<&[&str]> = match duty {
        Duty::Contain => StepKind::iter().map(StepKind::iam_actions).collect(),
        Duty::Release => ReversalKind::iter().map(ReversalKind::iam_actions).collect(),
        Duty::Investigate => Vec::new(),
    };
    actions.concat().into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Evidence, its chain of custody, the signature of a manifest, and the messages that were heard.
    const WRITES: [&str; 5] =
        ["dynamodb:PutItem", "kms:Sign", "s3:PutObject", "s3:PutObjectRetention", "sqs:DeleteMessage"];

    #[test]
    fn investigating_changes_nothing_but_evidence_and_cannot_read_what_it_wrote() {
        let actions: BTreeSet<String> = there(Duty::Investigate).union(&at_home(Duty::Investigate)).cloned().collect();
        for action in &actions {
            let verb = action.split_once(':').map_or("", |(_, verb)| verb);
            let reads = ["Describe", "Get", "List", "Lookup", "Query", "Filter", "Receive"];
            let reads = reads.iter().any(|read| verb.starts_with(read));
            assert!(reads || action.starts_with("logs:") || WRITES.contains(&action.as_str()), "{action}");
        }
        assert!(!actions.contains("s3:GetObject") && !actions.contains("kms:Decrypt"));
    }

    #[test]
    fn containing_destroys_nothing_and_gives_nothing_back() {
        let contain: BTreeSet<String> = there(Duty::Contain).union(&at_home(Duty::Contain)).cloned().collect();
        for never in [
            "ec2:TerminateInstances",
            "ec2:DeleteSnapshot",
            "ec2:UnlockSnapshot",
            "ec2:DeleteVolume",
            "ec2:AssociateIamInstanceProfile",
            "dynamodb:DeleteTable",
            "ec2:DeleteNetworkAclEntry",
            "elasticloadbalancing:RegisterTargets",
            "iam:DeleteRolePolicy",
            "iam:DeleteUserPermissionsBoundary",
            "iam:DetachUserPolicy",
            "iam:DeleteAccessKey",
            "iam:DeleteLoginProfile",
        ] {
            assert!(!contain.contains(never), "{never}");
        }
    }
}
