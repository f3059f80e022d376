//! The second pass: how each credential of the graph was used, and what it did; then everything together.

use std::collections::{BTreeMap, BTreeSet};

use brig_core::model::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Credential, CredentialId, Deed, DeedState, Delivery, Index, Over, Presence, Record, Root, Standing,
    deed::{Undone, classify, placed},
    deeds::Deeds,
    over,
};

/// By what one record is known: exports replace ids, and then many have the same one.
type Mark = (String, Timestamp, String, String, Option<String>);

/// Traces in two passes over the same records: first who issued what, then what was done with it. The records may come in any
/// order, and each more than once.
#[derive(Debug)]
pub struct Tracer {
    root: Root,
    index: Index,
    credentials: BTreeMap<CredentialId, Credential>,
    /// Every key of the graph, by the credential that it is.
    keys: BTreeMap<String, CredentialId>,
    usual: BTreeSet<String>,
    taken: BTreeSet<Mark>,
    deeds: Deeds,
    undone: Undone,
    /// The last moment that what was read covers.
    read_until: Option<Timestamp>,
}

/// In how many words what happened can be said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub credentials: usize,
    pub dead: usize,
    pub unknown: usize,
    pub alive: usize,
    /// Things that were made or changed, and how many of them are known to be gone.
    pub deeds: usize,
    pub gone: usize,
    pub attempts: usize,
    /// At least one was handed out through the first version of the metadata service.
    pub stolen_by_imdsv1: bool,
}

/// What happened, as far as the records show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    pub root: Root,
    pub summary: Summary,
    /// The graph, each after what it came from.
    pub credentials: Vec<Credential>,
    /// What they did: unusual Regions first, then by what matters most, then by time.
    pub deeds: Vec<Deed>,
    /// What they tried.
    pub attempts: Vec<Deed>,
    pub over: Over,
    /// What of the record could not be read.
    pub gaps: Vec<String>,
}

impl Tracer {
    #[must_use]
    pub fn new(root: Root) -> Self {
        Self {
            root,
            index: Index::default(),
            credentials: BTreeMap::new(),
            keys: BTreeMap::new(),
            usual: BTreeSet::new(),
            taken: BTreeSet::new(),
            deeds: Deeds::default(),
            undone: Undone::default(),
            read_until: None,
        }
    }

    /// The first pass.
    pub fn index(&mut self, record: &Record) {
        self.read_until = self.read_until.max(Some(record.at));
        self.index.take(record);
    }

    /// Everything was read until a moment, whether or not there was a record of it. Without that, what was read ends with the
    /// last record.
    pub fn read_until(&mut self, moment: Timestamp) {
        self.read_until = self.read_until.max(Some(moment));
    }

    /// Between the passes.
    pub fn settle(&mut self) {
        self.credentials = self.index.graph(&self.root);
        self.keys = BTreeMap::new();
        for (id, credential) in &self.credentials {
            if let CredentialId::Key(key) = id {
                self.keys.insert(key.clone(), id.clone());
            }
            self.keys.extend(credential.also.iter().map(|key| (key.clone(), id.clone())));
        }
        self.usual = self.index.usual_regions(&self.keys.keys().cloned().collect());
        // Without anybody else's calls nothing is known of what is usual.
        if self.usual.is_empty() {
            self.usual = self.index.usual_regions(&BTreeSet::new());
        }
    }

    /// The second pass.
    pub fn take(&mut self, record: &Record) {
        let by =
            record.caller.key.as_ref().and_then(|key| self.keys.get(key)).cloned().or_else(|| self.signed_in(record));
        if by.is_none() && record.error.is_some() {
            return;
        }
        self.undone.take(record);
        let Some(by) = by else { return };
        let mark =
            || (record.id.clone(), record.at, record.service.clone(), record.call.clone(), record.caller.key.clone());
        if !record.id.is_empty() && !self.taken.insert(mark()) {
            return;
        }
        if let Some(credential) = self.credentials.get_mut(&by) {
            credential.uses.take(record);
        }
        if let Some(draft) = classify(record) {
            self.deeds.take(record, draft, by);
        }
    }

    /// Whether the record is a sign-in with a password of the graph, since it was set.
    fn signed_in(&self, record: &Record) -> Option<CredentialId> {
        if record.call != "ConsoleLogin" {
            return None;
        }
        let id = CredentialId::Password(record.caller.user.clone()?);
        let known = self.credentials.get(&id)?;
        let account = record.caller.account.as_ref().or(record.account.as_ref());
        let is_here = known.account.is_none() || account.is_none() || known.account.as_ref() == account;
        (is_here && known.issued.is_none_or(|since| record.at >= since)).then_some(id)
    }

    /// Both passes over records that are all in memory.
    #[must_use]
    pub fn read(mut self, records: &[Record]) -> Self {
        for record in records {
            self.index(record);
        }
        self.settle();
        for record in records {
            self.take(record);
        }
        self
    }

