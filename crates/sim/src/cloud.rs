//! AWS's operations on the world, as the engine's port names them. Every change is checked against the ledger: one whose
//! intent is not on record is a violation.

mod fleet;
mod groups;
mod identity;
mod instances;
mod interfaces;
mod reach;
mod snapshots;

use std::{net::Ipv4Addr, sync::Arc};

use async_trait::async_trait;
use brig_core::{
    acl::{AclEntry, NetworkAcl},
    ids::{AccountId, EniId, GroupId, InstanceId, Region, SnapshotId, VolumeId, VpcId},
    proof::{FlowLog, Listing},
    reach::{RouteTable, VpcEndpoint},
    readiness::Trail,
    release::Reversal,
    step::{Lane, Step},
    survey::{
        Association, Direction, Instance, InstanceState, Membership, MetadataOptions, Role, Rule, ScalingGroup,
        SecurityGroup, Snapshot, Target, Timeouts,
    },
    timestamp::Timestamp,
};
use brig_engine::ports::{
    AclsOf, Answer, Attached, Attribute, AttributeChange, Cloud, CloudError, Clouds, DryRun, ErrorKind, InterfacesOf,
    Lines, ListedRule, Object, Profile, Tags, TargetGroup, TrailEvent, Unreachable,
};
use ipnet::IpNet;

use crate::{
    sim::{Sim, State},
    world::{self, World},
};

/// The session that CloudTrail names for Brig's own calls.
pub const OWN_SESSION: &str = "arn:aws:sts::123456789012:assumed-role/brig-contain/brig-contain";

pub(crate) struct SimClouds {
    pub(crate) sim: Arc<Sim>,
    pub(crate) process: usize,
}

#[async_trait]
impl Clouds for SimClouds {
    async fn open(&self, _: &AccountId, region: &Region, _: Lane, _: &str) -> Result<Arc<dyn Cloud>, Unreachable> {
        Ok(Arc::new(SimCloud { sim: Arc::clone(&self.sim), process: self.process, region: region.clone() }))
    }

    async fn is_own(&self, by: &str, _: Option<&str>) -> Answer<bool> {
        Ok(by == OWN_SESSION)
    }
}

struct SimCloud {
    sim: Arc<Sim>,
    process: usize,
    region: Region,
}

impl SimCloud {
    async fn read<T>(&self, operation: &'static str, look: impl FnOnce(&World) -> Answer<T>) -> Answer<T> {
        self.sim.call(self.process, operation, false, |state| look(&state.view())).await
    }

    async fn write<T>(
        &self,
        operation: &'static str,
        intended: impl Fn(&Step) -> bool,
        effect: impl FnOnce(&mut State) -> Answer<T>,
    ) -> Answer<T> {
        self.sim
            .call(self.process, operation, true, |state| {
                if !state.tables.steps().any(|record| intended(&record.step)) {
                    state.violations.push(format!("{operation} without a record of its intent"));
                }
                effect(state)
            })
            .await
    }
}

fn not_found(operation: &'static str, code: &str) -> CloudError {
    CloudError { operation, kind: ErrorKind::NotFound, code: code.to_owned(), message: "it is not there".to_owned() }
}

fn refused(operation: &'static str, kind: ErrorKind, code: &str) -> CloudError {
    CloudError { operation, kind, code: code.to_owned(), message: "AWS refuses".to_owned() }
}

fn back(step: &Step, is: impl Fn(&Reversal) -> bool) -> bool {
    matches!(step, Step::GiveBack(back) if is(back))
}

impl SimCloud {
    async fn on_instance(
        &self,
        operation: &'static str,
        id: &InstanceId,
        intended: impl Fn(&Step) -> bool,
        change: impl FnOnce(&mut world::Instance) -> Answer<()>,
    ) -> Answer<()> {
        self.on_attribute(operation, operation, id, intended, change).await
    }

