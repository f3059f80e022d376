//! From an address or an interface in a report to the instance that had it: only if exactly one interface has it, and has
//! had it since before the report. Addresses move; whoever has one now is not whom an old report means.

use std::sync::Arc;

use brig_core::{
    decide,
    model::{
        ids::{EniId, InstanceId, Region},
        timestamp::Timestamp,
    },
    report::answer::Resolution,
    trigger::{Addressed, Finding, Locator},
};
use futures::future::BoxFuture;

use crate::{
    engine::{Engine, Invocation},
    ports::{Attached, Cloud, Instances, Interfaces, InterfacesOf, PortResult, View},
};

impl Engine {
    /// Looks an address up. Costs two round trips before the first look of the instance itself; where the Region that the
    /// event says has no such interface, the account's others are looked in.
    pub async fn resolve(&self, addressed: &Addressed, invocation: &Invocation) -> Result<Finding, Box<Resolution>> {
        let unresolved = |why: String| Err(Box::new(Resolution::new(addressed, &why)));
        if let Some(why) =
            decide::distrust::<InstanceId>(addressed.said_by(), &addressed.account, &self.policy, &invocation.own)
        {
            return unresolved(why);
        }
        let session = format!("brig-{}", addressed.address).replace(':', ".");
        let opened = self.clouds.open(&addressed.account, &addressed.region, View::Reads, &session).await;
        let cloud = match opened {
            Ok(cloud) => cloud,
            Err(error) => return unresolved(error.to_string()),
        };
        let found = match interfaces(cloud.as_ref(), &addressed.address).await {
            Ok(found) => found,
            Err(error) => return unresolved(format!("it could not be looked up: {error}")),
        };
        let (region, cloud, found) = if found.is_empty() {
            let locator = addressed.address.clone();
            let look = move |cloud: Arc<dyn Cloud>| -> BoxFuture<'static, PortResult<Option<Vec<Attached>>>> {
                let locator = locator.clone();
                Box::pin(async move {
                    Ok(Some(interfaces(cloud.as_ref(), &locator).await?).filter(|found| !found.is_empty()))
                })
            };
            let elsewhere = self.elsewhere(&addressed.account, &addressed.region, &session, invocation, &look).await;
            let looked = elsewhere.where_looked(&addressed.region);
            let mut places = elsewhere.found.into_iter();
            match (places.next(), places.next()) {
                (None, _) => return unresolved(format!("no interface has it now ({looked})")),
                (Some(_), Some(_)) => return unresolved(format!("interfaces in several Regions have it ({looked})")),
                (Some((region, found)), None) => {
                    match self.clouds.open(&addressed.account, &region, View::Reads, &session).await {
                        Ok(cloud) => (region, cloud, found),
                        Err(error) => return unresolved(error.to_string()),
                    }
                }
            }
        } else {
            (addressed.region.clone(), cloud, found)
        };
        match holder(cloud.as_ref(), &found, addressed.seen()).await {
            Ok(instance) => Ok(resolved(addressed, instance, region)),
            Err(why) => unresolved(why),
        }
    }
}

fn resolved(addressed: &Addressed, instance: InstanceId, region: Region) -> Finding {
    let mut finding = addressed.resolved(instance, region);
    if finding.region != addressed.region {
        finding.notes.push(format!(
            "{} is not in {}, where it was said to be, and was found in {}",
            addressed.address, addressed.region, finding.region
        ));
    }
    finding
}

async fn interfaces(cloud: &dyn Interfaces, of: &Locator) -> PortResult<Vec<Attached>> {
    match of {
        Locator::Address(address) => cloud.describe_network_interfaces(InterfacesOf::Address(*address)).await,
        Locator::Interface(id) => {
            let ids: [EniId; 1] = [id.clone()];
            cloud.describe_network_interfaces(InterfacesOf::Ids(&ids)).await
        }
    }
}

/// The one instance that has had it since before the report, or why there is none.
async fn holder(cloud: &dyn Instances, found: &[Attached], seen: Option<Timestamp>) -> Result<InstanceId, String> {
    let [only] = found else { return Err(format!("{} interfaces have it", found.len())) };
    let Some(id) = only.instance.as_deref().and_then(|id| id.parse::<InstanceId>().ok()) else {
        return Err(format!("it is on {}, which is attached to no instance", only.interface.id));
    };
    let Some(seen) = seen else {
        return Err(format!("{id} has it now, and the report says no time at which it was seen"));
    };
    let launched = match cloud.describe_instance(&id).await {
        Ok(instance) => instance.and_then(|instance| instance.launched),
        Err(error) => return Err(format!("{id} could not be looked up: {error}")),
    };
    let older = |moment: Option<Timestamp>| moment.is_some_and(|moment| moment <= seen);
    if older(launched) && older(only.attached_at) {
        Ok(id)
    } else {
        Err(format!("{id} has it now, but not since before the report ({seen})"))
    }
}
