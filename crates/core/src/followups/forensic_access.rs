//! Forensic access: what the isolation group lets through for the people who examine the instance, and nothing else.
//! SSH and RDP from where they are, and HTTPS to the VPC's own endpoints of Systems Manager
//! (<https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-create-vpc.html>).

use std::{collections::BTreeMap, net::IpAddr};

use ipnet::IpNet;

use crate::{
    model::{
        Direction, Interface, Purpose, Rule, SecurityGroup,
        ids::{AccountId, GroupId, VpcId},
    },
    settings::{
        ForensicAccess,
        forensic_access::{IN, OUT},
    },
    step::{AuthorizeForensicAccess, GroupRef, Note, Outcome, Plan, Step, done},
};

/// The services that Systems Manager's agent speaks to.
pub const SERVICES: [&str; 3] = ["ssm", "ssmmessages", "ec2messages"];

/// What is looked up for it.
#[derive(Debug, Clone, Default)]
pub struct AccessLook {
    /// The groups of the name that the setting has.
    pub groups: Vec<SecurityGroup>,
    /// The addresses of the endpoints of Systems Manager, by VPC.
    pub endpoints: BTreeMap<VpcId, Vec<IpAddr>>,
}

impl AccessLook {
    /// Exactly what is let through in a VPC.
    #[must_use]
    pub fn rules(&self, access: &ForensicAccess, vpc: &VpcId) -> Vec<Rule> {
        let peers: Vec<String> = match access {
            ForensicAccess::Ranges(nets) => nets.iter().map(IpNet::to_string).collect(),
            ForensicAccess::Group(_) => {
                self.groups.iter().filter(|group| group.vpc == *vpc).map(|group| group.id.to_string()).collect()
            }
        };
        let rule =
            |direction, port, peer| Rule { direction, protocol: "tcp".to_owned(), ports: Some((port, port)), peer };
        let incoming =
            IN.iter().flat_map(|port| peers.iter().map(move |peer| rule(Direction::Ingress, *port, peer.clone())));
        let endpoints = self.endpoints.get(vpc).map(Vec::as_slice).unwrap_or_default();
        let outgoing = endpoints.iter().map(|address| rule(Direction::Egress, OUT, IpNet::from(*address).to_string()));
        let mut rules: Vec<Rule> = incoming.chain(outgoing).collect();
        rules.sort();
        rules.dedup();
        rules
    }
}

/// Takes what is tolerated out of isolation groups' rules, and says what that was, by group: all else of them is a stray.
pub fn set_aside(
    groups: &mut [SecurityGroup],
    account: &AccountId,
    tolerated: impl Fn(&VpcId, &Rule) -> bool,
) -> BTreeMap<GroupId, Vec<Rule>> {
    let mut aside = BTreeMap::new();
    for group in groups.iter_mut().filter(|group| group.is_ours(Purpose::Isolation, account)) {
        let (kept, strays) = std::mem::take(&mut group.rules).into_iter().partition(|rule| tolerated(&group.vpc, rule));
        group.rules = strays;
        aside.insert(group.id.clone(), kept);
    }
    aside
}