    /// Everything together. `cut` is when the root was contained, `now` the moment of the trace, `gaps` what of the record
    /// could not be read.
    #[must_use]
    pub fn finish(mut self, cut: Option<Timestamp>, now: Timestamp, gaps: Vec<String>) -> Trace {
        for credential in self.credentials.values_mut() {
            credential.uses.tidy();
            credential.standing = standing(credential, &self.undone, now);
        }
        let deeds = self.deeds.finish(&self.usual, &self.undone);
        let (deeds, attempts): (Vec<Deed>, Vec<Deed>) =
            deeds.into_iter().partition(|deed| deed.state == DeedState::Done);
        let credentials = in_order(&self.credentials);
        let over = over(credentials.iter(), cut, now, self.read_until, gaps.len());
        let summary = Summary::default();
        let mut trace = Trace { root: self.root, summary, credentials, deeds, attempts, over, gaps };
        trace.summarise();
        trace
    }
}

impl Trace {
    /// Counts again, after what is true now was read back.
    pub fn summarise(&mut self) {
        let count = |weakness: u8| self.credentials.iter().filter(|one| one.standing.weakness() == weakness).count();
        self.summary = Summary {
            credentials: self.credentials.len(),
            dead: count(0),
            unknown: count(1),
            alive: count(2),
            deeds: self.deeds.len(),
            gone: self.deeds.iter().filter(|deed| matches!(deed.presence, Presence::Gone { .. })).count(),
            attempts: self.attempts.len(),
            stolen_by_imdsv1: self.credentials.iter().any(|one| one.delivery == Some(Delivery::V1)),
        };
        for deed in self.deeds.iter_mut().filter(|deed| matches!(deed.presence, Presence::Gone { .. })) {
            deed.undo = None;
        }
    }

    /// An instance's credentials are as alive as the most alive session that it handed out. That those ended kills nothing: it
    /// hands out new ones, unless each of their roles `denies` the instance.
    pub fn settle_instance(&mut self, place: usize, denies: impl Fn(&Credential) -> bool) {
        let Some(one) = self.credentials.get(place).filter(|one| matches!(one.id, CredentialId::Instance(_))) else {
            return;
        };
        let handed = || self.credentials.iter().filter(|other| other.from.as_ref() == Some(&one.id));
        let worst = handed().map(|other| &other.standing).max_by_key(|standing| standing.weakness()).cloned();
        let unknown = |why: &str| Standing::Unknown { why: why.to_owned() };
        let standing = match worst {
            None => unknown("no session that it handed out is on record"),
            Some(Standing::Dead { .. }) if !handed().all(denies) => {
                unknown("the sessions on record have ended, and it may have been handed new ones since")
            }
            Some(worst) => worst,
        };
        if let Some(one) = self.credentials.get_mut(place) {
            one.standing = standing;
        }
    }

    /// Traces records that are all in memory.
    #[must_use]
    pub fn of(root: Root, records: &[Record], cut: Option<Timestamp>, now: Timestamp, gaps: Vec<String>) -> Self {
        Tracer::new(root).read(records).finish(cut, now, gaps)
    }
}

/// Whether a credential works, by the records alone.
fn standing(credential: &Credential, undone: &Undone, now: Timestamp) -> Standing {
    if let Some(expires) = credential.expires.filter(|expires| *expires <= now) {
        return Standing::Dead { why: format!("it expired at {expires}") };
    }
    let thing = match &credential.id {
        CredentialId::Key(key) => format!("key/{key}"),
        CredentialId::Password(user) => format!("password/{user}"),
        CredentialId::Instance(_) | CredentialId::Service(_) | CredentialId::Session(_) => String::new(),
    };
    let thing = placed(credential.account.as_deref(), None, &thing);
    match undone.since(&thing, credential.issued.or(credential.uses.first)) {
        Some((at, how)) if credential.uses.last_success.is_none_or(|last| last <= *at) => {
            Standing::Dead { why: format!("by the record: {how}") }
        }
        Some(_) | None => Standing::Unknown { why: "the records alone do not show whether it works now".to_owned() },
    }
}

/// Each after what it came from; those of one parent by time.
fn in_order(all: &BTreeMap<CredentialId, Credential>) -> Vec<Credential> {
    let mut children: BTreeMap<Option<&CredentialId>, Vec<&Credential>> = BTreeMap::new();
    let also = all.values().flat_map(|one| one.also.iter().map(|key| (key.as_str(), &one.id)));
    let also: BTreeMap<&str, &CredentialId> = also.collect();
    for credential in all.values() {
        let parent = credential.from.as_ref().and_then(|from| {
            let alias = || match from {
                CredentialId::Key(key) => also.get(key.as_str()).copied(),
                CredentialId::Instance(_)
                | CredentialId::Password(_)
                | CredentialId::Service(_)
                | CredentialId::Session(_) => None,
            };
            all.get_key_value(from).map(|(id, _)| id).or_else(alias)
        });
        children.entry(parent).or_default().push(credential);
    }
    for of_one in children.values_mut() {
        of_one.sort_by_key(|one| (one.issued.or(one.uses.first), one.id.clone()));
    }
    let mut ordered = Vec::new();
    let mut stack: Vec<&Credential> = children.get(&None).into_iter().flatten().rev().copied().collect();
    while let Some(credential) = stack.pop() {
        ordered.push(credential.clone());
        stack.extend(children.get(&Some(&credential.id)).into_iter().flatten().rev().copied());
    }
    ordered
}
