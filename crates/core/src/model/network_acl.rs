//! Network ACLs, and which addresses may be denied in them. An ACL keeps no state, so its rules act on flows that go on as
//! well; and it serves whole subnets, so that everyone in them loses the address
//! (<https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html>).

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use serde::Deserialize;

use crate::model::reach::RouteTable;

/// Rules of one address family and one way that a network ACL may have where nobody raised the quota, AWS's own last one
/// included (<https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html>).
pub const MOST_RULES: usize = 20;
/// Rules that people make have numbers up to this one.
pub const LAST_NUMBER: i32 = 32_766;

/// A network ACL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkAcl {
    /// `acl-1`.
    pub id: String,
    /// The account that owns it, where that was shown.
    pub owner: Option<String>,
    /// Every subnet that it serves.
    pub subnets: Vec<String>,
    /// Its rules, AWS's own last ones included.
    pub entries: Vec<AclEntry>,
}

/// A rule of a network ACL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AclEntry {
    /// Rules are tried in the order of their numbers; each way has its own.
    pub number: i32,
    /// From the subnets, or to them.
    pub egress: bool,
    /// `allow`, or `deny`.
    pub allow: bool,
    /// `-1` for all protocols, else a number.
    pub protocol: String,
    /// The other side.
    pub cidr: IpNet,
}

impl AclEntry {
    /// The rule that denies one address.
    #[must_use]
    pub fn denying(address: IpAddr, number: i32, egress: bool) -> Self {
        Self { number, egress, allow: false, protocol: "-1".to_owned(), cidr: IpNet::from(address) }
    }
}

impl NetworkAcl {
    /// Whether it has exactly this rule.
    #[must_use]
    pub fn has(&self, entry: &AclEntry) -> bool {
        self.entries.contains(entry)
    }

    /// The lowest number of a rule of this way that lets something through.
    #[must_use]
    pub fn first_allow(&self, egress: bool) -> i32 {
        let allows = self.entries.iter().filter(|entry| entry.egress == egress && entry.allow);
        allows.map(|entry| entry.number).min().unwrap_or(LAST_NUMBER + 1)
    }
}

/// A containment's share in a rule, as the ledger's set of the ACL holds it. The last one to leave takes the rule away.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Denial {
    /// The ARN of the contained instance.
    pub instance: String,
    pub address: IpAddr,
    /// The number of the rule for what comes in.
    pub ingress: i32,
    /// The number of the rule for what goes out.
    pub egress: i32,
}

impl Denial {
    /// Its two rules.
    #[must_use]
    pub fn entries(&self) -> [AclEntry; 2] {
        [AclEntry::denying(self.address, self.ingress, false), AclEntry::denying(self.address, self.egress, true)]
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.instance, self.address, self.ingress, self.egress)
    }
}

impl FromStr for Denial {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split(' ');
        let mut part = || parts.next().ok_or(());
        let instance = part()?.to_owned();
        let address = part()?.parse().map_err(drop)?;
        let (ingress, egress) = (part()?.parse().map_err(drop)?, part()?.parse().map_err(drop)?);
        Ok(Self { instance, address, ingress, egress })
    }
}

/// A CIDR block, or an address, which is a block by itself.
#[must_use]
pub fn net(text: &str) -> Option<IpNet> {
    let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse::<IpNet>().ok().or_else(address).map(|net| net.trunc())
}

/// AWS's published address ranges, from the text of `ip-ranges.json`. A list with a part missing is no list: an address would be
/// taken for a stranger's that is not
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/aws-ip-syntax.html>).
pub fn published(text: &[u8]) -> Result<Vec<IpNet>, String> {
    #[derive(Deserialize)]
    struct File {
        prefixes: Vec<V4>,
        ipv6_prefixes: Vec<V6>,
    }
    #[derive(Deserialize)]
    struct V4 {
        ip_prefix: IpNet,
    }
    #[derive(Deserialize)]
    struct V6 {
        ipv6_prefix: IpNet,
    }
    let file: File = serde_json::from_slice(text).map_err(|error| format!("it is not AWS's list: {error}"))?;
    if file.prefixes.is_empty() || file.ipv6_prefixes.is_empty() {
        return Err("it lists no ranges".to_owned());
    }
    let v4 = file.prefixes.into_iter().map(|prefix| prefix.ip_prefix);
    Ok(v4.chain(file.ipv6_prefixes.into_iter().map(|prefix| prefix.ipv6_prefix)).collect())
}

