//! Auto Scaling and load balancers.

use brig_core::{
    ids::InstanceId,
    release::Reversal,
    step::Step,
    survey::{InstanceState, Membership, ScalingGroup, Target},
};
use brig_engine::ports::{Answer, CloudError, ErrorKind, TargetGroup};

use super::{SimCloud, back, not_found, refused};
use crate::world;

impl SimCloud {
    pub(super) async fn describe_auto_scaling_instance(&self, instance: &InstanceId) -> Answer<Option<Membership>> {
        self.read("DescribeAutoScalingInstances", |world| {
            Ok(world.scaling.iter().find_map(|(name, group)| {
                let state = group.members.get(instance)?;
                Some(Membership {
                    group: name.clone(),
                    state: state.clone(),
                    protected: group.protected.contains(instance),
                })
            }))
        })
        .await
    }

    pub(super) async fn describe_auto_scaling_group(&self, name: &str) -> Answer<Option<ScalingGroup>> {
        self.read("DescribeAutoScalingGroups", |world| {
            Ok(world.scaling.get(name).map(|group| ScalingGroup {
                target_groups: group.target_groups.clone(),
                suspended: group.suspended.clone(),
                ..ScalingGroup::default()
            }))
        })
        .await
    }

    pub(super) async fn describe_termination_hooks(&self, name: &str) -> Answer<Vec<String>> {
        self.read("DescribeLifecycleHooks", |world| {
            Ok(world.scaling.get(name).map(|group| group.hooks.keys().cloned().collect()).unwrap_or_default())
        })
        .await
    }

    pub(super) async fn set_instance_protection(&self, name: &str, id: &InstanceId, protected: bool) -> Answer<()> {
        const OPERATION: &str = "SetInstanceProtection";
        let intended = |step: &Step| {
            matches!(step, Step::ProtectFromScaleIn { group } if group == name)
                || back(step, |back| matches!(back, Reversal::UnprotectFromScaleIn { .. }))
        };
        self.write(OPERATION, intended, |state| {
            let group = state.world.scaling.get_mut(name).ok_or_else(|| not_found(OPERATION, "ValidationError"))?;
            let held = group.members.get(id).map(String::as_str);
            if !matches!(held, Some("InService" | "EnteringStandby" | "Standby")) {
                return Err(CloudError {
                    operation: OPERATION,
                    kind: ErrorKind::Other,
                    code: "ValidationError".to_owned(),
                    message: format!("{id} is not in InService or EnteringStandby or Standby"),
                });
            }
            if protected {
                group.protected.insert(id.clone());
            } else {
                group.protected.remove(id);
            }
            Ok(())
        })
        .await
    }

    pub(super) async fn record_lifecycle_heartbeat(
        &self,
        name: &str,
        hook: &str,
        _instance: &InstanceId,
    ) -> Answer<()> {
        const OPERATION: &str = "RecordLifecycleActionHeartbeat";
        let intended =
            |step: &Step| matches!(step, Step::RecordLifecycleActionHeartbeat { group, .. } if group == name);
        self.write(OPERATION, intended, |state| {
            let group = state.world.scaling.get_mut(name);
            let beats = group.and_then(|group| group.hooks.get_mut(hook));
            let beats = beats.ok_or_else(|| not_found(OPERATION, "ValidationError"))?;
            *beats += 1;
            Ok(())
        })
        .await
    }

    pub(super) async fn detach_instance(&self, name: &str, instance: &InstanceId) -> Answer<()> {
        const OPERATION: &str = "DetachInstances";
        let intended = |step: &Step| matches!(step, Step::DetachInstances { group, .. } if group == name);
        self.write(OPERATION, intended, |state| {
            let now = state.now;
            let held = state.world.scaling.get(name).and_then(|group| group.members.get(instance));
            if held.is_some_and(|held| !matches!(held.as_str(), "InService" | "Standby" | "Terminating:Retained")) {
                return Err(CloudError {
                    operation: OPERATION,
                    kind: ErrorKind::Conflict,
                    code: "ValidationError".to_owned(),
                    message: format!("{instance} is not in InService or Standby"),
                });
            }
            state.world.leave(name, instance, now).ok_or_else(|| not_found(OPERATION, "ValidationError"))
        })
        .await
    }

    pub(super) async fn attach_instance(&self, name: &str, instance: &InstanceId) -> Answer<()> {
        const OPERATION: &str = "AttachInstances";
        let intended = |step: &Step| back(step, |back| matches!(back, Reversal::AttachInstances { .. }));
        self.write(OPERATION, intended, |state| {
            let Some(group) = state.world.scaling.get_mut(name) else {
                return Err(not_found(OPERATION, "ValidationError"));
            };
            if group.desired + 1 > group.most {
                return Err(refused(OPERATION, ErrorKind::Other, "ValidationError"));
            }
            group.desired += 1;
            group.members.insert(instance.clone(), "InService".to_owned());
            Ok(())
        })
        .await
    }

    pub(super) async fn describe_target_groups(&self) -> Answer<Vec<TargetGroup>> {
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

    pub(super) async fn describe_target_health(&self, group: &str) -> Answer<Vec<Target>> {
        self.sim
            .call(self.process, "DescribeTargetHealth", false, |state| match state.world.target_groups.get(group) {
                Some(held) => Ok(held.targets.clone()),
                None => Err(not_found("DescribeTargetHealth", "TargetGroupNotFound")),
            })
            .await
    }

    pub(super) async fn deregister_targets(&self, arn: &str, targets: &[Target]) -> Answer<()> {
        const OPERATION: &str = "DeregisterTargets";
        let intended = |step: &Step| matches!(step, Step::DeregisterTargets { group, .. } if group == arn);
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

    pub(super) async fn register_targets(&self, arn: &str, targets: &[Target]) -> Answer<()> {
        const OPERATION: &str = "RegisterTargets";
        let intended =
            |step: &Step| back(step, |back| matches!(back, Reversal::RegisterTargets { group, .. } if group == arn));
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

    pub(super) async fn describe_classic_balancers_of(&self, instance: &InstanceId) -> Answer<Vec<String>> {
        self.sim
            .call(self.process, "DescribeLoadBalancers", false, |state| {
                let held = state.world.classic.iter().filter(|(_, held)| held.contains(instance));
                Ok(held.map(|(name, _)| name.clone()).collect())
            })
            .await
    }

    pub(super) async fn deregister_from_classic_balancer(&self, name: &str, instance: &InstanceId) -> Answer<()> {
        let intended =
            |step: &Step| matches!(step, Step::DeregisterInstancesFromLoadBalancer { balancer } if balancer == name);
        self.write("DeregisterInstancesFromLoadBalancer", intended, |state| {
            if let Some(held) = state.world.classic.get_mut(name) {
                held.remove(instance);
            }
            Ok(())
        })
        .await
    }

    pub(super) async fn register_with_classic_balancer(&self, name: &str, instance: &InstanceId) -> Answer<()> {
        let intended =
            |step: &Step| back(step, |back| matches!(back, Reversal::RegisterInstancesWithLoadBalancer { .. }));
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
