//! Decisions that hang on more than the finding: the account's rules in a parameter, what stands and falls with the
//! instance, the cap, and findings that come later.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that is not as it must be"
)]

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_elasticloadbalancingv2::types::TargetTypeEnum;
use aws_sdk_ssm::types::ParameterType;
use brig_tests::{
    account::{ACCOUNT, Account, Office, REGION, unique},
    events::set,
    function::Function,
    seed::Launch,
};
use serde_json::{Value, json};

const FINDING: &str = include_str!("../../events/guardduty-finding.json");

fn finding(instance: &str) -> Value {
    serde_json::from_str(&FINDING.replace("i-0123456789abcdef0", instance)).expect("an event")
}

async fn invoke(function: &Function, event: &Value) -> (String, String) {
    let response = function.invoke(event).await.expect("a response");
    let text = |name: &str| response["containments"][0][name].as_str().expect("a text").to_owned();
    (text("outcome"), text("reason"))
}

async fn current(
    account: &Account,
    office: &Office,
    instance: &str,
) -> std::collections::HashMap<String, AttributeValue> {
    let key = format!("{ACCOUNT}/{REGION}/{instance}");
    let get = account.dynamodb.get_item().table_name(&office.table).consistent_read(true);
    let get = get.key("pk", AttributeValue::S(key)).key("sk", AttributeValue::S("current".to_owned()));
    get.send().await.expect("an answer").item.expect("an item")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_healthy_target_is_a_question_unless_a_rule_or_a_person_says_otherwise() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(80, false).await;
    let targets = account.target_group(&network.vpc, TargetTypeEnum::Instance).await;
    let only = account.launch(&network, "only", Launch::default()).await;
    let other = account.launch(&network, "other", Launch::default()).await;
    account.register(&targets, &[(&only, 80)]).await;
    let before = account.state(&only).await;
    let function = Function::start(&office.settings()).await;
    let (outcome, reason) = invoke(&function, &finding(&only)).await;
    assert_eq!(outcome, "asked", "{reason}\n{}", function.log());
    assert!(reason.contains("last healthy target of") && reason.contains(&targets), "{reason}");
    assert_eq!(account.state(&only).await, before);
    // The claim was given up: the same event is judged again, and now another target is healthy.
    assert_eq!(current(&account, &office, &only).await["state"], AttributeValue::S("withdrawn".to_owned()));
    account.register(&targets, &[(&other, 80)]).await;
    assert_eq!(invoke(&function, &finding(&only)).await.0, "contained", "{}", function.log());

    // Now the other one is the last.
    let (outcome, reason) = invoke(&function, &finding(&other)).await;
    assert_eq!(outcome, "asked", "{reason}\n{}", function.log());
    let rules = r#"{"rules":[{"name":"all","then":"contain","when":{"finding":{"source":["guardduty"]}}}]}"#;
    let mut settings = office.settings();
    settings.push(("BRIG_POLICY", rules));
    let ruled = Function::start(&settings).await;
    assert_eq!(invoke(&ruled, &finding(&other)).await.0, "contained");
    let third = account.launch(&network, "third", Launch::default()).await;
    account.register(&targets, &[(&third, 80)]).await;
    assert_eq!(invoke(&function, &json!({"instance_id": third})).await.0, "contained");
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_come_from_a_parameter_then_from_the_ledger_and_without_them_people_are_asked() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(81, false).await;
    let name = format!("/{}/policy", unique("brig"));
    let put = async |text: &str| {
        let put = account.ssm.put_parameter().name(&name).value(text).r#type(ParameterType::String).overwrite(true);
        put.send().await.expect("a parameter");
    };
    let setting = format!("ssm:{name}");
    let mut settings = office.settings();
    settings.push(("BRIG_POLICY", setting.as_str()));
    let instance = account.launch(&network, "ruled", Launch::default()).await;

    // Nothing to read, nothing kept: a person is asked.
    let lost = Function::start(&settings).await;
    let (outcome, reason) = invoke(&lost, &finding(&instance)).await;
    assert_eq!(outcome, "asked", "{reason}");
    assert!(reason.contains("the account's own rules could not be read"), "{reason}");

    put(r#"{"rules":[{"name":"c2","then":"ignore","when":{"finding":{"type":[{"prefix":"Backdoor:"}]}}}]}"#).await;
    let ruled = Function::start(&settings).await;
    let (outcome, reason) = invoke(&ruled, &finding(&instance)).await;
    assert_eq!(outcome, "ignored", "{reason}");
    assert!(reason.contains("rule \"c2\""), "{reason}");

    // Somebody breaks it: the last good rules hold.
    put("{\"rules\": oops").await;
    let broken = Function::start(&settings).await;
    let (outcome, reason) = invoke(&broken, &finding(&instance)).await;
    assert_eq!(outcome, "ignored", "{reason}\n{}", broken.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn later_findings_join_the_containment_and_are_not_told_again() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(82, false).await;
    let instance = account.launch(&network, "busy", Launch::default()).await;
    let function = Function::start(&office.settings()).await;
    let first = finding(&instance);
    assert_eq!(invoke(&function, &first).await.0, "contained");
    let mut later = first.clone();
    set(&mut later, "/detail/id", json!("another-finding"));
    assert_eq!(invoke(&function, &later).await.0, "already_contained");
    assert_eq!(invoke(&function, &first).await.0, "already_contained");
    let findings = current(&account, &office, &instance).await["findings"].as_l().expect("a list").clone();
    assert_eq!(findings.len(), 2, "{findings:?}");
    assert_eq!(account.messages(&office).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cap_is_told_loudly_once_an_hour() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(83, false).await;
    let mut settings = office.settings();
    settings.push(("BRIG_MAX_PER_HOUR", "1"));
    let function = Function::start(&settings).await;
    let mut reasons = Vec::new();
    for name in ["a", "b", "c"] {
        let instance = account.launch(&network, name, Launch::default()).await;
        reasons.push(invoke(&function, &finding(&instance)).await);
    }
    let loud: Vec<bool> = reasons.iter().map(|(_, why)| why.contains("NOTHING MORE IS CONTAINED")).collect();
    assert_eq!(loud, [false, true, false], "{reasons:?}");
    assert_eq!(reasons[2].0, "asked");
}
