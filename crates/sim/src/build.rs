//! Worlds to break, and the instance in them that is contained.

use std::{collections::BTreeMap, net::Ipv4Addr};

use brig_core::{
    model::{
        self, Credential, CredentialKind, Direction, InstanceState, MetadataOptions, Role, Rule, SecurityGroup, Target,
        Volume,
        ids::{GroupId, InstanceId, UserName, VpcId},
        network_acl::{AclEntry, LAST_NUMBER, NetworkAcl},
        reach::{Route, RouteTable},
        timestamp::Timestamp,
    },
    trigger::{Finding, Source},
};
use ipnet::IpNet;

use crate::world::{Instance, Interface, Scaling, TargetGroup, User, World};

/// The account of every world.
pub const ACCOUNT: &str = "123456789012";
/// Its Region.
pub const REGION: &str = "us-east-1";
const LAUNCHED: &str = "2026-01-01T00:00:00Z";

/// The instance that a world is about.
#[derive(Debug, Clone)]
pub struct Victim {
    pub id: InstanceId,
    /// Another instance of the same role and group.
    pub sibling: InstanceId,
}

impl World {
    /// A user with two access keys, an SSH key, a service-specific credential, a password, and an inactive certificate.
    pub fn user_named(&mut self, name: &str) -> UserName {
        let user: UserName = name.parse().expect("a user's name");
        let created = Timestamp::parse(LAUNCHED);
        let mut credential = |kind, prefix: &str, active| {
            self.next += 1;
            Credential { kind, id: format!("{prefix}{:016}", self.next), active, created }
        };
        let credentials = vec![
            credential(CredentialKind::AccessKey, "AKIA", true),
            credential(CredentialKind::AccessKey, "AKIA", true),
            credential(CredentialKind::SshPublicKey, "APKA", true),
            credential(CredentialKind::ServiceSpecificCredential, "ACCA", true),
            credential(CredentialKind::SigningCertificate, "CERT", false),
        ];
        let attached = ["arn:aws:iam::aws:policy/PowerUserAccess".to_owned()].into();
        self.users.insert(user.clone(), User { credentials, attached, console: true, ..User::default() });
        user
    }

    /// A group that lets web traffic in and everything out.
    pub fn open_group(&mut self, vpc: &str, name: &str) -> GroupId {
        let id = GroupId::from(self.id("sg"));
        let rule =
            |direction, peer: &str| Rule { direction, protocol: "-1".to_owned(), ports: None, peer: peer.to_owned() };
        let group = SecurityGroup {
            id: id.clone(),
            name: name.to_owned(),
            vpc: vpc.into(),
            owner: ACCOUNT.parse().expect("an account"),
            tags: BTreeMap::new(),
            rules: vec![rule(Direction::Egress, "0.0.0.0/0"), rule(Direction::Ingress, "10.0.0.0/8")],
        };
        self.groups.insert(id.clone(), (group, 0));
        id
    }

    /// A running instance with a root volume.
    pub fn instance(&mut self, number: u32) -> InstanceId {
        let id: InstanceId = format!("i-{number:017x}").parse().expect("an id");
        let root = Volume {
            id: format!("vol-{number:04}a").as_str().into(),
            device: "/dev/xvda".to_owned(),
            delete_on_termination: true,
        };
        let shown = model::Instance {
            id: id.clone(),
            account: ACCOUNT.parse().expect("an account"),
            region: REGION.parse().expect("a Region"),
            state: InstanceState::Running,
            launched: Timestamp::parse(LAUNCHED),
            tags: [("Name".to_owned(), format!("web-{number}"))].into(),
            profile: None,
            metadata: MetadataOptions {
                endpoint: "enabled".to_owned(),
                tokens: "optional".to_owned(),
                hop_limit: Some(2),
                ipv6: None,
                tags: None,
            },
            interfaces: Vec::new(),
            volumes: vec![root],
            metadata_pending: false,
            ebs_root: true,
            spot: false,
            public: true,
            instance_type: "m5.large".to_owned(),
            auto_recovery: Some("default".to_owned()),
            hibernates: false,
            state_reason: None,
        };
        let instance = Instance {
            shown,
            termination_protection: false,
            stop_protection: false,
            shutdown: "terminate".to_owned(),
            user_data: String::new(),
            scheduled: Vec::new(),
            stopping_since: None,
        };
        self.instances.insert(id.clone(), instance);
        id
    }

