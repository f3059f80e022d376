//! Target groups and classic load balancers.

use async_trait::async_trait;
use brig_core::model::{
    Target,
    ids::{InstanceId, VpcId},
};

use super::PortResult;

/// A target group.
#[derive(Debug, Clone)]
pub struct TargetGroup {
    pub arn: String,
    pub vpc: Option<VpcId>,
    /// `instance`, `ip`, `lambda`, `alb`.
    pub kind: String,
    /// `HTTP` of an Application, `TCP` of a Network, `GENEVE` of a Gateway Load Balancer; none for Lambda.
    pub protocol: Option<String>,
}

/// Target groups and classic load balancers.
#[async_trait]
pub trait LoadBalancers: Send + Sync {
    /// DescribeTargetGroups.
    async fn describe_target_groups(&self) -> PortResult<Vec<TargetGroup>>;
    /// DescribeTargetHealth: every target of a group, by its ARN.
    async fn describe_target_health(&self, group: &str) -> PortResult<Vec<Target>>;
    /// DeregisterTargets, with ports; a target that is not there is success.
    async fn deregister_targets(&self, group: &str, targets: &[Target]) -> PortResult<()>;
    /// RegisterTargets, with ports.
    async fn register_targets(&self, group: &str, targets: &[Target]) -> PortResult<()>;
    /// Names of the classic load balancers that list the instance.
    async fn describe_classic_balancers_of(&self, instance: &InstanceId) -> PortResult<Vec<String>>;
    /// DeregisterInstancesFromLoadBalancer; an instance that is not there is success.
    async fn deregister_from_classic_balancer(&self, balancer: &str, instance: &InstanceId) -> PortResult<()>;
    /// RegisterInstancesWithLoadBalancer.
    async fn register_with_classic_balancer(&self, balancer: &str, instance: &InstanceId) -> PortResult<()>;
}
