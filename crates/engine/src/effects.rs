//! What each step does to AWS, and what gives it back: effect and undo of a kind stand together, in the file of the service
//! that they change. A kind without an effect does not compile.

use std::collections::BTreeSet;

use brig_core::{
    model::ids::EniId,
    step::{Failure, Outcome, Reversal, Step},
};

use crate::{
    engine::Lanes,
    lanes::{credentials::Refused, evidence::Made, network::NetworkLane},
    ports::{
        AttributeChange, CredentialsPorts, ErrorKind, EvidencePorts, FleetPorts, Interfaces, NetworkAcls, PortResult,
        SecurityGroups, UserPorts,
    },
    work::{Work, applied, failed, failed_for_now},
};

mod addresses;
mod auto_scaling;
mod interfaces;
mod load_balancers;
mod metadata;
mod network_acls;
mod profiles;
mod protections;
mod roles;
mod security_groups;
mod snapshots;
mod stop;
mod tags;
mod users;
mod volumes;

/// Where steps run: a lane, with what it remembers while it runs, or what comes after the cut.
#[derive(Clone, Copy)]
pub(crate) enum Room<'r> {
    Network(Network<'r>),
    Untracking(Untracking<'r>),
    FollowUp(FollowUp<'r>),
    Access(Access<'r>),
    Acls(Acls<'r>),
    Credentials(Credentials<'r>),
    Fleet(Fleet<'r>),
    Evidence(Evidence<'r>),
    Stopping(Stopping<'r>),
    Principals(Principals<'r>),
    Release(Release<'r>),
}

pub(crate) type Network<'r> = &'r NetworkLane<'r>;
pub(crate) type FollowUp<'r> = &'r dyn Interfaces;
pub(crate) type Principals<'r> = &'r dyn UserPorts;
pub(crate) type Access<'r> = &'r dyn SecurityGroups;

/// The network lane, and the interfaces that it has isolated in groups without a rule.
#[derive(Clone, Copy)]
pub(crate) struct Untracking<'r> {
    pub(crate) lane: &'r NetworkLane<'r>,
    pub(crate) closed: &'r BTreeSet<EniId>,
}

#[derive(Clone, Copy)]
pub(crate) struct Acls<'r> {
    pub(crate) work: &'r Work<'r>,
    pub(crate) cloud: &'r dyn NetworkAcls,
}

#[derive(Clone, Copy)]
pub(crate) struct Credentials<'r> {
    pub(crate) work: &'r Work<'r>,
    pub(crate) cloud: &'r dyn CredentialsPorts,
    pub(crate) refused: &'r Refused,
}

#[derive(Clone, Copy)]
pub(crate) struct Fleet<'r> {
    pub(crate) work: &'r Work<'r>,
    pub(crate) cloud: &'r dyn FleetPorts,
}

#[derive(Clone, Copy)]
pub(crate) struct Evidence<'r> {
    pub(crate) work: &'r Work<'r>,
    pub(crate) cloud: &'r dyn EvidencePorts,
    pub(crate) made: &'r Made,
}

#[derive(Clone, Copy)]
pub(crate) struct Stopping<'r> {
    pub(crate) work: &'r Work<'r>,
    pub(crate) cloud: &'r dyn EvidencePorts,
}

/// A release gives back what every lane did, each through that lane's own client.
#[derive(Clone, Copy)]
pub(crate) struct Release<'r> {
    pub(crate) work: &'r Work<'r>,
    pub(crate) lanes: &'r Lanes,
}

/// A room of one kind.
pub(crate) trait Enter<'r>: Sized {
    /// The room, if it is of this kind.
    fn enter(room: Room<'r>) -> Option<Self>;
}

macro_rules! rooms {
    ($($room:ident)*) => {
        $(impl<'room> Enter<'room> for $room<'room> {
            fn enter(room: Room<'room>) -> Option<Self> {
                if let Room::$room(room) = room { Some(room) } else { None }
            }
        })*
    };
}
rooms!(Network Untracking FollowUp Access Acls Credentials Fleet Evidence Stopping Principals Release);

/// What a kind of step does.
pub(crate) trait Effect<'r> {
    /// Where it runs.
    type Room: Enter<'r>;
    /// Runs it, and says what it found.
    async fn run(&self, room: Self::Room) -> Outcome;
}

async fn run_in<'r, E: Effect<'r>>(effect: &E, room: Room<'r>) -> Outcome {
    match E::Room::enter(room) {
        Some(room) => Box::pin(effect.run(room)).await,
        // A lane planned another lane's step: a bug, which must not pass for done.
        None => Outcome::Failed(Failure::lasting("it was planned where it cannot run")),
    }
}

macro_rules! dispatch_steps {
    ($($kind:ident)*) => {
        /// Runs a step.
        pub(crate) async fn run(step: &Step, room: Room<'_>) -> Outcome {
            match step {
                $(Step::$kind(step) => run_in(step, room).await,)*
                Step::GiveBack(back) => give_back(back, room).await,
            }
        }
    };
}
brig_core::for_each_step!(dispatch_steps);

macro_rules! dispatch_reversals {
    ($($variant:ident($_kind:ident))*) => {
        async fn give_back(back: &Reversal, room: Room<'_>) -> Outcome {
            match back {
                $(Reversal::$variant(back) => run_in(back, room).await,)*
            }
        }
    };
}
brig_core::for_each_reversal!(dispatch_reversals);

const GONE: &str = "the instance is gone";

/// An attribute that preserves the instance. What AWS does not take for it costs the step and nothing else.
async fn protect(room: Evidence<'_>, change: AttributeChange, was: String) -> Outcome {
    let Evidence { work, cloud, .. } = room;
    applied(cloud.modify_instance_attribute(work.id(), &change).await, was, GONE)
}

async fn modify(room: Release<'_>, change: AttributeChange) -> PortResult<()> {
    room.lanes.evidence.modify_instance_attribute(room.work.id(), &change).await
}

fn outcome(answer: PortResult<()>, missing: &str) -> Outcome {
    match answer {
        Ok(()) => Outcome::changed(),
        Err(error) if error.kind == ErrorKind::NotFound => Outcome::Missing(missing.into()),
        Err(error) => failed(&error),
    }
}

/// The outcome of what is added after the cut: a refusal that trying again cannot change costs the step, and nothing else.
fn added(answer: PortResult<()>, done: String) -> Outcome {
    match answer {
        Ok(()) => Outcome::Changed(done.into()),
        Err(error) if error.kind == ErrorKind::NotFound => Outcome::Missing("it is gone".into()),
        Err(error) if error.is_refusal() => Outcome::Skipped(format!("AWS does not support this here: {error}").into()),
        // Another change of the same thing is under way.
        Err(error) if error.kind == ErrorKind::Conflict => failed_for_now(&error),
        Err(error) => failed(&error),
    }
}
