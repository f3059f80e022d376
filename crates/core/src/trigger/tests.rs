mod events;
mod hostile;
mod meanings;
mod mutations;
mod reports;
mod securityhub;
mod told;
mod users;
mod variants;

use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::{Principal, timestamp::Timestamp};

fn invoked() -> Invoked {
    Invoked {
        account: "111122223333".parse().expect("account"),
        region: "eu-central-1".parse().expect("region"),
        request_id: "7f9d2b1c".to_owned(),
    }
}

fn policy() -> Policy {
    Policy {
        custom_actions: vec!["arn:aws:securityhub:us-east-1:123456789012:action/custom/Contain".to_owned()],
        ..Policy::default()
    }
}

fn check(event: &Value, expected: &Expect) {
    let text = match parse(event, &invoked(), &policy()) {
        Ok(Parsed::Request(request)) => {
            let lines: Vec<String> = request
                .findings
                .iter()
                .map(|f| {
                    let marks = [
                        ("sample", f.sample),
                        ("archived", f.closed.is_some()),
                        ("attacked", f.role == Some(ResourceRole::Target)),
                        ("shared host", f.doubt == Some(Doubt::SharedHost)),
                        ("mentioned", f.doubt == Some(Doubt::Mentioned)),
                        ("by a person", f.by_person),
                        ("said by another account", f.said_by != f.account),
                    ];
                    let marks: Vec<&str> = marks.iter().filter(|(_, on)| *on).map(|(mark, _)| *mark).collect();
                    let severity = f.severity.map_or_else(|| "none".to_owned(), |s| s.to_string());
                    format!(
                        "{:?}{} {:?} {} in {}/{}: {} severity {severity} [{}] {}",
                        request.action,
                        if request.force == Force::Yes { " by force" } else { "" },
                        f.source,
                        f.target,
                        f.account,
                        f.region,
                        f.kind,
                        marks.join(" "),
                        f.title
                    )
                })
                .collect();
            let addresses = request
                .addresses
                .iter()
                .map(|a| format!("{:?} the address {} in {}/{}", request.action, a.address, a.account, a.region));
            let notes =
                request.findings.first().into_iter().flat_map(|f| f.notes.iter().map(|note| format!("note: {note}")));
            let unread = request.unread.iter().map(|unread| format!("unread: {unread}"));
            let notices = request.notices.iter().map(|notice| format!("notice: {}", notice.summary()));
            lines.into_iter().chain(addresses).chain(notes).chain(unread).chain(notices).collect::<Vec<_>>().join("\n")
        }
        Ok(Parsed::Batch(batch)) => batch
            .iter()
            .map(|queued| match &queued.body {
                Ok(parsed) => match parsed.as_ref() {
                    Parsed::Request(request) => format!("{}: {} finding(s)", queued.message_id, request.findings.len()),
                    Parsed::Notice(notice) => format!("{}: notice: {}", queued.message_id, notice.summary()),
                    Parsed::Nothing(_)
                    | Parsed::Batch(_)
                    | Parsed::TrailCall(_)
                    | Parsed::LedgerRequest(_)
                    | Parsed::Readiness(_) => {
                        format!("{}: nothing", queued.message_id)
                    }
                },
                Err(error) => format!("{}: error: {error}", queued.message_id),
            })
            .collect::<Vec<_>>()
            .join("\n"),
        Ok(Parsed::Nothing(reason)) => format!("nothing: {reason}"),
        Ok(Parsed::Notice(notice)) => format!("notice: {}", notice.summary()),
        Ok(Parsed::TrailCall(touched)) => format!("{touched:?}"),
        Ok(Parsed::Readiness(asked)) => format!("{asked:?}"),
        Ok(Parsed::LedgerRequest(roll)) => format!("{roll:?}"),
        Err(ParseError::UnsupportedEvent(message)) => format!("UnsupportedEvent: {message}"),
        Err(ParseError::InvalidRequest(message)) => format!("InvalidRequest: {message}"),
        Err(ParseError::Unread(unread)) => format!("InvalidRequest: {unread}"),
    };
    expected.assert_eq(&text);
}

