//! What the engine needs from outside, by service. One method is one AWS operation (its pages included), so that a
//! simulator can break each of them. Adapters translate; they decide nothing.

mod auto_scaling;
mod clock;
mod clouds;
mod detection;
mod error;
mod flow_logs;
mod iam;
mod instance_credentials;
mod instances;
mod interfaces;
mod ledger;
mod load_balancers;
mod network_acls;
mod people;
mod probes;
mod security_groups;
mod snapshots;
mod surroundings;
mod tags;
mod users;

pub use auto_scaling::*;
pub use clock::*;
pub use clouds::*;
pub use detection::*;
pub use error::*;
pub use flow_logs::*;
pub use iam::*;
pub use instance_credentials::*;
pub use instances::*;
pub use interfaces::*;
pub use ledger::*;
pub use load_balancers::*;
pub use network_acls::*;
pub use people::*;
pub use probes::*;
pub use security_groups::*;
pub use snapshots::*;
pub use surroundings::*;
pub use tags::*;
pub use users::*;

/// Defines what a part of the engine uses of a cloud.
macro_rules! ports {
    ($($(#[$doc:meta])* $name:ident: $first:ident $(+ $more:ident)*;)*) => {
        $($(#[$doc])* pub trait $name: $first $(+ $more)* {}
        impl<T: $first $(+ $more)*> $name for T {})*
    };
}

ports! {
    /// What the network lane uses.
    NetworkPorts: SecurityGroups + Interfaces + Surroundings;
    /// What denying remote addresses in network ACLs uses.
    AclPorts: NetworkAcls + Surroundings;
    /// What the credentials lane uses.
    CredentialsPorts: Iam + InstanceCredentials + Instances;
    /// What containing an IAM user, or the sessions of a role, uses.
    UserPorts: Users + UserCredentials + Iam;
    /// What the fleet lane uses.
    FleetPorts: AutoScaling + LoadBalancers;
    /// What the evidence lane, and stopping the instance, use.
    EvidencePorts: Instances + Snapshots;
    /// One account and Region, seen by one lane: each lane has its own retry budget, so that a throttled discovery cannot
    /// starve the cut. A function takes the ports that it uses, a lane its own group of them.
    Cloud: NetworkPorts + AclPorts + CredentialsPorts + UserPorts + FleetPorts + EvidencePorts + FlowLogs + Detection + Probes;
}
