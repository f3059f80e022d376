//! The network lane: every interface into its VPC's isolation group, opened once for the untrack window, and isolated
//! again. Interfaces found open are first.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{
        Direction, Exposure, InstanceState, Interface, Purpose, Rule, SecurityGroup, Uncut,
        ids::{AccountId, ContainmentId, EniId, GroupId, Region, VpcId},
        timestamp::Timestamp,
    },
    settings::Untrack,
    step::{
        self, AuthorizeSecurityGroupRules, CreateSecurityGroup, GroupRef, Isolate, Note, Outcome, Plan,
        RevokeSecurityGroupRules, Step, done, skipped,
    },
};

/// What the lane plans from.
#[derive(Debug, Clone)]
pub struct Look<'a> {
    /// The instance's account.
    pub account: &'a AccountId,
    pub state: InstanceState,
    pub interfaces: &'a [Interface],
    /// Every group of the account and Region whose name begins as ours do.
    pub groups: &'a [SecurityGroup],
    /// Isolation groups with a stray rule that hold an interface which belongs to no active containment.
    pub shared: &'a BTreeSet<GroupId>,
    /// Interfaces whose untrack step the ledger already has a result for.
    pub untracked: &'a BTreeSet<EniId>,
    /// Since when an interface that is found open may have been so, by the ledger.
    pub open_since: &'a BTreeMap<EniId, Timestamp>,
}

/// Plans the cut.
#[must_use]
pub fn plan(look: &Look<'_>, containment: &ContainmentId, untrack: Untrack) -> Plan {
    let mut plan = Plan::default();
    let mut preparation = Plan::default();
    let mut isolations: BTreeMap<&VpcId, GroupRef> = BTreeMap::new();
    let mut untracks: BTreeMap<&VpcId, GroupRef> = BTreeMap::new();
    let opens = matches!(untrack, Untrack::Seconds(_)) && look.state.has_flows();
    for interface in look.interfaces {
        isolations
            .entry(&interface.vpc)
            .or_insert_with(|| prepare(look, containment, &interface.vpc, Purpose::Isolation, &mut preparation));
        if opens && !look.untracked.contains(&interface.id) && !is_open(look, interface) {
            untracks
                .entry(&interface.vpc)
                .or_insert_with(|| prepare(look, containment, &interface.vpc, Purpose::Untrack, &mut preparation));
        }
    }

    let (open, closed): (Vec<&Interface>, Vec<&Interface>) =
        look.interfaces.iter().partition(|interface| is_open(look, interface));
    let isolate = |plan: &mut Plan, interface: &Interface| {
        let Some(isolation) = isolations.get(&interface.vpc) else { return };
        let isolated = isolation.id.as_ref().is_some_and(|id| interface.groups == [id.clone()]);
        let step = Step::Isolate(Isolate {
            eni: interface.id.clone(),
            was: original_groups(look, interface),
            isolation: isolation.clone(),
        });
        plan.add(step, if isolated { done("in the isolation group") } else { Outcome::Planned });
    };
    for interface in &open {
        isolate(&mut plan, interface);
        plan.note(Note::Exposed(exposure(look, interface)));
    }
    plan.steps.append(&mut preparation.steps);
    plan.notes.append(&mut preparation.notes);
    for interface in &closed {
        isolate(&mut plan, interface);
    }
    for interface in look.interfaces {
        let Some(isolation) = isolations.get(&interface.vpc) else { continue };
        let (seconds, outcome) = match untrack {
            Untrack::Off => {
                (0, skipped("BRIG_UNTRACK_SECONDS is off: connections that were tracked continue until they idle out"))
            }
            Untrack::Seconds(seconds) if is_open(look, interface) => (seconds, done("found open; isolated at once")),
            Untrack::Seconds(seconds) if look.untracked.contains(&interface.id) => {
                (seconds, done("by an earlier attempt"))
            }
            Untrack::Seconds(seconds) if !look.state.has_flows() => {
                (seconds, skipped("the instance is not running, so it has no connections"))
            }
            Untrack::Seconds(seconds) => (seconds, Outcome::Planned),
        };
        let fallback = || GroupRef {
            vpc: interface.vpc.clone(),
            purpose: Purpose::Untrack,
            name: Purpose::Untrack.group_name().to_owned(),
            id: None,
        };
        let step = Step::Untrack(step::Untrack {
            eni: interface.id.clone(),
            untrack: untracks.get(&interface.vpc).cloned().unwrap_or_else(fallback),
            isolation: isolation.clone(),
            seconds,
        });
        plan.add(step, outcome);
    }
    for interface in look.interfaces.iter().filter(|interface| interface.kind.starts_with("efa")) {
        plan.note(Note::FabricAdapter(interface.id.clone()));
    }
    if look.interfaces.is_empty() {
        plan.note(Note::NoInterface);
    }
    plan
}

/// The interfaces that are open to the world: in an untrack group, whoever put them there.
#[must_use]
pub fn exposures(look: &Look<'_>) -> Vec<Exposure> {
    let open = look.interfaces.iter().filter(|interface| is_open(look, interface));
    open.map(|interface| exposure(look, interface)).collect()
}

fn exposure(look: &Look<'_>, interface: &Interface) -> Exposure {
    Exposure { eni: interface.id.clone(), since: look.open_since.get(&interface.id).copied() }
}

