//! What the engine needs from outside. One method is one AWS operation (its pages included), so that a simulator can
//! break each of them. Adapters translate; they decide nothing.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use brig_core::{
    acl::{AclEntry, NetworkAcl},
    ids::{AccountId, ContainmentId, EniId, GroupId, InstanceId, Region, SnapshotId, VolumeId, VpcId},
    ledger::{
        ActivePage, Announcement, Claim, Claimed, Current, InstanceKey, MemberSet, OverCap, Records, Report, Shared,
        Statement, StepRecord,
    },
    message::Message,
    notified::{Question, QuestionPage, Release, Unsent},
    proof::{FlowLog, Listing},
    reach::{RouteTable, VpcEndpoint},
    readiness::{Topic, Trail},
    step::{Denial, Lane, Outcome},
    survey::{
        Association, Direction, Instance, Interface, Membership, MetadataOptions, Role, Rule, ScalingGroup,
        SecurityGroup, Snapshot, Target, Timeouts,
    },
    text,
    timestamp::Timestamp,
};
use ipnet::IpNet;

/// What kind of answer AWS gave instead of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Too many calls.
    Throttled,
    /// A fault on the way or at AWS: timeouts, broken connections, 5xx.
    Transient,
    /// The caller is not let do it.
    Denied(Denial),
    /// The resource is not there.
    NotFound,
    /// It exists already.
    Duplicate,
    /// The resource is in a state that does not allow this now.
    Conflict,
    /// AWS does not offer this for this resource, whoever asks: a Spot instance has no stop protection.
    Unsupported,
    /// A quota, of the account or of the resource, is used up.
    LimitReached,
    /// Anything else: the request itself is wrong, or AWS says something new.
    Other,
}

/// Characters of AWS's message that are shown.
const LONGEST_MESSAGE: usize = 400;

/// An AWS call that did not succeed. `Display` says what was called and what AWS answered; never a request's content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: {}: {}", text::one_line(.code, text::NAME), text::one_line(.message, LONGEST_MESSAGE))]
pub struct CloudError {
    /// AWS's name of the operation, `ModifyNetworkInterfaceAttribute`.
    pub operation: &'static str,
    /// The kind of answer.
    pub kind: ErrorKind,
    /// AWS's error code, or what stands for it.
    pub code: String,
    /// AWS's message.
    pub message: String,
}

impl CloudError {
    /// Why it was denied, where it was.
    #[must_use]
    pub fn denial(&self) -> Option<Denial> {
        if let ErrorKind::Denied(denial) = self.kind { Some(denial) } else { None }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, ErrorKind::Throttled | ErrorKind::Transient | ErrorKind::Conflict)
    }

    /// Whether AWS will not do this here, whoever asks and however often.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self.kind, ErrorKind::Unsupported | ErrorKind::LimitReached | ErrorKind::Other)
    }
}

/// The answer to an AWS call.
pub type Answer<T> = Result<T, CloudError>;

