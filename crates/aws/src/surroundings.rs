//! What surrounds an instance: routes, endpoints, firewalls, and what its type does by default.

use async_trait::async_trait;
use aws_sdk_ec2::types::{InstanceType, RouteState};
use brig_core::model::{
    Timeouts,
    ids::{EniId, VpcId},
    reach::{Route, RouteTable, VpcEndpoint},
};
use brig_engine::ports::{PortResult, Surroundings};

use crate::{
    cloud::AwsCloud,
    ec2::{filter, seconds},
    error::Explain,
};

#[async_trait]
impl Surroundings for AwsCloud {
    async fn describe_service_endpoints(
        &self,
        vpcs: &[VpcId],
        services: &[&str],
    ) -> PortResult<Vec<(VpcId, Vec<EniId>)>> {
        let client = self.ec2();
        let region = &self.region;
        let names: Vec<String> = services.iter().map(|service| format!("com.amazonaws.{region}.{service}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let request = client.describe_vpc_endpoints().filters(filter("service-name", &names)).filters(in_vpcs(vpcs));
        let mut pages = request.into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(endpoint) = pages.next().await {
            let endpoint = endpoint.explain("DescribeVpcEndpoints")?;
            let interfaces = endpoint.network_interface_ids().iter().map(|id| id.as_str().into()).collect();
            found.extend(endpoint.vpc_id().map(|vpc| (vpc.into(), interfaces)));
        }
        Ok(found)
    }

    async fn describe_route_tables(&self, vpcs: &[VpcId]) -> PortResult<Vec<RouteTable>> {
        let client = self.ec2();
        let mut pages = client.describe_route_tables().filters(in_vpcs(vpcs)).into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(table) = pages.next().await {
            let table = table.explain("DescribeRouteTables")?;
            let Some(vpc) = table.vpc_id() else { continue };
            let associations = table.associations();
            found.push(RouteTable {
                vpc: vpc.into(),
                owner: table.owner_id().map(str::to_owned),
                main: associations.iter().any(|association| association.main().unwrap_or(false)),
                subnets: associations
                    .iter()
                    .filter_map(|association| association.subnet_id())
                    .map(str::to_owned)
                    .collect(),
                routes: table.routes().iter().filter_map(from_route).collect(),
            });
        }
        Ok(found)
    }

    async fn describe_vpc_endpoints(&self, vpcs: &[VpcId]) -> PortResult<Vec<VpcEndpoint>> {
        let client = self.ec2();
        let mut pages = client.describe_vpc_endpoints().filters(in_vpcs(vpcs)).into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(endpoint) = pages.next().await {
            let endpoint = endpoint.explain("DescribeVpcEndpoints")?;
            let (Some(id), Some(vpc)) = (endpoint.vpc_endpoint_id(), endpoint.vpc_id()) else { continue };
            let over = ["deleting", "deleted", "rejected", "failed", "expired"];
            let is_there =
                endpoint.state().is_none_or(|state| !over.contains(&state.as_str().to_ascii_lowercase().as_str()));
            let kind = endpoint.vpc_endpoint_type().map_or("unknown", |kind| kind.as_str());
            if is_there {
                found.push(VpcEndpoint {
                    id: id.to_owned(),
                    vpc: vpc.into(),
                    kind: kind.to_owned(),
                    service: endpoint.service_name().unwrap_or_default().to_owned(),
                });
            }
        }
        Ok(found)
    }

    async fn describe_interfaces_of_kinds(&self, vpcs: &[VpcId], kinds: &[&str]) -> PortResult<Vec<(VpcId, String)>> {
        let client = self.ec2();
        let request =
            client.describe_network_interfaces().filters(in_vpcs(vpcs)).filters(filter("interface-type", kinds));
        let mut pages = request.into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(interface) = pages.next().await {
            let interface = interface.explain("DescribeNetworkInterfaces")?;
            if let (Some(vpc), Some(kind)) = (interface.vpc_id(), interface.interface_type()) {
                found.push((vpc.into(), kind.as_str().to_owned()));
            }
        }
        Ok(found)
    }

    async fn get_serial_console_access(&self) -> PortResult<Option<bool>> {
        let client = self.ec2();
        let answer = client.get_serial_console_access_status().send().await.explain("GetSerialConsoleAccessStatus")?;
        Ok(answer.serial_console_access_enabled())
    }

    async fn count_dns_firewalls(&self, vpc: &VpcId) -> PortResult<usize> {
        let client = self.resolver();
        let request = client.list_firewall_rule_group_associations().vpc_id(vpc.as_str());
        let answer = request.send().await.explain("ListFirewallRuleGroupAssociations")?;
        Ok(answer.firewall_rule_group_associations().len())
    }

    async fn count_service_networks(&self, vpc: &VpcId) -> PortResult<usize> {
        let client = self.lattice();
        let request = client.list_service_network_vpc_associations().vpc_identifier(vpc.as_str());
        let answer = request.send().await.explain("ListServiceNetworkVpcAssociations")?;
        Ok(answer.items().len())
    }

    async fn describe_default_timeouts(&self, instance_type: &str) -> PortResult<Timeouts> {
        let client = self.ec2();
        let request = client.describe_instance_types().instance_types(InstanceType::from(instance_type));
        let answer = request.send().await.explain("DescribeInstanceTypes")?;
        let network = answer.instance_types().iter().find_map(|kind| kind.network_info());
        let defaults = network.and_then(|network| network.connection_tracking_configuration());
        Ok(defaults.map_or_else(Timeouts::default, |defaults| Timeouts {
            tcp_established: seconds(defaults.default_tcp_established_timeout()),
            udp_stream: seconds(defaults.default_udp_stream_timeout()),
            udp: seconds(defaults.default_udp_timeout()),
        }))
    }
}

fn in_vpcs(vpcs: &[VpcId]) -> aws_sdk_ec2::types::Filter {
    let ids: Vec<&str> = vpcs.iter().map(VpcId::as_str).collect();
    filter("vpc-id", &ids)
}

/// A route has one target, in the field of its kind
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html>).
fn from_route(route: &aws_sdk_ec2::types::Route) -> Option<Route> {
    if route.state() == Some(&RouteState::Blackhole) {
        return None;
    }
    let destination = route
        .destination_cidr_block()
        .or_else(|| route.destination_ipv6_cidr_block())
        .or_else(|| route.destination_prefix_list_id())?;
    let target = [
        route.gateway_id(),
        route.nat_gateway_id(),
        route.egress_only_internet_gateway_id(),
        route.transit_gateway_id(),
        route.vpc_peering_connection_id(),
        route.network_interface_id(),
        route.instance_id(),
        route.local_gateway_id(),
        route.carrier_gateway_id(),
        route.core_network_arn(),
        route.odb_network_arn(),
        route.ip_address(),
    ];
    let target = target.into_iter().flatten().next().unwrap_or("unknown");
    Some(Route { destination: destination.to_owned(), target: target.to_owned() })
}
