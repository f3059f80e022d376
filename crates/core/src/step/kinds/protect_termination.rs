//! Forbids termination by API.

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

/// Forbids termination by API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectTermination {
    /// The flag before.
    pub was: bool,
}

impl ProtectTermination {
    pub(crate) fn plan(look: &EvidenceLook, instance: &Instance, plan: &mut Plan) {
        let Some(was) = look.termination_protection else { return };
        let outcome = match was {
            true => done("on"),
            false if instance.state.is_over() => skipped(ENDED),
            false if instance.spot => skipped("AWS allows no termination protection on a Spot instance"),
            false => Outcome::Planned,
        };
        plan.add(Self { was }.into(), outcome);
    }
}

impl Describe for ProtectTermination {
    const LANE: Lane = Lane::Evidence;
    const NAME: &'static str = "enable_termination_protection";
    const OPERATION: &'static str = "ModifyInstanceAttribute";
    const KEY_WORD: &'static str = "modify_instance_attribute";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:ModifyInstanceAttribute"];

    fn resource(&self, instance: &str) -> String {
        format!("{instance}/disableApiTermination")
    }

    fn change(&self) -> Change {
        let Self { was } = self;
        change("termination protection", switch(*was), switch(true))
    }
}

impl Undo for ProtectTermination {
    fn reverse(&self, look: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        if self.was {
            return None;
        }
        let ended = look.instance.state.is_ending();
        Some((Reversal::UnprotectTermination(UnprotectTermination), flag(look.evidence.termination_protection, ended)))
    }
}

/// Termination by API is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnprotectTermination;

impl Describe for UnprotectTermination {
    const LANE: Lane = Lane::Evidence;
    const NAME: &'static str = "disable_termination_protection";
    const OPERATION: &'static str = "ModifyInstanceAttribute";
    const KEY_WORD: &'static str = "modify_instance_attribute";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:ModifyInstanceAttribute"];

    fn resource(&self, instance: &str) -> String {
        format!("{instance}/disableApiTermination")
    }

    fn change(&self) -> Change {
        change("termination protection", switch(true), switch(false))
    }
}
