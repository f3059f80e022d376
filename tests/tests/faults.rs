//! What goes wrong on the way: calls that are denied, that fail for a while, whose answer is lost.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that is not as it must be"
)]

use std::{collections::BTreeSet, time::Duration};

use brig_tests::{
    account::{Account, Office, endpoint},
    events::finding,
    function::Function,
    proxy::{Break, Fault, Proxy},
    seed::{Identity, Launch},
};
use serde_json::Value;

const DENIED: Fault = Fault::Refuse(403, "UnauthorizedOperation");

struct Case {
    account: Account,
    office: Office,
    instance: String,
    identity: Identity,
    ec2: Proxy,
    iam: Proxy,
}

impl Case {
    /// One instance with a profile, behind proxies that break these calls.
    async fn new(cidr: u8, breaks: &[Break]) -> Self {
        let account = Account::open().await;
        let office = account.office().await;
        let network = account.network(cidr, false).await;
        let identity = account.identity().await;
        let instance =
            account.launch(&network, "faulty", Launch { profile: Some(&identity), ..Launch::default() }).await;
        let url = |name: &str| endpoint(name).expect("an endpoint");
        let ec2 = Proxy::breaking(&url("AWS_ENDPOINT_URL_EC2"), Duration::ZERO, breaks.to_vec()).await;
        let iam = Proxy::breaking(&url("AWS_ENDPOINT_URL"), Duration::ZERO, breaks.to_vec()).await;
        Self { account, office, instance, identity, ec2, iam }
    }

    async fn function(&self) -> Function {
        let mut settings = self.office.settings();
        settings.push(("AWS_ENDPOINT_URL_EC2", &self.ec2.url));
        settings.push(("AWS_ENDPOINT_URL_IAM", &self.iam.url));
        Function::start(&settings).await
    }

    async fn contained(&self) -> Value {
        let function = self.function().await;
        let response = function.invoke(&finding(&self.instance)).await;
        let response = response.unwrap_or_else(|error| serde_json::from_str(&error.message).expect("the response"));
        response["containments"][0].clone()
    }

    async fn is_isolated(&self) -> bool {
        let isolated: BTreeSet<String> = ["brig-isolation".to_owned()].into();
        self.account.interfaces(&self.instance).await.values().all(|groups| *groups == isolated)
    }
}

fn broken(operation: &'static str, fault: Fault, times: usize) -> Break {
    Break { operation: operation.into(), fault, times }
}

