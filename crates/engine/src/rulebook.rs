//! The account's own rules: from the settings, or from a parameter that is read at start and again after five minutes.
//! The last good ones are kept in the ledger, for the day on which the parameter cannot be read.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use brig_core::{decide::rules::Rules, model::timestamp::Timestamp};
use futures::future::{Either, select};

use crate::ports::{Clock, Ledger, PortResult};

/// How old rules may be before they are read again.
const FRESH: Duration = Duration::from_mins(5);
/// After how long a parameter that could not be read is tried again.
const AGAIN: Duration = Duration::from_secs(30);
/// How long an event waits for its rules.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Where parameters are kept.
#[async_trait]
pub trait Parameters: Send + Sync {
    /// GetParameter of Systems Manager, decrypted.
    async fn get_parameter(&self, name: &str) -> PortResult<String>;
}

/// The rules that an event is judged by.
#[derive(Debug, Clone, Default)]
pub struct InForce {
    /// The rules; empty where they are lost.
    pub rules: Rules,
    /// Why there are none, though there should be: automatic containments become questions then.
    pub lost: Option<String>,
}

/// Holds the rules.
pub struct Rulebook(Source);

enum Source {
    Fixed(Arc<InForce>),
    Parameter { name: String, parameters: Arc<dyn Parameters>, held: Mutex<Option<Held>> },
}

#[derive(Clone)]
struct Held {
    in_force: Arc<InForce>,
    text: Option<String>,
    until: Timestamp,
}

impl Rulebook {
    /// Rules that never change.
    #[must_use]
    pub fn fixed(rules: Rules) -> Self {
        Self(Source::Fixed(Arc::new(InForce { rules, lost: None })))
    }

    /// Rules in a parameter.
    #[must_use]
    pub fn parameter(name: String, parameters: Arc<dyn Parameters>) -> Self {
        Self(Source::Parameter { name, parameters, held: Mutex::new(None) })
    }

    /// Whether it is certain that the account has no rules of its own.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Source::Fixed(fixed) => fixed.rules.is_empty(),
            Source::Parameter { .. } => false,
        }
    }

    /// The rules, read again where they are old.
    pub async fn in_force(&self, clock: &dyn Clock, ledger: &dyn Ledger) -> Arc<InForce> {
        let (name, parameters, held) = match &self.0 {
            Source::Fixed(fixed) => return Arc::clone(fixed),
            Source::Parameter { name, parameters, held } => (name, parameters, held),
        };
        let lock = || held.lock().unwrap_or_else(PoisonError::into_inner);
        let before = lock().clone();
        if let Some(before) = &before
            && clock.now() < before.until
        {
            return Arc::clone(&before.in_force);
        }
        let read = std::pin::pin!(parameters.get_parameter(name));
        let read = match select(read, clock.sleep(PATIENCE)).await {
            Either::Left((answer, _)) => answer.map_err(|error| error.to_string()),
            Either::Right(((), _)) => Err(format!("no answer within {} ms", PATIENCE.as_millis())),
        };
        let read = read.and_then(|text| match Rules::parse(&text) {
            Ok(rules) => Ok((rules, text)),
            Err(error) => Err(error.to_string()),
        });
        let now = clock.now();
        let next = match read {
            Ok((rules, text)) => {
                if before.as_ref().and_then(|before| before.text.as_ref()) != Some(&text)
                    && let Err(error) = ledger.keep_policy(name, &text, now).await
                {
                    tracing::warn!(%error, "the rules of {name} could not be kept in the ledger");
                }
                let in_force = Arc::new(InForce { rules, lost: None });
                Held { in_force, text: Some(text), until: now.after(FRESH) }
            }
            Err(why) => {
                tracing::error!("the rules in {name} could not be read: {why}");
                let in_force = match before.filter(|before| before.in_force.lost.is_none()) {
                    Some(before) => before.in_force,
                    None => Arc::new(last_good(name, ledger, why).await),
                };
                Held { in_force, text: None, until: now.after(AGAIN) }
            }
        };
        *lock() = Some(next.clone());
        next.in_force
    }
}

/// The rules that were read last.
async fn last_good(name: &str, ledger: &dyn Ledger, why: String) -> InForce {
    let lost = |why: String| InForce { rules: Rules::none(), lost: Some(why) };
    match ledger.kept_policy(name).await {
        Ok(Some((text, at))) => match Rules::parse(&text) {
            Ok(rules) => {
                tracing::warn!("the rules of {at} are used, the last that could be read");
                InForce { rules, lost: None }
            }
            Err(error) => lost(format!("{why}; those kept in the ledger are broken: {error}")),
        },
        Ok(None) => lost(why),
        Err(error) => lost(format!("{why}; nor could those kept in the ledger: {error}")),
    }
}
