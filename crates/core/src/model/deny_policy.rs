//! The inline policy `brig-deny`: rendered whole from the ledger's set of contained instances of a role, never edited.
//!
//! IAM counts all inline policies of a role together, so a second one of Brig's would hold nothing that the first does not:
//! there is one, which one call replaces at one moment, and whoever was denied before stays denied through the change.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::model::{ids::arn_name, timestamp::Timestamp};

/// Whose credentials the role's deny policy hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleDeny {
    /// The contained instances' own sessions, stolen copies included.
    Instance,
    /// Every user of the role.
    Role,
}

/// What is done where a role's policy has no room to name all of its contained instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RoleOverflow {
    /// The instance is not denied, and the report says so first: nobody else loses access.
    #[default]
    Fail,
    /// Every user of the role is denied.
    Role,
}

/// The policy's name on every role.
pub const NAME: &str = "brig-deny";

const SID: &str = "BrigDeny";

/// IAM's limit for all inline policies of a role together, in characters without white space
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>).
pub const LONGEST: usize = 10_240;

/// How a policy says whom it denies, from the plainest to the shortest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// By the instances' ARNs: about 150 find room.
    Arns,
    /// By the sessions' names, which are the instances' ids: about 420 find room.
    Ids,
    /// Every session of the role.
    Role,
}

/// The policy that denies everything to the sessions of `instances` (ARNs), or to every session of the role.
#[must_use]
pub fn render(instances: &[String], reach: RoleDeny) -> String {
    match reach {
        RoleDeny::Instance => write(Form::Arns, instances),
        RoleDeny::Role => write(Form::Role, instances),
    }
}

/// The policies to try in turn until the role has room for one: each denies all of `instances` (ARNs).
#[must_use]
pub fn forms(instances: &[String], reach: RoleDeny, overflow: RoleOverflow) -> Vec<(Form, String)> {
    let forms: &[Form] = match (reach, overflow) {
        (RoleDeny::Role, _) => &[Form::Role],
        (RoleDeny::Instance, RoleOverflow::Role) => &[Form::Arns, Form::Ids, Form::Role],
        (RoleDeny::Instance, RoleOverflow::Fail) => &[Form::Arns, Form::Ids],
    };
    let written = forms.iter().map(|form| (*form, write(*form, instances)));
    written.filter(|(_, document)| document.len() <= LONGEST).collect()
}

/// `ec2:SourceInstanceARN` is in the context of every call made with a session that the instance's metadata service
/// handed out, wherever that session is used, so stolen copies are denied too and other instances of the role are not
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>). `aws:userid` of the same
/// session is `<the role's unique id>:<the instance's id>`, and says the same in a third of the room
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-tableofkeyvalues>); it
/// also denies a session that somebody gave a contained instance's id as its name in sts:AssumeRole.
fn write(form: Form, instances: &[String]) -> String {
    let mut statement = json!({"Sid": SID, "Effect": "Deny", "Action": "*", "Resource": "*"});
    let condition = match form {
        Form::Arns => Some(json!({ARN_OPERATOR: {ARN_KEY: sorted(instances.iter().cloned())}})),
        Form::Ids => Some(json!({ID_OPERATOR: {ID_KEY: sorted(instances.iter().map(|arn| session(arn)))}})),
        Form::Role => None,
    };
    if let (Some(condition), Some(map)) = (condition, statement.as_object_mut()) {
        map.insert("Condition".to_owned(), condition);
    }
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

const ARN_OPERATOR: &str = "ArnEquals";
const ARN_KEY: &str = "ec2:SourceInstanceARN";
const ID_OPERATOR: &str = "StringLike";
const ID_KEY: &str = "aws:userid";

fn session(instance_arn: &str) -> String {
    format!("*:{}", arn_name(instance_arn))
}

fn sorted(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut values: Vec<String> = values.collect();
    values.sort_unstable();
    values.dedup();
    values
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
        Some(condition) => {
            let names = |operator: &str, key: &str, value: &str| {
                let listed = only(condition, operator).and_then(|test| only(test, key)).and_then(Value::as_array);
                listed.is_some_and(|values| values.iter().any(|one| one.as_str() == Some(value)))
            };
            names(ARN_OPERATOR, ARN_KEY, instance_arn) || names(ID_OPERATOR, ID_KEY, &session(instance_arn))
        }
    }
}

/// Whether the document denies the sessions of the instance whose id is their name, in whichever Region it is.
#[must_use]
pub fn denies_session(document: &str, instance: &str) -> bool {
    let Some(statement) = only_statement(document) else { return false };
    let arns = statement.pointer("/Condition/ArnEquals/ec2:SourceInstanceARN").and_then(Value::as_array);
    let mut arns = arns.into_iter().flatten().filter_map(Value::as_str);
    arns.any(|arn| arn_name(arn) == instance && denies(document, arn))
        || denies(document, &format!("instance/{instance}"))
}

/// Whether the document denies every session of the role, as [`render`] would.
#[must_use]
pub fn denies_role(document: &str) -> bool {
    document == write(Form::Role, &[])
}

