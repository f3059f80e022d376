//! What should be in place before anything happens, and changes that are tried without effect.

use std::time::Duration;

use aws_sdk_ec2::{
    Client,
    types::{
        AttributeBooleanValue, DestinationFileFormat, DestinationOptionsResponse, InstanceMetadataEndpointState,
        InstanceSpecification, LogDestinationType, ResourceType, TrafficType,
    },
};
use brig_core::{
    ids::{Region, VpcId},
    plan::evidence::STATE_TAG,
    policy::CONTAINMENT_TAG,
    proof::{Destination, Files, FlowLog},
    survey::{GROUP_ROLE_TAG, Purpose},
};
use brig_engine::ports::{Answer, CloudError, DryRun, Tags};

use super::{filter, sdk_tags, specification};
use crate::error::Explain;

/// AWS's default, and its most
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html>).
const LONGEST_INTERVAL: Duration = Duration::from_mins(10);

/// Without `AllRegions` those alone that the account has enabled
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html>).
pub(crate) async fn describe_regions(client: &Client) -> Answer<Vec<Region>> {
    let answer = client.describe_regions().send().await.explain("DescribeRegions")?;
    let names = answer.regions().iter().filter_map(|region| region.region_name());
    Ok(names.filter_map(|name| name.parse().ok()).collect())
}

pub(crate) async fn describe_vpcs(client: &Client) -> Answer<Vec<VpcId>> {
    let mut pages = client.describe_vpcs().into_paginator().items().send();
    let mut vpcs = Vec::new();
    while let Some(vpc) = pages.next().await {
        vpcs.extend(vpc.explain("DescribeVpcs")?.vpc_id().map(VpcId::from));
    }
    Ok(vpcs)
}

pub(crate) async fn describe_flow_logs(client: &Client) -> Answer<Vec<FlowLog>> {
    let mut pages = client.describe_flow_logs().into_paginator().items().send();
    let mut logs = Vec::new();
    while let Some(log) = pages.next().await {
        let log = log.explain("DescribeFlowLogs")?;
        if let Some(resource) = log.resource_id().filter(|_| log.flow_log_status() == Some("ACTIVE")) {
            logs.push(FlowLog {
                resource: resource.to_owned(),
                traffic: log.traffic_type().map_or("ALL", TrafficType::as_str).to_owned(),
                destination: destination(&log),
                format: log.log_format().unwrap_or_default().to_owned(),
                interval: log
                    .max_aggregation_interval()
                    .and_then(|seconds| u64::try_from(seconds).ok())
                    .map_or(LONGEST_INTERVAL, Duration::from_secs),
            });
        }
    }
    Ok(logs)
}

fn destination(log: &aws_sdk_ec2::types::FlowLog) -> Destination {
    let arn = log.log_destination();
    match log.log_destination_type().map(LogDestinationType::as_str) {
        Some("s3") => {
            let options = log.destination_options();
            let is = |option: Option<bool>| option == Some(true);
            let hive = is(options.and_then(DestinationOptionsResponse::hive_compatible_partitions));
            let hourly = is(options.and_then(DestinationOptionsResponse::per_hour_partition));
            let parquet = options.and_then(|options| options.file_format()) == Some(&DestinationFileFormat::Parquet);
            let files = Files::of(arn.unwrap_or_default(), log.flow_log_id().unwrap_or_default());
            files.map_or(Destination::Other, |files| {
                Destination::Bucket(Files { hive, hourly, text: !parquet, ..files })
            })
        }
        Some("cloud-watch-logs") | None => {
            // `arn:aws:logs:us-east-1:123456789012:log-group:name:*`
            let by_arn = || arn?.split(":log-group:").nth(1)?.split(':').next();
            log.log_group_name()
                .or_else(by_arn)
                .map_or(Destination::Other, |group| Destination::LogGroup(group.to_owned()))
        }
        Some(_) => Destination::Other,
    }
}

pub(crate) async fn get_metadata_default_tokens(client: &Client) -> Answer<Option<String>> {
    let answer = client.get_instance_metadata_defaults().send().await.explain("GetInstanceMetadataDefaults")?;
    let tokens = answer.account_level().and_then(|level| level.http_tokens());
    Ok(tokens.map(|tokens| tokens.as_str().to_owned()))
}

pub(crate) async fn count_instances_without_tokens(client: &Client) -> Answer<usize> {
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
pub(crate) async fn dry_run(client: &Client, change: &DryRun) -> Answer<()> {
    let answer = tried(client, change).await;
    match answer {
        Err(error) if error.code == "DryRunOperation" => Ok(()),
        answer => answer,
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
