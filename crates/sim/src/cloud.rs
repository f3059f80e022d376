//! AWS's operations on the world, as the engine's port names them. Every change is checked against the ledger: one whose
//! intent is not on record is a violation.

use std::{net::Ipv4Addr, sync::Arc};

use async_trait::async_trait;
use brig_core::{
    acl::{AclEntry, MOST_RULES, NetworkAcl},
    ids::{AccountId, EniId, GroupId, InstanceId, Region, SnapshotId, VolumeId, VpcId, arn_name},
    proof::FlowLog,
    reach::{RouteTable, VpcEndpoint},
    readiness::Trail,
    release::Reversal,
    step::{Lane, Step},
    survey::{
        Association, Direction, Instance, InstanceState, Membership, MetadataOptions, PublicAddress, Rule,
        ScalingGroup, SecurityGroup, Snapshot, Target, Timeouts,
    },
    timestamp::Timestamp,
};
use brig_engine::ports::{
    AclsOf, Answer, Attached, Attribute, AttributeChange, Cloud, CloudError, Clouds, DryRun, ErrorKind, InterfacesOf,
    ListedRule, Profile, Tags, TargetGroup, TrailEvent, Unreachable,
};

use ipnet::IpNet;

use crate::{
    sim::{Sim, State},
    world::{self, World},
};

pub(crate) struct SimClouds {
    pub(crate) sim: Arc<Sim>,
    pub(crate) process: usize,
}

#[async_trait]
impl Clouds for SimClouds {
    async fn open(&self, _: &AccountId, _: &Region, _: Lane, _: &str) -> Result<Arc<dyn Cloud>, Unreachable> {
        Ok(Arc::new(SimCloud { sim: Arc::clone(&self.sim), process: self.process }))
    }
}

struct SimCloud {
    sim: Arc<Sim>,
    process: usize,
}

impl SimCloud {
    async fn read<T>(&self, operation: &'static str, look: impl FnOnce(&World) -> Answer<T>) -> Answer<T> {
        self.sim.call(self.process, operation, false, |state| look(&state.view())).await
    }

    async fn write<T>(
        &self,
        operation: &'static str,
        intended: impl Fn(&Step) -> bool,
        effect: impl FnOnce(&mut State) -> Answer<T>,
    ) -> Answer<T> {
        self.sim
            .call(self.process, operation, true, |state| {
                if !state.tables.steps().any(|record| intended(&record.step)) {
                    state.violations.push(format!("{operation} without a record of its intent"));
                }
                effect(state)
            })
            .await
    }
}

fn not_found(operation: &'static str, code: &str) -> CloudError {
    CloudError { operation, kind: ErrorKind::NotFound, code: code.to_owned(), message: "it is not there".to_owned() }
}

fn refused(operation: &'static str, kind: ErrorKind, code: &str) -> CloudError {
    CloudError { operation, kind, code: code.to_owned(), message: "AWS refuses".to_owned() }
}

fn back(step: &Step, is: impl Fn(&Reversal) -> bool) -> bool {
    matches!(step, Step::GiveBack(back) if is(back))
}

fn of_group(step: &Step, vpc: &VpcId, name: &str) -> bool {
    match step {
        Step::CreateSecurityGroup { group }
        | Step::RevokeSecurityGroupRules { group, .. }
        | Step::AuthorizeForensicAccess { group, .. }
        | Step::AuthorizeSecurityGroupRules { group } => group.vpc == *vpc && group.name == name,
        _ => false,
    }
}

/// The place of a group, for the check of its intent.
fn place(state: &State, id: &GroupId) -> Option<(VpcId, String)> {
    state.world.groups.get(id).map(|(group, _)| (group.vpc.clone(), group.name.clone()))
}

impl SimCloud {
    async fn on_group(
        &self,
        operation: &'static str,
        id: &GroupId,
        change: impl FnOnce(&mut SecurityGroup),
    ) -> Answer<()> {
        self.sim
            .call(self.process, operation, true, |state| {
                let made = state.world.groups.get(id).map(|(_, made)| *made);
                let known = made.is_some_and(|made| state.is_known(made));
                let Some((vpc, name)) = place(state, id).filter(|_| known) else {
                    return Err(not_found(operation, "InvalidGroup.NotFound"));
                };
                if !state.tables.steps().any(|record| of_group(&record.step, &vpc, &name)) {
                    state.violations.push(format!("{operation} on {name} without a record of its intent"));
                }
                if let Some((group, _)) = state.world.groups.get_mut(id) {
                    change(group);
                }
                Ok(())
            })
            .await
    }

