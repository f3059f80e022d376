//! Gives up the public address that AWS assigned to an interface; it does not come back.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use super::{Describe, Undo};
use crate::{
    model::ids::EniId,
    step::{
        Lane, Note, Outcome, Plan, Reversal,
        change::{Change, change, word},
        undo::{Look, ReleaseScope},
    },
};

/// Gives up the public address that AWS assigned to an interface; it does not come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnassignPublicAddress {
    /// The interface.
    pub eni: EniId,
    pub address: Ipv4Addr,
}

impl Describe for UnassignPublicAddress {
    const LANE: Lane = Lane::Network;
    const NAME: &'static str = "unassign_public_address";
    const OPERATION: &'static str = "ModifyNetworkInterfaceAttribute";
    const KEY_WORD: &'static str = "modify_network_interface_attribute";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:ModifyNetworkInterfaceAttribute"];

    fn resource(&self, _: &str) -> String {
        let Self { eni, .. } = self;
        format!("{eni}/associatePublicIpAddress")
    }

    fn change(&self) -> Change {
        let Self { address, .. } = self;
        change("public address", word(address.to_string()), word("none; AWS does not give it back"))
    }
}

impl Undo for UnassignPublicAddress {
    const IS_FOLLOW_UP: bool = true;

    fn reverse(&self, _: &Look<'_>, _: ReleaseScope, plan: &mut Plan) -> Option<(Reversal, Outcome)> {
        let Self { eni, address } = self;
        plan.note(Note::AddressLost { eni: eni.clone(), address: *address });
        None
    }
}
