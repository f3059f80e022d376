//! Security Hub: an analyst's click (custom action) and imported findings (ASFF)
//! (<https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-types.html>). Anyone who may import
//! findings can write most of an ASFF finding; which product it is from is told by its `ProductArn` alone.

use std::net::IpAddr;

use super::{
    ParseError, Parsed, Request, ResourceRole, Source,
    draft::{Draft, Named, one_line, parsed},
    guardduty::{addresses, far_ends, instance_arn},
};
use crate::{ids::AccountId, json::Field, policy::Policy, timestamp::Timestamp};

/// Every custom action has the same detail-type; the action's ARN is in `resources`.
pub(super) fn custom_action(root: &Field<'_>, policy: &Policy) -> Result<Parsed, ParseError> {
    let resources = root.get("resources").items();
    let mut arns = resources.iter().filter_map(|item| item.value().as_str());
    if !arns.any(|arn| policy.custom_actions.iter().any(|action| action == arn)) {
        return Ok(Parsed::Nothing("the custom action is none of BRIG_CUSTOM_ACTIONS".to_owned()));
    }
    collect(root, Source::CustomAction)
}

/// Imported findings: GuardDuty's are the same findings as GuardDuty's own; all others are posture or other products'.
pub(super) fn imported(root: &Field<'_>) -> Result<Parsed, ParseError> {
    collect(root, Source::GuardDuty)
}

fn collect(root: &Field<'_>, source: Source) -> Result<Parsed, ParseError> {
    let said_by: AccountId = root.get("account").parse()?;
    let mut whole = Request::default();
    let mut crowd = 0;
    for finding in root.get("detail").get("findings").items() {
        if source == Source::GuardDuty && !is_guardduty(&finding) {
            continue;
        }
        let named = instances(&finding)?;
        crowd += named.len();
        if !named.is_empty() {
            whole.findings.extend(draft(&finding, source)?.named(&said_by, named).findings);
        }
    }
    // An analyst may select many findings and click once: the cap counts what the click names in all.
    for finding in &mut whole.findings {
        finding.crowd = crowd;
    }
    Ok(parsed(whole, "no finding of the event is GuardDuty's about an instance, or chosen for one"))
}

fn is_guardduty(finding: &Field<'_>) -> bool {
    finding.get("ProductArn").value().as_str().is_some_and(|arn| arn.ends_with("product/aws/guardduty"))
}

fn instances(finding: &Field<'_>) -> Result<Vec<Named>, ParseError> {
    let resources = finding.get("Resources").items();
    let instances = resources.iter().filter(|item| item.get("Type").value().as_str() == Some("AwsEc2Instance"));
    instances.map(|item| instance_arn(&item.get("Id"))).collect()
}

fn draft(finding: &Field<'_>, source: Source) -> Result<Draft, ParseError> {
    let text = |name: &str| finding.get(name).text();
    let id = one_line(finding.get("Id").required_text()?);
    // GuardDuty's own id is the last part of the ARN that Security Hub knows it by: one finding, one containment.
    let id = if is_guardduty(finding) { id.rsplit('/').next().unwrap_or_default().to_owned() } else { id };
    let product = finding.get("ProductFields");
    let types = finding.get("Types").items();
    let kind = types.first().and_then(|first| first.value().as_str()).unwrap_or("Security Hub");
    let title = one_line(text("Title")?.unwrap_or(kind));
    let sample = product.get("aws/guardduty/service/additionalInfo/sample").value().as_str() == Some("true");
    let archived = text("RecordState")? == Some("ARCHIVED")
        || matches!(finding.get("Workflow").get("Status").text()?, Some("SUPPRESSED" | "RESOLVED"));
    let role = match product.get("aws/guardduty/service/resourceRole").value().as_str() {
        Some("TARGET") => Some(ResourceRole::Target),
        Some("ACTOR") => Some(ResourceRole::Actor),
        _ => None,
    };
    Ok(Draft {
        source,
        id,
        kind: kind_of(kind),
        title: if source == Source::CustomAction {
            format!("an analyst chose it in Security Hub: {title}")
        } else {
            title
        },
        severity: if source == Source::GuardDuty { severity(finding)? } else { None },
        role,
        sample,
        archived: archived && source == Source::GuardDuty,
        remotes: remotes(finding, &product),
        last_seen: text("LastObservedAt")?.or(text("UpdatedAt")?).and_then(Timestamp::parse),
        ..Draft::default()
    })
}

/// ASFF has the same `Action` as GuardDuty's `service`; what GuardDuty sends has its own fields by their paths
/// (<https://docs.aws.amazon.com/guardduty/latest/ug/securityhub-integration.html>).
fn remotes(finding: &Field<'_>, product: &Field<'_>) -> Vec<IpAddr> {
    let is_end = |path: &str| {
        let action = path.strip_prefix("aws/guardduty/service/action/");
        let packets = action.is_some_and(|action| {
            ["networkConnectionAction", "portProbeAction"].iter().any(|of| action.starts_with(of))
        });
        packets && ["remoteIpDetails/ipAddressV4", "remoteIpDetails/ipAddressV6"].iter().any(|end| path.ends_with(end))
    };
    let fields = product.value().as_object().into_iter().flatten();
    let own = fields.filter(|(path, _)| is_end(path)).filter_map(|(_, value)| value.as_str());
    addresses(far_ends(finding).into_iter().chain(own))
}

/// GuardDuty's type as Security Hub's taxonomy writes it: `TTPs/Command and Control/Backdoor:EC2-C&CActivity.B!DNS`.
fn kind_of(text: &str) -> String {
    let last = text.rsplit('/').next().unwrap_or(text);
    if last.contains(':') { one_line(&last.replacen('-', "/", 1)) } else { one_line(text) }
}

/// GuardDuty's own scale is in `Product`; where it is missing, `Normalized` is ten times that.
fn severity(finding: &Field<'_>) -> Result<Option<f64>, ParseError> {
    let severity = finding.get("Severity");
    Ok(match severity.get("Product").number()? {
        Some(product) => Some(product),
        None => severity.get("Normalized").number()?.map(|normalized| normalized / 10.0),
    })
}
