//! Reads back what is true now: whether each credential works, and whether what was made is there. What nobody looked at, or could
//! not be read, is unknown.

mod deeds;
mod regional;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use brig_core::model::{
    Credential as UserCredential, CredentialKind as UserCredentialKind, deny_all, deny_policy,
    ids::{AccountId, Region, RoleName, UserName, arn_name},
    timestamp::Timestamp,
};
use brig_engine::ports::{Cloud, Clouds, PortResult, UserShown, View};
use brig_trace::{
    Credential, CredentialId, CredentialKind, DeedKind, DeedState, Over, Presence, Root, Standing, Trace,
};
use futures::future::join_all;

/// No session of a role is longer
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use.html>), and none of GetSessionToken or GetFederationToken
/// (<https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html>).
const LONGEST_ROLE_SESSION: Duration = Duration::from_hours(12);
const LONGEST_USER_SESSION: Duration = Duration::from_hours(36);
/// A session is issued within this of its call's time on record.
const ISSUED_WITHIN: Duration = Duration::from_secs(5);

/// A user as it is now; none where IAM shows none.
struct UserNow {
    shown: UserShown,
    keys: PortResult<Vec<UserCredential>>,
    password: PortResult<bool>,
    attached: PortResult<Vec<String>>,
    inline: PortResult<Vec<String>>,
}

/// A role as it is now.
struct RoleNow {
    /// Its policy that denies earlier sessions, and that which denies instances.
    sessions: PortResult<Option<String>>,
    instances: PortResult<Option<String>>,
    attached: PortResult<Vec<String>>,
    /// Its inline policies that deeds name.
    inline: BTreeMap<String, PortResult<Option<String>>>,
}

/// What was read of an account.
struct Now {
    users: BTreeMap<UserName, PortResult<Option<UserNow>>>,
    roles: BTreeMap<RoleName, PortResult<Option<RoleNow>>>,
    /// Users whose name a call on record changed.
    renamed: BTreeSet<String>,
    deny: String,
    at: Timestamp,
}

/// Reads back every credential and deed of a trace, in the account and, of instances, in the Region of each.
pub async fn look(
    trace: &mut Trace,
    clouds: &dyn Clouds,
    (account, home): (&AccountId, &Region),
    session: &str,
    at: Timestamp,
) {
    let cloud = match clouds.open(account, home, View::Reads, session).await {
        Ok(cloud) => cloud,
        Err(error) => {
            trace.gaps.push(format!("what is true now in {account} could not be read: {error}"));
            return;
        }
    };
    let now = read(trace, cloud.as_ref(), account, home, at).await;
    add_listed(trace, &now, account);
    for credential in trace.credentials.iter_mut().filter(|one| is_here(one.account.as_deref(), account)) {
        let ended = matches!(credential.standing, Standing::Dead { .. });
        // What lasts may have been turned on again by somebody whose records nobody read.
        let lasts = matches!(credential.kind, CredentialKind::AccessKey | CredentialKind::Password);
        if ended && !lasts {
            continue;
        }
        let seen = now.standing(credential);
        if !ended || !matches!(seen, Standing::Unknown { .. }) {
            credential.standing = seen;
        }
    }
    for place in 0..trace.credentials.len() {
        trace.settle_instance(place, |session| now.denies_instance_of(session));
    }
    not_read_elsewhere(trace, account);
    let regional = regional::read(trace, clouds, account, session).await;
    for deed in
        trace.deeds.iter_mut().filter(|deed| deed.state == DeedState::Done && is_here(deed.account.as_deref(), account))
    {
        deed.presence = match now.presence(deed).or_else(|| regional.presence(deed)) {
            Some(Presence::Gone { .. }) if deed.others > 0 => {
                Presence::Unknown { why: format!("{} more of it were not looked at", deed.others) }
            }
            Some(seen) => seen,
            None => continue,
        };
    }
    trace.summarise();
}

/// Where the root is a user, the keys that IAM lists and no record shows: they may be what nobody saw in use.
fn add_listed(trace: &mut Trace, now: &Now, account: &AccountId) {
    let Root::User(named) = &trace.root else { return };
    let user = named.name.parse::<UserName>().ok().and_then(|name| now.users.get(&name));
    let Some(Ok(Some(UserNow { keys: Ok(keys), .. }))) = user else { return };
    let is_known =
        |id: &str| trace.credentials.iter().any(|one| matches!(&one.id, CredentialId::Key(key) if key == id));
    let unseen = keys.iter().filter(|key| !is_known(&key.id));
    let unseen: Vec<Credential> =
        unseen.map(|key| Credential::listed(&key.id, &named.name, account.as_str())).collect();
    trace.credentials.extend(unseen);
}

