//! The last of the next steps: the instance is stopped, where a person or a rule asks for that. Its memory goes with it,
//! unless it hibernates; then it is on the root volume once the instance has stopped, and a second snapshot set holds it
//! (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Hibernate.html>).

use crate::{
    ledger::StepRecord,
    model::{Instance, InstanceState, Snapshot, ids::VolumeId, tags::MEMORY_TAG, text::Sentence},
    step::{Failure, Outcome, Plan, ProtectStop, SnapshotMemory, Step, StopInstance, done, skipped},
};

/// What it is planned from.
#[derive(Debug, Clone)]
pub struct Look<'a> {
    /// The instance as it is now.
    pub instance: &'a Instance,
    /// A person or a rule asks for it, or asked.
    pub asked: bool,
    /// The event of this attempt asks for it: what was refused for good is tried again.
    pub now: bool,
    /// What is on record.
    pub recorded: &'a [StepRecord],
    /// What has to come first and has not, and whether it may yet.
    pub unready: Option<(&'a str, bool)>,
    /// Stop protection now, where it was read.
    pub protected: Option<bool>,
    /// The containment's snapshots, where they were read.
    pub snapshots: Option<&'a [Snapshot]>,
}

/// What the summary says of a stop that was asked for and is not done.
#[must_use]
pub fn sentence(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Skipped(why) | Outcome::Missing(why) => {
            Some(format!(" It was asked to be stopped and is NOT stopped by Brig: {why}."))
        }
        Outcome::Failed(failure) => Some(format!(" It was asked to be stopped and is NOT stopped yet: {failure}.")),
        Outcome::Planned | Outcome::Changed(_) | Outcome::AlreadyDone(_) => None,
    }
}

/// Whether a stop is on record.
#[must_use]
pub fn is_recorded(recorded: &[StepRecord]) -> bool {
    recorded.iter().any(|record| matches!(record.step, Step::StopInstance(_)))
}

/// Plans it. Nothing, where nobody asks and nothing is on record.
#[must_use]
pub fn plan(look: &Look<'_>) -> Plan {
    let mut plan = Plan::default();
    let record = look.recorded.iter().find(|record| matches!(record.step, Step::StopInstance(_)));
    let refused = record.and_then(|record| match &record.outcome {
        Some(Outcome::Skipped(why)) => Some(why.words.clone()),
        Some(Outcome::Failed(failure)) if !failure.retryable => Some(Sentence::new(failure)),
        Some(_) | None => None,
    });
    if let (Some(why), Some(record), false) = (refused, record, look.now) {
        plan.add(record.step.clone(), skipped(format!("{why}; ask for it again to have it tried again")));
        return plan;
    }
    let begun = record.filter(|record| record.may_have_happened());
    if !look.asked && begun.is_none() {
        return plan;
    }
    let lift = look.recorded.iter().any(|record| matches!(record.step, Step::ProtectStop(ProtectStop { was: false })));
    let first = || Step::StopInstance(StopInstance { hibernate: look.instance.hibernates, lift });
    let step = begun.map_or_else(first, |record| record.step.clone());
    let hibernates = matches!(step, Step::StopInstance(StopInstance { hibernate: true, .. }));
    let was_stopped = begun.is_some_and(|record| matches!(record.outcome, Some(Outcome::Changed(_))));
    let outcome = judge(look, lift, was_stopped, begun.is_some() && !hibernates);
    let stops = matches!(outcome, Outcome::AlreadyDone(_)) && begun.is_some();
    plan.add(step, outcome);
    if hibernates && stops {
        plan.add(Step::SnapshotMemory(SnapshotMemory), memory(look));
    }
    plan
}

fn judge(look: &Look<'_>, lift: bool, was_stopped: bool, lost: bool) -> Outcome {
    let not_yet = |error: String| Outcome::Failed(Failure::passing(error));
    match look.instance.state {
        InstanceState::ShuttingDown | InstanceState::Terminated => Outcome::Missing("the instance is gone".into()),
        InstanceState::Stopped if lost => done("stopped; without hibernation its memory is lost"),
        InstanceState::Stopped => done("stopped"),
        InstanceState::Stopping => done("stopping"),
        InstanceState::Pending => not_yet("it is starting: it can be stopped once it runs".to_owned()),
        InstanceState::Running | InstanceState::Unknown if was_stopped => skipped(
            "Brig stopped it, and somebody has started it since: it RUNS. Brig stops it only once; stop it by hand",
        ),
        InstanceState::Running | InstanceState::Unknown if !look.instance.ebs_root => {
            skipped("AWS stops no instance with an instance-store root")
        }
        InstanceState::Running | InstanceState::Unknown => match (look.unready, look.protected) {
            (Some((why, true)), _) => not_yet(why.to_owned()),
            (Some((why, false)), _) => skipped(why),
            (None, Some(true)) if !lift => skipped("its owner protects it from being stopped"),
            (None, _) => Outcome::Planned,
        },
    }
}

