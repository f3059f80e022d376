//! What AWS Health, alarms and reports say: where it is, whether it still holds, and what people hear when there is nothing
//! to contain.

use super::*;

const INSTANCE: &str = "i-0123456789abcdef0";

fn health(detail: Value) -> Value {
    let mut event = json!({"version": "0", "id": "h-1", "source": "aws.health", "detail-type": "AWS Health Abuse Event",
        "account": "123456789012", "region": "us-west-2", "time": "2026-01-02T03:05:00Z", "resources": []});
    event["detail"] = detail;
    event
}

fn report(more: &Value) -> Value {
    let mut detail = json!({"eventArn": "arn:aws:health:global::event/ABUSE/AWS_ABUSE_DOS_REPORT/1", "service": "ABUSE",
        "eventTypeCode": "AWS_ABUSE_DOS_REPORT", "statusCode": "open", "eventRegion": "eu-west-1",
        "startTime": "Fri, 2 Jan 2026 03:00:00 GMT", "lastUpdatedTime": "Fri, 2 Jan 2026 03:04:00 GMT",
        "affectedAccount": "123456789012", "affectedEntities": [{"entityValue": INSTANCE}],
        "eventDescription": [{"latestDescription": "Denial of service"}]});
    for (key, value) in more.as_object().into_iter().flatten() {
        detail[key] = value.clone();
    }
    health(detail)
}

fn request(event: &Value) -> Request {
    match parse(event, &invoked(), &policy()) {
        Ok(Parsed::Request(request)) => request,
        other => panic!("{event}: {other:?}"),
    }
}

fn notice(event: &Value) -> Notice {
    match parse(event, &invoked(), &policy()) {
        Ok(Parsed::Notice(notice)) => *notice,
        other => panic!("{event}: {other:?}"),
    }
}

fn place(event: &Value) -> (String, String, String) {
    let request = request(event);
    let [finding] = request.findings.as_slice() else { panic!("{request:?}") };
    (finding.account.to_string(), finding.region.to_string(), finding.said_by.to_string())
}

#[test]
fn an_abuse_event_is_about_the_place_that_it_states_most_closely() {
    let place = |more: Value| {
        let (account, region, said_by) = place(&report(&more));
        format!("{account}/{region} said by {said_by}")
    };
    let own = "123456789012/eu-west-1 said by 123456789012";
    assert_eq!(place(json!({})), own, "the event's Region, not that of the delivery");
    assert_eq!(place(json!({"resources": [INSTANCE]})), own);
    assert_eq!(
        place(json!({"affectedAccount": "999988887777"})),
        "999988887777/eu-west-1 said by 123456789012",
        "delivered to the organization's account"
    );
    let arn = format!("arn:aws:ec2:ap-south-1:111122223333:instance/{INSTANCE}");
    assert_eq!(
        place(json!({"affectedEntities": [{"entityValue": arn}]})),
        "111122223333/ap-south-1 said by 123456789012"
    );
    let of_entity = json!({"affectedEntities": [{"entityValue": INSTANCE, "awsAccountId": "999988887777"}]});
    assert_eq!(place(of_entity), "999988887777/eu-west-1 said by 123456789012");
    for odd in [json!("global"), json!(""), json!(null), json!(5)] {
        assert_eq!(place(json!({"eventRegion": odd})), "123456789012/us-west-2 said by 123456789012", "{odd}");
    }
    for odd in [json!("me"), json!(null), json!(5)] {
        assert_eq!(place(json!({"affectedAccount": odd})), own, "{odd}");
    }
}

#[test]
fn what_is_closed_or_resolved_is_told_and_contains_nothing() {
    let resolved = |status: &str| json!({"affectedEntities": [{"entityValue": INSTANCE, "status": status}], "resources": [INSTANCE]});
    for more in [
        json!({"statusCode": "closed"}),
        json!({"statusCode": "CLOSED"}),
        json!({"statusCode": null, "endTime": "Fri, 2 Jan 2026 03:04:00 GMT"}),
        resolved("RESOLVED"),
        resolved("UNIMPAIRED"),
        resolved("resolved"),
    ] {
        let notice = notice(&report(&more));
        assert_eq!(
            (notice.kind, notice.named.as_slice()),
            (NoticeKind::AbuseClosed, [INSTANCE.to_owned()].as_slice()),
            "{more}"
        );
    }
    for more in [
        json!({"endTime": "Fri, 2 Jan 2026 03:04:00 GMT"}),
        json!({"statusCode": null, "endTime": "Fri, 2 Jan 2099 03:04:00 GMT"}),
        resolved("IMPAIRED"),
        resolved("PENDING"),
        resolved("UNKNOWN"),
    ] {
        assert_eq!(request(&report(&more)).findings.len(), 1, "{more}");
    }
    let mixed =
        json!({"affectedEntities": [{"entityValue": INSTANCE, "status": "RESOLVED"}, {"entityValue": "i-0123abcd"}]});
    let request = request(&report(&mixed));
    assert_eq!(request.findings.len(), 1);
    assert_eq!(request.findings[0].target.as_str(), "i-0123abcd");
    assert_eq!(request.findings[0].notes, [format!("the report also names {INSTANCE}, which AWS calls resolved")]);
}