/// What a credential did in another account is on record there, where nobody read: that proves nothing.
fn not_read_elsewhere(trace: &mut Trace, account: &AccountId) {
    let others = trace.credentials.iter().filter_map(|one| one.account.clone());
    let others: BTreeSet<String> = others.filter(|other| other != account.as_str()).collect();
    for other in others {
        trace.gaps.push(format!("the records of account {other}, in which a credential works, were not read"));
        if let Over::Proven { cut, until } = trace.over {
            trace.over = Over::Unread { cut, gaps: trace.gaps.len(), until: Some(until) };
        }
    }
}

fn is_here(account: Option<&str>, here: &AccountId) -> bool {
    account.is_none_or(|account| account == here.as_str())
}

/// Every user and role that a credential or a deed names, at once.
async fn read(trace: &Trace, cloud: &dyn Cloud, account: &AccountId, home: &Region, at: Timestamp) -> Now {
    let here: Vec<&Credential> =
        trace.credentials.iter().filter(|one| is_here(one.account.as_deref(), account)).collect();
    let mut users: BTreeSet<UserName> = here.iter().filter_map(|one| user_of(one)).collect();
    let mut inline: BTreeMap<RoleName, BTreeSet<String>> = BTreeMap::new();
    let mut roles: BTreeSet<RoleName> = here.iter().filter_map(|one| role_of(one)).collect();
    for deed in trace.deeds.iter().filter(|deed| is_here(deed.account.as_deref(), account)) {
        for name in &deed.what {
            if matches!(deed.kind, DeedKind::User | DeedKind::Credential | DeedKind::Policy) {
                users.extend(name.parse::<UserName>().ok());
            } else if matches!(deed.kind, DeedKind::Role | DeedKind::Trust) {
                roles.extend(name.parse::<RoleName>().ok());
            }
        }
        if let Some((role, policy)) = deeds::policy_of_role(deed) {
            let named: &mut BTreeSet<String> = inline.entry(role.clone()).or_default();
            named.extend((deed.call == "PutRolePolicy").then(|| policy.to_owned()));
            roles.insert(role);
        }
    }
    let users = users.into_iter().map(|name| async move {
        let user = user_now(&name, cloud).await;
        (name, user)
    });
    let roles = roles.into_iter().map(|name| {
        let inline = inline.remove(&name).unwrap_or_default();
        async move {
            let role = role_now(&name, inline, cloud).await;
            (name, role)
        }
    });
    let (users, roles) = futures::join!(join_all(users), join_all(roles));
    let renames = trace.deeds.iter().filter(|deed| deed.call == "UpdateUser");
    let renamed = renames.flat_map(|deed| deed.what.clone()).collect();
    Now { users: users.into_iter().collect(), roles: roles.into_iter().collect(), renamed, deny: deny_all(home), at }
}

async fn user_now(name: &UserName, cloud: &dyn Cloud) -> PortResult<Option<UserNow>> {
    let (shown, keys, password, attached, inline) = futures::join!(
        cloud.get_user(name),
        cloud.list_credentials(name, UserCredentialKind::AccessKey),
        cloud.get_login_profile(name),
        cloud.list_attached_user_policies(name),
        cloud.list_user_policies(name)
    );
    Ok(shown?.map(|shown| UserNow { shown, keys, password, attached, inline }))
}

async fn role_now(name: &RoleName, inline: BTreeSet<String>, cloud: &dyn Cloud) -> PortResult<Option<RoleNow>> {
    let policies = inline.into_iter().map(|policy| async move {
        let document = cloud.get_role_policy(name.as_str(), &policy).await;
        (policy, document)
    });
    let (role, sessions, instances, attached, inline) = futures::join!(
        cloud.get_role(name.as_str()),
        cloud.get_role_policy(name.as_str(), deny_policy::SESSIONS),
        cloud.get_role_policy(name.as_str(), deny_policy::NAME),
        cloud.list_attached_role_policies(name.as_str()),
        join_all(policies)
    );
    Ok(role?.map(|_| RoleNow { sessions, instances, attached, inline: inline.into_iter().collect() }))
}

fn user_of(credential: &Credential) -> Option<UserName> {
    match credential.kind {
        CredentialKind::AccessKey
        | CredentialKind::UserSession
        | CredentialKind::FederatedSession
        | CredentialKind::Password
        | CredentialKind::ConsoleSession
        | CredentialKind::ServiceSpecific => arn_name(credential.of.as_deref()?).parse().ok(),
        CredentialKind::RoleSession | CredentialKind::Instance => None,
    }
}

fn role_of(credential: &Credential) -> Option<RoleName> {
    // A session of AssumeRoot is of no role.
    let arn = credential.of.as_deref().filter(|arn| arn.contains(":role/"))?;
    if credential.kind == CredentialKind::RoleSession { arn_name(arn).parse().ok() } else { None }
}

fn dead(why: impl Into<String>) -> Standing {
    Standing::Dead { why: why.into() }
}

fn alive(why: impl Into<String>) -> Standing {
    Standing::Alive { why: why.into() }
}

fn unknown(why: impl Into<String>) -> Standing {
    Standing::Unknown { why: why.into() }
}

