//! One finding, told by every way that it can come: GuardDuty's event, the same alone and in a list of its API, and by
//! Security Hub as an import, a click and in OCSF. What is decided must not depend on the way; a click only adds that a
//! person has chosen the instance, who is asked where the finding says something else.

use std::fmt::Write as _;

use expect_test::expect;

use super::*;
use crate::{
    decide::{Guide, Known, decide, decide_holder, gate, ignored, nobodys, rules::Rules},
    model::Instance,
    testing::instance,
};

pub(super) const ID: &str = "i-0123456789abcdef0";
const SESSION: &str = "AROAEXAMPLEEXAMPLE000:i-0123456789abcdef0";

/// What happened, before any format.
#[derive(Clone)]
pub(super) struct Story {
    pub(super) kind: &'static str,
    pub(super) severity: f64,
    pub(super) role: &'static str,
    /// GuardDuty's `resourceType`.
    pub(super) of: &'static str,
    /// Whether the instance is named.
    pub(super) named: bool,
    pub(super) principal: Option<&'static str>,
    pub(super) sample: bool,
    pub(super) archived: bool,
}

pub(super) fn story(kind: &'static str) -> Story {
    Story {
        kind,
        severity: 8.0,
        role: "ACTOR",
        of: "Instance",
        named: true,
        principal: None,
        sample: false,
        archived: false,
    }
}

impl Story {
    /// The access key, the type of its principal, and the name.
    fn key(&self) -> (&'static str, &'static str, &'static str) {
        match self.principal {
            Some(id) if id.starts_with("AIDA") => ("AKIAEXAMPLEEXAMPLE00", "IAMUser", "alice"),
            Some("123456789012") => ("AKIAEXAMPLEEXAMPLE00", "Root", "Root"),
            _ => ("ASIAEXAMPLEEXAMPLE00", "AssumedRole", "app"),
        }
    }
}

pub(super) fn arn() -> String {
    format!("arn:aws:ec2:us-east-1:123456789012:instance/{ID}")
}

pub(super) fn guardduty(story: &Story) -> Value {
    let mut resource = json!({"resourceType": story.of});
    if story.named {
        resource["instanceDetails"] = json!({"instanceId": ID});
    }
    if let Some(principal) = story.principal {
        resource["accessKeyDetails"] = json!({"accessKeyId": story.key().0, "principalId": principal, "userName": story.key().2, "userType": story.key().1});
    }
    let mut service = json!({"serviceName": "guardduty", "resourceRole": story.role, "archived": story.archived,
        "eventLastSeen": "2026-01-02T03:04:00.000Z", "additionalInfo": {"value": "{}", "type": "default"},
        "action": {"actionType": "NETWORK_CONNECTION", "networkConnectionAction": {
            "connectionDirection": "OUTBOUND", "remoteIpDetails": {"ipAddressV4": "203.0.113.77"}}}});
    if story.sample {
        service["additionalInfo"]["value"] = json!("{\"sample\":true}");
    }
    if story.kind.starts_with("AttackSequence:") {
        let mut resources = vec![json!({"uid": "arn:aws:s3:::bucket", "resourceType": "S3_BUCKET"})];
        if story.named {
            resources.push(json!({"uid": arn(), "resourceType": "EC2_INSTANCE"}));
        }
        if let Some(principal) = story.principal {
            resources.push(json!({"uid": story.key().0, "resourceType": "ACCESS_KEY",
                "data": {"accessKey": {"principalId": principal, "userName": story.key().2, "userType": story.key().1}}}));
        }
        let endpoints = json!([{"id": "e", "ip": "203.0.113.77"}]);
        service["detection"] = json!({"sequence": {"uid": "s", "resources": resources, "endpoints": endpoints}});
    }
    json!({"schemaVersion": "2.0", "accountId": "123456789012", "region": "us-east-1", "id": "f1",
        "arn": "arn:aws:guardduty:us-east-1:123456789012:detector/d/finding/f1", "type": story.kind,
        "severity": story.severity, "title": "It happened", "updatedAt": "2026-01-02T03:04:05.000Z",
        "resource": resource, "service": service})
}

