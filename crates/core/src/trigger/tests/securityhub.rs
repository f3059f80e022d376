//! What Security Hub's two formats say of one finding: whose it is, when it was, how it ended, and what of it cannot be read.

use expect_test::expect;

use super::{meanings::*, *};
use crate::{
    decide::{Guide, Known, decide, rules::Rules},
    testing::instance,
};

#[test]
fn a_bare_id_is_where_the_resource_or_the_finding_says() {
    let mut bare = asff(&story("Backdoor:EC2/C&CActivity.B!DNS"));
    bare["Resources"] = json!([{"Type": "AwsEc2Instance", "Id": ID, "Region": "eu-west-1"}]);
    bare["AwsAccountId"] = json!("999988887777");
    check(
        &click(&json!([bare])),
        &expect![
            "Contain CustomAction i-0123456789abcdef0 in 999988887777/eu-west-1: Backdoor:EC2/C&CActivity.B!DNS severity none [said by another account] an analyst chose it in Security Hub: It happened"
        ],
    );
    check(
        &import(&json!([bare])),
        &expect![
            "Contain GuardDuty i-0123456789abcdef0 in 999988887777/eu-west-1: Backdoor:EC2/C&CActivity.B!DNS severity 8 [said by another account] It happened"
        ],
    );
    let mut bare = ocsf(&story("Backdoor:EC2/C&CActivity.B!DNS"));
    bare["resources"] = json!([{"type": "AWS::EC2::Instance", "uid": ID}]);
    bare["cloud"] = json!({"account": {"uid": "999988887777"}, "region": "eu-west-1"});
    check(
        &v2(&json!([bare])),
        &expect![
            "Contain GuardDuty i-0123456789abcdef0 in 999988887777/eu-west-1: Backdoor:EC2/C&CActivity.B!DNS severity 7 [said by another account] It happened"
        ],
    );
    bare["resources"][0]["owner"] = json!({"account": {"uid": "111122223333"}});
    bare["resources"][0]["region"] = json!("eu-north-1");
    check(
        &v2(&json!([bare])),
        &expect![
            "Contain GuardDuty i-0123456789abcdef0 in 111122223333/eu-north-1: Backdoor:EC2/C&CActivity.B!DNS severity 7 [said by another account] It happened"
        ],
    );
}

#[test]
fn guarddutys_findings_are_known_by_the_product_in_every_partition_and_nobody_elses_are() {
    for (arn, known) in [
        ("arn:aws:securityhub:us-east-1::product/aws/guardduty", true),
        ("arn:aws:securityhub:us-east-1::productv2/aws/guardduty", true),
        ("arn:aws-cn:securityhub:cn-north-1::product/aws/guardduty", true),
        ("arn:aws-us-gov:securityhub:us-gov-west-1::productv2/aws/guardduty", true),
        ("arn:aws:securityhub:us-east-1:123456789012:product/123456789012/default", false),
        ("arn:aws:securityhub:us-east-1:123456789012:product/123456789012/product/aws/guardduty", false),
        ("arn:aws:securityhub:us-east-1::product/aws/inspector", false),
        ("arn:aws:securityhub:us-east-1::product/evil/aws/guardduty", false),
        ("product/aws/guardduty", false),
        ("", false),
    ] {
        let c2 = story("Backdoor:EC2/C&CActivity.B!DNS");
        let (mut asff, mut ocsf) = (asff(&c2), ocsf(&c2));
        asff["ProductArn"] = json!(arn);
        ocsf["metadata"]["product"]["uid"] = json!(arn);
        for event in [import(&json!([asff])), v2(&json!([ocsf]))] {
            assert_eq!(matches!(read(&event), Ok(Parsed::Request(_))), known, "{arn}");
        }
    }
}

