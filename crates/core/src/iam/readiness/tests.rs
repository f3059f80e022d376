use expect_test::{Expect, expect};

use super::*;
use crate::{
    step::{Denial, PolicyKind},
    testing,
};

fn own() -> AccountId {
    "123456789012".parse().expect("an account")
}

fn ready() -> Look {
    let group = |purpose| testing::our_group(purpose, "vpc-1", Vec::new());
    Look {
        reads: vec![(Read::DescribeInstances, Ok(()))],
        changes: vec![("ec2:CreateSecurityGroup", Some(Ok(())))],
        ledger: Ok(()),
        topic: Ok(Topic { confirmed: 2, pending: 0, key: None }),
        published: Some(Ok(())),
        vpcs: Ok(vec!["vpc-1".into()]),
        groups: Ok(vec![group(Purpose::Isolation), group(Purpose::Untrack)]),
        detectors: Ok(vec![true]),
        trails: Ok(vec![Trail { name: "all".to_owned(), all_regions: true, logging: true }]),
        flow_logs: Ok(vec!["vpc-1".to_owned()]),
        default_tokens: Ok(Some("required".to_owned())),
        without_tokens: Ok(0),
        members: vec![("999988887777".parse().expect("an account"), Ok(()))],
    }
}

fn check(look: &Look, expected: &Expect) {
    let shown: Vec<String> = judge(look, &own())
        .iter()
        .map(|line| format!("{:?} {}: {} -> {}", line.state, line.check, line.detail, line.todo))
        .collect();
    expected.assert_eq(&shown.join("\n"));
}

