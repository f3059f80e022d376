//! The paths in words.

use std::cmp::Reverse;

use super::{NewFlows, OpenFlows, Path};

/// So many paths are named in a sentence.
const NAMED: usize = 2;

/// What is left of all paths together: the weakest decides.
struct Outlook {
    /// Paths on which new connections can start.
    open: Vec<String>,
    /// Paths of which that is not known.
    unknown: Vec<String>,
    /// Paths on which existing connections may continue.
    go_on: Vec<String>,
    /// ICMP, or protocols like it, may continue.
    icmp: bool,
    /// The worst that becomes of existing connections, those of ICMP apart.
    existing: OpenFlows,
}

impl Outlook {
    fn of(paths: &[Path]) -> Self {
        let with = |flows: NewFlows| unique(paths.iter().filter(move |path| path.new_flows == flows).map(name));
        let by_address = |path: &&Path| !matches!(path.kind, "icmp" | "other_protocols");
        let may_go_on = || paths.iter().filter(|path| path.open_flows == OpenFlows::MayGoOn);
        Self {
            open: with(NewFlows::Open),
            unknown: with(NewFlows::Unknown),
            go_on: unique(may_go_on().filter(by_address).map(through)),
            icmp: may_go_on().any(|path| !by_address(&path)),
            existing: paths.iter().filter(by_address).map(|path| path.open_flows).max().unwrap_or(OpenFlows::None),
        }
    }

    /// Through which paths existing connections may continue; the first ones are named.
    fn through(&self) -> String {
        let more = self.go_on.len().saturating_sub(NAMED);
        let named = self.go_on.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        if more == 0 { named } else { format!("{named} and {more} more") }
    }

    /// Whether some connections existed of which something must be said.
    fn is_cut_off(&self) -> bool {
        self.existing <= OpenFlows::Cut && !self.icmp && self.unknown.is_empty()
    }
}

/// What the summary says of a cut that was seen to hold: it follows the weakest path.
#[must_use]
pub fn sentence(paths: &[Path]) -> String {
    let outlook = Outlook::of(paths);
    let but = if outlook.open.is_empty() {
        String::new()
    } else {
        format!(", except through {}", outlook.open.join(" and "))
    };
    let but =
        if outlook.unknown.is_empty() { but } else { format!("{but} (not known: {})", outlook.unknown.join(", ")) };
    if outlook.is_cut_off() {
        return format!("it is cut off{but}");
    }
    let existing = match outlook.existing {
        OpenFlows::MayGoOn => {
            return format!(
                "new connections are blocked{but}; existing ones MAY CONTINUE through {}",
                outlook.through()
            );
        }
        OpenFlows::Unknown => "whether existing ones continue is not known",
        OpenFlows::ExpectedCut => "existing ones are expected to drop, which AWS does not guarantee",
        OpenFlows::Cut | OpenFlows::None => "existing ones are cut",
    };
    let icmp = if outlook.icmp { " (ICMP and similar protocols may continue)" } else { "" };
    format!("new connections are blocked{but}; {existing}{icmp}")
}

/// The same as the line of a lane, for a phone's screen.
#[must_use]
pub fn line(paths: &[Path]) -> String {
    if paths.is_empty() {
        return "new connections are blocked".to_owned();
    }
    let outlook = Outlook::of(paths);
    let mut said = vec![match (outlook.open.is_empty(), outlook.is_cut_off()) {
        (true, true) => "cut off".to_owned(),
        (true, false) => "blocked".to_owned(),
        (false, true) => format!("cut off, except through {}", outlook.open.join(" and ")),
        (false, false) => format!("blocked, except through {}", outlook.open.join(" and ")),
    }];
    if !outlook.unknown.is_empty() {
        said.push(format!("not known: {}", outlook.unknown.join(", ")));
    }
    let existing = match outlook.existing {
        OpenFlows::MayGoOn => Some(format!("existing connections MAY CONTINUE through {}", outlook.through())),
        OpenFlows::Unknown => Some("whether existing connections continue is not known".to_owned()),
        OpenFlows::ExpectedCut => Some("existing connections expected to drop (not guaranteed)".to_owned()),
        OpenFlows::Cut => Some("existing connections cut".to_owned()).filter(|_| !outlook.is_cut_off()),
        OpenFlows::None => None,
    };
    let icmp = outlook.icmp.then(|| "ICMP may continue".to_owned());
    let rest: Vec<String> = existing.into_iter().chain(icmp).collect();
    if !rest.is_empty() {
        said.push(rest.join(", "));
    }
    said.join("; ")
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
    let new = format!("new connections {}", path.new_flows.word());
    let idle = path.at_most_idle_seconds.map_or_else(String::new, |most| format!(" until idle for {}", span(most)));
    match (path.new_flows, path.open_flows) {
        (NewFlows::Blocked, OpenFlows::None) => "blocked".to_owned(),
        (_, OpenFlows::None) => new,
        (_, open) => format!("{new}, existing ones {}{idle}", open.phrase()),
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
