//! Clients, built once and reused: one shared HTTP client, one set of EC2 clients a lane, so that each lane has a retry
//! budget of its own.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use aws_config::{
    BehaviorVersion, SdkConfig, environment::EnvironmentVariableCredentialsProvider, retry::RetryConfig,
    timeout::TimeoutConfig,
};
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_ec2::config::retry::RetryPartition;
use brig_core::{
    model::ids::{AccountId, Region, RoleName},
    step::Lane,
};
use brig_engine::ports::{Cloud, Clouds, PortResult, Unreachable, View};
use tokio::sync::OnceCell;

use crate::{
    cloud::AwsCloud,
    error::Explain,
    member::{MemberRole, role_arn},
    ranges::Ranges,
    tls::http_client,
};

const CONNECT: Duration = Duration::from_secs(1);
const READ: Duration = Duration::from_secs(5);

/// The process's configuration for AWS: Region, credentials and endpoints from the environment, as in every SDK program.
#[derive(Debug, Clone)]
pub struct Session {
    config: SdkConfig,
}

impl Session {
    /// Reads the environment. Makes no call.
    pub async fn from_environment() -> Self {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http_client())
            .retry_config(RetryConfig::standard())
            .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(READ).build());
        // Where Lambda gives both by the environment, the SDK need not make ready to ask anybody else for them.
        if let Some(region) = variable("AWS_REGION") {
            loader = loader.region(aws_config::Region::new(region));
        }
        if variable("AWS_ACCESS_KEY_ID").is_some() && variable("AWS_SECRET_ACCESS_KEY").is_some() {
            loader = loader.credentials_provider(EnvironmentVariableCredentialsProvider::new());
        }
        Self { config: loader.load().await }
    }

    /// The configured Region, where it is one.
    #[must_use]
    pub fn region(&self) -> Option<Region> {
        self.config.region().and_then(|region| region.as_ref().parse().ok())
    }

    /// The account of the credentials (STS GetCallerIdentity).
    pub async fn account(&self) -> PortResult<Option<AccountId>> {
        let client = aws_sdk_sts::Client::new(&self.config);
        let identity = client.get_caller_identity().send().await.explain("GetCallerIdentity")?;
        Ok(identity.account().and_then(|account| account.parse().ok()))
    }

    /// The ARN of the session that the credentials are of (STS GetCallerIdentity).
    pub async fn identity(&self) -> PortResult<String> {
        let client = aws_sdk_sts::Client::new(&self.config);
        let identity = client.get_caller_identity().send().await.explain("GetCallerIdentity")?;
        Ok(identity.arn().unwrap_or_default().to_owned())
    }

    pub(crate) fn config(&self) -> &SdkConfig {
        &self.config
    }

    fn in_region(&self, region: &Region) -> SdkConfig {
        if self.region().as_ref() == Some(region) {
            return self.config.clone();
        }
        self.config.clone().into_builder().region(aws_config::Region::new(region.to_string())).build()
    }
}

#[expect(clippy::disallowed_methods, reason = "these are the SDK's own settings, not Brig's")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The session's name is part of it: in another account each containment acts under its own.
type Key = (AccountId, Region, View, String);

/// So many sessions of member roles are kept.
const MOST_SESSIONS: usize = 50;

/// The clouds of the function's own account and, through their member roles, of others, in any Region.
pub struct AwsClouds {
    session: Session,
    member_role: Option<String>,
    own_roles: Vec<String>,
    ranges: Arc<Ranges>,
    own: Mutex<Option<AccountId>>,
    /// Made with the settings, before any invocation says which account is the function's own.
    home: HashMap<View, Arc<AwsCloud>>,
    opened: Mutex<HashMap<Key, Arc<AwsCloud>>>,
    members: Mutex<HashMap<(AccountId, String), Arc<MemberRole>>>,
    identity: OnceCell<String>,
}

impl AwsClouds {
    /// Makes the clients of the session's own account and Region at once, so that no invocation waits for that.
    /// `member_role` is the name, or the ARN with `{account}`, of the role to assume in other accounts; `own_roles` are those
    /// of Brig's other functions; `ip_ranges` is where AWS's list of its address ranges is fetched.
    #[must_use]
    pub fn new(session: Session, member_role: Option<String>, own_roles: Vec<String>, ip_ranges: String) -> Self {
        let ranges = Arc::new(Ranges::new(ip_ranges));
        let home = match session.region() {
            Some(region) => View::ALL
                .map(|view| {
                    let cloud = cloud(&session.config, &region, view, &ranges);
                    cloud.make_ready(view);
                    (view, Arc::new(cloud))
                })
                .into(),
            None => HashMap::new(),
        };
        Self {
            session,
            member_role,
            own_roles,
            ranges,
            own: Mutex::default(),
            home,
            opened: Mutex::default(),
            members: Mutex::default(),
            identity: OnceCell::new(),
        }
    }

