//! The setting BRIG_FORENSIC_ACCESS: who may reach an isolated instance to examine it.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::model::{Direction, Rule, network_acl};

/// SSH and RDP.
pub(crate) const IN: [i32; 2] = [22, 3389];

/// HTTPS.
pub(crate) const OUT: i32 = 443;

/// A group of AWS's has 60 rules a way at most.
const MOST_RANGES: usize = 25;

/// `BRIG_FORENSIC_ACCESS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForensicAccess {
    /// From these addresses.
    Ranges(Vec<IpNet>),
    /// From what carries the group of this name in the same VPC.
    Group(String),
}

impl ForensicAccess {
    /// Reads the setting: CIDR blocks, or one name. Everybody is nobody that may be let in.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let words: Vec<&str> = text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
        let nets: Vec<IpNet> = words.iter().filter_map(|word| network_acl::net(word)).collect();
        if words.iter().any(|word| word.parse::<IpAddr>().is_ok()) {
            return Err(
                "a list of CIDR blocks: an address needs its prefix length (one IPv4 address is /32, one IPv6 address /128)",
            );
        }
        match (words.as_slice(), nets.len()) {
            (_, count) if nets.iter().any(is_too_wide) || count > MOST_RANGES => {
                Err("a list of at most 25 CIDR blocks, none wider than /8 (IPv6: /16), or the name of a security group")
            }
            (words, count) if count == words.len() && count > 0 => Ok(Self::Ranges(nets)),
            ([name], 0) if is_group_name(name) => Ok(Self::Group((*name).to_owned())),
            _ => Err("a list of CIDR blocks, or the name of one security group"),
        }
    }

    /// Whether a rule of an isolation group may be one of these: what is judged before it is known what they are.
    #[must_use]
    pub fn may_be(&self, rule: &Rule) -> bool {
        let port = rule.ports.filter(|(from, to)| from == to && rule.protocol == "tcp").map(|(from, _)| from);
        let Some(port) = port else { return false };
        match rule.direction {
            Direction::Ingress => {
                IN.contains(&port)
                    && match self {
                        Self::Ranges(nets) => nets.iter().any(|net| net.to_string() == rule.peer),
                        Self::Group(_) => rule.peer.starts_with("sg-"),
                    }
            }
            Direction::Egress => {
                let host = |net: IpNet| net.prefix_len() == net.max_prefix_len();
                port == OUT && rule.peer.parse::<IpNet>().is_ok_and(host)
            }
        }
    }
}

/// Everybody, in one piece or in a few.
fn is_too_wide(net: &IpNet) -> bool {
    net.prefix_len() < if net.addr().is_ipv6() { 16 } else { 8 }
}

fn is_group_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#@[]+=&;{}!$*".contains(c);
    // A mistyped block is no name, an id is not known in every VPC, and Brig's own groups let nobody in.
    let digits = |c: char| c.is_ascii_hexdigit() || ".:/".contains(c);
    let is_other = (name.contains('/') && name.starts_with(|c: char| c.is_ascii_digit()))
        || (name.chars().all(digits) && name.contains(['.', ':']));
    name.len() <= 255
        && name.chars().all(fits)
        && !is_other
        && !["sg-", "brig-"].iter().any(|own| name.starts_with(own))
}
