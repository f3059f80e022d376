//! Who has an attempt made.

use crate::{
    ledger::{Containment, State},
    trigger::Finding,
};

/// Who has an attempt made. The limit on repairs is a brake between machines only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// A person's order.
    Person,
    /// A finding that the containment does not list, or later activity of one that it lists.
    Evidence,
    /// The schedule, a recorded call, or a finding that was worked on before.
    Machine,
}

impl Asks {
    /// Who has a finding acted on: by the finding, and the containment that is active, as it was before the attempt.
    /// `request` is the invocation's request id: a retry of the event that brought the evidence still brings it.
    #[must_use]
    pub fn of<T>(finding: &Finding<T>, active: Option<&Containment>, request: &str) -> Self {
        if finding.by_person {
            return Self::Person;
        }
        let Some(current) = active else { return Self::Evidence };
        let retried = current.holder == request && current.state == State::Open;
        if retried || current.is_news(finding) { Self::Evidence } else { Self::Machine }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        model::timestamp::Timestamp,
        testing::{finding, manual},
    };

    const AT: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn later(minutes: u64) -> Timestamp {
        AT.after(Duration::from_mins(minutes))
    }

    #[test]
    fn a_person_and_new_evidence_are_not_held_back() {
        let mut current = crate::testing::current();
        current.findings = vec!["f1".to_owned()];
        current.holder = "other".to_owned();
        let asks = |finding: &Finding, current: &Containment| Asks::of(finding, Some(current), "r");
        assert_eq!(asks(&manual(), &current), Asks::Person);
        assert_eq!(asks(&finding(), &current), Asks::Machine, "it is known");
        let another = Finding { id: "f2".to_owned(), ..finding() };
        assert_eq!(asks(&another, &current), Asks::Evidence);
        current.last_activity = Some(AT);
        let seen = |at| Finding { last_seen: Some(at), ..finding() };
        assert_eq!(asks(&seen(AT), &current), Asks::Machine);
        assert_eq!(asks(&seen(later(1)), &current), Asks::Evidence, "its activity went on");
        current.holder = "r".to_owned();
        current.state = State::Open;
        assert_eq!(asks(&seen(AT), &current), Asks::Evidence, "a retry brings the same evidence");
    }
}
