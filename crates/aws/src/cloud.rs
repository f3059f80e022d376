//! One lane's view of one Region: the `Cloud` port, dispatched to the file of each service.

use std::{
    net::Ipv4Addr,
    sync::{Arc, OnceLock},
};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_ec2::config::retry::{RetryConfig, RetryPartition};
use brig_core::{
    acl::{AclEntry, NetworkAcl},
    ids::{EniId, GroupId, InstanceId, Region, SnapshotId, VolumeId, VpcId},
    proof::{FlowLog, Listing},
    reach::{RouteTable, VpcEndpoint},
    readiness::Trail,
    step::Lane,
    survey::{
        Association, Direction, Instance, Membership, MetadataOptions, Role, Rule, ScalingGroup, SecurityGroup,
        Snapshot, Target, Timeouts,
    },
    timestamp::Timestamp,
};
use brig_engine::ports::{
    AclsOf, Answer, Attached, Attribute, AttributeChange, Cloud, DryRun, InterfacesOf, Lines, ListedRule, Object,
    Profile, Tags, TargetGroup, TrailEvent,
};

use ipnet::IpNet;

use crate::{autoscaling, cloudtrail, ec2, elb, guardduty, iam, logs, ranges::Ranges, s3::S3, vpc};

pub(crate) struct AwsCloud {
    region: Region,
    config: SdkConfig,
    partition: RetryPartition,
    ranges: Arc<Ranges>,
    // Each made when first asked for: a lane needs one to three of them, and making all would cost the cold start.
    ec2: OnceLock<aws_sdk_ec2::Client>,
    iam: OnceLock<aws_sdk_iam::Client>,
    autoscaling: OnceLock<aws_sdk_autoscaling::Client>,
    elb: OnceLock<aws_sdk_elasticloadbalancing::Client>,
    elbv2: OnceLock<aws_sdk_elasticloadbalancingv2::Client>,
    cloudtrail: OnceLock<aws_sdk_cloudtrail::Client>,
    guardduty: OnceLock<aws_sdk_guardduty::Client>,
    logs: OnceLock<aws_sdk_cloudwatchlogs::Client>,
    resolver: OnceLock<aws_sdk_route53resolver::Client>,
    lattice: OnceLock<aws_sdk_vpclattice::Client>,
    s3: OnceLock<S3>,
}

macro_rules! client {
    ($name:ident, $sdk:ident) => {
        fn $name(&self) -> &$sdk::Client {
            self.$name.get_or_init(|| {
                let config = $sdk::config::Builder::from(&self.config).retry_partition(self.partition.clone());
                $sdk::Client::from_conf(config.build())
            })
        }
    };
}

impl AwsCloud {
    client!(ec2, aws_sdk_ec2);
    client!(iam, aws_sdk_iam);
    client!(autoscaling, aws_sdk_autoscaling);
    client!(elb, aws_sdk_elasticloadbalancing);
    client!(elbv2, aws_sdk_elasticloadbalancingv2);
    client!(cloudtrail, aws_sdk_cloudtrail);
    client!(guardduty, aws_sdk_guardduty);
    client!(logs, aws_sdk_cloudwatchlogs);
    client!(resolver, aws_sdk_route53resolver);
    client!(lattice, aws_sdk_vpclattice);

    pub(crate) fn new(config: &SdkConfig, region: Region, partition: &RetryPartition, ranges: Arc<Ranges>) -> Self {
        Self {
            ranges,
            region,
            config: config.clone(),
            partition: partition.clone(),
            ec2: OnceLock::new(),
            iam: OnceLock::new(),
            autoscaling: OnceLock::new(),
            elb: OnceLock::new(),
            elbv2: OnceLock::new(),
            cloudtrail: OnceLock::new(),
            guardduty: OnceLock::new(),
            logs: OnceLock::new(),
            resolver: OnceLock::new(),
            lattice: OnceLock::new(),
            s3: OnceLock::new(),
        }
    }

