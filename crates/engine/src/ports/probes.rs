//! What readiness asks: what the account has, and what Brig may do in it.

use async_trait::async_trait;
use brig_core::model::ids::{EniId, GroupId, InstanceId, Region, VpcId};

use super::PortResult;

/// A change of EC2's that is tried without effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DryRun {
    /// CreateSecurityGroup, with Brig's tag.
    CreateSecurityGroup(VpcId),
    /// ModifyNetworkInterfaceAttribute to a group of Brig's.
    ModifyNetworkInterfaceAttribute(EniId, GroupId),
    /// ModifyInstanceMetadataOptions to the `HttpEndpoint` that it has.
    ModifyInstanceMetadataOptions(InstanceId, String),
    /// ModifyInstanceAttribute.
    ModifyInstanceAttribute(InstanceId),
    /// CreateSnapshots, with Brig's tags.
    CreateSnapshots(InstanceId),
    /// CreateTags, of Brig's.
    CreateTags(InstanceId),
}

impl DryRun {
    /// The IAM action that it tries.
    #[must_use]
    pub fn iam_action(&self) -> &'static str {
        match self {
            Self::CreateSecurityGroup(_) => "ec2:CreateSecurityGroup",
            Self::ModifyNetworkInterfaceAttribute(..) => "ec2:ModifyNetworkInterfaceAttribute",
            Self::ModifyInstanceMetadataOptions(..) => "ec2:ModifyInstanceMetadataOptions",
            Self::ModifyInstanceAttribute(_) => "ec2:ModifyInstanceAttribute",
            Self::CreateSnapshots(_) => "ec2:CreateSnapshots",
            Self::CreateTags(_) => "ec2:CreateTags",
        }
    }
}

/// What readiness asks: what the account has, and what Brig may do in it.
#[async_trait]
pub trait Probes: Send + Sync {
    /// DescribeRegions: those that the account has enabled.
    async fn describe_regions(&self) -> PortResult<Vec<Region>>;
    /// DescribeVpcs: all of the Region.
    async fn describe_vpcs(&self) -> PortResult<Vec<VpcId>>;
    /// GetInstanceMetadataDefaults: the account's `HttpTokens`, where it sets any.
    async fn get_metadata_default_tokens(&self) -> PortResult<Option<String>>;
    /// DescribeInstances: how many running instances have `HttpTokens` optional.
    async fn count_instances_without_tokens(&self) -> PortResult<usize>;
    /// One of EC2's changes with DryRun: success where EC2 would allow it.
    async fn dry_run(&self, change: &DryRun) -> PortResult<()>;
}