    /// The same for an attribute that EC2 may not take.
    async fn on_attribute(
        &self,
        operation: &'static str,
        attribute: &'static str,
        id: &InstanceId,
        intended: impl Fn(&Step) -> bool,
        change: impl FnOnce(&mut world::Instance) -> Answer<()>,
    ) -> Answer<()> {
        self.write(operation, intended, |state| {
            let unsupported = state.world.unsupported.contains(attribute);
            match state.world.instances.get_mut(id) {
                Some(instance) if instance.shown.state == InstanceState::Terminated => {
                    Err(refused(operation, ErrorKind::Conflict, "IncorrectInstanceState"))
                }
                Some(_) if unsupported => Err(refused(operation, ErrorKind::Unsupported, "UnsupportedOperation")),
                Some(instance) => change(instance),
                None => Err(not_found(operation, "InvalidInstanceID.NotFound")),
            }
        })
        .await
    }
}

#[async_trait]
impl Cloud for SimCloud {
    async fn describe_instance(&self, instance: &InstanceId) -> Answer<Option<Instance>> {
        self.describe_instance(instance).await
    }

    async fn describe_instances_named(&self, name: &str) -> Answer<Vec<Instance>> {
        self.describe_instances_named(name).await
    }

    async fn describe_brig_groups(&self) -> Answer<Vec<SecurityGroup>> {
        self.describe_brig_groups().await
    }

    async fn describe_security_group_rules(&self, id: &GroupId) -> Answer<Vec<ListedRule>> {
        self.describe_security_group_rules(id).await
    }

    async fn create_security_group(&self, vpc: &VpcId, name: &str, tags: &Tags) -> Answer<GroupId> {
        self.create_security_group(vpc, name, tags).await
    }

    async fn authorize_rule(&self, group: &GroupId, rule: &Rule) -> Answer<()> {
        self.authorize_rule(group, rule).await
    }

    async fn revoke_rules(&self, group: &GroupId, direction: Direction, rules: &[String]) -> Answer<()> {
        self.revoke_rules(group, direction, rules).await
    }

    async fn revoke_all_egress(&self, group: &GroupId, cidr: &str) -> Answer<()> {
        self.revoke_all_egress(group, cidr).await
    }

    async fn describe_network_interfaces(&self, of: InterfacesOf<'_>) -> Answer<Vec<Attached>> {
        self.describe_network_interfaces(of).await
    }

    async fn modify_network_interface_groups(&self, id: &EniId, groups: &[GroupId]) -> Answer<()> {
        self.modify_network_interface_groups(id, groups).await
    }

    async fn describe_profile_associations(&self, instance: Option<&InstanceId>) -> Answer<Vec<Association>> {
        self.describe_profile_associations(instance).await
    }

    async fn disassociate_profile(&self, association: &str) -> Answer<()> {
        self.disassociate_profile(association).await
    }

    async fn replace_profile(&self, association: &str, profile: &str) -> Answer<()> {
        self.replace_profile(association, profile).await
    }

    async fn disable_metadata_endpoint(&self, id: &InstanceId) -> Answer<()> {
        self.disable_metadata_endpoint(id).await
    }

    async fn get_instance_profile(&self, name: &str) -> Answer<Profile> {
        self.get_instance_profile(name).await
    }

    async fn get_role(&self, name: &str) -> Answer<Option<Role>> {
        self.get_role(name).await
    }

    async fn list_instance_profiles_for_role(&self, role: &str) -> Answer<Vec<String>> {
        self.list_instance_profiles_for_role(role).await
    }

    async fn get_role_policy(&self, role: &str, policy: &str) -> Answer<Option<String>> {
        self.get_role_policy(role, policy).await
    }

    async fn put_role_policy(&self, name: &str, policy: &str, document: &str) -> Answer<()> {
        self.put_role_policy(name, policy, document).await
    }

    async fn describe_auto_scaling_instance(&self, instance: &InstanceId) -> Answer<Option<Membership>> {
        self.describe_auto_scaling_instance(instance).await
    }

