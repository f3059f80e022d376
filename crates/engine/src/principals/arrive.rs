//! From a finding about a principal to the user: what the finding alone settles, whose a key is, the first look.

use std::{borrow::Cow, sync::Arc};

use brig_core::{
    decide::{self, Decided, Decision},
    lanes::{holder::Terms, role},
    ledger::{Cause, Containment, Records},
    model::{
        Credential, CredentialKind, Holder, KeyUse, Principal, RoleShown, SessionKind, User, deny_all, deny_policy,
        gap::{Gap, Subject},
        ids::{AccessKeyId, AccountId, RoleKey, RoleName, TargetKey, UserKey, UserName},
        text::Sentence,
    },
    report::principal::Timings,
    step::Lane,
    trigger::{Finding, Place},
};

use super::{UserCase, UserScene, UserStop};
use crate::{
    engine::{Engine, Invocation, Occasion},
    ports::{Cloud, CloudError, ErrorKind, PortResult, RoleSeen, UserPorts, UserShown, View},
    work::gap,
};

/// Whose a key is.
enum Owner {
    User(UserName, Option<KeyUse>),
    /// It is a session of a role.
    Role(RoleName),
    /// It belongs to another account.
    Elsewhere(AccountId),
    /// It is the root user's.
    Root,
}

/// What to look at in the place of what was named.
enum Instead {
    Account(AccountId),
    Principal(Principal),
}

