//! Network ACLs, routes and endpoints.

use brig_core::{
    acl::{AclEntry, MOST_RULES, NetworkAcl},
    ids::{EniId, VpcId},
    reach::{RouteTable, VpcEndpoint},
    release::Reversal,
    step::Step,
};
use brig_engine::ports::{AclsOf, Answer, ErrorKind};

use super::{SimCloud, back, not_found, refused};

impl SimCloud {
    pub(super) async fn describe_network_acls(&self, of: AclsOf<'_>) -> Answer<Vec<NetworkAcl>> {
        self.read("DescribeNetworkAcls", |world| {
            let meant = |acl: &&NetworkAcl| match of {
                AclsOf::Subnets(subnets) => acl.subnets.iter().any(|subnet| subnets.contains(subnet)),
                AclsOf::Ids(ids) => ids.contains(&acl.id),
            };
            Ok(world.acls.values().filter(meant).cloned().collect())
        })
        .await
    }

    pub(super) async fn create_network_acl_entry(&self, id: &str, entry: &AclEntry) -> Answer<()> {
        const OPERATION: &str = "CreateNetworkAclEntry";
        let intended = |step: &Step| match step {
            Step::DenyInNetworkAcl { acl, .. } => acl == id,
            step => back(step, |back| matches!(back, Reversal::AllowInNetworkAcl { acl, .. } if acl == id)),
        };
        self.write(OPERATION, intended, |state| {
            let Some(acl) = state.world.acls.get_mut(id) else {
                return Err(not_found(OPERATION, "InvalidNetworkAclID.NotFound"));
            };
            let way = || acl.entries.iter().filter(|held| held.egress == entry.egress);
            if way().any(|held| held.number == entry.number) {
                return Err(refused(OPERATION, ErrorKind::Duplicate, "NetworkAclEntryAlreadyExists"));
            }
            let family = |held: &&AclEntry| held.cidr.addr().is_ipv6() == entry.cidr.addr().is_ipv6();
            if way().filter(family).count() >= MOST_RULES {
                return Err(refused(OPERATION, ErrorKind::LimitReached, "NetworkAclEntryLimitExceeded"));
            }
            acl.entries.push(entry.clone());
            acl.entries.sort_by_key(|entry| (entry.egress, entry.number));
            Ok(())
        })
        .await
    }

    pub(super) async fn delete_network_acl_entry(&self, id: &str, number: i32, egress: bool) -> Answer<()> {
        let intended =
            |step: &Step| back(step, |back| matches!(back, Reversal::AllowInNetworkAcl { acl, .. } if acl == id));
        self.write("DeleteNetworkAclEntry", intended, |state| {
            if let Some(acl) = state.world.acls.get_mut(id) {
                acl.entries.retain(|entry| entry.egress != egress || entry.number != number);
            }
            Ok(())
        })
        .await
    }

    pub(super) async fn describe_service_endpoints(
        &self,
        vpcs: &[VpcId],
        services: &[&str],
    ) -> Answer<Vec<(VpcId, Vec<EniId>)>> {
        self.read("DescribeVpcEndpoints", |world| {
            let meant = world
                .endpoints
                .iter()
                .filter(|(service, vpc, _)| vpcs.contains(vpc) && services.contains(&service.as_str()));
            Ok(meant.map(|(_, vpc, eni)| (vpc.clone(), vec![eni.clone()])).collect())
        })
        .await
    }

    pub(super) async fn describe_route_tables(&self, vpcs: &[VpcId]) -> Answer<Vec<RouteTable>> {
        self.read("DescribeRouteTables", |world| {
            Ok(world.reach.tables.iter().filter(|table| vpcs.contains(&table.vpc)).cloned().collect())
        })
        .await
    }

    pub(super) async fn describe_vpc_endpoints(&self, vpcs: &[VpcId]) -> Answer<Vec<VpcEndpoint>> {
        self.read("DescribeVpcEndpoints", |world| {
            Ok(world.reach.endpoints.iter().filter(|endpoint| vpcs.contains(&endpoint.vpc)).cloned().collect())
        })
        .await
    }
}
