//! One room a kind of step: its data, what it is called, the permissions that it needs, and how it is undone. The lists below
//! are the only ones: `Step`, `Reversal`, their dispatch, and the engine's, are made from them, so that a kind which is
//! forgotten somewhere does not compile.

mod attach_user_policy;
mod authorize_forensic_access;
mod authorize_security_group_rules;
mod create_security_group;
mod create_snapshot;
mod create_snapshots;
mod deactivate;
mod deny_in_network_acl;
mod deny_role;
mod deny_role_sessions;
mod deregister_instances_from_load_balancer;
mod deregister_targets;
mod detach_instances;
mod disable_auto_recovery;
mod disable_metadata;
mod disassociate_address;
mod disassociate_profile;
mod isolate;
mod keep_volumes;
mod lock_snapshot;
mod protect_from_scale_in;
mod protect_stop;
mod protect_termination;
mod put_user_permissions_boundary;
mod record_lifecycle_action_heartbeat;
mod replace_profile;
mod require_tokens;
mod revoke_security_group_rules;
mod shorten_timeouts;
mod snapshot_memory;
mod stop_instance;
mod stop_on_shutdown;
mod tag_instance;
mod tag_snapshot;
mod unassign_public_address;
mod untrack;

pub(crate) use attach_user_policy::Quota;
pub use attach_user_policy::{AttachUserPolicy, DetachUserPolicy};
pub use authorize_forensic_access::AuthorizeForensicAccess;
pub use authorize_security_group_rules::AuthorizeSecurityGroupRules;
pub use create_security_group::CreateSecurityGroup;
pub use create_snapshot::CreateSnapshot;
pub use create_snapshots::CreateSnapshots;
pub use deactivate::{
    ActivateAccessKey, ActivateServiceSpecificCredential, ActivateSigningCertificate, ActivateSshPublicKey,
    DeactivateAccessKey, DeactivateServiceSpecificCredential, DeactivateSigningCertificate, DeactivateSshPublicKey,
    Made, credential_of,
};
pub use deny_in_network_acl::{AllowInNetworkAcl, DenyInNetworkAcl};
pub use deny_role::{AllowRole, DenyRole};
pub use deny_role_sessions::{AllowRoleSessions, DenyRoleSessions};
pub use deregister_instances_from_load_balancer::{
    DeregisterInstancesFromLoadBalancer, RegisterInstancesWithLoadBalancer,
};
pub use deregister_targets::{DeregisterTargets, RegisterTargets};
pub use detach_instances::{AttachInstances, DetachInstances};
pub use disable_auto_recovery::{DisableAutoRecovery, RestoreAutoRecovery};
pub use disable_metadata::DisableMetadata;
pub use disassociate_address::{AssociateAddress, DisassociateAddress};
pub use disassociate_profile::{AssociateProfile, DisassociateProfile};
pub use isolate::{Isolate, RestoreGroups};
pub use keep_volumes::{KeepVolumes, RestoreVolumes};
pub use lock_snapshot::LockSnapshot;
pub use protect_from_scale_in::{ProtectFromScaleIn, UnprotectFromScaleIn};
pub use protect_stop::{ProtectStop, UnprotectStop};
pub use protect_termination::{ProtectTermination, UnprotectTermination};
pub use put_user_permissions_boundary::{PutUserPermissionsBoundary, RestoreUserPermissionsBoundary};
pub use record_lifecycle_action_heartbeat::RecordLifecycleActionHeartbeat;
pub use replace_profile::{ReplaceProfile, RestoreProfile};
pub use require_tokens::{RequireTokens, RestoreMetadata};
pub use revoke_security_group_rules::RevokeSecurityGroupRules;
pub use shorten_timeouts::{RestoreTimeouts, ShortenTimeouts};
pub use snapshot_memory::SnapshotMemory;
pub use stop_instance::{StartInstance, StopInstance};
pub use stop_on_shutdown::{RestoreShutdown, StopOnShutdown};
pub use tag_instance::{DeleteTags, TagInstance};
pub use tag_snapshot::TagSnapshot;
pub use unassign_public_address::UnassignPublicAddress;
pub use untrack::Untrack;

use super::{Change, Lane, Outcome, Reversal};
use crate::{
    model::{Credential, EvidenceLook, FleetLook, Holder, Instance, User},
    step::{
        Failure, Plan, done,
        undo::{Look, ReleaseScope},
    },
};

/// What AWS no longer changes.
pub(crate) const ENDED: &str = "the instance is terminated";

/// What denies a user everything.
pub(crate) fn plan_denial(user: &User, deny: &str, quota: Quota, plan: &mut Plan) {
    PutUserPermissionsBoundary::plan(user, deny, plan);
    AttachUserPolicy::plan(user, deny, quota, plan);
}

/// What turns a user's credential off.
pub(crate) fn plan_deactivation(user: &User, credential: &Credential, made: Made, plan: &mut Plan) {
    deactivate::plan(user, credential, made, plan);
}

/// What takes the instance out of its Auto Scaling group, in this order.
pub(crate) fn plan_group(look: &FleetLook, plan: &mut Plan) {
    DetachInstances::plan(&ProtectFromScaleIn::as_others_left_it(look), plan);
    ProtectFromScaleIn::plan(look, plan);
    RecordLifecycleActionHeartbeat::plan(look, plan);
}

/// What keeps the instance from being ended or moved, in this order.
pub(crate) fn plan_protections(look: &EvidenceLook, instance: &Instance, plan: &mut Plan) {
    ProtectTermination::plan(look, instance, plan);
    ProtectStop::plan(look, instance, plan);
    StopOnShutdown::plan(look, instance, plan);
    DisableAutoRecovery::plan(instance, plan);
}

