//! What looks again at what is contained, while something between answers for AWS: a page, a redirection, nothing, half.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that is not as it must be"
)]

use std::{collections::BTreeSet, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use brig_tests::{
    account::{Account, Office, endpoint},
    events::{finding, set},
    function::{Function, FunctionError, Invoke},
    proxy::{Break, Fault, Proxy},
    seed::Launch,
};
use serde_json::{Value, json};

const TRAIL: &str = include_str!("../../events/cloudtrail-groups-swapped.json");
/// More than the SDK tries, so that one call of the engine's fails.
const TRIES: usize = 3;
/// How often Lambda delivers an event that fails.
const DELIVERIES: usize = 3;
/// An attempt whose end could not be recorded holds its lease until its deadline.
const TIMEOUT: Duration = Duration::from_secs(45);
const LEASE: Duration = Duration::from_secs(51);

/// One contained instance, and a function whose every call goes through a proxy.
struct Case {
    account: Account,
    office: Office,
    instance: String,
    interface: String,
    /// The group that the interface was in.
    web: String,
    proxies: [Proxy; 2],
    function: Function,
}

impl Case {
    async fn new(cidr: u8) -> Self {
        let account = Account::open().await;
        let office = account.office().await;
        let network = account.network(cidr, false).await;
        let identity = account.identity().await;
        let instance =
            account.launch(&network, "looked-at", Launch { profile: Some(&identity), ..Launch::default() }).await;
        let url = |name: &str| endpoint(name).expect("an endpoint");
        let ec2 = Proxy::start(&url("AWS_ENDPOINT_URL_EC2"), Duration::ZERO).await;
        let all = Proxy::start(&url("AWS_ENDPOINT_URL"), Duration::ZERO).await;
        let mut settings = office.settings();
        for name in ["EC2", "AUTO_SCALING", "ELASTIC_LOAD_BALANCING", "ELASTIC_LOAD_BALANCING_V2"] {
            settings.push((variable(name), &ec2.url));
        }
        for name in ["IAM", "DYNAMODB", "SNS", "CLOUDTRAIL"] {
            settings.push((variable(name), &all.url));
        }
        let function = Function::start(&settings).await;
        let response = function.invoke(&finding(&instance)).await.expect("a response");
        assert_eq!(response["containments"][0]["outcome"], "contained", "{response:#}");
        account.messages(&office).await;
        let interface = account.interfaces(&instance).await.into_keys().next().expect("an interface");
        Self { account, office, instance, interface, web: network.web, proxies: [ec2, all], function }
    }

    /// The operations that an event leads to where nothing is broken.
    async fn operations(&self, event: &Value) -> BTreeSet<String> {
        let before: Vec<usize> = self.proxies.iter().map(|proxy| proxy.calls().len()).collect();
        self.invoke(event).await.expect("a response");
        let since = self.proxies.iter().zip(before).flat_map(|(proxy, before)| proxy.calls().split_off(before));
        since.map(|call| call.operation).collect()
    }

    /// Invokes, again where an earlier attempt still holds the instance.
    async fn invoke(&self, event: &Value) -> Result<Value, FunctionError> {
        let how = || Invoke { timeout: TIMEOUT, ..Invoke::default() };
        let result = self.function.invoke_as(event, how()).await;
        let held = |response: &Value| response["containments"][0]["outcome"] == "in_progress";
        let is_held = match &result {
            Ok(response) => held(response),
            Err(error) => serde_json::from_str(&error.message).is_ok_and(|response| held(&response)),
        };
        if !is_held {
            return result;
        }
        tokio::time::sleep(LEASE).await;
        self.function.invoke_as(event, how()).await
    }

    fn breaks(&self, breaks: &[Break]) {
        for proxy in &self.proxies {
            proxy.set(breaks.to_vec());
        }
    }

    async fn is_isolated(&self) -> bool {
        let isolated: BTreeSet<String> = ["brig-isolation".to_owned()].into();
        self.account.interfaces(&self.instance).await.values().all(|groups| *groups == isolated)
    }

    /// An event, delivered as Lambda does, with calls broken at its first delivery. What it ended in, and what was not so.
    async fn deliver(&self, event: &Value, breaks: &[Break], fine: &[&str]) -> Result<String, String> {
        self.breaks(breaks);
        for delivery in 0..DELIVERIES {
            let result = self.invoke(event).await;
            self.breaks(&[]);
            let again = result.is_err();
            let response = result.unwrap_or_else(|error| serde_json::from_str(&error.message).unwrap_or_default());
            let entry = response["containments"][0].clone();
            let outcome = entry["outcome"].as_str().unwrap_or_default().to_owned();
            if fine.contains(&outcome.as_str()) {
                // That its end could not be recorded brings it again.
                if again {
                    continue;
                }
                return Ok(outcome);
            }
            let heard = !self.account.messages(&self.office).await.is_empty();
            let is_said = matches!(outcome.as_str(), "unverified" | "partial" | "failed") && heard;
            if !again && !is_said {
                return Err(format!("delivery {delivery}: {outcome}, heard {heard}: {response:#}"));
            }
            if !again {
                return Ok(outcome);
            }
        }
        Err("it failed in all its deliveries".to_owned())
    }
}

fn variable(service: &str) -> &'static str {
    match service {
        "EC2" => "AWS_ENDPOINT_URL_EC2",
        "AUTO_SCALING" => "AWS_ENDPOINT_URL_AUTO_SCALING",
        "ELASTIC_LOAD_BALANCING" => "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING",
        "ELASTIC_LOAD_BALANCING_V2" => "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2",
        "IAM" => "AWS_ENDPOINT_URL_IAM",
        "DYNAMODB" => "AWS_ENDPOINT_URL_DYNAMODB",
        "SNS" => "AWS_ENDPOINT_URL_SNS",
        _ => "AWS_ENDPOINT_URL_CLOUDTRAIL",
    }
}

