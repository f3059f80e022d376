//! What gives each thing back.

use std::time::Duration;

use brig_core::{
    plan::evidence::STATE_TAG,
    policy::CONTAINMENT_TAG,
    release::Reversal,
    step::{
        AllowRole, AssociateAddress, AssociateProfile, AttachInstances, DeleteTags, Failure, Outcome,
        RegisterInstancesWithLoadBalancer, RegisterTargets, RestoreAutoRecovery, RestoreGroups, RestoreMetadata,
        RestoreProfile, RestoreShutdown, RestoreTimeouts, RestoreVolumes, StartInstance, Step, UnprotectFromScaleIn,
        UnprotectStop, UnprotectTermination,
    },
    survey::{InstanceState, MetadataOptions},
};

use crate::{
    acl,
    denial::{Denial, Put},
    engine::{Engine, Lanes},
    ports::{Answer, AttributeChange, ErrorKind},
    work::{Work, failed},
};

impl Engine {
    pub(super) async fn take_back(&self, work: &Work<'_>, lanes: &Lanes, step: Step) -> Outcome {
        let Step::GiveBack(back) = &step else { return Outcome::Skipped("no step of a release".into()) };
        let (fleet, evidence) = (lanes.fleet.as_ref(), lanes.evidence.as_ref());
        let modify = async |change: AttributeChange| evidence.modify_instance_attribute(work.id(), &change).await;
        match back {
            Reversal::RestoreGroups(RestoreGroups { eni, groups }) => {
                match lanes.network.modify_network_interface_groups(eni, groups).await {
                    Err(error) if error.kind == ErrorKind::NotFound && error.code.contains("Group") => {
                        Outcome::Skipped(format!("{error}: it stays isolated until someone sets its groups").into())
                    }
                    // The quota was lowered since.
                    Err(error) if error.kind == ErrorKind::LimitReached => {
                        let most = groups.len();
                        let error = format!(
                            "{error}: it stays isolated; it had {most} groups: ask AWS for that many an interface (aws service-quotas request-service-quota-increase --service-code vpc --quota-code L-2AFB9258 --desired-value {most}), then release again"
                        );
                        Outcome::Failed(Failure::new(error, false))
                    }
                    answer => outcome(answer, "the interface is gone"),
                }
            }
            Reversal::RestoreTimeouts(RestoreTimeouts { eni, timeouts }) => {
                outcome(lanes.network.modify_network_interface_timeouts(eni, timeouts).await, "the interface is gone")
            }
            Reversal::AssociateAddress(AssociateAddress { eni, allocation, private, .. }) => {
                match lanes.network.associate_address(eni, allocation, *private).await {
                    // It is in other hands.
                    Err(error) if error.is_refusal() => Outcome::Missing(format!("{error}: it stays off").into()),
                    answer => outcome(answer, "the address or the interface is gone"),
                }
            }
            Reversal::AllowInNetworkAcl(_) => acl::allow(work, lanes.network.as_ref(), back).await,
            Reversal::AllowRole(_) => allow_role(work, lanes, back).await,
            Reversal::AssociateProfile(AssociateProfile { profile }) => {
                outcome(lanes.credentials.associate_profile(work.id(), profile).await, "the instance is gone")
            }
            Reversal::ReplaceProfile(RestoreProfile { association, profile }) => {
                replace_profile(work, lanes, association, profile).await
            }
            Reversal::RestoreMetadata(RestoreMetadata { options }) => restore_metadata(work, lanes, options).await,
            Reversal::UnprotectFromScaleIn(UnprotectFromScaleIn { group }) => outcome(
                fleet.set_instance_protection(group, work.id(), false).await,
                "it is no longer in the group, and its protection ended with that",
            ),
            Reversal::AttachInstances(AttachInstances { group }) => match fleet.attach_instance(group, work.id()).await
            {
                // Above the group's maximum, or no state that can be attached: the group's owner decides.
                Err(error) if error.is_refusal() => {
                    Outcome::Missing(format!("{error}: it stays out of the group").into())
                }
                answer => outcome(answer, "the group is gone"),
            },
            Reversal::RegisterTargets(RegisterTargets { group, targets }) => {
                outcome(fleet.register_targets(group, targets).await, "the target group is gone")
            }
            Reversal::RegisterInstancesWithLoadBalancer(RegisterInstancesWithLoadBalancer { balancer }) => {
                outcome(fleet.register_with_classic_balancer(balancer, work.id()).await, "the balancer is gone")
            }
            Reversal::UnprotectTermination(UnprotectTermination) => {
                outcome(modify(AttributeChange::DisableApiTermination(false)).await, "the instance is gone")
            }
            Reversal::StartInstance(StartInstance) => {
                outcome(evidence.start_instance(work.id()).await, "the instance is gone")
            }
            Reversal::UnprotectStop(UnprotectStop) => {
                outcome(modify(AttributeChange::DisableApiStop(false)).await, "the instance is gone")
            }
            Reversal::RestoreShutdown(RestoreShutdown { behavior }) => {
                outcome(modify(AttributeChange::ShutdownBehavior(behavior.clone())).await, "the instance is gone")
            }
            Reversal::RestoreAutoRecovery(RestoreAutoRecovery { setting }) => {
                outcome(evidence.set_auto_recovery(work.id(), setting).await, "the instance is gone")
            }
            Reversal::RestoreVolumes(RestoreVolumes { devices }) => {
                let devices = devices.iter().map(|device| (device.clone(), true)).collect();
                outcome(modify(AttributeChange::DeleteOnTermination(devices)).await, "the instance is gone")
            }
            Reversal::DeleteTags(DeleteTags) => {
                outcome(evidence.delete_tags(work.id().as_str(), &[CONTAINMENT_TAG, STATE_TAG]).await, "it is gone")
            }
        }
    }
}