    /// Says which account the credentials are of.
    pub fn set_own_account(&self, account: AccountId) {
        *self.own.lock().unwrap_or_else(PoisonError::into_inner) = Some(account);
    }

    /// Opens the connection and the TLS session that the first look will use. A failure is none: the look says it better.
    pub async fn warm(&self) {
        if let Some(cloud) = self.home.get(&View::Lane(Lane::Network)) {
            cloud.warm().await;
        }
    }

    /// The configuration to work with in an account and Region: what needs a client of its own is built on it.
    ///
    /// # Errors
    /// The account cannot be worked in.
    pub async fn config(&self, account: &AccountId, region: &Region, session: &str) -> Result<SdkConfig, Unreachable> {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match own {
            None => Err(Unreachable("the function does not know its own account".to_owned())),
            Some(own) if own == *account => Ok(self.session.in_region(region)),
            Some(own) => self.assumed(&own, account, region, session).await,
        }
    }

    /// The configuration of a session of the member role.
    async fn assumed(
        &self,
        own: &AccountId,
        account: &AccountId,
        region: &Region,
        session: &str,
    ) -> Result<SdkConfig, Unreachable> {
        let Some(setting) = &self.member_role else {
            return Err(Unreachable(format!(
                "the instance is in account {account}, and this function is in {own}: set BRIG_MEMBER_ROLE to a role that it may assume there"
            )));
        };
        let member = self.member(setting, account, region, session);
        if let Err(error) = member.assume().await {
            return Err(Unreachable(format!(
                "{} could not be assumed: {error}; the role must trust this function's role for sts:AssumeRole and sts:SetSourceIdentity",
                role_arn(setting, account, region)
            )));
        }
        let member: Arc<dyn ProvideCredentials> = member;
        let config = self.session.in_region(region).into_builder();
        Ok(config.credentials_provider(SharedCredentialsProvider::new(member)).build())
    }

    fn kept(&self, key: Key, make: impl FnOnce() -> AwsCloud) -> Arc<dyn Cloud> {
        let cloud: Arc<AwsCloud> = kept(&self.opened, MOST_SESSIONS * View::ALL.len(), key, make);
        cloud
    }

    fn member(&self, setting: &str, account: &AccountId, region: &Region, session: &str) -> Arc<MemberRole> {
        kept(&self.members, MOST_SESSIONS, (account.clone(), session.to_owned()), || {
            // The Region's own STS endpoint: its tokens are valid everywhere, and it fails with no other Region.
            let sts = aws_sdk_sts::Client::new(&self.session.config);
            MemberRole::new(sts, role_arn(setting, account, region), session)
        })
    }
}

/// What was made for `key`, or is made now. All is forgotten where there would be more than `most`.
fn kept<K: Eq + Hash, T>(all: &Mutex<HashMap<K, Arc<T>>>, most: usize, key: K, make: impl FnOnce() -> T) -> Arc<T> {
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    if all.len() >= most && !all.contains_key(&key) {
        all.clear();
    }
    Arc::clone(all.entry(key).or_insert_with(|| Arc::new(make())))
}

fn cloud(config: &SdkConfig, region: &Region, view: View, ranges: &Arc<Ranges>) -> AwsCloud {
    AwsCloud::new(config, region.clone(), &RetryPartition::new(format!("brig-{}", view.name())), Arc::clone(ranges))
}

#[async_trait]
impl Clouds for AwsClouds {
    async fn open(
        &self,
        account: &AccountId,
        region: &Region,
        view: View,
        session: &str,
    ) -> Result<Arc<dyn Cloud>, Unreachable> {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(own) = own else {
            return Err(Unreachable("the function does not know its own account".to_owned()));
        };
        let key = |session: &str| (account.clone(), region.clone(), view, session.to_owned());
        if own == *account {
            return Ok(match self.home.get(&view) {
                Some(home) if self.session.region().as_ref() == Some(region) => Arc::clone(home) as Arc<dyn Cloud>,
                _ => self.kept(key(""), || cloud(&self.session.in_region(region), region, view, &self.ranges)),
            });
        }
        let config = self.assumed(&own, account, region, session).await?;
        Ok(self.kept(key(session), || cloud(&config, region, view, &self.ranges)))
    }

