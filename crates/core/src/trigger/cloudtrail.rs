//! CloudTrail's record of a call that may have touched what a containment holds. It is no finding: it only says where to
//! look again (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>).

use std::{collections::BTreeSet, net::IpAddr};

use serde_json::Value;

use super::{
    Doubt, Invoked, ParseError, Parsed, Source,
    draft::{Draft, Target, one_line},
    reading,
};
use crate::{
    model::{
        Principal, deny_policy,
        ids::{AccountId, Arn, EniId, GroupId, InstanceId, Region, RoleName, UserName, arn_name},
        timestamp::Timestamp,
    },
    trigger::json::{Field, shown},
};

/// Calls that can undo a part of a containment.
pub const UNDOING: &[&str] = &[
    "AssociateAddress",
    "AssociateIamInstanceProfile",
    "AttachInstances",
    "AttachNetworkInterface",
    "AttachUserPolicy",
    "AuthorizeSecurityGroupEgress",
    "AuthorizeSecurityGroupIngress",
    "CreateAccessKey",
    "CreateLoginProfile",
    "CreateServiceSpecificCredential",
    "DeleteRolePolicy",
    "DeleteTags",
    "DeleteUserPermissionsBoundary",
    "DetachUserPolicy",
    "ModifyInstanceAttribute",
    "ModifyInstanceMetadataOptions",
    "ModifyNetworkInterfaceAttribute",
    "ModifySecurityGroupRules",
    "PutRolePolicy",
    "PutUserPermissionsBoundary",
    "RegisterInstancesWithLoadBalancer",
    "RegisterTargets",
    "ReplaceIamInstanceProfileAssociation",
    "RevokeSecurityGroupEgress",
    "RevokeSecurityGroupIngress",
    "StartInstances",
    "StopInstances",
    "TerminateInstances",
    "UpdateAccessKey",
    "UpdateSSHPublicKey",
    "UpdateServiceSpecificCredential",
    "UpdateSigningCertificate",
    "UpdateUser",
    "UploadSSHPublicKey",
    "UploadSigningCertificate",
];
/// Those of them that change a user.
const OF_USERS: [&str; 14] = [
    "AttachUserPolicy",
    "CreateAccessKey",
    "CreateLoginProfile",
    "CreateServiceSpecificCredential",
    "DeleteUserPermissionsBoundary",
    "DetachUserPolicy",
    "PutUserPermissionsBoundary",
    "UpdateAccessKey",
    "UpdateSSHPublicKey",
    "UpdateServiceSpecificCredential",
    "UpdateSigningCertificate",
    "UpdateUser",
    "UploadSSHPublicKey",
    "UploadSigningCertificate",
];
/// Deeper nesting than any call has.
const DEEPEST: usize = 12;

/// Whether a call of this name can undo a part of a containment.
#[must_use]
pub fn can_undo(call: &str) -> bool {
    UNDOING.contains(&call)
}

/// What a call names, wherever in its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailCall {
    /// The event's id.
    pub id: String,
    pub call: String,
    /// The ARN of who made it.
    pub by: String,
    /// The source identity of the session, where it has one.
    pub source_identity: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
    /// The account it was made in.
    pub account: AccountId,
    pub region: Region,
    pub instances: Vec<InstanceId>,
    pub interfaces: Vec<EniId>,
    /// Security groups.
    pub groups: Vec<GroupId>,
    /// Addresses of targets.
    pub addresses: Vec<IpAddr>,
    /// Names of roles whose policy of Brig's name was written.
    pub roles: Vec<String>,
    /// Roles whose policy that denies sessions was written.
    pub denied_roles: Vec<RoleName>,
    /// Users whose credentials, boundary or policies were written.
    pub users: Vec<UserName>,
}

