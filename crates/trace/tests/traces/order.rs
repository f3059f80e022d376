//! What tells records and deeds apart, and that it takes no longer than they are many.

use std::time::Instant;

use brig_trace::Trace;
use serde_json::{Value, json};

use crate::{
    LEAKED,
    trail::{Trail, at, deeds, user},
};

#[test]
fn records_whose_ids_an_export_replaced_are_told_apart() {
    let mut trail = Trail::default();
    let alice = user("alice", LEAKED);
    for name in ["eve", "mallory"] {
        trail.call(&alice, "iam", "CreateUser", json!({"userName": name}), Value::Null)["eventID"] = json!("REDACTED");
    }
    let twice = trail.records.clone();
    trail.records.extend(twice);
    let trace = trail.trace(LEAKED, None, at(100));
    assert_eq!(
        trace.deeds.iter().map(|deed| (deed.what[0].as_str(), deed.times)).collect::<Vec<_>>(),
        [("eve", 1), ("mallory", 1)]
    );
}

#[test]
fn the_same_operation_of_two_services_and_accounts_is_as_many_deeds_in_every_order() {
    let mut trail = Trail::default();
    let alice = user("alice", LEAKED);
    for (service, account) in [("redshift", "123456789012"), ("eks", "123456789012"), ("eks", "999988887777")] {
        let call = trail.call(&alice, service, "DeleteCluster", json!({"name": "prod"}), Value::Null);
        (call["recipientAccountId"], call["eventTime"]) = (json!(account), json!(at(5).to_string()));
    }
    let bytes = |trail: &Trail| serde_json::to_string(&trail.trace(LEAKED, None, at(100))).expect("JSON");
    assert_eq!(trail.trace(LEAKED, None, at(100)).deeds.len(), 3);
    let first = bytes(&trail);
    trail.records.reverse();
    assert_eq!(bytes(&trail), first);
}

#[test]
fn what_looks_like_a_deed_and_did_nothing_is_none() {
    let mut trail = Trail::default();
    let alice = user("alice", LEAKED);
    let dry = json!({"functionName": "billing", "dryRun": true});
    trail.call(&alice, "lambda", "UpdateFunctionCode20150331v2", dry, json!({"functionName": "billing"}));
    let asked = |id: &str| json!({"DeleteFlowLogsRequest": {"FlowLogId": {"tag": 1, "content": id}}});
    let refused = json!({"DeleteFlowLogsResponse": {"unsuccessful": {"item": {"error": {"code": "InvalidFlowLogId.NotFound"}, "resourceId": "fl-0typo"}}}});
    trail.call(&alice, "ec2", "DeleteFlowLogs", asked("fl-0typo"), refused);
    trail.call(
        &alice,
        "ec2",
        "DeleteFlowLogs",
        asked("fl-0real"),
        json!({"DeleteFlowLogsResponse": {"unsuccessful": ""}}),
    );
    trail.call(&alice, "signin", "SwitchRole", Value::Null, json!({"SwitchRole": "Failure"}));
    let trace = trail.trace(LEAKED, None, at(100));
    expect_test::expect![[r#"
        detection DeleteFlowLogs x1 ["fl-0real"] (flow logs were deleted: make them again) Done Unknown { why: "nobody has looked yet" }
        function UpdateFunctionCode x1 ["billing"] (its code) DryRun Over
        command SwitchRole x1 ["198.51.100.7", "alice"] (signed in to the console) Attempt { error: "Failure" } Over
        detection DeleteFlowLogs x1 ["fl-0typo"] (flow logs) Attempt { error: "InvalidFlowLogId.NotFound" } Over
    "#]]
    .assert_eq(&deeds(&trace));
}

#[test]
fn what_is_gone_through_is_one_deed_that_names_the_first_and_counts_the_rest() {
    let mut trail = Trail::default();
    for number in 0..100 {
        let object = json!({"bucketName": "b", "key": format!("{:03}", (number * 37) % 50)});
        trail.call(&user("alice", LEAKED), "s3", "GetObject", object, Value::Null);
    }
    let trace = trail.trace(LEAKED, None, at(200));
    let taken = &trace.deeds[0];
    assert_eq!((trace.deeds.len(), taken.times, taken.what.len(), taken.others), (1, 100, 20, 31), "{taken:?}");
    assert_eq!((taken.what[0].as_str(), taken.what[19].as_str()), ("000", "019"));
}

/// Each is compared with few others: where it was with all, ten times as many took a hundred times as long.
#[test]
fn ten_times_as_many_sessions_take_about_ten_times_as_long() {
    let took = |sessions: usize| {
        let mut trail = Trail::default();
        for number in 0..sessions {
            let (name, key) = (format!("ci-{number}"), format!("ASIA{number:016}"));
            let mut own = trail.assume(&user("alice", LEAKED), "deploy", &name, &key);
            if number % 2 == 0 {
                own["accessKeyId"] = json!(format!("ASIAX{number:015}"));
                trail.call(&own, "s3", "ListBuckets", Value::Null, Value::Null);
            }
        }
        let records = trail.read();
        let began = Instant::now();
        let trace = Trace::of(LEAKED.parse().expect("a key"), &records, None, at(100), Vec::new());
        assert_eq!(trace.credentials.len(), sessions + 1);
        assert_eq!(trace.credentials.iter().filter(|one| one.also.len() == 1).count(), sessions / 2);
        began.elapsed()
    };
    let (few, many) = (took(600), took(6000));
    assert!(many < few * 35, "{few:?} and {many:?}");
}