/// As the API's answers are written.
fn pascal(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| {
                let mut letters = key.chars();
                let first = letters.next().map(|c| c.to_ascii_uppercase()).into_iter();
                (first.chain(letters).collect::<String>(), pascal(value))
            })
            .collect(),
        Value::Array(items) => items.iter().map(pascal).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// The resource's types other than the instance: in GuardDuty's, Security Hub's and OCSF's writing.
fn beside(of: &str) -> Option<(&'static str, &'static str)> {
    Some(match of {
        "EKSCluster" => ("AwsEksCluster", "AWS::EKS::Cluster"),
        "ECSCluster" => ("AwsEcsCluster", "AWS::ECS::Cluster"),
        "Container" => ("Container", "Container"),
        "AccessKey" => ("AwsIamAccessKey", "AWS::IAM::AccessKey"),
        "S3Bucket" => ("AwsS3Bucket", "AWS::S3::Bucket"),
        _ => return None,
    })
}

pub(super) fn asff(story: &Story) -> Value {
    let mut resources = Vec::new();
    if let Some((of, _)) = beside(story.of).filter(|(of, _)| *of != "AwsIamAccessKey") {
        resources.push(json!({"Type": of, "Id": "arn:aws:x:us-east-1:123456789012:thing/x", "Region": "us-east-1"}));
    }
    if story.of == "AccessKey" || story.principal.is_some() {
        resources.push(json!({"Type": "AwsIamAccessKey", "Id": format!("AWS::IAM::AccessKey:{}", story.key().0),
            "Details": {"AwsIamAccessKey": {"PrincipalId": story.principal, "PrincipalType": story.key().1, "PrincipalName": story.key().2}}}));
    }
    if story.named && story.of != "S3Bucket" {
        resources.push(json!({"Type": "AwsEc2Instance", "Id": arn(), "Region": "us-east-1"}));
    }
    let mut fields = json!({"aws/guardduty/service/resourceRole": story.role,
        "aws/guardduty/service/action/networkConnectionAction/remoteIpDetails/ipAddressV4": "203.0.113.77"});
    if story.sample {
        fields["aws/guardduty/service/additionalInfo/sample"] = json!("true");
    }
    let taxonomy = format!("TTPs/Something/{}", story.kind.replacen('/', "-", 1));
    json!({"SchemaVersion": "2018-10-08", "ProductArn": "arn:aws:securityhub:us-east-1::product/aws/guardduty",
        "Id": "arn:aws:guardduty:us-east-1:123456789012:detector/d/finding/f1", "AwsAccountId": "123456789012",
        "Types": [taxonomy], "LastObservedAt": "2026-01-02T03:04:00Z", "Title": "It happened",
        "Severity": {"Product": story.severity}, "ProductFields": fields, "Resources": resources,
        "RecordState": if story.archived { "ARCHIVED" } else { "ACTIVE" }, "Workflow": {"Status": "NEW"}})
}

pub(super) fn ocsf(story: &Story) -> Value {
    let mut resources = Vec::new();
    if let Some((_, of)) = beside(story.of).filter(|(_, of)| *of != "AWS::IAM::AccessKey") {
        resources.push(json!({"type": of, "uid": "x"}));
    }
    if story.of == "AccessKey" || story.principal.is_some() {
        resources.push(json!({"type": "AWS::IAM::AccessKey", "uid": story.key().0,
            "data": {"principal_id": story.principal, "user_type": story.key().1, "user_name": story.key().2}}));
    }
    if story.named && story.of != "S3Bucket" {
        resources.push(json!({"type": "AWS::EC2::Instance", "uid": ID, "name": ID, "region": "us-east-1",
            "owner": {"account": {"uid": "123456789012"}}}));
    }
    let level = [(9.0, 5), (7.0, 4), (4.0, 3), (0.0, 2)].into_iter().find(|(from, _)| story.severity >= *from);
    let mut evidence = json!({"data": {"resource_role": story.role},
        "connection_info": {"direction_id": 2}, "src_endpoint": {"ip": "10.0.0.7"}, "dst_endpoint": {"ip": "203.0.113.77"}});
    if story.sample {
        evidence["data"]["sample"] = json!(true);
    }
    json!({"class_uid": 2004, "cloud": {"account": {"uid": "123456789012"}, "region": "us-east-1"},
        "finding_info": {"title": "It happened", "types": ["Threats", story.kind],
            "uid": "arn:aws:guardduty:us-east-1:123456789012:detector/d/finding/f1", "last_seen_time_dt": "2026-01-02T03:04:00Z"},
        "metadata": {"product": {"uid": "arn:aws:securityhub:us-east-1::productv2/aws/guardduty"}},
        "evidences": [evidence], "resources": resources, "severity_id": level.map(|(_, id)| id),
        "status_id": if story.archived { 5 } else { 1 }})
}

