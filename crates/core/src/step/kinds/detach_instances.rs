//! Takes the instance out of its Auto Scaling group, which replaces it.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo, gone, unread};
use crate::{
    model::{FleetLook, Membership, Rejoin},
    step::{
        Lane, Note, Outcome, Plan, Reversal,
        change::{Change, Value, change, word},
        done, skipped,
        undo::{Look, ReleaseScope},
    },
};

/// Takes the instance out of its Auto Scaling group, which replaces it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetachInstances {
    /// The group's name.
    pub group: String,
    /// Its lifecycle state before.
    pub was: String,
    /// Whether it was protected from scale-in.
    pub protected: bool,
}

impl DetachInstances {
    /// States on the way to a detachable one are waited for, those on the way out are final
    /// (<https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html>).
    /// Plans it by a look at the group as its owner left it.
    pub(crate) fn plan(look: &FleetLook, plan: &mut Plan) {
        let Some(Membership { group, state, protected }) = &look.membership else { return };
        let outcome = if state.starts_with("Detach") {
            done(state)
        } else if Membership::is_terminating(state) {
            skipped(format!("{state}: its group is terminating it, and AWS no longer detaches it"))
        } else if state.starts_with("Warmed") {
            skipped(format!(
                "{state}: AWS detaches no instance from a warm pool; its group may still use or terminate it"
            ))
        } else {
            Outcome::Planned
        };
        if *protected {
            plan.note(Note::ProtectionEnds { group: group.clone() });
        }
        plan.add(Self { group: group.clone(), was: state.clone(), protected: *protected }.into(), outcome);
    }
}

impl Describe for DetachInstances {
    const LANE: Lane = Lane::Fleet;
    const NAME: &'static str = "detach_instances";
    const OPERATION: &'static str = "DetachInstances";
    const IAM_ACTIONS: &'static [&'static str] = &["autoscaling:DetachInstances"];

    fn resource(&self, _: &str) -> String {
        self.group.clone()
    }

    fn change(&self) -> Change {
        let Self { was, protected, .. } = self;
        let protected = if *protected { ", protected from scale-in" } else { "" };
        change("membership", word(format!("{was}{protected}")), word("detached; the group may replace it"))
    }
}

impl Undo for DetachInstances {
    fn reverse(&self, look: &Look<'_>, whole: ReleaseScope, plan: &mut Plan) -> Option<(Reversal, Outcome)> {
        let instance = look.instance;
        let ended = instance.state.is_ending();
        let Self { group, .. } = self;
        let outcome = match look.membership {
            _ if ended => gone("the instance is gone"),
            None if whole.rejoin == Rejoin::Yes => unread(),
            Some(Some(now)) if now.group == *group => done("a member"),
            Some(Some(now)) => gone(&format!("it is in the group {} now", now.group)),
            Some(None) if whole.rejoin == Rejoin::Yes => Outcome::Planned,
            None | Some(None) => {
                plan.note(Note::StaysOut { group: group.clone() });
                return None;
            }
        };
        Some((Reversal::AttachInstances(AttachInstances { group: group.clone() }), outcome))
    }
}

/// The instance joins its Auto Scaling group again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachInstances {
    /// The group's name.
    pub group: String,
}

impl Describe for AttachInstances {
    const LANE: Lane = Lane::Fleet;
    const NAME: &'static str = "attach_instances";
    const OPERATION: &'static str = "AttachInstances";
    const IAM_ACTIONS: &'static [&'static str] = &["autoscaling:AttachInstances"];

    fn resource(&self, _: &str) -> String {
        self.group.clone()
    }

    fn change(&self) -> Change {
        change("membership", Value::Nothing, word("a member; the desired capacity rises by one"))
    }
}