fn finding() -> Value {
    json!({
        "schemaVersion": "2.0", "accountId": "123456789012", "region": "us-east-1", "id": "f1",
        "type": "Backdoor:EC2/C&CActivity.B!DNS", "severity": 8, "title": "Command and control",
        "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": "i-0123456789abcdef0"}},
        "service": {"archived": false, "resourceRole": "ACTOR", "eventLastSeen": "2026-01-02T03:04:05Z"}
    })
}

fn enveloped(detail: Value) -> Value {
    let mut event = json!({"source": "aws.guardduty", "detail-type": "GuardDuty Finding",
        "account": "999988887777", "region": "us-east-1"});
    event["detail"] = detail;
    event
}

#[test]
fn a_finding_is_read_from_its_envelope_and_bare() {
    let expected = expect![
        "Contain GuardDuty i-0123456789abcdef0 in 123456789012/us-east-1: Backdoor:EC2/C&CActivity.B!DNS severity 8 [said by another account] Command and control"
    ];
    check(&finding(), &expected);
    check(&enveloped(finding()), &expected);
}

#[test]
fn samples_are_known_by_either_mark() {
    let mut direct = finding();
    direct["service"]["additionalInfo"] = json!({"sample": true});
    let mut inside = finding();
    inside["service"]["additionalInfo"] = json!({"type": "default", "value": "{\"sample\":true}"});
    let expected = expect![
        "Contain GuardDuty i-0123456789abcdef0 in 123456789012/us-east-1: Backdoor:EC2/C&CActivity.B!DNS severity 8 [sample said by another account] Command and control"
    ];
    check(&direct, &expected);
    check(&inside, &expected);
}

#[test]
fn a_finding_says_which_roles_sessions_the_instance_held() {
    let named = |detail: &Value| match parse(detail, &invoked(), &policy()) {
        Ok(Parsed::Request(request)) => {
            request.findings.first().map(|finding| (finding.roles.clone(), finding.profiles.clone()))
        }
        other => panic!("{other:?}"),
    };
    let mut stolen = finding();
    stolen["resource"] = json!({"resourceType": "AccessKey", "accessKeyDetails": {
        "principalId": "AROAEXAMPLEEXAMPLE00:i-0123456789abcdef0", "userType": "AssumedRole", "userName": "web"}});
    assert_eq!(named(&stolen), Some((vec!["web".to_owned()], Vec::new())));
    stolen["resource"]["accessKeyDetails"]["userType"] = json!("IAMUser");
    assert_eq!(named(&stolen), Some((Vec::new(), Vec::new())));
    let mut shown = finding();
    let profile = "arn:aws:iam::123456789012:instance-profile/x/web";
    shown["resource"]["instanceDetails"]["iamInstanceProfile"] = json!({"arn": profile, "id": "AIPAEXAMPLE"});
    assert_eq!(named(&shown), Some((Vec::new(), vec![profile.to_owned()])));
}

