//! A person's questions that change nothing: what is on record of one instance, and which instance is meant by a name or
//! an address. Strict, as every request of a person's.

use std::net::IpAddr;

use super::{Invoked, ParseError, Whom, reading::optional, whom};
use crate::{
    model::ids::{AccountId, Region},
    trigger::json::Field,
};

/// The longest value that a tag can have (<https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html>).
const LONGEST_TAG: usize = 256;

/// Which instance is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Find {
    /// Where to look.
    pub account: AccountId,
    /// Where to look.
    pub region: Region,
    /// What is known of it.
    pub by: FindBy,
}

/// What is known of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindBy {
    /// The value of its Name tag, exactly.
    Name(String),
    /// A private, public or IPv6 address that one of its interfaces has now.
    Address(IpAddr),
}

/// `{"action": "show", "instance_id": "i-..."}`, or `access_key_id`, or `user`, or `role`.
pub(super) fn show(root: &Field<'_>, invoked: &Invoked) -> Result<Whom, ParseError> {
    only(root, "show", &[&whom::KEYS[..], &["account", "region"]].concat())?;
    whom::whom(root, invoked)
}

/// `{"action": "find", "name": "web-1"}`, or `address`.
pub(super) fn find(root: &Field<'_>, invoked: &Invoked) -> Result<Find, ParseError> {
    only(root, "find", &["name", "address", "account", "region"])?;
    let (name, address) = (root.get("name"), root.get("address"));
    let by = match (name.text()?, address.text()?) {
        (Some(text), None) if !text.is_empty() && text.chars().count() <= LONGEST_TAG => FindBy::Name(text.to_owned()),
        (Some(_), None) => return Err(name.wrong("a tag's value of 1 to 256 characters")),
        (None, Some(text)) => FindBy::Address(text.parse().map_err(|_| address.wrong("an IPv4 or IPv6 address"))?),
        (None, None) | (Some(_), Some(_)) => {
            return Err(ParseError::InvalidRequest("\"find\" takes either a name or an address".to_owned()));
        }
    };
    Ok(Find {
        account: optional(&root.get("account"), &invoked.account)?,
        region: optional(&root.get("region"), &invoked.region)?,
        by,
    })
}

/// A key that belongs to another action shows that something else was meant.
fn only(root: &Field<'_>, action: &str, allowed: &[&str]) -> Result<(), ParseError> {
    let keys = root.object().into_iter().flat_map(serde_json::Map::keys);
    let other = keys.map(String::as_str).find(|key| *key != "action" && !allowed.contains(key));
    match other {
        Some(key) => Err(ParseError::InvalidRequest(format!("{key}: \"{action}\" does not take it"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        settings::Policy,
        trigger::{LedgerRequest, Parsed, parse},
    };

    fn read(request: &Value) -> Result<Parsed, String> {
        let invoked = Invoked {
            account: "123456789012".parse().expect("account"),
            region: "us-east-1".parse().expect("region"),
            request_id: "r".to_owned(),
        };
        parse(request, &invoked, &Policy::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_on_record_is_asked_of_one_instance_here_or_elsewhere() {
        for (request, pk) in [
            (json!({"action": "show", "instance_id": "i-0123abcd"}), "123456789012/us-east-1/i-0123abcd"),
            (
                json!({"action": "show", "instance_id": "i-0123abcd", "account": "999988887777", "region": "eu-west-1"}),
                "999988887777/eu-west-1/i-0123abcd",
            ),
        ] {
            match read(&request) {
                Ok(Parsed::LedgerRequest(LedgerRequest::Show(Whom::Target(key)))) => assert_eq!(key.pk(), pk),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn an_instance_is_found_by_a_name_or_by_an_address() {
        let by = |request: Value| match read(&request) {
            Ok(Parsed::LedgerRequest(LedgerRequest::Find(find))) => find.by,
            other => panic!("{other:?}"),
        };
        assert_eq!(by(json!({"action": "find", "name": "web *"})), FindBy::Name("web *".to_owned()));
        let address = "2001:db8::7".parse().expect("an address");
        assert_eq!(by(json!({"action": "find", "address": "2001:db8::7"})), FindBy::Address(address));
    }

    #[test]
    fn what_belongs_to_another_action_or_is_no_name_is_refused_by_name() {
        for (request, named) in [
            (json!({"action": "show"}), "instance_id"),
            (json!({"action": "show", "instance_id": "i-0123abcd", "force": true}), "force"),
            (json!({"action": "show", "instance_id": "i-0123abcd", "name": "web"}), "name"),
            (json!({"action": "find"}), "a name or an address"),
            (json!({"action": "find", "name": "web", "address": "10.0.0.1"}), "a name or an address"),
            (json!({"action": "find", "name": ""}), "name"),
            (json!({"action": "find", "name": "x".repeat(257)}), "name"),
            (json!({"action": "find", "address": "10.0.0.0/8"}), "address"),
            (json!({"action": "find", "name": "web", "instance_id": "i-0123abcd"}), "instance_id"),
            (json!({"instance_id": "i-0123abcd", "name": "web"}), "name"),
            (json!({"action": "verify", "address": "10.0.0.1"}), "address"),
        ] {
            let error = read(&request).expect_err("it is refused");
            assert!(error.contains(named), "{request}: {error}");
        }
    }

    #[test]
    fn who_invokes_is_recorded_as_a_claim() {
        let arn = "arn:aws:sts::123456789012:assumed-role/ops/ana@example.com";
        let title = |request: Value| match read(&request) {
            Ok(Parsed::Request(request)) => request.findings[0].title.clone(),
            other => panic!("{other:?}"),
        };
        let told = title(json!({"instance_id": "i-0123abcd", "reason": "IR-7", "invoked_by": arn}));
        assert_eq!(told, format!("IR-7 (invoked by {arn}, as the caller claims)"));
        let told = title(json!({"instance_id": "i-0123abcd", "action": "release", "invoked_by": arn}));
        assert!(told.ends_with(&format!("(invoked by {arn}, as the caller claims)")), "{told}");
        let long = format!("arn:aws:iam::123456789012:user/{}", "x".repeat(2048));
        for claim in [json!("ana"), json!("arn:aws:iam::1:user/a\nCONTAINED"), json!(long), json!(7), json!("arn:ä")] {
            let error = read(&json!({"instance_id": "i-0123abcd", "invoked_by": claim})).expect_err("no ARN");
            assert!(error.starts_with("invoked_by: "), "{error}");
        }
        for action in ["status", "verify", "readiness"] {
            let error = read(&json!({"action": action, "invoked_by": arn})).expect_err("it is recorded nowhere");
            assert!(error.contains("invoked_by"), "{action}: {error}");
        }
    }
}
