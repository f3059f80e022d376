//! The inline policy `brig-deny`: rendered whole from the ledger's set of contained instances of a role, never edited.

use serde_json::{Value, json};

use crate::policy::RoleDeny;

/// The policy's name on every role.
pub const NAME: &str = "brig-deny";

const SID: &str = "BrigDeny";

/// IAM's limit for all inline policies of a role together, in characters without white space
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>).
pub const LONGEST: usize = 10_240;

/// The policy that denies everything to the sessions of `instances` (ARNs), or to every session of the role.
///
/// `ec2:SourceInstanceARN` is in the context of every call made with a session that the instance's metadata service
/// handed out, wherever that session is used, so stolen copies are denied too and other instances of the role are not
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>).
#[must_use]
pub fn render(instances: &[String], reach: RoleDeny) -> String {
    let mut statement = json!({"Sid": SID, "Effect": "Deny", "Action": "*", "Resource": "*"});
    if reach == RoleDeny::Instance {
        let mut arns: Vec<&str> = instances.iter().map(String::as_str).collect();
        arns.sort_unstable();
        arns.dedup();
        if let Some(map) = statement.as_object_mut() {
            map.insert("Condition".to_owned(), json!({"ArnEquals": {"ec2:SourceInstanceARN": arns}}));
        }
    }
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

/// Whether a policy document is one that [`render`] wrote.
#[must_use]
pub fn is_ours(document: &str) -> bool {
    only_statement(document).is_some_and(|statement| statement.get("Sid").and_then(Value::as_str) == Some(SID))
}

/// Whether the document denies everything to the instance's sessions, as [`render`] would.
#[must_use]
pub fn denies(document: &str, instance_arn: &str) -> bool {
    let Some(statement) = only_statement(document) else { return false };
    let is = |key: &str, value: &str| statement.get(key).and_then(Value::as_str) == Some(value);
    if !(is("Effect", "Deny") && is("Action", "*") && is("Resource", "*")) {
        return false;
    }
    match statement.get("Condition") {
        None => true,
        Some(condition) => condition
            .pointer("/ArnEquals/ec2:SourceInstanceARN")
            .and_then(Value::as_array)
            .is_some_and(|arns| arns.iter().any(|arn| arn.as_str() == Some(instance_arn))),
    }
}

fn only_statement(document: &str) -> Option<Value> {
    let mut value: Value = serde_json::from_str(document).ok()?;
    let statements = value.get_mut("Statement")?.as_array_mut()?;
    if statements.len() == 1 { statements.pop() } else { None }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    const A: &str = "arn:aws:ec2:us-east-1:123456789012:instance/i-0000000a";
    const B: &str = "arn:aws:ec2:us-east-1:123456789012:instance/i-0000000b";

    #[test]
    fn the_policy_denies_each_contained_instance_and_no_other() {
        let policy = render(&[B.to_owned(), A.to_owned(), B.to_owned()], RoleDeny::Instance);
        expect![[
            r#"{"Statement":[{"Action":"*","Condition":{"ArnEquals":{"ec2:SourceInstanceARN":["arn:aws:ec2:us-east-1:123456789012:instance/i-0000000a","arn:aws:ec2:us-east-1:123456789012:instance/i-0000000b"]}},"Effect":"Deny","Resource":"*","Sid":"BrigDeny"}],"Version":"2012-10-17"}"#
        ]]
        .assert_eq(&policy);
        assert!(is_ours(&policy) && denies(&policy, A) && denies(&policy, B));
        assert!(!denies(&policy, "arn:aws:ec2:us-east-1:123456789012:instance/i-0000000c"));
    }

    #[test]
    fn the_whole_role_is_denied_without_a_condition() {
        let policy = render(&[A.to_owned()], RoleDeny::Role);
        assert!(denies(&policy, B) && !policy.contains("Condition"));
    }

    #[test]
    fn a_policy_of_others_is_not_ours_and_denies_nothing() {
        for other in
            ["", "[]", "{}", r#"{"Statement":[]}"#, r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#]
        {
            assert!(!is_ours(other) && !denies(other, A), "{other}");
        }
    }
}
