//! The story of one containment, from what is on record: how it stood when it was last read back, each lane, the timeline,
//! each change with what it replaced, the evidence.

use super::{
    Look, outcome,
    page::{Page, Tone},
    words,
};
use crate::answer::{Entry, Found, OnRecord, Report, State, StepOnRecord, Story};

/// What makes evidence: listed by itself, as people who investigate look for it first.
const EVIDENCE: [&str; 5] = ["create_snapshots", "create_snapshot", "snapshot_memory", "lock_snapshot", "tag_snapshot"];

const LANES: [&str; 4] = ["network", "credentials", "fleet", "evidence"];

/// The text.
#[must_use]
pub fn render(story: &Story, look: &Look) -> String {
    let mut page = Page::new(look);
    let typed = words::holder(&story.account, story.user.as_deref(), story.role.as_deref())
        .unwrap_or_else(|| format!("{}/{}/{}", story.account, story.region, story.instance_id));
    let Some(record) = &story.containment else {
        page.line(Tone::Strong, "NEVER CONTAINED");
        page.line(Tone::Plain, &typed);
        page.gap();
        page.paragraph(Tone::Plain, "This ledger has no containment of it on record.");
        return page.done();
    };
    headline(&mut page, record, &typed);
    let (given_back, contained): (Vec<&StepOnRecord>, Vec<&StepOnRecord>) =
        story.steps.iter().partition(|step| step.release);
    let report = last_report(record, story);
    if let Some((report, answer)) = report {
        read_back(&mut page, report, answer);
    } else {
        page.section("Steps on record (what is true now, `verify` reads back)");
        lanes(&mut page, &contained);
    }
    advice(&mut page, record, &typed, &look.brig);
    timeline(&mut page, record, story);
    let (evidence, changed): (Vec<&StepOnRecord>, Vec<&StepOnRecord>) =
        contained.iter().partition(|step| EVIDENCE.contains(&step.step.name.as_str()));
    steps(&mut page, "What was changed, with what it replaced", &changed);
    steps(&mut page, "What was given back", &given_back);
    steps(&mut page, "Evidence", &evidence);
    if let Some((_, answer)) = report {
        outcome::paths(&mut page, answer);
        outcome::notes(&mut page, answer);
    }
    page.done()
}

/// What was read back last of what is going on: of the release once there is one.
fn last_report<'a>(record: &OnRecord, story: &'a Story) -> Option<(&'a Report, &'a Entry)> {
    let of = match record.state {
        State::Releasing | State::Released => "release",
        State::Open | State::Closed | State::Withdrawn | State::Unknown => "containment",
    };
    let report = story.reports.iter().find(|report| report.of == of)?;
    Some((report, report.answer.as_ref()?))
}

fn read_back(page: &mut Page<'_>, report: &Report, answer: &Entry) {
    page.section(&format!("As read back at {}", report.at));
    page.paragraph(Tone::Plain, &answer.verdict.summary);
    if report.of == "containment" {
        page.gap();
        outcome::lanes(page, answer);
    }
}

fn headline(page: &mut Page<'_>, record: &OnRecord, typed: &str) {
    match (record.state, record.outcome) {
        (State::Closed | State::Released, Some(outcome)) => {
            let (tone, heading) = words::heading(outcome);
            page.line(tone, heading);
        }
        (state, outcome) => {
            let last = outcome.map_or("no attempt has ended in order yet", words::short);
            page.line(Tone::Warn, &format!("{} (last outcome: {last})", words::state(state).to_uppercase()));
        }
    }
    page.line(Tone::Plain, typed);
    page.gap();
    let mut rows = vec![("why", record.reason.clone()), ("containment", record.containment_id.clone())];
    if !record.findings.is_empty() {
        rows.push(("findings", record.findings.join("\n")));
    }
    let rows: Vec<_> =
        rows.into_iter().map(|(what, text)| vec![(Tone::Plain, what.to_owned()), (Tone::Plain, text)]).collect();
    page.grid(2, &[], &rows);
}

