//! Replaces an interface's groups by the isolation group.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Describe, Undo, gone, unread};
use crate::{
    model::ids::{EniId, GroupId},
    step::{
        GroupRef, Lane, Outcome, Plan, Reversal,
        change::{Change, Value, change, group, list, word},
        done, skipped,
        undo::{Look, ReleaseScope},
    },
};

/// Replaces an interface's groups by the isolation group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Isolate {
    /// The interface.
    pub eni: EniId,
    /// Its own groups before.
    pub was: Option<Vec<GroupId>>,
    /// The isolation group of its VPC.
    pub isolation: GroupRef,
}

impl Describe for Isolate {
    const LANE: Lane = Lane::Network;
    const NAME: &'static str = "isolate";
    const OPERATION: &'static str = "ModifyNetworkInterfaceAttribute";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:ModifyNetworkInterfaceAttribute"];

    fn resource(&self, _: &str) -> String {
        self.eni.to_string()
    }

    fn change(&self) -> Change {
        let Self { was, isolation, .. } = self;
        let was = was.as_ref().map_or(Value::Unknown, |was| list(was.iter()));
        change("groups", was, group(isolation))
    }
}

impl Undo for Isolate {
    fn reverse(&self, look: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        let Self { eni, was, .. } = self;
        Some(groups(eni, was.as_deref(), look))
    }
}

/// The interface gets its own groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreGroups {
    /// The interface.
    pub eni: EniId,
    /// Its own groups.
    pub groups: Vec<GroupId>,
}

impl Describe for RestoreGroups {
    const LANE: Lane = Lane::Network;
    const NAME: &'static str = "restore_groups";
    const OPERATION: &'static str = "ModifyNetworkInterfaceAttribute";
    const KEY_WORD: &'static str = "modify_network_interface_attribute";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:ModifyNetworkInterfaceAttribute"];

    fn resource(&self, _: &str) -> String {
        self.eni.to_string()
    }

    fn change(&self) -> Change {
        let Self { groups, .. } = self;
        change("groups", word("Brig's"), list(groups.iter()))
    }
}

fn groups(eni: &EniId, was: Option<&[GroupId]>, look: &Look<'_>) -> (Reversal, Outcome) {
    let back = Reversal::RestoreGroups(RestoreGroups { eni: eni.clone(), groups: was.unwrap_or_default().to_vec() });
    let Some(interface) = look.instance.interfaces.iter().find(|interface| interface.id == *eni) else {
        return (back, gone("the interface is no longer attached to the instance"));
    };
    let Some(groups) = look.groups else { return (back, unread()) };
    let ours = |id: &GroupId| groups.iter().any(|group| group.id == *id && group.is_brigs(&look.instance.account));
    let kept = !interface.groups.is_empty() && interface.groups.iter().all(ours);
    let outcome = match was {
        Some(was) if same(&interface.groups, was) => done("its own groups"),
        Some(_) if kept => Outcome::Planned,
        None if kept => skipped("its former groups are not known: it stays isolated until someone sets them"),
        Some(_) | None => gone("it carries other groups now, which are left alone"),
    };
    (back, outcome)
}

fn same(a: &[GroupId], b: &[GroupId]) -> bool {
    a.iter().collect::<BTreeSet<_>>() == b.iter().collect::<BTreeSet<_>>()
}
