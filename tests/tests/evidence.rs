//! Evidence as it is taken under the deployed role: written once, locked, sealed, and verified offline by the command.
#![expect(clippy::expect_used, clippy::panic, reason = "a test stops at the first thing that is not as it must be")]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use aws_sdk_s3::types::{ObjectLockConfiguration, ObjectLockEnabled, ObjectLockRetentionMode};
use brig_aws::SystemClock;
use brig_core::model::timestamp::Timestamp;
use brig_engine::ports::Clock as _;
use brig_tests::{
    account::{ACCOUNT, Account, Office, unique},
    function::{Function, Invoke, bootstrap},
    replay::Replay,
    seed::Launch,
};
use serde_json::{Value, json};

/// A bucket for evidence, locked or not.
async fn bucket(account: &Account, locked: Locked) -> String {
    let name = unique("evidence");
    let made = account.s3.create_bucket().bucket(&name);
    match locked {
        Locked::Yes => made.object_lock_enabled_for_bucket(true).send().await.expect("a bucket"),
        Locked::No => made.send().await.expect("a bucket"),
    };
    if locked == Locked::Yes {
        let lock = ObjectLockConfiguration::builder().object_lock_enabled(ObjectLockEnabled::Enabled).build();
        let put = account.s3.put_object_lock_configuration().bucket(&name).object_lock_configuration(lock);
        put.send().await.expect("a lock");
    }
    name
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Locked {
    Yes,
    No,
}

async fn investigate(replay: &Replay, office: &Office, bucket: &str, key: &str) -> Function {
    let settings = [
        ("BRIG_SERVES", "investigate"),
        ("BRIG_LEDGER_TABLE", office.table.as_str()),
        ("BRIG_EVIDENCE_BUCKET", bucket),
        ("BRIG_EVIDENCE_OWNER", ACCOUNT),
        ("BRIG_EVIDENCE_KEY", key),
        ("BRIG_EVIDENCE_DAYS", "30"),
        ("AWS_ENDPOINT_URL_CLOUDTRAIL", &replay.url),
    ];
    let settings: Vec<(&str, &str)> = settings.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    Function::start_binary(&bootstrap().with_file_name("investigate"), &settings).await
}

async fn asked(function: &Function, request: &Value) -> Value {
    let how = Invoke { timeout: Duration::from_secs(110), ..Invoke::default() };
    let answer = function.invoke_as(request, how).await;
    answer.unwrap_or_else(|error| panic!("{}: {}\n{}", error.kind, error.message, function.log()))
}

/// What the bucket holds, by key.
async fn objects(account: &Account, bucket: &str) -> BTreeMap<String, Vec<u8>> {
    let listed = account.s3.list_objects_v2().bucket(bucket).send().await.expect("a list");
    let mut objects = BTreeMap::new();
    for key in listed.contents().iter().filter_map(|object| object.key()) {
        let object = account.s3.get_object().bucket(bucket).key(key).send().await.expect("an object");
        objects.insert(key.to_owned(), object.body.collect().await.expect("bytes").to_vec());
    }
    objects
}

fn written(objects: &BTreeMap<String, Vec<u8>>) -> PathBuf {
    let folder = std::env::temp_dir().join(unique("case"));
    for (key, bytes) in objects {
        let file = folder.join(key);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(file, bytes).expect("a file");
    }
    folder
}

fn brig(arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(bootstrap().with_file_name("brig"));
    let run = command.args(arguments).env("COLUMNS", "200").output().expect("it runs");
    (
        run.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr),
    )
}

fn ago(minutes: i64) -> String {
    Timestamp::from_millis(SystemClock.now().millis() - minutes * 60_000).to_string()
}

