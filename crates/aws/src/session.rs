//! Clients, built once and reused: one shared HTTP client, one set of EC2 clients a lane, so that each lane has a retry
//! budget of its own.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_ec2::config::retry::RetryPartition;
use brig_core::{
    ids::{AccountId, Region},
    step::Lane,
};
use brig_engine::ports::{Answer, Cloud, Clouds, Unreachable};

use crate::{cloud::AwsCloud, error::Explain};

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
        let config = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(RetryConfig::standard())
            .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(READ).build())
            .load()
            .await;
        Self { config }
    }

    /// The configured Region, where it is one.
    #[must_use]
    pub fn region(&self) -> Option<Region> {
        self.config.region().and_then(|region| region.as_ref().parse().ok())
    }

    /// The account of the credentials (STS GetCallerIdentity).
    pub async fn account(&self) -> Answer<Option<AccountId>> {
        let client = aws_sdk_sts::Client::new(&self.config);
        let identity = client.get_caller_identity().send().await.explain("GetCallerIdentity")?;
        Ok(identity.account().and_then(|account| account.parse().ok()))
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

type Key = (Region, Lane);

/// The clouds of the function's own account, in any Region.
pub struct AwsClouds {
    session: Session,
    own: Mutex<Option<AccountId>>,
    opened: Mutex<HashMap<Key, Arc<AwsCloud>>>,
}

impl AwsClouds {
    /// Makes the clients of the session's own Region at once, so that no invocation waits for that.
    #[must_use]
    pub fn new(session: Session) -> Self {
        let clouds = Self { session, own: Mutex::new(None), opened: Mutex::new(HashMap::new()) };
        if let Some(region) = clouds.session.region() {
            for lane in Lane::ALL {
                clouds.cloud(&region, lane);
            }
        }
        clouds
    }

    /// Says which account the credentials are of; others cannot be opened.
    pub fn set_own_account(&self, account: AccountId) {
        *self.own.lock().unwrap_or_else(PoisonError::into_inner) = Some(account);
    }

    /// Opens the connection and the TLS session that the first look will use. A failure is none: the look says it better.
    pub async fn warm(&self) {
        if let Some(region) = self.session.region() {
            self.cloud(&region, Lane::Network).warm().await;
        }
    }

    fn cloud(&self, region: &Region, lane: Lane) -> Arc<AwsCloud> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let cloud = opened.entry((region.clone(), lane)).or_insert_with(|| {
            let partition = RetryPartition::new(format!("brig-{}", lane.name()));
            Arc::new(AwsCloud::new(&self.session.in_region(region), region.clone(), &partition))
        });
        Arc::clone(cloud)
    }
}

#[async_trait]
impl Clouds for AwsClouds {
    async fn open(&self, account: &AccountId, region: &Region, lane: Lane) -> Result<Arc<dyn Cloud>, Unreachable> {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match own {
            Some(own) if own == *account => Ok(self.cloud(region, lane)),
            Some(own) => Err(Unreachable(format!(
                "the instance is in account {account}, and this function acts in its own account {own} only; deploy it in {account}"
            ))),
            None => Err(Unreachable("the function does not know its own account".to_owned())),
        }
    }
}
