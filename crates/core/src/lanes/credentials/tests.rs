use expect_test::{Expect, expect};

use super::*;
use crate::{
    model::{Association, InstanceState, MetadataOptions, Role, RoleLook},
    report::fact::{Promise, Truth, credentials::facts},
    step::{DenyRole, DisableMetadata, skipped},
    testing::instance,
};

fn role(arn: &str, policy: Option<String>, denied: Vec<String>) -> RoleLook {
    RoleLook {
        role: Role { name: crate::model::ids::arn_name(arn).to_owned(), arn: arn.to_owned() },
        policy,
        unread: false,
        denied,
        reach: None,
    }
}

fn look() -> CredentialsLook {
    CredentialsLook {
        association: Some(Association {
            id: "iip-assoc-1".to_owned(),
            instance: "i-0123456789abcdef0".to_owned(),
            profile: "arn:aws:iam::123456789012:instance-profile/app".to_owned(),
            state: "associated".to_owned(),
        }),
        roles: vec![role("arn:aws:iam::123456789012:role/web/app-role", None, vec![])],
        ..CredentialsLook::default()
    }
}

fn check(look: &CredentialsLook, instance: &Instance, reach: RoleDeny, expected: &Expect) {
    expected.assert_eq(&plan(look, instance, reach, None).to_string());
}

