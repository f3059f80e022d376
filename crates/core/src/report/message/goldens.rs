//! The messages that people get most, whole, as files: each can be read and acted on without any other document.

use super::{tests::*, *};
use crate::{
    decide::Strength,
    ledger::Conclusion,
    model::timestamp::Timestamp,
    report::{
        answer::{Isolated, StepReport},
        contest::Contested,
        fact::Truth,
        verdict::{LaneLine, Verdict},
    },
    step::{Kind, Lane, Note, OutcomeKind, ReversalKind, StepKind},
    testing::{AUDIENCE, account, finding},
    trigger::Source,
};

const NETWORK: &str =
    "blocked, except through DNS; existing connections expected to drop (not guaranteed), ICMP may continue";

/// What each lane says, in the order of the lanes.
fn lanes(lines: [(Truth, &str); 4]) -> Vec<LaneLine> {
    let line = |(lane, (truth, text)): (Lane, (Truth, &str))| LaneLine { lane, truth, text: text.into() };
    Lane::ALL.into_iter().zip(lines).map(line).collect()
}

fn contained() -> Answer {
    let at = Timestamp::parse("2026-01-02T18:37:44Z").expect("a time");
    let mut contained = containment(Conclusion::Contained, "x");
    contained.isolated = Some(Isolated { at, after_ms: 640 });
    contained.verdict.lanes = lanes([
        (Truth::Yes, NETWORK),
        (Truth::Yes, "denied, and no new ones are handed out"),
        (Truth::Yes, "out of its Auto Scaling group and load balancers"),
        (Truth::Yes, "volumes kept, snapshots started"),
    ]);
    let role = "arn:aws:iam::123456789012:role/app";
    let denial = "policy brig-deny: none -> denies this instance's sessions everything";
    let detached = "membership: InService -> detached; the group may replace it";
    contained.steps = vec![
        step(StepKind::Isolate, "eni-a", OutcomeKind::Changed, "groups: sg-web -> brig-isolation (sg-9)"),
        step(StepKind::DenyRole, role, OutcomeKind::Changed, denial),
        step(StepKind::DetachInstances, "web", OutcomeKind::Changed, detached),
    ];
    contained.notes =
        vec![Note::OfTheEvent("2 other instances use the role app; their sessions are not denied: i-2, i-3".into())];
    contained
}

fn partial() -> Answer {
    let mut partial = contained();
    partial.outcome = Conclusion::Partial;
    partial.verdict.lanes = lanes([
        (Truth::Yes, NETWORK),
        (Truth::No, "sessions of the role app are NOT denied: Brig is not allowed to write its policy"),
        (Truth::Unknown, "the target groups could not be read (DescribeTargetGroups: Throttling: Rate exceeded)"),
        (Truth::Partial, "vol-2 has no snapshot: snap-7 ended in the state error"),
    ]);
    let denied = "PutRolePolicy: AccessDenied (grant iam:PutRolePolicy to Brig's role)";
    partial.steps.retain(|step| step.step != Kind::Contain(StepKind::DenyRole));
    partial.steps.push(step(StepKind::DenyRole, "arn:aws:iam::123456789012:role/app", OutcomeKind::Failed, denied));
    partial
}

fn asked(outcome: Conclusion, question: Option<&str>, summary: &str) -> Answer {
    let verdict = Verdict::untouched(summary);
    Answer { outcome, verdict, question: question.map(str::to_owned), ..super::tests::question() }
}

fn failed() -> Answer {
    let why = "i-0123456789abcdef0 in 123456789012/us-east-1 is NOT contained: containment could not start: TransactWriteItems: AccessDeniedException. Nothing was changed, because Brig changes nothing that it cannot record first.";
    Answer { steps: Vec::new(), ..asked(Conclusion::Failed, None, why) }
}

fn contradicted(traffic: &str) -> Answer {
    let mut contradicted = later(Conclusion::Contradicted, traffic, contained());
    contradicted.verdict.alerts.clear();
    contradicted.verdict.contradict(traffic);
    contradicted
}