impl Engine {
    /// Finds the user, in another account where its key belongs there, and looks at it.
    pub(crate) async fn arrive_at_user<'a>(
        &self,
        case: UserCase<'a>,
    ) -> Result<(Cow<'a, Finding<Principal>>, UserScene), (Cow<'a, Finding<Principal>>, UserStop)> {
        let mut finding = Cow::Borrowed(case.finding);
        // Another account, the root user of that: at most three looks.
        for _ in 0..3 {
            let case = UserCase { finding: &finding, ..case };
            match self.look_for_user(case).await {
                Ok(Ok(scene)) => return Ok((finding, scene)),
                Ok(Err(Instead::Account(account))) => {
                    finding = Cow::Owned(Finding { account, ..finding.into_owned() });
                }
                Ok(Err(Instead::Principal(target))) => {
                    finding = Cow::Owned(Finding { target, ..finding.into_owned() });
                }
                Err(stop) => return Err((finding, stop)),
            }
        }
        let why = "AWS names another account for the key each time it is asked".to_owned();
        Err((finding, UserStop::Decided(Decided::refuse(why))))
    }

    /// The scene, or what to look at in its place.
    async fn look_for_user(&self, case: UserCase<'_>) -> Result<Result<UserScene, Instead>, UserStop> {
        self.gate_user(case.finding, case.invocation)?;
        self.look_behind_gate(case).await.map_err(|stop| by_hand(stop, case))
    }

    async fn look_behind_gate(&self, case: UserCase<'_>) -> Result<Result<UserScene, Instead>, UserStop> {
        let UserCase { finding, invocation, .. } = case;
        let session = format!("brig-{}", invocation.request_id);
        let opened = self
            .clouds
            .open(&finding.account, &invocation.home(), View::Lane(Lane::Credentials), &session)
            .await
            .map_err(|error| UserStop::Decided(Decided::refuse(error.to_string()).because(Cause::Unreachable)))?;
        let owner = self.owner(finding, opened.as_ref()).await?;
        let account = finding.account.clone();
        let (key, used): (TargetKey, _) = match owner {
            Owner::User(user, used) => (UserKey { account, user }.into(), used),
            Owner::Role(role) => (RoleKey { account, role }.into(), None),
            Owner::Elsewhere(account) => return Ok(Err(Instead::Account(account))),
            Owner::Root => {
                let key = match &finding.target {
                    Principal::AccessKey { id, .. } => Some(id.clone()),
                    Principal::User(_) | Principal::Root { .. } | Principal::Session { .. } => None,
                };
                return Ok(Err(Instead::Principal(Principal::Root { key })));
            }
        };
        Ok(Ok(self.first_look_at(case, key, (used, opened)).await?))
    }

    /// What the finding alone settles, before anything is looked at.
    fn gate_user(&self, finding: &Finding<Principal>, invocation: &Invocation) -> Result<(), UserStop> {
        let early = decide::gate(finding, &self.policy, &invocation.own);
        let early = early.or_else(|| decide::ignored(finding, &self.policy).filter(|_| self.rulebook.is_empty()));
        let what = what(finding);
        let early = early.or_else(|| {
            if role_of(&finding.target).is_some() { None } else { decide::nobodys(&finding.target, &what) }
        });
        early.map_or(Ok(()), |decided| Err(UserStop::Decided(decided)))
    }

    async fn owner(&self, finding: &Finding<Principal>, cloud: &dyn Cloud) -> Result<Owner, UserStop> {
        match &finding.target {
            Principal::User(user) => Ok(Owner::User(user.clone(), None)),
            // Nobody can ask whose session a key is of: the event says it.
            Principal::AccessKey { id, user: Some(user) } if id.is_temporary() => Ok(Owner::User(user.clone(), None)),
            Principal::AccessKey { id, user: None } if id.is_temporary() => {
                Err(decided(&Principal::Session { kind: SessionKind::Other, name: id.to_string() }, finding))
            }
            Principal::AccessKey { id, user } => self.owner_of_key(id, user.as_ref(), finding, cloud).await,
            principal @ (Principal::Root { .. } | Principal::Session { .. }) => {
                let role = role_of(principal).ok_or_else(|| decided(principal, finding))?;
                self.is_of_others(&role, finding).await?;
                Ok(Owner::Role(role))
            }
        }
    }

    /// Brig would deny itself.
    async fn is_of_others(&self, role: &RoleName, finding: &Finding<Principal>) -> Result<(), UserStop> {
        let account = &finding.account;
        match self.clouds.is_own_role(account, role).await {
            Ok(false) => Ok(()),
            Ok(true) => Err(UserStop::Decided(
                Decided::refuse(format!(
                    "{role} in {account} is a role of Brig's own: denying its sessions would end Brig"
                ))
                .because(Cause::BreakGlass),
            )),
            Err(error) => Err(UserStop::Failed(error)),
        }
    }

    async fn owner_of_key(
        &self,
        id: &AccessKeyId,
        named: Option<&UserName>,
        finding: &Finding<Principal>,
        cloud: &dyn Cloud,
    ) -> Result<Owner, UserStop> {
        let unknown = match cloud.get_access_key_last_used(id).await {
            Ok(used) => {
                return match used.user.clone() {
                    Some(user) => Ok(Owner::User(user, Some(used))),
                    None => Ok(Owner::Root),
                };
            }
            // IAM denies the question about a key that it does not have.
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Denied(_)) => error,
            Err(error) => return Err(UserStop::Failed(error)),
        };
        match cloud.get_access_key_info(id).await {
            Ok(account) if account != finding.account => Ok(Owner::Elsewhere(account)),
            Ok(_) => {
                // It was deleted, or nobody granted the question: whose it was the event says.
                if let Some(user) = named {
                    return Ok(Owner::User(user.clone(), None));
                }
                let why = format!(
                    "the key {id} is of {}, whose IAM names no user for it ({unknown}): it was deleted, Brig's role is missing iam:GetAccessKeyLastUsed, or it is THE ROOT USER's, whom nothing but a person can stop",
                    finding.account
                );
                let decided = if finding.is_automatic() { Decided::ask(why) } else { Decided::refuse(why) };
                Err(UserStop::Decided(decided.because(Cause::NotThere)))
            }
            Err(error) if error.is_retryable() => Err(UserStop::Failed(error)),
            // A user of that name may be another account's: nobody is contained by a name alone.
            Err(error) => Err(UserStop::Decided(
                Decided::refuse(format!("nobody says whose the key {id} is: {unknown}; {error}"))
                    .because(Cause::NotThere),
            )),
        }
    }

    /// Everything that the denial needs, in one round trip.
    async fn first_look_at(
        &self,
        case: UserCase<'_>,
        mut key: TargetKey,
        (used, cloud): (Option<KeyUse>, Arc<dyn Cloud>),
    ) -> Result<UserScene, UserStop> {
        let (seen, records, in_force) = futures::join!(
            look_at(&key, cloud.as_ref()),
            self.ledger.read(&key),
            self.rulebook.in_force(self.clock.as_ref(), self.ledger.as_ref())
        );
        let (seen, mut records) = (seen.map_err(UserStop::Failed)?, records.map_err(UserStop::Failed)?);
        // IAM does not tell names apart by case; the ledger knows a user by the name that IAM shows.
        if let Some(shown) = seen.as_ref().filter(|shown| shown.name() != key.name()) {
            key = shown.key();
            records = self.ledger.read(&key).await.map_err(UserStop::Failed)?;
        }
        let gone = seen.is_none();
        if gone && records.active().is_none() {
            let why = format!("there is no {} in {}", key.subject(), key.account());
            return Err(UserStop::Decided(Decided::refuse(why).because(Cause::NotThere)));
        }
        let Some(seen) = seen.or_else(|| Holder::gone(&key)) else {
            return Err(UserStop::Decided(Decided::refuse("it is an instance").because(Cause::NotThere)));
        };
        let timings = Timings { look: Some(self.elapsed(case.invocation)), ..Timings::default() };
        let terms = self.terms(case, &records);
        Ok(UserScene { cloud, key, seen, gone, used, records, in_force, terms, timings })
    }

    /// What is denied of a role is what was issued before the last finding that is news: whoever looks again denies no more.
    fn terms(&self, case: UserCase<'_>, records: &Records) -> Terms {
        let finding = case.finding;
        let active = records.active();
        let says_more = |current: &Containment| {
            current.is_news(finding) || finding.by_person && !current.findings.contains(&finding.id)
        };
        let is_look = finding.place == Place::OnRecord || matches!(case.occasion, Occasion::Verification(_));
        let known = active.filter(|current| is_look || !says_more(current));
        let recorded = known.and_then(|_| role::recorded(&records.steps));
        Terms {
            deny: deny_all(&case.invocation.home()),
            since: active.map(|current| current.claimed_at),
            before: recorded.unwrap_or_else(|| self.clock.now()),
        }
    }
}

