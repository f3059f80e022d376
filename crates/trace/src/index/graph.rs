//! The credentials that begin with a root, and all that came from them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use brig_core::model::{ids::arn_name, timestamp::Timestamp};

use super::{
    Index, NOT_LOOKED, Seen,
    issue::{Issue, account_of},
};
use crate::{
    Root,
    credential::{Credential, CredentialId, CredentialKind, Standing, Uses},
    root::Named,
};

/// A session is issued in the second of its call, as CloudTrail dates both.
const SAME_MS: u64 = 5_000;

/// What is looked up again and again, so that a graph takes no longer than its records are many.
struct Maps<'a> {
    by_parent: HashMap<&'a CredentialId, Vec<&'a Issue>>,
    /// What made a key, by records of the call.
    makers: HashMap<&'a str, Vec<&'a CredentialId>>,
    /// The keys that records of its use show for a session, where they have others than the record that issued it.
    aliases: BTreeMap<&'a Issue, BTreeSet<String>>,
    /// Keys in use, by the session's name, and those of the console by the user's.
    by_session: HashMap<&'a str, Vec<(&'a String, &'a Seen)>>,
    by_user: HashMap<&'a str, Vec<(&'a String, &'a Seen)>>,
}

impl<'a> Maps<'a> {
    fn of(index: &'a Index) -> Self {
        let mut maps = Self {
            by_parent: HashMap::new(),
            makers: HashMap::new(),
            aliases: aliases(index),
            by_session: HashMap::new(),
            by_user: HashMap::new(),
        };
        for issue in &index.issues {
            maps.by_parent.entry(&issue.parent).or_default().push(issue);
            if let CredentialId::Key(key) = &issue.child {
                maps.makers.entry(key).or_default().push(&issue.parent);
            }
        }
        for (issue, keys) in &maps.aliases {
            for key in keys {
                // The index has the same text for longer.
                if let Some((key, _)) = index.seen.get_key_value(key) {
                    maps.makers.entry(key).or_default().push(&issue.parent);
                }
            }
        }
        for (key, seen) in &index.seen {
            if let Some(name) = session(seen) {
                maps.by_session.entry(name).or_default().push((key, seen));
            }
            if let Some(user) = seen.user.as_deref().filter(|_| seen.console) {
                maps.by_user.entry(user).or_default().push((key, seen));
            }
        }
        maps
    }

    /// What an instance handed out, and what began with a password: since it has its profile, or since the password was set.
    fn begun(&self, parent: &Credential) -> Vec<Credential> {
        let (of, kind) = match &parent.id {
            CredentialId::Instance(id) => (self.by_session.get(id.as_str()), CredentialKind::RoleSession),
            CredentialId::Password(user) => (self.by_user.get(user.as_str()), CredentialKind::ConsoleSession),
            CredentialId::Key(_) | CredentialId::Service(_) | CredentialId::Session(_) => return Vec::new(),
        };
        let is_of = |key: &str, seen: &Seen| {
            // Who assumes a role names the session, and may name it like an instance.
            let made_elsewhere = self.makers.get(key).is_some_and(|makers| makers.iter().all(|one| **one != parent.id));
            let began = seen.issued.or(seen.first);
            !made_elsewhere && is_since(parent, began) && is_same(parent.account.as_deref(), seen.account.as_deref())
        };
        let begun = of.into_iter().flatten().filter(|(key, seen)| is_of(key, seen));
        begun.map(|(key, seen)| seen_as(key, seen, kind, Some(&parent.id))).collect()
    }

    /// What calls of a credential, or of its other keys, issued.
    fn issued(&self, parent: &Credential, names: &[CredentialId], index: &Index) -> Vec<Credential> {
        let issues = names.iter().filter_map(|name| self.by_parent.get(name)).flatten();
        let own = issues.filter(|issue| !is_lasting(&parent.id) || is_since(parent, Some(issue.at)));
        own.map(|issue| self.credential(issue, index)).collect()
    }

    /// The credential that a call made, with what records of its use show.
    fn credential(&self, issue: &Issue, index: &Index) -> Credential {
        let delivery = match &issue.child {
            CredentialId::Key(key) => index.seen.get(key).and_then(|seen| seen.delivery),
            CredentialId::Instance(_)
            | CredentialId::Password(_)
            | CredentialId::Service(_)
            | CredentialId::Session(_) => None,
        };
        Credential {
            from: Some(issue.parent.clone()),
            by: Some(issue.call.clone()),
            issued: Some(issue.at),
            expires: issue.expires,
            of: issue.of.clone(),
            session: issue.session.clone(),
            account: issue.account.clone(),
            delivery,
            also: self.aliases.get(issue).cloned().unwrap_or_default(),
            ..bare(issue.child.clone(), issue.kind)
        }
    }
}

