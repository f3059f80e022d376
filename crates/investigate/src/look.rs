//! Reads back what is true now: whether each credential works, and whether what was made is there. What nobody looked at, or could
//! not be read, is unknown.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use brig_core::model::{
    Credential as UserCredential, CredentialKind as UserCredentialKind, deny_all, deny_policy,
    ids::{AccountId, InstanceId, Region, RoleName, UserName, arn_name},
    timestamp::Timestamp,
};
use brig_engine::ports::{Cloud, Clouds, PortResult, UserShown, View};
use brig_trace::{Credential, CredentialId, CredentialKind, Deed, DeedKind, DeedState, Presence, Standing, Trace};
use futures::future::join_all;

/// No session of a role is longer
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use.html>), and none of GetSessionToken or GetFederationToken
/// (<https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html>).
const LONGEST_ROLE_SESSION: Duration = Duration::from_hours(12);
const LONGEST_USER_SESSION: Duration = Duration::from_hours(36);

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
}

/// What was read of an account.
struct Now {
    users: BTreeMap<UserName, PortResult<Option<UserNow>>>,
    roles: BTreeMap<RoleName, PortResult<Option<RoleNow>>>,
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
    for credential in &mut trace.credentials {
        if !matches!(credential.standing, Standing::Dead { .. }) && is_here(credential.account.as_deref(), account) {
            credential.standing = now.standing(credential);
        }
    }
    for place in 0..trace.credentials.len() {
        trace.settle_instance(place);
    }
    let instances = instances(trace, clouds, account, session).await;
    for deed in
        trace.deeds.iter_mut().filter(|deed| deed.state == DeedState::Done && is_here(deed.account.as_deref(), account))
    {
        if let Some(seen) = now.presence(deed).or_else(|| instance_of(deed, &instances)) {
            deed.presence = seen;
        }
    }
    trace.summarise();
}

fn is_here(account: Option<&str>, here: &AccountId) -> bool {
    account.is_none_or(|account| account == here.as_str())
}

