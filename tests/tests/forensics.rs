//! Forensic access, the responders' instance profile, and stopping on request, through the binary.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that is not as it must be"
)]

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{
    Filter, HttpTokensState, InstanceMetadataEndpointState, InstanceStateName, IpPermission, VpcEndpointType,
};
use brig_tests::{
    account::{Account, unique},
    events::finding,
    function::Function,
    seed::{Launch, Network},
};
use serde_json::{Value, json};

/// The rules of the VPC's isolation group.
async fn rules(account: &Account, network: &Network) -> BTreeSet<String> {
    let filter = |name: &str, value: &str| Filter::builder().name(name).values(value).build();
    let groups = account.ec2.describe_security_groups().filters(filter("vpc-id", &network.vpc));
    let groups = groups.filters(filter("group-name", "brig-isolation")).send().await.expect("groups");
    let group = groups.security_groups()[0].clone();
    let line = |way: &str, rule: &IpPermission| {
        let ranges = rule.ip_ranges().iter().filter_map(|range| range.cidr_ip());
        let groups = rule.user_id_group_pairs().iter().filter_map(|pair| pair.group_id());
        let ports = (rule.from_port().unwrap_or(-1), rule.to_port().unwrap_or(-1));
        let protocol = rule.ip_protocol().unwrap_or_default();
        ranges.chain(groups).map(|peer| format!("{way} {protocol} {ports:?} {peer}")).collect::<Vec<_>>()
    };
    let incoming = group.ip_permissions().iter().flat_map(|rule| line("in", rule));
    incoming.chain(group.ip_permissions_egress().iter().flat_map(|rule| line("out", rule))).collect()
}

async fn endpoints(account: &Account, network: &Network) -> BTreeSet<String> {
    let mut addresses = BTreeSet::new();
    for service in ["ssm", "ssmmessages", "ec2messages"] {
        let made = account.ec2.create_vpc_endpoint().vpc_id(&network.vpc).subnet_ids(&network.subnets[0]);
        let made = made.vpc_endpoint_type(VpcEndpointType::Interface);
        let made = made.service_name(format!("com.amazonaws.us-east-1.{service}")).send().await.expect("an endpoint");
        for id in made.vpc_endpoint().expect("it").network_interface_ids() {
            let shown = account.ec2.describe_network_interfaces().network_interface_ids(id).send().await;
            let shown = shown.expect("an interface").network_interfaces()[0].clone();
            addresses.insert(shown.private_ip_address().expect("an address").to_owned());
        }
    }
    addresses
}

fn step<'a>(response: &'a Value, name: &str) -> &'a Value {
    let steps = response["containments"][0]["steps"].as_array().expect("steps");
    steps.iter().find(|step| step["step"] == name).expect("the step")
}

