//! Whose sessions a finding says an instance held. A session that the metadata service handed out is of the principal
//! `AROA...:i-...`: the role's unique id, and the instance's id as the session's name
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-tableofkeyvalues>).

use crate::{
    model::ids::{Arn, InstanceId},
    trigger::json::Field,
};

/// So many roles, and so many profiles, of one event are kept for an instance.
const MOST: usize = 8;

/// A role, or the profile that held it, by which an instance had credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    instance: InstanceId,
    held: Held,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Held {
    /// The role's name.
    Role(String),
    /// The profile's ARN.
    Profile(String),
}

/// The session behind an access key, where it is one of an instance. `kind` is the principal's type, where the source
/// gives one: only an assumed role has sessions of this form.
pub(super) fn of_principal(principal: Option<&str>, kind: Option<&str>, role: Option<&str>) -> Option<Session> {
    let instance = instance_of(principal?)?;
    let assumed = kind.is_none_or(|kind| kind == "AssumedRole");
    let role = role.filter(|name| assumed && is_role_name(name))?;
    Some(Session { instance, held: Held::Role(role.to_owned()) })
}

/// The session behind an instance profile that the source shows on the instance.
pub(super) fn of_profile(instance: &InstanceId, arn: Option<&str>) -> Option<Session> {
    let arn = arn?;
    let parsed = Arn::parse(arn)?;
    let profile = parsed.resource.strip_prefix("instance-profile/")?;
    let name = profile.rsplit('/').next().unwrap_or_default();
    let fits =
        arn.split(':').nth(2) == Some("iam") && is_name(name, 128) && arn.len() <= 1024 && arn.chars().all(is_shown);
    fits.then(|| Session { instance: instance.clone(), held: Held::Profile(arn.to_owned()) })
}

/// The instance of a principal id, `AROA...:i-...`.
pub(super) fn instance_of(principal: &str) -> Option<InstanceId> {
    let (role, session) = principal.split_once(':')?;
    if role.starts_with("AROA") { session.parse().ok() } else { None }
}

/// The sessions that GuardDuty's `resource` names, for the instance that it names too.
pub(super) fn of_resource(resource: &Field<'_>) -> Vec<Session> {
    let details = resource.get("instanceDetails");
    let instance: Option<InstanceId> = details.get("instanceId").value().as_str().and_then(|id| id.parse().ok());
    let profile = details.get("iamInstanceProfile").get("arn");
    let shown = instance.and_then(|instance| of_profile(&instance, profile.value().as_str()));
    of_access_key(&resource.get("accessKeyDetails")).into_iter().chain(shown).collect()
}

/// The sessions that an attack sequence names: its actors, its access keys, and the profiles of its instances.
pub(super) fn of_sequence(sequence: &Field<'_>) -> Vec<Session> {
    let actors = sequence.get("actors").items().into_iter().filter_map(|actor| {
        let user = actor.get("user");
        let text = |name: &str| user.get(name).value().as_str();
        of_principal(text("uid"), text("type"), text("name"))
    });
    let resources = sequence.get("resources").items().into_iter().flat_map(|resource| {
        let data = resource.get("data");
        let instance = resource.get("uid").value().as_str().and_then(|uid| uid.rsplit('/').next()?.parse().ok());
        let profile = data.get("ec2Instance").get("iamInstanceProfile").get("arn");
        let shown = instance.and_then(|instance| of_profile(&instance, profile.value().as_str()));
        of_access_key(&data.get("accessKey")).into_iter().chain(shown)
    });
    actors.chain(resources).collect()
}

fn of_access_key(key: &Field<'_>) -> Option<Session> {
    let text = |name: &str| key.get(name).value().as_str();
    of_principal(text("principalId"), text("userType"), text("userName"))
}

/// Names of the roles that `instance` held by these sessions, each once.
pub(super) fn roles(sessions: &[Session], instance: &InstanceId) -> Vec<String> {
    held(sessions, instance, |held| if let Held::Role(name) = held { Some(name) } else { None })
}

