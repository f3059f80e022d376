//! What is undone, by whom and where, and the commands that undo it.

use brig_trace::{Presence, Trace};
use expect_test::expect;
use serde_json::{Value, json};

use crate::{
    LEAKED,
    trail::{ACCOUNT, Trail, at, deeds, user},
};

const GROUP: &str = "sg-0aaaaaaaaaaaaaaa1";

fn alice() -> Value {
    user("alice", LEAKED)
}

fn admin() -> Value {
    user("admin", "AKIAADMINADMINADMIN0")
}

fn gone(trace: &Trace) -> Vec<(&str, bool)> {
    let is_gone = |presence: &Presence| matches!(presence, Presence::Gone { .. });
    trace.deeds.iter().map(|deed| (deed.call.as_str(), is_gone(&deed.presence))).collect()
}

/// `protocol`, ports, and a CIDR, as EC2 writes them.
fn rule(protocol: &str, (from, to): (u16, u16), cidr: &str) -> Value {
    json!({"ipProtocol": protocol, "fromPort": from, "toPort": to, "groups": {}, "ipRanges": {"items": [{"cidrIp": cidr}]},
        "ipv6Ranges": {}, "prefixListIds": {}})
}

impl Trail {
    fn authorize(&mut self, rules: &[Value], ids: &[&str]) {
        let made: Vec<Value> = ids.iter().map(|id| json!({"groupId": GROUP, "securityGroupRuleId": id})).collect();
        let asks = json!({"groupId": GROUP, "ipPermissions": {"items": rules}});
        let answer = json!({"securityGroupRuleSet": {"items": made}});
        self.call(&alice(), "ec2", "AuthorizeSecurityGroupIngress", asks, answer);
    }

    fn revoke(&mut self, request: Value, response: Value) {
        self.call(&admin(), "ec2", "RevokeSecurityGroupIngress", request, response);
    }
}

