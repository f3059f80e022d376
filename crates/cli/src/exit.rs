//! Exit codes: scripts and pagers act on them, so each has one meaning. They are documented in `brig --help`.

use std::process::ExitCode;

use crate::answer::{Answer, OnRecord, Outcome, PrincipalStanding, Standing, State, Status, Truth};

/// How the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// What was asked for is true.
    Wanted = 0,
    /// Some of it is not true, not finished, not known, or has drifted; or a person must decide.
    Partial = 1,
    /// Brig refused, or the input is wrong.
    Refused = 2,
    /// The function was not reached: credentials, network, no such stack; or its ledger was not.
    Unreachable = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// Of one outcome.
    #[must_use]
    pub fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Contained
            | Outcome::AlreadyContained
            | Outcome::Planned
            | Outcome::Verified
            | Outcome::Repaired
            | Outcome::Released => Self::Wanted,
            Outcome::Partial
            | Outcome::InProgress
            | Outcome::Observed
            | Outcome::Asked
            | Outcome::Ignored
            | Outcome::Failed
            | Outcome::Drifted
            | Outcome::Contested
            | Outcome::Contradicted
            | Outcome::Unverified
            | Outcome::ReleasePartial
            | Outcome::Unknown => Self::Partial,
            Outcome::Refused => Self::Refused,
        }
    }

    /// Of a whole answer: its worst entry.
    #[must_use]
    pub fn of_answer(answer: &Answer) -> Self {
        let worst = answer.containments.iter().map(|entry| Self::of(entry.outcome)).max().unwrap_or(Self::Wanted);
        let unfinished = answer.incomplete
            || answer.not_looked_at > 0
            || answer.ignored.is_some()
            || !answer.unreadable.is_empty()
            || answer.not_notified.is_some();
        if unfinished { worst.max(Self::Partial) } else { worst }
    }

    /// Of a status: everything holds and nobody waits, or not.
    #[must_use]
    pub fn of_status(status: &Status) -> Self {
        let waits = !status.questions.is_empty() || !status.not_notified.is_empty() || !status.unreadable.is_empty();
        if status.active.iter().all(holds) && status.principals.iter().all(PrincipalStanding::holds) && !waits {
            Self::Wanted
        } else {
            Self::Partial
        }
    }

    /// Of what is on record: the last attempt was whole, or it is not.
    #[must_use]
    pub fn of_record(record: &OnRecord) -> Self {
        match record.state {
            State::Closed | State::Released => record.outcome.map_or(Self::Partial, Self::of),
            State::Withdrawn | State::Open | State::Releasing | State::Unknown => Self::Partial,
        }
    }
}

fn holds(standing: &Standing) -> bool {
    let lanes = standing.now.verdict.lanes();
    standing.drift == 0 && standing.never_done.is_empty() && lanes.iter().all(|(_, truth)| *truth == Truth::Yes)
}
