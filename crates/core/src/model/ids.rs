//! AWS identifiers as types, so that an interface id cannot be handed where a group id belongs. Those that enter from an
//! event are checked strictly; those that AWS's own answers carry are taken as they are.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, ser::SerializeStruct as _};

use crate::model::text;

/// A text that is not the identifier it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{value}\" is not {expected}")]
pub struct InvalidId {
    /// The text as one line, cut to 60 characters.
    pub value: String,
    /// What was expected, for a person.
    pub expected: &'static str,
}

impl InvalidId {
    fn new(value: &str, expected: &'static str) -> Self {
        Self { value: text::one_line(value, 60), expected }
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The identifier as AWS writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

macro_rules! answered_id {
    ($(#[$doc:meta])* $name:ident) => {
        text_id!($(#[$doc])* $name);

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
    };
}

macro_rules! checked_id {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $check:expr) => {
        text_id!($(#[$doc])* $name);

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let check: fn(&str) -> bool = $check;
                if check(text) { Ok(Self(text.to_owned())) } else { Err(InvalidId::new(text, $expected)) }
            }
        }
    };
}

checked_id!(
    /// An EC2 instance: `i-` and 8 or 17 lower-case hex digits.
    InstanceId,
    "an EC2 instance id (i- and 8 or 17 lower-case hex digits)",
    |text| text.strip_prefix("i-").is_some_and(is_short_or_long_hex)
);
checked_id!(
    /// An access key: `AKIA` for one of a user's or the root user's own, `ASIA` for one of a session, and 16 to 124 more
    /// capital letters and digits
    /// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html>).
    AccessKeyId,
    "an access key id (AKIA or ASIA, and at least 16 capital letters and digits)",
    |text| {
        let rest = text.strip_prefix("AKIA").or_else(|| text.strip_prefix("ASIA"));
        rest.is_some_and(|rest| {
            (16..=124).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        })
    }
);
checked_id!(
    /// An IAM user's name, without its path: 1 to 64 letters, digits and `_+=,.@-`
    /// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_User.html>).
    UserName,
    "an IAM user's name (1 to 64 letters, digits and _+=,.@-)",
    is_iam_name
);
checked_id!(
    /// An IAM role's name, without its path: 1 to 64 letters, digits and `_+=,.@-`
    /// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html>).
    RoleName,
    "an IAM role's name (1 to 64 letters, digits and _+=,.@-)",
    is_iam_name
);
checked_id!(
    /// An AWS account: 12 digits.
    AccountId,
    "an AWS account id (12 digits)",
    |text| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
);
checked_id!(
    /// An AWS Region, `eu-central-1`.
    Region,
    "an AWS Region (such as eu-central-1)",
    is_region
);
answered_id!(
    /// A network interface, `eni-...`.
    EniId
);
answered_id!(
    /// A security group, `sg-...`.
    GroupId
);
answered_id!(
    /// A VPC, `vpc-...`.
    VpcId
);
answered_id!(
    /// An EBS volume, `vol-...`.
    VolumeId
);
answered_id!(
    /// An EBS snapshot, `snap-...`.
    SnapshotId
);
answered_id!(
    /// One containment of one instance: the instance's id and the second it was claimed in.
    /// Fits a role session name and a source identity (`[\w+=,.@-]{2,64}`).
    ContainmentId
);

fn is_iam_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
}

fn is_short_or_long_hex(text: &str) -> bool {
    matches!(text.len(), 8 | 17) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [first, middle @ .., last] = parts.as_slice() else { return false };
    let word = |part: &&str| !part.is_empty() && part.len() < 16 && part.bytes().all(|b| b.is_ascii_lowercase());
    word(first)
        && !middle.is_empty()
        && middle.len() < 4
        && middle.iter().all(word)
        && matches!(last.len(), 1 | 2)
        && last.bytes().all(|b| b.is_ascii_digit())
}

impl Region {
    /// The Region of AWS's global services, where no other is known.
    #[must_use]
    pub fn first() -> Self {
        Self("us-east-1".to_owned())
    }

    /// Where IAM's calls are on record of CloudTrail, in this Region's partition
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html>).
    #[must_use]
    pub fn of_iam(&self) -> Self {
        Self(
            match self.partition() {
                "aws-cn" => "cn-north-1",
                "aws-us-gov" => "us-gov-west-1",
                "aws" => "us-east-1",
                _ => self.as_str(),
            }
            .to_owned(),
        )
    }

    /// The partition that this Region belongs to, as it stands in an ARN
    /// (<https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html>).
    #[must_use]
    pub fn partition(&self) -> &'static str {
        const BY_PREFIX: [(&str, &str); 7] = [
            ("cn-", "aws-cn"),
            ("us-gov-", "aws-us-gov"),
            ("us-isob-", "aws-iso-b"),
            ("us-isof-", "aws-iso-f"),
            ("us-iso-", "aws-iso"),
            ("eu-isoe-", "aws-iso-e"),
            ("eusc-", "aws-eusc"),
        ];
        BY_PREFIX.iter().find(|(prefix, _)| self.0.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
    }
}

impl AccessKeyId {
    /// Every access key's id in a text, long-term ones and those of sessions: alone, in an ARN, between other words.
    pub fn all_in(text: &str) -> impl Iterator<Item = Self> + '_ {
        text.split(|c: char| !c.is_ascii_alphanumeric()).filter_map(|word| word.parse().ok())
    }

    /// Whether it is one of a session, which nobody can deactivate: it ends on its own, and is denied through its principal.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.0.starts_with("ASIA")
    }
}

