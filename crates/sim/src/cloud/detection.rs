//! Who did what, and whether anybody watches: CloudTrail and GuardDuty.

use async_trait::async_trait;
use brig_core::{iam::readiness::Trail, model::timestamp::Timestamp};
use brig_engine::ports::{Detection, Lookup, PortResult, TrailEvent};

use super::SimCloud;

#[async_trait]
impl Detection for SimCloud {
    async fn lookup_events(&self, by: Lookup<'_>, _: Timestamp) -> PortResult<Vec<TrailEvent>> {
        self.read("LookupEvents", |world| {
            let of = world.trail.iter().filter(|(id, _)| id == by.value());
            Ok(of.map(|(_, event)| event.clone()).collect())
        })
        .await
    }

    async fn describe_trails(&self) -> PortResult<Vec<Trail>> {
        self.read("DescribeTrails", |_| Ok(())).await?;
        let trail = Trail { name: "all".to_owned(), all_regions: true, logging: true };
        self.read("GetTrailStatus", |_| Ok(vec![trail])).await
    }

    async fn get_detectors(&self) -> PortResult<Vec<bool>> {
        self.read("ListDetectors", |_| Ok(())).await?;
        self.read("GetDetector", |_| Ok(vec![true])).await
    }
}
