//! What was seen of the account, as plain values: the first look that the cut is planned from, and each lane's own look.
//! What could not be read is a [`Gap`], never an empty list.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    gap::Gap,
    ids::{AccountId, EniId, GroupId, InstanceId, Region, SnapshotId, VolumeId, VpcId, arn_name},
    policy::RoleDeny,
    text::{self, Sentence},
    timestamp::Timestamp,
};

/// An instance's life cycle
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceState {
    /// Being launched or started.
    Pending,
    /// Running.
    Running,
    /// On its way to stopped.
    Stopping,
    /// Stopped: no flow exists, the disks do.
    Stopped,
    /// On its way to terminated.
    ShuttingDown,
    /// Gone; shown by AWS for about an hour.
    Terminated,
    /// A state that AWS added since.
    Unknown,
}

impl InstanceState {
    /// Whether network flows can exist.
    #[must_use]
    pub fn has_flows(self) -> bool {
        // While it stops, the system still runs.
        matches!(self, Self::Pending | Self::Running | Self::Stopping | Self::ShuttingDown | Self::Unknown)
    }

    /// Whether the instance is ending for good.
    #[must_use]
    pub fn is_ending(self) -> bool {
        matches!(self, Self::ShuttingDown | Self::Terminated)
    }
}

/// The instance as DescribeInstances shows it.
#[expect(clippy::struct_excessive_bools, reason = "each is something that AWS shows by itself")]
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// The account that owns it.
    pub account: AccountId,
    /// The Region it was read in.
    pub region: Region,
    /// Its life cycle state.
    pub state: InstanceState,
    /// When it was launched.
    pub launched: Option<Timestamp>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The ARN of its instance profile.
    pub profile: Option<String>,
    /// Its metadata options.
    pub metadata: MetadataOptions,
    /// Its interfaces, as the instance shows them.
    pub interfaces: Vec<Interface>,
    /// Its EBS volumes.
    pub volumes: Vec<Volume>,
    /// Its metadata options are not in effect yet
    /// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceMetadataOptionsResponse.html>).
    pub metadata_pending: bool,
    /// The root device is an EBS volume (not an instance store).
    pub ebs_root: bool,
    /// Bought on the Spot market.
    pub spot: bool,
    /// It has a public IPv4 address.
    pub public: bool,
    /// `m5.large`.
    pub instance_type: String,
    /// Simplified automatic recovery: `default` or `disabled`; none where it was not shown.
    pub auto_recovery: Option<String>,
    /// The code of why it is in its state, `Client.UserInitiatedShutdown`.
    pub state_reason: Option<String>,
    /// Hibernation was configured when it was launched.
    pub hibernates: bool,
}

impl Instance {
    /// Its name tag as one line, for messages; none where nothing of it shows.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let name = text::one_line(self.tags.get("Name")?, text::NAME);
        (!name.is_empty()).then_some(name)
    }

    /// Whether it is a node of EKS Auto Mode, which runs instances of its own and lets nobody else change them: its tags
    /// name the cluster with a key that only Auto Mode writes, and the node pool
    /// (<https://docs.aws.amazon.com/eks/latest/userguide/automode-learn-instances.html>).
    #[must_use]
    pub fn is_auto_mode_node(&self) -> bool {
        self.tags.contains_key("eks:eks-cluster-name") && self.tags.contains_key("karpenter.sh/nodepool")
    }

    /// The Auto Scaling group that it belongs to, by the tag that Auto Scaling keeps and no user can write.
    #[must_use]
    pub fn auto_scaling_group(&self) -> Option<&str> {
        self.tags.get("aws:autoscaling:groupName").map(String::as_str)
    }
}

/// How the instance's metadata service answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataOptions {
    /// `HttpEndpoint`: `enabled` or `disabled`.
    pub endpoint: String,
    /// `HttpTokens`: `required` or `optional`.
    pub tokens: String,
    /// `HttpPutResponseHopLimit`.
    pub hop_limit: Option<i32>,
    /// `HttpProtocolIpv6`.
    pub ipv6: Option<String>,
    /// `InstanceMetadataTags`.
    pub tags: Option<String>,
}

