//! An IAM user whose key leaked, at the HTTP endpoints, which evaluate policies: its keys and sessions work, are refused once it
//! is contained, and work again once it is released.
#![expect(clippy::expect_used, reason = "a test stops at the first thing that is not as it must be")]

use std::time::Duration;

use aws_sdk_iam::types::StatusType;
use brig_tests::{
    account::{Account, unique},
    function::{Function, Invoke},
};
use serde_json::{Value, json};

/// Time for the first look only: the later ones are waited for in virtual time, in the simulator.
const SHORT: Duration = Duration::from_secs(14);

/// A user with an access key, a session of it, an SSH key and a boundary, who may list topics.
struct Leaked {
    name: String,
    key: String,
    with_key: aws_sdk_sts::Client,
    of_key: aws_sdk_sns::Client,
    of_session: aws_sdk_sns::Client,
    boundary: String,
}

async fn leaked(account: &Account) -> Leaked {
    let name = unique("alice");
    let allow =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sns:*","sts:*"],"Resource":"*"}]}"#;
    let made = account.iam.create_policy().policy_name(unique("developers")).policy_document(allow).send().await;
    let boundary = made.expect("a policy").policy().and_then(|policy| policy.arn()).expect("its ARN").to_owned();
    let user = account.iam.create_user().user_name(&name).path("/staff/").permissions_boundary(&boundary);
    user.send().await.expect("a user");
    let put = account.iam.put_user_policy().user_name(&name).policy_name("work").policy_document(allow);
    put.send().await.expect("its policy");
    let made = account.iam.create_access_key().user_name(&name).send().await.expect("a key");
    let made = made.access_key().expect("it");
    let key = made.access_key_id().to_owned();
    let config = account.signing(&key, made.secret_access_key(), None).await;
    let with_key = aws_sdk_sts::Client::new(&config);
    let given = with_key.get_session_token().send().await.expect("a session");
    let given = given.credentials().expect("credentials");
    let token = Some(given.session_token());
    let session = account.signing(given.access_key_id(), given.secret_access_key(), token).await;
    let ssh = account.iam.upload_ssh_public_key().user_name(&name).ssh_public_key_body("ssh-rsa AAAA");
    ssh.send().await.expect("an SSH key");
    let of_session = aws_sdk_sns::Client::new(&session);
    Leaked { of_key: aws_sdk_sns::Client::new(&config), of_session, with_key, name, key, boundary }
}

impl Leaked {
    /// Whether its key, and a session of it, are let through.
    async fn works(&self) -> (bool, bool) {
        let (key, session) = tokio::join!(self.of_key.list_topics().send(), self.of_session.list_topics().send());
        (key.is_ok(), session.is_ok())
    }

    /// All that a containment changes.
    async fn state(&self, account: &Account) -> Value {
        let name = &self.name;
        let user = account.iam.get_user().user_name(name).send().await.expect("the user");
        let user = user.user().expect("it");
        let boundary = user.permissions_boundary().and_then(|boundary| boundary.permissions_boundary_arn());
        let keys = account.iam.list_access_keys().user_name(name).send().await.expect("its keys");
        let keys: Vec<_> = keys
            .access_key_metadata()
            .iter()
            .map(|key| (key.access_key_id(), key.status().map(StatusType::as_str)))
            .collect();
        let ssh = account.iam.list_ssh_public_keys().user_name(name).send().await.expect("its SSH keys");
        let ssh: Vec<_> = ssh.ssh_public_keys().iter().map(|key| key.status().as_str()).collect();
        let attached = account.iam.list_attached_user_policies().user_name(name).send().await.expect("its policies");
        let attached: Vec<_> = attached.attached_policies().iter().map(|policy| policy.policy_arn()).collect();
        json!({"boundary": boundary, "keys": keys, "ssh": ssh, "attached": attached})
    }
}

async fn function(account: &Account) -> (Function, Vec<(String, String)>) {
    let office = account.office().await;
    let settings: Vec<(String, String)> =
        office.settings().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let borrowed: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    (Function::start(&borrowed).await, settings)
}

