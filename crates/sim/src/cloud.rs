//! AWS's operations on the world, as the engine's port names them. Every change is checked against the ledger: one whose
//! intent is not on record is a violation.

use std::sync::Arc;

use async_trait::async_trait;
use brig_core::{
    model::{
        InstanceState,
        ids::{AccountId, InstanceId, Region, RoleName},
    },
    release::Reversal,
    step::Step,
};
use brig_engine::ports::{Cloud, CloudError, Clouds, ErrorKind, PortResult, Unreachable, View};

use crate::{
    sim::{Sim, State},
    world::{self, World},
};

mod auto_scaling;
mod detection;
mod flow_logs;
mod iam;
mod instance_credentials;
mod instances;
mod interfaces;
mod load_balancers;
mod network_acls;
mod probes;
mod security_groups;
mod snapshots;
mod surroundings;
pub(crate) mod users;

/// The session that CloudTrail names for Brig's own calls.
pub const OWN_SESSION: &str = "arn:aws:sts::123456789012:assumed-role/brig-contain/brig-contain";

pub(crate) struct SimClouds {
    pub(crate) sim: Arc<Sim>,
    pub(crate) process: usize,
}

#[async_trait]
impl Clouds for SimClouds {
    async fn open(&self, _: &AccountId, region: &Region, _: View, _: &str) -> Result<Arc<dyn Cloud>, Unreachable> {
        Ok(Arc::new(SimCloud { sim: Arc::clone(&self.sim), process: self.process, region: region.clone() }))
    }

    async fn is_own(&self, by: &str, _: Option<&str>) -> PortResult<bool> {
        Ok(by == OWN_SESSION)
    }

    async fn is_own_role(&self, _: &AccountId, role: &RoleName) -> PortResult<bool> {
        Ok(OWN_SESSION.to_lowercase().contains(&format!(":assumed-role/{role}/").to_lowercase()))
    }
}

struct SimCloud {
    sim: Arc<Sim>,
    process: usize,
    region: Region,
}

impl SimCloud {
    async fn read<T>(&self, operation: &'static str, look: impl FnOnce(&World) -> PortResult<T>) -> PortResult<T> {
        self.sim.call(self.process, operation, false, |state| look(&state.view())).await
    }

    async fn write<T>(
        &self,
        operation: &'static str,
        intended: impl Fn(&Step) -> bool,
        effect: impl FnOnce(&mut State) -> PortResult<T>,
    ) -> PortResult<T> {
        self.sim
            .call(self.process, operation, true, |state| {
                if !state.tables.steps().any(|record| intended(&record.step)) {
                    state.violations.push(format!("{operation} without a record of its intent"));
                }
                effect(state)
            })
            .await
    }
}

fn not_found(operation: &'static str, code: &str) -> CloudError {
    CloudError { operation, kind: ErrorKind::NotFound, code: code.to_owned(), message: "it is not there".to_owned() }
}

fn refused(operation: &'static str, kind: ErrorKind, code: &str) -> CloudError {
    CloudError { operation, kind, code: code.to_owned(), message: "AWS refuses".to_owned() }
}

fn back(step: &Step, is: impl Fn(&Reversal) -> bool) -> bool {
    matches!(step, Step::GiveBack(back) if is(back))
}

impl SimCloud {
    async fn on_instance(
        &self,
        operation: &'static str,
        id: &InstanceId,
        intended: impl Fn(&Step) -> bool,
        change: impl FnOnce(&mut world::Instance) -> PortResult<()>,
    ) -> PortResult<()> {
        self.on_attribute(operation, operation, id, intended, change).await
    }

    /// The same for an attribute that EC2 may not take.
    async fn on_attribute(
        &self,
        operation: &'static str,
        attribute: &'static str,
        id: &InstanceId,
        intended: impl Fn(&Step) -> bool,
        change: impl FnOnce(&mut world::Instance) -> PortResult<()>,
    ) -> PortResult<()> {
        self.write(operation, intended, |state| {
            let unsupported = state.world.unsupported.contains(attribute);
            match state.world.instances.get_mut(id) {
                Some(instance) if instance.shown.state == InstanceState::Terminated => {
                    Err(refused(operation, ErrorKind::Conflict, "IncorrectInstanceState"))
                }
                Some(_) if unsupported => Err(refused(operation, ErrorKind::Unsupported, "UnsupportedOperation")),
                Some(instance) => change(instance),
                None => Err(not_found(operation, "InvalidInstanceID.NotFound")),
            }
        })
        .await
    }
}
