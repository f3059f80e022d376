use expect_test::{Expect, expect};

use super::*;
use crate::{
    survey::{Association, InstanceState, Role},
    testing::instance,
};

fn look() -> IdentityLook {
    IdentityLook {
        association: Some(Association {
            id: "iip-assoc-1".to_owned(),
            instance: "i-0123456789abcdef0".to_owned(),
            profile: "arn:aws:iam::123456789012:instance-profile/app".to_owned(),
            state: "associated".to_owned(),
        }),
        role: Some(Role { name: "app-role".to_owned(), arn: "arn:aws:iam::123456789012:role/web/app-role".to_owned() }),
        siblings: vec!["i-0123456789abcdef1".parse().expect("id")],
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
        &expect![[r"
            planned      deny_role arn:aws:iam::123456789012:role/web/app-role
            planned      disassociate_profile arn:aws:iam::123456789012:instance-profile/app
            planned      disable_metadata instance
            note: 1 other instance(s) use the role app-role: i-0123456789abcdef1; they keep their access
        "]],
    );
}

#[test]
fn denying_the_role_says_who_is_hit() {
    let plan = plan(&look(), &instance(), RoleDeny::Role);
    assert!(plan.notes[0].ends_with("their access is DENIED too (BRIG_ROLE_DENY=role)"), "{:?}", plan.notes);
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
    let look = IdentityLook {
        association: None,
        deny_policy: Some(deny_policy::render(std::slice::from_ref(&arn), RoleDeny::Instance)),
        denied: vec![arn],
        siblings: Vec::new(),
        ..look()
    };
    assert_eq!(plan(&look, &contained, RoleDeny::Instance).todo().count(), 0);
    assert_eq!(Truth::of(&facts(&look, &contained)), Truth::Yes);
}

#[test]
fn a_policy_of_our_name_that_others_wrote_is_kept_in_the_step() {
    let mut foreign = look();
    foreign.deny_policy = Some(r#"{"Statement":[]}"#.to_owned());
    let plan = plan(&foreign, &instance(), RoleDeny::Instance);
    assert!(matches!(plan.todo().next(), Some(Step::DenyRole { was: Some(_), .. })));
}

#[test]
fn a_service_linked_role_is_skipped_and_its_credentials_are_not_called_dead() {
    let mut linked = look();
    linked.role = Some(Role {
        name: "AWSServiceRoleForX".to_owned(),
        arn: "arn:aws:iam::123456789012:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX".to_owned(),
    });
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
    look.siblings.clear();
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