/// The keys that no call issued, each by the call that issued its session: exports in which ids were replaced, and records
/// without the answer. They have the session's unique id and name, and of all calls that issued such a session this one is the
/// nearest to when it was.
fn aliases(index: &Index) -> BTreeMap<&Issue, BTreeSet<String>> {
    let mut alike: HashMap<&str, Vec<&Issue>> = HashMap::new();
    let mut issued: HashSet<(&str, &str)> = HashSet::new();
    // In the order of time, as the set has them.
    for issue in &index.issues {
        if let Some(principal) = issue.principal.as_deref() {
            alike.entry(principal).or_default().push(issue);
            if let CredentialId::Key(key) = &issue.child {
                issued.insert((principal, key));
            }
        }
    }
    let mut aliases: BTreeMap<&Issue, BTreeSet<String>> = BTreeMap::new();
    for (key, seen) in &index.seen {
        let (Some(principal), Some(at)) = (seen.principal.as_deref(), seen.issued) else { continue };
        if issued.contains(&(principal, key.as_str())) {
            continue;
        }
        let Some(issue) = alike.get(principal).and_then(|alike| nearest(alike, at)) else { continue };
        let is_seen = matches!(&issue.child, CredentialId::Key(key) if index.seen.contains_key(key));
        if !is_seen && away(issue, at) <= SAME_MS {
            aliases.entry(issue).or_default().insert(key.clone());
        }
    }
    aliases
}

fn away(issue: &Issue, at: Timestamp) -> u64 {
    issue.at.millis().abs_diff(at.millis())
}

/// Of calls in the order of time the nearest one; of several in one second the first.
fn nearest<'a>(alike: &[&'a Issue], at: Timestamp) -> Option<&'a Issue> {
    let after = alike.partition_point(|one| one.at < at);
    let before = after.checked_sub(1).and_then(|place| alike.get(place)).map(|last| last.at);
    let first_before = before.and_then(|at| alike.get(alike.partition_point(|one| one.at < at)));
    [first_before, alike.get(after)].into_iter().flatten().copied().min_by_key(|one| (away(one, at), *one))
}

impl Index {
    /// The credentials that begin with the root, and all that came from them, by id.
    pub(crate) fn graph(&self, root: &Root) -> BTreeMap<CredentialId, Credential> {
        let maps = Maps::of(self);
        let mut graph: BTreeMap<CredentialId, Credential> = BTreeMap::new();
        // Each name of a credential, and by which one it is in the graph.
        let mut covered: BTreeMap<CredentialId, CredentialId> = BTreeMap::new();
        let mut roots: VecDeque<Credential> = self.roots(root, &maps).into();
        let mut queue: VecDeque<Credential> = VecDeque::new();
        // All that comes from one root before the next: a session that a key of the user's began hangs below that key.
        while let Some(credential) = queue.pop_front().or_else(|| roots.pop_front()) {
            if covered.contains_key(&credential.id) && !begins_earlier(&credential, &graph, &covered) {
                continue;
            }
            let id = credential.id.clone();
            let names: Vec<CredentialId> =
                std::iter::once(id.clone()).chain(credential.also.iter().cloned().map(CredentialId::Key)).collect();
            covered.extend(names.iter().map(|name| (name.clone(), id.clone())));
            queue.extend(maps.issued(&credential, &names, self));
            queue.extend(maps.begun(&credential));
            graph.insert(id, credential);
        }
        graph
    }

    /// What calls on record made that is the root's, whether or not it was used since.
    fn made<'a>(&'a self, maps: &'a Maps<'a>, is_own: impl Fn(&Issue) -> bool) -> impl Iterator<Item = Credential> {
        self.issues.iter().filter(move |issue| is_own(issue)).map(|issue| maps.credential(issue, self))
    }

    fn roots(&self, root: &Root, maps: &Maps<'_>) -> Vec<Credential> {
        match root {
            Root::Instance(id) => vec![bare(CredentialId::Instance(id.clone()), CredentialKind::Instance)],
            Root::Key(key) => {
                let kind =
                    if key.starts_with("ASIA") { CredentialKind::RoleSession } else { CredentialKind::AccessKey };
                let seen = self.seen.get(key);
                let is_it = |issue: &Issue| matches!(&issue.child, CredentialId::Key(child) if child == key);
                if let Some(made) = self.made(maps, is_it).next() {
                    return vec![made];
                }
                vec![seen.map_or_else(
                    || bare(CredentialId::Key(key.clone()), kind),
                    |seen| seen_as(key, seen, kind_of(key, seen), None),
                )]
            }
            Root::User(named) => {
                let own: Vec<_> =
                    self.seen.iter().filter(|(_, seen)| seen.kind == "IAMUser" && is_user(seen, named)).collect();
                let accounts: BTreeSet<&String> = own.iter().filter_map(|(_, seen)| seen.account.as_ref()).collect();
                let only = accounts.first().filter(|_| accounts.len() == 1).map(|account| (*account).clone());
                let lasts = |issue: &Issue| {
                    let kind = matches!(issue.kind, CredentialKind::AccessKey | CredentialKind::ServiceSpecific);
                    kind && issue.of.as_deref().map(arn_name) == Some(named.name.as_str())
                        && is_same(named.account.as_deref(), issue.account.as_deref())
                };
                let mut roots: Vec<Credential> = self.made(maps, lasts).collect();
                roots.extend(own.into_iter().map(|(key, seen)| seen_as(key, seen, kind_of(key, seen), None)));
                let password = bare(CredentialId::Password(named.name.clone()), CredentialKind::Password);
                roots.push(Credential {
                    of: Some(named.name.clone()),
                    account: named.account.clone().or(only),
                    ..password
                });
                let later =
                    |one: &Credential| one.kind != CredentialKind::AccessKey && one.kind != CredentialKind::Password;
                roots.sort_by_key(|one| (later(one), one.kind));
                roots
            }
            Root::Role(named) => {
                // A look-up by the role finds the calls that assumed it, and not what its sessions did.
                let is_its = |issue: &Issue| {
                    issue.kind == CredentialKind::RoleSession
                        && issue.of.as_deref().is_some_and(|arn| is_arn_of(arn, named))
                };
                let own = self.seen.iter().filter(|(_, seen)| is_role(seen, named));
                let used = own.map(|(key, seen)| seen_as(key, seen, CredentialKind::RoleSession, None));
                self.made(maps, is_its).chain(used).collect()
            }
        }
    }
}

