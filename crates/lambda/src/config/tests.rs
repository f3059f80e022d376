use super::*;

const TOPIC: &str = "arn:aws-us-gov:sns:us-gov-west-1:123456789012:brig";

fn read(pairs: &[(&str, &str)]) -> Result<Config, String> {
    let mut all = vec![("BRIG_LEDGER_TABLE", "brig"), ("BRIG_TOPIC_ARN", TOPIC)];
    all.extend(pairs);
    let find = |name: &str| all.iter().rev().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    Config::read(find).map_err(|error| error.to_string())
}

#[test]
fn table_and_topic_are_enough() {
    assert_eq!(read(&[]).expect("settings").policy, Policy::default());
}

#[test]
fn every_setting_is_read() {
    let policy = read(&[
        ("BRIG_MODE", "observe"),
        ("BRIG_MIN_SEVERITY", "4.5"),
        ("BRIG_EXEMPT_TAG", "keep"),
        ("BRIG_MAX_PER_HOUR", "3"),
        ("BRIG_UNTRACK_SECONDS", "off"),
        ("BRIG_LOCK_DAYS", "0"),
        ("BRIG_ROLE_DENY", "role"),
        ("BRIG_ROLE_DENY_OVERFLOW", "role"),
        ("BRIG_TRIGGER_TAGS", "quarantine, contain"),
        ("BRIG_CUSTOM_ACTIONS", "arn:aws:securityhub:us-east-1:123456789012:action/custom/Contain"),
        ("BRIG_TRUSTED_ACCOUNTS", "123456789012,999988887777"),
        ("BRIG_MAX_PER_FINDING", "5"),
        ("BRIG_IMPORT_MAX_AGE_HOURS", "24"),
        ("BRIG_RESPONDERS", "arn:aws:iam::123456789012:role/sec/Responder"),
        ("BRIG_BREAK_GLASS_USERS", "break-glass"),
        ("BRIG_ESCALATE", "timeouts, public-address, remote-acl"),
        ("BRIG_ACL_NEVER", "203.0.113.7, 2001:db8::/32"),
        ("BRIG_FORENSIC_PROFILE", "arn:aws:iam::{account}:instance-profile/ir/forensic"),
        ("BRIG_FORENSIC_ACCESS", "forensics"),
    ])
    .expect("settings")
    .policy;
    assert_eq!(
        policy,
        Policy {
            mode: Mode::Observe,
            min_severity: 4.5,
            exempt_tag: "keep".to_owned(),
            max_per_hour: 3,
            untrack: Untrack::Off,
            lock_days: 0,
            role_deny: RoleDeny::Role,
            role_overflow: RoleOverflow::Role,
            trigger_tags: vec!["quarantine".to_owned(), "contain".to_owned()],
            custom_actions: vec!["arn:aws:securityhub:us-east-1:123456789012:action/custom/Contain".to_owned()],
            trusted_accounts: vec!["123456789012".parse().expect("id"), "999988887777".parse().expect("id")],
            max_per_finding: 5,
            import_max_age: std::time::Duration::from_hours(24),
            responders: vec!["arn:aws:iam::123456789012:role/sec/Responder".to_owned()],
            break_glass_users: vec!["break-glass".parse().expect("a name")],
            escalate: vec![Escalation::Timeouts, Escalation::PublicAddress, Escalation::RemoteAcl],
            acl_never: vec!["203.0.113.7/32".parse().expect("a range"), "2001:db8::/32".parse().expect("a range")],
            forensic_profile: Some("arn:aws:iam::{account}:instance-profile/ir/forensic".to_owned()),
            forensic_access: Some(ForensicAccess::Group("forensics".to_owned())),
        }
    );
}

#[test]
fn a_chat_channel_has_a_topic_of_its_own() {
    assert_eq!(read(&[]).expect("settings").chat_topic, None);
    let chat = format!("{TOPIC}-chat");
    assert_eq!(read(&[("BRIG_CHAT_TOPIC_ARN", &chat)]).expect("settings").chat_topic, Some(chat));
    for wrong in ["brig-chat", TOPIC] {
        let error = read(&[("BRIG_CHAT_TOPIC_ARN", wrong)]).expect_err("no topic of its own");
        assert!(error.starts_with("BRIG_CHAT_TOPIC_ARN=") && error.contains("another one"), "{error}");
    }
}

#[test]
fn rules_are_here_or_in_a_parameter() {
    let rules = read(&[("BRIG_POLICY", "ssm:/brig/policy")]).expect("settings").rules;
    assert!(matches!(rules, RulesFrom::Parameter(name) if name == "/brig/policy"));
    assert!(matches!(read(&[]).expect("settings").rules, RulesFrom::Here(rules) if rules.is_empty()));
}

#[test]
fn it_serves_all_unless_it_is_told() {
    for (value, serves) in [("all", Serves::All), ("contain", Serves::Contain), ("release", Serves::Release)] {
        assert_eq!(read(&[("BRIG_SERVES", value)]).expect("settings").serves, serves);
    }
}

