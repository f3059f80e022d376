//! What AWS has, as plain values, one file per service; ids, times, and text that comes from outside. What was seen of an
//! account is a look; what could not be read is a [`Gap`](gap::Gap), never an empty list.

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
mod user;

pub use self::{
    credentials::{Association, CredentialsLook, Role, RoleLook, Undenied, Unresolved},
    evidence::{EvidenceLook, Refusal, Snapshot, Unpreserved},
    fleet::{FleetLook, Membership, Registration, ScalingGroup, Target},
    flow_log::{Destination, Files, FlowLog, Listing},
    instance::{Instance, InstanceState, MetadataOptions, Volume},
    interface::{Exposure, Interface, PublicAddress, Timeouts, vpcs_of},
    rejoin::Rejoin,
    security_group::{Direction, Purpose, Rule, SecurityGroup, Uncut},
    user::{Credential, CredentialKind, KeyUse, Principal, SessionKind, User, deny_all},
};