impl MetadataOptions {
    fn differs_only_in_endpoint(&self, now: &Self) -> bool {
        let same = |own: &Option<String>, now: &Option<String>| own.is_none() || own == now;
        self.tokens == now.tokens
            && (self.hop_limit.is_none() || self.hop_limit == now.hop_limit)
            && same(&self.ipv6, &now.ipv6)
            && same(&self.tags, &now.tags)
    }

    /// What leads to these options from `now`, in the order in which AWS takes it: no option may be changed together with an
    /// endpoint that is turned off, so the endpoint is on while they are set. The second value says that it goes off then.
    #[must_use]
    pub fn changes_from(&self, now: &Self) -> (Option<Self>, bool) {
        if self.endpoint != "disabled" {
            return (Some(self.clone()), false);
        }
        let options = Self { endpoint: "enabled".to_owned(), ..self.clone() };
        ((!self.differs_only_in_endpoint(now)).then_some(options), true)
    }
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its id.
    pub id: EniId,
    /// Its VPC; an instance's interfaces may lie in several.
    pub vpc: VpcId,
    /// The groups on it, in AWS's order.
    pub groups: Vec<GroupId>,
    /// Every private IPv4 and IPv6 address on it.
    pub addresses: Vec<std::net::IpAddr>,
    /// IPv4 and IPv6 prefixes delegated to it, as CIDR blocks.
    pub prefixes: Vec<String>,
    /// Its subnet.
    pub subnet: String,
    /// Its public IPv4 addresses.
    pub public: Vec<PublicAddress>,
    /// `interface`, `efa`, `trunk`, `branch` and what else AWS has.
    pub kind: String,
    /// Its own idle timeouts; none where they are not set.
    pub timeouts: Timeouts,
}

impl Timeouts {
    /// The least that AWS takes.
    pub const LEAST: Self = Self { tcp_established: Some(60), udp_stream: Some(60), udp: Some(30) };
    /// What holds where neither the interface nor its type says otherwise.
    pub const USUAL: Self = Self { tcp_established: Some(432_000), udp_stream: Some(180), udp: Some(30) };

    /// These, and others where these are not set.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            tcp_established: self.tcp_established.or(others.tcp_established),
            udp_stream: self.udp_stream.or(others.udp_stream),
            udp: self.udp.or(others.udp),
        }
    }
}

/// The VPCs that interfaces lie in, each once.
#[must_use]
pub fn vpcs_of(interfaces: &[Interface]) -> Vec<VpcId> {
    let vpcs: BTreeSet<&VpcId> = interfaces.iter().map(|interface| &interface.vpc).collect();
    vpcs.into_iter().cloned().collect()
}

/// A public IPv4 address of an interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicAddress {
    /// The address.
    pub address: std::net::Ipv4Addr,
    /// The private address that it stands for.
    pub private: Option<std::net::Ipv4Addr>,
    /// AWS assigned it: given up, it does not come back.
    pub assigned: bool,
    /// An elastic address's `eipalloc-1` and `eipassoc-1`, which DescribeNetworkInterfaces alone shows.
    pub elastic: Option<(String, String)>,
}

/// After how many idle seconds a tracked flow is forgotten
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html>).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeouts {
    /// An established TCP connection; 60 to 432,000.
    pub tcp_established: Option<u32>,
    /// UDP that more than one request and answer were seen of; 60 to 180.
    pub udp_stream: Option<u32>,
    /// Other UDP; 30 to 60.
    pub udp: Option<u32>,
}

/// An attached EBS volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Its id.
    pub id: VolumeId,
    /// The device name it is attached as.
    pub device: String,
    /// Whether the instance's termination deletes it.
    pub delete_on_termination: bool,
}

/// The way of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To the interface.
    Ingress,
    /// From the interface.
    Egress,
}

/// One rule of a security group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rule {
    /// Its way.
    pub direction: Direction,
    /// `-1` for all protocols, else a name or number.
    pub protocol: String,
    /// The port range, where the protocol has one.
    pub ports: Option<(i32, i32)>,
    /// A CIDR block, a prefix list or a group.
    pub peer: String,
}

