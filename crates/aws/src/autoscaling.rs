//! Amazon EC2 Auto Scaling (<https://docs.aws.amazon.com/autoscaling/ec2/APIReference/>).

use aws_sdk_autoscaling::Client;
use brig_core::{ids::InstanceId, survey::Membership};
use brig_engine::ports::Answer;

use crate::error::Explain;

pub(crate) async fn describe_auto_scaling_instance(
    client: &Client,
    instance: &InstanceId,
) -> Answer<Option<Membership>> {
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

pub(crate) async fn detach_instance(client: &Client, group: &str, instance: &InstanceId) -> Answer<()> {
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

pub(crate) async fn attach_instance(client: &Client, group: &str, instance: &InstanceId) -> Answer<()> {
    client
        .attach_instances()
        .auto_scaling_group_name(group)
        .instance_ids(instance.as_str())
        .send()
        .await
        .explain("AttachInstances")?;
    Ok(())
}