fn step<'a>(entry: &'a Value, name: &str) -> &'a Value {
    let steps = entry["steps"].as_array().expect("steps");
    steps.iter().find(|step| step["step"] == name).expect("the step")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_forbids_open_groups_is_contained_and_no_interface_is_opened() {
    let case = Case::new(80, &[broken("AuthorizeSecurityGroupIngress", DENIED, usize::MAX)]).await;
    let entry = case.contained().await;
    assert_eq!(entry["outcome"], "contained", "{entry:#}");
    assert_eq!(step(&entry, "untrack")["outcome"], "skipped", "{entry:#}");
    assert!(case.is_isolated().await);
    // One call isolated it, one shortened its timeouts; no other moved it.
    let moves = case.ec2.calls().iter().filter(|call| call.operation == "ModifyNetworkInterfaceAttribute").count();
    assert_eq!(moves, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_credential_cut_blocks_no_other_lane_and_is_named() {
    let case = Case::new(81, &[broken("PutRolePolicy", Fault::Refuse(403, "AccessDenied"), usize::MAX)]).await;
    let function = case.function().await;
    // Nothing is left for a retry: what is denied stays denied.
    let response = function.invoke(&finding(&case.instance)).await.expect("a response");
    let entry = &response["containments"][0];
    assert_eq!(entry["outcome"], "partial", "{entry:#}");
    assert_eq!(entry["verdict"]["network"], "yes");
    assert_eq!(entry["verdict"]["evidence"], "yes");
    assert_eq!(entry["verdict"]["credentials"], "partial");
    assert!(step(entry, "deny_role")["detail"].as_str().expect("why").contains("PutRolePolicy: AccessDenied"));
    assert!(case.is_isolated().await);
    let subject = &case.account.messages(&case.office).await[0]["Subject"];
    assert!(subject.as_str().expect("a subject").contains("ONLY PARTLY"), "{subject}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_is_denied_later_though_its_profile_is_gone_by_then() {
    let case = Case::new(82, &[broken("GetInstanceProfile", Fault::Refuse(403, "AccessDenied"), 1)]).await;
    let first = case.contained().await;
    assert_eq!(first["outcome"], "partial", "{first:#}");
    assert_eq!(first["verdict"]["credentials"], "unknown", "{first:#}");
    // Once it is granted, the profile that was taken away still leads to its role.
    let second = case.contained().await;
    assert_eq!(second["outcome"], "contained", "{second:#}");
    let policy = case.account.policy(&case.identity.role, "brig-deny").await.expect("the policy");
    assert!(policy.contains(&case.instance), "{policy}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_that_fails_for_a_while_is_tried_until_it_holds() {
    let case =
        Case::new(83, &[broken("ModifyNetworkInterfaceAttribute", Fault::Refuse(500, "InternalError"), 7)]).await;
    let entry = case.contained().await;
    assert_eq!(entry["outcome"], "contained", "{entry:#}");
    assert!(case.is_isolated().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_lost_leave_one_snapshot_set_and_the_same_end() {
    let lost =
        ["CreateSecurityGroup", "ModifyNetworkInterfaceAttribute", "CreateSnapshots", "DisassociateIamInstanceProfile"];
    let breaks: Vec<Break> = lost.iter().map(|operation| broken(operation, Fault::LoseAnswer, 1)).collect();
    let case = Case::new(84, &breaks).await;
    let entry = case.contained().await;
    assert_eq!(entry["outcome"], "contained", "{entry:#}");
    assert!(case.is_isolated().await);
    let id = entry["containment_id"].as_str().expect("an id");
    assert_eq!(case.account.snapshots(id).await.len(), 1);
    // What the interface had before is on record, not what the first, lost, answer made of it.
    let ledger = case.account.ledger(&case.office).await;
    let isolate = ledger.iter().find(|item| item["sk"].as_s().is_ok_and(|sk| sk.contains("/network/isolate/")));
    let body = isolate.expect("the step")["body"].as_s().expect("text").clone();
    assert!(body.contains("\"was\":[\"sg-"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_read_is_asked_for_again() {
    // What looks, and what changes and looks at nothing in its answer.
    let operations = [
        "DescribeInstances",
        "DescribeNetworkInterfaces",
        "ModifyNetworkInterfaceAttribute",
        "ModifyInstanceAttribute",
    ];
    for (number, fault) in (0_u8..).zip(Fault::UNREADABLE) {
        let breaks: Vec<Break> = operations.iter().map(|operation| broken(operation, fault, 4)).collect();
        let case = Case::new(160 + number, &breaks).await;
        let mut entry = case.contained().await;
        // Lambda would deliver the event again.
        for _ in 0..2 {
            if entry["outcome"] != "contained" && entry["outcome"] != "already_contained" {
                entry = case.contained().await;
            }
        }
        let outcome = entry["outcome"].as_str().expect("a word");
        assert!(["contained", "already_contained", "repaired"].contains(&outcome), "{fault:?}: {entry:#}");
        assert!(case.is_isolated().await, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_cut_is_not_called_contained() {
    let case = Case::new(85, &[broken("ModifyNetworkInterfaceAttribute", DENIED, usize::MAX)]).await;
    let entry = case.contained().await;
    assert_eq!(entry["outcome"], "partial", "{entry:#}");
    assert_eq!(entry["verdict"]["network"], "no");
    let summary = entry["verdict"]["summary"].as_str().expect("a sentence");
    assert!(summary.contains("new connections are NOT blocked"), "{summary}");
    assert_eq!(entry["timings_ms"]["isolated"], Value::Null);
}
