//! Nobody notified is not done.
#![expect(clippy::expect_used, reason = "a test stops at the first thing that is not as it must be")]

use std::time::Duration;

use brig_tests::{
    account::{Account, endpoint},
    events::finding,
    function::Function,
    proxy::{Break, Fault, Proxy},
    seed::{Launch, tag},
};
use serde_json::{Value, json};

async fn status(function: &Function) -> Value {
    function.invoke(&json!({"action": "status"})).await.expect("a status")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_sns_refuses_comes_again_is_listed_and_is_asked_later() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(99, false).await;
    let instance = account.launch(&network, "exempt", Launch::default()).await;
    let exempt = tag("brig:exempt", "true");
    account.ec2.create_tags().resources(&instance).tags(exempt).send().await.expect("a tag");
    let body = finding(&instance).to_string();
    let batch = json!({"Records": [{"messageId": "m-1", "receiptHandle": "r", "body": body, "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:q", "attributes": {}}]});

    let target = endpoint("AWS_ENDPOINT_URL_SNS").or_else(|| endpoint("AWS_ENDPOINT_URL")).expect("an endpoint");
    let refuse = Break { operation: "Publish".into(), fault: Fault::Refuse(400, "KMSAccessDenied"), times: usize::MAX };
    let sns = Proxy::breaking(&target, Duration::ZERO, vec![refuse]).await;
    let mut settings = office.settings();
    settings.push(("AWS_ENDPOINT_URL_SNS", &sns.url));
    let mute = Function::start(&settings).await;
    let response = mute.invoke(&batch).await.expect("a response");
    assert_eq!(response["batchItemFailures"], json!([{"itemIdentifier": "m-1"}]), "{response:#}");
    let entry = &response["containments"][0];
    assert_eq!(entry["outcome"], "asked", "{entry:#}");
    assert!(entry["not_notified"].as_str().expect("why").contains("KMSAccessDenied"), "{entry:#}");
    assert_eq!(account.messages(&office).await.len(), 0);
    let log = mute.log();
    assert!(log.contains("\"not_notified\":1") && log.contains("\"unfinished\":1"), "{log}");
    let page = status(&mute).await;
    let waits = page["not_notified"][0]["subject"].as_str().expect("a subject");
    assert!(waits.contains("DECISION NEEDED"), "{page:#}");
    assert_eq!(page["questions"][0]["notified"], false, "{page:#}");
    assert_eq!(page["questions"][0]["cause"], "exempt", "{page:#}");

    let heard = Function::start(&office.settings()).await;
    let response = heard.invoke(&batch).await.expect("a response");
    assert_eq!(response["batchItemFailures"], json!([]), "{response:#}");
    let messages = account.messages(&office).await;
    assert_eq!(messages.len(), 1, "{messages:#?}");
    assert!(messages[0]["Subject"].as_str().expect("a subject").contains("DECISION NEEDED"), "{messages:#?}");
    let page = status(&heard).await;
    assert_eq!(page["not_notified"], json!([]), "{page:#}");
    assert_eq!(page["questions"][0]["notified"], true, "{page:#}");

    let error = heard.invoke(&json!({"action": "status", "next": "x"})).await.expect_err("no such page");
    assert!(error.message.contains("next") && error.message.contains("\"x\""), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_channels_topic_gets_a_custom_notification_and_pagers_one_incident_a_containment() {
    let account = Account::open().await;
    let office = account.office().await;
    let chat = account.chat(&office).await;
    let network = account.network(98, false).await;
    let instance = account.launch(&network, "mined", Launch::default()).await;
    let mut settings = office.settings();
    settings.push(("BRIG_CHAT_TOPIC_ARN", &chat.topic));
    let function = Function::start(&settings).await;
    let answer = function.invoke(&json!({"instance_id": instance, "reason": "drill"})).await.expect("a response");
    let id = answer["containments"][0]["containment_id"].as_str().expect("an id").to_owned();
    function
        .invoke(&json!({"action": "release", "instance_id": instance, "reason": "over"}))
        .await
        .expect("a response");

    let body =
        |message: &Value| serde_json::from_str::<Value>(message["Message"].as_str().expect("text")).expect("JSON");
    let said: Vec<Value> = account.messages(&chat).await.iter().map(body).collect();
    assert_eq!(said.len(), 2, "{said:#?}");
    for notification in &said {
        assert_eq!((&notification["version"], &notification["source"]), (&json!("1.0"), &json!("custom")));
        assert_eq!(notification["metadata"]["threadId"], json!(id), "{notification:#}");
        assert_eq!(notification["metadata"]["additionalContext"]["instance_id"], json!(instance));
    }
    let entries: Vec<Value> = account.messages(&office).await.iter().map(body).collect();
    let pager: Vec<(&str, &str)> = entries
        .iter()
        .filter_map(|entry| Some((entry["dedup_key"].as_str()?, entry["event_action"].as_str()?)))
        .collect();
    assert_eq!(pager, [(id.as_str(), "trigger"), (id.as_str(), "resolve")], "{entries:#?}");
}