    fn s3(&self) -> &S3 {
        self.s3.get_or_init(|| S3::new(&self.config))
    }

    /// Makes the clients that a lane will use, in the init phase rather than in the first invocation.
    pub(crate) fn make_ready(&self, lane: Lane) {
        match lane {
            Lane::Network | Lane::Evidence => {
                self.ec2();
            }
            Lane::Credentials => {
                self.ec2();
                self.iam();
            }
            Lane::Fleet => {
                self.autoscaling();
                self.elb();
                self.elbv2();
            }
        }
    }
}

impl AwsCloud {
    /// One try of the call that the first look begins with.
    pub(crate) async fn warm(&self) {
        let once = aws_sdk_ec2::config::Builder::new().retry_config(RetryConfig::disabled());
        let _ = self.ec2().describe_security_groups().max_results(5).customize().config_override(once).send().await;
    }
}

#[async_trait]
impl Cloud for AwsCloud {
    async fn describe_instance(&self, instance: &InstanceId) -> Answer<Option<Instance>> {
        ec2::instances::describe_instance(self.ec2(), instance, &self.region).await
    }

    async fn describe_instances_named(&self, name: &str) -> Answer<Vec<Instance>> {
        ec2::instances::describe_instances_named(self.ec2(), name, &self.region).await
    }

    async fn describe_brig_groups(&self) -> Answer<Vec<SecurityGroup>> {
        ec2::groups::describe_brig_groups(self.ec2()).await
    }

    async fn describe_security_group_rules(&self, group: &GroupId) -> Answer<Vec<ListedRule>> {
        ec2::groups::describe_security_group_rules(self.ec2(), group).await
    }

    async fn create_security_group(&self, vpc: &VpcId, name: &str, tags: &Tags) -> Answer<GroupId> {
        ec2::groups::create_security_group(self.ec2(), vpc, name, tags).await
    }

    async fn authorize_rule(&self, group: &GroupId, rule: &Rule) -> Answer<()> {
        ec2::groups::authorize_rule(self.ec2(), group, rule).await
    }

    async fn revoke_rules(&self, group: &GroupId, direction: Direction, rules: &[String]) -> Answer<()> {
        ec2::groups::revoke_rules(self.ec2(), group, direction, rules).await
    }

    async fn revoke_all_egress(&self, group: &GroupId, cidr: &str) -> Answer<()> {
        ec2::groups::revoke_all_egress(self.ec2(), group, cidr).await
    }

    async fn describe_network_interfaces(&self, of: InterfacesOf<'_>) -> Answer<Vec<Attached>> {
        ec2::interfaces::describe_network_interfaces(self.ec2(), of).await
    }

    async fn modify_network_interface_groups(&self, eni: &EniId, groups: &[GroupId]) -> Answer<()> {
        ec2::interfaces::modify_network_interface_groups(self.ec2(), eni, groups).await
    }

    async fn describe_profile_associations(&self, instance: Option<&InstanceId>) -> Answer<Vec<Association>> {
        ec2::instances::describe_profile_associations(self.ec2(), instance).await
    }

    async fn disassociate_profile(&self, association: &str) -> Answer<()> {
        ec2::instances::disassociate_profile(self.ec2(), association).await
    }

    async fn replace_profile(&self, association: &str, profile: &str) -> Answer<()> {
        ec2::instances::replace_profile(self.ec2(), association, profile).await
    }

    async fn disable_metadata_endpoint(&self, instance: &InstanceId) -> Answer<()> {
        ec2::instances::disable_metadata_endpoint(self.ec2(), instance).await
    }

    async fn get_instance_profile(&self, name: &str) -> Answer<Profile> {
        iam::get_instance_profile(self.iam(), name).await
    }

    async fn get_role(&self, name: &str) -> Answer<Option<Role>> {
        iam::get_role(self.iam(), name).await
    }

    async fn list_instance_profiles_for_role(&self, role: &str) -> Answer<Vec<String>> {
        iam::list_instance_profiles_for_role(self.iam(), role).await
    }

