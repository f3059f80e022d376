//! Collects deeds: what is done again is one deed, and so is what goes through a list.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use brig_core::model::text;

use crate::{
    CredentialId, Deed, DeedKind, DeedState, Presence, Record,
    deed::{Draft, Undone},
    index::NOT_LOOKED,
};

/// So many `eventID`s of one deed are kept.
const MOST_EVENTS: usize = 5;
/// So many things that one deed is about are named.
const MOST_NAMED: usize = 20;
/// Characters of a command: no text of an answer is longer.
const LONGEST: usize = text::REPORT;

/// What tells one deed from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    kind: DeedKind,
    call: String,
    service: String,
    region: String,
    account: Option<String>,
    what: Vec<String>,
    detail: Option<String>,
    things: Vec<String>,
    state: DeedState,
    by: CredentialId,
}

/// One deed, and what it is about where that is many.
#[derive(Debug)]
struct Pile {
    deed: Deed,
    /// The first ones by name.
    named: BTreeSet<String>,
    /// All of them, by a hash that is the same in every run.
    all: HashSet<u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Deeds(BTreeMap<Place, Pile>);

impl Deeds {
    pub(crate) fn take(&mut self, record: &Record, draft: Draft, by: CredentialId) {
        let state = state(record, draft.failed);
        // Names and ids are written by others, an attacker among them.
        let what: Vec<String> = draft.what.iter().map(|text| text::one_line(text, text::NAME)).collect();
        let detail = draft.detail.map(|detail| text::one_line(&detail, text::SENTENCE));
        // A command that was cut or changed does something else: then there is none.
        let undo = draft.undo.filter(|undo| text::one_line(undo, LONGEST) == *undo);
        // Whoever goes through a list tries, or reads, one thing after another: that is one deed about many.
        let is_many = state != DeedState::Done || draft.kind == DeedKind::Taken;
        let things = if state == DeedState::Done { draft.things } else { Vec::new() };
        let (first_what, more_what) = if is_many { (Vec::new(), what) } else { (what, Vec::new()) };
        let place = Place {
            kind: draft.kind,
            call: record.call.clone(),
            service: record.service.clone(),
            region: record.region.clone(),
            account: record.account.clone(),
            what: first_what,
            detail,
            things,
            state,
            by,
        };
        let pile = self.0.entry(place).or_insert_with_key(|place| Pile::new(place, record, undo.clone()));
        pile.name(more_what);
        let deed = &mut pile.deed;
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

    /// Each deed, those of unusual Regions first, then by what matters most, then by time.
    pub(crate) fn finish(self, usual: &BTreeSet<String>, undone: &Undone) -> Vec<Deed> {
        let mut deeds: Vec<Deed> = self.0.into_values().map(Pile::done).collect();
        for deed in &mut deeds {
            deed.unusual_region = !usual.contains(&deed.region);
            deed.presence = presence(deed, undone);
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
        deeds
    }
}

impl Pile {
    fn new(place: &Place, record: &Record, undo: Option<String>) -> Self {
        let deed = Deed {
            kind: place.kind,
            call: place.call.clone(),
            service: place.service.clone(),
            region: place.region.clone(),
            account: place.account.clone(),
            what: place.what.clone(),
            others: 0,
            detail: place.detail.clone(),
            state: place.state.clone(),
            by: place.by.clone(),
            first: record.at,
            last: record.at,
            times: 0,
            events: BTreeSet::new(),
            unusual_region: false,
            presence: Presence::Unknown { why: NOT_LOOKED.to_owned() },
            undo,
            things: place.things.clone(),
        };
        Self { deed, named: BTreeSet::new(), all: HashSet::new() }
    }

    fn name(&mut self, more: Vec<String>) {
        for one in more {
            let mut hash = DefaultHasher::new();
            one.hash(&mut hash);
            if self.all.insert(hash.finish()) {
                self.named.insert(one);
                if self.named.len() > MOST_NAMED {
                    self.named.pop_last();
                }
            }
        }
    }

    fn done(self) -> Deed {
        let mut deed = self.deed;
        deed.others = deed.what.len().saturating_sub(MOST_NAMED) + self.all.len().saturating_sub(self.named.len());
        deed.what.truncate(MOST_NAMED);
        deed.what.extend(self.named);
        deed
    }
}

fn state(record: &Record, failed: Option<String>) -> DeedState {
    match record.error.clone().or(failed) {
        Some(code) if code.ends_with("DryRunOperation") => DeedState::DryRun,
        Some(error) => DeedState::Attempt { error },
        None if !record.succeeded() => DeedState::Attempt { error: "Failure".to_owned() },
        None if record.only_asked() => DeedState::DryRun,
        None => DeedState::Done,
    }
}

fn presence(deed: &Deed, undone: &Undone) -> Presence {
    if deed.state != DeedState::Done {
        return Presence::Over;
    }
    let is_used = deed.kind == DeedKind::Model && ["Invoke", "Converse"].iter().any(|verb| deed.call.starts_with(verb));
    if is_used || matches!(deed.kind, DeedKind::Taken | DeedKind::Command | DeedKind::Deletion) {
        return Presence::Over;
    }
    // Gone is what is gone altogether: every instance of a launch, every rule of a call.
    let all: Option<Vec<_>> = deed.things.iter().map(|thing| undone.since(thing, Some(deed.last))).collect();
    match all.and_then(|all| all.into_iter().max()) {
        Some((_, how)) => Presence::Gone { seen: format!("by the record: {how}") },
        None => Presence::Unknown { why: NOT_LOOKED.to_owned() },
    }
}
