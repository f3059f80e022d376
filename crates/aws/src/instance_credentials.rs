//! Where an instance gets credentials from: its profile and its metadata service.

use async_trait::async_trait;
use aws_sdk_ec2::types::{IamInstanceProfileSpecification, InstanceMetadataEndpointState};
use brig_core::model::{Association, MetadataOptions, ids::InstanceId};
use brig_engine::ports::{InstanceCredentials, PortResult};

use crate::{cloud::AwsCloud, ec2::filter, error::Explain};

#[async_trait]
impl InstanceCredentials for AwsCloud {
    async fn describe_profile_associations(&self, instance: Option<&InstanceId>) -> PortResult<Vec<Association>> {
        let client = self.ec2();
        let request = client.describe_iam_instance_profile_associations();
        let request = match instance {
            Some(instance) => request.filters(filter("instance-id", &[instance.as_str()])),
            None => request,
        };
        let mut pages = request.into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(association) = pages.next().await {
            let association = association.explain("DescribeIamInstanceProfileAssociations")?;
            found.extend(from_association(&association));
        }
        Ok(found)
    }

    async fn associate_profile(&self, instance: &InstanceId, profile: &str) -> PortResult<()> {
        let client = self.ec2();
        client
            .associate_iam_instance_profile()
            .instance_id(instance.as_str())
            .iam_instance_profile(IamInstanceProfileSpecification::builder().arn(profile).build())
            .send()
            .await
            .explain("AssociateIamInstanceProfile")?;
        Ok(())
    }

    async fn replace_profile(&self, association: &str, profile: &str) -> PortResult<()> {
        let client = self.ec2();
        client
            .replace_iam_instance_profile_association()
            .association_id(association)
            .iam_instance_profile(IamInstanceProfileSpecification::builder().arn(profile).build())
            .send()
            .await
            .explain("ReplaceIamInstanceProfileAssociation")?;
        Ok(())
    }

    async fn disassociate_profile(&self, association: &str) -> PortResult<()> {
        let client = self.ec2();
        client
            .disassociate_iam_instance_profile()
            .association_id(association)
            .send()
            .await
            .explain("DisassociateIamInstanceProfile")?;
        Ok(())
    }

    async fn disable_metadata_endpoint(&self, instance: &InstanceId) -> PortResult<()> {
        let client = self.ec2();
        client
            .modify_instance_metadata_options()
            .instance_id(instance.as_str())
            .http_endpoint(InstanceMetadataEndpointState::Disabled)
            .send()
            .await
            .explain("ModifyInstanceMetadataOptions")?;
        Ok(())
    }

    async fn restore_metadata_options(&self, instance: &InstanceId, options: &MetadataOptions) -> PortResult<()> {
        let client = self.ec2();
        client
            .modify_instance_metadata_options()
            .instance_id(instance.as_str())
            .http_endpoint(options.endpoint.as_str().into())
            .http_tokens(options.tokens.as_str().into())
            .set_http_put_response_hop_limit(options.hop_limit)
            .set_http_protocol_ipv6(options.ipv6.as_deref().map(Into::into))
            .set_instance_metadata_tags(options.tags.as_deref().map(Into::into))
            .send()
            .await
            .explain("ModifyInstanceMetadataOptions")?;
        Ok(())
    }
}

fn from_association(association: &aws_sdk_ec2::types::IamInstanceProfileAssociation) -> Option<Association> {
    Some(Association {
        id: association.association_id()?.to_owned(),
        instance: association.instance_id()?.to_owned(),
        profile: association.iam_instance_profile()?.arn()?.to_owned(),
        state: association.state()?.as_str().to_owned(),
    })
}
