//! CloudWatch alarms: the EventBridge event, the direct Lambda action
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html>), and the message that
//! an alarm sends to an SNS topic by itself. An alarm is a sign, not a verdict: what it names is asked about unless a
//! policy rule says more.

use super::{
    Invoked, Notice, NoticeKind, Parsed, Source, Unread,
    draft::{Draft, Named, one_line},
    reading::{self, Place},
};
use crate::{
    model::{
        console,
        ids::{AccountId, Arn, Region},
        timestamp::Timestamp,
    },
    trigger::json::Field,
};

/// Whether it is the message that an alarm publishes itself.
pub(super) fn is_message(root: &Field<'_>) -> bool {
    root.object().is_some_and(|map| map.contains_key("AlarmName") && map.contains_key("NewStateValue"))
}

/// What the three forms have in common. Whatever of it is odd falls back, so that an alarm is never lost for a field.
struct Alarm {
    name: String,
    state: String,
    reason: String,
    time: Option<Timestamp>,
    account: AccountId,
    region: Region,
}

impl Alarm {
    fn notice(&self, kind: NoticeKind, named: Vec<String>) -> Parsed {
        let notice = Notice {
            kind,
            source: Source::Alarm,
            id: self.id(),
            code: format!("Alarm/{}", self.name),
            title: self.reason.clone(),
            account: self.account.clone(),
            region: self.region.clone(),
            time: self.time,
            link: console::alarm(&self.region, &self.name),
            named,
        };
        Parsed::Notice(Box::new(notice.tidy()))
    }

    fn id(&self) -> String {
        format!("alarm-{}-{}", self.name, self.time.map_or_else(|| "unknown".to_owned(), |time| time.to_string()))
    }

    /// The request, or what people hear instead.
    fn parsed(&self, said_by: &AccountId, named: Vec<Named>, unread: Vec<Unread>) -> Parsed {
        match self.state.as_str() {
            "ALARM" => {}
            "OK" | "INSUFFICIENT_DATA" => {
                return Parsed::Nothing(format!("the alarm {} is in the state {}", self.name, self.state));
            }
            other => return self.notice(NoticeKind::AlarmUnreadable, vec![format!("the state \"{other}\"")]),
        }
        if named.is_empty() && unread.is_empty() {
            return self.notice(NoticeKind::AlarmNamesNothing, Vec::new());
        }
        let draft = Draft {
            source: Source::Alarm,
            id: self.id(),
            kind: format!("Alarm/{}", self.name),
            title: self.reason.clone(),
            last_seen: self.time,
            ..Draft::default()
        };
        let mut request = draft.named(said_by, named);
        request.unread.extend(unread);
        Parsed::Request(request)
    }
}

pub(super) fn from_event(root: &Field<'_>, invoked: &Invoked) -> Parsed {
    let account = parsed_or(&root.get("account"), &invoked.account);
    data(root, &root.get("detail"), &account, parsed_or(&root.get("region"), &invoked.region))
}

/// The alarm's Lambda action carries the same data below `alarmData`.
pub(super) fn from_action(root: &Field<'_>, invoked: &Invoked) -> Parsed {
    let (account, region) = reading::place_in(root.get("alarmArn").value().as_str());
    let account = account.unwrap_or_else(|| parsed_or(&root.get("accountId"), &invoked.account));
    let region = region.unwrap_or_else(|| parsed_or(&root.get("region"), &invoked.region));
    data(root, &root.get("alarmData"), &account, region)
}

fn data(root: &Field<'_>, data: &Field<'_>, account: &AccountId, region: Region) -> Parsed {
    let state = data.get("state");
    let alarm = Alarm {
        name: text_or(&data.get("alarmName"), "without a name"),
        state: text_or(&state.get("value"), ""),
        reason: text_or(&state.get("reason"), "in ALARM"),
        time: state.get("timestamp").time().or_else(|| root.get("time").time()),
        region,
        account: account.clone(),
    };
    let mut named: Vec<Named> = Vec::new();
    let mut unread = Vec::new();
    for metric in data.get("configuration").get("metrics").items() {
        let dimensions = metric.get("metricStat").get("metric").get("dimensions");
        read(&alarm, &metric, &dimensions, &mut named, &mut unread);
    }
    // Which of the series of an alarm on a query it is.
    let contributor = data.get("alarmContributor");
    read(&alarm, &contributor, &contributor.get("attributes"), &mut named, &mut unread);
    alarm.parsed(account, named, unread)
}