/// ARNs of the profiles that `instance` was seen with, each once.
pub(super) fn profiles(sessions: &[Session], instance: &InstanceId) -> Vec<String> {
    held(sessions, instance, |held| if let Held::Profile(arn) = held { Some(arn) } else { None })
}

fn held(sessions: &[Session], instance: &InstanceId, of: impl Fn(&Held) -> Option<&String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for held in sessions.iter().filter(|session| session.instance == *instance).filter_map(|session| of(&session.held))
    {
        if found.len() < MOST && !found.contains(held) {
            found.push(held.clone());
        }
    }
    found
}

/// What IAM takes as a role's name
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>): anything else is no name to ask for.
fn is_role_name(name: &str) -> bool {
    is_name(name, 64)
}

fn is_name(name: &str, longest: usize) -> bool {
    (1..=longest).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c))
}

fn is_shown(c: char) -> bool {
    c.is_ascii_graphic()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "i-0123456789abcdef0";

    fn id() -> InstanceId {
        ID.parse().expect("an id")
    }

    #[test]
    fn the_role_of_an_instances_session_is_read_and_of_nothing_else() {
        let principal = format!("AROAEXAMPLEEXAMPLE00:{ID}");
        let of = |principal: &str, kind: Option<&str>, role: Option<&str>| {
            let sessions: Vec<Session> = of_principal(Some(principal), kind, role).into_iter().collect();
            roles(&sessions, &id())
        };
        assert_eq!(of(&principal, Some("AssumedRole"), Some("web")), ["web"]);
        assert_eq!(of(&principal, None, Some("web")), ["web"]);
        for (principal, kind, role) in [
            (principal.as_str(), Some("IAMUser"), Some("web")),
            (principal.as_str(), Some("AssumedRole"), None),
            (principal.as_str(), Some("AssumedRole"), Some("")),
            (principal.as_str(), Some("AssumedRole"), Some("a role\nand a line")),
            (principal.as_str(), Some("AssumedRole"), Some("../web")),
            ("AROAEXAMPLEEXAMPLE00:build-42", Some("AssumedRole"), Some("web")),
            ("AIDAEXAMPLEEXAMPLE00", Some("AssumedRole"), Some("web")),
        ] {
            assert!(of(principal, kind, role).is_empty(), "{principal} {kind:?} {role:?}");
        }
    }

    #[test]
    fn of_a_sequence_each_instance_gets_the_sessions_that_were_its_own() {
        let other = "i-0fedcba9876543210";
        let sequence = json!({
            "actors": [
                {"id": "a", "user": {"name": "web", "uid": format!("AROAA:{ID}"), "type": "AssumedRole"}},
                {"id": "b", "user": {"name": "db", "uid": format!("AROAB:{other}"), "type": "AssumedRole"}},
                {"id": "c", "user": {"name": "alice", "uid": "AIDAC", "type": "IAMUser"}},
            ],
            "resources": [
                {"uid": format!("arn:aws:ec2:us-east-1:123456789012:instance/{ID}"), "resourceType": "EC2_INSTANCE",
                 "data": {"ec2Instance": {"iamInstanceProfile": {"arn": "arn:aws:iam::123456789012:instance-profile/x/web"}}}},
                {"uid": "ASIAEXAMPLE", "resourceType": "ACCESS_KEY",
                 "data": {"accessKey": {"principalId": format!("AROAE:{ID}"), "userType": "AssumedRole", "userName": "batch"}}},
            ],
        });
        let sessions = of_sequence(&Field::root(&sequence));
        assert_eq!(roles(&sessions, &id()), ["web", "batch"]);
        assert_eq!(profiles(&sessions, &id()), ["arn:aws:iam::123456789012:instance-profile/x/web"]);
        assert_eq!(roles(&sessions, &other.parse().expect("an id")), ["db"]);
    }

    #[test]
    fn what_is_no_profile_is_no_hint() {
        for arn in ["", "web", "arn:aws:iam::123456789012:role/web", "arn:aws:iam::123456789012:instance-profile/a b"] {
            assert_eq!(of_profile(&id(), Some(arn)), None, "{arn}");
        }
    }
}
