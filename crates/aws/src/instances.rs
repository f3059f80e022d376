//! EC2 instances, their attributes, states and tags.

use std::io::Read as _;

use async_trait::async_trait;
use aws_sdk_ec2::types::{
    AttributeBooleanValue, AttributeValue, DeviceType, EbsInstanceBlockDeviceSpecification, HibernationOptions,
    HttpTokensState, InstanceAttributeName, InstanceAutoRecoveryState, InstanceBlockDeviceMappingSpecification,
    InstanceLifecycleType, InstanceMetadataEndpointState, InstanceMetadataOptionsResponse,
    InstanceMetadataOptionsState, InstanceNetworkInterface, InstanceStateName, Tag,
};
use brig_core::model::{
    Instance, InstanceState, Interface, MetadataOptions, PublicAddress, Timeouts, Volume,
    ids::{AccountId, GroupId, InstanceId, Region},
    timestamp::Timestamp,
};
use brig_engine::ports::{Attribute, AttributeChange, ErrorKind, Instances, PortResult, Tags};
use flate2::read::GzDecoder;

use crate::{
    cloud::AwsCloud,
    ec2::{filter, sdk_tags, seconds, tags_of},
    error::Explain,
    interfaces::{AMAZON, addresses, once},
};

#[async_trait]
impl Instances for AwsCloud {
    async fn describe_instance(&self, instance: &InstanceId) -> PortResult<Option<Instance>> {
        let client = self.ec2();
        let region = &self.region;
        // EC2 says of an id that it does not know that it is not found. An empty list is not its way of saying so: it is
        // believed when a second answer is empty, too.
        for _ in 0..2 {
            let request = client.describe_instances().instance_ids(instance.as_str());
            let answer = match request.send().await.explain("DescribeInstances") {
                Ok(answer) => answer,
                Err(error) if error.kind == ErrorKind::NotFound || error.code == "InvalidInstanceID.Malformed" => {
                    return Ok(None);
                }
                Err(error) => return Err(error),
            };
            let found = answer.reservations().iter().find_map(|reservation| {
                let owner: AccountId = reservation.owner_id()?.parse().ok()?;
                reservation.instances().iter().find_map(|found| from_instance(found, &owner, region))
            });
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    async fn describe_instances_named(&self, name: &str) -> PortResult<Vec<Instance>> {
        let client = self.ec2();
        let region = &self.region;
        let mut pages =
            client.describe_instances().filters(filter("tag:Name", &[name])).into_paginator().items().send();
        let mut instances = Vec::new();
        while let Some(reservation) = pages.next().await {
            let reservation = reservation.explain("DescribeInstances")?;
            let Some(owner) = reservation.owner_id().and_then(|owner| owner.parse::<AccountId>().ok()) else {
                continue;
            };
            instances.extend(reservation.instances().iter().filter_map(|found| from_instance(found, &owner, region)));
        }
        // A filter's value may hold wildcards; a name is meant as it is.
        instances.retain(|instance| instance.tags.get("Name").is_some_and(|tag| tag == name));
        Ok(instances)
    }

    async fn describe_instance_attribute(&self, instance: &InstanceId, attribute: Attribute) -> PortResult<String> {
        let client = self.ec2();
        let name = match attribute {
            Attribute::DisableApiTermination => InstanceAttributeName::DisableApiTermination,
            Attribute::DisableApiStop => InstanceAttributeName::DisableApiStop,
            Attribute::ShutdownBehavior => InstanceAttributeName::InstanceInitiatedShutdownBehavior,
            Attribute::UserData => InstanceAttributeName::UserData,
        };
        let answer = client
            .describe_instance_attribute()
            .instance_id(instance.as_str())
            .attribute(name)
            .send()
            .await
            .explain("DescribeInstanceAttribute")?;
        let flag =
            |value: Option<&AttributeBooleanValue>| value.and_then(AttributeBooleanValue::value).unwrap_or(false);
        Ok(match attribute {
            Attribute::DisableApiTermination => flag(answer.disable_api_termination()).to_string(),
            Attribute::DisableApiStop => flag(answer.disable_api_stop()).to_string(),
            Attribute::ShutdownBehavior => answer
                .instance_initiated_shutdown_behavior()
                .and_then(|value| value.value())
                .unwrap_or_default()
                .to_owned(),
            Attribute::UserData => {
                answer.user_data().and_then(|value| value.value()).map(user_data).unwrap_or_default()
            }
        })
    }

    async fn modify_instance_attribute(&self, instance: &InstanceId, change: &AttributeChange) -> PortResult<()> {
        let client = self.ec2();
        let request = client.modify_instance_attribute().instance_id(instance.as_str());
        let flag = |on: bool| AttributeBooleanValue::builder().value(on).build();
        let request = match change {
            AttributeChange::DisableApiTermination(on) => request.disable_api_termination(flag(*on)),
            AttributeChange::DisableApiStop(on) => request.disable_api_stop(flag(*on)),
            AttributeChange::ShutdownBehavior(behavior) => {
                request.instance_initiated_shutdown_behavior(AttributeValue::builder().value(behavior).build())
            }
            AttributeChange::DeleteOnTermination(devices) => {
                devices.iter().fold(request, |request, (device, delete)| {
                    let ebs = EbsInstanceBlockDeviceSpecification::builder().delete_on_termination(*delete).build();
                    request.block_device_mappings(
                        InstanceBlockDeviceMappingSpecification::builder().device_name(device).ebs(ebs).build(),
                    )
                })
            }
        };
        request.send().await.explain("ModifyInstanceAttribute")?;
        Ok(())
    }

    /// Events that are over stay listed for a week, with a mark in their description
    /// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-instances-status-check_sched.html>).
    async fn describe_scheduled_events(&self, instance: &InstanceId) -> PortResult<Vec<String>> {
        let client = self.ec2();
        let request = client.describe_instance_status().instance_ids(instance.as_str()).include_all_instances(true);
        let answer = request.send().await.explain("DescribeInstanceStatus")?;
        let all = answer.instance_statuses().iter().flat_map(aws_sdk_ec2::types::InstanceStatus::events);
        let is_over =
            |description: &str| description.starts_with("[Completed]") || description.starts_with("[Canceled]");
        let ahead = all.filter(|event| !is_over(event.description().unwrap_or_default()));
        Ok(ahead
            .filter_map(|event| {
                let when = event.not_before().and_then(|time| time.to_millis().ok()).map(Timestamp::from_millis);
                let when = when.map_or_else(String::new, |when| format!(" not before {when}"));
                Some(format!("{}{when}", event.code()?.as_str()))
            })
            .collect())
    }

    async fn stop_instance(&self, instance: &InstanceId, hibernate: bool) -> PortResult<()> {
        let client = self.ec2();
        let request = client.stop_instances().instance_ids(instance.as_str()).set_hibernate(hibernate.then_some(true));
        request.send().await.explain("StopInstances")?;
        Ok(())
    }

    async fn start_instance(&self, instance: &InstanceId) -> PortResult<()> {
        let client = self.ec2();
        client.start_instances().instance_ids(instance.as_str()).send().await.explain("StartInstances")?;
        Ok(())
    }

    async fn set_auto_recovery(&self, instance: &InstanceId, setting: &str) -> PortResult<()> {
        let client = self.ec2();
        client
            .modify_instance_maintenance_options()
            .instance_id(instance.as_str())
            .auto_recovery(InstanceAutoRecoveryState::from(setting))
            .send()
            .await
            .explain("ModifyInstanceMaintenanceOptions")?;
        Ok(())
    }

    async fn create_tags(&self, resource: &str, tags: &Tags) -> PortResult<()> {
        let client = self.ec2();
        client.create_tags().resources(resource).set_tags(Some(sdk_tags(tags))).send().await.explain("CreateTags")?;
        Ok(())
    }

    async fn delete_tags(&self, resource: &str, keys: &[&str]) -> PortResult<()> {
        let client = self.ec2();
        let tags = keys.iter().map(|key| Tag::builder().key(*key).build()).collect();
        client.delete_tags().resources(resource).set_tags(Some(tags)).send().await.explain("DeleteTags")?;
        Ok(())
    }
}

/// So much of user data is read: 16 KB are stored, which may be compressed
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html>).
const MOST_USER_DATA: u64 = 256 * 1024;

/// User data as text: AWS has it in base64, and cloud-init takes it compressed too.
fn user_data(encoded: &str) -> String {
    let Ok(bytes) = aws_smithy_types::base64::decode(encoded.trim()) else { return encoded.to_owned() };
    let mut plain = Vec::new();
    let unpacked = GzDecoder::new(bytes.as_slice()).take(MOST_USER_DATA).read_to_end(&mut plain);
    // What was unpacked before an error is searched too.
    let text = if unpacked.is_ok() || !plain.is_empty() { &plain } else { &bytes };
    String::from_utf8_lossy(text).into_owned()
}

fn from_instance(found: &aws_sdk_ec2::types::Instance, owner: &AccountId, region: &Region) -> Option<Instance> {
    let state = found.state().and_then(|state| state.name());
    let volumes = found.block_device_mappings().iter().filter_map(|mapping| {
        let ebs = mapping.ebs()?;
        Some(Volume {
            id: ebs.volume_id()?.into(),
            device: mapping.device_name()?.to_owned(),
            delete_on_termination: ebs.delete_on_termination().unwrap_or(false),
        })
    });
    Some(Instance {
        id: found.instance_id()?.parse().ok()?,
        account: owner.clone(),
        region: region.clone(),
        state: state.map_or(InstanceState::Unknown, from_state),
        launched: found.launch_time().and_then(|time| time.to_millis().ok()).map(Timestamp::from_millis),
        tags: tags_of(found.tags()),
        profile: found.iam_instance_profile().and_then(|profile| profile.arn()).map(str::to_owned),
        metadata: from_metadata(found.metadata_options()),
        interfaces: found.network_interfaces().iter().filter_map(from_interface).collect(),
        volumes: volumes.collect(),
        metadata_pending: found.metadata_options().and_then(|options| options.state())
            == Some(&InstanceMetadataOptionsState::Pending),
        ebs_root: found.root_device_type() != Some(&DeviceType::InstanceStore),
        spot: found.instance_lifecycle() == Some(&InstanceLifecycleType::Spot),
        public: found.public_ip_address().is_some(),
        auto_recovery: found
            .maintenance_options()
            .and_then(|options| options.auto_recovery())
            .map(|setting| setting.as_str().to_owned()),
        state_reason: found.state_reason().and_then(|reason| reason.code()).map(str::to_owned),
        hibernates: found.hibernation_options().and_then(HibernationOptions::configured).unwrap_or(false),
        instance_type: found.instance_type().map_or_else(String::new, |kind| kind.as_str().to_owned()),
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the SDK's enum is open: AWS may add states")]
fn from_state(state: &InstanceStateName) -> InstanceState {
    match state {
        InstanceStateName::Pending => InstanceState::Pending,
        InstanceStateName::Running => InstanceState::Running,
        InstanceStateName::Stopping => InstanceState::Stopping,
        InstanceStateName::Stopped => InstanceState::Stopped,
        InstanceStateName::ShuttingDown => InstanceState::ShuttingDown,
        InstanceStateName::Terminated => InstanceState::Terminated,
        _ => InstanceState::Unknown,
    }
}

fn from_metadata(options: Option<&InstanceMetadataOptionsResponse>) -> MetadataOptions {
    let text = |value: Option<&str>| value.unwrap_or("unknown").to_owned();
    MetadataOptions {
        endpoint: text(options.and_then(|o| o.http_endpoint()).map(InstanceMetadataEndpointState::as_str)),
        tokens: text(options.and_then(|o| o.http_tokens()).map(HttpTokensState::as_str)),
        hop_limit: options.and_then(InstanceMetadataOptionsResponse::http_put_response_hop_limit),
        ipv6: options.and_then(|o| o.http_protocol_ipv6()).map(|state| state.as_str().to_owned()),
        tags: options.and_then(|o| o.instance_metadata_tags()).map(|state| state.as_str().to_owned()),
    }
}

/// DescribeInstances shows whose a public address is, and not its allocation. The interface's own association is that of
/// its first private address.
fn public_addresses(eni: &InstanceNetworkInterface) -> Vec<PublicAddress> {
    let first = (eni.private_ip_address(), eni.association());
    let each = eni.private_ip_addresses().iter().map(|private| (private.private_ip_address(), private.association()));
    let shown = each.chain([first]).filter_map(|(private, association)| {
        let association = association?;
        Some(PublicAddress {
            address: association.public_ip()?.parse().ok()?,
            private: private.and_then(|address| address.parse().ok()),
            assigned: association.ip_owner_id() == Some(AMAZON),
            elastic: None,
        })
    });
    once(shown)
}

fn from_interface(eni: &InstanceNetworkInterface) -> Option<Interface> {
    let v4 = eni.private_ip_addresses().iter().filter_map(|address| address.private_ip_address());
    let v6 = eni.ipv6_addresses().iter().filter_map(|address| address.ipv6_address());
    let prefixes4 = eni.ipv4_prefixes().iter().filter_map(|prefix| prefix.ipv4_prefix());
    let prefixes6 = eni.ipv6_prefixes().iter().filter_map(|prefix| prefix.ipv6_prefix());
    Some(Interface {
        id: eni.network_interface_id()?.into(),
        vpc: eni.vpc_id()?.into(),
        groups: eni.groups().iter().filter_map(|group| group.group_id()).map(GroupId::from).collect(),
        addresses: addresses(eni.private_ip_address().into_iter().chain(v4).chain(v6)),
        prefixes: prefixes4.chain(prefixes6).map(str::to_owned).collect(),
        subnet: eni.subnet_id().unwrap_or_default().to_owned(),
        public: public_addresses(eni),
        kind: eni.interface_type().unwrap_or("interface").to_owned(),
        timeouts: eni.connection_tracking_configuration().map_or_else(Timeouts::default, |own| Timeouts {
            tcp_established: seconds(own.tcp_established_timeout()),
            udp_stream: seconds(own.udp_stream_timeout()),
            udp: seconds(own.udp_timeout()),
        }),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use aws_smithy_types::base64;
    use flate2::{Compression, write::GzEncoder};

    use super::user_data;

    #[test]
    fn user_data_is_read_plain_and_compressed_and_never_without_bound() {
        let script = "export AWS_ACCESS_KEY_ID=AKIAAAAAAAAAAAAAAAAA";
        let packed = |text: &[u8]| {
            let mut packer = GzEncoder::new(Vec::new(), Compression::best());
            packer.write_all(text).expect("packed");
            packer.finish().expect("packed")
        };
        assert_eq!(user_data(&base64::encode(script)), script);
        assert_eq!(user_data(&base64::encode(packed(script.as_bytes()))), script);
        let mut cut = packed(script.as_bytes());
        cut.truncate(cut.len() - 4);
        assert_eq!(user_data(&base64::encode(cut)), script, "a damaged end");
        assert_eq!(user_data(&base64::encode(packed(&vec![b'x'; 10 << 20]))).len(), 256 * 1024, "a bomb");
        assert_eq!(user_data("not base64"), "not base64");
    }
}
