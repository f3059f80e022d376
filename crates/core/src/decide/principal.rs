//! Whether to act on a principal. The order is that of instances: break-glass users, what is on record, the exempt tag, the
//! account's own rules, the built-in ones.

use serde_json::{Value, json};

use super::{Decided, Decision, Guide, Known, Subject, judge, of_finding};
use crate::{
    ledger::Cause,
    model::{
        CredentialKind, Holder, KeyUse, Principal, SessionKind, User,
        ids::{AccessKeyId, UserName},
        timestamp::Timestamp,
    },
    trigger::{Doubt, Finding, Force},
};

/// The document that rules are matched against, where the finding is about a user, or about sessions of a role.
fn document(finding: &Finding<Principal>, holder: &Holder, used: Option<&KeyUse>, now: Timestamp) -> Value {
    let user = match holder {
        Holder::User(user) => user,
        Holder::Role(role) => {
            return json!({
                "finding": of_finding(finding),
                "principal": {"kind": "role", "name": role.name, "account": role.account, "tags": role.tags},
            });
        }
    };
    let minutes = used.and_then(|used| used.at).map(|at| now.since(at).as_secs() / 60);
    json!({
        "finding": of_finding(finding),
        "principal": {
            "kind": "user",
            "name": user.name,
            "account": user.account,
            "tags": user.tags,
            "groups": user.groups.clone().unwrap_or_default(),
            "boundary": user.boundary,
            "console": user.console,
            "last_used_minutes": minutes,
            "last_used_service": used.and_then(|used| used.service.clone()),
            "last_used_region": used.and_then(|used| used.region.clone()),
        },
    })
}

/// Decides about a finding whose user or role was seen. `used` is how the named key was last used.
#[must_use]
pub fn decide_holder(
    finding: &Finding<Principal>,
    (holder, used): (&Holder, Option<&KeyUse>),
    known: &Known<'_>,
    (force, now): (Force, Timestamp),
    guide: &Guide<'_>,
) -> Decided {
    let is_active = matches!(known, Known::Active(_) | Known::Releasing(_));
    let same = |name: &UserName| name.as_str().eq_ignore_ascii_case(holder.name());
    if !is_active && holder.user().is_some() && guide.policy.break_glass_users.iter().any(same) {
        return Decided::refuse(format!(
            "{} is a break-glass user (BRIG_BREAK_GLASS_USERS): nobody contains it through Brig, not even by force",
            holder.name()
        ))
        .because(Cause::BreakGlass);
    }
    let subject = Subject {
        name: holder.name(),
        noun: holder.noun(),
        tags: holder.tags(),
        document: &|| document(finding, holder, used, now),
        doubt: &|what| match holder {
            Holder::User(user) => of_an_inactive_key(finding, user, what),
            Holder::Role(_) => nobodys(&finding.target, what),
        },
    };
    let decided = judge(finding, &subject, known, force, guide);
    // There is nothing of a user or a role that could be stopped.
    match decided.decision {
        Decision::Contain { .. } => Decided { decision: Decision::Contain { stop: false }, ..decided },
        Decision::Ask if is_dead_on_instance(finding, holder) && !decided.by_rule => {
            Decided::ignore(format!("{}; the key is inactive already", finding.title))
        }
        Decision::Ask | Decision::Ignore | Decision::Refuse => decided,
    }
}

/// A key that is inactive, or that the user no longer has, was rotated: the finding may be about what was over before it came.
fn of_an_inactive_key(finding: &Finding<Principal>, user: &User, what: &str) -> Option<Decided> {
    let Principal::AccessKey { id, .. } = &finding.target else { return None };
    (!is_live(id, user)?).then(|| {
        Decided::ask(format!(
            "{what}; the key {id} is inactive already, and {} has others that this would end",
            user.name
        ))
    })
}

/// Whether the user has the key, and it is active; none where its keys could not be listed.
fn is_live(id: &AccessKeyId, user: &User) -> Option<bool> {
    if id.is_temporary() {
        return Some(true);
    }
    Some(user.credential(CredentialKind::AccessKey, id.as_str())?.is_some_and(|key| key.active))
}

