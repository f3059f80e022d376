//! Forbids stopping by API.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo, flag};
use crate::step::{
    Lane, Outcome, Plan, Reversal,
    change::{Change, change, switch},
    undo::{Look, ReleaseScope},
};

/// Forbids stopping by API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectStop {
    /// The flag before.
    pub was: bool,
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
