//! Whether to act: a finding and what was seen of its instance -> contain, ask people, or ignore, always with the reason
//! that a person reads. The hourly cap is decided with the claim, since only the ledger can count.

use serde::{Deserialize, Serialize};

use crate::{finding::Finding, survey::Instance};

/// Whether Brig acts or only says what it would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Contain.
    Enforce,
    /// Survey, plan, record and tell; the account stays untouched.
    Observe,
}

/// The untrack step: an open group on an isolated interface for a moment, so that flows which the old rules had made
/// tracked may stop being tracked before the last cut
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untrack {
    /// Never open an interface.
    Off,
    /// How many seconds the open group stays, from AWS's answer to the next call.
    Seconds(u32),
}

/// Whose credentials the role's deny policy hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleDeny {
    /// The contained instances' own sessions, stolen copies included.
    Instance,
    /// Every user of the role.
    Role,
}

/// The settings that decisions and plans are made with.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Act or observe.
    pub mode: Mode,
    /// Findings below this severity (GuardDuty's scale of 1 to 10) are ignored.
    pub min_severity: f64,
    /// The tag key that exempts an instance.
    pub exempt_tag: String,
    /// New automatic containments per account, Region and hour.
    pub max_per_hour: u32,
    /// The untrack step.
    pub untrack: Untrack,
    /// Days of the snapshots' governance lock; 0 for no lock.
    pub lock_days: u32,
    /// The reach of the credential cut.
    pub role_deny: RoleDeny,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            mode: Mode::Enforce,
            min_severity: 7.0,
            exempt_tag: "brig:exempt".to_owned(),
            max_per_hour: 10,
            untrack: Untrack::Seconds(1),
            lock_days: 7,
            role_deny: RoleDeny::Instance,
        }
    }
}

/// What to do about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Act.
    Contain,
    /// A person must decide; tell them what would be done.
    Ask,
    /// Nothing to do.
    Ignore,
}

/// A decision and why. `refused` marks a person's request that a precondition forbids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// What to do.
    pub decision: Decision,
    /// Why, for a person.
    pub reason: String,
    /// A precondition failed: nothing may be done, whoever asks.
    pub refused: bool,
}

impl Decided {
    fn new(decision: Decision, reason: String) -> Self {
        Self { decision, reason, refused: false }
    }

    /// A precondition failed.
    #[must_use]
    pub fn refused(reason: String) -> Self {
        Self { decision: Decision::Contain, reason, refused: true }
    }
}

/// The tag that names the containment an instance is in.
pub const CONTAINMENT_TAG: &str = "brig:containment";

/// What the finding alone settles, before any call to AWS.
#[must_use]
pub fn gate(finding: &Finding, policy: &Policy) -> Option<Decided> {
    let ignore = |reason: String| Some(Decided::new(Decision::Ignore, reason));
    if finding.sample {
        return ignore(format!("{} is a sample finding", finding.id));
    }
    if finding.archived {
        return ignore(format!("{} is archived at its source", finding.id));
    }
    if finding.attacked && only_attacked(&finding.kind) {
        return ignore(format!("{}: the instance was attacked, which is not yet compromised", finding.kind));
    }
    match finding.severity {
        Some(severity) if severity < policy.min_severity => {
            ignore(format!("severity {severity} is below the minimum of {}", policy.min_severity))
        }
        _ => None,
    }
}

/// Types that anyone on the internet can cause on a reachable host: acting on them would hand strangers a switch.
fn only_attacked(kind: &str) -> bool {
    kind.starts_with("Recon:") || ["BruteForce", "PortProbe"].iter().any(|part| kind.contains(part))
}

/// What the ledger knows of the instance, as far as a decision needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known<'a> {
    /// No containment of this instance is active.
    No,
    /// This one is.
    Active(&'a str),
}

/// Decides about a finding whose instance was seen. Exemption is read only here, when a new containment is decided: an
/// exempt tag that appears afterwards (an attacker can write tags too) lifts nothing.
#[must_use]
pub fn decide(finding: &Finding, instance: &Instance, known: &Known<'_>, force: bool, policy: &Policy) -> Decided {
    let what =
        if finding.is_automatic() { format!("{}: {}", finding.kind, finding.title) } else { finding.title.clone() };
    if let Known::Active(_) = known {
        return Decided::new(Decision::Contain, what);
    }
    if let Some(id) = instance.tags.get(CONTAINMENT_TAG)
        && !force
    {
        return Decided::refused(format!(
            "{} carries the tag {CONTAINMENT_TAG}={id}, a containment that this ledger does not know; invoke with \
             \"force\": true to take it over, its original settings then being unknown",
            instance.id
        ));
    }
    let exempt = instance.tags.get(&policy.exempt_tag).filter(|value| value.as_str() != "false");
    match exempt {
        Some(value) if finding.is_automatic() => Decided::new(
            Decision::Ask,
            format!("{what}; the instance is EXEMPT by its tag {}={value}, so a person must decide", policy.exempt_tag),
        ),
        Some(value) if value == "never" => Decided::refused(format!(
            "{} is tagged {}=never: nobody may contain it, not by force either, until that tag is changed",
            instance.id, policy.exempt_tag
        )),
        Some(value) if !force => Decided::refused(format!(
            "{} is exempt by its tag {}={value}; invoke with \"force\": true to contain it all the same",
            instance.id, policy.exempt_tag
        )),
        _ => Decided::new(Decision::Contain, what),
    }
}

