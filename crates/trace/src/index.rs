//! The first pass: who issued what to whom. It keeps a few words of each record that issues a credential and of each key
//! that signs, whatever order they come in; what belongs to a trace is only known once all are there.

mod graph;
mod issue;

use std::collections::{BTreeMap, BTreeSet};

use brig_core::model::timestamp::Timestamp;
use issue::{Issue, issues};

use crate::{
    Record, Root,
    credential::{CredentialId, Delivery},
};

pub(crate) const NOT_LOOKED: &str = "nobody has looked yet";

/// A key as records show it in use.
#[derive(Debug, Clone, Default)]
struct Seen {
    kind: String,
    principal: Option<String>,
    user: Option<String>,
    issuer: Option<String>,
    account: Option<String>,
    issued: Option<Timestamp>,
    /// Its first call.
    first: Option<Timestamp>,
    delivery: Option<Delivery>,
    console: bool,
}

/// What the first pass keeps.
#[derive(Debug, Clone, Default)]
pub struct Index {
    issues: BTreeSet<Issue>,
    seen: BTreeMap<String, Seen>,
    /// Regions in which somebody called, by key.
    regions: BTreeMap<String, BTreeSet<String>>,
}

/// Whatever order records come in, the same one stays.
fn least<T: Ord + Clone>(old: &mut Option<T>, new: Option<&T>) {
    if let Some(new) = new.filter(|new| old.as_ref().is_none_or(|old| *new < old)) {
        *old = Some(new.clone());
    }
}

impl Index {
    /// Takes a record in.
    pub fn take(&mut self, record: &Record) {
        let caller = &record.caller;
        if let Some(key) = &caller.key {
            let seen = self.seen.entry(key.clone()).or_default();
            if seen.kind.is_empty() || caller.kind < seen.kind {
                seen.kind.clone_from(&caller.kind);
            }
            least(&mut seen.principal, caller.principal.as_ref());
            least(&mut seen.user, caller.user.as_ref());
            least(&mut seen.issuer, caller.issuer.as_ref());
            least(&mut seen.account, caller.account.as_ref());
            least(&mut seen.issued, caller.issued.as_ref());
            least(&mut seen.first, Some(&record.at));
            least(&mut seen.delivery, caller.delivery.as_deref().and_then(Delivery::of).as_ref());
            seen.console |= record.console;
        }
        if !record.succeeded() {
            return;
        }
        // What a service does for itself, such as EC2 that assumes a role for an instance, makes no Region usual.
        if let Some(key) = caller.key.as_ref().filter(|_| caller.kind != "AWSService") {
            self.regions.entry(key.clone()).or_default().insert(record.region.clone());
        }
        self.issues.extend(issues(record));
    }

    /// Regions in which anybody outside these keys has called with success.
    pub(crate) fn usual_regions(&self, keys: &BTreeSet<String>) -> BTreeSet<String> {
        self.regions.iter().filter(|(key, _)| !keys.contains(*key)).flat_map(|(_, regions)| regions.clone()).collect()
    }

    /// The ids of all credentials that begin with the root, or came from those: as far as the records that were taken show.
    #[must_use]
    pub fn credentials(&self, root: &Root) -> Vec<CredentialId> {
        let graph = self.graph(root);
        let also = graph.values().flat_map(|one| one.also.iter().cloned().map(CredentialId::Key));
        graph.keys().cloned().chain(also).collect()
    }
}
