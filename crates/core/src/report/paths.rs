//! What is left of each path after the cut: whether new flows can start, and what becomes of those that were open. AWS
//! tracks flows, and a tracked one goes on whatever the rules say until it idles out
//! (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html>).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize, Serializer};

use crate::{
    model::{
        Instance, Interface, Timeouts,
        ids::{EniId, GroupId, VpcId},
        reach::{ReachLook, Route, RouteTable},
    },
    report::fact::Truth,
};

pub mod forensic_access;
mod rules;
mod targets;
mod words;

pub use words::{line, lines, name_of, sentence, span};

/// For so many seconds AWS takes packets of other protocols for an answer.
const OTHER_PROTOCOLS: u32 = 600;
const NOT_RUNNING: &str = "the instance is not running, so it has no connections";

/// An address family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    Ipv4,
    Ipv6,
}

impl Family {
    /// The name that people use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
        }
    }

    fn any(self) -> &'static str {
        match self {
            Self::Ipv4 => "0.0.0.0/0",
            Self::Ipv6 => "::/0",
        }
    }
}

/// Whether a flow can start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(from = "String")]
pub enum NewFlows {
    /// None can.
    Blocked,
    /// It was not seen; or a word that this version does not know.
    #[default]
    Unknown,
    /// No group of ours closes it.
    Open,
}

impl NewFlows {
    /// The word in the verdict.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Unknown => "unknown",
            Self::Open => "open",
        }
    }
}

/// What becomes of flows that were open, from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(from = "String")]
pub enum OpenFlows {
    /// There was none.
    None,
    /// They were untracked before, and end with the rule that allowed them.
    Cut,
    /// They were made untracked for the window. AWS advises that and does not promise that it works.
    ExpectedCut,
    /// It was not seen; or a word that this version does not know.
    #[default]
    Unknown,
    /// They are tracked, and go on until they idle out.
    MayGoOn,
}

impl OpenFlows {
    /// The word in the verdict.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Cut => "cut",
            Self::ExpectedCut => "expected cut",
            Self::Unknown => "unknown",
            Self::MayGoOn => "may go on",
        }
    }

    /// What people read of it.
    fn phrase(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Cut => "cut",
            Self::ExpectedCut => "expected to drop",
            Self::Unknown => "unknown",
            Self::MayGoOn => "MAY CONTINUE",
        }
    }
}

impl From<String> for NewFlows {
    fn from(word: String) -> Self {
        [Self::Blocked, Self::Open].into_iter().find(|flows| flows.word() == word).unwrap_or_default()
    }
}

impl From<String> for OpenFlows {
    fn from(word: String) -> Self {
        let all = [Self::None, Self::Cut, Self::ExpectedCut, Self::MayGoOn];
        all.into_iter().find(|flows| flows.word() == word).unwrap_or_default()
    }
}

impl Serialize for NewFlows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl Serialize for OpenFlows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// One way to or from the instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Path {
    /// What it leads through: `nat_gateway`, `internet_gateway`, `vpc`, `icmp`, `dns`.
    pub kind: &'static str,
    /// The gateway or endpoint, where it has an id.
    pub via: Option<String>,
    /// The interface; none where the path needs none.
    pub interface: Option<EniId>,
    /// The address family, where the path has one.
    pub family: Option<Family>,
    /// Whether a flow can start.
    pub new_flows: NewFlows,
    /// What becomes of those that were open.
    pub open_flows: OpenFlows,
    /// For how many seconds without traffic such a flow is remembered at most, where it may go on.
    pub at_most_idle_seconds: Option<u32>,
    /// Why, for a person.
    pub why: String,
}

/// What is known of an interface apart from the look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InterfaceHistory {
    /// The groups that it had before; none where that is unknown.
    pub was: Option<Vec<GroupId>>,
    /// It was opened for the untrack window, after it was isolated for the last time.
    pub untracked: bool,
    /// It is not known that it was never opened.
    pub may_have_been_open: bool,
    /// Its own idle timeouts before they were shortened, where they were.
    pub shortened: Option<Timeouts>,
    /// Whether it is seen to be isolated.
    pub isolated: Option<Truth>,
}

/// What the paths are judged from.
#[derive(Debug, Clone)]
pub struct Ways<'a> {
    pub instance: &'a Instance,
    /// Its interfaces as they were last seen.
    pub interfaces: &'a [Interface],
    /// What was done to each.
    pub treated: &'a BTreeMap<EniId, InterfaceHistory>,
    /// The target groups that it was taken out of.
    pub left: &'a BTreeSet<String>,
    /// What was seen of its surroundings.
    pub look: &'a ReachLook,
}