    async fn describe_regions(&self) -> Answer<Vec<Region>> {
        self.read("DescribeRegions", |world| Ok(world.regions())).await
    }

    async fn describe_vpcs(&self) -> Answer<Vec<VpcId>> {
        self.read("DescribeVpcs", |world| Ok(world.vpcs())).await
    }

    async fn describe_flow_logs(&self) -> Answer<Vec<FlowLog>> {
        self.read("DescribeFlowLogs", |world| Ok(world.flow_logs.clone())).await
    }

    async fn filter_log_events(&self, group: &str, streams: &str, since: Timestamp, line: Lines<'_>) -> Answer<()> {
        let found: Vec<String> = self
            .read("FilterLogEvents", |world| {
                let fits = |(of, eni, at, _): &&(String, EniId, i64, String)| {
                    of == group && eni.as_str() == streams && *at >= since.millis()
                };
                Ok(world.flows.iter().filter(fits).map(|(.., record)| record.clone()).collect())
            })
            .await?;
        for found in &found {
            line(found);
        }
        Ok(())
    }

    async fn list_objects(&self, bucket: &str, listing: &Listing) -> Answer<Vec<Object>> {
        self.read("ListObjectsV2", |world| {
            let listed = world
                .files
                .iter()
                .filter(|((of, key), _)| of == bucket && key.starts_with(&listing.prefix) && *key > listing.after);
            let size = |lines: &Vec<String>| u64::try_from(lines.concat().len()).unwrap_or(u64::MAX);
            Ok(listed.map(|((_, key), lines)| Object { key: key.clone(), bytes: size(lines) }).collect())
        })
        .await
    }

    async fn get_object_lines(&self, bucket: &str, key: &str, line: Lines<'_>) -> Answer<()> {
        let place = (bucket.to_owned(), key.to_owned());
        let found = self.read("GetObject", |world| Ok(world.files.get(&place).cloned().unwrap_or_default())).await?;
        for found in &found {
            line(found);
        }
        Ok(())
    }

    async fn get_metadata_default_tokens(&self) -> Answer<Option<String>> {
        self.read("GetInstanceMetadataDefaults", |_| Ok(None)).await
    }

    async fn count_instances_without_tokens(&self) -> Answer<usize> {
        self.read("DescribeInstances", |world| {
            let optional = |instance: &&crate::world::Instance| instance.shown.metadata.tokens == "optional";
            Ok(world.instances.values().filter(optional).count())
        })
        .await
    }

    async fn get_detectors(&self) -> Answer<Vec<bool>> {
        self.read("ListDetectors", |_| Ok(())).await?;
        self.read("GetDetector", |_| Ok(vec![true])).await
    }

    async fn describe_trails(&self) -> Answer<Vec<Trail>> {
        self.read("DescribeTrails", |_| Ok(())).await?;
        let trail = Trail { name: "all".to_owned(), all_regions: true, logging: true };
        self.read("GetTrailStatus", |_| Ok(vec![trail])).await
    }

    async fn dry_run(&self, _change: &DryRun) -> Answer<()> {
        self.read("DryRun", |_| Ok(())).await
    }

    async fn describe_auto_scaling_group(&self, name: &str) -> Answer<Option<ScalingGroup>> {
        self.describe_auto_scaling_group(name).await
    }

    async fn describe_termination_hooks(&self, name: &str) -> Answer<Vec<String>> {
        self.describe_termination_hooks(name).await
    }

    async fn set_instance_protection(&self, name: &str, instance: &InstanceId, protected: bool) -> Answer<()> {
        self.set_instance_protection(name, instance, protected).await
    }

    async fn record_lifecycle_heartbeat(&self, name: &str, hook: &str, instance: &InstanceId) -> Answer<()> {
        self.record_lifecycle_heartbeat(name, hook, instance).await
    }