pub(super) fn parse(root: &Field<'_>, invoked: &Invoked) -> Result<Parsed, ParseError> {
    let detail = root.get("detail");
    if let Some(request) = quarantine(root, invoked)? {
        return Ok(request);
    }
    let call = detail.get("eventName").text()?.unwrap_or_default();
    let nothing = |why: &str| Ok(Parsed::Nothing(format!("{} {why}", shown(detail.get("eventName").value()))));
    if !can_undo(call) {
        return nothing("cannot undo a containment");
    }
    if !detail.get("errorCode").is_absent() {
        return nothing("failed: it changed nothing");
    }
    let identity = detail.get("userIdentity");
    let text = |field: Field<'_>| field.value().as_str().map(str::to_owned);
    let mut touched = TrailCall {
        id: text(detail.get("eventID")).unwrap_or_default(),
        call: call.to_owned(),
        by: text(identity.get("arn"))
            .or_else(|| text(identity.get("invokedBy")))
            .unwrap_or_else(|| "an unknown caller".to_owned()),
        source_identity: text(identity.get("sessionContext").get("sourceIdentity")),
        at: detail.get("eventTime").time(),
        account: optional(&detail.get("recipientAccountId"), &invoked.account)?,
        region: optional(&detail.get("awsRegion"), &invoked.region)?,
        instances: Vec::new(),
        interfaces: Vec::new(),
        groups: Vec::new(),
        addresses: Vec::new(),
        roles: Vec::new(),
        denied_roles: Vec::new(),
        users: Vec::new(),
    };
    let parameters = detail.get("requestParameters");
    let mut named = Named::default();
    collect(parameters.value(), call == "RegisterTargets", &mut named, 0);
    collect(detail.get("responseElements").value(), false, &mut named, 0);
    touched.instances = named.instances.into_iter().collect();
    touched.interfaces = named.interfaces.into_iter().collect();
    touched.groups = named.groups.into_iter().collect();
    touched.addresses = named.addresses.into_iter().collect();
    let role = || text(parameters.get("roleName"));
    match parameters.get("policyName").value().as_str() {
        Some(deny_policy::NAME) => touched.roles.extend(role()),
        Some(deny_policy::SESSIONS) => touched.denied_roles.extend(role().and_then(|name| name.parse().ok())),
        Some(_) | None => {}
    }
    if OF_USERS.contains(&call) {
        // A user that does it to itself need not name itself.
        let own =
            || text(identity.get("userName")).filter(|_| identity.get("type").value().as_str() == Some("IAMUser"));
        touched.users.extend(text(parameters.get("userName")).or_else(own).and_then(|name| name.parse().ok()));
    }
    let named = touched.users.len() + touched.instances.len() + touched.interfaces.len() + touched.groups.len();
    if named + touched.addresses.len() + touched.roles.len() + touched.denied_roles.len() == 0 {
        return nothing("names nothing that a containment holds");
    }
    Ok(Parsed::TrailCall(Box::new(touched)))
}

/// AWS attached its policy for users whose key it found in public
/// (<https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCompromisedKeyQuarantineV3.html>): the policy forbids
/// what costs most, and leaves the key active. None where the call is no such one.
fn quarantine(root: &Field<'_>, invoked: &Invoked) -> Result<Option<Parsed>, ParseError> {
    let detail = root.get("detail");
    let parameters = detail.get("requestParameters");
    let policy = parameters.get("policyArn").value().as_str().unwrap_or_default();
    let is_quarantine = arn_name(policy).starts_with("AWSCompromisedKeyQuarantine")
        && Arn::parse(policy).is_some_and(|arn| arn.account == "aws");
    if detail.get("eventName").text()? != Some("AttachUserPolicy") || !is_quarantine {
        return Ok(None);
    }
    if !detail.get("errorCode").is_absent() {
        return Ok(Some(Parsed::Nothing("AttachUserPolicy failed: it changed nothing".to_owned())));
    }
    let user = parameters.get("userName").parse()?;
    let account = optional(&detail.get("recipientAccountId"), &invoked.account)?;
    let region = optional(&detail.get("awsRegion"), &invoked.region)?;
    // AWS does it from an account of its own. Whoever else may attach policies gets a question, not a switch.
    let identity = detail.get("userIdentity");
    let caller = identity.get("accountId");
    let by_aws = identity.get("type").value().as_str() == Some("AWSService")
        || caller.value().as_str().is_some_and(|caller| caller != account.as_str());
    let title = if by_aws {
        format!("AWS put the user {user} into quarantine: it found an access key in public")
    } else {
        let by = one_line(identity.get("arn").value().as_str().unwrap_or("an unknown caller"));
        format!("{by}, not AWS, attached AWS's quarantine policy to the user {user}")
    };
    let draft = Draft {
        doubt: (!by_aws).then_some(Doubt::ByCustomer),
        source: Source::CloudTrail,
        id: one_line(detail.get("eventID").value().as_str().unwrap_or("AttachUserPolicy")),
        kind: arn_name(policy).to_owned(),
        title,
        last_seen: detail.get("eventTime").time(),
        ..Draft::default()
    };
    let said_by = reading::account(&[root.get("account")])?.unwrap_or_else(|| account.clone());
    Ok(Some(Parsed::Request(draft.named(&said_by, vec![(account, region, Target::Principal(Principal::User(user)))]))))
}

fn optional<T>(field: &Field<'_>, default: &T) -> Result<T, ParseError>
where
    T: std::str::FromStr<Err = crate::model::ids::InvalidId> + Clone,
{
    if field.is_absent() { Ok(default.clone()) } else { field.parse() }
}

/// What a call names, each once: an event has room for thousands of ids.
#[derive(Default)]
struct Named {
    instances: BTreeSet<InstanceId>,
    interfaces: BTreeSet<EniId>,
    groups: BTreeSet<GroupId>,
    addresses: BTreeSet<IpAddr>,
}

/// Ids are recognized by their form, since every call writes them under names of its own.
fn collect(value: &Value, addresses: bool, touched: &mut Named, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::String(text) => {
            if let Ok(id) = text.parse::<InstanceId>() {
                touched.instances.insert(id);
            } else if is_id(text, "eni-") {
                touched.interfaces.insert(EniId::from(text.as_str()));
            } else if is_id(text, "sg-") {
                touched.groups.insert(GroupId::from(text.as_str()));
            } else if addresses && let Ok(address) = text.parse() {
                touched.addresses.insert(address);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, addresses, touched, depth + 1)),
        Value::Object(map) => map.values().for_each(|item| collect(item, addresses, touched, depth + 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| {
        matches!(rest.len(), 8 | 17) && rest.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}
