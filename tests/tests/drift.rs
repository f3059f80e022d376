//! Somebody undoes a part of a containment; CloudTrail says so, or the schedule finds it.
#![expect(clippy::expect_used, reason = "a test stops at the first thing that is not as it must be")]

use brig_tests::{account::Account, events::set, function::Function, seed::Launch};
use serde_json::{Value, json};

const TRAIL: &str = include_str!("../../events/cloudtrail-groups-swapped.json");

async fn invoke(function: &Function, event: &Value) -> Value {
    function.invoke(event).await.expect("a response")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attacker_swaps_the_groups_back_and_a_trail_event_puts_it_right() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(95, false).await;
    let identity = account.identity().await;
    let instance = account.launch(&network, "drift", Launch { profile: Some(&identity), ..Launch::default() }).await;
    let mut settings = office.settings();
    settings.push(("BRIG_RESPONDERS", "arn:aws:iam::123456789012:role/Responder"));
    let function = Function::start(&settings).await;
    let answer = invoke(&function, &json!({"instance_id": instance})).await;
    assert_eq!(answer["containments"][0]["outcome"], "contained", "{answer:#}");
    assert_eq!(account.messages(&office).await.len(), 1);
    let contained = account.state(&instance).await;

    let interface = contained.interfaces.keys().next().expect("an interface").clone();
    let swap = async || {
        let modify =
            account.ec2.modify_network_interface_attribute().network_interface_id(&interface).groups(&network.web);
        modify.send().await.expect("swapped");
        account.associate(&instance, &identity).await;
    };
    swap().await;
    let listed = invoke(&function, &json!({"action": "status"})).await;
    assert_eq!(listed["active"].as_array().expect("a list").len(), 1, "{listed:#}");
    assert!(listed["active"][0]["drift"].as_u64().expect("a number") >= 2, "{listed:#}");
    assert_eq!(listed["active"][0]["last_outcome"], "contained");

    // A responder's change is told and left.
    let mut event: Value = serde_json::from_str(&TRAIL.replace("eni-0a1b2c3d4e5f60718", &interface)).expect("an event");
    let mut responder = event.clone();
    set(&mut responder, "/detail/userIdentity/arn", json!("arn:aws:sts::123456789012:assumed-role/Responder/ann"));
    set(&mut responder, "/detail/eventID", json!("by-ann"));
    let left = invoke(&function, &responder).await;
    assert_eq!(left["containments"][0]["outcome"], "drifted", "{left:#}\n{}", function.log());
    assert_ne!(account.state(&instance).await, contained);

    let repaired = invoke(&function, &event).await;
    assert_eq!(repaired["containments"][0]["outcome"], "repaired", "{repaired:#}\n{}", function.log());
    let reason = repaired["containments"][0]["reason"].as_str().expect("why");
    assert!(reason.contains("ModifyNetworkInterfaceAttribute by arn:aws:sts::123456789012:assumed-role/Admin/mallory"));
    assert_eq!(account.state(&instance).await, contained);
    assert_eq!(account.messages(&office).await.len(), 2, "drifted, repaired");

    // The schedule finds it in order, and what Brig itself did starts nothing.
    let verified = invoke(&function, &json!({"action": "verify"})).await;
    assert_eq!(verified["containments"][0]["outcome"], "verified", "{verified:#}");
    set(&mut event, "/detail/userIdentity/arn", json!(function.arn()));
    assert_eq!(invoke(&function, &event).await["containments"], json!([]));
    assert_eq!(account.messages(&office).await.len(), 0);

    let released = invoke(&function, &json!({"instance_id": instance, "action": "release"})).await;
    assert_eq!(released["containments"][0]["outcome"], "released", "{released:#}");
    assert_eq!(invoke(&function, &json!({"action": "status"})).await["active"], json!([]));
    // What happens to an instance that is in no containment is none of Brig's business.
    swap_back(&account, &interface, &network.admin).await;
    set(&mut event, "/detail/userIdentity/arn", json!("arn:aws:sts::123456789012:assumed-role/Admin/mallory"));
    assert_eq!(invoke(&function, &event).await["containments"], json!([]));
}

async fn swap_back(account: &Account, interface: &str, group: &str) {
    let modify = account.ec2.modify_network_interface_attribute().network_interface_id(interface).groups(group);
    modify.send().await.expect("changed");
}
