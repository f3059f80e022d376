//! What readiness asks: what the account has, and what Brig may do in it.

use async_trait::async_trait;
use brig_core::model::ids::{Region, VpcId};
use brig_engine::ports::{Answer, DryRun, Probes};

use super::SimCloud;

#[async_trait]
impl Probes for SimCloud {
    async fn describe_regions(&self) -> Answer<Vec<Region>> {
        self.read("DescribeRegions", |world| Ok(world.regions())).await
    }

    async fn describe_vpcs(&self) -> Answer<Vec<VpcId>> {
        self.read("DescribeVpcs", |world| Ok(world.vpcs())).await
    }

    async fn get_metadata_default_tokens(&self) -> Answer<Option<String>> {
        self.read("GetInstanceMetadataDefaults", |_| Ok(None)).await
    }

    async fn count_instances_without_tokens(&self) -> Answer<usize> {
        self.read("DescribeInstances", |world| {
            let optional = |instance: &&crate::world::Instance| instance.shown.metadata.tokens == "optional";
            Ok(world.instances.values().filter(optional).count())
        })
        .await
    }

    async fn dry_run(&self, _change: &DryRun) -> Answer<()> {
        self.read("DryRun", |_| Ok(())).await
    }
}
