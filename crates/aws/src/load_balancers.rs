//! Target groups and classic load balancers.

use async_trait::async_trait;
use aws_sdk_elasticloadbalancing as classic;
use aws_sdk_elasticloadbalancingv2 as v2;
use brig_core::model::{Target, ids::InstanceId};
use brig_engine::ports::{LoadBalancers, PortResult, TargetGroup};

use crate::{cloud::AwsCloud, error::Explain};

#[async_trait]
impl LoadBalancers for AwsCloud {
    async fn describe_target_groups(&self) -> PortResult<Vec<TargetGroup>> {
        let client = self.elbv2();
        let mut pages = client.describe_target_groups().into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(group) = pages.next().await {
            let group = group.explain("DescribeTargetGroups")?;
            let Some(arn) = group.target_group_arn() else { continue };
            found.push(TargetGroup {
                arn: arn.to_owned(),
                vpc: group.vpc_id().map(Into::into),
                kind: group.target_type().map_or("instance", |kind| kind.as_str()).to_owned(),
                protocol: group.protocol().map(|protocol| protocol.as_str().to_owned()),
            });
        }
        Ok(found)
    }

    async fn describe_target_health(&self, group: &str) -> PortResult<Vec<Target>> {
        let client = self.elbv2();
        let answer =
            client.describe_target_health().target_group_arn(group).send().await.explain("DescribeTargetHealth")?;
        Ok(answer
            .target_health_descriptions()
            .iter()
            .filter_map(|description| {
                let target = description.target()?;
                Some(Target {
                    id: target.id()?.to_owned(),
                    port: target.port(),
                    zone: target.availability_zone().map(str::to_owned),
                    state: description
                        .target_health()
                        .and_then(|health| health.state())
                        .map_or("unknown", |state| state.as_str())
                        .to_owned(),
                })
            })
            .collect())
    }

    async fn deregister_targets(&self, group: &str, targets: &[Target]) -> PortResult<()> {
        let client = self.elbv2();
        let request = client.deregister_targets().target_group_arn(group).set_targets(Some(descriptions(targets)));
        request.send().await.explain("DeregisterTargets")?;
        Ok(())
    }

    async fn register_targets(&self, group: &str, targets: &[Target]) -> PortResult<()> {
        let client = self.elbv2();
        let request = client.register_targets().target_group_arn(group).set_targets(Some(descriptions(targets)));
        request.send().await.explain("RegisterTargets")?;
        Ok(())
    }

    async fn describe_classic_balancers_of(&self, instance: &InstanceId) -> PortResult<Vec<String>> {
        let client = self.elb();
        let mut pages = client.describe_load_balancers().into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(balancer) = pages.next().await {
            let balancer = balancer.explain("DescribeLoadBalancers")?;
            let holds = balancer.instances().iter().any(|held| held.instance_id() == Some(instance.as_str()));
            if holds {
                found.extend(balancer.load_balancer_name().map(str::to_owned));
            }
        }
        Ok(found)
    }

    async fn deregister_from_classic_balancer(&self, balancer: &str, instance: &InstanceId) -> PortResult<()> {
        let client = self.elb();
        client
            .deregister_instances_from_load_balancer()
            .load_balancer_name(balancer)
            .instances(classic::types::Instance::builder().instance_id(instance.as_str()).build())
            .send()
            .await
            .explain("DeregisterInstancesFromLoadBalancer")?;
        Ok(())
    }

    async fn register_with_classic_balancer(&self, balancer: &str, instance: &InstanceId) -> PortResult<()> {
        let client = self.elb();
        client
            .register_instances_with_load_balancer()
            .load_balancer_name(balancer)
            .instances(classic::types::Instance::builder().instance_id(instance.as_str()).build())
            .send()
            .await
            .explain("RegisterInstancesWithLoadBalancer")?;
        Ok(())
    }
}

fn descriptions(targets: &[Target]) -> Vec<v2::types::TargetDescription> {
    let describe = |target: &Target| {
        v2::types::TargetDescription::builder()
            .id(&target.id)
            .set_port(target.port)
            .set_availability_zone(target.zone.clone())
            .build()
    };
    targets.iter().map(describe).collect()
}