    async fn on_instance(
        &self,
        operation: &'static str,
        id: &InstanceId,
        intended: impl Fn(&Step) -> bool,
        change: impl FnOnce(&mut world::Instance) -> Answer<()>,
    ) -> Answer<()> {
        self.write(operation, intended, |state| match state.world.instances.get_mut(id) {
            Some(instance) if instance.shown.state == InstanceState::Terminated => {
                Err(refused(operation, ErrorKind::Conflict, "IncorrectInstanceState"))
            }
            Some(instance) => change(instance),
            None => Err(not_found(operation, "InvalidInstanceID.NotFound")),
        })
        .await
    }
}

#[async_trait]
impl Cloud for SimCloud {
    async fn describe_instance(&self, instance: &InstanceId) -> Answer<Option<Instance>> {
        self.read("DescribeInstances", |world| Ok(world.describe(instance))).await
    }

    async fn describe_brig_groups(&self) -> Answer<Vec<SecurityGroup>> {
        self.read("DescribeSecurityGroups", |world| {
            let groups = world.groups.values().map(|(group, _)| group.clone());
            Ok(groups.filter(|group| group.name.starts_with("brig-")).collect())
        })
        .await
    }

    async fn describe_security_group_rules(&self, id: &GroupId) -> Answer<Vec<ListedRule>> {
        self.read("DescribeSecurityGroupRules", |world| {
            let Some((group, _)) = world.groups.get(id) else {
                return Err(not_found("DescribeSecurityGroupRules", "InvalidGroup.NotFound"));
            };
            let listed = group.rules.iter().map(|rule| ListedRule { id: format!("{rule:?}"), rule: rule.clone() });
            Ok(listed.collect())
        })
        .await
    }

    async fn create_security_group(&self, vpc: &VpcId, name: &str, tags: &Tags) -> Answer<GroupId> {
        const OPERATION: &str = "CreateSecurityGroup";
        self.write(
            OPERATION,
            |step| of_group(step, vpc, name),
            |state| {
                if state.world.groups.values().any(|(group, _)| group.vpc == *vpc && group.name == name) {
                    return Err(refused(OPERATION, ErrorKind::Duplicate, "InvalidGroup.Duplicate"));
                }
                let id = state.world.open_group(vpc.as_str(), name);
                let now = state.now;
                if let Some((group, made)) = state.world.groups.get_mut(&id) {
                    group.rules.retain(|rule| rule.direction == Direction::Egress);
                    group.tags.clone_from(tags);
                    *made = now;
                }
                Ok(id)
            },
        )
        .await
    }

    async fn authorize_rule(&self, group: &GroupId, rule: &Rule) -> Answer<()> {
        let operation = match rule.direction {
            Direction::Ingress => "AuthorizeSecurityGroupIngress",
            Direction::Egress => "AuthorizeSecurityGroupEgress",
        };
        self.on_group(operation, group, |group| {
            if !group.rules.contains(rule) {
                group.rules.push(rule.clone());
            }
        })
        .await
    }

    async fn revoke_rules(&self, group: &GroupId, direction: Direction, rules: &[String]) -> Answer<()> {
        let operation = match direction {
            Direction::Ingress => "RevokeSecurityGroupIngress",
            Direction::Egress => "RevokeSecurityGroupEgress",
        };
        self.on_group(operation, group, |group| {
            group.rules.retain(|rule| !rules.contains(&format!("{rule:?}")));
        })
        .await
    }

    async fn revoke_all_egress(&self, group: &GroupId, cidr: &str) -> Answer<()> {
        self.on_group("RevokeSecurityGroupEgress", group, |group| {
            group.rules.retain(|rule| rule.direction != Direction::Egress || rule.peer != cidr);
        })
        .await
    }

    async fn describe_network_interfaces(&self, of: InterfacesOf<'_>) -> Answer<Vec<Attached>> {
        self.read("DescribeNetworkInterfaces", |world| {
            let wanted = |eni: &&world::Interface| match of {
                InterfacesOf::Instance(id) => eni.instance.as_ref() == Some(id),
                InterfacesOf::Trunk(id) => eni.trunk.as_ref() == Some(id),
                InterfacesOf::Group(id) => eni.shown.groups.contains(id),
                InterfacesOf::Ids(ids) => ids.contains(&eni.shown.id),
                InterfacesOf::One(id) => eni.shown.id == *id,
                InterfacesOf::Address(address) => eni.shown.addresses.contains(&address),
            };
            let attached = world.interfaces.values().filter(wanted).map(|eni| Attached {
                interface: eni.shown.clone(),
                instance: eni.instance.as_ref().map(ToString::to_string),
                attached_at: None,
            });
            Ok(attached.collect())
        })
        .await
    }