/// Whether AWS tracks the flows of a path whatever the rules say.
enum Tracking {
    /// It does not: the rules decide.
    ByRules,
    /// The same, as far as was looked.
    ByRulesUpTo(&'static str),
    /// It does, for this reason.
    Always(&'static str),
    /// It does, and its pages disagree on how long it remembers them.
    AlwaysForUnknownTime(&'static str),
    /// Its pages do not say.
    Unclear(&'static str),
}

/// Judges every path.
#[must_use]
pub fn judge(ways: &Ways<'_>) -> Vec<Path> {
    let mut paths = Vec::new();
    for interface in ways.interfaces {
        of_interface(ways, interface, &mut paths);
    }
    paths.extend(targets::of_balancers(ways));
    paths.extend(of_dns(ways));
    paths.push(serial_console(ways));
    paths.extend(
        ways.look.gaps.iter().map(|gap| unread(ways, None, format!("{} could not be read: {}", gap.what, gap.error))),
    );
    paths
}

fn unread(ways: &Ways<'_>, interface: Option<&Interface>, why: String) -> Path {
    let new_flows = interface.map_or_else(|| weakest(ways), |interface| new_flows(&treated(ways, interface)));
    Path {
        kind: "unread",
        via: None,
        interface: interface.map(|interface| interface.id.clone()),
        family: None,
        new_flows,
        open_flows: OpenFlows::Unknown,
        at_most_idle_seconds: None,
        why,
    }
}

fn of_interface(ways: &Ways<'_>, interface: &Interface, paths: &mut Vec<Path>) {
    let look = ways.look;
    let table = table_of(look, interface);
    if table.is_none() && look.gaps.is_empty() {
        paths.push(unread(ways, Some(interface), "no route table of its subnet was seen".to_owned()));
    }
    let has_branch = ways.interfaces.iter().any(|other| other.kind == "branch");
    if interface.kind == "trunk" && !has_branch {
        let why = "it is a trunk: branches are known by the tag of Amazon EKS, and those of ECS tasks are not seen";
        paths.push(unread(ways, Some(interface), why.to_owned()));
    }
    for family in families(interface) {
        let mut seen = BTreeSet::new();
        let mut add = |kind: &'static str, via: Option<&str>, tracking: &Tracking| {
            if seen.insert((kind, via.map(str::to_owned))) {
                paths.push(one(ways, interface, *family, kind, via, tracking));
            }
        };
        add("vpc", Some(interface.vpc.as_str()), &Tracking::ByRules);
        let routes = table.iter().flat_map(|table| &table.routes);
        for route in routes.filter(|route| fits(route, *family)) {
            if let Some((kind, tracking)) = targets::of_route(route, *family, interface, look) {
                add(kind, Some(&route.target), &tracking);
            }
        }
        if interface.kind.starts_with("efa") {
            let why = "what bypasses the operating system: AWS does not say whether groups end it";
            add("elastic_fabric_adapter", None, &Tracking::Unclear(why));
        }
        for (kind, tracking) in targets::of_neighbours(&interface.vpc, look) {
            add(kind, None, &tracking);
        }
    }
    paths.extend(beside_tcp_and_udp(ways, interface));
}

/// An interface without an address was not shown whole: it counts as one of IPv4.
fn families(interface: &Interface) -> &'static [Family] {
    let has = |v6: bool| {
        interface.addresses.iter().any(|address| address.is_ipv6() == v6)
            || interface.prefixes.iter().any(|prefix| prefix.contains(':') == v6)
    };
    match (has(false), has(true)) {
        (true, true) => &[Family::Ipv4, Family::Ipv6],
        (false, true) => &[Family::Ipv6],
        (_, false) => &[Family::Ipv4],
    }
}

/// The route table of the interface's subnet: its own, else the VPC's main one.
fn table_of<'a>(look: &'a ReachLook, interface: &Interface) -> Option<&'a RouteTable> {
    let of_vpc = || look.tables.iter().filter(|table| table.vpc == interface.vpc);
    let own = of_vpc().find(|table| table.subnets.contains(&interface.subnet));
    own.or_else(|| of_vpc().find(|table| table.main))
}

/// A prefix list may hold addresses of either family.
fn fits(route: &Route, family: Family) -> bool {
    let v6 = route.destination.contains(':');
    route.destination.starts_with("pl-") || v6 == (family == Family::Ipv6)
}

fn one(
    ways: &Ways<'_>,
    interface: &Interface,
    family: Family,
    kind: &'static str,
    via: Option<&str>,
    tracking: &Tracking,
) -> Path {
    let treated = treated(ways, interface);
    let (open_flows, why) = if ways.instance.state.has_flows() {
        match tracking {
            Tracking::Always(why) | Tracking::AlwaysForUnknownTime(why) => {
                (OpenFlows::MayGoOn, format!("AWS always tracks {why}"))
            }
            Tracking::Unclear(why) => (OpenFlows::MayGoOn, (*why).to_owned()),
            Tracking::ByRules => rules::judge(&treated, family, ways.look),
            Tracking::ByRulesUpTo(limit) => {
                let (open_flows, why) = rules::judge(&treated, family, ways.look);
                (open_flows, format!("{why}; {limit}"))
            }
        }
    } else {
        (OpenFlows::None, NOT_RUNNING.to_owned())
    };
    let goes_on = open_flows == OpenFlows::MayGoOn;
    let own = treated.shortened.unwrap_or(interface.timeouts);
    let new_flows = new_flows(&treated);
    // Where new ones can start, nothing bounds it.
    let bounded = goes_on && new_flows != NewFlows::Open;
    let idle =
        longest(own, ways.look.defaults).filter(|_| bounded && !matches!(tracking, Tracking::AlwaysForUnknownTime(_)));
    let why = if bounded && treated.shortened.is_some() {
        format!(
            "{why}; its idle timeouts have since been set to their minimum, and AWS does not say whether that applies to connections already tracked"
        )
    } else {
        why
    };
    Path {
        kind,
        via: via.map(str::to_owned),
        interface: Some(interface.id.clone()),
        family: Some(family),
        new_flows,
        open_flows,
        at_most_idle_seconds: idle,
        why,
    }
}