fn swapped(interface: &str) -> Value {
    serde_json::from_str(&TRAIL.replace("eni-0a1b2c3d4e5f60718", interface)).expect("an event")
}

/// Every operation of a verification and of a drift event, unreadable in one way.
async fn swept(cidr: u8, fault: Fault) -> (usize, Vec<String>) {
    let case = Case::new(cidr).await;
    let scheduled = json!({"action": "verify", "scheduled": true});
    let mut drift = swapped(&case.interface);
    let (mut swept, mut failures) = (0, Vec::new());
    for (name, event) in [("verify", scheduled), ("drift", drift.clone())] {
        for operation in case.operations(&event).await {
            swept += 1;
            let broken = Break { operation: operation.clone().into(), fault, times: TRIES };
            let fine = ["verified", "already_contained"];
            if let Err(what) = case.deliver(&event, &[broken], &fine).await {
                failures.push(format!("{name}, {operation} {fault:?}: {what}"));
            }
            if !case.is_isolated().await {
                failures.push(format!("{name}, {operation} {fault:?}: it is no longer isolated"));
            }
        }
    }
    // Somebody does undo it, and all that looks and all that repairs is unreadable at first.
    let modify = case.account.ec2.modify_network_interface_attribute();
    modify.network_interface_id(&case.interface).groups(&case.web).send().await.expect("swapped back");
    let operations = ["DescribeInstances", "DescribeNetworkInterfaces", "ModifyNetworkInterfaceAttribute", "Query"];
    let broken: Vec<Break> =
        operations.iter().map(|operation| Break { operation: (*operation).into(), fault, times: 2 }).collect();
    set(&mut drift, "/detail/eventID", json!("swapped-back"));
    swept += 1;
    match case.deliver(&drift, &broken, &["repaired"]).await {
        Ok(outcome) if outcome == "repaired" && case.is_isolated().await => {}
        ended => failures.push(format!("swapped back, {fault:?}: {ended:?}")),
    }
    (swept, failures)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_that_cannot_be_read_drops_or_falsifies_a_look_at_what_is_contained() {
    let sweeps = (190_u8..).zip(Fault::UNREADABLE).map(|(cidr, fault)| tokio::spawn(swept(cidr, fault)));
    let mut ended = Vec::new();
    for sweep in sweeps.collect::<Vec<_>>() {
        ended.push(sweep.await.expect("an end"));
    }
    let count: usize = ended.iter().map(|(swept, _)| swept).sum();
    let failures: Vec<String> = ended.into_iter().flat_map(|(_, failures)| failures).collect();
    println!("{count} deliveries swept");
    assert!(failures.is_empty(), "{} of {count}:\n{}", failures.len(), failures.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_without_its_head_stops_containment_and_people_hear_what_is_missing() {
    let case = Case::new(210).await;
    let pk = format!("{}/{}/{}", brig_tests::account::ACCOUNT, brig_tests::account::REGION, case.instance);
    let delete = case.account.dynamodb.delete_item().table_name(&case.office.table);
    let delete = delete.key("pk", AttributeValue::S(pk)).key("sk", AttributeValue::S("current".to_owned()));
    delete.send().await.expect("deleted");
    // Its originals would be lost under a new record, or given back though they are no longer true.
    let response = case.function.invoke(&finding(&case.instance)).await.expect("a response");
    let entry = &response["containments"][0];
    assert_eq!(entry["outcome"], "failed", "{response:#}");
    assert!(entry["reason"].as_str().expect("why").contains("no item current"), "{response:#}");
    let messages = case.account.messages(&case.office).await;
    let [message] = messages.as_slice() else { panic!("{messages:#?}") };
    assert!(message["Subject"].as_str().expect("a subject").contains("NOT CONTAINED"), "{message:#}");
    // Nor is it taken for untouched by who asks, or by the schedule.
    let status = case.function.invoke(&json!({"action": "status"})).await.expect_err("no status");
    assert!(status.message.contains("no item current"), "{status:?}");
    let verified = case.function.invoke(&json!({"action": "verify", "scheduled": true})).await;
    let verified = verified.unwrap_or_else(|error| serde_json::from_str(&error.message).expect("the response"));
    assert_eq!(verified["containments"][0]["outcome"], "unverified", "{verified:#}");
}
