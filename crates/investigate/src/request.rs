//! What the function is asked.

use std::time::Duration;

use brig_core::model::{
    ids::{AccountId, InstanceKey, Region, TargetKey},
    text,
    timestamp::Timestamp,
};
use brig_trace::{Named, Root};
use serde_json::Value;

/// CloudTrail keeps ninety days.
const MOST_HOURS: u64 = 90 * 24 - 1;
const DAY: u64 = 24;

/// A request that cannot be read: the field and the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RequestError(String);

/// What a person asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// What its credentials did.
    Trace,
    /// Evidence of its containment, written where it is kept.
    Investigate,
    /// The chain of custody of its evidence.
    Custody,
}

/// What is asked, about whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub action: Action,
    pub root: Root,
    /// None: the function's own.
    pub account: Option<AccountId>,
    /// The instance's Region; none: the function's own.
    pub region: Option<Region>,
    /// When it was cut off; none: as the ledger has it.
    pub cut: Option<Timestamp>,
    /// How far to look back.
    pub back: Duration,
    /// Who asks, as they say: it goes into the chain of custody.
    pub by: Option<String>,
}

impl Request {
    /// Reads `{"action": "trace", "access_key_id": "AKIA..."}`, or `instance_id`, `user` or `role`; with `account`, `region`,
    /// `cut`, `hours` and `by`. The action may be `investigate` or `custody`, too.
    ///
    /// # Errors
    /// Names the field and the value that cannot be read.
    pub fn read(event: &Value) -> Result<Self, RequestError> {
        const KEYS: [&str; 10] =
            ["action", "access_key_id", "instance_id", "user", "role", "account", "region", "cut", "hours", "by"];
        let wrong = |key: &str, value: &Value, expected: &str| {
            RequestError(format!("{key}: {} is not {expected}", text::one_line(&value.to_string(), 80)))
        };
        let map = event.as_object().ok_or_else(|| RequestError("the request is not an object".to_owned()))?;
        if let Some(key) = map.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(RequestError(format!(
                "{}: no such key; known are {}",
                text::one_line(key, 80),
                KEYS.join(", ")
            )));
        }
        let named = map.get("action").unwrap_or(&Value::Null);
        let action = match named.as_str() {
            Some("trace") => Action::Trace,
            Some("investigate") => Action::Investigate,
            Some("custody") => Action::Custody,
            Some(_) | None => {
                return Err(wrong(
                    "action",
                    named,
                    "\"trace\", \"investigate\" or \"custody\", which is all that this function does",
                ));
            }
        };
        let roots = [("access_key_id", ""), ("instance_id", ""), ("user", "user/"), ("role", "role/")];
        let given: Vec<(&str, &str, &Value)> =
            roots.iter().filter_map(|(key, prefix)| map.get(*key).map(|value| (*key, *prefix, value))).collect();
        let [(key, prefix, value)] = given.as_slice() else {
            let named: Vec<&str> = roots.iter().map(|(key, _)| *key).collect();
            return Err(RequestError(format!("give one of {}", named.join(", "))));
        };
        let named = value.as_str().filter(|text| !text.is_empty()).ok_or_else(|| wrong(key, value, "a text"))?;
        let root: Root = format!("{prefix}{named}")
            .parse()
            .map_err(|error: brig_trace::RootError| RequestError(format!("{key}: {error}")))?;
        let typed = |key: &'static str| map.get(key).filter(|value| !value.is_null());
        let account = typed("account").map(|value| {
            value
                .as_str()
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| wrong("account", value, "an AWS account id (12 digits)"))
        });
        let region = typed("region").map(|value| {
            value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| wrong("region", value, "an AWS Region"))
        });
        let cut = typed("cut").map(|value| {
            Timestamp::read(value).ok_or_else(|| wrong("cut", value, "a time such as 2026-01-02T03:04:05Z"))
        });
        let hours = typed("hours").map(|value| {
            let hours = value.as_u64().filter(|hours| (1..=MOST_HOURS).contains(hours));
            hours.ok_or_else(|| wrong("hours", value, "a whole number from 1 to 2159"))
        });
        let by = typed("by").map(|value| {
            let by = value.as_str().filter(|by| !by.is_empty());
            by.map(|by| text::one_line(by, text::NAME)).ok_or_else(|| wrong("by", value, "a text"))
        });
        let back = Duration::from_hours(hours.transpose()?.unwrap_or(DAY));
        let account = match (account.transpose()?, of_arn(&root)) {
            (Some(account), Some(of_arn)) if account != of_arn => {
                return Err(RequestError(format!("account: {account} is not that of {key}, {of_arn}")));
            }
            (account, of_arn) => account.or(of_arn),
        };
        let (region, cut, by) = (region.transpose()?, cut.transpose()?, by.transpose()?);
        Ok(Self { action, root, account, region, cut, back, by })
    }

    /// A look back at a target as of its containment.
    #[must_use]
    pub fn of(target: &TargetKey, home: &Region, back: Duration) -> Self {
        let named = |name: &str| Named { name: name.to_owned(), account: None };
        let (root, region) = match target {
            TargetKey::Instance(key) => (Root::Instance(key.instance.to_string()), key.region.clone()),
            TargetKey::User(key) => (Root::User(named(key.user.as_str())), home.clone()),
            TargetKey::Role(key) => (Root::Role(named(key.role.as_str())), home.clone()),
        };
        let (account, region) = (Some(target.account().clone()), Some(region));
        Self { action: Action::Trace, root, account, region, cut: None, back, by: None }
    }

    /// What the ledger knows it by; none of a key, whose user is not known yet.
    #[must_use]
    pub fn target(&self, own: &AccountId, home: &Region) -> Option<TargetKey> {
        let account = self.account.clone().unwrap_or_else(|| own.clone());
        match &self.root {
            Root::Instance(id) => {
                let region = self.region.clone().unwrap_or_else(|| home.clone());
                Some(InstanceKey { account, region, instance: id.parse().ok()? }.into())
            }
            Root::User(named) => TargetKey::parse(&format!("{account}/iam/{}", named.name)),
            Root::Role(named) => TargetKey::parse(&format!("{account}/iam/role/{}", named.name)),
            Root::Key(_) => None,
        }
    }
}

