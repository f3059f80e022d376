//! Access keys that an instance shows.

use std::{collections::BTreeMap, fmt};

use crate::model::ids::AccessKeyId;

/// So many keys of one instance are asked about: whoever may tag it could name thousands.
const MOST: usize = 5;

/// Where a key of a user was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShownBy {
    /// The script or the settings that the instance was launched with.
    UserData,
    /// A tag, by its key.
    Tag(String),
    /// CloudTrail has a call on the instance that the key signed: the one that launched it, or one that lets somebody in.
    Call(String),
}

impl fmt::Display for ShownBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UserData => f.write_str("its user data shows"),
            Self::Tag(key) => write!(f, "its tag {key} shows"),
            Self::Call(call) => write!(f, "CloudTrail shows {call} on it, signed with"),
        }
    }
}

/// A long-term access key, and where it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownKey {
    pub key: AccessKeyId,
    pub by: ShownBy,
}

/// The long-term keys that an instance shows, each once. `calls` are the calls on it and the keys that signed them.
#[must_use]
pub fn keys_shown<'a>(
    user_data: &str,
    tags: &BTreeMap<String, String>,
    calls: impl Iterator<Item = (&'a str, &'a AccessKeyId)>,
) -> Vec<ShownKey> {
    let of = |text: &str, by: ShownBy| -> Vec<ShownKey> {
        AccessKeyId::all_in(text).map(|key| ShownKey { key, by: by.clone() }).collect()
    };
    let mut all = of(user_data, ShownBy::UserData);
    all.extend(tags.iter().flat_map(|(key, value)| of(value, ShownBy::Tag(key.clone()))));
    let calls = calls.filter(|(call, _)| lets_in(call));
    all.extend(calls.map(|(call, key)| ShownKey { key: key.clone(), by: ShownBy::Call(call.to_owned()) }));
    let mut keys: Vec<ShownKey> = Vec::new();
    for one in all {
        // Documentation's keys end so.
        let meant = !one.key.is_temporary() && !one.key.as_str().ends_with("EXAMPLE");
        if meant && keys.len() < MOST && keys.iter().all(|known| known.key != one.key) {
            keys.push(one);
        }
    }
    keys
}

/// Calls by which somebody launches an instance, gets into it, or gives it other credentials.
fn lets_in(call: &str) -> bool {
    [
        "RunInstances",
        "SendCommand",
        "StartSession",
        "SendSSHPublicKey",
        "SendSerialConsoleSSHPublicKey",
        "GetPasswordData",
        "ModifyInstanceAttribute",
        "AssociateIamInstanceProfile",
        "ReplaceIamInstanceProfileAssociation",
    ]
    .contains(&call)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(user_data: &str, tags: &[(&str, &str)], calls: &[(&str, &str)]) -> Vec<String> {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let calls: Vec<(&str, AccessKeyId)> =
            calls.iter().map(|(call, key)| (*call, key.parse().expect("a key"))).collect();
        let keys = keys_shown(user_data, &tags, calls.iter().map(|(call, key)| (*call, key)));
        keys.iter().map(|one| format!("{} {}", one.by, one.key)).collect()
    }

    #[test]
    fn a_users_key_is_found_in_user_data_in_tags_and_in_the_calls_that_let_somebody_in() {
        let script = "#!/bin/sh\nexport AWS_ACCESS_KEY_ID=AKIAAAAAAAAAAAAAAAAA\nexport AWS_SECRET_ACCESS_KEY=x";
        let calls = [("RunInstances", "AKIACCCCCCCCCCCCCCCC"), ("DescribeInstances", "AKIADDDDDDDDDDDDDDDD")];
        assert_eq!(
            shown(script, &[("deploy", "by AKIABBBBBBBBBBBBBBBB")], &calls),
            [
                "its user data shows AKIAAAAAAAAAAAAAAAAA",
                "its tag deploy shows AKIABBBBBBBBBBBBBBBB",
                "CloudTrail shows RunInstances on it, signed with AKIACCCCCCCCCCCCCCCC",
            ]
        );
    }

    #[test]
    fn sessions_examples_and_repetitions_are_not_and_the_number_is_bounded() {
        assert_eq!(shown("ASIAAAAAAAAAAAAAAAAA AKIAIOSFODNN7EXAMPLE xAKIAAAAAAAAAAAAAAAAA", &[], &[]), [""; 0]);
        let key = "AKIAAAAAAAAAAAAAAAAA";
        assert_eq!(shown(key, &[("a", key)], &[("RunInstances", key)]).len(), 1);
        let many: Vec<String> = (0..50).map(|number| format!("AKIAAAAAAAAAAAAAA{number:03}")).collect();
        assert_eq!(shown(&many.join(" "), &[], &[]).len(), 5);
    }
}
