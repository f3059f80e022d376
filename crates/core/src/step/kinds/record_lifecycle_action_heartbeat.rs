//! Holds an instance that its group is terminating, by another heartbeat of the hook that holds it.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo};
use crate::{
    model::{FleetLook, Membership},
    step::{
        Lane, Outcome, Plan, Reversal,
        change::{Change, change, word},
        undo::{Look, ReleaseScope},
    },
};

/// Holds an instance that its group is terminating, by another heartbeat of the hook that holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordLifecycleActionHeartbeat {
    /// The group's name.
    pub group: String,
    /// The hook's name.
    pub hook: String,
}

impl RecordLifecycleActionHeartbeat {
    /// Each hook that holds it on its way out is asked to hold it longer.
    pub(crate) fn plan(look: &FleetLook, plan: &mut Plan) {
        let Some(Membership { group, state, .. }) = &look.membership else { return };
        for hook in look.own.hooks.iter().filter(|_| state == "Terminating:Wait") {
            plan.add(Self { group: group.clone(), hook: hook.clone() }.into(), Outcome::Planned);
        }
    }
}

impl Describe for RecordLifecycleActionHeartbeat {
    const LANE: Lane = Lane::Fleet;
    const NAME: &'static str = "record_lifecycle_action_heartbeat";
    const OPERATION: &'static str = "RecordLifecycleActionHeartbeat";
    const IAM_ACTIONS: &'static [&'static str] = &["autoscaling:RecordLifecycleActionHeartbeat"];

    fn resource(&self, _: &str) -> String {
        let Self { group, hook } = self;
        format!("{group}/{hook}")
    }

    fn change(&self) -> Change {
        change("lifecycle hook", word("waiting"), word("waiting for another heartbeat timeout"))
    }
}

impl Undo for RecordLifecycleActionHeartbeat {
    fn reverse(&self, _: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        // It only bought time.
        None
    }
}
