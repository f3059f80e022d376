//! Small worlds for this crate's tests.

use crate::{
    decide::Decided,
    ledger::{Conclusion, Containment, Named, State},
    model::{
        Credential, CredentialKind, Instance, InstanceState, Interface, MetadataOptions, Principal, PublicAddress,
        Purpose, RoleShown, Rule, SecurityGroup, Timeouts, User, Volume, ids::AccountId, timestamp::Timestamp,
    },
    report::{answer::Answer, message::Audience, verdict::Verdict},
    trigger::{Finding, Source},
};

pub(crate) const INSTANCE: &str = "i-0123456789abcdef0";

pub(crate) const AUDIENCE: Audience<'static> = Audience {
    function: "brig-contain",
    release_function: "brig-release",
    table: "brig",
    account: None,
    region: None,
    log_group: "/aws/lambda/brig",
    instance_name: None,
    exemption: None,
    told: None,
};

pub(crate) fn account() -> AccountId {
    "123456789012".parse().expect("account")
}

pub(crate) fn finding() -> Finding {
    Finding {
        source: Source::GuardDuty,
        kind: "Backdoor:EC2/C&CActivity.B!DNS".to_owned(),
        severity: Some(8.0),
        by_person: false,
        place: crate::trigger::Place::Stated,
        ..Finding::occasion(
            "f1".to_owned(),
            "Command and control".to_owned(),
            account(),
            "us-east-1".parse().expect("region"),
            INSTANCE.parse().expect("id"),
        )
    }
}

pub(crate) fn manual() -> Finding {
    Finding {
        source: Source::Manual,
        id: "manual-r1".to_owned(),
        kind: "Manual".to_owned(),
        title: "requested by a person".to_owned(),
        severity: None,
        by_person: true,
        ..finding()
    }
}

/// GuardDuty's finding about a key of the user.
pub(crate) fn about_user() -> Finding<Principal> {
    let key = Principal::AccessKey { id: "AKIAIOSFODNN7EXAMPLE".parse().expect("a key"), user: None };
    Finding {
        source: Source::GuardDuty,
        kind: "UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom".to_owned(),
        severity: Some(8.0),
        by_person: false,
        place: crate::trigger::Place::Stated,
        ..Finding::occasion(
            "f1".to_owned(),
            "The key of alice was used from a malicious address".to_owned(),
            account(),
            "us-east-1".parse().expect("region"),
            key,
        )
    }
}

pub(crate) fn credential(kind: CredentialKind, id: &str, created: Option<Timestamp>) -> Credential {
    Credential { kind, id: id.to_owned(), active: true, created }
}

/// The user whose active key a finding names.
pub(crate) fn user_of(principal: &Principal) -> User {
    let mut user = user();
    if let Principal::AccessKey { id, .. } = principal {
        let key = credential(CredentialKind::AccessKey, id.as_str(), Timestamp::parse("2026-01-01T00:00:00Z"));
        user.credentials.insert(CredentialKind::AccessKey, Some(vec![key]));
    }
    user
}

pub(crate) const DENY: &str = "arn:aws:iam::aws:policy/AWSDenyAll";

/// What a denial of today is made of.
pub(crate) fn terms() -> crate::lanes::holder::Terms {
    let before = Timestamp::parse("2026-01-02T03:04:05Z").expect("a time");
    crate::lanes::holder::Terms { deny: DENY.to_owned(), since: None, before }
}

/// A role that nothing was done to.
pub(crate) fn role() -> RoleShown {
    RoleShown {
        account: account(),
        name: "app".parse().expect("a name"),
        arn: "arn:aws:iam::123456789012:role/app".to_owned(),
        tags: std::collections::BTreeMap::new(),
        policy: Some(None),
        gaps: Vec::new(),
    }
}