    /// An interface on an instance.
    pub fn interface(&mut self, instance: &InstanceId, vpc: &str, groups: &[&GroupId], address: &str) {
        let id = self.id("eni");
        let shown = model::Interface {
            id: id.as_str().into(),
            vpc: vpc.into(),
            groups: groups.iter().map(|group| (*group).clone()).collect(),
            addresses: vec![address.parse().expect("an address")],
            prefixes: Vec::new(),
            subnet: format!("subnet-{vpc}"),
            public: Vec::new(),
            kind: "interface".to_owned(),
            timeouts: model::Timeouts::default(),
        };
        let eni = Interface {
            shown,
            instance: Some(instance.clone()),
            cut_since: None,
            was_cut: false,
            trunk: None,
            managed: false,
        };
        self.interfaces.insert(id.as_str().into(), eni);
        if self.reach.tables.iter().all(|table| table.vpc.as_str() != vpc) {
            let routes = vec![Route { destination: "10.0.0.0/8".to_owned(), target: "local".to_owned() }];
            self.reach.tables.push(RouteTable {
                vpc: vpc.into(),
                owner: None,
                main: true,
                subnets: Vec::new(),
                routes,
            });
        }
    }

    /// A network ACL as AWS makes it.
    pub fn acl(&mut self, id: &str, subnets: &[&str]) {
        let everything = IpNet::new_assert(Ipv4Addr::UNSPECIFIED.into(), 0);
        let entries = [false, true].into_iter().flat_map(|egress| {
            [(100, true), (LAST_NUMBER + 1, false)].map(|(number, allow)| AclEntry {
                number,
                egress,
                allow,
                protocol: "-1".to_owned(),
                cidr: everything,
            })
        });
        let acl = NetworkAcl {
            id: id.to_owned(),
            owner: Some(ACCOUNT.to_owned()),
            subnets: subnets.iter().map(|subnet| (*subnet).to_owned()).collect(),
            entries: entries.collect(),
        };
        self.acls.insert(id.to_owned(), acl);
    }

    /// A data volume on an instance.
    pub fn volume(&mut self, instance: &InstanceId, device: &str, delete_on_termination: bool) {
        let id = self.id("vol");
        let volume = Volume { id: id.as_str().into(), device: device.to_owned(), delete_on_termination };
        if let Some(instance) = self.instances.get_mut(instance) {
            instance.shown.volumes.push(volume);
        }
    }

    /// A role in a profile of another name, associated with an instance.
    pub fn profile(&mut self, instance: &InstanceId, role: &str) {
        let name = format!("{role}-profile");
        let arn = format!("arn:aws:iam::{ACCOUNT}:instance-profile/app/{name}");
        let held = Role { name: role.to_owned(), arn: format!("arn:aws:iam::{ACCOUNT}:role/app/{role}") };
        self.profiles.insert(name, (arn.clone(), Some(held)));
        let id = self.id("iip-assoc");
        self.associations.insert(id, (instance.clone(), arn));
    }

    /// A target group with these targets.
    pub fn target_group(&mut self, name: &str, vpc: &str, kind: &str, targets: &[(&str, i32)]) -> String {
        let arn = format!("arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/{name}/1");
        let targets = targets.iter().map(|(id, port)| target(id, *port)).collect();
        let group = TargetGroup { vpc: VpcId::from(vpc), kind: kind.to_owned(), targets, protocol: "HTTP".to_owned() };
        self.target_groups.insert(arn.clone(), group);
        arn
    }

