//! One behaviour a test: the cases around the main job, each with a world of its own.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that is not as it must be"
)]

use std::{collections::BTreeSet, time::Duration};

use aws_sdk_ec2::types::{Filter, IpPermission, IpRange};
use brig_tests::{
    account::Account,
    events::{finding, set},
    function::{Function, Invoke},
    seed::{Launch, Network, tag},
};
use serde_json::{Value, json};

fn names(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

fn only(response: &Value) -> &Value {
    let list = response["containments"].as_array().expect("containments");
    assert_eq!(list.len(), 1, "{response:#}");
    &list[0]
}

async fn is_isolated(account: &Account, instance: &str) -> bool {
    let interfaces = account.interfaces(instance).await;
    !interfaces.is_empty() && interfaces.values().all(|groups| *groups == names(&["brig-isolation"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_instance_is_contained_by_a_person() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(31, false).await;
    let instance = account.launch(&network, "lone", Launch::default()).await;
    let function = Function::start(&office.settings()).await;
    let response = function.invoke(&json!({"instance_id": instance, "reason": "IR-7"})).await.expect("a response");
    let entry = only(&response);
    assert_eq!(entry["outcome"], "contained", "{response:#}\n{}", function.log());
    assert_eq!(response.get("incomplete"), None);
    for lane in ["network", "credentials", "fleet", "evidence"] {
        assert_eq!(entry["verdict"][lane], "yes", "{lane}: {response:#}");
    }
    let steps: BTreeSet<&str> =
        entry["steps"].as_array().expect("steps").iter().filter_map(|step| step["step"].as_str()).collect();
    assert!(!steps.contains("deny_role") && !steps.contains("detach_instances"), "{steps:?}");
    assert!(is_isolated(&account, &instance).await);
    let id = entry["containment_id"].as_str().expect("an id");
    assert!(id.len() <= 64 && id.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)), "{id}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stolen_credentials_are_denied_on_the_role_that_the_finding_names_though_its_profile_is_gone() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(155, false).await;
    let identity = account.identity().await;
    // A first responder took the profile away before the finding came.
    let instance = account.launch(&network, "stolen", Launch::default()).await;
    let text = include_str!("../../events/guardduty-access-key.json");
    let mut event: Value = serde_json::from_str(text).expect("an event");
    let principal = format!("AROAEXAMPLEEXAMPLE000:{instance}");
    set(&mut event, "/detail/resource/accessKeyDetails/principalId", json!(principal));
    set(&mut event, "/detail/resource/accessKeyDetails/userName", json!(identity.role));
    let function = Function::start(&office.settings()).await;
    let response = function.invoke(&event).await.expect("a response");
    assert_eq!(only(&response)["outcome"], "contained", "{response:#}\n{}", function.log());
    let policy = account.policy(&identity.role, "brig-deny").await.expect("the policy");
    assert!(policy.contains(&instance), "{policy}");
    // And one that IAM does not know leaves the credentials partial, before all else.
    set(&mut event, "/detail/resource/accessKeyDetails/userName", json!("no-such-role"));
    let response = function.invoke(&event).await.expect("a response");
    let verdict = &only(&response)["verdict"];
    assert_eq!(verdict["credentials"], "partial", "{response:#}");
    assert_eq!(verdict["undenied"], json!([{"why": "no_such_role", "role": "no-such-role"}]));
    let summary = verdict["summary"].as_str().expect("a sentence");
    assert!(summary.contains("contained: its credentials are NOT"), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_an_ipv6_vpc_the_isolation_group_has_no_rule_of_either_family() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(32, true).await;
    let instance = account.launch(&network, "six", Launch::default()).await;
    let function = Function::start(&office.settings()).await;
    let response = function.invoke(&finding(&instance)).await.expect("a response");
    assert_eq!(only(&response)["outcome"], "contained", "{response:#}");
    for (name, rules) in group_rules(&account, &network).await {
        match name.as_str() {
            "brig-isolation" => assert_eq!(rules, BTreeSet::new()),
            "brig-untrack" => {
                assert_eq!(rules, names(&["in 0.0.0.0/0", "in ::/0", "out 0.0.0.0/0", "out ::/0"]));
            }
            _ => {}
        }
    }
}

/// Each group of a VPC with its rules, as direction and peer.
async fn group_rules(account: &Account, network: &Network) -> Vec<(String, BTreeSet<String>)> {
    let of = Filter::builder().name("vpc-id").values(&network.vpc).build();
    let found = account.ec2.describe_security_groups().filters(of).send().await.expect("groups");
    let peers = |way: &str, permissions: &[IpPermission]| -> Vec<String> {
        let v4 = permissions.iter().flat_map(IpPermission::ip_ranges).filter_map(|range| range.cidr_ip());
        let v6 = permissions.iter().flat_map(IpPermission::ipv6_ranges).filter_map(|range| range.cidr_ipv6());
        v4.chain(v6).map(|peer| format!("{way} {peer}")).collect()
    };
    found
        .security_groups()
        .iter()
        .map(|group| {
            let mut rules: BTreeSet<String> = peers("in", group.ip_permissions()).into_iter().collect();
            rules.extend(peers("out", group.ip_permissions_egress()));
            (group.group_name().unwrap_or_default().to_owned(), rules)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn interfaces_in_two_vpcs_are_isolated_each_in_its_own() {
    let account = Account::open().await;
    let office = account.office().await;
    let (near, far) = (account.network(33, false).await, account.network(34, false).await);
    let instance = account.launch(&near, "bridge", Launch::default()).await;
    account.add_interface(&instance, &far.subnets[0], &far.admin, 1).await;
    let function = Function::start(&office.settings()).await;
    let response = function.invoke(&finding(&instance)).await.expect("a response");
    assert_eq!(only(&response)["outcome"], "contained", "{response:#}");
    assert!(is_isolated(&account, &instance).await);
    let made = only(&response)["steps"].as_array().expect("steps").iter();
    let made: BTreeSet<&str> = made
        .filter(|step| step["step"] == "create_security_group")
        .filter_map(|step| step["resource"].as_str())
        .collect();
    assert_eq!(made.len(), 4, "{made:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_name_the_field_and_touch_nothing() {
    let account = Account::open().await;
    let office = account.office().await;
    let function = Function::start(&office.settings()).await;
    for (event, kind, part) in [
        (json!({"instance_id": "i-XYZ"}), "InvalidRequest", "instance_id: \"i-XYZ\""),
        (json!({"instance_id": "i-0123abcd", "dry_run": true}), "InvalidRequest", "\"dry_run\""),
        (json!({"instance_id": "i-0123abcd", "account": "1"}), "InvalidRequest", "account: \"1\""),
        (json!({"hello": "world"}), "UnsupportedEvent", "hello"),
        (json!([]), "UnsupportedEvent", "a list"),
        (json!({"source": "aws.s3", "detail-type": "x"}), "UnsupportedEvent", "aws.s3"),
    ] {
        let error = function.invoke(&event).await.expect_err("an error");
        assert_eq!(error.kind, kind, "{event}");
        assert!(error.message.contains(part), "{}", error.message);
    }
    assert!(account.ledger(&office).await.is_empty());
    assert!(account.messages(&office).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_instance_is_refused_and_told_once() {
    let account = Account::open().await;
    let office = account.office().await;
    let function = Function::start(&office.settings()).await;
    let event = finding("i-00000000000000000");
    for _ in 0..2 {
        let response = function.invoke(&event).await.expect("a response");
        assert_eq!(only(&response)["outcome"], "refused", "{response:#}");
        assert!(only(&response)["reason"].as_str().expect("why").contains("there is no instance"));
    }
    assert_eq!(account.messages(&office).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_of_another_account_is_refused_with_what_to_do() {
    let account = Account::open().await;
    let office = account.office().await;
    let function = Function::start(&office.settings()).await;
    let mut event = finding("i-00000000000000000");
    set(&mut event, "/detail/accountId", json!("999988887777"));
    let response = function.invoke(&event).await.expect("a response");
    assert_eq!(only(&response)["outcome"], "refused", "{response:#}");
    assert!(only(&response)["reason"].as_str().expect("why").contains("999988887777"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exempt_instance_is_asked_about_and_a_person_may_force() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(35, false).await;
    let instance =
        account.launch(&network, "db", Launch { tags: &[("brig:exempt", "core")], ..Launch::default() }).await;
    let before = account.state(&instance).await;
    let function = Function::start(&office.settings()).await;

    let response = function.invoke(&finding(&instance)).await.expect("a response");
    let entry = only(&response);
    assert_eq!((&entry["outcome"], &entry["decision"]), (&json!("asked"), &json!("ask")), "{response:#}");
    let steps = entry["steps"].as_array().expect("steps");
    assert!(steps.iter().any(|step| step["step"] == "isolate" && step["outcome"] == "planned"), "{response:#}");
    assert_eq!(account.state(&instance).await, before);
    let messages = account.messages(&office).await;
    assert_eq!(messages.len(), 1);
    assert!(messages[0]["Subject"].as_str().expect("a subject").contains("DECISION NEEDED"));
    // An update of the same finding is not told again.
    function.invoke(&finding(&instance)).await.expect("a response");
    assert!(account.messages(&office).await.is_empty());

    let refused = function.invoke(&json!({"instance_id": instance})).await.expect("a response");
    assert_eq!(only(&refused)["outcome"], "refused");
    let forced = function.invoke(&json!({"instance_id": instance, "force": true})).await.expect("a response");
    assert_eq!(only(&forced)["outcome"], "contained", "{forced:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn never_means_never() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(36, false).await;
    let instance =
        account.launch(&network, "hsm", Launch { tags: &[("brig:exempt", "never")], ..Launch::default() }).await;
    let before = account.state(&instance).await;
    let function = Function::start(&office.settings()).await;
    let response = function.invoke(&json!({"instance_id": instance, "force": true})).await.expect("a response");
    assert_eq!(only(&response)["outcome"], "refused", "{response:#}");
    assert_eq!(account.state(&instance).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_archived_and_mild_findings_are_ignored() {
    let account = Account::open().await;
    let office = account.office().await;
    let function = Function::start(&office.settings()).await;
    let changes = [
        ("/detail/service/additionalInfo", json!({"sample": true}), "sample"),
        ("/detail/service/archived", json!(true), "archived"),
        ("/detail/severity", json!(5.5), "severity 5.5"),
    ];
    for (pointer, value, reason) in changes {
        let mut event = finding("i-0123456789abcdef0");
        set(&mut event, pointer, value);
        let response = function.invoke(&event).await.expect("a response");
        assert_eq!(only(&response)["outcome"], "ignored", "{response:#}");
        assert!(only(&response)["reason"].as_str().expect("why").contains(reason), "{response:#}");
    }
    let mut other = finding("i-0123456789abcdef0");
    set(&mut other, "/detail/resource/resourceType", json!("S3Bucket"));
    let response = function.invoke(&other).await.expect("a response");
    assert_eq!(response["containments"], json!([]));
    assert!(response["ignored"].as_str().expect("why").contains("not an instance"));
    assert!(account.messages(&office).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn observe_and_plan_change_nothing() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(37, false).await;
    let identity = account.identity().await;
    let instance = account.launch(&network, "seen", Launch { profile: Some(&identity), ..Launch::default() }).await;
    let before = account.state(&instance).await;

    let function = Function::start(&office.settings()).await;
    let response = function.invoke(&json!({"instance_id": instance, "action": "plan"})).await.expect("a response");
    assert_eq!(only(&response)["outcome"], "planned", "{response:#}");
    let steps = only(&response)["steps"].as_array().expect("steps");
    let planned = |name: &str| steps.iter().any(|step| step["step"] == name && step["outcome"] == "planned");
    assert!(["isolate", "untrack", "deny_role", "disable_metadata", "create_snapshots"].into_iter().all(planned));
    assert!(account.ledger(&office).await.is_empty() && account.messages(&office).await.is_empty());

    let mut settings = office.settings();
    settings.push(("BRIG_MODE", "observe"));
    let function = Function::start(&settings).await;
    for told in [1, 0] {
        let response = function.invoke(&finding(&instance)).await.expect("a response");
        assert_eq!(only(&response)["outcome"], "observed", "{response:#}");
        assert_eq!(account.messages(&office).await.len(), told);
    }
    assert_eq!(account.state(&instance).await, before);
    assert_eq!(account.policy(&identity.role, "brig-deny").await, None);
    let groups = group_rules(&account, &network).await;
    assert!(groups.iter().all(|(name, _)| !name.starts_with("brig-")), "{groups:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_of_one_role_both_end_in_its_policy() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(38, false).await;
    let identity = account.identity().await;
    let launch = || Launch { profile: Some(&identity), ..Launch::default() };
    let (a, b) = (account.launch(&network, "a", launch()).await, account.launch(&network, "b", launch()).await);
    let bystander = account.launch(&network, "c", launch()).await;
    let (first, second) = (Function::start(&office.settings()).await, Function::start(&office.settings()).await);
    let (fa, fb) = (finding(&a), finding(&b));
    let (ra, rb) = tokio::join!(first.invoke(&fa), second.invoke(&fb));
    for response in [ra, rb] {
        let response = response.expect("a response");
        assert_eq!(only(&response)["outcome"], "contained", "{response:#}");
        let notes = only(&response)["notes"].to_string();
        assert!(notes.contains(&bystander), "{notes}");
    }
    let policy = account.policy(&identity.role, "brig-deny").await.expect("the policy");
    assert!(policy.contains(&a) && policy.contains(&b) && !policy.contains(&bystander), "{policy}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_event_twice_at_once_is_one_containment() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(155, false).await;
    let instance = account.launch(&network, "twice", Launch::default()).await;
    let (first, second) = (Function::start(&office.settings()).await, Function::start(&office.settings()).await);
    let event = finding(&instance);
    let (a, b) = tokio::join!(first.invoke(&event), second.invoke(&event));
    let outcome = |reply: &Result<Value, brig_tests::function::FunctionError>| match reply {
        Ok(response) => only(response)["outcome"].as_str().expect("a word").to_owned(),
        Err(error) => {
            assert_eq!(error.kind, "Incomplete");
            let response: Value = serde_json::from_str(&error.message).expect("the response");
            only(&response)["outcome"].as_str().expect("a word").to_owned()
        }
    };
    let mut outcomes = [outcome(&a), outcome(&b)];
    outcomes.sort();
    assert!(outcomes.contains(&"contained".to_owned()), "{outcomes:?}");
    assert!(["already_contained", "in_progress", "contained"].contains(&outcomes[1].as_str()), "{outcomes:?}");
    let ids: BTreeSet<String> = account
        .ledger(&office)
        .await
        .iter()
        .filter_map(|item| item.get("containment_id")?.as_s().ok().cloned())
        .collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(account.snapshots(ids.first().expect("an id")).await.len(), 1);
    assert_eq!(account.messages(&office).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_production_group_that_looks_like_ours_is_never_used() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(40, false).await;
    // Our name without our tag, and our tag on another name.
    let named = account.security_group(&network.vpc, "brig-isolation").await;
    let tagged = account.security_group(&network.vpc, "payments").await;
    account.ec2.create_tags().resources(&tagged).tags(tag("brig:role", "isolation")).send().await.expect("tagged");
    let open = IpPermission::builder()
        .ip_protocol("tcp")
        .from_port(443)
        .to_port(443)
        .ip_ranges(IpRange::builder().cidr_ip("10.0.0.0/8").build())
        .build();
    for group in [&named, &tagged] {
        let request = account.ec2.authorize_security_group_ingress().group_id(group).ip_permissions(open.clone());
        request.send().await.expect("a rule");
    }
    let instance = account.launch(&network, "prod", Launch::default()).await;
    let function = Function::start(&office.settings()).await;
    let response = function.invoke(&finding(&instance)).await.expect("a response");
    let entry = only(&response);
    assert_eq!(entry["outcome"], "contained", "{response:#}");
    let name = format!("brig-isolation-{}", entry["containment_id"].as_str().expect("an id"));
    assert!(account.interfaces(&instance).await.values().all(|groups| *groups == names(&[&name])));
    for (group, rules) in group_rules(&account, &network).await {
        if ["brig-isolation", "payments"].contains(&group.as_str()) {
            assert!(rules.contains("in 10.0.0.0/8") && rules.contains("out 0.0.0.0/0"), "{group}: {rules:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_dies_with_an_interface_open_is_put_right_by_the_retry() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(41, false).await;
    let instance = account.launch(&network, "open", Launch::default()).await;
    let mut settings = office.settings();
    settings.push(("BRIG_UNTRACK_SECONDS", "20"));
    let event = finding(&instance);
    let how = Invoke { timeout: Duration::from_mins(1), ..Invoke::default() };

    let dying = Function::start(&settings).await;
    let _lost = dying.send(&event, how.clone());
    let mut open = false;
    for _ in 0..300 {
        open = account.interfaces(&instance).await.values().any(|groups| *groups == names(&["brig-untrack"]));
        if open {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(open, "the interface was never seen open\n{}", dying.log());
    dying.kill().await;

    // Lambda retries with the same request id: the lease is taken again at once.
    let retry = Function::start(&settings).await;
    let response = retry.invoke_as(&event, how).await.expect("a response");
    let entry = only(&response);
    assert_eq!(entry["outcome"], "contained", "{response:#}");
    let summary = entry["verdict"]["summary"].as_str().expect("a sentence");
    assert!(summary.contains("OPEN TO THE WORLD since"), "{summary}");
    assert!(is_isolated(&account, &instance).await);
    assert!(entry["timings_ms"]["isolated"].as_u64().expect("ms") < 10_000);
    // What the interface had before is still on record, not what the dead attempt left.
    let ledger = account.ledger(&office).await;
    let isolate = ledger.iter().find(|item| item["sk"].as_s().is_ok_and(|sk| sk.contains("/network/isolate/")));
    assert!(isolate.expect("the step")["body"].as_s().expect("text").contains(&network.web));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_instance_is_contained_without_untrack() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(42, false).await;
    let instance = account.launch(&network, "off", Launch::default()).await;
    account.ec2.stop_instances().instance_ids(&instance).send().await.expect("stopped");
    let function = Function::start(&office.settings()).await;
    let response = function.invoke(&finding(&instance)).await.expect("a response");
    let entry = only(&response);
    assert_eq!(entry["outcome"], "contained", "{response:#}");
    let steps = entry["steps"].as_array().expect("steps");
    assert!(steps.iter().any(|step| step["step"] == "untrack" && step["outcome"] == "skipped"), "{response:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminated_instance_ends_in_a_truthful_partial() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(43, false).await;
    let instance = account.launch(&network, "gone", Launch::default()).await;
    account.ec2.terminate_instances().instance_ids(&instance).send().await.expect("terminated");
    let function = Function::start(&office.settings()).await;
    let response = function.invoke(&finding(&instance)).await.expect("a response");
    let entry = only(&response);
    assert_eq!(entry["outcome"], "partial", "{response:#}");
    assert_eq!(entry["verdict"]["evidence"], "no", "{response:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn past_the_hourly_cap_people_are_asked() {
    brig_tests::function::within_one_hour().await;
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(44, false).await;
    let mut settings = office.settings();
    settings.push(("BRIG_MAX_PER_HOUR", "1"));
    let function = Function::start(&settings).await;
    let mut outcomes = Vec::new();
    for name in ["one", "two"] {
        let instance = account.launch(&network, name, Launch::default()).await;
        let response = function.invoke(&finding(&instance)).await.expect("a response");
        outcomes.push(only(&response)["outcome"].as_str().expect("a word").to_owned());
    }
    assert_eq!(outcomes, ["contained", "asked"]);
    // A person is not capped.
    let instance = account.launch(&network, "three", Launch::default()).await;
    let response = function.invoke(&json!({"instance_id": instance})).await.expect("a response");
    assert_eq!(only(&response)["outcome"], "contained", "{response:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_containment_is_refused_and_taken_over_by_force() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(45, false).await;
    let tags = [("brig:containment", "somebody-else")];
    let instance = account.launch(&network, "foreign", Launch { tags: &tags, ..Launch::default() }).await;
    let before = account.state(&instance).await;
    let function = Function::start(&office.settings()).await;
    let response = function.invoke(&finding(&instance)).await.expect("a response");
    assert_eq!(only(&response)["outcome"], "refused", "{response:#}");
    assert!(only(&response)["reason"].as_str().expect("why").contains("brig:containment=somebody-else"));
    assert_eq!(account.state(&instance).await, before);
    let response = function.invoke(&json!({"instance_id": instance, "force": true})).await.expect("a response");
    assert_eq!(only(&response)["outcome"], "contained", "{response:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_endpoint_for_all_services_does_too() {
    let account = Account::at_one_endpoint().await;
    let office = account.office().await;
    let network = account.network(46, false).await;
    let identity = account.identity().await;
    let instance = account.launch(&network, "single", Launch { profile: Some(&identity), ..Launch::default() }).await;
    let url = account.url.clone();
    let mut settings = office.settings();
    settings.push(("AWS_ENDPOINT_URL", &url));
    let function = Function::start(&settings).await;
    let response = function.invoke(&finding(&instance)).await.expect("a response");
    assert_eq!(only(&response)["outcome"], "contained", "{response:#}\n{}", function.log());
    assert!(account.policy(&identity.role, "brig-deny").await.expect("the policy").contains(&instance));
    assert_eq!(account.messages(&office).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_setting_stops_the_start_and_is_named() {
    let function = Function::start(&[
        ("BRIG_LEDGER_TABLE", "t"),
        ("BRIG_TOPIC_ARN", "arn:aws:sns:us-east-1:123456789012:t"),
        ("BRIG_MODE", "enforced"),
    ])
    .await;
    assert!(!function.ended().await);
    assert!(function.log().contains("BRIG_MODE="), "{}", function.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_ledger_nothing_is_changed_and_people_are_told() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(47, false).await;
    let instance = account.launch(&network, "unrecorded", Launch::default()).await;
    let before = account.state(&instance).await;
    let settings = [("BRIG_LEDGER_TABLE", "no-such-table"), ("BRIG_TOPIC_ARN", office.topic.as_str())];
    let function = Function::start(&settings).await;
    let error = function.invoke(&finding(&instance)).await.expect_err("left for the retry");
    assert_eq!(error.kind, "Incomplete");
    assert_eq!(account.state(&instance).await, before);
    let messages = account.messages(&office).await;
    assert!(messages[0]["Message"].as_str().expect("text").contains("containment could not start"), "{messages:?}");
}
