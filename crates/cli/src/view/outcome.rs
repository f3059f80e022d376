//! What a containment, a verification or a release made true: the state, the sentence, the lanes, what to do now; then
//! what was not done, what may remain, what else there is to know.

use super::{
    Look,
    page::{Page, Tone},
    words,
};
use crate::answer::{Answer, Entry, Found, NewFlows, OpenFlows, Outcome, PartLine, Path, Truth};

/// So many paths are shown; the rest is counted.
const MOST_PATHS: usize = 8;

/// The text.
#[must_use]
pub fn render(answer: &Answer, look: &Look) -> String {
    let mut page = Page::new(look);
    for (number, entry) in answer.containments.iter().enumerate() {
        if number > 0 {
            page.gap();
        }
        one(&mut page, entry, &look.brig);
    }
    if let Some(reason) = &answer.ignored {
        page.paragraph(Tone::Warn, &format!("Nothing was done: {reason}"));
    } else if answer.containments.is_empty() {
        page.line(Tone::Plain, "Nothing is contained: there was nothing to look at.");
    }
    if answer.incomplete {
        page.gap();
        page.paragraph(
            Tone::Warn,
            "Some work can still succeed, and nothing retries it for you: run the same command again.",
        );
    }
    if answer.not_looked_at > 0 {
        page.gap();
        let text = format!(
            "Time was over before {} of them could be looked at: run the same command again.",
            answer.not_looked_at
        );
        page.paragraph(Tone::Warn, &text);
    }
    if let Some(why) = &answer.not_notified {
        page.gap();
        page.paragraph(Tone::Bad, &format!("People could not be notified: {why}"));
    }
    if !answer.unreadable.is_empty() {
        page.section("Entries of the ledger that cannot be read");
        page.list(answer.unreadable.iter().map(String::as_str));
    }
    page.done()
}

fn one(page: &mut Page<'_>, entry: &Entry, brig: &str) {
    headline(page, entry);
    page.paragraph(Tone::Plain, &entry.verdict.summary);
    match entry.outcome {
        Outcome::Refused | Outcome::Ignored | Outcome::Asked => {
            page.gap();
            page.paragraph(Tone::Plain, &format!("Why: {}", entry.reason));
        }
        Outcome::Contained
        | Outcome::AlreadyContained
        | Outcome::Partial
        | Outcome::Failed
        | Outcome::Verified
        | Outcome::Repaired
        | Outcome::Drifted
        | Outcome::Contested
        | Outcome::Contradicted
        | Outcome::Unverified
        | Outcome::Unknown => {
            page.gap();
            if (entry.user.is_none() && entry.role.is_none()) || !entry.verdict.lines.is_empty() {
                lanes(page, entry);
            }
        }
        Outcome::InProgress | Outcome::Observed | Outcome::Planned | Outcome::Released | Outcome::ReleasePartial => {}
    }
    if let Some(isolated) = entry.timings_ms.isolated {
        page.gap();
        let done =
            entry.timings_ms.done.map(|done| format!(", all done after {}", words::seconds(done))).unwrap_or_default();
        page.line(Tone::Plain, &format!("New connections were blocked after {}{done}.", words::seconds(isolated)));
    }
    if let Some(denied) = entry.timings_ms.denied {
        page.gap();
        page.line(Tone::Plain, &format!("AWS had accepted the denial after {}.", words::seconds(denied)));
    }
    let (advice, commands) = next(entry, brig);
    if !advice.is_empty() || !commands.is_empty() {
        page.section("What to do now");
        if !advice.is_empty() {
            page.paragraph(Tone::Plain, advice);
        }
        for command in commands {
            page.command(&command);
        }
    }
    steps(page, entry);
    paths(page, entry);
    notes(page, entry);
}

/// What else there is to know.
pub fn notes(page: &mut Page<'_>, entry: &Entry) {
    if !entry.notes.is_empty() {
        page.section("Notes");
        page.list(entry.notes.iter().map(String::as_str));
    }
}

/// The state and the instance.
pub fn headline(page: &mut Page<'_>, entry: &Entry) {
    let (tone, state) = words::heading(entry.outcome);
    page.line(tone, state);
    page.line(Tone::Plain, &words::typed(entry));
    page.gap();
}

/// One line a lane.
pub fn lanes(page: &mut Page<'_>, entry: &Entry) {
    if !entry.verdict.lines.is_empty() {
        return parts(page, entry);
    }
    let rows: Vec<_> = entry
        .verdict
        .lanes()
        .into_iter()
        .map(|(lane, truth)| {
            let (tone, word) = words::truth(truth);
            let said = entry.verdict.said.iter().find(|line| line.lane == lane).map(|line| line.text.as_str());
            vec![
                (Tone::Plain, lane.to_owned()),
                (tone, word.to_owned()),
                (Tone::Plain, said.unwrap_or(if truth == Truth::Yes { words::promise(lane) } else { "" }).to_owned()),
            ]
        })
        .collect();
    page.grid(2, &[], &rows);
}