/// The account of a root that was given as an ARN.
fn of_arn(root: &Root) -> Option<AccountId> {
    match root {
        Root::User(named) | Root::Role(named) => named.account.as_deref()?.parse().ok(),
        Root::Instance(_) | Root::Key(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn error(event: &Value) -> String {
        Request::read(event).expect_err("wrong").to_string()
    }

    #[test]
    fn what_cannot_be_read_names_the_field_and_the_value() {
        assert!(
            error(&json!({"action": "contain", "user": "alice"})).starts_with("action: \"contain\" is not \"trace\"")
        );
        assert!(error(&json!({"action": "trace"})).starts_with("give one of"));
        assert!(error(&json!({"action": "trace", "user": "a", "role": "b"})).starts_with("give one of"));
        assert!(error(&json!({"action": "trace", "instance_id": "web-1"})).starts_with("instance_id:"));
        assert_eq!(
            error(&json!({"action": "trace", "user": "a", "hours": 0})),
            "hours: 0 is not a whole number from 1 to 2159"
        );
        assert!(error(&json!({"action": "trace", "user": "a", "delete": true})).starts_with("delete: no such key"));
        assert_eq!(error(&json!({"action": "trace", "user": 7})), "user: 7 is not a text");
    }

    #[test]
    fn a_request_names_a_target_of_the_ledger() {
        let request = Request::read(&json!({"action": "trace", "user": "alice", "hours": 2})).expect("a request");
        let (own, home) = ("123456789012".parse().expect("an account"), "us-east-1".parse().expect("a Region"));
        assert_eq!(request.target(&own, &home).expect("a key").pk(), "123456789012/iam/alice");
        assert_eq!(request.back, Duration::from_hours(2));
    }
}