#[test]
fn the_role_denies_the_profile_goes_and_the_metadata_service_too() {
    check(
        &look(),
        &instance(),
        RoleDeny::Instance,
        &expect![[r#"
            planned      deny_role arn:aws:iam::123456789012:role/web/app-role
            planned      disassociate_profile arn:aws:iam::123456789012:instance-profile/app
            planned      disable_metadata instance
            note: Systems Manager cannot start a session with it once it is cut off, without profile and metadata service; an existing session may continue
        "#]],
    );
}

#[test]
fn who_shares_the_role_is_said() {
    let siblings = ["i-0123456789abcdef1".parse().expect("id")];
    let says = |siblings: &[InstanceId], reach| {
        sharing("app", siblings.to_vec(), reach).map_or_else(String::new, |note| note.to_string())
    };
    expect!["1 other instance(s) use the role app: i-0123456789abcdef1; they keep their access"]
        .assert_eq(&says(&siblings, Denied::Instance));
    expect![
        "1 other instance(s) use the role app: i-0123456789abcdef1; their access is DENIED too (BRIG_ROLE_DENY=role)"
    ]
    .assert_eq(&says(&siblings, Denied::Role));
    expect![""].assert_eq(&says(&[], Denied::Instance));
    expect!["every user of the role app is DENIED, whoever they are (BRIG_ROLE_DENY=role)"]
        .assert_eq(&says(&[], Denied::Role));
}

#[test]
fn an_instance_without_a_profile_loses_only_its_metadata_service() {
    let mut bare = instance();
    bare.profile = None;
    check(
        &CredentialsLook::default(),
        &bare,
        RoleDeny::Instance,
        &expect![[r#"
            planned      disable_metadata instance
            note: it has no instance profile, so there was nothing to deny; credentials of one that it had before live until they expire
            note: Systems Manager cannot start a session with it once it is cut off, without profile and metadata service; an existing session may continue
        "#]],
    );
}

#[test]
fn a_contained_instance_plans_nothing() {
    let mut contained = instance();
    contained.profile = None;
    contained.metadata.endpoint = "disabled".to_owned();
    let arn = contained.id.arn(&contained.account, &contained.region);
    let policy = deny_policy::render(std::slice::from_ref(&arn), RoleDeny::Instance);
    let look = CredentialsLook {
        association: None,
        roles: vec![role("arn:aws:iam::1:role/a", Some(policy), vec![arn])],
        ..look()
    };
    assert_eq!(plan(&look, &contained, RoleDeny::Instance, None).todo().count(), 0);
    assert_eq!(Truth::of(&facts(&look, &contained, None)), Truth::Yes);
    // What is asked for is not what is in effect.
    let pending = Instance { metadata_pending: true, ..contained.clone() };
    assert_ne!(Truth::of(&facts(&look, &pending, None)), Truth::Yes);
    let stopped = Instance { state: InstanceState::Stopped, ..pending };
    assert_eq!(Truth::of(&facts(&look, &stopped, None)), Truth::Yes);
}

#[test]
fn a_policy_of_our_name_that_others_wrote_is_kept_in_the_step() {
    let mut foreign = look();
    foreign.roles[0].policy = Some(r#"{"Statement":[]}"#.to_owned());
    let plan = plan(&foreign, &instance(), RoleDeny::Instance, None);
    assert!(matches!(plan.todo().next(), Some(Step::DenyRole(DenyRole { was: Some(_), .. }))));
}

#[test]
fn a_service_linked_role_is_skipped_and_its_credentials_are_not_called_dead() {
    let mut linked = look();
    linked.roles = vec![role("arn:aws:iam::1:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX", None, vec![])];
    let plan = plan(&linked, &instance(), RoleDeny::Instance, None);
    assert_eq!(plan.steps[0].outcome.word(), "skipped");
    assert_ne!(Truth::of(&facts(&linked, &instance(), None)), Truth::Yes);
}

#[test]
fn a_terminated_instance_keeps_only_the_denial() {
    let mut gone = instance();
    gone.state = InstanceState::Terminated;
    let mut look = look();
    look.association = None;
    gone.profile = None;
    check(
        &look,
        &gone,
        RoleDeny::Instance,
        &expect![[r"
        planned      deny_role arn:aws:iam::123456789012:role/web/app-role
    "]],
    );
}

#[test]
fn the_responders_profile_takes_the_place_of_its_own() {
    const FORENSIC: &str = "arn:aws:iam::123456789012:instance-profile/ir/forensic";
    let mut look = look();
    let mut instance = instance();
    let planned = |look: &CredentialsLook, instance: &Instance| {
        plan(look, instance, RoleDeny::Instance, Some(FORENSIC)).to_string()
    };
    expect![[r#"
        planned      deny_role arn:aws:iam::123456789012:role/web/app-role
        planned      replace_profile instance
        planned      require_tokens instance
    "#]]
    .assert_eq(&planned(&look, &instance));
    look.association.as_mut().expect("an association").profile = FORENSIC.to_owned();
    instance.metadata = MetadataOptions { ipv6: Some("disabled".to_owned()), ..MetadataOptions::guarded() };
    let arn = instance.id.arn(&instance.account, &instance.region);
    let policy = deny_policy::render(std::slice::from_ref(&arn), RoleDeny::Instance);
    look.roles = vec![role("arn:aws:iam::123456789012:role/web/app-role", Some(policy), vec![arn])];
    expect![[r#"
        already_done deny_role arn:aws:iam::123456789012:role/web/app-role - the role denies this instance's sessions
        already_done replace_profile instance - the forensic profile
        already_done require_tokens instance - tokens are required, one hop away at most
    "#]]
    .assert_eq(&planned(&look, &instance));
    assert_eq!(Truth::of(&facts(&look, &instance, Some(FORENSIC))), Truth::Yes);
    // Nor is it one where the responders' profile was its own before.
    let bare = CredentialsLook { roles: Vec::new(), ..look.clone() };
    assert_ne!(Truth::of(&facts(&bare, &instance, Some(FORENSIC))), Truth::Yes);
    // Another profile, or a way past the token, is no containment.
    assert_ne!(Truth::of(&facts(&look, &instance, None)), Truth::Yes);
    instance.metadata.hop_limit = Some(2);
    assert_ne!(Truth::of(&facts(&look, &instance, Some(FORENSIC))), Truth::Yes);
    // Without a profile there is nothing to replace.
    look.association = None;
    expect![[r#"
        already_done deny_role arn:aws:iam::123456789012:role/web/app-role - the role denies this instance's sessions
        planned      disable_metadata instance
        note: the instance shows a profile, yet EC2 lists no association to take away: check it by hand
        note: Systems Manager cannot start a session with it once it is cut off, without profile and metadata service; an existing session may continue
    "#]]
    .assert_eq(&planned(&look, &instance));
}

fn named(what: Undenied) -> crate::model::Unresolved {
    crate::model::Unresolved { what, error: "GetRole: NoSuchEntity: it is not there".into(), retryable: false }
}

#[test]
fn a_role_that_only_the_finding_names_is_denied_for_this_instance_alone() {
    let mut look = CredentialsLook { association: None, ..look() };
    let own = role("arn:aws:iam::123456789012:role/own", None, vec![]);
    let theirs = RoleLook {
        reach: Some(RoleDeny::Instance),
        ..role("arn:aws:iam::123456789012:role/other/before", None, vec![])
    };
    look.roles = vec![own, theirs];
    let bare = Instance { profile: None, ..instance() };
    let plan = plan(&look, &bare, RoleDeny::Role, None);
    let reaches: Vec<(String, RoleDeny)> = plan
        .todo()
        .filter_map(|step| {
            if let Step::DenyRole(DenyRole { role, reach, .. }) = step { Some((role.clone(), *reach)) } else { None }
        })
        .collect();
    assert_eq!(reaches, [("own".to_owned(), RoleDeny::Role), ("before".to_owned(), RoleDeny::Instance)]);
    assert!(!plan.notes.iter().any(|note| note.to_string().contains("no instance profile")), "{plan}");
}

#[test]
fn a_denial_of_the_whole_role_is_not_narrowed_by_a_finding_that_names_the_role() {
    let whole = Some(deny_policy::render(&[], RoleDeny::Role));
    let seen = RoleLook { reach: Some(RoleDeny::Instance), ..role("arn:aws:iam::1:role/a", whole, vec![]) };
    let look = CredentialsLook { roles: vec![seen], ..look() };
    let plan = plan(&look, &instance(), RoleDeny::Role, None);
    assert!(plan.todo().any(|step| matches!(step, Step::DenyRole(DenyRole { reach: RoleDeny::Role, .. }))), "{plan}");
}

#[test]
fn a_role_that_the_finding_names_and_iam_does_not_know_leaves_credentials_partial() {
    let gone = Undenied::NoSuchRole { role: "before".to_owned() };
    let look =
        CredentialsLook { association: None, roles: Vec::new(), unresolved: vec![named(gone.clone())], ..look() };
    let mut bare = Instance { profile: None, ..instance() };
    check(
        &look,
        &bare,
        RoleDeny::Instance,
        &expect![[r#"
            planned      disable_metadata instance
            note: sessions of the role before are NOT denied: IAM knows no role of that name in the instance's account (GetRole: NoSuchEntity: it is not there)
            note: Systems Manager cannot start a session with it once it is cut off, without profile and metadata service; an existing session may continue
        "#]],
    );
    "disabled".clone_into(&mut bare.metadata.endpoint);
    let facts = facts(&look, &bare, None);
    assert_eq!(Truth::of(&facts), Truth::Partial);
    assert!(facts.iter().any(|fact| fact.undenied() == Some(&gone)), "{facts:?}");
    assert!(facts.iter().all(|fact| fact.what != Promise::NoRole), "{facts:?}");
}

#[test]
fn a_profile_without_a_role_is_said_and_never_called_no_profile() {
    let profile = "arn:aws:iam::123456789012:instance-profile/x/app".to_owned();
    let mut empty = CredentialsLook { roles: Vec::new(), empty_profiles: vec![profile], ..look() };
    let mut seen = instance();
    check(
        &empty,
        &seen,
        RoleDeny::Instance,
        &expect![[r#"
            planned      disassociate_profile arn:aws:iam::123456789012:instance-profile/app
            planned      disable_metadata instance
            note: its instance profile app holds no role, so nothing was denied: sessions of a role that it held before live until they expire
            note: Systems Manager cannot start a session with it once it is cut off, without profile and metadata service; an existing session may continue
        "#]],
    );
    empty.association = None;
    seen.profile = None;
    "disabled".clone_into(&mut seen.metadata.endpoint);
    let facts = facts(&empty, &seen, None);
    assert_eq!(Truth::of(&facts), Truth::Unknown);
    assert!(facts.iter().all(|fact| fact.what != Promise::NoRole), "{facts:?}");
}

#[test]
fn why_a_role_was_not_denied_is_kept_as_a_value() {
    let arn = "arn:aws:iam::123456789012:role/web/app-role";
    for (refused, roles) in [
        (Undenied::PolicyFull { role: "app-role".to_owned() }, look().roles),
        (Undenied::NotAllowed { role: "app-role".to_owned() }, look().roles),
        (
            Undenied::ServiceLinked { role: "AWSServiceRoleForX".to_owned() },
            vec![role("arn:aws:iam::1:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX", None, vec![])],
        ),
    ] {
        let look = CredentialsLook { roles, refused: [(arn.to_owned(), refused.clone())].into(), ..look() };
        let facts = facts(&look, &instance(), None);
        assert!(facts.iter().any(|fact| fact.undenied() == Some(&refused)), "{facts:?}");
    }
}

#[test]
fn metadata_options_that_aws_does_not_change_are_a_note_and_no_promise() {
    let step = Step::DisableMetadata(DisableMetadata { was: instance().metadata });
    let mut record = StepRecord::intended("k".to_owned(), step, crate::model::timestamp::Timestamp::from_millis(0));
    record.outcome = Some(Outcome::Skipped("AWS does not take it here".into()));
    let arn = instance().id.arn(&instance().account, &instance().region);
    let policy = deny_policy::render(std::slice::from_ref(&arn), RoleDeny::Instance);
    let look = CredentialsLook {
        association: None,
        roles: vec![role("arn:aws:iam::1:role/a", Some(policy), vec![arn])],
        metadata_waived: metadata_waived(&[record]),
        ..CredentialsLook::default()
    };
    let shown = Instance { profile: None, ..instance() };
    let planned = plan(&look, &shown, RoleDeny::Instance, None);
    assert!(planned.steps.iter().any(|planned| planned.outcome == skipped("AWS does not take it here")), "{planned}");
    assert_eq!(Truth::of(&facts(&look, &shown, None)), Truth::Yes);
}
