//! Lanes and paths, the weakest first: as they were read back, and how many steps stand behind them.

use std::cmp::Reverse;

use super::{
    About, Case, LaneLine, Listed, PathLine, Tone,
    record::{Found, Path, StepOnRecord, Verdict},
    short, words,
};
use crate::{
    ledger::State,
    report::{
        fact::Truth,
        paths::{self, Family, NewFlows, OpenFlows},
        proof,
    },
    step::Lane,
};

const MOST_PATHS: usize = 24;
const MOST_PLACES: usize = 8;

pub(super) fn lanes(case: &Case<'_>) -> Vec<LaneLine> {
    let Some(record) = &case.record.containment else { return Vec::new() };
    let released = case.released.filter(|_| matches!(record.state, Some(State::Released | State::Releasing)));
    let line = |lane: Lane| {
        let read_back = match released {
            Some((_, answer)) => words::given_back(of(&answer.verdict, lane)),
            None => words::truth(case.contained.and_then(|(_, answer)| of(&answer.verdict, lane))),
        };
        let now = case.standing.as_ref().map(|standing| words::truth(of(&standing.verdict, lane)));
        let all = || case.record.steps.iter().filter(|step| words::lane_of(&step.lane) == Some(lane));
        let steps = steps(all().filter(|step| step.release == released.is_some()));
        let promise = released.is_none().then(|| words::promise(case.record, lane));
        LaneLine { lane, promise, read_back, now, steps }
    };
    // A user has no network, no fleet and no disks.
    let all = Lane::ALL.into_iter().filter(|lane| case.record.about() == About::Instance || *lane == Lane::Credentials);
    let mut lines: Vec<LaneLine> = all.map(line).collect();
    // A stable sort: lanes that stand alike keep the order of every report.
    lines.sort_by_key(|line| line.now.map_or(line.read_back.0, |now| now.0.min(line.read_back.0)));
    lines
}

fn of(verdict: &Verdict, lane: Lane) -> Option<Truth> {
    match lane {
        Lane::Network => verdict.network,
        Lane::Credentials => verdict.credentials.or_else(|| Some(both(verdict.denied?, verdict.inactive?))),
        Lane::Fleet => verdict.fleet,
        Lane::Evidence => verdict.evidence,
    }
}

/// How far two promises hold together.
fn both(one: Truth, other: Truth) -> Truth {
    match (one, other) {
        (one, other) if one == other => one,
        (Truth::Yes, Truth::Unknown) | (Truth::Unknown, Truth::Yes) => Truth::Unknown,
        _ => Truth::Partial,
    }
}

fn steps<'a>(steps: impl Iterator<Item = &'a StepOnRecord>) -> (Tone, String) {
    let (mut all, mut failed, mut open) = (0, 0, 0);
    for step in steps {
        all += 1;
        failed += usize::from(step.outcome == Found::Failed);
        open += usize::from(matches!(step.outcome, Found::Planned | Found::Unknown));
    }
    match (all, failed, open) {
        (0, ..) => (Tone::Calm, "none on record".to_owned()),
        (all, 0, 0) => (Tone::Good, format!("{all} of {all} ended")),
        (all, 0, open) => (Tone::Warn, format!("{} of {all} ended", all - open)),
        (all, failed, _) => (Tone::Bad, format!("{failed} of {all} failed")),
    }
}

/// Those of which the same is to be said share a line.
pub(super) fn paths(case: &Case<'_>) -> Listed<PathLine> {
    let Some((_, answer)) = case.contained else { return Listed::first(0, []) };
    let mut sorted: Vec<&Path> = answer.verdict.paths.iter().collect();
    sorted.sort_by_key(|path| Reverse((path.new_flows, path.open_flows)));
    let mut groups: Vec<Vec<&Path>> = Vec::new();
    for path in sorted {
        let alike = |group: &&mut Vec<&Path>| group.first().is_some_and(|first| same(first, path));
        match groups.iter_mut().find(alike) {
            Some(group) => group.push(path),
            None => groups.push(vec![path]),
        }
    }
    let mut lines = Listed::first(MOST_PATHS, groups.iter().filter_map(|group| line(group)));
    lines.more += answer.left_out.paths;
    lines
}

fn same(one: &Path, other: &Path) -> bool {
    let said = |path: &Path| (path.new_flows, path.open_flows, path.at_most_idle_seconds);
    said(one) == said(other) && one.kind == other.kind && one.via == other.via && one.why == other.why
}

fn line(group: &[&Path]) -> Option<PathLine> {
    let first = group.first()?;
    let name = paths::name_of(&first.kind, first.via.as_deref());
    let places = group.iter().filter_map(|path| {
        let family = path.family.map(Family::name);
        let interface = path.interface.as_deref().map(short);
        match (interface, family) {
            (Some(interface), Some(family)) => Some(format!("{interface} {family}")),
            (Some(interface), None) => Some(interface),
            (None, family) => family.map(str::to_owned),
        }
    });
    Some(PathLine {
        through: short(&name),
        via: first.via.as_deref().map(short),
        places: Listed::first(MOST_PLACES, places),
        new: match first.new_flows {
            NewFlows::Blocked => (Tone::Good, "blocked"),
            NewFlows::Unknown => (Tone::Warn, "not known"),
            NewFlows::Open => (Tone::Bad, "open"),
        },
        open: match first.open_flows {
            OpenFlows::None => (Tone::Good, "none"),
            OpenFlows::Cut => (Tone::Good, "ended"),
            OpenFlows::ExpectedCut => (Tone::Calm, "expected to end"),
            OpenFlows::Unknown => (Tone::Warn, "not known"),
            OpenFlows::MayGoOn => (Tone::Warn, "may continue"),
        },
        idle: first.at_most_idle_seconds.map(paths::span),
        why: short(&first.why),
    })
}

pub(super) fn proof(case: &Case<'_>) -> Option<(Tone, String)> {
    let (_, answer) = case.contained?;
    let proof = answer.verdict.proof.as_ref()?;
    let tone = match proof.state {
        Some(proof::State::Proof) => Tone::Good,
        Some(proof::State::Contradiction) => Tone::Bad,
        Some(proof::State::Unavailable) | None => Tone::Warn,
    };
    Some((tone, short(&proof.detail)))
}
