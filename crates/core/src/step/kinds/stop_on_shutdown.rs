//! A shutdown from inside stops the instance and keeps its disks.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo, setting};
use crate::{
    model::{EvidenceLook, Instance},
    step::{
        ENDED, Lane, Outcome, Plan, Reversal,
        change::{Change, change, word},
        done, skipped,
        undo::{Look, ReleaseScope},
    },
};

/// A shutdown from inside stops the instance and keeps its disks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopOnShutdown {
    /// The behaviour before.
    pub was: String,
}

impl StopOnShutdown {
    pub(crate) fn plan(look: &EvidenceLook, instance: &Instance, plan: &mut Plan) {
        let Some(was) = &look.shutdown_behavior else { return };
        let outcome = match was.as_str() {
            "stop" => done("stop"),
            _ if instance.state.is_over() => skipped(ENDED),
            _ if !instance.ebs_root => skipped("an instance-store root cannot be stopped"),
            _ => Outcome::Planned,
        };
        plan.add(Self { was: was.clone() }.into(), outcome);
    }
}

impl Describe for StopOnShutdown {
    const LANE: Lane = Lane::Evidence;
    const NAME: &'static str = "stop_on_shutdown";
    const OPERATION: &'static str = "ModifyInstanceAttribute";
    const KEY_WORD: &'static str = "modify_instance_attribute";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:ModifyInstanceAttribute"];

    fn resource(&self, instance: &str) -> String {
        format!("{instance}/instanceInitiatedShutdownBehavior")
    }

    fn change(&self) -> Change {
        let Self { was } = self;
        change("shutdown behavior", word(was), word("stop"))
    }
}

impl Undo for StopOnShutdown {
    fn reverse(&self, look: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        let ended = look.instance.state.is_ending();
        let Self { was } = self;
        let outcome = setting(look.evidence.shutdown_behavior.as_deref(), was, "stop", ended);
        Some((Reversal::RestoreShutdown(RestoreShutdown { behavior: was.clone() }), outcome))
    }
}

/// A shutdown from inside does what it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreShutdown {
    /// `stop` or `terminate`.
    pub behavior: String,
}

impl Describe for RestoreShutdown {
    const LANE: Lane = Lane::Evidence;
    const NAME: &'static str = "restore_shutdown_behavior";
    const OPERATION: &'static str = "ModifyInstanceAttribute";
    const KEY_WORD: &'static str = "modify_instance_attribute";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:ModifyInstanceAttribute"];

    fn resource(&self, instance: &str) -> String {
        format!("{instance}/instanceInitiatedShutdownBehavior")
    }

    fn change(&self) -> Change {
        let Self { behavior } = self;
        change("shutdown behavior", word("stop"), word(behavior))
    }
}
