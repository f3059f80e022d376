//! The account as it is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    net::IpAddr,
};

use brig_core::model::{
    self, Credential, FlowLog, InstanceState, Role, Rule, SecurityGroup, Snapshot, Target,
    ids::{EniId, GroupId, InstanceId, Region, SnapshotId, UserName, VolumeId, VpcId},
    network_acl::NetworkAcl,
    reach::ReachLook,
    tags::CONTAINMENT_TAG,
    timestamp::Timestamp,
};
use brig_engine::ports::TrailEvent;
use ipnet::IpNet;

/// An instance. Its interfaces and its profile are kept separately, as AWS keeps them.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// As DescribeInstances shows it, without interfaces and profile.
    pub shown: model::Instance,
    /// `disableApiTermination`.
    pub termination_protection: bool,
    /// `disableApiStop`.
    pub stop_protection: bool,
    /// `instanceInitiatedShutdownBehavior`.
    pub shutdown: String,
    /// The script that it was launched with.
    pub user_data: String,
    /// What AWS has scheduled for it.
    pub scheduled: Vec<String>,
    /// Since when it hibernates, in the clock's milliseconds.
    pub stopping_since: Option<u64>,
}

/// An interface.
#[derive(Debug, Clone, PartialEq)]
pub struct Interface {
    /// As AWS shows it.
    pub shown: model::Interface,
    /// The instance that it is attached to.
    pub instance: Option<InstanceId>,
    /// Since when its instance has failed every health check, in the clock's milliseconds.
    pub cut_since: Option<u64>,
    /// It was isolated once.
    pub was_cut: bool,
    /// The trunk interface that it is a branch of.
    pub trunk: Option<EniId>,
    /// A service of AWS's owns it: nobody else changes it.
    pub managed: bool,
}

/// An Auto Scaling group.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scaling {
    /// How many instances it wants.
    pub desired: usize,
    /// How many it may have.
    pub most: usize,
    /// Target groups that its members are registered with.
    pub target_groups: Vec<String>,
    /// Lifecycle state of each member.
    pub members: BTreeMap<InstanceId, String>,
    /// Its members that are protected from scale-in.
    pub protected: BTreeSet<InstanceId>,
    /// Its suspended processes.
    pub suspended: Vec<String>,
    /// Its hooks on termination, and how many heartbeats each has had.
    pub hooks: BTreeMap<String, u32>,
    /// How many of its members it has replaced.
    pub replaced: u32,
    /// After how many milliseconds of failed health checks a member is terminated; never where none.
    pub patience: Option<u64>,
}

/// A target group.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetGroup {
    pub vpc: VpcId,
    /// `instance` or `ip`.
    pub kind: String,
    pub targets: Vec<Target>,
    /// `HTTP`.
    pub protocol: String,
}

/// The account.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct World {
    pub instances: BTreeMap<InstanceId, Instance>,
    pub interfaces: BTreeMap<EniId, Interface>,
    /// Security groups, and when each was made.
    pub groups: BTreeMap<GroupId, (SecurityGroup, u64)>,
    /// Associations: id to instance and profile ARN.
    pub associations: BTreeMap<String, (InstanceId, String)>,
    /// Instance profiles by name: ARN and role.
    pub profiles: BTreeMap<String, (String, Option<Role>)>,
    /// Roles that no profile holds.
    pub roles: Vec<Role>,
    /// Their tags, by name.
    pub role_tags: BTreeMap<String, BTreeMap<String, String>>,
    /// Inline policies by role and name.
    pub policies: BTreeMap<(String, String), String>,
    /// ARNs of the managed policies attached to each role.
    pub attached_to_roles: BTreeMap<String, BTreeSet<String>>,
    /// Auto Scaling groups.
    pub scaling: BTreeMap<String, Scaling>,
    /// Target groups by ARN.
    pub target_groups: BTreeMap<String, TargetGroup>,
    /// Classic load balancers.
    pub classic: BTreeMap<String, BTreeSet<InstanceId>>,
    pub snapshots: BTreeMap<SnapshotId, Snapshot>,
    /// Volumes that no snapshot can be taken of: their key is disabled.
    pub bad_volumes: BTreeSet<VolumeId>,
    /// What EC2 does not take for any instance: `DisableApiStop`, or an operation.
    pub unsupported: BTreeSet<String>,
    /// How many security groups a VPC may have; any number where none.
    pub most_groups: Option<usize>,
    /// The ways to and from the instances.
    pub reach: ReachLook,
    pub acls: BTreeMap<String, NetworkAcl>,
    /// The addresses that findings name as the other end, by instance.
    pub remotes: BTreeMap<InstanceId, Vec<IpAddr>>,
    /// Roles, and profiles, that findings name as the instance's, by instance.
    pub named: BTreeMap<InstanceId, (Vec<String>, Vec<String>)>,
    /// Instances that are in another Region than the world's own.
    pub elsewhere: BTreeMap<InstanceId, Region>,
    /// Regions in which nothing can be read.
    pub unreadable: BTreeSet<Region>,
    /// Instances about which somebody asks that they be stopped.
    pub stops: BTreeSet<InstanceId>,
    /// Interface endpoints of AWS's services: service, VPC, interface.
    pub endpoints: Vec<(String, VpcId, EniId)>,
    /// AWS's published ranges.
    pub published: Vec<IpNet>,
    pub flow_logs: Vec<FlowLog>,
    /// Records of flow logs: group, interface, milliseconds, record.
    pub flows: Vec<(String, EniId, i64, String)>,
    /// Files of flow logs: bucket and key, and their lines.
    pub files: BTreeMap<(String, String), Vec<String>>,
    /// Elastic addresses that are associated with nothing, by allocation.
    pub addresses: BTreeMap<String, model::PublicAddress>,
    /// Interfaces take idle timeouts of their own.
    pub takes_timeouts: bool,
    /// CloudTrail's record: resource and event.
    pub trail: Vec<(String, TrailEvent)>,
    /// IAM users.
    pub users: BTreeMap<UserName, User>,
    /// Access keys of the root user.
    pub root_keys: BTreeSet<String>,
    /// Access keys of other accounts, and whose.
    pub foreign_keys: BTreeMap<String, String>,
    /// The number of the next id.
    pub next: u64,
}

