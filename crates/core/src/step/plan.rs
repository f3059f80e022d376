//! The steps of a lane in their order, before they run.

use std::fmt;

use crate::step::{Detail, Note, Outcome, Step};

/// A step and what the survey already settles about it: [`Outcome::Planned`] is to be run, everything else is a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    pub step: Step,
    /// What the survey settled.
    pub outcome: Outcome,
}

/// The steps of one lane in their order, and what else people should know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    pub steps: Vec<Planned>,
    /// What people should know.
    pub notes: Vec<Note>,
}

impl Plan {
    /// The steps that would change something.
    pub fn todo(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|planned| planned.outcome == Outcome::Planned).map(|planned| &planned.step)
    }

    pub(crate) fn add(&mut self, step: Step, outcome: Outcome) {
        self.steps.push(Planned { step, outcome });
    }

    /// Something that people should know.
    pub(crate) fn note(&mut self, note: Note) {
        self.notes.push(note);
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Planned { step, outcome } in &self.steps {
            let detail = outcome.words();
            let dash = if detail.is_empty() { "" } else { " - " };
            writeln!(f, "{:12} {} {}{dash}{detail}", outcome.word(), step.name(), step.resource("instance"))?;
        }
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        Ok(())
    }
}

pub(crate) fn done(detail: impl Into<Detail>) -> Outcome {
    Outcome::AlreadyDone(detail.into())
}

pub(crate) fn skipped(reason: impl Into<Detail>) -> Outcome {
    Outcome::Skipped(reason.into())
}
