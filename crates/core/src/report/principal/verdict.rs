//! What became true of a user, judged from what was read back and from nothing else.

use serde::Serialize;

use crate::{
    lanes::holder::Terms,
    model::{CredentialKind, Holder, RoleShown, User, deny_policy::sessions_denied_before, text::Sentence},
    report::fact::{Fact, Truth, holder::HolderFacts},
};

/// How far a user, or a role's sessions, are contained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrincipalVerdict {
    /// Whether everything that its credentials sign is denied.
    pub denied: Truth,
    /// Whether every credential that can be turned off is off; of a role, which has none, the same as `denied`.
    pub inactive: Truth,
    /// All of it in one sentence, which begins with the user, or with what cannot wait.
    pub summary: Sentence,
    /// What people read of each part; empty where nothing was looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<PrincipalLine>,
    /// What cannot wait; the summary begins with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<Sentence>,
}

/// One part in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrincipalLine {
    /// `Denial`, `Credentials` or `Console`.
    pub part: &'static str,
    /// How far it holds.
    pub truth: Truth,
    /// What holds, or what does not and why.
    pub text: Sentence,
}

impl PrincipalVerdict {
    /// Nothing was looked at, since nothing was done.
    #[must_use]
    pub fn untouched(summary: impl Into<Sentence>) -> Self {
        Self {
            denied: Truth::Unknown,
            inactive: Truth::Unknown,
            summary: summary.into(),
            lines: Vec::new(),
            alerts: Vec::new(),
        }
    }

    /// Judges from what a look showed.
    #[must_use]
    pub fn judge(holder: &Holder, facts: &HolderFacts, terms: &Terms) -> Self {
        match holder {
            Holder::User(user) => Self::of_user(user, facts),
            Holder::Role(role) => Self::of_role(role, facts, terms),
        }
    }

    /// A role goes on: what is denied are sessions. None of its own credentials could be turned off.
    fn of_role(role: &RoleShown, facts: &HolderFacts, terms: &Terms) -> Self {
        let denied_before = role.policy.as_ref().and_then(|policy| policy.as_deref().and_then(sessions_denied_before));
        let denied = match (Truth::of(&facts.denial), denied_before) {
            (Truth::No, Some(_)) => Truth::Partial,
            (truth, _) => truth,
        };
        let (place, before) = (format!("role {} in {}", role.name, role.account), terms.before);
        let broken = complaints(facts.denial.iter()).join("; ");
        let holds = format!("every session issued before {before} is denied");
        let earlier = denied_before.map_or_else(String::new, |earlier| {
            format!("sessions issued before {earlier} are denied, and those issued from then until {before} are NOT")
        });
        let summary = match denied {
            Truth::Yes => format!("{place}: {holds}; sessions issued later are NOT."),
            Truth::Partial => format!("{place} is only PARTLY contained: {earlier}."),
            Truth::No | Truth::Unknown => format!("{place} is NOT contained: {broken}."),
        };
        let denial: Sentence = if denied == Truth::Yes {
            format!("{holds}; NEW ONES ARE NOT: whoever may assume the role can begin one").into()
        } else if denied == Truth::Partial {
            earlier.into()
        } else {
            broken.into()
        };
        let lines = vec![PrincipalLine { part: "Denial", truth: denied, text: denial }];
        Self { denied, inactive: denied, summary: summary.into(), lines, alerts: Vec::new() }
    }

    /// A user without a credential has none that is active.
    fn of_user(user: &User, facts: &HolderFacts) -> Self {
        let denied = Truth::of(&facts.denial);
        let inactive = if facts.credentials.is_empty() { Truth::Yes } else { Truth::of(&facts.credentials) };
        let off = counted(user);
        let holds = [
            (denied, "everything its credentials sign is denied".to_owned()),
            (
                inactive,
                if off.is_empty() { "it has no credential to turn off".to_owned() } else { format!("{off} inactive") },
            ),
        ];
        let place = format!("user {} in {}", user.name, user.account);
        let broken: Vec<String> = complaints(facts.denial.iter().chain(&facts.credentials));
        let held = holds.iter().filter(|(truth, _)| *truth == Truth::Yes).map(|(_, words)| words.as_str());
        let held = held.collect::<Vec<_>>().join(", ");
        let summary = match (broken.is_empty(), held.is_empty()) {
            (true, _) => format!("{place} is contained: {held}."),
            (false, true) => format!("{place} is NOT contained: {}.", broken.join("; ")),
            (false, false) => format!("{place} is only PARTLY contained: {}; but {held}.", broken.join("; ")),
        };
        let [(_, denial), (_, credentials)] = holds;
        let line = |part, truth, holds: String, facts: &[Fact]| PrincipalLine {
            part,
            truth,
            text: match truth {
                Truth::Yes => holds.into(),
                Truth::Partial | Truth::No | Truth::Unknown => complaints(facts.iter()).join("; ").into(),
            },
        };
        let mut lines = vec![
            line("Denial", denied, denial, &facts.denial),
            line("Credentials", inactive, credentials, &facts.credentials),
        ];
        lines.extend(user.console.map(|password| {
            PrincipalLine {
                part: "Console",
                truth: denied,
                text: if password {
                    "the password stays, and signs in to nothing that is allowed"
                } else {
                    "no password"
                }
                .into(),
            }
        }));
        Self { denied, inactive, summary: summary.into(), lines, alerts: Vec::new() }
    }