/// One line a part of a user's containment.
fn parts(page: &mut Page<'_>, entry: &Entry) {
    let row = |line: &PartLine| {
        let (tone, word) = words::truth(line.truth);
        vec![(Tone::Plain, line.part.to_lowercase()), (tone, word.to_owned()), (Tone::Plain, line.text.clone())]
    };
    page.grid(2, &[], &entry.verdict.lines.iter().map(row).collect::<Vec<_>>());
}

/// What to do, and the commands for it.
fn next(entry: &Entry, brig: &str) -> (&'static str, Vec<String>) {
    let typed = words::typed(entry);
    let with = |verb: &str| format!("{brig} {verb} {typed}");
    match entry.outcome {
        Outcome::Contained | Outcome::AlreadyContained | Outcome::Verified => {
            ("Investigate. To give everything back later:", vec![format!("{} --reason ...", with("release"))])
        }
        Outcome::Partial | Outcome::Failed => {
            ("Fix the problems listed here, then run this; it continues where it stopped:", vec![with("contain")])
        }
        Outcome::InProgress => ("Wait until it has ended, then look:", vec![format!("{brig} status")]),
        Outcome::Observed => ("Brig observes only: it contains after it was deployed with Mode=enforce.", Vec::new()),
        Outcome::Asked => ("Decide. To contain it anyway:", vec![format!("{} --force", with("contain"))]),
        Outcome::Refused => ("Correct what the reason names, then run the command again.", Vec::new()),
        Outcome::Repaired => (
            "Find out who changed it, and stop them. If it was you, release it rather than change it by hand:",
            vec![with("release")],
        ),
        Outcome::Drifted => ("Find out who changed it. To repair it:", vec![with("verify")]),
        Outcome::Unverified => ("It is not known how it stands. Fix the cause, then look again:", vec![with("verify")]),
        Outcome::Contested => (
            "Confirm who keeps undoing it, remove their access, then repair it; your order is never held back:",
            vec![with("verify")],
        ),
        Outcome::Contradicted => (
            "Deny the remote address in the network ACL of its subnet (OPERATIONS.md, section 1), then look again:",
            vec![with("verify")],
        ),
        Outcome::ReleasePartial => {
            ("See below what is not given back, fix that, and run this again:", vec![with("release")])
        }
        Outcome::Released | Outcome::Planned | Outcome::Ignored | Outcome::Unknown => ("", Vec::new()),
    }
}

/// What was not done, in full; what was done, by number.
fn steps(page: &mut Page<'_>, entry: &Entry) {
    let open: Vec<_> = entry.steps.iter().filter(|step| !step.outcome.is_done()).collect();
    let done = entry.steps.len() - open.len();
    if !open.is_empty() {
        page.section(if open.iter().any(|step| step.outcome == Found::Failed) {
            "Not done"
        } else {
            "Not done (no fault by itself)"
        });
        let rows: Vec<_> = open
            .iter()
            .map(|step| {
                let outcome = (words::found(step.outcome), step.outcome.word().to_owned());
                vec![outcome, (Tone::Plain, words::lane(step)), (Tone::Plain, words::change(step))]
            })
            .collect();
        page.grid(2, &[], &rows);
    }
    if done > 0 {
        page.gap();
        page.line(
            Tone::Plain,
            &match done {
                1 => "1 step is done, and on record with what it replaced.".to_owned(),
                done => format!("{done} steps are done, and on record with what they replaced."),
            },
        );
    }
}

/// What may remain, the weakest first.
pub fn paths(page: &mut Page<'_>, entry: &Entry) {
    if let Some(proof) = &entry.verdict.proof {
        page.section("What flow logs say");
        page.paragraph(Tone::Plain, &proof.detail);
    }
    let mut weak: Vec<&Path> = entry.verdict.paths.iter().filter(|path| is_weak(path)).collect();
    if weak.is_empty() {
        return;
    }
    weak.sort_by_key(|path| std::cmp::Reverse((path.new_flows.weakness(), path.open_flows.weakness())));
    page.section("What may remain");
    let rows: Vec<_> = weak
        .iter()
        .take(MOST_PATHS)
        .map(|path| {
            let way = [Some(path.kind.clone()), path.via.clone(), path.interface.clone()].into_iter().flatten();
            let (new, open) = (words::new_flows(path.new_flows), words::open_flows(path.open_flows));
            let idle =
                path.at_most_idle_seconds.map(|idle| format!("\n(idle {})", words::age(idle))).unwrap_or_default();
            vec![
                (Tone::Plain, way.collect::<Vec<_>>().join("\n")),
                (new.0, new.1.to_owned()),
                (open.0, format!("{}{idle}", open.1)),
                (Tone::Plain, path.why.clone()),
            ]
        })
        .collect();
    page.grid(2, &["path", "new", "open before", "why"], &rows);
    if weak.len() > MOST_PATHS {
        page.line(Tone::Plain, &format!("  and {} more", weak.len() - MOST_PATHS));
    }
}

fn is_weak(path: &Path) -> bool {
    path.new_flows != NewFlows::Blocked || matches!(path.open_flows, OpenFlows::MayGoOn | OpenFlows::Unknown)
}
