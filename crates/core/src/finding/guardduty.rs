//! GuardDuty findings: the EventBridge envelope's `detail`, the same document alone (a rule with InputPath `$.detail`),
//! and the list that the GetFindings API gives. Fields as in
//! <https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings_eventbridge.html>.
//! `resource.resourceType` decides what is compromised: samples of other families carry filler `instanceDetails`.

use std::net::IpAddr;

use serde_json::Value;

use super::{
    Invoked, ParseError, Parsed, Request, ResourceRole, Source,
    draft::{Draft, Named, Target, one_line, parsed},
    sessions,
};
use crate::{
    ids::{AccountId, Arn, InstanceId, Region},
    json::Field,
    timestamp::Timestamp,
};

/// A finding has a type, a resource or a sequence, and a service block; nothing else that reaches a function has.
pub(super) fn is_finding(root: &Field<'_>) -> bool {
    ["type", "service", "id"].iter().all(|key| !root.get(key).is_absent())
        && (!root.get("resource").is_absent() || !root.get("schemaVersion").is_absent())
}

/// `{"Findings": [...]}`.
pub(super) fn parse_list(list: &Field<'_>, invoked: &Invoked) -> Result<Parsed, ParseError> {
    let mut whole = Request::default();
    for item in list.items() {
        if let Parsed::Request(request) = parse(&item, None, invoked)? {
            whole.findings.extend(request.findings);
        }
    }
    Ok(parsed(whole, "no finding of the list names an instance"))
}

pub(super) fn parse(detail: &Field<'_>, envelope: Option<&Field<'_>>, invoked: &Invoked) -> Result<Parsed, ParseError> {
    if detail.object().is_none() {
        return Err(detail.wrong("a GuardDuty finding"));
    }
    let kind = one_line(detail.get("type").required_text()?);
    let service = detail.get("service");
    let account: AccountId = detail.get("accountId").parse()?;
    let region: Region = region(detail, envelope).parse()?;
    // A bare finding came by direct invoke, or by a rule of the function's own bus.
    let said_by: AccountId = match envelope {
        Some(envelope) if !envelope.get("account").is_absent() => envelope.get("account").parse()?,
        _ => invoked.account.clone(),
    };
    let named = match named(detail, &kind, &account, &region)? {
        Ok(named) => named,
        Err(why) => return Ok(Parsed::Nothing(why)),
    };
    let resource_type = detail.get("resource").get("resourceType").value().as_str().unwrap_or_default();
    let role = match service.get("resourceRole").text()? {
        Some("TARGET") => Some(ResourceRole::Target),
        Some("ACTOR") => Some(ResourceRole::Actor),
        _ => None,
    };
    let is_sequence = kind.starts_with("AttackSequence:");
    let draft = Draft {
        source: Source::GuardDuty,
        id: one_line(detail.get("id").required_text()?),
        title: one_line(detail.get("title").text()?.unwrap_or(&kind)),
        kind,
        severity: detail.get("severity").number()?,
        role,
        shared_host: matches!(resource_type, "ECSCluster" | "EKSCluster" | "KubernetesCluster" | "Container"),
        sample: is_sample(&service),
        archived: service.get("archived").flag()?.unwrap_or(false),
        last_seen: service
            .get("eventLastSeen")
            .text()?
            .or(envelope.and_then(|event| event.get("time").value().as_str()))
            .and_then(Timestamp::parse),
        remotes: addresses(far_ends(&service)),
        sessions: if is_sequence {
            sessions::of_sequence(&service.get("detection").get("sequence"))
        } else {
            sessions::of_resource(&detail.get("resource"))
        },
        ..Draft::default()
    };
    Ok(parsed(draft.named(&said_by, named), "the finding names no instance"))
}

