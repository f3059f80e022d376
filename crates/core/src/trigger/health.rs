//! AWS Health abuse events: AWS itself reports that instances of the account take part in abuse
//! (<https://docs.aws.amazon.com/health/latest/ug/aws-health-abuse-events.html>). Entities are instance ARNs, bare ids,
//! addresses, interfaces, other ARNs or placeholders. The envelope says where the event was delivered: to a backup Region
//! or the organization's account, too; what the event is about stands in its detail.

use super::{
    Invoked, Notice, NoticeKind, ParseError, Parsed, Source, abuse,
    draft::{Draft, Named, Target, one_line},
    principals, reading,
};
use crate::{
    model::{
        Principal, console,
        ids::{AccessKeyId, AccountId, Arn, Region},
        timestamp::Timestamp,
    },
    trigger::json::{Field, shown},
};

pub(super) fn parse(root: &Field<'_>, invoked: &Invoked) -> Result<Parsed, ParseError> {
    let event = Event::read(root, invoked);
    if event.code == EXPOSED {
        return Ok(exposed(root, &event));
    }
    if !event.is_abuse {
        return Ok(Parsed::Nothing(format!(
            "the Health event {} of {} is not an abuse report",
            event.code, event.service
        )));
    }
    let detail = root.get("detail");
    let entities = detail.get("affectedEntities").entries();
    let texts = |field: &Field<'_>| -> Vec<String> {
        field.items().iter().filter_map(|item| item.value().as_str()).map(str::to_owned).collect()
    };
    // The same entities stand in `resources` too, without what became of them.
    let mut bare = texts(&root.get("resources"));
    bare.extend(texts(&detail.get("resources")));
    let mut found = Found::default();
    for entity in &entities {
        let text = |names: &[&str]| names.iter().find_map(|name| entity.get(name).value().as_str());
        let account = |name: &str| reading::account(&[entity.get(name)]).ok().flatten();
        let account = ["awsAccountId", "accountId"].into_iter().find_map(account);
        let status = text(&["status", "statusCode", "statusValue"]).unwrap_or_default();
        let settled = matches!(status.trim().to_ascii_uppercase().as_str(), "RESOLVED" | "UNIMPAIRED");
        // AWS's own ARN of an entity names Health's record of it, and says where the entity is
        // (<https://docs.aws.amazon.com/health/latest/APIReference/API_AffectedEntity.html>).
        let arn = text(&["entityArn"]);
        let said = [text(&["entityValue"]), arn, entity.value().as_str()];
        let said: Vec<&str> = said.into_iter().flatten().filter(|text| !text.trim().is_empty()).collect();
        let Some(value) = said.iter().find(|text| !targets(&event, text, None).is_empty()).or(said.first()) else {
            found.take(&event, &shown(entity.value()), None, settled);
            continue;
        };
        let (of_record, region) = reading::place_in(arn);
        let place = Event { region: region.unwrap_or_else(|| event.region.clone()), ..event.clone() };
        found.take(&place, value, account.or(of_record), settled);
    }
    for value in bare {
        let settled = found.settled.iter().any(|known| value == *known || value.ends_with(&format!("/{known}")));
        if !settled {
            found.take(&event, &value, None, false);
        }
    }
    let is_content = event.code.contains("COPYRIGHT") || event.code.contains("DMCA");
    let notice = |kind: NoticeKind, named: Vec<String>| Ok(Parsed::Notice(Box::new(event.notice(kind, named))));
    let all = || found.named.iter().map(|(_, _, target)| target.to_string()).chain(found.unread.iter().cloned());
    if event.closed {
        return notice(NoticeKind::AbuseClosed, all().chain(found.settled.iter().cloned()).collect());
    }
    if is_content {
        return notice(NoticeKind::AbuseContent, all().collect());
    }
    if found.named.is_empty() {
        let kind = if found.settled.is_empty() { NoticeKind::AbuseNamesNothing } else { NoticeKind::AbuseClosed };
        return notice(kind, found.unread.into_iter().chain(found.settled).collect());
    }
    let unread = found
        .unread
        .iter()
        .map(|text| format!("the report also names {text}, which is neither an instance nor an address"));
    let settled = found.settled.iter().map(|text| format!("the report also names {text}, which AWS calls resolved"));
    let draft = Draft {
        source: Source::Health,
        id: event.id.clone(),
        kind: event.code.clone(),
        title: event.title.clone(),
        last_seen: event.updated,
        first_seen: event.started,
        notes: unread.chain(settled).take(MOST_NOTES).collect(),
        ..Draft::default()
    };
    Ok(Parsed::Request(draft.named(&event.said_by, found.named)))
}