    async fn modify_network_interface_groups(&self, id: &EniId, groups: &[GroupId]) -> Answer<()> {
        const OPERATION: &str = "ModifyNetworkInterfaceAttribute";
        let intended = |step: &Step| match step {
            Step::Isolate { eni, .. } | Step::Untrack { eni, .. } => eni == id,
            step => back(step, |back| matches!(back, Reversal::RestoreGroups { eni, .. } if eni == id)),
        };
        self.write(OPERATION, intended, |state| {
            for group in groups {
                let made = state.world.groups.get(group).map(|(_, made)| *made);
                if !made.is_some_and(|made| state.is_known(made)) {
                    return Err(not_found(OPERATION, "InvalidGroup.NotFound"));
                }
            }
            if state.world.interfaces.get(id).is_some_and(|eni| eni.managed) {
                return Err(refused(OPERATION, ErrorKind::Other, "OperationNotPermitted"));
            }
            let (names, now) = (names(&state.world, groups), state.now);
            let Some(mut eni) = state.world.interfaces.get(id).cloned() else {
                return Err(not_found(OPERATION, "InvalidNetworkInterfaceID.NotFound"));
            };
            if names.iter().any(|name| name.starts_with("brig-untrack")) && !(eni.was_cut || state.world.is_cut(&eni)) {
                state.violations.push(format!("{id} was opened without having been isolated"));
            }
            eni.shown.groups = groups.to_vec();
            let cut = state.world.is_cut(&eni);
            eni.was_cut |= cut;
            eni.cut_since = if cut { eni.cut_since.or(Some(now)) } else { None };
            state.world.interfaces.insert(id.clone(), eni);
            Ok(())
        })
        .await
    }

    async fn describe_profile_associations(&self, instance: Option<&InstanceId>) -> Answer<Vec<Association>> {
        self.read("DescribeIamInstanceProfileAssociations", |world| {
            let wanted = world.associations.iter().filter(|(_, (of, _))| instance.is_none_or(|id| id == of));
            let shown = wanted.map(|(id, (of, profile))| Association {
                id: id.clone(),
                instance: of.to_string(),
                profile: profile.clone(),
                state: "associated".to_owned(),
            });
            Ok(shown.collect())
        })
        .await
    }

    async fn disassociate_profile(&self, association: &str) -> Answer<()> {
        const OPERATION: &str = "DisassociateIamInstanceProfile";
        let intended =
            |step: &Step| matches!(step, Step::DisassociateProfile { association: of, .. } if of == association);
        // A second association has an id of its own, and the first record stands for it.
        let any = |step: &Step| {
            intended(step) || matches!(step, Step::DisassociateProfile { .. } | Step::ReplaceProfile { .. })
        };
        self.write(OPERATION, any, |state| match state.world.associations.remove(association) {
            Some(_) => Ok(()),
            None => Err(not_found(OPERATION, "InvalidAssociationID.NotFound")),
        })
        .await
    }

    async fn replace_profile(&self, association: &str, profile: &str) -> Answer<()> {
        const OPERATION: &str = "ReplaceIamInstanceProfileAssociation";
        let intended = |step: &Step| {
            matches!(step, Step::ReplaceProfile { .. })
                || back(step, |back| matches!(back, Reversal::ReplaceProfile { .. }))
        };
        self.write(OPERATION, intended, |state| {
            if !state.world.profiles.contains_key(arn_name(profile)) {
                return Err(refused(OPERATION, ErrorKind::Other, "InvalidParameterValue"));
            }
            let Some((instance, _)) = state.world.associations.remove(association) else {
                return Err(not_found(OPERATION, "InvalidAssociationID.NotFound"));
            };
            let successor = state.world.id("iip-assoc");
            state.world.associations.insert(successor, (instance, profile.to_owned()));
            Ok(())
        })
        .await
    }

    async fn disable_metadata_endpoint(&self, id: &InstanceId) -> Answer<()> {
        let intended = |step: &Step| matches!(step, Step::DisableMetadata { .. });
        self.on_instance("ModifyInstanceMetadataOptions", id, intended, |instance| {
            "disabled".clone_into(&mut instance.shown.metadata.endpoint);
            Ok(())
        })
        .await
    }

    async fn get_instance_profile(&self, name: &str) -> Answer<Profile> {
        self.read("GetInstanceProfile", |world| match world.profiles.get(name) {
            Some((arn, role)) => Ok(Profile { arn: arn.clone(), role: role.clone() }),
            None => Err(not_found("GetInstanceProfile", "NoSuchEntity")),
        })
        .await
    }

    async fn list_instance_profiles_for_role(&self, role: &str) -> Answer<Vec<String>> {
        self.read("ListInstanceProfilesForRole", |world| {
            let held = world.profiles.values().filter(|(_, held)| held.as_ref().is_some_and(|held| held.name == role));
            Ok(held.map(|(arn, _)| arn.clone()).collect())
        })
        .await
    }

