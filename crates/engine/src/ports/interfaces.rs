//! EC2 network interfaces: their groups, idle timeouts and addresses.

use std::net::{IpAddr, Ipv4Addr};

use async_trait::async_trait;
use brig_core::model::{
    Interface, Timeouts,
    ids::{EniId, GroupId, InstanceId},
    timestamp::Timestamp,
};

use super::PortResult;

/// Which interfaces to list.
#[derive(Debug, Clone, Copy)]
pub enum InterfacesOf<'a> {
    /// The branches of a trunk interface, which belong to pods: by the tag that the controller of Amazon EKS puts on them
    /// (<https://docs.aws.amazon.com/eks/latest/userguide/security-groups-for-pods.html>).
    Trunk(&'a EniId),
    /// Those attached to an instance.
    Instance(&'a InstanceId),
    /// Those attached to any of these instances. One that is gone has none.
    Instances(&'a [InstanceId]),
    /// Those of these ids.
    Ids(&'a [EniId]),
    /// Those that carry a group.
    Group(&'a GroupId),
    /// Those that have a private, public, elastic or IPv6 address.
    Address(IpAddr),
}

/// An interface and the instance it is attached to.
#[derive(Debug, Clone)]
pub struct Attached {
    pub interface: Interface,
    pub instance: Option<String>,
    /// Since when.
    pub attached_at: Option<Timestamp>,
}

/// EC2 network interfaces: their groups, idle timeouts and addresses.
#[async_trait]
pub trait Interfaces: Send + Sync {
    /// DescribeNetworkInterfaces.
    async fn describe_network_interfaces(&self, of: InterfacesOf<'_>) -> PortResult<Vec<Attached>>;
    /// ModifyNetworkInterfaceAttribute: replaces the interface's groups.
    async fn modify_network_interface_groups(&self, eni: &EniId, groups: &[GroupId]) -> PortResult<()>;
    /// ModifyNetworkInterfaceAttribute: the interface's idle timeouts of connection tracking.
    async fn modify_network_interface_timeouts(&self, eni: &EniId, timeouts: &Timeouts) -> PortResult<()>;
    /// ModifyNetworkInterfaceAttribute: the interface gives up the public address that AWS assigned.
    async fn unassign_public_address(&self, eni: &EniId) -> PortResult<()>;
    /// DisassociateAddress of an elastic address.
    async fn disassociate_address(&self, association: &str) -> PortResult<()>;
    /// AssociateAddress; an address that is associated elsewhere is not taken from there.
    async fn associate_address(&self, eni: &EniId, allocation: &str, private: Option<Ipv4Addr>) -> PortResult<()>;
}
