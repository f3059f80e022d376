//! Abuse reports: the text of the mail that AWS or a victim sends, handed over by a person or by a mail pipeline. What a
//! report calls its origin becomes a target; the reporter's and the victim's addresses never do.

mod mail;
mod report;

use report::Report;

use super::{
    Invoked, Notice, NoticeKind, Parsed, Source, Unread,
    draft::{Draft, Named, Target, one_line},
    reading::{self, Place},
};
use crate::{
    model::{
        Principal,
        ids::{AccessKeyId, AccountId, Region},
    },
    trigger::json::Field,
};

pub use report::Unclear;

/// So many other things that a report names are reported.
const MOST_NOTES: usize = 20;

/// So many lines of a report are shown to who decides.
const SHOWN_LINES: usize = 20;
/// So many characters of each.
const SHOWN_WIDTH: usize = 200;

/// `source` `brig.abuse`, `detail-type` `Abuse Report`. Anyone who can write to the bus can send it: ids are believed,
/// since naming one takes knowledge of the account; addresses and free text lead to a question.
pub(super) fn from_event(root: &Field<'_>, invoked: &Invoked) -> Parsed {
    let detail = root.get("detail");
    let known = |field: Field<'_>| field.value().as_str().map(str::to_owned);
    let said_by: AccountId =
        known(root.get("account")).and_then(|text| text.parse().ok()).unwrap_or_else(|| invoked.account.clone());
    let region: Region =
        known(root.get("region")).and_then(|text| text.parse().ok()).unwrap_or_else(|| invoked.region.clone());
    let time = root.get("time").time();
    let mut named: Vec<(Named, Option<Unclear>)> = Vec::new();
    let mut unread: Vec<Unread> = Vec::new();
    let mut unauthenticated = false;
    let ids = detail.get("instance_ids");
    let several = instances_in_one(&ids);
    if several.is_empty() {
        for item in list(&ids, "a list of instance ids", &mut unread) {
            match reading::instance(&item, &Place { account: said_by.clone(), region: region.clone() }) {
                Ok(target) => named.push((target, None)),
                Err(error) => unread.push(error.into()),
            }
        }
    }
    for (own, place, target) in several {
        let account = own.unwrap_or_else(|| said_by.clone());
        named.push(((account, place.unwrap_or_else(|| region.clone()), target), None));
    }
    let mut seen = time;
    for item in list(&detail.get("addresses"), "a list of IP addresses", &mut unread) {
        let found = item.value().as_str().map(self::named).unwrap_or_default();
        if found.is_empty() {
            unread.push(item.wrong("an IP address").into());
        }
        for (_, own, target) in found {
            named.push(((said_by.clone(), own.unwrap_or_else(|| region.clone()), target), None));
            unauthenticated = true;
        }
    }
    let mut notes = Vec::new();
    let mut excluded = Vec::new();
    let mut said = Vec::new();
    match detail.get("text").text() {
        Ok(None) => {}
        Ok(Some(text)) => {
            let report = Report::read(text);
            said = words(text);
            unauthenticated = true;
            seen = report.time.or(seen);
            notes = noted(&report);
            excluded = report.excluded;
            for origin in report.origins {
                let account = origin.account.unwrap_or_else(|| said_by.clone());
                let region = origin.region.unwrap_or_else(|| region.clone());
                named.push(((account, region, origin.target), origin.unclear));
            }
        }
        Err(error) => unread.push(error.into()),
    }
    let id = format!("abuse-{}", one_line(known(root.get("id")).as_deref().unwrap_or("report")));
    let text = detail.get("text").value().as_str().map(str::to_owned).unwrap_or_default();
    named.extend(keys(&text, &said_by, &region));
    if named.is_empty() && unread.is_empty() {
        let notice = Notice {
            kind: NoticeKind::AbuseNamesNothing,
            source: Source::AbuseText,
            id,
            code: "Abuse Report".to_owned(),
            title: "an abuse report on the event bus".to_owned(),
            account: said_by,
            region,
            time,
            link: None,
            named: excluded,
        };
        return Parsed::Notice(Box::new(notice.tidy()));
    }
    let draft = Draft {
        source: if unauthenticated { Source::AbuseText } else { Source::AbuseReport },
        id,
        kind: "Abuse Report".to_owned(),
        title: "an abuse report on the event bus".to_owned(),
        last_seen: seen,
        report: said,
        notes,
        ..Draft::default()
    };
    let mut request = draft.doubted(&said_by, named);
    request.unread.extend(unread);
    Parsed::Request(request)
}

