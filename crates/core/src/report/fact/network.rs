//! What a later look shows of the network lane.

use crate::{
    lanes::network::{Look, is_open},
    model::{Interface, Purpose, Uncut, gap::Gap},
    report::fact::{Cause, Fact, Promise},
};

/// What a later look shows of the cut.
#[must_use]
pub fn facts(look: &Look<'_>, gaps: &[Gap]) -> Vec<Fact> {
    let mut facts: Vec<Fact> = look
        .interfaces
        .iter()
        .map(|interface| {
            let group = match interface.groups.as_slice() {
                [only] => look.groups.iter().find(|group| group.id == *only),
                _ => None,
            };
            let what = Promise::Isolated(interface.id.clone());
            match group.filter(|group| group.is_ours(Purpose::Isolation, look.account)) {
                Some(group) if group.rules.is_empty() => Fact::holding(what),
                Some(group) => Fact::broken(what, Cause::HasRule(group.id.clone())),
                None if is_open(look, interface) => Fact::broken(what, Cause::Open),
                None => Fact::broken(what, Cause::In(interface.groups.clone())),
            }
        })
        .collect();
    facts.extend(gaps.iter().map(Fact::unread));
    facts
}

/// The fact of an interface for which there is no group.
#[must_use]
pub fn uncut(fact: Fact, interface: &Interface) -> Fact {
    let uncut = Uncut::SecurityGroupQuota { vpc: interface.vpc.clone(), interface: interface.id.clone() };
    Fact { why: Some(Cause::Uncut(uncut)), ..fact }
}