/// What every kind says of itself.
pub trait Describe {
    /// The lane that it runs in.
    const LANE: Lane;
    /// Its name in reports. No other kind has it.
    const NAME: &'static str;
    /// The API operation that makes the change, as CloudTrail names it; the first one, where a step needs several.
    const OPERATION: &'static str;
    /// Its word in the ledger's keys. Records of every version are found by it, so it never changes; the resource in the key
    /// tells kinds apart that share one.
    const KEY_WORD: &'static str = Self::NAME;
    /// The IAM actions that its calls need, its own comparing reads included.
    const IAM_ACTIONS: &'static [&'static str];

    /// What it changes. `instance` is the resource of every step that names no other.
    fn resource(&self, instance: &str) -> String;

    /// A step that replaces a list has the list in its key: a target registered on another port since is another step, with a
    /// record of its own.
    fn key_parts(&self) -> Option<Vec<String>> {
        None
    }

    /// What it replaces, and what it puts there. Policy texts are not shown.
    fn change(&self) -> Change;
}

/// How a step of a containment is taken back.
pub trait Undo: Describe {
    /// It is added to the cut after it: by a setting, or by somebody who asks for a stop. One that is new is no repair.
    const IS_FOLLOW_UP: bool = false;
    /// By itself it denies everything that a user's credentials, or a role's sessions, sign.
    const DENIES_HOLDER: bool = false;

    /// Whether it takes a rule of Brig's own groups away that lets any address of the internet in or out.
    fn closes_to_the_world(&self) -> bool {
        false
    }

    /// What gives it back, and how that stands by a look of now; none where nothing does.
    fn reverse(&self, look: &Look<'_>, whole: ReleaseScope, plan: &mut Plan) -> Option<(Reversal, Outcome)>;

    /// The same for a step on an IAM user or role, by a look of now at it; none where nothing gives it back.
    fn reverse_of_holder(&self, _holder: &Holder, _plan: &mut Plan) -> Option<(Reversal, Outcome)> {
        None
    }
}

/// Every kind of step of a containment.
#[macro_export]
macro_rules! for_each_step {
    ($with:ident) => {
        $with! {
            CreateSecurityGroup
            RevokeSecurityGroupRules
            AuthorizeSecurityGroupRules
            AuthorizeForensicAccess
            Isolate
            Untrack
            ShortenTimeouts
            DisassociateAddress
            UnassignPublicAddress
            DenyInNetworkAcl
            DenyRole
            DisassociateProfile
            ReplaceProfile
            RequireTokens
            DisableMetadata
            DetachInstances
            ProtectFromScaleIn
            RecordLifecycleActionHeartbeat
            DeregisterTargets
            DeregisterInstancesFromLoadBalancer
            ProtectTermination
            ProtectStop
            StopOnShutdown
            DisableAutoRecovery
            KeepVolumes
            CreateSnapshots
            CreateSnapshot
            LockSnapshot
            TagSnapshot
            StopInstance
            SnapshotMemory
            TagInstance
            PutUserPermissionsBoundary
            AttachUserPolicy
            DeactivateAccessKey
            DeactivateServiceSpecificCredential
            DeactivateSshPublicKey
            DeactivateSigningCertificate
            DenyRoleSessions
        }
    };
}

/// Every kind of step of a release, as its variant and its type.
#[macro_export]
macro_rules! for_each_reversal {
    ($with:ident) => {
        $with! {
            RestoreGroups(RestoreGroups)
            RestoreTimeouts(RestoreTimeouts)
            AssociateAddress(AssociateAddress)
            AllowInNetworkAcl(AllowInNetworkAcl)
            AllowRole(AllowRole)
            AssociateProfile(AssociateProfile)
            ReplaceProfile(RestoreProfile)
            RestoreMetadata(RestoreMetadata)
            AttachInstances(AttachInstances)
            RegisterTargets(RegisterTargets)
            RegisterInstancesWithLoadBalancer(RegisterInstancesWithLoadBalancer)
            UnprotectFromScaleIn(UnprotectFromScaleIn)
            UnprotectTermination(UnprotectTermination)
            StartInstance(StartInstance)
            UnprotectStop(UnprotectStop)
            RestoreShutdown(RestoreShutdown)
            RestoreAutoRecovery(RestoreAutoRecovery)
            RestoreVolumes(RestoreVolumes)
            DeleteTags(DeleteTags)
            RestoreUserPermissionsBoundary(RestoreUserPermissionsBoundary)
            DetachUserPolicy(DetachUserPolicy)
            ActivateAccessKey(ActivateAccessKey)
            ActivateServiceSpecificCredential(ActivateServiceSpecificCredential)
            ActivateSshPublicKey(ActivateSshPublicKey)
            ActivateSigningCertificate(ActivateSigningCertificate)
            AllowRoleSessions(AllowRoleSessions)
        }
    };
}

fn gone(what: &str) -> Outcome {
    Outcome::Missing(what.into())
}

fn unread() -> Outcome {
    Outcome::Failed(Failure::passing("how it is now could not be read".to_owned()))
}

/// A setting that the containment turned to `ours`.
fn setting(now: Option<&str>, was: &str, ours: &str, ended: bool) -> Outcome {
    match now {
        _ if ended => gone("the instance is gone"),
        Some(now) if now == was => done(was),
        Some(now) if now == ours => Outcome::Planned,
        Some(now) => gone(&format!("it is {now} now, which is left alone")),
        None => unread(),
    }
}

fn flag(now: Option<bool>, ended: bool) -> Outcome {
    match now {
        _ if ended => gone("the instance is gone"),
        Some(false) => done("off"),
        Some(true) => Outcome::Planned,
        None => unread(),
    }
}
