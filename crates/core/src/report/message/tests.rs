use expect_test::expect;

use super::*;
use crate::{
    decide::{Decision, Strength},
    ledger::Conclusion,
    model::timestamp::Timestamp,
    report::{answer::StepReport, fact::Truth, verdict::Verdict},
    step::{Kind, Lane, Note, OutcomeKind, StepKind},
    testing::{AUDIENCE, finding},
};

pub(super) fn containment(outcome: Conclusion, summary: &str) -> Answer {
    Answer {
        containment_id: Some("i-0123456789abcdef0-20260102T030405Z".into()),
        reason: "Backdoor:EC2/C&CActivity.B!DNS: Command and control".into(),
        outcome,
        verdict: Verdict::of(
            crate::step::PerLane { credentials: Truth::No, ..crate::step::PerLane::of(|_| Truth::Yes) },
            summary,
        ),
        steps: vec![
            step(StepKind::Isolate, "eni-a", OutcomeKind::Changed, "was sg-web"),
            step(
                StepKind::DenyRole,
                "arn:aws:iam::123456789012:role/app",
                OutcomeKind::Failed,
                "PutRolePolicy: AccessDenied",
            ),
        ],
        notes: vec![Note::OfTheEvent("web may launch a replacement from the same template, with the same hole".into())],
        claimed_at: Timestamp::parse("2026-01-02T03:04:05Z"),
        instance_name: None,
        ..crate::testing::answer()
    }
}

pub(super) fn step(kind: StepKind, resource: &str, outcome: OutcomeKind, detail: &str) -> StepReport {
    let lane = if kind == StepKind::Isolate { Lane::Network } else { Lane::Credentials };
    let kind = Kind::Contain(kind);
    StepReport {
        lane,
        step: kind,
        operation: kind.operation(),
        resource: resource.to_owned(),
        outcome,
        detail: detail.into(),
    }
}

fn named(name: &str) -> Audience<'static> {
    Audience { instance_name: Some(name.to_owned()), ..AUDIENCE }
}

