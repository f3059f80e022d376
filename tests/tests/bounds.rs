//! What a stranger can put into one event costs a bounded number of calls, messages and bytes of memory.
#![expect(clippy::expect_used, reason = "a test stops at the first thing that is not as it must be")]

use std::{fs, time::Duration};

use brig_tests::{
    account::{ACCOUNT, Account, REGION, endpoint},
    function::{Function, Invoke},
    proxy::Proxy,
};
use serde_json::{Value, json};

/// The function's memory, less what the runtime and the kernel need.
const MEMORY_KIB: u64 = 400 * 1024;
/// EventBridge's, SQS's and SNS's limit for one event
/// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html>).
const LARGEST: usize = 256 * 1024;

/// What one event cost.
struct Cost {
    calls: usize,
    messages: usize,
    peak_kib: u64,
}

async fn cost(event: &Value) -> Cost {
    assert!(event.to_string().len() <= LARGEST, "no such event can come");
    let account = Account::open().await;
    let office = account.office().await;
    let url = |name: &str| endpoint(name).expect("an endpoint");
    let ec2 = Proxy::start(&url("AWS_ENDPOINT_URL_EC2"), Duration::ZERO).await;
    let all = Proxy::start(&url("AWS_ENDPOINT_URL"), Duration::ZERO).await;
    let mut settings = office.settings();
    settings.push(("AWS_ENDPOINT_URL_EC2", &ec2.url));
    settings.push(("AWS_ENDPOINT_URL_DYNAMODB", &all.url));
    settings.push(("AWS_ENDPOINT_URL_SNS", &all.url));
    let function = Function::start(&settings).await;
    // An answer or an error: either way it must end.
    let _ = function.invoke_as(event, Invoke { timeout: Duration::from_mins(2), ..Invoke::default() }).await;
    let status = fs::read_to_string(format!("/proc/{}/status", function.pid().await)).expect("it runs still");
    let line = status.lines().find(|line| line.starts_with("VmHWM")).expect("its highest resident memory");
    let peak_kib = line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).expect("a number");
    let messages = account.messages(&office).await.len();
    Cost { calls: ec2.calls().len() + all.calls().len(), messages, peak_kib }
}

fn enveloped(source: &str, detail_type: &str, detail: &Value) -> Value {
    json!({"version": "0", "id": "bounds-1", "source": source, "detail-type": detail_type, "account": ACCOUNT,
        "region": REGION, "time": "2026-01-02T03:04:05Z", "resources": [], "detail": detail})
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("i-{number:017x}")).collect()
}

async fn check(name: &str, event: &Value) {
    let Cost { calls, messages, peak_kib } = cost(event).await;
    println!("{name}: {calls} calls, {messages} messages, {peak_kib} KiB");
    assert!(calls <= 5_000, "{name}: {calls} calls");
    assert!(messages <= 60, "{name}: {messages} messages");
    assert!(peak_kib <= MEMORY_KIB, "{name}: {peak_kib} KiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abuse_report_with_ten_thousand_ids_stays_within_bounds() {
    check("brig.abuse, ids", &enveloped("brig.abuse", "Abuse Report", &json!({"instance_ids": ids(10_000)}))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abuse_report_with_ten_thousand_addresses_stays_within_bounds() {
    let addresses: Vec<String> = (0..10_000).map(|n| format!("198.51.{}.{}", n / 250, n % 250)).collect();
    check("brig.abuse, addresses", &enveloped("brig.abuse", "Abuse Report", &json!({"addresses": addresses}))).await;
    let lines: Vec<String> = addresses.iter().take(8_000).map(|address| format!("Source IP: {address}")).collect();
    let report = json!({"text": lines.join("\n")});
    check("brig.abuse, text", &enveloped("brig.abuse", "Abuse Report", &report)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_health_event_with_thousands_of_entities_stays_within_bounds() {
    let entities: Vec<Value> = ids(5_000).iter().map(|id| json!({"entityValue": id})).collect();
    let detail = json!({"service": "ABUSE", "eventTypeCode": "AWS_ABUSE_DOS_REPORT", "statusCode": "open",
        "eventRegion": REGION, "affectedAccount": ACCOUNT, "affectedEntities": entities});
    check("health", &enveloped("aws.health", "AWS Health Abuse Event", &detail)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trail_event_about_thousands_of_resources_stays_within_bounds() {
    let items: Vec<Value> = ids(5_000).iter().map(|id| json!({"instanceId": id})).collect();
    let detail = json!({"eventSource": "ec2.amazonaws.com", "eventName": "TerminateInstances", "eventID": "e-1",
        "eventTime": "2026-01-02T03:04:05Z", "awsRegion": REGION, "recipientAccountId": ACCOUNT,
        "userIdentity": {"arn": "arn:aws:iam::123456789012:user/mallory"},
        "requestParameters": {"instancesSet": {"items": items}}});
    check("trail, instances", &enveloped("aws.ec2", "AWS API Call via CloudTrail", &detail)).await;
    let interfaces: Vec<Value> = (0..5_000).map(|n| json!({"networkInterfaceId": format!("eni-{n:017x}")})).collect();
    let detail = json!({"eventSource": "ec2.amazonaws.com", "eventName": "ModifyNetworkInterfaceAttribute", "eventID": "e-2",
        "eventTime": "2026-01-02T03:04:05Z", "awsRegion": REGION, "recipientAccountId": ACCOUNT,
        "userIdentity": {"arn": "arn:aws:iam::123456789012:user/mallory"},
        "requestParameters": {"networkInterfaceSet": {"items": interfaces}}});
    check("trail, interfaces", &enveloped("aws.ec2", "AWS API Call via CloudTrail", &detail)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_with_a_hundred_findings_of_many_instances_stays_within_bounds() {
    let resources: Vec<Value> =
        ids(1_500).iter().map(|id| json!({"Type": "AwsEc2Instance", "Id": id, "Region": REGION})).collect();
    let finding = json!({"SchemaVersion": "2018-10-08", "Id": "arn:aws:guardduty:us-east-1:123456789012:detector/a/finding/f",
        "ProductArn": "arn:aws:securityhub:us-east-1::product/aws/guardduty", "AwsAccountId": ACCOUNT,
        "Types": ["TTPs/Command and Control/Backdoor:EC2-C&CActivity.B!DNS"], "Severity": {"Product": 8},
        "LastObservedAt": "2026-01-02T03:04:00Z", "Title": "t", "Resources": resources});
    let findings: Vec<Value> = vec![finding.clone(), finding];
    let detail = json!({"findings": findings});
    check("import", &enveloped("aws.securityhub", "Security Hub Findings - Imported", &detail)).await;
}