/// AWS found an access key of the account in public
/// (<https://docs.aws.amazon.com/health/latest/ug/aws-health-concepts-and-terms.html>).
const EXPOSED: &str = "AWS_RISK_CREDENTIALS_EXPOSED";

/// The keys that AWS found. It says which, and has put their users into quarantine by then; whose they are is looked up.
fn exposed(root: &Field<'_>, event: &Event) -> Parsed {
    let detail = root.get("detail");
    let entities = detail.get("affectedEntities").entries();
    // What AWS calls resolved was rotated, or its user is in no danger any more.
    let is_settled = |entity: &&Field<'_>| {
        let status = ["status", "statusCode", "statusValue"].into_iter().find_map(|name| {
            let status = entity.get(name);
            status.value().as_str().map(str::to_owned)
        });
        status.is_some_and(|status| matches!(status.trim().to_ascii_uppercase().as_str(), "RESOLVED" | "UNIMPAIRED"))
    };
    let (settled, entities): (Vec<_>, Vec<_>) = entities.iter().partition(is_settled);
    let texts =
        entities.iter().flat_map(|entity| [entity.get("entityValue"), entity.get("entityArn"), (*entity).clone()]);
    let texts: Vec<String> = texts.filter_map(|text| text.value().as_str().map(str::to_owned)).collect();
    let described = detail.get("eventDescription").items();
    let described = described.iter().filter_map(|item| item.get("latestDescription").value().as_str());
    let keys = |text: &str| AccessKeyId::all_in(text).collect::<Vec<_>>();
    let mut found: Vec<(Principal, AccountId)> = Vec::new();
    for text in &texts {
        let key = |id| (Principal::AccessKey { id, user: None }, event.account.clone());
        found.extend(keys(text).into_iter().map(key));
        let user = principals::user_and_account(text);
        found.extend(user.map(|(user, of)| (Principal::User(user), of.unwrap_or_else(|| event.account.clone()))));
    }
    if found.is_empty() && settled.is_empty() {
        let key = |id| (Principal::AccessKey { id, user: None }, event.account.clone());
        found.extend(described.flat_map(keys).map(key));
    }
    if found.is_empty() && !settled.is_empty() {
        return Parsed::Nothing(format!("everything that the Health event {} names is resolved", event.code));
    }
    if event.closed {
        return Parsed::Nothing(format!("the Health event {} is closed", event.code));
    }
    if found.is_empty() {
        return Parsed::Notice(Box::new(event.notice(NoticeKind::ExposedKeyNotNamed, texts)));
    }
    let draft = Draft {
        source: Source::Health,
        id: event.id.clone(),
        kind: event.code.clone(),
        title: "AWS found an access key of the account in public".to_owned(),
        last_seen: event.updated,
        first_seen: event.started,
        ..Draft::default()
    };
    let place = |(principal, account)| (account, event.region.clone(), Target::Principal(principal));
    Parsed::Request(draft.named(&event.said_by, found.into_iter().map(place).collect()))
}

/// So many other things that a report names are reported.
const MOST_NOTES: usize = 20;

/// What the event says beyond its entities. Whatever of it is odd falls back: an abuse report is never lost for a field.
#[derive(Clone)]
struct Event {
    is_abuse: bool,
    code: String,
    service: String,
    id: String,
    title: String,
    /// The account that it was delivered to, which says it.
    said_by: AccountId,
    /// The account that it is about.
    account: AccountId,
    region: Region,
    closed: bool,
    started: Option<Timestamp>,
    updated: Option<Timestamp>,
}