/// Whether a credential that lasts was made before the one that the graph has: a password that was set twice is theirs since
/// the first time. One that comes from itself, as records of impossible times have it, would be nowhere in the graph.
fn begins_earlier(
    new: &Credential,
    graph: &BTreeMap<CredentialId, Credential>,
    covered: &BTreeMap<CredentialId, CredentialId>,
) -> bool {
    let Some(known) = graph.get(&new.id).filter(|known| is_lasting(&known.id)) else { return false };
    let is_earlier = matches!((new.issued, known.issued), (Some(new), Some(known)) if new < known);
    let up = |id: &CredentialId| graph.get(covered.get(id)?)?.from.clone();
    is_earlier && !std::iter::successors(new.from.clone(), up).any(|id| covered.get(&id) == Some(&new.id))
}

/// Whether a credential is the same one however often it is made: what is known by whose it is.
fn is_lasting(id: &CredentialId) -> bool {
    match id {
        CredentialId::Instance(_) | CredentialId::Password(_) => true,
        CredentialId::Key(_) | CredentialId::Service(_) | CredentialId::Session(_) => false,
    }
}

/// What began before somebody had it is not theirs.
fn is_since(parent: &Credential, began: Option<Timestamp>) -> bool {
    parent.issued.is_none_or(|since| began.is_none_or(|began| began >= since))
}

/// Two accounts, as far as both are known.
fn is_same(one: Option<&str>, other: Option<&str>) -> bool {
    one.is_none() || other.is_none() || one == other
}

fn is_user(seen: &Seen, named: &Named) -> bool {
    seen.user.as_ref() == Some(&named.name) && is_same(named.account.as_deref(), seen.account.as_deref())
}

fn is_role(seen: &Seen, named: &Named) -> bool {
    seen.issuer.as_deref().is_some_and(|arn| is_arn_of(arn, named))
}

fn is_arn_of(arn: &str, named: &Named) -> bool {
    arn_name(arn) == named.name && is_same(named.account.as_deref(), account_of(arn))
}

fn session(seen: &Seen) -> Option<&str> {
    seen.principal.as_deref()?.split_once(':').map(|(_, session)| session)
}

fn kind_of(key: &str, seen: &Seen) -> CredentialKind {
    match seen.kind.as_str() {
        "FederatedUser" => CredentialKind::FederatedSession,
        "IAMUser" | "Root" if !key.starts_with("ASIA") => CredentialKind::AccessKey,
        "IAMUser" if seen.console => CredentialKind::ConsoleSession,
        "IAMUser" => CredentialKind::UserSession,
        _ if key.starts_with("AKIA") => CredentialKind::AccessKey,
        _ => CredentialKind::RoleSession,
    }
}

fn bare(id: CredentialId, kind: CredentialKind) -> Credential {
    Credential {
        id,
        kind,
        from: None,
        by: None,
        issued: None,
        expires: None,
        of: None,
        session: None,
        account: None,
        delivery: None,
        also: BTreeSet::new(),
        uses: Uses::default(),
        standing: Standing::Unknown { why: NOT_LOOKED.to_owned() },
    }
}

impl Credential {
    /// A key that IAM lists for a user, and that no record shows.
    #[must_use]
    pub fn listed(key: &str, user: &str, account: &str) -> Self {
        Self {
            of: Some(user.to_owned()),
            account: Some(account.to_owned()),
            ..bare(CredentialId::Key(key.to_owned()), CredentialKind::AccessKey)
        }
    }
}

fn seen_as(key: &str, seen: &Seen, kind: CredentialKind, from: Option<&CredentialId>) -> Credential {
    Credential {
        from: from.cloned(),
        issued: seen.issued,
        of: seen.issuer.clone().or_else(|| seen.user.clone()),
        session: session(seen).map(str::to_owned),
        account: seen.account.clone(),
        delivery: seen.delivery,
        ..bare(CredentialId::Key(key.to_owned()), kind)
    }
}
