//! IAM, Roles Anywhere and the sign-in: who is who, and what they may.

use serde_json::Value;

use super::{
    DeedKind,
    table::{Draft, draft, in_region, word},
};
use crate::Record;

#[expect(clippy::too_many_lines, reason = "one arm an operation")]
pub(super) fn of_iam(record: &Record) -> Option<Draft> {
    let call = record.call.as_str();
    let user = record.asked("userName").or(record.caller.user.as_deref());
    let (role, group) = (record.asked("roleName"), record.asked("groupName"));
    let arn = record.asked("policyArn");
    Some(match call {
        "CreateUser" => {
            draft(DeedKind::User, &[user]).thing(format!("user/{}", user.unwrap_or_default())).undo(|| {
                Some(format!(
                    "aws iam list-access-keys --user-name {u}; aws iam delete-user --user-name {u} # after its keys, password and policies",
                    u = word(user)?
                ))
            })
        }
        "UpdateUser" => draft(DeedKind::User, &[user, record.asked("newUserName")])
            .detail("it was renamed, or moved to another path"),
        "CreateAccessKey" => {
            let key = record.response_text("accessKeyId");
            let d = draft(DeedKind::Credential, &[key, user])
                .things(key.map(|key| format!("key/{key}")).into_iter().collect());
            // Where it names nobody it is the caller's own, and nobody else turns off the root user's.
            if record.asked("userName").is_none() && record.caller.kind == "Root" {
                d.detail("an access key of the root user, which it has to turn off itself")
            } else {
                d.detail("an access key").undo(|| {
                    Some(format!(
                        "aws iam update-access-key --user-name {} --access-key-id {} --status Inactive",
                        word(user)?,
                        word(key)?
                    ))
                })
            }
        }
        "UpdateAccessKey" => draft(DeedKind::Credential, &[record.asked("accessKeyId"), user, record.asked("status")]),
        "CreateLoginProfile" | "UpdateLoginProfile" => draft(DeedKind::Credential, &[user])
            .detail(if call == "CreateLoginProfile" { "a console password" } else { "another console password" })
            .thing(format!("password/{}", user.unwrap_or_default()))
            .undo(|| Some(format!("aws iam delete-login-profile --user-name {}", word(user)?))),
        "UploadSSHPublicKey"
        | "UploadSigningCertificate"
        | "CreateServiceSpecificCredential"
        | "ResetServiceSpecificCredential" => draft(
            DeedKind::Credential,
            &[
                record
                    .response_text("sSHPublicKeyId")
                    .or(record.response_text("certificateId"))
                    .or(record.response_text("serviceSpecificCredentialId")),
                user,
            ],
        ),
        "DeactivateMFADevice"
        | "DeleteVirtualMFADevice"
        | "EnableMFADevice"
        | "CreateVirtualMFADevice"
        | "ResyncMFADevice" => {
            draft(DeedKind::Credential, &[user, record.asked("serialNumber")]).detail("an MFA device")
        }
        "ChangePassword" => draft(DeedKind::Credential, &[user]).detail("its own console password"),
        "CreateRole" => draft(DeedKind::Role, &[role])
            .thing(format!("role/{}", role.unwrap_or_default()))
            .undo(|| Some(format!("aws iam delete-role --role-name {} # after its policies", word(role)?))),
        "UpdateAssumeRolePolicy" => {
            let who = record.asked("policyDocument").map(principals).unwrap_or_default();
            let d = draft(DeedKind::Trust, &[role]).thing(format!("trust/{}", role.unwrap_or_default()));
            d.detail(if who.is_empty() {
                "put back the policy that it had".to_owned()
            } else {
                format!("now trusted: {}; put back the policy that it had", who.join(", "))
            })
        }
        "AttachUserPolicy" | "AttachRolePolicy" | "AttachGroupPolicy" => {
            let (kind, holder) = holder(user.filter(|_| call.contains("User")), role, group)?;
            draft(DeedKind::Policy, &[Some(holder), arn])
                .thing(format!("attached/{kind}/{holder}/{}", arn.unwrap_or_default()))
                .undo(|| {
                    let (holder, arn) = (word(Some(holder))?, word(arn)?);
                    Some(format!("aws iam detach-{kind}-policy --{kind}-name {holder} --policy-arn {arn}"))
                })
        }
        "PutUserPolicy" | "PutRolePolicy" | "PutGroupPolicy" => {
            let (kind, holder) = holder(user.filter(|_| call.contains("User")), role, group)?;
            let policy = record.asked("policyName");
            draft(DeedKind::Policy, &[Some(holder), policy])
                .thing(format!("inline/{kind}/{holder}/{}", policy.unwrap_or_default()))
                .undo(|| {
                    let (holder, policy) = (word(Some(holder))?, word(policy)?);
                    Some(format!("aws iam delete-{kind}-policy --{kind}-name {holder} --policy-name {policy}"))
                })
        }
        "AddUserToGroup" => draft(DeedKind::Policy, &[user, group])
            .thing(format!("member/{}/{}", group.unwrap_or_default(), user.unwrap_or_default()))
            .undo(|| {
                let (group, user) = (word(group)?, word(user)?);
                Some(format!("aws iam remove-user-from-group --group-name {group} --user-name {user}"))
            }),
        "CreatePolicy" => draft(DeedKind::Policy, &[record.response_text("arn").or(record.asked("policyName"))]),
        "CreatePolicyVersion" | "SetDefaultPolicyVersion" => {
            let version = record.response_text("versionId").or(record.asked("versionId"));
            let is_default = record.asked_value("setAsDefault").is_none_or(|set| *set == Value::Bool(true));
            draft(DeedKind::Policy, &[arn, version]).detail(if is_default {
                "make the version before it the default again"
            } else {
                "a version that is not in force"
            })
        }
        "PutUserPermissionsBoundary"
        | "DeleteUserPermissionsBoundary"
        | "PutRolePermissionsBoundary"
        | "DeleteRolePermissionsBoundary" => draft(
            DeedKind::Policy,
            &[user.filter(|_| call.contains("User")).or(role), record.asked("permissionsBoundary")],
        )
        .detail("its permissions boundary"),
        "AddRoleToInstanceProfile" => draft(DeedKind::Policy, &[record.asked("instanceProfileName"), role]),
        "CreateSAMLProvider"
        | "CreateOpenIDConnectProvider"
        | "UpdateSAMLProvider"
        | "AddClientIDToOpenIDConnectProvider"
        | "UpdateOpenIDConnectProviderThumbprint"
        | "CreateTrustAnchor"
        | "CreateProfile"
        | "UpdateTrustAnchor"
        | "UpdateProfile" => {
            let made = record
                .response_text("trustAnchorArn")
                .or(record.response_text("profileArn"))
                .or(record.response_text("openIDConnectProviderArn"))
                .or(record.response_text("sAMLProviderArn"));
            let d = draft(DeedKind::WayIn, &[made.or(record.asked("name")).or(record.asked("url"))]);
            match (call, record.response_text("trustAnchorId"), record.response_text("profileId")) {
                ("CreateTrustAnchor", Some(id), _) => d.thing(format!("anchor/{id}")).undo(|| {
                    let id = word(Some(id))?;
                    Some(format!("aws rolesanywhere delete-trust-anchor --trust-anchor-id {id}{}", in_region(record)))
                }),
                ("CreateProfile", _, Some(id)) => d.thing(format!("profile/{id}")).undo(|| {
                    let id = word(Some(id))?;
                    Some(format!("aws rolesanywhere delete-profile --profile-id {id}{}", in_region(record)))
                }),
                _ => d,
            }
        }
        "ConsoleLogin" | "SwitchRole" => {
            draft(DeedKind::Command, &[record.caller.user.as_deref(), record.address.as_deref()])
                .detail("signed in to the console")
        }
        _ => return None,
    })
}

fn holder<'a>(user: Option<&'a str>, role: Option<&'a str>, group: Option<&'a str>) -> Option<(&'static str, &'a str)> {
    user.map(|user| ("user", user))
        .or_else(|| role.map(|role| ("role", role)))
        .or_else(|| group.map(|group| ("group", group)))
}

/// Who a trust policy trusts.
fn principals(document: &str) -> Vec<String> {
    let Ok(policy) = serde_json::from_str::<Value>(document) else { return Vec::new() };
    let statements = match policy.get("Statement") {
        Some(Value::Array(all)) => all.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    let mut found = Vec::new();
    let allow = statements.iter().filter(|statement| statement.get("Effect").is_none_or(|effect| effect != "Deny"));
    for principal in allow.filter_map(|statement| statement.get("Principal")) {
        match principal {
            Value::String(one) => found.push(one.clone()),
            Value::Object(map) => found.extend(map.values().flat_map(|value| match value {
                Value::String(one) => vec![one.clone()],
                Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
            })),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {}
        }
    }
    found.sort();
    found.dedup();
    found
}
