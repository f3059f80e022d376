//! The second pass: how each credential of the graph was used, and what it did; then everything together.

use std::collections::{BTreeMap, BTreeSet};

use brig_core::model::{text, timestamp::Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Credential, CredentialId, Deed, DeedKind, DeedState, Delivery, Index, Over, Presence, Record, Root, Standing,
    deed::{Draft, classify, restores, undoes},
    index::NOT_LOOKED,
    over,
};

/// So many `eventID`s of one deed are kept.
const MOST_EVENTS: usize = 5;
/// So many things that one deed is about are named.
const MOST_NAMED: usize = 20;
/// Characters of a command.
const LONGEST: usize = 1000;

/// What tells one deed from another.
type Place = (DeedKind, String, String, Vec<String>, DeedState, CredentialId, Option<String>);

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
    taken: BTreeSet<String>,
    deeds: BTreeMap<Place, Deed>,
    /// What calls undid, whoever made them: the last one, and how it was called.
    undone: BTreeMap<String, (Timestamp, String)>,
    /// What was turned on again since.
    restored: BTreeMap<String, Timestamp>,
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
            deeds: BTreeMap::new(),
            undone: BTreeMap::new(),
            restored: BTreeMap::new(),
        }
    }

    /// The first pass.
    pub fn index(&mut self, record: &Record) {
        self.index.take(record);
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
        if record.succeeded() {
            for thing in undoes(record) {
                let how = format!("{} at {}", record.call, record.at);
                let known = self.undone.entry(thing).or_insert((record.at, how.clone()));
                if (record.at, &how) > (known.0, &known.1) {
                    *known = (record.at, how);
                }
            }
        }
        if record.succeeded()
            && let Some(thing) = restores(record)
        {
            let known = self.restored.entry(thing).or_insert(record.at);
            *known = (*known).max(record.at);
        }
        let Some(by) = by else { return };
        if !record.id.is_empty() && !self.taken.insert(record.id.clone()) {
            return;
        }
        if let Some(credential) = self.credentials.get_mut(&by) {
            credential.uses.take(record);
        }
        if let Some(draft) = classify(record) {
            self.deed(record, draft, by);
        }
    }

    /// Whether the record is a sign-in with a password of the graph.
    fn signed_in(&self, record: &Record) -> Option<CredentialId> {
        let id = CredentialId::Password(record.caller.user.clone()?);
        (record.call == "ConsoleLogin" && self.credentials.contains_key(&id)).then_some(id)
    }

    fn deed(&mut self, record: &Record, draft: Draft, by: CredentialId) {
        let Draft { kind, what, detail, undo, thing } = draft;
        // Names and ids are written by others, an attacker among them.
        let what: Vec<String> = what.iter().map(|text| text::one_line(text, text::NAME)).collect();
        let detail = detail.map(|detail| text::one_line(&detail, text::SENTENCE));
        let undo = undo.map(|undo| text::one_line(&undo, LONGEST));
        let state = match record.error.as_deref() {
            None if record.succeeded() => DeedState::Done,
            None => DeedState::Attempt { error: "Failure".to_owned() },
            Some(code) if code.ends_with("DryRunOperation") => DeedState::DryRun,
            Some(code) => DeedState::Attempt { error: code.to_owned() },
        };
        // Whoever goes through a list tries, or reads, one thing after another: that is one deed about many.
        let is_many = state != DeedState::Done || kind == DeedKind::Taken;
        let (first_what, more_what) = if is_many { (Vec::new(), what) } else { (what, Vec::new()) };
        let (call, region) = (record.call.clone(), record.region.clone());
        let place = (kind, call, region, first_what.clone(), state.clone(), by.clone(), detail.clone());
        let deed = self.deeds.entry(place).or_insert_with(|| Deed {
            kind,
            call: record.call.clone(),
            service: record.service.clone(),
            region: record.region.clone(),
            account: record.account.clone(),
            what: first_what,
            others: 0,
            detail,
            state,
            by,
            first: record.at,
            last: record.at,
            times: 0,
            events: BTreeSet::new(),
            unusual_region: false,
            presence: Presence::Unknown { why: NOT_LOOKED.to_owned() },
            undo: undo.clone(),
            thing,
        });
        for one in more_what {
            if let Err(place) = deed.what.binary_search(&one) {
                deed.what.insert(place, one);
            }
        }
        deed.times += 1;
        deed.first = deed.first.min(record.at);
        if record.at > deed.last || (record.at == deed.last && undo < deed.undo) {
            deed.undo = undo;
        }
        deed.last = deed.last.max(record.at);
        deed.events.insert(record.id.clone());
        if deed.events.len() > MOST_EVENTS {
            deed.events.pop_last();
        }
    }

    /// Everything together. `cut` is when the root was contained, `now` the moment of the trace, `gaps` what of the record
    /// could not be read.
    #[must_use]
    pub fn finish(mut self, cut: Option<Timestamp>, now: Timestamp, gaps: Vec<String>) -> Trace {
        let mut undone = std::mem::take(&mut self.undone);
        undone.retain(|thing, (at, _)| self.restored.get(thing).is_none_or(|restored| restored < at));
        for credential in self.credentials.values_mut() {
            credential.uses.tidy();
            credential.standing = standing(credential, &undone, now);
        }
        let mut deeds: Vec<Deed> = std::mem::take(&mut self.deeds).into_values().collect();
        for deed in &mut deeds {
            deed.others = deed.what.len().saturating_sub(MOST_NAMED);
            deed.what.truncate(MOST_NAMED);
            deed.unusual_region = !self.usual.contains(&deed.region);
            deed.presence = presence(deed, &undone);
            if deed.state != DeedState::Done || matches!(deed.presence, Presence::Gone { .. }) {
                deed.undo = None;
            }
        }
        deeds.sort_by(|one, other| {
            let key = |deed: &Deed| {
                (!deed.unusual_region, deed.kind, deed.first, deed.call.clone(), deed.what.clone(), deed.by.clone())
            };
            key(one).cmp(&key(other))
        });
        let (deeds, attempts): (Vec<Deed>, Vec<Deed>) =
            deeds.into_iter().partition(|deed| deed.state == DeedState::Done);
        let credentials = in_order(&self.credentials);
        let over = over(credentials.iter(), cut, now, gaps.len());
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

    /// An instance's credentials are as alive as the most alive session that it handed out.
    pub fn settle_instance(&mut self, place: usize) {
        let Some(one) = self.credentials.get(place).filter(|one| matches!(one.id, CredentialId::Instance(_))) else {
            return;
        };
        let handed = self.credentials.iter().filter(|other| other.from.as_ref() == Some(&one.id));
        let worst = handed.map(|other| &other.standing).max_by_key(|standing| standing.weakness()).cloned();
        let standing =
            worst.unwrap_or_else(|| Standing::Unknown { why: "no session that it handed out is on record".to_owned() });
        if let Some(one) = self.credentials.get_mut(place) {
            one.standing = standing;
        }
    }

    /// Traces records that are all in memory.
    #[must_use]
    pub fn of(root: Root, records: &[Record], cut: Option<Timestamp>, now: Timestamp, gaps: Vec<String>) -> Self {
        let mut tracer = Tracer::new(root);
        for record in records {
            tracer.index(record);
        }
        tracer.settle();
        for record in records {
            tracer.take(record);
        }
        tracer.finish(cut, now, gaps)
    }
}

