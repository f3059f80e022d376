//! Principals that events name: users and their access keys, the root user, sessions that are no instance's. GuardDuty,
//! Security Hub and OCSF state the same facts under names of their own; what they mean is settled here alone.

use super::sessions;
use crate::model::{
    Principal, SessionKind,
    ids::{AccessKeyId, AccountId, Arn, UserName, arn_name},
};

/// What an event states of a principal, under whichever names.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stated<'a> {
    /// `AKIA...`, also within a longer text.
    pub(super) key: Option<&'a str>,
    /// GuardDuty's and CloudTrail's `userType`: `IAMUser`, `Root`, `AssumedRole`
    /// (<https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-summary.html>).
    pub(super) kind: Option<&'a str>,
    /// `AIDA...`, `AROA...:<session>`.
    pub(super) id: Option<&'a str>,
    /// The user's name, or the role's.
    pub(super) name: Option<&'a str>,
}

/// The principal; none where nothing says who it is, and where it is an instance's session, a service or another account.
pub(super) fn principal(stated: Stated<'_>) -> Option<Principal> {
    let Stated { key, kind, id, name } = stated;
    if id.is_some_and(|id| sessions::instance_of(id).is_some()) {
        return None;
    }
    let key = key.and_then(keys_in);
    let session = |kind| Some(Principal::Session { kind, name: name.or(id)?.chars().take(128).collect() });
    match sort(kind, id, name)? {
        // OCSF says "User" of whoever it is: a session's key is a user's only where AWS says so.
        Sort::User if key.as_ref().is_some_and(AccessKeyId::is_temporary) && !is_iam_user(kind, id) => {
            session(SessionKind::Other)
        }
        Sort::User => {
            let user = name.and_then(|name| arn_name(name).parse::<UserName>().ok());
            match (key, user) {
                (Some(id), user) if !id.is_temporary() || user.is_some() => Some(Principal::AccessKey { id, user }),
                (_, Some(user)) => Some(Principal::User(user)),
                (_, None) => None,
            }
        }
        Sort::Root => Some(Principal::Root { key }),
        Sort::Session(SessionKind::Role) if name.is_some_and(|name| name.starts_with("AWSReservedSSO_")) => {
            session(SessionKind::IdentityCenter)
        }
        Sort::Session(kind) => session(kind),
    }
}

fn is_iam_user(kind: Option<&str>, id: Option<&str>) -> bool {
    kind == Some("IAMUser") || id.is_some_and(|id| id.starts_with("AIDA"))
}

enum Sort {
    User,
    Root,
    Session(SessionKind),
}

/// What sort of principal it is: by its unique id, which AWS gives
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>), else by the type that
/// the event states.
fn sort(kind: Option<&str>, id: Option<&str>, name: Option<&str>) -> Option<Sort> {
    let plain = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let kind = kind.map(plain);
    // Nobody of this account.
    if matches!(kind.as_deref(), Some("awsservice" | "awsaccount")) {
        return None;
    }
    let account = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    match id.map(|id| id.split_once(':').map_or((id, None), |(id, session)| (id, Some(session)))) {
        Some((id, _)) if id.starts_with("AIDA") => return Some(Sort::User),
        Some((id, _)) if id.starts_with("AROA") => {
            return Some(Sort::Session(match kind.as_deref() {
                Some("identitycenteruser") => SessionKind::IdentityCenter,
                _ => SessionKind::Role,
            }));
        }
        Some((id, None)) if account(id) => return Some(Sort::Root),
        Some((id, Some(_))) if account(id) => return Some(Sort::Session(SessionKind::Federated)),
        Some(_) | None => {}
    }
    match kind.as_deref() {
        Some("iamuser" | "user") => Some(Sort::User),
        Some("root" | "rootuser") => Some(Sort::Root),
        Some("assumedrole" | "role") => Some(Sort::Session(SessionKind::Role)),
        Some("federateduser") => Some(Sort::Session(SessionKind::Federated)),
        Some("identitycenteruser") => Some(Sort::Session(SessionKind::IdentityCenter)),
        Some("samluser" | "webidentityuser" | "directory") => Some(Sort::Session(SessionKind::Other)),
        Some(_) => None,
        None => (name != Some("root")).then_some(Sort::User),
    }
}

/// The first access key's id in a text: alone, in an ARN, after a type's name.
pub(super) fn keys_in(text: &str) -> Option<AccessKeyId> {
    AccessKeyId::all_in(text).next()
}

/// The user that an ARN names, in whichever account it is.
pub(super) fn user_of_arn(text: &str) -> Option<UserName> {
    user_and_account(text).map(|(user, _)| user)
}

/// The user that an ARN names, and its account.
pub(super) fn user_and_account(text: &str) -> Option<(UserName, Option<AccountId>)> {
    let arn = Arn::parse(text)?;
    let user = arn_name(arn.resource.strip_prefix("user/")?).parse().ok()?;
    Some((user, arn.account.parse().ok()))
}

