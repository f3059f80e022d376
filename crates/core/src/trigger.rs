//! From the JSON that invoked the function to the findings it holds. One file per source below; each ends in the same
//! [`Finding`]. Only the instance's id, account and Region are taken from an event (or an address that is then looked up):
//! groups, roles and attachments are surveyed, never believed.

mod abuse;
mod alarm;
mod cloudtrail;
mod draft;
mod envelope;
mod guardduty;
mod health;
pub(crate) mod json;
mod look;
mod manual;
mod meaning;
mod notice;
mod ocsf;
mod principals;
mod reading;
mod securityhub;
mod sessions;
mod tag;
mod whom;

use std::{fmt, net::IpAddr};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use abuse::Unclear;
pub use cloudtrail::{TrailCall, UNDOING, can_undo};
use draft::Draft;
pub use look::{Find, FindBy};
pub use notice::{Notice, NoticeKind, Unread};

pub use crate::model::Rejoin;
use crate::{
    model::{
        Principal,
        ids::{AccessKeyId, AccountId, EniId, InstanceId, Region, TargetKey},
        text,
        timestamp::Timestamp,
    },
    settings::Policy,
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

    /// Whether nobody pressed the button: an automatic finding counts against the hourly cap and respects exemption.
    #[must_use]
    pub fn is_automatic(&self) -> bool {
        !self.by_person
    }
}

/// So many instances, addresses and interfaces of one event are looked at: whoever can put an event on the bus could name
/// thousands, and each look costs calls, memory and messages. People are notified of the rest in one message.
pub const MOST_NAMED: usize = 50;

/// How sure the account and the Region of a finding are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Place {
    /// The trigger states them. An id that is not there may still be in another Region of the account.
    #[default]
    Stated,
    /// The ledger has them.
    OnRecord,
    /// A person left out what is marked: it is the function's own, unless the ledger knows better.
    Assumed { account: bool, region: bool },
}

/// By what an instance is looked up that a trigger does not name by its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Locator {
    Address(IpAddr),
    /// A network interface.
    Interface(EniId),
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Interface(id) => id.fmt(f),
        }
    }
}

impl Serialize for Locator {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An address or an interface that a trigger names; which instance has it is looked up.
#[derive(Debug, Clone, PartialEq)]
pub struct Addressed {
    /// The address, or the interface.
    pub address: Locator,
    /// The account to look in.
    pub account: AccountId,
    /// The Region to look in.
    pub region: Region,
    said_by: AccountId,
    crowd: usize,
    unclear: Option<Unclear>,
    draft: Draft,
}

impl Addressed {
    /// The finding, once exactly one instance of a Region is known to have the address.
    #[must_use]
    pub fn resolved(&self, instance: InstanceId, region: Region) -> Finding {
        let finding = self.draft.finding(&self.said_by, self.crowd, self.account.clone(), region, instance);
        Finding { unclear: self.unclear, ..finding }
    }

    /// Whether the account of the event may name instances of the address's account: asked again once it is resolved.
    #[must_use]
    pub fn said_by(&self) -> &AccountId {
        &self.said_by
    }

    /// When the activity was seen: what has the address since later is not meant.
    #[must_use]
    pub fn seen(&self) -> Option<Timestamp> {
        self.draft.first_seen.or(self.draft.last_seen)
    }

    /// The words of the report.
    #[must_use]
    pub fn report(&self) -> &[String] {
        &self.draft.report
    }

    /// The finding's type, title and id, for a message about an address that nobody could be found for.
    #[must_use]
    pub fn about(&self) -> (&str, &str, &str) {
        (&self.draft.kind, &self.draft.title, &self.draft.id)
    }
}

/// What the invoker wants done about the findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Action {
    #[default]
    Contain,
    /// Survey and show the plan; change nothing.
    Plan,
    /// Read back what a containment promised, and repair what drifted.
    Verify,
    /// Take a containment back.
    Release {
        /// Into its Auto Scaling group too.
        rejoin: Rejoin,
    },
    /// Show what a release would give back; change nothing.
    PlanRelease {
        /// Into its Auto Scaling group too.
        rejoin: Rejoin,
    },
}

