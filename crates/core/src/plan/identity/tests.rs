use expect_test::{Expect, expect};

use super::*;
use crate::{
    survey::{Association, InstanceState, Role},
    testing::instance,
};

fn role(arn: &str, policy: Option<String>, denied: Vec<String>) -> RoleLook {
    RoleLook {
        role: Role { name: crate::ids::arn_name(arn).to_owned(), arn: arn.to_owned() },
        policy,
        unread: false,
        denied,
    }
}

fn look() -> IdentityLook {
    IdentityLook {
        association: Some(Association {
            id: "iip-assoc-1".to_owned(),
            instance: "i-0123456789abcdef0".to_owned(),
            profile: "arn:aws:iam::123456789012:instance-profile/app".to_owned(),
            state: "associated".to_owned(),
        }),
        roles: vec![role("arn:aws:iam::123456789012:role/web/app-role", None, vec![])],
        ..IdentityLook::default()
    }
}

fn check(look: &IdentityLook, instance: &Instance, reach: RoleDeny, expected: &Expect) {
    expected.assert_eq(&plan(look, instance, reach).to_string());
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
            note: Systems Manager cannot reach it: its profile and the metadata service are off, and no flow can start
        "#]],
    );
}

#[test]
fn who_shares_the_role_is_said() {
    let siblings = ["i-0123456789abcdef1".parse().expect("id")];
    let says = |siblings: &[InstanceId], reach| sharing("app", siblings, reach).unwrap_or_default();
    expect!["1 other instance(s) use the role app: i-0123456789abcdef1; they keep their access"]
        .assert_eq(&says(&siblings, RoleDeny::Instance));
    expect![
        "1 other instance(s) use the role app: i-0123456789abcdef1; their access is DENIED too (BRIG_ROLE_DENY=role)"
    ]
    .assert_eq(&says(&siblings, RoleDeny::Role));
    expect![""].assert_eq(&says(&[], RoleDeny::Instance));
    expect!["every user of the role app is DENIED, whoever they are (BRIG_ROLE_DENY=role)"]
        .assert_eq(&says(&[], RoleDeny::Role));
}

#[test]
fn an_instance_without_a_profile_loses_only_its_metadata_service() {
    let mut bare = instance();
    bare.profile = None;
    check(
        &IdentityLook::default(),
        &bare,
        RoleDeny::Instance,
        &expect![[r"
        planned      disable_metadata instance
    "]],
    );
}

#[test]
fn a_contained_instance_plans_nothing() {
    let mut contained = instance();
    contained.profile = None;
    contained.metadata.endpoint = "disabled".to_owned();
    let arn = contained.id.arn(&contained.account, &contained.region);
    let policy = deny_policy::render(std::slice::from_ref(&arn), RoleDeny::Instance);
    let look = IdentityLook {
        association: None,
        roles: vec![role("arn:aws:iam::1:role/a", Some(policy), vec![arn])],
        ..look()
    };
    assert_eq!(plan(&look, &contained, RoleDeny::Instance).todo().count(), 0);
    assert_eq!(Truth::of(&facts(&look, &contained)), Truth::Yes);
}

#[test]
fn a_policy_of_our_name_that_others_wrote_is_kept_in_the_step() {
    let mut foreign = look();
    foreign.roles[0].policy = Some(r#"{"Statement":[]}"#.to_owned());
    let plan = plan(&foreign, &instance(), RoleDeny::Instance);
    assert!(matches!(plan.todo().next(), Some(Step::DenyRole { was: Some(_), .. })));
}

#[test]
fn a_service_linked_role_is_skipped_and_its_credentials_are_not_called_dead() {
    let mut linked = look();
    linked.roles = vec![role("arn:aws:iam::1:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX", None, vec![])];
    let plan = plan(&linked, &instance(), RoleDeny::Instance);
    assert_eq!(plan.steps[0].outcome.word(), "skipped");
    assert_ne!(Truth::of(&facts(&linked, &instance())), Truth::Yes);
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