    async fn get_role_policy(&self, role: &str, policy: &str) -> Answer<Option<String>> {
        iam::get_role_policy(self.iam(), role, policy).await
    }

    async fn put_role_policy(&self, role: &str, policy: &str, document: &str) -> Answer<()> {
        iam::put_role_policy(self.iam(), role, policy, document).await
    }

    async fn describe_auto_scaling_instance(&self, instance: &InstanceId) -> Answer<Option<Membership>> {
        autoscaling::describe_auto_scaling_instance(self.autoscaling(), instance).await
    }

    async fn modify_network_interface_timeouts(&self, eni: &EniId, timeouts: &Timeouts) -> Answer<()> {
        ec2::interfaces::modify_network_interface_timeouts(self.ec2(), eni, timeouts).await
    }

    async fn unassign_public_address(&self, eni: &EniId) -> Answer<()> {
        ec2::interfaces::unassign_public_address(self.ec2(), eni).await
    }

    async fn disassociate_address(&self, association: &str) -> Answer<()> {
        ec2::interfaces::disassociate_address(self.ec2(), association).await
    }

    async fn associate_address(&self, eni: &EniId, allocation: &str, private: Option<Ipv4Addr>) -> Answer<()> {
        ec2::interfaces::associate_address(self.ec2(), eni, allocation, private).await
    }

    async fn describe_network_acls(&self, of: AclsOf<'_>) -> Answer<Vec<NetworkAcl>> {
        ec2::acls::describe_network_acls(self.ec2(), of).await
    }

    async fn create_network_acl_entry(&self, acl: &str, entry: &AclEntry) -> Answer<()> {
        ec2::acls::create_network_acl_entry(self.ec2(), acl, entry).await
    }

    async fn delete_network_acl_entry(&self, acl: &str, number: i32, egress: bool) -> Answer<()> {
        ec2::acls::delete_network_acl_entry(self.ec2(), acl, number, egress).await
    }

    async fn published_ranges(&self) -> Answer<Arc<[IpNet]>> {
        self.ranges.published().await
    }

    async fn describe_groups(&self, groups: &[GroupId]) -> Answer<Vec<SecurityGroup>> {
        ec2::reach::describe_groups(self.ec2(), groups).await
    }

    async fn describe_groups_named(&self, name: &str) -> Answer<Vec<SecurityGroup>> {
        ec2::reach::describe_groups_named(self.ec2(), name).await
    }

    async fn describe_groups_of_vpc(&self, vpc: &VpcId) -> Answer<Vec<SecurityGroup>> {
        ec2::reach::describe_groups_of_vpc(self.ec2(), vpc).await
    }

    async fn describe_service_endpoints(&self, vpcs: &[VpcId], services: &[&str]) -> Answer<Vec<(VpcId, Vec<EniId>)>> {
        ec2::reach::describe_service_endpoints(self.ec2(), &self.region, vpcs, services).await
    }

    async fn describe_route_tables(&self, vpcs: &[VpcId]) -> Answer<Vec<RouteTable>> {
        ec2::reach::describe_route_tables(self.ec2(), vpcs).await
    }

    async fn describe_vpc_endpoints(&self, vpcs: &[VpcId]) -> Answer<Vec<VpcEndpoint>> {
        ec2::reach::describe_vpc_endpoints(self.ec2(), vpcs).await
    }

    async fn describe_interfaces_of_kinds(&self, vpcs: &[VpcId], kinds: &[&str]) -> Answer<Vec<(VpcId, String)>> {
        ec2::reach::describe_interfaces_of_kinds(self.ec2(), vpcs, kinds).await
    }

    async fn get_serial_console_access(&self) -> Answer<Option<bool>> {
        ec2::reach::get_serial_console_access(self.ec2()).await
    }

    async fn count_dns_firewalls(&self, vpc: &VpcId) -> Answer<usize> {
        vpc::count_dns_firewalls(self.resolver(), vpc).await
    }