/// The same containment, found in another state by a later look.
fn later(outcome: Conclusion, alert: &str, from: Answer) -> Answer {
    let mut later = Answer { outcome, isolated: None, at: Timestamp::parse("2026-01-02T20:00:00Z"), ..from };
    later.verdict.alert(alert);
    later
}

fn contested() -> Answer {
    let alert = "SOMEBODY KEEPS UNDOING the containment of i-0123456789abcdef0: Brig repaired it three times within an hour and has paused repairs until 2026-01-02T20:40:00.000Z; a person's order (`brig verify`) repairs it at once";
    let contest = Contested {
        since: "2026-01-02T18:40:00.000Z".to_owned(),
        held_until: "2026-01-02T20:40:00.000Z".to_owned(),
        by: vec!["arn:aws:iam::123456789012:user/mallory".to_owned()],
    };
    Answer { contest: Some(contest), ..later(Conclusion::Contested, alert, partial()) }
}

fn released() -> Answer {
    let summary = "i-0123456789abcdef0 in 123456789012/us-east-1 is released: what its containment changed is back as it was, except what somebody else has changed since.";
    let mut released = containment(Conclusion::Released, summary);
    released.at = Timestamp::parse("2026-01-03T09:00:00Z");
    let back = step(StepKind::Isolate, "eni-a", OutcomeKind::Changed, "groups: Brig's -> sg-web");
    released.steps = vec![StepReport { step: Kind::Release(ReversalKind::RestoreGroups), ..back }];
    released.notes = vec![Note::OfTheEvent("snapshots, their locks and Brig's own groups stay".into())];
    released
}

#[test]
fn a_message_can_be_acted_on_as_it_is() {
    let own = account();
    let home = "us-east-1".parse().expect("a Region");
    let audience =
        Audience { account: Some(&own), region: Some(&home), instance_name: Some("web-1".to_owned()), ..AUDIENCE };
    let never = Exemption { tag: "brig:exempt", value: "never", strength: Strength::Never };
    let forbidden = Audience { exemption: Some(never), ..audience.clone() };
    let health = Finding {
        source: Source::Health,
        id: "arn:aws:health:global::event/ABUSE/1".to_owned(),
        kind: "AWS_ABUSE_DOS_REPORT".to_owned(),
        ..finding()
    };
    let question =
        "Nothing was done to i-0123456789abcdef0: it hosts containers of a cluster, so a person must decide.";
    let asks = || asked(Conclusion::Asked, Some("3f2a9c0d1e4b"), question);
    let observes = "Nothing was done to i-0123456789abcdef0: Brig runs in observe mode.";
    let undone = "Part of the containment no longer held; Brig repaired it (1 change)";
    let traffic = "TRAFFIC WAS ACCEPTED AFTER THE CUT: eni-a accepted 12 packets from 198.51.100.7";
    for (name, containment, finding, audience) in [
        ("contained", contained(), finding(), &audience),
        ("partial", partial(), health, &audience),
        ("asked", asks(), finding(), &audience),
        ("asked-exempt", asks(), finding(), &forbidden),
        ("observed", asked(Conclusion::Observed, None, observes), finding(), &audience),
        ("failed", failed(), finding(), &audience),
        ("repaired", later(Conclusion::Repaired, undone, contained()), finding(), &audience),
        ("contested", contested(), finding(), &audience),
        ("contradicted", contradicted(traffic), finding(), &audience),
        ("released", released(), finding(), &audience),
    ] {
        let message = compose(&containment, &finding, audience);
        let body: Value = serde_json::from_str(&message.body).expect("JSON");
        let (sms, email) = (body["sms"].as_str().expect("a text"), body["email"].as_str().expect("a text"));
        assert!(sms.len() <= 306 && sms.is_ascii(), "{sms}");
        assert!(email.contains("\n1. ") && !email.contains("\n4. "), "{email}");
        let path = format!("{}/goldens/messages/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        expect_test::expect_file![path].assert_eq(&format!("Subject: {}\nSMS: {sms}\n\n{email}", message.subject));
    }
}
