//! Somebody who keeps undoing a containment: what holds Brig back from an endless fight, when people are notified of it,
//! and what takes the access of whoever does it away.

use std::time::Duration;

use serde::Serialize;

use crate::{
    finding::Finding,
    ledger::{Current, State},
    timestamp::Timestamp,
};

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
    pub fn of(finding: &Finding, active: Option<&Current>, request: &str) -> Self {
        if finding.by_person {
            return Self::Person;
        }
        let Some(current) = active else { return Self::Evidence };
        let retried = current.holder == request && current.state == State::Open;
        if retried || current.is_news(finding) { Self::Evidence } else { Self::Machine }
    }
}

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

/// What the report says of a contest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contested {
    /// When a step was first held back, RFC 3339.
    pub since: String,
    /// When Brig repairs again without a person's order, RFC 3339.
    pub held_until: String,
    /// Who undoes it, as far as known: ARNs.
    pub by: Vec<String>,
}

/// What takes the access of a caller away, one line each: a command where there is one, else what to do.
#[must_use]
pub fn take_away(by: &str) -> Vec<String> {
    let mut parts = by.splitn(6, ':');
    let (_, partition, service, _, account, resource) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next());
    let (Some(partition), Some(service), Some(account), Some(resource)) = (partition, service, account, resource)
    else {
        return vec![format!("{by}: find out what made it do so, and stop that")];
    };
    if !is_plain(partition) || !account.bytes().all(|byte| byte.is_ascii_digit()) {
        return vec![format!("{by}: find out who that is, and take that access away")];
    }
    let policy = format!("arn:{partition}:iam::aws:policy/AWSDenyAll");
    let mut path = resource.split('/');
    let (kind, name) = (path.next().unwrap_or_default(), path.clone().next().unwrap_or_default());
    let last = path.next_back().unwrap_or_default();
    match (service, kind) {
        ("sts", "assumed-role") if name.starts_with("AWSReservedSSO_") => vec![format!(
            "{by}: a session of IAM Identity Center: remove the permission set's assignment in account {account}, and end the user's session there"
        )],
        ("sts", "assumed-role") if is_plain(name) => vec![format!(
            "deny the role everything, its sessions included (in account {account}): aws iam attach-role-policy --role-name {name} --policy-arn {policy}"
        )],
        ("iam", "role") if is_plain(last) => vec![format!(
            "deny the role everything, its sessions included (in account {account}): aws iam attach-role-policy --role-name {last} --policy-arn {policy}"
        )],
        ("iam", "user") if is_plain(last) => vec![
            format!(
                "deny the user everything (in account {account}): aws iam attach-user-policy --user-name {last} --policy-arn {policy}"
            ),
            format!(
                "then list its keys, to deactivate each (aws iam update-access-key --status Inactive): aws iam list-access-keys --user-name {last}"
            ),
        ],
        ("sts", "federated-user") => vec![format!(
            "{by}: deny the IAM user that called GetFederationToken everything (in account {account}); CloudTrail names it"
        )],
        ("iam", "root") => vec![format!(
            "{by}: the root user: change its password, delete its access keys, and forbid it what it did by a service control policy"
        )],
        _ => vec![format!("{by}: find out who that is, and take that access away")],
    }
}

/// Whether a name needs no quoting in a shell: the characters that IAM allows in names.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('-')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{finding, manual};

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

    #[test]
    fn a_person_and_new_evidence_are_not_held_back() {
        let mut current = crate::testing::current();
        current.findings = vec!["f1".to_owned()];
        current.holder = "other".to_owned();
        let asks = |finding: &Finding, current: &Current| Asks::of(finding, Some(current), "r");
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

    #[test]
    fn what_takes_access_away_is_a_command_for_each_kind_of_caller() {
        let shown: Vec<String> = [
            "arn:aws:sts::123456789012:assumed-role/Admin/mallory",
            "arn:aws-cn:iam::123456789012:role/path/Admin",
            "arn:aws:iam::123456789012:user/path/mallory",
            "arn:aws:iam::123456789012:root",
            "arn:aws:sts::123456789012:federated-user/bob",
            "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0123/ann",
            "arn:aws:sts::123456789012:assumed-role/$(reboot)/x",
            "autoscaling.amazonaws.com",
        ]
        .into_iter()
        .flat_map(take_away)
        .collect();
        expect_test::expect![[r#"
            deny the role everything, its sessions included (in account 123456789012): aws iam attach-role-policy --role-name Admin --policy-arn arn:aws:iam::aws:policy/AWSDenyAll
            deny the role everything, its sessions included (in account 123456789012): aws iam attach-role-policy --role-name Admin --policy-arn arn:aws-cn:iam::aws:policy/AWSDenyAll
            deny the user everything (in account 123456789012): aws iam attach-user-policy --user-name mallory --policy-arn arn:aws:iam::aws:policy/AWSDenyAll
            then list its keys, to deactivate each (aws iam update-access-key --status Inactive): aws iam list-access-keys --user-name mallory
            arn:aws:iam::123456789012:root: the root user: change its password, delete its access keys, and forbid it what it did by a service control policy
            arn:aws:sts::123456789012:federated-user/bob: deny the IAM user that called GetFederationToken everything (in account 123456789012); CloudTrail names it
            arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0123/ann: a session of IAM Identity Center: remove the permission set's assignment in account 123456789012, and end the user's session there
            arn:aws:sts::123456789012:assumed-role/$(reboot)/x: find out who that is, and take that access away
            autoscaling.amazonaws.com: find out what made it do so, and stop that"#]].assert_eq(&shown.join("\n"));
    }
}