/// A key that an instance shows and that is dead is no question.
fn is_dead_on_instance(finding: &Finding<Principal>, holder: &Holder) -> bool {
    match (&finding.target, holder) {
        (Principal::AccessKey { id, .. }, Holder::User(user)) if finding.doubt == Some(Doubt::OnInstance) => {
            is_live(id, user) == Some(false)
        }
        _ => false,
    }
}

/// What becomes of a principal that is no user where no rule says otherwise: a person must act. None for one that may be a
/// user.
#[must_use]
pub fn nobodys(principal: &Principal, what: &str) -> Option<Decided> {
    Some(Decided::ask(match principal {
        Principal::AccessKey { .. } | Principal::User(_) => return None,
        Principal::Root { .. } => {
            format!(
                "{what}; it is THE ROOT USER, whom no policy of the account and no role can deny: a person must act"
            )
        }
        Principal::Session { kind: SessionKind::Role, name } => format!(
            "{what}; it is a session of the role {name}, which others may use too: Brig denies a role's sessions only where a rule or a person says so"
        ),
        Principal::Session { kind: SessionKind::IdentityCenter, name } => format!(
            "{what}; it is a session of {name}, a role of IAM Identity Center: end the user's session and remove the assignment there"
        ),
        Principal::Session { kind: SessionKind::Federated, name } => format!(
            "{what}; it is the federated session {name}: it ends with the IAM user that called GetFederationToken, which CloudTrail names"
        ),
        Principal::Session { kind: SessionKind::Other, name } => {
            format!("{what}; it is the session {name}, which is no IAM user's own")
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        decide::rules::Rules,
        settings::Policy,
        testing::{about_user, role, user},
    };

    fn decided(
        finding: &Finding<Principal>,
        user: &User,
        force: Force,
        policy: &Policy,
        rules: &Rules,
    ) -> (Decision, String) {
        let guide = Guide { policy, rules, rules_lost: None };
        let now = Timestamp::from_millis(1_790_000_000_000);
        let used = KeyUse {
            at: Some(Timestamp::from_millis(now.millis() - 600_000)),
            service: Some("s3".to_owned()),
            ..KeyUse::default()
        };
        let holder = Holder::User(user.clone());
        let decided = decide_holder(finding, (&holder, Some(&used)), &Known::No, (force, now), &guide);
        (decided.decision, decided.reason.into())
    }

    #[test]
    fn a_finding_about_a_user_contains_from_the_severity_on() {
        let (policy, rules) = (Policy::default(), Rules::none());
        let of = |severity| decided(&Finding { severity, ..about_user() }, &user(), Force::No, &policy, &rules).0;
        assert_eq!(of(Some(8.0)), Decision::Contain { stop: false });
        assert_eq!(of(Some(2.0)), Decision::Ignore);
        assert_eq!(of(None), Decision::Contain { stop: false });
    }

    #[test]
    fn a_break_glass_user_is_refused_even_by_force() {
        let policy = Policy { break_glass_users: vec![user().name], ..Policy::default() };
        let person = Finding { by_person: true, ..about_user() };
        for (finding, force) in [(about_user(), Force::No), (person.clone(), Force::No), (person, Force::Yes)] {
            let (decision, why) = decided(&finding, &user(), force, &policy, &Rules::none());
            assert_eq!(decision, Decision::Refuse);
            assert!(why.contains("break-glass"), "{why}");
        }
    }

    #[test]
    fn a_break_glass_user_is_one_in_any_case() {
        let policy = Policy { break_glass_users: vec!["ALICE".parse().expect("a name")], ..Policy::default() };
        assert_eq!(decided(&about_user(), &user(), Force::No, &policy, &Rules::none()).0, Decision::Refuse);
    }

    #[test]
    fn a_key_that_was_rotated_before_the_finding_asks_and_a_session_of_the_user_does_not() {
        let (policy, rules) = (Policy::default(), Rules::none());
        let mut rotated = user();
        for credential in rotated.credentials.values_mut().flatten().flatten() {
            credential.active = false;
        }
        let (decision, why) = decided(&about_user(), &rotated, Force::No, &policy, &rules);
        assert!(decision == Decision::Ask && why.contains("inactive already"), "{why}");
        let person = Finding { by_person: true, ..about_user() };
        assert_eq!(decided(&person, &rotated, Force::No, &policy, &rules).0, Decision::Contain { stop: false });
        let session = "ASIAIOSFODNN7EXAMPLE".parse().expect("a key");
        let of_session =
            Finding { target: Principal::AccessKey { id: session, user: Some(user().name) }, ..about_user() };
        assert_eq!(decided(&of_session, &rotated, Force::No, &policy, &rules).0, Decision::Contain { stop: false });
    }

    #[test]
    fn the_exempt_tag_and_rules_hold_for_users() {
        let policy = Policy::default();
        let mut exempt = user();
        exempt.tags.insert(policy.exempt_tag.clone(), "true".to_owned());
        let (decision, why) = decided(&about_user(), &exempt, Force::No, &policy, &Rules::none());
        assert_eq!(decision, Decision::Ask);
        assert!(why.contains("the user is EXEMPT"), "{why}");
        let rule = |when: Value| {
            Rules::parse(&json!({"rules": [{"name": "ci", "then": "ask", "when": when}]}).to_string()).expect("rules")
        };
        let ci = rule(json!({"principal": {"name": ["alice"], "last_used_minutes": [{"numeric": ["<", 60]}]}}));
        assert_eq!(decided(&about_user(), &user(), Force::No, &policy, &ci).0, Decision::Ask);
        let other = rule(json!({"principal": {"last_used_minutes": [{"numeric": ["<", 5]}]}}));
        assert_eq!(decided(&about_user(), &user(), Force::No, &policy, &other).0, Decision::Contain { stop: false });
        let instances = rule(json!({"instance": {"spot": [false]}}));
        assert_eq!(
            decided(&about_user(), &user(), Force::No, &policy, &instances).0,
            Decision::Contain { stop: false }
        );
    }

    #[test]
    fn sessions_of_a_role_are_denied_where_a_rule_or_a_person_says_so_and_asked_about_otherwise() {
        let session = Principal::Session { kind: SessionKind::Role, name: "app".to_owned() };
        let finding = Finding { target: session, severity: Some(8.0), ..about_user() };
        let decided = |finding: &Finding<Principal>, holder: &Holder, rules: &Rules| {
            let guide = Guide { policy: &Policy::default(), rules, rules_lost: None };
            let now = Timestamp::from_millis(0);
            decide_holder(finding, (holder, None), &Known::No, (Force::No, now), &guide).decision
        };
        let plain = Holder::Role(role());
        assert_eq!(decided(&finding, &plain, &Rules::none()), Decision::Ask);
        let rule = r#"{"rules": [{"name": "roles", "then": "contain", "when": {"principal": {"kind": ["role"], "name": ["app"]}}}]}"#;
        let rule = Rules::parse(rule).expect("rules");
        assert_eq!(decided(&finding, &plain, &rule), Decision::Contain { stop: false });
        let person = Finding { by_person: true, ..finding.clone() };
        assert_eq!(decided(&person, &plain, &Rules::none()), Decision::Contain { stop: false });
        let mut exempt = role();
        exempt.tags.insert(Policy::default().exempt_tag, "true".to_owned());
        assert_eq!(decided(&finding, &Holder::Role(exempt), &rule), Decision::Ask);
    }

    #[test]
    fn what_is_no_user_is_a_question_with_its_name() {
        let root = nobodys(&Principal::Root { key: None }, "x").expect("decided");
        assert!(root.decision == Decision::Ask && root.reason.to_string().contains("ROOT USER"));
        assert_eq!(nobodys(&Principal::User(user().name), "x"), None);
    }
}
