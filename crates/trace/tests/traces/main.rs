//! What is read of trails: who begot whom, what was made, what is gone, and whether it is over.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that is not as it must be"
)]

mod order;
mod owners;
mod trail;
mod undoing;

use brig_trace::{Over, Record, Root, Trace, Tracer, records};
use expect_test::expect;
use proptest::prelude::*;
use serde_json::{Value, json};
use trail::{ACCOUNT, Trail, at, deeds, graph, session, user};

const LEAKED: &str = "AKIALEAKEDLEAKED0000";

/// A leaked key that makes a user with a key and a password, assumes a role, launches an instance with a profile in a Region
/// of its own, and takes a secret through that; with what is no deed between.
fn attack() -> Trail {
    let mut trail = Trail::default();
    let alice = user("alice", LEAKED);
    let bob = user("bob", "AKIABOBBOBBOBBOB0000");
    trail.call(&alice, "sts", "GetCallerIdentity", Value::Null, Value::Null);
    trail.call(&bob, "s3", "CreateBucket", json!({"bucketName": "bobs"}), Value::Null);
    trail.call(&alice, "iam", "CreateUser", json!({"userName": "mallory"}), json!({"user": {"userName": "mallory"}}));
    let made = json!({"accessKey": {"accessKeyId": "AKIAMALLORYMALLORY00", "status": "Active", "userName": "mallory"}});
    trail.call(&alice, "iam", "CreateAccessKey", json!({"userName": "mallory"}), made);
    trail.call(&alice, "iam", "CreateLoginProfile", json!({"userName": "mallory"}), Value::Null);
    let admin = json!({"userName": "mallory", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"});
    trail.call(&alice, "iam", "AttachUserPolicy", admin, Value::Null);
    let mallory = user("mallory", "AKIAMALLORYMALLORY00");
    let deploy = trail.assume(&mallory, "deploy", "x", "ASIADEPLOYDEPLOY0000");
    let launched = json!({"instancesSet": {"items": [{"instanceId": "i-0000000000000beef"}]}});
    let asks = json!({"instanceType": "p4d.24xlarge", "maxCount": 1, "iamInstanceProfile": {"name": "web"}});
    trail.call(&deploy, "ec2", "RunInstances", asks.clone(), launched)["awsRegion"] = json!("sa-east-1");
    let refused = trail.call(&deploy, "ec2", "RunInstances", asks.clone(), Value::Null);
    refused["errorCode"] = json!("Client.InstanceLimitExceeded");
    let asked = trail.call(&deploy, "ec2", "RunInstances", asks, Value::Null);
    asked["errorCode"] = json!("Client.DryRunOperation");
    let mut web = session("web", "i-0000000000000beef", "ASIAINSTANCEINSTANCE", 8);
    web["sessionContext"]["ec2RoleDelivery"] = json!("1.0");
    trail.call(&web, "secretsmanager", "GetSecretValue", json!({"secretId": "prod/db"}), Value::Null);
    trail.call(&bob, "iam", "DeleteLoginProfile", json!({"userName": "mallory"}), Value::Null);
    trail
}

#[test]
fn a_leaked_key_is_followed_through_users_roles_and_instances_and_what_is_gone_is_told() {
    let trace = attack().trace(LEAKED, None, at(100));
    expect![[r#"
        AKIALEAKEDLEAKED0000 <- - by -: unknown, 5 calls, 0 refused
        AKIAMALLORYMALLORY00 <- AKIALEAKEDLEAKED0000 by CreateAccessKey: unknown, 1 calls, 0 refused
        ASIADEPLOYDEPLOY0000 <- AKIAMALLORYMALLORY00 by AssumeRole: unknown, 1 calls, 2 refused
        i-0000000000000beef <- ASIADEPLOYDEPLOY0000 by RunInstances: unknown, 0 calls, 0 refused
        ASIAINSTANCEINSTANCE <- i-0000000000000beef by -: unknown, 1 calls, 0 refused
        password of mallory <- AKIALEAKEDLEAKED0000 by CreateLoginProfile: dead, 0 calls, 0 refused
    "#]]
    .assert_eq(&graph(&trace));
    expect![[r#"
        UNUSUAL instance RunInstances x1 ["i-0000000000000beef"] (1 x p4d.24xlarge) Done Unknown { why: "nobody has looked yet" }
            brig contain 123456789012/sa-east-1/i-0000000000000beef # it keeps the disks; once you have what you need: aws ec2 terminate-instances --region sa-east-1 --instance-ids i-0000000000000beef
        user CreateUser x1 ["mallory"] (-) Done Unknown { why: "nobody has looked yet" }
            aws iam list-access-keys --user-name mallory; aws iam delete-user --user-name mallory # after its keys, password and policies
        credential CreateAccessKey x1 ["AKIAMALLORYMALLORY00", "mallory"] (an access key) Done Unknown { why: "nobody has looked yet" }
            aws iam update-access-key --user-name mallory --access-key-id AKIAMALLORYMALLORY00 --status Inactive
        credential CreateLoginProfile x1 ["mallory"] (a console password) Done Gone { seen: "by the record: DeleteLoginProfile at 2026-09-21T14:13:31.000Z" }
        policy AttachUserPolicy x1 ["mallory", "arn:aws:iam::aws:policy/AdministratorAccess"] (-) Done Unknown { why: "nobody has looked yet" }
            aws iam detach-user-policy --user-name mallory --policy-arn arn:aws:iam::aws:policy/AdministratorAccess
        taken GetSecretValue x1 ["prod/db"] (a secret) Done Over
        instance RunInstances x1 [] (1 x p4d.24xlarge) Attempt { error: "Client.InstanceLimitExceeded" } Over
        instance RunInstances x1 [] (1 x p4d.24xlarge) DryRun Over
    "#]].assert_eq(&deeds(&trace));
    assert!(trace.summary.stolen_by_imdsv1);
    assert!(!trace.deeds.iter().any(|deed| deed.what.contains(&"bobs".to_owned())), "somebody else's");
}

#[test]
fn an_instance_is_where_its_sessions_begin() {
    let trace = attack().trace("i-0000000000000beef", None, at(100));
    let ids: Vec<String> = trace.credentials.iter().map(|one| one.id.to_string()).collect();
    assert_eq!(ids, ["i-0000000000000beef", "ASIAINSTANCEINSTANCE"]);
    assert_eq!(trace.deeds.len(), 1);
}

#[test]
fn a_user_is_all_of_its_keys_and_a_session_hangs_below_the_key_that_began_it() {
    let mut trail = Trail::default();
    let alice = user("alice", LEAKED);
    let given = json!({"credentials": {"accessKeyId": "ASIAOFALICEOFALICE00", "expiration": at(3600).to_string()}});
    trail.call(&alice, "sts", "GetSessionToken", Value::Null, given);
    trail.call(&user("alice", "ASIAOFALICEOFALICE00"), "iam", "ListUsers", Value::Null, Value::Null);
    trail.call(&user("alice", "AKIASECONDSECOND0000"), "iam", "ListUsers", Value::Null, Value::Null);
    let mut console = user("alice", "ASIACONSOLECONSOLE00");
    console["sessionContext"] = json!({"attributes": {"creationDate": at(3).to_string()}});
    trail.call(&console, "iam", "CreateUser", json!({"userName": "eve"}), Value::Null)["sessionCredentialFromConsole"] =
        json!("true");
    let trace = trail.trace("user/alice", None, at(100));
    let graph = graph(&trace);
    for line in [
        "ASIAOFALICEOFALICE00 <- AKIALEAKEDLEAKED0000 by GetSessionToken",
        "AKIASECONDSECOND0000 <- -",
        "ASIACONSOLECONSOLE00 <- password of alice",
    ] {
        assert!(graph.contains(line), "{graph}");
    }
}

#[test]
fn a_session_whose_key_was_replaced_in_an_export_is_known_by_its_name_and_time_and_by_the_nearest_call() {
    let mut trail = Trail::default();
    let alice = user("alice", LEAKED);
    trail.assume(&alice, "app", "same", "ASIAFIRSTFIRSTFIRST0");
    let second = trail.assume(&alice, "app", "same", "ASIASECONDSECONDSEC0");
    let mut replaced = second;
    replaced["accessKeyId"] = json!("ASIAXXXXXXXXXXXXXXX0");
    trail.call(&replaced, "iam", "CreateUser", json!({"userName": "eve"}), Value::Null);
    let trace = trail.trace(LEAKED, None, at(100));
    let of = |id: &str| trace.credentials.iter().find(|one| one.id.to_string() == id).expect("it is in the graph");
    assert_eq!(of("ASIASECONDSECONDSEC0").also.iter().collect::<Vec<_>>(), ["ASIAXXXXXXXXXXXXXXX0"]);
    assert!(of("ASIAFIRSTFIRSTFIRST0").also.is_empty());
    assert_eq!(trace.deeds[0].by.to_string(), "ASIASECONDSECONDSEC0");
}

#[test]
fn whether_it_is_over_is_said_as_far_as_the_record_goes() {
    let mut trail = attack();
    trail.call(&user("bob", "AKIABOBBOBBOBBOB0000"), "iam", "ListUsers", Value::Null, Value::Null)["eventTime"] =
        json!(at(3000).to_string());
    let over = |cut: Option<i64>, now: i64| trail.trace(LEAKED, cut.map(at), at(now)).over;
    assert!(matches!(over(Some(60), 60 + 600), Over::TooEarly { .. }));
    assert!(matches!(over(Some(60), 60 + 901), Over::Proven { until, .. } if until == at(61)));
    assert!(matches!(over(Some(60), 9000), Over::Proven { until, .. } if until == at(3000)));
    let Over::Contradicted { calls, .. } = over(Some(6), 5000) else { panic!("a call came after the cut") };
    assert_eq!(
        calls.iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>(),
        ["ASIADEPLOYDEPLOY0000", "ASIAINSTANCEINSTANCE"]
    );
    assert_eq!(over(None, 5000), Over::NoCut);
    let root: Root = LEAKED.parse().expect("a key");
    let gaps = vec!["eu-west-1: Throttling".to_owned()];
    let unread = Trace::of(root, &trail.read(), Some(at(60)), at(5000), gaps);
    assert!(matches!(unread.over, Over::Unread { gaps: 1, .. }), "{:?}", unread.over);
}

#[test]
fn silence_after_the_last_record_proves_nothing_unless_it_was_read() {
    let records = attack().read();
    let (root, last) = (|| LEAKED.parse::<Root>().expect("a key"), records.iter().map(|record| record.at).max());
    let over = |records: &[Record], read_until: Option<i64>| {
        let mut tracer = Tracer::new(root());
        for record in records {
            tracer.index(record);
        }
        if let Some(second) = read_until {
            tracer.read_until(at(second));
        }
        tracer.settle();
        for record in records {
            tracer.take(record);
        }
        tracer.finish(Some(at(60)), at(5000), Vec::new()).over
    };
    assert_eq!(over(&records, None), Over::Unread { cut: at(60), gaps: 0, until: last });
    assert_eq!(over(&[], None), Over::Unread { cut: at(60), gaps: 0, until: None });
    assert_eq!(over(&records, Some(4500)), Over::Proven { cut: at(60), until: at(5000 - 900) });
    assert_eq!(over(&[], Some(100)), Over::Proven { cut: at(60), until: at(100) });
}

#[test]
fn what_no_policy_can_deny_contradicts_no_cut() {
    let mut trail = Trail::default();
    let alice = user("alice", LEAKED);
    let app = trail.assume(&alice, "app", "x", "ASIAAPPAPPAPPAPPA000");
    trail.call(&app, "sts", "GetCallerIdentity", Value::Null, Value::Null)["eventTime"] = json!(at(90).to_string());
    trail.call(&app, "s3", "ListBuckets", Value::Null, Value::Null)["errorCode"] = json!("AccessDenied");
    let over = |trail: &Trail| trail.trace(LEAKED, Some(at(60)), at(5000)).over;
    assert!(matches!(over(&trail), Over::Proven { .. }), "{:?}", over(&trail));
    trail.call(&app, "s3", "ListBuckets", Value::Null, Value::Null)["eventTime"] = json!(at(91).to_string());
    assert!(matches!(over(&trail), Over::Contradicted { .. }), "{:?}", over(&trail));
}

#[test]
fn a_refused_role_is_an_attempt_that_names_it() {
    let mut trail = Trail::default();
    let alice = user("alice", LEAKED);
    trail.assume(&alice, "mine", "x", "ASIAMINEMINEMINE0000");
    trail.assume(&alice, "admin", "x", "ASIANONENONENONE0000");
    let refused = trail.records.last_mut().expect("it");
    (refused["errorCode"], refused["responseElements"]) = (json!("AccessDenied"), Value::Null);
    let trace = trail.trace(LEAKED, None, at(100));
    assert_eq!(trace.credentials.len(), 2);
    assert_eq!(
        deeds(&trace),
        "way_in AssumeRole x1 [\"arn:aws:iam::123456789012:role/admin\"] (-) Attempt { error: \"AccessDenied\" } Over\n"
    );
}

#[test]
fn an_expired_session_and_a_key_that_was_turned_off_are_dead_unless_it_is_on_again() {
    let mut trail = attack();
    let bob = user("bob", "AKIABOBBOBBOBBOB0000");
    let turn = |status: &str| json!({"userName": "alice", "accessKeyId": LEAKED, "status": status});
    let state = |trail: &Trail, now: i64| {
        let trace = trail.trace(LEAKED, None, at(now));
        trace.credentials.iter().map(|one| format!("{} {}", one.id, one.standing.words().0)).collect::<Vec<_>>()
    };
    trail.call(&bob, "iam", "UpdateAccessKey", turn("Inactive"), Value::Null);
    let dead = state(&trail, 9000);
    assert!(
        dead.contains(&format!("{LEAKED} dead")) && dead.contains(&"ASIADEPLOYDEPLOY0000 dead".to_owned()),
        "{dead:?}"
    );
    trail.call(&bob, "iam", "UpdateAccessKey", turn("Active"), Value::Null);
    assert!(state(&trail, 9000).contains(&format!("{LEAKED} unknown")));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_same_records_in_any_order_and_twice_are_the_same_bytes(order in Just((0..14usize).collect::<Vec<_>>()).prop_shuffle(), twice in prop::collection::vec(any::<bool>(), 14)) {
        let trail = attack();
        let calm = serde_json::to_string(&trail.trace(LEAKED, Some(at(60)), at(5000))).expect("JSON");
        let mut mixed = Trail::default();
        for place in order.into_iter().filter(|place| *place < trail.records.len()) {
            let times = if twice[place] { 2 } else { 1 };
            mixed.records.extend(std::iter::repeat_n(trail.records[place].clone(), times));
        }
        prop_assert_eq!(serde_json::to_string(&mixed.trace(LEAKED, Some(at(60)), at(5000))).expect("JSON"), calm);
    }

    #[test]
    fn no_document_is_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = records(bytes.as_slice(), |_| {});
    }
}

#[test]
fn a_value_of_any_form_in_any_field_is_read_or_refused_and_never_a_panic() {
    let trail = attack();
    let odd = [Value::Null, json!(7), json!("x"), json!([1]), json!({"a": {}}), json!(true), json!("\u{202e}\u{0}")];
    for record in &trail.records {
        for key in record.as_object().expect("a record").keys() {
            for value in &odd {
                let mut changed = record.clone();
                changed[key] = value.clone();
                if let Ok(record) = Record::read(&changed) {
                    let root: Root = LEAKED.parse().expect("a key");
                    let trace = Trace::of(root, &[record], None, at(100), Vec::new());
                    let shown = serde_json::to_string(&trace).expect("JSON");
                    assert!(!shown.contains('\u{202e}'), "{shown}");
                }
            }
        }
    }
    assert_eq!(ACCOUNT.len(), 12);
}
