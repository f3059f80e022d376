//! Network ACLs, and the ranges that AWS publishes.

use std::sync::Arc;

use async_trait::async_trait;
use brig_core::{
    model::network_acl::{AclEntry, MOST_RULES, NetworkAcl},
    release::Reversal,
    step::{AllowInNetworkAcl, DenyInNetworkAcl, Step},
};
use brig_engine::ports::{AclsOf, ErrorKind, NetworkAcls, PortResult};
use ipnet::IpNet;

use super::{SimCloud, back, not_found, refused};

#[async_trait]
impl NetworkAcls for SimCloud {
    async fn describe_network_acls(&self, of: AclsOf<'_>) -> PortResult<Vec<NetworkAcl>> {
        self.read("DescribeNetworkAcls", |world| {
            let meant = |acl: &&NetworkAcl| match of {
                AclsOf::Subnets(subnets) => acl.subnets.iter().any(|subnet| subnets.contains(subnet)),
                AclsOf::Ids(ids) => ids.contains(&acl.id),
            };
            Ok(world.acls.values().filter(meant).cloned().collect())
        })
        .await
    }

    async fn create_network_acl_entry(&self, id: &str, entry: &AclEntry) -> PortResult<()> {
        const OPERATION: &str = "CreateNetworkAclEntry";
        let intended = |step: &Step| match step {
            Step::DenyInNetworkAcl(DenyInNetworkAcl { acl, .. }) => acl == id,
            step => back(
                step,
                |back| matches!(back, Reversal::AllowInNetworkAcl(AllowInNetworkAcl { acl, .. }) if acl == id),
            ),
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

    async fn delete_network_acl_entry(&self, id: &str, number: i32, egress: bool) -> PortResult<()> {
        let intended = |step: &Step| {
            back(step, |back| matches!(back, Reversal::AllowInNetworkAcl(AllowInNetworkAcl { acl, .. }) if acl == id))
        };
        self.write("DeleteNetworkAclEntry", intended, |state| {
            if let Some(acl) = state.world.acls.get_mut(id) {
                acl.entries.retain(|entry| entry.egress != egress || entry.number != number);
            }
            Ok(())
        })
        .await
    }

    async fn published_ranges(&self) -> PortResult<Arc<[IpNet]>> {
        self.read("GetPublishedRanges", |world| Ok(world.published.clone().into())).await
    }
}