/// An IAM user.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct User {
    /// The ARN of its permissions boundary.
    pub boundary: Option<String>,
    /// ARNs of attached managed policies.
    pub attached: BTreeSet<String>,
    pub credentials: Vec<Credential>,
    pub groups: Vec<String>,
    pub tags: BTreeMap<String, String>,
    /// It has a password.
    pub console: bool,
    /// When its keys were last used.
    pub used: Option<Timestamp>,
}

/// The policy that denies everything.
pub const DENY_ALL: &str = "arn:aws:iam::aws:policy/AWSDenyAll";

impl User {
    /// Whether AWS lets a call through that one of its credentials signs, or a session of it.
    #[must_use]
    pub fn may_act(&self) -> bool {
        self.boundary.as_deref() != Some(DENY_ALL) && !self.attached.contains(DENY_ALL)
    }
}

/// Begins to drain a target; its health shows since when.
pub(crate) fn drain(target: &mut Target, now: u64) {
    if target.state != "draining" {
        "draining".clone_into(&mut target.state);
        target.zone = Some(now.to_string());
    }
}

/// Since when a target drains.
pub(crate) fn drained_at(target: &Target) -> Option<u64> {
    if target.state == "draining" { target.zone.as_ref()?.parse().ok() } else { None }
}

fn shown_group(group: &SecurityGroup) -> String {
    let mut rules: Vec<String> = group.rules.iter().map(|rule| format!("{:?} {}", rule.direction, rule.peer)).collect();
    rules.sort();
    format!("{} {} {rules:?}\n", group.vpc, group.name)
}

impl World {
    /// The Region that an instance is in.
    pub(crate) fn place_of(&self, instance: &InstanceId) -> Region {
        self.elsewhere.get(instance).cloned().unwrap_or_else(|| crate::build::REGION.parse().expect("a Region"))
    }

    /// Regions that the account has enabled.
    pub(crate) fn regions(&self) -> Vec<Region> {
        let enabled = [crate::build::REGION, "eu-west-1", "ap-southeast-2"];
        let mut all: BTreeSet<Region> = enabled.iter().map(|region| region.parse().expect("a Region")).collect();
        all.extend(self.elsewhere.values().chain(&self.unreadable).cloned());
        all.into_iter().collect()
    }

    /// The next id of a kind.
    pub fn id(&mut self, kind: &str) -> String {
        self.next += 1;
        format!("{kind}-{:08x}", self.next)
    }

    /// The instance as DescribeInstances shows it.
    #[must_use]
    pub fn describe(&self, id: &InstanceId) -> Option<model::Instance> {
        let instance = self.instances.get(id)?;
        let interfaces = self.interfaces.values().filter(|eni| eni.instance.as_ref() == Some(id));
        let profile = self.associations.values().find(|(of, _)| of == id).map(|(_, arn)| arn.clone());
        Some(model::Instance {
            interfaces: interfaces.map(|eni| eni.shown.clone()).collect(),
            profile,
            ..instance.shown.clone()
        })
    }

    /// Ends an instance: its interfaces go, its members and targets too.
    pub fn terminate(&mut self, id: &InstanceId) {
        if let Some(instance) = self.instances.get_mut(id) {
            instance.shown.state = InstanceState::Terminated;
            instance.shown.volumes.retain(|volume| !volume.delete_on_termination);
        }
        self.interfaces.retain(|_, eni| eni.instance.as_ref() != Some(id));
        self.associations.retain(|_, (of, _)| of != id);
        for group in self.scaling.values_mut() {
            group.members.remove(id);
        }
    }

