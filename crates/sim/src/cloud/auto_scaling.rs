//! Auto Scaling groups.

use async_trait::async_trait;
use brig_core::{
    model::{Membership, ScalingGroup, ids::InstanceId},
    release::Reversal,
    step::{DetachInstances, ProtectFromScaleIn, RecordLifecycleActionHeartbeat, Step},
};
use brig_engine::ports::{AutoScaling, CloudError, ErrorKind, PortResult};

use super::{SimCloud, back, not_found, refused};

#[async_trait]
impl AutoScaling for SimCloud {
    async fn describe_auto_scaling_instance(&self, instance: &InstanceId) -> PortResult<Option<Membership>> {
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

    async fn describe_auto_scaling_group(&self, name: &str) -> PortResult<Option<ScalingGroup>> {
        self.read("DescribeAutoScalingGroups", |world| {
            Ok(world.scaling.get(name).map(|group| ScalingGroup {
                target_groups: group.target_groups.clone(),
                suspended: group.suspended.clone(),
                ..ScalingGroup::default()
            }))
        })
        .await
    }

    async fn describe_termination_hooks(&self, name: &str) -> PortResult<Vec<String>> {
        self.read("DescribeLifecycleHooks", |world| {
            Ok(world.scaling.get(name).map(|group| group.hooks.keys().cloned().collect()).unwrap_or_default())
        })
        .await
    }

    async fn set_instance_protection(&self, name: &str, id: &InstanceId, protected: bool) -> PortResult<()> {
        const OPERATION: &str = "SetInstanceProtection";
        let intended = |step: &Step| {
            matches!(step, Step::ProtectFromScaleIn(ProtectFromScaleIn { group }) if group == name)
                || back(step, |back| matches!(back, Reversal::UnprotectFromScaleIn(_)))
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

    async fn record_lifecycle_heartbeat(&self, name: &str, hook: &str, _instance: &InstanceId) -> PortResult<()> {
        const OPERATION: &str = "RecordLifecycleActionHeartbeat";
        let intended = |step: &Step| matches!(step, Step::RecordLifecycleActionHeartbeat(RecordLifecycleActionHeartbeat { group, .. }) if group == name);
        self.write(OPERATION, intended, |state| {
            let group = state.world.scaling.get_mut(name);
            let beats = group.and_then(|group| group.hooks.get_mut(hook));
            let beats = beats.ok_or_else(|| not_found(OPERATION, "ValidationError"))?;
            *beats += 1;
            Ok(())
        })
        .await
    }

    async fn detach_instance(&self, name: &str, instance: &InstanceId) -> PortResult<()> {
        const OPERATION: &str = "DetachInstances";
        let intended =
            |step: &Step| matches!(step, Step::DetachInstances(DetachInstances { group, .. }) if group == name);
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

    async fn attach_instance(&self, name: &str, instance: &InstanceId) -> PortResult<()> {
        const OPERATION: &str = "AttachInstances";
        let intended = |step: &Step| back(step, |back| matches!(back, Reversal::AttachInstances(_)));
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
}
