//! Fields that producers of findings leave out, or write as text where their documentation has a number. What can be read
//! without a doubt is read; what cannot is an error that names the field.

use std::net::IpAddr;

use super::{
    ParseError,
    draft::{Named, Target},
};
use crate::{
    model::{
        ids::{AccountId, InstanceId, Region},
        timestamp::Timestamp,
    },
    trigger::{ResourceRole, json::Field},
};

/// Where the resources of a finding are, unless a resource says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) account: AccountId,
    pub(super) region: Region,
}

/// A number, also as text (`8.0` in quotes); none where the field is absent or empty.
pub(super) fn number(field: &Field<'_>) -> Result<Option<f64>, ParseError> {
    match field.value().as_str().map(str::trim) {
        None => field.number(),
        Some("") => Ok(None),
        Some(text) => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(number)),
            Ok(_) | Err(_) => Err(field.wrong("a number")),
        },
    }
}

/// A severity on GuardDuty's scale: a number, or the word for a level, which stands for the level's lowest number.
pub(super) fn severity(field: &Field<'_>) -> Result<Option<f64>, ParseError> {
    match field.value().as_str().and_then(level) {
        Some(level) => Ok(Some(level)),
        None => number(field),
    }
}

/// The lowest number of a level that Security Hub or OCSF names
/// (<https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html>).
pub(super) fn level(word: &str) -> Option<f64> {
    const LEVELS: [(&str, f64); 6] =
        [("informational", 1.0), ("low", 1.0), ("medium", 4.0), ("high", 7.0), ("critical", 9.0), ("fatal", 10.0)];
    LEVELS.iter().find(|(name, _)| word.trim().eq_ignore_ascii_case(name)).map(|(_, lowest)| *lowest)
}

