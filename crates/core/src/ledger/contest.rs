//! A contest as the ledger keeps it: when a step was held back, and when people hear of it again.

use std::time::Duration;

use crate::model::timestamp::Timestamp;

/// After the third repair of a step within this time only a person or new evidence has it repaired again.
pub const REPAIR_TIME: Duration = Duration::from_hours(1);

/// How often a step is repaired within [`REPAIR_TIME`].
pub const MOST_REPAIRS: usize = 3;

/// How many times of repairs a step's record keeps: enough to count them, few enough for years of them.
pub const KEPT_REPAIRS: usize = 8;

/// The second notification comes so much later than the first; each further interval is twice as long.
const FIRST_INTERVAL: Duration = Duration::from_hours(1);

/// No interval is longer: as long as it goes on, people are notified once a day.
const LONGEST_INTERVAL: Duration = Duration::from_hours(24);

/// After so long without a step held back it is over, and another one is news at once.
const QUIET: Duration = Duration::from_hours(24);

/// A contest as the ledger keeps it with the containment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contest {
    /// When a step was first held back.
    pub since: Timestamp,
    /// When one was last held back.
    pub seen: Timestamp,
    /// How often people were notified.
    pub notices: u32,
    /// When they are notified next, if it goes on.
    pub next_at: Timestamp,
}

impl Contest {
    /// The contest, now that a step is held back: the one that is known, or a new one, of which people hear at once.
    #[must_use]
    pub fn seen(known: Option<&Self>, now: Timestamp) -> Self {
        match known {
            Some(known) if !known.is_over(now) => Self { seen: now, ..known.clone() },
            Some(_) | None => Self { since: now, seen: now, notices: 0, next_at: now },
        }
    }

    /// Whether people are to be notified now.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.next_at <= now
    }

    /// The same once people were notified.
    #[must_use]
    pub fn notified(&self, now: Timestamp) -> Self {
        let doubled = 1_u32.checked_shl(self.notices).unwrap_or(u32::MAX).max(1);
        let interval = FIRST_INTERVAL.saturating_mul(doubled).min(LONGEST_INTERVAL);
        Self { notices: self.notices.saturating_add(1), next_at: now.after(interval), ..self.clone() }
    }

    /// Whether it has been quiet long enough.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        now.since(self.seen) >= QUIET
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn later(minutes: u64) -> Timestamp {
        AT.after(Duration::from_mins(minutes))
    }

    #[test]
    fn people_are_notified_at_once_then_at_growing_intervals_and_never_not_at_all() {
        let mut contest = None;
        let mut hours = Vec::new();
        for minute in 0..10 * 24 * 60 {
            let now = later(minute);
            let seen = Contest::seen(contest.as_ref(), now);
            contest = Some(if seen.is_due(now) {
                hours.push(minute / 60);
                seen.notified(now)
            } else {
                seen
            });
        }
        assert_eq!(hours, [0, 1, 3, 7, 15, 31, 55, 79, 103, 127, 151, 175, 199, 223]);
    }

    #[test]
    fn after_a_quiet_day_the_next_contest_is_news_at_once() {
        let told = Contest::seen(None, AT).notified(AT);
        assert!(!Contest::seen(Some(&told), later(59)).is_due(later(59)));
        let again = Contest::seen(Some(&told), later(24 * 60));
        assert_eq!((again.notices, again.is_due(later(24 * 60))), (0, true));
        let many = Contest { notices: u32::MAX, ..told };
        assert_eq!(many.notified(AT).next_at, later(24 * 60), "no count is too high");
    }
}