#[test]
fn of_many_far_ends_it_is_said_how_many_are_kept() {
    let far_ends = |count: usize| {
        let probe = |n: usize| json!({"remoteIpDetails": {"ipAddressV4": format!("198.51.{}.{}", n / 250, n % 250)}});
        let mut finding = finding();
        finding["service"]["action"]["portProbeAction"]["portProbeDetails"] = (0..count).map(probe).collect();
        match parse(&enveloped(finding), &invoked(), &policy()) {
            Ok(Parsed::Request(request)) => (request.findings[0].remotes.len(), request.findings[0].notes.join("; ")),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(far_ends(50), (50, String::new()));
    assert_eq!(far_ends(60), (50, "the event names 60 remote addresses, of which 50 are kept".to_owned()));
}

#[test]
fn a_finding_about_another_resource_names_no_instance_whatever_filler_it_carries() {
    let mut event = finding();
    event["type"] = json!("Exfiltration:S3/AnomalousBehavior");
    event["resource"]["resourceType"] = json!("S3Bucket");
    check(
        &event,
        &expect!["nothing: the finding Exfiltration:S3/AnomalousBehavior is about a resource that is not an instance"],
    );
}

#[test]
fn a_wrong_field_is_named_with_its_value() {
    let mut event = finding();
    event["resource"]["instanceDetails"]["instanceId"] = json!("eni-bfcffe88");
    check(
        &enveloped(event),
        &expect![[
            r#"InvalidRequest: detail.resource.instanceDetails.instanceId: "eni-bfcffe88" is not the id or the ARN of an EC2 instance"#
        ]],
    );
    let mut event = finding();
    event["severity"] = json!("severe");
    check(&event, &expect![[r#"InvalidRequest: severity: "severe" is not a number"#]]);
    check(&enveloped(json!([])), &expect![[r#"InvalidRequest: detail: a list of 0 is not a GuardDuty finding"#]]);
}

#[test]
fn an_instance_id_is_enough_for_a_person() {
    check(
        &json!({"instance_id": "i-0123abcd"}),
        &expect![
            "Contain Manual i-0123abcd in 111122223333/eu-central-1: Manual severity none [by a person] requested by a person"
        ],
    );
    check(
        &json!({"instance_id": "i-0123abcd", "action": "plan", "region": "us-east-1", "reason": "IR-7\nx", "force": true}),
        &expect![
            "Plan by force Manual i-0123abcd in 111122223333/us-east-1: Manual severity none [by a person] IR-7 x"
        ],
    );
}

#[test]
fn readiness_is_asked_with_its_own_keys() {
    check(
        &json!({"action": "readiness", "accounts": ["999988887777"], "instance_id": "i-0123abcd"}),
        &expect![[
            r#"Readiness { prepare: false, accounts: [AccountId("999988887777")], instance: Some(InstanceId("i-0123abcd")), notify: false }"#
        ]],
    );
    check(
        &json!({"action": "readiness", "force": true}),
        &expect![[r#"InvalidRequest: force: "readiness" does not take it"#]],
    );
    check(
        &json!({"action": "readiness", "accounts": "999988887777"}),
        &expect![[r#"InvalidRequest: accounts: "999988887777" is not a list of AWS account ids"#]],
    );
    check(
        &json!({"action": "readiness", "accounts": ["me"]}),
        &expect![[r#"InvalidRequest: accounts[0]: "me" is not an AWS account id (12 digits)"#]],
    );
    check(
        &json!({"instance_id": "i-0123abcd", "prepare": true}),
        &expect![[r#"InvalidRequest: prepare: it goes with "action": "readiness" only"#]],
    );
}

#[test]
fn what_a_person_mistypes_is_named() {
    check(
        &json!({"instance_id": "i-0123abcd", "instanceid": 1}),
        &expect![[
            r#"InvalidRequest: unknown key "instanceid"; the keys are action, instance_id, access_key_id, user, role, abuse_report, region, account, reason, force, for, rejoin, next, prepare, accounts, stop, scheduled, name, address, invoked_by, question, answer, notify"#
        ]],
    );
    check(
        &json!({"instance_id": "i-0123abcd", "action": "nuke"}),
        &expect![[
            r#"InvalidRequest: action: "nuke" is not one of "contain", "plan", "release", "verify", "status", "questions", "decide", "show", "find", "readiness""#
        ]],
    );
    check(&json!({"action": "contain"}), &expect![[r#"InvalidRequest: instance_id: missing or null is not a text"#]]);
    check(
        &json!({"instance_id": "i-0123abcd", "force": "yes"}),
        &expect![[r#"InvalidRequest: force: "yes" is not true or false"#]],
    );
}

#[test]
fn going_back_and_looking_again_are_asked_for_strictly() {
    check(
        &json!({"instance_id": "i-0123abcd", "action": "release", "rejoin": true, "reason": "IR-7"}),
        &expect![
            "Release { rejoin: Yes } Manual i-0123abcd in 111122223333/eu-central-1: Manual severity none [by a person] IR-7"
        ],
    );
    check(
        &json!({"instance_id": "i-0123abcd", "action": "plan", "for": "release"}),
        &expect![
            "PlanRelease { rejoin: No } Manual i-0123abcd in 111122223333/eu-central-1: Manual severity none [by a person] requested by a person"
        ],
    );
    check(
        &json!({"instance_id": "i-0123abcd", "action": "plan", "for": "fun"}),
        &expect![[r#"InvalidRequest: for: "fun" is neither "contain" nor "release""#]],
    );
    check(
        &json!({"instance_id": "i-0123abcd", "action": "release", "force": true}),
        &expect!["InvalidRequest: force, abuse_report and stop: a release takes none of them"],
    );
    check(
        &json!({"instance_id": "i-0123abcd", "rejoin": true}),
        &expect!["InvalidRequest: rejoin: it goes with a release only"],
    );
    check(
        &json!({"instance_id": "i-0123abcd", "action": "verify"}),
        &expect![
            "Verify Manual i-0123abcd in 111122223333/eu-central-1: Manual severity none [by a person] requested by a person"
        ],
    );
    check(&json!({"action": "verify"}), &expect!["Verify { scheduled: false }"]);
    check(&json!({"action": "verify", "scheduled": true}), &expect!["Verify { scheduled: true }"]);
    check(
        &json!({"action": "verify", "force": true}),
        &expect!["InvalidRequest: force: this action is about all active containments"],
    );
    check(
        &json!({"action": "status", "next": "111122223333/eu-central-1/i-0123abcd"}),
        &expect![[
            r#"Status { from: Some(Instance(InstanceKey { account: AccountId("111122223333"), region: Region("eu-central-1"), instance: InstanceId("i-0123abcd") })), of: None }"#
        ]],
    );
    check(
        &json!({"action": "status", "next": "x"}),
        &expect![[
            r#"InvalidRequest: next: "x" is not what an answer of "status" has in "next": <account>/<region>/<instance> or <account>/iam/<user>"#
        ]],
    );
    check(
        &json!({"action": "status", "instance_id": "i-0123abcd"}),
        &expect![[
            r#"Status { from: None, of: Some(Target(Instance(InstanceKey { account: AccountId("111122223333"), region: Region("eu-central-1"), instance: InstanceId("i-0123abcd") }))) }"#
        ]],
    );
    check(
        &json!({"action": "status", "instance_id": "i-0123abcd", "next": "x"}),
        &expect!["InvalidRequest: next: the status of one instance does not take it"],
    );
    check(
        &json!({"action": "verify", "next": "x"}),
        &expect![[r#"InvalidRequest: next: it goes with "action": "status" or "questions" only"#]],
    );
}

#[test]
fn a_call_on_what_a_containment_may_hold_is_a_reason_to_look() {
    let event = |call: &str, parameters: Value| {
        json!({"source": "aws.ec2", "detail-type": "AWS API Call via CloudTrail", "account": "123456789012",
            "detail": {"eventName": call, "eventID": "e-1", "eventTime": "2026-01-15T10:00:03Z", "awsRegion": "eu-west-1",
                "recipientAccountId": "123456789012", "userIdentity": {"arn": "arn:aws:iam::123456789012:user/mallory"},
                "requestParameters": parameters}})
    };
    let nested = json!({"AssociateIamInstanceProfileRequest": {"InstanceId": "i-0123abcd"}});
    check(
        &event("AssociateIamInstanceProfile", nested),
        &expect![[
            r#"TrailCall { id: "e-1", call: "AssociateIamInstanceProfile", by: "arn:aws:iam::123456789012:user/mallory", source_identity: None, at: Some(Timestamp(1768471203000)), account: AccountId("123456789012"), region: Region("eu-west-1"), instances: [InstanceId("i-0123abcd")], interfaces: [], groups: [], addresses: [], roles: [], denied_roles: [], users: [] }"#
        ]],
    );
    let policy = json!({"roleName": "app", "policyName": "brig-deny"});
    check(
        &event("DeleteRolePolicy", policy),
        &expect![[
            r#"TrailCall { id: "e-1", call: "DeleteRolePolicy", by: "arn:aws:iam::123456789012:user/mallory", source_identity: None, at: Some(Timestamp(1768471203000)), account: AccountId("123456789012"), region: Region("eu-west-1"), instances: [], interfaces: [], groups: [], addresses: [], roles: ["app"], denied_roles: [], users: [] }"#
        ]],
    );
    check(
        &event("PutRolePolicy", json!({"roleName": "app", "policyName": "other"})),
        &expect![[r#"nothing: "PutRolePolicy" names nothing that a containment holds"#]],
    );
    check(
        &event("DescribeInstances", json!({"instancesSet": {"items": [{"instanceId": "i-0123abcd"}]}})),
        &expect![[r#"nothing: "DescribeInstances" cannot undo a containment"#]],
    );
    let mut failed = event("StartInstances", json!({"instanceId": "i-0123abcd"}));
    if let Some(detail) = failed.pointer_mut("/detail").and_then(Value::as_object_mut) {
        detail.insert("errorCode".to_owned(), json!("Client.UnauthorizedOperation"));
    }
    check(&failed, &expect![[r#"nothing: "StartInstances" failed: it changed nothing"#]]);
}

#[test]
fn what_no_source_writes_is_unsupported() {
    check(&json!([1, 2]), &expect![[r#"UnsupportedEvent: the event is a list of 2, not a JSON object"#]]);
    check(
        &json!({"hello": 1}),
        &expect![[
            r#"UnsupportedEvent: no trigger has the keys [hello]; a direct invoke needs "instance_id", "access_key_id", "user" or "role""#
        ]],
    );
    check(
        &json!({"source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification", "instance_id": "i-0123abcd"}),
        &expect![[r#"nothing: "EC2 Instance State-change Notification" of "aws.ec2" is not a sign of compromise"#]],
    );
}

fn notified(messages: &[Value]) -> Value {
    let records: Vec<Value> = messages
        .iter()
        .map(|message| {
            let text = message.as_str().map_or_else(|| message.to_string(), str::to_owned);
            json!({"EventSource": "aws:sns", "Sns": {"MessageId": "m", "Message": text}})
        })
        .collect();
    json!({ "Records": records })
}

#[test]
fn one_unreadable_notification_discards_none_of_its_neighbours() {
    check(
        &notified(&[json!("not JSON"), enveloped(finding()), json!({"instance_id": "i-0123abcd"})]),
        &expect![[r#"
        Contain GuardDuty i-0123456789abcdef0 in 123456789012/us-east-1: Backdoor:EC2/C&CActivity.B!DNS severity 8 [said by another account] Command and control
        unread: Records[0]: it is not an event that Brig reads (the message is not JSON: expected ident at line 1 column 2)
        unread: Records[2]: it is not an event that Brig reads (a manual request is accepted by direct invoke only, not in a message)"#]],
    );
    // Alone, it is an error that Lambda retries and keeps.
    check(
        &notified(&[json!("not JSON")]),
        &expect!["InvalidRequest: the message is not JSON: expected ident at line 1 column 2"],
    );
}

#[test]
fn a_queued_record_without_an_id_is_read_like_its_neighbours() {
    let record = |id: Value, body: &str| json!({"eventSource": "aws:sqs", "messageId": id, "body": body});
    let good = enveloped(finding()).to_string();
    check(
        &json!({"Records": [record(Value::Null, &good), record(json!("m-2"), "?"), record(json!("m-3"), &good)]}),
        &expect![[r#"
            : 1 finding(s)
            m-2: error: the message is not JSON: expected value at line 1 column 1
            m-3: 1 finding(s)"#]],
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(json!("i-0123456789abcdef0")),
        Just(json!("Instance")),
    ];
    let key = prop_oneof![
        Just("source".to_owned()),
        Just("detail-type".to_owned()),
        Just("detail".to_owned()),
        Just("resource".to_owned()),
        Just("service".to_owned()),
        Just("type".to_owned()),
        Just("instance_id".to_owned()),
        Just("action".to_owned()),
        ".{0,8}"
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(key.clone(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_ends_without_a_panic_and_names_only_what_it_holds(event in any_json()) {
        if let Ok(Parsed::Request(request)) = parse(&event, &invoked(), &policy()) {
            let text = event.to_string();
            for finding in request.findings {
                let quoted = format!("\"{}\"", finding.target);
                prop_assert!(text.contains(&quoted), "{quoted}");
            }
        }
    }

    #[test]
    fn a_mutated_finding_never_yields_another_instance(field in 0usize..9, value in any_json()) {
        let paths = ["/accountId", "/region", "/id", "/type", "/severity", "/resource/resourceType",
            "/resource/instanceDetails", "/resource/instanceDetails/instanceId", "/service"];
        let mut event = finding();
        if let Some(slot) = event.pointer_mut(paths[field]) {
            *slot = value;
        }
        let text = event.to_string();
        if let Ok(Parsed::Request(request)) = parse(&event, &invoked(), &policy()) {
            for finding in request.findings {
                let quoted = format!("\"{}\"", finding.target);
                prop_assert!(text.contains(&quoted), "{quoted}");
            }
        }
    }
}