impl Now {
    fn standing(&self, credential: &Credential) -> Standing {
        if let Some(name) = user_of(credential) {
            return match self.users.get(&name) {
                Some(Ok(Some(user))) => self.of_user(credential, &name, user),
                // A renamed user keeps its credentials.
                Some(Ok(None)) => {
                    unknown(format!("IAM shows no user {name}: it was deleted, or renamed, or never there"))
                }
                Some(Err(error)) => unknown(format!("user {name} could not be read: {error}")),
                None => credential.standing.clone(),
            };
        }
        if let Some(name) = role_of(credential) {
            return match self.roles.get(&name) {
                Some(Ok(Some(role))) => self.of_role(credential, &name, role),
                Some(Ok(None)) => {
                    dead(format!("IAM shows no role {name}: without it its sessions are allowed nothing"))
                }
                Some(Err(error)) => unknown(format!("role {name} could not be read: {error}")),
                None => credential.standing.clone(),
            };
        }
        credential.standing.clone()
    }

    fn of_user(&self, credential: &Credential, name: &UserName, user: &UserNow) -> Standing {
        if user.shown.boundary.as_deref() == Some(self.deny.as_str()) {
            return dead(format!("{name} is denied everything: its boundary is AWSDenyAll"));
        }
        if user.attached.as_ref().is_ok_and(|attached| attached.contains(&self.deny)) {
            return dead(format!("{name} is denied everything: AWSDenyAll is attached to it"));
        }
        match &credential.id {
            // It has no end of its own, and nobody looked whether it is active.
            CredentialId::Service(_) => unknown(format!("whether it is active was not read; {name} is not denied")),
            CredentialId::Key(key) if credential.kind == CredentialKind::AccessKey => match &user.keys {
                Ok(keys) => match keys.iter().find(|one| one.id == *key) {
                    None => dead(format!("{name} no longer has it")),
                    Some(one) if !one.active => dead("it is inactive"),
                    Some(_) => alive(format!("it is active, and {name} is not denied")),
                },
                Err(error) => unknown(format!("the keys of {name} could not be read: {error}")),
            },
            CredentialId::Password(_) => match &user.password {
                Ok(false) => dead(format!("{name} has no console password")),
                Ok(true) => alive(format!("{name} has a console password, and is not denied")),
                Err(error) => unknown(format!("whether {name} has a console password could not be read: {error}")),
            },
            CredentialId::Key(_) | CredentialId::Instance(_) | CredentialId::Session(_) => {
                self.by_age(credential, LONGEST_USER_SESSION, &format!("{name} is not denied"))
            }
        }
    }

    fn of_role(&self, credential: &Credential, name: &RoleName, role: &RoleNow) -> Standing {
        match &role.sessions {
            Ok(Some(policy)) => {
                let before = deny_policy::sessions_denied_before(policy);
                if let (Some(before), Some(issued)) = (before, credential.issued)
                    && issued.after(ISSUED_WITHIN) < before
                {
                    return dead(format!("role {name} denies sessions issued before {before}"));
                }
            }
            Ok(None) => {}
            Err(error) => return unknown(format!("whether role {name} denies it could not be read: {error}")),
        }
        match &role.instances {
            Ok(Some(policy)) if deny_policy::denies_role(policy) => {
                return dead(format!("role {name} denies every session"));
            }
            Ok(Some(_)) if self.denies_instance_of(credential) => {
                return dead(format!("role {name} denies the sessions of this instance"));
            }
            Ok(Some(_) | None) => {}
            Err(error) => return unknown(format!("whether role {name} denies it could not be read: {error}")),
        }
        self.by_age(credential, LONGEST_ROLE_SESSION, &format!("role {name} does not deny it"))
    }

    /// Whether the role of a session that an instance handed out denies the instance whatever it is handed next. Who assumes a
    /// role may name the session like an instance, which makes it none of the instance's.
    fn denies_instance_of(&self, session: &Credential) -> bool {
        let is_handed = session.delivery.is_some() || matches!(session.from, Some(CredentialId::Instance(_)));
        let role = role_of(session).and_then(|name| self.roles.get(&name));
        let Some(Ok(Some(RoleNow { instances: Ok(Some(policy)), .. }))) = role else { return false };
        deny_policy::denies_role(policy)
            || is_handed && session.session.as_deref().is_some_and(|id| deny_policy::denies_session(policy, id))
    }

    /// A session that nothing denies ends by itself.
    fn by_age(&self, credential: &Credential, longest: Duration, nothing: &str) -> Standing {
        match (credential.expires, credential.issued.or(credential.uses.last_success)) {
            (Some(expires), _) if expires <= self.at => dead(format!("it expired at {expires}")),
            (Some(expires), _) => alive(format!("it lives until {expires}, and {nothing}")),
            (None, Some(issued)) if issued.after(longest) <= self.at => {
                dead(format!("no such session lives longer than {} hours", longest.as_secs() / 3600))
            }
            (None, _) => unknown(format!("it may have expired; {nothing}")),
        }
    }
}
