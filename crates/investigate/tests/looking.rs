//! Reading back what is true now, in a simulated account.
#![expect(clippy::expect_used, reason = "a test stops at the first thing that is not as it must be")]

use std::sync::Arc;

use brig_core::model::{CredentialKind, Principal, ids::UserName, timestamp::Timestamp};
use brig_investigate::look;
use brig_sim::{Break, Fault, Sim, World};
use brig_trace::{Presence, Record, Root, Trace};
use serde_json::{Value, json};

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + second * 1000)
}

struct Case {
    sim: Arc<Sim>,
    user: UserName,
    key: String,
}

fn case() -> Case {
    let (mut world, _) = World::plain();
    let user = world.user_named("alice");
    world.user_named("eve");
    let of = &world.users.get(&user).expect("the user").credentials;
    let key = of.iter().find(|one| one.kind == CredentialKind::AccessKey).expect("a key").id.clone();
    Case { sim: Sim::new(world, 1), user, key }
}

fn record(second: i64, who: &Value, service: &str, call: &str, request: &Value, response: &Value) -> Record {
    let value = json!({"eventID": format!("e{second}"), "eventName": call, "eventSource": format!("{service}.amazonaws.com"),
        "eventTime": at(second).to_string(), "awsRegion": "us-east-1", "userIdentity": who, "requestParameters": request,
        "responseElements": response, "recipientAccountId": "123456789012"});
    Record::read(&value).expect("a record")
}

impl Case {
    /// The key made users that are and are not there, and assumed a role of the world.
    fn trace(&self, now: Timestamp) -> Trace {
        let alice =
            json!({"type": "IAMUser", "accessKeyId": self.key, "userName": "alice", "accountId": "123456789012"});
        let given = |ends: i64| json!({"credentials": {"accessKeyId": "ASIASESSIONSESSION00", "expiration": at(ends).to_string()}, "assumedRoleUser": {"assumedRoleId": "AROAX:s"}});
        let role = json!({"roleArn": "arn:aws:iam::123456789012:role/app", "roleSessionName": "s"});
        let records = [
            record(1, &alice, "iam", "CreateUser", &json!({"userName": "eve"}), &Value::Null),
            record(2, &alice, "iam", "CreateUser", &json!({"userName": "gone"}), &Value::Null),
            record(3, &alice, "sts", "AssumeRole", &role, &given(3600)),
        ];
        let root: Root = self.key.parse().expect("a key");
        let mut trace = Trace::of(root, &records, None, now, Vec::new());
        let clouds = Arc::clone(&self.sim.engine(0).clouds);
        let (account, home) = ("123456789012".parse().expect("an account"), "us-east-1".parse().expect("a Region"));
        self.sim.run(look(&mut trace, clouds.as_ref(), (&account, &home), "brig-test", now)).expect("it ends");
        trace
    }

    fn words(&self, now: Timestamp) -> Vec<(String, &'static str)> {
        self.trace(now).credentials.iter().map(|one| (one.id.to_string(), one.standing.words().0)).collect()
    }
}

#[test]
fn an_active_key_and_a_young_session_are_alive_until_they_are_denied_or_expire() {
    let case = case();
    let session = || "ASIASESSIONSESSION00".to_owned();
    assert_eq!(case.words(at(60)), [(case.key.clone(), "ALIVE"), (session(), "ALIVE")]);
    assert_eq!(case.words(at(4000)), [(case.key.clone(), "ALIVE"), (session(), "dead")]);
    case.sim.contain_principal(&Principal::User(case.user.clone()), "r").expect("an answer");
    assert_eq!(
        case.words(at(60)),
        [(case.key.clone(), "dead"), (session(), "ALIVE")],
        "a role's session outlives its user"
    );
}

#[test]
fn what_was_made_is_there_or_gone_as_it_is_read_and_unknown_where_it_cannot_be() {
    let case = case();
    let presence = |trace: &Trace| trace.deeds.iter().map(|deed| deed.presence.clone()).collect::<Vec<_>>();
    let seen = presence(&case.trace(at(60)));
    assert!(matches!(seen.as_slice(), [Presence::There { .. }, Presence::Gone { .. }]), "{seen:?}");
    let trace = case.trace(at(60));
    assert_eq!(trace.summary.gone, 1);
    assert!(trace.deeds.iter().all(|deed| deed.undo.is_some() == matches!(deed.presence, Presence::There { .. })));
    case.sim.breaks(Break::Always("GetUser", Fault::Denied));
    let unread = case.trace(at(60));
    assert!(presence(&unread).iter().all(|seen| matches!(seen, Presence::Unknown { .. })), "{:?}", presence(&unread));
    assert_eq!(unread.credentials.iter().map(|one| one.standing.words().0).collect::<Vec<_>>(), ["unknown", "ALIVE"]);
}

