//! The demo: seeds a production-looking account, sends the real function a finding, and shows what a person would see.
#![expect(clippy::expect_used, reason = "a demo stops at the first thing that is not as it must be")]

use std::{collections::BTreeSet, time::Duration};

use brig_tests::{
    account::{Account, endpoint},
    events::finding,
    function::Function,
    proxy::{Proxy, parameter},
    seed::Production,
    state::State,
};
use serde_json::Value;

#[tokio::main]
async fn main() {
    let account = Account::open().await;
    println!("Seeding an account over HTTP (moto and ministack on loopback) ...");
    let office = account.office().await;
    let world = account.production().await;
    let before = account.state(&world.victim).await;
    let sibling = account.state(&world.sibling).await;

    // The e-mail is read off the wire on its way to SNS, since the endpoint delivers none.
    let post = Proxy::start(&endpoint("AWS_ENDPOINT_URL").expect("an endpoint"), Duration::ZERO).await;
    let mut settings = office.settings();
    settings.push(("AWS_ENDPOINT_URL_SNS", &post.url));
    let function = Function::start(&settings).await;
    function.ready().await;
    println!("Sending events/guardduty-finding.json about {} (web-1) to the function's binary ...", world.victim);
    let response = function.invoke(&finding(&world.victim)).await.expect("a response");
    let entry = response.pointer("/containments/0").cloned().unwrap_or_default();

    let after = account.state(&world.victim).await;
    side_by_side(&before, &after);
    evidence(&account, &world, &entry).await;
    let members = account.members(&world.group).await;
    let unharmed = if account.state(&world.sibling).await == sibling { "unchanged" } else { "CHANGED" };
    println!(
        "Its sibling {} (web-2) is {unharmed}; its Auto Scaling group has {} instances again.",
        world.sibling,
        members.len()
    );

    println!("\nTIMELINE, in milliseconds since the event");
    for (point, label) in [
        ("look", "the first look was complete"),
        ("claim", "the plan of the cut and all that it replaces were on record"),
        ("isolated", "every interface was isolated: no new flow can start"),
        ("untrack_window", "is how long the untrack window was open"),
        ("done", "every lane had read back what became true"),
    ] {
        let value = entry.pointer(&format!("/timings_ms/{point}")).and_then(Value::as_u64);
        println!("  {:>6}  {label}", value.map_or_else(|| "-".to_owned(), |value| value.to_string()));
    }

    println!("\nTHE MESSAGE, as e-mail subscribers read it");
    let published = post.calls().into_iter().find(|call| call.operation == "Publish").expect("a message");
    println!("  Subject: {}", parameter(&published.body, "Subject").unwrap_or_default());
    let variants = parameter(&published.body, "Message").unwrap_or_default();
    let variants: Value = serde_json::from_str(&variants).unwrap_or_default();
    for line in variants.get("email").and_then(Value::as_str).unwrap_or_default().lines() {
        println!("  {line}");
    }
    let arrived = account.messages(&office).await;
    let told: Option<Value> = arrived
        .first()
        .and_then(|message| message.get("Message"))
        .and_then(Value::as_str)
        .and_then(|text| serde_json::from_str(text).ok());
    let outcome = told.as_ref().and_then(|told| told.get("outcome")).and_then(Value::as_str).unwrap_or("?");
    println!("\nA queue that subscribed to the topic received {} message, as JSON: outcome {outcome}.", arrived.len());
}

fn side_by_side(before: &State, after: &State) {
    println!("\n{:<26} {:<44} AFTER", "", "BEFORE");
    for (label, old, new) in rows(before).into_iter().zip(rows(after)).map(|((label, old), (_, new))| (label, old, new))
    {
        let lines = old.len().max(new.len());
        for line in 0..lines {
            let cell = |list: &[String]| list.get(line).cloned().unwrap_or_default();
            let label = if line == 0 { label.as_str() } else { "" };
            println!("{label:<26} {:<44} {}", cell(&old), cell(&new));
        }
    }
    println!();
}

fn rows(state: &State) -> Vec<(String, Vec<String>)> {
    let join = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
    let or_none = |list: Vec<String>| if list.is_empty() { vec!["none".to_owned()] } else { list };
    let name = |arn: &String| arn.rsplit('/').next().unwrap_or_default().to_owned();
    let mut rows: Vec<(String, Vec<String>)> =
        state.interfaces.iter().map(|(eni, groups)| (eni.clone(), vec![join(groups)])).collect();
    let on = |flag: bool| if flag { "on" } else { "off" };
    let deleted: Vec<String> = state
        .volumes
        .iter()
        .map(|(device, deleted)| format!("{device} {}", if *deleted { "deleted with it" } else { "outlives it" }))
        .collect();
    rows.push(("instance profile".to_owned(), or_none(state.profile.iter().map(name).collect())));
    rows.push(("metadata service".to_owned(), vec![state.metadata.clone()]));
    rows.push(("Auto Scaling group".to_owned(), or_none(state.group.iter().cloned().collect())));
    rows.push(("target groups".to_owned(), or_none(state.targets.iter().cloned().collect())));
    rows.push(("classic load balancers".to_owned(), or_none(state.classic.iter().cloned().collect())));
    rows.push(("termination protection".to_owned(), vec![on(state.protection.0).to_owned()]));
    rows.push(("stop protection".to_owned(), vec![on(state.protection.1).to_owned()]));
    rows.push(("shutdown from inside".to_owned(), vec![state.shutdown.clone()]));
    rows.push(("volumes".to_owned(), deleted));
    rows.push(("tags".to_owned(), or_none(state.tags.iter().map(|(key, value)| format!("{key}={value}")).collect())));
    rows
}

async fn evidence(account: &Account, world: &Production, entry: &Value) {
    let containment = entry.get("containment_id").and_then(Value::as_str).unwrap_or_default();
    let snapshots = account.snapshots(containment).await;
    let locked = snapshots.iter().filter(|(_, _, locked)| *locked).count();
    println!("{} snapshots were taken at one point in time, {locked} of them locked.", snapshots.len());
    let policy = account.policy(&world.identity.role, "brig-deny").await.unwrap_or_default();
    println!("The role {} has the inline policy brig-deny:\n  {policy}", world.identity.role);
}
