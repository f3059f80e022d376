//! What gives each thing back.

use brig_core::{
    deny_policy,
    ledger::Shared,
    plan::evidence::STATE_TAG,
    policy::CONTAINMENT_TAG,
    release::Reversal,
    step::{Failure, Outcome, Step},
    survey::InstanceState,
};

use crate::{
    acl,
    contain::{Engine, Lanes},
    ports::{Answer, AttributeChange, ErrorKind},
    work::{Work, failed},
};

impl Engine {
    pub(super) async fn take_back(&self, work: &Work<'_>, lanes: &Lanes, step: Step) -> Outcome {
        let Step::GiveBack(back) = &step else { return Outcome::Skipped("no step of a release".to_owned()) };
        let (fleet, evidence) = (lanes.fleet.as_ref(), lanes.evidence.as_ref());
        let modify = async |change: AttributeChange| evidence.modify_instance_attribute(work.id(), &change).await;
        match back {
            Reversal::RestoreGroups { eni, groups } => {
                match lanes.network.modify_network_interface_groups(eni, groups).await {
                    Err(error) if error.kind == ErrorKind::NotFound && error.code.contains("Group") => {
                        Outcome::Skipped(format!("{error}: it stays isolated until somebody sets its groups"))
                    }
                    answer => outcome(answer, "the interface is gone"),
                }
            }
            Reversal::RestoreTimeouts { eni, timeouts } => {
                outcome(lanes.network.modify_network_interface_timeouts(eni, timeouts).await, "the interface is gone")
            }
            Reversal::AssociateAddress { eni, allocation, private, .. } => {
                match lanes.network.associate_address(eni, allocation, *private).await {
                    // It is in other hands.
                    Err(error) if error.kind == ErrorKind::Other => Outcome::Missing(format!("{error}: it stays off")),
                    answer => outcome(answer, "the address or the interface is gone"),
                }
            }
            Reversal::AllowInNetworkAcl { .. } => acl::allow(work, lanes.network.as_ref(), back).await,
            Reversal::AllowRole { .. } => allow_role(work, lanes, back).await,
            Reversal::AssociateProfile { profile } => {
                outcome(lanes.identity.associate_profile(work.id(), profile).await, "the instance is gone")
            }
            Reversal::ReplaceProfile { association, profile } => {
                replace_profile(work, lanes, association, profile).await
            }
            Reversal::RestoreMetadata { options } => {
                outcome(lanes.identity.restore_metadata_options(work.id(), options).await, "the instance is gone")
            }
            Reversal::UnprotectFromScaleIn { group } => outcome(
                fleet.set_instance_protection(group, work.id(), false).await,
                "it is in the group no more, with which its protection ended",
            ),
            Reversal::AttachInstances { group } => match fleet.attach_instance(group, work.id()).await {
                // Above the group's maximum, or no state that can be attached: the group's owner decides.
                Err(error) if error.kind == ErrorKind::Other => {
                    Outcome::Missing(format!("{error}: it stays out of the group"))
                }
                answer => outcome(answer, "the group is gone"),
            },
            Reversal::RegisterTargets { group, targets } => {
                outcome(fleet.register_targets(group, targets).await, "the target group is gone")
            }
            Reversal::RegisterInstancesWithLoadBalancer { balancer } => {
                outcome(fleet.register_with_classic_balancer(balancer, work.id()).await, "the balancer is gone")
            }
            Reversal::UnprotectTermination => {
                outcome(modify(AttributeChange::DisableApiTermination(false)).await, "the instance is gone")
            }
            Reversal::StartInstance => outcome(evidence.start_instance(work.id()).await, "the instance is gone"),
            Reversal::UnprotectStop => {
                outcome(modify(AttributeChange::DisableApiStop(false)).await, "the instance is gone")
            }
            Reversal::RestoreShutdown { behavior } => {
                outcome(modify(AttributeChange::ShutdownBehavior(behavior.clone())).await, "the instance is gone")
            }
            Reversal::RestoreAutoRecovery { setting } => {
                outcome(evidence.set_auto_recovery(work.id(), setting).await, "the instance is gone")
            }
            Reversal::RestoreVolumes { devices } => {
                let devices = devices.iter().map(|device| (device.clone(), true)).collect();
                outcome(modify(AttributeChange::DeleteOnTermination(devices)).await, "the instance is gone")
            }
            Reversal::DeleteTags => {
                outcome(evidence.delete_tags(work.id().as_str(), &[CONTAINMENT_TAG, STATE_TAG]).await, "it is gone")
            }
        }
    }
}

fn outcome(answer: Answer<()>, missing: &str) -> Outcome {
    match answer {
        Ok(()) => Outcome::Changed(String::new()),
        Err(error) if error.kind == ErrorKind::NotFound => Outcome::Missing(missing.to_owned()),
        Err(error) => failed(&error),
    }
}

/// AWS replaces the profile of an instance that runs: of another one it is taken away first.
async fn replace_profile(work: &Work<'_>, lanes: &Lanes, association: &str, profile: &str) -> Outcome {
    let cloud = lanes.identity.as_ref();
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
    let Reversal::AllowRole { role, role_arn, instance_arn, reach, was, foreign } = back else {
        return Outcome::Skipped("no denial".to_owned());
    };
    let cloud = lanes.identity.as_ref();
    let shared = Shared::role(role_arn);
    let mut set = match work.ledger.leave(&shared, instance_arn).await {
        Ok(set) => set,
        Err(error) => return failed(&error),
    };
    if *foreign {
        return Outcome::Changed("the policy is somebody else's now and stays".to_owned());
    }
    for _ in 0..10 {
        let written = match (set.members.as_slice(), was) {
            ([], None) => cloud.delete_role_policy(role, deny_policy::NAME).await,
            ([], Some(before)) => cloud.put_role_policy(role, deny_policy::NAME, before).await,
            (denied, _) => cloud.put_role_policy(role, deny_policy::NAME, &deny_policy::render(denied, *reach)).await,
        };
        match written {
            Ok(()) => {}
            Err(error) if error.kind == ErrorKind::NotFound => return Outcome::Missing("the role is gone".to_owned()),
            Err(error) => return failed(&error),
        }
        let now = match work.ledger.members(&shared).await {
            Ok(now) => now,
            Err(error) => return failed(&error),
        };
        if now.version == set.version {
            return Outcome::Changed(match set.members.len() {
                0 => "the denial is gone".to_owned(),
                left => format!("{left} other contained instance(s) stay denied"),
            });
        }
        set = now;
    }
    Outcome::Failed(Failure { error: "the role's set kept changing while it was put".to_owned(), retryable: true })
}
