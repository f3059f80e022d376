//! Whose a credential is: not everybody's who has the same name, and not theirs who had it before.

use brig_core::model::timestamp::Timestamp;
use brig_trace::Trace;
use serde_json::{Value, json};

use crate::{
    LEAKED,
    trail::{ACCOUNT, Trail, at, graph, session, user},
};

const OTHER: &str = "999988887777";

fn console(name: &str, key: &str, issued: i64) -> Value {
    let mut who = user(name, key);
    who["sessionContext"] = json!({"attributes": {"creationDate": at(issued).to_string()}});
    who
}

fn keyless(name: &str) -> Value {
    json!({"type": "IAMUser", "accountId": ACCOUNT, "userName": name})
}

impl Trail {
    /// A call at a second.
    fn at(&mut self, second: i64, who: &Value, service: &str, call: &str, request: Value) -> &mut Value {
        let record = self.call(who, service, call, request, Value::Null);
        record["eventTime"] = json!(at(second).to_string());
        record
    }

    fn in_console(&mut self, second: i64, who: &Value) -> &mut Value {
        let record = self.at(second, who, "iam", "CreateUser", json!({"userName": "x"}));
        record["sessionCredentialFromConsole"] = json!("true");
        record
    }
}

fn elsewhere(record: &mut Value) {
    record["recipientAccountId"] = json!(OTHER);
    record["userIdentity"]["accountId"] = json!(OTHER);
}

fn ids(trace: &Trace) -> Vec<String> {
    trace.credentials.iter().map(|one| one.id.to_string()).collect()
}

#[test]
fn a_password_owns_the_sessions_since_it_was_first_set_in_its_account() {
    let mut trail = Trail::default();
    let alice = user("alice", LEAKED);
    trail.at(10, &keyless("bob"), "signin", "ConsoleLogin", Value::Null);
    trail.in_console(11, &console("bob", "ASIABEFOREBEFORE0000", 10));
    trail.at(20, &alice, "iam", "UpdateLoginProfile", json!({"userName": "bob"}));
    trail.at(30, &keyless("bob"), "signin", "ConsoleLogin", Value::Null);
    trail.in_console(31, &console("bob", "ASIAAFTERAFTER000000", 30));
    elsewhere(trail.at(32, &keyless("bob"), "signin", "ConsoleLogin", Value::Null));
    elsewhere(trail.in_console(33, &console("bob", "ASIAELSEWHERE0000000", 32)));
    trail.at(40, &alice, "iam", "UpdateLoginProfile", json!({"userName": "bob"}));
    let trace = trail.trace(LEAKED, None, at(100));
    assert_eq!(ids(&trace), [LEAKED, "password of bob", "ASIAAFTERAFTER000000"]);
    assert_eq!(trace.credentials[1].uses.succeeded, 1, "its sign-in, and neither an earlier nor another account's");
}

#[test]
fn a_password_that_a_child_set_first_is_theirs_since_then() {
    let mut trail = Trail::default();
    let alice = user("alice", LEAKED);
    let app = trail.assume(&alice, "app", "x", "ASIAAPPAPPAPPAPPA000");
    trail.at(10, &app, "iam", "UpdateLoginProfile", json!({"userName": "bob"}));
    trail.in_console(20, &console("bob", "ASIABETWEENBETWEEN00", 20));
    trail.at(30, &alice, "iam", "UpdateLoginProfile", json!({"userName": "bob"}));
    let shown = graph(&trail.trace(LEAKED, None, at(100)));
    assert!(shown.contains("password of bob <- ASIAAPPAPPAPPAPPA000 by UpdateLoginProfile"), "{shown}");
    assert!(shown.contains("ASIABETWEENBETWEEN00 <- password of bob"), "{shown}");
}

#[test]
fn an_instance_profile_owns_the_sessions_since_it_was_associated() {
    let mut trail = Trail::default();
    let instance = "i-0aaaaaaaaaaaaaaa5";
    trail.at(5, &session("oldweb", instance, "ASIAOLDOLDOLDOLD0000", 4), "s3", "ListBuckets", Value::Null);
    let asks = json!({"AssociateIamInstanceProfileRequest": {"InstanceId": instance, "IamInstanceProfile": {"Name": "admin"}}});
    trail.at(20, &user("alice", LEAKED), "ec2", "AssociateIamInstanceProfile", asks);
    trail.at(31, &session("admin", instance, "ASIANEWNEWNEWNEW0000", 30), "s3", "ListBuckets", Value::Null);
    assert_eq!(ids(&trail.trace(LEAKED, None, at(100))), [LEAKED, instance, "ASIANEWNEWNEWNEW0000"]);
    assert_eq!(ids(&trail.trace(instance, None, at(100))).len(), 3, "where the trace begins with it, it owns all");
}