/// Whether a credential works, by the records alone.
fn standing(credential: &Credential, undone: &BTreeMap<String, (Timestamp, String)>, now: Timestamp) -> Standing {
    if let Some(expires) = credential.expires.filter(|expires| *expires <= now) {
        return Standing::Dead { why: format!("it expired at {expires}") };
    }
    let thing = match &credential.id {
        CredentialId::Key(key) => format!("key/{key}"),
        CredentialId::Password(user) => format!("password/{user}"),
        CredentialId::Instance(_) | CredentialId::Service(_) | CredentialId::Session(_) => String::new(),
    };
    let since = credential.issued.or(credential.uses.first);
    match undone.get(&thing) {
        Some((at, how))
            if since.is_none_or(|since| *at >= since)
                && credential.uses.last_success.is_none_or(|last| last <= *at) =>
        {
            Standing::Dead { why: format!("by the record: {how}") }
        }
        Some(_) | None => Standing::Unknown { why: "the records alone do not show whether it works now".to_owned() },
    }
}

fn presence(deed: &Deed, undone: &BTreeMap<String, (Timestamp, String)>) -> Presence {
    if deed.state != DeedState::Done {
        return Presence::Over;
    }
    let is_used = deed.kind == DeedKind::Model && ["Invoke", "Converse"].iter().any(|verb| deed.call.starts_with(verb));
    if is_used || matches!(deed.kind, DeedKind::Taken | DeedKind::Command | DeedKind::Deletion) {
        return Presence::Over;
    }
    match deed.thing.as_ref().and_then(|thing| undone.get(thing)) {
        Some((at, how)) if *at >= deed.last => Presence::Gone { seen: format!("by the record: {how}") },
        Some(_) | None => Presence::Unknown { why: NOT_LOOKED.to_owned() },
    }
}

/// Each after what it came from; those of one parent by time.
fn in_order(all: &BTreeMap<CredentialId, Credential>) -> Vec<Credential> {
    let mut children: BTreeMap<Option<&CredentialId>, Vec<&Credential>> = BTreeMap::new();
    for credential in all.values() {
        let parent = credential.from.as_ref().and_then(|from| {
            let alias = || all.values().find(|one| matches!(from, CredentialId::Key(key) if one.also.contains(key)));
            all.get_key_value(from).map(|(id, _)| id).or_else(|| alias().map(|one| &one.id))
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