    async fn get_role_policy(&self, role: &str, policy: &str) -> Answer<Option<String>> {
        self.read("GetRolePolicy", |world| Ok(world.policies.get(&(role.to_owned(), policy.to_owned())).cloned())).await
    }

    async fn put_role_policy(&self, name: &str, policy: &str, document: &str) -> Answer<()> {
        let intended = |step: &Step| match step {
            Step::DenyRole { role, .. } => role == name,
            step => back(step, |back| matches!(back, Reversal::AllowRole { role, .. } if role == name)),
        };
        self.write("PutRolePolicy", intended, |state| {
            state.world.policies.insert((name.to_owned(), policy.to_owned()), document.to_owned());
            Ok(())
        })
        .await
    }

    async fn describe_auto_scaling_instance(&self, instance: &InstanceId) -> Answer<Option<Membership>> {
        self.read("DescribeAutoScalingInstances", |world| {
            Ok(world.scaling.iter().find_map(|(name, group)| {
                let state = group.members.get(instance)?;
                Some(Membership { group: name.clone(), state: state.clone(), protected: false })
            }))
        })
        .await
    }

    async fn describe_vpcs(&self) -> Answer<Vec<VpcId>> {
        self.read("DescribeVpcs", |world| Ok(world.vpcs())).await
    }

    async fn describe_flow_logs(&self) -> Answer<Vec<FlowLog>> {
        self.read("DescribeFlowLogs", |world| Ok(world.flow_logs.clone())).await
    }

    async fn filter_log_events(&self, group: &str, streams: &str, since: Timestamp) -> Answer<Vec<String>> {
        self.read("FilterLogEvents", |world| {
            let fits = |(of, eni, at, _): &&(String, EniId, i64, String)| {
                of == group && eni.as_str() == streams && *at >= since.millis()
            };
            Ok(world.flows.iter().filter(fits).map(|(.., record)| record.clone()).collect())
        })
        .await
    }

    async fn get_metadata_default_tokens(&self) -> Answer<Option<String>> {
        self.read("GetInstanceMetadataDefaults", |_| Ok(None)).await
    }

    async fn count_instances_without_tokens(&self) -> Answer<usize> {
        self.read("DescribeInstances", |world| {
            let optional = |instance: &&crate::world::Instance| instance.shown.metadata.tokens == "optional";
            Ok(world.instances.values().filter(optional).count())
        })
        .await
    }

    async fn get_detectors(&self) -> Answer<Vec<bool>> {
        self.read("ListDetectors", |_| Ok(())).await?;
        self.read("GetDetector", |_| Ok(vec![true])).await
    }

    async fn describe_trails(&self) -> Answer<Vec<Trail>> {
        self.read("DescribeTrails", |_| Ok(())).await?;
        let trail = Trail { name: "all".to_owned(), all_regions: true, logging: true };
        self.read("GetTrailStatus", |_| Ok(vec![trail])).await
    }

    async fn dry_run(&self, _change: &DryRun) -> Answer<()> {
        self.read("DryRun", |_| Ok(())).await
    }

    async fn describe_auto_scaling_group(&self, name: &str) -> Answer<Option<ScalingGroup>> {
        self.read("DescribeAutoScalingGroups", |world| {
            Ok(world.scaling.get(name).map(|group| ScalingGroup {
                target_groups: group.target_groups.clone(),
                suspended: group.suspended.clone(),
                ..ScalingGroup::default()
            }))
        })
        .await
    }

    async fn describe_termination_hooks(&self, name: &str) -> Answer<Vec<String>> {
        self.read("DescribeLifecycleHooks", |world| {
            Ok(world.scaling.get(name).map(|group| group.hooks.keys().cloned().collect()).unwrap_or_default())
        })
        .await
    }