    async fn count_service_networks(&self, vpc: &VpcId) -> Answer<usize> {
        vpc::count_service_networks(self.lattice(), vpc).await
    }

    async fn describe_default_timeouts(&self, instance_type: &str) -> Answer<Timeouts> {
        ec2::reach::describe_default_timeouts(self.ec2(), instance_type).await
    }

    async fn describe_regions(&self) -> Answer<Vec<Region>> {
        ec2::readiness::describe_regions(self.ec2()).await
    }

    async fn describe_vpcs(&self) -> Answer<Vec<VpcId>> {
        ec2::readiness::describe_vpcs(self.ec2()).await
    }

    async fn describe_flow_logs(&self) -> Answer<Vec<FlowLog>> {
        ec2::readiness::describe_flow_logs(self.ec2()).await
    }

    async fn filter_log_events(&self, group: &str, streams: &str, since: Timestamp, line: Lines<'_>) -> Answer<()> {
        logs::filter_log_events(self.logs(), group, streams, since, line).await
    }

    async fn list_objects(&self, bucket: &str, listing: &Listing) -> Answer<Vec<Object>> {
        self.s3().list_objects(bucket, listing).await
    }

    async fn get_object_lines(&self, bucket: &str, key: &str, line: Lines<'_>) -> Answer<()> {
        self.s3().get_object_lines(bucket, key, line).await
    }

    async fn get_metadata_default_tokens(&self) -> Answer<Option<String>> {
        ec2::readiness::get_metadata_default_tokens(self.ec2()).await
    }

    async fn count_instances_without_tokens(&self) -> Answer<usize> {
        ec2::readiness::count_instances_without_tokens(self.ec2()).await
    }

    async fn get_detectors(&self) -> Answer<Vec<bool>> {
        guardduty::get_detectors(self.guardduty()).await
    }

    async fn describe_trails(&self) -> Answer<Vec<Trail>> {
        cloudtrail::describe_trails(self.cloudtrail()).await
    }

    async fn dry_run(&self, change: &DryRun) -> Answer<()> {
        ec2::readiness::dry_run(self.ec2(), change).await
    }

    async fn describe_auto_scaling_group(&self, group: &str) -> Answer<Option<ScalingGroup>> {
        autoscaling::describe_auto_scaling_group(self.autoscaling(), group).await
    }

    async fn describe_termination_hooks(&self, group: &str) -> Answer<Vec<String>> {
        autoscaling::describe_termination_hooks(self.autoscaling(), group).await
    }

    async fn set_instance_protection(&self, group: &str, instance: &InstanceId, protected: bool) -> Answer<()> {
        autoscaling::set_instance_protection(self.autoscaling(), group, instance, protected).await
    }

    async fn record_lifecycle_heartbeat(&self, group: &str, hook: &str, instance: &InstanceId) -> Answer<()> {
        autoscaling::record_lifecycle_heartbeat(self.autoscaling(), group, hook, instance).await
    }

    async fn detach_instance(&self, group: &str, instance: &InstanceId) -> Answer<()> {
        autoscaling::detach_instance(self.autoscaling(), group, instance).await
    }

    async fn describe_target_groups(&self) -> Answer<Vec<TargetGroup>> {
        elb::describe_target_groups(self.elbv2()).await
    }

    async fn describe_target_health(&self, group: &str) -> Answer<Vec<Target>> {
        elb::describe_target_health(self.elbv2(), group).await
    }

    async fn deregister_targets(&self, group: &str, targets: &[Target]) -> Answer<()> {
        elb::deregister_targets(self.elbv2(), group, targets).await
    }

    async fn describe_classic_balancers_of(&self, instance: &InstanceId) -> Answer<Vec<String>> {
        elb::describe_classic_balancers_of(self.elb(), instance).await
    }

    async fn deregister_from_classic_balancer(&self, balancer: &str, instance: &InstanceId) -> Answer<()> {
        elb::deregister_from_classic_balancer(self.elb(), balancer, instance).await
    }