#[test]
fn an_abuse_event_that_names_nothing_is_never_swallowed() {
    for entity in [
        json!([]),
        json!([{"entityValue": "UNKNOWN"}]),
        json!([{"entityValue": "https://example.com/x"}]),
        json!([{"entityValue": "arn:aws:s3:::bucket"}]),
        json!([{}]),
        json!("x"),
        json!(null),
    ] {
        let told = notice(&report(&json!({ "affectedEntities": entity })));
        assert_eq!(
            (told.kind, told.code.as_str()),
            (NoticeKind::AbuseNamesNothing, "AWS_ABUSE_DOS_REPORT"),
            "{entity}"
        );
        assert_eq!(told.region.as_str(), "eu-west-1");
        assert!(told.link.is_some_and(|link| link.contains("eventID=arn%3Aaws%3Ahealth")));
        assert_eq!(told.time.map(|time| time.to_string()).as_deref(), Some("2026-01-02T03:04:00.000Z"));
    }
    for detail in [json!({}), json!(null), json!([]), json!({"eventTypeCode": 5})] {
        assert_eq!(notice(&health(detail)).code, "AWS Health Abuse Event");
    }
    let content = json!({"eventTypeCode": "AWS_ABUSE_COPYRIGHT_DMCA_REPORT"});
    assert_eq!(notice(&report(&content)).kind, NoticeKind::AbuseContent);
    assert!(NoticeKind::AbuseContent.expects_answer() && NoticeKind::AbuseNamesNothing.expects_answer());
}

#[test]
fn an_interface_in_an_abuse_event_is_looked_up_like_an_address() {
    let found = request(&report(&json!({"affectedEntities": [{"entityValue": "eni-0a1b2c3d4e5f60718"}]})));
    let [addressed] = found.addresses.as_slice() else { panic!("{found:?}") };
    assert_eq!(addressed.address, Locator::Interface("eni-0a1b2c3d4e5f60718".into()));
    assert_eq!(addressed.seen().map(|seen| seen.to_string()).as_deref(), Some("2026-01-02T03:00:00.000Z"), "its start");
}

fn abuse(detail: Value) -> Value {
    let mut event = json!({"source": "brig.abuse", "detail-type": "Abuse Report", "id": "a-1", "account": "123456789012",
        "region": "us-east-1", "time": "2026-01-02T03:05:00Z"});
    event["detail"] = detail;
    event
}

