//! When a message whose work is not finished is delivered again.

use std::time::Duration;

use crate::model::timestamp::Timestamp;

/// The first retry of work that failed; each further one comes after twice the time.
const FIRST: u64 = 10;
/// No retry comes later: shorter than the queue's own visibility timeout.
const LAST: u64 = 120;
/// Who waits for another invocation looks after these seconds: most containments take less than the first.
const WAITS: [u64; 2] = [15, 45];
/// A lease that lasted to its end had a holder that died. Who takes over then needs about as long as the first one.
const TAKEN_OVER: u64 = 60;

/// After how long a message comes again that was received `receives` times. `held_until`: when the lease of the invocation
/// that works on the same instance ends.
#[must_use]
pub fn again_after(receives: u32, held_until: Option<Timestamp>, now: Timestamp) -> Duration {
    let before = receives.saturating_sub(1);
    let Some(until) = held_until else {
        let doubled = FIRST.saturating_mul(1_u64.checked_shl(before).unwrap_or(u64::MAX));
        return Duration::from_secs(doubled.min(LAST));
    };
    let lease = until.since(now).saturating_add(Duration::from_secs(1));
    let wait = match usize::try_from(before).ok().and_then(|at| WAITS.get(at)) {
        Some(seconds) => Duration::from_secs(*seconds),
        None if before.is_multiple_of(2) => lease,
        None => Duration::from_secs(TAKEN_OVER),
    };
    wait.min(lease)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_for_a_lease_looks_soon_and_at_the_latest_when_it_ends() {
        let now = Timestamp::from_millis(1_790_000_000_000);
        let held = Some(now.after(Duration::from_mins(2)));
        let seconds = |receives, held| again_after(receives, held, now).as_secs();
        assert_eq!([1, 2, 3, 4, 5, 6].map(|receives| seconds(receives, held)), [15, 45, 121, 60, 121, 60]);
        assert_eq!(seconds(1, Some(now.after(Duration::from_secs(3)))), 4);
        assert_eq!(seconds(1, Some(now)), 1, "a lease that ends now");
        assert_eq!(
            [0, 1, 2, 3, 4, 5, u32::MAX].map(|receives| seconds(receives, None)),
            [10, 10, 20, 40, 80, 120, 120]
        );
    }
}
