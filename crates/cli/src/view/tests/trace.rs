//! What `brig trace` shows of CloudTrail's records.

use brig_trace::{Record, Root, Trace};
use expect_test::expect;
use serde_json::json;

use super::look;
use crate::view::trace::render;

fn record(id: u32, key: &str, call: &str, more: &serde_json::Value) -> Record {
    let mut record = json!({"eventID": format!("e{id}"), "eventName": call, "eventSource": "iam.amazonaws.com",
        "eventTime": format!("2026-01-02T03:04:{id:02}Z"), "awsRegion": "us-east-1", "recipientAccountId": "123456789012",
        "sourceIPAddress": "198.51.100.7", "userIdentity": {"type": "IAMUser", "userName": "alice", "accessKeyId": key}});
    for (key, value) in more.as_object().cloned().unwrap_or_default() {
        record[key] = value;
    }
    Record::read(&record).expect("a record")
}

#[test]
fn the_weakest_comes_first_then_the_graph_the_deeds_and_the_commands() {
    let (root, key): (Root, _) = ("AKIALEAKEDLEAKED0000".parse().expect("a root"), "AKIALEAKEDLEAKED0000");
    let made = json!({"requestParameters": {"userName": "mallory"}, "responseElements": {"accessKey": {"accessKeyId": "AKIAMALLORYMALLORY00"}}});
    let records = [
        record(1, key, "CreateUser", &json!({"requestParameters": {"userName": "mallory"}})),
        record(2, key, "CreateAccessKey", &made),
        record(3, key, "CreateRole", &json!({"requestParameters": {"roleName": "x"}, "errorCode": "AccessDenied"})),
        record(9, "AKIAMALLORYMALLORY00", "ListUsers", &json!({"readOnly": true})),
    ];
    let at = |text: &str| brig_core::model::timestamp::Timestamp::parse(text).expect("a time");
    let cut = Some(at("2026-01-02T03:04:05Z"));
    let trace = Trace::of(root, &records, cut, at("2026-01-02T04:00:00Z"), vec!["eu-west-1: Throttling".to_owned()]);
    expect![[r#"
        NOT OVER: 1 credential of AKIALEAKEDLEAKED0000 made calls that succeeded after the cut at 2026-01-02T03:04:05.000Z.
        2 deeds (0 known to be gone), 1 attempt that failed.

        Is it over?
        No: these succeeded after the cut at 2026-01-02T03:04:05.000Z, each last at
          AKIAMALLORYMALLORY00  2026-01-02T03:04:09.000Z

        Credentials, each below the one that it came from
        access key AKIALEAKEDLEAKED0000
          unknown  the records alone do not show whether it works now
          issued   at a time that no record has, alice
          used     2 calls, 1 refused, 2026-01-02T03:04:01.000Z to 2026-01-02T03:04:03.000Z, in us-east-1,
                   from 198.51.100.7 (3)
          access key AKIAMALLORYMALLORY00
            unknown  the records alone do not show whether it works now
            issued   2026-01-02T03:04:02.000Z by CreateAccessKey of AKIALEAKEDLEAKED0000, mallory
            used     1 call, 2026-01-02T03:04:09.000Z to 2026-01-02T03:04:09.000Z, in us-east-1, from
                     198.51.100.7 (1)

        What they made, changed and took

        users
          2026-01-02T03:04:01.000Z  CreateUser mallory (us-east-1,  there or not: unknown
                                    AKIALEAKEDLEAKED0000)

        credentials of users
          2026-01-02T03:04:02.000Z  CreateAccessKey AKIAMALLORYMALLORY00, mallory: an  there or not: unknown
                                    access key (us-east-1, AKIALEAKEDLEAKED0000)

        To undo it, once you have looked at each (nothing is undone by itself)
          aws iam list-access-keys --user-name mallory; aws iam delete-user --user-name mallory # after its keys, password and policies
          aws iam update-access-key --user-name mallory --access-key-id AKIAMALLORYMALLORY00 --status Inactive

        What they tried, and AWS refused
          2026-01-02T03:04:03.000Z  CreateRole x (us-east-1, AKIALEAKEDLEAKED0000)  AccessDenied

        Not read: what is in these is not known
          - eu-west-1: Throttling
    "#]].assert_eq(&render(&trace, &look(100)));
    let again: Trace = serde_json::from_str(&serde_json::to_string(&trace).expect("JSON")).expect("the same");
    assert_eq!(render(&again, &look(100)), render(&trace, &look(100)), "what the function answers reads the same");
}

#[test]
fn records_that_end_before_the_cut_prove_nothing() {
    let at = |text: &str| brig_core::model::timestamp::Timestamp::parse(text).expect("a time");
    let key = "AKIALEAKEDLEAKED0000";
    let records = [record(1, key, "ListUsers", &json!({}))];
    let (cut, now) = (Some(at("2026-01-02T03:05:00Z")), at("2026-01-02T04:00:00Z"));
    let trace = Trace::of(key.parse().expect("a root"), &records, cut, now, Vec::new());
    let shown = render(&trace, &look(100));
    assert!(shown.contains("Not known: the records end at 2026-01-02T03:04:01.000Z"), "{shown}");
}
