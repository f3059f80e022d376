//! Public and elastic addresses.

use brig_core::step::{AssociateAddress, DisassociateAddress, Outcome, UnassignPublicAddress};

use super::{Effect, FollowUp, Release, added, outcome};
use crate::ports::ErrorKind;

impl<'r> Effect<'r> for DisassociateAddress {
    type Room = FollowUp<'r>;

    async fn run(&self, room: FollowUp<'r>) -> Outcome {
        let Self { association, address, .. } = self;
        match room.disassociate_address(association).await {
            // It was there at the look: an earlier try whose answer was lost took it off.
            Err(error) if error.kind == ErrorKind::NotFound => {
                Outcome::Changed(format!("{address}; no longer associated when asked again").into())
            }
            answer => added(answer, format!("{address}; AWS may assign the interface an address of its own instead")),
        }
    }
}

impl<'r> Effect<'r> for AssociateAddress {
    type Room = Release<'r>;

    async fn run(&self, room: Release<'r>) -> Outcome {
        let Release { lanes, .. } = room;
        let Self { eni, allocation, private, .. } = self;
        match lanes.network.associate_address(eni, allocation, *private).await {
            // It is in other hands.
            Err(error) if error.is_refusal() => Outcome::Missing(format!("{error}: it stays off").into()),
            answer => outcome(answer, "the address or the interface is gone"),
        }
    }
}

impl<'r> Effect<'r> for UnassignPublicAddress {
    type Room = FollowUp<'r>;

    async fn run(&self, room: FollowUp<'r>) -> Outcome {
        let Self { eni, address } = self;
        added(room.unassign_public_address(eni).await, format!("{address}, which does not come back"))
    }
}
