//! The function's settings.

use std::time::Duration;

use brig_aws::evidence::Retention;

/// What the environment says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The ledger's table.
    pub table: Option<String>,
    /// The name of the role to assume in other accounts.
    pub member_role: Option<String>,
    pub evidence: Option<EvidenceSettings>,
    /// The ARN of the queue whose messages ask for the proof again.
    pub renewals: Option<String>,
}

/// Where evidence goes, and how it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceSettings {
    pub bucket: String,
    /// The account that the bucket must belong to; none: whoever has it.
    pub owner: Option<String>,
    /// The ARN of the KMS key that signs.
    pub key: Option<String>,
    pub kept: Duration,
    pub retention: Retention,
    /// Where access to the bucket is logged.
    pub access_log: Option<String>,
}

/// A setting that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {value:?} is not {expected}")]
pub struct SettingError {
    pub name: &'static str,
    pub value: String,
    pub expected: &'static str,
}

/// S3's limit of a retention is a hundred years.
const MOST_DAYS: u64 = 36_500;
const DAYS: u64 = 365;

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// Names the variable and the value.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, SettingError> {
        let get = |name: &str| get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let wrong = |name, value: &str, expected| SettingError { name, value: value.to_owned(), expected };
        let days = match get("BRIG_EVIDENCE_DAYS") {
            None => DAYS,
            Some(text) => text
                .parse()
                .ok()
                .filter(|days| (1..=MOST_DAYS).contains(days))
                .ok_or_else(|| wrong("BRIG_EVIDENCE_DAYS", &text, "a whole number of days from 1 to 36500"))?,
        };
        let retention = match get("BRIG_EVIDENCE_MODE").as_deref() {
            None | Some("governance") => Retention::Governance,
            Some("compliance") => Retention::Compliance,
            Some(text) => return Err(wrong("BRIG_EVIDENCE_MODE", text, "governance or compliance")),
        };
        let key = get("BRIG_EVIDENCE_KEY");
        if let Some(key) = key.as_deref().filter(|key| !(key.starts_with("arn:") && key.contains(":kms:"))) {
            return Err(wrong("BRIG_EVIDENCE_KEY", key, "the ARN of a KMS key"));
        }
        let owner = get("BRIG_EVIDENCE_OWNER");
        if let Some(owner) =
            owner.as_deref().filter(|owner| owner.len() != 12 || !owner.bytes().all(|byte| byte.is_ascii_digit()))
        {
            return Err(wrong("BRIG_EVIDENCE_OWNER", owner, "an AWS account id (12 digits)"));
        }
        let kept = Duration::from_hours(days * 24);
        let access_log = get("BRIG_EVIDENCE_ACCESS_LOG");
        let bucket = get("BRIG_EVIDENCE_BUCKET");
        let evidence = bucket.map(|bucket| EvidenceSettings { bucket, owner, key, kept, retention, access_log });
        Ok(Self {
            table: get("BRIG_LEDGER_TABLE"),
            member_role: get("BRIG_MEMBER_ROLE"),
            evidence,
            renewals: get("BRIG_RENEWALS_QUEUE_ARN"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, SettingError> {
        Settings::read(|name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn evidence_is_kept_a_year_where_nothing_else_is_said_and_nowhere_without_a_bucket() {
        assert_eq!(read(&[]).expect("settings").evidence, None);
        let evidence = read(&[("BRIG_EVIDENCE_BUCKET", "b")]).expect("settings").evidence.expect("evidence");
        assert_eq!((evidence.kept, evidence.retention), (Duration::from_hours(365 * 24), Retention::Governance));
    }

    #[test]
    fn a_wrong_setting_names_itself_and_its_value() {
        for (name, value, expected) in [
            ("BRIG_EVIDENCE_DAYS", "0", "BRIG_EVIDENCE_DAYS: \"0\" is not a whole number of days from 1 to 36500"),
            ("BRIG_EVIDENCE_DAYS", "x", "BRIG_EVIDENCE_DAYS: \"x\" is not a whole number of days from 1 to 36500"),
            ("BRIG_EVIDENCE_MODE", "legal", "BRIG_EVIDENCE_MODE: \"legal\" is not governance or compliance"),
            ("BRIG_EVIDENCE_KEY", "alias/x", "BRIG_EVIDENCE_KEY: \"alias/x\" is not the ARN of a KMS key"),
            ("BRIG_EVIDENCE_OWNER", "1", "BRIG_EVIDENCE_OWNER: \"1\" is not an AWS account id (12 digits)"),
        ] {
            assert_eq!(read(&[(name, value)]).expect_err("wrong").to_string(), expected);
        }
    }
}