    async fn record_lifecycle_heartbeat(&self, name: &str, hook: &str, _instance: &InstanceId) -> Answer<()> {
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

    async fn detach_instance(&self, name: &str, instance: &InstanceId) -> Answer<()> {
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

    async fn describe_target_groups(&self) -> Answer<Vec<TargetGroup>> {
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

    async fn describe_target_health(&self, group: &str) -> Answer<Vec<Target>> {
        self.sim
            .call(self.process, "DescribeTargetHealth", false, |state| match state.world.target_groups.get(group) {
                Some(held) => Ok(held.targets.clone()),
                None => Err(not_found("DescribeTargetHealth", "TargetGroupNotFound")),
            })
            .await
    }

    async fn deregister_targets(&self, arn: &str, targets: &[Target]) -> Answer<()> {
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

    async fn describe_classic_balancers_of(&self, instance: &InstanceId) -> Answer<Vec<String>> {
        self.sim
            .call(self.process, "DescribeLoadBalancers", false, |state| {
                let held = state.world.classic.iter().filter(|(_, held)| held.contains(instance));
                Ok(held.map(|(name, _)| name.clone()).collect())
            })
            .await
    }

    async fn deregister_from_classic_balancer(&self, name: &str, instance: &InstanceId) -> Answer<()> {
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

    async fn describe_instance_attribute(&self, id: &InstanceId, attribute: Attribute) -> Answer<String> {
        self.read("DescribeInstanceAttribute", |world| match world.instances.get(id) {
            Some(instance) => Ok(match attribute {
                Attribute::DisableApiTermination => instance.termination_protection.to_string(),
                Attribute::DisableApiStop => instance.stop_protection.to_string(),
                Attribute::ShutdownBehavior => instance.shutdown.clone(),
            }),
            None => Err(not_found("DescribeInstanceAttribute", "InvalidInstanceID.NotFound")),
        })
        .await
    }

    async fn describe_scheduled_events(&self, id: &InstanceId) -> Answer<Vec<String>> {
        self.read("DescribeInstanceStatus", |world| {
            Ok(world.instances.get(id).map(|instance| instance.scheduled.clone()).unwrap_or_default())
        })
        .await
    }

    async fn stop_instance(&self, id: &InstanceId, hibernate: bool) -> Answer<()> {
        const OPERATION: &str = "StopInstances";
        let intended = |step: &Step| matches!(step, Step::StopInstance { .. });
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
                return Err(refused(OPERATION, ErrorKind::Other, "UnsupportedHibernationConfiguration"));
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

    async fn start_instance(&self, id: &InstanceId) -> Answer<()> {
        const OPERATION: &str = "StartInstances";
        let intended = |step: &Step| back(step, |back| matches!(back, Reversal::StartInstance));
        self.on_instance(OPERATION, id, intended, |instance| {
            if instance.shown.state == InstanceState::Stopping {
                return Err(refused(OPERATION, ErrorKind::Conflict, "IncorrectInstanceState"));
            }
            instance.shown.state = InstanceState::Running;
            Ok(())
        })
        .await
    }

    async fn set_auto_recovery(&self, id: &InstanceId, setting: &str) -> Answer<()> {
        let intended = |step: &Step| match step {
            Step::DisableAutoRecovery { .. } => true,
            step => back(step, |back| matches!(back, Reversal::RestoreAutoRecovery { .. })),
        };
        self.on_instance("ModifyInstanceMaintenanceOptions", id, intended, |instance| {
            instance.shown.auto_recovery = Some(setting.to_owned());
            Ok(())
        })
        .await
    }

    async fn modify_instance_attribute(&self, id: &InstanceId, change: &AttributeChange) -> Answer<()> {
        let intended = |step: &Step| match (change, step) {
            (AttributeChange::DisableApiTermination(true), Step::ProtectTermination { .. })
            | (AttributeChange::DisableApiStop(true), Step::ProtectStop { .. })
            | (AttributeChange::DisableApiStop(_), Step::StopInstance { .. })
            | (AttributeChange::ShutdownBehavior(_), Step::StopOnShutdown { .. })
            | (AttributeChange::DeleteOnTermination(_), Step::KeepVolumes { .. }) => true,
            (_, step) => back(step, |back| {
                matches!(
                    (change, back),
                    (AttributeChange::DisableApiTermination(false), Reversal::UnprotectTermination)
                        | (AttributeChange::DisableApiStop(false), Reversal::UnprotectStop)
                        | (AttributeChange::DeleteOnTermination(_), Reversal::RestoreVolumes { .. })
                )
            }),
        };
        self.on_instance("ModifyInstanceAttribute", id, intended, |instance| {
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

    async fn create_snapshots(&self, id: &InstanceId, _: &str, tags: &Tags) -> Answer<Vec<Snapshot>> {
        const OPERATION: &str = "CreateSnapshots";
        let intended = |step: &Step| matches!(step, Step::CreateSnapshots { .. } | Step::SnapshotMemory);
        self.write(OPERATION, intended, |state| {
            let Some(instance) = state.world.instances.get(id) else {
                return Err(not_found(OPERATION, "InvalidInstanceID.NotFound"));
            };
            if instance.shown.state.is_ending() {
                return Err(refused(OPERATION, ErrorKind::Conflict, "IncorrectInstanceState"));
            }
            let volumes = state.world.volumes(id);
            Ok(volumes.into_iter().map(|volume| state.world.snapshot(volume, tags)).collect())
        })
        .await
    }

    async fn describe_snapshots_tagged(&self, key: &str, value: &str) -> Answer<Vec<Snapshot>> {
        self.read("DescribeSnapshots", |world| {
            let tagged =
                world.snapshots.values().filter(|snapshot| snapshot.tags.get(key).is_some_and(|tag| tag == value));
            Ok(tagged.map(|snapshot| Snapshot { locked: None, ..snapshot.clone() }).collect())
        })
        .await
    }

    async fn lock_snapshot(&self, id: &SnapshotId, _: u32) -> Answer<()> {
        let intended = |step: &Step| matches!(step, Step::LockSnapshot { snapshot, .. } if snapshot == id);
        self.write("LockSnapshot", intended, |state| match state.world.snapshots.get_mut(id) {
            Some(snapshot) => {
                snapshot.locked = Some(true);
                Ok(())
            }
            None => Err(not_found("LockSnapshot", "InvalidSnapshot.NotFound")),
        })
        .await
    }

    async fn describe_locked_snapshots(&self, snapshots: &[SnapshotId]) -> Answer<Vec<SnapshotId>> {
        self.read("DescribeLockedSnapshots", |world| {
            let locked = |id: &&SnapshotId| world.snapshots.get(*id).is_some_and(|held| held.locked == Some(true));
            Ok(snapshots.iter().filter(locked).cloned().collect())
        })
        .await
    }

    async fn create_snapshot(&self, volume: &VolumeId, _: &str, tags: &Tags) -> Answer<Snapshot> {
        let intended = |step: &Step| matches!(step, Step::CreateSnapshots { .. });
        self.write("CreateSnapshot", intended, |state| Ok(state.world.snapshot(volume.clone(), tags))).await
    }

    async fn create_tags(&self, resource: &str, tags: &Tags) -> Answer<()> {
        let intended = |step: &Step| match step {
            Step::TagInstance => true,
            Step::TagSnapshot { snapshot, .. } => snapshot.as_str() == resource,
            _ => false,
        };
        self.write("CreateTags", intended, |state| {
            let held = match resource.parse::<InstanceId>() {
                Ok(id) => state.world.instances.get_mut(&id).map(|instance| &mut instance.shown.tags),
                Err(_) => state.world.snapshots.get_mut(&SnapshotId::from(resource)).map(|held| &mut held.tags),
            };
            match held {
                Some(held) => {
                    held.extend(tags.clone());
                    Ok(())
                }
                None => Err(not_found("CreateTags", "InvalidID.NotFound")),
            }
        })
        .await
    }

    async fn associate_profile(&self, id: &InstanceId, profile: &str) -> Answer<()> {
        const OPERATION: &str = "AssociateIamInstanceProfile";
        let intended = |step: &Step| back(step, |back| matches!(back, Reversal::AssociateProfile { .. }));
        self.write(OPERATION, intended, |state| {
            if state.world.associations.values().any(|(of, _)| of == id) {
                return Err(refused(OPERATION, ErrorKind::Conflict, "IncorrectState"));
            }
            if !state.world.profiles.contains_key(arn_name(profile)) {
                return Err(refused(OPERATION, ErrorKind::Other, "InvalidParameterValue"));
            }
            let association = state.world.id("iip-assoc");
            state.world.associations.insert(association, (id.clone(), profile.to_owned()));
            Ok(())
        })
        .await
    }

    async fn restore_metadata_options(&self, id: &InstanceId, options: &MetadataOptions) -> Answer<()> {
        let intended = |step: &Step| {
            matches!(step, Step::RequireTokens { .. })
                || back(step, |back| matches!(back, Reversal::RestoreMetadata { .. }))
        };
        self.on_instance("ModifyInstanceMetadataOptions", id, intended, |instance| {
            let now = &mut instance.shown.metadata;
            let MetadataOptions { endpoint, tokens, hop_limit, ipv6, tags } = options.clone();
            (now.endpoint, now.tokens) = (endpoint, tokens);
            now.hop_limit = hop_limit.or(now.hop_limit);
            now.ipv6 = ipv6.or(now.ipv6.take());
            now.tags = tags.or(now.tags.take());
            Ok(())
        })
        .await
    }

    async fn delete_role_policy(&self, name: &str, policy: &str) -> Answer<()> {
        let intended =
            |step: &Step| back(step, |back| matches!(back, Reversal::AllowRole { role, .. } if role == name));
        self.write("DeleteRolePolicy", intended, |state| {
            state.world.policies.remove(&(name.to_owned(), policy.to_owned()));
            Ok(())
        })
        .await
    }

    async fn attach_instance(&self, name: &str, instance: &InstanceId) -> Answer<()> {
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

    async fn register_targets(&self, arn: &str, targets: &[Target]) -> Answer<()> {
        const OPERATION: &str = "RegisterTargets";
        let intended =
            |step: &Step| back(step, |back| matches!(back, Reversal::RegisterTargets { group, .. } if group == arn));
        self.write(OPERATION, intended, |state| {
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

    async fn register_with_classic_balancer(&self, name: &str, instance: &InstanceId) -> Answer<()> {
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

    async fn modify_network_interface_timeouts(&self, id: &EniId, timeouts: &Timeouts) -> Answer<()> {
        const OPERATION: &str = "ModifyNetworkInterfaceAttribute";
        let intended = |step: &Step| match step {
            Step::ShortenTimeouts { eni, .. } => eni == id,
            step => back(step, |back| matches!(back, Reversal::RestoreTimeouts { eni, .. } if eni == id)),
        };
        self.write(OPERATION, intended, |state| {
            if !state.world.takes_timeouts {
                return Err(refused(OPERATION, ErrorKind::Other, "UnsupportedOperation"));
            }
            let Some(eni) = state.world.interfaces.get_mut(id) else {
                return Err(not_found(OPERATION, "InvalidNetworkInterfaceID.NotFound"));
            };
            eni.shown.timeouts = *timeouts;
            Ok(())
        })
        .await
    }

    async fn unassign_public_address(&self, id: &EniId) -> Answer<()> {
        const OPERATION: &str = "ModifyNetworkInterfaceAttribute";
        let intended = |step: &Step| matches!(step, Step::UnassignPublicAddress { eni, .. } if eni == id);
        self.write(OPERATION, intended, |state| match state.world.interfaces.get_mut(id) {
            Some(eni) => {
                eni.shown.public.retain(|public| !public.assigned);
                Ok(())
            }
            None => Err(not_found(OPERATION, "InvalidNetworkInterfaceID.NotFound")),
        })
        .await
    }

    async fn disassociate_address(&self, id: &str) -> Answer<()> {
        const OPERATION: &str = "DisassociateAddress";
        let intended = |step: &Step| matches!(step, Step::DisassociateAddress { association, .. } if association == id);
        self.write(OPERATION, intended, |state| {
            for eni in state.world.interfaces.values_mut() {
                let ours = |public: &PublicAddress| public.elastic.as_ref().is_some_and(|(_, held)| held == id);
                if let Some(at) = eni.shown.public.iter().position(ours) {
                    let public = eni.shown.public.remove(at);
                    if let Some((allocation, _)) = public.elastic.clone() {
                        state.world.addresses.insert(allocation, public);
                    }
                    return Ok(());
                }
            }
            Err(not_found(OPERATION, "InvalidAssociationID.NotFound"))
        })
        .await
    }

    async fn associate_address(&self, id: &EniId, allocation: &str, private: Option<Ipv4Addr>) -> Answer<()> {
        const OPERATION: &str = "AssociateAddress";
        let intended =
            |step: &Step| back(step, |back| matches!(back, Reversal::AssociateAddress { eni, .. } if eni == id));
        self.write(OPERATION, intended, |state| {
            let Some(public) = state.world.addresses.remove(allocation) else {
                return Err(refused(OPERATION, ErrorKind::Other, "Resource.AlreadyAssociated"));
            };
            let association = state.world.id("eipassoc");
            let Some(eni) = state.world.interfaces.get_mut(id) else {
                return Err(not_found(OPERATION, "InvalidNetworkInterfaceID.NotFound"));
            };
            let elastic = Some((allocation.to_owned(), association));
            eni.shown.public.push(PublicAddress { private, elastic, ..public });
            Ok(())
        })
        .await
    }

    async fn describe_network_acls(&self, of: AclsOf<'_>) -> Answer<Vec<NetworkAcl>> {
        self.read("DescribeNetworkAcls", |world| {
            let meant = |acl: &&NetworkAcl| match of {
                AclsOf::Subnets(subnets) => acl.subnets.iter().any(|subnet| subnets.contains(subnet)),
                AclsOf::Ids(ids) => ids.contains(&acl.id),
            };
            Ok(world.acls.values().filter(meant).cloned().collect())
        })
        .await
    }

    async fn create_network_acl_entry(&self, id: &str, entry: &AclEntry) -> Answer<()> {
        const OPERATION: &str = "CreateNetworkAclEntry";
        let intended = |step: &Step| match step {
            Step::DenyInNetworkAcl { acl, .. } => acl == id,
            step => back(step, |back| matches!(back, Reversal::AllowInNetworkAcl { acl, .. } if acl == id)),
        };
        self.write(OPERATION, intended, |state| {
            let Some(acl) = state.world.acls.get_mut(id) else {
                return Err(not_found(OPERATION, "InvalidNetworkAclID.NotFound"));
            };
            let way = || acl.entries.iter().filter(|held| held.egress == entry.egress);
            if way().any(|held| held.number == entry.number) {
                return Err(refused(OPERATION, ErrorKind::Duplicate, "NetworkAclEntryAlreadyExists"));
            }
            let family = |held: &&AclEntry| held.cidr.addr().is_ipv6() == entry.cidr.addr().is_ipv6();
            if way().filter(family).count() >= MOST_RULES {
                return Err(refused(OPERATION, ErrorKind::Other, "NetworkAclEntryLimitExceeded"));
            }
            acl.entries.push(entry.clone());
            acl.entries.sort_by_key(|entry| (entry.egress, entry.number));
            Ok(())
        })
        .await
    }

    async fn delete_network_acl_entry(&self, id: &str, number: i32, egress: bool) -> Answer<()> {
        let intended =
            |step: &Step| back(step, |back| matches!(back, Reversal::AllowInNetworkAcl { acl, .. } if acl == id));
        self.write("DeleteNetworkAclEntry", intended, |state| {
            if let Some(acl) = state.world.acls.get_mut(id) {
                acl.entries.retain(|entry| entry.egress != egress || entry.number != number);
            }
            Ok(())
        })
        .await
    }

    async fn published_ranges(&self) -> Answer<Arc<[IpNet]>> {
        self.read("GetPublishedRanges", |world| Ok(world.published.clone().into())).await
    }

    async fn describe_groups(&self, groups: &[GroupId]) -> Answer<Vec<SecurityGroup>> {
        self.read("DescribeSecurityGroups", |world| {
            Ok(groups.iter().filter_map(|id| world.groups.get(id)).map(|(group, _)| group.clone()).collect())
        })
        .await
    }

    async fn describe_groups_named(&self, name: &str) -> Answer<Vec<SecurityGroup>> {
        self.read("DescribeSecurityGroups", |world| {
            Ok(world.groups.values().map(|(group, _)| group).filter(|group| group.name == name).cloned().collect())
        })
        .await
    }

    async fn describe_service_endpoints(&self, services: &[&str]) -> Answer<Vec<(VpcId, Vec<EniId>)>> {
        self.read("DescribeVpcEndpoints", |world| {
            let meant = world.endpoints.iter().filter(|(service, _, _)| services.contains(&service.as_str()));
            Ok(meant.map(|(_, vpc, eni)| (vpc.clone(), vec![eni.clone()])).collect())
        })
        .await
    }

    async fn describe_route_tables(&self, vpcs: &[VpcId]) -> Answer<Vec<RouteTable>> {
        self.read("DescribeRouteTables", |world| {
            Ok(world.reach.tables.iter().filter(|table| vpcs.contains(&table.vpc)).cloned().collect())
        })
        .await
    }

    async fn describe_vpc_endpoints(&self, vpcs: &[VpcId]) -> Answer<Vec<VpcEndpoint>> {
        self.read("DescribeVpcEndpoints", |world| {
            Ok(world.reach.endpoints.iter().filter(|endpoint| vpcs.contains(&endpoint.vpc)).cloned().collect())
        })
        .await
    }

    async fn describe_interfaces_of_kinds(&self, vpcs: &[VpcId], kinds: &[&str]) -> Answer<Vec<(VpcId, String)>> {
        self.read("DescribeNetworkInterfaces", |world| {
            let there = world.reach.neighbours.iter().filter(|(vpc, _)| vpcs.contains(vpc));
            let each = there.flat_map(|(vpc, found)| found.iter().map(move |kind| (vpc.clone(), kind.clone())));
            Ok(each.filter(|(_, kind)| kinds.contains(&kind.as_str())).collect())
        })
        .await
    }

    async fn get_serial_console_access(&self) -> Answer<Option<bool>> {
        self.read("GetSerialConsoleAccessStatus", |world| Ok(Some(world.reach.serial_console.unwrap_or(false)))).await
    }

    async fn count_dns_firewalls(&self, vpc: &VpcId) -> Answer<usize> {
        self.read("ListFirewallRuleGroupAssociations", |world| {
            Ok(world.reach.dns_firewalls.get(vpc).copied().unwrap_or(0))
        })
        .await
    }

    async fn count_service_networks(&self, vpc: &VpcId) -> Answer<usize> {
        self.read("ListServiceNetworkVpcAssociations", |world| Ok(usize::from(world.reach.lattice.contains(vpc)))).await
    }

    async fn describe_default_timeouts(&self, _: &str) -> Answer<Timeouts> {
        self.read("DescribeInstanceTypes", |world| Ok(world.reach.defaults)).await
    }

    async fn lookup_events(&self, resource: &str, _: Timestamp) -> Answer<Vec<TrailEvent>> {
        self.read("LookupEvents", |world| {
            let of = world.trail.iter().filter(|(id, _)| id == resource);
            Ok(of.map(|(_, event)| event.clone()).collect())
        })
        .await
    }

    async fn delete_tags(&self, resource: &str, keys: &[&str]) -> Answer<()> {
        let intended = |step: &Step| back(step, |back| matches!(back, Reversal::DeleteTags));
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

fn names(world: &World, groups: &[GroupId]) -> Vec<String> {
    groups.iter().filter_map(|id| world.groups.get(id)).map(|(group, _)| group.name.clone()).collect()
}
