//! IAM roles, their profiles and their inline policies.

use async_trait::async_trait;
use brig_core::model::Role;
use brig_engine::ports::{ErrorKind, Iam, PortResult, Profile, RoleSeen};

use crate::{cloud::AwsCloud, error::Explain};

#[async_trait]
impl Iam for AwsCloud {
    async fn get_instance_profile(&self, name: &str) -> PortResult<Profile> {
        let client = self.iam();
        let answer =
            client.get_instance_profile().instance_profile_name(name).send().await.explain("GetInstanceProfile")?;
        let profile = answer.instance_profile();
        let role = profile.and_then(|profile| profile.roles().first());
        Ok(Profile {
            arn: profile.map(|profile| profile.arn().to_owned()).unwrap_or_default(),
            role: role.map(|role| Role { name: role.role_name().to_owned(), arn: role.arn().to_owned() }),
        })
    }

    async fn get_role(&self, name: &str) -> PortResult<Option<RoleSeen>> {
        let client = self.iam();
        match client.get_role().role_name(name).send().await.explain("GetRole") {
            Ok(answer) => {
                let role = answer.role();
                Ok(role.map(|role| RoleSeen {
                    role: Role { name: role.role_name().to_owned(), arn: role.arn().to_owned() },
                    tags: role.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect(),
                }))
            }
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn list_instance_profiles_for_role(&self, role: &str) -> PortResult<Vec<String>> {
        let client = self.iam();
        let mut pages = client.list_instance_profiles_for_role().role_name(role).into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(profile) = pages.next().await {
            found.push(profile.explain("ListInstanceProfilesForRole")?.arn().to_owned());
        }
        Ok(found)
    }

    async fn list_attached_role_policies(&self, role: &str) -> PortResult<Vec<String>> {
        let client = self.iam();
        let mut pages = client.list_attached_role_policies().role_name(role).into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(policy) = pages.next().await {
            found.extend(policy.explain("ListAttachedRolePolicies")?.policy_arn().map(str::to_owned));
        }
        Ok(found)
    }

    async fn get_role_policy(&self, role: &str, policy: &str) -> PortResult<Option<String>> {
        let client = self.iam();
        let answer = client.get_role_policy().role_name(role).policy_name(policy).send().await.explain("GetRolePolicy");
        match answer {
            Ok(answer) => Ok(Some(percent_decoded(answer.policy_document()))),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn put_role_policy(&self, role: &str, policy: &str, document: &str) -> PortResult<()> {
        let client = self.iam();
        client
            .put_role_policy()
            .role_name(role)
            .policy_name(policy)
            .policy_document(document)
            .send()
            .await
            .explain("PutRolePolicy")?;
        Ok(())
    }

    async fn delete_role_policy(&self, role: &str, policy: &str) -> PortResult<()> {
        let client = self.iam();
        let answer = client.delete_role_policy().role_name(role).policy_name(policy).send().await;
        match answer.explain("DeleteRolePolicy") {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
            answer => answer.map(|_| ()),
        }
    }
}

/// IAM returns policy documents percent-encoded (RFC 3986).
fn percent_decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_documents_are_decoded() {
        assert_eq!(percent_decoded("%7B%22Sid%22%3A%22a%20b%22%7D"), r#"{"Sid":"a b"}"#);
        assert_eq!(percent_decoded(r#"{"plain":"50%"}"#), r#"{"plain":"50%"}"#);
    }
}