async fn asked(function: &Function, payload: &Value) -> Value {
    let how = Invoke { timeout: SHORT, ..Invoke::default() };
    let answer = function.invoke_as(payload, how).await;
    answer.unwrap_or_else(|error| json!({"error": error.message, "log": function.log()}))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaked_key_and_its_sessions_are_refused_and_work_again_after_a_release() {
    let account = Account::open().await;
    let (function, settings) = function(&account).await;
    let user = leaked(&account).await;
    let before = user.state(&account).await;
    assert_eq!(user.works().await, (true, true));

    let planned = asked(&function, &json!({"action": "plan", "access_key_id": user.key})).await;
    assert_eq!(planned["containments"][0]["outcome"], "planned", "{planned:#}");
    assert_eq!(user.state(&account).await, before);

    let contained = asked(&function, &json!({"access_key_id": user.key, "reason": "found in public"})).await;
    let entry = &contained["containments"][0];
    assert_eq!(entry["outcome"], "contained", "{contained:#}");
    assert_eq!((&entry["user"], &entry["access_key_id"]), (&json!(user.name), &json!(user.key)));
    assert_eq!((&entry["verdict"]["denied"], &entry["verdict"]["inactive"]), (&json!("yes"), &json!("yes")));
    assert_eq!(user.works().await, (false, false));
    assert!(user.with_key.get_session_token().send().await.is_err(), "no new session");
    let state = user.state(&account).await;
    assert_eq!(state["boundary"], "arn:aws:iam::aws:policy/AWSDenyAll");
    assert_eq!(state["ssh"], json!(["Inactive"]));

    let again = asked(&function, &json!({"user": user.name})).await;
    assert_eq!(again["containments"][0]["outcome"], "already_contained", "{again:#}");
    let status = asked(&function, &json!({"action": "status"})).await;
    let listed = status["principals"].as_array().expect("a list");
    let listed = listed.iter().find(|entry| entry["user"] == json!(user.name)).expect("it is listed");
    assert_eq!((&listed["drift"], &listed["never_done"]), (&json!(0), &json!(0)), "{listed:#}");
    let story = asked(&function, &json!({"action": "show", "access_key_id": user.key})).await;
    assert_eq!(story["user"], json!(user.name), "{story:#}");
    assert_eq!(story["containment"]["outcome"], "contained");

    // Somebody turns the key on again, and takes the denial away.
    let on = account.iam.update_access_key().user_name(&user.name).access_key_id(&user.key).status(StatusType::Active);
    on.send().await.expect("it is on");
    let boundary = account.iam.put_user_permissions_boundary().user_name(&user.name);
    boundary.permissions_boundary(&user.boundary).send().await.expect("the former one");
    let verified = asked(&function, &json!({"action": "verify", "user": user.name})).await;
    assert_eq!(verified["containments"][0]["outcome"], "repaired", "{verified:#}");
    assert_eq!(user.works().await, (false, false));

    let plan = asked(&function, &json!({"action": "plan", "for": "release", "user": user.name})).await;
    assert_eq!(plan["containments"][0]["outcome"], "planned", "{plan:#}");
    // The function that releases has a role of its own, which can do less.
    let mut settings = settings;
    settings.push(("BRIG_SERVES".to_owned(), "release".to_owned()));
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let releasing = Function::start(&settings).await;
    let released = asked(&releasing, &json!({"action": "release", "user": user.name, "reason": "IR-7"})).await;
    assert_eq!(released["containments"][0]["outcome"], "released", "{released:#}");
    assert_eq!(user.state(&account).await, before);
    assert_eq!(user.works().await, (true, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn guarddutys_finding_about_a_key_contains_its_user_and_one_about_root_asks() {
    let account = Account::open().await;
    let (function, _) = function(&account).await;
    let user = leaked(&account).await;
    let mut event: Value = serde_json::from_str(include_str!("../../events/guardduty-user-key.json")).expect("JSON");
    event["detail"]["resource"]["accessKeyDetails"]["accessKeyId"] = json!(user.key);
    event["detail"]["id"] = json!(unique("finding"));
    let contained = asked(&function, &event).await;
    assert_eq!(contained["containments"][0]["outcome"], "contained", "{contained:#}");
    assert_eq!(contained["containments"][0]["user"], json!(user.name));
    assert_eq!(user.works().await, (false, false));

    let mut event: Value = serde_json::from_str(include_str!("../../events/guardduty-root-key.json")).expect("JSON");
    event["detail"]["id"] = json!(unique("finding"));
    let asks = asked(&function, &event).await;
    assert_eq!(asks["containments"][0]["outcome"], "asked", "{asks:#}");

    let unknown = asked(&function, &json!({"access_key_id": "AKIANOBODYSNOBODYS00"})).await;
    assert_eq!(unknown["containments"][0]["outcome"], "refused", "{unknown:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_a_member_account_is_contained_through_its_member_role() {
    const MEMBER: &str = "999988887777";
    let account = Account::open().await;
    let office = account.office().await;
    let member = aws_sdk_iam::Client::new(&account.signing(MEMBER, "test", None).await);
    let (name, role) = (unique("alice"), "brig-member");
    member.create_user().user_name(&name).send().await.expect("a user");
    let made = member.create_access_key().user_name(&name).send().await.expect("a key");
    let key = made.access_key().expect("it").access_key_id().to_owned();
    let order = json!({"user": name, "account": MEMBER, "reason": "found in public"});
    let alone = Function::start(&office.settings()).await;
    let refused = asked(&alone, &order).await;
    assert_eq!(refused["containments"][0]["outcome"], "refused", "{refused:#}");
    assert!(refused["containments"][0]["reason"].as_str().expect("why").contains("BRIG_MEMBER_ROLE"));

    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["sts:AssumeRole","sts:SetSourceIdentity"]}]}"#;
    member.create_role().role_name(role).assume_role_policy_document(trust).send().await.expect("a role");
    let allow = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:*","cloudtrail:*","sts:*"],"Resource":"*"}]}"#;
    let put = member.put_role_policy().role_name(role).policy_name("work").policy_document(allow);
    put.send().await.expect("its policy");
    let mut settings = office.settings();
    settings.push(("BRIG_MEMBER_ROLE", role));
    let function = Function::start(&settings).await;
    let contained = asked(&function, &order).await;
    let entry = &contained["containments"][0];
    assert_eq!((&entry["account"], &entry["outcome"]), (&json!(MEMBER), &json!("contained")), "{contained:#}");
    let keys = member.list_access_keys().user_name(&name).send().await.expect("its keys");
    let mut keys = keys.access_key_metadata().iter();
    let status = keys.find(|one| one.access_key_id() == Some(&key)).and_then(|one| one.status());
    assert_eq!(status, Some(&StatusType::Inactive), "{contained:#}");
}
