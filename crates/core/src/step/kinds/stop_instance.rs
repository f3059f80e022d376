//! Stops the instance.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo, gone};
use crate::{
    model::{Instance, InstanceState},
    step::{
        Failure, Lane, Outcome, Plan, Reversal,
        change::{Change, change, word},
        done,
        undo::{Look, ReleaseScope},
    },
};

/// Stops the instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopInstance {
    /// It is asked to hibernate.
    pub hibernate: bool,
    /// Stop protection is Brig's own, and is lifted for it.
    pub lift: bool,
}

impl Describe for StopInstance {
    const LANE: Lane = Lane::Evidence;
    const NAME: &'static str = "stop_instances";
    const OPERATION: &'static str = "StopInstances";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:ModifyInstanceAttribute", "ec2:StopInstances"];

    fn resource(&self, instance: &str) -> String {
        instance.to_owned()
    }

    fn change(&self) -> Change {
        let Self { hibernate, .. } = self;
        change("instance", word("running"), word(if *hibernate { "hibernated" } else { "stopped" }))
    }
}

impl Undo for StopInstance {
    const IS_FOLLOW_UP: bool = true;

    fn reverse(&self, look: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        let instance = look.instance;
        let outcome = match instance.state {
            InstanceState::ShuttingDown | InstanceState::Terminated => gone("the instance is gone"),
            InstanceState::Running => {
                done("it runs; if it was stopped, a public address that AWS had assigned is another one now")
            }
            InstanceState::Stopped if look.starts >= MOST_STARTS => stops_again(instance),
            InstanceState::Stopped | InstanceState::Stopping | InstanceState::Pending | InstanceState::Unknown => {
                Outcome::Planned
            }
        };
        Some((Reversal::StartInstance(StartInstance), outcome))
    }
}

/// The instance runs again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartInstance;

impl Describe for StartInstance {
    const LANE: Lane = Lane::Evidence;
    const NAME: &'static str = "start_instances";
    const OPERATION: &'static str = "StartInstances";
    // Volumes that a key of the customer's encrypts are opened by a grant of the caller's.
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:StartInstances", "kms:CreateGrant"];

    fn resource(&self, instance: &str) -> String {
        instance.to_owned()
    }

    fn change(&self) -> Change {
        change("instance", word("stopped"), word("running"))
    }
}

/// How often an instance is started that stops again, or does not show yet that it starts.
const MOST_STARTS: usize = 4;

fn stops_again(instance: &Instance) -> Outcome {
    let reason = instance.state_reason.as_deref().unwrap_or("none given");
    let error = format!(
        "it was started several times and is stopped (EC2's state reason: {reason}); where a key of your own encrypts its volumes, the releasing role needs kms:CreateGrant in that key's policy"
    );
    Outcome::Failed(Failure::lasting(error))
}
