//! What lives as long as the process.

use std::sync::Arc;

use brig_aws::{
    AwsClouds, DynamoLedger, Session, SystemClock,
    evidence::{Bucket, Custody, Signer},
};
use brig_core::model::ids::{AccountId, Region};
use lambda_runtime::Diagnostic;
use tokio::sync::OnceCell;

use crate::settings::{EvidenceSettings, Settings};

/// Why an invocation has no answer: its `errorType` and what a person reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    pub kind: &'static str,
    pub why: String,
}

impl Failed {
    /// Of a kind.
    pub fn new(kind: &'static str, why: impl Into<String>) -> Self {
        Self { kind, why: why.into() }
    }
}

impl From<Failed> for Diagnostic {
    fn from(failed: Failed) -> Self {
        Self { error_type: failed.kind.to_owned(), error_message: failed.why }
    }
}

/// Where evidence goes.
pub struct Office {
    pub settings: EvidenceSettings,
    pub bucket: Bucket,
    pub custody: Custody,
    pub signer: Option<Signer>,
}

/// What lives as long as the process.
pub struct App {
    pub(crate) session: Session,
    pub(crate) clouds: Arc<AwsClouds>,
    pub(crate) ledger: Option<DynamoLedger>,
    pub(crate) office: Option<Office>,
    pub(crate) clock: SystemClock,
    pub(crate) region: Region,
    /// The ARN of the queue whose messages ask for the proof again.
    pub(crate) renewals: Option<String>,
    account: OnceCell<AccountId>,
    identity: OnceCell<String>,
}

impl App {
    /// From its settings.
    ///
    /// # Errors
    /// AWS_REGION is not set.
    pub async fn start(settings: Settings) -> Result<Self, String> {
        let session = Session::from_environment().await;
        let region = session.region().ok_or_else(|| "AWS_REGION is not set, or is not a Region".to_owned())?;
        let clouds = Arc::new(AwsClouds::new(session.clone(), settings.member_role, Vec::new(), String::new()));
        let ledger = settings.table.clone().map(|table| DynamoLedger::new(&session, table));
        let office = settings.evidence.zip(settings.table).map(|(evidence, table)| Office {
            bucket: Bucket::new(&session, evidence.bucket.clone(), evidence.owner.clone(), evidence.retention),
            custody: Custody::new(&session, table),
            signer: evidence.key.clone().map(|key| Signer::new(&session, key)),
            settings: evidence,
        });
        let (account, identity) = (OnceCell::new(), OnceCell::new());
        let renewals = settings.renewals;
        Ok(Self { session, clouds, ledger, office, clock: SystemClock, region, renewals, account, identity })
    }

    /// The function's account: its ARN says it, else STS.
    pub(crate) async fn own(&self, arn: &str) -> Result<AccountId, Failed> {
        let account = self.account.get_or_try_init(|| async {
            if let Some(account) = arn.split(':').nth(4).and_then(|account| account.parse().ok()) {
                return Ok(account);
            }
            match self.session.account().await {
                Ok(Some(account)) => Ok(account),
                Ok(None) => Err("STS did not say the function's account".to_owned()),
                Err(error) => Err(error.to_string()),
            }
        });
        let account = account.await.cloned().map_err(|why| Failed::new("NoAccount", why))?;
        self.clouds.set_own_account(account.clone());
        Ok(account)
    }

    /// The ARN of the function's session; where STS does not say it, that is said in its place.
    pub(crate) async fn identity(&self) -> String {
        let identity = self.identity.get_or_try_init(|| self.session.identity()).await;
        identity.cloned().unwrap_or_else(|error| format!("unknown: {error}"))
    }
}
