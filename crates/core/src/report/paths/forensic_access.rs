//! The path that forensic access leaves open.

use crate::{
    model::{Direction, Rule, ids::VpcId},
    report::paths::{NewFlows, OpenFlows, Path},
};

/// The path that it is, of a group that has these rules.
#[must_use]
pub fn path(vpc: &VpcId, rules: &[Rule]) -> Path {
    let of = |direction| {
        let mut peers: Vec<&str> =
            rules.iter().filter(|rule| rule.direction == direction).map(|rule| rule.peer.as_str()).collect();
        peers.sort_unstable();
        peers.dedup();
        if peers.is_empty() { "nowhere".to_owned() } else { peers.join(", ") }
    };
    Path {
        kind: "forensic_access",
        via: Some(vpc.to_string()),
        interface: None,
        family: None,
        new_flows: NewFlows::Open,
        open_flows: OpenFlows::None,
        at_most_idle_seconds: None,
        why: format!(
            "BRIG_FORENSIC_ACCESS lets SSH and RDP in from {}, and HTTPS out to {}",
            of(Direction::Ingress),
            of(Direction::Egress)
        ),
    }
}
