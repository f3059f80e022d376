//! GuardDuty findings: the EventBridge envelope's `detail`, or the same document alone (a rule with InputPath
//! `$.detail`). Fields as in
//! <https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings_eventbridge.html>.

use serde_json::Value;

use super::{Action, Finding, ParseError, Parsed, Request, Source};
use crate::{json::Field, timestamp::Timestamp};

/// A finding has a type, a resource and a service block; nothing else that reaches a function has all three.
pub(super) fn is_finding(root: &Field<'_>) -> bool {
    ["type", "resource", "service"].iter().all(|key| !root.get(key).is_absent())
}

pub(super) fn parse(detail: &Field<'_>, envelope: Option<&Field<'_>>) -> Result<Parsed, ParseError> {
    if detail.object().is_none() {
        return Err(detail.wrong("a GuardDuty finding"));
    }
    let kind = detail.get("type").required_text()?;
    let resource = detail.get("resource");
    // The filler instanceDetails that sample findings of other families carry must not make a target.
    let resource_type = resource.get("resourceType").required_text()?;
    if resource_type != "Instance" {
        return Ok(Parsed::Nothing(format!(
            "the finding {kind} is about a resource of type {resource_type}, not an instance"
        )));
    }
    let service = detail.get("service");
    if resource.get("instanceDetails").get("instanceId").is_absent() {
        return Ok(Parsed::Nothing(format!("the finding {kind} names no instance")));
    }
    Ok(Parsed::Request(Request {
        action: Action::Contain,
        force: false,
        findings: vec![Finding {
            source: Source::GuardDuty,
            id: detail.get("id").required_text()?.chars().take(128).collect(),
            kind: kind.chars().take(128).collect(),
            title: detail.get("title").text()?.unwrap_or(kind).chars().take(256).collect(),
            severity: detail.get("severity").number()?,
            attacked: service.get("resourceRole").text()? == Some("TARGET"),
            sample: is_sample(&service),
            archived: service.get("archived").flag()?.unwrap_or(false),
            last_seen: service.get("eventLastSeen").text()?.and_then(Timestamp::parse),
            account: detail.get("accountId").parse()?,
            region: region(detail, envelope).parse()?,
            instance: resource.get("instanceDetails").get("instanceId").parse()?,
        }],
    }))
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
