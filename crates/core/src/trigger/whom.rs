//! Whom a person names: an instance, an IAM user, or the user of an access key.

use super::{Invoked, ParseError, Whom, reading::optional};
use crate::{
    model::{
        Principal,
        ids::{InstanceKey, UserKey},
    },
    trigger::json::Field,
};

/// The principal that a person names.
pub(super) fn principal(root: &Field<'_>) -> Result<Option<Principal>, ParseError> {
    let (key, user) = (root.get("access_key_id"), root.get("user"));
    match (key.is_absent(), user.is_absent()) {
        (true, true) => Ok(None),
        (false, true) => Ok(Some(Principal::AccessKey { id: key.parse()?, user: None })),
        (_, false) => Ok(Some(Principal::User(user.parse()?))),
    }
}

/// Whom a question is about: an instance, a user, or the user of a key.
pub(super) fn whom(root: &Field<'_>, invoked: &Invoked) -> Result<Whom, ParseError> {
    let given: Vec<&str> =
        ["instance_id", "access_key_id", "user"].into_iter().filter(|key| !root.get(key).is_absent()).collect();
    if given.len() > 1 {
        return Err(ParseError::InvalidRequest(format!("{}: give one of them", given.join(" and "))));
    }
    let account = optional(&root.get("account"), &invoked.account)?;
    Ok(match principal(root)? {
        Some(Principal::AccessKey { id, .. }) => Whom::AccessKey(account, id),
        Some(Principal::User(user)) => Whom::Target(UserKey { account, user }.into()),
        Some(Principal::Root { .. } | Principal::Session { .. }) | None => {
            let region = optional(&root.get("region"), &invoked.region)?;
            Whom::Target(InstanceKey { account, region, instance: root.get("instance_id").parse()? }.into())
        }
    })
}