/// What a group of ours is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// No rule at all.
    Isolation,
    /// Everything allowed, both ways, both address families.
    Untrack,
}

impl Purpose {
    /// The group's name.
    #[must_use]
    pub fn group_name(self) -> &'static str {
        match self {
            Self::Isolation => "brig-isolation",
            Self::Untrack => "brig-untrack",
        }
    }

    /// The value of the group's tag `brig:role`.
    #[must_use]
    pub fn tag_value(self) -> &'static str {
        match self {
            Self::Isolation => "isolation",
            Self::Untrack => "untrack",
        }
    }
}

/// The tag that a group of ours carries in addition to its name.
pub const GROUP_ROLE_TAG: &str = "brig:role";

/// A security group whose name begins as ours do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityGroup {
    /// Its id.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// Its VPC.
    pub vpc: VpcId,
    /// The account that owns it.
    pub owner: AccountId,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its rules.
    pub rules: Vec<Rule>,
}

impl SecurityGroup {
    /// Whether this is a group that Brig made for `purpose`: name, owner and tag together. A tag alone makes no group
    /// ours, nor does a name.
    #[must_use]
    pub fn is_ours(&self, purpose: Purpose, account: &AccountId) -> bool {
        let named = self.name == purpose.group_name()
            || self.name.strip_prefix(purpose.group_name()).is_some_and(|rest| rest.starts_with("-i-"));
        named
            && self.owner == *account
            && self.tags.get(GROUP_ROLE_TAG).is_some_and(|value| value == purpose.tag_value())
    }

    /// Whether Brig made it, for whichever purpose.
    #[must_use]
    pub fn is_brigs(&self, account: &AccountId) -> bool {
        self.is_ours(Purpose::Isolation, account) || self.is_ours(Purpose::Untrack, account)
    }
}

/// The credentials lane's look.
#[derive(Debug, Clone, Default)]
pub struct CredentialsLook {
    /// The association of the instance with its profile.
    pub association: Option<Association>,
    /// The role in the profile, those that the ledger says the instance had, and those that a finding named.
    pub roles: Vec<RoleLook>,
    /// Profiles that hold no role, or none any more.
    pub empty_profiles: Vec<String>,
    /// What a finding named and IAM did not show.
    pub unresolved: Vec<Unresolved>,
    /// Why AWS does not take a change of the metadata options for this instance.
    pub metadata_waived: Option<Sentence>,
    /// Roles (ARNs) of which a change was refused for good, and why.
    pub refused: BTreeMap<String, Undenied>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// A role that the instance's credentials came from.
#[derive(Debug, Clone)]
pub struct RoleLook {
    /// The role.
    pub role: Role,
    /// Its inline policy of our name, where it has one.
    pub policy: Option<String>,
    /// The policy could not be read.
    pub unread: bool,
    /// The set of instance ARNs that the ledger has for it.
    pub denied: Vec<String>,
    /// Whom the denial that is on record hits; for a role that only a finding names, only the instance.
    pub reach: Option<RoleDeny>,
}

/// What a finding named and could not be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved {
    /// What, and why.
    pub what: Undenied,
    /// The error's own words.
    pub error: Sentence,
    /// Whether a later attempt may find it.
    pub retryable: bool,
}

/// A role whose sessions live on although the instance may hold them, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Undenied {
    /// IAM knows no role of this name in the instance's account.
    NoSuchRole {
        /// Its name.
        role: String,
    },
    /// IAM did not show the role.
    RoleUnread {
        /// Its name.
        role: String,
    },
    /// Nobody can change a service-linked role.
    ServiceLinked {
        /// Its name.
        role: String,
    },
    /// Brig may not write the role's policy.
    NotAllowed {
        /// Its name.
        role: String,
    },
    /// The role's inline policies have no room left.
    PolicyFull {
        /// Its name.
        role: String,
    },
    /// IAM refused the policy for another reason.
    Refused {
        /// Its name.
        role: String,
    },
    /// The profile holds no role: which one it held before is not known.
    EmptyProfile {
        /// Its ARN.
        profile: String,
    },
    /// The role of a profile that the finding shows could not be read.
    ProfileUnread {
        /// Its ARN.
        profile: String,
    },
}

