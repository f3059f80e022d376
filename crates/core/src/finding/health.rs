//! AWS Health abuse events: AWS itself reports that instances of the account take part in abuse
//! (<https://docs.aws.amazon.com/health/latest/ug/aws-health-abuse-events.html>). Entities are instance ARNs, bare ids,
//! addresses, other ARNs or placeholders; the envelope's Region may be `global`.

use std::net::IpAddr;

use super::{
    Invoked, ParseError, Parsed, Source,
    draft::{Draft, Named, Target, one_line, parsed},
};
use crate::{
    ids::{AccountId, Arn, InstanceId, Region},
    json::Field,
    timestamp::Timestamp,
};

pub(super) fn parse(root: &Field<'_>, invoked: &Invoked) -> Result<Parsed, ParseError> {
    let detail = root.get("detail");
    let code = detail.get("eventTypeCode").text()?.unwrap_or_default();
    let service = detail.get("service").text()?.unwrap_or_default();
    if service != "ABUSE" && !code.starts_with("AWS_ABUSE_") {
        return Ok(Parsed::Nothing(format!(
            "the Health event {} of {} is no abuse report",
            one_line(code),
            one_line(service)
        )));
    }
    if code.contains("COPYRIGHT") || code.contains("DMCA") {
        return Ok(Parsed::Nothing(format!("{} is about content, not about a compromise", one_line(code))));
    }
    let mut texts: Vec<&str> = detail
        .get("affectedEntities")
        .items()
        .iter()
        .filter_map(|entity| entity.get("entityValue").value().as_str())
        .collect();
    texts.extend(root.get("resources").items().iter().filter_map(|item| item.value().as_str()));
    let description = detail
        .get("eventDescription")
        .items()
        .iter()
        .find_map(|item| item.get("latestDescription").value().as_str())
        .unwrap_or(code);
    let said_by: AccountId = match root.get("account") {
        account if account.is_absent() => invoked.account.clone(),
        account => account.parse()?,
    };
    let region = root.get("region").value().as_str().and_then(|region| region.parse().ok());
    let home = Home { account: said_by.clone(), region: region.unwrap_or_else(|| invoked.region.clone()) };
    let mut named: Vec<Named> = Vec::new();
    let mut unread = Vec::new();
    for text in texts {
        match home.entity(text) {
            Some(target) => named.push(target),
            None if !unread.contains(&one_line(text)) => unread.push(one_line(text)),
            None => {}
        }
    }
    let draft = Draft {
        source: Source::Health,
        id: detail.get("eventArn").text()?.map_or_else(|| one_line(code), one_line),
        kind: one_line(code),
        title: one_line(description),
        last_seen: root.get("time").value().as_str().and_then(Timestamp::parse),
        notes: unread
            .iter()
            .map(|text| format!("the report also names {text}, which is no instance and no address"))
            .collect(),
        ..Draft::default()
    };
    let nothing = format!("the abuse report {} names no instance and no address: {}", draft.kind, unread.join(", "));
    Ok(parsed(draft.named(&said_by, named), nothing))
}

struct Home {
    account: AccountId,
    region: Region,
}

impl Home {
    /// Account and Region come from the entity's own ARN where it is one.
    fn entity(&self, text: &str) -> Option<Named> {
        if let Some(arn) = Arn::parse(text) {
            let id: InstanceId = arn.resource.strip_prefix("instance/")?.parse().ok()?;
            return Some((arn.account.parse().ok()?, arn.region.parse().ok()?, Target::Instance(id)));
        }
        let target = match text.parse::<InstanceId>() {
            Ok(id) => Target::Instance(id),
            Err(_) => Target::Address(text.parse::<IpAddr>().ok()?),
        };
        Some((self.account.clone(), self.region.clone(), target))
    }
}
