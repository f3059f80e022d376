//! Links into the AWS console, for the partition and Region that a thing is in. AWS documents no scheme for them: they are
//! what the console itself shows, and a link that it changes leads to the service's page.

use std::fmt::Write as _;

use crate::model::ids::Region;

/// The host of the console of a Region's partition; none where it is not public.
fn host(region: &Region) -> Option<String> {
    match region.partition() {
        "aws" => Some(format!("{region}.console.aws.amazon.com")),
        "aws-us-gov" => Some("console.amazonaws-us-gov.com".to_owned()),
        "aws-cn" => Some("console.amazonaws.cn".to_owned()),
        _ => None,
    }
}

fn page(region: &Region, service: &str, fragment: &str) -> Option<String> {
    Some(format!("https://{}/{service}/home?region={region}#{fragment}", host(region)?))
}

/// An instance.
#[must_use]
pub fn instance(region: &Region, id: &str) -> Option<String> {
    page(region, "ec2", &format!("InstanceDetails:instanceId={}", encoded(id)))
}

/// A network interface.
#[must_use]
pub fn interface(region: &Region, id: &str) -> Option<String> {
    page(region, "ec2", &format!("NetworkInterfaceDetails:networkInterfaceId={}", encoded(id)))
}

/// A GuardDuty finding, by its id or its ARN.
#[must_use]
pub fn guardduty_finding(region: &Region, id: &str) -> Option<String> {
    let id = id.rsplit('/').next().unwrap_or(id);
    page(region, "guardduty", &format!("/findings?macros=current&fId={}", encoded(id)))
}

/// A CloudWatch alarm.
#[must_use]
pub fn alarm(region: &Region, name: &str) -> Option<String> {
    page(region, "cloudwatch", &format!("alarmsV2:alarm/{}", encoded(name)))
}

/// A log group. The console encodes its name twice, with `$` for the second `%`.
#[must_use]
pub fn log_group(region: &Region, name: &str) -> Option<String> {
    let name = encoded(&encoded(name)).replace('%', "$");
    page(region, "cloudwatch", &format!("logsV2:log-groups/log-group/{name}"))
}

/// What a DynamoDB table holds under a partition key.
#[must_use]
pub fn record(region: &Region, table: &str, pk: &str, sk: &str) -> Option<String> {
    page(
        region,
        "dynamodbv2",
        &format!(
            "edit-item?itemMode=2&pk={}&route=ROUTE_ITEM_EXPLORER&sk={}&table={}",
            encoded(pk),
            encoded(sk),
            encoded(table)
        ),
    )
}

/// An event in the AWS Health Dashboard, which has no Region; none outside of AWS's own partition.
#[must_use]
pub fn health_event(region: &Region, arn: &str) -> Option<String> {
    (region.partition() == "aws" && arn.starts_with("arn:")).then(|| {
        format!(
            "https://health.aws.amazon.com/health/home#/account/event-log?eventID={}&eventTab=details",
            encoded(arn)
        )
    })
}

/// A text as a part of a link: everything but letters, digits and a few marks is encoded.
fn encoded(text: &str) -> String {
    text.bytes().take(512).fold(String::new(), |mut link, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            link.push(char::from(byte));
        } else {
            let _ = write!(link, "%{byte:02X}");
        }
        link
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(name: &str) -> Region {
        name.parse().expect("a Region")
    }

    #[test]
    fn a_link_leads_into_the_partition_of_the_region() {
        let link = |name: &str| instance(&region(name), "i-1");
        assert_eq!(
            link("eu-west-1").as_deref(),
            Some("https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1#InstanceDetails:instanceId=i-1")
        );
        assert!(
            link("us-gov-west-1").is_some_and(|link| link.starts_with("https://console.amazonaws-us-gov.com/ec2/"))
        );
        assert!(link("cn-north-1").is_some_and(|link| link.starts_with("https://console.amazonaws.cn/ec2/")));
        assert_eq!(link("us-iso-east-1"), None);
    }

    #[test]
    fn what_is_in_a_link_cannot_leave_its_place() {
        let link = record(&region("us-east-1"), "t&x=1", "123/us-east-1/i-1", "current").expect("a link");
        assert!(
            link.ends_with("pk=123%2Fus-east-1%2Fi-1&route=ROUTE_ITEM_EXPLORER&sk=current&table=t%26x%3D1"),
            "{link}"
        );
        let log = log_group(&region("us-east-1"), "/aws/lambda/x").expect("a link");
        assert!(log.ends_with("#logsV2:log-groups/log-group/$252Faws$252Flambda$252Fx"), "{log}");
    }
}
