//! What may be added after the cut, in this order: timeouts and addresses, network ACLs, forensic access, the stop. Each
//! is planned from what a look after the cut shows.

pub mod escalation;
pub mod forensic_access;
pub mod network_acl;
pub mod stop;
