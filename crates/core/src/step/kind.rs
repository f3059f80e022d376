//! What kinds of steps there are, and what each is called: in reports, in AWS's API, and in the ledger's keys.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{Lane, Step, StepKind};
use crate::release::ReversalKind;

/// A kind of step, of a containment or of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One of a containment.
    Contain(StepKind),
    /// One of a release.
    Release(ReversalKind),
}

impl Kind {
    /// The kind's name in reports. No other kind has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Contain(kind) => kind.name(),
            Self::Release(kind) => kind.name(),
        }
    }

    /// The API operation that makes the change, as CloudTrail names it; the first one, where a step needs several.
    #[must_use]
    pub fn operation(self) -> &'static str {
        match self {
            Self::Contain(kind) => kind.operation(),
            Self::Release(kind) => kind.operation(),
        }
    }

    /// Its word in the ledger's keys. Records of every version are found by it, so it never changes; the resource in the key
    /// tells kinds apart that share one.
    #[must_use]
    pub fn key_word(self) -> &'static str {
        match self {
            Self::Contain(kind) => kind.key_word(),
            Self::Release(kind) => kind.key_word(),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Step {
    /// What kind of step it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        if let Self::GiveBack(back) = self { Kind::Release(back.into()) } else { Kind::Contain(self.into()) }
    }

    /// The step's name in reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.kind().name()
    }
}

impl Lane {
    /// The lane's word in the ledger's keys, which never changes.
    #[must_use]
    pub fn key_word(self) -> &'static str {
        match self {
            Self::Credentials => "identity",
            Self::Network | Self::Fleet | Self::Evidence => self.name(),
        }
    }
}

