//! What was seen of the account, as plain values: the first look that the cut is planned from, and each lane's own look.
//! What could not be read is a [`Gap`], never an empty list.

pub mod console;
mod credentials;
pub mod deny_policy;
mod evidence;
mod fleet;
mod flow_log;
pub mod gap;
pub mod ids;
mod instance;
mod interface;
pub mod network_acl;
pub mod node;
pub mod reach;
mod rejoin;
mod security_group;
pub mod tags;
pub mod text;
pub mod timestamp;

pub use self::{
    credentials::{Association, CredentialsLook, Role, RoleLook, Undenied, Unresolved},
    evidence::{EvidenceLook, Refusal, Snapshot, Unpreserved},
    fleet::{FleetLook, Membership, Registration, ScalingGroup, Target},
    flow_log::{Destination, Files, FlowLog, Listing},
    instance::{Instance, InstanceState, MetadataOptions, Volume},
    interface::{Exposure, Interface, PublicAddress, Timeouts, vpcs_of},
    rejoin::Rejoin,
    security_group::{Direction, Purpose, Rule, SecurityGroup, Uncut},
};