pub(super) fn event(source: &str, detail_type: &str, detail: &Value) -> Value {
    json!({"version": "0", "id": "e1", "source": source, "detail-type": detail_type, "account": "123456789012",
        "time": "2026-01-02T03:05:00Z", "region": "us-east-1",
        "resources": ["arn:aws:securityhub:us-east-1:123456789012:action/custom/Contain"], "detail": detail})
}

pub(super) fn click(findings: &Value) -> Value {
    event("aws.securityhub", "Security Hub Findings - Custom Action", &json!({"findings": findings}))
}

pub(super) fn import(findings: &Value) -> Value {
    event("aws.securityhub", "Security Hub Findings - Imported", &json!({"findings": findings}))
}

pub(super) fn v2(findings: &Value) -> Value {
    event("aws.securityhub", "Findings Imported V2", &json!({"findings": findings}))
}

pub(super) fn read(event: &Value) -> Result<Parsed, ParseError> {
    let invoked = Invoked { account: "123456789012".parse().expect("account"), ..invoked() };
    parse(event, &invoked, &policy())
}

pub(super) fn decided(parsed: Result<Parsed, ParseError>, instance: &Instance) -> String {
    let (policy, rules, own) = (policy(), Rules::none(), crate::testing::account());
    let guide = Guide { policy: &policy, rules: &rules, rules_lost: None };
    match parsed {
        Ok(Parsed::Request(request)) => {
            let decisions = request.findings.iter().map(|finding| {
                assert_eq!(finding.target.as_str(), ID);
                let decided = gate(finding, &policy, &own)
                    .or_else(|| ignored(finding, &policy))
                    .unwrap_or_else(|| decide(finding, instance, &Known::No, Force::No, &guide));
                decided.decision.word().to_owned()
            });
            let principals = request.principals.iter().map(|finding| {
                let decided = gate(finding, &policy, &own)
                    .or_else(|| ignored(finding, &policy))
                    .or_else(|| nobodys(&finding.target, &finding.kind))
                    .unwrap_or_else(|| {
                        let now = crate::model::timestamp::Timestamp::from_millis(1_790_000_000_000);
                        let user = crate::model::Holder::User(crate::testing::user_of(&finding.target));
                        decide_holder(finding, (&user, None), &Known::No, (Force::No, now), &guide)
                    });
                format!("user: {}", decided.decision.word())
            });
            let notices = request.notices.iter().map(|notice| format!("{:?}", notice.kind));
            decisions.chain(principals).chain(notices).collect::<Vec<_>>().join("+")
        }
        Ok(Parsed::Nothing(_)) => "-".to_owned(),
        Ok(Parsed::Notice(notice)) => format!("{:?}", notice.kind),
        other => format!("{other:?}"),
    }
}

fn by_every_way(story: &Story, tags: &[(&str, &str)]) -> [String; 6] {
    let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let instance = Instance { tags, ..instance() };
    let (detail, asff) = (guardduty(story), json!([asff(story)]));
    [
        event("aws.guardduty", "GuardDuty Finding", &detail),
        detail.clone(),
        json!({"Findings": [pascal(&detail)]}),
        import(&asff),
        v2(&json!([ocsf(story)])),
        click(&asff),
    ]
    .map(|event| decided(read(&event), &instance))
}

