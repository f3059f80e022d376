//! The lists below the advice: what is known about the finding, the steps with what they replace, the paths, the notes.

use super::Line;
use crate::{
    containment::{Conclusion, Containment, StepReport},
    finding::Finding,
    paths,
};

/// So many remote addresses are shown.
const MOST_REMOTES: usize = 20;

/// What a person decides by: the finding's facts, and the words of the report that it came from.
pub(super) fn known(line: &mut Line<'_>, finding: &Finding) {
    line("");
    line("What is known");
    let severity = finding.severity.map_or_else(|| "none given".to_owned(), |severity| severity.to_string());
    line(&format!("- {} ({}); severity: {severity}", finding.kind, finding.source.name()));
    line(&match finding.last_seen {
        Some(seen) => format!("- last activity: {seen} (UTC)"),
        None => "- last activity: the event does not say".to_owned(),
    });
    let shown: Vec<String> = finding.remotes.iter().take(MOST_REMOTES).map(ToString::to_string).collect();
    let more = finding.remotes.len().saturating_sub(shown.len());
    line(&match (shown.is_empty(), more) {
        (true, _) => "- remote addresses: none given".to_owned(),
        (false, 0) => format!("- remote addresses: {}", shown.join(", ")),
        (false, more) => format!("- remote addresses: {} and {more} more", shown.join(", ")),
    });
    if finding.said_by != finding.account {
        line(&format!("- the event came from account {}", finding.said_by));
    }
    report(line, &finding.report);
}

/// The words of a report.
pub(super) fn report(line: &mut Line<'_>, said: &[String]) {
    if said.is_empty() {
        return;
    }
    line("");
    line("The report says (written by somebody outside; not checked)");
    for one in said {
        line(&format!("  > {one}"));
    }
}

pub(super) fn is_question(containment: &Containment) -> bool {
    matches!(containment.outcome, Conclusion::Asked | Conclusion::Observed)
}

pub(super) fn section(
    line: &mut Line<'_>,
    title: &str,
    containment: &Containment,
    most: usize,
    belongs: impl Fn(&str) -> bool,
) {
    let shown = |step: &StepReport| {
        let detail = if step.detail.is_empty() { String::new() } else { format!(" - {}", step.detail) };
        format!("{}: {} {}{detail}", step.outcome, step.step, step.resource)
    };
    let steps: Vec<String> = containment.steps.iter().filter(|step| belongs(step.outcome)).map(shown).collect();
    if steps.is_empty() {
        return;
    }
    line("");
    line(title);
    listed(line, &steps, most);
}

/// What is left of each path, the worst first.
pub(super) fn what_is_left(line: &mut Line<'_>, containment: &Containment, most: usize) {
    let paths = paths::lines(&containment.verdict.paths);
    if paths.is_empty() {
        return;
    }
    line("");
    match containment.timings_ms.untrack_window {
        Some(window) => line(&format!("What is left of each path (the untrack window was open for {window} ms)")),
        None => line("What is left of each path"),
    }
    if let Some(proof) = &containment.verdict.proof {
        line(&format!("- {}", proof.detail));
    }
    listed(line, &paths, most);
}

/// Lines of a list; past `most` they are counted.
pub(super) fn listed(line: &mut Line<'_>, items: &[String], most: usize) {
    for item in items.iter().take(most) {
        line(&format!("- {item}"));
    }
    let more = items.len().saturating_sub(most);
    if more > 0 {
        line(&format!("- and {more} more"));
    }
}
