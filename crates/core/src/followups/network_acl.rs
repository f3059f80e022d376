//! The finding's remote addresses, denied in the network ACLs of the instance's subnets: at numbers before the first rule
//! that lets anything through, both ways, and merged with what other containments deny there.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use crate::{
    ledger::StepRecord,
    model::{
        ids::AccountId,
        network_acl::{AclEntry, Denial, MOST_RULES, NetworkAcl, NeverDenied},
    },
    step::{DenyInNetworkAcl, Mark, Note, Outcome, Plan, Step, done},
};

/// What is said where somebody else's rules deny an address.
const FOREIGN: &str = "denied by rules that are not Brig's";

/// What it is planned from.
#[derive(Debug, Clone)]
pub struct Look<'a> {
    /// The instance's account.
    pub account: &'a AccountId,
    pub instance_arn: &'a str,
    /// The subnets of its interfaces.
    pub subnets: &'a BTreeSet<String>,
    /// The addresses that the finding names as the other side.
    pub remotes: &'a [IpAddr],
    /// The instance's own addresses: what a finding calls the other end may be one.
    pub own: &'a BTreeSet<IpAddr>,
    /// What is on record.
    pub recorded: &'a [StepRecord],
    /// The ACLs of these subnets.
    pub acls: &'a [NetworkAcl],
    /// The ledger's shares by ACL.
    pub denials: &'a BTreeMap<String, Vec<Denial>>,
    /// What an address is judged by.
    pub spared: NeverDenied<'a>,
}

/// Plans it.
#[must_use]
pub fn plan(look: &Look<'_>) -> Plan {
    let mut plan = Plan::default();
    let addresses = wanted(look, &mut plan);
    if addresses.is_empty() {
        return plan;
    }
    for subnet in look.subnets {
        if !look.acls.iter().any(|acl| acl.subnets.contains(subnet)) {
            plan.note(Note::AclUnseen { subnet: subnet.clone() });
        }
    }
    for acl in look.acls {
        if let Some(owner) = acl.owner.as_ref().filter(|owner| *owner != look.account.as_str()) {
            plan.note(Note::AclOfAnother { acl: acl.id.clone(), owner: owner.clone(), addresses: addresses.clone() });
            continue;
        }
        Board::of(acl, look).deny(&addresses, look, &mut plan);
    }
    plan
}

/// The addresses on record, then those of the finding that may be denied.
fn wanted(look: &Look<'_>, plan: &mut Plan) -> Vec<IpAddr> {
    let mut addresses: Vec<IpAddr> = Vec::new();
    for record in look.recorded {
        let Step::DenyInNetworkAcl(DenyInNetworkAcl { address, .. }) = &record.step else { continue };
        if !record.may_have_happened() || addresses.contains(address) {
            continue;
        }
        match look.spared.known(*address) {
            None => addresses.push(*address),
            Some(why) => plan.note(Note::StaysDenied { address: *address, why }),
        }
    }
    let mut named = BTreeSet::new();
    for address in look.remotes.iter().map(IpAddr::to_canonical) {
        if addresses.contains(&address) || !named.insert(address) {
            continue;
        }
        if look.own.contains(&address) {
            plan.note(Note::OwnAddress(address));
            continue;
        }
        match look.spared.why(address) {
            None => addresses.push(address),
            Some(why) => plan.note(Note::NotDenied { address, why }),
        }
    }
    addresses
}

/// An ACL while its rules are planned.
struct Board<'a> {
    acl: &'a NetworkAcl,
    denials: &'a [Denial],
    /// Numbers in use, of either way.
    used: BTreeSet<(bool, i32)>,
    /// How many rules it has, by way and address family.
    rules: BTreeMap<(bool, bool), usize>,
}

