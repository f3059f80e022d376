//! What readiness asks: what the account has, and what Brig may do in it.

use async_trait::async_trait;
use brig_core::model::ids::{Region, VpcId};
use brig_engine::ports::{DryRun, PortResult, Probes};

use super::SimCloud;

#[async_trait]
impl Probes for SimCloud {
    async fn describe_regions(&self) -> PortResult<Vec<Region>> {
        self.read("DescribeRegions", |world| Ok(world.regions())).await
    }

    async fn describe_vpcs(&self) -> PortResult<Vec<VpcId>> {
        self.read("DescribeVpcs", |world| Ok(world.vpcs())).await
    }

    async fn get_metadata_default_tokens(&self) -> PortResult<Option<String>> {
        self.read("GetInstanceMetadataDefaults", |_| Ok(None)).await
    }

    async fn count_instances_without_tokens(&self) -> PortResult<usize> {
        self.read("DescribeInstances", |world| {
            let optional = |instance: &&crate::world::Instance| instance.shown.metadata.tokens == "optional";
            Ok(world.instances.values().filter(optional).count())
        })
        .await
    }

    async fn dry_run(&self, _change: &DryRun) -> PortResult<()> {
        self.read("DryRun", |_| Ok(())).await
    }
}