fn memory(look: &Look<'_>) -> Outcome {
    let not_yet = |error: &str| Outcome::Failed(Failure::passing(error.to_owned()));
    match look.snapshots {
        _ if look.instance.state == InstanceState::Stopping => {
            not_yet("it is stopping still: its memory is on the root volume once it has stopped")
        }
        None => not_yet("whether the snapshots with its memory exist could not be read"),
        Some(snapshots)
            if !look.instance.volumes.is_empty()
                && look.instance.volumes.iter().all(|volume| held(snapshots, &volume.id)) =>
        {
            done(hibernated(look.instance))
        }
        Some(_) => Outcome::Planned,
    }
}

/// Whether a volume has a usable snapshot of the time after the stop.
fn held(snapshots: &[Snapshot], volume: &VolumeId) -> bool {
    snapshots.iter().any(|snapshot| {
        snapshot.volume == *volume && snapshot.state != "error" && snapshot.tags.contains_key(MEMORY_TAG)
    })
}

/// What is known of the memory of an instance that was asked to hibernate: where it cannot, AWS shuts it down, and its pages
/// do not say how that is told apart
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StopInstances.html>).
#[must_use]
pub fn hibernated(instance: &Instance) -> &'static str {
    match instance.state_reason.as_deref() {
        Some(reason) if reason.contains("Hibernate") => {
            "EC2's state reason says that hibernation started, which writes its memory to the root volume; it does not say whether that succeeded"
        }
        _ => {
            "whether its memory is on the root volume is not known: where hibernation fails, AWS shuts it down, and EC2's state reason does not say"
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::{model::timestamp::Timestamp, testing::instance};

    fn record(step: Step, outcome: Option<Outcome>) -> StepRecord {
        let key = step.key(instance().id.as_str());
        StepRecord { outcome, ..StepRecord::intended(key, step, Timestamp::from_millis(0)) }
    }

    fn look(instance: &Instance) -> Look<'_> {
        Look {
            instance,
            asked: true,
            now: true,
            recorded: &[],
            unready: None,
            protected: Some(false),
            snapshots: Some(&[]),
        }
    }

    fn check(look: &Look<'_>, expected: &Expect) {
        expected.assert_eq(&plan(look).to_string());
    }

    #[test]
    fn it_is_stopped_where_somebody_asks_and_nothing_is_lost_by_it() {
        let instance = instance();
        let look = look(&instance);
        check(&Look { asked: false, ..look.clone() }, &expect![[""]]);
        check(
            &look,
            &expect![[r#"
            planned      stop_instances instance
        "#]],
        );
        check(
            &Look { unready: Some(("no snapshot is complete", true)), ..look.clone() },
            &expect![[r#"
                failed       stop_instances instance - no snapshot is complete
            "#]],
        );
        check(
            &Look { unready: Some(("no snapshot is complete", false)), ..look.clone() },
            &expect![[r#"
                skipped      stop_instances instance - no snapshot is complete
            "#]],
        );
    }

    #[test]
    fn brigs_own_protection_is_lifted_and_its_owners_is_not() {
        let instance = instance();
        let protected = Look { protected: Some(true), ..look(&instance) };
        check(
            &protected,
            &expect![[r#"
                skipped      stop_instances instance - its owner protects it from being stopped
            "#]],
        );
        let recorded = [record(Step::ProtectStop(ProtectStop { was: false }), Some(Outcome::changed()))];
        check(
            &Look { recorded: &recorded, ..protected },
            &expect![[r#"
            planned      stop_instances instance
        "#]],
        );
    }

    #[test]
    fn a_hibernated_instance_is_snapshotted_again() {
        let mut instance = instance();
        instance.hibernates = true;
        let stop = Step::StopInstance(StopInstance { hibernate: true, lift: false });
        let recorded = [record(stop, Some(Outcome::changed()))];
        let states = [
            (
                InstanceState::Stopping,
                expect![[r#"
                    already_done stop_instances instance - stopping
                    failed       snapshot_memory instance - it is stopping still: its memory is on the root volume once it has stopped
                "#]],
            ),
            (
                InstanceState::Stopped,
                expect![[r#"
                    already_done stop_instances instance - stopped
                    planned      snapshot_memory instance
                "#]],
            ),
            (
                InstanceState::Running,
                expect![[r#"
                    skipped      stop_instances instance - Brig stopped it, and somebody has started it since: it RUNS. Brig stops it only once; stop it by hand
                "#]],
            ),
        ];
        for (state, expected) in states {
            instance.state = state;
            check(&Look { asked: false, recorded: &recorded, ..look(&instance) }, &expected);
        }
    }
}
