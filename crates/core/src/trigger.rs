//! From the JSON that invoked the function to the findings it holds. One file per source below; each ends in the same
//! [`Finding`]. Only the instance's id, account and Region are taken from an event (or an address that is then looked up):
//! groups, roles and attachments are surveyed, never believed.

mod abuse;
mod alarm;
mod cloudtrail;
mod draft;
mod envelope;
mod finding;
mod guardduty;
mod health;
pub(crate) mod json;
mod look;
mod manual;
mod meaning;
mod notice;
mod ocsf;
mod principals;
mod reading;
mod request;
mod securityhub;
mod sessions;
mod tag;
mod whom;

use serde_json::Value;

pub use abuse::Unclear;
pub use cloudtrail::{TrailCall, UNDOING, can_undo};
pub use finding::{Closed, Doubt, Finding, Imported, ResourceRole, Source, Suspect};
pub use look::{Find, FindBy};
pub use notice::{Notice, NoticeKind, Unread};
pub use request::{Action, Addressed, Force, LedgerRequest, Locator, Parsed, Place, Queued, Readiness, Request, Whom};

pub use crate::model::Rejoin;
use crate::{
    model::ids::{AccountId, Region},
    settings::Policy,
};

/// So many instances, addresses and interfaces of one event are looked at: whoever can put an event on the bus could name
/// thousands, and each look costs calls, memory and messages. People are notified of the rest in one message.
pub const MOST_NAMED: usize = 50;

/// Why an event cannot be read. The message names the field and the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// No source that Brig knows writes such events, or not by this way.
    #[error("{0}")]
    UnsupportedEvent(String),
    /// The source is known, and the event does not say what it must.
    #[error("{0}")]
    InvalidRequest(String),
    /// The source is known, and a field of the event is not what it must be.
    #[error("{0}")]
    Unread(Unread),
}

/// Where the function itself runs, and which invocation this is: what a person's invoke leaves out.
#[derive(Debug, Clone)]
pub struct Invoked {
    /// The function's account.
    pub account: AccountId,
    /// The function's Region.
    pub region: Region,
    /// The invocation's request id; Lambda's own retries of an event repeat it.
    pub request_id: String,
}

/// Reads an event. Total: any JSON ends in a request, in "names nothing" or in an error.
pub fn parse(event: &Value, invoked: &Invoked, policy: &Policy) -> Result<Parsed, ParseError> {
    envelope::parse(event, invoked, policy).map(bounded)
}

/// However an event comes to name what it names, so much of it is looked at.
fn bounded(parsed: Parsed) -> Parsed {
    match parsed {
        Parsed::Request(mut request) => {
            let findings = request.findings.split_off(request.findings.len().min(MOST_NAMED));
            let room = MOST_NAMED - request.findings.len();
            let principals = request.principals.split_off(request.principals.len().min(room));
            let room = room - request.principals.len();
            let addresses = request.addresses.split_off(request.addresses.len().min(room));
            let first = findings.first().map(|finding| (finding, &finding.account, &finding.region));
            let of_principals = principals.first().map(|finding| {
                let Finding { source, id, kind, title, account, region, last_seen, .. } = finding;
                (*source, id, kind, title, account, region, *last_seen)
            });
            let notice = match (first, addresses.first()) {
                (None, _) if of_principals.is_some() => of_principals,
                (Some((finding, account, region)), _) => Some((
                    finding.source,
                    &finding.id,
                    &finding.kind,
                    &finding.title,
                    account,
                    region,
                    finding.last_seen,
                )),
                (None, Some(one)) => {
                    let draft = &one.draft;
                    Some((
                        draft.source,
                        &draft.id,
                        &draft.kind,
                        &draft.title,
                        &one.account,
                        &one.region,
                        draft.last_seen,
                    ))
                }
                (None, None) => None,
            };
            let notice = notice.map(|(source, id, kind, title, account, region, time)| Notice {
                kind: NoticeKind::TooMany,
                source,
                id: id.clone(),
                code: kind.clone(),
                title: title.clone(),
                account: account.clone(),
                region: region.clone(),
                time,
                link: None,
                named: findings
                    .iter()
                    .map(|finding| finding.target.to_string())
                    .chain(principals.iter().map(|one| one.target.to_string()))
                    .chain(addresses.iter().map(|one| one.address.to_string()))
                    .collect(),
            });
            request.notices.extend(notice.map(Notice::tidy));
            Parsed::Request(request)
        }
        Parsed::Batch(batch) => {
            let each = batch.into_iter().map(|queued| {
                let body = queued.body.map(|parsed| Box::new(bounded(*parsed)));
                Queued { body, ..queued }
            });
            Parsed::Batch(each.collect())
        }
        other @ (Parsed::Nothing(_)
        | Parsed::Notice(_)
        | Parsed::TrailCall(_)
        | Parsed::LedgerRequest(_)
        | Parsed::Readiness(_)) => other,
    }
}

#[cfg(test)]
mod tests;
