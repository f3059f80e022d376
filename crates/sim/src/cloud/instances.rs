//! EC2 instances, their attributes, states and tags.

use async_trait::async_trait;
use brig_core::{
    model::{
        Instance, InstanceState,
        ids::{InstanceId, SnapshotId},
    },
    release::Reversal,
    step::{DeleteTags, StartInstance, Step, TagInstance, TagSnapshot, UnprotectStop, UnprotectTermination},
};
use brig_engine::ports::{Attribute, AttributeChange, ErrorKind, Instances, PortResult, Tags};

use super::{SimCloud, back, not_found, refused};

#[async_trait]
impl Instances for SimCloud {
    async fn describe_instance(&self, instance: &InstanceId) -> PortResult<Option<Instance>> {
        self.read("DescribeInstances", |world| {
            if world.unreadable.contains(&self.region) {
                return Err(refused(
                    "DescribeInstances",
                    ErrorKind::Denied(brig_core::step::Denial::Unsaid),
                    "UnauthorizedOperation",
                ));
            }
            let there = world.place_of(instance) == self.region;
            let found = world.describe(instance).filter(|_| there);
            Ok(found.map(|instance| Instance { region: self.region.clone(), ..instance }))
        })
        .await
    }

    async fn describe_instances_named(&self, name: &str) -> PortResult<Vec<Instance>> {
        self.read("DescribeInstances", |world| {
            let all = world.instances.keys().filter_map(|id| world.describe(id));
            Ok(all.filter(|instance| instance.tags.get("Name").is_some_and(|tag| tag == name)).collect())
        })
        .await
    }

    async fn describe_instance_attribute(&self, id: &InstanceId, attribute: Attribute) -> PortResult<String> {
        self.read("DescribeInstanceAttribute", |world| match world.instances.get(id) {
            Some(instance) => Ok(match attribute {
                Attribute::DisableApiTermination => instance.termination_protection.to_string(),
                Attribute::DisableApiStop => instance.stop_protection.to_string(),
                Attribute::ShutdownBehavior => instance.shutdown.clone(),
                Attribute::UserData => instance.user_data.clone(),
            }),
            None => Err(not_found("DescribeInstanceAttribute", "InvalidInstanceID.NotFound")),
        })
        .await
    }

    async fn modify_instance_attribute(&self, id: &InstanceId, change: &AttributeChange) -> PortResult<()> {
        let intended = |step: &Step| match (change, step) {
            (AttributeChange::DisableApiTermination(true), Step::ProtectTermination(_))
            | (AttributeChange::DisableApiStop(true), Step::ProtectStop(_))
            | (AttributeChange::DisableApiStop(_), Step::StopInstance(_))
            | (AttributeChange::ShutdownBehavior(_), Step::StopOnShutdown(_))
            | (AttributeChange::DeleteOnTermination(_), Step::KeepVolumes(_)) => true,
            (_, step) => back(step, |back| {
                matches!(
                    (change, back),
                    (
                        AttributeChange::DisableApiTermination(false),
                        Reversal::UnprotectTermination(UnprotectTermination)
                    ) | (AttributeChange::DisableApiStop(false), Reversal::UnprotectStop(UnprotectStop))
                        | (AttributeChange::DeleteOnTermination(_), Reversal::RestoreVolumes(_))
                )
            }),
        };
        let name = match change {
            AttributeChange::DisableApiTermination(_) => "DisableApiTermination",
            AttributeChange::DisableApiStop(_) => "DisableApiStop",
            AttributeChange::ShutdownBehavior(_) => "InstanceInitiatedShutdownBehavior",
            AttributeChange::DeleteOnTermination(_) => "BlockDeviceMappings",
        };
        self.on_attribute("ModifyInstanceAttribute", name, id, intended, |instance| {
            match change {
                AttributeChange::DisableApiTermination(on) => instance.termination_protection = *on,
                AttributeChange::DisableApiStop(on) => instance.stop_protection = *on,
                AttributeChange::ShutdownBehavior(behavior) => instance.shutdown.clone_from(behavior),
                AttributeChange::DeleteOnTermination(devices) => {
                    for (device, delete) in devices {
                        for volume in instance.shown.volumes.iter_mut().filter(|volume| volume.device == *device) {
                            volume.delete_on_termination = *delete;
                        }
                    }
                }
            }
            Ok(())
        })
        .await
    }

