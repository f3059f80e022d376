//! The verdict per path, through the binary, in worlds that differ in how the instance reaches others.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that is not as it must be"
)]

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{ConnectionTrackingConfiguration, NetworkAcl, VpcEndpointType};
use brig_tests::{
    account::{Account, unique},
    function::Function,
    seed::{Launch, Network},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

/// The table that a VPC was made with.
async fn main_table(account: &Account, network: &Network) -> String {
    let filter = aws_sdk_ec2::types::Filter::builder().name("vpc-id").values(&network.vpc).build();
    let tables = account.ec2.describe_route_tables().filters(filter).send().await.expect("tables");
    tables.route_tables()[0].route_table_id().expect("an id").to_owned()
}

async fn internet_gateway(account: &Account, network: &Network) -> String {
    let made = account.ec2.create_internet_gateway().send().await.expect("a gateway");
    let id = made.internet_gateway().and_then(|gateway| gateway.internet_gateway_id()).expect("an id").to_owned();
    account.ec2.attach_internet_gateway().internet_gateway_id(&id).vpc_id(&network.vpc).send().await.expect("attached");
    let table = main_table(account, network).await;
    let route = account.ec2.create_route().route_table_id(table).destination_cidr_block("0.0.0.0/0").gateway_id(&id);
    route.send().await.expect("a route");
    id
}

async fn nat_gateway(account: &Account, network: &Network) -> String {
    let address = account.ec2.allocate_address().send().await.expect("an address");
    let made = account.ec2.create_nat_gateway().subnet_id(&network.subnets[1]);
    let made = made.allocation_id(address.allocation_id().expect("an id")).send().await.expect("a gateway");
    let id = made.nat_gateway().and_then(|gateway| gateway.nat_gateway_id()).expect("an id").to_owned();
    let table = main_table(account, network).await;
    let route = account.ec2.create_route().route_table_id(table).destination_cidr_block("0.0.0.0/0");
    route.nat_gateway_id(&id).send().await.expect("a route");
    id
}

async fn contained(account: &Account, instance: &str) -> Value {
    let office = account.office().await;
    let function = Function::start(&office.settings()).await;
    let response = function.invoke(&json!({"instance_id": instance, "reason": "IR-7"})).await.expect("a response");
    let entry = response["containments"][0].clone();
    assert_eq!(entry["outcome"], "contained", "{response:#}\n{}", function.log());
    assert!(entry["timings_ms"]["untrack_window"].as_u64().expect("a window") >= 1000, "{entry:#}");
    entry
}

/// Each path as `kind family: new, open`.
fn paths(entry: &Value) -> BTreeSet<String> {
    let all = entry["verdict"]["paths"].as_array().expect("paths");
    let word = |path: &Value, name: &str| path[name].as_str().unwrap_or("-").to_owned();
    let line = |path: &Value| {
        let [kind, family] = ["kind", "family"].map(|name| word(path, name));
        let [new, open] = ["new_flows", "open_flows"].map(|name| word(path, name));
        format!("{kind} {family}: {new}, {open}")
    };
    all.iter().map(line).collect()
}

fn summary(entry: &Value) -> &str {
    entry["verdict"]["summary"].as_str().expect("a summary")
}

fn has(entry: &Value, line: &str) {
    assert!(paths(entry).contains(line), "{line} is not in {:#?}", paths(entry));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_instance_is_expected_to_be_cut() {
    let account = Account::open().await;
    let network = account.network(141, false).await;
    internet_gateway(&account, &network).await;
    let instance = account.launch(&network, "public", Launch::default()).await;
    let address = account.ec2.allocate_address().send().await.expect("an address");
    let associate = account.ec2.associate_address().instance_id(&instance);
    associate.allocation_id(address.allocation_id().expect("an id")).send().await.expect("associated");
    let entry = contained(&account, &instance).await;
    has(&entry, "internet_gateway ipv4: blocked, expected cut");
    has(&entry, "vpc ipv4: blocked, expected cut");
    has(&entry, "dns -: open, none");
    has(&entry, "serial_console -: blocked, none");
    assert!(!paths(&entry).iter().any(|path| path.starts_with("unread")), "{:#?}", paths(&entry));
    let words = "new connections are blocked, except through DNS; existing ones are expected to drop, which AWS does not guarantee (ICMP and similar protocols may continue)";
    assert!(summary(&entry).contains(words), "{}", summary(&entry));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_through_a_nat_gateway_may_go_on() {
    let account = Account::open().await;
    let network = account.network(142, false).await;
    let nat = nat_gateway(&account, &network).await;
    // The subnet has a table of its own; the VPC's main one leads elsewhere.
    let own = account.ec2.create_route_table().vpc_id(&network.vpc).send().await.expect("a table");
    let own = own.route_table().and_then(|table| table.route_table_id()).expect("an id");
    let route = account.ec2.create_route().route_table_id(own).destination_cidr_block("0.0.0.0/0");
    route.nat_gateway_id(&nat).send().await.expect("a route");
    let main = main_table(&account, &network).await;
    let delete = account.ec2.delete_route().route_table_id(main).destination_cidr_block("0.0.0.0/0");
    delete.send().await.expect("no route");
    let associate = account.ec2.associate_route_table().route_table_id(own).subnet_id(&network.subnets[0]);
    associate.send().await.expect("associated");
    let instance = account.launch(&network, "private", Launch::default()).await;
    let entry = contained(&account, &instance).await;
    has(&entry, "nat_gateway ipv4: blocked, may go on");
    assert!(
        summary(&entry).contains(&format!("existing ones MAY CONTINUE through the NAT gateway {nat}")),
        "{}",
        summary(&entry)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_family_has_its_paths() {
    let account = Account::open().await;
    let network = account.network(143, true).await;
    let made = account.ec2.create_egress_only_internet_gateway().vpc_id(&network.vpc).send().await.expect("a gateway");
    let gateway = made.egress_only_internet_gateway().and_then(|gateway| gateway.egress_only_internet_gateway_id());
    let route = account.ec2.create_route().route_table_id(main_table(&account, &network).await);
    let route = route.destination_ipv6_cidr_block("::/0").egress_only_internet_gateway_id(gateway.expect("an id"));
    route.send().await.expect("a route");
    let instance = account.launch(&network, "six", Launch::default()).await;
    let described = account.describe(&instance).await;
    let eni = described.network_interfaces()[0].network_interface_id().expect("an id");
    let assign = account.ec2.assign_ipv6_addresses().network_interface_id(eni).ipv6_addresses("2001:db8::7");
    assign.send().await.expect("assigned");
    let entry = contained(&account, &instance).await;
    has(&entry, "egress_only_internet_gateway ipv6: blocked, may go on");
    has(&entry, "vpc ipv4: blocked, expected cut");
    has(&entry, "vpc ipv6: blocked, expected cut");
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_are_told_apart() {
    let account = Account::open().await;
    let network = account.network(144, false).await;
    let table = main_table(&account, &network).await;
    for service in ["s3", "dynamodb"] {
        let made = account.ec2.create_vpc_endpoint().vpc_id(&network.vpc).route_table_ids(&table);
        let made =
            made.vpc_endpoint_type(VpcEndpointType::Gateway).service_name(format!("com.amazonaws.us-east-1.{service}"));
        made.send().await.expect("an endpoint");
    }
    let made = account.ec2.create_vpc_endpoint().vpc_id(&network.vpc).subnet_ids(&network.subnets[0]);
    let made = made.vpc_endpoint_type(VpcEndpointType::Interface).service_name("com.amazonaws.us-east-1.ssm");
    made.send().await.expect("an endpoint");
    let instance = account.launch(&network, "endpoints", Launch::default()).await;
    let entry = contained(&account, &instance).await;
    has(&entry, "interface_endpoint ipv4: blocked, may go on");
    has(&entry, "gateway_endpoint ipv4: blocked, expected cut");
    has(&entry, "gateway_endpoint ipv4: blocked, may go on");
}

#[tokio::test(flavor = "multi_thread")]
async fn interfaces_in_two_vpcs_have_their_own_paths() {
    let account = Account::open().await;
    let (near, far) = (account.network(145, false).await, account.network(146, false).await);
    nat_gateway(&account, &far).await;
    let instance = account.launch(&near, "both", Launch::default()).await;
    account.add_interface(&instance, &far.subnets[0], &far.web, 1).await;
    let entry = contained(&account, &instance).await;
    let all = entry["verdict"]["paths"].as_array().expect("paths");
    let through = |kind: &str| all.iter().filter(|path| path["kind"] == kind).collect::<Vec<_>>();
    assert_eq!(through("vpc").len(), 2, "{all:#?}");
    assert_eq!(through("dns").len(), 2, "{all:#?}");
    assert_eq!(through("nat_gateway").len(), 1, "{all:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_steps_are_taken_and_given_back() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(147, false).await;
    internet_gateway(&account, &network).await;
    let instance = account.launch(&network, "public", Launch::default()).await;
    let address = account.ec2.allocate_address().send().await.expect("an address");
    let allocation = address.allocation_id().expect("an id");
    let associate = account.ec2.associate_address().instance_id(&instance);
    associate.allocation_id(allocation).send().await.expect("associated");
    let eni =
        account.describe(&instance).await.network_interfaces()[0].network_interface_id().expect("an id").to_owned();
    let interface = async || {
        let shown = account.ec2.describe_network_interfaces().network_interface_ids(&eni).send().await;
        shown.expect("interfaces").network_interfaces()[0].clone()
    };
    let timeout = |interface: &aws_sdk_ec2::types::NetworkInterface| {
        interface.connection_tracking_configuration().and_then(ConnectionTrackingConfiguration::tcp_established_timeout)
    };

    let mut settings = office.settings();
    settings.push(("BRIG_ESCALATE", "timeouts,public-address"));
    let function = Function::start(&settings).await;
    let response = function.invoke(&json!({"instance_id": instance, "reason": "IR-7"})).await.expect("a response");
    assert_eq!(response["containments"][0]["outcome"], "contained", "{response:#}\n{}", function.log());
    let contained = interface().await;
    assert_eq!(timeout(&contained), Some(60), "{response:#}");
    assert!(contained.association().is_none(), "{contained:#?}");

    let request = json!({"instance_id": instance, "action": "release", "reason": "IR-7 is over"});
    let response = function.invoke(&request).await.expect("a response");
    assert_eq!(response["containments"][0]["outcome"], "released", "{response:#}\n{}", function.log());
    let released = interface().await;
    assert_eq!(timeout(&released), Some(432_000), "{response:#}");
    let back = released.association().and_then(|association| association.allocation_id());
    assert_eq!(back, Some(allocation), "{response:#}");
}

/// Serves AWS's list of its ranges; an address for `BRIG_IP_RANGES`.
async fn ranges() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
    let url = format!("http://{}/ip-ranges.json", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        let list = r#"{"prefixes":[{"ip_prefix":"52.94.0.0/22"}],"ipv6_prefixes":[{"ipv6_prefix":"2600:1f00::/24"}]}"#;
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 1024]).await;
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json";
            let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{list}", list.len());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn remote_addresses_are_denied_for_as_long_as_a_containment_wants_it() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(149, false).await;
    internet_gateway(&account, &network).await;
    let (one, two) = (
        account.launch(&network, "one", Launch::default()).await,
        account.launch(&network, "two", Launch::default()).await,
    );
    let in_vpc = aws_sdk_ec2::types::Filter::builder().name("vpc-id").values(&network.vpc).build();
    let rules = async || {
        let acls = account.ec2.describe_network_acls().filters(in_vpc.clone()).send().await;
        let acls = acls.expect("network ACLs");
        let shown = acls.network_acls().iter().flat_map(NetworkAcl::entries).map(|entry| {
            let verb = entry.rule_action().map_or("", |action| action.as_str());
            let cidr = entry.cidr_block().or(entry.ipv6_cidr_block()).unwrap_or_default();
            format!("{} {verb} {cidr} egress {}", entry.rule_number().unwrap_or(0), entry.egress().unwrap_or(false))
        });
        shown.collect::<BTreeSet<String>>()
    };
    let before = rules().await;

    let url = ranges().await;
    let mut settings = office.settings();
    settings.extend([("BRIG_ESCALATE", "remote-acl"), ("BRIG_IP_RANGES", &url), ("BRIG_ACL_NEVER", "198.51.100.0/24")]);
    let function = Function::start(&settings).await;
    for instance in [&one, &two] {
        let report = format!(
            "Instance: {instance}\nDestination address: 203.0.113.9\nDestination: 2a01:4f8::1\nTarget: 52.94.1.1\nVictim: 198.51.100.7"
        );
        let response = function.invoke(&json!({"abuse_report": report})).await.expect("a response");
        assert_eq!(response["containments"][0]["outcome"], "contained", "{response:#}\n{}", function.log());
        let notes = response["containments"][0]["notes"].to_string();
        assert!(notes.contains("52.94.1.1 is not denied in a network ACL: it is AWS's own"), "{notes}");
        assert!(notes.contains("198.51.100.7 is not denied in a network ACL: it is in 198.51.100.0/24"), "{notes}");
    }
    let made: Vec<String> = rules().await.difference(&before).cloned().collect();
    let wanted = ["1 deny 203.0.113.9/32", "2 deny 2a01:4f8::1/128"];
    let wanted: Vec<String> =
        wanted.iter().flat_map(|rule| [format!("{rule} egress false"), format!("{rule} egress true")]).collect();
    assert_eq!(made, wanted);

    for (instance, left) in [(&one, wanted.len()), (&two, 0)] {
        let request = json!({"instance_id": instance, "action": "release", "reason": "IR-7 is over"});
        let response = function.invoke(&request).await.expect("a response");
        assert_eq!(response["containments"][0]["outcome"], "released", "{response:#}\n{}", function.log());
        assert_eq!(rules().await.difference(&before).count(), left, "{response:#}");
    }
    assert_eq!(rules().await, before);
}

/// A contained instance in a network: function, instance, interface.
async fn contained_in(account: &Account, network: &Network) -> (Function, String, String) {
    let office = account.office().await;
    let instance = account.launch(network, "logged", Launch::default()).await;
    let eni =
        account.describe(&instance).await.network_interfaces()[0].network_interface_id().expect("an id").to_owned();
    let function = Function::start(&office.settings()).await;
    let response = function.invoke(&json!({"instance_id": instance, "reason": "IR-7"})).await.expect("a response");
    assert_eq!(response["containments"][0]["outcome"], "contained", "{response:#}\n{}", function.log());
    (function, instance, eni)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_asks_the_flow_logs() {
    let account = Account::open().await;
    let network = account.network(148, false).await;
    let group = unique("flow-test");
    let logs = account.ec2.create_flow_logs().resource_type("VPC".into()).resource_ids(&network.vpc);
    let logs = logs.traffic_type("ALL".into()).log_group_name(&group);
    let role = "arn:aws:iam::123456789012:role/flow-logs";
    logs.deliver_logs_permission_arn(role).send().await.expect("a flow log");
    let (function, instance, eni) = contained_in(&account, &network).await;

    let verify = json!({"instance_id": instance, "action": "verify"});
    let response = function.invoke(&verify).await.expect("a response");
    assert_eq!(response["containments"][0]["outcome"], "verified", "{response:#}\n{}", function.log());
    assert_eq!(response["containments"][0]["verdict"]["proof"]["state"], "unavailable", "{response:#}");

    account.flow(&group, &eni, "ACCEPT").await;
    let response = function.invoke(&verify).await.expect("a response");
    let entry = &response["containments"][0];
    assert_eq!(entry["outcome"], "contradicted", "{response:#}\n{}", function.log());
    assert!(summary(entry).starts_with("TRAFFIC WAS ACCEPTED AFTER THE CUT"), "{}", summary(entry));
}

/// A contained instance whose flow log goes to a bucket: function, instance, interface, log.
async fn logged_in(account: &Account, second: u8, bucket: &str) -> (Function, String, String, String) {
    let network = account.network(second, false).await;
    account.bucket(bucket).await;
    let logs = account.ec2.create_flow_logs().resource_type("VPC".into()).resource_ids(&network.vpc);
    let logs = logs.traffic_type("ALL".into()).log_destination_type("s3".into());
    let made = logs.log_destination(format!("arn:aws:s3:::{bucket}")).send().await.expect("a flow log");
    let log = made.flow_log_ids()[0].clone();
    let (function, instance, eni) = contained_in(account, &network).await;
    (function, instance, eni, log)
}

async fn proves(function: &Function, instance: &str, state: &str, why: &str) {
    let verify = json!({"instance_id": instance, "action": "verify"});
    let response = function.invoke(&verify).await.expect("a response");
    let proof = &response["containments"][0]["verdict"]["proof"];
    assert_eq!(proof["state"], state, "{response:#}\n{}", function.log());
    assert!(proof["detail"].as_str().is_some_and(|detail| detail.contains(why)), "{proof:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_reads_the_files_of_flow_logs() {
    let account = Account::open().await;
    // The bucket that the deployed role may read.
    let (function, instance, eni, log) = logged_in(&account, 152, "flow-logs").await;
    proves(&function, &instance, "unavailable", "no record of").await;
    account.flow_file("flow-logs", &log, &eni, "REJECT").await;
    // What is so young may not be all yet.
    proves(&function, &instance, "unavailable", "nothing accepted is recorded").await;
    account.flow_file("flow-logs", &log, &eni, "ACCEPT").await;
    proves(&function, &instance, "contradiction", "4096 accepted bytes").await;

    let (function, instance, eni, log) = logged_in(&account, 153, "of-others").await;
    account.flow_file("of-others", &log, &eni, "ACCEPT").await;
    proves(&function, &instance, "unavailable", "AccessDenied").await;
}