impl Action {
    /// Whether the instance is to go back into its Auto Scaling group too.
    #[must_use]
    pub fn rejoins(self) -> bool {
        matches!(self, Self::Release { rejoin: Rejoin::Yes } | Self::PlanRelease { rejoin: Rejoin::Yes })
    }
}

/// Whether a person overrides an exemption and the tag of a containment that another ledger made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Force {
    /// Nothing is overridden.
    #[default]
    No,
    /// Both are.
    Yes,
}

/// What an event asks for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    /// What to do.
    pub action: Action,
    /// Whether it overrides what would hold a containment back.
    pub force: Force,
    /// One finding for every instance that the event names.
    pub findings: Vec<Finding>,
    /// One for every principal.
    pub principals: Vec<Finding<Principal>>,
    /// One for every address.
    pub addresses: Vec<Addressed>,
    /// Entries of a list that cannot be read; their neighbours are acted on, and people are notified of these.
    pub unread: Vec<Unread>,
    /// What else people must be notified of.
    pub notices: Vec<Notice>,
}

impl Request {
    /// Whether a person waits for the answer.
    #[must_use]
    pub fn is_by_person(&self) -> bool {
        !(self.findings.is_empty() && self.principals.is_empty() && self.addresses.is_empty())
            && self.findings.iter().all(|finding| finding.by_person)
            && self.principals.iter().all(|finding| finding.by_person)
            && self.addresses.iter().all(|addressed| addressed.draft.by_person)
    }

    /// Whether it names nothing, and nobody needs to be notified of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
            && self.principals.is_empty()
            && self.addresses.is_empty()
            && self.unread.is_empty()
            && self.notices.is_empty()
    }

    /// Takes in what another part of the same event asks for.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.principals.extend(other.principals);
        self.addresses.extend(other.addresses);
        self.unread.extend(other.unread);
        self.notices.extend(other.notices);
    }
}

/// One record of an SQS batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Queued {
    /// `messageId`, which a failed item is named by. Empty where the record has none: Lambda then returns the whole batch.
    pub message_id: String,
    /// `receiptHandle`.
    pub receipt: String,
    /// The queue's ARN.
    pub queue: String,
    /// `ApproximateReceiveCount`: how often it was received, this time included.
    pub receives: u32,
    /// `SentTimestamp`: when it came to the queue.
    pub sent: Option<Timestamp>,
    /// What its body holds.
    pub body: Result<Box<Parsed>, ParseError>,
}

/// What an event turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    /// It names instances.
    Request(Request),
    /// It is no trigger; the text says why, for the log.
    Nothing(String),
    /// It names no instance that could be contained, and people must be notified of it all the same.
    Notice(Box<Notice>),
    /// An SQS batch, each record on its own.
    Batch(Vec<Queued>),
    /// Somebody touched what a containment may hold.
    TrailCall(Box<TrailCall>),
    /// A question about all active containments.
    LedgerRequest(LedgerRequest),
    /// A question about the account before anything has happened.
    Readiness(Readiness),
}

/// How ready the function's account and Region are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// Make Brig's groups in each VPC that does not have them.
    pub prepare: bool,
    /// Accounts whose member role is tried.
    pub accounts: Vec<AccountId>,
    /// An instance to try permissions on, without effect.
    pub instance: Option<InstanceId>,
    /// Send people a message, which alone shows that they can be notified.
    pub notify: bool,
}

/// Whom a person asks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    Target(TargetKey),
    /// The user of an access key, whom IAM names.
    AccessKey(AccountId, AccessKeyId),
}

