use std::time::Duration;

use expect_test::{Expect, expect};

use super::*;
use crate::{
    ledger::{Containment, State},
    testing::{finding, instance, manual},
};

fn check(finding: &Finding, tags: &[(&str, &str)], force: Force, expected: &Expect) {
    let mut instance = instance();
    for (key, value) in tags {
        instance.tags.insert((*key).to_owned(), (*value).to_owned());
    }
    let policy = Policy::default();
    let (rules, own) = (Rules::none(), crate::testing::account());
    let guide = Guide { policy: &policy, rules: &rules, rules_lost: None };
    let decided = gate(finding, &policy, &own)
        .or_else(|| ignored(finding, &policy))
        .unwrap_or_else(|| decide(finding, &instance, &Known::No, force, &guide));
    expected.assert_eq(&format!("{}: {}", decided.decision.word(), decided.reason));
}

#[test]
fn a_severe_finding_is_contained_and_a_mild_one_ignored() {
    check(&finding(), &[], Force::No, &expect!["contain: Backdoor:EC2/C&CActivity.B!DNS: Command and control"]);
    let mut mild = finding();
    mild.severity = Some(6.9);
    check(&mild, &[], Force::No, &expect!["ignore: severity 6.9 is below the minimum of 7"]);
}

#[test]
fn samples_archived_findings_and_mere_attacks_are_ignored() {
    let mut sample = finding();
    sample.sample = true;
    check(&sample, &[], Force::No, &expect!["ignore: f1 is a sample finding"]);
    let mut archived = finding();
    archived.closed = Some(crate::trigger::Closed::Archived);
    check(&archived, &[], Force::No, &expect!["ignore: f1 is archived at its source"]);
    let mut attacked = finding();
    attacked.role = Some(ResourceRole::Target);
    attacked.kind = "UnauthorizedAccess:EC2/SSHBruteForce".to_owned();
    check(
        &attacked,
        &[],
        Force::No,
        &expect![
            "ignore: UnauthorizedAccess:EC2/SSHBruteForce: the instance was attacked, which is not yet compromised"
        ],
    );
}

#[test]
fn an_exempt_instance_is_a_question_to_people() {
    check(
        &finding(),
        &[("brig:exempt", "core-db")],
        Force::No,
        &expect![
            "ask: Backdoor:EC2/C&CActivity.B!DNS: Command and control; the instance is EXEMPT by its tag brig:exempt=core-db, so a person must decide"
        ],
    );
    check(
        &finding(),
        &[("brig:exempt", "false")],
        Force::No,
        &expect!["contain: Backdoor:EC2/C&CActivity.B!DNS: Command and control"],
    );
}

#[test]
fn a_person_overrides_exemption_with_force_but_never_never() {
    check(
        &manual(),
        &[("brig:exempt", "")],
        Force::No,
        &expect![[
            r#"refuse: i-0123456789abcdef0 is exempt by its tag brig:exempt=; invoke with "force": true (brig: --force) to contain it anyway"#
        ]],
    );
    check(&manual(), &[("brig:exempt", "")], Force::Yes, &expect!["contain: requested by a person"]);
    check(
        &manual(),
        &[("brig:exempt", "never")],
        Force::Yes,
        &expect![
            "refuse: i-0123456789abcdef0 is tagged brig:exempt=never: it may not be contained, not even by force, until that tag is changed"
        ],
    );
}

#[test]
fn a_foreign_containment_is_refused_without_force() {
    check(
        &manual(),
        &[("brig:containment", "x")],
        Force::No,
        &expect![[
            r#"refuse: i-0123456789abcdef0 carries the tag brig:containment=x, a containment that this ledger does not know; invoke with "force": true (brig: --force) to take it over, its original settings then being unknown"#
        ]],
    );
    check(&manual(), &[("brig:containment", "x")], Force::Yes, &expect!["contain: requested by a person"]);
}

#[test]
fn an_exempt_tag_lifts_no_active_containment() {
    let mut exempt = instance();
    exempt.tags.insert("brig:exempt".to_owned(), "never".to_owned());
    let (policy, rules) = (Policy::default(), Rules::none());
    let guide = Guide { policy: &policy, rules: &rules, rules_lost: None };
    let decided = decide(&finding(), &exempt, &Known::Active("c"), Force::No, &guide);
    assert_eq!(decided.decision, Decision::Contain { stop: false });
}

