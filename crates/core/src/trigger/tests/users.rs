//! Events about users that are easily taken for more than they say.

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::*;

fn shown(event: &Value) -> String {
    match parse(event, &invoked(), &policy()) {
        Ok(Parsed::Request(request)) => {
            let one = |finding: &Finding<Principal>| {
                let doubt = finding.doubt.map_or_else(String::new, |doubt| format!(" {doubt:?}"));
                format!("{} {}{doubt}: {}\n", finding.account, finding.target, finding.title)
            };
            request.principals.iter().map(one).collect()
        }
        Ok(Parsed::TrailCall(call)) => format!("look again: {:?}\n", call.users),
        Ok(Parsed::Nothing(why)) => format!("nothing: {why}\n"),
        other => format!("{other:?}\n"),
    }
}

fn check(event: &Value, expected: &Expect) {
    expected.assert_eq(&shown(event));
}

fn of_file(name: &str) -> Value {
    let path = format!("{}/../../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).expect("the event")).expect("JSON")
}

#[test]
fn a_key_that_health_calls_resolved_is_left_alone_and_an_arn_says_whose_the_user_is() {
    let mut event = of_file("health-exposed-key");
    event["detail"]["affectedEntities"] = json!([
        {"entityValue": "AKIAEXAMPLEEXAMPLE01", "status": "RESOLVED"},
        {"entityValue": "AKIAEXAMPLEEXAMPLE00", "status": "IMPAIRED"},
        {"entityValue": "arn:aws:iam::999988887777:user/staff/alice"},
    ]);
    check(
        &event,
        &expect![[r#"
        123456789012 AKIAEXAMPLEEXAMPLE00: AWS found an access key of the account in public
        999988887777 alice: AWS found an access key of the account in public
    "#]],
    );
    event["detail"]["affectedEntities"] = json!([{"entityValue": "AKIAEXAMPLEEXAMPLE01", "status": "RESOLVED"}]);
    check(
        &event,
        &expect![[r#"
        nothing: everything that the Health event AWS_RISK_CREDENTIALS_EXPOSED names is resolved
    "#]],
    );
}

#[test]
fn the_quarantine_policy_is_a_sign_only_where_aws_attached_it() {
    let mut event = of_file("cloudtrail-quarantine");
    check(
        &event,
        &expect![[r#"
        123456789012 alice: AWS put the user alice into quarantine: it found an access key in public
    "#]],
    );
    event["detail"]["userIdentity"] = json!({
        "type": "AssumedRole", "accountId": "123456789012", "arn": "arn:aws:sts::123456789012:assumed-role/pipeline/x"
    });
    check(
        &event,
        &expect![[r#"
        123456789012 alice ByCustomer: arn:aws:sts::123456789012:assumed-role/pipeline/x, not AWS, attached AWS's quarantine policy to the user alice
    "#]],
    );
}

#[test]
fn a_user_that_changes_itself_need_not_name_itself() {
    let mut event = of_file("cloudtrail-new-key");
    event["detail"]["requestParameters"] = Value::Null;
    event["detail"]["userIdentity"] = json!({
        "type": "IAMUser", "userName": "alice", "accountId": "123456789012", "arn": "arn:aws:iam::123456789012:user/alice"
    });
    check(
        &event,
        &expect![[r#"
        look again: [UserName("alice")]
    "#]],
    );
    event["detail"]["userIdentity"]["type"] = json!("AssumedRole");
    check(
        &event,
        &expect![[r#"
        nothing: "CreateAccessKey" names nothing that a containment holds
    "#]],
    );
    for call in ["UpdateUser", "UploadSigningCertificate"] {
        event["detail"]["eventName"] = json!(call);
        event["detail"]["requestParameters"] = json!({"userName": "alice"});
        check(
            &event,
            &expect![[r#"
            look again: [UserName("alice")]
        "#]],
        );
    }
}