/// What is asked about all active containments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerRequest {
    /// Read back what each promised, and repair what drifted.
    Verify {
        /// The schedule asks, not a person.
        scheduled: bool,
    },
    /// List them, with what drifted.
    Status {
        /// Where the page begins: after this instance.
        from: Option<TargetKey>,
        /// The one instance or user that is asked about.
        of: Option<Whom>,
    },
    /// List the questions that wait.
    Questions {
        /// Where the page begins, as the page before it says.
        from: Option<String>,
    },
    /// A person answers a question.
    Decide {
        /// Its id.
        question: String,
        /// Whether to contain the instance.
        contain: bool,
        /// Why.
        reason: String,
    },
    /// Tell what is on record of one instance or user.
    Show(Whom),
    /// Say which instance is meant by a name or an address.
    Find(Find),
}

/// Why an event cannot be read. The message names the field and the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// No source that Brig knows writes such events, or not by this way.
    #[error("{0}")]
    UnsupportedEvent(String),
    /// The source is known, and the event does not say what it must.
    #[error("{0}")]
    InvalidRequest(String),
    /// The source is known, and a field of the event is not what it must be.
    #[error("{0}")]
    Unread(Unread),
}

/// Where the function itself runs, and which invocation this is: what a person's invoke leaves out.
#[derive(Debug, Clone)]
pub struct Invoked {
    /// The function's account.
    pub account: AccountId,
    /// The function's Region.
    pub region: Region,
    /// The invocation's request id; Lambda's own retries of an event repeat it.
    pub request_id: String,
}

/// Reads an event. Total: any JSON ends in a request, in "names nothing" or in an error.
pub fn parse(event: &Value, invoked: &Invoked, policy: &Policy) -> Result<Parsed, ParseError> {
    envelope::parse(event, invoked, policy).map(bounded)
}

/// However an event comes to name what it names, so much of it is looked at.
fn bounded(parsed: Parsed) -> Parsed {
    match parsed {
        Parsed::Request(mut request) => {
            let findings = request.findings.split_off(request.findings.len().min(MOST_NAMED));
            let room = MOST_NAMED - request.findings.len();
            let principals = request.principals.split_off(request.principals.len().min(room));
            let room = room - request.principals.len();
            let addresses = request.addresses.split_off(request.addresses.len().min(room));
            let first = findings.first().map(|finding| (finding, &finding.account, &finding.region));
            let of_principals = principals.first().map(|finding| {
                let Finding { source, id, kind, title, account, region, last_seen, .. } = finding;
                (*source, id, kind, title, account, region, *last_seen)
            });
            let notice = match (first, addresses.first()) {
                (None, _) if of_principals.is_some() => of_principals,
                (Some((finding, account, region)), _) => Some((
                    finding.source,
                    &finding.id,
                    &finding.kind,
                    &finding.title,
                    account,
                    region,
                    finding.last_seen,
                )),
                (None, Some(one)) => {
                    let draft = &one.draft;
                    Some((
                        draft.source,
                        &draft.id,
                        &draft.kind,
                        &draft.title,
                        &one.account,
                        &one.region,
                        draft.last_seen,
                    ))
                }
                (None, None) => None,
            };
            let notice = notice.map(|(source, id, kind, title, account, region, time)| Notice {
                kind: NoticeKind::TooMany,
                source,
                id: id.clone(),
                code: kind.clone(),
                title: title.clone(),
                account: account.clone(),
                region: region.clone(),
                time,
                link: None,
                named: findings
                    .iter()
                    .map(|finding| finding.target.to_string())
                    .chain(principals.iter().map(|one| one.target.to_string()))
                    .chain(addresses.iter().map(|one| one.address.to_string()))
                    .collect(),
            });
            request.notices.extend(notice.map(Notice::tidy));
            Parsed::Request(request)
        }
        Parsed::Batch(batch) => {
            let each = batch.into_iter().map(|queued| {
                let body = queued.body.map(|parsed| Box::new(bounded(*parsed)));
                Queued { body, ..queued }
            });
            Parsed::Batch(each.collect())
        }
        other @ (Parsed::Nothing(_)
        | Parsed::Notice(_)
        | Parsed::TrailCall(_)
        | Parsed::LedgerRequest(_)
        | Parsed::Readiness(_)) => other,
    }
}

#[cfg(test)]
mod tests;