/// What an address is judged by.
#[derive(Debug, Clone, Copy)]
pub struct NeverDenied<'a> {
    /// `BRIG_ACL_NEVER`.
    pub never: &'a [IpNet],
    /// The route tables of the instance's VPCs, or why they are not known.
    pub routes: Result<&'a [RouteTable], &'a str>,
    /// AWS's published ranges, or why they are not known.
    pub published: Result<&'a [IpNet], &'a str>,
}

impl NeverDenied<'_> {
    /// Why an address is not denied, where it must not be. What cannot be known speaks against it.
    #[must_use]
    pub fn why(&self, address: IpAddr) -> Option<String> {
        self.known(address).or_else(|| match (self.routes, self.published) {
            (Err(why), _) => Some(format!("may be your own: the route tables could not be read ({why})")),
            (_, Err(why)) => Some(format!("may be AWS's own: its published ranges could not be read ({why})")),
            (Ok(_), Ok(_)) => None,
        })
    }

    /// The same, of what is known.
    #[must_use]
    pub fn known(&self, address: IpAddr) -> Option<String> {
        if !is_public(address) {
            return Some("is not a public address".to_owned());
        }
        if let Some(net) = self.never.iter().find(|net| net.contains(&address)) {
            return Some(format!("is in {net} of BRIG_ACL_NEVER"));
        }
        let tables = self.routes.unwrap_or_default();
        for route in tables.iter().flat_map(|table| &table.routes).filter(|route| !leads_outside(&route.target)) {
            match route.destination.parse::<IpNet>() {
                Ok(net) if net.contains(&address) => {
                    return Some(format!("is in {net}, which a route leads to {}", route.target));
                }
                Ok(_) => {}
                Err(_) => {
                    let list = &route.destination;
                    return Some(format!("may be in {list}, which a route leads to {}", route.target));
                }
            }
        }
        let ranges = self.published.unwrap_or_default();
        ranges.iter().find(|net| net.contains(&address)).map(|net| format!("is AWS's own ({net} is published)"))
    }
}

/// Whether a route leads to strangers: through an internet, egress-only, NAT or carrier gateway, or an endpoint. A gateway
/// endpoint's prefix list is in AWS's published ranges; what lies behind a firewall's endpoint is not known.
fn leads_outside(target: &str) -> bool {
    ["igw-", "eigw-", "nat-", "cagw-", "vpce-"].iter().any(|kind| target.starts_with(kind))
}

