//! What surrounds an instance: routes, endpoints, firewalls, and what its type does by default.

use async_trait::async_trait;
use brig_core::model::{
    Timeouts,
    ids::{EniId, VpcId},
    reach::{RouteTable, VpcEndpoint},
};

use super::PortResult;

/// What surrounds an instance: routes, endpoints, firewalls, and what its type does by default.
#[async_trait]
pub trait Surroundings: Send + Sync {
    /// DescribeVpcEndpoints: VPC and interfaces of these VPCs' endpoints of these services of AWS's.
    async fn describe_service_endpoints(
        &self,
        vpcs: &[VpcId],
        services: &[&str],
    ) -> PortResult<Vec<(VpcId, Vec<EniId>)>>;
    /// DescribeRouteTables of these VPCs.
    async fn describe_route_tables(&self, vpcs: &[VpcId]) -> PortResult<Vec<RouteTable>>;
    /// DescribeVpcEndpoints of these VPCs, but those that are over.
    async fn describe_vpc_endpoints(&self, vpcs: &[VpcId]) -> PortResult<Vec<VpcEndpoint>>;
    /// DescribeNetworkInterfaces: VPC and kind of those in these VPCs that are of one of the kinds.
    async fn describe_interfaces_of_kinds(&self, vpcs: &[VpcId], kinds: &[&str]) -> PortResult<Vec<(VpcId, String)>>;
    /// GetSerialConsoleAccessStatus; none where the answer does not say.
    async fn get_serial_console_access(&self) -> PortResult<Option<bool>>;
    /// ListFirewallRuleGroupAssociations of Route 53 Resolver: how many the VPC has.
    async fn count_dns_firewalls(&self, vpc: &VpcId) -> PortResult<usize>;
    /// ListServiceNetworkVpcAssociations of VPC Lattice: how many the VPC has.
    async fn count_service_networks(&self, vpc: &VpcId) -> PortResult<usize>;
    /// DescribeInstanceTypes: the type's default timeouts of connection tracking.
    async fn describe_default_timeouts(&self, instance_type: &str) -> PortResult<Timeouts>;
}
