//! The ledger holds steps as JSON of every version: what each kind looks like there stays.

use std::net::{IpAddr, Ipv4Addr};

use expect_test::expect_file;

use super::{GroupRef, Step};
use crate::{
    model::{Direction, MetadataOptions, Purpose, Rule, Target, Timeouts, deny_policy::RoleDeny, ids::UserName},
    step::{
        ActivateAccessKey, ActivateServiceSpecificCredential, ActivateSigningCertificate, ActivateSshPublicKey,
        AllowInNetworkAcl, AllowRole, AllowRoleSessions, AssociateAddress, AssociateProfile, AttachInstances,
        AttachUserPolicy, AuthorizeForensicAccess, AuthorizeSecurityGroupRules, CreateSecurityGroup, CreateSnapshot,
        CreateSnapshots, DeactivateAccessKey, DeactivateServiceSpecificCredential, DeactivateSigningCertificate,
        DeactivateSshPublicKey, DeleteTags, DenyInNetworkAcl, DenyRole, DenyRoleSessions,
        DeregisterInstancesFromLoadBalancer, DeregisterTargets, DetachInstances, DetachUserPolicy, DisableAutoRecovery,
        DisableMetadata, DisassociateAddress, DisassociateProfile, Isolate, KeepVolumes, LockSnapshot, Made,
        ProtectFromScaleIn, ProtectStop, ProtectTermination, PutUserPermissionsBoundary,
        RecordLifecycleActionHeartbeat, RegisterInstancesWithLoadBalancer, RegisterTargets, ReplaceProfile,
        RequireTokens, RestoreAutoRecovery, RestoreGroups, RestoreMetadata, RestoreProfile, RestoreShutdown,
        RestoreTimeouts, RestoreUserPermissionsBoundary, RestoreVolumes, Reversal, RevokeSecurityGroupRules,
        ShortenTimeouts, SnapshotMemory, StartInstance, StopInstance, StopOnShutdown, TagInstance, TagSnapshot,
        UnassignPublicAddress, UnprotectFromScaleIn, UnprotectStop, UnprotectTermination, Untrack,
    },
};

fn group(purpose: Purpose) -> GroupRef {
    GroupRef { vpc: "vpc-1".into(), purpose, name: "brig-isolation".to_owned(), id: Some("sg-9".into()) }
}

fn rules() -> Vec<Rule> {
    let (protocol, peer) = ("tcp".to_owned(), "0.0.0.0/0".to_owned());
    vec![Rule { direction: Direction::Ingress, protocol, ports: Some((22, 22)), peer }]
}

fn metadata() -> MetadataOptions {
    MetadataOptions {
        endpoint: "enabled".to_owned(),
        tokens: "optional".to_owned(),
        hop_limit: Some(2),
        ipv6: None,
        tags: Some("disabled".to_owned()),
    }
}

fn targets() -> Vec<Target> {
    vec![Target { id: "i-1".to_owned(), port: Some(80), zone: None, state: "healthy".to_owned() }]
}

const DENY: &str = "arn:aws:iam::aws:policy/AWSDenyAll";

fn user() -> UserName {
    "alice".parse().expect("a name")
}

const PUBLIC: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 9);
const PRIVATE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 9);
const REMOTE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));