#[test]
fn after_a_release_only_later_activity_counts() {
    let at = Timestamp::parse("2026-02-01T00:00:00Z").expect("a time");
    let (policy, rules) = (Policy::default(), Rules::none());
    let guide = Guide { policy: &policy, rules: &rules, rules_lost: None };
    let old = ["f1".to_owned()];
    let known = Known::Released { at, findings: &old };
    let judge = |seen: Option<&str>, id: &str| {
        let mut finding = finding();
        finding.last_seen = seen.and_then(Timestamp::parse);
        id.clone_into(&mut finding.id);
        decide(&finding, &instance(), &known, Force::No, &guide).decision
    };
    assert_eq!(judge(None, "f2"), Decision::Ignore);
    assert_eq!(judge(Some("2026-01-31T23:59:59Z"), "f2"), Decision::Ignore);
    assert_eq!(judge(Some("2026-02-01T00:00:01Z"), "f1"), Decision::Ask);
    assert_eq!(judge(Some("2026-02-01T00:00:01Z"), "f2"), Decision::Contain { stop: false });
    assert_eq!(decide(&manual(), &instance(), &known, Force::No, &guide).decision, Decision::Contain { stop: false });
}

#[test]
fn a_release_in_the_future_shows_nothing_about_findings_and_a_person_decides() {
    let now = Timestamp::parse("2026-02-01T00:00:00Z").expect("a time");
    let (policy, rules) = (Policy::default(), Rules::none());
    let guide = Guide { policy: &policy, rules: &rules, rules_lost: None };
    let judge = |finding: &Finding, ahead: Duration| {
        let released_at = Some(now.after(ahead));
        let current = Containment { state: State::Released, released_at, ..crate::testing::current() };
        decide(finding, &instance(), &Known::of(Some(&current), now), Force::No, &guide)
    };
    let seen = Finding { last_seen: Some(now), ..finding() };
    let asked = judge(&seen, Duration::from_hours(24 * 365));
    assert_eq!(asked.decision, Decision::Ask);
    assert!(asked.reason.to_string().contains("2027-02-01"), "{}", asked.reason);
    assert_eq!(judge(&seen, Duration::ZERO).decision, Decision::Ignore);
    assert_eq!(judge(&seen, Duration::from_secs(30)).decision, Decision::Ignore, "clocks differ by a little");
    assert_eq!(
        judge(&manual(), Duration::from_hours(24)).decision,
        Decision::Contain { stop: false },
        "a person has decided"
    );
}

#[test]
fn a_responder_is_known_by_role_and_by_session() {
    let policy =
        Policy { responders: vec!["arn:aws:iam::123456789012:role/sec/Responder".to_owned()], ..Policy::default() };
    assert!(policy.is_responder("arn:aws:iam::123456789012:role/sec/Responder"));
    assert!(policy.is_responder("arn:aws:sts::123456789012:assumed-role/Responder/ann"));
    assert!(!policy.is_responder("arn:aws:sts::123456789012:assumed-role/ResponderX/ann"));
    assert!(!policy.is_responder("arn:aws:sts::999988887777:assumed-role/Responder/ann"));
}

#[test]
fn signs_and_hearsay_are_questions() {
    let mut alarm = finding();
    alarm.source = Source::Alarm;
    alarm.kind = "Alarm/out".to_owned();
    check(&alarm, &[], Force::No, &expect!["ask: Alarm/out: Command and control; an alarm is a sign, not a verdict"]);
    let mut host = finding();
    host.doubt = Some(crate::trigger::Doubt::SharedHost);
    check(
        &host,
        &[],
        Force::No,
        &expect![
            "ask: Backdoor:EC2/C&CActivity.B!DNS: Command and control; the instance is the host of containers that others may share"
        ],
    );
    let mut crowd = finding();
    crowd.crowd = 4;
    check(
        &crowd,
        &[],
        Force::No,
        &expect![
            "ask: Backdoor:EC2/C&CActivity.B!DNS: Command and control; the event names 4 instances, more than BRIG_MAX_PER_FINDING (3)"
        ],
    );
}

#[test]
fn an_untrusted_account_may_name_its_own_instances_only() {
    let mut other = finding();
    other.said_by = "999988887777".parse().expect("account");
    check(
        &other,
        &[],
        Force::No,
        &expect![
            "refuse: an event of the account 999988887777 names an instance of 123456789012; it may do so if 999988887777 is in BRIG_TRUSTED_ACCOUNTS"
        ],
    );
    other.account = other.said_by.clone();
    check(&other, &[], Force::No, &expect!["contain: Backdoor:EC2/C&CActivity.B!DNS: Command and control"]);
}

#[test]
fn the_accounts_rules_stand_before_the_built_in_ones_and_after_the_gates() {
    let rules = Rules::parse(
        r#"{"rules": [
            {"name": "mild too", "then": "contain", "when": {"finding": {"severity": [{"numeric": [">=", 2]}]}, "instance": {"tags": {"tier": ["lab"]}}}},
            {"name": "dns", "then": "ask", "when": {"finding": {"type": [{"suffix": "!DNS"}]}}}]}"#,
    )
    .expect("rules");
    let (policy, own) = (Policy::default(), crate::testing::account());
    let guide = Guide { policy: &policy, rules: &rules, rules_lost: None };
    let judge = |finding: &Finding, tier: &str| {
        let mut instance = instance();
        instance.tags.insert("tier".to_owned(), tier.to_owned());
        let decided =
            gate(finding, &policy, &own).unwrap_or_else(|| decide(finding, &instance, &Known::No, Force::No, &guide));
        format!("{}: {}", decided.decision.word(), decided.reason)
    };
    let mut mild = finding();
    mild.severity = Some(2.0);
    assert_eq!(judge(&mild, "lab"), "contain: Backdoor:EC2/C&CActivity.B!DNS: Command and control (rule \"mild too\")");
    assert_eq!(judge(&finding(), "prod"), "ask: Backdoor:EC2/C&CActivity.B!DNS: Command and control (rule \"dns\")");
    mild.kind = "Trojan:EC2/X".to_owned();
    assert_eq!(judge(&mild, "prod"), "ignore: severity 2 is below the minimum of 7");
    mild.sample = true;
    assert_eq!(judge(&mild, "lab"), "ignore: f1 is a sample finding");
}