    /// Puts what cannot wait before everything else.
    pub fn alert(&mut self, alert: impl Into<Sentence>) {
        let alert = alert.into();
        self.summary = Sentence::new(format_args!("{alert}. {}", self.summary));
        self.alerts.insert(0, alert);
    }

    /// Whether all of it was seen to hold.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        (self.denied, self.inactive) == (Truth::Yes, Truth::Yes)
    }

    /// Whether nothing was.
    #[must_use]
    pub fn is_void(&self) -> bool {
        let none = |truth| matches!(truth, Truth::No | Truth::Unknown);
        none(self.denied) && none(self.inactive)
    }
}

fn complaints<'a>(facts: impl Iterator<Item = &'a Fact>) -> Vec<String> {
    facts.filter_map(Fact::complaint).map(|complaint| complaint.to_string()).collect()
}

/// `2 access keys, 1 SSH public key`: those that are inactive.
fn counted(user: &User) -> String {
    use strum::IntoEnumIterator as _;
    let each = CredentialKind::iter().filter_map(|kind| {
        let count = user.listed().filter(|one| one.kind == kind && !one.active).count();
        let plural = if count == 1 { "" } else { "s" };
        (count > 0).then(|| format!("{count} {}{plural}", kind.noun()))
    });
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::{
        report::fact::holder::{Attachment, facts},
        testing::{DENY, role, terms, user},
    };

    fn contained() -> User {
        let mut user = user();
        user.boundary = Some(DENY.to_owned());
        user.attached = Some(vec![DENY.to_owned()]);
        for credential in user.credentials.values_mut().flatten().flatten() {
            credential.active = false;
        }
        user
    }

    fn judged(user: &User) -> PrincipalVerdict {
        let holder = Holder::User(user.clone());
        PrincipalVerdict::judge(&holder, &facts(&holder, &terms(), Attachment::Promised), &terms())
    }

    #[test]
    fn only_what_was_seen_is_claimed() {
        let verdict = judged(&contained());
        assert!(verdict.is_whole());
        expect!["user alice in 123456789012 is contained: everything its credentials sign is denied, 1 access key, 1 SSH public key inactive."].assert_eq(&verdict.summary.to_string());
        let mut half = contained();
        half.credentials.get_mut(&CredentialKind::AccessKey).expect("listed").as_mut().expect("listed")[0].active =
            true;
        let verdict = judged(&half);
        assert_eq!((verdict.denied, verdict.inactive), (Truth::Yes, Truth::Partial));
        expect!["user alice in 123456789012 is only PARTLY contained: the access key AKIAIOSFODNN7EXAMPLE is STILL ACTIVE; but everything its credentials sign is denied."].assert_eq(&verdict.summary.to_string());
        assert!(judged(&user()).is_void());
    }

    #[test]
    fn what_could_not_be_listed_is_not_known_to_be_off() {
        let mut unread = contained();
        unread.credentials.insert(CredentialKind::AccessKey, None);
        unread.gaps.push(crate::model::gap::Gap {
            what: crate::model::gap::Subject::Credentials(CredentialKind::AccessKey),
            error: "ListAccessKeys: Throttling".into(),
            retryable: true,
        });
        let verdict = judged(&unread);
        assert_eq!(verdict.inactive, Truth::Unknown);
        assert!(!verdict.is_whole());
    }

    #[test]
    fn of_a_role_only_sessions_are_denied_and_the_rest_is_said() {
        let judged = |policy: Option<Option<String>>| {
            let holder = Holder::Role(RoleShown { policy, ..role() });
            PrincipalVerdict::judge(&holder, &facts(&holder, &terms(), Attachment::Promised), &terms())
        };
        let denied = judged(Some(Some(crate::model::deny_policy::render_sessions(terms().before))));
        assert!(denied.is_whole());
        expect!["role app in 123456789012: every session issued before 2026-01-02T03:04:05.000Z is denied; sessions issued later are NOT."].assert_eq(&denied.summary.to_string());
        let open = judged(Some(None));
        expect!["role app in 123456789012 is NOT contained: sessions of the role app issued before 2026-01-02T03:04:05.000Z are NOT denied."].assert_eq(&open.summary.to_string());
        assert!(open.is_void());
        assert_eq!(judged(None).denied, Truth::Unknown);
    }

    #[test]
    fn without_a_credential_none_is_active() {
        let mut bare = contained();
        bare.credentials.clear();
        let verdict = judged(&bare);
        assert!(verdict.is_whole());
        assert!(verdict.summary.to_string().contains("it has no credential to turn off"), "{}", verdict.summary);
    }
}
