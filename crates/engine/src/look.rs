//! A person's questions that change nothing: what is on record of an instance, and which instance is meant.

use brig_core::{
    model::{
        Instance, InstanceState,
        ids::{AccountId, InstanceId, Region, TargetKey, UserKey},
    },
    report::story::{Beside, Story},
    trigger::{Find, FindBy, Whom},
};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use crate::{
    engine::{Engine, Invocation},
    ports::{InterfacesOf, Ledger, PortResult, View},
};

const AT_ONCE: usize = 4;
/// A name that more instances have is no name; the rest is counted.
const MOST: usize = 50;

/// An instance that fits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    pub account: AccountId,
    pub region: Region,
    pub instance_id: InstanceId,
    /// Its Name tag.
    pub name: Option<String>,
    /// Its life cycle state.
    pub state: InstanceState,
    /// The addresses of its interfaces, private ones first.
    pub addresses: Vec<String>,
    /// When it was launched, RFC 3339, UTC.
    pub launched: Option<String>,
}

/// All instances that fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundPage {
    /// At most fifty of them, in the order of their ids.
    pub instances: Vec<Found>,
    /// How many more there are.
    pub more: usize,
}

/// Everything that a ledger has on record of an instance, a user or a role. One round trip.
///
/// # Errors
/// The ledger could not be read.
pub async fn story(ledger: &(impl Ledger + ?Sized), key: &TargetKey) -> PortResult<Story> {
    let place = key.pk();
    let (records, reports, questions, unsent) = futures::join!(
        ledger.read(key),
        ledger.reports(key),
        ledger.questions(Some(key), None),
        ledger.unsent(Some(&place)),
    );
    Ok(Story::of(key, &records?, Beside { reports: reports?, questions: questions?.questions, unsent: unsent?.unsent }))
}

impl Engine {
    /// Everything that the ledger has on record of an instance. One round trip.
    ///
    /// # Errors
    /// The ledger could not be read.
    pub async fn show(&self, key: &TargetKey) -> PortResult<Story> {
        story(self.ledger.as_ref(), key).await
    }

    /// Whom a person asks about: of an access key, the user that IAM says it belongs to.
    ///
    /// # Errors
    /// Why it is not known, for a person.
    pub async fn whom(&self, whom: &Whom, invocation: &Invocation) -> Result<TargetKey, String> {
        let (account, id) = match whom {
            Whom::Target(target) => return Ok(target.clone()),
            Whom::AccessKey(account, id) => (account, id),
        };
        let session = format!("brig-{}", invocation.request_id);
        let opened = self.clouds.open(account, &invocation.home(), View::Reads, &session).await;
        let cloud = opened.map_err(|error| error.to_string())?;
        let used = cloud.get_access_key_last_used(id).await.map_err(|error| error.to_string())?;
        let user = used.user.ok_or_else(|| format!("{id} is a key of the root user"))?;
        Ok(TargetKey::User(UserKey { account: account.clone(), user }))
    }

    /// The instances that have a name or an address now. None that is terminated is meant.
    ///
    /// # Errors
    /// What could not be looked up, and why, for a person.
    pub async fn find(&self, find: &Find, invocation: &Invocation) -> Result<FoundPage, String> {
        let session = format!("brig-{}", invocation.request_id);
        let opened = self.clouds.open(&find.account, &find.region, View::Reads, &session).await;
        let cloud = opened.map_err(|error| error.to_string())?;
        let mut instances = match &find.by {
            FindBy::Name(name) => cloud.describe_instances_named(name).await.map_err(|error| error.to_string())?,
            FindBy::Address(address) => {
                let seen = cloud.describe_network_interfaces(InterfacesOf::Address(*address)).await;
                let seen = seen.map_err(|error| error.to_string())?;
                let ids = seen.into_iter().filter_map(|found| found.instance?.parse::<InstanceId>().ok());
                let ids: std::collections::BTreeSet<InstanceId> = ids.collect();
                let looks = stream::iter(ids).map(|id| {
                    let cloud = &cloud;
                    async move { cloud.describe_instance(&id).await }
                });
                let found: Vec<Option<Instance>> =
                    looks.buffered(AT_ONCE).try_collect().await.map_err(|error| error.to_string())?;
                found.into_iter().flatten().collect()
            }
        };
        instances.retain(|instance| !instance.state.is_ending());
        instances.sort_by(|one, other| one.id.cmp(&other.id));
        let more = instances.len().saturating_sub(MOST);
        instances.truncate(MOST);
        Ok(FoundPage { instances: instances.into_iter().map(found).collect(), more })
    }
}

fn found(instance: Instance) -> Found {
    let private = instance.interfaces.iter().flat_map(|interface| &interface.addresses).map(ToString::to_string);
    let public = instance.interfaces.iter().flat_map(|interface| &interface.public);
    let addresses = private.chain(public.map(|public| public.address.to_string())).collect();
    Found {
        name: instance.name(),
        launched: instance.launched.map(|at| at.to_string()),
        addresses,
        account: instance.account,
        region: instance.region,
        instance_id: instance.id,
        state: instance.state,
    }
}
