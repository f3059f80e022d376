//! What is true of an instance, read from AWS's own answers: what tests assert and the demo shows.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{AttributeBooleanValue, Filter, Instance, InstanceAttributeName, InstanceNetworkInterface};

use crate::account::Account;

/// Everything that containment may change about an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Names of the groups on each interface.
    pub interfaces: BTreeMap<String, BTreeSet<String>>,
    /// The profile's ARN, by association.
    pub profile: Option<String>,
    /// `enabled` or `disabled`.
    pub metadata: String,
    /// The Auto Scaling group.
    pub group: Option<String>,
    /// `target group/target:port`.
    pub targets: BTreeSet<String>,
    /// Classic load balancers.
    pub classic: BTreeSet<String>,
    /// Termination protection, stop protection.
    pub protection: (bool, bool),
    /// `stop` or `terminate`.
    pub shutdown: String,
    /// Device to DeleteOnTermination.
    pub volumes: BTreeMap<String, bool>,
    /// Tags of Brig.
    pub tags: BTreeMap<String, String>,
}

impl Account {
    /// DescribeInstances of one.
    pub async fn describe(&self, instance: &str) -> Instance {
        let found = self.ec2.describe_instances().instance_ids(instance).send().await.expect("an instance");
        found.reservations().first().and_then(|r| r.instances().first()).expect("an instance").clone()
    }

    /// The instances of an Auto Scaling group.
    pub async fn members(&self, group: &str) -> Vec<String> {
        let found = self.autoscaling.describe_auto_scaling_groups().auto_scaling_group_names(group).send().await;
        let found = found.expect("a group");
        let members = found.auto_scaling_groups().first().expect("a group").instances();
        members.iter().filter_map(|member| member.instance_id()).map(str::to_owned).collect()
    }

    /// Names of the groups on each of the instance's interfaces.
    pub async fn interfaces(&self, instance: &str) -> BTreeMap<String, BTreeSet<String>> {
        let of = Filter::builder().name("attachment.instance-id").values(instance).build();
        let found = self.ec2.describe_network_interfaces().filters(of).send().await.expect("interfaces");
        found
            .network_interfaces()
            .iter()
            .map(|eni| {
                let groups = eni.groups().iter().filter_map(|group| group.group_name()).map(str::to_owned).collect();
                (eni.network_interface_id().unwrap_or_default().to_owned(), groups)
            })
            .collect()
    }

    /// A role's inline policy, decoded.
    pub async fn policy(&self, role: &str, name: &str) -> Option<String> {
        let found = self.iam.get_role_policy().role_name(role).policy_name(name).send().await.ok()?;
        let text = found.policy_document();
        Some(percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned())
    }

    /// Snapshots of a containment: volume, device tag, locked.
    pub async fn snapshots(&self, containment: &str) -> Vec<(String, Option<String>, bool)> {
        let of = Filter::builder().name("tag:brig:containment").values(containment).build();
        let found = self.ec2.describe_snapshots().owner_ids("self").filters(of).send().await.expect("snapshots");
        let locked = self.ec2.describe_locked_snapshots().send().await.expect("locks");
        let locked: BTreeSet<&str> = locked.snapshots().iter().filter_map(|lock| lock.snapshot_id()).collect();
        found
            .snapshots()
            .iter()
            .map(|snapshot| {
                let device = snapshot.tags().iter().find(|tag| tag.key() == Some("brig:device"));
                (
                    snapshot.volume_id().unwrap_or_default().to_owned(),
                    device.and_then(|tag| tag.value()).map(str::to_owned),
                    locked.contains(snapshot.snapshot_id().unwrap_or_default()),
                )
            })
            .collect()
    }

    /// Reads all that containment may change.
    pub async fn state(&self, instance: &str) -> State {
        let found = self.describe(instance).await;
        let of = Filter::builder().name("instance-id").values(instance).build();
        let associations = self.ec2.describe_iam_instance_profile_associations().filters(of).send().await;
        let associations = associations.expect("associations");
        let profile = associations
            .iam_instance_profile_associations()
            .first()
            .and_then(|association| association.iam_instance_profile())
            .and_then(|profile| profile.arn());
        let member = self.autoscaling.describe_auto_scaling_instances().instance_ids(instance).send().await;
        let member = member.expect("membership");
        let group = member.auto_scaling_instances().first().and_then(|member| member.auto_scaling_group_name());
        State {
            interfaces: self.interfaces(instance).await,
            profile: profile.map(str::to_owned),
            metadata: found
                .metadata_options()
                .and_then(|options| options.http_endpoint())
                .map_or("enabled", |state| state.as_str())
                .to_owned(),
            group: group.map(str::to_owned),
            targets: self.targets(&found).await,
            classic: self.classic(instance).await,
            protection: (
                self.attribute(instance, InstanceAttributeName::DisableApiTermination).await == "true",
                self.attribute(instance, InstanceAttributeName::DisableApiStop).await == "true",
            ),
            shutdown: self.attribute(instance, InstanceAttributeName::InstanceInitiatedShutdownBehavior).await,
            volumes: found
                .block_device_mappings()
                .iter()
                .filter_map(|mapping| {
                    let delete = mapping.ebs()?.delete_on_termination()?;
                    Some((mapping.device_name()?.to_owned(), delete))
                })
                .collect(),
            tags: found
                .tags()
                .iter()
                .filter(|tag| tag.key().is_some_and(|key| key.starts_with("brig:")))
                .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())))
                .collect(),
        }
    }

    async fn attribute(&self, instance: &str, name: InstanceAttributeName) -> String {
        let found = self.ec2.describe_instance_attribute().instance_id(instance).attribute(name).send().await;
        let found = found.expect("an attribute");
        let flag = found.disable_api_termination().or(found.disable_api_stop()).and_then(AttributeBooleanValue::value);
        let text = found.instance_initiated_shutdown_behavior().and_then(|value| value.value());
        text.map_or_else(|| flag.unwrap_or(false).to_string(), str::to_owned)
    }

    async fn targets(&self, found: &Instance) -> BTreeSet<String> {
        let ids: BTreeSet<&str> = found
            .network_interfaces()
            .iter()
            .flat_map(InstanceNetworkInterface::private_ip_addresses)
            .filter_map(|address| address.private_ip_address())
            .chain(found.instance_id())
            .collect();
        let groups = self.elbv2.describe_target_groups().send().await.expect("target groups");
        let mut held = BTreeSet::new();
        for group in groups.target_groups().iter().filter(|group| group.vpc_id() == found.vpc_id()) {
            let arn = group.target_group_arn().unwrap_or_default();
            let health = self.elbv2.describe_target_health().target_group_arn(arn).send().await.expect("targets");
            for target in health.target_health_descriptions().iter().filter_map(|described| described.target()) {
                let id = target.id().unwrap_or_default();
                if ids.contains(id) {
                    let name = group.target_group_name().unwrap_or_default();
                    held.insert(format!("{name}/{id}:{}", target.port().unwrap_or_default()));
                }
            }
        }
        held
    }

    async fn classic(&self, instance: &str) -> BTreeSet<String> {
        let found = self.elb.describe_load_balancers().send().await.expect("balancers");
        found
            .load_balancer_descriptions()
            .iter()
            .filter(|balancer| balancer.instances().iter().any(|held| held.instance_id() == Some(instance)))
            .filter_map(|balancer| balancer.load_balancer_name())
            .map(str::to_owned)
            .collect()
    }
}