    async fn detach_instance(&self, name: &str, instance: &InstanceId) -> Answer<()> {
        self.detach_instance(name, instance).await
    }

    async fn describe_target_groups(&self) -> Answer<Vec<TargetGroup>> {
        self.describe_target_groups().await
    }

    async fn describe_target_health(&self, group: &str) -> Answer<Vec<Target>> {
        self.describe_target_health(group).await
    }

    async fn deregister_targets(&self, arn: &str, targets: &[Target]) -> Answer<()> {
        self.deregister_targets(arn, targets).await
    }

    async fn describe_classic_balancers_of(&self, instance: &InstanceId) -> Answer<Vec<String>> {
        self.describe_classic_balancers_of(instance).await
    }

    async fn deregister_from_classic_balancer(&self, name: &str, instance: &InstanceId) -> Answer<()> {
        self.deregister_from_classic_balancer(name, instance).await
    }

    async fn describe_instance_attribute(&self, id: &InstanceId, attribute: Attribute) -> Answer<String> {
        self.describe_instance_attribute(id, attribute).await
    }

    async fn describe_scheduled_events(&self, id: &InstanceId) -> Answer<Vec<String>> {
        self.describe_scheduled_events(id).await
    }

    async fn stop_instance(&self, id: &InstanceId, hibernate: bool) -> Answer<()> {
        self.stop_instance(id, hibernate).await
    }

    async fn start_instance(&self, id: &InstanceId) -> Answer<()> {
        self.start_instance(id).await
    }

    async fn set_auto_recovery(&self, id: &InstanceId, setting: &str) -> Answer<()> {
        self.set_auto_recovery(id, setting).await
    }

    async fn modify_instance_attribute(&self, id: &InstanceId, change: &AttributeChange) -> Answer<()> {
        self.modify_instance_attribute(id, change).await
    }

    async fn create_snapshots(&self, id: &InstanceId, text: &str, tags: &Tags) -> Answer<Vec<Snapshot>> {
        self.create_snapshots(id, text, tags).await
    }

    async fn describe_snapshots_tagged(&self, key: &str, value: &str) -> Answer<Vec<Snapshot>> {
        self.describe_snapshots_tagged(key, value).await
    }

    async fn lock_snapshot(&self, id: &SnapshotId, other: u32) -> Answer<()> {
        self.lock_snapshot(id, other).await
    }

    async fn describe_locked_snapshots(&self, snapshots: &[SnapshotId]) -> Answer<Vec<SnapshotId>> {
        self.describe_locked_snapshots(snapshots).await
    }

    async fn create_snapshot(&self, volume: &VolumeId, text: &str, tags: &Tags) -> Answer<Snapshot> {
        self.create_snapshot(volume, text, tags).await
    }

    async fn create_tags(&self, resource: &str, tags: &Tags) -> Answer<()> {
        self.create_tags(resource, tags).await
    }

    async fn associate_profile(&self, id: &InstanceId, profile: &str) -> Answer<()> {
        self.associate_profile(id, profile).await
    }

    async fn restore_metadata_options(&self, id: &InstanceId, options: &MetadataOptions) -> Answer<()> {
        self.restore_metadata_options(id, options).await
    }

    async fn delete_role_policy(&self, name: &str, policy: &str) -> Answer<()> {
        self.delete_role_policy(name, policy).await
    }

    async fn attach_instance(&self, name: &str, instance: &InstanceId) -> Answer<()> {
        self.attach_instance(name, instance).await
    }

    async fn register_targets(&self, arn: &str, targets: &[Target]) -> Answer<()> {
        self.register_targets(arn, targets).await
    }

    async fn register_with_classic_balancer(&self, name: &str, instance: &InstanceId) -> Answer<()> {
        self.register_with_classic_balancer(name, instance).await
    }

    async fn modify_network_interface_timeouts(&self, id: &EniId, timeouts: &Timeouts) -> Answer<()> {
        self.modify_network_interface_timeouts(id, timeouts).await
    }

