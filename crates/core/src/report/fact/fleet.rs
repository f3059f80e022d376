//! What a later look shows of the fleet lane.

use crate::{
    model::{FleetLook, Instance},
    report::fact::{Fact, Promise},
};

/// What a later look shows of the fleet.
#[must_use]
pub fn facts(look: &FleetLook, instance: &Instance) -> Vec<Fact> {
    let mut facts = Vec::new();
    let detached = look.membership.as_ref().is_none_or(|membership| membership.state.starts_with("Detach"));
    facts.push(Fact::seen(Promise::NoScalingGroup, detached));
    let mut held: Vec<String> = look
        .registrations
        .iter()
        .filter(|registration| registration.split(instance).0.iter().any(|target| target.state != "draining"))
        .map(|registration| registration.group.clone())
        .collect();
    held.extend(look.classic.iter().cloned());
    if held.is_empty() {
        facts.push(Fact::holding(Promise::NoBalancer));
    }
    facts.extend(held.into_iter().map(|group| Fact::seen(Promise::OutOf(group), false)));
    facts.extend(look.gaps.iter().map(Fact::unread));
    facts
}
