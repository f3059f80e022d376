//! Auto Scaling groups.

use async_trait::async_trait;
use brig_core::model::{Membership, ScalingGroup, ids::InstanceId};
use brig_engine::ports::{AutoScaling, PortResult};

use crate::{cloud::AwsCloud, error::Explain};

#[async_trait]
impl AutoScaling for AwsCloud {
    async fn describe_auto_scaling_instance(&self, instance: &InstanceId) -> PortResult<Option<Membership>> {
        let client = self.autoscaling();
        let answer = client
            .describe_auto_scaling_instances()
            .instance_ids(instance.as_str())
            .send()
            .await
            .explain("DescribeAutoScalingInstances")?;
        let found = answer.auto_scaling_instances().iter().find(|found| found.instance_id() == Some(instance.as_str()));
        Ok(found.and_then(|found| {
            Some(Membership {
                group: found.auto_scaling_group_name()?.to_owned(),
                state: found.lifecycle_state()?.to_owned(),
                protected: found.protected_from_scale_in().unwrap_or(false),
            })
        }))
    }

    async fn describe_auto_scaling_group(&self, group: &str) -> PortResult<Option<ScalingGroup>> {
        let client = self.autoscaling();
        let request = client.describe_auto_scaling_groups().auto_scaling_group_names(group);
        let answer = request.send().await.explain("DescribeAutoScalingGroups")?;
        let found = answer.auto_scaling_groups().iter().find(|found| found.auto_scaling_group_name() == Some(group));
        Ok(found.map(|found| ScalingGroup {
            target_groups: found.target_group_arns().to_vec(),
            classic: found.load_balancer_names().to_vec(),
            suspended: found
                .suspended_processes()
                .iter()
                .filter_map(|process| process.process_name().map(str::to_owned))
                .collect(),
            hooks: Vec::new(),
        }))
    }

    async fn describe_termination_hooks(&self, group: &str) -> PortResult<Vec<String>> {
        let client = self.autoscaling();
        let request = client.describe_lifecycle_hooks().auto_scaling_group_name(group);
        let answer = request.send().await.explain("DescribeLifecycleHooks")?;
        let ends = answer
            .lifecycle_hooks()
            .iter()
            .filter(|hook| hook.lifecycle_transition() == Some("autoscaling:EC2_INSTANCE_TERMINATING"));
        Ok(ends.filter_map(|hook| hook.lifecycle_hook_name().map(str::to_owned)).collect())
    }

    async fn set_instance_protection(&self, group: &str, instance: &InstanceId, protected: bool) -> PortResult<()> {
        let client = self.autoscaling();
        client
            .set_instance_protection()
            .auto_scaling_group_name(group)
            .instance_ids(instance.as_str())
            .protected_from_scale_in(protected)
            .send()
            .await
            .explain("SetInstanceProtection")?;
        Ok(())
    }

    async fn record_lifecycle_heartbeat(&self, group: &str, hook: &str, instance: &InstanceId) -> PortResult<()> {
        let client = self.autoscaling();
        client
            .record_lifecycle_action_heartbeat()
            .auto_scaling_group_name(group)
            .lifecycle_hook_name(hook)
            .instance_id(instance.as_str())
            .send()
            .await
            .explain("RecordLifecycleActionHeartbeat")?;
        Ok(())
    }

    async fn detach_instance(&self, group: &str, instance: &InstanceId) -> PortResult<()> {
        let client = self.autoscaling();
        client
            .detach_instances()
            .auto_scaling_group_name(group)
            .instance_ids(instance.as_str())
            .should_decrement_desired_capacity(false)
            .send()
            .await
            .explain("DetachInstances")?;
        Ok(())
    }

    async fn attach_instance(&self, group: &str, instance: &InstanceId) -> PortResult<()> {
        let client = self.autoscaling();
        client
            .attach_instances()
            .auto_scaling_group_name(group)
            .instance_ids(instance.as_str())
            .send()
            .await
            .explain("AttachInstances")?;
        Ok(())
    }
}