    async fn unassign_public_address(&self, id: &EniId) -> Answer<()> {
        self.unassign_public_address(id).await
    }

    async fn disassociate_address(&self, id: &str) -> Answer<()> {
        self.disassociate_address(id).await
    }

    async fn associate_address(&self, id: &EniId, allocation: &str, private: Option<Ipv4Addr>) -> Answer<()> {
        self.associate_address(id, allocation, private).await
    }

    async fn describe_network_acls(&self, of: AclsOf<'_>) -> Answer<Vec<NetworkAcl>> {
        self.describe_network_acls(of).await
    }

    async fn create_network_acl_entry(&self, id: &str, entry: &AclEntry) -> Answer<()> {
        self.create_network_acl_entry(id, entry).await
    }

    async fn delete_network_acl_entry(&self, id: &str, number: i32, egress: bool) -> Answer<()> {
        self.delete_network_acl_entry(id, number, egress).await
    }

    async fn published_ranges(&self) -> Answer<Arc<[IpNet]>> {
        self.read("GetPublishedRanges", |world| Ok(world.published.clone().into())).await
    }

    async fn describe_groups(&self, groups: &[GroupId]) -> Answer<Vec<SecurityGroup>> {
        self.describe_groups(groups).await
    }

    async fn describe_groups_named(&self, name: &str) -> Answer<Vec<SecurityGroup>> {
        self.describe_groups_named(name).await
    }

    async fn describe_groups_of_vpc(&self, vpc: &VpcId) -> Answer<Vec<SecurityGroup>> {
        self.describe_groups_of_vpc(vpc).await
    }

    async fn describe_service_endpoints(&self, vpcs: &[VpcId], services: &[&str]) -> Answer<Vec<(VpcId, Vec<EniId>)>> {
        self.describe_service_endpoints(vpcs, services).await
    }

    async fn describe_route_tables(&self, vpcs: &[VpcId]) -> Answer<Vec<RouteTable>> {
        self.describe_route_tables(vpcs).await
    }

    async fn describe_vpc_endpoints(&self, vpcs: &[VpcId]) -> Answer<Vec<VpcEndpoint>> {
        self.describe_vpc_endpoints(vpcs).await
    }

    async fn describe_interfaces_of_kinds(&self, vpcs: &[VpcId], kinds: &[&str]) -> Answer<Vec<(VpcId, String)>> {
        self.describe_interfaces_of_kinds(vpcs, kinds).await
    }

    async fn get_serial_console_access(&self) -> Answer<Option<bool>> {
        self.read("GetSerialConsoleAccessStatus", |world| Ok(Some(world.reach.serial_console.unwrap_or(false)))).await
    }

    async fn count_dns_firewalls(&self, vpc: &VpcId) -> Answer<usize> {
        self.read("ListFirewallRuleGroupAssociations", |world| {
            Ok(world.reach.dns_firewalls.get(vpc).copied().unwrap_or(0))
        })
        .await
    }

    async fn count_service_networks(&self, vpc: &VpcId) -> Answer<usize> {
        self.read("ListServiceNetworkVpcAssociations", |world| Ok(usize::from(world.reach.lattice.contains(vpc)))).await
    }

    async fn describe_default_timeouts(&self, _: &str) -> Answer<Timeouts> {
        self.read("DescribeInstanceTypes", |world| Ok(world.reach.defaults)).await
    }

    async fn lookup_events(&self, resource: &str, _: Timestamp) -> Answer<Vec<TrailEvent>> {
        self.read("LookupEvents", |world| {
            let of = world.trail.iter().filter(|(id, _)| id == resource);
            Ok(of.map(|(_, event)| event.clone()).collect())
        })
        .await
    }

    async fn delete_tags(&self, resource: &str, keys: &[&str]) -> Answer<()> {
        self.delete_tags(resource, keys).await
    }
}