impl Undenied {
    /// The same for a note, where another role of the instance's is known and `denied`.
    #[must_use]
    pub fn sentence_beside(&self, denied: bool) -> String {
        match self {
            Self::EmptyProfile { profile } if denied => format!(
                "its instance profile {} holds no role, or is gone; sessions of a role that it held before live until they expire, unless that role is named here",
                arn_name(profile)
            ),
            Self::NoSuchRole { .. }
            | Self::RoleUnread { .. }
            | Self::ServiceLinked { .. }
            | Self::NotAllowed { .. }
            | Self::PolicyFull { .. }
            | Self::Refused { .. }
            | Self::EmptyProfile { .. }
            | Self::ProfileUnread { .. } => self.sentence(),
        }
    }

    /// For a person, without a full stop.
    #[must_use]
    pub fn sentence(&self) -> String {
        let lives = |role: &str, why: &str| format!("sessions of the role {role} are NOT denied: {why}");
        match self {
            Self::NoSuchRole { role } => lives(role, "IAM knows no role of that name in the instance's account"),
            Self::RoleUnread { role } => lives(role, "the role could not be read"),
            Self::ServiceLinked { role } => lives(role, "no one can change a service-linked role"),
            Self::NotAllowed { role } => lives(role, "Brig is not allowed to write its policy"),
            Self::PolicyFull { role } => lives(role, "its inline policies have no room left"),
            Self::Refused { role } => lives(role, "IAM refused the policy"),
            Self::EmptyProfile { profile } => format!(
                "its instance profile {} holds no role, so nothing was denied: sessions of a role that it held before live until they expire",
                arn_name(profile)
            ),
            Self::ProfileUnread { profile } => format!(
                "sessions from the instance profile {}, which the finding shows on it, are NOT denied: its role could not be read",
                arn_name(profile)
            ),
        }
    }
}

/// An instance's association with an instance profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Association {
    /// `iip-assoc-...`.
    pub id: String,
    /// The instance.
    pub instance: String,
    /// The profile's ARN.
    pub profile: String,
    /// `associating`, `associated`, `disassociating`, `disassociated`.
    pub state: String,
}

/// An IAM role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its name, without the path.
    pub name: String,
    /// Its ARN, with the path.
    pub arn: String,
}

/// The fleet lane's look.
#[derive(Debug, Clone, Default)]
pub struct FleetLook {
    /// The instance's membership of an Auto Scaling group.
    pub membership: Option<Membership>,
    /// Its protection from scale-in, where it has one, is this containment's.
    pub protected_here: bool,
    /// The balancers that the Auto Scaling group registers its members with.
    pub own: ScalingGroup,
    /// Target groups of any VPC that hold the instance's id or one of its addresses.
    pub registrations: Vec<Registration>,
    /// Classic load balancers that hold the instance.
    pub classic: Vec<String>,
    /// How many target groups were searched.
    pub searched: usize,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// Membership of an Auto Scaling group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The group's name.
    pub group: String,
    /// The lifecycle state, `InService`.
    pub state: String,
    /// Protected from scale-in.
    pub protected: bool,
}

/// An Auto Scaling group: its balancers, out of which it takes what it detaches, with draining, and what may stop it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScalingGroup {
    /// ARNs of its target groups.
    pub target_groups: Vec<String>,
    /// Names of its classic load balancers.
    pub classic: Vec<String>,
    /// Its suspended processes, `Launch`.
    pub suspended: Vec<String>,
    /// Names of the hooks that hold an instance on its way out; read only where one does.
    pub hooks: Vec<String>,
}

/// A target group and the targets in it that are this instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The group's ARN.
    pub group: String,
    /// The group's VPC; none for Lambda groups.
    pub vpc: Option<VpcId>,
    /// Targets registered by instance id or by address.
    pub targets: Vec<Target>,
}