/// What people can do by hand where no group can be made, with the commands. `spare` are groups without a rule, of these
/// VPCs, that no interface carries. The VPC's default group is none of them: others count on it.
#[must_use]
pub fn by_hand(uncut: &[Uncut], spare: &[SecurityGroup], region: &Region) -> Vec<Note> {
    let mut notes = Vec::new();
    let vpcs: BTreeSet<&VpcId> = uncut.iter().map(|Uncut::SecurityGroupQuota { vpc, .. }| vpc).collect();
    for vpc in vpcs {
        let free = spare.iter().find(|group| group.vpc == *vpc).map(|group| group.id.clone());
        let here = uncut.iter().filter(|Uncut::SecurityGroupQuota { vpc: of, .. }| of == vpc);
        notes.push(Note::MakeRoom { vpc: vpc.clone(), region: region.clone(), free: free.clone() });
        notes.push(Note::AskForQuota(region.clone()));
        notes.extend(here.map(|Uncut::SecurityGroupQuota { interface, .. }| Note::CutByHand {
            eni: interface.clone(),
            region: region.clone(),
            group: free.clone(),
        }));
    }
    notes
}

/// Rules that an untrack group needs: a flow is untracked only when each way allows everything from everywhere in its
/// address family.
#[must_use]
pub fn untrack_rules() -> Vec<Rule> {
    let mut rules = Vec::new();
    for direction in [Direction::Ingress, Direction::Egress] {
        for peer in ["0.0.0.0/0", "::/0"] {
            rules.push(Rule { direction, protocol: "-1".to_owned(), ports: None, peer: peer.to_owned() });
        }
    }
    rules
}

/// Finds the group to use in a VPC, with the steps that make it right.
fn prepare(look: &Look<'_>, containment: &ContainmentId, vpc: &VpcId, purpose: Purpose, plan: &mut Plan) -> GroupRef {
    let own_name = format!("{}-{containment}", purpose.group_name());
    let reference = |name: &str, id: Option<&GroupId>| GroupRef {
        vpc: vpc.clone(),
        purpose,
        name: name.to_owned(),
        id: id.cloned(),
    };
    // A group of ours that lets nothing through is as good as any: no other is made, and no quota is in the way.
    let ready = |group: &&SecurityGroup| {
        group.vpc == *vpc && group.rules.is_empty() && group.is_ours(Purpose::Isolation, look.account)
    };
    if purpose == Purpose::Isolation
        && let Some(group) = look.groups.iter().filter(ready).min_by_key(|group| (group.name.len(), &group.name))
    {
        return reference(&group.name, Some(&group.id));
    }
    for name in [purpose.group_name(), &own_name] {
        let Some(group) = look.groups.iter().find(|group| group.vpc == *vpc && group.name == name) else {
            let group = reference(name, None);
            plan.add(Step::CreateSecurityGroup(CreateSecurityGroup { group: group.clone() }), Outcome::Planned);
            return group;
        };
        if !group.is_ours(purpose, look.account) {
            plan.note(Note::ForeignGroup { vpc: vpc.clone(), name: name.to_owned(), group: group.id.clone() });
            continue;
        }
        let found = reference(name, Some(&group.id));
        match purpose {
            Purpose::Isolation if group.rules.is_empty() => {}
            Purpose::Isolation if look.shared.contains(&group.id) => {
                plan.note(Note::SharedIsolationGroup { vpc: vpc.clone(), group: group.id.clone() });
                continue;
            }
            Purpose::Isolation => {
                plan.note(Note::StrayRules { group: group.id.clone(), count: group.rules.len() });
                let step = Step::RevokeSecurityGroupRules(RevokeSecurityGroupRules {
                    group: found.clone(),
                    was: group.rules.clone(),
                });
                plan.add(step, Outcome::Planned);
            }
            Purpose::Untrack => {
                if untrack_rules().iter().any(|rule| !group.rules.contains(rule)) {
                    plan.add(
                        Step::AuthorizeSecurityGroupRules(AuthorizeSecurityGroupRules { group: found.clone() }),
                        Outcome::Planned,
                    );
                }
            }
        }
        return found;
    }
    // Both names are taken by groups that are not ours; creating fails with AWS's own words, which the report carries.
    let group = reference(&own_name, None);
    plan.add(Step::CreateSecurityGroup(CreateSecurityGroup { group: group.clone() }), Outcome::Planned);
    group
}

pub(crate) fn is_open(look: &Look<'_>, interface: &Interface) -> bool {
    look.groups
        .iter()
        .any(|group| group.is_ours(Purpose::Untrack, look.account) && interface.groups.contains(&group.id))
}

/// The interface's groups but ours; unknown where only ours are on it.
fn original_groups(look: &Look<'_>, interface: &Interface) -> Option<Vec<GroupId>> {
    let ours = |id: &GroupId| {
        look.groups.iter().any(|group| {
            group.id == *id
                && [Purpose::Isolation, Purpose::Untrack].iter().any(|purpose| group.is_ours(*purpose, look.account))
        })
    };
    let others: Vec<GroupId> = interface.groups.iter().filter(|id| !ours(id)).cloned().collect();
    if others.is_empty() { None } else { Some(others) }
}

#[cfg(test)]
mod tests;