#[test]
fn one_bad_id_of_an_abuse_report_is_told_and_discards_none_of_the_others() {
    check(
        &abuse(json!({"instance_ids": [INSTANCE, "i-XYZ", null, 5], "addresses": ["203.0.113.9", "300.1.1.1"]})),
        &expect![[r#"
            Contain AbuseText i-0123456789abcdef0 in 123456789012/us-east-1: Abuse Report severity none [] an abuse report on the event bus
            Contain the address 203.0.113.9 in 123456789012/us-east-1
            unread: detail.instance_ids[1]: "i-XYZ" is not the id or the ARN of an EC2 instance
            unread: detail.instance_ids[2]: missing or null is not the id or the ARN of an EC2 instance
            unread: detail.instance_ids[3]: 5 is not the id or the ARN of an EC2 instance
            unread: detail.addresses[1]: "300.1.1.1" is not an IP address"#]],
    );
    check(
        &abuse(json!({"instance_ids": ["i-XYZ"]})),
        &expect![[r#"unread: detail.instance_ids[0]: "i-XYZ" is not the id or the ARN of an EC2 instance"#]],
    );
    check(
        &abuse(json!({"instance_ids": {"a": 1}, "text": 5})),
        &expect![[r#"
        unread: detail.instance_ids: an object of 1 keys is not a list of instance ids
        unread: detail.text: 5 is not a text"#]],
    );
    for nothing in [json!({}), json!(null), json!({"instance_ids": []}), json!({"text": "hello"})] {
        assert_eq!(notice(&abuse(nothing)).kind, NoticeKind::AbuseNamesNothing);
    }
}

#[test]
fn of_ten_thousand_ids_so_many_are_looked_at_and_the_rest_is_one_notice() {
    let ids: Vec<String> = (0..10_000).map(|n| format!("i-{n:017x}")).collect();
    let found = request(&abuse(json!({ "instance_ids": ids })));
    assert_eq!((found.findings.len(), found.notices.len()), (MOST_NAMED, 1));
    assert_eq!(found.findings[0].crowd, 10_000);
    assert_eq!(found.notices[0].kind, NoticeKind::TooMany);
    assert!(
        found.notices[0].named.last().is_some_and(|last| last == "and 9930 more"),
        "{:?}",
        found.notices[0].named.last()
    );
    let addresses: Vec<String> = (0..10_000).map(|n| format!("203.{}.{}.9", n / 256, n % 256)).collect();
    let found = request(&abuse(json!({ "addresses": addresses })));
    assert_eq!((found.addresses.len(), found.notices.len()), (MOST_NAMED, 1));
    let text: Vec<String> = ids.iter().map(|id| format!("Instance ID: {id}\n")).collect();
    let text = text.concat();
    let pasted = request(&json!({ "abuse_report": text }));
    assert!(pasted.findings.len() <= MOST_NAMED && pasted.findings[0].crowd > MOST_NAMED);
    let list: Vec<Value> = (0..500)
        .map(|n| {
            let mut one = finding();
            one["resource"]["instanceDetails"]["instanceId"] = json!(format!("i-{n:017x}"));
            one
        })
        .collect();
    let found = request(&json!({ "Findings": list }));
    assert_eq!((found.findings.len(), found.notices.len()), (MOST_NAMED, 1));
}

fn alarm_message(more: &Value) -> Value {
    let mut message = json!({"AlarmName": "cpu", "AWSAccountId": "123456789012", "NewStateValue": "ALARM",
        "NewStateReason": "Threshold Crossed", "StateChangeTime": "2026-11-25T00:00:00.000+0000",
        "Region": "US East (N. Virginia)", "AlarmArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:cpu",
        "Trigger": {"Dimensions": [{"value": INSTANCE, "name": "InstanceId"}]}});
    for (key, value) in more.as_object().into_iter().flatten() {
        message[key] = value.clone();
    }
    json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": message.to_string()}}]})
}

#[test]
fn an_alarm_that_publishes_to_a_topic_itself_is_read_like_its_event() {
    let metric = |dimensions: Value, account: Option<&str>| {
        json!({"Trigger": {"Metrics": [{"Id": "e1", "Expression": "m1"},
            {"Id": "m1", "AccountId": account, "MetricStat": {"Metric": {"Dimensions": dimensions}}}]}})
    };
    for more in [
        json!({}),
        json!({"Trigger": {"Dimensions": [{"Value": INSTANCE, "Name": "InstanceId"}]}}),
        metric(json!([{"value": INSTANCE, "name": "InstanceId"}]), None),
        metric(json!([{"Value": INSTANCE, "Name": "InstanceId"}]), None),
    ] {
        let found = request(&alarm_message(&more));
        let [finding] = found.findings.as_slice() else { panic!("{found:?}") };
        assert_eq!(
            (finding.source, finding.account.as_str(), finding.region.as_str()),
            (Source::Alarm, "123456789012", "us-east-1")
        );
        assert_eq!(finding.last_seen.map(|time| time.to_string()).as_deref(), Some("2026-11-25T00:00:00.000Z"));
    }
    let elsewhere = metric(json!([{"value": INSTANCE, "name": "InstanceId"}]), Some("999988887777"));
    let found = request(&alarm_message(&elsewhere));
    assert_eq!(
        (found.findings[0].account.as_str(), found.findings[0].said_by.as_str()),
        ("999988887777", "123456789012")
    );
    check(&alarm_message(&json!({"NewStateValue": "OK"})), &expect!["nothing: the alarm cpu is in the state OK"]);
    check(
        &alarm_message(&json!({"NewStateValue": "INSUFFICIENT_DATA"})),
        &expect!["nothing: the alarm cpu is in the state INSUFFICIENT_DATA"],
    );
    check(
        &alarm_message(&json!({"Trigger": {"Dimensions": []}})),
        &expect![
            "notice: Nothing was done about Alarm/cpu in 123456789012/us-east-1: the alarm has no InstanceId dimension."
        ],
    );
    check(
        &alarm_message(&json!({"AlarmRule": "ALARM(a) OR ALARM(b)", "Trigger": null})),
        &expect![
            "notice: Nothing was done about Alarm/cpu in 123456789012/us-east-1: the alarm has no InstanceId dimension."
        ],
    );
    check(
        &alarm_message(&json!({"NewStateValue": 5})),
        &expect![
            "notice: Nothing was done about Alarm/cpu in 123456789012/us-east-1: the alarm does not say that it is in the state ALARM, or in another that is known."
        ],
    );
    check(
        &alarm_message(&json!({"Trigger": {"Dimensions": [{"value": "i-XYZ", "name": "InstanceId"}]}})),
        &expect![[r#"unread: Trigger.Dimensions[0].value: "i-XYZ" is not the id or the ARN of an EC2 instance"#]],
    );
}

#[test]
fn an_alarm_is_about_the_account_of_its_metric_and_its_times_are_read() {
    let data = json!({"alarmName": "out", "state": {"value": "ALARM", "timestamp": "2026-11-25T19:34:16.000+0000"},
        "configuration": {"metrics": [{"accountId": "999988887777", "metricStat": {"metric": {"dimensions": {"InstanceId": INSTANCE}}}},
            {"metricStat": {"metric": {"dimensions": {"InstanceId": "i-0123abcd"}}}},
            {"metricStat": {"metric": {"dimensions": {"InstanceId": "${x}"}}}}]}});
    let event = json!({"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", "account": "123456789012",
        "region": "us-east-1", "time": "2026-11-25T19:34:17Z", "detail": data});
    let action = json!({"source": "aws.cloudwatch", "accountId": "123456789012", "region": "us-east-1",
        "time": "2026-11-25T19:34:17.000+0000", "alarmData": data});
    for alarm in [event, action] {
        let found = request(&alarm);
        let accounts: Vec<&str> = found.findings.iter().map(|finding| finding.account.as_str()).collect();
        assert_eq!(accounts, ["999988887777", "123456789012"]);
        assert_eq!(
            found.findings[0].last_seen.map(|time| time.to_string()).as_deref(),
            Some("2026-11-25T19:34:16.000Z")
        );
        assert_eq!(found.unread.len(), 1);
    }
}

#[test]
fn what_a_person_leaves_empty_is_an_error_that_names_it() {
    check(
        &json!({"instance_id": "i-0123abcd", "action": null}),
        &expect!["InvalidRequest: action: missing or null is not a value; leave the key out, or give it one"],
    );
    check(
        &json!({"instance_id": ""}),
        &expect![[r#"InvalidRequest: instance_id: "" is not a value; leave the key out, or give it one"#]],
    );
    check(
        &json!({"instance_id": "i-0123abcd", "region": " "}),
        &expect![[r#"InvalidRequest: region: "" is not a value; leave the key out, or give it one"#]],
    );
    check(
        &json!({"abuse_report": ""}),
        &expect![[r#"InvalidRequest: abuse_report: "" is not a value; leave the key out, or give it one"#]],
    );
}

#[test]
fn a_person_who_pastes_a_report_hears_what_of_it_is_not_plain() {
    let text = format!(
        "AWS ID: 123456789012    Region: eu-west-1    EC2 Instance Id: {INSTANCE} [203.0.113.9]\nSee also i-0123abcd."
    );
    let found = request(&json!({ "abuse_report": text }));
    let unclear_each: Vec<Option<Unclear>> = found.findings.iter().map(|finding| finding.unclear).collect();
    assert_eq!(unclear_each, [None, Some(Unclear::Unlabelled)]);
    assert_eq!((found.findings[0].account.as_str(), found.findings[0].region.as_str()), ("123456789012", "eu-west-1"));
    check(
        &json!({"abuse_report": "Victim: 198.51.100.7"}),
        &expect![
            "nothing: the abuse report names no instance, no address of origin and no access key; it names 198.51.100.7, and does not call them the origin"
        ],
    );
}
