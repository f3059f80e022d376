//! The function that looks back, under its deployed role: CloudTrail is replayed, IAM and EC2 are asked what is true now.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that is not as it must be"
)]

use std::time::Duration;

use brig_aws::SystemClock;
use brig_core::model::timestamp::Timestamp;
use brig_engine::ports::Clock as _;
use brig_tests::{
    account::{ACCOUNT, Account, unique},
    function::{Function, Invoke, bootstrap},
    replay::Replay,
};
use serde_json::{Value, json};

/// What a leaked key did in this account, by the record: it made a user that is there and one that is not, and a role's
/// session in another Region read a hundred and twenty secrets.
struct Past {
    user: String,
    made: String,
    key: String,
    records: Vec<Value>,
}

fn ago(minutes: u64) -> Timestamp {
    let now = SystemClock.now().millis();
    Timestamp::from_millis(now - i64::try_from(minutes).expect("few") * 60_000)
}

async fn past(account: &Account) -> Past {
    let (user, made, role) = (unique("alice"), unique("mallory"), unique("app"));
    for name in [&user, &made] {
        account.iam.create_user().user_name(name).send().await.expect("a user");
    }
    let key = account.iam.create_access_key().user_name(&user).send().await.expect("a key");
    let key = key.access_key().expect("it").access_key_id().to_owned();
    let trust = r#"{"Version":"2012-10-17","Statement":[]}"#;
    account.iam.create_role().role_name(&role).assume_role_policy_document(trust).send().await.expect("a role");
    let alice = json!({"type": "IAMUser", "accessKeyId": key, "userName": user, "accountId": ACCOUNT});
    let session = "ASIAREPLAYREPLAY0000";
    let web = json!({"type": "AssumedRole", "accessKeyId": session, "principalId": "AROAX:ci", "accountId": ACCOUNT});
    let record = |id: String,
                  minutes: u64,
                  region: &str,
                  who: &Value,
                  service: &str,
                  call: &str,
                  request: Value,
                  response: Value| {
        json!({"eventID": id, "eventName": call, "eventSource": format!("{service}.amazonaws.com"), "awsRegion": region,
            "eventTime": ago(minutes).to_string(), "userIdentity": who, "requestParameters": request, "responseElements": response,
            "recipientAccountId": ACCOUNT, "sourceIPAddress": "198.51.100.7"})
    };
    let mut records = vec![
        record("e1".into(), 50, "us-east-1", &alice, "iam", "CreateUser", json!({"userName": made}), Value::Null),
        record(
            "e2".into(),
            49,
            "us-east-1",
            &alice,
            "iam",
            "CreateUser",
            json!({"userName": unique("gone")}),
            Value::Null,
        ),
        record(
            "e3".into(),
            48,
            "us-east-1",
            &alice,
            "sts",
            "AssumeRole",
            json!({"roleArn": format!("arn:aws:iam::{ACCOUNT}:role/{role}"), "roleSessionName": "ci"}),
            json!({"credentials": {"accessKeyId": session, "expiration": ago(0).after(Duration::from_hours(1)).to_string()},
                "assumedRoleUser": {"assumedRoleId": "AROAX:ci"}}),
        ),
    ];
    for number in 0..120 {
        let secret = json!({"secretId": format!("secret-{number:03}")});
        records.push(record(
            format!("s{number}"),
            40,
            "eu-west-1",
            &web,
            "secretsmanager",
            "GetSecretValue",
            secret,
            Value::Null,
        ));
    }
    Past { user, made, key, records }
}

async fn investigate(replay: &Replay, table: &str) -> Function {
    let settings =
        [("BRIG_SERVES", "investigate"), ("BRIG_LEDGER_TABLE", table), ("AWS_ENDPOINT_URL_CLOUDTRAIL", &replay.url)];
    Function::start_binary(&bootstrap().with_file_name("investigate"), &settings).await
}

async fn traced(function: &Function, request: &Value) -> Value {
    let how = Invoke { timeout: Duration::from_secs(110), ..Invoke::default() };
    let answer = function.invoke_as(request, how).await;
    answer.unwrap_or_else(|error| panic!("{}: {}", error.message, function.log()))
}