    async fn is_own(&self, by: &str, source_identity: Option<&str>) -> PortResult<bool> {
        let roles = self.member_role.iter().chain(&self.own_roles);
        if roles.into_iter().any(|role| is_session_of(role, by, source_identity)) {
            return Ok(true);
        }
        Ok(self.identity.get_or_try_init(|| self.session.identity()).await? == by)
    }

    async fn is_own_role(&self, account: &AccountId, role: &RoleName) -> PortResult<bool> {
        let roles = self.member_role.iter().chain(&self.own_roles);
        if roles.into_iter().any(|own| is_role(own, account, role)) {
            return Ok(true);
        }
        Ok(is_role(self.identity.get_or_try_init(|| self.session.identity()).await?, account, role))
    }
}

/// Whether a role's name or ARN, or the ARN of a session of it, means the role of this name in the account.
fn is_role(own: &str, account: &AccountId, role: &RoleName) -> bool {
    let mut parts = own.splitn(6, ':');
    let resource = parts.nth(5);
    let name = match resource {
        Some(resource) => match resource.strip_prefix("assumed-role/") {
            Some(session) => session.split('/').next(),
            None => resource.rsplit('/').next(),
        },
        None => own.rsplit('/').next(),
    };
    let stated = own.split(':').nth(4).and_then(|account| account.parse::<AccountId>().ok());
    // IAM does not tell names apart by case.
    name.is_some_and(|name| name.eq_ignore_ascii_case(role.as_str())) && stated.is_none_or(|stated| stated == *account)
}

/// Whether a caller is a session of one of Brig's roles: by the ARN of the role of a function, which nobody else can assume,
/// or by the name of a member's role, whose sessions carry the source identity that Brig gives them.
fn is_session_of(role: &str, by: &str, source_identity: Option<&str>) -> bool {
    let name = role.rsplit('/').next().unwrap_or(role);
    let is_named = by.contains(&format!(":assumed-role/{name}/"));
    let account = role.split(':').nth(4).filter(|account| account.parse::<AccountId>().is_ok());
    match account {
        Some(account) => is_named && by.split(':').nth(4) == Some(account),
        None => {
            is_named
                && source_identity.is_some_and(|identity| identity.starts_with("i-") || identity.starts_with("brig-"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_of_brigs_own_is_known_by_name_arn_and_session() {
        let account: AccountId = "123456789012".parse().expect("an account");
        for (own, role, is_own) in [
            ("brig-member", "brig-member", true),
            ("path/brig-member", "brig-member", true),
            ("arn:aws:iam::{account}:role/x/brig-member", "brig-member", true),
            ("arn:aws:iam::123456789012:role/brig/brig-ReleaseRole-1", "brig-ReleaseRole-1", true),
            ("arn:aws:iam::999988887777:role/brig/brig-ReleaseRole-1", "brig-ReleaseRole-1", false),
            ("arn:aws:sts::123456789012:assumed-role/brig-ContainRole-1/brig-contain", "brig-ContainRole-1", true),
            ("arn:aws:sts::123456789012:assumed-role/brig-ContainRole-1/brig-contain", "brig-contain", false),
            ("brig-member", "app", false),
        ] {
            let role: RoleName = role.parse().expect("a name");
            assert_eq!(is_role(own, &account, &role), is_own, "{own} {role}");
        }
    }

    #[test]
    fn brigs_other_functions_are_known_by_their_roles_and_nobody_else_is() {
        let release = "arn:aws:iam::123456789012:role/brig/brig-ReleaseRole-1";
        let identity = Some("i-0123456789abcdef0-20260102T030405Z");
        for (role, by, identity, own) in [
            (release, "arn:aws:sts::123456789012:assumed-role/brig-ReleaseRole-1/brig-release", None, true),
            (release, "arn:aws:sts::999988887777:assumed-role/brig-ReleaseRole-1/brig-release", None, false),
            (release, "arn:aws:sts::123456789012:assumed-role/Admin/brig-ReleaseRole-1", None, false),
            (release, "arn:aws:sts::123456789012:assumed-role/x-brig-ReleaseRole-1/brig-release", None, false),
            ("brig-release", "arn:aws:sts::999988887777:assumed-role/brig-release/brig-i-1", identity, true),
            ("brig-release", "arn:aws:sts::999988887777:assumed-role/brig-release/brig-i-1", None, false),
            ("brig-release", "arn:aws:sts::999988887777:assumed-role/brig-release/x", Some("mallory"), false),
            ("brig-release", "arn:aws:iam::999988887777:user/brig-release", identity, false),
            ("arn:aws:iam::{account}:role/x/brig", "arn:aws:sts::999988887777:assumed-role/brig/x", identity, true),
        ] {
            assert_eq!(is_session_of(role, by, identity), own, "{role} {by} {identity:?}");
        }
    }
}