#[test]
fn a_root_that_is_an_arn_is_of_its_account() {
    let mut trail = Trail::default();
    trail.at(1, &user("alice", LEAKED), "s3", "ListBuckets", Value::Null);
    elsewhere(trail.at(2, &user("alice", "AKIAELSEWHERE0000000"), "s3", "ListBuckets", Value::Null));
    trail.at(3, &session("app", "x", "ASIAAPPAPPAPPAPPA000", 2), "s3", "ListBuckets", Value::Null);
    let of = |root: &str| {
        let mut ids = ids(&trail.trace(root, None, at(100)));
        ids.sort();
        ids
    };
    assert_eq!(of(&format!("arn:aws:iam::{ACCOUNT}:user/team/alice")), [LEAKED, "password of alice"]);
    assert_eq!(of(&format!("arn:aws:iam::{OTHER}:user/alice")), ["AKIAELSEWHERE0000000", "password of alice"]);
    assert_eq!(of("user/alice").len(), 3, "a name is everybody's who has it");
    assert_eq!(of(&format!("arn:aws:sts::{ACCOUNT}:assumed-role/app/i-0aaaaaaaaaaaaaa10")), ["ASIAAPPAPPAPPAPPA000"]);
    assert_eq!(of(&format!("arn:aws:iam::{OTHER}:role/app")), [""; 0]);
}

#[test]
fn a_session_that_a_person_named_like_an_instance_is_not_the_instances() {
    let mut trail = Trail::default();
    let instance = "i-0aaaaaaaaaaaaaaa9";
    let carol = user("carol", "AKIACAROLCAROLCAROL0");
    let named = trail.assume(&carol, "deploy", instance, "ASIACAROLSCAROLS0000");
    trail.call(&named, "iam", "CreateUser", json!({"userName": "by-carol"}), Value::Null);
    // An export replaced the key of another one; it is known by its name and time.
    let mut replaced = trail.assume(&carol, "deploy", instance, "ASIACAROLSSECOND0000");
    replaced["sessionContext"]["attributes"]["creationDate"] = json!(at(2).to_string());
    replaced["accessKeyId"] = json!("ASIAREPLACEDREPLACED");
    trail.call(&replaced, "iam", "CreateUser", json!({"userName": "by-carol"}), Value::Null);
    // Whoever signs in through an identity provider has no key, and names the session.
    let provider = json!({"type": "WebIdentityUser", "accountId": ACCOUNT});
    let federated = trail.assume(&provider, "ci", instance, "ASIAFEDERATED0000000");
    let none = trail.trace(instance, None, at(100));
    assert_eq!(ids(&none), [instance], "{}", graph(&none));
    assert!(none.deeds.is_empty());
    drop(federated);
    let service = json!({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"});
    trail.assume(&service, "web", instance, "ASIAINSTANCESOWN0000");
    assert_eq!(ids(&trail.trace(instance, None, at(100))), [instance, "ASIAINSTANCESOWN0000"]);
}

#[test]
fn what_ec2_does_for_an_instance_makes_no_region_usual() {
    let mut trail = Trail::default();
    trail.call(&user("bob", "AKIABOBBOBBOBBOB0000"), "s3", "CreateBucket", json!({"bucketName": "b"}), Value::Null);
    let asks = json!({"instanceType": "p4d.24xlarge", "iamInstanceProfile": {"name": "web"}});
    let launched = json!({"instancesSet": {"items": [{"instanceId": "i-0000000000000beef"}]}});
    trail.call(&user("alice", LEAKED), "ec2", "RunInstances", asks, launched)["awsRegion"] = json!("sa-east-1");
    let service = json!({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"});
    trail.assume(&service, "web", "i-0000000000000beef", "ASIAINSTANCESOWN0000");
    trail.records.last_mut().expect("it")["awsRegion"] = json!("sa-east-1");
    let trace = trail.trace(LEAKED, None, at(100));
    assert!(trace.deeds.iter().all(|deed| deed.unusual_region), "{:?}", trace.deeds);
}

#[test]
fn a_cut_out_of_the_calendar_is_no_panic() {
    let mut trail = Trail::default();
    trail.call(&user("alice", LEAKED), "s3", "ListBuckets", Value::Null, Value::Null);
    for millis in [i64::MAX, i64::MIN] {
        let moment = Timestamp::from_millis(millis);
        assert_eq!(ids(&trail.trace(LEAKED, Some(moment), moment)), [LEAKED]);
    }
}