/// What happened, in words and as a story, to an instance with these tags.
type Row = (&'static str, Story, &'static [(&'static str, &'static str)]);

fn rows() -> Vec<Row> {
    let c2 = || story("Backdoor:EC2/C&CActivity.B!DNS");
    let stolen = || Story {
        of: "AccessKey",
        named: false,
        role: "TARGET",
        ..story("UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS")
    };
    let odd_key = || Story { kind: "Discovery:IAMUser/AnomalousBehavior", ..stolen() };
    let sequence = |kind| Story { of: "AttackSequence", severity: 9.0, ..story(kind) };
    vec![
        ("the instance did it", c2(), &[]),
        ("it is mild", Story { severity: 5.0, ..c2() }, &[]),
        ("it is a sample", Story { sample: true, ..c2() }, &[]),
        ("it is archived", Story { archived: true, ..c2() }, &[]),
        ("it was attacked", Story { role: "TARGET", ..story("UnauthorizedAccess:EC2/SSHBruteForce") }, &[]),
        ("it attacked", story("UnauthorizedAccess:EC2/SSHBruteForce"), &[]),
        ("its agent saw it", story("CryptoCurrency:Runtime/BitcoinTool.B"), &[]),
        ("malware on its volume", Story { of: "EBSVolume", ..story("Execution:EC2/MaliciousFile") }, &[]),
        ("a container of EKS", Story { of: "EKSCluster", ..story("CryptoCurrency:Runtime/BitcoinTool.B") }, &[]),
        ("a task of ECS", Story { of: "ECSCluster", ..story("CryptoCurrency:Runtime/BitcoinTool.B") }, &[]),
        ("malware in a container", Story { of: "Container", ..story("Execution:Container/MaliciousFile") }, &[]),
        ("a Kubernetes node by its tags", c2(), &[("kubernetes.io/cluster/prod", "owned")]),
        ("a node of ECS by its tags", c2(), &[("AmazonECSManaged", "")]),
        ("its credentials", Story { principal: Some(SESSION), ..stolen() }, &[]),
        ("its credentials, named too", Story { principal: Some(SESSION), named: true, ..stolen() }, &[]),
        ("credentials, it is mentioned", Story { named: true, ..stolen() }, &[]),
        ("credentials of some instance", stolen(), &[]),
        ("a key that its session used", Story { principal: Some(SESSION), ..odd_key() }, &[]),
        ("a key beside it", Story { named: true, ..odd_key() }, &[]),
        ("a user's key", Story { principal: Some("AIDAEXAMPLE"), ..odd_key() }, &[]),
        ("a user's key, mild", Story { principal: Some("AIDAEXAMPLE"), severity: 2.0, ..odd_key() }, &[]),
        ("a user's key, a sample", Story { principal: Some("AIDAEXAMPLE"), sample: true, ..odd_key() }, &[]),
        ("a user's key, beside it", Story { principal: Some("AIDAEXAMPLE"), named: true, ..odd_key() }, &[]),
        ("a key of the root user", Story { principal: Some("123456789012"), ..odd_key() }, &[]),
        ("a session of a role", Story { principal: Some("AROAEXAMPLE:build-42"), ..odd_key() }, &[]),
        (
            "a bucket, by a user's key",
            Story {
                of: "S3Bucket",
                named: false,
                principal: Some("AIDAEXAMPLE"),
                ..story("Exfiltration:S3/AnomalousBehavior")
            },
            &[],
        ),
        (
            "an attack by a user's key",
            Story {
                named: false,
                principal: Some("AIDAEXAMPLE"),
                ..sequence("AttackSequence:IAM/CompromisedCredentials")
            },
            &[],
        ),
        ("a bucket", Story { of: "S3Bucket", named: false, ..story("Exfiltration:S3/AnomalousBehavior") }, &[]),
        ("a bucket, with filler", Story { of: "S3Bucket", ..story("Exfiltration:S3/AnomalousBehavior") }, &[]),
        (
            "a bucket, by its session",
            Story {
                of: "S3Bucket",
                named: false,
                principal: Some(SESSION),
                ..story("Exfiltration:S3/AnomalousBehavior")
            },
            &[],
        ),
        ("an attack on instances", sequence("AttackSequence:EC2/CompromisedInstanceGroup"), &[]),
        ("an attack on EKS", sequence("AttackSequence:EKS/CompromisedCluster"), &[]),
        ("an attack on ECS", sequence("AttackSequence:ECS/CompromisedCluster"), &[]),
        (
            "an attack by its credentials",
            Story { named: false, principal: Some(SESSION), ..sequence("AttackSequence:IAM/CompromisedCredentials") },
            &[],
        ),
        ("an attack on a bucket", Story { named: false, ..sequence("AttackSequence:S3/CompromisedData") }, &[]),
    ]
}

