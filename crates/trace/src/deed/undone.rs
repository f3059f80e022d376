//! Calls that undo what others did.

use crate::{Record, record::all};

/// What a call undoes, whoever makes it, as a draft's `thing` names it.
pub(crate) fn undoes(record: &Record) -> Vec<String> {
    let user = record.asked("userName").or(record.caller.user.as_deref()).unwrap_or_default();
    let role = record.asked("roleName").unwrap_or_default();
    let arn = record.asked("policyArn").unwrap_or_default();
    let policy = record.asked("policyName").unwrap_or_default();
    let group = record.asked("groupName").unwrap_or_default();
    let key = record.asked("accessKeyId").unwrap_or_default();
    match record.call.as_str() {
        "DeleteUser" => vec![format!("user/{user}")],
        "DeleteAccessKey" => vec![format!("key/{key}")],
        "UpdateAccessKey" if record.asked("status") == Some("Inactive") => vec![format!("key/{key}")],
        "DeleteLoginProfile" => vec![format!("password/{user}")],
        "DeleteRole" => vec![format!("role/{role}"), format!("trust/{role}")],
        "DetachUserPolicy" => vec![format!("attached/user/{user}/{arn}")],
        "DetachRolePolicy" => vec![format!("attached/role/{role}/{arn}")],
        "DetachGroupPolicy" => vec![format!("attached/group/{group}/{arn}")],
        "DeleteUserPolicy" => vec![format!("inline/user/{user}/{policy}")],
        "DeleteRolePolicy" => vec![format!("inline/role/{role}/{policy}")],
        "DeleteGroupPolicy" => vec![format!("inline/group/{group}/{policy}")],
        "RemoveUserFromGroup" => vec![format!("member/{group}/{user}")],
        "DeleteTrustAnchor" => record.asked("trustAnchorId").map(|id| format!("anchor/{id}")).into_iter().collect(),
        "DeleteProfile" => record.asked("profileId").map(|id| format!("profile/{id}")).into_iter().collect(),
        "DeleteFunction" => record.asked("functionName").map(|name| format!("function/{name}")).into_iter().collect(),
        "TerminateInstances" => {
            let mut ids = all(&record.request, "instanceId");
            ids.sort_unstable();
            ids.dedup();
            let mut things: Vec<String> = ids.iter().map(|id| format!("instance/{id}")).collect();
            things.push(format!("instance/{}", ids.join(" ")));
            things
        }
        "RevokeSecurityGroupIngress" => vec![format!("rule/{}/ingress", record.asked("groupId").unwrap_or_default())],
        "RevokeSecurityGroupEgress" => vec![format!("rule/{}/egress", record.asked("groupId").unwrap_or_default())],
        "ModifySnapshotAttribute" | "ModifyImageAttribute" => {
            let id = record.asked("snapshotId").or(record.asked("imageId")).unwrap_or_default();
            let Some(remove) = record.asked_value("remove") else { return Vec::new() };
            let mut whom = [all(remove, "userId"), all(remove, "group")].concat();
            whom.sort_unstable();
            vec![format!("share/{id}/{}", whom.join(" "))]
        }
        "StartLogging" => vec![format!("trail/{}/StopLogging", record.asked("name").unwrap_or_default())],
        _ => Vec::new(),
    }
}

/// What a call turns on again.
pub(crate) fn restores(record: &Record) -> Option<String> {
    (record.call == "UpdateAccessKey" && record.asked("status") == Some("Active"))
        .then(|| format!("key/{}", record.asked("accessKeyId").unwrap_or_default()))
}
