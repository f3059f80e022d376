//! Target groups and classic load balancers.

use async_trait::async_trait;
use brig_core::{
    model::{InstanceState, Target, ids::InstanceId},
    release::Reversal,
    step::{DeregisterInstancesFromLoadBalancer, DeregisterTargets, RegisterTargets, Step},
};
use brig_engine::ports::{ErrorKind, LoadBalancers, PortResult, TargetGroup};

use super::{SimCloud, back, not_found, refused};
use crate::world;

#[async_trait]
impl LoadBalancers for SimCloud {
    async fn describe_target_groups(&self) -> PortResult<Vec<TargetGroup>> {
        self.read("DescribeTargetGroups", |world| {
            let shown = world.target_groups.iter().map(|(arn, group)| TargetGroup {
                arn: arn.clone(),
                vpc: Some(group.vpc.clone()),
                kind: group.kind.clone(),
                protocol: Some(group.protocol.clone()),
            });
            Ok(shown.collect())
        })
        .await
    }

    async fn describe_target_health(&self, group: &str) -> PortResult<Vec<Target>> {
        self.sim
            .call(self.process, "DescribeTargetHealth", false, |state| match state.world.target_groups.get(group) {
                Some(held) => Ok(held.targets.clone()),
                None => Err(not_found("DescribeTargetHealth", "TargetGroupNotFound")),
            })
            .await
    }

    async fn deregister_targets(&self, arn: &str, targets: &[Target]) -> PortResult<()> {
        const OPERATION: &str = "DeregisterTargets";
        let intended =
            |step: &Step| matches!(step, Step::DeregisterTargets(DeregisterTargets { group, .. }) if group == arn);
        self.write(OPERATION, intended, |state| {
            let now = state.now;
            let Some(group) = state.world.target_groups.get_mut(arn) else {
                return Err(not_found(OPERATION, "TargetGroupNotFound"));
            };
            for held in &mut group.targets {
                if targets.iter().any(|target| target.id == held.id && target.port == held.port) {
                    world::drain(held, now);
                }
            }
            Ok(())
        })
        .await
    }

    async fn register_targets(&self, arn: &str, targets: &[Target]) -> PortResult<()> {
        const OPERATION: &str = "RegisterTargets";
        let intended = |step: &Step| {
            back(step, |back| matches!(back, Reversal::RegisterTargets(RegisterTargets { group, .. }) if group == arn))
        };
        self.write(OPERATION, intended, |state| {
            let runs = |target: &Target| {
                let id = target.id.parse::<InstanceId>().ok();
                let instance = id.and_then(|id| state.world.instances.get(&id));
                instance.is_none_or(|instance| instance.shown.state == InstanceState::Running)
            };
            if !targets.iter().all(runs) {
                return Err(refused(OPERATION, ErrorKind::Other, "InvalidTarget"));
            }
            let Some(group) = state.world.target_groups.get_mut(arn) else {
                return Err(not_found(OPERATION, "TargetGroupNotFound"));
            };
            for target in targets {
                group.targets.retain(|held| held.id != target.id || held.port != target.port);
                group.targets.push(Target { state: "healthy".to_owned(), ..target.clone() });
            }
            Ok(())
        })
        .await
    }

    async fn describe_classic_balancers_of(&self, instance: &InstanceId) -> PortResult<Vec<String>> {
        self.sim
            .call(self.process, "DescribeLoadBalancers", false, |state| {
                let held = state.world.classic.iter().filter(|(_, held)| held.contains(instance));
                Ok(held.map(|(name, _)| name.clone()).collect())
            })
            .await
    }

    async fn deregister_from_classic_balancer(&self, name: &str, instance: &InstanceId) -> PortResult<()> {
        let intended = |step: &Step| matches!(step, Step::DeregisterInstancesFromLoadBalancer(DeregisterInstancesFromLoadBalancer { balancer }) if balancer == name);
        self.write("DeregisterInstancesFromLoadBalancer", intended, |state| {
            if let Some(held) = state.world.classic.get_mut(name) {
                held.remove(instance);
            }
            Ok(())
        })
        .await
    }

    async fn register_with_classic_balancer(&self, name: &str, instance: &InstanceId) -> PortResult<()> {
        let intended = |step: &Step| back(step, |back| matches!(back, Reversal::RegisterInstancesWithLoadBalancer(_)));
        self.write("RegisterInstancesWithLoadBalancer", intended, |state| {
            match state.world.classic.get_mut(name) {
                Some(held) => drop(held.insert(instance.clone())),
                None => return Err(not_found("RegisterInstancesWithLoadBalancer", "LoadBalancerNotFound")),
            }
            Ok(())
        })
        .await
    }
}