/// Every user and role that a credential or a deed names, at once.
async fn read(trace: &Trace, cloud: &dyn Cloud, account: &AccountId, home: &Region, at: Timestamp) -> Now {
    let here: Vec<&Credential> =
        trace.credentials.iter().filter(|one| is_here(one.account.as_deref(), account)).collect();
    let mut users: BTreeSet<UserName> = here.iter().filter_map(|one| user_of(one)).collect();
    let mut roles: BTreeSet<RoleName> = here.iter().filter_map(|one| role_of(one)).collect();
    for deed in trace.deeds.iter().filter(|deed| is_here(deed.account.as_deref(), account)) {
        for name in &deed.what {
            if matches!(deed.kind, DeedKind::User | DeedKind::Credential | DeedKind::Policy) {
                users.extend(name.parse::<UserName>().ok());
            } else if matches!(deed.kind, DeedKind::Role | DeedKind::Trust) {
                roles.extend(name.parse::<RoleName>().ok());
            }
        }
    }
    let users = users.into_iter().map(|name| async move {
        let user = user_now(&name, cloud).await;
        (name, user)
    });
    let roles = roles.into_iter().map(|name| async move {
        let role = role_now(&name, cloud).await;
        (name, role)
    });
    let (users, roles) = futures::join!(join_all(users), join_all(roles));
    Now { users: users.into_iter().collect(), roles: roles.into_iter().collect(), deny: deny_all(home), at }
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

async fn role_now(name: &RoleName, cloud: &dyn Cloud) -> PortResult<Option<RoleNow>> {
    let (role, sessions, instances) = futures::join!(
        cloud.get_role(name.as_str()),
        cloud.get_role_policy(name.as_str(), deny_policy::SESSIONS),
        cloud.get_role_policy(name.as_str(), deny_policy::NAME)
    );
    Ok(role?.map(|_| RoleNow { sessions, instances }))
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
    if credential.kind == CredentialKind::RoleSession { arn_name(credential.of.as_deref()?).parse().ok() } else { None }
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
                Some(Ok(None)) => dead(format!("IAM shows no user {name}")),
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
        match &credential.id {
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
            CredentialId::Key(_) | CredentialId::Instance(_) | CredentialId::Service(_) | CredentialId::Session(_) => {
                self.by_age(credential, LONGEST_USER_SESSION, &format!("{name} is not denied"))
            }
        }
    }

    fn of_role(&self, credential: &Credential, name: &RoleName, role: &RoleNow) -> Standing {
        match &role.sessions {
            Ok(Some(policy)) => {
                let before = deny_policy::sessions_denied_before(policy);
                if let (Some(before), Some(issued)) = (before, credential.issued)
                    && issued < before
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
            Ok(Some(policy)) => {
                if credential.session.as_deref().is_some_and(|session| deny_policy::denies_session(policy, session)) {
                    return dead(format!("role {name} denies the sessions of this instance"));
                }
            }
            Ok(None) => {}
            Err(error) => return unknown(format!("whether role {name} denies it could not be read: {error}")),
        }
        self.by_age(credential, LONGEST_ROLE_SESSION, &format!("role {name} does not deny it"))
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

    /// Whether what a deed made or changed in IAM is there; none of what is looked at elsewhere, or not at all.
    #[expect(clippy::wildcard_enum_match_arm, reason = "one arm a kind that is looked at; the others stay unknown")]
    fn presence(&self, deed: &Deed) -> Option<Presence> {
        let there = |seen: String| Some(Presence::There { seen });
        let gone = |seen: String| Some(Presence::Gone { seen });
        let unread = |what: &str, error: &dyn std::fmt::Display| {
            Some(Presence::Unknown { why: format!("{what} could not be read: {error}") })
        };
        let user = deed.what.iter().find_map(|name| {
            let name: UserName = name.parse().ok()?;
            self.users.get(&name).map(|user| (name, user))
        });
        let role = deed.what.first().and_then(|name| {
            let name: RoleName = name.parse().ok()?;
            self.roles.get(&name).map(|role| (name, role))
        });
        match deed.kind {
            DeedKind::User => match user? {
                (name, Ok(Some(_))) => there(format!("user {name}")),
                (name, Ok(None)) => gone(format!("IAM shows no user {name}")),
                (name, Err(error)) => unread(&format!("user {name}"), error),
            },
            DeedKind::Role | DeedKind::Trust => match role? {
                (name, Ok(Some(_))) if deed.kind == DeedKind::Role => there(format!("role {name}")),
                (_, Ok(Some(_))) => None,
                (name, Ok(None)) => gone(format!("IAM shows no role {name}")),
                (name, Err(error)) => unread(&format!("role {name}"), error),
            },
            DeedKind::Credential if deed.call == "CreateAccessKey" => {
                let key = deed.what.first()?;
                let (name, user) = match deed.what.get(1).and_then(|name| name.parse::<UserName>().ok()) {
                    Some(name) => (name.clone(), self.users.get(&name)?),
                    None => return None,
                };
                match user {
                    Ok(None) => gone(format!("IAM shows no user {name}")),
                    Ok(Some(UserNow { keys: Ok(keys), .. })) => match keys.iter().find(|one| one.id == *key) {
                        Some(one) if one.active => there("active".to_owned()),
                        Some(_) => there("inactive".to_owned()),
                        None => gone(format!("{name} no longer has it")),
                    },
                    Ok(Some(UserNow { keys: Err(error), .. })) | Err(error) => {
                        unread(&format!("the keys of {name}"), error)
                    }
                }
            }
            DeedKind::Credential if deed.call.ends_with("LoginProfile") => match user? {
                (name, Ok(None)) => gone(format!("IAM shows no user {name}")),
                (name, Ok(Some(UserNow { password: Ok(true), .. }))) => there(format!("{name} has a console password")),
                (name, Ok(Some(UserNow { password: Ok(false), .. }))) => {
                    gone(format!("{name} has no console password"))
                }
                (name, Ok(Some(UserNow { password: Err(error), .. })) | Err(error)) => {
                    unread(&format!("the password of {name}"), error)
                }
            },
            DeedKind::Policy if deed.call == "AttachUserPolicy" || deed.call == "PutUserPolicy" => {
                let (name, user) = user?;
                let policy = deed.what.get(1)?;
                let held = match user {
                    Ok(None) => return gone(format!("IAM shows no user {name}")),
                    Err(error) => return unread(&format!("user {name}"), error),
                    Ok(Some(user)) if deed.call == "AttachUserPolicy" => &user.attached,
                    Ok(Some(user)) => &user.inline,
                };
                match held {
                    Ok(held) if held.contains(policy) => there(format!("{name} has it")),
                    Ok(_) => gone(format!("{name} no longer has it")),
                    Err(error) => unread(&format!("the policies of {name}"), error),
                }
            }
            _ => None,
        }
    }
}

type Instances = BTreeMap<(String, String), PortResult<Option<String>>>;

/// The states of the instances that deeds launched, each in its Region.
async fn instances(trace: &Trace, clouds: &dyn Clouds, account: &AccountId, session: &str) -> Instances {
    let mut wanted: BTreeSet<(Region, InstanceId)> = BTreeSet::new();
    for deed in trace.deeds.iter().filter(|deed| deed.kind == DeedKind::Instance && deed.call == "RunInstances") {
        if let Ok(region) = deed.region.parse::<Region>() {
            wanted.extend(deed.what.iter().filter_map(|id| Some((region.clone(), id.parse().ok()?))));
        }
    }
    let looks = wanted.into_iter().map(|(region, id)| async move {
        let state = match clouds.open(account, &region, View::Reads, session).await {
            Ok(cloud) => state_of(&cloud, &id).await,
            Err(_) => return None,
        };
        Some(((region.to_string(), id.to_string()), state))
    });
    join_all(looks).await.into_iter().flatten().collect()
}

async fn state_of(cloud: &Arc<dyn Cloud>, id: &InstanceId) -> PortResult<Option<String>> {
    let instance = cloud.describe_instance(id).await?;
    Ok(instance
        .filter(|instance| !instance.state.is_ending())
        .map(|instance| format!("{id} is {:?}", instance.state).to_lowercase()))
}

fn instance_of(deed: &Deed, instances: &Instances) -> Option<Presence> {
    let seen: Vec<&PortResult<Option<String>>> =
        deed.what.iter().filter_map(|id| instances.get(&(deed.region.clone(), id.clone()))).collect();
    if seen.is_empty() {
        return None;
    }
    let there: Vec<String> = seen.iter().filter_map(|state| state.as_ref().ok()?.clone()).collect();
    let error = seen.iter().find_map(|state| state.as_ref().err());
    Some(match (there.is_empty(), error) {
        (false, _) => Presence::There { seen: there.join(", ") },
        (true, Some(error)) => Presence::Unknown { why: format!("it could not be read: {error}") },
        (true, None) => Presence::Gone { seen: "EC2 shows it no more, or as terminated".to_owned() },
    })
}