/// One of each kind.
#[expect(clippy::too_many_lines, reason = "a list of every kind")]
pub(super) fn every_step() -> Vec<Step> {
    let timeouts = Timeouts { tcp_established: Some(350), udp_stream: None, udp: Some(30) };
    vec![
        Step::CreateSecurityGroup(CreateSecurityGroup { group: group(Purpose::Isolation) }),
        Step::RevokeSecurityGroupRules(RevokeSecurityGroupRules { group: group(Purpose::Isolation), was: rules() }),
        Step::AuthorizeSecurityGroupRules(AuthorizeSecurityGroupRules { group: group(Purpose::Untrack) }),
        Step::AuthorizeForensicAccess(AuthorizeForensicAccess { group: group(Purpose::Isolation), rules: rules() }),
        Step::Isolate(Isolate {
            eni: "eni-1".into(),
            was: Some(vec!["sg-1".into()]),
            isolation: group(Purpose::Isolation),
        }),
        Step::Untrack(Untrack {
            eni: "eni-1".into(),
            untrack: group(Purpose::Untrack),
            isolation: group(Purpose::Isolation),
            seconds: 5,
        }),
        Step::ShortenTimeouts(ShortenTimeouts { eni: "eni-1".into(), was: timeouts }),
        Step::DisassociateAddress(DisassociateAddress {
            eni: "eni-1".into(),
            address: PUBLIC,
            private: Some(PRIVATE),
            allocation: "eipalloc-1".to_owned(),
            association: "eipassoc-1".to_owned(),
        }),
        Step::UnassignPublicAddress(UnassignPublicAddress { eni: "eni-1".into(), address: PUBLIC }),
        Step::DenyInNetworkAcl(DenyInNetworkAcl {
            acl: "acl-1".to_owned(),
            address: REMOTE,
            ingress: 1,
            egress: 2,
            subnets: vec!["subnet-1".to_owned()],
            instance_arn: "arn:i".to_owned(),
        }),
        Step::DenyRole(DenyRole {
            role: "app".to_owned(),
            role_arn: "arn:r".to_owned(),
            instance_arn: "arn:i".to_owned(),
            reach: RoleDeny::Instance,
            was: Some("{}".to_owned()),
        }),
        Step::DisassociateProfile(DisassociateProfile { association: "iip-1".to_owned(), was: "arn:p".to_owned() }),
        Step::ReplaceProfile(ReplaceProfile {
            association: "iip-1".to_owned(),
            was: "arn:p".to_owned(),
            with: "arn:f".to_owned(),
        }),
        Step::RequireTokens(RequireTokens { was: metadata() }),
        Step::DisableMetadata(DisableMetadata { was: metadata() }),
        Step::DetachInstances(DetachInstances {
            group: "web".to_owned(),
            was: "InService".to_owned(),
            protected: true,
        }),
        Step::ProtectFromScaleIn(ProtectFromScaleIn { group: "web".to_owned() }),
        Step::RecordLifecycleActionHeartbeat(RecordLifecycleActionHeartbeat {
            group: "web".to_owned(),
            hook: "drain".to_owned(),
        }),
        Step::DeregisterTargets(DeregisterTargets { group: "arn:tg".to_owned(), was: targets() }),
        Step::DeregisterInstancesFromLoadBalancer(DeregisterInstancesFromLoadBalancer {
            balancer: "classic".to_owned(),
        }),
        Step::ProtectTermination(ProtectTermination { was: false }),
        Step::ProtectStop(ProtectStop { was: true }),
        Step::StopOnShutdown(StopOnShutdown { was: "terminate".to_owned() }),
        Step::DisableAutoRecovery(DisableAutoRecovery { was: "default".to_owned() }),
        Step::KeepVolumes(KeepVolumes { was: vec![("/dev/xvda".to_owned(), "vol-1".into())] }),
        Step::CreateSnapshots(CreateSnapshots { volumes: vec!["vol-1".into()] }),
        Step::CreateSnapshot(CreateSnapshot { volume: "vol-1".into() }),
        Step::LockSnapshot(LockSnapshot { snapshot: "snap-1".into(), days: 7 }),
        Step::TagSnapshot(TagSnapshot { snapshot: "snap-1".into(), device: "/dev/xvda".to_owned() }),
        Step::StopInstance(StopInstance { hibernate: true, lift: false }),
        Step::SnapshotMemory(SnapshotMemory),
        Step::TagInstance(TagInstance),
        Step::PutUserPermissionsBoundary(PutUserPermissionsBoundary {
            user: user(),
            boundary: DENY.to_owned(),
            was: Some("arn:b".to_owned()),
        }),
        Step::AttachUserPolicy(AttachUserPolicy { user: user(), policy: DENY.to_owned() }),
        Step::DeactivateAccessKey(DeactivateAccessKey { user: user(), id: "AKIA1".to_owned(), made: Made::Before }),
        Step::DeactivateServiceSpecificCredential(DeactivateServiceSpecificCredential {
            user: user(),
            id: "ACCA1".to_owned(),
            made: Made::Since,
        }),
        Step::DeactivateSshPublicKey(DeactivateSshPublicKey {
            user: user(),
            id: "APKA1".to_owned(),
            made: Made::Before,
        }),
        Step::DeactivateSigningCertificate(DeactivateSigningCertificate {
            user: user(),
            id: "CERT1".to_owned(),
            made: Made::Before,
        }),
        Step::DenyRoleSessions(DenyRoleSessions {
            role: "app".parse().expect("a name"),
            role_arn: "arn:aws:iam::123456789012:role/app".to_owned(),
            before: crate::model::timestamp::Timestamp::from_millis(1_790_000_000_000),
            was: None,
        }),
        Step::GiveBack(Reversal::AllowRoleSessions(AllowRoleSessions {
            role: "app".parse().expect("a name"),
            role_arn: "arn:aws:iam::123456789012:role/app".to_owned(),
            was: None,
        })),
        Step::GiveBack(Reversal::RestoreUserPermissionsBoundary(RestoreUserPermissionsBoundary {
            user: user(),
            boundary: DENY.to_owned(),
            was: None,
        })),
        Step::GiveBack(Reversal::DetachUserPolicy(DetachUserPolicy { user: user(), policy: DENY.to_owned() })),
        Step::GiveBack(Reversal::ActivateAccessKey(ActivateAccessKey { user: user(), id: "AKIA1".to_owned() })),
        Step::GiveBack(Reversal::ActivateServiceSpecificCredential(ActivateServiceSpecificCredential {
            user: user(),
            id: "ACCA1".to_owned(),
        })),
        Step::GiveBack(Reversal::ActivateSshPublicKey(ActivateSshPublicKey { user: user(), id: "APKA1".to_owned() })),
        Step::GiveBack(Reversal::ActivateSigningCertificate(ActivateSigningCertificate {
            user: user(),
            id: "CERT1".to_owned(),
        })),
        Step::GiveBack(Reversal::RestoreGroups(RestoreGroups { eni: "eni-1".into(), groups: vec!["sg-1".into()] })),
        Step::GiveBack(Reversal::RestoreTimeouts(RestoreTimeouts { eni: "eni-1".into(), timeouts })),
        Step::GiveBack(Reversal::AssociateAddress(AssociateAddress {
            eni: "eni-1".into(),
            address: PUBLIC,
            private: Some(PRIVATE),
            allocation: "eipalloc-1".to_owned(),
        })),
        Step::GiveBack(Reversal::AllowInNetworkAcl(AllowInNetworkAcl {
            acl: "acl-1".to_owned(),
            address: REMOTE,
            ingress: 1,
            egress: 2,
            instance_arn: "arn:i".to_owned(),
        })),
        Step::GiveBack(Reversal::AllowRole(AllowRole {
            role: "app".to_owned(),
            role_arn: "arn:r".to_owned(),
            instance_arn: "arn:i".to_owned(),
            reach: RoleDeny::Role,
            was: None,
            foreign: true,
        })),
        Step::GiveBack(Reversal::AssociateProfile(AssociateProfile { profile: "arn:p".to_owned() })),
        Step::GiveBack(Reversal::ReplaceProfile(RestoreProfile {
            association: "iip-1".to_owned(),
            profile: "arn:p".to_owned(),
        })),
        Step::GiveBack(Reversal::RestoreMetadata(RestoreMetadata { options: metadata() })),
        Step::GiveBack(Reversal::AttachInstances(AttachInstances { group: "web".to_owned() })),
        Step::GiveBack(Reversal::RegisterTargets(RegisterTargets { group: "arn:tg".to_owned(), targets: targets() })),
        Step::GiveBack(Reversal::RegisterInstancesWithLoadBalancer(RegisterInstancesWithLoadBalancer {
            balancer: "classic".to_owned(),
        })),
        Step::GiveBack(Reversal::UnprotectFromScaleIn(UnprotectFromScaleIn { group: "web".to_owned() })),
        Step::GiveBack(Reversal::UnprotectTermination(UnprotectTermination)),
        Step::GiveBack(Reversal::StartInstance(StartInstance)),
        Step::GiveBack(Reversal::UnprotectStop(UnprotectStop)),
        Step::GiveBack(Reversal::RestoreShutdown(RestoreShutdown { behavior: "terminate".to_owned() })),
        Step::GiveBack(Reversal::RestoreAutoRecovery(RestoreAutoRecovery { setting: "default".to_owned() })),
        Step::GiveBack(Reversal::RestoreVolumes(RestoreVolumes { devices: vec!["/dev/xvda".to_owned()] })),
        Step::GiveBack(Reversal::DeleteTags(DeleteTags)),
    ]
}