#[test]
fn only_new_activity_contains_when_nobody_clicked() {
    let of = |seen: Value, sent: Value| {
        let c2 = story("Backdoor:EC2/C&CActivity.B!DNS");
        let (mut asff, mut ocsf) = (asff(&c2), ocsf(&c2));
        asff["LastObservedAt"] = seen.clone();
        ocsf["finding_info"]["last_seen_time_dt"] = seen;
        [import(&json!([asff])), v2(&json!([ocsf])), click(&json!([asff]))].map(|mut event| {
            event["time"] = sent.clone();
            decided(read(&event), &instance())
        })
    };
    let sent = || json!("2026-01-02T12:00:00Z");
    assert_eq!(of(json!("2026-01-02T11:59:00Z"), sent()), ["contain", "contain", "contain"]);
    assert_eq!(of(json!("2026-01-02T04:00:00Z"), sent()), ["contain", "contain", "contain"]);
    assert_eq!(of(json!("2026-01-02T03:59:59Z"), sent()), ["ask", "ask", "contain"]);
    assert_eq!(of(json!("2025-07-02T03:59:59Z"), sent()), ["ask", "ask", "contain"]);
    // A clock that is ahead is not old.
    assert_eq!(of(json!("2026-01-02T12:10:00Z"), sent()), ["contain", "contain", "contain"]);
    assert_eq!(of(Value::Null, sent()), ["ask", "ask", "contain"]);
    assert_eq!(of(json!("2026-01-02T11:59:00Z"), Value::Null), ["ask", "ask", "contain"]);
}

#[test]
fn a_rule_of_the_account_lifts_no_old_activity_and_what_is_mild_stays_ignored_when_it_is_edited() {
    let rules = r#"{"rules": [{"name": "all", "then": "contain", "when": {"finding": {"source": ["guardduty"]}}}]}"#;
    let rules = Rules::parse(rules).expect("rules");
    let policy = policy();
    let judge = |event: &Value, rules: &Rules| match read(event) {
        Ok(Parsed::Request(request)) => {
            let guide = Guide { policy: &policy, rules, rules_lost: None };
            decide(&request.findings[0], &instance(), &Known::No, Force::No, &guide).decision
        }
        other => panic!("{other:?}"),
    };
    let edited = |severity: f64| {
        let mut event = import(&json!([asff(&Story { severity, ..story("Backdoor:EC2/C&CActivity.B!DNS") })]));
        event["time"] = json!("2026-02-02T12:00:00Z");
        event
    };
    assert_eq!(judge(&edited(8.0), &rules), crate::decide::Decision::Ask);
    assert_eq!(judge(&edited(3.0), &Rules::none()), crate::decide::Decision::Ignore);
    // The same rule lifts what is built in: a container's host.
    let host = import(&json!([asff(&Story { of: "EKSCluster", ..story("CryptoCurrency:Runtime/BitcoinTool.B") })]));
    assert_eq!(judge(&host, &rules), crate::decide::Decision::Contain { stop: false });
}

#[test]
fn what_the_product_said_stands_before_what_a_customer_wrote() {
    let of = |change: &dyn Fn(&mut Value)| {
        let mut asff = asff(&story("Backdoor:EC2/C&CActivity.B!DNS"));
        change(&mut asff);
        match read(&import(&json!([asff]))) {
            Ok(Parsed::Request(request)) => (request.findings[0].severity, request.findings[0].kind.clone()),
            other => panic!("{other:?}"),
        }
    };
    let provided =
        json!({"Severity": {"Label": "HIGH", "Original": "8"}, "Types": ["TTPs/Backdoor:EC2-C&CActivity.B!DNS"]});
    let c2 = "Backdoor:EC2/C&CActivity.B!DNS".to_owned();
    // Lowered, raised, and renamed to what is ignored.
    for severity in
        [json!({"Product": 1, "Normalized": 10, "Label": "LOW"}), json!({"Product": 10, "Label": "CRITICAL"})]
    {
        let seen = of(&|asff| {
            asff["FindingProviderFields"] = provided.clone();
            asff["Severity"] = severity.clone();
            asff["Types"] = json!(["TTPs/Recon:EC2-PortProbeUnprotectedPort"]);
        });
        assert_eq!(seen, (Some(8.0), c2.clone()), "{severity}");
    }
    // Only the level is the product's: the number counts as far as it is of that level.
    for (product, expected) in
        [(json!(8.5), 8.5), (json!(2), 7.0), (json!(9.9), 7.0), (json!("7.5"), 7.5), (Value::Null, 7.0)]
    {
        let seen = of(&|asff| {
            asff["FindingProviderFields"] = json!({"Severity": {"Label": "HIGH", "Original": "HIGH"}});
            asff["Severity"] = json!({"Product": product, "Label": "LOW"});
        });
        assert_eq!(seen, (Some(expected), c2.clone()), "{product}");
    }
    // In OCSF the same is in `vendor_attributes`.
    let mut ocsf = ocsf(&story("Backdoor:EC2/C&CActivity.B!DNS"));
    ocsf["severity_id"] = json!(1);
    ocsf["vendor_attributes"] = json!({"severity": "High", "severity_id": 4});
    assert_eq!(decided(read(&v2(&json!([ocsf]))), &instance()), "contain");
    ocsf["severity_id"] = json!(5);
    ocsf["vendor_attributes"] = json!({"severity": "Low"});
    assert_eq!(decided(read(&v2(&json!([ocsf]))), &instance()), "ignore");
}

