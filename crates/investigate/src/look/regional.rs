//! Whether what a deed made or stopped in a Region is so: instances and trails.

use std::collections::{BTreeMap, BTreeSet};

use brig_core::{
    iam::readiness::Trail,
    model::ids::{AccountId, InstanceId, Region, arn_name},
};
use brig_engine::ports::{Cloud, Clouds, PortResult, View};
use brig_trace::{Deed, DeedKind, Presence, Trace};
use futures::future::join_all;

/// What was read of a Region.
#[derive(Default)]
struct RegionNow {
    /// The states of instances; none of one that is gone.
    instances: BTreeMap<String, PortResult<Option<String>>>,
    trails: Option<PortResult<Vec<Trail>>>,
}

/// What was read of each Region that a deed was done in.
pub(super) struct Regional(BTreeMap<String, Result<RegionNow, String>>);

/// What is to be read of a Region.
#[derive(Default)]
struct Wanted {
    instances: BTreeSet<InstanceId>,
    trails: bool,
}

/// Reads every instance that a deed launched, and the trails where one stopped or deleted some, each in its Region.
pub(super) async fn read(trace: &Trace, clouds: &dyn Clouds, account: &AccountId, session: &str) -> Regional {
    let mut wanted: BTreeMap<Region, Wanted> = BTreeMap::new();
    for deed in &trace.deeds {
        let Ok(region) = deed.region.parse::<Region>() else { continue };
        if deed.kind == DeedKind::Instance && deed.call == "RunInstances" {
            let ids = deed.what.iter().filter_map(|id| id.parse().ok());
            wanted.entry(region).or_default().instances.extend(ids);
        } else if is_of_trail(deed) {
            wanted.entry(region).or_default().trails = true;
        }
    }
    let looks = wanted.into_iter().map(|(region, wanted)| async move {
        let seen = match clouds.open(account, &region, View::Reads, session).await {
            Ok(cloud) => Ok(region_now(cloud.as_ref(), wanted).await),
            Err(error) => Err(error.to_string()),
        };
        (region.to_string(), seen)
    });
    Regional(join_all(looks).await.into_iter().collect())
}

async fn region_now(cloud: &dyn Cloud, wanted: Wanted) -> RegionNow {
    let instances = wanted.instances.into_iter().map(|id| async move {
        let state = state_of(cloud, &id).await;
        (id.to_string(), state)
    });
    let trails = async { if wanted.trails { Some(cloud.describe_trails().await) } else { None } };
    let (instances, trails) = futures::join!(join_all(instances), trails);
    RegionNow { instances: instances.into_iter().collect(), trails }
}

async fn state_of(cloud: &dyn Cloud, id: &InstanceId) -> PortResult<Option<String>> {
    let instance = cloud.describe_instance(id).await?;
    Ok(instance
        .filter(|instance| !instance.state.is_ending())
        .map(|instance| format!("{id} is {:?}", instance.state).to_lowercase()))
}

fn is_of_trail(deed: &Deed) -> bool {
    deed.kind == DeedKind::Detection && matches!(deed.call.as_str(), "StopLogging" | "DeleteTrail")
}

impl Regional {
    /// Whether it is there; none of what is not looked at.
    pub(super) fn presence(&self, deed: &Deed) -> Option<Presence> {
        let seen = match self.0.get(&deed.region)? {
            Ok(seen) => seen,
            Err(error) => {
                return Some(Presence::Unknown { why: format!("{} could not be read: {error}", deed.region) });
            }
        };
        if is_of_trail(deed) { trail_of(deed, seen.trails.as_ref()?) } else { instance_of(deed, &seen.instances) }
    }
}

/// A deed against a trail stands while the trail records nothing.
fn trail_of(deed: &Deed, trails: &PortResult<Vec<Trail>>) -> Option<Presence> {
    let name = arn_name(deed.what.first()?);
    let trails = match trails {
        Ok(trails) => trails,
        Err(error) => return Some(Presence::Unknown { why: format!("the trails could not be read: {error}") }),
    };
    Some(match trails.iter().find(|trail| trail.name == name) {
        None => Presence::There { seen: format!("there is no trail {name}") },
        Some(trail) if !trail.logging => Presence::There { seen: format!("the trail {name} records nothing") },
        Some(_) => Presence::Gone { seen: format!("the trail {name} records") },
    })
}

fn instance_of(deed: &Deed, instances: &BTreeMap<String, PortResult<Option<String>>>) -> Option<Presence> {
    let seen: Vec<&PortResult<Option<String>>> = deed.what.iter().filter_map(|id| instances.get(id)).collect();
    if seen.is_empty() {
        return None;
    }
    let there: Vec<String> = seen.iter().filter_map(|state| state.as_ref().ok()?.clone()).collect();
    let error = seen.iter().find_map(|state| state.as_ref().err());
    Some(match (there.is_empty(), error) {
        (false, _) => Presence::There { seen: there.join(", ") },
        (true, Some(error)) => Presence::Unknown { why: format!("it could not be read: {error}") },
        (true, None) => Presence::Gone { seen: "EC2 no longer shows it, or shows it as terminated".to_owned() },
    })
}