#[test]
fn what_was_seen_in_place_is_ok() {
    check(
        &ready(),
        &expect![[r#"
            Ok permissions to look: 1 calls were tried and allowed -> 
            Ok permissions to change: EC2 would allow ec2:CreateSecurityGroup (tried without effect) -> 
            Unknown permissions of IAM, Auto Scaling and Elastic Load Balancing to change: these services have no DryRun -> a drill shows them
            Ok ledger: written and read -> 
            Ok people: 2 confirmed subscription(s); whether they reach anybody, a drill shows -> 
            Ok message to people: sent to the topic -> 
            Ok Brig's groups: in each of 1 VPC(s) -> 
            Ok GuardDuty: enabled in this Region -> 
            Ok CloudTrail: all records all Regions -> 
            Ok flow logs: on each of 1 VPC(s) -> 
            Ok metadata default: new instances require tokens -> 
            Ok metadata: every running instance requires tokens -> 
            Ok member role in 999988887777: assumed -> 
            Unknown SCP for users: not seen whether users can change IAM while Brig denies one: only the organization's management account and its delegated administrators can read SCPs -> attach UsersDoNotChangeIam of infra/scp.json; aws organizations list-policies-for-target --target-id 123456789012 --filter SERVICE_CONTROL_POLICY shows what is attached"#]],
    );
}

#[test]
fn what_lacks_says_what_to_do() {
    let look = Look {
        changes: vec![
            ("ec2:CreateSecurityGroup", Some(Err(Unseen { denial: Some(Denial::Unsaid), error: "no".to_owned() }))),
            ("ec2:CreateSnapshots", None),
        ],
        topic: Ok(Topic { confirmed: 0, pending: 1, key: Some("alias/people".to_owned()) }),
        published: Some(Err(Unseen { denial: Some(Denial::Unsaid), error: "Publish: KMSAccessDenied: no".to_owned() })),
        vpcs: Ok(vec!["vpc-1".into(), "vpc-2".into()]),
        detectors: Ok(vec![false]),
        trails: Ok(vec![Trail { name: "here".to_owned(), all_regions: false, logging: true }]),
        default_tokens: Ok(None),
        without_tokens: Ok(3),
        members: vec![("999988887777".parse().expect("an account"), Err("AccessDenied".to_owned()))],
        ..ready()
    };
    check(
        &look,
        &expect![[r#"
            Ok permissions to look: 1 calls were tried and allowed -> 
            Missing permissions to change: ec2:CreateSecurityGroup -> grant these actions to the role
            Unknown permissions to change: not tried: ec2:CreateSnapshots -> give "instance_id" to try what EC2 can try (the interface once Brig's groups are there); DisassociateIamInstanceProfile only a drill shows
            Unknown permissions of IAM, Auto Scaling and Elastic Load Balancing to change: these services have no DryRun -> a drill shows them
            Ok ledger: written and read -> 
            Missing people: no one is subscribed to the topic; 1 subscription(s) are not confirmed -> subscribe the on-call, and confirm it
            Missing message to people: the topic, which is encrypted under alias/people: Publish: KMSAccessDenied: no -> grant the role sns:Publish and, for an encrypted topic, kms:GenerateDataKey and kms:Decrypt, in the key's policy too
            Missing Brig's groups: not in vpc-2 -> ask again with "prepare": true (not in observe mode), which saves the first cut in each VPC two round trips
            Missing GuardDuty: not enabled in this Region -> enable it, here and in every Region in use
            Missing CloudTrail: no trail both covers all Regions and is recording -> let one trail cover all Regions, and start it
            Missing flow logs: no log of the whole VPC vpc-2 -> aws ec2 create-flow-logs --resource-type VPC; without them nothing can prove the cut afterwards
            Missing metadata default: new instances may answer without a token -> aws ec2 modify-instance-metadata-defaults --http-tokens required
            Missing metadata: 3 running instance(s) give credentials without a token -> aws ec2 modify-instance-metadata-options --http-tokens required, after a look at what uses version 1
            Missing member role in 999988887777: AccessDenied -> deploy infra/member-role.yaml there, and set BRIG_MEMBER_ROLE
            Unknown SCP for users: not seen whether users can change IAM while Brig denies one: only the organization's management account and its delegated administrators can read SCPs -> attach UsersDoNotChangeIam of infra/scp.json; aws organizations list-policies-for-target --target-id 123456789012 --filter SERVICE_CONTROL_POLICY shows what is attached"#]],
    );
}

#[test]
fn what_was_not_seen_is_unknown() {
    let denied = || Unseen { denial: Some(Denial::Unsaid), error: "AccessDenied".to_owned() };
    let look = Look {
        reads: vec![(Read::LookupEvents, Err(denied()))],
        changes: Vec::new(),
        ledger: Err(denied()),
        topic: Err(denied()),
        published: None,
        vpcs: Err(denied()),
        detectors: Err(Unseen { denial: None, error: "Timeout".to_owned() }),
        ..ready()
    };
    check(
        &look,
        &expect![[r#"
            Missing permissions to look: cloudtrail:LookupEvents -> grant these actions to the function's role
            Unknown permissions of IAM, Auto Scaling and Elastic Load Balancing to change: these services have no DryRun -> a drill shows them
            Unknown ledger: AccessDenied -> grant the role the table, or repair the table
            Unknown people: AccessDenied -> grant sns:GetTopicAttributes
            Unknown message to people: no message was sent to the topic -> ask with "notify": true, which sends one to everybody who is subscribed
            Unknown Brig's groups: AccessDenied -> grant ec2:DescribeVpcs
            Unknown GuardDuty: Timeout -> look at the error, and ask again
            Ok CloudTrail: all records all Regions -> 
            Unknown flow logs: AccessDenied -> grant ec2:DescribeVpcs and DescribeFlowLogs
            Ok metadata default: new instances require tokens -> 
            Ok metadata: every running instance requires tokens -> 
            Ok member role in 999988887777: assumed -> 
            Unknown SCP for users: not seen whether users can change IAM while Brig denies one: only the organization's management account and its delegated administrators can read SCPs -> attach UsersDoNotChangeIam of infra/scp.json; aws organizations list-policies-for-target --target-id 123456789012 --filter SERVICE_CONTROL_POLICY shows what is attached"#]],
    );
}

#[test]
fn a_grant_is_advised_only_where_it_helps() {
    let forbidden =
        || Unseen { denial: Some(Denial::Explicit(PolicyKind::ServiceControl)), error: "AccessDenied".to_owned() };
    let look = Look {
        reads: vec![(Read::LookupEvents, Err(forbidden()))],
        changes: vec![("ec2:CreateSecurityGroup", Some(Err(forbidden())))],
        topic: Err(forbidden()),
        ..ready()
    };
    let lines = judge(&look, &own());
    let advised: Vec<&Line> = lines.iter().filter(|line| line.todo.contains("a grant does not help")).collect();
    let checks: Vec<&str> = advised.iter().map(|line| line.check.as_str()).collect();
    assert_eq!(checks, ["permissions to look", "permissions to change", "people"], "{lines:#?}");
    assert!(advised.iter().all(|line| !line.todo.starts_with("grant")), "{advised:#?}");
}
