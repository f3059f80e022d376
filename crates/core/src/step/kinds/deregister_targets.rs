//! Takes the instance out of a target group.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Describe, Undo, gone, unread};
use crate::{
    model::{Instance, Registration, Target},
    step::{
        Lane, Note, Outcome, Plan, Reversal,
        change::{Change, Value, change},
        done,
        undo::{Look, ReleaseScope},
    },
};

/// Takes the instance out of a target group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeregisterTargets {
    /// The group's ARN.
    pub group: String,
    /// The targets, with their ports.
    pub was: Vec<Target>,
}

impl DeregisterTargets {
    /// `recorded` are target groups whose targets the ledger holds.
    pub(crate) fn plan(registration: &Registration, instance: &Instance, recorded: &BTreeSet<String>, plan: &mut Plan) {
        let (ours, foreign) = registration.split(instance);
        for target in foreign {
            plan.note(Note::TargetElsewhere {
                group: registration.group.clone(),
                vpc: registration.vpc.clone(),
                target: target.id,
            });
        }
        if ours.is_empty() {
            return;
        }
        // What its Auto Scaling group has just begun to drain is on record only once it was planned here.
        let leaving = recorded.contains(&registration.group) && ours.iter().all(|target| target.state == "draining");
        let outcome = if leaving { done("draining") } else { Outcome::Planned };
        plan.add(Self { group: registration.group.clone(), was: ours }.into(), outcome);
    }
}

impl Describe for DeregisterTargets {
    const LANE: Lane = Lane::Fleet;
    const NAME: &'static str = "deregister_targets";
    const OPERATION: &'static str = "DeregisterTargets";
    const IAM_ACTIONS: &'static [&'static str] = &["elasticloadbalancing:DeregisterTargets"];

    fn resource(&self, _: &str) -> String {
        self.group.clone()
    }

    fn key_parts(&self) -> Option<Vec<String>> {
        Some(self.was.iter().map(|target| format!("{}:{}", target.id, target.port.unwrap_or_default())).collect())
    }

    fn change(&self) -> Change {
        let Self { was, .. } = self;
        change("targets", Value::Targets(was.clone()), Value::Nothing)
    }
}

impl Undo for DeregisterTargets {
    fn reverse(&self, look: &Look<'_>, _: ReleaseScope, plan: &mut Plan) -> Option<(Reversal, Outcome)> {
        let Self { group, was } = self;
        targets(group, was, look, plan)
    }
}

/// The targets are registered again, with their ports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterTargets {
    /// The target group's ARN.
    pub group: String,
    pub targets: Vec<Target>,
}

impl Describe for RegisterTargets {
    const LANE: Lane = Lane::Fleet;
    const NAME: &'static str = "register_targets";
    const OPERATION: &'static str = "RegisterTargets";
    const IAM_ACTIONS: &'static [&'static str] = &["elasticloadbalancing:RegisterTargets"];

    fn resource(&self, _: &str) -> String {
        let Self { group, targets } = self;
        let listed: Vec<String> =
            targets.iter().map(|target| format!("{}:{}", target.id, target.port.unwrap_or_default())).collect();
        format!("{group} {}", listed.join(" "))
    }

    fn change(&self) -> Change {
        let Self { targets, .. } = self;
        let targets = targets.iter().map(|target| Target { state: String::new(), ..target.clone() });
        change("targets", Value::Nothing, Value::Targets(targets.collect()))
    }
}

fn targets(group: &str, was: &[Target], look: &Look<'_>, plan: &mut Plan) -> Option<(Reversal, Outcome)> {
    for target in was.iter().filter(|target| target.state == "draining") {
        plan.note(Note::TargetWasDraining { group: group.to_owned(), target: target.id.clone() });
    }
    let (own, lost): (Vec<&Target>, Vec<&Target>) = was
        .iter()
        .filter(|target| target.state != "draining")
        .partition(|target| look.instance.interfaces.is_empty() || target.may_be(look.instance));
    for target in lost {
        plan.note(Note::TargetGone { group: group.to_owned(), target: target.id.clone() });
    }
    if own.is_empty() {
        return None;
    }
    let back = Reversal::RegisterTargets(RegisterTargets {
        group: group.to_owned(),
        targets: own.iter().map(|t| (*t).clone()).collect(),
    });
    let outcome = match look.targets.get(group) {
        _ if look.instance.state.is_ending() => gone("the instance is gone"),
        None => gone("the target group is gone"),
        Some(None) => unread(),
        Some(Some(now)) => {
            let held = |own: &&Target| {
                now.iter().any(|now| now.id == own.id && now.port == own.port && now.state != "draining")
            };
            if own.iter().all(held) { done("registered") } else { Outcome::Planned }
        }
    };
    Some((back, outcome))
}