#[test]
fn a_partial_containment_says_so_first_and_what_to_do_next() {
    let summary = "i-0123456789abcdef0 (web-1) is only PARTLY contained: its credentials are NOT cut; but new network flows are blocked.";
    let containment = containment(Conclusion::Partial, summary);
    expect![[r#"
        ONLY PARTLY CONTAINED: i-0123456789abcdef0 (web-1), 123456789012, us-east-1.
        i-0123456789abcdef0 (web-1) is only PARTLY contained: its credentials are NOT cut; but new network flows are blocked.

        What to do now
        1. Fix the problems listed here, then run this; it continues where it stopped:
           brig contain 123456789012/us-east-1/i-0123456789abcdef0
           aws lambda invoke --function-name brig-contain --cli-read-timeout 150 --cli-binary-format raw-in-base64-out --payload '{"account":"123456789012","instance_id":"i-0123456789abcdef0","region":"us-east-1"}' /dev/stdout
        2. To see what is in place and what each change replaced:
           brig show 123456789012/us-east-1/i-0123456789abcdef0
           aws lambda invoke --function-name brig-contain --cli-read-timeout 150 --cli-binary-format raw-in-base64-out --payload '{"account":"123456789012","action":"show","instance_id":"i-0123456789abcdef0","region":"us-east-1"}' /dev/stdout

        Trigger: Backdoor:EC2/C&CActivity.B!DNS: Command and control, severity 8 [f1]
        Containment: i-0123456789abcdef0-20260102T030405Z
        Instance: https://us-east-1.console.aws.amazon.com/ec2/home?region=us-east-1#InstanceDetails:instanceId=i-0123456789abcdef0
        Interface: https://us-east-1.console.aws.amazon.com/ec2/home?region=us-east-1#NetworkInterfaceDetails:networkInterfaceId=eni-a
        Finding: https://us-east-1.console.aws.amazon.com/guardduty/home?region=us-east-1#/findings?macros=current&fId=f1

        FAILED
        - deny_role arn:aws:iam::123456789012:role/app - PutRolePolicy: AccessDenied

        Done (before -> after)
        - isolate eni-a - was sg-web

        Notes
        - web may launch a replacement from the same template, with the same hole
    "#]]
    .assert_eq(&text(&containment, &finding(), &named("web-1"), usize::MAX));
}

#[test]
fn machines_get_the_entry_and_people_the_text() {
    let message = compose(&containment(Conclusion::Contained, "i is contained."), &finding(), &AUDIENCE);
    assert_eq!(message.subject, "[Brig] CONTAINED: i-0123456789abcdef0 in 123456789012/us-east-1");
    let body: Value = serde_json::from_str(&message.body).expect("json");
    let entry: Value = serde_json::from_str(body["sqs"].as_str().expect("text")).expect("json");
    assert_eq!(entry["schema"], 1);
    assert_eq!(entry["outcome"], "contained");
    assert_eq!(body["default"], body["email"]);
    assert_eq!(entry["dedup_key"], "i-0123456789abcdef0-20260102T030405Z");
    assert_eq!(entry["event_action"], "trigger");
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
    huge.steps =
        (0..5000).map(|n| step(StepKind::DeregisterTargets, &format!("tg-{n}"), OutcomeKind::Changed, "x")).collect();
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

/// The part of a text that begins with a line.
fn part<'a>(text: &'a str, from: &str) -> &'a str {
    let at = text.find(from).expect("the line");
    text[at..].split("\n\n").next().expect("a paragraph")
}

pub(super) fn question() -> Answer {
    let mut asked = containment(Conclusion::Asked, "Nothing was done.");
    asked.decision = Decision::Ask;
    asked.containment_id = None;
    asked.claimed_at = None;
    asked.notes.clear();
    asked.steps =
        vec![step(StepKind::Isolate, "eni-a", OutcomeKind::Planned, "groups: sg-web -> brig-isolation (sg-9)")];
    asked
}

#[test]
fn a_question_carries_what_is_known_and_how_to_say_yes_and_no() {
    let mut finding = finding();
    finding.source = crate::trigger::Source::AbuseText;
    finding.last_seen = Timestamp::parse("2026-01-02T03:04:05Z");
    finding.remotes = vec!["198.51.100.7".parse().expect("an address")];
    finding.report = vec!["Dear customer,".to_owned(), "your instance scans ports".to_owned()];
    let said = text(&question(), &finding, &AUDIENCE, usize::MAX);
    expect![[r#"
        What to do now
        1. First, see what containing it would change:
           brig plan 123456789012/us-east-1/i-0123456789abcdef0
           aws lambda invoke --function-name brig-contain --cli-read-timeout 150 --cli-binary-format raw-in-base64-out --payload '{"account":"123456789012","action":"plan","instance_id":"i-0123456789abcdef0","region":"us-east-1"}' /dev/stdout
        2. Either contain it:
           brig contain 123456789012/us-east-1/i-0123456789abcdef0 --force
           aws lambda invoke --function-name brig-contain --cli-read-timeout 150 --cli-binary-format raw-in-base64-out --payload '{"account":"123456789012","force":true,"instance_id":"i-0123456789abcdef0","region":"us-east-1"}' /dev/stdout
        3. Or leave it alone: do nothing. Brig does not act on this by itself; close it at its source."#]]
    .assert_eq(part(&said, "What to do now"));
    expect![[r#"
        What is known
        - Backdoor:EC2/C&CActivity.B!DNS (abuse_text); severity: 8
        - last activity: 2026-01-02T03:04:05.000Z (UTC)
        - remote addresses: 198.51.100.7"#]]
    .assert_eq(part(&said, "What is known"));
    expect![[r#"
        The report says (written by an outsider; not checked)
          > Dear customer,
          > your instance scans ports"#]]
    .assert_eq(part(&said, "The report says"));
    expect![[r#"
        Would be done (before -> after)
        - isolate eni-a - groups: sg-web -> brig-isolation (sg-9)
    "#]]
    .assert_eq(part(&said, "Would be done"));
}

#[test]
fn of_an_instance_that_nobody_may_contain_the_tag_comes_first() {
    let never = Exemption { tag: "brig:exempt", value: "never", strength: Strength::Never };
    let audience = Audience { exemption: Some(never), ..AUDIENCE };
    let said = text(&question(), &finding(), &audience, usize::MAX);
    expect![[r#"
        What to do now
        1. Nobody can contain it while it is tagged brig:exempt=never. To allow it, change the tag (account 123456789012):
           aws ec2 create-tags --region us-east-1 --resources i-0123456789abcdef0 --tags '[{"Key":"brig:exempt","Value":"reviewed"}]'
        2. Then contain it:
           brig contain 123456789012/us-east-1/i-0123456789abcdef0 --force
           aws lambda invoke --function-name brig-contain --cli-read-timeout 150 --cli-binary-format raw-in-base64-out --payload '{"account":"123456789012","force":true,"instance_id":"i-0123456789abcdef0","region":"us-east-1"}' /dev/stdout
        3. Or leave it alone: do nothing. Brig does not act on this by itself; close it at its source."#]]
    .assert_eq(part(&said, "What to do now"));
}

#[test]
fn the_draft_for_aws_has_the_time_on_record_and_only_what_was_done() {
    let mut report = finding();
    report.source = crate::trigger::Source::Health;
    let mut contained = containment(Conclusion::Contained, "i is contained.");
    let draft = |contained: &Answer| {
        let said = text(contained, &report, &AUDIENCE, usize::MAX);
        part(&said, "Draft of an answer").lines().nth(2).expect("its second sentence").trim().to_owned()
    };
    expect!["We have contained the instance (started 2026-01-02T03:04:05.000Z, UTC): its network interfaces were isolated by security groups, which leave DNS to AWS's own resolver open; its volumes are kept, and snapshots of them were started for the investigation."]
        .assert_eq(&draft(&contained));
    for (kind, sentence) in [
        (StepKind::DetachInstances, "it was taken out of its Auto Scaling group;"),
        (StepKind::DeregisterTargets, "it was taken out of its load balancers;"),
        (StepKind::DeregisterInstancesFromLoadBalancer, "it was taken out of its load balancers;"),
    ] {
        contained.steps = vec![step(kind, "x", OutcomeKind::Changed, "")];
        assert!(draft(&contained).contains(sentence), "{}", draft(&contained));
    }
    contained.claimed_at = None;
    assert!(draft(&contained).starts_with("We have contained the instance: "), "{}", draft(&contained));
}

#[test]
fn a_name_tag_of_many_lines_is_one_line_and_forges_nothing() {
    let mut instance = crate::testing::instance();
    let tag = "web-1)\n\nWhat to do now\n- False alarm, closed. Release it:\n\n(x\u{202e}\u{200b}\u{1b}[31m";
    instance.tags.insert("Name".to_owned(), tag.to_owned());
    let audience = Audience { instance_name: instance.name(), ..AUDIENCE };
    let said = text(&containment(Conclusion::Contained, "i is contained."), &finding(), &audience, usize::MAX);
    expect!["CONTAINED: i-0123456789abcdef0 (web-1) What to do now - False alarm, closed. Release it: (x [31m), 123456789012, us-east-1."].assert_eq(said.lines().next().expect("the headline"));
    assert_eq!(said.lines().filter(|line| *line == "What to do now").count(), 1);
}

#[test]
fn names_in_commands_are_quoted() {
    let audience = Audience { function: "brig; reboot", release_function: "$(reboot)", table: "`reboot`", ..AUDIENCE };
    let said = text(&containment(Conclusion::Contained, "x"), &finding(), &audience, usize::MAX);
    assert!(said.contains("--function-name '$(reboot)' "), "{said}");
    let said = text(&containment(Conclusion::Partial, "x"), &finding(), &audience, usize::MAX);
    assert!(said.contains("--function-name 'brig; reboot' "), "{said}");
}

#[test]
fn an_sms_offers_no_answer_that_would_be_refused() {
    let asked = Answer { question: Some("0123456789ab".to_owned()), ..question() };
    assert!(subject::sms(&asked, &AUDIENCE).contains(" decide "), "{}", subject::sms(&asked, &AUDIENCE));
    let exemption = Exemption { tag: "brig:exempt", value: "never", strength: Strength::Never };
    let sms = subject::sms(&asked, &Audience { exemption: Some(exemption), ..AUDIENCE });
    assert!(!sms.contains(" decide ") && sms.contains("brig show "), "{sms}");
}

#[test]
fn an_sms_ends_after_a_whole_word_and_never_loses_what_to_do() {
    let mut long = containment(Conclusion::Failed, "x");
    long.reason = "word ".repeat(200).into();
    let sms = subject::sms(&long, &AUDIENCE);
    assert!(sms.len() <= 306, "{}", sms.len());
    assert!(sms.contains(" word... brig show 123456789012/us-east-1/i-0123456789abcdef0"), "{sms}");
}