/// The instances that a finding is about, by its family; the inner error is the reason why there are none.
fn named(
    detail: &Field<'_>,
    kind: &str,
    account: &AccountId,
    region: &Region,
) -> Result<Result<Vec<Named>, String>, ParseError> {
    let resource = detail.get("resource");
    let here = |id: InstanceId| vec![(account.clone(), region.clone(), Target::Instance(id))];
    if kind.starts_with("AttackSequence:") {
        return sequence(detail).map(|named| {
            if named.is_empty() { Err(format!("the sequence {kind} names no instance")) } else { Ok(named) }
        });
    }
    let resource_type = one_line(resource.get("resourceType").required_text()?);
    let details = resource.get("instanceDetails").get("instanceId");
    Ok(match resource_type.as_str() {
        "Instance" if details.is_absent() => Err(format!("the finding {kind} names no instance")),
        "Instance" => Ok(here(details.parse()?)),
        // Malware found on a volume of an instance, or in a container on it: the host is named beside it.
        "EBSVolume" | "ECSCluster" | "EKSCluster" | "KubernetesCluster" | "Container" if !details.is_absent() => {
            Ok(here(details.parse()?))
        }
        "AccessKey" => match of_access_key(&resource) {
            Some(id) => Ok(here(id)),
            None => Err(format!("the finding {kind} is about an access key that belongs to no instance")),
        },
        other => Err(format!("the finding {kind} is about a resource of type {other}, not an instance")),
    })
}

/// Credentials of an instance's role: the principal is `AROA...:i-...`, the session that the instance's metadata service
/// handed out.
fn of_access_key(resource: &Field<'_>) -> Option<InstanceId> {
    resource.get("accessKeyDetails").get("principalId").value().as_str().and_then(sessions::instance_of)
}

/// An attack sequence lists what took part; its signals say nothing more about instances.
fn sequence(detail: &Field<'_>) -> Result<Vec<Named>, ParseError> {
    let mut found = Vec::new();
    for item in detail.get("service").get("detection").get("sequence").get("resources").items() {
        if item.get("resourceType").value().as_str() != Some("EC2_INSTANCE") {
            continue;
        }
        let uid = item.get("uid");
        found.push(instance_arn(&uid)?);
    }
    Ok(found)
}

/// Who exchanged packets with the instance: the far end of a connection, port probes, the endpoints of a sequence. A caller
/// of AWS's API is none, and what is no address is left out: the instance is contained all the same.
pub(super) fn far_ends<'a>(service: &Field<'a>) -> Vec<&'a str> {
    let action = service.get("action");
    let mut ends = vec![action.get("networkConnectionAction").get("remoteIpDetails")];
    let probes = action.get("portProbeAction").get("portProbeDetails").items();
    ends.extend(probes.iter().map(|probe| probe.get("remoteIpDetails")));
    let mut texts: Vec<Field<'a>> =
        ends.iter().flat_map(|end| [end.get("ipAddressV4"), end.get("ipAddressV6")]).collect();
    let endpoints = service.get("detection").get("sequence").get("endpoints").items();
    texts.extend(endpoints.iter().map(|endpoint| endpoint.get("ip")));
    texts.iter().filter_map(|text| text.value().as_str()).collect()
}

/// The addresses among these texts, each once, in their order.
pub(super) fn addresses<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = Vec::new();
    for address in texts.into_iter().filter_map(|text| text.parse().ok()) {
        if !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

/// A target from an instance's ARN.
pub(super) fn instance_arn(field: &Field<'_>) -> Result<Named, ParseError> {
    let wrong = || field.wrong("the ARN of an instance");
    let arn = Arn::parse(field.required_text()?).ok_or_else(wrong)?;
    let id = arn.resource.strip_prefix("instance/").ok_or_else(wrong)?.parse().map_err(|_| wrong())?;
    let account = arn.account.parse().map_err(|_| wrong())?;
    let region = arn.region.parse().map_err(|_| wrong())?;
    Ok((account, region, Target::Instance(id)))
}

/// The finding's own Region; findings of older schemas leave it to the envelope.
fn region<'a>(detail: &Field<'a>, envelope: Option<&Field<'a>>) -> Field<'a> {
    let own = detail.get("region");
    match envelope {
        Some(envelope) if own.is_absent() => envelope.get("region"),
        _ => own,
    }
}

/// GuardDuty marks samples in `additionalInfo.sample`, or inside the JSON text of `additionalInfo.value`.
fn is_sample(service: &Field<'_>) -> bool {
    let info = service.get("additionalInfo");
    let marked = |value: &Value| value.as_bool() == Some(true) || value.as_str() == Some("true");
    if marked(info.get("sample").value()) {
        return true;
    }
    info.get("value")
        .value()
        .as_str()
        .and_then(|text| serde_json::from_str::<Value>(text).ok())
        .is_some_and(|inner| inner.get("sample").is_some_and(marked))
}
