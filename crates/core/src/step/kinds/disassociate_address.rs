//! Takes an elastic address off an interface.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use super::{Describe, Undo, gone};
use crate::{
    model::ids::EniId,
    step::{
        Lane, Outcome, Plan, Reversal,
        change::{Change, Value, change, word},
        done,
        undo::{Look, ReleaseScope},
    },
};

/// Takes an elastic address off an interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisassociateAddress {
    /// The interface.
    pub eni: EniId,
    pub address: Ipv4Addr,
    /// The private address that it stood for.
    pub private: Option<Ipv4Addr>,
    /// `eipalloc-1`.
    pub allocation: String,
    /// `eipassoc-1`.
    pub association: String,
}

impl Describe for DisassociateAddress {
    const LANE: Lane = Lane::Network;
    const NAME: &'static str = "disassociate_address";
    const OPERATION: &'static str = "DisassociateAddress";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:DisassociateAddress"];

    fn resource(&self, _: &str) -> String {
        self.allocation.clone()
    }

    fn change(&self) -> Change {
        let Self { address, allocation, .. } = self;
        change("elastic address", word(format!("{address} ({allocation})")), Value::Nothing)
    }
}

impl Undo for DisassociateAddress {
    const IS_FOLLOW_UP: bool = true;

    fn reverse(&self, look: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        let Self { eni, address, private, allocation, .. } = self;
        let back = Reversal::AssociateAddress(AssociateAddress {
            eni: eni.clone(),
            address: *address,
            private: *private,
            allocation: allocation.clone(),
        });
        let interface = look.instance.interfaces.iter().find(|interface| interface.id == *eni);
        let outcome = match interface {
            None => gone("the interface is no longer attached to the instance"),
            Some(interface) if interface.public.iter().any(|public| public.address == *address) => done("associated"),
            Some(interface) if interface.public.iter().any(|public| !public.assigned && public.private == *private) => {
                gone("another elastic address is there now, which is left alone")
            }
            Some(_) => Outcome::Planned,
        };
        Some((back, outcome))
    }
}

/// The interface gets its elastic address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssociateAddress {
    /// The interface.
    pub eni: EniId,
    pub address: Ipv4Addr,
    /// The private address that it stands for.
    pub private: Option<Ipv4Addr>,
    /// `eipalloc-1`.
    pub allocation: String,
}

impl Describe for AssociateAddress {
    const LANE: Lane = Lane::Network;
    const NAME: &'static str = "associate_address";
    const OPERATION: &'static str = "AssociateAddress";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:AssociateAddress"];

    fn resource(&self, _: &str) -> String {
        self.allocation.clone()
    }

    fn change(&self) -> Change {
        let Self { address, allocation, .. } = self;
        change("elastic address", Value::Nothing, word(format!("{address} ({allocation})")))
    }
}