#[test]
fn every_closed_state_is_known_in_both_formats() {
    let c2 = story("Backdoor:EC2/C&CActivity.B!DNS");
    for change in [
        json!({"RecordState": "ARCHIVED"}),
        json!({"Workflow": {"Status": "RESOLVED"}}),
        json!({"Workflow": {"Status": "SUPPRESSED"}}),
        json!({"Workflow": null, "WorkflowState": "RESOLVED"}),
        json!({"ProductFields": {"aws/guardduty/service/archived": "true"}}),
        json!({"ProductFields": {"archived": "true"}}),
    ] {
        let mut closed = asff(&c2);
        for (key, value) in change.as_object().expect("a change") {
            closed[key] = value.clone();
        }
        assert_eq!(decided(read(&import(&json!([closed]))), &instance()), "ignore", "{change}");
        assert_eq!(decided(read(&click(&json!([closed]))), &instance()), "ask", "{change}");
    }
    for (key, value) in [
        ("status_id", json!(3)),
        ("status_id", json!("4")),
        ("status_id", json!(5)),
        ("status_id", json!(6)),
        ("status", json!("Suppressed")),
        ("status", json!("RESOLVED")),
        ("activity_id", json!(3)),
        ("activity_name", json!("Close")),
    ] {
        let mut closed = ocsf(&c2);
        closed[key] = value.clone();
        assert_eq!(decided(read(&v2(&json!([closed]))), &instance()), "ignore", "{key}={value}");
    }
}