/// Every instance and single address that a short text names: alone, with a port, in a link or as a host's name of EC2
/// (`ec2-203-0-113-9.compute-1.amazonaws.com`), and where it says they are.
pub(super) fn named(text: &str) -> Vec<(Option<AccountId>, Option<Region>, Target)> {
    report::named(text)
}

/// Several instances in one text where a list should stand: `i-..., i-...`.
fn instances_in_one(field: &Field<'_>) -> Vec<(Option<AccountId>, Option<Region>, Target)> {
    let several = field.value().as_str().filter(|text| text.trim().contains([',', ';', ' ', '\n']));
    let mut named = several.map(self::named).unwrap_or_default();
    named.retain(|(_, _, target)| matches!(target, Target::Instance(_)));
    named
}

/// The members of a list; a single text is one of one member, and anything else cannot be read.
fn list<'a>(field: &Field<'a>, expected: &str, unread: &mut Vec<Unread>) -> Vec<Field<'a>> {
    let value = field.value();
    if value.is_string() {
        return vec![field.clone()];
    }
    if !value.is_null() && !value.is_array() {
        unread.push(field.wrong(expected).into());
    }
    field.items()
}

/// The text that a person hands over by direct invoke, and so vouches for.
pub(super) fn from_person(text: &str, title: &str, account: &AccountId, region: &Region, invoked: &Invoked) -> Parsed {
    let report = Report::read(text);
    let notes = noted(&report);
    let time = report.time;
    let draft = Draft {
        source: Source::AbuseReport,
        id: format!("abuse-{}", invoked.request_id),
        kind: "Abuse Report".to_owned(),
        title: title.to_owned(),
        last_seen: time,
        by_person: true,
        remotes: report.others,
        report: words(text),
        notes,
        ..Draft::default()
    };
    let keys = keys(text, account, region);
    if report.origins.is_empty() && keys.is_empty() {
        let also = if report.excluded.is_empty() {
            String::new()
        } else {
            let names: Vec<String> = report.excluded.iter().take(MOST_NOTES).map(|text| one_line(text)).collect();
            format!("; it names {}, and does not call them the origin", names.join(", "))
        };
        return Parsed::Nothing(format!(
            "the abuse report names no instance, no address of origin and no access key{also}"
        ));
    }
    let named = report.origins.into_iter().map(|origin| {
        let account = origin.account.unwrap_or_else(|| account.clone());
        let region = origin.region.unwrap_or_else(|| region.clone());
        ((account, region, origin.target), origin.unclear)
    });
    Parsed::Request(draft.doubted(&invoked.account, named.chain(keys).collect()))
}

/// Long-term access keys that a report names. Whoever writes one knows that it leaked, whichever part the text gives it.
fn keys(text: &str, account: &AccountId, region: &Region) -> Vec<(Named, Option<Unclear>)> {
    let plain = mail::plain(text);
    let keys = AccessKeyId::all_in(&plain).filter(|key| !key.is_temporary());
    let named = |id| {
        let target = Target::Principal(Principal::AccessKey { id, user: None });
        ((account.clone(), region.clone(), target), None)
    };
    keys.take(MOST_NOTES).map(named).collect()
}

/// The beginning of a report, as people read it.
fn words(text: &str) -> Vec<String> {
    crate::model::text::lines(&mail::plain(text), SHOWN_LINES, SHOWN_WIDTH)
}

fn noted(report: &Report) -> Vec<String> {
    let shown = |text: &String| format!("the report also names {}, and does not call it the origin", one_line(text));
    report.excluded.iter().take(MOST_NOTES).map(shown).collect()
}