fn place(folder: &Path) -> &str {
    folder.to_str().expect("a path")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_taken_once_locked_sealed_and_verified_to_the_byte() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(101, false).await;
    let identity = account.identity().await;
    let launch = Launch { profile: Some(&identity), user_data: Some("#!/bin/sh\necho hello\n"), ..Launch::default() };
    let instance = account.launch(&network, "evidence", launch).await;
    let brig_function = Function::start(&office.settings()).await;
    let order = json!({"instance_id": instance, "reason": "IR-17"});
    let contained = brig_function.invoke(&order).await.expect("an answer");
    assert_eq!(contained["containments"][0]["outcome"], "contained", "{contained:#}");

    let replay = Replay::start(
        vec![json!({"eventID": "e1", "eventName": "ListBuckets", "eventSource": "s3.amazonaws.com", "awsRegion": "us-east-1",
            "eventTime": ago(5), "userIdentity": {"type": "AssumedRole", "principalId": format!("AROAX:{instance}"),
            "accessKeyId": "ASIAWEBWEBWEBWEB0000", "accountId": ACCOUNT}})],
        None,
    )
    .await;
    let (bucket, key) = (bucket(&account, Locked::Yes).await, account.signing_key().await);
    let function = investigate(&replay, &office, &bucket, &key).await;
    let request = json!({"action": "investigate", "instance_id": instance, "by": "arn:aws:iam::1:user/ir"});
    let taken = asked(&function, &request).await;
    let bundle = &taken["bundle"];
    assert_eq!((&bundle["standing"], &bundle["gaps"]), (&json!("sealed"), &json!([])), "{taken:#}\n{}", function.log());
    assert_eq!(bundle["signed_by"], json!(key));
    let prefix = format!("{}/{}/", bundle["case"].as_str().expect("a case"), bundle["part"].as_str().expect("a part"));
    assert!(prefix.starts_with(&format!("{ACCOUNT}/us-east-1/{instance}/{instance}-")), "{prefix}");

    let there = objects(&account, &bucket).await;
    let names: Vec<&str> = there.keys().map(|key| key.strip_prefix(&prefix).expect("below the case")).collect();
    for name in [
        "cloudtrail.jsonl",
        "finding/received-001.json",
        "instance/console-output.txt",
        "instance/describe-instances.xml",
        "instance/describe-network-interfaces.xml",
        "instance/describe-volumes.xml",
        "instance/user-data",
        "ledger/items-001.json",
        "manifest.jsonl",
        "network/describe-security-groups.xml",
        "page.html",
        "record.json",
        "seal.json",
        "timeline.jsonl",
        "trace.json",
    ] {
        assert!(names.contains(&name), "{name} is not among {names:?}\n{:#}", bundle["missing"]);
    }
    assert!(
        names.iter().any(|name| name.starts_with("iam/roles/") && name.ends_with("/inline/brig-deny.xml")),
        "{names:?}"
    );
    let text = |name: &str| String::from_utf8_lossy(&there[&format!("{prefix}{name}")]).into_owned();
    assert_eq!(text("instance/user-data"), "#!/bin/sh\necho hello\n");
    assert!(text("instance/describe-instances.xml").contains(&instance));
    assert!(text("finding/received-001.json").contains("IR-17"));
    assert!(text("page.html").contains(&instance));
    assert!(text("cloudtrail.jsonl").contains("ListBuckets") && text("timeline.jsonl").contains("s3:ListBuckets"));
    for row in text("timeline.jsonl").lines() {
        let row: Value = serde_json::from_str(row).expect("JSON");
        assert!(["message", "datetime", "timestamp_desc"].iter().all(|field| row[field].is_string()), "{row}");
    }
    // Each is kept by S3 until then.
    for key in there.keys() {
        let kept = account.s3.get_object_retention().bucket(&bucket).key(key).send().await.expect("a retention");
        let kept = kept.retention().expect("it").clone();
        assert_eq!(kept.mode(), Some(&ObjectLockRetentionMode::Governance), "{key}");
    }

    // Verified offline: whole; one byte changed; one file gone; another key.
    let folder = written(&there);
    let (code, shown) = brig(&["evidence", "verify", place(&folder)]);
    assert_eq!((code, shown.starts_with("WHOLE: ")), (0, true), "{shown}");
    let pem = folder.with_extension("key");
    std::fs::write(&pem, account.public_key(&key).await).expect("a key");
    let (code, shown) = brig(&["evidence", "verify", place(&folder), "--key", place(&pem)]);
    assert_eq!((code, shown.contains("Signed by the key that was given")), (0, true), "{shown}");
    for (key, bytes) in &there {
        for at in [0, bytes.len() / 2, bytes.len().saturating_sub(1)].into_iter().filter(|at| *at < bytes.len()) {
            let mut changed = bytes.clone();
            changed[at] ^= 0x20;
            std::fs::write(folder.join(key), &changed).expect("a file");
            let (code, shown) = brig(&["--json", "evidence", "verify", place(&folder)]);
            let shown: Value = serde_json::from_str(&shown).expect("JSON");
            let fault = &shown["parts"][0]["faults"][0];
            assert_eq!((code, &fault["byte"]), (1, &json!(at)), "{key} {at}: {shown:#}");
            assert!(key.ends_with(fault["name"].as_str().expect("a name")), "{key}: {fault}");
        }
        std::fs::write(folder.join(key), bytes).expect("a file");
    }
    std::fs::remove_file(folder.join(format!("{prefix}instance/user-data"))).expect("it was there");
    let (code, shown) = brig(&["evidence", "verify", place(&folder)]);
    assert_eq!((code, shown.contains("contained/instance/user-data: it is not there")), (1, true), "{shown}");

    // Again: nothing new, and the chain of custody says who asked.
    let again = asked(&function, &request).await;
    assert_eq!((&again["bundle"]["standing"], &again["bundle"]["written"]), (&json!("sealed_before"), &json!(0)));
    assert_eq!(objects(&account, &bucket).await, there);
    let custody = asked(&function, &json!({"action": "custody", "instance_id": instance})).await;
    let case = &custody["cases"][0];
    assert_eq!(case["parts"][0]["manifest_sha256"], bundle["head"], "{custody:#}");
    let asked_by: Vec<&str> =
        case["asked"].as_array().expect("a list").iter().filter_map(|ask| ask["by"].as_str()).collect();
    assert_eq!(asked_by, ["arn:aws:iam::1:user/ir", "arn:aws:iam::1:user/ir"]);
}

