//! What readiness asks: what the account has, and what Brig may do in it.

use async_trait::async_trait;
use aws_sdk_ec2::{
    Client,
    types::{AttributeBooleanValue, InstanceMetadataEndpointState, InstanceSpecification, ResourceType},
};
use brig_core::model::{
    Purpose,
    ids::{Region, VpcId},
    tags::{CONTAINMENT_TAG, GROUP_ROLE_TAG, STATE_TAG},
};
use brig_engine::ports::{CloudError, DryRun, PortResult, Probes, Tags};

use crate::{
    cloud::AwsCloud,
    ec2::{filter, sdk_tags, specification},
    error::Explain,
};

#[async_trait]
impl Probes for AwsCloud {
    /// Without `AllRegions` those alone that the account has enabled
    /// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html>).
    async fn describe_regions(&self) -> PortResult<Vec<Region>> {
        let client = self.ec2();
        let answer = client.describe_regions().send().await.explain("DescribeRegions")?;
        let names = answer.regions().iter().filter_map(|region| region.region_name());
        Ok(names.filter_map(|name| name.parse().ok()).collect())
    }

    async fn describe_vpcs(&self) -> PortResult<Vec<VpcId>> {
        let client = self.ec2();
        let mut pages = client.describe_vpcs().into_paginator().items().send();
        let mut vpcs = Vec::new();
        while let Some(vpc) = pages.next().await {
            vpcs.extend(vpc.explain("DescribeVpcs")?.vpc_id().map(VpcId::from));
        }
        Ok(vpcs)
    }

    async fn get_metadata_default_tokens(&self) -> PortResult<Option<String>> {
        let client = self.ec2();
        let answer = client.get_instance_metadata_defaults().send().await.explain("GetInstanceMetadataDefaults")?;
        let tokens = answer.account_level().and_then(|level| level.http_tokens());
        Ok(tokens.map(|tokens| tokens.as_str().to_owned()))
    }

    async fn count_instances_without_tokens(&self) -> PortResult<usize> {
        let client = self.ec2();
        let running = filter("instance-state-name", &["running"]);
        let optional = filter("metadata-options.http-tokens", &["optional"]);
        let mut pages = client.describe_instances().filters(running).filters(optional).into_paginator().items().send();
        let mut count = 0;
        while let Some(reservation) = pages.next().await {
            count += reservation.explain("DescribeInstances")?.instances().len();
        }
        Ok(count)
    }

    /// EC2 answers a permitted DryRun with the error `DryRunOperation`
    /// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonParameters.html>).
    async fn dry_run(&self, change: &DryRun) -> PortResult<()> {
        let client = self.ec2();
        let answer = tried(client, change).await;
        match answer {
            Err(error) if error.code == "DryRunOperation" => Ok(()),
            answer => answer,
        }
    }
}

async fn tried(client: &Client, change: &DryRun) -> Result<(), CloudError> {
    match change {
        DryRun::CreateSecurityGroup(vpc) => {
            let tags: Tags = [(GROUP_ROLE_TAG.to_owned(), Purpose::Isolation.tag_value().to_owned())].into();
            client
                .create_security_group()
                .vpc_id(vpc.as_str())
                // Another name than the group has, so that one which exists is in nobody's way.
                .group_name("brig-isolation-readiness")
                .description("never made")
                .tag_specifications(specification(ResourceType::SecurityGroup, &tags))
                .dry_run(true)
                .send()
                .await
                .explain("CreateSecurityGroup")
                .map(|_| ())
        }
        DryRun::ModifyNetworkInterfaceAttribute(eni, group) => client
            .modify_network_interface_attribute()
            .network_interface_id(eni.as_str())
            .groups(group.as_str())
            .dry_run(true)
            .send()
            .await
            .explain("ModifyNetworkInterfaceAttribute")
            .map(|_| ()),
        DryRun::ModifyInstanceMetadataOptions(instance, endpoint) => client
            .modify_instance_metadata_options()
            .instance_id(instance.as_str())
            .http_endpoint(InstanceMetadataEndpointState::from(endpoint.as_str()))
            .dry_run(true)
            .send()
            .await
            .explain("ModifyInstanceMetadataOptions")
            .map(|_| ()),
        DryRun::ModifyInstanceAttribute(instance) => client
            .modify_instance_attribute()
            .instance_id(instance.as_str())
            .disable_api_termination(AttributeBooleanValue::builder().value(true).build())
            .dry_run(true)
            .send()
            .await
            .explain("ModifyInstanceAttribute")
            .map(|_| ()),
        DryRun::CreateSnapshots(instance) => {
            let tags: Tags = [(CONTAINMENT_TAG.to_owned(), "readiness".to_owned())].into();
            client
                .create_snapshots()
                .instance_specification(InstanceSpecification::builder().instance_id(instance.as_str()).build())
                .tag_specifications(specification(ResourceType::Snapshot, &tags))
                .dry_run(true)
                .send()
                .await
                .explain("CreateSnapshots")
                .map(|_| ())
        }
        DryRun::CreateTags(instance) => {
            let tags: Tags = [(STATE_TAG.to_owned(), "readiness".to_owned())].into();
            client
                .create_tags()
                .resources(instance.as_str())
                .set_tags(Some(sdk_tags(&tags)))
                .dry_run(true)
                .send()
                .await
                .explain("CreateTags")
                .map(|_| ())
        }
    }
}