#[test]
fn a_wrong_value_is_named() {
    for (name, value, message) in [
        ("BRIG_LEDGER_TABLE", "", "BRIG_LEDGER_TABLE=\"\" is empty: give it a value, or remove it"),
        ("BRIG_ESCALATE", " , ", "BRIG_ESCALATE=\"\" is empty: give it a value, or remove it"),
        (
            "BRIG_FORENSIC_ACCESS",
            "10.0.0.0",
            "BRIG_FORENSIC_ACCESS=\"10.0.0.0\" is not a list of CIDR blocks: an address needs its prefix length (one IPv4 address is /32, one IPv6 address /128)",
        ),
        ("BRIG_TOPIC_ARN", "brig", "BRIG_TOPIC_ARN=\"brig\" is not the ARN of an SNS topic"),
        ("BRIG_MODE", "Observe", "BRIG_MODE=\"Observe\" is not enforce or observe"),
        ("BRIG_MIN_SEVERITY", "high", "BRIG_MIN_SEVERITY=\"high\" is not a number from 0 to 10"),
        ("BRIG_MIN_SEVERITY", "NaN", "BRIG_MIN_SEVERITY=\"NaN\" is not a number from 0 to 10"),
        ("BRIG_UNTRACK_SECONDS", "-1", "BRIG_UNTRACK_SECONDS=\"-1\" is not off or a whole number of seconds up to 600"),
        ("BRIG_LOCK_DAYS", "40000", "BRIG_LOCK_DAYS=\"40000\" is not a whole number of days up to 36500"),
        ("BRIG_SERVES", "both", "BRIG_SERVES=\"both\" is not contain, release or all"),
        (
            "BRIG_ESCALATE",
            "timeouts,stop",
            "BRIG_ESCALATE=\"stop\" is not a list of timeouts, remote-acl, public-address and public-address!, or none",
        ),
        (
            "BRIG_FORENSIC_ACCESS",
            "10.0.0.0/8,0.0.0.0/0",
            "BRIG_FORENSIC_ACCESS=\"10.0.0.0/8,0.0.0.0/0\" is not a list of at most 25 CIDR blocks, none wider than /8 (IPv6: /16), or the name of a security group",
        ),
        (
            "BRIG_FORENSIC_PROFILE",
            "arn:aws:iam::123456789012:role/forensic",
            "BRIG_FORENSIC_PROFILE=\"arn:aws:iam::123456789012:role/forensic\" is not the ARN of an instance profile; {account} may stand in the account's place",
        ),
        (
            "BRIG_ACL_NEVER",
            "203.0.113.0/33",
            "BRIG_ACL_NEVER=\"203.0.113.0/33\" is not a list of addresses and CIDR blocks",
        ),
        (
            "BRIG_IP_RANGES",
            "http://example.org/ip-ranges.json",
            "BRIG_IP_RANGES=\"http://example.org/ip-ranges.json\" is not an https URL of AWS's ip-ranges.json or a mirror of it",
        ),
        ("BRIG_ROLE_DENY", "all", "BRIG_ROLE_DENY=\"all\" is not instance or role"),
        ("BRIG_ROLE_DENY_OVERFLOW", "all", "BRIG_ROLE_DENY_OVERFLOW=\"all\" is not fail or role"),
        (
            "BRIG_TRUSTED_ACCOUNTS",
            "1,2",
            "BRIG_TRUSTED_ACCOUNTS=\"1\" is not a list of AWS account ids (12 digits each)",
        ),
        (
            "BRIG_CUSTOM_ACTIONS",
            "Contain",
            "BRIG_CUSTOM_ACTIONS=\"Contain\" is not a list of ARNs of Security Hub custom actions",
        ),
        (
            "BRIG_POLICY",
            r#"{"rules":[{"name":"a","then":"ask","when":{}}]}"#,
            "BRIG_POLICY: rule \"a\": \"when\" is empty and would match everything",
        ),
        ("BRIG_POLICY", "ssm:", "BRIG_POLICY=\"ssm:\" is not ssm: and the name of a parameter"),
    ] {
        assert_eq!(read(&[(name, value)]).expect_err("an error"), message);
    }
}

#[test]
fn what_is_not_set_is_named() {
    assert_eq!(Config::read(|_| None).expect_err("an error").to_string(), "BRIG_LEDGER_TABLE is not set");
    assert!(read(&[]).is_ok_and(|config| config.serves == Serves::All));
}

#[test]
fn no_setting_may_be_empty() {
    for name in KNOWN {
        for value in ["", " ", ","] {
            let error = read(&[(name, value)]).expect_err("an error");
            assert_eq!(error, format!("{name}=\"\" is empty: give it a value, or remove it"));
        }
    }
}

#[test]
fn an_unknown_variable_is_named_with_its_value_and_others_are_let_be() {
    let of = |more: &[(&str, &str)]| {
        let all = [("BRIG_LEDGER_TABLE", "brig"), ("BRIG_TOPIC_ARN", TOPIC), ("PATH", "/bin"), ("MY_BRIG_X", "")];
        let all = all.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::of(all).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(of(&[]), Ok(()));
    let error = "BRIG_MODUS=\"ob serve\" is not a setting of Brig: is BRIG_MODUS mistyped?";
    assert_eq!(of(&[("BRIG_MODUS", "ob\nserve\u{202e}")]), Err(error.to_owned()));
}
