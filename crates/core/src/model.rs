//! What AWS has, as plain values, one file per service; ids, times, and text that comes from outside. What was seen of an
//! account is a look; what could not be read is a [`Gap`](gap::Gap), never an empty list.

pub mod console;
mod credentials;
pub mod deny_policy;
mod evidence;
mod fleet;
mod flow_log;
pub mod gap;
mod holder;
pub mod ids;
mod instance;
mod interface;
pub mod network_acl;
pub mod node;
pub mod reach;
mod reached;
mod rejoin;
mod security_group;
mod shown_key;
pub mod tags;
pub mod text;
pub mod timestamp;
mod user;

pub use self::{
    credentials::{Association, CredentialsLook, Role, RoleLook, Undenied, Unresolved},
    evidence::{EvidenceLook, Refusal, Snapshot, Unpreserved},
    fleet::{FleetLook, Membership, Registration, ScalingGroup, Target},
    flow_log::{Destination, Files, FlowLog, Listing},
    holder::{Holder, RoleShown},
    instance::{Instance, InstanceState, MetadataOptions, Volume},
    interface::{Exposure, Interface, PublicAddress, Timeouts, vpcs_of},
    reached::{Called, Reached},
    rejoin::Rejoin,
    security_group::{Direction, Purpose, Rule, SecurityGroup, Uncut},
    shown_key::{ShownBy, ShownKey, keys_shown},
    user::{Credential, CredentialKind, KeyUse, Principal, SessionKind, User, deny_all},
};