/// Plans what the isolation groups of these interfaces lack. `aside` is what they have of it.
#[must_use]
pub fn plan(
    access: &ForensicAccess,
    look: &AccessLook,
    interfaces: &[Interface],
    groups: &[SecurityGroup],
    aside: &BTreeMap<GroupId, Vec<Rule>>,
) -> Plan {
    let mut plan = Plan::default();
    let held = |group: &&SecurityGroup| interfaces.iter().any(|interface| interface.groups == [group.id.clone()]);
    for group in groups.iter().filter(|group| aside.contains_key(&group.id)).filter(held) {
        let rules = look.rules(access, &group.vpc);
        let has = |direction| rules.iter().any(|rule| rule.direction == direction);
        if !has(Direction::Ingress) {
            plan.note(Note::NobodyGetsIn(group.vpc.clone()));
        }
        if !has(Direction::Egress) {
            plan.note(Note::NoEndpoint(group.vpc.clone()));
        }
        if rules.is_empty() {
            continue;
        }
        let there = |rule: &Rule| aside.get(&group.id).is_some_and(|aside| aside.contains(rule));
        let outcome = if rules.iter().all(there) { done("open") } else { Outcome::Planned };
        let reference = GroupRef {
            vpc: group.vpc.clone(),
            purpose: Purpose::Isolation,
            name: group.name.clone(),
            id: Some(group.id.clone()),
        };
        plan.add(Step::AuthorizeForensicAccess(AuthorizeForensicAccess { group: reference, rules }), outcome);
    }
    plan
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::testing::{account, interface, our_group};

    #[test]
    fn it_is_ranges_or_one_name_and_never_everything() {
        let read = |text: &str| ForensicAccess::parse(text).map_err(str::to_owned);
        let nets = |texts: &[&str]| texts.iter().map(|text| text.parse().expect("a range")).collect();
        assert_eq!(
            read("10.9.0.5/32, 2001:db8::/48"),
            Ok(ForensicAccess::Ranges(nets(&["10.9.0.5/32", "2001:db8::/48"])))
        );
        assert_eq!(read("10.9.1.2/16"), Ok(ForensicAccess::Ranges(nets(&["10.9.0.0/16"]))));
        assert_eq!(read("forensics"), Ok(ForensicAccess::Group("forensics".to_owned())));
        for wrong in [
            "0.0.0.0/0",
            "::/0",
            "10.0.0.0/8, 0.0.0.0/0",
            "10.0.0.0/33",
            "0.0.0.0/1, 128.0.0.0/1",
            "a, b",
            "sg-1",
            "10.0.0.0/8, x",
            "10.0.0.0",
            "10.9.0.5, 10.0.0.0/8",
            "2001:db8::1",
            "10.0.0",
            "10.0.0.0.0",
            "",
            "brig-isolation",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn exactly_that_is_tolerated_and_what_lacks_is_planned() {
        let access = ForensicAccess::parse("10.9.0.0/16").expect("a setting");
        let endpoints = BTreeMap::from([("vpc-1".into(), vec!["10.0.0.77".parse().expect("an address")])]);
        let look = AccessLook { groups: Vec::new(), endpoints };
        let wanted = look.rules(&access, &"vpc-1".into());
        assert!(wanted.iter().all(|rule| access.may_be(rule)), "{wanted:?}");
        let stray = Rule { peer: "10.9.0.0/15".to_owned(), ..wanted[0].clone() };
        assert!(!access.may_be(&stray));
        let mut groups = [our_group(Purpose::Isolation, "vpc-1", vec![wanted[0].clone(), stray.clone()])];
        let exact = |vpc: &VpcId, rule: &Rule| look.rules(&access, vpc).contains(rule);
        let aside = set_aside(&mut groups, &account(), exact);
        assert_eq!(groups[0].rules, [stray]);
        let isolated = [interface("eni-1", "vpc-1", &[groups[0].id.as_str()])];
        expect![[r#"
            planned      authorize_forensic_access vpc-1/brig-isolation
        "#]]
        .assert_eq(&plan(&access, &look, &isolated, &groups, &aside).to_string());
        // In another VPC there is neither an endpoint nor, with a name, a group.
        let named = ForensicAccess::Group("forensics".to_owned());
        let mut groups = [our_group(Purpose::Isolation, "vpc-2", vec![])];
        let aside = set_aside(&mut groups, &account(), |_, _| false);
        let isolated = [interface("eni-1", "vpc-2", &[groups[0].id.as_str()])];
        expect![[r#"
            note: no one can reach isolated instances in vpc-2 by SSH or RDP: the VPC has no security group with the name in BRIG_FORENSIC_ACCESS
            note: Systems Manager cannot be reached from vpc-2: the VPC has no interface endpoint of it
        "#]]
        .assert_eq(&plan(&named, &look, &isolated, &groups, &aside).to_string());
        expect!["BRIG_FORENSIC_ACCESS lets SSH and RDP in from 10.9.0.0/16, and HTTPS out to 10.0.0.77/32"]
            .assert_eq(&crate::report::paths::forensic_access::path(&"vpc-1".into(), &wanted).why);
    }
}