    async fn describe_scheduled_events(&self, id: &InstanceId) -> PortResult<Vec<String>> {
        self.read("DescribeInstanceStatus", |world| {
            Ok(world.instances.get(id).map(|instance| instance.scheduled.clone()).unwrap_or_default())
        })
        .await
    }

    async fn stop_instance(&self, id: &InstanceId, hibernate: bool) -> PortResult<()> {
        const OPERATION: &str = "StopInstances";
        let intended = |step: &Step| matches!(step, Step::StopInstance(_));
        self.write(OPERATION, intended, |state| {
            let now = state.now;
            let member = state.world.scaling.iter().find(|(_, group)| group.members.contains_key(id));
            let member = member.map(|(name, _)| name.clone());
            let Some(instance) = state.world.instances.get_mut(id) else {
                return Err(not_found(OPERATION, "InvalidInstanceID.NotFound"));
            };
            if instance.stop_protection {
                return Err(refused(OPERATION, ErrorKind::Other, "OperationNotPermitted"));
            }
            if hibernate && !instance.shown.hibernates {
                return Err(refused(OPERATION, ErrorKind::Unsupported, "UnsupportedHibernationConfiguration"));
            }
            instance.shown.state = if hibernate { InstanceState::Stopping } else { InstanceState::Stopped };
            instance.stopping_since = hibernate.then_some(now);
            if let Some(group) = member {
                // Auto Scaling ends a member that does not run.
                let _ = state.world.leave(&group, id, now);
                state.world.terminate(id);
            }
            Ok(())
        })
        .await
    }

    async fn start_instance(&self, id: &InstanceId) -> PortResult<()> {
        const OPERATION: &str = "StartInstances";
        let intended = |step: &Step| back(step, |back| matches!(back, Reversal::StartInstance(StartInstance)));
        self.on_instance(OPERATION, id, intended, |instance| {
            if instance.shown.state == InstanceState::Stopping {
                return Err(refused(OPERATION, ErrorKind::Conflict, "IncorrectInstanceState"));
            }
            instance.shown.state = InstanceState::Running;
            Ok(())
        })
        .await
    }

    async fn set_auto_recovery(&self, id: &InstanceId, setting: &str) -> PortResult<()> {
        let intended = |step: &Step| match step {
            Step::DisableAutoRecovery(_) => true,
            step => back(step, |back| matches!(back, Reversal::RestoreAutoRecovery(_))),
        };
        self.on_attribute("ModifyInstanceMaintenanceOptions", "AutoRecovery", id, intended, |instance| {
            instance.shown.auto_recovery = Some(setting.to_owned());
            Ok(())
        })
        .await
    }

    async fn create_tags(&self, resource: &str, tags: &Tags) -> PortResult<()> {
        let intended = |step: &Step| match step {
            Step::TagInstance(TagInstance) => true,
            Step::TagSnapshot(TagSnapshot { snapshot, .. }) => snapshot.as_str() == resource,
            _ => false,
        };
        self.write("CreateTags", intended, |state| {
            let held = match resource.parse::<InstanceId>() {
                Ok(id) => state.world.instances.get_mut(&id).map(|instance| &mut instance.shown.tags),
                Err(_) => state.world.snapshots.get_mut(&SnapshotId::from(resource)).map(|held| &mut held.tags),
            };
            match held {
                Some(held) => {
                    let mut after = held.clone();
                    after.extend(tags.clone());
                    if after.keys().filter(|key| !key.starts_with("aws:")).count() > MOST_TAGS {
                        return Err(refused("CreateTags", ErrorKind::LimitReached, "TagLimitExceeded"));
                    }
                    *held = after;
                    Ok(())
                }
                None => Err(not_found("CreateTags", "InvalidID.NotFound")),
            }
        })
        .await
    }

    async fn delete_tags(&self, resource: &str, keys: &[&str]) -> PortResult<()> {
        let intended = |step: &Step| back(step, |back| matches!(back, Reversal::DeleteTags(DeleteTags)));
        self.write("DeleteTags", intended, |state| {
            let id = resource.parse::<InstanceId>().ok();
            if let Some(instance) = id.and_then(|id| state.world.instances.get_mut(&id)) {
                instance.shown.tags.retain(|key, _| !keys.contains(&key.as_str()));
            }
            Ok(())
        })
        .await
    }
}

/// A resource has so many tags of its account's own
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html>).
const MOST_TAGS: usize = 50;
