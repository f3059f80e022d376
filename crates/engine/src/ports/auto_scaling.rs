//! Auto Scaling groups.

use async_trait::async_trait;
use brig_core::model::{Membership, ScalingGroup, ids::InstanceId};

use super::PortResult;

/// Auto Scaling groups.
#[async_trait]
pub trait AutoScaling: Send + Sync {
    /// DescribeAutoScalingInstances; none where the instance is in no group.
    async fn describe_auto_scaling_instance(&self, instance: &InstanceId) -> PortResult<Option<Membership>>;
    /// DescribeAutoScalingGroups: one group by its name.
    async fn describe_auto_scaling_group(&self, group: &str) -> PortResult<Option<ScalingGroup>>;
    /// DescribeLifecycleHooks: the group's hooks on termination.
    async fn describe_termination_hooks(&self, group: &str) -> PortResult<Vec<String>>;
    /// SetInstanceProtection: whether its group may choose the instance when it scales in.
    async fn set_instance_protection(&self, group: &str, instance: &InstanceId, protected: bool) -> PortResult<()>;
    /// RecordLifecycleActionHeartbeat for one instance.
    async fn record_lifecycle_heartbeat(&self, group: &str, hook: &str, instance: &InstanceId) -> PortResult<()>;
    /// DetachInstances without lowering the desired capacity: the group may launch a replacement.
    async fn detach_instance(&self, group: &str, instance: &InstanceId) -> PortResult<()>;
    /// AttachInstances, which raises the desired capacity by one.
    async fn attach_instance(&self, group: &str, instance: &InstanceId) -> PortResult<()>;
}
