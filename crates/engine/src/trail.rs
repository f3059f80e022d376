//! Somebody's call that may have touched what a containment holds: which contained instances it touched, and a
//! verification of each. A look-up that fails is a failure: it never means that nothing was touched.

use std::{collections::BTreeSet, net::IpAddr};

use brig_core::{
    model::ids::{InstanceId, InstanceKey},
    report::{answer::Answer, principal::PrincipalAnswer},
    step::{DenyRole, Step},
    trigger::{Finding, TrailCall},
};
use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    engine::{Engine, Invocation, LAST_CALL},
    ports::{Attached, CloudError, InterfacesOf, PortResult, View},
    verify::{AT_ONCE, Drift, Verification},
};

/// Why it is not known what a call touched.
#[derive(Debug, thiserror::Error)]
pub enum TouchedError {
    /// The account cannot be worked in.
    #[error("what {call} touched could not be looked up: {why}")]
    Unreachable { call: String, why: String },
    /// A look-up failed.
    #[error("what {call} touched could not be looked up: {source}")]
    Unread {
        call: String,
        /// What was asked.
        source: CloudError,
    },
    /// Instances for which no time was left.
    #[error("{call} touched {count} contained instance(s) for which no time was left")]
    OutOfTime {
        call: String,
        /// How many.
        count: usize,
    },
}

/// What a call touched, looked at again.
#[derive(Debug, Default)]
pub struct Touched {
    /// Instances.
    pub entries: Vec<Answer>,
    /// Users.
    pub principals: Vec<PrincipalAnswer>,
    /// Why not all of it was looked at.
    pub failed: Option<TouchedError>,
}

impl Engine {
    /// Verifies the contained instances and users that somebody's call touched. A responder's change is reported, and left.
    pub async fn touched(&self, touched: &TrailCall, invocation: &Invocation) -> Touched {
        let unread = |source| TouchedError::Unread { call: touched.call.clone(), source };
        let (principals, users_failed) = match self.touched_users(touched, invocation).await {
            Ok(principals) => (principals, None),
            Err(error) => (Vec::new(), Some(unread(error))),
        };
        let instances = match self.touched_instances(touched, invocation).await {
            Ok(instances) => instances,
            Err(error) => return Touched { entries: Vec::new(), principals, failed: Some(error) },
        };
        let drift = if self.policy.is_responder(&touched.by) { Drift::Report } else { Drift::Repair };
        let looks = stream::iter(instances).map(|key| async move {
            if self.left(invocation) <= LAST_CALL {
                return None;
            }
            let when = touched.at.map_or_else(String::new, |at| format!(" at {at}"));
            let title = format!("{} by {}{when}", touched.call, touched.by);
            let finding = Finding::occasion(touched.id.clone(), title, key.account, key.region, key.instance);
            let verification = Verification::after(&touched.by, drift);
            Some(Box::pin(self.verify(&finding, verification, invocation)).await)
        });
        let looks: Vec<Option<Answer>> = looks.buffered(AT_ONCE).collect().await;
        let count = looks.iter().filter(|look| look.is_none()).count();
        let late = (count > 0).then(|| TouchedError::OutOfTime { call: touched.call.clone(), count });
        Touched { entries: looks.into_iter().flatten().collect(), principals, failed: late.or(users_failed) }
    }

    /// The active containments among what a call names. The list of active ones comes first: where it has none there,
    /// nothing is looked up, and what the call names is compared with the interfaces of those that it has, however many
    /// resources the call names.
    async fn touched_instances(
        &self,
        touched: &TrailCall,
        invocation: &Invocation,
    ) -> Result<BTreeSet<InstanceKey>, TouchedError> {
        let unread = |source| TouchedError::Unread { call: touched.call.clone(), source };
        let mut found = BTreeSet::new();
        if !touched.roles.is_empty() {
            found.extend(self.with_role(touched).await.map_err(unread)?);
        }
        let names = [touched.instances.len(), touched.interfaces.len(), touched.groups.len(), touched.addresses.len()];
        if names == [0; 4] {
            return Ok(found);
        }
        let active = self.ledger.active_in(&touched.account, Some(&touched.region)).await.map_err(unread)?;
        let named: BTreeSet<&InstanceId> = touched.instances.iter().collect();
        let (direct, rest): (Vec<_>, Vec<_>) = active.into_iter().partition(|key| named.contains(&key.instance));
        found.extend(direct);
        if rest.is_empty() || touched.interfaces.len() + touched.groups.len() + touched.addresses.len() == 0 {
            return Ok(found);
        }
        let session = format!("brig-{}", invocation.request_id);
        let opened = self.clouds.open(&touched.account, &touched.region, View::Reads, &session).await;
        let cloud =
            opened.map_err(|why| TouchedError::Unreachable { call: touched.call.clone(), why: why.to_string() })?;
        let ids: Vec<InstanceId> = rest.iter().map(|key| key.instance.clone()).collect();
        let attached = cloud.describe_network_interfaces(InterfacesOf::Instances(&ids)).await.map_err(unread)?;
        let hit: BTreeSet<String> = attached
            .into_iter()
            .filter(|attached| is_named(touched, attached))
            .filter_map(|hit| hit.instance)
            .collect();
        found.extend(rest.into_iter().filter(|key| hit.contains(key.instance.as_str())));
        Ok(found)
    }

    /// Contained instances, of any Region, of a role whose policy was written.
    async fn with_role(&self, touched: &TrailCall) -> PortResult<Vec<InstanceKey>> {
        let active = self.ledger.active_in(&touched.account, None).await?;
        let looks = stream::iter(active).map(|key| async move {
            let records = self.ledger.read(&key.clone().into()).await?;
            let denies =
                |step: &Step| matches!(step, Step::DenyRole(DenyRole { role, .. }) if touched.roles.contains(role));
            Ok(records.steps.iter().any(|record| denies(&record.step)).then_some(key))
        });
        let found: Vec<Option<InstanceKey>> = looks.buffered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }
}

/// Whether a call names an interface, a group on it or an address of it.
fn is_named(touched: &TrailCall, attached: &Attached) -> bool {
    let interface = &attached.interface;
    let public = interface.public.iter().map(|public| IpAddr::V4(public.address));
    touched.interfaces.contains(&interface.id)
        || interface.groups.iter().any(|group| touched.groups.contains(group))
        || interface.addresses.iter().copied().chain(public).any(|address| touched.addresses.contains(&address))
}
