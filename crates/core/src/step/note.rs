//! What people should know and no step does: typed, so that it can be told apart without its words, which stand in
//! `report/note.rs`.

use std::net::{IpAddr, Ipv4Addr};

use crate::model::{
    Exposure, Reached, ShownKey, Undenied,
    gap::Gap,
    ids::{EniId, GroupId, InstanceId, Region, UserName, VpcId},
    text::Sentence,
    timestamp::Timestamp,
};

/// Whom a role's policy denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// The contained instances' sessions.
    Instance,
    /// Everybody, as the setting asks.
    Role,
    /// Everybody, since the instances are too many to be named.
    Overflow,
    /// The sessions that were issued before the denial.
    Earlier,
}

/// The two kinds of fleets that launch instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FleetKind {
    Ec2,
    Spot,
}

/// One thing that people should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    // The network.
    /// An interface stood open to the world.
    Exposed(Exposure),
    NoInterface,
    FabricAdapter(EniId),
    /// A group with Brig's name that Brig did not make.
    ForeignGroup {
        vpc: VpcId,
        name: String,
        group: GroupId,
    },
    /// An isolation group with rules that holds an interface of no active containment.
    SharedIsolationGroup {
        vpc: VpcId,
        group: GroupId,
    },
    StrayRules {
        group: GroupId,
        count: usize,
    },
    /// How to make room for a group. `free` has no rule, and no interface carries it.
    MakeRoom {
        vpc: VpcId,
        region: Region,
        free: Option<GroupId>,
    },
    AskForQuota(Region),
    CutByHand {
        eni: EniId,
        region: Region,
        group: Option<GroupId>,
    },
    /// An address that AWS assigned and that stays.
    AddressStays {
        eni: EniId,
        address: Ipv4Addr,
    },
    /// An address that AWS assigned and does not give back.
    AddressLost {
        eni: EniId,
        address: Ipv4Addr,
    },
    /// Forensic access that nobody can use by SSH or RDP.
    NobodyGetsIn(VpcId),
    /// Forensic access that Systems Manager cannot use.
    NoEndpoint(VpcId),
    ForensicAccessUnread(Gap),

    // Network ACLs.
    AclUnseen {
        subnet: String,
    },
    AclOfAnother {
        acl: String,
        owner: String,
        addresses: Vec<IpAddr>,
    },
    AclsUnread(Sentence),
    /// An address that may not be denied, and is or may be. `why` is a verb phrase.
    StaysDenied {
        address: IpAddr,
        why: String,
    },
    OwnAddress(IpAddr),
    NotDenied {
        address: IpAddr,
        why: String,
    },
    /// A rule in one direction only.
    OneWay {
        rule: String,
        why: Sentence,
    },
    AclServesAll {
        acl: String,
        subnets: Vec<String>,
    },
    AclFull {
        acl: String,
        all: usize,
        left: Vec<IpAddr>,
    },

    // Credentials.
    ProfileWithoutAssociation,
    NoProfile,
    /// `others` says whether another role of the instance's is known and denied.
    Undenied {
        what: Undenied,
        others: bool,
    },
    Unresolved {
        what: Undenied,
        error: Sentence,
    },
    /// What no denial on a role reaches.
    NotCovered,
    DenialTakesTime,
    NoSession,
    NoSessionStarts,
    /// Other instances that use the role.
    RoleShared {
        role: String,
        siblings: Vec<InstanceId>,
        by: Denied,
    },
    RoleStaysDenied {
        role: String,
        others: usize,
    },
    ForeignPolicy {
        role: String,
    },

    // A user.
    /// Roles that the user assumed: their sessions are theirs.
    RolesOfUser(UserName),
    PasswordStays(UserName),
    /// What the user's credentials called last, or the key that was named.
    Reached(Reached),
    /// The instance shows a user's key: its user is asked about.
    KeyShown(ShownKey),
    /// What was undone, or made, while the user was being contained.
    CameMeanwhile {
        what: &'static str,
        resource: String,
    },

    // The fleet.
    AutoMode,
    KubernetesNode {
        instance: InstanceId,
        cluster: Option<String>,
    },
    Karpenter {
        instance: InstanceId,
        pool: String,
        spot: bool,
    },
    ManagedNodeGroup(String),
    EcsInstance,
    Spot,
    LaunchedByFleet {
        kind: FleetKind,
        id: String,
    },
    MayBeReplaced {
        group: String,
    },
    WaitsInHook {
        group: String,
    },
    EndsWithoutHook {
        group: String,
    },
    HeldByHook {
        group: String,
    },
    InWarmPool {
        group: String,
    },
    LaunchSuspended {
        group: String,
    },
    ProtectionEnds {
        group: String,
    },
    StaysOut {
        group: String,
    },
    TargetElsewhere {
        group: String,
        vpc: Option<VpcId>,
        target: String,
    },
    TargetWasDraining {
        group: String,
        target: String,
    },
    TargetGone {
        group: String,
        target: String,
    },

    // Evidence.
    ScheduledEvent(String),
    SpotEvidence,
    InstanceStoreRoot,
    SnapshotSets(usize),
    NotTagged(Sentence),
    NotStopped(Sentence),
    EvidenceStays,

    // The record, and who else works on it.
    Gap(Gap),
    TakenOver,
    ForcedFrom(String),
    EndNotOnRecord(Sentence),
    ReportNotOnRecord(Sentence),
    QuestionNotOnRecord(Sentence),
    QuestionsNotClosed(Sentence),
    StateTagNotSet {
        word: String,
        error: Sentence,
    },
    LeftAlone(Sentence),
    /// There was no time to look at more than the cut.
    Late,
    TrailUnread {
        id: String,
        error: Sentence,
    },
    TrailCall {
        id: String,
        call: String,
        by: String,
        at: Option<Timestamp>,
    },
    TrailCallerUnknown {
        id: String,
        call: String,
        error: Sentence,
    },
    TrailSilent,
    /// What else the event says.
    OfTheEvent(Sentence),
    /// What does not hold, or is not known.
    OfAFact(Sentence),
    /// Nobody was notified of the answer, and why.
    NotNotified(Sentence),
    /// People were notified, and the chat channel was not.
    NotInChat(Sentence),
    /// Interfaces that no flow log covers.
    Unwatched(Vec<EniId>),
}
