//! Where to look in the console.

use super::Audience;
use crate::{
    model::{console, ids::InstanceKey},
    report::answer::Answer,
    step::{Kind, StepKind},
    trigger::{Finding, Source},
};

/// So many interfaces get a link.
const MOST_INTERFACES: usize = 4;

/// What each link leads to, and the link.
pub(super) fn links(answer: &Answer, finding: &Finding, audience: &Audience<'_>) -> Vec<(&'static str, String)> {
    let Answer { account, region, instance_id, .. } = answer;
    let mut links = Vec::new();
    let mut add = |what: &'static str, link: Option<String>| links.extend(link.map(|link| (what, link)));
    add("Instance", console::instance(region, instance_id.as_str()));
    let interfaces = answer.steps.iter().filter(|step| step.step == Kind::Contain(StepKind::Isolate));
    for step in interfaces.take(MOST_INTERFACES) {
        add("Interface", console::interface(region, &step.resource));
    }
    add(
        "Finding",
        match finding.source {
            Source::GuardDuty => console::guardduty_finding(region, &finding.id),
            Source::Health => console::health_event(region, &finding.id),
            Source::AbuseReport
            | Source::AbuseText
            | Source::Tag
            | Source::CustomAction
            | Source::Alarm
            | Source::CloudTrail
            | Source::Manual => None,
        },
    );
    if let Some(home) = audience.region {
        add("Log", console::log_group(home, audience.log_group));
        let key = InstanceKey { account: account.clone(), region: region.clone(), instance: instance_id.clone() };
        if answer.containment_id.is_some() {
            add("Record", console::record(home, audience.table, &key.pk(), "current"));
        }
    }
    links
}
