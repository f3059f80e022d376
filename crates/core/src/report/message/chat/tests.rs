use expect_test::expect;

use super::*;
use crate::{
    report::message::{compose, trial},
    testing::finding,
};

/// What a channel shows of a message: title, description, next steps.
fn shown(message: &Message) -> String {
    let said = parsed(message);
    let text = |pointer: &str| said.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let steps = said["content"]["nextSteps"].as_array().cloned().unwrap_or_default();
    let steps: Vec<String> = steps.iter().filter_map(Value::as_str).map(|step| format!("> {step}")).collect();
    format!("{}\n{}\n{}\n", text("/content/title"), text("/content/description"), steps.join("\n"))
}

fn parsed(message: &Message) -> Value {
    serde_json::from_str(message.chat.as_deref().expect("a chat message")).expect("JSON")
}

fn composed(outcome: Conclusion) -> Message {
    let summary = "i-0123456789abcdef0 (web-1) is only PARTLY contained: its credentials are NOT cut.";
    compose(&super::super::tests::containment(outcome, summary), &finding(), &crate::testing::AUDIENCE)
}

#[test]
fn a_channel_is_shown_the_state_a_line_a_lane_and_what_to_run() {
    expect![[r#"
        Brig: ONLY PARTLY CONTAINED: i-0123456789abcdef0 in 123456789012/us-east-1
        i-0123456789abcdef0 (web-1) is only PARTLY contained: its credentials are NOT cut.
        Why: Backdoor:EC2/C&CActivity.B!DNS: Command and control
        > Fix the problems listed here, then run this; it continues where it stopped: `brig contain 123456789012/us-east-1/i-0123456789abcdef0`
        > To see what is in place and what each change replaced: `brig show 123456789012/us-east-1/i-0123456789abcdef0`
    "#]]
    .assert_eq(&shown(&composed(Conclusion::Partial)));
    expect![[r#"
        Brig: CONTAINED: i-0123456789abcdef0 in 123456789012/us-east-1
        i-0123456789abcdef0 (web-1) is only PARTLY contained: its credentials are NOT cut.
        Why: Backdoor:EC2/C&CActivity.B!DNS: Command and control
        > Take over the investigation. Brig did not stop it, so its memory is intact while it runs: `brig show 123456789012/us-east-1/i-0123456789abcdef0`
        > To check again, and repair what no longer holds: `brig verify 123456789012/us-east-1/i-0123456789abcdef0`
        > When it is resolved, or was a false alarm, release it (brig shows the plan and asks first): `brig release 123456789012/us-east-1/i-0123456789abcdef0 --reason ...`
    "#]].assert_eq(&shown(&composed(Conclusion::Contained)));
    expect![[r#"
        Brig: RELEASED: i-0123456789abcdef0 in 123456789012/us-east-1
        i-0123456789abcdef0 (web-1) is only PARTLY contained: its credentials are NOT cut.
        - Network: given back
        - Credentials: NOT given back
        - Fleet: given back
        - Evidence: given back
        Why: Backdoor:EC2/C&CActivity.B!DNS: Command and control
        > Nothing more is needed. Snapshots stay: delete them once nobody needs them and their locks have ended. To see the record: `brig show 123456789012/us-east-1/i-0123456789abcdef0`
    "#]]
    .assert_eq(&shown(&composed(Conclusion::Released)));
}

#[test]
fn a_question_is_answered_by_its_id() {
    let mut asked = super::super::tests::containment(Conclusion::Asked, "Nothing was done to i-0123456789abcdef0.");
    (asked.containment_id, asked.question) = (None, Some("3f2a9c0d1e4b".to_owned()));
    asked.verdict = Verdict::untouched(asked.verdict.summary);
    let audience = Audience { function: "sec-brig-contain", ..crate::testing::AUDIENCE };
    let message = compose(&asked, &finding(), &audience);
    expect![[r#"
        Brig: DECISION NEEDED: i-0123456789abcdef0 in 123456789012/us-east-1
        Nothing was done to i-0123456789abcdef0.
        Why: Backdoor:EC2/C&CActivity.B!DNS: Command and control
        > First, see what containing it would change: `brig --stack sec-brig plan 123456789012/us-east-1/i-0123456789abcdef0`
        > Either contain it: `brig --stack sec-brig decide 3f2a9c0d1e4b yes`
        > Or leave it alone, and say why: `brig --stack sec-brig decide 3f2a9c0d1e4b no --reason ...`
    "#]]
    .assert_eq(&shown(&message));
    let said = parsed(&message);
    assert_eq!(said["metadata"]["threadId"], "question/3f2a9c0d1e4b");
    assert_eq!(said["metadata"]["additionalContext"]["question"], "3f2a9c0d1e4b");
    assert!(said["metadata"]["additionalContext"].get("containment_id").is_none(), "{said:#}");
}

#[test]
fn it_is_a_custom_notification_of_one_thread_a_containment() {
    let said = parsed(&composed(Conclusion::Partial));
    expect![[r#"
        {
          "content": {
            "description": "i-0123456789abcdef0 (web-1) is only PARTLY contained: its credentials are NOT cut.\nWhy: Backdoor:EC2/C&CActivity.B!DNS: Command and control",
            "keywords": [
              "Brig",
              "partial"
            ],
            "nextSteps": [
              "Fix the problems listed here, then run this; it continues where it stopped: `brig contain 123456789012/us-east-1/i-0123456789abcdef0`",
              "To see what is in place and what each change replaced: `brig show 123456789012/us-east-1/i-0123456789abcdef0`"
            ],
            "textType": "client-markdown",
            "title": "Brig: ONLY PARTLY CONTAINED: i-0123456789abcdef0 in 123456789012/us-east-1"
          },
          "id": "788d45ec43b033ee2e0421c9f82f66ab",
          "metadata": {
            "additionalContext": {
              "account": "123456789012",
              "containment_id": "i-0123456789abcdef0-20260102T030405Z",
              "instance_id": "i-0123456789abcdef0",
              "outcome": "partial",
              "region": "us-east-1"
            },
            "eventType": "brig-partial",
            "relatedResources": [
              "i-0123456789abcdef0"
            ],
            "summary": "i-0123456789abcdef0 (web-1) is only PARTLY contained: its credentials are NOT cut.",
            "threadId": "i-0123456789abcdef0-20260102T030405Z"
          },
          "source": "custom",
          "version": "1.0"
        }
    "#]].assert_eq(&format!("{said:#}\n"));
    for outcome in [Conclusion::Contained, Conclusion::Repaired, Conclusion::Released] {
        let other = parsed(&composed(outcome));
        assert_eq!(other["metadata"]["threadId"], said["metadata"]["threadId"], "{outcome:?}");
        assert_ne!(other["id"], said["id"], "{outcome:?}");
        let offers_release = other["metadata"]["additionalContext"].get("containment_id").is_some();
        assert_eq!(offers_release, outcome != Conclusion::Released, "{outcome:?}");
    }
}

#[test]
fn the_topic_takes_it_as_its_one_variant_and_late_it_says_so() {
    let message = composed(Conclusion::Partial).for_chat().expect("one for the channel");
    let body: Value = serde_json::from_str(&message.body).expect("JSON");
    assert_eq!(body.as_object().expect("variants").keys().collect::<Vec<_>>(), ["default"]);
    let late = message.late_in_chat(Timestamp::from_millis(1_700_000_000_000));
    let body: Value = serde_json::from_str(&late.body).expect("JSON");
    let said: Value = serde_json::from_str(body["default"].as_str().expect("text")).expect("still a notification");
    let description = said["content"]["description"].as_str().expect("text");
    assert!(description.starts_with("Sent late: this was true at 2023-11-14"), "{description}");
    assert!(description.contains("PARTLY contained"), "{description}");
    assert_eq!(message.for_chat(), None);
    assert!(trial("brig-contain").for_chat().is_some());
}

#[test]
fn words_of_others_mention_nobody_and_however_long_they_are_it_stays_within_what_is_taken() {
    let mut hostile = super::super::tests::containment(Conclusion::Asked, "<!channel> @here [x](http://x)");
    hostile.reason = format!("<@U1> `{}", "y".repeat(20_000)).into();
    let audience = Audience { instance_name: Some("<!here>*".to_owned()), ..crate::testing::AUDIENCE };
    let said = parsed(&compose(&hostile, &finding(), &audience));
    let (title, description) = (said["content"]["title"].to_string(), said["content"]["description"].to_string());
    for text in [&title, &description] {
        assert!(!text.contains(['<', '>', '@', '[', '`', '*']), "{text}");
    }
    assert!(title.chars().count() <= 252 && description.chars().count() <= 3000);
}

#[test]
fn the_context_has_what_buttons_are_told_of_and_nothing_else() {
    let mut both = super::super::tests::containment(Conclusion::Asked, "x");
    both.question = Some("3f2a9c0d1e4b".to_owned());
    let said = parsed(&compose(&both, &finding(), &crate::testing::AUDIENCE));
    let context = said["metadata"]["additionalContext"].as_object().expect("a context");
    let mut named = CONTEXT;
    named.sort_unstable();
    assert_eq!(context.keys().collect::<Vec<_>>(), named);
}
