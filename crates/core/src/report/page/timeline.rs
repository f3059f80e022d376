//! What happened when. Moments that lie close together make a stretch, which is drawn to a scale of its own; what lies
//! between stretches is a gap with its length. So the seconds of a cut and the days until its release are both legible.

use std::time::Duration;

use super::{
    About, Case, Listed, Now, Tone,
    record::{Found, StepOnRecord},
    short, words,
};
use crate::{model::timestamp::Timestamp, step::Lane};

/// A gap is at least so long,
const LEAST_GAP: Duration = Duration::from_secs(30);
/// and so many times as long as the stretch before it.
const GAP_FACTOR: u32 = 2;
/// Stretches at either end of the timeline; those between are counted.
const MOST_AT_AN_END: usize = 5;
const MOST_EVENTS: usize = 12;
/// Marks of a lane in one stretch: more would touch each other.
const MOST_MARKS: usize = 100;

/// The whole of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// Its stretches, in the order of time.
    pub stretches: Vec<Stretch>,
}

/// Moments that lie close together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// What lies between the one before and this one.
    pub gap: Option<Gap>,
    /// When it begins.
    pub from: Timestamp,
    /// How long it is.
    pub length: Duration,
    /// What each lane did in it; lanes that did nothing are left out.
    pub bars: Vec<Bar>,
    /// When the last interface was isolated, where that is in it.
    pub cut: Option<Share>,
    /// What happened.
    pub events: Listed<Event>,
}

/// Time in which nothing is on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    pub length: Duration,
    /// How many stretches in it are not shown.
    pub left_out: usize,
}

impl Gap {
    /// What lies between two stretches, for people.
    #[must_use]
    pub fn words(self) -> String {
        match self.left_out {
            0 => format!("{} with nothing on record", words::length(self.length)),
            left_out => {
                format!("{}; {} in it not shown", words::length(self.length), words::count(left_out, "stretch"))
            }
        }
    }
}

/// A place in a stretch, in hundredths of a percent of its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(pub u32);

/// What a lane did: from its first intent to its last outcome, with a mark for each outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// Which.
    pub lane: Lane,
    /// Where it begins.
    pub from: Share,
    /// Where it ends.
    pub to: Share,
    /// Where outcomes were recorded.
    pub marks: Vec<Share>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    pub what: String,
    /// How it is marked.
    pub tone: Tone,
}

struct Moment {
    at: Timestamp,
    lane: Lane,
    ended: bool,
}

pub(super) fn timeline(case: &Case<'_>) -> Timeline {
    let events = events(case);
    let moments = moments(&case.record.steps);
    let cut = cut(case);
    let mut times: Vec<Timestamp> =
        events.iter().map(|event| event.at).chain(moments.iter().map(|moment| moment.at)).collect();
    times.sort_unstable();
    let groups = stretches(&times);
    let hidden = groups.len().saturating_sub(2 * MOST_AT_AN_END);
    let mut before: Option<Timestamp> = None;
    let mut all = Vec::new();
    for (number, (from, to)) in groups.into_iter().enumerate() {
        if hidden > 0 && (MOST_AT_AN_END..MOST_AT_AN_END + hidden).contains(&number) {
            continue;
        }
        let left_out = if number == MOST_AT_AN_END + hidden { hidden } else { 0 };
        let gap = before.map(|before| Gap { length: from.since(before), left_out });
        before = Some(to);
        let here = |at: Timestamp| from <= at && at <= to;
        let share = |at: Timestamp| share(from, to, at);
        all.push(Stretch {
            gap,
            from,
            length: to.since(from),
            bars: Lane::ALL.into_iter().filter_map(|lane| bar(&moments, lane, here, share)).collect(),
            cut: cut.filter(|at| here(*at)).map(share),
            events: Listed::first(MOST_EVENTS, events.iter().filter(|event| here(event.at)).cloned()),
        });
    }
    Timeline { stretches: all }
}

/// First and last moment of each stretch.
fn stretches(times: &[Timestamp]) -> Vec<(Timestamp, Timestamp)> {
    let mut groups: Vec<(Timestamp, Timestamp)> = Vec::new();
    for at in times {
        match groups.last_mut() {
            Some((from, to)) if at.since(*to) <= LEAST_GAP.max(to.since(*from) * GAP_FACTOR) => *to = *at,
            Some(_) | None => groups.push((*at, *at)),
        }
    }
    groups
}

fn share(from: Timestamp, to: Timestamp, at: Timestamp) -> Share {
    let (all, part) = (to.since(from).as_millis(), at.since(from).as_millis());
    Share(u32::try_from((part * 10_000).checked_div(all).unwrap_or(0)).unwrap_or(10_000).min(10_000))
}

fn moments(steps: &[StepOnRecord]) -> Vec<Moment> {
    let mut all = Vec::new();
    for step in steps {
        let Some(lane) = words::lane_of(&step.lane) else { continue };
        let begun = step.recorded_at.map(|at| Moment { at, lane, ended: false });
        let ended = step.first_done_at.iter().chain(&step.finished_at).chain(&step.repairs);
        let ended = ended.map(|at| Moment { at: *at, lane, ended: true });
        all.extend(begun.into_iter().chain(ended));
    }
    all.sort_by_key(|moment| moment.at);
    all
}

