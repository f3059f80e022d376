//! What lives as long as the process: settings, clients, the engine.

use std::{sync::Arc, time::Duration};

use brig_aws::{AwsClouds, DynamoLedger, Session, SnsNotifier, SqsQueue, SsmParameters, SystemClock};
use brig_core::{
    finding::Touched,
    ids::{AccountId, Region},
};
use brig_engine::{Engine, ports::CloudError, rulebook::Rulebook};
use tokio::sync::OnceCell;

use crate::config::{Config, RulesFrom, Serves};

/// How long the init phase waits for connections that the first invocation will use.
const WARM_UP: Duration = Duration::from_secs(1);

/// Why the process cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Lambda sets it; elsewhere it must be set.
    #[error("AWS_REGION is not set, or is no Region")]
    NoRegion,
}

/// Why an invocation does not know where it runs.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// STS did not say.
    #[error("the function's account is not in its ARN, and STS did not say it")]
    Unknown(#[source] Option<CloudError>),
}

/// The running function.
pub struct App {
    /// Contains instances.
    pub engine: Engine,
    /// The queues that events come from.
    pub queue: SqsQueue,
    session: Session,
    region: Region,
    clouds: Arc<AwsClouds>,
    account: OnceCell<AccountId>,
    identity: OnceCell<String>,
    member_role: Option<String>,
    /// What this function serves.
    pub serves: Serves,
    /// The name of the function that releases, where it is another one.
    pub release_function: Option<String>,
}

impl App {
    /// Makes every client, and opens connections for at most a second; that they cannot be opened stops nothing.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let session = Session::from_environment().await;
        let region = session.region().ok_or(StartError::NoRegion)?;
        let member_role = config.member_role.clone();
        let (serves, release_function) = (config.serves, config.release_function);
        let clouds = Arc::new(AwsClouds::new(session.clone(), config.member_role, config.ip_ranges));
        let ledger = Arc::new(DynamoLedger::new(&session, config.table.clone()));
        let rulebook = match config.rules {
            RulesFrom::Here(rules) => Rulebook::fixed(*rules),
            RulesFrom::Parameter(name) => Rulebook::parameter(name, Arc::new(SsmParameters::new(&session))),
        };
        let warm_up = async {
            tokio::join!(clouds.warm(), ledger.warm(), rulebook.in_force(&SystemClock, ledger.as_ref()));
        };
        let _ = tokio::time::timeout(WARM_UP, warm_up).await;
        let notifier = Arc::new(SnsNotifier::new(&session, config.topic));
        let engine = Engine {
            clouds: Arc::clone(&clouds) as _,
            ledger,
            notifier,
            clock: Arc::new(SystemClock),
            policy: config.policy,
            rulebook,
            table: config.table,
        };
        let queue = SqsQueue::new(&session);
        Ok(Self {
            engine,
            queue,
            session,
            region,
            clouds,
            account: OnceCell::new(),
            identity: OnceCell::new(),
            member_role,
            serves,
            release_function,
        })
    }

    /// The Region that the function runs in.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Whether a call that CloudTrail recorded is this function's: by its own session, or by the session of a member role,
    /// which carries the source identity that Brig gives it.
    pub async fn is_own_call(&self, touched: &Touched) -> bool {
        let own = self.identity.get_or_try_init(|| async { self.session.identity().await }).await;
        if own.is_ok_and(|own| *own == touched.by) {
            return true;
        }
        let role = self.member_role.as_deref().map(|role| role.rsplit('/').next().unwrap_or(role));
        let as_member = role.is_some_and(|role| touched.by.contains(&format!(":assumed-role/{role}/")));
        as_member && touched.source_identity.as_deref().is_some_and(|identity| identity.starts_with("i-"))
    }

    /// The function's own account: from its ARN, which Lambda hands to every invocation, else from STS, once.
    pub async fn account(&self, function_arn: &str) -> Result<AccountId, AccountError> {
        let account = self
            .account
            .get_or_try_init(|| async {
                let in_arn = function_arn.split(':').nth(4).and_then(|account| account.parse().ok());
                match in_arn {
                    Some(account) => Ok(account),
                    None => match self.session.account().await {
                        Ok(Some(account)) => Ok(account),
                        Ok(None) => Err(AccountError::Unknown(None)),
                        Err(error) => Err(AccountError::Unknown(Some(error))),
                    },
                }
            })
            .await?;
        self.clouds.set_own_account(account.clone());
        Ok(account.clone())
    }
}