/// How many of a lane's steps are done, by the record: what is true now, `verify` says.
fn lanes(page: &mut Page<'_>, steps: &[&StepOnRecord]) {
    let rows: Vec<_> = LANES
        .into_iter()
        .map(|lane| {
            let of: Vec<_> = steps.iter().filter(|step| words::lane(&step.step) == lane).collect();
            let failed = of.iter().filter(|step| step.step.outcome == Found::Failed).count();
            let open = of.iter().filter(|step| step.step.outcome == Found::Planned).count();
            let (tone, word) = match (of.len(), failed, open) {
                (0, _, _) => (Tone::Plain, "nothing on record".to_owned()),
                (all, 0, 0) => (Tone::Good, format!("{all} of {all} ended")),
                (all, 0, open) => (Tone::Warn, format!("{} of {all} ended", all - open)),
                (all, failed, _) => (Tone::Bad, format!("{failed} of {all} FAILED")),
            };
            vec![(Tone::Plain, lane.to_owned()), (tone, word)]
        })
        .collect();
    page.grid(2, &[], &rows);
}

fn advice(page: &mut Page<'_>, record: &OnRecord, typed: &str, brig: &str) {
    let (text, commands) = match record.state {
        State::Closed => ("To look again, or to give everything back:", ["verify", "release"].as_slice()),
        State::Open => ("If no invocation is working on it, continue where it stopped:", ["contain"].as_slice()),
        State::Releasing => ("If no invocation is working on it, finish the release:", ["release"].as_slice()),
        State::Withdrawn | State::Released | State::Unknown => return,
    };
    page.section("What to do now");
    page.paragraph(Tone::Plain, text);
    for verb in commands {
        page.command(&format!("{brig} {verb} {typed}"));
    }
}

/// What happened when: the claim, the cut, each lane's end, each repair, the release.
fn timeline(page: &mut Page<'_>, record: &OnRecord, story: &Story) {
    let mut events = vec![(
        record.claimed_at.clone(),
        "claimed: the plan of the cut, and what it replaces, are on record".to_owned(),
    )];
    let last = |wanted: &dyn Fn(&StepOnRecord) -> bool| {
        story.steps.iter().filter(|step| wanted(step)).filter_map(|step| step.finished_at.clone()).max()
    };
    if let Some(at) = last(&|step| step.step.name == "isolate" && step.step.outcome.is_done()) {
        events.push((at, "the last interface was isolated: new connections are blocked".to_owned()));
    }
    for lane in LANES {
        if let Some(at) = last(&|step| !step.release && words::lane(&step.step) == lane) {
            events.push((at, format!("{lane}: the last step ended")));
        }
    }
    for step in &story.steps {
        for at in &step.repairs {
            let text = format!("repaired, having been undone: {} {}", step.step.name, step.step.resource);
            events.push((at.clone(), text));
        }
    }
    if let Some(at) = last(&|step| step.release) {
        events.push((at, "the last step of the release ended".to_owned()));
    }
    if let Some(at) = &record.released_at {
        events.push((at.clone(), "released".to_owned()));
    }
    events.sort();
    page.section("Timeline (UTC)");
    let rows: Vec<_> = events.into_iter().map(|(at, text)| vec![(Tone::Plain, at), (Tone::Plain, text)]).collect();
    page.grid(2, &[], &rows);
}

fn steps(page: &mut Page<'_>, title: &str, steps: &[&StepOnRecord]) {
    if steps.is_empty() {
        return;
    }
    page.section(title);
    let rows: Vec<_> = steps
        .iter()
        .map(|step| {
            let found = (words::found(step.step.outcome), step.step.outcome.word().to_owned());
            vec![found, (Tone::Plain, words::lane(&step.step)), (Tone::Plain, words::change(&step.step))]
        })
        .collect();
    page.grid(2, &[], &rows);
}
