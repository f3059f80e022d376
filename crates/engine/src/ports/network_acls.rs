//! Network ACLs, and the ranges that AWS publishes.

use std::sync::Arc;

use async_trait::async_trait;
use brig_core::model::network_acl::{AclEntry, NetworkAcl};
use ipnet::IpNet;

use super::PortResult;

/// Which network ACLs to list.
#[derive(Debug, Clone, Copy)]
pub enum AclsOf<'a> {
    /// Those that serve these subnets.
    Subnets(&'a [String]),
    /// Those of these ids; one that is gone is left out.
    Ids(&'a [String]),
}

/// Network ACLs, and the ranges that AWS publishes.
#[async_trait]
pub trait NetworkAcls: Send + Sync {
    /// DescribeNetworkAcls: those of these subnets, or of these ids.
    async fn describe_network_acls(&self, of: AclsOf<'_>) -> PortResult<Vec<NetworkAcl>>;
    /// CreateNetworkAclEntry; `Duplicate` where the number is taken.
    async fn create_network_acl_entry(&self, acl: &str, entry: &AclEntry) -> PortResult<()>;
    /// DeleteNetworkAclEntry; one that is not there is success.
    async fn delete_network_acl_entry(&self, acl: &str, number: i32, egress: bool) -> PortResult<()>;
    /// AWS's published address ranges, of its own list or a mirror of it.
    async fn published_ranges(&self) -> PortResult<Arc<[IpNet]>>;
}
