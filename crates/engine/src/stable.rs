//! Loops that end when AWS, or the ledger, stands still: reading back what AWS accepted, and writing what several
//! containments share.

use std::time::Duration;

use crate::{ports::PortResult, work::Journal};

/// Milliseconds between looks: IAM's and EC2's reads lag their writes, mostly by less than a second.
pub(crate) const PAUSES: [u64; 4] = [200, 400, 800, 1600];
/// No look is waited for once less is left.
const SPARE: Duration = Duration::from_secs(5);
/// How often a set may change while what it says is written.
const TRIES: usize = 10;

/// One look.
pub(crate) enum Shown<T> {
    /// It shows what was accepted, or what will not change by waiting.
    Settled(T),
    /// It does not show it yet.
    NotYet(T),
}

impl<T> Shown<T> {
    pub(crate) fn when(settled: bool, seen: T) -> Self {
        if settled { Self::Settled(seen) } else { Self::NotYet(seen) }
    }
}

/// Looks, and again after each pause until the look shows what AWS accepted.
pub(crate) async fn read_back<T>(journal: &Journal<'_>, pauses: &[u64], mut look: impl AsyncFnMut() -> Shown<T>) -> T {
    let mut pauses = pauses.iter();
    loop {
        match (look().await, pauses.next()) {
            (Shown::NotYet(_), Some(pause)) if journal.left() > SPARE => {
                journal.clock.sleep(Duration::from_millis(*pause)).await;
            }
            (Shown::Settled(seen) | Shown::NotYet(seen), _) => return seen,
        }
    }
}

/// How writing what a set says ended.
pub(crate) enum Written<T> {
    /// The set was the same after the write as before it: what was written is what it says.
    Stands(T),
    /// It changed every time.
    Restless,
}

/// Writes what a set says, and again until the set did not change meanwhile. `read` reads it again after a write; none
/// where what was found ends it, whatever the set says.
///
/// ```text
/// this one      read {a} ------- write {a} - read {a, b}: again - write {a, b} - read {a, b}: stands
/// another one             join b ------------- write {a, b}
/// ```
///
/// Whoever writes last wrote from a set that nobody had changed since it was read, so nobody is lost, whoever is slow.
pub(crate) async fn write_until_stable<S: PartialEq, T>(
    mut set: S,
    mut write: impl AsyncFnMut(&S) -> PortResult<T>,
    mut read: impl AsyncFnMut(&T) -> PortResult<Option<S>>,
) -> PortResult<Written<T>> {
    for _ in 0..TRIES {
        let written = write(&set).await?;
        match read(&written).await? {
            Some(now) if now != set => set = now,
            Some(_) | None => return Ok(Written::Stands(written)),
        }
    }
    Ok(Written::Restless)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use futures::FutureExt as _;

    use super::*;

    /// Writes a set that others change after each write but the last one, and says what was written and how it ended.
    fn written(others: &[&str]) -> (Vec<String>, bool) {
        let (writes, mut others) = (RefCell::new(Vec::new()), others.iter());
        let write = async |set: &String| {
            writes.borrow_mut().push(set.clone());
            Ok(())
        };
        let read = async |(): &()| {
            let now = writes.borrow().last().cloned().unwrap_or_default();
            Ok(Some(others.next().map_or(now.clone(), |other| format!("{now}{other}"))))
        };
        let end = write_until_stable("a".to_owned(), write, read).now_or_never().expect("nothing waits");
        let end = end.expect("no call fails");
        let stands = matches!(end, Written::Stands(()));
        (writes.into_inner(), stands)
    }

    #[test]
    fn a_set_that_changed_meanwhile_is_written_again_until_it_did_not() {
        let writes = |all: &[&str]| all.iter().map(|set| (*set).to_owned()).collect::<Vec<_>>();
        assert_eq!(written(&[]), (writes(&["a"]), true));
        assert_eq!(written(&["b", "c"]), (writes(&["a", "ab", "abc"]), true));
    }

    #[test]
    fn a_set_that_never_stands_still_is_said_to_be_restless() {
        let (writes, stands) = written(&["x"; TRIES]);
        assert_eq!((writes.len(), stands), (TRIES, false));
    }
}