#[test]
fn one_unreadable_entry_takes_no_neighbour_with_it() {
    let c2 = story("Backdoor:EC2/C&CActivity.B!DNS");
    let mut odd = asff(&c2);
    odd["Resources"] = json!([{"Type": "AwsEc2Instance", "Id": "i-XYZ"}, {"Type": "AwsEc2Instance", "Id": arn()}]);
    check(
        &click(&json!([odd])),
        &expect![[r#"
        Contain CustomAction i-0123456789abcdef0 in 123456789012/us-east-1: Backdoor:EC2/C&CActivity.B!DNS severity none [] an analyst chose it in Security Hub: It happened
        unread: detail.findings[0].Resources[0].Id: "i-XYZ" is not the id or the ARN of an EC2 instance"#]],
    );
    check(
        &click(&json!([asff(&c2), {"Id": 7}, "x"])),
        &expect![[r#"
        Contain CustomAction i-0123456789abcdef0 in 123456789012/us-east-1: Backdoor:EC2/C&CActivity.B!DNS severity none [] an analyst chose it in Security Hub: It happened
        unread: detail.findings[1].Id: 7 is not a text
        unread: detail.findings[2]: "x" is not a finding"#]],
    );
    let mut mute = ocsf(&c2);
    mute["severity_id"] = json!("severe");
    check(
        &v2(&json!([mute, ocsf(&c2)])),
        &expect![[r#"
        Contain GuardDuty i-0123456789abcdef0 in 123456789012/us-east-1: Backdoor:EC2/C&CActivity.B!DNS severity 7 [] It happened
        unread: detail.findings[0].severity_id: "severe" is not a number"#]],
    );
    let mut severe = guardduty(&c2);
    severe["severity"] = json!("severe");
    check(
        &json!({"Findings": [guardduty(&c2), severe]}),
        &expect![[r#"
        Contain GuardDuty i-0123456789abcdef0 in 123456789012/us-east-1: Backdoor:EC2/C&CActivity.B!DNS severity 8 [said by another account] It happened
        unread: Findings[1].severity: "severe" is not a number"#]],
    );
    let mut sequence =
        guardduty(&Story { of: "AttackSequence", ..story("AttackSequence:EC2/CompromisedInstanceGroup") });
    sequence["service"]["detection"]["sequence"]["resources"].as_array_mut().expect("resources").extend([
        json!({"uid": "i-XYZ", "resourceType": "EC2_INSTANCE"}),
        json!({"uid": "i-0fedcba9876543210", "resourceType": "EC2_INSTANCE", "region": "eu-west-1"}),
    ]);
    check(
        &sequence,
        &expect![[r#"
        Contain GuardDuty i-0123456789abcdef0 in 123456789012/us-east-1: AttackSequence:EC2/CompromisedInstanceGroup severity 8 [said by another account] It happened
        Contain GuardDuty i-0fedcba9876543210 in 123456789012/eu-west-1: AttackSequence:EC2/CompromisedInstanceGroup severity 8 [said by another account] It happened
        unread: service.detection.sequence.resources[2].uid: "i-XYZ" is not the id or the ARN of an EC2 instance"#]],
    );
    // Where nothing can be read there is no request that would look like a success.
    check(&click(&json!([{"Id": 7}])), &expect!["InvalidRequest: detail.findings[0].Id: 7 is not a text"]);
    check(
        &json!({"Findings": [severe]}),
        &expect![[r#"InvalidRequest: Findings[0].severity: "severe" is not a number"#]],
    );
}

#[test]
fn what_producers_leave_out_or_write_as_text_is_read() {
    let c2 = story("Backdoor:EC2/C&CActivity.B!DNS");
    let expected = expect![
        "Contain GuardDuty i-0123456789abcdef0 in 123456789012/us-east-1: Backdoor:EC2/C&CActivity.B!DNS severity 8 [] It happened"
    ];
    for change in [
        json!({"severity": "8.0"}),
        json!({"severity": " 8 "}),
        json!({"accountId": null}),
        json!({"accountId": null, "arn": null}),
        json!({"accountId": 123_456_789_012_u64}),
        json!({"region": null}),
        json!({"region": "", "arn": null}),
        json!({"id": null}),
        json!({"title": "It happened", "description": 7}),
    ] {
        let mut detail = guardduty(&c2);
        for (key, value) in change.as_object().expect("a change") {
            detail[key] = value.clone();
        }
        if detail["id"].is_null() {
            detail["arn"] = json!("arn:aws:guardduty:us-east-1:123456789012:detector/d/finding/f1");
        }
        check(&event("aws.guardduty", "GuardDuty Finding", &detail), &expected);
    }
    let mut detail = guardduty(&c2);
    detail["service"]["archived"] = json!("false");
    detail["service"]["resourceRole"] = json!("actor");
    check(&event("aws.guardduty", "GuardDuty Finding", &detail), &expected);
}

#[test]
fn remote_addresses_of_ocsf_are_the_other_side_of_packets() {
    let of = |evidence: Value| {
        let mut ocsf = ocsf(&story("Backdoor:EC2/C&CActivity.B!DNS"));
        ocsf["evidences"] = json!([evidence]);
        match read(&v2(&json!([ocsf]))) {
            Ok(Parsed::Request(request)) => {
                request.findings[0].remotes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
            }
            other => panic!("{other:?}"),
        }
    };
    let (own, other) = (json!({"ip": "10.0.0.7"}), json!({"ip": "198.51.100.9"}));
    let both = |extra: Value| {
        let mut evidence = json!({"src_endpoint": other, "dst_endpoint": own});
        evidence["connection_info"] = extra;
        evidence
    };
    assert_eq!(of(both(json!({"direction_id": 1}))), "198.51.100.9");
    assert_eq!(of(both(json!({"direction": "Inbound"}))), "198.51.100.9");
    assert_eq!(of(both(Value::Null)), "198.51.100.9");
    assert_eq!(of(json!({"dst_endpoint": {"ip": "10.9.9.9"}})), "10.9.9.9");
    assert_eq!(of(json!({"dst_endpoint": {"ip": "198.51.100.9", "instance_uid": ID}})), "");
    assert_eq!(of(json!({"src_endpoint": {"ip": "198.51.100.9"}, "api": {"operation": "ListBuckets"}})), "");
    assert_eq!(of(json!({"src_endpoint": {"domain": "c2.example.com"}})), "");
}

#[test]
fn a_finding_of_security_hub_alone_or_in_a_list_is_read_and_asked_about_since_nobody_says_when_it_was_sent() {
    let c2 = story("Backdoor:EC2/C&CActivity.B!DNS");
    for finding in [asff(&c2), ocsf(&c2)] {
        assert_eq!(decided(read(&finding), &instance()), "ask");
        assert_eq!(decided(read(&json!({"Findings": [finding, guardduty(&c2)]})), &instance()), "ask+contain");
    }
}
