//! Taking a containment back: exactly what was changed, and only where it is still as it was left.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that is not as it must be"
)]

use brig_tests::{
    account::Account,
    events::set,
    function::Function,
    seed::{Launch, Production},
    state::State,
};
use serde_json::{Value, json};

const FINDING: &str = include_str!("../../events/guardduty-finding.json");

fn finding(instance: &str) -> Value {
    serde_json::from_str(&FINDING.replace("i-0123456789abcdef0", instance)).expect("an event")
}

async fn invoke(function: &Function, event: &Value) -> Value {
    function.invoke(event).await.expect("a response")["containments"][0].clone()
}

fn without_group(state: &State) -> State {
    State { group: None, ..state.clone() }
}

async fn contained(account: &Account, function: &Function) -> (Production, State) {
    let world = account.production().await;
    let before = account.state(&world.victim).await;
    let answer = invoke(function, &json!({"instance_id": world.victim})).await;
    assert_eq!(answer["outcome"], "contained", "{answer:#}");
    assert_ne!(account.state(&world.victim).await, before);
    (world, before)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_gives_back_exactly_what_was_changed() {
    let account = Account::open().await;
    let office = account.office().await;
    let function = Function::start(&office.settings()).await;
    let (world, before) = contained(&account, &function).await;
    let sibling = account.state(&world.sibling).await;
    let during = account.state(&world.victim).await;

    let plan = json!({"instance_id": world.victim, "action": "plan", "for": "release"});
    let planned = invoke(&function, &plan).await;
    assert_eq!(planned["outcome"], "planned", "{planned:#}");
    assert_eq!(account.state(&world.victim).await, during, "a plan changes nothing");

    let release = json!({"instance_id": world.victim, "action": "release", "reason": "false alarm"});
    let answer = invoke(&function, &release).await;
    assert_eq!(answer["outcome"], "released", "{answer:#}\n{}", function.log());
    // The group has replaced it; everything else is as it was.
    assert_eq!(account.state(&world.victim).await, without_group(&before));
    assert_eq!(account.state(&world.sibling).await, sibling);
    assert_eq!(account.policy(&world.identity.role, "brig-deny").await, None);
    let messages = account.messages(&office).await;
    assert_eq!(messages.len(), 2, "contained, released");

    // Twice is once.
    let again = invoke(&function, &release).await;
    assert_eq!(again["outcome"], "released");
    assert!(again["reason"].as_str().expect("why").contains("already"), "{again:#}");
    assert_eq!(account.messages(&office).await.len(), 0);

    // Contained again, it is a new containment.
    let anew = invoke(&function, &json!({"instance_id": world.victim})).await;
    assert_eq!(anew["outcome"], "contained", "{anew:#}");
    assert_ne!(anew["containment_id"], answer["containment_id"]);
    let rejoin = json!({"instance_id": world.victim, "action": "release", "rejoin": true});
    assert_eq!(invoke(&function, &rejoin).await["outcome"], "released");
    assert_eq!(
        account.state(&world.victim).await,
        without_group(&before),
        "it was in no group when it was contained anew"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rejoining_puts_it_into_its_group_again() {
    let account = Account::open().await;
    let office = account.office().await;
    let function = Function::start(&office.settings()).await;
    let (world, before) = contained(&account, &function).await;
    let release = json!({"instance_id": world.victim, "action": "release", "rejoin": true});
    let answer = invoke(&function, &release).await;
    assert_eq!(answer["outcome"], "released", "{answer:#}");
    assert_eq!(account.state(&world.victim).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_hands_since_is_left_alone() {
    let account = Account::open().await;
    let office = account.office().await;
    let function = Function::start(&office.settings()).await;
    let network = account.network(90, false).await;
    let (ours, theirs) = (account.identity().await, account.identity().await);
    let instance = account.launch(&network, "moved", Launch { profile: Some(&ours), ..Launch::default() }).await;
    let other = account.launch(&network, "other", Launch { profile: Some(&ours), ..Launch::default() }).await;
    for id in [&instance, &other] {
        assert_eq!(invoke(&function, &json!({"instance_id": id})).await["outcome"], "contained");
    }
    let forensics = account.security_group(&network.vpc, "forensics").await;
    let interface = account.interfaces(&instance).await.keys().next().expect("an interface").clone();
    let modify = account.ec2.modify_network_interface_attribute().network_interface_id(&interface).groups(&forensics);
    modify.send().await.expect("other groups");
    account.associate(&instance, &theirs).await;

    let answer = invoke(&function, &json!({"instance_id": instance, "action": "release"})).await;
    assert_eq!(answer["outcome"], "released", "{answer:#}");
    let after = account.state(&instance).await;
    assert!(after.interfaces[&interface].contains("forensics"), "{after:?}");
    assert_eq!(after.profile.as_ref(), Some(&theirs.profile_arn));
    let notes = answer["notes"].to_string();
    assert!(notes.contains("other groups now") && notes.contains("left alone"), "{notes}");
    // The other instance of the role stays denied.
    let policy = account.policy(&ours.role, "brig-deny").await.expect("the policy");
    assert!(policy.contains(&other) && !policy.contains(&instance), "{policy}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_contained_is_refused_and_nothing_is_touched() {
    let account = Account::open().await;
    let office = account.office().await;
    let function = Function::start(&office.settings()).await;
    let network = account.network(91, false).await;
    let instance = account.launch(&network, "free", Launch::default()).await;
    let before = account.state(&instance).await;
    let answer = invoke(&function, &json!({"instance_id": instance, "action": "release"})).await;
    assert_eq!(answer["outcome"], "refused", "{answer:#}");
    assert_eq!(account.state(&instance).await, before);
    let error = function.invoke(&json!({"instance_id": instance, "action": "release", "force": true})).await;
    assert_eq!(error.expect_err("an error").kind, "InvalidRequest");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_release_only_later_activity_contains() {
    let account = Account::open().await;
    let office = account.office().await;
    let function = Function::start(&office.settings()).await;
    let network = account.network(92, false).await;
    let instance = account.launch(&network, "again", Launch::default()).await;
    let event = finding(&instance);
    assert_eq!(invoke(&function, &event).await["outcome"], "contained");
    assert_eq!(invoke(&function, &json!({"instance_id": instance, "action": "release"})).await["outcome"], "released");
    // The update that GuardDuty still had on its way, then new activity of the finding that a person has judged.
    assert_eq!(invoke(&function, &event).await["outcome"], "ignored");
    let mut later = event.clone();
    set(&mut later, "/detail/service/eventLastSeen", json!("2099-01-01T00:00:00Z"));
    assert_eq!(invoke(&function, &later).await["outcome"], "asked");
    set(&mut later, "/detail/id", json!("another-finding"));
    assert_eq!(invoke(&function, &later).await["outcome"], "contained");
}
