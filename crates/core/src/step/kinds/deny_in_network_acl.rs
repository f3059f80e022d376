//! Denies a remote address in a network ACL, both ways.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Describe, Undo, gone, unread};
use crate::{
    model::network_acl::Denial,
    step::{
        Lane, Outcome, Plan, Reversal,
        change::{Change, change, word},
        done,
        undo::{Look, ReleaseScope},
    },
};

/// Denies a remote address in a network ACL, both ways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DenyInNetworkAcl {
    pub acl: String,
    pub address: IpAddr,
    /// The number of the rule for what comes in; none has it yet, or a containment that denies the same address.
    pub ingress: i32,
    /// The number of the rule for what goes out.
    pub egress: i32,
    /// Every subnet that the ACL serves: they all lose the address.
    pub subnets: Vec<String>,
    /// The ARN of the instance, whose share in the rules it is.
    pub instance_arn: String,
}

impl Describe for DenyInNetworkAcl {
    const LANE: Lane = Lane::Network;
    const NAME: &'static str = "create_network_acl_entry";
    const OPERATION: &'static str = "CreateNetworkAclEntry";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:CreateNetworkAclEntry", "ec2:DescribeNetworkAcls"];

    fn resource(&self, _: &str) -> String {
        let Self { acl, address, .. } = self;
        format!("{acl}/{address}")
    }

    // At other numbers it is another pair of rules.
    fn key_parts(&self) -> Option<Vec<String>> {
        let Self { ingress, egress, .. } = self;
        Some(vec![format!("in {ingress}"), format!("out {egress}")])
    }

    fn change(&self) -> Change {
        let Self { ingress, egress, subnets, .. } = self;
        let served = subnets.len();
        let after = format!("denied by rules {ingress} in and {egress} out, for {served} subnet(s)");
        change("remote address", word("as the network ACL has it"), word(after))
    }
}

impl DenyInNetworkAcl {
    /// The containment's share in the rules.
    #[must_use]
    pub fn share(&self) -> Denial {
        let Self { address, ingress, egress, instance_arn, .. } = self;
        Denial { instance: instance_arn.clone(), address: *address, ingress: *ingress, egress: *egress }
    }
}

impl Undo for DenyInNetworkAcl {
    const IS_FOLLOW_UP: bool = true;

    fn reverse(&self, look: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        let Self { acl, address, ingress, egress, instance_arn, .. } = self;
        let share = self.share();
        let back = Reversal::AllowInNetworkAcl(AllowInNetworkAcl {
            acl: acl.clone(),
            address: *address,
            ingress: *ingress,
            egress: *egress,
            instance_arn: instance_arn.clone(),
        });
        let (Some(acls), Some(shares)) = (look.acls, look.denials.get(acl)) else { return Some((back, unread())) };
        let seen = acls.iter().find(|seen| seen.id == *acl);
        let orphaned = share.entries().iter().any(|entry| {
            seen.is_some_and(|seen| seen.has(entry)) && !shares.iter().any(|other| other.entries().contains(entry))
        });
        let outcome = match seen {
            _ if shares.contains(&share) || orphaned => Outcome::Planned,
            None => gone("the network ACL is gone"),
            Some(_) if shares.iter().any(|other| other.address == share.address) => {
                done("other containments deny it still")
            }
            Some(_) => done("no rule of Brig denies it"),
        };
        Some((back, outcome))
    }
}

/// The containment leaves its share in the rules of a network ACL; the last one to leave takes them away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowInNetworkAcl {
    pub acl: String,
    pub address: IpAddr,
    /// The number of the rule for what comes in.
    pub ingress: i32,
    /// The number of the rule for what goes out.
    pub egress: i32,
    /// The ARN of the instance, whose share it is.
    pub instance_arn: String,
}

impl AllowInNetworkAcl {
    /// The share in the rules that the containment gives up.
    #[must_use]
    pub fn share(&self) -> Denial {
        let Self { address, ingress, egress, instance_arn, .. } = self;
        Denial { instance: instance_arn.clone(), address: *address, ingress: *ingress, egress: *egress }
    }
}

impl Describe for AllowInNetworkAcl {
    const LANE: Lane = Lane::Network;
    const NAME: &'static str = "delete_network_acl_entry";
    const OPERATION: &'static str = "DeleteNetworkAclEntry";
    // Another containment may come to share the rules while they are taken away.
    const IAM_ACTIONS: &'static [&'static str] =
        &["ec2:CreateNetworkAclEntry", "ec2:DeleteNetworkAclEntry", "ec2:DescribeNetworkAcls"];

    fn resource(&self, _: &str) -> String {
        let Self { acl, address, ingress, egress, .. } = self;
        format!("{acl}/{address}/{ingress}/{egress}")
    }

    fn change(&self) -> Change {
        let Self { ingress, egress, .. } = self;
        let before = format!("denied by rules {ingress} in and {egress} out");
        let after = "as the network ACL has it, unless another containment denies it";
        change("remote address", word(before), word(after))
    }
}