/// Each principal once: a user that is named with its key too is not named twice.
pub(super) fn once<D: Clone>(all: &[(Principal, D)]) -> Vec<(Principal, D)> {
    let mut found: Vec<(Principal, D)> = Vec::new();
    let with_key = |user: &UserName| {
        all.iter().any(|(one, _)| matches!(one, Principal::AccessKey { user: Some(known), .. } if known == user))
    };
    for (one, doubt) in all {
        let same_key = |known: &Principal| match (known, one) {
            (Principal::AccessKey { id, .. }, Principal::AccessKey { id: other, .. }) => id == other,
            (known, one) => known == one,
        };
        let doubled = matches!(one, Principal::User(user) if with_key(user));
        if !doubled && !found.iter().any(|(known, _)| same_key(known)) {
            found.push((one.clone(), doubt.clone()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AKIAIOSFODNN7EXAMPLE";

    fn shown(key: Option<&str>, kind: Option<&str>, id: Option<&str>, name: Option<&str>) -> String {
        principal(Stated { key, kind, id, name }).map_or_else(|| "nobody".to_owned(), |found| format!("{found:?}"))
    }

    #[test]
    fn who_is_meant_is_read_from_type_id_and_name() {
        let key = format!(r#"AccessKey {{ id: AccessKeyId("{KEY}"), user: Some(UserName("alice")) }}"#);
        for (said, expected) in [
            ((Some(KEY), Some("IAMUser"), Some("AIDAX"), Some("alice")), key.as_str()),
            ((Some("AWS::IAM::AccessKey:AKIAIOSFODNN7EXAMPLE"), None, None, Some("alice")), &key),
            ((Some("GeneratedFindingAccessKeyId"), Some("IAMUser"), None, Some("alice")), r#"User(UserName("alice"))"#),
            ((Some("ASIAIOSFODNN7EXAMPLE"), Some("IAMUser"), None, None), "nobody"),
            (
                (Some(KEY), Some("Root"), Some("123456789012"), Some("Root")),
                r#"Root { key: Some(AccessKeyId("AKIAIOSFODNN7EXAMPLE")) }"#,
            ),
            ((None, None, Some("123456789012"), None), "Root { key: None }"),
            (
                (Some("ASIAIOSFODNN7EXAMPLE"), Some("AssumedRole"), Some("AROAX:build"), Some("deploy")),
                r#"Session { kind: Role, name: "deploy" }"#,
            ),
            (
                (None, Some("AssumedRole"), Some("AROAX:alice"), Some("AWSReservedSSO_Admin_1")),
                r#"Session { kind: IdentityCenter, name: "AWSReservedSSO_Admin_1" }"#,
            ),
            (
                (None, Some("FederatedUser"), Some("123456789012:bob"), Some("bob")),
                r#"Session { kind: Federated, name: "bob" }"#,
            ),
            ((None, Some("AssumedRole"), Some("AROAX:i-0123456789abcdef0"), Some("web")), "nobody"),
            (
                (Some("ASIAIOSFODNN7EXAMPLE"), Some("User"), Some("AROAX:build"), Some("deploy")),
                r#"Session { kind: Role, name: "deploy" }"#,
            ),
            ((Some("ASIAIOSFODNN7EXAMPLE"), None, None, Some("deploy")), r#"Session { kind: Other, name: "deploy" }"#),
            ((None, None, Some("123456789012:bob"), Some("bob")), r#"Session { kind: Federated, name: "bob" }"#),
            ((None, Some("AWSService"), None, Some("config")), "nobody"),
            ((None, Some("AWSAccount"), Some("AIDAX"), Some("x")), "nobody"),
            ((None, None, None, None), "nobody"),
            ((None, Some("IAMUser"), None, Some("a b")), "nobody"),
        ] {
            let (key, kind, id, name) = said;
            assert_eq!(shown(key, kind, id, name), expected, "{said:?}");
        }
    }

    #[test]
    fn a_user_named_with_its_key_is_named_once() {
        let user: UserName = "alice".parse().expect("a name");
        let key = Principal::AccessKey { id: KEY.parse().expect("a key"), user: Some(user.clone()) };
        let all = vec![(Principal::User(user), ()), (key.clone(), ()), (key.clone(), ())];
        assert_eq!(once(&all), [(key, ())]);
    }

    #[test]
    fn keys_are_found_in_running_text() {
        let found: Vec<String> =
            AccessKeyId::all_in("the key (AKIAIOSFODNN7EXAMPLE), not xAKIAIOSFODNN7EXAMPLE or AKIA")
                .map(|key| key.to_string())
                .collect();
        assert_eq!(found, [KEY]);
        assert_eq!(
            user_of_arn("arn:aws:iam::123456789012:user/staff/alice").map(|user| user.to_string()).as_deref(),
            Some("alice")
        );
    }
}