#[test]
fn what_is_made_again_lives_and_is_there() {
    let mut trail = Trail::default();
    let named = || json!({"userName": "svc"});
    trail.call(&alice(), "iam", "CreateLoginProfile", named(), Value::Null);
    trail.call(&admin(), "iam", "DeleteLoginProfile", named(), Value::Null);
    let password = |trail: &Trail| {
        let trace = trail.trace(LEAKED, None, at(100));
        let standing = trace
            .credentials
            .iter()
            .find(|one| one.id.to_string() == "password of svc")
            .expect("it")
            .standing
            .words()
            .0;
        (standing, trace.summary.gone)
    };
    assert_eq!(password(&trail), ("dead", 1));
    trail.call(&alice(), "iam", "CreateLoginProfile", named(), Value::Null);
    assert_eq!(password(&trail), ("unknown", 0));
    trail.call(&admin(), "iam", "DeleteLoginProfile", named(), Value::Null);
    assert_eq!(password(&trail), ("dead", 1));
    let mut trail = Trail::default();
    let policy = || json!({"userName": "svc", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"});
    trail.call(&alice(), "iam", "AttachUserPolicy", policy(), Value::Null);
    trail.call(&admin(), "iam", "DetachUserPolicy", policy(), Value::Null);
    assert_eq!(gone(&trail.trace(LEAKED, None, at(100))), [("AttachUserPolicy", true)]);
    trail.call(&admin(), "iam", "AttachUserPolicy", policy(), Value::Null);
    assert_eq!(gone(&trail.trace(LEAKED, None, at(100))), [("AttachUserPolicy", false)], "by somebody else");
}

#[test]
fn a_rule_is_gone_when_that_rule_was_revoked() {
    let mut trail = Trail::default();
    trail.authorize(
        &[rule("tcp", (22, 22), "0.0.0.0/0"), rule("tcp", (3389, 3389), "0.0.0.0/0")],
        &["sgr-0a", "sgr-0b"],
    );
    let is_gone = |trail: &Trail| gone(&trail.trace(LEAKED, None, at(100)))[0].1;
    let ids = |id: &str| json!({"groupId": GROUP, "securityGroupRuleIds": {"items": [{"securityGroupRuleId": id}]}});
    trail.revoke(ids("sgr-0other"), json!({"_return": true}));
    trail.revoke(
        json!({"groupId": GROUP, "ipPermissions": {"items": [rule("tcp", (22, 22), "0.0.0.0/0")]}}),
        Value::Null,
    );
    trail.revoke(ids("sgr-0a"), json!({"_return": true}));
    assert!(!is_gone(&trail), "one of its two rules is there");
    trail.revoke(
        json!({"groupId": GROUP}),
        json!({"revokedSecurityGroupRuleSet": {"items": [{"securityGroupRuleId": "sgr-0b"}]}}),
    );
    assert!(is_gone(&trail));
}

#[test]
fn another_account_and_another_region_undo_nothing() {
    let mut trail = Trail::default();
    trail.call(&alice(), "iam", "CreateUser", json!({"userName": "backup"}), Value::Null);
    let function = || json!({"functionName": "beacon", "role": "arn:aws:iam::123456789012:role/x"});
    trail.call(&alice(), "lambda", "CreateFunction20150331", function(), Value::Null)["awsRegion"] = json!("eu-west-1");
    let other = "999988887777";
    trail.call(&admin(), "iam", "DeleteUser", json!({"userName": "backup"}), Value::Null)["recipientAccountId"] =
        json!(other);
    trail.call(&admin(), "lambda", "DeleteFunction20150331", json!({"functionName": "beacon"}), Value::Null);
    assert_eq!(trail.trace(LEAKED, None, at(100)).summary.gone, 0);
    // IAM has one Region, and Lambda has many.
    trail.call(&admin(), "iam", "DeleteUser", json!({"userName": "backup"}), Value::Null)["awsRegion"] =
        json!("us-west-2");
    let arn = json!({"functionName": format!("arn:aws:lambda:eu-west-1:{ACCOUNT}:function:beacon")});
    trail.call(&admin(), "lambda", "DeleteFunction20150331", arn, Value::Null)["awsRegion"] = json!("eu-west-1");
    assert_eq!(trail.trace(LEAKED, None, at(100)).summary.gone, 2);
}

#[test]
fn a_trail_that_was_started_again_is_known_by_its_name_or_its_arn_and_stopped_again_it_is_stopped() {
    let mut trail = Trail::default();
    let arn = || json!({"name": format!("arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/main")});
    trail.call(&alice(), "cloudtrail", "StopLogging", json!({"name": "main"}), Value::Null);
    trail.call(&admin(), "cloudtrail", "StartLogging", arn(), Value::Null);
    assert_eq!(gone(&trail.trace(LEAKED, None, at(100))), [("StopLogging", true)]);
    trail.call(&admin(), "cloudtrail", "StopLogging", arn(), Value::Null);
    assert_eq!(gone(&trail.trace(LEAKED, None, at(100))), [("StopLogging", false)]);
}

#[test]
fn who_is_denied_is_not_trusted() {
    let mut trail = Trail::default();
    let policy = json!({"Statement": [
        {"Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::111122223333:user/blocked"}, "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::193672423079:root"}, "Action": "sts:AssumeRole"}]});
    let asks = json!({"roleName": "app", "policyDocument": policy.to_string()});
    trail.call(&alice(), "iam", "UpdateAssumeRolePolicy", asks, Value::Null);
    assert_eq!(
        trail.trace(LEAKED, None, at(100)).deeds[0].detail.as_deref(),
        Some("now trusted: arn:aws:iam::193672423079:root; put back the policy that it had")
    );
}

