//! What people must be notified of although it names no instance that could be contained: a well-formed event without one, and
//! entries of a list that cannot be read while their neighbours are acted on.

use std::fmt;

use serde::Serialize;

use super::{ParseError, Source, draft};
use crate::model::{
    ids::{AccountId, Region},
    timestamp::Timestamp,
};

/// The longest part of an event that is shown.
const LONGEST: usize = 200;
/// So many things that an event names are listed in a notice.
const MOST_NAMED: usize = 20;

/// A field that is not what it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// The path that led to it, `detail.instance_ids[3]`.
    pub field: String,
    /// What stands there, as an error shows it: short, never a whole document.
    pub value: String,
    /// What should stand there.
    pub expected: String,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = |text: &str| one_line(text, LONGEST);
        if self.field.is_empty() {
            return write!(f, "{} is not {}", path(&self.value), path(&self.expected));
        }
        write!(f, "{}: {} is not {}", path(&self.field), path(&self.value), path(&self.expected))
    }
}

impl Unread {
    /// An entry of a list that could not be read: the field's path goes on below the entry's.
    pub(crate) fn below(entry: &str, error: ParseError) -> Self {
        match error {
            ParseError::Unread(unread) if unread.field.is_empty() => Self { field: entry.to_owned(), ..unread },
            ParseError::Unread(unread) => Self { field: format!("{entry}: {}", unread.field), ..unread },
            ParseError::UnsupportedEvent(why) | ParseError::InvalidRequest(why) => Self {
                field: entry.to_owned(),
                value: "it".to_owned(),
                expected: format!("an event that Brig reads ({why})"),
            },
        }
    }
}

impl From<ParseError> for Unread {
    fn from(error: ParseError) -> Self {
        match error {
            ParseError::Unread(unread) => unread,
            ParseError::UnsupportedEvent(why) | ParseError::InvalidRequest(why) => {
                Self { field: String::new(), value: why, expected: "what Brig reads".to_owned() }
            }
        }
    }
}

/// Why nothing could be done about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// An abuse report names no instance and no address.
    AbuseNamesNothing,
    /// An abuse event that AWS has closed, or whose resources it calls resolved.
    AbuseClosed,
    /// An abuse report about content, such as a copyright claim: no sign of a compromise.
    AbuseContent,
    /// An alarm without an instance among its dimensions.
    AlarmNamesNothing,
    /// An alarm whose state cannot be read.
    AlarmUnreadable,
    /// A finding about an instance's credentials that does not say which instance.
    CredentialsOfUnknownInstance,
    /// A click in Security Hub on findings that name no instance.
    ClickNamesNothing,
    /// AWS found an access key in public, and the event does not say which.
    ExposedKeyNotNamed,
    /// An event names more than is looked at.
    TooMany,
}

impl NoticeKind {
    /// Whether AWS expects an answer within 24 hours.
    #[must_use]
    pub fn expects_answer(self) -> bool {
        match self {
            Self::AbuseNamesNothing | Self::AbuseContent => true,
            Self::AbuseClosed
            | Self::AlarmNamesNothing
            | Self::AlarmUnreadable
            | Self::CredentialsOfUnknownInstance
            | Self::ClickNamesNothing
            | Self::ExposedKeyNotNamed
            | Self::TooMany => false,
        }
    }

    /// The reason, after "Nothing was done: ".
    #[must_use]
    pub fn why(self) -> &'static str {
        match self {
            Self::AbuseNamesNothing => "the abuse report names no instance and no address of one",
            Self::AbuseClosed => "AWS has closed the abuse report, or calls the resources in it resolved",
            Self::AbuseContent => "the abuse report is about content, which is not a sign of compromise",
            Self::AlarmNamesNothing => "the alarm has no InstanceId dimension",
            Self::ClickNamesNothing => "the findings chosen in Security Hub name no instance",
            Self::AlarmUnreadable => {
                "the alarm does not say that it is in the state ALARM, or in another that is known"
            }
            Self::CredentialsOfUnknownInstance => {
                "the credentials of an instance are used elsewhere, and the finding does not say which instance"
            }
            Self::ExposedKeyNotNamed => "AWS found an access key in public, and the event does not say which",
            Self::TooMany => "the event names more than Brig looks at for one event",
        }
    }

    /// What a person does next.
    #[must_use]
    pub fn what_to_do(self) -> &'static str {
        match self {
            Self::AbuseNamesNothing => {
                "Read the report in the console and in the mail that AWS sent to the account's contacts, find the instance, and contain it by its id. AWS expects an answer within 24 hours."
            }
            Self::AbuseClosed => {
                "Check that it was you who settled it. If an instance is still compromised, contain it by its id."
            }
            Self::AbuseContent => "Answer AWS within 24 hours: the content, or who published it, is the matter.",
            Self::AlarmNamesNothing | Self::AlarmUnreadable => {
                "Look at the alarm, find the instance, and contain it by its id if it is compromised."
            }
            Self::ClickNamesNothing => {
                "Look at the findings that were chosen, find the instance, and contain it by its id if it is compromised."
            }
            Self::CredentialsOfUnknownInstance => {
                "Find the instance that the session belongs to (the session name in CloudTrail is its id), and contain it by its id."
            }
            Self::ExposedKeyNotNamed => {
                "Read the event in the console and in the mail that AWS sent to the account's contacts, and contain the key: `brig contain AKIA...`."
            }
            Self::TooMany => "Find out whether the event is real. Contain the rest by id.",
        }
    }
}

/// A well-formed event that names nothing to contain, which people must be notified of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// Why nothing could be done.
    pub kind: NoticeKind,
    /// Who sent it.
    pub source: Source,
    /// The event's id at its source.
    pub id: String,
    /// The event's code or type at its source, `AWS_ABUSE_DOS_REPORT`.
    pub code: String,
    /// What a person reads about it, one line.
    pub title: String,
    /// The account that it is about.
    pub account: AccountId,
    /// The Region that it is about.
    pub region: Region,
    /// When, as far as the source says.
    pub time: Option<Timestamp>,
    /// Where to look at it in the console.
    pub link: Option<String>,
    /// What it names that is no instance, or was left out.
    pub named: Vec<String>,
}

impl Notice {
    /// Texts from outside become one bounded line each, and the list of what is named is cut and counted.
    #[must_use]
    pub fn tidy(mut self) -> Self {
        for text in [&mut self.id, &mut self.code, &mut self.title] {
            *text = one_line(text, LONGEST);
        }
        let more = self.named.len().saturating_sub(MOST_NAMED);
        self.named.truncate(MOST_NAMED);
        for text in &mut self.named {
            *text = one_line(text, LONGEST);
        }
        if more > 0 {
            self.named.push(format!("and {more} more"));
        }
        self
    }

    /// The sentence that a person needs first.
    #[must_use]
    pub fn summary(&self) -> String {
        format!("Nothing was done about {} in {}/{}: {}.", self.code, self.account, self.region, self.kind.why())
    }
}

fn one_line(text: &str, most: usize) -> String {
    draft::one_line(text).chars().take(most).collect()
}
