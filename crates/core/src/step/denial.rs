//! Why AWS denied a call, as far as its answer says, and what helps: a grant is only one of the answers.

use serde::{Deserialize, Serialize};

/// Why AWS denied a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", content = "policy", rename_all = "snake_case")]
pub enum Denial {
    /// AWS does not say; nothing allows it, as a rule.
    Unsaid,
    /// No policy of this kind allows it.
    NotAllowed(PolicyKind),
    /// A policy of this kind denies it, whatever else allows it.
    Explicit(PolicyKind),
    /// A service of AWS's owns or manages the resource, and nobody else may change it.
    Managed,
    /// The instance is a node of EKS Auto Mode.
    AutoMode,
}

/// A kind of policy, as AWS's messages name them
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
pub enum PolicyKind {
    /// Of the function's role.
    Identity,
    /// Of the resource: a key, a topic, a bucket.
    Resource,
    /// Of the organization, for principals.
    ServiceControl,
    /// Of the organization, for resources.
    ResourceControl,
    /// The boundary of the function's role.
    Boundary,
    Session,
    /// Of the VPC endpoint that the call went through.
    VpcEndpoint,
    /// Who may assume a role.
    RoleTrust,
    /// AWS does not say which.
    Unsaid,
}

impl Denial {
    /// What helps, for a person.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::Unsaid | Self::NotAllowed(PolicyKind::Identity | PolicyKind::Unsaid) => {
                "grant this operation to the function's role"
            }
            Self::Explicit(PolicyKind::Identity) => {
                "a policy of the function's role denies it explicitly; a grant does not help, that statement must change"
            }
            Self::NotAllowed(PolicyKind::Resource) => "allow the function's role in the resource's own policy",
            Self::Explicit(PolicyKind::Resource) => {
                "the resource's own policy denies it explicitly; a grant does not help, that policy must except the function's role"
            }
            Self::NotAllowed(PolicyKind::ServiceControl) | Self::Explicit(PolicyKind::ServiceControl) => {
                "a service control policy of the organization forbids it; a grant does not help, whoever manages the organization must except the function's role"
            }
            Self::NotAllowed(PolicyKind::ResourceControl) | Self::Explicit(PolicyKind::ResourceControl) => {
                "a resource control policy of the organization forbids it; a grant does not help, whoever manages the organization must except the function's role"
            }
            Self::NotAllowed(PolicyKind::Boundary) | Self::Explicit(PolicyKind::Boundary) => {
                "the permissions boundary of the function's role forbids it; a grant does not help, the boundary must allow it"
            }
            Self::NotAllowed(PolicyKind::Session) | Self::Explicit(PolicyKind::Session) => {
                "the policy of the session forbids it; a grant does not help"
            }
            Self::NotAllowed(PolicyKind::VpcEndpoint) | Self::Explicit(PolicyKind::VpcEndpoint) => {
                "the policy of the VPC endpoint forbids it; a grant does not help, that policy must allow it"
            }
            Self::NotAllowed(PolicyKind::RoleTrust) => "allow the function's role in the trust policy of that role",
            Self::Explicit(PolicyKind::RoleTrust) => {
                "the trust policy of that role denies it explicitly; a grant does not help, that policy must change"
            }
            Self::Explicit(PolicyKind::Unsaid) => {
                "a policy denies it explicitly; a grant does not help, that policy must except the function's role"
            }
            Self::Managed => {
                "an AWS service manages this resource and lets no one else change it; a grant does not help: change it through that service"
            }
            Self::AutoMode => {
                "EKS Auto Mode manages this instance and lets no one else change it; a grant does not help: cordon the node and cut its pods off with a network policy, or deny the remote address in the subnet's network ACL; deleting its node claim terminates it, and the evidence with it"
            }
        }
    }

    /// Whether a grant to the function's role helps.
    #[must_use]
    pub fn is_missing_grant(self) -> bool {
        matches!(self, Self::Unsaid | Self::NotAllowed(PolicyKind::Identity | PolicyKind::Unsaid))
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::*;

    #[test]
    fn a_grant_to_the_role_is_advised_only_where_it_helps() {
        let both = PolicyKind::iter().flat_map(|kind| [Denial::NotAllowed(kind), Denial::Explicit(kind)]);
        for denial in both.chain([Denial::Unsaid, Denial::Managed, Denial::AutoMode]) {
            let help = denial.help();
            assert_eq!(help.starts_with("grant"), denial.is_missing_grant(), "{denial:?}: {help}");
            let explicit = matches!(denial, Denial::Explicit(_) | Denial::Managed | Denial::AutoMode);
            assert!(!explicit || help.contains("a grant does not help"), "{denial:?}: {help}");
        }
    }
}
