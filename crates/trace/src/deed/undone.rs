//! Calls that undo what others did. What was done is known by its thing, `user/eve`, in its account and, of a service that has
//! Regions, its Region: other accounts have the same names.

use std::collections::BTreeMap;

use brig_core::model::timestamp::Timestamp;
use serde_json::Value;

use super::table::classify;
use crate::{
    Record,
    record::{all, top},
};

/// What was undone and not done again since, whoever did it: when at last, and how.
#[derive(Debug, Clone, Default)]
pub(crate) struct Undone {
    undone: BTreeMap<String, (Timestamp, String)>,
    /// What was made or turned on again.
    restored: BTreeMap<String, Timestamp>,
}

impl Undone {
    /// Takes a call in.
    pub(crate) fn take(&mut self, record: &Record) {
        if !record.succeeded() || record.only_asked() {
            return;
        }
        for thing in undoes(record) {
            let how = format!("{} at {}", record.call, record.at);
            let known = self.undone.entry(place(record, &thing)).or_insert((record.at, how.clone()));
            if (record.at, &how) > (known.0, &known.1) {
                *known = (record.at, how);
            }
        }
        for thing in restores(record) {
            let known = self.restored.entry(thing).or_insert(record.at);
            *known = (*known).max(record.at);
        }
    }

    /// How a thing that was made at a moment was undone since. In one second both orders are possible: then it is not known
    /// to be.
    pub(crate) fn since(&self, thing: &str, made: Option<Timestamp>) -> Option<&(Timestamp, String)> {
        let undone = self.undone.get(thing)?;
        let is_back = self.restored.get(thing).is_some_and(|restored| *restored >= undone.0);
        (!is_back && made.is_none_or(|made| undone.0 >= made)).then_some(undone)
    }
}

/// Where a thing of a call is.
pub(crate) fn place(record: &Record, thing: &str) -> String {
    let is_global = ["iam", "sts", "signin"].contains(&record.service.as_str());
    placed(record.account.as_deref(), (!is_global).then_some(record.region.as_str()), thing)
}

/// A thing of an account. No two accounts have the same key.
pub(crate) fn placed(account: Option<&str>, region: Option<&str>, thing: &str) -> String {
    if thing.starts_with("key/") {
        return thing.to_owned();
    }
    format!("{} {} {thing}", account.unwrap_or("-"), region.unwrap_or("-"))
}

/// What a call undoes, whoever makes it, as a draft's things name it.
fn undoes(record: &Record) -> Vec<String> {
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
        "DeleteFunction" => function(record).map(|name| format!("function/{name}")).into_iter().collect(),
        "TerminateInstances" => things("instance", all(&record.request, "instanceId")),
        // Other rules of the same group stay: without ids nobody knows which one it was.
        "RevokeSecurityGroupIngress" | "RevokeSecurityGroupEgress" => {
            let ids = [
                all(&record.request, "securityGroupRuleId"),
                all(&record.request, "securityGroupRuleIds"),
                all(&record.response, "securityGroupRuleId"),
            ];
            things("rule", ids.concat())
        }
        "ModifySnapshotAttribute" | "ModifyImageAttribute" => {
            let id = record.asked("snapshotId").or(record.asked("imageId")).unwrap_or_default();
            record.asked_value("remove").map(|remove| shares(id, &peers(remove))).unwrap_or_default()
        }
        "ModifyDBSnapshotAttribute" | "ModifyDBClusterSnapshotAttribute" => {
            let id = record.asked("dBSnapshotIdentifier").or(record.asked("dBClusterSnapshotIdentifier"));
            shares(id.unwrap_or_default(), &listed(record, "valuesToRemove"))
        }
        "StartLogging" => vec![format!("trail/{}/StopLogging", trail_name(record).unwrap_or_default())],
        _ => Vec::new(),
    }
}

/// What a call makes again, or turns on. What AWS gives an id of its own is never made again.
fn restores(record: &Record) -> Vec<String> {
    match record.call.as_str() {
        "UpdateAccessKey" if record.asked("status") == Some("Active") => {
            vec![place(record, &format!("key/{}", record.asked("accessKeyId").unwrap_or_default()))]
        }
        "CreateUser"
        | "CreateLoginProfile"
        | "UpdateLoginProfile"
        | "CreateRole"
        | "AttachUserPolicy"
        | "AttachRolePolicy"
        | "AttachGroupPolicy"
        | "PutUserPolicy"
        | "PutRolePolicy"
        | "PutGroupPolicy"
        | "AddUserToGroup"
        | "CreateFunction"
        | "ModifySnapshotAttribute"
        | "ModifyImageAttribute"
        | "ModifyDBSnapshotAttribute"
        | "ModifyDBClusterSnapshotAttribute"
        | "StopLogging" => classify(record).map(|draft| draft.things).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// One thing an id.
pub(super) fn things(kind: &str, mut ids: Vec<&str>) -> Vec<String> {
    ids.sort_unstable();
    ids.dedup();
    ids.iter().map(|id| format!("{kind}/{id}")).collect()
}

/// One thing a peer that a snapshot or an image is shared with.
pub(super) fn shares(id: &str, peers: &[&str]) -> Vec<String> {
    peers.iter().map(|peer| format!("share/{id}/{peer}")).collect()
}

/// With whom a permission is: accounts, `all`, organizations and their units.
pub(super) fn peers(permission: &Value) -> Vec<&str> {
    let keys = ["userId", "userIds", "group", "groups", "organizationArn", "organizationalUnitArn"];
    let mut found: Vec<&str> = keys.iter().flat_map(|key| all(permission, key)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The texts of a list of the request.
pub(super) fn listed<'a>(record: &'a Record, key: &str) -> Vec<&'a str> {
    let mut found = top(&record.request, key).map(texts).unwrap_or_default();
    found.sort_unstable();
    found.dedup();
    found
}

fn texts(list: &Value) -> Vec<&str> {
    match list {
        Value::String(one) => vec![one],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// A function's name, which may be written as an ARN; none where one version of it is meant.
pub(super) fn function(record: &Record) -> Option<&str> {
    let name = record.asked("functionName")?;
    let bare = name.rsplit_once("function:").map_or(name, |(_, bare)| bare);
    let is_version = bare.contains(':') || top(&record.request, "qualifier").is_some_and(|version| !version.is_null());
    (!is_version).then_some(bare)
}

/// A trail's name, which may be written as an ARN.
pub(super) fn trail_name(record: &Record) -> Option<&str> {
    let name = record.asked("name").or(record.asked("trailName"))?;
    Some(name.rsplit('/').next().unwrap_or(name))
}
