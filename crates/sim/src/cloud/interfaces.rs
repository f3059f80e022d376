//! EC2 network interfaces: their groups, idle timeouts and addresses.

use std::net::Ipv4Addr;

use async_trait::async_trait;
use brig_core::{
    model::{
        PublicAddress, Timeouts,
        ids::{EniId, GroupId},
    },
    release::Reversal,
    step::{
        AssociateAddress, Denial, DisassociateAddress, Isolate, RestoreGroups, RestoreTimeouts, ShortenTimeouts, Step,
        UnassignPublicAddress, Untrack,
    },
};
use brig_engine::ports::{Attached, ErrorKind, Interfaces, InterfacesOf, PortResult};

use super::{SimCloud, back, not_found, refused};
use crate::world::{self, World};

#[async_trait]
impl Interfaces for SimCloud {
    async fn describe_network_interfaces(&self, of: InterfacesOf<'_>) -> PortResult<Vec<Attached>> {
        self.read("DescribeNetworkInterfaces", |world| {
            let here = |eni: &&world::Interface| {
                eni.instance.as_ref().is_none_or(|instance| world.place_of(instance) == self.region)
            };
            let wanted = |eni: &&world::Interface| match of {
                InterfacesOf::Instance(id) => eni.instance.as_ref() == Some(id),
                InterfacesOf::Instances(ids) => eni.instance.as_ref().is_some_and(|id| ids.contains(id)),
                InterfacesOf::Trunk(id) => eni.trunk.as_ref() == Some(id),
                InterfacesOf::Group(id) => eni.shown.groups.contains(id),
                InterfacesOf::Ids(ids) => ids.contains(&eni.shown.id),
                InterfacesOf::Address(address) => eni.shown.addresses.contains(&address),
            };
            let attached = world.interfaces.values().filter(here).filter(wanted).map(|eni| Attached {
                interface: eni.shown.clone(),
                instance: eni.instance.as_ref().map(ToString::to_string),
                attached_at: eni.instance.as_ref().and_then(|id| world.instances.get(id)?.shown.launched),
            });
            Ok(attached.collect())
        })
        .await
    }

    async fn modify_network_interface_groups(&self, id: &EniId, groups: &[GroupId]) -> PortResult<()> {
        const OPERATION: &str = "ModifyNetworkInterfaceAttribute";
        let intended = |step: &Step| match step {
            Step::Isolate(Isolate { eni, .. }) | Step::Untrack(Untrack { eni, .. }) => eni == id,
            step => back(step, |back| matches!(back, Reversal::RestoreGroups(RestoreGroups { eni, .. }) if eni == id)),
        };
        self.write(OPERATION, intended, |state| {
            for group in groups {
                let made = state.world.groups.get(group).map(|(_, made)| *made);
                if !made.is_some_and(|made| state.is_known(made)) {
                    return Err(not_found(OPERATION, "InvalidGroup.NotFound"));
                }
            }
            if state.world.interfaces.get(id).is_some_and(|eni| eni.managed) {
                return Err(refused(OPERATION, ErrorKind::Denied(Denial::Managed), "AuthFailure"));
            }
            let (names, now) = (names(&state.world, groups), state.now);
            let Some(mut eni) = state.world.interfaces.get(id).cloned() else {
                return Err(not_found(OPERATION, "InvalidNetworkInterfaceID.NotFound"));
            };
            if names.iter().any(|name| name.starts_with("brig-untrack")) && !(eni.was_cut || state.world.is_cut(&eni)) {
                state.violations.push(format!("{id} was opened without having been isolated"));
            }
            eni.shown.groups = groups.to_vec();
            let cut = state.world.is_cut(&eni);
            eni.was_cut |= cut;
            eni.cut_since = if cut { eni.cut_since.or(Some(now)) } else { None };
            state.world.interfaces.insert(id.clone(), eni);
            Ok(())
        })
        .await
    }

    async fn modify_network_interface_timeouts(&self, id: &EniId, timeouts: &Timeouts) -> PortResult<()> {
        const OPERATION: &str = "ModifyNetworkInterfaceAttribute";
        let intended = |step: &Step| match step {
            Step::ShortenTimeouts(ShortenTimeouts { eni, .. }) => eni == id,
            step => {
                back(step, |back| matches!(back, Reversal::RestoreTimeouts(RestoreTimeouts { eni, .. }) if eni == id))
            }
        };
        self.write(OPERATION, intended, |state| {
            if !state.world.takes_timeouts {
                return Err(refused(OPERATION, ErrorKind::Unsupported, "UnsupportedOperation"));
            }
            let Some(eni) = state.world.interfaces.get_mut(id) else {
                return Err(not_found(OPERATION, "InvalidNetworkInterfaceID.NotFound"));
            };
            eni.shown.timeouts = *timeouts;
            Ok(())
        })
        .await
    }

    async fn unassign_public_address(&self, id: &EniId) -> PortResult<()> {
        const OPERATION: &str = "ModifyNetworkInterfaceAttribute";
        let intended =
            |step: &Step| matches!(step, Step::UnassignPublicAddress(UnassignPublicAddress { eni, .. }) if eni == id);
        self.write(OPERATION, intended, |state| match state.world.interfaces.get_mut(id) {
            Some(eni) => {
                eni.shown.public.retain(|public| !public.assigned);
                Ok(())
            }
            None => Err(not_found(OPERATION, "InvalidNetworkInterfaceID.NotFound")),
        })
        .await
    }

    async fn disassociate_address(&self, id: &str) -> PortResult<()> {
        const OPERATION: &str = "DisassociateAddress";
        let intended = |step: &Step| matches!(step, Step::DisassociateAddress(DisassociateAddress { association, .. }) if association == id);
        self.write(OPERATION, intended, |state| {
            for eni in state.world.interfaces.values_mut() {
                let ours = |public: &PublicAddress| public.elastic.as_ref().is_some_and(|(_, held)| held == id);
                if let Some(at) = eni.shown.public.iter().position(ours) {
                    let public = eni.shown.public.remove(at);
                    if let Some((allocation, _)) = public.elastic.clone() {
                        state.world.addresses.insert(allocation, public);
                    }
                    return Ok(());
                }
            }
            Err(not_found(OPERATION, "InvalidAssociationID.NotFound"))
        })
        .await
    }

    async fn associate_address(&self, id: &EniId, allocation: &str, private: Option<Ipv4Addr>) -> PortResult<()> {
        const OPERATION: &str = "AssociateAddress";
        let intended = |step: &Step| {
            back(step, |back| matches!(back, Reversal::AssociateAddress(AssociateAddress { eni, .. }) if eni == id))
        };
        self.write(OPERATION, intended, |state| {
            let Some(public) = state.world.addresses.remove(allocation) else {
                return Err(refused(OPERATION, ErrorKind::Other, "Resource.AlreadyAssociated"));
            };
            let association = state.world.id("eipassoc");
            let Some(eni) = state.world.interfaces.get_mut(id) else {
                return Err(not_found(OPERATION, "InvalidNetworkInterfaceID.NotFound"));
            };
            let elastic = Some((allocation.to_owned(), association));
            eni.shown.public.push(PublicAddress { private, elastic, ..public });
            Ok(())
        })
        .await
    }
}

fn names(world: &World, groups: &[GroupId]) -> Vec<String> {
    groups.iter().filter_map(|id| world.groups.get(id)).map(|(group, _)| group.name.clone()).collect()
}
