//! What a person types for an instance: its id, its ARN, `account/region/id` as reports write it, one of its addresses, or
//! its Name tag; for an IAM user `user/name`, its ARN, `account/iam/name`, or one of its access keys; for a
//! role `role/name`, its ARN, or `account/iam/role/name`.

use std::net::IpAddr;

use brig_core::model::ids::{AccessKeyId, AccountId, InstanceId, InvalidId, Region, RoleName, UserName, arn_name};
use serde_json::{Map, Value};

use crate::fault::Fault;

/// The longest value that a tag can have.
const LONGEST_TAG: usize = 256;

/// An instance as it was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An instance by its id, a user by its name or a key.
    Known(Place),
    /// By an address that it has now.
    Address(IpAddr),
    /// By its Name tag.
    Name(String),
}

/// What is meant, and where it is where that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub what: What,
    /// Its account; none: the function's own.
    pub account: Option<AccountId>,
    /// Its Region; none: the function's own, or a user's, which has none.
    pub region: Option<Region>,
}

/// What can be contained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Instance(InstanceId),
    /// An IAM user, by its name.
    User(UserName),
    /// An IAM role, by its name: its sessions.
    Role(RoleName),
    /// An IAM user, by one of its access keys.
    AccessKey(AccessKeyId),
}

impl Target {
    /// Reads what was typed.
    ///
    /// # Errors
    /// An ARN of something else, or a path that is none of Brig's.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > LONGEST_TAG || text.chars().any(char::is_control) {
            return Err(Fault::Input(format!(
                "{:?} is no instance: give an id, an ARN, an address, or a Name tag",
                text.chars().take(60).collect::<String>()
            )));
        }
        if text.starts_with("arn:") {
            return of_arn(text);
        }
        let here = |what| Ok(Self::Known(Place { what, account: None, region: None }));
        if let Ok(id) = text.parse() {
            return here(What::Instance(id));
        }
        if let Ok(key) = text.parse() {
            return here(What::AccessKey(key));
        }
        if let Some(name) = text.strip_prefix("user/") {
            let wrong = |error: InvalidId| Fault::Input(error.to_string());
            return here(What::User(name.parse().map_err(wrong)?));
        }
        if let Some(name) = text.strip_prefix("role/") {
            let wrong = |error: InvalidId| Fault::Input(error.to_string());
            return here(What::Role(name.parse().map_err(wrong)?));
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        let mut parts = text.splitn(3, '/');
        if let (Some(account), Some(region), Some(id)) = (parts.next(), parts.next(), parts.next())
            && let Ok(account) = account.parse()
        {
            if let (Ok(region), Ok(id)) = (region.parse(), id.parse()) {
                let what = What::Instance(id);
                return Ok(Self::Known(Place { what, account: Some(account), region: Some(region) }));
            }
            if let Some(name) = id.strip_prefix("role/").filter(|_| region == "iam") {
                let name = name.parse().map_err(|error: InvalidId| Fault::Input(error.to_string()))?;
                return Ok(Self::Known(Place { what: What::Role(name), account: Some(account), region: None }));
            }
            if let (true, Ok(name)) = (region == "iam", id.parse()) {
                return Ok(Self::Known(Place { what: What::User(name), account: Some(account), region: None }));
            }
        }
        Ok(Self::Name(text.to_owned()))
    }
}

fn of_arn(text: &str) -> Result<Target, Fault> {
    let wrong = || {
        Fault::Input(format!(
            "{text:?} is neither an EC2 instance's ARN (arn:aws:ec2:<region>:<account>:instance/i-...) nor a user's or a \
             role's (arn:aws:iam::<account>:user/..., arn:aws:iam::<account>:role/...)"
        ))
    };
    let mut parts = text.splitn(6, ':').skip(2);
    let (Some(service), Some(region), Some(account), Some(resource)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(wrong());
    };
    if let ("iam", Some(path)) = (service, resource.strip_prefix("user/")) {
        let name = arn_name(path).parse().map_err(|_| wrong())?;
        let account = account.parse().map_err(|_| wrong())?;
        return Ok(Target::Known(Place { what: What::User(name), account: Some(account), region: None }));
    }
    if let ("iam", Some(path)) = (service, resource.strip_prefix("role/")) {
        let name = arn_name(path).parse().map_err(|_| wrong())?;
        let account = account.parse().map_err(|_| wrong())?;
        return Ok(Target::Known(Place { what: What::Role(name), account: Some(account), region: None }));
    }
    if service != "ec2" {
        return Err(wrong());
    }
    let id = resource.strip_prefix("instance/").and_then(|id| id.parse().ok()).ok_or_else(wrong)?;
    let account = account.parse().map_err(|_| wrong())?;
    let region = region.parse().map_err(|_| wrong())?;
    Ok(Target::Known(Place { what: What::Instance(id), account: Some(account), region: Some(region) }))
}