/// What SNS puts into a queue.
fn message(outcome: &str, instance: &str, at: &str) -> Value {
    let attribute = |value: &str| json!({"Type": "String", "Value": value});
    let body = json!({"Type": "Notification", "MessageId": unique("m"), "Timestamp": at, "Message": "{}", "MessageAttributes": {
        "outcome": attribute(outcome), "account": attribute(ACCOUNT), "region": attribute("us-east-1"), "instance_id": attribute(instance)}});
    json!({"Records": [{"eventSource": "aws:sqs", "messageId": "q-1", "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:evidence",
        "attributes": {"ApproximateReceiveCount": "1"}, "body": body.to_string()}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_the_topic_are_heard_and_a_bucket_without_object_lock_is_refused() {
    let account = Account::open().await;
    let office = account.office().await;
    let network = account.network(102, false).await;
    let instance = account.launch(&network, "heard", Launch::default()).await;
    let brig_function = Function::start(&office.settings()).await;
    let replay = Replay::start(Vec::new(), None).await;

    let plain = bucket(&account, Locked::No).await;
    let refuses = investigate(&replay, &office, &plain, "").await;
    let never = refuses.invoke(&json!({"action": "investigate", "instance_id": instance})).await.expect_err("an error");
    assert_eq!(never.kind, "NotOnRecord");
    brig_function.invoke(&json!({"instance_id": instance})).await.expect("an answer");
    let unlocked =
        refuses.invoke(&json!({"action": "investigate", "instance_id": instance})).await.expect_err("an error");
    assert_eq!(unlocked.kind, "NoObjectLock");
    assert!(unlocked.message.contains("put-object-lock-configuration"), "{}", unlocked.message);
    assert_eq!(objects(&account, &plain).await.len(), 0);
    let failed = asked(&refuses, &message("contained", &instance, "2026-11-27T10:00:00Z")).await;
    assert_eq!(failed, json!({"batchItemFailures": [{"itemIdentifier": "q-1"}]}), "it comes again");

    let bucket = bucket(&account, Locked::Yes).await;
    let hears = investigate(&replay, &office, &bucket, "").await;
    let nothing = json!({"batchItemFailures": []});
    for outcome in ["contained", "contained", "asked"] {
        assert_eq!(
            asked(&hears, &message(outcome, &instance, "2026-11-27T10:00:00Z")).await,
            nothing,
            "{}",
            hears.log()
        );
    }
    let first = objects(&account, &bucket).await;
    assert!(first.keys().all(|key| key.contains("/contained/")), "{:?}", first.keys());
    assert!(first.keys().any(|key| key.ends_with("/contained/message.json")));
    assert_eq!(asked(&hears, &message("repaired", &instance, "2026-11-27T11:00:00Z")).await, nothing);
    let later = objects(&account, &bucket).await;
    assert!(later.keys().any(|key| key.contains("/repaired-20261127T110000Z/manifest.jsonl")), "{:?}", later.keys());
    // A later part is chained to the one before.
    let folder = written(&later);
    let (code, shown) = brig(&["evidence", "verify", place(&folder)]);
    assert_eq!((code, shown.contains("The part before"), shown.contains("is not here")), (0, true, false), "{shown}");
    assert!(shown.contains("Nothing but Object Lock keeps somebody"), "{shown}");
}