impl StepKind {
    fn name(self) -> &'static str {
        match self {
            Self::CreateSecurityGroup => "create_security_group",
            Self::RevokeSecurityGroupRules => "revoke_security_group_rules",
            Self::AuthorizeSecurityGroupRules => "authorize_security_group_rules",
            Self::AuthorizeForensicAccess => "authorize_forensic_access",
            Self::Isolate => "isolate",
            Self::Untrack => "untrack",
            Self::ShortenTimeouts => "shorten_idle_timeouts",
            Self::UnassignPublicAddress => "unassign_public_address",
            Self::DisassociateAddress => "disassociate_address",
            Self::DenyInNetworkAcl => "create_network_acl_entry",
            Self::DenyRole => "deny_role",
            Self::DisassociateProfile => "disassociate_profile",
            Self::ReplaceProfile => "replace_profile",
            Self::RequireTokens => "require_tokens",
            Self::DisableMetadata => "disable_metadata",
            Self::DetachInstances => "detach_instances",
            Self::ProtectFromScaleIn => "enable_scale_in_protection",
            Self::RecordLifecycleActionHeartbeat => "record_lifecycle_action_heartbeat",
            Self::DeregisterTargets => "deregister_targets",
            Self::DeregisterInstancesFromLoadBalancer => "deregister_instances_from_load_balancer",
            Self::ProtectTermination => "enable_termination_protection",
            Self::ProtectStop => "enable_stop_protection",
            Self::StopOnShutdown => "stop_on_shutdown",
            Self::DisableAutoRecovery => "disable_auto_recovery",
            Self::KeepVolumes => "keep_volumes",
            Self::CreateSnapshots => "create_snapshots",
            Self::CreateSnapshot => "create_snapshot",
            Self::LockSnapshot => "lock_snapshot",
            Self::TagSnapshot => "tag_snapshot",
            Self::StopInstance => "stop_instances",
            Self::SnapshotMemory => "snapshot_memory",
            Self::TagInstance => "tag_instance",
            Self::GiveBack => "give_back",
        }
    }

    fn operation(self) -> &'static str {
        match self {
            Self::CreateSecurityGroup => "CreateSecurityGroup",
            Self::RevokeSecurityGroupRules => "RevokeSecurityGroupIngress",
            Self::AuthorizeSecurityGroupRules | Self::AuthorizeForensicAccess => "AuthorizeSecurityGroupIngress",
            Self::Isolate | Self::Untrack | Self::ShortenTimeouts | Self::UnassignPublicAddress => {
                "ModifyNetworkInterfaceAttribute"
            }
            Self::DisassociateAddress => "DisassociateAddress",
            Self::DenyInNetworkAcl => "CreateNetworkAclEntry",
            Self::DenyRole => "PutRolePolicy",
            Self::DisassociateProfile => "DisassociateIamInstanceProfile",
            Self::ReplaceProfile => "ReplaceIamInstanceProfileAssociation",
            Self::RequireTokens | Self::DisableMetadata => "ModifyInstanceMetadataOptions",
            Self::DetachInstances => "DetachInstances",
            Self::ProtectFromScaleIn => "SetInstanceProtection",
            Self::RecordLifecycleActionHeartbeat => "RecordLifecycleActionHeartbeat",
            Self::DeregisterTargets => "DeregisterTargets",
            Self::DeregisterInstancesFromLoadBalancer => "DeregisterInstancesFromLoadBalancer",
            Self::ProtectTermination | Self::ProtectStop | Self::StopOnShutdown | Self::KeepVolumes => {
                "ModifyInstanceAttribute"
            }
            Self::DisableAutoRecovery => "ModifyInstanceMaintenanceOptions",
            Self::CreateSnapshots | Self::SnapshotMemory => "CreateSnapshots",
            Self::CreateSnapshot => "CreateSnapshot",
            Self::LockSnapshot => "LockSnapshot",
            Self::TagSnapshot | Self::TagInstance => "CreateTags",
            Self::StopInstance => "StopInstances",
            // Its reversal has its own.
            Self::GiveBack => "",
        }
    }

    fn key_word(self) -> &'static str {
        match self {
            Self::ShortenTimeouts | Self::UnassignPublicAddress => "modify_network_interface_attribute",
            Self::ProtectFromScaleIn => "set_instance_protection",
            Self::ProtectTermination | Self::ProtectStop | Self::StopOnShutdown | Self::KeepVolumes => {
                "modify_instance_attribute"
            }
            Self::DisableAutoRecovery => "modify_instance_maintenance_options",
            Self::TagSnapshot | Self::TagInstance => "create_tags",
            Self::CreateSecurityGroup
            | Self::RevokeSecurityGroupRules
            | Self::AuthorizeSecurityGroupRules
            | Self::AuthorizeForensicAccess
            | Self::Isolate
            | Self::Untrack
            | Self::DisassociateAddress
            | Self::DenyInNetworkAcl
            | Self::DenyRole
            | Self::DisassociateProfile
            | Self::ReplaceProfile
            | Self::RequireTokens
            | Self::DisableMetadata
            | Self::DetachInstances
            | Self::RecordLifecycleActionHeartbeat
            | Self::DeregisterTargets
            | Self::DeregisterInstancesFromLoadBalancer
            | Self::CreateSnapshots
            | Self::CreateSnapshot
            | Self::LockSnapshot
            | Self::StopInstance
            | Self::SnapshotMemory
            | Self::GiveBack => self.name(),
        }
    }
}

