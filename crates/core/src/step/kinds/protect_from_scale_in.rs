//! Protects an instance that cannot be detached yet from being chosen when its group scales in.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo, gone, unread};
use crate::{
    model::{FleetLook, Membership},
    step::{
        Lane, Outcome, Plan, Reversal,
        change::{Change, change, switch},
        done,
        undo::{Look, ReleaseScope},
    },
};

/// Protects an instance that cannot be detached yet from being chosen when its group scales in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectFromScaleIn {
    /// The group's name.
    pub group: String,
}

impl ProtectFromScaleIn {
    /// The look without a protection that this containment added.
    pub(crate) fn as_others_left_it(look: &FleetLook) -> FleetLook {
        let protected = |membership: &Membership| membership.protected && !Self::is_recorded(look);
        let membership = look.membership.as_ref();
        let membership = membership.map(|one| Membership { protected: protected(one), ..one.clone() });
        FleetLook { membership, ..look.clone() }
    }

    fn is_recorded(look: &FleetLook) -> bool {
        look.recorded.contains(Self::NAME)
    }

    /// Of the states in which it may be protected, the others are detached at once.
    pub(crate) fn plan(look: &FleetLook, plan: &mut Plan) {
        let Some(Membership { group, state, protected }) = &look.membership else { return };
        if state == "EnteringStandby" && (Self::is_recorded(look) || !protected) {
            let outcome = if *protected { done("protected") } else { Outcome::Planned };
            plan.add(Self { group: group.clone() }.into(), outcome);
        }
    }
}

impl Describe for ProtectFromScaleIn {
    const LANE: Lane = Lane::Fleet;
    const NAME: &'static str = "enable_scale_in_protection";
    const OPERATION: &'static str = "SetInstanceProtection";
    const KEY_WORD: &'static str = "set_instance_protection";
    const IAM_ACTIONS: &'static [&'static str] = &["autoscaling:SetInstanceProtection"];

    fn resource(&self, _: &str) -> String {
        let Self { group } = self;
        format!("{group}/protectedFromScaleIn")
    }

    fn change(&self) -> Change {
        change("scale-in protection", switch(false), switch(true))
    }
}

impl Undo for ProtectFromScaleIn {
    fn reverse(&self, look: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        let Self { group } = self;
        Some(scale_in(group, look))
    }
}

/// Its Auto Scaling group may choose it again when it scales in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnprotectFromScaleIn {
    /// The group's name.
    pub group: String,
}

impl Describe for UnprotectFromScaleIn {
    const LANE: Lane = Lane::Fleet;
    const NAME: &'static str = "disable_scale_in_protection";
    const OPERATION: &'static str = "SetInstanceProtection";
    const KEY_WORD: &'static str = "set_instance_protection";
    const IAM_ACTIONS: &'static [&'static str] = &["autoscaling:SetInstanceProtection"];

    fn resource(&self, _: &str) -> String {
        let Self { group } = self;
        format!("{group}/protectedFromScaleIn")
    }

    fn change(&self) -> Change {
        change("scale-in protection", switch(true), switch(false))
    }
}

fn scale_in(group: &str, look: &Look<'_>) -> (Reversal, Outcome) {
    let outcome = match look.membership {
        _ if look.instance.state.is_ending() => gone("the instance is gone"),
        None => unread(),
        Some(Some(now)) if now.group == *group && now.protected => Outcome::Planned,
        Some(Some(now)) if now.group == *group => done("not protected"),
        Some(_) => gone("it is no longer in the group, and its protection ended with that"),
    };
    (Reversal::UnprotectFromScaleIn(UnprotectFromScaleIn { group: group.to_owned() }), outcome)
}