/// A user with one active access key and one active SSH key.
pub(crate) fn user() -> User {
    let one = |kind, id: &str| (kind, Some(vec![credential(kind, id, Timestamp::parse("2026-01-01T00:00:00Z"))]));
    let none = |kind| (kind, Some(Vec::new()));
    User {
        account: account(),
        name: "alice".parse().expect("a name"),
        arn: "arn:aws:iam::123456789012:user/staff/alice".to_owned(),
        boundary: None,
        tags: std::collections::BTreeMap::new(),
        credentials: [
            one(CredentialKind::AccessKey, "AKIAIOSFODNN7EXAMPLE"),
            one(CredentialKind::SshPublicKey, "APKAIOSFODNN7EXAMPLE"),
            none(CredentialKind::ServiceSpecificCredential),
            none(CredentialKind::SigningCertificate),
        ]
        .into(),
        attached: Some(vec!["arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned()]),
        inline: Some(Vec::new()),
        groups: Some(vec!["developers".to_owned()]),
        console: Some(true),
        mfa: Some(0),
        gaps: Vec::new(),
    }
}

pub(crate) fn instance() -> Instance {
    Instance {
        state: InstanceState::Running,
        launched: Timestamp::parse("2026-01-01T00:00:00Z"),
        profile: Some("arn:aws:iam::123456789012:instance-profile/app".to_owned()),
        metadata: MetadataOptions {
            endpoint: "enabled".to_owned(),
            tokens: "optional".to_owned(),
            hop_limit: Some(1),
            ipv6: None,
            tags: None,
        },
        interfaces: vec![interface("eni-a", "vpc-1", &["sg-web", "sg-ssh"])],
        volumes: vec![volume("vol-root", "/dev/xvda", true), volume("vol-data", "/dev/sdf", false)],
        public: true,
        instance_type: "m5.large".to_owned(),
        ..Instance::gone(INSTANCE.parse().expect("id"), account(), "us-east-1".parse().expect("region"))
    }
}

/// An answer in which nothing was looked at.
pub(crate) fn answer() -> Answer {
    Answer {
        containment_id: Some("c".into()),
        verdict: Verdict::untouched(String::new()),
        instance_name: Some("web-1".to_owned()),
        ..Answer::nothing_done(&finding(), Decided::contain("GuardDuty: Command and control"), Conclusion::Contained)
    }
}

/// An open containment of the instance.
pub(crate) fn current() -> Containment {
    let at = Timestamp::from_millis(0);
    Containment {
        containment: "c".into(),
        state: State::Open,
        holder: String::new(),
        lease_until: at,
        version: 1,
        claimed_at: at,
        findings: vec!["f".to_owned()],
        reason: String::new().into(),
        outcome: None,
        told: None,
        released_at: None,
        stop: false,
        named: Named::default(),
        last_activity: None,
        contest: None,
        counted: None,
        concluded_at: None,
    }
}

pub(crate) fn volume(id: &str, device: &str, delete_on_termination: bool) -> Volume {
    Volume { id: id.into(), device: device.to_owned(), delete_on_termination }
}

pub(crate) fn interface(id: &str, vpc: &str, groups: &[&str]) -> Interface {
    Interface {
        id: id.into(),
        vpc: vpc.into(),
        groups: groups.iter().map(|group| (*group).into()).collect(),
        addresses: vec!["10.0.0.7".parse().expect("address")],
        prefixes: Vec::new(),
        subnet: format!("subnet-{vpc}"),
        public: Vec::new(),
        kind: "interface".to_owned(),
        timeouts: Timeouts::default(),
    }
}

pub(crate) fn public(address: &str) -> PublicAddress {
    PublicAddress { address: address.parse().expect("an address"), private: None, assigned: true, elastic: None }
}

pub(crate) fn our_group(purpose: Purpose, vpc: &str, rules: Vec<Rule>) -> SecurityGroup {
    SecurityGroup {
        id: format!("sg-{}-{vpc}", purpose.tag_value()).into(),
        name: purpose.group_name().to_owned(),
        vpc: vpc.into(),
        owner: account(),
        tags: [("brig:role".to_owned(), purpose.tag_value().to_owned())].into(),
        rules,
    }
}