/// True or false, also as text; none where the field is absent or empty.
pub(super) fn flag(field: &Field<'_>) -> Result<Option<bool>, ParseError> {
    match field.value().as_str().map(str::trim) {
        Some("") => Ok(None),
        Some(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Some(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        Some(_) | None => field.flag(),
    }
}

/// A text that is there and not empty. A field of another type reads as absent: for fields that have a fallback.
pub(super) fn text<'a>(field: &Field<'a>) -> Option<&'a str> {
    field.value().as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// A number of fewer digits is no account that lost its zeros.
const SMALLEST_ACCOUNT: u64 = 1_000_000;

/// The first account among these fields that is there. A number has lost its leading zeros.
pub(super) fn account(fields: &[Field<'_>]) -> Result<Option<AccountId>, ParseError> {
    let Some(field) = fields.iter().find(|field| is_there(field)) else { return Ok(None) };
    let wrong = || field.wrong("an AWS account id (12 digits)");
    match (field.value().as_u64(), text(field)) {
        // A small number is a count, or an id in somebody's own list.
        (Some(number), _) if number < SMALLEST_ACCOUNT => Err(wrong()),
        (Some(number), _) => format!("{number:012}").parse().map(Some).map_err(|_| wrong()),
        (None, Some(text)) => text.parse().map(Some).map_err(|_| wrong()),
        (None, None) => Err(wrong()),
    }
}

/// The first Region among these fields that is there.
pub(super) fn region(fields: &[Field<'_>]) -> Result<Option<Region>, ParseError> {
    let Some(field) = fields.iter().find(|field| is_there(field)) else { return Ok(None) };
    let read = text(field).and_then(|text| text.to_ascii_lowercase().parse().ok());
    read.map(Some).ok_or_else(|| field.wrong("an AWS Region (such as eu-central-1)"))
}

fn is_there(field: &Field<'_>) -> bool {
    !field.is_absent() && !field.value().as_str().is_some_and(|text| text.trim().is_empty())
}

/// An instance's id, also with space around it or in capitals, as producers and people pass it on: neither can mean another.
pub(super) fn instance_id(text: &str) -> Option<InstanceId> {
    text.trim().to_ascii_lowercase().parse().ok()
}

/// The account and the Region in an ARN, as far as they are there: AWS's own examples have ARNs with a part too many or
/// too few.
pub(super) fn place_in(arn: Option<&str>) -> (Option<AccountId>, Option<Region>) {
    let Some(arn) = arn.filter(|arn| arn.starts_with("arn:")) else { return (None, None) };
    // Only the head: a resource may contain anything.
    let head: Vec<&str> = arn.split(':').take(6).collect();
    (head.iter().find_map(|part| part.parse().ok()), head.iter().find_map(|part| part.parse().ok()))
}

/// A moment, as any source writes it.
pub(super) fn time(field: &Field<'_>) -> Option<Timestamp> {
    field.time()
}

/// Whether a text is the ARN of an EC2 instance, whatever its source calls the resource.
pub(super) fn is_instance_arn(text: &str) -> bool {
    instance_in(text).is_some()
}

fn instance_in(arn: &str) -> Option<InstanceId> {
    let head = arn.starts_with("arn:");
    let resource = arn.rsplit(':').next().filter(|_| head)?;
    instance_id(resource.strip_prefix("instance/")?)
}

/// An instance by its bare id, or by its ARN, which then says where it is.
pub(super) fn instance(field: &Field<'_>, here: &Place) -> Result<Named, ParseError> {
    let wrong = || field.wrong("the id or the ARN of an EC2 instance");
    let text = text(field).ok_or_else(wrong)?;
    if let Some(id) = instance_id(text) {
        return Ok((here.account.clone(), here.region.clone(), Target::Instance(id)));
    }
    let id = instance_in(text).ok_or_else(wrong)?;
    let (account, region) = place_in(Some(text));
    Ok((
        account.unwrap_or_else(|| here.account.clone()),
        region.unwrap_or_else(|| here.region.clone()),
        Target::Instance(id),
    ))
}

/// GuardDuty's mark of a sample: a member `sample` that is true, at any depth, also in JSON inside a text
/// (<https://docs.aws.amazon.com/guardduty/latest/ug/sample_findings.html>).
pub(super) fn marks_sample(field: &Field<'_>) -> bool {
    is_marked(field.value(), 4)
}

fn is_marked(value: &serde_json::Value, depth: usize) -> bool {
    use serde_json::Value;
    let is_true = |value: &Value| value.as_bool() == Some(true) || value.as_str() == Some("true");
    let Some(depth) = depth.checked_sub(1) else { return false };
    match value {
        Value::Object(map) => map.iter().any(|(key, inner)| {
            (key.rsplit('/').next().unwrap_or(key).eq_ignore_ascii_case("sample") && is_true(inner))
                || is_marked(inner, depth)
        }),
        Value::Array(items) => items.iter().any(|item| is_marked(item, depth)),
        Value::String(text) if text.starts_with('{') => {
            serde_json::from_str(text).is_ok_and(|inner: Value| is_marked(&inner, depth))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// The titles of samples begin so, in whatever document.
pub(super) fn is_sample_title(title: &str) -> bool {
    title.trim_start().starts_with("[SAMPLE]")
}

/// `ACTOR` or `TARGET`; anything else says nothing.
pub(super) fn role(field: &Field<'_>) -> Option<ResourceRole> {
    let word = text(field)?;
    if word.eq_ignore_ascii_case("TARGET") {
        Some(ResourceRole::Target)
    } else {
        word.eq_ignore_ascii_case("ACTOR").then_some(ResourceRole::Actor)
    }
}

/// Who exchanged packets with the instance: the remote address of a connection, port probes, the endpoints of a sequence. A caller
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

pub(super) fn optional<T>(field: &Field<'_>, default: &T) -> Result<T, ParseError>
where
    T: std::str::FromStr<Err = crate::model::ids::InvalidId> + Clone,
{
    if field.is_absent() { Ok(default.clone()) } else { field.parse() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_number_is_read_from_a_text_and_nothing_is_made_of_what_is_none() {
        let read = |value: Value| number(&Field::root(&value)).map_err(|error| error.to_string());
        assert_eq!(read(json!("8.0")), Ok(Some(8.0)));
        assert_eq!(read(json!(" 8 ")), Ok(Some(8.0)));
        assert_eq!(read(json!(8)), Ok(Some(8.0)));
        assert_eq!(read(json!("")), Ok(None));
        assert_eq!(read(Value::Null), Ok(None));
        for odd in [json!("severe"), json!("NaN"), json!("inf"), json!([8]), json!(true)] {
            assert!(read(odd.clone()).is_err(), "{odd}");
        }
    }

    #[test]
    fn an_account_that_a_producer_wrote_as_a_number_has_its_zeros_again() {
        let event = json!({"number": 123_456_789, "text": "123456789012", "empty": "", "odd": "me"});
        let root = Field::root(&event);
        let read = |names: &[&str]| {
            let fields: Vec<Field<'_>> = names.iter().map(|name| root.get(name)).collect();
            account(&fields)
                .map(|account| account.map(|account| account.to_string()))
                .map_err(|error| error.to_string())
        };
        assert_eq!(read(&["number"]), Ok(Some("000123456789".to_owned())));
        assert_eq!(read(&["none", "empty", "text"]), Ok(Some("123456789012".to_owned())));
        assert_eq!(read(&["none"]), Ok(None));
        assert_eq!(read(&["odd", "text"]), Err("odd: \"me\" is not an AWS account id (12 digits)".to_owned()));
    }

    #[test]
    fn an_instance_is_read_from_its_id_and_from_every_arn_of_it() {
        let here =
            Place { account: "123456789012".parse().expect("account"), region: "us-east-1".parse().expect("Region") };
        let read = |text: &str| {
            let value = json!(text);
            let read = instance(&Field::root(&value), &here);
            read.map(|(account, region, target)| format!("{account} {region} {target:?}")).ok()
        };
        let id = r#"Instance(InstanceId("i-0123456789abcdef0"))"#;
        for (text, place) in [
            ("i-0123456789abcdef0", "123456789012 us-east-1"),
            ("arn:aws:ec2:eu-west-1:999988887777:instance/i-0123456789abcdef0", "999988887777 eu-west-1"),
            ("arn:aws-cn:ec2:cn-north-1:999988887777:instance/i-0123456789abcdef0", "999988887777 cn-north-1"),
            // As AWS's documentation and a widespread tool write it.
            ("arn:aws::ec2:eu-west-1:999988887777:instance/i-0123456789abcdef0", "999988887777 eu-west-1"),
            ("arn:aws:eu-west-1:999988887777:instance/i-0123456789abcdef0", "999988887777 eu-west-1"),
            (" i-0123456789ABCDEF0\n", "123456789012 us-east-1"),
            ("I-0123456789abcdef0", "123456789012 us-east-1"),
            ("arn:aws:ec2:eu-west-1:999988887777:instance/i-0123456789ABCDEF0 ", "999988887777 eu-west-1"),
        ] {
            assert_eq!(read(text), Some(format!("{place} {id}")), "{text}");
        }
        for text in [
            "",
            "i-XYZ",
            "mi-0123456789abcdef0",
            "arn:aws:ssm:eu-west-1:999988887777:managed-instance/i-0123456789abcdef0",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_sample_is_known_wherever_the_mark_stands() {
        for marked in [
            json!({"sample": true}),
            json!({"sample": "true"}),
            json!({"value": "{\"sample\":true}"}),
            json!("{\"threat\": 1, \"sample\": true}"),
            json!({"aws/guardduty/service/additionalInfo/sample": "true"}),
            json!([{"data": {"additional_info": {"sample": true}}}]),
        ] {
            assert!(marks_sample(&Field::root(&marked)), "{marked}");
        }
        for real in [json!({"sample": false}), json!({"sampled": true}), json!({"value": "sample: true"}), Value::Null]
        {
            assert!(!marks_sample(&Field::root(&real)), "{real}");
        }
    }
}
