//! A role's sessions at the HTTP endpoints, which evaluate policies: those that were issued before the denial are refused,
//! later ones are not, and after a release all work again.
#![expect(clippy::expect_used, reason = "a test stops at the first thing that is not as it must be")]

use std::time::Duration;

use brig_tests::{
    account::{Account, unique},
    function::{Function, Invoke},
};
use serde_json::{Value, json};

/// Time for the first look only: the later ones are waited for in virtual time, in the simulator.
const SHORT: Duration = Duration::from_secs(14);

async fn role(account: &Account) -> String {
    let name = unique("app");
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#;
    account.iam.create_role().role_name(&name).assume_role_policy_document(trust).send().await.expect("a role");
    let allow = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sns:*","Resource":"*"}]}"#;
    let put = account.iam.put_role_policy().role_name(&name).policy_name("work").policy_document(allow);
    put.send().await.expect("its policy");
    name
}

/// A session of the role.
async fn session(account: &Account, role: &str) -> aws_sdk_sns::Client {
    let arn = format!("arn:aws:iam::123456789012:role/{role}");
    let given = account.sts.assume_role().role_arn(arn).role_session_name("ci").send().await.expect("a session");
    let given = given.credentials().expect("credentials");
    let token = Some(given.session_token());
    let config = account.signing(given.access_key_id(), given.secret_access_key(), token).await;
    aws_sdk_sns::Client::new(&config)
}

async fn works(session: &aws_sdk_sns::Client) -> bool {
    session.list_topics().send().await.is_ok()
}

async fn asked(function: &Function, payload: &Value) -> Value {
    let how = Invoke { timeout: SHORT, ..Invoke::default() };
    let answer = function.invoke_as(payload, how).await;
    answer.unwrap_or_else(|error| json!({"error": error.message, "log": function.log()}))
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_were_issued_before_are_refused_later_ones_are_not_and_all_work_after_a_release() {
    let account = Account::open().await;
    let office = account.office().await;
    let function = Function::start(&office.settings()).await;
    let role = role(&account).await;
    let stolen = session(&account, &role).await;
    assert!(works(&stolen).await);
    // Issue times are whole seconds.
    tokio::time::sleep(Duration::from_millis(1100)).await;

    let planned = asked(&function, &json!({"action": "plan", "role": role})).await;
    assert_eq!(planned["containments"][0]["outcome"], "planned", "{planned:#}");
    assert!(works(&stolen).await);

    let contained = asked(&function, &json!({"role": role, "reason": "IR-9"})).await;
    let entry = &contained["containments"][0];
    assert_eq!((&entry["outcome"], &entry["role"]), (&json!("contained"), &json!(role)), "{contained:#}");
    assert!(entry["verdict"]["summary"].as_str().expect("a summary").contains("later are NOT"), "{contained:#}");
    assert!(!works(&stolen).await);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(works(&session(&account, &role).await).await, "the role goes on");

    let status = asked(&function, &json!({"action": "status", "role": role})).await;
    assert_eq!(status["principals"][0]["drift"], json!(0), "{status:#}");
    let story = asked(&function, &json!({"action": "show", "role": role})).await;
    assert_eq!((&story["role"], &story["containment"]["outcome"]), (&json!(role), &json!("contained")), "{story:#}");

    // Somebody takes the denial away.
    let delete = account.iam.delete_role_policy().role_name(&role).policy_name("brig-deny-sessions");
    delete.send().await.expect("it is gone");
    assert!(works(&stolen).await);
    let verified = asked(&function, &json!({"action": "verify", "role": role})).await;
    assert_eq!(verified["containments"][0]["outcome"], "repaired", "{verified:#}");
    assert!(!works(&stolen).await);

    // The function that releases has a role of its own, which can do less.
    let mut settings = office.settings();
    settings.push(("BRIG_SERVES", "release"));
    let releasing = Function::start(&settings).await;
    let released = asked(&releasing, &json!({"action": "release", "role": role, "reason": "IR-9"})).await;
    assert_eq!(released["containments"][0]["outcome"], "released", "{released:#}");
    assert!(works(&stolen).await);
    let left = account.iam.list_role_policies().role_name(&role).send().await.expect("its policies");
    assert_eq!(left.policy_names(), ["work"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn guarddutys_finding_about_a_roles_session_asks_and_contains_where_a_rule_says_so() {
    let account = Account::open().await;
    let office = account.office().await;
    let role = role(&account).await;
    let mut event: Value = serde_json::from_str(include_str!("../../events/guardduty-user-key.json")).expect("JSON");
    event["detail"]["id"] = json!(unique("finding"));
    event["detail"]["resource"]["accessKeyDetails"] = json!({"accessKeyId": "ASIAEXAMPLEEXAMPLE00",
        "principalId": "AROAEXAMPLEEXAMPLE000:ci", "userType": "AssumedRole", "userName": role});
    let function = Function::start(&office.settings()).await;
    let asks = asked(&function, &event).await;
    assert_eq!(asks["containments"][0]["outcome"], "asked", "{asks:#}");
    assert_eq!(asks["containments"][0]["role"], json!(role));

    let rules =
        json!({"rules": [{"name": "app", "then": "contain", "when": {"principal": {"kind": ["role"]}}}]}).to_string();
    let mut settings = office.settings();
    settings.push(("BRIG_POLICY", &rules));
    let function = Function::start(&settings).await;
    event["detail"]["id"] = json!(unique("finding"));
    let contained = asked(&function, &event).await;
    assert_eq!(contained["containments"][0]["outcome"], "contained", "{contained:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn brig_denies_none_of_its_own_roles() {
    let account = Account::open().await;
    let office = account.office().await;
    let mut settings = office.settings();
    settings.push(("BRIG_MEMBER_ROLE", "brig-member"));
    let function = Function::start(&settings).await;
    let refused = asked(&function, &json!({"role": "brig-member"})).await;
    assert_eq!(refused["containments"][0]["outcome"], "refused", "{refused:#}");
    assert!(refused["containments"][0]["reason"].as_str().expect("why").contains("Brig's own"), "{refused:#}");
}
