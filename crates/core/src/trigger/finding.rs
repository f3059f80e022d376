//! One target named by one trigger, and what the trigger says of it.

use std::{fmt, net::IpAddr};

use serde::{Deserialize, Serialize};

use super::{Place, Unclear, draft};
use crate::model::{
    Principal, ShownKey,
    ids::{AccountId, InstanceId, Region},
    text,
    timestamp::Timestamp,
};

/// Who says that an instance is compromised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// An Amazon GuardDuty finding, from GuardDuty itself or through Security Hub.
    #[serde(rename = "guardduty")]
    GuardDuty,
    /// An AWS Health abuse event.
    Health,
    /// An abuse report that somebody vouches for, or that names instances by id.
    AbuseReport,
    /// An abuse report's text or addresses from the event bus: nobody vouches for it.
    AbuseText,
    /// A trigger tag on the instance.
    Tag,
    /// An analyst's custom action in Security Hub.
    CustomAction,
    /// A CloudWatch alarm.
    Alarm,
    /// CloudTrail's record that AWS put a user into quarantine.
    #[serde(rename = "cloudtrail")]
    CloudTrail,
    /// A person, by direct invoke.
    #[default]
    Manual,
}

impl Source {
    /// The source's name in policy rules.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GuardDuty => "guardduty",
            Self::Health => "health",
            Self::AbuseReport => "abuse_report",
            Self::AbuseText => "abuse_text",
            Self::Tag => "tag",
            Self::CustomAction => "custom_action",
            Self::Alarm => "alarm",
            Self::CloudTrail => "cloudtrail",
            Self::Manual => "manual",
        }
    }

    /// Whether AWS expects an answer to it within 24 hours.
    #[must_use]
    pub fn is_abuse(self) -> bool {
        matches!(self, Self::Health | Self::AbuseReport | Self::AbuseText)
    }
}

/// GuardDuty's `resourceRole`: whether the instance acted or was acted upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceRole {
    /// The instance did it.
    Actor,
    /// It was done to the instance: attacked, which alone is not compromised.
    Target,
}

/// Why a finding that names an instance may mean something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// What is compromised is a container, and the instance is its host, which others share.
    SharedHost,
    /// The finding is about credentials or another resource, and mentions the instance.
    Mentioned,
    /// AWS itself would be a sign; this is somebody of the account.
    ByCustomer,
    /// A user's key was seen on an instance that is contained.
    OnInstance,
}

/// How a finding ended at its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// Archived by the product, or in it.
    Archived,
    /// Suppressed by a person or a rule.
    Suppressed,
    /// Resolved: somebody dealt with it.
    Resolved,
    Deleted,
}

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Archived => "archived",
            Self::Suppressed => "suppressed",
            Self::Resolved => "resolved",
            Self::Deleted => "deleted",
        })
    }
}

/// Security Hub sent it without a person's click. It sends a finding again whenever a customer edits it, however old the
/// activity is (<https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-integration-types.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// When it was sent, where the event says so.
    pub sent: Option<Timestamp>,
}

/// What a finding says is compromised.
pub trait Suspect: fmt::Display {
    /// What people call it.
    const NOUN: &'static str;
    /// The same with its article.
    const ONE: &'static str;
    /// Whether a finding can mean only that the suspect was attacked from outside. A finding about credentials never does:
    /// GuardDuty calls them the target of what they were used for.
    const IS_ATTACKED: bool;
}

impl Suspect for InstanceId {
    const NOUN: &'static str = "instance";
    const ONE: &'static str = "an instance";
    const IS_ATTACKED: bool = true;
}

impl Suspect for Principal {
    const NOUN: &'static str = "user";
    const ONE: &'static str = "a user";
    const IS_ATTACKED: bool = false;
}