/// The decision once the claim found the hour's cap reached.
#[must_use]
pub fn over_cap(reason: &str, policy: &Policy) -> Decided {
    Decided::new(
        Decision::Ask,
        format!(
            "{reason}; the cap of {} new automatic containments an hour in this account and Region is reached, so a person must decide",
            policy.max_per_hour
        ),
    )
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::testing::{finding, instance, manual};

    fn check(finding: &Finding, tags: &[(&str, &str)], force: bool, expected: &Expect) {
        let mut instance = instance();
        for (key, value) in tags {
            instance.tags.insert((*key).to_owned(), (*value).to_owned());
        }
        let policy = Policy::default();
        let decided = gate(finding, &policy).unwrap_or_else(|| decide(finding, &instance, &Known::No, force, &policy));
        let refused = if decided.refused { "refused" } else { "" };
        expected.assert_eq(&format!("{:?} {refused}: {}", decided.decision, decided.reason));
    }

    #[test]
    fn a_severe_finding_is_contained_and_a_mild_one_ignored() {
        check(&finding(), &[], false, &expect!["Contain : Backdoor:EC2/C&CActivity.B!DNS: Command and control"]);
        let mut mild = finding();
        mild.severity = Some(6.9);
        check(&mild, &[], false, &expect!["Ignore : severity 6.9 is below the minimum of 7"]);
    }

    #[test]
    fn samples_archived_findings_and_mere_attacks_are_ignored() {
        let mut sample = finding();
        sample.sample = true;
        check(&sample, &[], false, &expect!["Ignore : f1 is a sample finding"]);
        let mut archived = finding();
        archived.archived = true;
        check(&archived, &[], false, &expect!["Ignore : f1 is archived at its source"]);
        let mut attacked = finding();
        attacked.attacked = true;
        attacked.kind = "UnauthorizedAccess:EC2/SSHBruteForce".to_owned();
        check(
            &attacked,
            &[],
            false,
            &expect![
                "Ignore : UnauthorizedAccess:EC2/SSHBruteForce: the instance was attacked, which is not yet compromised"
            ],
        );
    }

    #[test]
    fn an_exempt_instance_is_a_question_to_people() {
        check(
            &finding(),
            &[("brig:exempt", "core-db")],
            false,
            &expect![
                "Ask : Backdoor:EC2/C&CActivity.B!DNS: Command and control; the instance is EXEMPT by its tag brig:exempt=core-db, so a person must decide"
            ],
        );
        check(
            &finding(),
            &[("brig:exempt", "false")],
            false,
            &expect!["Contain : Backdoor:EC2/C&CActivity.B!DNS: Command and control"],
        );
    }

    #[test]
    fn a_person_overrides_exemption_with_force_but_never_never() {
        check(
            &manual(),
            &[("brig:exempt", "")],
            false,
            &expect![[
                r#"Contain refused: i-0123456789abcdef0 is exempt by its tag brig:exempt=; invoke with "force": true to contain it all the same"#
            ]],
        );
        check(&manual(), &[("brig:exempt", "")], true, &expect!["Contain : requested by a person"]);
        check(
            &manual(),
            &[("brig:exempt", "never")],
            true,
            &expect![
                "Contain refused: i-0123456789abcdef0 is tagged brig:exempt=never: nobody may contain it, not by force either, until that tag is changed"
            ],
        );
    }

    #[test]
    fn a_foreign_containment_is_refused_without_force() {
        check(
            &manual(),
            &[("brig:containment", "x")],
            false,
            &expect![[
                r#"Contain refused: i-0123456789abcdef0 carries the tag brig:containment=x, a containment that this ledger does not know; invoke with "force": true to take it over, its original settings then being unknown"#
            ]],
        );
        check(&manual(), &[("brig:containment", "x")], true, &expect!["Contain : requested by a person"]);
    }

    #[test]
    fn an_exempt_tag_lifts_no_active_containment() {
        let mut exempt = instance();
        exempt.tags.insert("brig:exempt".to_owned(), "never".to_owned());
        let decided = decide(&finding(), &exempt, &Known::Active("c"), false, &Policy::default());
        assert_eq!(decided.decision, Decision::Contain);
        assert!(!decided.refused);
    }
}
