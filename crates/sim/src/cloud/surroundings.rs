//! What surrounds an instance: routes, endpoints, firewalls, and what its type does by default.

use async_trait::async_trait;
use brig_core::model::{
    Timeouts,
    ids::{EniId, VpcId},
    reach::{RouteTable, VpcEndpoint},
};
use brig_engine::ports::{PortResult, Surroundings};

use super::SimCloud;

#[async_trait]
impl Surroundings for SimCloud {
    async fn describe_service_endpoints(
        &self,
        vpcs: &[VpcId],
        services: &[&str],
    ) -> PortResult<Vec<(VpcId, Vec<EniId>)>> {
        self.read("DescribeVpcEndpoints", |world| {
            let meant = world
                .endpoints
                .iter()
                .filter(|(service, vpc, _)| vpcs.contains(vpc) && services.contains(&service.as_str()));
            Ok(meant.map(|(_, vpc, eni)| (vpc.clone(), vec![eni.clone()])).collect())
        })
        .await
    }

    async fn describe_route_tables(&self, vpcs: &[VpcId]) -> PortResult<Vec<RouteTable>> {
        self.read("DescribeRouteTables", |world| {
            Ok(world.reach.tables.iter().filter(|table| vpcs.contains(&table.vpc)).cloned().collect())
        })
        .await
    }

    async fn describe_vpc_endpoints(&self, vpcs: &[VpcId]) -> PortResult<Vec<VpcEndpoint>> {
        self.read("DescribeVpcEndpoints", |world| {
            Ok(world.reach.endpoints.iter().filter(|endpoint| vpcs.contains(&endpoint.vpc)).cloned().collect())
        })
        .await
    }

    async fn describe_interfaces_of_kinds(&self, vpcs: &[VpcId], kinds: &[&str]) -> PortResult<Vec<(VpcId, String)>> {
        self.read("DescribeNetworkInterfaces", |world| {
            let there = world.reach.neighbours.iter().filter(|(vpc, _)| vpcs.contains(vpc));
            let each = there.flat_map(|(vpc, found)| found.iter().map(move |kind| (vpc.clone(), kind.clone())));
            Ok(each.filter(|(_, kind)| kinds.contains(&kind.as_str())).collect())
        })
        .await
    }

    async fn get_serial_console_access(&self) -> PortResult<Option<bool>> {
        self.read("GetSerialConsoleAccessStatus", |world| Ok(Some(world.reach.serial_console.unwrap_or(false)))).await
    }

    async fn count_dns_firewalls(&self, vpc: &VpcId) -> PortResult<usize> {
        self.read("ListFirewallRuleGroupAssociations", |world| {
            Ok(world.reach.dns_firewalls.get(vpc).copied().unwrap_or(0))
        })
        .await
    }

    async fn count_service_networks(&self, vpc: &VpcId) -> PortResult<usize> {
        self.read("ListServiceNetworkVpcAssociations", |world| Ok(usize::from(world.reach.lattice.contains(vpc)))).await
    }

    async fn describe_default_timeouts(&self, _: &str) -> PortResult<Timeouts> {
        self.read("DescribeInstanceTypes", |world| Ok(world.reach.defaults)).await
    }
}
