//! IAM roles, their profiles and their inline policies.

use async_trait::async_trait;
use brig_core::{
    model::deny_policy,
    release::Reversal,
    step::{AllowRole, AllowRoleSessions, DenyRole, Step},
};
use brig_engine::ports::{ErrorKind, Iam, PortResult, Profile, RoleSeen};

use super::{SimCloud, back, not_found, refused};

#[async_trait]
impl Iam for SimCloud {
    async fn get_instance_profile(&self, name: &str) -> PortResult<Profile> {
        self.read("GetInstanceProfile", |world| match world.profiles.get(name) {
            Some((arn, role)) => Ok(Profile { arn: arn.clone(), role: role.clone() }),
            None => Err(not_found("GetInstanceProfile", "NoSuchEntity")),
        })
        .await
    }

    async fn get_role(&self, name: &str) -> PortResult<Option<RoleSeen>> {
        self.read("GetRole", |world| {
            let tags = world.role_tags.get(name).cloned().unwrap_or_default();
            Ok(world.role(name).map(|role| RoleSeen { role, tags }))
        })
        .await
    }

    async fn list_instance_profiles_for_role(&self, role: &str) -> PortResult<Vec<String>> {
        self.read("ListInstanceProfilesForRole", |world| {
            let held = world.profiles.values().filter(|(_, held)| held.as_ref().is_some_and(|held| held.name == role));
            Ok(held.map(|(arn, _)| arn.clone()).collect())
        })
        .await
    }

    async fn list_attached_role_policies(&self, role: &str) -> PortResult<Vec<String>> {
        self.read("ListAttachedRolePolicies", |world| {
            Ok(world.attached_to_roles.get(role).into_iter().flatten().cloned().collect())
        })
        .await
    }

    async fn get_role_policy(&self, role: &str, policy: &str) -> PortResult<Option<String>> {
        self.read("GetRolePolicy", |world| Ok(world.policies.get(&(role.to_owned(), policy.to_owned())).cloned())).await
    }

    async fn put_role_policy(&self, name: &str, policy: &str, document: &str) -> PortResult<()> {
        let intended = |step: &Step| match step {
            Step::DenyRole(DenyRole { role, .. }) => role == name && policy == deny_policy::NAME,
            Step::DenyRoleSessions(step) => step.role.as_str() == name && policy == deny_policy::SESSIONS,
            step => back(step, |back| gives_back(back, name)),
        };
        self.write("PutRolePolicy", intended, |state| {
            // IAM counts every inline policy of the role, without white space.
            let others = state.world.policies.iter().filter(|((role, own), _)| role == name && own != policy);
            let size = |document: &str| document.chars().filter(|c| !c.is_whitespace()).count();
            let total = others.map(|(_, other)| size(other)).sum::<usize>() + size(document);
            if total > deny_policy::LONGEST {
                return Err(refused("PutRolePolicy", ErrorKind::LimitReached, "LimitExceeded"));
            }
            state.world.policies.insert((name.to_owned(), policy.to_owned()), document.to_owned());
            Ok(())
        })
        .await
    }

    async fn delete_role_policy(&self, name: &str, policy: &str) -> PortResult<()> {
        let intended = |step: &Step| back(step, |back| gives_back(back, name));
        self.write("DeleteRolePolicy", intended, |state| {
            state.world.policies.remove(&(name.to_owned(), policy.to_owned()));
            Ok(())
        })
        .await
    }
}

fn gives_back(back: &Reversal, name: &str) -> bool {
    match back {
        Reversal::AllowRole(AllowRole { role, .. }) => role == name,
        Reversal::AllowRoleSessions(AllowRoleSessions { role, .. }) => role.as_str() == name,
        _ => false,
    }
}
