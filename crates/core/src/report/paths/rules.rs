//! Which flows were tracked, by the rules that an interface had before.

use super::{Family, InterfaceHistory, NewFlows, OpenFlows, new_flows};
use crate::model::{Direction, Rule, SecurityGroup, ids::GroupId, reach::ReachLook};

/// What becomes of TCP and UDP flows that no gateway tracks by itself.
pub(super) fn judge(treated: &InterfaceHistory, family: Family, look: &ReachLook) -> (OpenFlows, String) {
    match new_flows(treated) {
        NewFlows::Blocked => {}
        NewFlows::Unknown => return (OpenFlows::Unknown, "whether it is isolated was not seen".to_owned()),
        NewFlows::Open => {
            return (
                OpenFlows::MayGoOn,
                "it is not isolated: existing connections continue and new ones can start".to_owned(),
            );
        }
    }
    if all_untracked(treated, family, look) {
        let why = format!(
            "its groups allow all {} traffic both ways, so connections that started under these rules were not tracked; what rules there were before is not known",
            family.name()
        );
        return (OpenFlows::Cut, why);
    }
    if treated.untracked {
        let why = "it was opened for the untrack window, as AWS's runbook does; AWS does not guarantee that a tracked connection ends";
        return (OpenFlows::ExpectedCut, why.to_owned());
    }
    (OpenFlows::MayGoOn, "it was tracked, and no untrack window was opened".to_owned())
}

/// A flow is untracked where a rule allows it from or to everywhere and one allows all answers the other way. Where both
/// ways allow everything, no TCP or UDP flow is tracked.
fn all_untracked(treated: &InterfaceHistory, family: Family, look: &ReachLook) -> bool {
    let Some(groups) = groups(treated, look) else { return false };
    let open = |direction: Direction| {
        let allows = |protocol: &str, rule: &Rule| {
            let all_ports = rule.ports.is_none_or(|(from, to)| from <= 0 && to >= 65_535);
            let same = rule.protocol == "-1" || (rule.protocol == protocol && all_ports);
            rule.direction == direction && rule.peer == family.any() && same
        };
        let rules = || groups.iter().flat_map(|group| &group.rules);
        ["tcp", "udp"].iter().all(|protocol| rules().any(|rule| allows(protocol, rule)))
    };
    open(Direction::Ingress) && open(Direction::Egress)
}

/// Whether ICMP, and whether anything but it, TCP and UDP was allowed, by its groups or in the window; what is unknown counts
/// as allowed.
pub(super) fn allowed_beside(treated: &InterfaceHistory, look: &ReachLook) -> (bool, bool) {
    if treated.untracked || treated.may_have_been_open {
        return (true, true);
    }
    let Some(groups) = groups(treated, look) else { return (true, true) };
    let any = |of: fn(&str) -> bool| groups.iter().flat_map(|group| &group.rules).any(|rule| of(&rule.protocol));
    let icmp = |protocol: &str| matches!(protocol, "-1" | "icmp" | "icmpv6" | "1" | "58");
    let others = |protocol: &str| !matches!(protocol, "tcp" | "udp" | "6" | "17" | "icmp" | "icmpv6" | "1" | "58");
    (any(icmp), any(others))
}

/// The groups before; none where one of them is unknown.
fn groups<'a>(treated: &InterfaceHistory, look: &'a ReachLook) -> Option<Vec<&'a SecurityGroup>> {
    let find = |id: &GroupId| look.groups.iter().find(|group| group.id == *id);
    treated.was.as_ref()?.iter().map(find).collect()
}
