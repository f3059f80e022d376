//! What the findings of one event have in common, and the findings made of it.

use std::{collections::BTreeSet, fmt, net::IpAddr};

use super::{
    Addressed, Closed, Doubt, Finding, Imported, Locator, MOST_NAMED, Notice, NoticeKind, Parsed, Place, Request,
    ResourceRole, Source, Unclear,
    sessions::{self, Session},
};
use crate::model::{
    Principal,
    ids::{AccountId, EniId, InstanceId, Region},
    text,
    timestamp::Timestamp,
};

/// So many addresses of one event are kept: a network ACL has room for fewer.
const MOST_REMOTES: usize = 50;

/// Characters of an id, which is part of keys in the ledger.
pub(super) const LONGEST_ID: usize = 128;

/// The common part; see [`Finding`] for the fields.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Draft {
    pub(super) source: Source,
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) title: String,
    pub(super) severity: Option<f64>,
    pub(super) role: Option<ResourceRole>,
    pub(super) doubt: Option<Doubt>,
    pub(super) sample: bool,
    pub(super) closed: Option<Closed>,
    pub(super) imported: Option<Imported>,
    pub(super) last_seen: Option<Timestamp>,
    /// When it was first seen, where the source says both: an address belonged to whoever had it then.
    pub(super) first_seen: Option<Timestamp>,
    pub(super) place: Place,
    pub(super) by_person: bool,
    pub(super) stop: bool,
    pub(super) notes: Vec<String>,
    pub(super) remotes: Vec<IpAddr>,
    /// Whose sessions the event says that instances held.
    pub(super) sessions: Vec<Session>,
    pub(super) report: Vec<String>,
}

/// What an event names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Instance(InstanceId),
    Address(IpAddr),
    Interface(EniId),
    Principal(Principal),
}

impl Target {
    /// An interface by its id, `eni-` and 8 or 17 hex digits.
    pub(super) fn interface(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("eni-")?;
        let hex = digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        (matches!(digits.len(), 8 | 17) && hex).then(|| Self::Interface(EniId::from(text)))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance(id) => id.fmt(f),
            Self::Address(address) => address.fmt(f),
            Self::Interface(id) => id.fmt(f),
            Self::Principal(principal) => principal.fmt(f),
        }
    }
}

/// A target and where it is.
pub(super) type Named = (AccountId, Region, Target);

impl Draft {
    /// One finding for each target, each target once.
    pub(super) fn named(&self, said_by: &AccountId, targets: Vec<Named>) -> Request {
        self.doubted(said_by, targets.into_iter().map(|target| (target, None)).collect())
    }

    /// The same, where it may not be plain of each that it is meant.
    pub(super) fn doubted(&self, said_by: &AccountId, targets: Vec<(Named, Option<Unclear>)>) -> Request {
        let mut known = BTreeSet::new();
        let mut once = targets;
        once.retain(|(target, _)| known.insert(target.clone()));
        let crowd = once.len();
        let mut request = Request::default();
        let rest = once.split_off(crowd.min(MOST_NAMED));
        for ((account, region, target), unclear) in once {
            match target {
                Target::Instance(id) => {
                    let finding = self.finding(said_by, crowd, account, region, id);
                    request.findings.push(Finding { unclear, ..finding });
                }
                Target::Principal(principal) => {
                    let finding = self.about(said_by, crowd, account, region, principal);
                    request.principals.push(Finding { unclear, ..finding });
                }
                Target::Address(address) => {
                    request.addresses.push(self.addressed(
                        said_by,
                        crowd,
                        account,
                        region,
                        Locator::Address(address),
                        unclear,
                    ));
                }
                Target::Interface(id) => {
                    request.addresses.push(self.addressed(
                        said_by,
                        crowd,
                        account,
                        region,
                        Locator::Interface(id),
                        unclear,
                    ));
                }
            }
        }
        if let Some(((account, region, _), _)) = rest.first() {
            let named = rest.iter().map(|((_, _, target), _)| target.to_string()).collect();
            request.notices.push(self.too_many(account.clone(), region.clone(), named));
        }
        request
    }

    fn addressed(
        &self,
        said_by: &AccountId,
        crowd: usize,
        account: AccountId,
        region: Region,
        address: Locator,
        unclear: Option<Unclear>,
    ) -> Addressed {
        Addressed { address, account, region, said_by: said_by.clone(), crowd, unclear, draft: self.clone() }
    }

    /// What people are notified of those that are not looked at.
    fn too_many(&self, account: AccountId, region: Region, named: Vec<String>) -> Notice {
        let notice = Notice {
            kind: NoticeKind::TooMany,
            source: self.source,
            id: self.id.clone(),
            code: self.kind.clone(),
            title: self.title.clone(),
            account,
            region,
            time: self.last_seen,
            link: None,
            named,
        };
        notice.tidy()
    }

    fn left_out(&self) -> Option<String> {
        let all = self.remotes.len();
        (all > MOST_REMOTES)
            .then(|| format!("the event names {all} remote addresses, of which {MOST_REMOTES} are kept"))
    }

    pub(super) fn finding(
        &self,
        said_by: &AccountId,
        crowd: usize,
        account: AccountId,
        region: Region,
        instance: InstanceId,
    ) -> Finding {
        Finding {
            roles: sessions::roles(&self.sessions, &instance),
            profiles: sessions::profiles(&self.sessions, &instance),
            ..self.about(said_by, crowd, account, region, instance)
        }
    }

    /// A finding about any target.
    pub(super) fn about<T>(
        &self,
        said_by: &AccountId,
        crowd: usize,
        account: AccountId,
        region: Region,
        target: T,
    ) -> Finding<T> {
        Finding {
            source: self.source,
            kind: text::one_line(&self.kind, text::SENTENCE),
            severity: self.severity,
            role: self.role,
            doubt: self.doubt,
            sample: self.sample,
            closed: self.closed,
            imported: self.imported,
            last_seen: self.last_seen,
            by_person: self.by_person,
            stop: self.stop,
            said_by: said_by.clone(),
            crowd,
            place: self.place,
            notes: self.notes.iter().map(|note| text::one_line(note, text::REPORT)).chain(self.left_out()).collect(),
            remotes: self.remotes.iter().take(MOST_REMOTES).copied().collect(),
            report: self.report.clone(),
            ..Finding::occasion(self.id.clone(), self.title.clone(), account, region, target)
        }
    }
}

/// A request, or the reason why it names nothing.
pub(super) fn parsed(request: Request, otherwise: impl Into<String>) -> Parsed {
    if request.is_empty() { Parsed::Nothing(otherwise.into()) } else { Parsed::Request(request) }
}

/// A text of an event as it may appear in messages and in the ledger.
pub(super) fn one_line(said: &str) -> String {
    text::one_line(said, text::SENTENCE)
}