/// A target: id and port together name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    /// An instance id or an address.
    pub id: String,
    /// The port it is registered on.
    pub port: Option<i32>,
    /// The Availability Zone it was registered with, where one was given.
    pub zone: Option<String>,
    /// Its health state, `healthy`, `draining`.
    pub state: String,
}

/// The evidence lane's look.
#[derive(Debug, Clone, Default)]
pub struct EvidenceLook {
    /// `disableApiTermination`.
    pub termination_protection: Option<bool>,
    /// `disableApiStop`.
    pub stop_protection: Option<bool>,
    /// `instanceInitiatedShutdownBehavior`.
    pub shutdown_behavior: Option<String>,
    /// What AWS has scheduled for the instance: code and when at the earliest (`instance-retirement not before ...`).
    pub scheduled: Vec<String>,
    /// Snapshots tagged with this containment.
    pub snapshots: Vec<Snapshot>,
    /// They could not be read.
    pub snapshots_unread: bool,
    /// An earlier attempt meant to take them.
    pub attempted: bool,
    /// When and why AWS refused the set for good.
    pub set_refused: Option<Refusal>,
    /// When and why AWS refused a snapshot of a volume for good.
    pub refused: BTreeMap<VolumeId, Refusal>,
    /// Steps, by their keys, that AWS does not take for this instance or snapshot, and why.
    pub waived: BTreeMap<String, Sentence>,
    /// The time.
    pub now: Option<Timestamp>,
    /// After how long a snapshot that failed, or that AWS refused, is tried again; a day where nothing else is said.
    pub rest: Option<Duration>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// A snapshot of one of the instance's volumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its id.
    pub id: SnapshotId,
    /// The volume it is of.
    pub volume: VolumeId,
    /// `pending`, `completed`, `error`.
    pub state: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Locked against deletion; none where that is not known yet.
    pub locked: Option<bool>,
    /// When it was begun.
    pub started: Option<Timestamp>,
}

/// AWS would not do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When it said so.
    pub at: Timestamp,
    /// What it said.
    pub error: Sentence,
}

/// An interface that could not be cut, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Uncut {
    /// The quota of security groups is used up: its VPC has no isolation group, and none can be made.
    SecurityGroupQuota {
        /// The VPC.
        vpc: VpcId,
        /// The interface.
        interface: EniId,
    },
}

impl Uncut {
    /// For a person, without a full stop.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::SecurityGroupQuota { vpc, interface } => format!(
                "{interface} is NOT isolated: the quota of security groups is used up, and {vpc} has no isolation group yet"
            ),
        }
    }
}

/// A volume that no snapshot preserves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Unpreserved {
    /// Its snapshot was begun and failed.
    SnapshotFailed {
        /// The volume.
        volume: VolumeId,
        /// The snapshot that ended in the state `error`.
        snapshot: SnapshotId,
    },
    /// AWS refused to begin one.
    Refused {
        /// The volume.
        volume: VolumeId,
        /// What it said.
        error: Sentence,
    },
}

impl Unpreserved {
    /// For a person, without a full stop.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::SnapshotFailed { volume, snapshot } => {
                format!("{volume} has no snapshot: {snapshot} ended in the state error")
            }
            Self::Refused { volume, error } => format!("{volume} has no snapshot: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(endpoint: &str, tokens: &str) -> MetadataOptions {
        MetadataOptions {
            endpoint: endpoint.to_owned(),
            tokens: tokens.to_owned(),
            hop_limit: Some(2),
            ipv6: None,
            tags: None,
        }
    }

    #[test]
    fn no_option_is_set_together_with_an_endpoint_that_goes_off() {
        let on = options("enabled", "optional");
        assert_eq!(on.changes_from(&options("disabled", "optional")), (Some(on.clone()), false));
        let off = options("disabled", "optional");
        assert_eq!(off.changes_from(&options("enabled", "required")), (Some(on), true));
        assert_eq!(off.changes_from(&options("enabled", "optional")), (None, true));
    }
}