/// What the key did, each with what is read back of it.
fn read_back(case: &Case, deeds: &[(&str, &str, Value)]) -> Vec<(String, Presence)> {
    let alice = json!({"type": "IAMUser", "accessKeyId": case.key, "userName": "alice", "accountId": "123456789012"});
    let records: Vec<Record> = (1..)
        .zip(deeds)
        .map(|(second, (service, call, request))| record(second, &alice, service, call, request, &Value::Null))
        .collect();
    let root: Root = case.key.parse().expect("a key");
    let mut trace = Trace::of(root, &records, None, at(60), Vec::new());
    let clouds = Arc::clone(&case.sim.engine(0).clouds);
    let (account, home) = ("123456789012".parse().expect("an account"), "us-east-1".parse().expect("a Region"));
    case.sim.run(look(&mut trace, clouds.as_ref(), (&account, &home), "brig-test", at(60))).expect("it ends");
    trace.deeds.iter().map(|deed| (deed.what.join(" "), deed.presence.clone())).collect()
}

#[test]
fn what_a_role_was_given_and_a_trail_that_was_stopped_are_read_back() {
    let case = case();
    case.sim.change(|world| {
        let admin = "arn:aws:iam::aws:policy/AdministratorAccess".to_owned();
        world.attached_to_roles.entry("app".to_owned()).or_default().insert(admin);
        world.policies.insert(("app".to_owned(), "more".to_owned()), "{}".to_owned());
    });
    let attach = |policy: &str| ("iam", "AttachRolePolicy", json!({"roleName": "app", "policyArn": policy}));
    let put = |policy: &str| ("iam", "PutRolePolicy", json!({"roleName": "app", "policyName": policy}));
    let stop = |trail: &str| ("cloudtrail", "StopLogging", json!({"name": trail}));
    let deeds = [
        attach("arn:aws:iam::aws:policy/AdministratorAccess"),
        attach("arn:aws:iam::aws:policy/ReadOnlyAccess"),
        put("more"),
        put("less"),
        stop("all"),
        stop("arn:aws:cloudtrail:us-east-1:123456789012:trail/other"),
    ];
    let words = |deeds: &[(String, Presence)]| {
        let word = |presence: &Presence| match presence {
            Presence::There { .. } => "there",
            Presence::Gone { .. } => "gone",
            Presence::Unknown { .. } => "unknown",
            Presence::Over => "over",
        };
        let mut words: Vec<String> = deeds.iter().map(|(what, seen)| format!("{what}: {}", word(seen))).collect();
        words.sort();
        words
    };
    let seen = words(&read_back(&case, &deeds));
    assert_eq!(
        seen,
        [
            "all: gone",
            "app arn:aws:iam::aws:policy/AdministratorAccess: there",
            "app arn:aws:iam::aws:policy/ReadOnlyAccess: gone",
            "app less: gone",
            "app more: there",
            "arn:aws:cloudtrail:us-east-1:123456789012:trail/other: there",
        ]
    );
    for operation in ["ListAttachedRolePolicies", "GetRolePolicy", "GetTrailStatus"] {
        case.sim.breaks(Break::Always(operation, Fault::Denied));
        let unread = words(&read_back(&case, &deeds));
        assert!(unread.iter().filter(|words| words.ends_with("unknown")).count() >= 2, "{operation}: {unread:?}");
    }
}

/// The trace of a root, with its cut at the beginning and everything read, by these records.
fn traced(case: &Case, root: &str, records: &[Record], now: Timestamp) -> Trace {
    let mut tracer = brig_trace::Tracer::new(root.parse::<Root>().expect("a root")).read(records);
    tracer.read_until(now);
    let mut trace = tracer.finish(Some(at(0)), now, Vec::new());
    let clouds = Arc::clone(&case.sim.engine(0).clouds);
    let (account, home) = ("123456789012".parse().expect("an account"), "us-east-1".parse().expect("a Region"));
    case.sim.run(look(&mut trace, clouds.as_ref(), (&account, &home), "brig-test", now)).expect("it ends");
    trace
}