/// Whether an address can be a stranger's on the internet.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            let carrier = a == 100 && (64..128).contains(&b);
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || a == 0
                || a >= 240
                || carrier)
        }
        // 2000::/3 is all that is given out
        // (<https://www.iana.org/assignments/ipv6-unicast-address-assignments>).
        IpAddr::V6(v6) => v6.segments()[0] >> 13 == 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::reach::Route;

    fn tables(routes: &[(&str, &str)]) -> Vec<RouteTable> {
        let route = |(destination, target): &(&str, &str)| Route {
            destination: (*destination).to_owned(),
            target: (*target).to_owned(),
        };
        let routes = routes.iter().map(route).collect();
        vec![RouteTable { vpc: "vpc-1".into(), owner: None, main: true, subnets: Vec::new(), routes }]
    }

    #[test]
    fn only_a_strangers_address_may_be_denied() {
        let never = ["198.51.100.0/24".parse().expect("a range")];
        let routes = tables(&[
            ("10.0.0.0/16", "local"),
            ("0.0.0.0/0", "igw-1"),
            ("::/0", "eigw-1"),
            ("192.0.2.0/24", "tgw-1"),
            ("193.0.6.0/24", "pcx-1"),
            ("193.0.7.0/24", "vgw-1"),
            ("2a01:5f8::/32", "tgw-1"),
            ("194.0.0.0/16", "local"),
            ("pl-63a5400a", "vpce-1"),
        ]);
        let ranges = ["52.94.0.0/22".parse().expect("a range"), "2600:1f00::/24".parse().expect("a range")];
        let spared = NeverDenied { never: &never, routes: Ok(&routes), published: Ok(&ranges) };
        for (address, why) in [
            ("203.0.113.9", None),
            ("2a01:4f8::1", None),
            ("10.1.2.3", Some("is not a public address")),
            ("100.64.0.1", Some("is not a public address")),
            ("fe80::1", Some("is not a public address")),
            ("::ffff:10.0.0.1", Some("is not a public address")),
            ("198.51.100.7", Some("is in 198.51.100.0/24 of BRIG_ACL_NEVER")),
            ("192.0.2.1", Some("is in 192.0.2.0/24, which a route leads to tgw-1")),
            ("193.0.6.1", Some("is in 193.0.6.0/24, which a route leads to pcx-1")),
            ("193.0.7.1", Some("is in 193.0.7.0/24, which a route leads to vgw-1")),
            ("2a01:5f8::1", Some("is in 2a01:5f8::/32, which a route leads to tgw-1")),
            // A VPC may have public addresses of its owner's.
            ("194.0.1.1", Some("is in 194.0.0.0/16, which a route leads to local")),
            ("52.94.1.1", Some("is AWS's own (52.94.0.0/22 is published)")),
            ("2600:1f00::7", Some("is AWS's own (2600:1f00::/24 is published)")),
        ] {
            assert_eq!(spared.why(address.parse().expect("an address")).as_deref(), why, "{address}");
        }
    }

    #[test]
    fn what_is_not_known_speaks_against_it() {
        let address = "203.0.113.9".parse().expect("an address");
        let none: &[IpNet] = &[];
        let why = |routes: Result<&[RouteTable], &str>, published: Result<&[IpNet], &str>| {
            NeverDenied { never: &[], routes, published }.why(address).expect("a reason")
        };
        assert!(why(Err("denied"), Ok(none)).contains("the route tables could not be read (denied)"));
        assert!(why(Ok(&[]), Err("no answer")).contains("published ranges could not be read (no answer)"));
        // Behind a prefix list, or a default route to other networks, an address may be one's own.
        assert!(why(Ok(&tables(&[("pl-1", "tgw-1")])), Ok(none)).contains("may be in pl-1"));
        assert!(why(Ok(&tables(&[("0.0.0.0/0", "tgw-1")])), Ok(none)).contains("is in 0.0.0.0/0"));
    }

    #[test]
    fn a_list_that_is_not_awss_is_none() {
        let list = br#"{"syncToken":"1","prefixes":[{"ip_prefix":"3.4.12.4/32","service":"AMAZON"}],
            "ipv6_prefixes":[{"ipv6_prefix":"2600:1f00::/24"}]}"#;
        assert_eq!(published(list).expect("a list").len(), 2);
        for wrong in [
            "<html>",
            "{}",
            r#"{"prefixes":[],"ipv6_prefixes":[]}"#,
            r#"{"prefixes":[{"ip_prefix":"3.4.12.4/33"}],"ipv6_prefixes":[{"ipv6_prefix":"2600:1f00::/24"}]}"#,
        ] {
            assert!(published(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_share_is_the_same_after_a_round_through_the_ledger() {
        let text = "arn:aws:ec2:us-east-1:123456789012:instance/i-1 2001:db8::1 3 4";
        assert_eq!(text.parse::<Denial>().expect("a share").to_string(), text);
        assert!("arn:aws:ec2:us-east-1:123456789012:instance/i-1".parse::<Denial>().is_err());
    }
}