#[tokio::test(flavor = "multi_thread")]
async fn responders_reach_it_with_their_own_profile() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(150, false).await;
    let addresses = endpoints(&account, &network).await;
    let responders = account.security_group(&network.vpc, &unique("responders")).await;
    let named = account.ec2.describe_security_groups().group_ids(&responders).send().await.expect("groups");
    let named = named.security_groups()[0].group_name().expect("a name").to_owned();
    let instance = account.launch(&network, "examined", Launch::default()).await;
    let identity = account.identity().await;
    account.associate(&instance, &identity).await;
    let profile = account.identity().await.profile_arn;
    let before = account.describe(&instance).await;

    let mut settings = office.settings();
    let placeholder = profile.replace("123456789012", "{account}");
    settings.extend([("BRIG_FORENSIC_ACCESS", named.as_str()), ("BRIG_FORENSIC_PROFILE", placeholder.as_str())]);
    // The deployed role may pass one role, which this profile does not have.
    settings.extend([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")]);
    let function = Function::start(&settings).await;
    let response = function.invoke(&json!({"instance_id": instance, "reason": "IR-7"})).await.expect("a response");
    assert_eq!(response["containments"][0]["outcome"], "contained", "{response:#}\n{}", function.log());
    let expected = [22, 3389].map(|port| format!("in tcp ({port}, {port}) {responders}"));
    let out = addresses.iter().map(|address| format!("out tcp (443, 443) {address}/32"));
    assert_eq!(rules(&account, &network).await, out.chain(expected).collect::<BTreeSet<_>>(), "{response:#}");
    let summary = response["containments"][0]["verdict"]["summary"].as_str().expect("a summary");
    assert!(summary.contains("forensic access"), "{summary}");
    let now = account.describe(&instance).await;
    assert_eq!(now.iam_instance_profile().and_then(|profile| profile.arn()), Some(profile.as_str()));
    let options = now.metadata_options().expect("options");
    assert_eq!(options.http_tokens().map(HttpTokensState::as_str), Some("required"));
    assert_eq!(options.http_endpoint().map(InstanceMetadataEndpointState::as_str), Some("enabled"));

    let verify = json!({"instance_id": instance, "action": "verify"});
    let response = function.invoke(&verify).await.expect("a response");
    assert_eq!(response["containments"][0]["outcome"], "verified", "{response:#}\n{}", function.log());

    let request = json!({"instance_id": instance, "action": "release", "reason": "IR-7 is over"});
    let response = function.invoke(&request).await.expect("a response");
    assert_eq!(response["containments"][0]["outcome"], "released", "{response:#}\n{}", function.log());
    let after = account.describe(&instance).await;
    let arn = |instance: &aws_sdk_ec2::types::Instance| {
        instance.iam_instance_profile().and_then(|profile| profile.arn()).map(str::to_owned)
    };
    assert_eq!(arn(&after), arn(&before));
    assert_eq!(
        after.metadata_options().and_then(|options| options.http_tokens()),
        before.metadata_options().and_then(|options| options.http_tokens())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_stopped_where_a_person_asks_and_started_by_the_release() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(151, false).await;
    let instance = account.launch(&network, "stopped", Launch::default()).await;
    let state = async || {
        let now = account.describe(&instance).await;
        now.state().and_then(|state| state.name()).map_or_else(String::new, |name| name.as_str().to_owned())
    };
    let function = Function::start(&office.settings()).await;
    let plan = json!({"instance_id": instance, "action": "plan", "stop": true});
    let response = function.invoke(&plan).await.expect("a response");
    assert_eq!(step(&response, "stop_instances")["outcome"], "planned", "{response:#}");
    assert_eq!(state().await, "running");

    let request = json!({"instance_id": instance, "reason": "IR-7", "stop": true});
    let response = function.invoke(&request).await.expect("a response");
    assert_eq!(response["containments"][0]["outcome"], "contained", "{response:#}\n{}", function.log());
    let stopped = step(&response, "stop_instances");
    assert_eq!(stopped["outcome"], "changed", "{response:#}");
    assert!(stopped["detail"].as_str().expect("a detail").contains("MEMORY IS LOST"), "{stopped}");
    assert_eq!(state().await, "stopped");

    let request = json!({"instance_id": instance, "action": "release", "reason": "IR-7 is over"});
    let response = function.invoke(&request).await.expect("a response");
    assert_eq!(response["containments"][0]["outcome"], "released", "{response:#}\n{}", function.log());
    assert_eq!(state().await, "running");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_stopped_where_a_rule_asks() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(154, false).await;
    let instance = account.launch(&network, "ruled", Launch::default()).await;
    let rules =
        r#"{"rules":[{"name":"miner","then":"contain","stop":true,"when":{"finding":{"source":["guardduty"]}}}]}"#;
    let mut settings = office.settings();
    settings.push(("BRIG_POLICY", rules));
    let function = Function::start(&settings).await;
    let response = function.invoke(&finding(&instance)).await.expect("a response");
    assert_eq!(response["containments"][0]["outcome"], "contained", "{response:#}\n{}", function.log());
    assert_eq!(step(&response, "stop_instances")["outcome"], "changed", "{response:#}");
    let now = account.describe(&instance).await;
    assert_eq!(now.state().and_then(|state| state.name()).map(InstanceStateName::as_str), Some("stopped"));
}