#[test]
fn one_finding_has_one_meaning_by_every_way() {
    let mut table = String::new();
    for (what, story, tags) in rows() {
        let [event, others @ .., click] = by_every_way(&story, tags);
        for other in &others {
            assert_eq!(*other, event, "{what}: {others:?}");
        }
        let _ = writeln!(table, "{what:32}{event:34}click: {click}");
    }
    expect![[r#"
        the instance did it             contain                           click: contain
        it is mild                      ignore                            click: contain
        it is a sample                  ignore                            click: ask
        it is archived                  ignore                            click: ask
        it was attacked                 ignore                            click: ask
        it attacked                     contain                           click: contain
        its agent saw it                contain                           click: contain
        malware on its volume           contain                           click: contain
        a container of EKS              ask                               click: ask
        a task of ECS                   ask                               click: ask
        malware in a container          ask                               click: ask
        a Kubernetes node by its tags   ask                               click: ask
        a node of ECS by its tags       ask                               click: ask
        its credentials                 contain                           click: contain
        its credentials, named too      contain                           click: contain
        credentials, it is mentioned    ask                               click: ask
        credentials of some instance    CredentialsOfUnknownInstance      click: CredentialsOfUnknownInstance
        a key that its session used     contain                           click: contain
        a key beside it                 ask                               click: ask
        a user's key                    user: contain                     click: user: contain
        a user's key, mild              user: ignore                      click: user: contain
        a user's key, a sample          user: ignore                      click: user: ask
        a user's key, beside it         ask+user: contain                 click: ask+user: contain
        a key of the root user          user: ask                         click: user: ask
        a session of a role             user: ask                         click: user: ask
        a bucket, by a user's key       user: ask                         click: user: ask
        an attack by a user's key       user: contain                     click: user: contain
        a bucket                        -                                 click: ClickNamesNothing
        a bucket, with filler           -                                 click: ClickNamesNothing
        a bucket, by its session        ask                               click: ask
        an attack on instances          contain                           click: contain
        an attack on EKS                ask                               click: ask
        an attack on ECS                ask                               click: ask
        an attack by its credentials    contain                           click: contain
        an attack on a bucket           -                                 click: ClickNamesNothing
    "#]]
    .assert_eq(&table);
}

#[test]
fn the_same_facts_come_by_every_way() {
    let stolen = Story {
        of: "AccessKey",
        named: false,
        principal: Some(SESSION),
        ..story("UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS")
    };
    let asff = json!([asff(&stolen)]);
    let facts = |event: &Value| match read(event) {
        Ok(Parsed::Request(request)) => {
            let finding = &request.findings[0];
            format!("{} {} {:?} {:?} {:?}", finding.id, finding.kind, finding.remotes, finding.roles, finding.role)
        }
        other => format!("{other:?}"),
    };
    let expected = facts(&event("aws.guardduty", "GuardDuty Finding", &guardduty(&stolen)));
    expect![[
        r#"f1 UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS [203.0.113.77] ["app"] Some(Actor)"#
    ]]
    .assert_eq(&expected);
    for event in [guardduty(&stolen), import(&asff), v2(&json!([ocsf(&stolen)])), click(&asff)] {
        assert_eq!(facts(&event), expected, "{event}");
    }
}
