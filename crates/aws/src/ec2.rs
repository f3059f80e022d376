//! Amazon EC2 (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/>).

pub(crate) mod acls;
pub(crate) mod groups;
pub(crate) mod instances;
pub(crate) mod interfaces;
pub(crate) mod reach;
pub(crate) mod readiness;
pub(crate) mod snapshots;

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Filter, ResourceType, Tag, TagSpecification};
use brig_engine::ports::Tags;

fn filter(name: &str, values: &[&str]) -> Filter {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Filter::builder().name(name).set_values(Some(values)).build()
}

/// A duration; AWS has no negative one.
fn seconds(value: Option<i32>) -> Option<u32> {
    value.and_then(|value| value.try_into().ok())
}

fn tags_of(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))).collect()
}

fn sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

fn specification(kind: ResourceType, tags: &Tags) -> TagSpecification {
    TagSpecification::builder().resource_type(kind).set_tags(Some(sdk_tags(tags))).build()
}
