//! CloudWatch alarms: the EventBridge event and the direct Lambda action
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html>). An alarm is a sign,
//! not a verdict: what it names is asked about unless a policy rule says more.

use super::{
    ParseError, Parsed, Source,
    draft::{Draft, Named, Target, one_line, parsed},
};
use crate::{
    ids::{AccountId, InstanceId, Region},
    json::Field,
    timestamp::Timestamp,
};

pub(super) fn from_event(root: &Field<'_>) -> Result<Parsed, ParseError> {
    parse(&root.get("detail"), &root.get("account").parse()?, &root.get("region").parse()?, root)
}

/// The alarm's Lambda action carries the same data below `alarmData`.
pub(super) fn from_action(root: &Field<'_>) -> Result<Parsed, ParseError> {
    parse(&root.get("alarmData"), &root.get("accountId").parse()?, &root.get("region").parse()?, root)
}

fn parse(data: &Field<'_>, account: &AccountId, region: &Region, root: &Field<'_>) -> Result<Parsed, ParseError> {
    let name = one_line(data.get("alarmName").required_text()?);
    let state = data.get("state").get("value").required_text()?;
    if state != "ALARM" {
        return Ok(Parsed::Nothing(format!("the alarm {name} is in the state {}", one_line(state))));
    }
    let mut named: Vec<Named> = Vec::new();
    for metric in data.get("configuration").get("metrics").items() {
        let dimension = metric.get("metricStat").get("metric").get("dimensions").get("InstanceId");
        if !dimension.is_absent() {
            let id: InstanceId = dimension.parse()?;
            named.push((account.clone(), region.clone(), Target::Instance(id)));
        }
    }
    let reason = data.get("state").get("reason").value().as_str().unwrap_or("in ALARM");
    let draft = Draft {
        source: Source::Alarm,
        id: format!(
            "alarm-{name}-{}",
            one_line(data.get("state").get("timestamp").value().as_str().unwrap_or_default())
        ),
        kind: format!("Alarm/{name}"),
        title: one_line(reason),
        last_seen: root.get("time").value().as_str().and_then(Timestamp::parse),
        ..Draft::default()
    };
    Ok(parsed(draft.named(account, named), format!("the alarm {name} has no InstanceId dimension")))
}