impl InstanceId {
    /// The instance's ARN, the value of `ec2:SourceInstanceARN` in calls made with its credentials.
    #[must_use]
    pub fn arn(&self, account: &AccountId, region: &Region) -> String {
        format!("arn:{}:ec2:{region}:{account}:instance/{self}", region.partition())
    }
}

/// An ARN's parts (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arn<'a> {
    /// Its Region; empty for global resources.
    pub region: &'a str,
    /// Its account; empty where the resource has none.
    pub account: &'a str,
    /// The rest, with its own colons and slashes.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Splits an ARN; `None` for any other text.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let (arn, partition, _service) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
        (arn == "arn" && partition.starts_with("aws")).then_some(Self { region, account, resource })
    }
}

/// The last part of an ARN's resource: the name of an instance profile or a role whose ARN may carry a path.
#[must_use]
pub fn arn_name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// An instance, everywhere: the ledger's partition key is `<account>/<region>/<instance>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceKey {
    pub account: AccountId,
    pub region: Region,
    pub instance: InstanceId,
}

impl InstanceKey {
    /// The partition key.
    #[must_use]
    pub fn pk(&self) -> String {
        format!("{}/{}/{}", self.account, self.region, self.instance)
    }

    /// Reads a partition key.
    #[must_use]
    pub fn parse(pk: &str) -> Option<Self> {
        let mut parts = pk.splitn(3, '/');
        let (account, region, instance) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { account: account.parse().ok()?, region: region.parse().ok()?, instance: instance.parse().ok()? })
    }
}

impl serde::Serialize for InstanceKey {
    /// `account`, `region` and `instance_id`.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_struct("InstanceKey", 3)?;
        map.serialize_field("account", &self.account)?;
        map.serialize_field("region", &self.region)?;
        map.serialize_field("instance_id", &self.instance)?;
        map.end()
    }
}

/// An IAM user, everywhere: the ledger's partition key is `<account>/iam/<user>`, since IAM knows no Region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct UserKey {
    pub account: AccountId,
    pub user: UserName,
}

/// An IAM role whose sessions are denied: the ledger's partition key is `<account>/iam/role/<role>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RoleKey {
    pub account: AccountId,
    pub role: RoleName,
}

/// Stands for the Region in the keys of what has none.
const IAM: &str = "iam";
/// Before a role's name: no user's name has a slash.
const ROLE: &str = "role/";
/// Characters of a user's name in the id of its containment, which has to fit a role session's name (64).
const IN_AN_ID: usize = 40;

/// What is contained: the ledger keeps the same records of each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(untagged)]
pub enum TargetKey {
    Instance(InstanceKey),
    User(UserKey),
    Role(RoleKey),
}

impl TargetKey {
    /// The partition key of its records.
    #[must_use]
    pub fn pk(&self) -> String {
        let kind = if matches!(self, Self::Role(_)) { ROLE } else { "" };
        format!("{}/{kind}{}", self.place(), self.name())
    }

    /// Reads a partition key.
    #[must_use]
    pub fn parse(pk: &str) -> Option<Self> {
        let mut parts = pk.splitn(3, '/');
        let (account, place, name) = (parts.next()?, parts.next()?, parts.next()?);
        if place == IAM {
            if let Some(role) = name.strip_prefix(ROLE) {
                return Some(Self::Role(RoleKey { account: account.parse().ok()?, role: role.parse().ok()? }));
            }
            let (account, user) = (account.parse().ok()?, name.parse().ok()?);
            return Some(Self::User(UserKey { account, user }));
        }
        InstanceKey::parse(pk).map(Self::Instance)
    }

    #[must_use]
    pub fn account(&self) -> &AccountId {
        match self {
            Self::Instance(key) => &key.account,
            Self::User(key) => &key.account,
            Self::Role(key) => &key.account,
        }
    }

