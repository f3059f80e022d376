//! Every trigger, end to end: what comes in by which way, and what becomes of the instance.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that is not as it must be"
)]

use std::collections::BTreeSet;

use brig_tests::{account::Account, events::set, function::Function, seed::Launch};
use serde_json::{Value, json};

/// An event of `events/` about these instances.
fn event(text: &str, instance: &str) -> Value {
    serde_json::from_str(&text.replace("i-0123456789abcdef0", instance)).expect("an event")
}

async fn is_isolated(account: &Account, instance: &str) -> bool {
    let isolated: BTreeSet<String> = ["brig-isolation".to_owned()].into();
    let interfaces = account.interfaces(instance).await;
    !interfaces.is_empty() && interfaces.values().all(|groups| *groups == isolated)
}

fn outcome(response: &Value) -> &str {
    response["containments"][0]["outcome"].as_str().expect("an outcome")
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_clicks_health_reports_and_stolen_credentials_contain() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(60, false).await;
    let mut settings = office.settings();
    settings.push(("BRIG_CUSTOM_ACTIONS", "arn:aws:securityhub:us-east-1:123456789012:action/custom/Contain"));
    let function = Function::start(&settings).await;
    // The role that the finding names exists: it is denied, though no profile holds it on the instance.
    let role = account.identity().await.role;
    let stolen = include_str!("../../events/guardduty-access-key.json").replace("app-role", &role);
    for (name, text) in [
        ("tag", include_str!("../../events/tag-set.json")),
        ("click", include_str!("../../events/securityhub-custom-action.json")),
        ("stolen", stolen.as_str()),
        ("report", include_str!("../../events/abuse-ids.json")),
        ("hub", include_str!("../../events/securityhub-imported.json")),
    ] {
        let instance = account.launch(&network, name, Launch::default()).await;
        let response = function.invoke(&event(text, &instance)).await.expect("a response");
        assert_eq!(outcome(&response), "contained", "{name}: {response:#}\n{}", function.log());
        assert!(is_isolated(&account, &instance).await, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_by_mail_is_contained_with_a_draft_of_the_answer() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(61, false).await;
    let instance = account.launch(&network, "mail", Launch::default()).await;
    let function = Function::start(&office.settings()).await;
    let request = event(include_str!("../../events/manual-abuse-report.json"), &instance);
    let response = function.invoke(&request).await.expect("a response");
    assert_eq!(outcome(&response), "contained", "{response:#}");
    // The same text from the bus is a question: nobody vouches for it.
    let other = account.launch(&network, "bus", Launch::default()).await;
    let response =
        function.invoke(&event(include_str!("../../events/abuse-text.json"), &other)).await.expect("a response");
    assert_eq!(outcome(&response), "asked", "{response:#}");
    assert!(!is_isolated(&account, &other).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_leads_to_the_one_instance_that_had_it_and_else_to_a_question() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(62, false).await;
    let instance = account.launch(&network, "addressed", Launch::default()).await;
    let found = account.describe(&instance).await;
    let address = found.private_ip_address().expect("an address").to_owned();
    let function = Function::start(&office.settings()).await;
    let report = |time: &str| json!({"action": "contain", "abuse_report": format!("DOS,{address},{time},198.51.100.7,TCP,*,80,us-east-1")});
    // Before the launch, somebody else had it.
    let old = function.invoke(&report("2020-01-02T03:04:05Z")).await.expect("a response");
    assert_eq!(outcome(&old), "asked", "{old:#}");
    assert_eq!(old["containments"][0]["instance_id"], Value::Null);
    assert!(!is_isolated(&account, &instance).await);
    let nobody = json!({"abuse_report": "DOS,203.0.113.9,2026-01-02T03:04:05Z,198.51.100.7,TCP,*,80,us-east-1"});
    let nobody = function.invoke(&nobody).await.expect("a response");
    assert!(
        nobody["containments"][0]["reason"].as_str().expect("why").contains("no interface has it now"),
        "{nobody:#}"
    );
    // A private address is not plain: other networks have it too. A person may insist.
    let mut insisted = report("2099-01-02T03:04:05Z");
    insisted["force"] = json!(true);
    let now = function.invoke(&insisted).await.expect("a response");
    assert_eq!(outcome(&now), "contained", "{now:#}");
    assert!(is_isolated(&account, &instance).await);
    assert_eq!(account.messages(&office).await.len(), 1, "what was asked stands in the person's answers");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attack_sequence_contains_every_instance_that_it_names() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(63, false).await;
    let a = account.launch(&network, "a", Launch::default()).await;
    let b = account.launch(&network, "b", Launch::default()).await;
    let text = include_str!("../../events/guardduty-attack-sequence.json").replace("i-0fedcba9876543210", &b);
    let function = Function::start(&office.settings()).await;
    let response = function.invoke(&event(&text, &a)).await.expect("a response");
    let entries = response["containments"].as_array().expect("entries");
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().all(|entry| entry["outcome"] == "contained"), "{response:#}");
    assert!(is_isolated(&account, &a).await && is_isolated(&account, &b).await);

    let mut settings = office.settings();
    settings.push(("BRIG_MAX_PER_FINDING", "1"));
    let careful = Function::start(&settings).await;
    let c = account.launch(&network, "c", Launch::default()).await;
    let d = account.launch(&network, "d", Launch::default()).await;
    let text = include_str!("../../events/guardduty-attack-sequence.json").replace("i-0fedcba9876543210", &d);
    let response = careful.invoke(&event(&text, &c)).await.expect("a response");
    assert_eq!(outcome(&response), "asked", "{response:#}");
    assert!(!is_isolated(&account, &c).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_fails_only_the_record_that_cannot_be_read() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(64, false).await;
    let instance = account.launch(&network, "queued", Launch::default()).await;
    let function = Function::start(&office.settings()).await;
    let mut batch = event(include_str!("../../events/sqs.json"), &instance);
    batch["Records"].as_array_mut().expect("records").truncate(2);
    let response = function.invoke(&batch).await.expect("a response");
    assert_eq!(response["batchItemFailures"], json!([{"itemIdentifier": "m-2"}]), "{response:#}");
    assert_eq!(outcome(&response), "contained", "{response:#}");
    assert!(is_isolated(&account, &instance).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn left_over_work_of_a_queue_fails_its_item() {
    let account = Account::open().await;
    let office = account.office().await;
    let settings = [("BRIG_LEDGER_TABLE", "no-such-table"), ("BRIG_TOPIC_ARN", office.topic.as_str())];
    let function = Function::start(&settings).await;
    let response = function
        .invoke(&event(include_str!("../../events/sqs.json"), "i-00000000000000000"))
        .await
        .expect("a response");
    let failed: Vec<&str> = response["batchItemFailures"]
        .as_array()
        .expect("failures")
        .iter()
        .filter_map(|item| item["itemIdentifier"].as_str())
        .collect();
    assert!(failed.contains(&"m-2"), "{response:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_are_read_and_nobody_smuggles_a_persons_request_through_them() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(65, false).await;
    let instance = account.launch(&network, "told", Launch::default()).await;
    let function = Function::start(&office.settings()).await;
    let error = function
        .invoke(&event(include_str!("../../events/sns-smuggled.json"), &instance))
        .await
        .expect_err("no person's request");
    assert_eq!(error.kind, "UnsupportedEvent");
    assert!(!is_isolated(&account, &instance).await);
    let response = function.invoke(&event(include_str!("../../events/sns.json"), &instance)).await.expect("a response");
    assert_eq!(outcome(&response), "contained", "{response:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_not_trusted_names_no_other_accounts_instance() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(66, false).await;
    let instance = account.launch(&network, "named", Launch::default()).await;
    let function = Function::start(&office.settings()).await;
    let mut forged = event(include_str!("../../events/tag-set.json"), &instance);
    set(&mut forged, "/account", json!("999988887777"));
    let response = function.invoke(&forged).await.expect("a response");
    assert_eq!(outcome(&response), "refused", "{response:#}");
    assert!(response["containments"][0]["reason"].as_str().expect("why").contains("BRIG_TRUSTED_ACCOUNTS"));
    assert!(!is_isolated(&account, &instance).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_asks_and_contains_where_a_rule_says_so() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(67, false).await;
    let instance = account.launch(&network, "loud", Launch::default()).await;
    let alarm = event(include_str!("../../events/alarm.json"), &instance);
    let function = Function::start(&office.settings()).await;
    let response = function.invoke(&alarm).await.expect("a response");
    assert_eq!(outcome(&response), "asked", "{response:#}");
    let rules = r#"{"rules":[{"name":"network-out","then":"contain","when":{"finding":{"source":["alarm"],"type":["Alarm/network-out"]}}}]}"#;
    let mut settings = office.settings();
    settings.push(("BRIG_POLICY", rules));
    let function = Function::start(&settings).await;
    let response = function.invoke(&alarm).await.expect("a response");
    assert_eq!(outcome(&response), "contained", "{response:#}");
    assert!(response["containments"][0]["reason"].as_str().expect("why").contains("rule \"network-out\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn half_of_the_cap_is_kept_for_guardduty() {
    brig_tests::function::within_one_hour().await;
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(70, false).await;
    let mut settings = office.settings();
    settings.push(("BRIG_MAX_PER_HOUR", "2"));
    let function = Function::start(&settings).await;
    let mut outcomes = Vec::new();
    for (name, text) in [
        ("tag-1", include_str!("../../events/tag-set.json")),
        ("tag-2", include_str!("../../events/tag-set.json")),
        ("finding", include_str!("../../events/guardduty-finding.json")),
    ] {
        let instance = account.launch(&network, name, Launch::default()).await;
        let response = function.invoke(&event(text, &instance)).await.expect("a response");
        outcomes.push(outcome(&response).to_owned());
    }
    assert_eq!(outcomes, ["contained", "asked", "contained"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_third_containment_in_a_group_within_a_day_is_a_question() {
    let account = Account::open().await;
    let office = account.office().await;
    let world = account.production().await;
    let function = Function::start(&office.settings()).await;
    let mut outcomes = Vec::new();
    for _ in 0..3 {
        // Each detached instance is replaced, from the same template.
        let victim = account.members(&world.group).await.pop().expect("a member");
        let response = function.invoke(&event(include_str!("../../events/guardduty-finding.json"), &victim)).await;
        outcomes.push(outcome(&response.expect("a response")).to_owned());
    }
    assert_eq!(outcomes, ["contained", "contained", "asked"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_is_in_another_region_is_found_there() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(68, false).await;
    let instance = account.launch(&network, "here", Launch::default()).await;
    let function = Function::start(&office.settings()).await;
    let response = function.invoke(&json!({"instance_id": instance, "region": "eu-west-1"})).await.expect("a response");
    assert_eq!(outcome(&response), "contained", "{response:#}");
    assert_eq!(response["containments"][0]["region"], "us-east-1", "where it was found");
    assert!(is_isolated(&account, &instance).await);
    let nowhere = json!({"instance_id": "i-0123456789abcdef0", "region": "eu-west-1"});
    let nowhere = function.invoke(&nowhere).await.expect("a response");
    assert_eq!(outcome(&nowhere), "refused", "{nowhere:#}");
    let reason = nowhere["containments"][0]["reason"].as_str().expect("why");
    assert!(reason.contains("eu-west-1") && reason.contains("us-east-1"), "the Regions that were looked in: {reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_of_a_member_account_is_contained_through_its_member_role() {
    const MEMBER: &str = "999988887777";
    let home = Account::at_one_endpoint().await;
    let office = home.office().await;
    let member = Account::member(MEMBER, "brig-member").await;
    let network = member.network(69, false).await;
    let instance = member.launch(&network, "member", Launch::default()).await;
    let mut finding = event(include_str!("../../events/guardduty-finding.json"), &instance);
    set(&mut finding, "/detail/accountId", json!(MEMBER));

    let mut settings = office.settings();
    settings.push(("AWS_ENDPOINT_URL", &home.url));
    let alone = Function::start(&settings).await;
    let response = alone.invoke(&finding).await.expect("a response");
    assert_eq!(outcome(&response), "refused", "{response:#}");
    assert!(response["containments"][0]["reason"].as_str().expect("why").contains("BRIG_MEMBER_ROLE"));

    settings.push(("BRIG_MEMBER_ROLE", "brig-member"));
    let function = Function::start(&settings).await;
    let response = function.invoke(&finding).await.expect("a response");
    assert_eq!(outcome(&response), "contained", "{response:#}");
    assert_eq!(response["containments"][0]["account"], MEMBER);
    assert!(is_isolated(&member, &instance).await);
}