impl<'a> Board<'a> {
    fn of(acl: &'a NetworkAcl, look: &Look<'a>) -> Self {
        let denials = look.denials.get(&acl.id).map(Vec::as_slice).unwrap_or_default();
        let shown = acl.entries.iter().map(|entry| (entry.egress, entry.number));
        // Another containment's rule may be on its way.
        let meant = denials.iter().flat_map(|denial| [(false, denial.ingress), (true, denial.egress)]);
        let mut rules = BTreeMap::new();
        for entry in &acl.entries {
            *rules.entry((entry.egress, entry.cidr.addr().is_ipv6())).or_default() += 1;
        }
        Self { acl, denials, used: shown.chain(meant).collect(), rules }
    }

    fn deny(&mut self, addresses: &[IpAddr], look: &Look<'_>, plan: &mut Plan) {
        let mut denied = false;
        let mut left = Vec::new();
        for address in addresses {
            match self.place(*address, look) {
                Some((step, outcome)) => {
                    denied = true;
                    plan.add(step, outcome);
                }
                None => left.push(*address),
            }
        }
        if denied {
            plan.note(Note::AclServesAll { acl: self.acl.id.clone(), subnets: self.acl.subnets.clone() });
        }
        if !left.is_empty() {
            plan.note(Note::AclFull { acl: self.acl.id.clone(), all: addresses.len(), left });
        }
    }

    /// The step for an address, and what is settled about it; none where there is no room.
    fn place(&mut self, address: IpAddr, look: &Look<'_>) -> Option<(Step, Outcome)> {
        let step = |ingress: i32, egress: i32| {
            Step::DenyInNetworkAcl(DenyInNetworkAcl {
                acl: self.acl.id.clone(),
                address,
                ingress,
                egress,
                subnets: self.acl.subnets.clone(),
                instance_arn: look.instance_arn.to_owned(),
            })
        };
        // Where a containment denies it, this one shares its rules.
        let mut shares: Vec<&Denial> = self.denials.iter().filter(|share| share.address == address).collect();
        shares.sort_by_key(|share| share.instance != look.instance_arn);
        for share in shares {
            let early = share.ingress < self.acl.first_allow(false) && share.egress < self.acl.first_allow(true);
            let stands = share.entries().iter().all(|entry| self.acl.has(entry));
            let free = share.entries().iter().all(|entry| {
                let there = |other: &&AclEntry| other.egress == entry.egress && other.number == entry.number;
                self.acl.entries.iter().find(there).is_none_or(|other| other == entry)
            });
            if !early || !free {
                continue;
            }
            let own = share.instance == look.instance_arn;
            let step = step(share.ingress, share.egress);
            let outcome = if own && stands { done("rules of its own") } else { Outcome::Planned };
            return Some((step, outcome));
        }
        if let (Some(ingress), Some(egress)) = (self.foreign(address, false), self.foreign(address, true)) {
            return Some((step(ingress, egress), done(FOREIGN).marked(Mark::Foreign)));
        }
        let family = address.is_ipv6();
        let has_room = |egress| self.rules.get(&(egress, family)).is_none_or(|count| *count < MOST_RULES);
        if !has_room(false) || !has_room(true) {
            return None;
        }
        let (ingress, egress) = (self.free(false)?, self.free(true)?);
        let step = step(ingress, egress);
        self.used.extend([(false, ingress), (true, egress)]);
        for egress in [false, true] {
            *self.rules.entry((egress, family)).or_default() += 1;
        }
        Some((step, Outcome::Planned))
    }

    /// The lowest number that is free and comes before the first rule that allows.
    fn free(&self, egress: bool) -> Option<i32> {
        (1..self.acl.first_allow(egress)).find(|number| !self.used.contains(&(egress, *number)))
    }

    /// The number of somebody else's rule that denies the address before anything is allowed.
    fn foreign(&self, address: IpAddr, egress: bool) -> Option<i32> {
        let first = self.acl.first_allow(egress);
        let denies = |entry: &&AclEntry| {
            entry.egress == egress
                && !entry.allow
                && entry.protocol == "-1"
                && entry.number < first
                && entry.cidr.contains(&address)
        };
        self.acl.entries.iter().filter(denies).map(|entry| entry.number).min()
    }
}

#[cfg(test)]
mod tests;