    /// An Auto Scaling group of these members.
    pub fn scaling_group(&mut self, name: &str, members: &[&InstanceId], target_groups: &[&str]) {
        let group = Scaling {
            desired: members.len(),
            most: members.len() + 2,
            target_groups: target_groups.iter().map(|arn| (*arn).to_owned()).collect(),
            members: members.iter().map(|id| ((*id).clone(), "InService".to_owned())).collect(),
            patience: Some(600_000),
            replaced: 0,
            protected: std::collections::BTreeSet::new(),
            suspended: Vec::new(),
            hooks: BTreeMap::new(),
        };
        for id in members {
            if let Some(instance) = self.instances.get_mut(*id) {
                instance.shown.tags.insert("aws:autoscaling:groupName".to_owned(), name.to_owned());
            }
        }
        self.scaling.insert(name.to_owned(), group);
    }

    /// The production-looking account: a group of two behind three target groups and a classic load balancer; two
    /// interfaces in two VPCs, three volumes, a shared role.
    #[must_use]
    pub fn production() -> (Self, Victim) {
        let mut world = Self { takes_timeouts: true, ..Self::default() };
        let (web, admin) = (world.open_group("vpc-1", "web"), world.open_group("vpc-1", "admin"));
        let far = world.open_group("vpc-2", "far");
        let (id, sibling) = (world.instance(1), world.instance(2));
        world.interface(&id, "vpc-1", &[&web, &admin], "10.0.0.1");
        world.interface(&id, "vpc-2", &[&far], "10.9.0.1");
        world.interface(&sibling, "vpc-1", &[&web], "10.0.0.2");
        world.volume(&id, "/dev/sdf", false);
        world.volume(&id, "/dev/sdg", true);
        world.profile(&id, "app");
        world.profile(&sibling, "app");
        let (a, b) = (id.to_string(), sibling.to_string());
        let own = world.target_group("web", "vpc-1", "instance", &[(&a, 80), (&b, 80)]);
        world.target_group("ports", "vpc-1", "instance", &[(&a, 8080), (&a, 9090), (&b, 8080)]);
        world.target_group("addresses", "vpc-1", "ip", &[("10.0.0.1", 443), ("10.0.0.2", 443)]);
        world.classic.insert("classic".to_owned(), [id.clone(), sibling.clone()].into());
        world.scaling_group("group", &[&id, &sibling], &[&own]);
        (world, Victim { id, sibling })
    }

    /// One instance with one interface, a role, and nothing else.
    #[must_use]
    pub fn plain() -> (Self, Victim) {
        let mut world = Self { takes_timeouts: true, ..Self::default() };
        let web = world.open_group("vpc-1", "web");
        let (id, sibling) = (world.instance(1), world.instance(2));
        world.interface(&id, "vpc-1", &[&web], "10.0.0.1");
        world.interface(&sibling, "vpc-1", &[&web], "10.0.0.2");
        world.profile(&id, "app");
        world.profile(&sibling, "app");
        (world, Victim { id, sibling })
    }
}

/// A healthy target.
pub(crate) fn target(id: &str, port: i32) -> Target {
    Target { id: id.to_owned(), port: Some(port), zone: None, state: "healthy".to_owned() }
}

/// A severe finding about an instance.
#[must_use]
pub(crate) fn finding(instance: &InstanceId, id: &str) -> Finding {
    let (account, region) = (ACCOUNT.parse().expect("an account"), REGION.parse().expect("a Region"));
    Finding {
        source: Source::GuardDuty,
        kind: "Backdoor:EC2/C&CActivity.B!DNS".to_owned(),
        severity: Some(8.0),
        by_person: false,
        place: brig_core::trigger::Place::Stated,
        ..Finding::occasion(id.to_owned(), "Command and control".to_owned(), account, region, instance.clone())
    }
}
