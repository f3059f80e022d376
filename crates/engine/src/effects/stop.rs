//! Stopping the instance and starting it again.

use std::time::Duration;

use brig_core::{
    model::tags::{CONTAINMENT_TAG, MEMORY_TAG},
    step::{Outcome, SnapshotMemory, StartInstance, StopInstance},
};

use super::{Effect, GONE, Release, Stopping, outcome};
use crate::{
    lanes::evidence::{LOST_ANSWER, each_by_itself, listed, tags},
    ports::{AttributeChange, ErrorKind, Snapshots},
    work::{Work, failed},
};

impl<'r> Effect<'r> for StopInstance {
    type Room = Stopping<'r>;

    async fn run(&self, room: Stopping<'r>) -> Outcome {
        let Stopping { work, cloud } = room;
        let Self { hibernate, lift } = self;
        let (hibernate, lift) = (*hibernate, *lift);
        let protect = async |on: bool| {
            if !lift {
                return Ok(());
            }
            cloud.modify_instance_attribute(work.id(), &AttributeChange::DisableApiStop(on)).await
        };
        if let Err(error) = protect(false).await {
            return failed(&error);
        }
        let stopped = cloud.stop_instance(work.id(), hibernate).await;
        let again = match protect(true).await {
            Ok(()) => String::new(),
            Err(error) => format!("; stop protection is off until it is looked at again ({error})"),
        };
        match stopped {
            Ok(()) if hibernate => Outcome::Changed(format!(
                "asked to hibernate; if that fails, AWS shuts it down instead and its memory is lost{again}"
            ).into()),
            Ok(()) => Outcome::Changed(format!(
                "stopping; its MEMORY IS LOST because hibernation is not configured, and so is anything on an instance store{again}"
            ).into()),
            Err(error) if error.kind == ErrorKind::NotFound => Outcome::Missing(GONE.into()),
            Err(error) if error.is_refusal() && hibernate => Outcome::Skipped(format!(
                "AWS does not hibernate it now ({error}): it is NOT stopped, since its memory would be lost{again}"
            ).into()),
            Err(error) if error.is_refusal() => Outcome::Skipped(format!("AWS does not stop it: {error}{again}").into()),
            Err(error) => failed(&error),
        }
    }
}

impl<'r> Effect<'r> for StartInstance {
    type Room = Release<'r>;

    async fn run(&self, room: Release<'r>) -> Outcome {
        let Release { work, lanes } = room;
        outcome(lanes.evidence.start_instance(work.id()).await, GONE)
    }
}

impl<'r> Effect<'r> for SnapshotMemory {
    type Room = Stopping<'r>;

    async fn run(&self, room: Stopping<'r>) -> Outcome {
        let Stopping { work, cloud } = room;
        if work.inherited.contains(&work.key_of(&Self.into())) && found_lost(work, cloud).await {
            return Outcome::Changed("an earlier attempt's answer was lost; its snapshots exist".into());
        }
        let mut tags = tags(work);
        tags.insert(MEMORY_TAG.to_owned(), "hibernated".to_owned());
        let description = format!("Brig: evidence of {}, with its memory", work.containment);
        match cloud.create_snapshots(work.id(), &description, &tags).await {
            Ok(snapshots) => {
                let memory = brig_core::followups::stop::hibernated(&work.instance);
                Outcome::Changed(format!("{}; {memory}", listed(&snapshots)).into())
            }
            Err(error) if error.is_retryable() => failed(&error),
            // One volume may be the reason; the memory is on the root volume.
            Err(error) => {
                let (made, not) = each_by_itself(work, cloud, &description, &tags).await;
                if made.is_empty() {
                    return failed(&error);
                }
                let memory = brig_core::followups::stop::hibernated(&work.instance);
                let not = if not.is_empty() { String::new() } else { format!("; NOT of {}", not.join(", ")) };
                Outcome::Changed(format!("one by one: {}{not}; {memory}", listed(&made)).into())
            }
        }
    }
}

/// CreateSnapshots has no client token: a set whose answer was lost is waited for, since it may not be listed yet.
async fn found_lost(work: &Work<'_>, cloud: &dyn Snapshots) -> bool {
    let until = work.clock.now().after(LOST_ANSWER);
    loop {
        let listed = cloud.describe_snapshots_tagged(CONTAINMENT_TAG, work.containment.as_str()).await;
        if listed.is_ok_and(|found| found.iter().any(|snapshot| snapshot.tags.contains_key(MEMORY_TAG))) {
            return true;
        }
        if work.clock.now() >= until || work.left() <= Duration::from_secs(10) {
            return false;
        }
        work.clock.sleep(Duration::from_secs(1)).await;
    }
}