#[test]
fn there_is_one_of_each_kind() {
    use strum::IntoEnumIterator as _;
    let all = every_step();
    let here = |kind: crate::step::Kind| all.iter().any(|step| step.kind() == kind);
    for kind in crate::step::StepKind::iter().filter(|kind| *kind != crate::step::StepKind::GiveBack) {
        assert!(here(crate::step::Kind::Contain(kind)), "{kind:?}");
    }
    for kind in crate::step::ReversalKind::iter() {
        assert!(here(crate::step::Kind::Release(kind)), "{kind:?}");
    }
}

#[test]
fn the_ledgers_json_keys_and_sentences_stay() {
    let shown: Vec<String> = every_step()
        .iter()
        .map(|step| {
            let json = serde_json::to_string(step).expect("JSON");
            assert_eq!(serde_json::from_str::<Step>(&json).expect("reads back"), *step);
            let actions = step.iam_actions().join(" ");
            let (name, operation, key) = (step.name(), step.kind().operation(), step.key("i-1"));
            let (lane, change) = (step.lane().name(), step.change());
            format!("{json}\n  {lane} {name} {operation} {key}\n  {change}\n  {actions}\n")
        })
        .collect();
    expect_file!["../../goldens/steps.txt"].assert_eq(&shown.join("\n"));
}