#[test]
fn each_rule_says_its_protocol_its_ports_and_its_peer_and_is_revoked_by_its_id() {
    let mut trail = Trail::default();
    trail.authorize(&[rule("tcp", (53, 53), "0.0.0.0/0")], &["sgr-0tcp"]);
    trail.authorize(&[rule("udp", (53, 53), "0.0.0.0/0")], &["sgr-0udp"]);
    trail.authorize(
        &[rule("tcp", (0, 65535), "198.51.100.0/24"), rule("tcp", (22, 22), "10.0.0.0/8")],
        &["sgr-0a", "sgr-0b"],
    );
    trail.authorize(
        &[rule("tcp", (0, 65535), "198.51.100.0/24"), rule("tcp", (22, 22), "10.0.0.0/8")],
        &["sgr-0c", "sgr-0d"],
    );
    let peer = json!({"ipProtocol": "-1", "groups": {"items": [{"groupId": "sg-0peer"}]}, "ipRanges": {}});
    let named = json!({"groupName": "default", "ipPermissions": {"items": [peer]}});
    let made = json!({"securityGroupRuleSet": {"items": [{"referencedGroupInfo": {"groupId": "sg-0peer"}, "groupId": "sg-0default", "securityGroupRuleId": "sgr-0e"}]}});
    trail.call(&alice(), "ec2", "AuthorizeSecurityGroupEgress", named, made);
    expect![[r#"
        network AuthorizeSecurityGroupIngress x1 ["sg-0aaaaaaaaaaaaaaa1"] (ingress tcp 53 from 0.0.0.0/0) Done Unknown { why: "nobody has looked yet" }
            aws ec2 revoke-security-group-ingress --region us-east-1 --group-id sg-0aaaaaaaaaaaaaaa1 --security-group-rule-ids sgr-0tcp
        network AuthorizeSecurityGroupIngress x1 ["sg-0aaaaaaaaaaaaaaa1"] (ingress udp 53 from 0.0.0.0/0) Done Unknown { why: "nobody has looked yet" }
            aws ec2 revoke-security-group-ingress --region us-east-1 --group-id sg-0aaaaaaaaaaaaaaa1 --security-group-rule-ids sgr-0udp
        network AuthorizeSecurityGroupIngress x1 ["sg-0aaaaaaaaaaaaaaa1"] (ingress tcp 0-65535 from 198.51.100.0/24; tcp 22 from 10.0.0.0/8) Done Unknown { why: "nobody has looked yet" }
            aws ec2 revoke-security-group-ingress --region us-east-1 --group-id sg-0aaaaaaaaaaaaaaa1 --security-group-rule-ids sgr-0a sgr-0b
        network AuthorizeSecurityGroupIngress x1 ["sg-0aaaaaaaaaaaaaaa1"] (ingress tcp 0-65535 from 198.51.100.0/24; tcp 22 from 10.0.0.0/8) Done Unknown { why: "nobody has looked yet" }
            aws ec2 revoke-security-group-ingress --region us-east-1 --group-id sg-0aaaaaaaaaaaaaaa1 --security-group-rule-ids sgr-0c sgr-0d
        network AuthorizeSecurityGroupEgress x1 ["sg-0default"] (egress all traffic to sg-0peer) Done Unknown { why: "nobody has looked yet" }
            aws ec2 revoke-security-group-egress --region us-east-1 --group-id sg-0default --security-group-rule-ids sgr-0e
    "#]].assert_eq(&deeds(&trail.trace(LEAKED, None, at(100))));
}

#[test]
fn a_command_is_whole_and_can_be_pasted_or_there_is_none() {
    let mut trail = Trail::default();
    let alice = alice();
    let add = |peers: Value| json!({"createVolumePermission": {"add": {"items": peers}}, "snapshotId": "snap-0"});
    trail.call(
        &alice,
        "ec2",
        "ModifyImageAttribute",
        json!({"imageId": "ami-0", "attributeType": "description", "description": {"value": "x"}}),
        Value::Null,
    );
    let unit = "arn:aws:organizations::999:ou/o-evil/ou-1";
    let launch = json!({"imageId": "ami-0", "launchPermission": {"add": {"items": [{"organizationalUnitArn": unit}]}}});
    trail.call(&alice, "ec2", "ModifyImageAttribute", launch, Value::Null);
    trail.call(
        &alice,
        "ec2",
        "ModifySnapshotAttribute",
        add(json!([{"group": "all"}, {"userId": "193672423079"}])),
        Value::Null,
    );
    let many: Vec<Value> = (0..400).map(|number| json!({"userId": format!("{number:012}")})).collect();
    trail.call(&alice, "ec2", "ModifySnapshotAttribute", add(json!(many)), Value::Null);
    trail.call(
        &alice,
        "rds",
        "ModifyDBSnapshotAttribute",
        json!({"dBSnapshotIdentifier": "exfil", "attributeName": "restore", "valuesToAdd": ["193672423079"]}),
        Value::Null,
    );
    trail.call(
        &alice,
        "rds",
        "ModifyDBSnapshotAttribute",
        json!({"dBSnapshotIdentifier": "exfil", "attributeName": "restore", "valuesToRemove": ["193672423079"]}),
        Value::Null,
    );
    trail.call(&alice, "ec2", "CreateKeyPair", json!({"keyName": "ops  key"}), Value::Null);
    trail.call(&alice, "ec2", "CreateKeyPair", json!({"keyName": "ops key; reboot"}), Value::Null);
    trail.call(&alice, "iam", "CreatePolicyVersion", json!({"policyArn": "arn:aws:iam::1:policy/p"}), Value::Null);
    trail.call(
        &alice,
        "iam",
        "UpdateAssumeRolePolicy",
        json!({"roleName": "app", "policyDocument": "{}"}),
        Value::Null,
    );
    trail.call(
        &alice,
        "lambda",
        "UpdateFunctionConfiguration",
        json!({"functionName": "f", "layers": ["arn:x"]}),
        Value::Null,
    );
    let many: Vec<Value> = (0..20).map(|number| json!({"instanceId": format!("i-0{number:016x}")})).collect();
    trail.call(&alice, "ec2", "RunInstances", Value::Null, json!({"instancesSet": {"items": many}}));
    let trace = trail.trace(LEAKED, None, at(100));
    let launched = trace.deeds.iter().find(|deed| deed.call == "RunInstances").expect("it");
    let command = launched.undo.clone().unwrap_or_default();
    assert!(command.ends_with("i-00000000000000013"), "all of them: {command}");
    trail.records.pop();
    expect![[r#"
        credential CreateKeyPair x1 ["ops key"] (-) Done Unknown { why: "nobody has looked yet" }
        credential CreateKeyPair x1 ["ops key; reboot"] (-) Done Unknown { why: "nobody has looked yet" }
            aws ec2 delete-key-pair --region us-east-1 --key-name 'ops key; reboot'
        trust UpdateAssumeRolePolicy x1 ["app"] (put back the policy that it had) Done Unknown { why: "nobody has looked yet" }
        policy CreatePolicyVersion x1 ["arn:aws:iam::1:policy/p"] (make the version before it the default again) Done Unknown { why: "nobody has looked yet" }
        function UpdateFunctionConfiguration x1 ["f"] (its layers: arn:x; put back those that it had) Done Unknown { why: "nobody has looked yet" }
        share ModifyImageAttribute x1 ["ami-0"] (open to arn:aws:organizations::999:ou/o-evil/ou-1) Done Unknown { why: "nobody has looked yet" }
            aws ec2 modify-image-attribute --region us-east-1 --image-id ami-0 --attribute launchPermission --operation-type remove --organizational-unit-arns arn:aws:organizations::999:ou/o-evil/ou-1
        share ModifySnapshotAttribute x1 ["snap-0"] (open to 193672423079, all) Done Unknown { why: "nobody has looked yet" }
            aws ec2 modify-snapshot-attribute --region us-east-1 --snapshot-id snap-0 --attribute createVolumePermission --operation-type remove --group-names all --user-ids 193672423079
        share ModifySnapshotAttribute x1 ["snap-0"] (open to 000000000000, 000000000001, 000000000002, 000000000003, 000000000004, 000000000005, 000000000006, 000000000007, 000000000008, 000000000009, 000000000010, 000000000011, 000000000012, 000000000013, 000000000014, 000000000015, 000000000016, 000000000…) Done Unknown { why: "nobody has looked yet" }
        share ModifyDBSnapshotAttribute x1 ["exfil"] (open to 193672423079) Done Gone { seen: "by the record: ModifyDBSnapshotAttribute at 2026-09-21T14:13:25.000Z" }
        share ModifyDBSnapshotAttribute x1 ["exfil"] (no longer open to 193672423079) Done Unknown { why: "nobody has looked yet" }
        other ModifyImageAttribute x1 ["ami-0"] (an attribute that shares nothing) Done Unknown { why: "nobody has looked yet" }
    "#]].assert_eq(&deeds(&trail.trace(LEAKED, None, at(100))));
}

#[test]
fn the_root_users_key_has_words_in_the_place_of_a_command() {
    let mut trail = Trail::default();
    let root =
        json!({"type": "Root", "principalId": ACCOUNT, "accountId": ACCOUNT, "accessKeyId": "ASIAROOTROOTROOT0000"});
    trail.call(
        &root,
        "iam",
        "CreateAccessKey",
        Value::Null,
        json!({"accessKey": {"accessKeyId": "AKIAROOTROOTROOT0000"}}),
    );
    let trace = trail.trace("ASIAROOTROOTROOT0000", None, at(100));
    assert_eq!(
        (trace.deeds[0].undo.as_deref(), trace.deeds[0].detail.as_deref()),
        (None, Some("an access key of the root user, which it has to turn off itself"))
    );
}