#[test]
fn a_rule_may_ask_for_a_stop_and_nothing_else_does() {
    let text = |stop: &str| {
        format!(
            r#"{{"rules": [{{"name": "miner", "then": "contain"{stop}, "when": {{"finding": {{"type": [{{"suffix": "!DNS"}}]}}}}}}]}}"#
        )
    };
    let policy = Policy::default();
    for (stop, asked) in [(r#", "stop": true"#, true), (r#", "stop": false"#, false), ("", false)] {
        let rules = Rules::parse(&text(stop)).expect("rules");
        let guide = Guide { policy: &policy, rules: &rules, rules_lost: None };
        let decided = decide(&finding(), &instance(), &Known::No, Force::No, &guide);
        assert_eq!(decided.decision, Decision::Contain { stop: asked }, "{stop}");
    }
    let guide = Guide { policy: &policy, rules: &Rules::none(), rules_lost: None };
    assert!(!decide(&finding(), &instance(), &Known::No, Force::No, &guide).decision.stops());
}

#[test]
fn without_its_rules_an_account_is_asked() {
    let (policy, rules) = (Policy::default(), Rules::none());
    let guide = Guide { policy: &policy, rules: &rules, rules_lost: Some("AccessDenied") };
    let decided = decide(&finding(), &instance(), &Known::No, Force::No, &guide);
    assert_eq!(decided.decision, Decision::Ask);
    assert!(decided.reason.to_string().contains("could not be read (AccessDenied)"));
    let decided = decide(&manual(), &instance(), &Known::No, Force::No, &guide);
    assert_eq!(decided.decision, Decision::Contain { stop: false });
}

#[test]
fn a_node_by_its_tags_is_a_question_for_findings_about_instances_and_for_nothing_else() {
    let tags: &[(&str, &str)] = &[("kubernetes.io/cluster/prod", "owned")];
    check(
        &finding(),
        tags,
        Force::No,
        &expect![
            "ask: Backdoor:EC2/C&CActivity.B!DNS: Command and control; by its tags the instance is a Kubernetes node of the cluster prod: other containers on it would be cut off too"
        ],
    );
    check(
        &finding(),
        &[("AmazonECSManaged", "")],
        Force::No,
        &expect![
            "ask: Backdoor:EC2/C&CActivity.B!DNS: Command and control; by its tags the instance is a container instance of ECS: other containers on it would be cut off too"
        ],
    );
    for (source, decision) in [
        (Source::GuardDuty, Decision::Ask),
        (Source::CustomAction, Decision::Ask),
        (Source::Health, Decision::Contain { stop: false }),
        (Source::AbuseReport, Decision::Contain { stop: false }),
        (Source::Tag, Decision::Contain { stop: false }),
    ] {
        let mut instance = instance();
        instance.tags.insert("eks:cluster-name".to_owned(), "prod".to_owned());
        let policy = Policy::default();
        let named = Finding { source, ..finding() };
        let judge = |rules: &Rules| {
            let guide = Guide { policy: &policy, rules, rules_lost: None };
            decide(&named, &instance, &Known::No, Force::No, &guide).decision
        };
        assert_eq!(judge(&Rules::none()), decision, "{source:?}");
        let all =
            r#"{"rules": [{"name": "all", "then": "contain", "when": {"instance": {"id": [{"prefix": "i-"}]}}}]}"#;
        assert_eq!(judge(&Rules::parse(all).expect("rules")), Decision::Contain { stop: false }, "{source:?}");
    }
    check(&manual(), tags, Force::No, &expect!["contain: requested by a person"]);
}

#[test]
fn what_security_hub_sends_counts_in_the_half_that_is_not_guarddutys_own() {
    let (policy, instance) = (Policy::default(), instance());
    let decided = Decided::contain(String::new());
    let others = |finding: &Finding| limits(finding, &decided, &instance, &policy).others;
    assert_eq!(others(&finding()), None);
    let imported = Some(crate::trigger::Imported { sent: None });
    assert_eq!(others(&Finding { imported, ..finding() }), Some(5));
    assert_eq!(others(&Finding { source: Source::CustomAction, ..finding() }), Some(5));
}
