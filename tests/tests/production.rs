//! The main job, end to end: the real binary, AWS's APIs over HTTP, a production-looking account.

use std::collections::BTreeSet;

use brig_tests::{account::Account, events::finding, function::Function};
use serde_json::Value;

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_contains_the_instance_and_nothing_else() {
    let account = Account::open().await;
    let office = account.office().await;
    let world = account.production().await;
    let before = account.state(&world.victim).await;
    let sibling = account.state(&world.sibling).await;
    assert_eq!(before.interfaces.len(), 2);
    assert_eq!(before.volumes.len(), 3);
    assert_eq!(before.targets.len(), 4, "{:?}", before.targets);

    let function = Function::start(&office.settings()).await;
    let response = function.invoke(&finding(&world.victim)).await.expect("a response");
    let entry = &response["containments"][0];
    assert_eq!(entry["outcome"], "contained", "{response:#}\n{}", function.log());
    assert_eq!(entry["verdict"]["network"], "yes");
    let containment = entry["containment_id"].as_str().expect("an id").to_owned();

    let after = account.state(&world.victim).await;
    for (eni, groups) in &after.interfaces {
        assert_eq!(*groups, set(&["brig-isolation"]), "{eni}");
    }
    assert_eq!(after.profile, None);
    assert_eq!(after.metadata, "disabled");
    assert_eq!(after.group, None);
    assert_eq!(after.targets, BTreeSet::new());
    assert_eq!(after.classic, BTreeSet::new());
    assert_eq!(after.protection, (true, true));
    assert_eq!(after.shutdown, "stop");
    assert!(after.volumes.values().all(|deleted| !deleted), "{:?}", after.volumes);
    assert_eq!(after.tags["brig:containment"], containment);
    assert_eq!(after.tags["brig:state"], "contained");

    let snapshots = account.snapshots(&containment).await;
    assert_eq!(snapshots.len(), 3);
    assert!(snapshots.iter().all(|(_, device, locked)| device.is_some() && *locked), "{snapshots:?}");
    let policy = account.policy(&world.identity.role, "brig-deny").await.expect("the policy");
    assert!(policy.contains(&world.victim) && !policy.contains(&world.sibling), "{policy}");

    // The group keeps its capacity, and the sibling everything.
    let members = account.members(&world.group).await;
    assert_eq!(members.len(), 2);
    assert!(!members.contains(&world.victim) && members.contains(&world.sibling));
    assert_eq!(account.state(&world.sibling).await, sibling);

    // What was there before is on record.
    let ledger = account.ledger(&office).await;
    let isolate = ledger
        .iter()
        .find(|item| {
            item["sk"].as_s().is_ok_and(|sk| sk.ends_with(&format!("network/isolate/{}", world.second_interface)))
        })
        .expect("the step");
    assert!(isolate["body"].as_s().expect("text").contains(&world.network.admin));
    assert_eq!(isolate["outcome"].as_s().map(String::as_str), Ok("changed"));

    // People are notified once, in words.
    let messages = account.messages(&office).await;
    assert_eq!(messages.len(), 1);
    let told: Value = serde_json::from_str(messages[0]["Message"].as_str().expect("text")).expect("the entry");
    assert_eq!(told["outcome"], "contained");
    assert_eq!(told["schema"], 1);

    // The same event again changes nothing and tells nobody.
    let again = function.invoke(&finding(&world.victim)).await.expect("a response");
    let entry = &again["containments"][0];
    assert_eq!(entry["outcome"], "already_contained", "{again:#}");
    assert_eq!(entry["containment_id"], containment.as_str());
    assert!(entry["steps"].as_array().expect("steps").iter().all(|step| step["outcome"] != "changed"), "{again:#}");
    assert_eq!(account.state(&world.victim).await, after);
    assert_eq!(account.snapshots(&containment).await.len(), 3);
    assert_eq!(account.messages(&office).await.len(), 0);
    // Neither events nor policies are in the log.
    let log = function.log();
    assert!(!log.contains("instanceDetails") && !log.contains("2012-10-17"), "{log}");
}
