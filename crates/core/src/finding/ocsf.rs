//! Security Hub's `Findings Imported V2`: findings in the Open Cybersecurity Schema Framework
//! (<https://schema.ocsf.io/classes/detection_finding>). Read as ASFF's are: only GuardDuty's, told by the product's ARN.

use super::{
    ParseError, Parsed, Request, Source,
    draft::{Draft, Named, one_line, parsed},
    guardduty::instance_arn,
};
use crate::{ids::AccountId, json::Field, timestamp::Timestamp};

pub(super) fn parse(root: &Field<'_>) -> Result<Parsed, ParseError> {
    let said_by: AccountId = root.get("account").parse()?;
    let mut whole = Request::default();
    for finding in root.get("detail").get("findings").items() {
        let product = finding.get("metadata").get("product").get("uid").value().as_str().unwrap_or_default();
        if !(product.starts_with("arn:") && product.ends_with("/aws/guardduty")) {
            continue;
        }
        let named = instances(&finding)?;
        whole.findings.extend(draft(&finding)?.named(&said_by, named).findings);
    }
    Ok(parsed(whole, "no imported finding is GuardDuty's about an instance"))
}

fn instances(finding: &Field<'_>) -> Result<Vec<Named>, ParseError> {
    let resources = finding.get("resources").items();
    let uid = |item: &Field<'_>| item.get("uid").value().as_str().unwrap_or_default().to_owned();
    resources
        .iter()
        .filter(|item| uid(item).contains(":ec2:") && uid(item).contains(":instance/"))
        .map(|item| instance_arn(&item.get("uid")))
        .collect()
}

fn draft(finding: &Field<'_>) -> Result<Draft, ParseError> {
    let info = finding.get("finding_info");
    let id = one_line(info.get("uid").required_text()?);
    let types = info.get("types").items();
    let kind = one_line(types.first().and_then(|kind| kind.value().as_str()).unwrap_or("GuardDuty"));
    Ok(Draft {
        source: Source::GuardDuty,
        // GuardDuty's own id is the last part of the ARN that Security Hub knows it by.
        id: id.rsplit('/').next().unwrap_or_default().to_owned(),
        title: one_line(info.get("title").text()?.unwrap_or(&kind)),
        kind,
        severity: finding.get("severity_id").number()?.and_then(severity),
        // 3 is suppressed, 4 is resolved, 5 is archived.
        archived: finding.get("status_id").number()?.is_some_and(|status| (3.0..=5.0).contains(&status)),
        last_seen: info.get("last_seen_time_dt").value().as_str().and_then(Timestamp::parse),
        ..Draft::default()
    })
}

/// The schema has levels where GuardDuty has numbers: the lowest number of each level is what may be believed.
fn severity(level: f64) -> Option<f64> {
    [(1.0, 1.0), (2.0, 1.0), (3.0, 4.0), (4.0, 7.0), (5.0, 9.0), (6.0, 10.0)]
        .iter()
        .find(|(id, _)| (level - id).abs() < 0.5)
        .map(|(_, severity)| *severity)
}
