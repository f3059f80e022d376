//! What a person types for an instance: its id, its ARN, `account/region/id` as reports write it, one of its addresses, or
//! its Name tag.

use std::net::IpAddr;

use brig_core::model::ids::{AccountId, InstanceId, Region};
use serde_json::{Map, Value};

use crate::fault::Fault;

/// The longest value that a tag can have.
const LONGEST_TAG: usize = 256;

/// An instance as it was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// By its id.
    Instance(Place),
    /// By an address that it has now.
    Address(IpAddr),
    /// By its Name tag.
    Name(String),
}

/// An instance, and where it is where that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub id: InstanceId,
    /// Its account; none: the function's own.
    pub account: Option<AccountId>,
    /// Its Region; none: the function's own.
    pub region: Option<Region>,
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
        if let Ok(id) = text.parse() {
            return Ok(Self::Instance(Place { id, account: None, region: None }));
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        let mut parts = text.splitn(3, '/');
        if let (Some(account), Some(region), Some(id)) = (parts.next(), parts.next(), parts.next())
            && let (Ok(account), Ok(region), Ok(id)) = (account.parse(), region.parse(), id.parse())
        {
            return Ok(Self::Instance(Place { id, account: Some(account), region: Some(region) }));
        }
        Ok(Self::Name(text.to_owned()))
    }
}

fn of_arn(text: &str) -> Result<Target, Fault> {
    let wrong = || {
        Fault::Input(format!("{text:?} is not an EC2 instance's ARN (arn:aws:ec2:<region>:<account>:instance/i-...)"))
    };
    let mut parts = text.splitn(6, ':').skip(2);
    let (Some("ec2"), Some(region), Some(account), Some(resource)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(wrong());
    };
    let id = resource.strip_prefix("instance/").and_then(|id| id.parse().ok()).ok_or_else(wrong)?;
    let account = account.parse().map_err(|_| wrong())?;
    let region = region.parse().map_err(|_| wrong())?;
    Ok(Target::Instance(Place { id, account: Some(account), region: Some(region) }))
}

impl Place {
    /// The keys of a request that name it.
    #[must_use]
    pub fn keys(&self) -> Map<String, Value> {
        let mut keys = Map::new();
        keys.insert("instance_id".to_owned(), Value::from(self.id.as_str()));
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
        match (&self.account, &self.region) {
            (Some(account), Some(region)) => format!("{account}/{region}/{}", self.id),
            (None, Some(_) | None) | (Some(_), None) => self.id.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match Target::parse(text) {
            Ok(Target::Instance(place)) => format!("instance {}", place.typed()),
            Ok(Target::Address(address)) => format!("address {address}"),
            Ok(Target::Name(name)) => format!("name {name}"),
            Err(fault) => format!("{fault}"),
        }
    }

    #[test]
    fn an_instance_is_named_by_id_arn_path_address_or_name() {
        let id = "i-0123456789abcdef0";
        assert_eq!(read(id), format!("instance {id}"));
        assert_eq!(read(&format!(" {id} ")), format!("instance {id}"));
        let arn = format!("arn:aws-us-gov:ec2:us-gov-west-1:123456789012:instance/{id}");
        assert_eq!(read(&arn), format!("instance 123456789012/us-gov-west-1/{id}"));
        let path = format!("123456789012/eu-west-1/{id}");
        assert_eq!(read(&path), format!("instance {path}"));
        assert_eq!(read("10.0.0.7"), "address 10.0.0.7");
        assert_eq!(read("2001:db8::1"), "address 2001:db8::1");
        assert_eq!(read("web-1"), "name web-1");
        assert_eq!(read("team/web/1"), "name team/web/1");
        assert_eq!(read("i-am-a-name"), "name i-am-a-name");
    }

    #[test]
    fn what_names_no_instance_is_refused() {
        for text in [
            "",
            "  ",
            "a\u{1b}[2J",
            "arn:aws:iam::123456789012:role/x",
            "arn:aws:ec2:us-east-1:123456789012:volume/vol-1",
            "arn:",
        ] {
            assert!(matches!(Target::parse(text), Err(Fault::Input(_))), "{text:?}");
        }
    }
}