impl Event {
    fn read(root: &Field<'_>, invoked: &Invoked) -> Self {
        let detail = root.get("detail");
        let text = |name: &str| detail.get(name).value().as_str();
        let kind = root.get("detail-type").value().as_str().unwrap_or_default();
        let (own, service) = (text("eventTypeCode").unwrap_or_default(), text("service").unwrap_or_default());
        let account = |field: Field<'_>| reading::account(&[field]).ok().flatten();
        let said_by: AccountId = account(root.get("account")).unwrap_or_else(|| invoked.account.clone());
        let arn = text("eventArn").unwrap_or_default();
        let stated = [text("eventRegion"), Arn::parse(arn).map(|arn| arn.region), root.get("region").value().as_str()];
        let delivered = root.get("time").time();
        let (started, updated, ended) =
            (detail.get("startTime").time(), detail.get("lastUpdatedTime").time(), detail.get("endTime").time());
        let status = text("statusCode").unwrap_or_default().trim().to_ascii_lowercase();
        let over = ended.is_some_and(|ended| updated.max(delivered).is_none_or(|now| ended <= now));
        let description = detail.get("eventDescription");
        let described = description.items().iter().find_map(|item| item.get("latestDescription").value().as_str());
        let code = one_line(if own.is_empty() { kind } else { own });
        Self {
            is_abuse: kind == "AWS Health Abuse Event" || service == "ABUSE" || own.starts_with("AWS_ABUSE_"),
            id: if arn.is_empty() { one_line(root.get("id").value().as_str().unwrap_or(&code)) } else { one_line(arn) },
            title: one_line(described.or_else(|| description.value().as_str()).unwrap_or(&code)),
            code,
            service: one_line(service),
            account: account(detail.get("affectedAccount")).unwrap_or_else(|| said_by.clone()),
            said_by,
            region: stated
                .into_iter()
                .flatten()
                .find_map(|region| region.trim().to_ascii_lowercase().parse().ok())
                .unwrap_or_else(|| invoked.region.clone()),
            // What AWS calls open is open, whatever times it carries.
            closed: status == "closed" || (over && status != "open"),
            started,
            updated: updated.or(delivered).or(started),
        }
    }

    fn notice(&self, kind: NoticeKind, named: Vec<String>) -> Notice {
        Notice {
            kind,
            source: Source::Health,
            id: self.id.clone(),
            code: self.code.clone(),
            title: self.title.clone(),
            account: self.account.clone(),
            region: self.region.clone(),
            time: self.updated,
            link: console::health_event(&self.region, &self.id),
            named,
        }
        .tidy()
    }
}

/// The entities, by what they are.
#[derive(Default)]
struct Found {
    named: Vec<Named>,
    settled: Vec<String>,
    unread: Vec<String>,
}

impl Found {
    fn take(&mut self, event: &Event, text: &str, account: Option<AccountId>, settled: bool) {
        let push = |list: &mut Vec<String>, text: String| {
            if !list.contains(&text) {
                list.push(text);
            }
        };
        let targets = targets(event, text, account);
        if targets.is_empty() {
            push(if settled { &mut self.settled } else { &mut self.unread }, one_line(text));
        }
        for named in targets {
            if settled {
                push(&mut self.settled, named.2.to_string());
            } else if !self.named.contains(&named) {
                self.named.push(named);
            }
        }
    }
}

/// What an entity names. Account and Region come from its own ARN where it is one, then from the entity, then from the event.
fn targets(event: &Event, text: &str, account: Option<AccountId>) -> Vec<Named> {
    let text = text.trim();
    let account = account.unwrap_or_else(|| event.account.clone());
    let here = |target: Target| vec![(account.clone(), event.region.clone(), target)];
    if let Some(arn) = Arn::parse(text) {
        let target = match arn.resource.split_once('/') {
            Some(("instance", id)) => reading::instance_id(id).map(Target::Instance),
            Some(("network-interface", id)) => Target::interface(id),
            Some(_) | None => None,
        };
        let region = arn.region.parse().unwrap_or_else(|_| event.region.clone());
        return target.map(|target| (arn.account.parse().unwrap_or(account), region, target)).into_iter().collect();
    }
    if let Some(target) = Target::interface(text) {
        return here(target);
    }
    // An id or an address, alone or with a port, in a link, next to another, as a host's name.
    let named = abuse::named(text).into_iter();
    named
        .map(|(own, region, target)| {
            (own.unwrap_or_else(|| account.clone()), region.unwrap_or_else(|| event.region.clone()), target)
        })
        .collect()
}
