//! What the findings of one event have in common, and the findings made of it.

use std::net::IpAddr;

use super::{
    Addressed, Closed, Doubt, Finding, Imported, Parsed, Request, ResourceRole, Source,
    sessions::{self, Session},
};
use crate::{
    ids::{AccountId, InstanceId, Region},
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
    pub(super) by_person: bool,
    pub(super) stop: bool,
    pub(super) notes: Vec<String>,
    pub(super) remotes: Vec<IpAddr>,
    /// Whose sessions the event says that instances held.
    pub(super) sessions: Vec<Session>,
    pub(super) report: Vec<String>,
}

/// What an event names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Instance(InstanceId),
    Address(IpAddr),
}

/// A target and where it is.
pub(super) type Named = (AccountId, Region, Target);

impl Draft {
    /// One finding for each target, each target once.
    pub(super) fn named(&self, said_by: &AccountId, targets: Vec<Named>) -> Request {
        let mut once: Vec<Named> = Vec::new();
        for target in targets {
            if !once.contains(&target) {
                once.push(target);
            }
        }
        let crowd = once.len();
        let mut request = Request::default();
        for (account, region, target) in once {
            match target {
                Target::Instance(id) => request.findings.push(self.finding(said_by, crowd, account, region, id)),
                Target::Address(address) => {
                    let (said_by, draft) = (said_by.clone(), self.clone());
                    request.addresses.push(Addressed { address, account, region, said_by, crowd, draft });
                }
            }
        }
        request
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
            source: self.source,
            // Clean, whichever parser made it.
            id: text::one_line(&self.id, LONGEST_ID),
            kind: text::one_line(&self.kind, text::SENTENCE),
            title: text::one_line(&self.title, text::SENTENCE),
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
            notes: self.notes.iter().map(|note| text::one_line(note, text::REPORT)).chain(self.left_out()).collect(),
            remotes: self.remotes.iter().take(MOST_REMOTES).copied().collect(),
            roles: sessions::roles(&self.sessions, &instance),
            profiles: sessions::profiles(&self.sessions, &instance),
            report: self.report.clone(),
            account,
            region,
            instance,
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