/// The role that a session is of, where IAM can change it.
fn role_of(principal: &Principal) -> Option<RoleName> {
    match principal {
        Principal::Session { kind: SessionKind::Role, name } => name.parse().ok(),
        Principal::Session { .. } | Principal::AccessKey { .. } | Principal::User(_) | Principal::Root { .. } => None,
    }
}

/// A session that a detector named and that cannot be looked at is never forgotten: a person is asked, and told why.
fn by_hand(stop: UserStop, case: UserCase<'_>) -> UserStop {
    let UserCase { finding, occasion, .. } = case;
    let is_event = matches!(occasion, Occasion::Finding) && finding.is_automatic() && finding.place != Place::OnRecord;
    if !is_event || role_of(&finding.target).is_none() {
        return stop;
    }
    let why = match stop {
        UserStop::Decided(decided) if decided.decision == Decision::Refuse => decided.reason,
        UserStop::Failed(error) if !error.is_retryable() => Sentence::new(error),
        UserStop::Decided(_) | UserStop::Failed(_) => return stop,
    };
    let reason = format!("{}; it could not be looked at: {why}", what(finding));
    ask_by_hand(&finding.target, reason)
}

fn what(finding: &Finding<Principal>) -> String {
    if finding.is_automatic() { format!("{}: {}", finding.kind, finding.title) } else { finding.title.clone() }
}

fn decided(principal: &Principal, finding: &Finding<Principal>) -> UserStop {
    ask_by_hand(principal, what(finding))
}

fn ask_by_hand(principal: &Principal, what: String) -> UserStop {
    UserStop::Decided(decide::nobodys(principal, &what).unwrap_or_else(|| Decided::ask(what)))
}

/// Everything about a user or a role at once; none where there is none. What cannot be read of it is a gap.
pub(crate) async fn look_at(key: &TargetKey, cloud: &dyn UserPorts) -> PortResult<Option<Holder>> {
    match key {
        TargetKey::Instance(_) => Ok(None),
        TargetKey::User(key) => Ok(look_at_user(key, cloud).await?.map(Holder::User)),
        TargetKey::Role(key) => Ok(look_at_role(key, cloud).await?.map(Holder::Role)),
    }
}

async fn look_at_role(key: &RoleKey, cloud: &dyn UserPorts) -> PortResult<Option<RoleShown>> {
    let name = key.role.as_str();
    let (seen, policy) = futures::join!(cloud.get_role(name), cloud.get_role_policy(name, deny_policy::SESSIONS));
    let Some(RoleSeen { role, tags }) = seen? else { return Ok(None) };
    let mut gaps = Vec::new();
    Ok(Some(RoleShown {
        account: key.account.clone(),
        name: role.name.parse().unwrap_or_else(|_| key.role.clone()),
        arn: role.arn,
        tags,
        policy: self::seen(policy, Subject::RolePolicy(name.to_owned()), &mut gaps),
        gaps,
    }))
}

async fn look_at_user(key: &UserKey, cloud: &dyn UserPorts) -> PortResult<Option<User>> {
    let name = &key.user;
    let list = |kind| async move { (kind, cloud.list_credentials(name, kind).await) };
    let (shown, keys, services, ssh, certificates, attached, inline, groups, console, mfa) = futures::join!(
        cloud.get_user(name),
        list(CredentialKind::AccessKey),
        list(CredentialKind::ServiceSpecificCredential),
        list(CredentialKind::SshPublicKey),
        list(CredentialKind::SigningCertificate),
        cloud.list_attached_user_policies(name),
        cloud.list_user_policies(name),
        cloud.list_groups_for_user(name),
        cloud.get_login_profile(name),
        cloud.list_mfa_devices(name),
    );
    let Some(UserShown { name, arn, boundary, tags }) = shown? else { return Ok(None) };
    let mut gaps = Vec::new();
    let listed = [keys, services, ssh, certificates].map(|(kind, listed): (_, PortResult<Vec<Credential>>)| {
        (kind, seen(listed, Subject::Credentials(kind), &mut gaps))
    });
    Ok(Some(User {
        account: key.account.clone(),
        name,
        arn,
        boundary,
        tags,
        credentials: listed.into(),
        attached: seen(attached, Subject::AttachedPolicies, &mut gaps),
        inline: seen(inline, Subject::InlinePolicies, &mut gaps),
        groups: seen(groups, Subject::Groups, &mut gaps),
        console: seen(console, Subject::LoginProfile, &mut gaps),
        mfa: seen(mfa, Subject::MfaDevices, &mut gaps),
        gaps,
    }))
}

fn seen<T>(answer: Result<T, CloudError>, what: Subject, gaps: &mut Vec<Gap>) -> Option<T> {
    answer.map_err(|error| gaps.push(gap(what, &error))).ok()
}