/// The name of the policy that denies a role's sessions by their age.
pub const SESSIONS: &str = "brig-deny-sessions";

const SESSIONS_SID: &str = "BrigDenySessions";

/// The policy that denies everything to the sessions of a role that were issued before `before`, wherever they are used. AWS's
/// own "revoke sessions" is written so
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html>). Sessions issued later are not denied:
/// whoever may assume the role, may again.
#[must_use]
pub fn render_sessions(before: Timestamp) -> String {
    let condition = json!({"DateLessThan": {"aws:TokenIssueTime": before.to_string()}});
    let statement =
        json!({"Sid": SESSIONS_SID, "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition});
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

/// Before when a role's sessions must have been issued to be denied; none where the document is not as [`render_sessions`]
/// writes it.
#[must_use]
pub fn sessions_denied_before(document: &str) -> Option<Timestamp> {
    let statement = only_statement(document)?;
    let before = statement.pointer("/Condition/DateLessThan/aws:TokenIssueTime").and_then(Value::as_str)?;
    let before = Timestamp::parse(before)?;
    let same = serde_json::from_str::<Value>(document).ok()?
        == serde_json::from_str::<Value>(&render_sessions(before)).ok()?;
    same.then_some(before)
}

/// The member of an object that has no other: a second condition would narrow the denial.
fn only<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    value.as_object().filter(|map| map.len() == 1)?.get(key)
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
    fn sessions_are_denied_by_when_they_were_issued_and_a_changed_policy_is_not_taken_for_it() {
        let before = Timestamp::parse("2026-01-02T03:04:05.678Z").expect("a time");
        let policy = render_sessions(before);
        expect![[
            r#"{"Statement":[{"Action":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-01-02T03:04:05.678Z"}},"Effect":"Deny","Resource":"*","Sid":"BrigDenySessions"}],"Version":"2012-10-17"}"#
        ]]
        .assert_eq(&policy);
        assert_eq!(sessions_denied_before(&policy), Some(before));
        for (from, to) in [("Deny", "Allow"), ("\"*\"", "\"s3:*\""), ("DateLessThan", "DateGreaterThan")] {
            assert_eq!(sessions_denied_before(&policy.replacen(from, to, 1)), None, "{to}");
        }
        assert_eq!(sessions_denied_before(&render(&[A.to_owned()], RoleDeny::Role)), None);
    }

    fn many(count: usize) -> Vec<String> {
        (0..count).map(|n| format!("arn:aws:ec2:us-east-1:123456789012:instance/i-{n:017x}")).collect()
    }

    #[test]
    fn many_instances_of_a_role_are_named_in_less_room_and_then_by_the_setting() {
        let of = |count: usize, overflow| {
            forms(&many(count), RoleDeny::Instance, overflow).into_iter().map(|(form, _)| form).collect::<Vec<_>>()
        };
        assert_eq!(of(150, RoleOverflow::Fail), [Form::Arns, Form::Ids]);
        assert_eq!(of(400, RoleOverflow::Fail), [Form::Ids]);
        assert_eq!(of(500, RoleOverflow::Fail), []);
        assert_eq!(of(500, RoleOverflow::Role), [Form::Role]);
    }

    #[test]
    fn each_form_denies_every_instance_that_it_names_and_only_the_whole_role_more() {
        let members = many(3);
        let other = "arn:aws:ec2:us-east-1:123456789012:instance/i-0fedcba9876543210";
        for (form, document) in forms(&members, RoleDeny::Instance, RoleOverflow::Role) {
            assert!(is_ours(&document) && members.iter().all(|arn| denies(&document, arn)), "{document}");
            assert_eq!(denies(&document, other), form == Form::Role, "{document}");
            assert_eq!(denies_role(&document), form == Form::Role, "{document}");
            assert!(members.iter().all(|arn| denies_session(&document, arn_name(arn))), "{document}");
            assert_eq!(denies_session(&document, arn_name(other)), form == Form::Role, "{document}");
        }
        let (_, short) = forms(&members[..1], RoleDeny::Instance, RoleOverflow::Fail).remove(1);
        expect![[
            r#"{"Statement":[{"Action":"*","Condition":{"StringLike":{"aws:userid":["*:i-00000000000000000"]}},"Effect":"Deny","Resource":"*","Sid":"BrigDeny"}],"Version":"2012-10-17"}"#
        ]]
        .assert_eq(&short);
    }

    #[test]
    fn a_denial_that_somebody_narrowed_denies_nothing() {
        let narrowed = |with: &str| {
            render(&[A.to_owned()], RoleDeny::Instance)
                .replace(r#""Condition":{"#, &format!(r#""Condition":{{{with},"#))
        };
        let whole = narrowed(r#""Bool":{"aws:SecureTransport":"false"}"#);
        assert!(is_ours(&whole) && !denies(&whole, A), "{whole}");
        let inner = render(&[A.to_owned()], RoleDeny::Instance)
            .replace(r#""ArnEquals":{"#, r#""ArnEquals":{"aws:SourceArn":"arn:aws:s3:::x","#);
        assert!(!denies(&inner, A), "{inner}");
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
