//! AWS no longer moves the instance to other hardware by itself, which loses its memory.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo, setting};
use crate::{
    model::Instance,
    step::{
        ENDED, Lane, Outcome, Plan, Reversal,
        change::{Change, change, word},
        done, skipped,
        undo::{Look, ReleaseScope},
    },
};

/// AWS no longer moves the instance to other hardware by itself, which loses its memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisableAutoRecovery {
    /// The setting before.
    pub was: String,
}

impl DisableAutoRecovery {
    pub(crate) fn plan(instance: &Instance, plan: &mut Plan) {
        let Some(was) = &instance.auto_recovery else { return };
        let outcome = match was.as_str() {
            "disabled" => done("disabled"),
            _ if instance.state.is_over() => skipped(ENDED),
            _ => Outcome::Planned,
        };
        plan.add(Self { was: was.clone() }.into(), outcome);
    }
}

impl Describe for DisableAutoRecovery {
    const LANE: Lane = Lane::Evidence;
    const NAME: &'static str = "disable_auto_recovery";
    const OPERATION: &'static str = "ModifyInstanceMaintenanceOptions";
    const KEY_WORD: &'static str = "modify_instance_maintenance_options";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:ModifyInstanceMaintenanceOptions"];

    fn resource(&self, instance: &str) -> String {
        instance.to_owned()
    }

    fn change(&self) -> Change {
        let Self { was } = self;
        change("automatic recovery", word(was), word("disabled"))
    }
}

impl Undo for DisableAutoRecovery {
    fn reverse(&self, look: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        let instance = look.instance;
        let ended = instance.state.is_ending();
        let Self { was } = self;
        let outcome = setting(instance.auto_recovery.as_deref(), was, "disabled", ended);
        Some((Reversal::RestoreAutoRecovery(RestoreAutoRecovery { setting: was.clone() }), outcome))
    }
}

/// AWS moves the instance by itself again where its hardware fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreAutoRecovery {
    pub setting: String,
}

impl Describe for RestoreAutoRecovery {
    const LANE: Lane = Lane::Evidence;
    const NAME: &'static str = "restore_auto_recovery";
    const OPERATION: &'static str = "ModifyInstanceMaintenanceOptions";
    const KEY_WORD: &'static str = "modify_instance_maintenance_options";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:ModifyInstanceMaintenanceOptions"];

    fn resource(&self, instance: &str) -> String {
        instance.to_owned()
    }

    fn change(&self) -> Change {
        let Self { setting } = self;
        change("automatic recovery", word("disabled"), word(setting))
    }
}
