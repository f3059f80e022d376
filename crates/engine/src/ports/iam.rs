//! IAM roles, their profiles and their inline policies.

use async_trait::async_trait;
use brig_core::model::Role;

use super::PortResult;

/// An instance profile.
#[derive(Debug, Clone)]
pub struct Profile {
    pub arn: String,
    /// Its role; a profile can be empty.
    pub role: Option<Role>,
}

/// A role, as GetRole shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleSeen {
    pub role: Role,
    pub tags: std::collections::BTreeMap<String, String>,
}

/// IAM roles, their profiles and their inline policies.
#[async_trait]
pub trait Iam: Send + Sync {
    /// GetInstanceProfile by name.
    async fn get_instance_profile(&self, name: &str) -> PortResult<Profile>;
    /// GetRole by name; none where the account has no such role.
    async fn get_role(&self, name: &str) -> PortResult<Option<RoleSeen>>;
    /// ListInstanceProfilesForRole: the ARNs of the profiles that hold a role.
    async fn list_instance_profiles_for_role(&self, role: &str) -> PortResult<Vec<String>>;
    /// ListAttachedRolePolicies: the ARNs of managed policies.
    async fn list_attached_role_policies(&self, role: &str) -> PortResult<Vec<String>>;
    /// GetRolePolicy: the document, decoded; none where the role has no policy of that name.
    async fn get_role_policy(&self, role: &str, policy: &str) -> PortResult<Option<String>>;
    /// PutRolePolicy: replaces the role's inline policy of that name.
    async fn put_role_policy(&self, role: &str, policy: &str, document: &str) -> PortResult<()>;
    /// DeleteRolePolicy; a policy that is not there is success.
    async fn delete_role_policy(&self, role: &str, policy: &str) -> PortResult<()>;
}