/// `Region` is a display name there; the alarm's ARN has the Region itself
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html>).
pub(super) fn from_message(root: &Field<'_>, invoked: &Invoked) -> Parsed {
    let arn = root.get("AlarmArn").value().as_str().and_then(Arn::parse);
    let account = arn
        .and_then(|arn| arn.account.parse().ok())
        .unwrap_or_else(|| parsed_or(&root.get("AWSAccountId"), &invoked.account));
    let region =
        arn.and_then(|arn| arn.region.parse().ok()).unwrap_or_else(|| parsed_or(&root.get("Region"), &invoked.region));
    let alarm = Alarm {
        name: text_or(&root.get("AlarmName"), "without a name"),
        state: text_or(&root.get("NewStateValue"), ""),
        reason: text_or(&root.get("NewStateReason"), "in ALARM"),
        time: root.get("StateChangeTime").time(),
        account: account.clone(),
        region,
    };
    let trigger = root.get("Trigger");
    let mut named: Vec<Named> = Vec::new();
    let mut unread = Vec::new();
    read(&alarm, &trigger, &trigger.get("Dimensions"), &mut named, &mut unread);
    for metric in trigger.get("Metrics").items() {
        let dimensions = metric.get("MetricStat").get("Metric").get("Dimensions");
        read(&alarm, &metric, &dimensions, &mut named, &mut unread);
    }
    for name in ["AlarmContributorAttributes", "ContributorAttributes"] {
        read(&alarm, root, &root.get(name), &mut named, &mut unread);
    }
    let contributor = root.get("AlarmContributor");
    for name in ["Attributes", "ContributorAttributes"] {
        read(&alarm, &contributor, &contributor.get(name), &mut named, &mut unread);
    }
    alarm.parsed(&account, named, unread)
}

/// The instances among a metric's dimensions, which are an object, or a list of names and values. The metric's own account
/// comes before the alarm's: an alarm of a monitoring account may watch another's
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Cross-Account-Cross-Region.html>).
fn read(alarm: &Alarm, metric: &Field<'_>, dimensions: &Field<'_>, named: &mut Vec<Named>, unread: &mut Vec<Unread>) {
    let own = reading::account(&[metric.get("accountId")]).ok().flatten();
    let here = Place { account: own.unwrap_or_else(|| alarm.account.clone()), region: alarm.region.clone() };
    let listed = dimensions.items();
    let listed = listed.iter().map(|item| (item.get("name").value().as_str().unwrap_or_default(), item.get("value")));
    let keys = dimensions.object().into_iter().flat_map(serde_json::Map::keys);
    let keyed = keys.map(|name| (name.as_str(), dimensions.get(name)));
    for (name, value) in listed.chain(keyed) {
        // Agents and exporters have names of their own for it; what has its form is nothing else.
        match reading::instance(&value, &here) {
            Ok(target) => named.push(target),
            Err(error) if is_instance_dimension(name) => unread.push(error.into()),
            Err(_) => {}
        }
    }
}

/// `InstanceId`, also as agents write it: `instance_id`, `Instance ID`.
fn is_instance_dimension(name: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase());
    letters.collect::<String>() == "instanceid"
}

fn text_or(field: &Field<'_>, otherwise: &str) -> String {
    one_line(field.value().as_str().unwrap_or(otherwise))
}

fn parsed_or<T: std::str::FromStr + Clone>(field: &Field<'_>, otherwise: &T) -> T {
    field.value().as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| otherwise.clone())
}