/// Which interfaces to list.
#[derive(Debug, Clone, Copy)]
pub enum InterfacesOf<'a> {
    /// The branches of a trunk interface, which belong to pods: by the tag that the controller of Amazon EKS puts on them
    /// (<https://docs.aws.amazon.com/eks/latest/userguide/security-groups-for-pods.html>).
    Trunk(&'a EniId),
    /// Those attached to an instance.
    Instance(&'a InstanceId),
    /// Those attached to any of these instances. One that is gone has none.
    Instances(&'a [InstanceId]),
    /// Those of these ids.
    Ids(&'a [EniId]),
    /// Those that carry a group.
    Group(&'a GroupId),
    /// Those that have a private, public, elastic or IPv6 address.
    Address(IpAddr),
}

/// Which network ACLs to list.
#[derive(Debug, Clone, Copy)]
pub enum AclsOf<'a> {
    /// Those that serve these subnets.
    Subnets(&'a [String]),
    /// Those of these ids; one that is gone is left out.
    Ids(&'a [String]),
}

/// An interface and the instance it is attached to.
#[derive(Debug, Clone)]
pub struct Attached {
    /// The interface.
    pub interface: Interface,
    /// The instance.
    pub instance: Option<String>,
    /// Since when.
    pub attached_at: Option<Timestamp>,
}

/// A rule as DescribeSecurityGroupRules lists it.
#[derive(Debug, Clone)]
pub struct ListedRule {
    /// `sgr-...`.
    pub id: String,
    /// What it is.
    pub rule: Rule,
}

/// An attribute of an instance that DescribeInstanceAttribute reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// `disableApiTermination`, `true` or `false`.
    DisableApiTermination,
    /// `disableApiStop`, `true` or `false`.
    DisableApiStop,
    /// `instanceInitiatedShutdownBehavior`, `stop` or `terminate`.
    ShutdownBehavior,
}

/// One change by ModifyInstanceAttribute, which takes one attribute a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeChange {
    /// `DisableApiTermination`.
    DisableApiTermination(bool),
    /// `DisableApiStop`.
    DisableApiStop(bool),
    /// `InstanceInitiatedShutdownBehavior`.
    ShutdownBehavior(String),
    /// `BlockDeviceMappings`: DeleteOnTermination by device.
    DeleteOnTermination(Vec<(String, bool)>),
}

/// A target group.
#[derive(Debug, Clone)]
pub struct TargetGroup {
    /// Its ARN.
    pub arn: String,
    /// Its VPC.
    pub vpc: Option<VpcId>,
    /// `instance`, `ip`, `lambda`, `alb`.
    pub kind: String,
    /// `HTTP` of an Application, `TCP` of a Network, `GENEVE` of a Gateway Load Balancer; none for Lambda.
    pub protocol: Option<String>,
}

/// An instance profile.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its ARN.
    pub arn: String,
    /// Its role; a profile can be empty.
    pub role: Option<Role>,
}

/// A call on a resource, by CloudTrail's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailEvent {
    /// The call.
    pub call: String,
    /// The ARN of who made it, or a user's name.
    pub by: String,
    /// The source identity of the session, where it has one.
    pub source_identity: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
}

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

/// Tags as key and value.
pub type Tags = BTreeMap<String, String>;

/// One account and Region, seen by one lane: each lane has its own retry budget, so that a throttled discovery cannot
/// starve the cut.
#[async_trait]
pub trait Cloud: Send + Sync {
    /// DescribeInstances by id; none where AWS knows no such instance.
    async fn describe_instance(&self, instance: &InstanceId) -> Answer<Option<Instance>>;
    /// DescribeInstances: those whose Name tag is exactly this; terminated ones are shown for about an hour.
    async fn describe_instances_named(&self, name: &str) -> Answer<Vec<Instance>>;
    /// Every group of the account and Region whose name begins with `brig-isolation` or `brig-untrack`.
    async fn describe_brig_groups(&self) -> Answer<Vec<SecurityGroup>>;
    /// DescribeSecurityGroupRules.
    async fn describe_security_group_rules(&self, group: &GroupId) -> Answer<Vec<ListedRule>>;
    /// CreateSecurityGroup, with its tags in the same call; `Duplicate` where the VPC has the name.
    async fn create_security_group(&self, vpc: &VpcId, name: &str, tags: &Tags) -> Answer<GroupId>;
    /// AuthorizeSecurityGroupIngress or -Egress; a rule that exists is success.
    async fn authorize_rule(&self, group: &GroupId, rule: &Rule) -> Answer<()>;
    /// Revoke by rule id; a rule that is gone is success.
    async fn revoke_rules(&self, group: &GroupId, direction: Direction, rules: &[String]) -> Answer<()>;
    /// Revoke the egress rule that lets everything out to a CIDR block; one that is not there is success.
    async fn revoke_all_egress(&self, group: &GroupId, cidr: &str) -> Answer<()>;
    /// DescribeNetworkInterfaces.
    async fn describe_network_interfaces(&self, of: InterfacesOf<'_>) -> Answer<Vec<Attached>>;
    /// ModifyNetworkInterfaceAttribute: replaces the interface's groups.
    async fn modify_network_interface_groups(&self, eni: &EniId, groups: &[GroupId]) -> Answer<()>;

    /// The associations of one instance, or all in the account and Region.
    async fn describe_profile_associations(&self, instance: Option<&InstanceId>) -> Answer<Vec<Association>>;
    /// DisassociateIamInstanceProfile.
    async fn disassociate_profile(&self, association: &str) -> Answer<()>;
    /// ReplaceIamInstanceProfileAssociation by the other profile's ARN.
    async fn replace_profile(&self, association: &str, profile: &str) -> Answer<()>;
    /// ModifyInstanceMetadataOptions: `HttpEndpoint` disabled.
    async fn disable_metadata_endpoint(&self, instance: &InstanceId) -> Answer<()>;
    /// GetInstanceProfile by name.
    async fn get_instance_profile(&self, name: &str) -> Answer<Profile>;
    /// GetRole by name; none where the account has no such role.
    async fn get_role(&self, name: &str) -> Answer<Option<Role>>;
    /// ListInstanceProfilesForRole: the ARNs of the profiles that hold a role.
    async fn list_instance_profiles_for_role(&self, role: &str) -> Answer<Vec<String>>;
    /// GetRolePolicy: the document, decoded; none where the role has no policy of that name.
    async fn get_role_policy(&self, role: &str, policy: &str) -> Answer<Option<String>>;
    /// PutRolePolicy: replaces the role's inline policy of that name.
    async fn put_role_policy(&self, role: &str, policy: &str, document: &str) -> Answer<()>;

    /// DescribeAutoScalingInstances; none where the instance is in no group.
    async fn describe_auto_scaling_instance(&self, instance: &InstanceId) -> Answer<Option<Membership>>;
    /// DescribeAutoScalingGroups: one group by its name.
    async fn describe_auto_scaling_group(&self, group: &str) -> Answer<Option<ScalingGroup>>;
    /// DescribeLifecycleHooks: the group's hooks on termination.
    async fn describe_termination_hooks(&self, group: &str) -> Answer<Vec<String>>;
    /// SetInstanceProtection: whether its group may choose the instance when it scales in.
    async fn set_instance_protection(&self, group: &str, instance: &InstanceId, protected: bool) -> Answer<()>;
    /// RecordLifecycleActionHeartbeat for one instance.
    async fn record_lifecycle_heartbeat(&self, group: &str, hook: &str, instance: &InstanceId) -> Answer<()>;
    /// DetachInstances without lowering the desired capacity: the group may launch a replacement.
    async fn detach_instance(&self, group: &str, instance: &InstanceId) -> Answer<()>;
    /// DescribeTargetGroups.
    async fn describe_target_groups(&self) -> Answer<Vec<TargetGroup>>;
    /// DescribeTargetHealth: every target of a group, by its ARN.
    async fn describe_target_health(&self, group: &str) -> Answer<Vec<Target>>;
    /// DeregisterTargets, with ports; a target that is not there is success.
    async fn deregister_targets(&self, group: &str, targets: &[Target]) -> Answer<()>;
    /// Names of the classic load balancers that list the instance.
    async fn describe_classic_balancers_of(&self, instance: &InstanceId) -> Answer<Vec<String>>;
    /// DeregisterInstancesFromLoadBalancer; an instance that is not there is success.
    async fn deregister_from_classic_balancer(&self, balancer: &str, instance: &InstanceId) -> Answer<()>;

    /// DescribeInstanceAttribute.
    async fn describe_instance_attribute(&self, instance: &InstanceId, attribute: Attribute) -> Answer<String>;
    /// DescribeInstanceStatus: what AWS has scheduled, each as code and time, in words.
    async fn describe_scheduled_events(&self, instance: &InstanceId) -> Answer<Vec<String>>;
    /// StopInstances, with `Hibernate` where it is asked for.
    async fn stop_instance(&self, instance: &InstanceId, hibernate: bool) -> Answer<()>;
    /// StartInstances; one that runs is success.
    async fn start_instance(&self, instance: &InstanceId) -> Answer<()>;
    /// ModifyInstanceMaintenanceOptions: automatic recovery `default` or `disabled`.
    async fn set_auto_recovery(&self, instance: &InstanceId, setting: &str) -> Answer<()>;
    /// ModifyInstanceAttribute.
    async fn modify_instance_attribute(&self, instance: &InstanceId, change: &AttributeChange) -> Answer<()>;
    /// CreateSnapshots: all volumes of the instance at one point in time, each snapshot with these tags.
    async fn create_snapshots(&self, instance: &InstanceId, description: &str, tags: &Tags) -> Answer<Vec<Snapshot>>;
    /// Snapshots of this account that carry the tag.
    async fn describe_snapshots_tagged(&self, key: &str, value: &str) -> Answer<Vec<Snapshot>>;
    /// LockSnapshot in governance mode.
    async fn lock_snapshot(&self, snapshot: &SnapshotId, days: u32) -> Answer<()>;
    /// Those of the given snapshots that are locked.
    async fn describe_locked_snapshots(&self, snapshots: &[SnapshotId]) -> Answer<Vec<SnapshotId>>;
    /// CreateSnapshot of one volume, for an instance that AWS takes no set of any more.
    async fn create_snapshot(&self, volume: &VolumeId, description: &str, tags: &Tags) -> Answer<Snapshot>;
    /// CreateTags on one resource.
    async fn create_tags(&self, resource: &str, tags: &Tags) -> Answer<()>;

    /// AssociateIamInstanceProfile by the profile's ARN.
    async fn associate_profile(&self, instance: &InstanceId, profile: &str) -> Answer<()>;
    /// ModifyInstanceMetadataOptions: all options that are known.
    async fn restore_metadata_options(&self, instance: &InstanceId, options: &MetadataOptions) -> Answer<()>;
    /// DeleteRolePolicy; a policy that is not there is success.
    async fn delete_role_policy(&self, role: &str, policy: &str) -> Answer<()>;
    /// AttachInstances, which raises the desired capacity by one.
    async fn attach_instance(&self, group: &str, instance: &InstanceId) -> Answer<()>;
    /// RegisterTargets, with ports.
    async fn register_targets(&self, group: &str, targets: &[Target]) -> Answer<()>;
    /// RegisterInstancesWithLoadBalancer.
    async fn register_with_classic_balancer(&self, balancer: &str, instance: &InstanceId) -> Answer<()>;
    /// LookupEvents of CloudTrail by a resource's id, newest first. Two calls a second are allowed.
    async fn lookup_events(&self, resource: &str, since: Timestamp) -> Answer<Vec<TrailEvent>>;
    /// DeleteTags on one resource.
    async fn delete_tags(&self, resource: &str, keys: &[&str]) -> Answer<()>;

    /// ModifyNetworkInterfaceAttribute: the interface's idle timeouts of connection tracking.
    async fn modify_network_interface_timeouts(&self, eni: &EniId, timeouts: &Timeouts) -> Answer<()>;
    /// ModifyNetworkInterfaceAttribute: the interface gives up the public address that AWS assigned.
    async fn unassign_public_address(&self, eni: &EniId) -> Answer<()>;
    /// DisassociateAddress of an elastic address.
    async fn disassociate_address(&self, association: &str) -> Answer<()>;
    /// AssociateAddress; an address that is associated elsewhere is not taken from there.
    async fn associate_address(&self, eni: &EniId, allocation: &str, private: Option<Ipv4Addr>) -> Answer<()>;

    /// DescribeNetworkAcls: those of these subnets, or of these ids.
    async fn describe_network_acls(&self, of: AclsOf<'_>) -> Answer<Vec<NetworkAcl>>;
    /// CreateNetworkAclEntry; `Duplicate` where the number is taken.
    async fn create_network_acl_entry(&self, acl: &str, entry: &AclEntry) -> Answer<()>;
    /// DeleteNetworkAclEntry; one that is not there is success.
    async fn delete_network_acl_entry(&self, acl: &str, number: i32, egress: bool) -> Answer<()>;
    /// AWS's published address ranges, of its own list or a mirror of it.
    async fn published_ranges(&self) -> Answer<Arc<[IpNet]>>;

    /// DescribeSecurityGroups by id, with their rules; those that are gone are left out.
    async fn describe_groups(&self, groups: &[GroupId]) -> Answer<Vec<SecurityGroup>>;
    /// DescribeSecurityGroups by name, of every VPC, without those that only share a beginning.
    async fn describe_groups_named(&self, name: &str) -> Answer<Vec<SecurityGroup>>;
    /// DescribeSecurityGroups of a VPC, with their rules.
    async fn describe_groups_of_vpc(&self, vpc: &VpcId) -> Answer<Vec<SecurityGroup>>;
    /// DescribeVpcEndpoints: VPC and interfaces of these VPCs' endpoints of these services of AWS's.
    async fn describe_service_endpoints(&self, vpcs: &[VpcId], services: &[&str]) -> Answer<Vec<(VpcId, Vec<EniId>)>>;
    /// DescribeRouteTables of these VPCs.
    async fn describe_route_tables(&self, vpcs: &[VpcId]) -> Answer<Vec<RouteTable>>;
    /// DescribeVpcEndpoints of these VPCs, but those that are over.
    async fn describe_vpc_endpoints(&self, vpcs: &[VpcId]) -> Answer<Vec<VpcEndpoint>>;
    /// DescribeNetworkInterfaces: VPC and kind of those in these VPCs that are of one of the kinds.
    async fn describe_interfaces_of_kinds(&self, vpcs: &[VpcId], kinds: &[&str]) -> Answer<Vec<(VpcId, String)>>;
    /// GetSerialConsoleAccessStatus; none where the answer does not say.
    async fn get_serial_console_access(&self) -> Answer<Option<bool>>;
    /// ListFirewallRuleGroupAssociations of Route 53 Resolver: how many the VPC has.
    async fn count_dns_firewalls(&self, vpc: &VpcId) -> Answer<usize>;
    /// ListServiceNetworkVpcAssociations of VPC Lattice: how many the VPC has.
    async fn count_service_networks(&self, vpc: &VpcId) -> Answer<usize>;
    /// DescribeInstanceTypes: the type's default timeouts of connection tracking.
    async fn describe_default_timeouts(&self, instance_type: &str) -> Answer<Timeouts>;

    /// DescribeRegions: those that the account has enabled.
    async fn describe_regions(&self) -> Answer<Vec<Region>>;
    /// DescribeVpcs: all of the Region.
    async fn describe_vpcs(&self) -> Answer<Vec<VpcId>>;
    /// DescribeFlowLogs: those that are active.
    async fn describe_flow_logs(&self) -> Answer<Vec<FlowLog>>;
    /// FilterLogEvents of CloudWatch Logs: the messages of the streams with this prefix, since then.
    async fn filter_log_events(&self, group: &str, streams: &str, since: Timestamp, line: Lines<'_>) -> Answer<()>;
    /// ListObjectsV2: the objects of a bucket that a listing names, in the order of their keys.
    async fn list_objects(&self, bucket: &str, listing: &Listing) -> Answer<Vec<Object>>;
    /// GetObject of a text that gzip compressed: its lines.
    async fn get_object_lines(&self, bucket: &str, key: &str, line: Lines<'_>) -> Answer<()>;
    /// GetInstanceMetadataDefaults: the account's `HttpTokens`, where it sets any.
    async fn get_metadata_default_tokens(&self) -> Answer<Option<String>>;
    /// DescribeInstances: how many running instances have `HttpTokens` optional.
    async fn count_instances_without_tokens(&self) -> Answer<usize>;
    /// ListDetectors and GetDetector of GuardDuty: whether each is enabled.
    async fn get_detectors(&self) -> Answer<Vec<bool>>;
    /// DescribeTrails and GetTrailStatus of CloudTrail.
    async fn describe_trails(&self) -> Answer<Vec<Trail>>;
    /// One of EC2's changes with DryRun: success where EC2 would allow it.
    async fn dry_run(&self, change: &DryRun) -> Answer<()>;
}

/// Takes one line after the other; those that came before an error count.
pub type Lines<'a> = &'a mut (dyn FnMut(&str) + Send);

/// An object of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// Its size as it is stored.
    pub bytes: u64,
}

/// Why an account or Region cannot be worked in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", text::one_line(.0, text::REPORT))]
pub struct Unreachable(pub String);

/// Gives the cloud of an account and Region, one view a lane.
#[async_trait]
pub trait Clouds: Send + Sync {
    /// The view of one lane; builds clients once. `session` names the work where a role must be assumed for it.
    async fn open(
        &self,
        account: &AccountId,
        region: &Region,
        lane: Lane,
        session: &str,
    ) -> Result<Arc<dyn Cloud>, Unreachable>;
    /// Whether a caller that CloudTrail names, by ARN and source identity, is this function: its own session, or a session of
    /// a member role with the source identity that Brig gives it.
    async fn is_own(&self, by: &str, source_identity: Option<&str>) -> Answer<bool>;
}

/// The record of every containment.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// The item `current` of an instance and the steps of its containment, consistently read; nothing else.
    async fn read(&self, key: &InstanceKey) -> Answer<Records>;
    /// One transaction: the item `current`, the steps of the cut, the hour's counter.
    async fn claim(&self, claim: &Claim) -> Answer<Claimed>;
    /// Adds steps that the ledger does not hold; one that it holds keeps what it recorded first. Returns the keys of those
    /// that it held: somebody else was faster.
    async fn record(&self, key: &InstanceKey, containment: &ContainmentId, steps: &[StepRecord])
    -> Answer<Vec<String>>;
    /// Records what a step found. `repairs` replaces the times of its repairs; where it is empty they stay as they are.
    async fn finish(
        &self,
        key: &InstanceKey,
        containment: &ContainmentId,
        step: &str,
        outcome: &Outcome,
        at: Timestamp,
        repairs: &[Timestamp],
    ) -> Answer<()>;
    /// Replaces `current` if its version is still `read_version`; says whether it was. One that is withdrawn gives back, in
    /// the same transaction, what it was counted in.
    async fn close(&self, key: &InstanceKey, current: &Current, read_version: u64) -> Answer<bool>;
    /// Keeps what an attempt read back, unless a newer attempt's is kept.
    async fn keep_report(&self, key: &InstanceKey, report: &Report) -> Answer<()>;
    /// What was read back last, of each kind. Read for people alone, never before the cut.
    async fn reports(&self, key: &InstanceKey) -> Answer<Vec<Report>>;
    /// Whether people were notified of this statement about a place. Asked before a message, never before the cut.
    async fn was_told(&self, place: &str, told: &Statement) -> Answer<bool>;
    /// Records that people were notified of a statement about a place, with the report that they got.
    async fn record_told(&self, place: &str, told: &Statement, at: Timestamp, report: &str) -> Answer<()>;
    /// Keeps a message that could not be sent. One of the same place and id is replaced.
    async fn keep_unsent(&self, unsent: &Unsent) -> Answer<()>;
    /// The messages about a place, or about any, that could not be sent: a bounded number, by place.
    async fn unsent(&self, place: Option<&str>) -> Answer<Vec<Unsent>>;
    /// Forgets a message that has been sent.
    async fn forget_unsent(&self, place: &str, id: &str) -> Answer<()>;
    /// Records a question. One of the same instance and id is replaced.
    async fn ask(&self, question: &Question) -> Answer<()>;
    /// A page of the questions that wait about an instance, or about any.
    async fn questions(&self, of: Option<&InstanceKey>, from: Option<&str>) -> Answer<QuestionPage>;
    /// The question with this id, wherever in the list it stands.
    async fn question(&self, id: &str) -> Answer<Option<Question>>;
    /// Closes a question, with the answer and who gave why.
    async fn close_question(&self, key: &InstanceKey, question: &str, answer: &str, at: Timestamp) -> Answer<()>;
    /// The last releases, the newest first: a bounded number.
    async fn releases(&self) -> Answer<Vec<Release>>;
    /// The active containments of an account, in one Region or in all.
    async fn active_in(&self, account: &AccountId, region: Option<&Region>) -> Answer<Vec<InstanceKey>>;
    /// Whether people were notified of what an event holds beyond its containments, consistently read.
    async fn was_announced(&self, what: &Announcement) -> Answer<bool>;
    /// Records that they were. The item may go once no retry of the event can come any more.
    async fn record_announced(&self, what: &Announcement, at: Timestamp, subject: &str) -> Answer<()>;
    /// Adds a member to a set and returns the set as it then is.
    async fn join(&self, shared: &Shared, member: &str) -> Answer<MemberSet>;
    /// Takes a member out of a set and returns the set as it then is.
    async fn leave(&self, shared: &Shared, member: &str) -> Answer<MemberSet>;
    /// A page of the active containments of every account and Region.
    async fn active(&self, from: Option<&str>) -> Answer<ActivePage>;
    /// Keeps the account's rules as they were read from a parameter.
    async fn keep_policy(&self, parameter: &str, text: &str, at: Timestamp) -> Answer<()>;
    /// The rules that were kept, and when.
    async fn kept_policy(&self, parameter: &str) -> Answer<Option<(String, Timestamp)>>;
    /// Records, once an hour in the account and Region, that the cap is reached: whether this is the first time, and the
    /// instances that were counted.
    async fn over_cap(&self, key: &InstanceKey, at: Timestamp) -> Answer<OverCap>;
    /// Writes an item that nothing reads, to see that it can.
    async fn try_write(&self, at: Timestamp) -> Answer<()>;
    /// A set, consistently read.
    async fn members(&self, shared: &Shared) -> Answer<MemberSet>;
}

/// Tells people.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Publishes one message.
    async fn publish(&self, message: &Message) -> Answer<()>;
    /// GetTopicAttributes: who is subscribed, and under which key messages are kept.
    async fn topic(&self) -> Answer<Topic>;
}

/// The queue that an event came from.
#[async_trait]
pub trait Queue: Send + Sync {
    /// ChangeMessageVisibility: the message is delivered again after `seconds`.
    async fn change_visibility(&self, queue_arn: &str, receipt: &str, seconds: i32) -> Answer<()>;
}

/// Time, real or virtual.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time.
    fn now(&self) -> Timestamp;
    /// Waits.
    async fn sleep(&self, duration: Duration);
}
