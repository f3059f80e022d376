//! IAM users: what denies them, and their credentials.

use async_trait::async_trait;
use aws_sdk_iam::types::{StatusType, Tag};
use brig_core::model::{
    Credential, CredentialKind, KeyUse,
    ids::{AccessKeyId, AccountId, UserName},
    timestamp::Timestamp,
};
use brig_engine::ports::{CloudError, CredentialStatus, ErrorKind, PortResult, UserCredentials, UserShown, Users};

use crate::{cloud::AwsCloud, error::Explain};

#[async_trait]
impl Users for AwsCloud {
    async fn get_user(&self, name: &UserName) -> PortResult<Option<UserShown>> {
        match self.iam().get_user().user_name(name.as_str()).send().await.explain("GetUser") {
            Ok(answer) => Ok(answer.user().map(|user| UserShown {
                // IAM does not tell names apart by case: the name is as IAM writes it.
                name: user.user_name().parse().unwrap_or_else(|_| name.clone()),
                arn: user.arn().to_owned(),
                boundary: user
                    .permissions_boundary()
                    .and_then(|boundary| boundary.permissions_boundary_arn())
                    .map(str::to_owned),
                tags: user.tags().iter().map(pair).collect(),
            })),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn list_attached_user_policies(&self, name: &UserName) -> PortResult<Vec<String>> {
        let call = self.iam().list_attached_user_policies().user_name(name.as_str());
        let mut pages = call.into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(policy) = pages.next().await {
            found.extend(policy.explain("ListAttachedUserPolicies")?.policy_arn().map(str::to_owned));
        }
        Ok(found)
    }

    async fn list_user_policies(&self, name: &UserName) -> PortResult<Vec<String>> {
        let mut pages = self.iam().list_user_policies().user_name(name.as_str()).into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(policy) = pages.next().await {
            found.push(policy.explain("ListUserPolicies")?);
        }
        Ok(found)
    }

    async fn list_groups_for_user(&self, name: &UserName) -> PortResult<Vec<String>> {
        let mut pages = self.iam().list_groups_for_user().user_name(name.as_str()).into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(group) = pages.next().await {
            found.push(group.explain("ListGroupsForUser")?.group_name().to_owned());
        }
        Ok(found)
    }

    async fn put_user_permissions_boundary(&self, name: &UserName, policy: &str) -> PortResult<()> {
        let call = self.iam().put_user_permissions_boundary().user_name(name.as_str()).permissions_boundary(policy);
        call.send().await.explain("PutUserPermissionsBoundary").map(|_| ())
    }

    async fn delete_user_permissions_boundary(&self, name: &UserName) -> PortResult<()> {
        let call = self.iam().delete_user_permissions_boundary().user_name(name.as_str());
        call.send().await.explain("DeleteUserPermissionsBoundary").map(|_| ())
    }

    async fn attach_user_policy(&self, name: &UserName, policy: &str) -> PortResult<()> {
        let call = self.iam().attach_user_policy().user_name(name.as_str()).policy_arn(policy);
        call.send().await.explain("AttachUserPolicy").map(|_| ())
    }

    async fn detach_user_policy(&self, name: &UserName, policy: &str) -> PortResult<()> {
        let call = self.iam().detach_user_policy().user_name(name.as_str()).policy_arn(policy);
        call.send().await.explain("DetachUserPolicy").map(|_| ())
    }
}

fn pair(tag: &Tag) -> (String, String) {
    (tag.key().to_owned(), tag.value().to_owned())
}

#[async_trait]
impl UserCredentials for AwsCloud {
    async fn get_access_key_last_used(&self, key: &AccessKeyId) -> PortResult<KeyUse> {
        let call = self.iam().get_access_key_last_used().access_key_id(key.as_str());
        let answer = call.send().await.explain("GetAccessKeyLastUsed")?;
        let last = answer.access_key_last_used();
        let text = |text: &str| Some(text).filter(|text| *text != "N/A").map(str::to_owned);
        Ok(KeyUse {
            user: answer.user_name().and_then(|name| name.parse().ok()),
            at: last.and_then(|last| last.last_used_date()).map(moment),
            service: last.and_then(|last| text(last.service_name())),
            region: last.and_then(|last| text(last.region())),
        })
    }

    async fn get_access_key_info(&self, key: &AccessKeyId) -> PortResult<AccountId> {
        let answer = self.sts().get_access_key_info().access_key_id(key.as_str()).send().await;
        let answer = answer.explain("GetAccessKeyInfo")?;
        let account = answer.account().unwrap_or_default();
        account.parse().map_err(|_| CloudError {
            operation: "GetAccessKeyInfo",
            kind: ErrorKind::NotFound,
            code: "NoAccount".to_owned(),
            message: "the answer names no account".to_owned(),
        })
    }

    async fn list_credentials(&self, name: &UserName, kind: CredentialKind) -> PortResult<Vec<Credential>> {
        let client = self.iam();
        let name = name.as_str();
        let mut found = Vec::new();
        match kind {
            CredentialKind::AccessKey => {
                let mut pages = client.list_access_keys().user_name(name).into_paginator().items().send();
                while let Some(key) = pages.next().await {
                    let key = key.explain("ListAccessKeys")?;
                    let id = key.access_key_id().unwrap_or_default();
                    found.push(credential(kind, id, key.status(), key.create_date()));
                }
            }
            CredentialKind::ServiceSpecificCredential => {
                let call = client.list_service_specific_credentials().user_name(name);
                let answer = call.send().await.explain("ListServiceSpecificCredentials")?;
                found.extend(answer.service_specific_credentials().iter().map(|one| {
                    credential(kind, one.service_specific_credential_id(), Some(one.status()), Some(one.create_date()))
                }));
            }
            CredentialKind::SshPublicKey => {
                let mut pages = client.list_ssh_public_keys().user_name(name).into_paginator().items().send();
                while let Some(key) = pages.next().await {
                    let key = key.explain("ListSSHPublicKeys")?;
                    found.push(credential(kind, key.ssh_public_key_id(), Some(key.status()), Some(key.upload_date())));
                }
            }
            CredentialKind::SigningCertificate => {
                let mut pages = client.list_signing_certificates().user_name(name).into_paginator().items().send();
                while let Some(one) = pages.next().await {
                    let one = one.explain("ListSigningCertificates")?;
                    found.push(credential(kind, one.certificate_id(), Some(one.status()), one.upload_date()));
                }
            }
        }
        Ok(found)
    }

    async fn update_credential(
        &self,
        name: &UserName,
        kind: CredentialKind,
        id: &str,
        status: CredentialStatus,
    ) -> PortResult<()> {
        let client = self.iam();
        let name = name.as_str();
        let status = match status {
            CredentialStatus::Active => StatusType::Active,
            CredentialStatus::Inactive => StatusType::Inactive,
        };
        match kind {
            CredentialKind::AccessKey => {
                let call = client.update_access_key().user_name(name).access_key_id(id).status(status);
                call.send().await.explain("UpdateAccessKey").map(|_| ())
            }
            CredentialKind::ServiceSpecificCredential => {
                let call = client.update_service_specific_credential().user_name(name);
                let call = call.service_specific_credential_id(id).status(status);
                call.send().await.explain("UpdateServiceSpecificCredential").map(|_| ())
            }
            CredentialKind::SshPublicKey => {
                let call = client.update_ssh_public_key().user_name(name).ssh_public_key_id(id).status(status);
                call.send().await.explain("UpdateSSHPublicKey").map(|_| ())
            }
            CredentialKind::SigningCertificate => {
                let call = client.update_signing_certificate().user_name(name).certificate_id(id).status(status);
                call.send().await.explain("UpdateSigningCertificate").map(|_| ())
            }
        }
    }

    async fn get_login_profile(&self, name: &UserName) -> PortResult<bool> {
        match self.iam().get_login_profile().user_name(name.as_str()).send().await.explain("GetLoginProfile") {
            Ok(_) => Ok(true),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn list_mfa_devices(&self, name: &UserName) -> PortResult<usize> {
        let mut pages = self.iam().list_mfa_devices().user_name(name.as_str()).into_paginator().items().send();
        let mut count = 0;
        while let Some(device) = pages.next().await {
            device.explain("ListMFADevices")?;
            count += 1;
        }
        Ok(count)
    }
}

/// What is not `Inactive` or expired may sign.
fn credential(
    kind: CredentialKind,
    id: &str,
    status: Option<&StatusType>,
    created: Option<&aws_sdk_iam::primitives::DateTime>,
) -> Credential {
    let off = matches!(status, Some(StatusType::Inactive)) || status.is_some_and(|status| status.as_str() == "Expired");
    Credential { kind, id: id.to_owned(), active: !off, created: created.map(moment) }
}

fn moment(at: &aws_sdk_iam::primitives::DateTime) -> Timestamp {
    Timestamp::from_millis(at.to_millis().unwrap_or_default())
}