impl ReversalKind {
    fn name(self) -> &'static str {
        match self {
            Self::RestoreGroups => "restore_groups",
            Self::RestoreTimeouts => "restore_idle_timeouts",
            Self::AssociateAddress => "associate_address",
            Self::AllowInNetworkAcl => "delete_network_acl_entry",
            Self::AllowRole => "allow_role",
            Self::AssociateProfile => "associate_profile",
            Self::ReplaceProfile => "restore_profile",
            Self::RestoreMetadata => "restore_metadata",
            Self::AttachInstances => "attach_instances",
            Self::RegisterTargets => "register_targets",
            Self::RegisterInstancesWithLoadBalancer => "register_instances_with_load_balancer",
            Self::UnprotectFromScaleIn => "disable_scale_in_protection",
            Self::UnprotectTermination => "disable_termination_protection",
            Self::StartInstance => "start_instances",
            Self::UnprotectStop => "disable_stop_protection",
            Self::RestoreShutdown => "restore_shutdown_behavior",
            Self::RestoreAutoRecovery => "restore_auto_recovery",
            Self::RestoreVolumes => "restore_volumes",
            Self::DeleteTags => "delete_tags",
        }
    }

    fn operation(self) -> &'static str {
        match self {
            Self::RestoreGroups | Self::RestoreTimeouts => "ModifyNetworkInterfaceAttribute",
            Self::AssociateAddress => "AssociateAddress",
            Self::AllowInNetworkAcl => "DeleteNetworkAclEntry",
            // The last share deletes the policy; until then it is written without this instance.
            Self::AllowRole => "DeleteRolePolicy",
            Self::AssociateProfile => "AssociateIamInstanceProfile",
            Self::ReplaceProfile => "ReplaceIamInstanceProfileAssociation",
            Self::RestoreMetadata => "ModifyInstanceMetadataOptions",
            Self::AttachInstances => "AttachInstances",
            Self::RegisterTargets => "RegisterTargets",
            Self::RegisterInstancesWithLoadBalancer => "RegisterInstancesWithLoadBalancer",
            Self::UnprotectFromScaleIn => "SetInstanceProtection",
            Self::UnprotectTermination | Self::UnprotectStop | Self::RestoreShutdown | Self::RestoreVolumes => {
                "ModifyInstanceAttribute"
            }
            Self::StartInstance => "StartInstances",
            Self::RestoreAutoRecovery => "ModifyInstanceMaintenanceOptions",
            Self::DeleteTags => "DeleteTags",
        }
    }

    fn key_word(self) -> &'static str {
        match self {
            Self::RestoreGroups | Self::RestoreTimeouts => "modify_network_interface_attribute",
            Self::AssociateProfile => "associate_iam_instance_profile",
            Self::ReplaceProfile => "replace_iam_instance_profile_association",
            Self::RestoreMetadata => "modify_instance_metadata_options",
            Self::UnprotectFromScaleIn => "set_instance_protection",
            Self::UnprotectTermination | Self::UnprotectStop | Self::RestoreShutdown | Self::RestoreVolumes => {
                "modify_instance_attribute"
            }
            Self::RestoreAutoRecovery => "modify_instance_maintenance_options",
            Self::AssociateAddress
            | Self::AllowInNetworkAcl
            | Self::AllowRole
            | Self::AttachInstances
            | Self::RegisterTargets
            | Self::RegisterInstancesWithLoadBalancer
            | Self::StartInstance
            | Self::DeleteTags => self.name(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use strum::IntoEnumIterator;

    use super::*;

    fn all() -> Vec<Kind> {
        let steps = StepKind::iter().filter(|kind| *kind != StepKind::GiveBack).map(Kind::Contain);
        steps.chain(ReversalKind::iter().map(Kind::Release)).collect()
    }

    #[test]
    fn no_two_kinds_share_a_name() {
        let names: BTreeSet<&str> = all().into_iter().map(Kind::name).collect();
        assert_eq!(names.len(), all().len());
    }

    #[test]
    fn each_operation_is_one_that_the_step_has_a_permission_for() {
        for kind in all() {
            let actions = match kind {
                Kind::Contain(kind) => kind.iam_actions(),
                Kind::Release(kind) => kind.iam_actions(),
            };
            let allowed = actions.iter().any(|action| action.split(':').nth(1) == Some(kind.operation()));
            assert!(allowed, "{}: {} is not among {actions:?}", kind.name(), kind.operation());
        }
    }

    /// Records that an older version wrote are found by these words: this list only grows.
    #[test]
    fn the_words_in_the_ledgers_keys_stay() {
        let words: Vec<String> = all()
            .into_iter()
            .filter(|kind| kind.name() != kind.key_word())
            .map(|kind| format!("{} {}", kind.name(), kind.key_word()))
            .collect();
        expect_test::expect![[r"
            shorten_idle_timeouts modify_network_interface_attribute
            unassign_public_address modify_network_interface_attribute
            enable_scale_in_protection set_instance_protection
            enable_termination_protection modify_instance_attribute
            enable_stop_protection modify_instance_attribute
            stop_on_shutdown modify_instance_attribute
            disable_auto_recovery modify_instance_maintenance_options
            keep_volumes modify_instance_attribute
            tag_snapshot create_tags
            tag_instance create_tags
            restore_groups modify_network_interface_attribute
            restore_idle_timeouts modify_network_interface_attribute
            associate_profile associate_iam_instance_profile
            restore_profile replace_iam_instance_profile_association
            restore_metadata modify_instance_metadata_options
            disable_scale_in_protection set_instance_protection
            disable_termination_protection modify_instance_attribute
            disable_stop_protection modify_instance_attribute
            restore_shutdown_behavior modify_instance_attribute
            restore_auto_recovery modify_instance_maintenance_options
            restore_volumes modify_instance_attribute"]]
        .assert_eq(&words.join("\n"));
        assert_eq!(Lane::Credentials.key_word(), "identity");
    }
}
