//! What the world does by itself as time passes, and what follows from a call in addition to its own effect.

use brig_core::model::{
    InstanceState, Snapshot, Target,
    ids::{InstanceId, SnapshotId, VolumeId},
    timestamp::Timestamp,
};
use brig_engine::ports::Tags;

use crate::world::{Interface, World, drain, drained_at};

/// After how many milliseconds a drained target is gone.
const DRAINED: u64 = 300_000;
/// After how many milliseconds an instance has written its memory to disk.
const HIBERNATED: u64 = 45_000;

impl World {
    pub(crate) fn snapshot(&mut self, volume: VolumeId, tags: &Tags, started: Timestamp) -> Snapshot {
        let id = SnapshotId::from(self.id("snap"));
        let snapshot = Snapshot {
            id: id.clone(),
            volume,
            state: "pending".to_owned(),
            tags: tags.clone(),
            locked: None,
            started: Some(started),
        };
        self.snapshots.insert(id, snapshot.clone());
        snapshot
    }

    /// A member leaves its group, which drains it and launches a replacement.
    pub(crate) fn leave(&mut self, name: &str, id: &InstanceId, now: u64) -> Option<()> {
        let group = self.scaling.get_mut(name)?;
        group.members.remove(id)?;
        group.protected.remove(id);
        let launches = !group.suspended.iter().any(|process| process == "Launch");
        group.replaced += u32::from(launches);
        let (number, arns) = (group.replaced, group.target_groups.clone());
        for arn in &arns {
            let targets = self.target_groups.get_mut(arn).map(|group| &mut group.targets);
            for target in targets.into_iter().flatten().filter(|target| target.id == id.as_str()) {
                drain(target, now);
            }
        }
        if !launches {
            return Some(());
        }
        let replacement = self.instance(1000 + number);
        self.scaling.get_mut(name)?.members.insert(replacement.clone(), "InService".to_owned());
        for arn in &arns {
            if let Some(group) = self.target_groups.get_mut(arn) {
                group.targets.push(crate::build::target(replacement.as_str(), 80));
            }
        }
        Some(())
    }

    /// Whether anything may happen by itself.
    pub(crate) fn is_due(&self, now: u64) -> bool {
        let drained = |target: &Target| drained_at(target).is_some_and(|since| since + DRAINED <= now);
        self.target_groups.values().any(|group| group.targets.iter().any(drained))
            || self.instances.values().any(|instance| instance.stopping_since.is_some_and(|at| at + HIBERNATED <= now))
            || !self.scaling.is_empty()
                && self.interfaces.values().any(|eni| eni.cut_since.is_some_and(|since| since + 1_000 <= now))
    }

    /// What happens by itself until a moment: drained targets go, and a group ends members that fail its checks.
    pub(crate) fn pass(&mut self, now: u64) {
        for group in self.target_groups.values_mut() {
            group.targets.retain(|target| drained_at(target).is_none_or(|since| since + DRAINED > now));
        }
        for instance in self.instances.values_mut() {
            if instance.stopping_since.is_some_and(|at| at + HIBERNATED <= now) {
                instance.stopping_since = None;
                instance.shown.state = InstanceState::Stopped;
            }
        }
        let fails = |id: &InstanceId, patience: u64| {
            let late = |eni: &Interface| eni.cut_since.is_some_and(|since| since + patience <= now);
            self.interfaces.values().any(|eni| eni.instance.as_ref() == Some(id) && late(eni))
        };
        let mut ill = Vec::new();
        for (name, group) in &self.scaling {
            if let Some(patience) = group.patience {
                ill.extend(group.members.keys().filter(|id| fails(id, patience)).map(|id| (name.clone(), id.clone())));
            }
        }
        for (name, id) in ill {
            // Termination protection does not stop Auto Scaling.
            let _ = self.leave(&name, &id, now);
            self.terminate(&id);
        }
    }
}