/// One target named by one trigger, after parsing: an instance, or a principal.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding<T = InstanceId> {
    /// Who said it.
    pub source: Source,
    /// The finding's id at its source; for a person's invoke the request id.
    pub id: String,
    /// The finding's type at its source, `Backdoor:EC2/C&CActivity.B!DNS`.
    pub kind: String,
    /// What a person reads about it, one line.
    pub title: String,
    /// GuardDuty's scale: 1 to 3.9 low, 4 to 6.9 medium, 7 to 8.9 high, 9 to 10 critical. None where the source has none.
    pub severity: Option<f64>,
    /// The instance's part in the activity, where the source says so.
    pub role: Option<ResourceRole>,
    /// Why it may mean something else than this instance.
    pub doubt: Option<Doubt>,
    /// A sample finding that somebody generated.
    pub sample: bool,
    /// How it ended at its source; none while it is open.
    pub closed: Option<Closed>,
    /// It came through Security Hub, and nobody clicked.
    pub imported: Option<Imported>,
    /// When the activity was last seen, where the source says so.
    pub last_seen: Option<Timestamp>,
    /// A person pressed the button.
    pub by_person: bool,
    /// The person asks that the instance be stopped, too.
    pub stop: bool,
    /// The account that the event came from.
    pub said_by: AccountId,
    /// How many instances the event names.
    pub crowd: usize,
    /// Why a report does not plainly call the instance its origin, where it does not.
    pub unclear: Option<Unclear>,
    /// How sure account and Region are.
    pub place: Place,
    /// Sentences for people about what else the event says.
    pub notes: Vec<String>,
    /// The addresses at the other end, where somebody vouches for them.
    pub remotes: Vec<IpAddr>,
    /// Names of the roles that the finding says the instance held sessions of.
    pub roles: Vec<String>,
    /// ARNs of the instance profiles that the finding shows on the instance: it may have another one by now.
    pub profiles: Vec<String>,
    /// The words of the report that it came from, for a person to judge: clean lines, the first ones.
    pub report: Vec<String>,
    /// The target's account.
    pub account: AccountId,
    /// The instance's Region; of a principal, the one that the event comes from.
    pub region: Region,
    /// What it says is compromised.
    pub target: T,
}

impl<T> Finding<T> {
    /// The occasion of a verification, which is no finding of a compromise: somebody looks again.
    #[must_use]
    pub fn occasion(id: String, title: String, account: AccountId, region: Region, target: T) -> Self {
        Self {
            source: Source::Manual,
            id: text::into_line(id, draft::LONGEST_ID),
            kind: "Verification".to_owned(),
            title: text::into_line(title, text::SENTENCE),
            severity: None,
            role: None,
            doubt: None,
            sample: false,
            closed: None,
            imported: None,
            last_seen: None,
            by_person: true,
            stop: false,
            said_by: account.clone(),
            crowd: 1,
            unclear: None,
            place: Place::OnRecord,
            notes: Vec::new(),
            remotes: Vec::new(),
            roles: Vec::new(),
            profiles: Vec::new(),
            report: Vec::new(),
            account,
            region,
            target,
        }
    }

    /// A finding about a user whose key was seen on this one's instance. It is nobody's order, even where this one is.
    #[must_use]
    pub fn about_key(&self, shown: &ShownKey) -> Finding<Principal>
    where
        T: fmt::Display,
    {
        let title = format!("{} in {}/{}: {} {}", self.target, self.account, self.region, shown.by, shown.key);
        let target = Principal::AccessKey { id: shown.key.clone(), user: None };
        Finding {
            source: self.source,
            kind: "AccessKey/OnInstance".to_owned(),
            by_person: false,
            doubt: Some(Doubt::OnInstance),
            last_seen: self.last_seen,
            said_by: self.said_by.clone(),
            place: Place::Stated,
            // The same key on many instances is one question.
            ..Finding::occasion(
                format!("key-on-instance/{}", shown.key),
                title,
                self.account.clone(),
                self.region.clone(),
                target,
            )
        }
    }

    /// Whether nobody pressed the button: an automatic finding counts against the hourly cap and respects exemption.
    #[must_use]
    pub fn is_automatic(&self) -> bool {
        !self.by_person
    }
}