fn standing(answer: &Value, id: &str) -> String {
    let all = answer["trace"]["credentials"].as_array().expect("credentials");
    let one = all.iter().find(|one| one["id"] == id).unwrap_or_else(|| panic!("{id} is not in {answer:#}"));
    one["standing"]["state"].as_str().expect("a state").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_traced_through_regions_and_pages_and_what_is_true_now_is_read_back() {
    let account = Account::open().await;
    let office = account.office().await;
    let past = past(&account).await;
    let replay = Replay::start(past.records.clone(), None).await;
    let function = investigate(&replay, &office.table).await;
    let answer = traced(&function, &json!({"action": "trace", "access_key_id": past.key, "hours": 2})).await;
    assert_eq!(answer["trace"]["gaps"], json!([]), "{answer:#}");
    assert_eq!((answer["records"].as_u64(), standing(&answer, &past.key).as_str()), (Some(123), "alive"), "{answer:#}");
    assert_eq!(standing(&answer, "ASIAREPLAYREPLAY0000"), "alive");
    let deeds = answer["trace"]["deeds"].as_array().expect("deeds");
    let now: Vec<&Value> =
        deeds.iter().filter(|deed| deed["call"] == "CreateUser").map(|deed| &deed["presence"]["now"]).collect();
    assert_eq!(now, ["there", "gone"], "{answer:#}");
    let taken = deeds.iter().find(|deed| deed["kind"] == "taken").expect("the secrets");
    assert_eq!((&taken["times"], &taken["others"]), (&json!(120), &json!(100)), "{taken:#}");
    assert!(answer["regions"].as_array().expect("Regions").len() > 5, "every Region is asked");

    // Throttled look-ups take longer, and answer the same.
    let throttled = Replay::start(past.records.clone(), Some(3)).await;
    let slow = investigate(&throttled, &office.table).await;
    let again = traced(&slow, &json!({"action": "trace", "access_key_id": past.key, "hours": 2})).await;
    assert!(throttled.calls() > replay.calls());
    assert_eq!((&again["trace"]["deeds"], &again["trace"]["gaps"]), (&answer["trace"]["deeds"], &json!([])));

    // Once the user is contained, its key is dead, and the ledger says when it was cut off.
    let brig = Function::start(&office.settings()).await;
    let short = Invoke { timeout: Duration::from_secs(14), ..Invoke::default() };
    let contained = brig.invoke_as(&json!({"user": past.user, "reason": "IR-1"}), short).await.expect("an answer");
    assert_eq!(contained["containments"][0]["outcome"], "contained", "{contained:#}");
    let after = traced(&function, &json!({"action": "trace", "user": past.user, "hours": 2})).await;
    assert_eq!(
        (standing(&after, &past.key).as_str(), after["trace"]["over"]["state"].as_str()),
        ("dead", Some("too_early")),
        "{after:#}"
    );
    assert_eq!(standing(&after, "ASIAREPLAYREPLAY0000"), "alive", "a role's session outlives its user");
    let listed = account.iam.get_user().user_name(&past.made).send().await;
    assert!(listed.is_ok(), "nothing is undone by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_is_not_asked_it_does_not_do() {
    let account = Account::open().await;
    let office = account.office().await;
    let replay = Replay::start(Vec::new(), None).await;
    let function = investigate(&replay, &office.table).await;
    for (request, expected) in [
        (json!({"action": "contain", "user": "alice"}), "action: \"contain\" is not \"trace\""),
        (json!({"action": "trace", "user": "alice", "hours": 99999}), "hours: 99999"),
        (json!({"action": "trace", "user": "alice", "cut": "2199-01-01T00:00:00Z"}), "is in the future"),
        (json!({"action": "trace", "user": "alice", "account": "999988887777"}), "BRIG_MEMBER_ROLE"),
    ] {
        let error = function.invoke(&request).await.expect_err("an error");
        assert!(error.message.contains(expected), "{request}: {}", error.message);
    }
    let nothing = traced(&function, &json!({"action": "trace", "user": "nobody", "hours": 2159})).await;
    assert_eq!((&nothing["records"], &nothing["trace"]["gaps"]), (&json!(0), &json!([])), "{nothing:#}");
    let old = json!({"action": "trace", "user": "nobody", "cut": "2020-01-01T00:00:00Z"});
    let old = traced(&function, &old).await;
    assert!(old["trace"]["gaps"].to_string().contains("CloudTrail keeps 90 days"), "{old:#}");
    assert_eq!(old["trace"]["over"]["state"], "unread", "{old:#}");
}