/// ICMP is always tracked, other protocols by address and number: no group makes them untracked.
fn beside_tcp_and_udp(ways: &Ways<'_>, interface: &Interface) -> [Path; 2] {
    let treated = treated(ways, interface);
    let (icmp, others) = rules::allowed_beside(&treated, ways.look);
    let new_flows = new_flows(&treated);
    let path = |kind, allowed, idle: Option<u32>, why: &str| {
        let (open_flows, why) = match (ways.instance.state.has_flows(), allowed) {
            (false, _) => (OpenFlows::None, NOT_RUNNING),
            (true, false) => (OpenFlows::None, "its groups before did not allow it"),
            (true, true) => (OpenFlows::MayGoOn, why),
        };
        Path {
            kind,
            via: None,
            interface: Some(interface.id.clone()),
            family: None,
            new_flows,
            open_flows,
            at_most_idle_seconds: idle.filter(|_| open_flows == OpenFlows::MayGoOn && new_flows != NewFlows::Open),
            why: why.to_owned(),
        }
    };
    [
        path("icmp", icmp, None, "AWS always tracks it, and does not say for how long"),
        path(
            "other_protocols",
            others,
            Some(OTHER_PROTOCOLS),
            "AWS tracks them by address and protocol: until then even the other side may start again",
        ),
    ]
}

fn treated(ways: &Ways<'_>, interface: &Interface) -> InterfaceHistory {
    ways.treated.get(&interface.id).cloned().unwrap_or_default()
}

fn new_flows(treated: &InterfaceHistory) -> NewFlows {
    match treated.isolated {
        Some(Truth::Yes) => NewFlows::Blocked,
        Some(Truth::No | Truth::Partial) => NewFlows::Open,
        Some(Truth::Unknown) | None => NewFlows::Unknown,
    }
}

/// Of what leads to the instance by any interface.
fn weakest(ways: &Ways<'_>) -> NewFlows {
    let all = ways.interfaces.iter().map(|interface| new_flows(&treated(ways, interface)));
    all.max().unwrap_or(NewFlows::Blocked)
}

fn longest(own: Timeouts, defaults: Timeouts) -> Option<u32> {
    let all = own.or(defaults).or(Timeouts::USUAL);
    [all.tcp_established, all.udp_stream, all.udp].into_iter().flatten().max()
}

/// No security group filters what goes to the VPC's resolver
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html>).
fn of_dns(ways: &Ways<'_>) -> Vec<Path> {
    let vpcs: BTreeSet<&VpcId> = ways.interfaces.iter().map(|interface| &interface.vpc).collect();
    let running = ways.instance.state.has_flows();
    let path = |vpc: &VpcId| {
        let firewall = match ways.look.dns_firewalls.get(vpc) {
            Some(0) => "no DNS firewall is associated with the VPC".to_owned(),
            Some(count) => format!("{count} DNS firewall rule group(s) are associated with the VPC"),
            None => "whether a DNS firewall is associated with the VPC could not be read".to_owned(),
        };
        let open =
            "no security group filters DNS to the VPC's resolver, nor DHCP, the time service and Windows activation";
        let once = if running { "" } else { "once it runs: " };
        Path {
            kind: "dns",
            via: Some(vpc.to_string()),
            interface: None,
            family: None,
            new_flows: if running { NewFlows::Open } else { NewFlows::Blocked },
            open_flows: OpenFlows::None,
            at_most_idle_seconds: None,
            why: format!("{once}{open}; {firewall}"),
        }
    };
    vpcs.into_iter().map(path).collect()
}

/// The serial console needs no network
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-serial-console.html>).
fn serial_console(ways: &Ways<'_>) -> Path {
    let (new_flows, why) = match ways.look.serial_console {
        Some(true) => (
            NewFlows::Open,
            "it needs no network, and the account may use it in this Region; a session that is open is not seen",
        ),
        Some(false) => (NewFlows::Blocked, "the account does not use it in this Region"),
        None => (NewFlows::Unknown, "it needs no network; whether the account may use it could not be read"),
    };
    Path {
        kind: "serial_console",
        via: None,
        interface: None,
        family: None,
        new_flows,
        open_flows: OpenFlows::None,
        at_most_idle_seconds: None,
        why: why.to_owned(),
    }
}

#[cfg(test)]
mod tests;
