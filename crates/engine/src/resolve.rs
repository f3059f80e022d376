//! From an address in a report to the instance that had it: only if exactly one interface has it, and has had it since
//! before the report. Addresses move; whoever has one now is not whom an old report means.

use brig_core::{
    containment::Resolution,
    finding::{Addressed, Finding},
    ids::InstanceId,
    step::Lane,
};

use crate::{contain::Engine, ports::InterfacesOf};

impl Engine {
    /// Looks an address up. Costs two round trips before the first look of the instance itself.
    pub async fn resolve(&self, addressed: &Addressed) -> Result<Finding, Box<Resolution>> {
        let unresolved = |why: String| Err(Box::new(Resolution::new(addressed, &why)));
        let session = format!("brig-{}", addressed.address).replace(':', ".");
        let opened = self.clouds.open(&addressed.account, &addressed.region, Lane::Network, &session).await;
        let cloud = match opened {
            Ok(cloud) => cloud,
            Err(error) => return unresolved(error.to_string()),
        };
        let found = match cloud.describe_network_interfaces(InterfacesOf::Address(addressed.address)).await {
            Ok(found) => found,
            Err(error) => return unresolved(format!("the address could not be looked up: {error}")),
        };
        let [only] = found.as_slice() else {
            return unresolved(match found.len() {
                0 => "no interface has the address now".to_owned(),
                count => format!("{count} interfaces have the address"),
            });
        };
        let Some(id) = only.instance.as_deref().and_then(|id| id.parse::<InstanceId>().ok()) else {
            return unresolved(format!("the address is on {}, which is attached to no instance", only.interface.id));
        };
        let Some(seen) = addressed.seen() else {
            return unresolved(format!("{id} has the address now, and the report says no time at which it was seen"));
        };
        let launched = match cloud.describe_instance(&id).await {
            Ok(instance) => instance.and_then(|instance| instance.launched),
            Err(error) => return unresolved(format!("{id} could not be looked up: {error}")),
        };
        let older = |moment: Option<brig_core::timestamp::Timestamp>| moment.is_some_and(|moment| moment <= seen);
        if older(launched) && older(only.attached_at) {
            Ok(addressed.resolved(id))
        } else {
            unresolved(format!("{id} has the address now, but not since before the report ({seen})"))
        }
    }
}
