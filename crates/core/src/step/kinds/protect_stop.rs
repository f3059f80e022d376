//! Forbids stopping by API.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo, flag};
use crate::{
    model::{EvidenceLook, Instance},
    step::{
        ENDED, Lane, Outcome, Plan, Reversal,
        change::{Change, change, switch},
        done, skipped,
        undo::{Look, ReleaseScope},
    },
};

/// Forbids stopping by API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectStop {
    /// The flag before.
    pub was: bool,
}

impl ProtectStop {
    pub(crate) fn plan(look: &EvidenceLook, instance: &Instance, plan: &mut Plan) {
        let Some(was) = look.stop_protection else { return };
        let outcome = match was {
            true => done("on"),
            false if instance.state.is_over() => skipped(ENDED),
            false if instance.spot => skipped("AWS allows no stop protection on a Spot instance"),
            false if !instance.ebs_root => skipped("AWS allows no stop protection with an instance-store root"),
            false => Outcome::Planned,
        };
        plan.add(Self { was }.into(), outcome);
    }
}

impl Describe for ProtectStop {
    const LANE: Lane = Lane::Evidence;
    const NAME: &'static str = "enable_stop_protection";
    const OPERATION: &'static str = "ModifyInstanceAttribute";
    const KEY_WORD: &'static str = "modify_instance_attribute";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:ModifyInstanceAttribute"];

    fn resource(&self, instance: &str) -> String {
        format!("{instance}/disableApiStop")
    }

    fn change(&self) -> Change {
        let Self { was } = self;
        change("stop protection", switch(*was), switch(true))
    }
}

impl Undo for ProtectStop {
    fn reverse(&self, look: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        if self.was {
            return None;
        }
        let ended = look.instance.state.is_ending();
        Some((Reversal::UnprotectStop(UnprotectStop), flag(look.evidence.stop_protection, ended)))
    }
}

/// Stopping by API is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnprotectStop;

impl Describe for UnprotectStop {
    const LANE: Lane = Lane::Evidence;
    const NAME: &'static str = "disable_stop_protection";
    const OPERATION: &'static str = "ModifyInstanceAttribute";
    const KEY_WORD: &'static str = "modify_instance_attribute";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:ModifyInstanceAttribute"];

    fn resource(&self, instance: &str) -> String {
        format!("{instance}/disableApiStop")
    }

    fn change(&self) -> Change {
        change("stop protection", switch(true), switch(false))
    }
}
