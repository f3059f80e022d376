//! How an instance reaches others, as far as it was seen. Plain values, which [`crate::report::paths`] judges.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    FlowLog, Interface, SecurityGroup, Timeouts,
    gap::Gap,
    ids::{EniId, VpcId},
};

/// The survey of the ways to and from an instance. It is taken while the cut is made, and nothing waits for it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReachLook {
    /// The groups that the interfaces had before, with their rules.
    pub groups: Vec<SecurityGroup>,
    /// The route tables of the interfaces' VPCs.
    pub tables: Vec<RouteTable>,
    /// The endpoints in these VPCs.
    pub endpoints: Vec<VpcEndpoint>,
    /// Interfaces of AWS's services in these VPCs, by kind (`lambda`, `network_load_balancer`).
    pub neighbours: BTreeMap<VpcId, BTreeSet<String>>,
    /// Whether the account may use the EC2 serial console in this Region.
    pub serial_console: Option<bool>,
    /// How many DNS firewall rule groups are associated with each VPC.
    pub dns_firewalls: BTreeMap<VpcId, usize>,
    /// VPCs that are associated with a service network of VPC Lattice.
    pub lattice: BTreeSet<VpcId>,
    /// Idle timeouts that the instance's type has where the interface sets none.
    pub defaults: Timeouts,
    /// Protocols of target groups, by ARN.
    pub protocols: BTreeMap<String, String>,
    /// The active flow logs; none where that was not seen.
    pub flow_logs: Option<Vec<FlowLog>>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

impl ReachLook {
    /// What of the interfaces no flow log watches, where it was seen: nothing will prove the cut there.
    #[must_use]
    pub fn unwatched(&self, interfaces: &[Interface]) -> Option<Vec<EniId>> {
        let logs = self.flow_logs.as_ref()?;
        let bare = interfaces.iter().filter(|interface| !logs.iter().any(|log| log.watches(interface)));
        let bare: Vec<EniId> = bare.map(|interface| interface.id.clone()).collect();
        (!bare.is_empty()).then_some(bare)
    }
}

/// A route table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteTable {
    pub vpc: VpcId,
    /// The account that owns it, where that was shown.
    pub owner: Option<String>,
    /// Subnets without a table of their own use it.
    pub main: bool,
    /// The subnets that use it.
    pub subnets: Vec<String>,
    /// Its routes; those whose target is gone are left out.
    pub routes: Vec<Route>,
}

/// A route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// A CIDR block or a prefix list.
    pub destination: String,
    /// What it leads to: `local`, `igw-1`, `nat-1`.
    pub target: String,
}

/// A VPC endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VpcEndpoint {
    /// `vpce-1`.
    pub id: String,
    pub vpc: VpcId,
    /// `Interface`, `Gateway`, `GatewayLoadBalancer`, `Resource`, `ServiceNetwork`.
    pub kind: String,
    /// `com.amazonaws.us-east-1.dynamodb`.
    pub service: String,
}
