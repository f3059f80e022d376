//! The template as it was deployed: the bus, the rule, the queue, both functions under their own roles, the topic.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first thing that is not as it must be"
)]

use std::time::Duration;

use brig_tests::{account::Account, function::Function, seed::Launch, stack::Stack};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_report_on_the_bus_contains_and_only_the_releasing_function_gives_back() {
    let account = Account::open().await;
    let stack = Stack::deployed().expect("`make test` deploys it");
    let office = stack.office(&account).await;
    let network = account.network(97, false).await;
    let identity = account.identity().await;
    let instance = account.launch(&network, "deployed", Launch { profile: Some(&identity), ..Launch::default() }).await;
    let before = account.state(&instance).await;

    account.put_event("brig.abuse", "Abuse Report", &json!({"instance_ids": [instance]})).await;
    let told = account.awaited_messages(&office, PATIENCE).await;
    let text = told.first().and_then(|message| message["Message"].as_str()).expect("a message");
    let told: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(told["outcome"], "contained", "{told:#}");
    assert_ne!(account.state(&instance).await, before);

    // The function that investigates heard it too, through its own queue, and what it wrote is sealed.
    let bucket = stack.output("EvidenceBucketName");
    let seal = awaited_seal(&account, &bucket, &instance).await;
    assert!(seal.contains(&stack.output("EvidenceSigningKeyArn")), "{seal}");

    // Each function as it is deployed: with the policies of its own role alone, and what it serves.
    let mut settings = office.settings();
    settings.extend([("BRIG_SERVES", "contain"), ("BRIG_RELEASE_FUNCTION", "brig-release")]);
    let contains = Function::start(&settings).await;
    let release = json!({"instance_id": instance, "action": "release"});
    let refused = contains.invoke(&release).await.expect_err("it does not release");
    assert_eq!(refused.kind, "NotServed");
    assert_eq!(refused.message, "action: BRIG_SERVES=contain does not release: invoke brig-release");

    let mut settings = office.settings();
    settings.push(("BRIG_SERVES", "release"));
    let releases = Function::start(&settings).await;
    let refused = releases.invoke(&json!({"instance_id": instance})).await.expect_err("it does not contain");
    assert_eq!(refused.kind, "NotServed");
    let released = ended(&releases, &release).await;
    assert_eq!(released["containments"][0]["outcome"], "released", "{released:#}\n{}", releases.log());
    assert_eq!(account.state(&instance).await, before);
    let listed = releases.invoke(&json!({"action": "status"})).await.expect("an answer");
    let active = listed["active"].as_array().expect("a list");
    assert!(active.iter().all(|entry| entry["instance_id"] != json!(instance)), "{listed:#}");
}

/// The seal of the evidence of an instance, once it is there.
async fn awaited_seal(account: &Account, bucket: &str, instance: &str) -> String {
    for _ in 0..120 {
        let prefix = format!("123456789012/us-east-1/{instance}/");
        let listed = account.s3.list_objects_v2().bucket(bucket).prefix(prefix).send().await.expect("a list");
        let seal = listed
            .contents()
            .iter()
            .filter_map(|object| object.key())
            .find(|key| key.ends_with("/contained/seal.json"));
        if let Some(seal) = seal {
            let object = account.s3.get_object().bucket(bucket).key(seal).send().await.expect("an object");
            let bytes = object.body.collect().await.expect("bytes").to_vec();
            return String::from_utf8(bytes).expect("text");
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("no evidence of {instance} was sealed");
}

/// People are notified before the deployed function has given up its lease; until then the answer is that it is at it.
async fn ended(function: &Function, event: &Value) -> Value {
    for _ in 0..60 {
        let answer = function.invoke(event).await.expect("an answer");
        if answer["containments"][0]["outcome"] != "in_progress" {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("it never ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_says_what_is_there_what_lacks_and_what_was_not_seen_and_prepares() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(98, false).await;
    let identity = account.identity().await;
    let instance = account.launch(&network, "ready", Launch { profile: Some(&identity), ..Launch::default() }).await;
    let before = account.state(&instance).await;
    let mut settings = office.settings();
    settings.push(("BRIG_SERVES", "contain"));
    let function = Function::start(&settings).await;

    let asked = json!({"action": "readiness", "instance_id": instance, "accounts": ["999988887777"]});
    let answer = function.invoke(&asked).await.expect("an answer");
    let state = |answer: &Value, check: &str| {
        let lines = answer["lines"].as_array().expect("lines").clone();
        let found = lines.iter().find(|line| line["check"] == check).cloned();
        found.map(|line| format!("{} {}", line["state"].as_str().unwrap_or("?"), line["detail"].as_str().unwrap_or("")))
    };
    assert_eq!(state(&answer, "ledger").as_deref(), Some("ok written and read"), "{answer:#}");
    assert!(state(&answer, "people").expect("a line").starts_with("ok 1 confirmed"), "{answer:#}");
    assert!(state(&answer, "Brig's groups").expect("a line").contains(&network.vpc), "{answer:#}");
    assert!(state(&answer, "member role in 999988887777").expect("a line").starts_with("missing"), "{answer:#}");
    assert!(answer["missing"].as_u64().expect("a count") > 0);

    let prepared = function.invoke(&json!({"action": "readiness", "prepare": true})).await.expect("an answer");
    let made = prepared["prepared"].to_string();
    assert!(made.contains(&format!("{}/brig-isolation is sg-", network.vpc)), "{prepared:#}");
    assert!(made.contains(&format!("{}/brig-untrack is sg-", network.vpc)), "{prepared:#}");
    assert_eq!(account.state(&instance).await, before, "trying and preparing touch no instance");

    // What was prepared is what a containment uses.
    let contained = function.invoke(&json!({"instance_id": instance})).await.expect("an answer");
    assert_eq!(contained["containments"][0]["outcome"], "contained", "{contained:#}");
    assert!(!contained.to_string().contains("create_security_group"), "{contained:#}");
}
