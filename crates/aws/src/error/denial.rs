//! Why a call was denied, read once from AWS's own words, where they arrive. The words are documented
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>): "because no KIND policy allows
//! the ACTION action", "with an explicit deny in a KIND policy".

use brig_core::step::{Denial, PolicyKind};

const KINDS: [(&str, PolicyKind); 9] = [
    ("service control policy", PolicyKind::ServiceControl),
    ("resource control policy", PolicyKind::ResourceControl),
    ("permissions boundary", PolicyKind::Boundary),
    ("session policy", PolicyKind::Session),
    ("vpc endpoint policy", PolicyKind::VpcEndpoint),
    ("role trust policy", PolicyKind::RoleTrust),
    ("resource-based policy", PolicyKind::Resource),
    ("resource policy", PolicyKind::Resource),
    ("identity-based policy", PolicyKind::Identity),
];

/// What EC2 says of interfaces and instances that a service of AWS's made
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/requester-managed-eni.html>,
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/amazon-ec2-managed-instances.html>).
const MANAGED: [&str; 5] = [
    "do not have permission to access the specified resource",
    "requester-managed",
    "requester managed",
    "not allowed to manage",
    "managed by",
];

/// Whether the answer says that a service of AWS's manages the resource.
pub(crate) fn is_managed(code: &str, message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    matches!(code, "AuthFailure" | "OperationNotPermitted" | "UnauthorizedOperation")
        && MANAGED.iter().any(|words| message.contains(words))
}

/// Why AWS denied a call.
pub(crate) fn denial_of(code: &str, message: &str) -> Denial {
    if is_managed(code, message) {
        return Denial::Managed;
    }
    let message = message.to_ascii_lowercase();
    // Resource names that the caller chose stand before these words, so that the last ones are AWS's own.
    let after = |words: &str| message.rfind(words).and_then(|at| message.get(at + words.len()..));
    let kind = |rest: &str| {
        let first = KINDS.iter().filter_map(|(name, kind)| Some((rest.find(name)?, *kind))).min_by_key(|(at, _)| *at);
        first.map_or(PolicyKind::Unsaid, |(_, kind)| kind)
    };
    match (after("explicit deny"), after("because no ")) {
        (Some(rest), _) => Denial::Explicit(kind(rest)),
        (None, Some(rest)) => Denial::NotAllowed(kind(rest)),
        (None, None) => Denial::Unsaid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn awss_words_say_why() {
        let user = "User: arn:aws:sts::123456789012:assumed-role/brig/x is not authorized to perform: ec2:CreateTags on resource: arn:aws:ec2:us-east-1:123456789012:instance/i-1";
        for (code, rest, denial) in [
            ("UnauthorizedOperation", "", Denial::Unsaid),
            (
                "AccessDenied",
                " because no identity-based policy allows the ec2:CreateTags action",
                Denial::NotAllowed(PolicyKind::Identity),
            ),
            (
                "UnauthorizedOperation",
                " with an explicit deny in an identity-based policy. Encoded authorization failure message: abc",
                Denial::Explicit(PolicyKind::Identity),
            ),
            (
                "UnauthorizedOperation",
                " with an explicit deny in a service control policy. Encoded authorization failure message: abc",
                Denial::Explicit(PolicyKind::ServiceControl),
            ),
            (
                "AccessDenied",
                " because no service control policy allows the ec2:CreateTags action",
                Denial::NotAllowed(PolicyKind::ServiceControl),
            ),
            (
                "AccessDenied",
                " with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-1/service_control_policy/p-1",
                Denial::Explicit(PolicyKind::ServiceControl),
            ),
            (
                "AccessDenied",
                " with an explicit deny in a resource control policy",
                Denial::Explicit(PolicyKind::ResourceControl),
            ),
            (
                "AccessDenied",
                " because no permissions boundary allows the ec2:CreateTags action",
                Denial::NotAllowed(PolicyKind::Boundary),
            ),
            (
                "AccessDenied",
                " with an explicit deny in a permissions boundary",
                Denial::Explicit(PolicyKind::Boundary),
            ),
            (
                "AuthorizationError",
                " because no resource-based policy allows the SNS:Publish action",
                Denial::NotAllowed(PolicyKind::Resource),
            ),
            (
                "AccessDenied",
                " with an explicit deny in a resource-based policy",
                Denial::Explicit(PolicyKind::Resource),
            ),
            (
                "AccessDenied",
                " with an explicit deny in a VPC endpoint policy",
                Denial::Explicit(PolicyKind::VpcEndpoint),
            ),
            (
                "AccessDenied",
                " because no session policy allows the ec2:CreateTags action",
                Denial::NotAllowed(PolicyKind::Session),
            ),
            (
                "AccessDenied",
                " because no role trust policy allows the sts:AssumeRole action",
                Denial::NotAllowed(PolicyKind::RoleTrust),
            ),
            ("AccessDenied", " with an explicit deny", Denial::Explicit(PolicyKind::Unsaid)),
        ] {
            assert_eq!(denial_of(code, &format!("{user}{rest}")), denial, "{rest}");
        }
        let managed = "You do not have permission to access the specified resource.";
        assert_eq!(denial_of("AuthFailure", managed), Denial::Managed);
        assert_eq!(
            denial_of("AuthFailure", "AWS was not able to validate the provided access credentials"),
            Denial::Unsaid
        );
        assert!(is_managed("OperationNotPermitted", "The instance 'i-1' is managed by eks.amazonaws.com."));
        assert!(!is_managed(
            "OperationNotPermitted",
            "The instance 'i-1' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again."
        ));
    }
}
