//! A point in time as the ledger and the messages write it: UTC, to the millisecond.

mod moment;

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

/// Milliseconds since the Unix epoch, shown as RFC 3339 in UTC (`2026-01-02T03:04:05.678Z`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Reads what any source writes: RFC 3339 and its relatives, RFC 2822, the forms of abuse reports and server logs, epoch
    /// seconds and milliseconds. UTC where no zone is stated; `None` for placeholders and for zones that are not known.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        moment::parse(text)
    }

    /// Reads a JSON text or number; see [`Self::parse`].
    #[must_use]
    pub fn read(value: &Value) -> Option<Self> {
        moment::read(value)
    }

    /// This moment and `duration` later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The time from `earlier` to this moment; zero if it lies before `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// `2026-01-02T03`: the hour that the automatic cap counts in.
    #[must_use]
    pub fn hour(self) -> String {
        self.to_string().chars().take(13).collect()
    }

    /// `20260102T030405Z`: for identifiers, where colons are not allowed.
    #[must_use]
    pub fn compact(self) -> String {
        let text: String = self.to_string().chars().take(19).filter(|c| *c != '-' && *c != ':').collect();
        format!("{text}Z")
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Out of the calendar's range (a corrupt record) the number itself is the honest text.
        let Ok(moment) = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000) else {
            return write!(f, "{} ms after 1970", self.0);
        };
        let (hour, minute, second, milli) = moment.to_hms_milli();
        let date = moment.date();
        write!(
            f,
            "{:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z",
            date.year(),
            u8::from(date.month()),
            date.day()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_utc_to_the_millisecond() {
        let moment = Timestamp::parse("2026-01-02T04:04:05.678+01:00").expect("RFC 3339");
        assert_eq!(moment.to_string(), "2026-01-02T03:04:05.678Z");
        assert_eq!(moment.hour(), "2026-01-02T03");
        assert_eq!(moment.compact(), "20260102T030405Z");
    }

    #[test]
    fn placeholders_and_extremes_are_no_moments_and_no_panics() {
        assert_eq!(Timestamp::parse("yyyy-mm-ddThh:mm:ssZ"), None);
        assert_eq!(Timestamp::from_millis(i64::MAX).to_string(), "9223372036854775807 ms after 1970");
    }
}
