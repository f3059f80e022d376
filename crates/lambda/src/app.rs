//! What lives as long as the process: settings, clients, the engine.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use brig_aws::{AwsClouds, DynamoLedger, Session, SnsNotifier, SqsQueue, SsmParameters, SystemClock};
use brig_core::{
    model::ids::{AccountId, InstanceId, Region},
    trigger::TrailCall,
};
use brig_engine::{
    Engine,
    ports::{CloudError, Clouds},
    rulebook::Rulebook,
};
use tokio::sync::{OnceCell, OwnedMutexGuard};

use crate::config::{Config, RulesFrom, Serves};

/// How long the init phase waits for connections that the first invocation will use.
const WARM_UP: Duration = Duration::from_secs(1);

/// Why the process cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Lambda sets it; elsewhere it must be set.
    #[error("AWS_REGION is not set, or is not a Region")]
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
    /// Findings about one instance take turns.
    pub turns: Turns,
    /// What this function serves.
    pub serves: Serves,
    /// The name of the function that releases, where it is another one.
    pub release_function: Option<String>,
}

/// One piece of work an instance at a time, within this process.
#[derive(Debug, Default)]
pub struct Turns(Mutex<HashMap<InstanceId, Arc<Turn>>>);

type Turn = tokio::sync::Mutex<()>;

impl Turns {
    /// Waits until nobody else in this process works on the instance.
    pub async fn take(&self, instance: &InstanceId) -> OwnedMutexGuard<()> {
        let turn = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody waits for a turn that only this map knows.
            all.retain(|_, turn| Arc::strong_count(turn) > 1);
            Arc::clone(all.entry(instance.clone()).or_default())
        };
        turn.lock_owned().await
    }
}

impl App {
    /// Makes every client, and opens connections for at most a second; that they cannot be opened stops nothing.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let session = Session::from_environment().await;
        let region = session.region().ok_or(StartError::NoRegion)?;
        let (serves, release_function) = (config.serves, config.release_function);
        let clouds = Arc::new(AwsClouds::new(session.clone(), config.member_role, config.own_roles, config.ip_ranges));
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
        let chat = config.chat_topic.map(|topic| Arc::new(SnsNotifier::new(&session, topic)) as _);
        let engine = Engine {
            clouds: Arc::clone(&clouds) as _,
            ledger,
            notifier,
            chat,
            clock: Arc::new(SystemClock),
            policy: config.policy,
            rulebook,
            table: config.table,
        };
        let queue = SqsQueue::new(&session);
        let (account, turns) = (OnceCell::new(), Turns::default());
        Ok(Self { engine, queue, session, region, clouds, account, turns, serves, release_function })
    }

    /// The Region that the function runs in.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Whether a call that CloudTrail recorded is this function's: by its own session, or by the session of a member role,
    /// which carries the source identity that Brig gives it.
    pub async fn is_own_call(&self, touched: &TrailCall) -> bool {
        // Where its own session is not known, looking at what is in order anyway costs a look.
        self.clouds.is_own(&touched.by, touched.source_identity.as_deref()).await.unwrap_or(false)
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
