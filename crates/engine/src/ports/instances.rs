//! EC2 instances, their attributes, states and tags.

use async_trait::async_trait;
use brig_core::model::{Instance, ids::InstanceId};

use super::{PortResult, Tags};

/// An attribute of an instance that DescribeInstanceAttribute reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// `disableApiTermination`, `true` or `false`.
    DisableApiTermination,
    /// `disableApiStop`, `true` or `false`.
    DisableApiStop,
    /// `instanceInitiatedShutdownBehavior`, `stop` or `terminate`.
    ShutdownBehavior,
    /// `userData`, decoded and decompressed; empty where there is none. It may hold secrets: it is searched, and never kept,
    /// logged or shown.
    UserData,
}

/// One change by ModifyInstanceAttribute, which takes one attribute a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeChange {
    /// `DisableApiTermination`.
    DisableApiTermination(bool),
    /// `DisableApiStop`.
    DisableApiStop(bool),
    /// `InstanceInitiatedShutdownBehavior`.
    ShutdownBehavior(String),
    /// `BlockDeviceMappings`: DeleteOnTermination by device.
    DeleteOnTermination(Vec<(String, bool)>),
}

/// EC2 instances, their attributes, states and tags.
#[async_trait]
pub trait Instances: Send + Sync {
    /// DescribeInstances by id; none where AWS knows no such instance.
    async fn describe_instance(&self, instance: &InstanceId) -> PortResult<Option<Instance>>;
    /// DescribeInstances: those whose Name tag is exactly this; terminated ones are shown for about an hour.
    async fn describe_instances_named(&self, name: &str) -> PortResult<Vec<Instance>>;
    /// DescribeInstanceAttribute.
    async fn describe_instance_attribute(&self, instance: &InstanceId, attribute: Attribute) -> PortResult<String>;
    /// ModifyInstanceAttribute.
    async fn modify_instance_attribute(&self, instance: &InstanceId, change: &AttributeChange) -> PortResult<()>;
    /// DescribeInstanceStatus: what AWS has scheduled, each as code and time, in words.
    async fn describe_scheduled_events(&self, instance: &InstanceId) -> PortResult<Vec<String>>;
    /// StopInstances, with `Hibernate` where it is asked for.
    async fn stop_instance(&self, instance: &InstanceId, hibernate: bool) -> PortResult<()>;
    /// StartInstances; one that runs is success.
    async fn start_instance(&self, instance: &InstanceId) -> PortResult<()>;
    /// ModifyInstanceMaintenanceOptions: automatic recovery `default` or `disabled`.
    async fn set_auto_recovery(&self, instance: &InstanceId, setting: &str) -> PortResult<()>;
    /// CreateTags on one resource.
    async fn create_tags(&self, resource: &str, tags: &Tags) -> PortResult<()>;
    /// DeleteTags on one resource.
    async fn delete_tags(&self, resource: &str, keys: &[&str]) -> PortResult<()>;
}
