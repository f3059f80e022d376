//! How producers, pipelines and people really write what the other tests write in one way: each variant with what is read
//! of it. What cannot be read discards no neighbour, and is never silence.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::{
    meanings::{asff, click, event, guardduty, import, ocsf, story, v2},
    *,
};
use crate::{
    decide::{Guide, Known, decide, gate, ignored, rules::Rules},
    testing::instance,
};

const A: &str = "i-0123456789abcdef0";
pub(super) const B: &str = "i-0fedcba9876543210";

pub(super) type Variant = (&'static str, Value);

/// What an event comes to, in a line.
pub(super) fn line(event: &Value) -> String {
    let own: AccountId = "123456789012".parse().expect("account");
    let invoked = Invoked { account: own.clone(), region: "us-east-1".parse().expect("Region"), ..invoked() };
    let (policy, rules) = (policy(), Rules::none());
    let guide = Guide { policy: &policy, rules: &rules, rules_lost: None };
    match parse(event, &invoked, &policy) {
        Ok(Parsed::Request(request)) => {
            let findings = request.findings.iter().map(|finding| {
                let decided = gate(finding, &policy, &own)
                    .or_else(|| ignored(finding, &policy))
                    .unwrap_or_else(|| decide(finding, &instance(), &Known::No, Force::No, &guide));
                let Finding { account, region, target: instance, .. } = finding;
                format!("{account}/{region}/{instance} {}", decided.decision.word())
            });
            let addresses = request.addresses.iter().map(|one| {
                let unclear = one.unclear.map_or_else(String::new, |unclear| format!(" ? {unclear:?}"));
                format!("{}/{}/{}{unclear}", one.account, one.region, one.address)
            });
            let unread = request.unread.iter().map(|unread| format!("UNREAD {unread}"));
            let notices = request.notices.iter().map(|notice| format!("NOTICE {:?}", notice.kind));
            findings.chain(addresses).chain(unread).chain(notices).collect::<Vec<_>>().join("; ")
        }
        Ok(Parsed::Notice(notice)) => format!("NOTICE {:?}", notice.kind),
        Ok(Parsed::Nothing(why)) => format!("nothing: {why}"),
        Ok(other) => format!("{other:?}"),
        Err(error) => format!("ERROR {error}"),
    }
}

pub(super) fn check(variants: Vec<Variant>, expected: &Expect) {
    let mut table = String::new();
    for (what, event) in variants {
        let _ = writeln!(table, "{what}: {}", line(&event));
    }
    expected.assert_eq(&table);
}

/// A document with other values in these places.
pub(super) fn with(mut document: Value, changes: &Value) -> Value {
    for (key, value) in changes.as_object().into_iter().flatten() {
        document[key] = value.clone();
    }
    document
}

const C2: &str = "Backdoor:EC2/C&CActivity.B!DNS";

fn resource(of: &str, id: &str) -> Value {
    json!({"Type": of, "Id": id, "Region": "us-east-1"})
}

#[test]
fn security_hubs_resources_are_read_however_they_are_written() {
    let of = |resources: Value| click(&json!([with(asff(&story(C2)), &json!({"Resources": resources}))]));
    let arn = format!("arn:aws-us-gov:ec2:us-gov-west-1:123456789012:instance/{A}");
    check(
        vec![
            ("an id", of(json!([resource("AwsEc2Instance", A)]))),
            ("in small letters", of(json!([{"type": "AwsEc2Instance", "id": A, "region": "us-east-1"}]))),
            ("OCSF's type", of(json!([resource("AWS::EC2::Instance", A)]))),
            ("another product's type", of(json!([resource("Other", A)]))),
            ("capitals", of(json!([resource("AwsEc2Instance", &A.to_uppercase())]))),
            ("space", of(json!([resource("AwsEc2Instance", &format!(" {A}\n"))]))),
            ("another partition", of(json!([resource("AwsEc2Instance", &arn)]))),
            (
                "its volume beside it",
                of(json!([resource("AwsEc2Volume", "vol-0123456789abcdef0"), resource("AwsEc2Instance", A)])),
            ),
            (
                "one odd among them",
                of(json!([null, "x", resource("AwsEc2Instance", "i-XYZ"), resource("AwsEc2Instance", A)])),
            ),
            ("one, and no list", of(resource("AwsEc2Instance", A))),
            ("a managed node", of(json!([resource("AwsSsmManagedInstance", "mi-0123456789abcdef0")]))),
            ("a finding, and no list", click(&asff(&story(C2)))),
            ("one that is nothing", click(&json!([null, asff(&story(C2))]))),
        ],
        &expect![[r#"
            an id: 123456789012/us-east-1/i-0123456789abcdef0 contain
            in small letters: 123456789012/us-east-1/i-0123456789abcdef0 contain
            OCSF's type: 123456789012/us-east-1/i-0123456789abcdef0 contain
            another product's type: 123456789012/us-east-1/i-0123456789abcdef0 contain
            capitals: 123456789012/us-east-1/i-0123456789abcdef0 contain
            space: 123456789012/us-east-1/i-0123456789abcdef0 contain
            another partition: 123456789012/us-gov-west-1/i-0123456789abcdef0 contain
            its volume beside it: 123456789012/us-east-1/i-0123456789abcdef0 contain
            one odd among them: 123456789012/us-east-1/i-0123456789abcdef0 contain; UNREAD detail.findings[0].Resources[0]: missing or null is not a resource; UNREAD detail.findings[0].Resources[1]: "x" is not a resource; UNREAD detail.findings[0].Resources[2].Id: "i-XYZ" is not the id or the ARN of an EC2 instance
            one, and no list: 123456789012/us-east-1/i-0123456789abcdef0 contain
            a managed node: NOTICE ClickNamesNothing
            a finding, and no list: 123456789012/us-east-1/i-0123456789abcdef0 contain
            one that is nothing: 123456789012/us-east-1/i-0123456789abcdef0 contain; UNREAD detail.findings[0]: missing or null is not a finding
        "#]],
    );
}

#[test]
fn a_severity_is_read_as_number_text_or_word() {
    let hub = |severity: Value| import(&json!([with(asff(&story(C2)), &json!({"Severity": severity}))]));
    let own = |severity: Value| {
        event("aws.guardduty", "GuardDuty Finding", &with(guardduty(&story(C2)), &json!({"severity": severity})))
    };
    check(
        vec![
            ("hub, a word alone", hub(json!("HIGH"))),
            ("hub, a number alone", hub(json!(8))),
            ("hub, a low number alone", hub(json!("2.0"))),
            ("hub, a label in small letters", hub(json!({"Label": "low"}))),
            ("hub, the original as a number", hub(json!({"Original": 2}))),
            ("hub, normalized as text", hub(json!({"Normalized": "20"}))),
            ("hub, left out", hub(Value::Null)),
            ("own, a word", own(json!("High"))),
            ("own, a low word", own(json!("low"))),
            ("own, text", own(json!(" 2.0 "))),
            ("own, empty", own(json!(""))),
            ("own, a list", own(json!([8]))),
            ("own, no severity", own(json!("8,0"))),
        ],
        &expect![[r#"
            hub, a word alone: 123456789012/us-east-1/i-0123456789abcdef0 contain
            hub, a number alone: 123456789012/us-east-1/i-0123456789abcdef0 contain
            hub, a low number alone: 123456789012/us-east-1/i-0123456789abcdef0 ignore
            hub, a label in small letters: 123456789012/us-east-1/i-0123456789abcdef0 ignore
            hub, the original as a number: 123456789012/us-east-1/i-0123456789abcdef0 ignore
            hub, normalized as text: 123456789012/us-east-1/i-0123456789abcdef0 ignore
            hub, left out: 123456789012/us-east-1/i-0123456789abcdef0 contain
            own, a word: 123456789012/us-east-1/i-0123456789abcdef0 contain
            own, a low word: 123456789012/us-east-1/i-0123456789abcdef0 ignore
            own, text: 123456789012/us-east-1/i-0123456789abcdef0 ignore
            own, empty: 123456789012/us-east-1/i-0123456789abcdef0 contain
            own, a list: ERROR detail.severity: a list of 1 is not a number
            own, no severity: ERROR detail.severity: "8,0" is not a number
        "#]],
    );
}

#[test]
fn guarddutys_own_findings_are_read_with_what_is_left_out_or_written_otherwise() {
    let own = |changes: Value| event("aws.guardduty", "GuardDuty Finding", &with(guardduty(&story(C2)), &changes));
    let sequence = |resources: Value| {
        let mut detail = guardduty(&story("AttackSequence:EC2/CompromisedInstanceGroup"));
        detail["service"]["detection"]["sequence"]["resources"] = resources;
        event("aws.guardduty", "GuardDuty Finding", &detail)
    };
    let finding = || guardduty(&story(C2));
    check(
        vec![
            ("no type of resource", own(json!({"resource": {"instanceDetails": {"instanceId": A}}}))),
            ("no resource", own(json!({"resource": null}))),
            (
                "an ARN",
                own(
                    json!({"resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": format!("arn:aws:ec2:eu-west-1:123456789012:instance/{A}")}}}),
                ),
            ),
            (
                "capitals",
                own(
                    json!({"region": "US-EAST-1", "resource": {"resourceType": "INSTANCE", "instanceDetails": {"instanceId": A.to_uppercase()}}}),
                ),
            ),
            ("an account with space", own(json!({"accountId": " 123456789012 "}))),
            ("an account that is none", own(json!({"accountId": 5}))),
            ("sequence: odd entries", sequence(json!([null, "x", {"uid": A, "resourceType": "EC2_INSTANCE"}]))),
            (
                "sequence: a volume",
                sequence(
                    json!([{"uid": "vol-1", "resourceType": "EBS_VOLUME"}, {"uid": A, "resourceType": "Ec2Instance"}]),
                ),
            ),
            (
                "sequence: a Region that is none",
                sequence(
                    json!([{"uid": A, "resourceType": "EC2_INSTANCE", "region": "global"}, {"uid": B, "resourceType": "EC2_INSTANCE"}]),
                ),
            ),
            ("a list alone", json!([finding(), with(finding(), &json!({"severity": "severe"})), asff(&story(C2))])),
            ("a list in small letters", json!({"findings": [finding(), null]})),
            ("a page of a list", json!({"Findings": [finding()], "NextToken": "x"})),
            ("one, and no list", json!({"Findings": finding()})),
            ("an empty list", json!({"Findings": []})),
        ],
        &expect![[r#"
            no type of resource: 123456789012/us-east-1/i-0123456789abcdef0 contain
            no resource: ERROR detail.resource: missing or null is not the resource of a GuardDuty finding
            an ARN: 123456789012/eu-west-1/i-0123456789abcdef0 contain
            capitals: 123456789012/us-east-1/i-0123456789abcdef0 contain
            an account with space: 123456789012/us-east-1/i-0123456789abcdef0 contain
            an account that is none: ERROR detail.accountId: 5 is not an AWS account id (12 digits)
            sequence: odd entries: 123456789012/us-east-1/i-0123456789abcdef0 contain; UNREAD detail.service.detection.sequence.resources[0]: missing or null is not a resource; UNREAD detail.service.detection.sequence.resources[1]: "x" is not a resource
            sequence: a volume: 123456789012/us-east-1/i-0123456789abcdef0 contain
            sequence: a Region that is none: 123456789012/us-east-1/i-0fedcba9876543210 contain; UNREAD detail.service.detection.sequence.resources[0].region: "global" is not an AWS Region (such as eu-central-1)
            a list alone: 123456789012/us-east-1/i-0123456789abcdef0 contain; 123456789012/us-east-1/i-0123456789abcdef0 ask; UNREAD [1].severity: "severe" is not a number
            a list in small letters: 123456789012/us-east-1/i-0123456789abcdef0 contain; UNREAD Findings[1]: missing or null is not a GuardDuty finding
            a page of a list: 123456789012/us-east-1/i-0123456789abcdef0 contain
            one, and no list: 123456789012/us-east-1/i-0123456789abcdef0 contain
            an empty list: nothing: no finding of the list names an instance
        "#]],
    );
}

#[test]
fn tags_and_lists_of_ids_are_read_entry_by_entry() {
    let tag = |resources: Value| {
        let mut event = event(
            "aws.tag",
            "Tag Change on Resource",
            &json!({"service": "ec2", "resource-type": "instance",
            "changed-tag-keys": ["brig:contain"], "tags": {"brig:contain": "true"}}),
        );
        event["resources"] = resources;
        event
    };
    let report = |detail: Value| event("brig.abuse", "Abuse Report", &detail);
    let arn = format!("arn:aws:ec2:eu-west-1:123456789012:instance/{B}");
    check(
        vec![
            ("tag: one bad", tag(json!(["arn:aws:ec2:us-east-1:123456789012:instance/i-XYZ", A, arn, null]))),
            ("tag: all bad", tag(json!(["x", 5]))),
            ("tag: none", tag(json!([]))),
            (
                "ids",
                report(json!({"instance_ids": [A, format!(" {} ", B.to_uppercase()), null, 7, {"id": A}, "i-XYZ"]})),
            ),
            ("an ARN", report(json!({"instance_ids": [arn]}))),
            ("several in one text", report(json!({"instance_ids": format!("{A}, {B}")}))),
            ("an address among ids", report(json!({"instance_ids": [A, "203.0.113.9"]}))),
            (
                "addresses",
                report(json!({"addresses": ["203.0.113.9:22", "ec2-203-0-113-10.eu-west-1.compute.amazonaws.com",
                "203.0.113.0/24", "2001:db8::9", "::ffff:203.0.113.11", null]})),
            ),
        ],
        &expect![[r#"
            tag: one bad: 123456789012/us-east-1/i-0123456789abcdef0 contain; 123456789012/eu-west-1/i-0fedcba9876543210 contain; UNREAD resources[0]: "arn:aws:ec2:us-east-1:123456789012:instance/i-XYZ" is not the id or the ARN of an EC2 instance; UNREAD resources[3]: missing or null is not the id or the ARN of an EC2 instance
            tag: all bad: UNREAD resources[0]: "x" is not the id or the ARN of an EC2 instance; UNREAD resources[1]: 5 is not the id or the ARN of an EC2 instance
            tag: none: nothing: the tag change names no resource
            ids: 123456789012/us-east-1/i-0123456789abcdef0 contain; 123456789012/us-east-1/i-0fedcba9876543210 contain; UNREAD detail.instance_ids[2]: missing or null is not the id or the ARN of an EC2 instance; UNREAD detail.instance_ids[3]: 7 is not the id or the ARN of an EC2 instance; UNREAD detail.instance_ids[4]: an object of 1 keys is not the id or the ARN of an EC2 instance; UNREAD detail.instance_ids[5]: "i-XYZ" is not the id or the ARN of an EC2 instance
            an ARN: 123456789012/eu-west-1/i-0fedcba9876543210 contain
            several in one text: 123456789012/us-east-1/i-0123456789abcdef0 contain; 123456789012/us-east-1/i-0fedcba9876543210 contain
            an address among ids: 123456789012/us-east-1/i-0123456789abcdef0 contain; UNREAD detail.instance_ids[1]: "203.0.113.9" is not the id or the ARN of an EC2 instance
            addresses: 123456789012/us-east-1/203.0.113.9; 123456789012/eu-west-1/203.0.113.10; 123456789012/us-east-1/2001:db8::9; 123456789012/us-east-1/203.0.113.11; UNREAD detail.addresses[2]: "203.0.113.0/24" is not an IP address; UNREAD detail.addresses[5]: missing or null is not an IP address
        "#]],
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn ocsf_is_read_in_its_versions_and_spellings() {
    let of = |changes: Value| v2(&json!([with(ocsf(&story(C2)), &changes)]));
    let info = |changes: Value| of(json!({"finding_info": with(ocsf(&story(C2))["finding_info"].clone(), &changes)}));
    let only = |resource: Value| of(json!({"resources": [resource]}));
    let key = |data: Value| {
        let theft = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS";
        let mut finding = ocsf(&story(theft));
        finding["resources"] = json!([{"type": "AWS::IAM::AccessKey", "uid": "ASIA", "data": data}]);
        v2(&json!([finding]))
    };
    check(
        vec![
            ("the type first", info(json!({"types": [C2, "Threats"]}))),
            (
                "the type in a taxonomy",
                info(json!({"types": ["TTPs/Command and Control/Backdoor:EC2-C&CActivity.B!DNS"]})),
            ),
            ("the type alone", info(json!({"types": C2}))),
            (
                "when, in milliseconds",
                info(json!({"last_seen_time_dt": null, "last_seen_time": 1_767_323_040_000_i64})),
            ),
            ("when, left out", info(json!({"last_seen_time_dt": null}))),
            (
                "the account as a number",
                of(json!({"cloud": {"account": {"uid": 123_456_789_012_u64}, "region": "us-east-1"}})),
            ),
            (
                "an older account",
                of(
                    json!({"cloud": {"account_uid": "999988887777", "region": "eu-west-1"}, "resources": [{"type": "AWS::EC2::Instance", "uid": A}]}),
                ),
            ),
            ("no cloud", of(json!({"cloud": null, "resources": [{"type": "AWS::EC2::Instance", "uid": A}]}))),
            ("another id beside it", only(json!({"type": "AWS::EC2::Instance", "uid": "res-1", "uid_alt": A}))),
            ("its name alone", only(json!({"type": "AWS::EC2::Instance", "name": A}))),
            ("ASFF's type", only(json!({"type": "AwsEc2Instance", "uid": A}))),
            ("a type in words", only(json!({"type": "EC2 Instance", "uid": A}))),
            ("no type", only(json!({"uid": A}))),
            ("one resource, and no list", of(json!({"resources": {"type": "AWS::EC2::Instance", "uid": A}}))),
            ("a single resource", of(json!({"resources": null, "resource": {"type": "AWS::EC2::Instance", "uid": A}}))),
            ("related", only(json!({"type": "AWS::EC2::Instance", "uid": A, "role_id": "4"}))),
            (
                "a task beside it",
                of(
                    json!({"resources": [{"type": "AWS::ECS::Task", "uid": "t"}, {"type": "AWS::EC2::Instance", "uid": A}]}),
                ),
            ),
            ("severity as text", of(json!({"severity_id": "2"}))),
            ("severity as a word", of(json!({"severity_id": null, "severity": "LOW"}))),
            ("in progress", of(json!({"status_id": 2, "status": "In Progress"}))),
            ("another status, in words", of(json!({"status_id": 99, "status": "Resolved"}))),
            ("closed, as text", of(json!({"activity_id": "3"}))),
            (
                "a principal in OCSF's writing",
                key(json!({"principal_id": format!("AROAEXAMPLE:{A}"), "user_type": "AssumedRole"})),
            ),
            (
                "a principal in GuardDuty's",
                key(json!({"principalId": format!("AROAEXAMPLE:{A}"), "userType": "AssumedRole"})),
            ),
            ("no principal", key(Value::Null)),
            (
                "odd ones",
                v2(&json!([
                    null,
                    with(ocsf(&story(C2)), &json!({"severity_id": "severe"})),
                    with(
                        ocsf(&story(C2)),
                        &json!({"resources": ["x", {"type": "AWS::EC2::Instance", "uid": "i-XYZ"}, {"type": "AWS::EC2::Instance", "uid": B}]})
                    )
                ])),
            ),
        ],
        &expect![[r#"
            the type first: 123456789012/us-east-1/i-0123456789abcdef0 contain
            the type in a taxonomy: 123456789012/us-east-1/i-0123456789abcdef0 contain
            the type alone: 123456789012/us-east-1/i-0123456789abcdef0 contain
            when, in milliseconds: 123456789012/us-east-1/i-0123456789abcdef0 contain
            when, left out: 123456789012/us-east-1/i-0123456789abcdef0 ask
            the account as a number: 123456789012/us-east-1/i-0123456789abcdef0 contain
            an older account: 999988887777/eu-west-1/i-0123456789abcdef0 contain
            no cloud: 123456789012/us-east-1/i-0123456789abcdef0 contain
            another id beside it: 123456789012/us-east-1/i-0123456789abcdef0 contain
            its name alone: 123456789012/us-east-1/i-0123456789abcdef0 contain
            ASFF's type: 123456789012/us-east-1/i-0123456789abcdef0 contain
            a type in words: 123456789012/us-east-1/i-0123456789abcdef0 contain
            no type: 123456789012/us-east-1/i-0123456789abcdef0 contain
            one resource, and no list: 123456789012/us-east-1/i-0123456789abcdef0 contain
            a single resource: 123456789012/us-east-1/i-0123456789abcdef0 contain
            related: 123456789012/us-east-1/i-0123456789abcdef0 ask
            a task beside it: 123456789012/us-east-1/i-0123456789abcdef0 ask
            severity as text: 123456789012/us-east-1/i-0123456789abcdef0 ignore
            severity as a word: 123456789012/us-east-1/i-0123456789abcdef0 ignore
            in progress: 123456789012/us-east-1/i-0123456789abcdef0 contain
            another status, in words: 123456789012/us-east-1/i-0123456789abcdef0 ignore
            closed, as text: 123456789012/us-east-1/i-0123456789abcdef0 ignore
            a principal in OCSF's writing: 123456789012/us-east-1/i-0123456789abcdef0 contain
            a principal in GuardDuty's: 123456789012/us-east-1/i-0123456789abcdef0 contain
            no principal: NOTICE CredentialsOfUnknownInstance
            odd ones: 123456789012/us-east-1/i-0fedcba9876543210 contain; UNREAD detail.findings[0]: missing or null is not a finding; UNREAD detail.findings[1].severity_id: "severe" is not a number; UNREAD detail.findings[2].resources[0]: "x" is not a resource; UNREAD detail.findings[2].resources[1].uid: "i-XYZ" is not the id or the ARN of an EC2 instance
        "#]],
    );
}

#[test]
fn aws_healths_entities_are_read_as_the_api_and_the_bus_write_them() {
    let of = |changes: Value| {
        let detail = json!({"eventArn": "arn:aws:health:us-east-1::event/ABUSE/AWS_ABUSE_DOS_REPORT/1", "service": "ABUSE",
            "eventTypeCode": "AWS_ABUSE_DOS_REPORT", "statusCode": "open", "eventRegion": "us-east-1",
            "lastUpdatedTime": "Fri, 2 Jan 2026 03:04:00 GMT", "affectedAccount": "123456789012"});
        event("aws.health", "AWS Health Abuse Event", &with(detail, &changes))
    };
    let one = |entity: Value| of(json!({"affectedEntities": [entity]}));
    let own = "arn:aws:health:eu-west-1:123456789012:entity/AVh5GGT7ul1arKr1sE1K";
    check(
        vec![
            ("Health's own ARN beside it", one(json!({"entityArn": own, "entityValue": A, "statusCode": "IMPAIRED"}))),
            ("with an account", one(json!({"entityArn": own, "entityValue": A, "awsAccountId": "999988887777"}))),
            (
                "EC2's ARN",
                one(
                    json!({"entityArn": format!("arn:aws:ec2:eu-west-1:123456789012:instance/{A}"), "entityValue": "x"}),
                ),
            ),
            ("unimpaired", one(json!({"entityValue": A, "statusCode": "UNIMPAIRED"}))),
            ("resolved in small letters", one(json!({"entityValue": A, "status": "resolved"}))),
            (
                "one of two resolved",
                of(
                    json!({"affectedEntities": [{"entityValue": A, "status": "RESOLVED"}, {"entityValue": B, "status": "PENDING"}]}),
                ),
            ),
            ("closed with space", of(json!({"statusCode": " CLOSED ", "affectedEntities": [{"entityValue": A}]}))),
            ("texts", of(json!({"affectedEntities": [A, "203.0.113.9", "UNKNOWN", "AWS_ACCOUNT"]}))),
            ("odd ones", of(json!({"affectedEntities": [null, 5, {"entityValue": null}, {"entityValue": A}]}))),
            ("one, and no list", of(json!({"affectedEntities": {"entityValue": A}}))),
            (
                "capitals and space",
                of(json!({"affectedEntities": [{"entityValue": A.to_uppercase()}, {"entityValue": format!(" {B}")}]})),
            ),
            ("several in one", one(json!({"entityValue": format!("{A},{B}")}))),
            ("with its address", one(json!({"entityValue": format!("{A} [203.0.113.9]")}))),
            ("a host's name", one(json!({"entityValue": "ec2-203-0-113-9.eu-west-1.compute.amazonaws.com"}))),
            ("an address with a port", one(json!({"entityValue": "203.0.113.9:22"}))),
            ("a link with an address", one(json!({"entityValue": "http://203.0.113.9/x"}))),
            ("a link with a name", one(json!({"entityValue": "http://www.example.com/x"}))),
            (
                "an account as a number",
                of(json!({"affectedAccount": 123_456_789_012_u64, "affectedEntities": [{"entityValue": A}]})),
            ),
            ("no entity", of(json!({"affectedEntities": null}))),
            ("nothing at all", event("aws.health", "AWS Health Abuse Event", &Value::Null)),
        ],
        &expect![[r#"
            Health's own ARN beside it: 123456789012/eu-west-1/i-0123456789abcdef0 contain
            with an account: 999988887777/eu-west-1/i-0123456789abcdef0 contain
            EC2's ARN: 123456789012/eu-west-1/i-0123456789abcdef0 contain
            unimpaired: NOTICE AbuseClosed
            resolved in small letters: NOTICE AbuseClosed
            one of two resolved: 123456789012/us-east-1/i-0fedcba9876543210 contain
            closed with space: NOTICE AbuseClosed
            texts: 123456789012/us-east-1/i-0123456789abcdef0 contain; 123456789012/us-east-1/203.0.113.9
            odd ones: 123456789012/us-east-1/i-0123456789abcdef0 contain
            one, and no list: 123456789012/us-east-1/i-0123456789abcdef0 contain
            capitals and space: 123456789012/us-east-1/i-0123456789abcdef0 contain; 123456789012/us-east-1/i-0fedcba9876543210 contain
            several in one: 123456789012/us-east-1/i-0123456789abcdef0 contain; 123456789012/us-east-1/i-0fedcba9876543210 contain
            with its address: 123456789012/us-east-1/i-0123456789abcdef0 contain
            a host's name: 123456789012/eu-west-1/203.0.113.9
            an address with a port: 123456789012/us-east-1/203.0.113.9
            a link with an address: 123456789012/us-east-1/203.0.113.9
            a link with a name: NOTICE AbuseNamesNothing
            an account as a number: 123456789012/us-east-1/i-0123456789abcdef0 contain
            no entity: NOTICE AbuseNamesNothing
            nothing at all: NOTICE AbuseNamesNothing
        "#]],
    );
}

#[test]
fn alarms_are_read_with_their_dimensions_and_contributors_in_every_form() {
    let metric = |dimensions: Value| json!({"id": "m1", "metricStat": {"metric": {"namespace": "AWS/EC2", "name": "NetworkOut", "dimensions": dimensions}}});
    let detail = |changes: Value| {
        with(
            json!({"alarmName": "x", "state": {"value": "ALARM", "reason": "r", "timestamp": "2026-01-02T03:04:00.000+0000"}}),
            &changes,
        )
    };
    let of = |metrics: Value| {
        event(
            "aws.cloudwatch",
            "CloudWatch Alarm State Change",
            &detail(json!({"configuration": {"metrics": metrics}})),
        )
    };
    let contributor = |changes: Value| {
        let own = json!({"alarmContributor": {"id": "6d442278dba546f6", "attributes": {"InstanceId": A}},
            "configuration": {"metrics": [{"id": "m1", "expression": "SELECT MAX(NetworkOut) FROM \"AWS/EC2\" GROUP BY InstanceId"}]}});
        event("aws.cloudwatch", "CloudWatch Alarm Contributor State Change", &with(detail(own), &changes))
    };
    let message = |changes: Value| {
        with(
            json!({"AlarmName": "x", "NewStateValue": "ALARM", "AWSAccountId": "123456789012", "Region": "US East (N. Virginia)",
            "StateChangeTime": "2026-01-02T03:04:00.000+0000", "AlarmArn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:x"}),
            &changes,
        )
    };
    let action = json!({"alarmArn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:x",
        "alarmData": detail(json!({"configuration": {"metrics": [metric(json!({"InstanceId": A}))]}}))});
    check(
        vec![
            ("two metrics", of(json!([metric(json!({"InstanceId": A})), metric(json!({"InstanceId": B}))]))),
            (
                "a band of what is usual",
                of(
                    json!([{"id": "ad1", "expression": "ANOMALY_DETECTION_BAND(m1, 2)"}, metric(json!({"InstanceId": A}))]),
                ),
            ),
            ("an agent's name for it", of(json!([metric(json!({"instance_id": A}))]))),
            ("an exporter's name for it", of(json!([metric(json!({"host": A, "job": "node"}))]))),
            (
                "an ARN",
                of(json!([metric(json!({"InstanceId": format!("arn:aws:ec2:us-east-1:123456789012:instance/{A}")}))])),
            ),
            ("names and values", of(json!([metric(json!([{"Name": "InstanceId", "Value": A}]))]))),
            ("one bad", of(json!([metric(json!({"InstanceId": "i-XYZ"})), metric(json!({"InstanceId": A}))]))),
            (
                "another account's metric",
                of(json!([with(metric(json!({"InstanceId": A})), &json!({"accountId": 999_988_887_777_u64}))])),
            ),
            ("of several series, one", contributor(json!({}))),
            ("of several series, one that is well again", contributor(json!({"state": {"value": "OK"}}))),
            (
                "of several series, one without an instance",
                contributor(json!({"alarmContributor": {"attributes": {"QueueName": "q"}}})),
            ),
            (
                "made of others",
                event(
                    "aws.cloudwatch",
                    "CloudWatch Alarm State Change",
                    &detail(json!({"configuration": {"alarmRule": "ALARM(a)"}})),
                ),
            ),
            (
                "by a topic, several metrics",
                message(json!({"Trigger": {"Metrics": [{"Id": "e1", "Expression": "m1+m2"},
                {"Id": "m1", "MetricStat": {"Metric": {"Dimensions": [{"value": A, "name": "InstanceId"}]}}},
                {"Id": "m2", "AccountId": "999988887777", "MetricStat": {"Metric": {"Dimensions": [{"value": B, "name": "InstanceId"}]}}}]}})),
            ),
            ("by a topic, of several series", message(json!({"AlarmContributorAttributes": {"InstanceId": A}}))),
            (
                "by a topic, made of others",
                message(
                    json!({"AlarmRule": "ALARM(y)", "TriggeringChildren": [{"Arn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:y"}]}),
                ),
            ),
            ("as an action, without a Region", action),
        ],
        &expect![[r#"
            two metrics: 123456789012/us-east-1/i-0123456789abcdef0 ask; 123456789012/us-east-1/i-0fedcba9876543210 ask
            a band of what is usual: 123456789012/us-east-1/i-0123456789abcdef0 ask
            an agent's name for it: 123456789012/us-east-1/i-0123456789abcdef0 ask
            an exporter's name for it: 123456789012/us-east-1/i-0123456789abcdef0 ask
            an ARN: 123456789012/us-east-1/i-0123456789abcdef0 ask
            names and values: 123456789012/us-east-1/i-0123456789abcdef0 ask
            one bad: 123456789012/us-east-1/i-0123456789abcdef0 ask; UNREAD detail.configuration.metrics[0].metricStat.metric.dimensions.InstanceId: "i-XYZ" is not the id or the ARN of an EC2 instance
            another account's metric: 999988887777/us-east-1/i-0123456789abcdef0 ask
            of several series, one: 123456789012/us-east-1/i-0123456789abcdef0 ask
            of several series, one that is well again: nothing: the alarm x is in the state OK
            of several series, one without an instance: NOTICE AlarmNamesNothing
            made of others: NOTICE AlarmNamesNothing
            by a topic, several metrics: 123456789012/eu-west-1/i-0123456789abcdef0 ask; 999988887777/eu-west-1/i-0fedcba9876543210 ask
            by a topic, of several series: 123456789012/eu-west-1/i-0123456789abcdef0 ask
            by a topic, made of others: NOTICE AlarmNamesNothing
            as an action, without a Region: 123456789012/eu-west-1/i-0123456789abcdef0 ask
        "#]],
    );
}