    async fn describe_instance_attribute(&self, instance: &InstanceId, attribute: Attribute) -> Answer<String> {
        ec2::instances::describe_instance_attribute(self.ec2(), instance, attribute).await
    }

    async fn describe_scheduled_events(&self, instance: &InstanceId) -> Answer<Vec<String>> {
        ec2::instances::describe_scheduled_events(self.ec2(), instance).await
    }

    async fn stop_instance(&self, instance: &InstanceId, hibernate: bool) -> Answer<()> {
        ec2::instances::stop_instance(self.ec2(), instance, hibernate).await
    }

    async fn start_instance(&self, instance: &InstanceId) -> Answer<()> {
        ec2::instances::start_instance(self.ec2(), instance).await
    }

    async fn set_auto_recovery(&self, instance: &InstanceId, setting: &str) -> Answer<()> {
        ec2::instances::set_auto_recovery(self.ec2(), instance, setting).await
    }

    async fn modify_instance_attribute(&self, instance: &InstanceId, change: &AttributeChange) -> Answer<()> {
        ec2::instances::modify_instance_attribute(self.ec2(), instance, change).await
    }

    async fn create_snapshots(&self, instance: &InstanceId, description: &str, tags: &Tags) -> Answer<Vec<Snapshot>> {
        ec2::snapshots::create_snapshots(self.ec2(), instance, description, tags).await
    }

    async fn describe_snapshots_tagged(&self, key: &str, value: &str) -> Answer<Vec<Snapshot>> {
        ec2::snapshots::describe_snapshots_tagged(self.ec2(), key, value).await
    }

    async fn lock_snapshot(&self, snapshot: &SnapshotId, days: u32) -> Answer<()> {
        ec2::snapshots::lock_snapshot(self.ec2(), snapshot, days).await
    }

    async fn describe_locked_snapshots(&self, snapshots: &[SnapshotId]) -> Answer<Vec<SnapshotId>> {
        ec2::snapshots::describe_locked_snapshots(self.ec2(), snapshots).await
    }

    async fn create_snapshot(&self, volume: &VolumeId, description: &str, tags: &Tags) -> Answer<Snapshot> {
        ec2::snapshots::create_snapshot(self.ec2(), volume, description, tags).await
    }

    async fn create_tags(&self, resource: &str, tags: &Tags) -> Answer<()> {
        ec2::instances::create_tags(self.ec2(), resource, tags).await
    }

    async fn associate_profile(&self, instance: &InstanceId, profile: &str) -> Answer<()> {
        ec2::instances::associate_profile(self.ec2(), instance, profile).await
    }

    async fn restore_metadata_options(&self, instance: &InstanceId, options: &MetadataOptions) -> Answer<()> {
        ec2::instances::restore_metadata_options(self.ec2(), instance, options).await
    }

    async fn delete_role_policy(&self, role: &str, policy: &str) -> Answer<()> {
        iam::delete_role_policy(self.iam(), role, policy).await
    }

    async fn attach_instance(&self, group: &str, instance: &InstanceId) -> Answer<()> {
        autoscaling::attach_instance(self.autoscaling(), group, instance).await
    }

    async fn register_targets(&self, group: &str, targets: &[Target]) -> Answer<()> {
        elb::register_targets(self.elbv2(), group, targets).await
    }

    async fn register_with_classic_balancer(&self, balancer: &str, instance: &InstanceId) -> Answer<()> {
        elb::register_with_classic_balancer(self.elb(), balancer, instance).await
    }

    async fn lookup_events(&self, resource: &str, since: Timestamp) -> Answer<Vec<TrailEvent>> {
        cloudtrail::lookup_events(self.cloudtrail(), resource, since).await
    }

    async fn delete_tags(&self, resource: &str, keys: &[&str]) -> Answer<()> {
        ec2::instances::delete_tags(self.ec2(), resource, keys).await
    }
}
