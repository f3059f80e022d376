//! Whether it is over: no successful call of any credential of the graph after the cut, as far as the record goes.

use std::time::Duration;

use brig_core::model::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Credential, CredentialId};

/// CloudTrail's records are up to this late
/// (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html>).
pub(crate) const LATE: Duration = Duration::from_mins(15);

/// What the record shows of the time after the cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Over {
    /// No call succeeded between the cut and this moment; the record is whole until then, if nothing was left out.
    Proven { cut: Timestamp, until: Timestamp },
    /// The cut is younger than the record is late.
    TooEarly { cut: Timestamp, again: Timestamp },
    /// Calls succeeded after the cut, the last of each credential.
    Contradicted { cut: Timestamp, calls: Vec<(CredentialId, Timestamp)> },
    /// What could not be read may hold such calls, or what was read ends before the cut.
    Unread {
        cut: Timestamp,
        gaps: usize,
        /// The last moment that was read; none where nothing was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// There was no cut, or nobody said when.
    NoCut,
}

/// Judges by the uses of every credential. `read_until` is the last moment that what was read covers, `gaps` how much of it
/// could not be read.
#[must_use]
pub fn over<'a>(
    credentials: impl Iterator<Item = &'a Credential>,
    cut: Option<Timestamp>,
    now: Timestamp,
    read_until: Option<Timestamp>,
    gaps: usize,
) -> Over {
    let Some(cut) = cut else { return Over::NoCut };
    let late = credentials.filter_map(|one| {
        let last = one.uses.last_deniable?;
        // CloudTrail's times are whole seconds.
        (last.millis() > cut.millis().saturating_add(999)).then(|| (one.id.clone(), last))
    });
    let mut calls: Vec<(CredentialId, Timestamp)> = late.collect();
    calls.sort();
    let whole = Timestamp::from_millis(now.millis().saturating_sub(i64::try_from(LATE.as_millis()).unwrap_or(0)));
    if !calls.is_empty() {
        return Over::Contradicted { cut, calls };
    }
    if whole <= cut {
        return Over::TooEarly { cut, again: cut.after(LATE) };
    }
    // Silence proves something only where somebody listened.
    match read_until.map(|read| read.min(whole)) {
        Some(until) if gaps == 0 && until > cut => Over::Proven { cut, until },
        until => Over::Unread { cut, gaps, until },
    }
}
