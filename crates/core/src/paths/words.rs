//! The paths in words.

use std::cmp::Reverse;

use super::{NewFlows, OpenFlows, Path};

/// So many paths are named in the first sentence.
const NAMED: usize = 2;

/// What the first sentence says of a cut that was seen to hold: it follows the weakest path.
#[must_use]
pub fn sentence(paths: &[Path]) -> String {
    let with = |flows: NewFlows| unique(paths.iter().filter(move |path| path.new_flows == flows).map(name));
    let (open, unknown) = (with(NewFlows::Open), with(NewFlows::Unknown));
    let but = if open.is_empty() { String::new() } else { format!(" but for {}", open.join(" and ")) };
    let but = if unknown.is_empty() { but } else { format!("{but} (not known: {})", unknown.join(", ")) };
    let worst = |most: OpenFlows| paths.iter().filter(move |path| path.open_flows == most);
    let by_address = |path: &&Path| !matches!(path.kind, "icmp" | "other_protocols");
    let go_on: Vec<String> = unique(worst(OpenFlows::MayGoOn).filter(by_address).map(through));
    let icmp = worst(OpenFlows::MayGoOn).any(|path| !by_address(&path));
    let blocked = format!("new network flows are blocked{but}");
    if !go_on.is_empty() {
        let more = go_on.len().saturating_sub(NAMED);
        let named = go_on.into_iter().take(NAMED).collect::<Vec<_>>().join(", ");
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        return format!("{blocked}, open ones MAY GO ON through {named}{more}");
    }
    if worst(OpenFlows::Unknown).next().is_some() {
        return format!("{blocked}, whether open ones go on is not known");
    }
    let icmp = if icmp { " (ICMP and the like may go on)" } else { "" };
    if worst(OpenFlows::ExpectedCut).next().is_some() {
        return format!("{blocked}, open ones are expected to be cut, which AWS does not promise{icmp}");
    }
    if !icmp.is_empty() {
        return format!("{blocked}, open ones are cut{icmp}");
    }
    if unknown.is_empty() { format!("it is cut off{but}") } else { format!("{blocked}, open ones are cut") }
}

fn unique(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut all = Vec::new();
    for name in names {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

fn through(path: &Path) -> String {
    let idle =
        path.at_most_idle_seconds.map_or_else(String::new, |seconds| format!(" (until idle for {})", span(seconds)));
    format!("{}{idle}", named(path))
}

fn name(path: &Path) -> String {
    name_of(path.kind, path.via.as_deref())
}

/// What a path leads through, in words.
#[must_use]
pub fn name_of(kind: &str, via: Option<&str>) -> String {
    match kind {
        "vpc" => "the VPC".to_owned(),
        "dns" => "DNS".to_owned(),
        "forensic_access" => "forensic access".to_owned(),
        "icmp" => "ICMP".to_owned(),
        "nat_gateway" => "the NAT gateway".to_owned(),
        "peering" => "the peering connection".to_owned(),
        "vpc_lattice" => "VPC Lattice".to_owned(),
        "lattice_endpoint" => "endpoints of VPC Lattice".to_owned(),
        "interface_endpoint" => "interface endpoints".to_owned(),
        "lambda" => "Lambda functions in the VPC".to_owned(),
        "global_accelerator" => "Global Accelerator".to_owned(),
        "network_load_balancer" if via.is_none() => "Network Load Balancers in the VPC".to_owned(),
        "network_load_balancer" => "the Network Load Balancer of".to_owned(),
        "gateway_load_balancer" => "the Gateway Load Balancer of".to_owned(),
        "load_balancer" => "the load balancer of".to_owned(),
        "instance_connect_endpoint" => "Instance Connect endpoints".to_owned(),
        "other_protocols" => "other protocols".to_owned(),
        "egress_only_internet_gateway" => "the egress-only internet gateway".to_owned(),
        "unread" => "what was not seen".to_owned(),
        kind => format!("the {}", kind.replace('_', " ")),
    }
}

/// Whole days, hours or minutes where they are whole, else seconds.
#[must_use]
pub fn span(seconds: u32) -> String {
    for (unit, length) in [("days", 86_400), ("hours", 3600), ("minutes", 60)] {
        if seconds >= length * 2 && seconds.is_multiple_of(length) {
            return format!("{} {unit}", seconds / length);
        }
    }
    format!("{seconds} s")
}

/// The lines of the message, the worst first: paths of which the same is to be said share one.
#[must_use]
pub fn lines(paths: &[Path]) -> Vec<String> {
    let mut sorted: Vec<&Path> = paths.iter().collect();
    sorted.sort_by_key(|path| Reverse((path.open_flows, path.new_flows)));
    let mut lines: Vec<(String, Vec<String>, &str)> = Vec::new();
    for path in sorted {
        let state = state(path);
        match lines.iter_mut().find(|(known, _, why)| *known == state && *why == path.why) {
            Some((_, places, _)) => places.push(place(path)),
            None => lines.push((state, vec![place(path)], &path.why)),
        }
    }
    lines.into_iter().map(|(state, places, why)| format!("{state}: {} - {why}", places.join(", "))).collect()
}

fn state(path: &Path) -> String {
    let new = format!("new flows {}", path.new_flows.word());
    let idle = path.at_most_idle_seconds.map_or_else(String::new, |most| format!(" until idle for {}", span(most)));
    match (path.new_flows, path.open_flows) {
        (NewFlows::Blocked, OpenFlows::None) => "blocked".to_owned(),
        (_, OpenFlows::None) => new,
        (_, open) => format!("{new}, open ones {}{idle}", open.word()),
    }
}

fn place(path: &Path) -> String {
    let mut words: Vec<String> = path.interface.iter().map(ToString::to_string).collect();
    words.extend(path.family.map(|family| family.name().to_owned()));
    words.push(named(path));
    words.join(" ")
}

fn named(path: &Path) -> String {
    path.via.as_ref().map_or_else(|| name(path), |via| format!("{} {via}", name(path)))
}