impl Place {
    /// The keys of a request that name it.
    #[must_use]
    pub fn keys(&self) -> Map<String, Value> {
        let mut keys = Map::new();
        let (key, value) = match &self.what {
            What::Instance(id) => ("instance_id", id.as_str()),
            What::User(name) => ("user", name.as_str()),
            What::Role(name) => ("role", name.as_str()),
            What::AccessKey(id) => ("access_key_id", id.as_str()),
        };
        keys.insert(key.to_owned(), Value::from(value));
        if let Some(account) = &self.account {
            keys.insert("account".to_owned(), Value::from(account.as_str()));
        }
        if let Some(region) = &self.region {
            keys.insert("region".to_owned(), Value::from(region.as_str()));
        }
        keys
    }

    /// How it is typed.
    #[must_use]
    pub fn typed(&self) -> String {
        match (&self.what, &self.account, &self.region) {
            (What::Instance(id), Some(account), Some(region)) => format!("{account}/{region}/{id}"),
            (What::Instance(id), None, _) | (What::Instance(id), Some(_), None) => id.to_string(),
            (What::User(name), Some(account), _) => format!("{account}/iam/{name}"),
            (What::User(name), None, _) => format!("user/{name}"),
            (What::Role(name), Some(account), _) => format!("{account}/iam/role/{name}"),
            (What::Role(name), None, _) => format!("role/{name}"),
            (What::AccessKey(id), _, _) => id.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match Target::parse(text) {
            Ok(Target::Known(place)) => match place.what {
                What::Instance(_) => format!("an instance {}", place.typed()),
                What::User(_) | What::AccessKey(_) => format!("a user {}", place.typed()),
                What::Role(_) => format!("a role {}", place.typed()),
            },
            Ok(Target::Address(address)) => format!("address {address}"),
            Ok(Target::Name(name)) => format!("name {name}"),
            Err(fault) => format!("{fault}"),
        }
    }

    #[test]
    fn a_role_is_named_by_its_name_its_arn_or_its_path() {
        assert_eq!(read("role/app"), "a role role/app");
        assert_eq!(read("123456789012/iam/role/app"), "a role 123456789012/iam/role/app");
        assert_eq!(read("arn:aws:iam::123456789012:role/team/app"), "a role 123456789012/iam/role/app");
        assert!(read("role/a b").contains("is not an IAM role's name"), "{}", read("role/a b"));
    }

    #[test]
    fn an_instance_is_named_by_id_arn_path_address_or_name() {
        let id = "i-0123456789abcdef0";
        assert_eq!(read(id), format!("an instance {id}"));
        assert_eq!(read(&format!(" {id} ")), format!("an instance {id}"));
        let arn = format!("arn:aws-us-gov:ec2:us-gov-west-1:123456789012:instance/{id}");
        assert_eq!(read(&arn), format!("an instance 123456789012/us-gov-west-1/{id}"));
        let path = format!("123456789012/eu-west-1/{id}");
        assert_eq!(read(&path), format!("an instance {path}"));
        assert_eq!(read("10.0.0.7"), "address 10.0.0.7");
        assert_eq!(read("2001:db8::1"), "address 2001:db8::1");
        assert_eq!(read("web-1"), "name web-1");
        assert_eq!(read("team/web/1"), "name team/web/1");
        assert_eq!(read("i-am-a-name"), "name i-am-a-name");
    }

    #[test]
    fn a_user_is_named_by_name_arn_path_or_key() {
        assert_eq!(read("user/alice"), "a user user/alice");
        assert_eq!(read("123456789012/iam/alice"), "a user 123456789012/iam/alice");
        assert_eq!(read("arn:aws:iam::123456789012:user/staff/alice"), "a user 123456789012/iam/alice");
        assert_eq!(read("AKIAIOSFODNN7EXAMPLE"), "a user AKIAIOSFODNN7EXAMPLE");
        assert_eq!(read("alice"), "name alice");
        assert!(matches!(Target::parse("user/a b"), Err(Fault::Input(_))));
    }

    #[test]
    fn what_names_no_instance_is_refused() {
        for text in [
            "",
            "  ",
            "a\u{1b}[2J",
            "arn:aws:iam::123456789012:group/x",
            "arn:aws:ec2:us-east-1:123456789012:volume/vol-1",
            "arn:",
        ] {
            assert!(matches!(Target::parse(text), Err(Fault::Input(_))), "{text:?}");
        }
    }
}
