//! What a call issued.

use brig_core::model::timestamp::Timestamp;

use crate::{
    Record,
    credential::{CredentialId, CredentialKind},
    record::all,
};

/// One credential that a call made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Issue {
    pub(super) at: Timestamp,
    pub(super) event: String,
    pub(super) parent: CredentialId,
    pub(super) call: String,
    pub(super) child: CredentialId,
    pub(super) kind: CredentialKind,
    pub(super) of: Option<String>,
    pub(super) session: Option<String>,
    /// `AROA...:<session>`: the same session in records that have another key for it.
    pub(super) principal: Option<String>,
    pub(super) account: Option<String>,
    pub(super) expires: Option<Timestamp>,
}

/// What a call issued.
pub(super) fn issues(record: &Record) -> Vec<Issue> {
    let caller = &record.caller;
    let parent = match (&caller.key, record.asked("roleSessionName")) {
        (Some(key), _) => CredentialId::Key(key.clone()),
        // EC2 assumes the role for the instance, whose id is the session's name. Anybody else may choose such a name.
        (None, Some(name)) if name.starts_with("i-") && caller.kind == "AWSService" => {
            CredentialId::Instance(name.to_owned())
        }
        (None, _) => return Vec::new(),
    };
    let one = |child: CredentialId, kind: CredentialKind| Issue {
        at: record.at,
        event: record.id.clone(),
        parent: parent.clone(),
        call: record.call.clone(),
        child,
        kind,
        of: None,
        session: None,
        principal: None,
        account: record.account.clone(),
        expires: record.response_text("expiration").and_then(Timestamp::parse),
    };
    let user = || record.asked("userName").map(str::to_owned).or_else(|| caller.user.clone());
    match record.call.as_str() {
        "AssumeRole"
        | "AssumeRoleWithSAML"
        | "AssumeRoleWithWebIdentity"
        | "AssumeRoot"
        | "GetSessionToken"
        | "GetFederationToken" => {
            let kind = match record.call.as_str() {
                "GetSessionToken" => CredentialKind::UserSession,
                "GetFederationToken" => CredentialKind::FederatedSession,
                _ => CredentialKind::RoleSession,
            };
            let role = record.asked("roleArn").map(str::to_owned);
            let name = record.asked("roleSessionName").or_else(|| record.asked("name")).map(str::to_owned);
            let principal = record.response_text("assumedRoleId").map(str::to_owned);
            let nameless = || {
                let name = name.as_deref().unwrap_or("a session");
                CredentialId::Session(format!("{}/{name} of {}", role.as_deref().unwrap_or("a user"), record.at))
            };
            let key = record.response_text("accessKeyId").map(|key| CredentialId::Key(key.to_owned()));
            let child = key.unwrap_or_else(nameless);
            let of = role.clone().or_else(|| caller.user.clone());
            // A session is of its role's account, whoever asked for it.
            let account = role.as_deref().and_then(account_of).map(str::to_owned).or_else(|| record.account.clone());
            vec![Issue { of, session: name.clone(), principal, account, ..one(child, kind) }]
        }
        "CreateAccessKey" => {
            let Some(key) = record.response_text("accessKeyId") else { return Vec::new() };
            vec![Issue {
                of: user(),
                expires: None,
                ..one(CredentialId::Key(key.to_owned()), CredentialKind::AccessKey)
            }]
        }
        "CreateLoginProfile" | "UpdateLoginProfile" => {
            let Some(user) = user() else { return Vec::new() };
            vec![Issue { of: Some(user.clone()), ..one(CredentialId::Password(user), CredentialKind::Password) }]
        }
        "CreateServiceSpecificCredential" => {
            let Some(id) = record.response_text("serviceSpecificCredentialId") else { return Vec::new() };
            vec![Issue { of: user(), ..one(CredentialId::Service(id.to_owned()), CredentialKind::ServiceSpecific) }]
        }
        // An instance that is launched with a profile, or given one, has credentials of its own.
        "RunInstances" | "AssociateIamInstanceProfile" | "ReplaceIamInstanceProfileAssociation" => {
            let named = |value: Option<&serde_json::Value>| {
                value.is_some_and(|value| value.as_object().is_some_and(|map| !map.is_empty()))
            };
            let has_profile =
                named(record.asked_value("iamInstanceProfile")) || named(record.answered("iamInstanceProfile"));
            if !has_profile {
                return Vec::new();
            }
            let mut ids = all(&record.response, "instanceId");
            if ids.is_empty() {
                ids = all(&record.request, "instanceId");
            }
            ids.sort_unstable();
            ids.dedup();
            ids.into_iter().map(|id| one(CredentialId::Instance(id.to_owned()), CredentialKind::Instance)).collect()
        }
        _ => Vec::new(),
    }
}

/// The account of an ARN.
pub(super) fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| !account.is_empty())
}
