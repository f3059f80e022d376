//! Tag changes: an instance that now carries a trigger tag
//! (<https://docs.aws.amazon.com/tag-editor/latest/userguide/monitor-events.html>). `changed-tag-keys` names removed keys
//! too; `tags` has those that are present. Removing a tag never releases.

use super::{
    ParseError, Parsed, Source,
    draft::{Draft, one_line, parsed},
    reading::{self, Place},
};
use crate::{model::ids::AccountId, settings::Policy, trigger::json::Field};

pub(super) fn parse(root: &Field<'_>, policy: &Policy) -> Result<Parsed, ParseError> {
    let detail = root.get("detail");
    let (service, kind) = (detail.get("service").text()?, detail.get("resource-type").text()?);
    if (service, kind) != (Some("ec2"), Some("instance")) {
        return Ok(Parsed::Nothing("the tag change is not about an instance".to_owned()));
    }
    let changed: Vec<&str> =
        detail.get("changed-tag-keys").items().iter().filter_map(|key| key.value().as_str()).collect();
    let tags = detail.get("tags");
    let found = policy.trigger_tags.iter().find_map(|key| {
        let value = tags.object()?.get(key)?.as_str()?;
        (changed.contains(&key.as_str()) && value != "false").then_some((key, value))
    });
    let Some((key, value)) = found else {
        return Ok(Parsed::Nothing("no trigger tag was set".to_owned()));
    };
    let account: AccountId = root.get("account").parse()?;
    // An ARN says where the instance is; an id alone is in the event's Region.
    let here = Place { account: account.clone(), region: root.get("region").parse()? };
    let mut named = Vec::new();
    let mut unread = Vec::new();
    for item in root.get("resources").items() {
        match reading::instance(&item, &here) {
            Ok(instance) => named.push(instance),
            Err(error) => unread.push(error.into()),
        }
    }
    let draft = Draft {
        source: Source::Tag,
        id: format!("tag-{}", one_line(root.get("id").text()?.unwrap_or("change"))),
        kind: "Tag".to_owned(),
        title: format!("tagged {key}={}", one_line(value)),
        last_seen: root.get("time").time(),
        ..Draft::default()
    };
    let mut request = draft.named(&account, named);
    request.unread = unread;
    Ok(parsed(request, "the tag change names no resource"))
}
