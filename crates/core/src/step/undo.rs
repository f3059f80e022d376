//! What a release is planned from, and what of the whole release a single reversal depends on.

use std::collections::BTreeMap;

use crate::model::{
    Association, EvidenceLook, Instance, Membership, Rejoin, RoleLook, SecurityGroup, Target, Timeouts,
    gap::Gap,
    network_acl::{Denial, NetworkAcl},
};

/// What a release is planned from. An outer `None` is what could not be read: it is neither given back nor taken for gone.
#[derive(Debug, Clone)]
pub struct Look<'a> {
    /// The instance; one that is gone is shown as terminated, without interfaces and volumes.
    pub instance: &'a Instance,
    /// Brig's groups.
    pub groups: Option<&'a [SecurityGroup]>,
    /// The profile that is associated now.
    pub association: Option<Option<&'a Association>>,
    /// The recorded roles as they are now.
    pub roles: &'a [RoleLook],
    /// The instance's Auto Scaling group now.
    pub membership: Option<Option<&'a Membership>>,
    /// Every target that each recorded target group has now; a group that is gone is not in it.
    pub targets: &'a BTreeMap<String, Option<Vec<Target>>>,
    /// Classic load balancers that hold the instance now.
    pub classic: Option<&'a [String]>,
    /// The recorded network ACLs as they are now; one that is gone is not in it.
    pub acls: Option<&'a [NetworkAcl]>,
    /// The ledger's shares in their rules, by ACL; one that could not be read is not in it.
    pub denials: &'a BTreeMap<String, Vec<Denial>>,
    /// Protections as they are now.
    pub evidence: &'a EvidenceLook,
    /// The idle timeouts of the instance's type, where they could be read.
    pub defaults: Timeouts,
    /// How often it was started in this release.
    pub starts: usize,
    /// What could not be read.
    pub gaps: &'a [Gap],
}

/// What of the whole release a record's reversal depends on.
#[derive(Debug, Clone, Copy)]
pub struct ReleaseScope {
    /// It goes back into its Auto Scaling group.
    pub rejoin: Rejoin,
    /// The containment made the metadata service require tokens.
    pub guards: bool,
}
