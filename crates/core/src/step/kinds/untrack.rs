//! Opens an isolated interface for the untrack window and isolates it again.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo};
use crate::{
    model::ids::EniId,
    step::{
        GroupRef, Lane, Outcome, Plan, Reversal,
        change::{Change, change, group, word},
        undo::{Look, ReleaseScope},
    },
};

/// Opens an isolated interface for the untrack window and isolates it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Untrack {
    /// The interface.
    pub eni: EniId,
    /// The untrack group of its VPC.
    pub untrack: GroupRef,
    /// The isolation group of its VPC.
    pub isolation: GroupRef,
    /// Seconds between the two calls.
    pub seconds: u32,
}

impl Describe for Untrack {
    const LANE: Lane = Lane::Network;
    const NAME: &'static str = "untrack";
    const OPERATION: &'static str = "ModifyNetworkInterfaceAttribute";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:ModifyNetworkInterfaceAttribute"];

    fn resource(&self, _: &str) -> String {
        self.eni.to_string()
    }

    fn change(&self) -> Change {
        let Self { untrack, isolation, seconds, .. } = self;
        let after = format!("{} for {seconds} s, then {}", group(untrack), group(isolation));
        change("groups", group(isolation), word(after))
    }
}

impl Undo for Untrack {
    fn reverse(&self, _: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        // It ends isolated, and `Isolate` gives that back.
        None
    }
}
