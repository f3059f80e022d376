//! The first pass: who issued what to whom. It keeps a few words of each record that issues a credential and of each key
//! that signs, whatever order they come in; what belongs to a trace is only known once all are there.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use brig_core::model::timestamp::Timestamp;

use crate::{
    Record, Root,
    credential::{Credential, CredentialId, CredentialKind, Delivery, Standing, Uses},
    record::all,
};

/// A session is issued in the second of its call, as CloudTrail dates both.
const SAME_MS: i64 = 5_000;

/// One credential that a call made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Issue {
    at: Timestamp,
    event: String,
    parent: CredentialId,
    call: String,
    child: CredentialId,
    kind: CredentialKind,
    of: Option<String>,
    session: Option<String>,
    /// `AROA...:<session>`: the same session in records that have another key for it.
    principal: Option<String>,
    account: Option<String>,
    expires: Option<Timestamp>,
}

/// A key as records show it in use.
#[derive(Debug, Clone, Default)]
struct Seen {
    kind: String,
    principal: Option<String>,
    user: Option<String>,
    issuer: Option<String>,
    account: Option<String>,
    issued: Option<Timestamp>,
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

impl Index {
    /// Takes a record in.
    pub fn take(&mut self, record: &Record) {
        let caller = &record.caller;
        if let Some(key) = &caller.key {
            let seen = self.seen.entry(key.clone()).or_default();
            let known = |old: &mut Option<String>, new: &Option<String>| {
                // Whatever order records come in, the same one stays.
                if let Some(new) = new {
                    *old = Some(old.take().map_or_else(|| new.clone(), |old| old.min(new.clone())));
                }
            };
            if seen.kind.is_empty() || caller.kind < seen.kind {
                seen.kind.clone_from(&caller.kind);
            }
            known(&mut seen.principal, &caller.principal);
            known(&mut seen.user, &caller.user);
            known(&mut seen.issuer, &caller.issuer);
            known(&mut seen.account, &caller.account);
            seen.issued = match (seen.issued, caller.issued) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
            let delivery = caller.delivery.as_deref().and_then(Delivery::of);
            seen.delivery = match (seen.delivery, delivery) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
            seen.console |= record.console;
        }
        if record.succeeded() {
            let key = caller.key.clone().unwrap_or_default();
            self.regions.entry(key).or_default().insert(record.region.clone());
            self.issues.extend(issues(record));
        }
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

    /// The credentials that begin with the root, and all that came from them, by id.
    pub(crate) fn graph(&self, root: &Root) -> BTreeMap<CredentialId, Credential> {
        let mut by_parent: HashMap<&CredentialId, Vec<&Issue>> = HashMap::new();
        for issue in &self.issues {
            by_parent.entry(&issue.parent).or_default().push(issue);
        }
        let mut graph: BTreeMap<CredentialId, Credential> = BTreeMap::new();
        let mut covered: BTreeSet<CredentialId> = BTreeSet::new();
        let mut roots: VecDeque<Credential> = self.roots(root).into();
        let mut queue: VecDeque<Credential> = VecDeque::new();
        // All that comes from one root before the next: a session that a key of the user's began hangs below that key.
        while let Some(credential) = queue.pop_front().or_else(|| roots.pop_front()) {
            if covered.contains(&credential.id) {
                continue;
            }
            let id = credential.id.clone();
            let names: Vec<CredentialId> =
                std::iter::once(id.clone()).chain(credential.also.iter().cloned().map(CredentialId::Key)).collect();
            covered.extend(names.iter().cloned());
            graph.insert(id.clone(), credential);
            for issue in names.iter().filter_map(|name| by_parent.get(name)).flatten() {
                queue.push_back(self.issued(issue));
            }
            match &id {
                CredentialId::Instance(instance) => {
                    let handed = self.seen.iter().filter(|(_, seen)| session(seen) == Some(instance));
                    queue.extend(handed.map(|(key, seen)| seen_as(key, seen, CredentialKind::RoleSession, Some(&id))));
                }
                CredentialId::Password(user) => {
                    let signed_in =
                        self.seen.iter().filter(|(_, seen)| seen.console && seen.user.as_ref() == Some(user));
                    queue.extend(
                        signed_in.map(|(key, seen)| seen_as(key, seen, CredentialKind::ConsoleSession, Some(&id))),
                    );
                }
                CredentialId::Key(_) | CredentialId::Service(_) | CredentialId::Session(_) => {}
            }
        }
        graph
    }

    fn roots(&self, root: &Root) -> Vec<Credential> {
        match root {
            Root::Instance(id) => vec![bare(CredentialId::Instance(id.clone()), CredentialKind::Instance)],
            Root::Key(key) => {
                let kind =
                    if key.starts_with("ASIA") { CredentialKind::RoleSession } else { CredentialKind::AccessKey };
                let seen = self.seen.get(key);
                vec![seen.map_or_else(
                    || bare(CredentialId::Key(key.clone()), kind),
                    |seen| seen_as(key, seen, kind_of(key, seen), None),
                )]
            }
            Root::User(name) => {
                let own =
                    self.seen.iter().filter(|(_, seen)| seen.kind == "IAMUser" && seen.user.as_ref() == Some(name));
                let mut roots: Vec<Credential> =
                    own.map(|(key, seen)| seen_as(key, seen, kind_of(key, seen), None)).collect();
                let password = bare(CredentialId::Password(name.clone()), CredentialKind::Password);
                roots.push(Credential { of: Some(name.clone()), ..password });
                let later =
                    |one: &Credential| one.kind != CredentialKind::AccessKey && one.kind != CredentialKind::Password;
                roots.sort_by_key(|one| (later(one), one.kind));
                roots
            }
            Root::Role(name) => {
                let of =
                    |seen: &Seen| seen.issuer.as_deref().and_then(|arn| arn.rsplit('/').next()) == Some(name.as_str());
                let own = self.seen.iter().filter(|(_, seen)| of(seen));
                own.map(|(key, seen)| seen_as(key, seen, CredentialKind::RoleSession, None)).collect()
            }
        }
    }

    /// The credential that a call made, with what records of its use show.
    fn issued(&self, issue: &Issue) -> Credential {
        let delivery = match &issue.child {
            CredentialId::Key(key) => self.seen.get(key).and_then(|seen| seen.delivery),
            CredentialId::Instance(_)
            | CredentialId::Password(_)
            | CredentialId::Service(_)
            | CredentialId::Session(_) => None,
        };
        let also = self.other_keys(issue);
        Credential {
            id: issue.child.clone(),
            kind: issue.kind,
            from: Some(issue.parent.clone()),
            by: Some(issue.call.clone()),
            issued: Some(issue.at),
            expires: issue.expires,
            of: issue.of.clone(),
            session: issue.session.clone(),
            account: issue.account.clone(),
            delivery,
            also,
            uses: Uses::default(),
            standing: Standing::Unknown { why: NOT_LOOKED.to_owned() },
        }
    }
}

impl Index {
    /// The keys that records of its use show for the session that was issued, where they have others than the issuing record:
    /// exports in which ids were replaced, and records without the answer. They have the session's unique id and name, and
    /// of all calls that issued such a session this one is the nearest to when it was.
    fn other_keys(&self, issue: &Issue) -> BTreeSet<String> {
        let Some(principal) = &issue.principal else { return BTreeSet::new() };
        if matches!(&issue.child, CredentialId::Key(key) if self.seen.contains_key(key)) {
            return BTreeSet::new();
        }
        let away = |one: &Issue, at: Timestamp| (one.at.millis() - at.millis()).abs();
        let alike: Vec<&Issue> = self.issues.iter().filter(|one| one.principal.as_ref() == Some(principal)).collect();
        let issued = |key: &String| alike.iter().any(|one| one.child == CredentialId::Key(key.clone()));
        let nearest = |at: Timestamp| alike.iter().min_by_key(|one| (away(one, at), **one)).copied();
        let same = |seen: &Seen| {
            seen.principal.as_ref() == Some(principal)
                && seen.issued.is_some_and(|at| away(issue, at) <= SAME_MS && nearest(at) == Some(issue))
        };
        self.seen.iter().filter(|(key, seen)| same(seen) && !issued(key)).map(|(key, _)| key.clone()).collect()
    }
}

pub(crate) const NOT_LOOKED: &str = "nobody has looked yet";

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

/// What a call issued.
fn issues(record: &Record) -> Vec<Issue> {
    let caller = &record.caller;
    let parent = match (&caller.key, record.asked("roleSessionName")) {
        (Some(key), _) => CredentialId::Key(key.clone()),
        // EC2 assumes the role for the instance, whose id is the session's name.
        (None, Some(name)) if name.starts_with("i-") => CredentialId::Instance(name.to_owned()),
        (None, _) => return Vec::new(),
    };
    let one = |child: CredentialId, kind: CredentialKind| Issue {
        at: record.at,
        event: record.id.clone(),
        parent: parent.clone(),
        call: record.call.clone(),
        child,
        kind,
        of: None,
        session: None,
        principal: None,
        account: record.account.clone(),
        expires: record.response_text("expiration").and_then(Timestamp::parse),
    };
    let user = || record.asked("userName").map(str::to_owned).or_else(|| caller.user.clone());
    match record.call.as_str() {
        "AssumeRole"
        | "AssumeRoleWithSAML"
        | "AssumeRoleWithWebIdentity"
        | "AssumeRoot"
        | "GetSessionToken"
        | "GetFederationToken" => {
            let kind = match record.call.as_str() {
                "GetSessionToken" => CredentialKind::UserSession,
                "GetFederationToken" => CredentialKind::FederatedSession,
                _ => CredentialKind::RoleSession,
            };
            let role = record.asked("roleArn").map(str::to_owned);
            let name = record.asked("roleSessionName").or_else(|| record.asked("name")).map(str::to_owned);
            let principal = record.response_text("assumedRoleId").map(str::to_owned);
            let nameless = || {
                let name = name.as_deref().unwrap_or("a session");
                CredentialId::Session(format!("{}/{name} of {}", role.as_deref().unwrap_or("a user"), record.at))
            };
            let key = record.response_text("accessKeyId").map(|key| CredentialId::Key(key.to_owned()));
            let child = key.unwrap_or_else(nameless);
            let of = role.clone().or_else(|| caller.user.clone());
            vec![Issue { of, session: name.clone(), principal, ..one(child, kind) }]
        }
        "CreateAccessKey" => {
            let Some(key) = record.response_text("accessKeyId") else { return Vec::new() };
            vec![Issue {
                of: user(),
                expires: None,
                ..one(CredentialId::Key(key.to_owned()), CredentialKind::AccessKey)
            }]
        }
        "CreateLoginProfile" | "UpdateLoginProfile" => {
            let Some(user) = user() else { return Vec::new() };
            vec![Issue { of: Some(user.clone()), ..one(CredentialId::Password(user), CredentialKind::Password) }]
        }
        "CreateServiceSpecificCredential" => {
            let Some(id) = record.response_text("serviceSpecificCredentialId") else { return Vec::new() };
            vec![Issue { of: user(), ..one(CredentialId::Service(id.to_owned()), CredentialKind::ServiceSpecific) }]
        }
        // An instance that is launched with a profile, or given one, has credentials of its own.
        "RunInstances" | "AssociateIamInstanceProfile" | "ReplaceIamInstanceProfileAssociation" => {
            let named = |value: Option<&serde_json::Value>| {
                value.is_some_and(|value| value.as_object().is_some_and(|map| !map.is_empty()))
            };
            let has_profile =
                named(record.asked_value("iamInstanceProfile")) || named(record.answered("iamInstanceProfile"));
            if !has_profile {
                return Vec::new();
            }
            let mut ids = all(&record.response, "instanceId");
            if ids.is_empty() {
                ids = all(&record.request, "instanceId");
            }
            ids.sort_unstable();
            ids.dedup();
            ids.into_iter().map(|id| one(CredentialId::Instance(id.to_owned()), CredentialKind::Instance)).collect()
        }
        _ => Vec::new(),
    }
}
