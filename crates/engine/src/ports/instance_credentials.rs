//! Where an instance gets credentials from: its profile and its metadata service.

use async_trait::async_trait;
use brig_core::model::{Association, MetadataOptions, ids::InstanceId};

use super::PortResult;

/// Where an instance gets credentials from: its profile and its metadata service.
#[async_trait]
pub trait InstanceCredentials: Send + Sync {
    /// The associations of one instance, or all in the account and Region.
    async fn describe_profile_associations(&self, instance: Option<&InstanceId>) -> PortResult<Vec<Association>>;
    /// AssociateIamInstanceProfile by the profile's ARN.
    async fn associate_profile(&self, instance: &InstanceId, profile: &str) -> PortResult<()>;
    /// ReplaceIamInstanceProfileAssociation by the other profile's ARN.
    async fn replace_profile(&self, association: &str, profile: &str) -> PortResult<()>;
    /// DisassociateIamInstanceProfile.
    async fn disassociate_profile(&self, association: &str) -> PortResult<()>;
    /// ModifyInstanceMetadataOptions: `HttpEndpoint` disabled.
    async fn disable_metadata_endpoint(&self, instance: &InstanceId) -> PortResult<()>;
    /// ModifyInstanceMetadataOptions: all options that are known.
    async fn restore_metadata_options(&self, instance: &InstanceId, options: &MetadataOptions) -> PortResult<()>;
}
