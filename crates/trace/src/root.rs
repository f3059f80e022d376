//! Where a trace begins: an instance, an access key, a user, or a role.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is traced.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Root {
    /// The sessions that an instance's metadata service handed out, by its id.
    Instance(String),
    /// One access key, of a user or of a session.
    Key(String),
    /// All that a user signs with.
    User(Named),
    /// All sessions of a role.
    Role(Named),
}

/// A user or a role by its name, which other accounts may have given too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Named {
    pub name: String,
    /// None: in whichever account.
    pub account: Option<String>,
}

impl From<String> for Named {
    /// `alice`, or `123456789012/alice`: a name has no slash.
    fn from(text: String) -> Self {
        match text.split_once('/') {
            Some((account, name)) => Self { name: name.to_owned(), account: Some(account.to_owned()) },
            None => Self { name: text, account: None },
        }
    }
}

impl From<Named> for String {
    fn from(named: Named) -> Self {
        match named.account {
            Some(account) => format!("{account}/{}", named.name),
            None => named.name,
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.account.as_ref().map_or(Ok(()), |account| write!(f, " of {account}"))
    }
}

/// A text that is none of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither an instance's id, an access key (AKIA..., ASIA...), user/<name> nor role/<name>")]
pub struct RootError(pub String);

impl std::str::FromStr for Root {
    type Err = RootError;

    /// Reads what a person types. Ids of exports in which characters were replaced are taken as they are.
    fn from_str(text: &str) -> Result<Self, RootError> {
        let text = text.trim();
        let upper = |text: &str| text.len() >= 12 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        let known = match text {
            key if (key.starts_with("AKIA") || key.starts_with("ASIA")) && upper(key) => {
                Some(Self::Key(key.to_owned()))
            }
            id if id.starts_with("i-") && id.len() > 9 && is_word(id) => Some(Self::Instance(id.to_owned())),
            named => named_root(named),
        };
        known.ok_or_else(|| RootError(text.chars().take(60).collect()))
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= 128 && text.chars().all(|c| !c.is_whitespace() && !c.is_control())
}

/// `user/alice`, `role/app`, or an ARN of one, of IAM's or of a session; `user/arn:...` is the ARN of a user.
fn named_root(text: &str) -> Option<Root> {
    let prefix = ["user/", "role/"].into_iter().find(|prefix| text.starts_with(*prefix));
    let inner = prefix.map_or(text, |prefix| text.strip_prefix(prefix).unwrap_or(text));
    let Some(arn) = inner.strip_prefix("arn:") else { return of_resource(text, None) };
    // After the partition, the service and an empty Region.
    let mut parts = arn.splitn(5, ':').skip(3);
    let (account, resource) = (parts.next()?, parts.next()?);
    let root = of_resource(resource, Some(account).filter(|account| is_word(account) && !account.contains('/')))?;
    let fits = match (&root, prefix) {
        (_, None) | (Root::User(_), Some("user/")) | (Root::Role(_), Some("role/")) => true,
        (Root::User(_) | Root::Role(_) | Root::Instance(_) | Root::Key(_), Some(_)) => false,
    };
    fits.then_some(root)
}

fn of_resource(resource: &str, account: Option<&str>) -> Option<Root> {
    let named =
        |name: &str| is_word(name).then(|| Named { name: name.to_owned(), account: account.map(str::to_owned) });
    // A path stands before the name; a session's name stands after that of its role.
    let last = |text: &str| named(text.rsplit('/').next().unwrap_or(text));
    if let Some(path) = resource.strip_prefix("user/") {
        last(path).map(Root::User)
    } else if let Some(session) = resource.strip_prefix("assumed-role/") {
        named(session.split('/').next().unwrap_or(session)).map(Root::Role)
    } else {
        last(resource.strip_prefix("role/")?).map(Root::Role)
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance(id) => f.write_str(id),
            Self::Key(key) => f.write_str(key),
            Self::User(named) => write!(f, "user/{named}"),
            Self::Role(named) => write!(f, "role/{named}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_read_as_people_type_it_and_an_arn_keeps_its_account() {
        for (text, shown) in [
            ("i-0123456789abcdef0", "i-0123456789abcdef0"),
            ("AKIAXGWLCZI4IL6RUGEH", "AKIAXGWLCZI4IL6RUGEH"),
            ("arn:aws:iam::123456789012:user/team/alice", "user/alice of 123456789012"),
            ("user/arn:aws:iam::123456789012:user/alice", "user/alice of 123456789012"),
            ("role/app", "role/app"),
            ("arn:aws-cn:iam::123456789012:role/service-role/app", "role/app of 123456789012"),
            ("arn:aws:sts::123456789012:assumed-role/app/i-0123456789abcdef0", "role/app of 123456789012"),
        ] {
            let root: Result<Root, _> = text.parse();
            assert_eq!(root.as_ref().map_or_else(ToString::to_string, ToString::to_string), shown, "{text}");
            let written = serde_json::to_string(&root.ok()).unwrap_or_default();
            assert_eq!(serde_json::from_str::<Option<Root>>(&written).ok().flatten(), text.parse().ok(), "{written}");
        }
    }

    #[test]
    fn what_is_no_root_is_refused() {
        for text in
            ["alice", "arn:aws:sts::123456789012:federated-user/eve", "user/arn:aws:iam::1:role/app", "user/", "arn:"]
        {
            let error = text.parse::<Root>().map_or_else(|error| error.to_string(), |root| root.to_string());
            assert!(error.contains("is neither"), "{error}");
        }
    }
}
