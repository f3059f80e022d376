//! What a route, an interface of AWS's, or a load balancer makes of a path. AWS lists what it always tracks in its page on
//! connection tracking; what the list does not name is judged by the rules.

use super::{Family, OpenFlows, Path, Tracking, Ways, weakest};
use crate::model::{
    Interface,
    ids::VpcId,
    reach::{ReachLook, Route},
};

/// The path of a route; none where the interface cannot use it.
pub(super) fn of_route(
    route: &Route,
    family: Family,
    interface: &Interface,
    look: &ReachLook,
) -> Option<(&'static str, Tracking)> {
    let target = route.target.as_str();
    let kind = target.split('-').next().unwrap_or_default();
    Some(match kind {
        // Lattice has a path of its own.
        "local" | "VpcLattice" => return None,
        // Without a public address nothing of IPv4 passes an internet gateway.
        "igw" if family == Family::Ipv4 && interface.public.is_empty() => return None,
        "igw" => ("internet_gateway", Tracking::ByRules),
        "eigw" => ("egress_only_internet_gateway", Tracking::Always("what goes through an egress-only gateway")),
        "nat" => ("nat_gateway", Tracking::Always("what goes through a NAT gateway")),
        "tgw" => (
            "transit_gateway",
            Tracking::Unclear(
                "AWS's former list of what it always tracks names transit gateways, the present one does not",
            ),
        ),
        "vgw" => ("virtual_private_gateway", Tracking::ByRulesUpTo("what lies beyond it was not looked at")),
        "pcx" => ("peering", Tracking::ByRulesUpTo("what lies beyond it was not looked at")),
        "vpce" => endpoint(target, look),
        "lgw" => ("local_gateway", Tracking::ByRules),
        "cagw" => ("carrier_gateway", Tracking::ByRules),
        "eni" | "i" => ("appliance", Tracking::ByRules),
        _ => ("other_route", Tracking::Unclear("AWS does not say whether it tracks what goes this way")),
    })
}

fn endpoint(id: &str, look: &ReachLook) -> (&'static str, Tracking) {
    let Some(endpoint) = look.endpoints.iter().find(|endpoint| endpoint.id == id) else {
        return ("endpoint", Tracking::Unclear("what the endpoint serves was not seen; AWS always tracks some"));
    };
    match endpoint.kind.as_str() {
        "Gateway" if endpoint.service.ends_with(".dynamodb") => {
            ("gateway_endpoint", Tracking::Always("what goes through DynamoDB's gateway endpoint"))
        }
        "Gateway" => ("gateway_endpoint", Tracking::ByRules),
        // Of Network Firewall too: its endpoints are of this kind.
        "GatewayLoadBalancer" => (
            "firewall_endpoint",
            Tracking::Always("what goes through Network Firewall, whose endpoints are of this kind"),
        ),
        _ => ("endpoint", Tracking::Unclear("AWS does not say whether it tracks what goes this way")),
    }
}

/// What is in the VPC with the interface: endpoints, and the interfaces of AWS's services.
pub(super) fn of_neighbours(vpc: &VpcId, look: &ReachLook) -> Vec<(&'static str, Tracking)> {
    let kinds = look.neighbours.get(vpc);
    let has = |kind: &str| kinds.is_some_and(|kinds| kinds.contains(kind));
    let endpoint = |kind: &str| look.endpoints.iter().any(|endpoint| endpoint.vpc == *vpc && endpoint.kind == kind);
    let mut found = Vec::new();
    if endpoint("Interface") {
        found.push(("interface_endpoint", Tracking::Always("what goes to an interface endpoint")));
    }
    if endpoint("ServiceNetwork") || endpoint("Resource") {
        found.push((
            "lattice_endpoint",
            Tracking::Unclear("AWS always tracks what goes to interface endpoints, and does not say it of these"),
        ));
    }
    if look.lattice.contains(vpc) {
        found.push(("vpc_lattice", Tracking::ByRulesUpTo("whether it is a target there was not looked at")));
    }
    if has("network_load_balancer") {
        found.push((
            "network_load_balancer",
            Tracking::AlwaysForUnknownTime("what goes to or from a Network Load Balancer"),
        ));
    }
    if has("lambda") {
        found.push(("lambda", Tracking::Always("what goes to or from Lambda's shared interfaces")));
    }
    if has("global_accelerator_managed") {
        found.push(("global_accelerator", Tracking::Always("what comes through Global Accelerator")));
    }
    if has("ec2_instance_connect_endpoint") {
        found.push(("instance_connect_endpoint", Tracking::ByRules));
    }
    found
}

/// Load balancers that it was taken out of: what came through them goes on where AWS always tracks it.
pub(super) fn of_balancers(ways: &Ways<'_>) -> Vec<Path> {
    let path = |group: &String| {
        let name = group.rsplit(":targetgroup/").next().unwrap_or(group).to_owned();
        let (kind, open_flows, why) = match ways.look.protocols.get(group).map(String::as_str) {
            Some("HTTP" | "HTTPS") => return None,
            Some("GENEVE") => {
                let why = "what a Gateway Load Balancer sends is tracked by AWS's former list of what it always tracks";
                ("gateway_load_balancer", OpenFlows::MayGoOn, why)
            }
            Some(_) => {
                let why = "AWS always tracks what comes through a Network Load Balancer";
                ("network_load_balancer", OpenFlows::MayGoOn, why)
            }
            None => ("load_balancer", OpenFlows::Unknown, "its protocol was not seen"),
        };
        let running = ways.instance.state.has_flows();
        let open_flows = if running { open_flows } else { OpenFlows::None };
        Some(Path {
            kind,
            via: Some(name),
            interface: None,
            family: None,
            new_flows: weakest(ways),
            open_flows,
            // AWS's pages disagree on what bounds flows of these balancers: their own timeouts, or the interface's.
            at_most_idle_seconds: None,
            why: why.to_owned(),
        })
    };
    ways.left.iter().filter_map(path).collect()
}
