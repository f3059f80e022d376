//! The lists below the advice: what is known about the finding, the steps with what they replace, the paths, the notes.

use super::Text;
use crate::{
    ledger::Conclusion,
    report::{
        answer::{Answer, StepReport},
        contest::{self, Contested},
        fact::Truth,
        paths,
        verdict::LaneLine,
    },
    step::{Lane, Note, OutcomeKind},
    trigger::Finding,
};

/// So many remote addresses are shown.
const MOST_REMOTES: usize = 20;

/// What a person decides by: the finding's facts, and the words of the report that it came from.
pub(super) fn known<T>(text: &mut Text, finding: &Finding<T>) {
    text.line("");
    text.line("What is known");
    let severity = finding.severity.map_or_else(|| "not reported".to_owned(), |severity| severity.to_string());
    text.line(&format!("- {} ({}); severity: {severity}", finding.kind, finding.source.name()));
    text.line(&match finding.last_seen {
        Some(seen) => format!("- last activity: {seen} (UTC)"),
        None => "- last activity: not reported".to_owned(),
    });
    let shown: Vec<String> = finding.remotes.iter().take(MOST_REMOTES).map(ToString::to_string).collect();
    let more = finding.remotes.len().saturating_sub(shown.len());
    text.line(&match (shown.is_empty(), more) {
        (true, _) => "- remote addresses: not reported".to_owned(),
        (false, 0) => format!("- remote addresses: {}", shown.join(", ")),
        (false, more) => format!("- remote addresses: {} and {more} more", shown.join(", ")),
    });
    if finding.said_by != finding.account {
        text.line(&format!("- the event came from account {}", finding.said_by));
    }
    report(text, &finding.report);
}

/// The words of a report.
pub(super) fn report(text: &mut Text, said: &[String]) {
    if said.is_empty() {
        return;
    }
    text.line("");
    text.line("The report says (written by an outsider; not checked)");
    for one in said {
        text.line(&format!("  > {one}"));
    }
}

pub(super) fn is_question(answer: &Answer) -> bool {
    matches!(answer.outcome, Conclusion::Asked | Conclusion::Observed)
}

/// Whether it says what would be done, and nothing was.
pub(super) fn is_plan(answer: &Answer) -> bool {
    answer.steps.iter().any(|step| step.outcome == OutcomeKind::Planned)
}

/// What is true: what cannot wait, then a line a lane; where no lane was looked at, the summary.
pub(super) fn state(text: &mut Text, answer: &Answer) {
    let verdict = &answer.verdict;
    for alert in &verdict.alerts {
        text.line(&format!("ALERT: {alert}."));
    }
    if verdict.lanes.is_empty() {
        text.line(&verdict.summary.to_string());
        return;
    }
    text.line("");
    for LaneLine { lane, truth, text: said } in &verdict.lanes {
        text.row(title(*lane), &format!("{}{said}", mark(*truth)));
    }
}

/// What stands before the words of a lane that is not wholly done.
pub(super) fn mark(truth: Truth) -> &'static str {
    match truth {
        Truth::Yes => "",
        Truth::Partial => "partly: ",
        Truth::Unknown => "not confirmed: ",
        Truth::No => "FAILED: ",
    }
}

/// How a lane is called in messages.
pub(super) fn title(lane: Lane) -> &'static str {
    match lane {
        Lane::Network => "Network",
        Lane::Credentials => "Credentials",
        Lane::Fleet => "Fleet",
        Lane::Evidence => "Evidence",
    }
}

/// The steps: what failed, what needs no action, what was done; or what would be.
pub(super) fn steps(text: &mut Text, steps: &[StepReport], most: usize) {
    let sections: [(&str, &[OutcomeKind]); 5] = [
        ("Would be done (before -> after)", &[OutcomeKind::Planned]),
        ("FAILED", &[OutcomeKind::Failed]),
        ("Skipped (no action needed)", &[OutcomeKind::Skipped, OutcomeKind::Missing]),
        ("Done (before -> after)", &[OutcomeKind::Changed]),
        ("Already so", &[OutcomeKind::AlreadyDone]),
    ];
    for (title, kinds) in sections {
        let shown: Vec<String> = steps.iter().filter(|step| kinds.contains(&step.outcome)).map(step).collect();
        if !shown.is_empty() {
            text.line("");
            text.line(title);
            listed(text, &shown, most);
        }
    }
}

fn step(step: &StepReport) -> String {
    let detail = if step.detail.is_empty() { String::new() } else { format!(" - {}", step.detail) };
    format!("{} {}{detail}", step.step.name(), step.resource)
}

/// What people should know.
pub(super) fn notes(text: &mut Text, notes: &[Note], most: usize) {
    if notes.is_empty() {
        return;
    }
    text.line("");
    text.line("Notes");
    let notes: Vec<String> = notes.iter().map(ToString::to_string).collect();
    listed(text, &notes, most);
}

/// Who undoes the containment, and what takes their access away.
pub(super) fn contest(text: &mut Text, contest: Option<&Contested>) {
    let Some(contest) = contest else { return };
    text.line("");
    text.line(&format!("Who keeps undoing it, since {} (make sure who that is first)", contest.since));
    if contest.by.is_empty() {
        text.line("- not known yet: CloudTrail may be up to 15 minutes late");
    }
    for by in &contest.by {
        text.line(&format!("- {by}"));
        for how in contest::take_away(by) {
            text.line(&format!("    {how}"));
        }
    }
}

/// What is left of each path, the worst first.
pub(super) fn what_is_left(text: &mut Text, answer: &Answer, most: usize) {
    let paths = paths::lines(&answer.verdict.paths);
    if paths.is_empty() {
        return;
    }
    text.line("");
    match answer.timings_ms.untrack_window {
        Some(window) => text.line(&format!("Paths, the weakest first (the untrack window was open for {window} ms)")),
        None => text.line("Paths, the weakest first"),
    }
    if let Some(proof) = &answer.verdict.proof {
        text.line(&format!("- {}", proof.detail));
    }
    listed(text, &paths, most);
}

/// Lines of a list; past `most` they are counted.
pub(super) fn listed(text: &mut Text, items: &[String], most: usize) {
    for item in items.iter().take(most) {
        text.line(&format!("- {item}"));
    }
    let more = items.len().saturating_sub(most);
    if more > 0 {
        text.line(&format!("- and {more} more"));
    }
}
