//! IAM users: what denies them, and their credentials. IAM has no Region; its reads lag its writes by seconds.

use async_trait::async_trait;
use brig_core::model::{
    Credential, CredentialKind, KeyUse,
    ids::{AccessKeyId, AccountId, UserName},
};

use super::PortResult;

/// A user, as GetUser shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserShown {
    pub name: UserName,
    /// Its ARN, which may carry a path.
    pub arn: String,
    /// The ARN of its permissions boundary.
    pub boundary: Option<String>,
    pub tags: std::collections::BTreeMap<String, String>,
}

/// IAM users and what denies them.
#[async_trait]
pub trait Users: Send + Sync {
    /// GetUser; none where the account has no such user.
    async fn get_user(&self, name: &UserName) -> PortResult<Option<UserShown>>;
    /// ListAttachedUserPolicies: the ARNs of managed policies.
    async fn list_attached_user_policies(&self, name: &UserName) -> PortResult<Vec<String>>;
    /// ListUserPolicies: the names of inline policies.
    async fn list_user_policies(&self, name: &UserName) -> PortResult<Vec<String>>;
    /// ListGroupsForUser: the groups' names.
    async fn list_groups_for_user(&self, name: &UserName) -> PortResult<Vec<String>>;
    /// PutUserPermissionsBoundary: replaces the boundary by the policy with this ARN.
    async fn put_user_permissions_boundary(&self, name: &UserName, policy: &str) -> PortResult<()>;
    /// DeleteUserPermissionsBoundary.
    async fn delete_user_permissions_boundary(&self, name: &UserName) -> PortResult<()>;
    /// AttachUserPolicy; one that is attached already is success.
    async fn attach_user_policy(&self, name: &UserName, policy: &str) -> PortResult<()>;
    /// DetachUserPolicy; one that is not attached is [`NotFound`](super::ErrorKind::NotFound).
    async fn detach_user_policy(&self, name: &UserName, policy: &str) -> PortResult<()>;
}

/// A user's credentials, and whose a key is.
#[async_trait]
pub trait UserCredentials: Send + Sync {
    /// GetAccessKeyLastUsed: whose a key is, and how it was last used. `NotFound` or denied where the account has no such
    /// key.
    async fn get_access_key_last_used(&self, key: &AccessKeyId) -> PortResult<KeyUse>;
    /// sts:GetAccessKeyInfo: the account that a key belongs to, of whichever account it is.
    async fn get_access_key_info(&self, key: &AccessKeyId) -> PortResult<AccountId>;
    /// ListAccessKeys, ListServiceSpecificCredentials, ListSSHPublicKeys or ListSigningCertificates.
    async fn list_credentials(&self, name: &UserName, kind: CredentialKind) -> PortResult<Vec<Credential>>;
    /// UpdateAccessKey, UpdateServiceSpecificCredential, UpdateSSHPublicKey or UpdateSigningCertificate: to `Active` or
    /// `Inactive`.
    async fn update_credential(
        &self,
        name: &UserName,
        kind: CredentialKind,
        id: &str,
        status: CredentialStatus,
    ) -> PortResult<()>;
    /// GetLoginProfile: whether the user has a console password.
    async fn get_login_profile(&self, name: &UserName) -> PortResult<bool>;
    /// ListMFADevices: how many.
    async fn list_mfa_devices(&self, name: &UserName) -> PortResult<usize>;
}

/// What a credential is turned to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialStatus {
    Active,
    Inactive,
}
