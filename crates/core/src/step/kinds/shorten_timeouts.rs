//! Sets an interface's idle timeouts of connection tracking to their least.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo, gone};
use crate::{
    model::{Timeouts, ids::EniId},
    step::{
        Lane, Outcome, Plan, Reversal,
        change::{Change, Value, change},
        done,
        undo::{Look, ReleaseScope},
    },
};

/// Sets an interface's idle timeouts of connection tracking to their least.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShortenTimeouts {
    /// The interface.
    pub eni: EniId,
    /// Its own timeouts before.
    pub was: Timeouts,
}

impl Describe for ShortenTimeouts {
    const LANE: Lane = Lane::Network;
    const NAME: &'static str = "shorten_idle_timeouts";
    const OPERATION: &'static str = "ModifyNetworkInterfaceAttribute";
    const KEY_WORD: &'static str = "modify_network_interface_attribute";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:ModifyNetworkInterfaceAttribute"];

    fn resource(&self, _: &str) -> String {
        let Self { eni, .. } = self;
        format!("{eni}/connectionTracking")
    }

    fn change(&self) -> Change {
        let Self { was, .. } = self;
        change("idle timeouts", Value::Timeouts(*was), Value::Timeouts(Timeouts::LEAST))
    }
}

impl Undo for ShortenTimeouts {
    const IS_FOLLOW_UP: bool = true;

    fn reverse(&self, look: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        let Self { eni, was } = self;
        Some(timeouts(eni, *was, look))
    }
}

/// The interface gets its own idle timeouts, or its type's where it had none: AWS has no way to unset them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreTimeouts {
    /// The interface.
    pub eni: EniId,
    /// The timeouts, all of them.
    pub timeouts: Timeouts,
}

impl Describe for RestoreTimeouts {
    const LANE: Lane = Lane::Network;
    const NAME: &'static str = "restore_idle_timeouts";
    const OPERATION: &'static str = "ModifyNetworkInterfaceAttribute";
    const KEY_WORD: &'static str = "modify_network_interface_attribute";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:ModifyNetworkInterfaceAttribute"];

    fn resource(&self, _: &str) -> String {
        let Self { eni, .. } = self;
        format!("{eni}/connectionTracking")
    }

    fn change(&self) -> Change {
        let Self { timeouts, .. } = self;
        change("idle timeouts", Value::Timeouts(Timeouts::LEAST), Value::Timeouts(*timeouts))
    }
}

fn timeouts(eni: &EniId, was: Timeouts, look: &Look<'_>) -> (Reversal, Outcome) {
    let timeouts = was.or(look.defaults).or(Timeouts::USUAL);
    let back = Reversal::RestoreTimeouts(RestoreTimeouts { eni: eni.clone(), timeouts });
    let interface = look.instance.interfaces.iter().find(|interface| interface.id == *eni);
    let outcome = match interface.map(|interface| interface.timeouts) {
        None => gone("the interface is no longer attached to the instance"),
        Some(now) if now == was || now == timeouts => done("its own timeouts"),
        Some(now) if now == Timeouts::LEAST => Outcome::Planned,
        Some(_) => gone("it has other timeouts now, which are left alone"),
    };
    (back, outcome)
}
