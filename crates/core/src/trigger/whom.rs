//! Whom a person names: an instance, an IAM user, the user of an access key, or a role.

use super::{Invoked, ParseError, Whom, reading::optional};
use crate::{
    model::{
        Principal, SessionKind,
        ids::{InstanceKey, RoleKey, RoleName, UserKey},
    },
    trigger::json::Field,
};

/// What names whom a person means, one at a time.
pub(super) const KEYS: [&str; 4] = ["instance_id", "access_key_id", "user", "role"];

/// The principal that a person names.
pub(super) fn principal(root: &Field<'_>) -> Result<Option<Principal>, ParseError> {
    let (key, user, role) = (root.get("access_key_id"), root.get("user"), root.get("role"));
    if !role.is_absent() {
        let name: RoleName = role.parse()?;
        return Ok(Some(Principal::Session { kind: SessionKind::Role, name: name.to_string() }));
    }
    match (key.is_absent(), user.is_absent()) {
        (true, true) => Ok(None),
        (false, true) => Ok(Some(Principal::AccessKey { id: key.parse()?, user: None })),
        (_, false) => Ok(Some(Principal::User(user.parse()?))),
    }
}

/// Whom a question is about: an instance, a user, or the user of a key.
pub(super) fn whom(root: &Field<'_>, invoked: &Invoked) -> Result<Whom, ParseError> {
    let given: Vec<&str> = KEYS.into_iter().filter(|key| !root.get(key).is_absent()).collect();
    if given.len() > 1 {
        return Err(ParseError::InvalidRequest(format!("{}: give one of them", given.join(" and "))));
    }
    let account = optional(&root.get("account"), &invoked.account)?;
    if !root.get("role").is_absent() {
        return Ok(Whom::Target(RoleKey { account, role: root.get("role").parse()? }.into()));
    }
    Ok(match principal(root)? {
        Some(Principal::AccessKey { id, .. }) => Whom::AccessKey(account, id),
        Some(Principal::User(user)) => Whom::Target(UserKey { account, user }.into()),
        Some(Principal::Root { .. } | Principal::Session { .. }) | None => {
            let region = optional(&root.get("region"), &invoked.region)?;
            Whom::Target(InstanceKey { account, region, instance: root.get("instance_id").parse()? }.into())
        }
    })
}
