//! Where a trace begins: an instance, an access key, or a user.

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
    /// All that a user signs with, by its name.
    User(String),
    /// All sessions of a role, by its name.
    Role(String),
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
        let word = |text: &str| {
            !text.is_empty() && text.len() <= 128 && text.chars().all(|c| !c.is_whitespace() && !c.is_control())
        };
        let upper = |text: &str| text.len() >= 12 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        let known = match text {
            key if (key.starts_with("AKIA") || key.starts_with("ASIA")) && upper(key) => {
                Some(Self::Key(key.to_owned()))
            }
            id if id.starts_with("i-") && id.len() > 9 && word(id) => Some(Self::Instance(id.to_owned())),
            named => named
                .rsplit_once("user/")
                .filter(|(_, name)| word(name))
                .map(|(_, name)| Self::User(name.rsplit('/').next().unwrap_or(name).to_owned()))
                .or_else(|| {
                    let (_, name) = named.rsplit_once("role/").filter(|(_, name)| word(name))?;
                    Some(Self::Role(name.rsplit('/').next().unwrap_or(name).to_owned()))
                }),
        };
        known.ok_or_else(|| RootError(text.chars().take(60).collect()))
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance(id) => f.write_str(id),
            Self::Key(key) => f.write_str(key),
            Self::User(name) => write!(f, "user/{name}"),
            Self::Role(name) => write!(f, "role/{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_read_as_people_type_it() {
        let read = |text: &str| text.parse::<Root>().map_or_else(|error| error.to_string(), |root| format!("{root:?}"));
        assert_eq!(read("i-0123456789abcdef0"), "Instance(\"i-0123456789abcdef0\")");
        assert_eq!(read("AKIAXGWLCZI4IL6RUGEH"), "Key(\"AKIAXGWLCZI4IL6RUGEH\")");
        assert_eq!(read("arn:aws:iam::123456789012:user/team/alice"), "User(\"alice\")");
        assert_eq!(read("role/app"), "Role(\"app\")");
        assert!(read("alice").contains("is neither"), "{}", read("alice"));
    }
}