    /// A role by its name.
    #[must_use]
    pub fn role(&self, name: &str) -> Option<Role> {
        let held = self.profiles.values().filter_map(|(_, role)| role.as_ref());
        held.chain(&self.roles).find(|role| role.name == name).cloned()
    }

    /// The VPCs in which something is.
    #[must_use]
    pub fn vpcs(&self) -> Vec<VpcId> {
        let all: BTreeSet<&VpcId> = self.interfaces.values().map(|eni| &eni.shown.vpc).collect();
        all.into_iter().cloned().collect()
    }

    /// The volumes of an instance.
    #[must_use]
    pub fn volumes(&self, id: &InstanceId) -> Vec<VolumeId> {
        self.instances.get(id).map(|i| i.shown.volumes.iter().map(|v| v.id.clone()).collect()).unwrap_or_default()
    }

    /// Everything that two runs must agree on, as lines that a person can compare: names instead of the ids that AWS
    /// gives, and no containment's id, which holds its time.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut out = String::new();
        for (id, instance) in &self.instances {
            let shown = &instance.shown;
            let tags: BTreeMap<&String, &str> = shown
                .tags
                .iter()
                .map(|(key, value)| (key, if key == CONTAINMENT_TAG { "set" } else { value.as_str() }))
                .collect();
            let _ = writeln!(
                out,
                "{id} {:?} metadata {} tokens {} hops {:?} protected {}/{} shutdown {} recovery {:?} tags {tags:?} profile {:?}",
                shown.state,
                shown.metadata.endpoint,
                shown.metadata.tokens,
                shown.metadata.hop_limit,
                instance.termination_protection,
                instance.stop_protection,
                instance.shutdown,
                shown.auto_recovery,
                self.describe(id).and_then(|seen| seen.profile),
            );
            for volume in &shown.volumes {
                let _ = writeln!(out, "  {} {} delete {}", volume.id, volume.device, volume.delete_on_termination);
            }
        }
        for (id, eni) in &self.interfaces {
            let names: BTreeSet<String> = eni.shown.groups.iter().map(|group| self.group_name(group)).collect();
            let timeouts = eni.shown.timeouts.or(self.reach.defaults).or(model::Timeouts::USUAL);
            let addresses: BTreeSet<String> =
                eni.shown.public.iter().map(|public| public.address.to_string()).collect();
            let _ = writeln!(
                out,
                "{id} of {:?} in {names:?} idle {:?} public {addresses:?}",
                eni.instance.as_ref().map(InstanceId::as_str),
                timeouts.tcp_established,
            );
        }
        let mut groups: Vec<String> = self.groups.values().map(|(group, _)| shown_group(group)).collect();
        groups.sort();
        out.extend(groups);
        for ((role, name), document) in &self.policies {
            let _ = writeln!(out, "{role}/{name} {document}");
        }
        for (name, group) in &self.scaling {
            let _ = writeln!(out, "{name} wants {} has {:?}", group.desired, group.members);
        }
        for (arn, group) in &self.target_groups {
            let mut held: Vec<String> = group
                .targets
                .iter()
                .filter(|target| target.state != "draining")
                .map(|target| format!("{}:{:?}", target.id, target.port))
                .collect();
            held.sort();
            let _ = writeln!(out, "{arn} {held:?}");
        }
        for (name, held) in &self.classic {
            let _ = writeln!(out, "{name} {held:?}");
        }
        out + &self.denied() + &crate::cloud::users::summary(&self.users)
    }

    /// The rules of every network ACL.
    #[must_use]
    pub fn denied(&self) -> String {
        let mut out = String::new();
        for (id, acl) in &self.acls {
            for entry in &acl.entries {
                let way = if entry.egress { "to" } else { "from" };
                let verb = if entry.allow { "allows" } else { "denies" };
                let _ = writeln!(out, "{id} {} {verb} {way} {}", entry.number, entry.cidr);
            }
        }
        out
    }

    /// The snapshots that a containment left, as volume, device tag and lock.
    #[must_use]
    pub fn evidence(&self) -> Vec<(String, Option<String>, Option<bool>)> {
        let mut all: Vec<_> = self
            .snapshots
            .values()
            .map(|snapshot| (snapshot.volume.to_string(), snapshot.tags.get("brig:device").cloned(), snapshot.locked))
            .collect();
        all.sort();
        all
    }

    fn group_name(&self, id: &GroupId) -> String {
        self.groups.get(id).map_or_else(|| id.to_string(), |(group, _)| group.name.clone())
    }

    /// Whether an interface lets nothing through.
    #[must_use]
    pub fn is_cut(&self, eni: &Interface) -> bool {
        let rules = |id: &GroupId| -> Vec<Rule> {
            self.groups.get(id).map(|(group, _)| group.rules.clone()).unwrap_or_default()
        };
        eni.shown.groups.iter().all(|id| rules(id).is_empty())
    }
}
