use expect_test::expect;

use super::*;
use crate::{
    containment::{StepReport, Timings},
    policy::Decision,
    testing::{account, finding},
    verdict::{Truth, Verdict},
};

fn containment(outcome: Conclusion, summary: &str) -> Containment {
    Containment {
        account: account(),
        region: "us-east-1".parse().expect("region"),
        instance_id: "i-0123456789abcdef0".parse().expect("id"),
        containment_id: Some("i-0123456789abcdef0-20260102T030405Z".into()),
        decision: Decision::Contain,
        reason: "Backdoor:EC2/C&CActivity.B!DNS: Command and control".to_owned(),
        outcome,
        verdict: Verdict {
            network: Truth::Yes,
            credentials: Truth::No,
            fleet: Truth::Yes,
            evidence: Truth::Yes,
            summary: summary.to_owned(),
            paths: Vec::new(),
            proof: None,
            uncut: Vec::new(),
            undenied: Vec::new(),
            unpreserved: Vec::new(),
            open: false,
        },
        steps: vec![
            step("network", "isolate", "eni-a", "changed", "was sg-web"),
            step(
                "identity",
                "deny_role",
                "arn:aws:iam::123456789012:role/app",
                "failed",
                "PutRolePolicy: AccessDenied",
            ),
        ],
        notes: vec!["web may launch a replacement from the same template, with the same hole".to_owned()],
        contest: None,
        timings_ms: Timings::default(),
        left_over: false,
        held_until: None,
        unreachable: false,
    }
}

fn step(lane: &'static str, name: &'static str, resource: &str, outcome: &'static str, detail: &str) -> StepReport {
    StepReport { lane, step: name, resource: resource.to_owned(), outcome, detail: detail.to_owned() }
}

const AUDIENCE: Audience<'static> = Audience {
    function: "brig-contain",
    release_function: "brig-release",
    table: "brig",
    instance_name: Some("web-1"),
};

#[test]
fn a_partial_containment_says_so_first_and_what_to_do_next() {
    let summary = "i-0123456789abcdef0 (web-1) is only PARTLY contained: its credentials are NOT cut; but new network flows are blocked.";
    let containment = containment(Conclusion::Partial, summary);
    expect![[r#"
        i-0123456789abcdef0 (web-1) is only PARTLY contained: its credentials are NOT cut; but new network flows are blocked.

        Instance: i-0123456789abcdef0 (web-1)
        Where: account 123456789012, us-east-1
        Why: Backdoor:EC2/C&CActivity.B!DNS: Command and control, severity 8 [f1]
        Containment: i-0123456789abcdef0-20260102T030405Z

        What to do now
        - Read what could not be done below, grant or repair it, and run this again; it goes on where it stopped:
        - aws lambda invoke --function-name brig-contain --cli-read-timeout 150 --cli-binary-format raw-in-base64-out --payload '{"instance_id":"i-0123456789abcdef0","account":"123456789012","region":"us-east-1"}' /dev/stdout
        - What each change replaced is on record: aws dynamodb query --table-name brig --key-condition-expression 'pk = :pk' --expression-attribute-values '{":pk":{"S":"123456789012/us-east-1/i-0123456789abcdef0"}}'

        What could not be done
        - failed: deny_role arn:aws:iam::123456789012:role/app - PutRolePolicy: AccessDenied

        What was done
        - changed: isolate eni-a - was sg-web

        What you should know
        - web may launch a replacement from the same template, with the same hole
    "#]]
    .assert_eq(&text(&containment, &finding(), &AUDIENCE, usize::MAX));
}

#[test]
fn machines_get_the_entry_and_people_the_text() {
    let message = compose(&containment(Conclusion::Contained, "i is contained."), &finding(), &AUDIENCE);
    assert_eq!(message.subject, "[Brig] contained: i-0123456789abcdef0 in 123456789012/us-east-1");
    let body: Value = serde_json::from_str(&message.body).expect("json");
    let entry: Value = serde_json::from_str(body["sqs"].as_str().expect("text")).expect("json");
    assert_eq!(entry["schema"], 1);
    assert_eq!(entry["outcome"], "contained");
    assert_eq!(body["default"], body["email"]);
    assert!(message.attributes.contains(&("severity", "Number", "8".to_owned())));
}

#[test]
fn the_severity_is_left_out_where_it_is_unknown() {
    let mut manual = finding();
    manual.severity = None;
    let message = compose(&containment(Conclusion::Contained, "x"), &manual, &AUDIENCE);
    assert!(message.attributes.iter().all(|(name, _, value)| *name != "severity" && !value.is_empty()));
}

#[test]
fn a_huge_containment_is_cut_with_a_count_and_still_fits() {
    let mut huge = containment(Conclusion::Contained, "ü\n".repeat(200).as_str());
    huge.steps = (0..5000).map(|n| step("fleet", "deregister_targets", &format!("tg-{n}"), "changed", "x")).collect();
    let message = compose(&huge, &finding(), &AUDIENCE);
    assert!(message.body.len() < 256 * 1024, "{}", message.body.len());
    let body: Value = serde_json::from_str(&message.body).expect("json");
    let entry: Value = serde_json::from_str(body["http"].as_str().expect("text")).expect("json");
    let shown = entry["steps"].as_array().expect("steps").len();
    assert_eq!(entry["steps_cut"], 5000 - shown);
    assert!(body["default"].as_str().expect("text").contains(&format!("and {} more", 5000 - shown)));
    let sms = body["sms"].as_str().expect("text");
    assert!(sms.len() <= 306 && sms.is_ascii());
}