fn bar(
    moments: &[Moment],
    lane: Lane,
    here: impl Fn(Timestamp) -> bool,
    share: impl Fn(Timestamp) -> Share,
) -> Option<Bar> {
    let of = || moments.iter().filter(|moment| moment.lane == lane && here(moment.at));
    let mut marks: Vec<Share> = of().filter(|moment| moment.ended).map(|moment| share(moment.at)).collect();
    marks.dedup_by_key(|mark| mark.0 / 100);
    marks.truncate(MOST_MARKS);
    Some(Bar { lane, from: share(of().next()?.at), to: share(of().last()?.at), marks })
}

/// When the last interface was first seen to be isolated.
fn cut(case: &Case<'_>) -> Option<Timestamp> {
    let isolated = case.record.steps.iter().filter(|step| step.step == "isolate" && !step.release && is_done(step));
    isolated.filter_map(StepOnRecord::ended_at).max()
}

fn is_done(step: &StepOnRecord) -> bool {
    matches!(step.outcome, Found::Changed | Found::AlreadyDone)
}

fn claimed(case: &Case<'_>) -> &'static str {
    match case.record.about() {
        About::Instance => "claimed: the plan of the cut, and all that it replaces, on record",
        About::User | About::Role => "claimed: the plan, and all that it replaces, on record",
    }
}

fn events(case: &Case<'_>) -> Vec<Event> {
    let Some(record) = &case.record.containment else { return Vec::new() };
    let steps = &case.record.steps;
    let mut all: Vec<Event> = Vec::new();
    let mut add = |at: Option<Timestamp>, tone: Tone, what: String| {
        all.extend(at.map(|at| Event { at, what, tone }));
    };
    add(record.claimed_at, Tone::Calm, claimed(case).to_owned());
    add(
        cut(case),
        Tone::Good,
        "the last interface was isolated for the first time: new connections are blocked".to_owned(),
    );
    for lane in Lane::ALL {
        let of = || steps.iter().filter(|step| !step.release && words::lane_of(&step.lane) == Some(lane));
        let last = of().filter_map(StepOnRecord::ended_at).max();
        let ended = of().filter(|step| step.ended_at().is_some()).count();
        let steps = if ended == 1 { "its step".to_owned() } else { format!("the last of {ended} steps") };
        let what = format!("{}: {steps} ended", words::lane(lane));
        add(last, Tone::Calm, what);
    }
    for step in steps {
        let named = format!("{} {}", short(&step.step), short(&step.resource));
        if step.outcome == Found::Failed {
            add(step.finished_at, Tone::Bad, format!("failed: {named}"));
        }
        let last = step.done_again().map(|(_, last)| last).filter(|last| !step.repairs.contains(last));
        for at in step.repairs.iter().copied().chain(last) {
            add(Some(at), Tone::Warn, format!("done again, having been undone: {named}"));
        }
    }
    let read_back = case.contained.map(|(at, _)| at).max(record.concluded_at);
    add(read_back, Tone::Calm, "everything was read back for the last time".to_owned());
    if let Some(contest) = &record.contest {
        add(contest.since, Tone::Bad, "undone so often that it is left until a person orders its repair".to_owned());
        add(contest.seen.filter(|seen| contest.since != Some(*seen)), Tone::Bad, "found undone again".to_owned());
    }
    let release = || steps.iter().filter(|step| step.release);
    add(release().filter_map(|step| step.recorded_at).min(), Tone::Calm, "the release began".to_owned());
    add(
        release().filter_map(|step| step.finished_at).max(),
        Tone::Calm,
        "the last step of the release ended".to_owned(),
    );
    add(record.released_at, Tone::Calm, "released".to_owned());
    if let Now::Looked { at, .. } = case.sources.now {
        add(Some(at), Tone::Calm, "looked at for this page; nothing was changed".to_owned());
    }
    all.sort();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn seconds_that_lie_together_are_one_stretch_and_hours_between_are_a_gap() {
        let times: Vec<Timestamp> = [0, 1, 8, 20, 7200, 7201, 200_000].map(at).into();
        assert_eq!(stretches(&times), [(at(0), at(20)), (at(7200), at(7201)), (at(200_000), at(200_000))]);
        assert_eq!(stretches(&[]), []);
    }

    #[test]
    fn a_long_stretch_is_not_broken_by_what_is_short_beside_it() {
        let times: Vec<Timestamp> = [0, 25, 50, 75, 100, 290, 1000].map(at).into();
        assert_eq!(stretches(&times), [(at(0), at(290)), (at(1000), at(1000))]);
    }

    #[test]
    fn a_place_is_to_scale() {
        assert_eq!(share(at(10), at(20), at(15)), Share(5000));
        assert_eq!(share(at(10), at(10), at(10)), Share(0));
        assert_eq!(share(Timestamp::from_millis(i64::MIN), at(0), at(0)), Share(10_000));
    }
}