fn outcome(answer: Answer<()>, missing: &str) -> Outcome {
    match answer {
        Ok(()) => Outcome::changed(),
        Err(error) if error.kind == ErrorKind::NotFound => Outcome::Missing(missing.into()),
        Err(error) => failed(&error),
    }
}

/// Options first, while the endpoint is on; the endpoint goes off once they are in effect.
async fn restore_metadata(work: &Work<'_>, lanes: &Lanes, was: &MetadataOptions) -> Outcome {
    const GONE: &str = "the instance is gone";
    let cloud = lanes.credentials.as_ref();
    let (options, off) = was.changes_from(&work.instance.metadata);
    if let Some(options) = &options {
        let restored = outcome(cloud.restore_metadata_options(work.id(), options).await, GONE);
        if !off || !matches!(restored, Outcome::Changed(_)) {
            return restored;
        }
        for pause in [200, 400, 800, 1600] {
            let pending = cloud.describe_instance(work.id()).await;
            if pending.is_ok_and(|seen| seen.is_none_or(|seen| !seen.metadata_pending)) {
                break;
            }
            work.clock.sleep(Duration::from_millis(pause)).await;
        }
    }
    outcome(cloud.disable_metadata_endpoint(work.id()).await, GONE)
}

/// AWS replaces the profile of an instance that runs: of another one it is taken away first.
async fn replace_profile(work: &Work<'_>, lanes: &Lanes, association: &str, profile: &str) -> Outcome {
    let cloud = lanes.credentials.as_ref();
    let missing = "the association is gone";
    if work.instance.state == InstanceState::Running {
        return outcome(cloud.replace_profile(association, profile).await, missing);
    }
    match cloud.disassociate_profile(association).await {
        Ok(()) => outcome(cloud.associate_profile(work.id(), profile).await, "the instance is gone"),
        answer => outcome(answer, missing),
    }
}

/// Takes the instance out of the role's set, and writes the policy from what is left of it until the set stands still.
async fn allow_role(work: &Work<'_>, lanes: &Lanes, back: &Reversal) -> Outcome {
    let Reversal::AllowRole(AllowRole { role, role_arn, instance_arn, reach, was, foreign }) = back else {
        return Outcome::Skipped("no denial".into());
    };
    let denial = Denial { role, role_arn, instance_arn, reach: *reach };
    match denial.allow(work, lanes.credentials.as_ref(), was.as_deref(), *foreign).await {
        Ok(Put::Done { .. }) if *foreign => Outcome::Changed("the policy now belongs to someone else and stays".into()),
        Ok(Put::Done { members: 0, .. }) => Outcome::Changed("the denial is gone".into()),
        Ok(Put::Done { members, .. }) => {
            Outcome::Changed(format!("{members} other contained instance(s) stay denied").into())
        }
        Ok(Put::NoRole) => Outcome::Missing("the role is gone".into()),
        Ok(Put::Full(error)) => {
            let said = error.map_or_else(String::new, |error| format!("{error}; "));
            let error = format!(
                "{said}every session of the role stays denied: its policy has no room to name the instances that are still contained"
            );
            Outcome::Failed(Failure::new(error, false))
        }
        Ok(Put::Restless) => {
            let error = "the role's set kept changing while it was put".to_owned();
            Outcome::Failed(Failure::new(error, true))
        }
        Err(error) => failed(&error),
    }
}
