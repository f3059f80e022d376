//! Network interfaces, their public addresses and idle timeouts.

use std::{collections::BTreeSet, fmt, net::IpAddr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::model::{
    ids::{EniId, GroupId, VpcId},
    timestamp::Timestamp,
};

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    pub id: EniId,
    /// Its VPC; an instance's interfaces may lie in several.
    pub vpc: VpcId,
    /// The groups on it, in AWS's order.
    pub groups: Vec<GroupId>,
    /// Every private IPv4 and IPv6 address on it.
    pub addresses: Vec<std::net::IpAddr>,
    /// IPv4 and IPv6 prefixes delegated to it, as CIDR blocks.
    pub prefixes: Vec<String>,
    pub subnet: String,
    /// Its public IPv4 addresses.
    pub public: Vec<PublicAddress>,
    /// `interface`, `efa`, `trunk`, `branch` and what else AWS has.
    pub kind: String,
    /// Its own idle timeouts; none where they are not set.
    pub timeouts: Timeouts,
}

impl Timeouts {
    /// The least that AWS takes.
    pub const LEAST: Self = Self { tcp_established: Some(60), udp_stream: Some(60), udp: Some(30) };
    /// What holds where neither the interface nor its type says otherwise.
    pub const USUAL: Self = Self { tcp_established: Some(432_000), udp_stream: Some(180), udp: Some(30) };

    /// These, and others where these are not set.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            tcp_established: self.tcp_established.or(others.tcp_established),
            udp_stream: self.udp_stream.or(others.udp_stream),
            udp: self.udp.or(others.udp),
        }
    }
}

/// The VPCs that interfaces lie in, each once.
#[must_use]
pub fn vpcs_of(interfaces: &[Interface]) -> Vec<VpcId> {
    let vpcs: BTreeSet<&VpcId> = interfaces.iter().map(|interface| &interface.vpc).collect();
    vpcs.into_iter().cloned().collect()
}

/// A public IPv4 address of an interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicAddress {
    pub address: std::net::Ipv4Addr,
    /// The private address that it stands for.
    pub private: Option<std::net::Ipv4Addr>,
    /// AWS assigned it: given up, it does not come back.
    pub assigned: bool,
    /// An elastic address's `eipalloc-1` and `eipassoc-1`, which DescribeNetworkInterfaces alone shows.
    pub elastic: Option<(String, String)>,
}

/// After how many idle seconds a tracked flow is forgotten
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html>).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeouts {
    /// An established TCP connection; 60 to 432,000.
    pub tcp_established: Option<u32>,
    /// UDP that more than one request and answer were seen of; 60 to 180.
    pub udp_stream: Option<u32>,
    /// Other UDP; 30 to 60.
    pub udp: Option<u32>,
}

impl Interface {
    /// Whether it has an address itself, or within a prefix delegated to it.
    #[must_use]
    pub fn has_address(&self, id: &str) -> bool {
        id.parse::<IpAddr>().is_ok_and(|address| {
            self.addresses.contains(&address)
                || self
                    .prefixes
                    .iter()
                    .any(|prefix| prefix.parse::<IpNet>().is_ok_and(|prefix| prefix.contains(&address)))
        })
    }
}

/// An interface that was found open to the world, and since when it may have been so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure {
    /// The interface.
    pub eni: EniId,
    /// The earliest time, where the ledger knows one.
    pub since: Option<Timestamp>,
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.since.map_or_else(|| "an unknown time".to_owned(), |since| since.to_string());
        write!(
            f,
            "{} was OPEN TO THE WORLD since {since} at the earliest; it is isolated before everything else",
            self.eni
        )
    }
}