fn standings(trace: &Trace) -> Vec<(String, &'static str)> {
    trace.credentials.iter().map(|one| (one.id.to_string(), one.standing.words().0)).collect()
}

#[test]
fn a_user_whom_iam_does_not_show_is_not_called_dead_and_a_key_that_nobody_saw_in_use_is_alive() {
    let case = case();
    let words = |trace: &Trace| trace.credentials.iter().map(|one| one.standing.words().0).collect::<Vec<_>>();
    assert_eq!(words(&traced(&case, "user/alcie", &[], at(5000))), ["unknown"], "it may be mistyped, or renamed");
    let alice = standings(&traced(&case, "user/alice", &[], at(5000)));
    assert!(alice.contains(&(case.key.clone(), "ALIVE")), "{alice:?}");
    case.sim.contain_principal(&Principal::User(case.user.clone()), "r").expect("an answer");
    assert!(words(&traced(&case, "user/alice", &[], at(5000))).iter().all(|word| *word == "dead"));
}

#[test]
fn a_key_that_the_record_shows_turned_off_and_iam_shows_active_is_alive() {
    let case = case();
    let alice = json!({"type": "IAMUser", "accessKeyId": case.key, "userName": "alice", "accountId": "123456789012"});
    let other = json!({"type": "IAMUser", "accessKeyId": "AKIAOTHEROTHEROTHER0", "userName": "bob", "accountId": "123456789012"});
    let off = json!({"userName": "alice", "accessKeyId": case.key, "status": "Inactive"});
    let records = [
        record(1, &alice, "s3", "ListBuckets", &json!({}), &Value::Null),
        record(2, &other, "iam", "UpdateAccessKey", &off, &Value::Null),
    ];
    assert_eq!(standings(&traced(&case, &case.key, &records, at(5000))), [(case.key.clone(), "ALIVE")]);
}

#[test]
fn an_instance_whose_sessions_ended_is_not_dead_until_its_role_denies_it() {
    let case = case();
    let instance = case.sim.world().instances.keys().next().expect("an instance").clone();
    let session = json!({"type": "AssumedRole", "accessKeyId": "ASIAHANDEDHANDED0000", "accountId": "123456789012",
        "principalId": format!("AROAX:{instance}"),
        "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::123456789012:role/app", "userName": "app"},
            "ec2RoleDelivery": "2.0", "attributes": {"creationDate": at(1).to_string()}}});
    let records = [record(2, &session, "s3", "ListBuckets", &json!({}), &Value::Null)];
    let later = at(14 * 3600);
    let own = |trace: &Trace| trace.credentials.first().expect("the instance").standing.words().0;
    let trace = traced(&case, instance.as_str(), &records, later);
    assert_eq!(own(&trace), "unknown", "{:?}", standings(&trace));
    case.sim.contain(&instance, "r").expect("an answer");
    let trace = traced(&case, instance.as_str(), &records, later);
    assert_eq!(own(&trace), "dead", "{:?}", standings(&trace));
    // Who assumes the role may name the session like the instance, which the denial does not reach.
    let mut named = session;
    named["sessionContext"]["ec2RoleDelivery"] = Value::Null;
    let records = [record(2, &named, "s3", "ListBuckets", &json!({}), &Value::Null)];
    assert_eq!(standings(&traced(&case, "ASIAHANDEDHANDED0000", &records, at(60))).len(), 1);
    assert_ne!(standings(&traced(&case, "ASIAHANDEDHANDED0000", &records, at(60)))[0].1, "dead");
}

#[test]
fn what_works_in_another_account_is_a_gap_and_nothing_is_proven() {
    let case = case();
    let alice = json!({"type": "IAMUser", "accessKeyId": case.key, "userName": "alice", "accountId": "123456789012"});
    let role = json!({"roleArn": "arn:aws:iam::999988887777:role/x", "roleSessionName": "s"});
    let given = json!({"credentials": {"accessKeyId": "ASIAFOREIGNFOREIGN00", "expiration": at(3).to_string()}, "assumedRoleUser": {"assumedRoleId": "AROAX:s", "arn": "arn:aws:sts::999988887777:assumed-role/x/s"}});
    let mut assume = record(1, &alice, "sts", "AssumeRole", &role, &given);
    assume.at = at(-60);
    let trace = traced(&case, &case.key, &[assume], at(5000));
    assert!(matches!(trace.over, brig_trace::Over::Unread { .. }), "{:?}", trace.over);
    assert!(trace.gaps.iter().any(|gap| gap.contains("999988887777")), "{:?}", trace.gaps);
}