    /// `<account>/<region>`, or `<account>/iam`: where containments are counted.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Instance(key) => format!("{}/{}", key.account, key.region),
            Self::User(UserKey { account, .. }) | Self::Role(RoleKey { account, .. }) => format!("{account}/{IAM}"),
        }
    }

    /// How messages name it: `user alice`, `role app`, or the instance's id.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::Instance(key) => key.instance.to_string(),
            Self::User(key) => format!("user {}", key.user),
            Self::Role(key) => format!("role {}", key.role),
        }
    }

    /// The instance's id, or the user's or the role's name: the resource of every step that names no other.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Instance(key) => key.instance.as_str(),
            Self::User(key) => key.user.as_str(),
            Self::Role(key) => key.role.as_str(),
        }
    }

    /// What the id of each of its containments begins with.
    #[must_use]
    pub fn id_prefix(&self) -> String {
        let name = self.name();
        format!("{}-", name.get(..IN_AN_ID).unwrap_or(name))
    }

    /// The instance, where it is one.
    #[must_use]
    pub fn instance(&self) -> Option<&InstanceKey> {
        match self {
            Self::Instance(key) => Some(key),
            Self::User(_) | Self::Role(_) => None,
        }
    }

    /// The user, where it is one.
    #[must_use]
    pub fn user(&self) -> Option<&UserKey> {
        match self {
            Self::Instance(_) | Self::Role(_) => None,
            Self::User(key) => Some(key),
        }
    }

    /// The role, where it is one.
    #[must_use]
    pub fn role(&self) -> Option<&RoleKey> {
        match self {
            Self::Instance(_) | Self::User(_) => None,
            Self::Role(key) => Some(key),
        }
    }
}

impl From<InstanceKey> for TargetKey {
    fn from(key: InstanceKey) -> Self {
        Self::Instance(key)
    }
}

impl From<RoleKey> for TargetKey {
    fn from(key: RoleKey) -> Self {
        Self::Role(key)
    }
}

impl From<UserKey> for TargetKey {
    fn from(key: UserKey) -> Self {
        Self::User(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_read_back_from_its_key() {
        for key in [
            "123456789012/eu-central-1/i-0123456789abcdef0",
            "123456789012/iam/alice+ci@example.com",
            "123456789012/iam/role/app",
        ] {
            assert_eq!(TargetKey::parse(key).map(|key| key.pk()).as_deref(), Some(key));
        }
        for bad in [
            "",
            "123456789012/iam/",
            "123456789012/iam/a b",
            "123456789012/iam/a/b",
            "123456789012/iam/role/",
            "123456789012/iam/role/a/b",
            "1/iam/alice",
        ] {
            assert_eq!(TargetKey::parse(bad), None, "{bad}");
        }
        // A user may be called like an instance: its key is another one.
        let user = TargetKey::parse("123456789012/iam/i-0123abcd").expect("a key");
        assert!(user.user().is_some() && user.instance().is_none());
    }

    #[test]
    fn a_key_of_an_account_is_long_term_and_a_sessions_is_not() {
        let id = |text: &str| text.parse::<AccessKeyId>();
        assert!(id("AKIAIOSFODNN7EXAMPLE").is_ok_and(|key| !key.is_temporary()));
        assert!(id("ASIAIOSFODNN7EXAMPLE").is_ok_and(|key| key.is_temporary()));
        for bad in ["", "AKIA", "AKIAiosfodnn7example", "AIDAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE "] {
            assert!(id(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn instance_ids_are_whole_lower_case_and_8_or_17_digits_long() {
        for good in ["i-0123abcd", "i-0123456789abcdef0"] {
            assert!(good.parse::<InstanceId>().is_ok(), "{good}");
        }
        for bad in ["", "i-", " i-0123abcd", "i-0123ABCD", "eni-bfcffe88", "ami-99999999", "i-0123abcde", "i-XYZ"] {
            assert!(bad.parse::<InstanceId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_arn_is_written_in_the_partition_of_its_region() {
        let instance: InstanceId = "i-0123abcd".parse().expect("id");
        let account: AccountId = "123456789012".parse().expect("account");
        let arn = |region: &str| instance.arn(&account, &region.parse().expect("region"));
        assert_eq!(arn("eu-central-1"), "arn:aws:ec2:eu-central-1:123456789012:instance/i-0123abcd");
        assert_eq!(arn("us-gov-west-1"), "arn:aws-us-gov:ec2:us-gov-west-1:123456789012:instance/i-0123abcd");
        assert_eq!(arn("cn-north-1"), "arn:aws-cn:ec2:cn-north-1:123456789012:instance/i-0123abcd");
        assert_eq!(arn("us-isob-east-1"), "arn:aws-iso-b:ec2:us-isob-east-1:123456789012:instance/i-0123abcd");
    }

    #[test]
    fn a_region_has_words_and_a_number() {
        for bad in ["", "global", "us-east", "us--1", "US-EAST-1", "us-east-1a", "us-east-1;x"] {
            assert!(bad.parse::<Region>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_is_what_follows_the_path() {
        assert_eq!(arn_name("arn:aws:iam::123456789012:instance-profile/web/app/frontend"), "frontend");
    }
}
