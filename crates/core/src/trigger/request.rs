//! What an event asks for: the findings, addresses and questions in it.

use std::{fmt, net::IpAddr};

use serde::Serialize;

use super::{Find, Finding, Notice, ParseError, TrailCall, Unclear, Unread, draft::Draft};
use crate::model::{
    Principal, Rejoin,
    ids::{AccessKeyId, AccountId, EniId, InstanceId, Region, TargetKey},
    timestamp::Timestamp,
};

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
    pub(super) said_by: AccountId,
    pub(super) crowd: usize,
    pub(super) unclear: Option<Unclear>,
    pub(super) draft: Draft,
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
