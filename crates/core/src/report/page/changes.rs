//! What was changed, with what it replaced; what was given back; what was preserved.

use std::{collections::BTreeMap, time::Duration};

use super::{
    About, Case, ChangeLine, Evidence, Listed, Snapshot, Tone,
    record::{Found, StepOnRecord},
    short, words,
};
use crate::{
    model::text,
    step::{Lane, LockSnapshot, SnapshotMemory, Step, TagSnapshot},
};

/// Lines of one lane.
const MOST: usize = 25;
const MOST_SNAPSHOTS: usize = 40;
/// Snapshots in one command.
const MOST_IN_COMMAND: usize = 20;
const DAY: Duration = Duration::from_hours(24);

pub(super) fn changed(case: &Case<'_>) -> Vec<(Lane, Listed<ChangeLine>)> {
    let of = |lane: Lane| {
        let steps = case.record.steps.iter();
        let steps = steps.filter(move |step| !step.release && words::lane_of(&step.lane) == Some(lane));
        (lane, lines(steps))
    };
    Lane::ALL.into_iter().map(of).filter(|(_, lines)| !lines.shown.is_empty()).collect()
}

pub(super) fn given_back(case: &Case<'_>) -> Listed<ChangeLine> {
    lines(case.record.steps.iter().filter(|step| step.release))
}

/// In the order of the record; where not all are shown, what did not end well is.
fn lines<'a>(steps: impl Iterator<Item = &'a StepOnRecord>) -> Listed<ChangeLine> {
    let mut steps: Vec<&StepOnRecord> = steps.collect();
    if steps.len() > MOST {
        steps.sort_by_key(|step| words::found(step.outcome).0);
    }
    Listed::first(MOST, steps.into_iter().map(line))
}

fn line(step: &StepOnRecord) -> ChangeLine {
    let change = step.change.as_ref().map(|change| (short(&change.of), short(&change.before), short(&change.after)));
    // Where there was no other word, the detail is the change once more, or what is there now.
    let after = step.change.as_ref().map(|change| change.after.as_str());
    let said = change.as_ref().map(|(of, before, after)| text::one_line(&format!("{of}: {before} -> {after}"), 600));
    let news = |detail: &&String| !detail.is_empty() && said.as_ref() != Some(detail) && after != Some(detail.as_str());
    let detail = Some(&step.detail).filter(news).map(|detail| short(detail));
    ChangeLine {
        found: words::found(step.outcome),
        step: short(&step.step),
        resource: short(&step.resource),
        change,
        detail,
        at: step.ended_at().or(step.recorded_at),
        repaired: step.done_again(),
    }
}

pub(super) fn evidence(case: &Case<'_>) -> Evidence {
    let mut snapshots: BTreeMap<&str, Snapshot> = BTreeMap::new();
    let contained = || case.record.steps.iter().filter(|step| !step.release);
    for step in contained() {
        let (id, device, lock) = match &step.record {
            Some(Step::LockSnapshot(LockSnapshot { snapshot, days })) => {
                (snapshot.as_str(), None, Some(lock(step, *days)))
            }
            Some(Step::TagSnapshot(TagSnapshot { snapshot, device })) => (snapshot.as_str(), Some(short(device)), None),
            Some(_) | None => continue,
        };
        let entry = snapshots.entry(id).or_insert_with(|| Snapshot {
            id: short(id),
            device: None,
            lock: (Tone::Calm, "no lock on record".to_owned()),
        });
        entry.device = device.or(entry.device.take());
        if let Some(lock) = lock {
            entry.lock = lock;
        }
    }
    let takes = |step: &&StepOnRecord| {
        matches!(
            step.record,
            Some(
                Step::CreateSnapshots(_)
                    | Step::CreateSnapshot(_)
                    | Step::SnapshotMemory(SnapshotMemory)
                    | Step::StopInstance(_)
            )
        )
    };
    let said = contained().filter(takes).map(|step| {
        let said = if step.detail.is_empty() { words::found(step.outcome).1 } else { &step.detail };
        (format!("{} {}", short(&step.step), short(&step.resource)), short(said))
    });
    let ids: Vec<String> = snapshots.keys().take(MOST_IN_COMMAND).map(|id| text::shell(id)).collect();
    let command = (!ids.is_empty()).then(|| {
        let region = text::shell(&case.record.region);
        format!("aws ec2 describe-snapshots --region {region} --snapshot-ids {}", ids.join(" "))
    });
    let of = match case.record.about() {
        About::Instance => "Instance",
        About::User => "User",
        About::Role => "Role",
    };
    let mut record = vec![(of, short(case.record.id()))];
    if let Some(current) = &case.record.containment {
        record.push(("Containment", short(&current.containment_id)));
    }
    record.push(("Key in the ledger", short(&case.record.place())));
    Evidence {
        snapshots: Listed::first(MOST_SNAPSHOTS, snapshots.into_values()),
        said: Listed::first(MOST, said),
        record,
        command,
    }
}

/// The lock as its step recorded it. AWS counts its days from when it was made.
fn lock(step: &StepOnRecord, days: u32) -> (Tone, String) {
    let (tone, word) = words::found(step.outcome);
    match step.outcome {
        Found::Changed => {
            let until = step.finished_at.map(|at| at.after(DAY * days)).map(words::moment);
            let until = until.map_or_else(String::new, |until| format!(", until about {until}"));
            (
                tone,
                format!("governance mode, {}{until}", words::count(usize::try_from(days).unwrap_or(usize::MAX), "day")),
            )
        }
        Found::AlreadyDone => (tone, "locked before this step ran".to_owned()),
        Found::Missing | Found::Skipped | Found::Failed | Found::Planned | Found::Unknown => {
            let detail = if step.detail.is_empty() { String::new() } else { format!(": {}", short(&step.detail)) };
            (tone.min(Tone::Warn), format!("{word}{detail}"))
        }
    }
}
