//! Why the command has no answer to show, and what to do about it.

use crate::exit::Exit;

/// No answer, or one that is an error.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Nothing says in which Region the functions are.
    #[error("no Region is configured")]
    NoRegion,
    /// No credentials, or they could not be had.
    #[error("no AWS credentials: {0}")]
    NoCredentials(String),
    /// AWS does not accept the credentials.
    #[error("AWS does not accept the credentials: {code}: {message}")]
    Credentials {
        /// AWS's error code.
        code: String,
        /// AWS's message.
        message: String,
    },
    /// The caller may not invoke the function.
    #[error("not allowed to invoke {function}: {message}")]
    NotAllowed {
        /// The function's name.
        function: String,
        /// AWS's message.
        message: String,
    },
    /// There is no such function.
    #[error("there is no function {function} in {region}")]
    NoFunction {
        /// The function's name.
        function: String,
        /// The Region that was looked in.
        region: String,
    },
    /// The endpoint was not reached: nothing was delivered.
    #[error("{function} was not reached: {why}")]
    Network {
        /// The function's name.
        function: String,
        /// The error's own words.
        why: String,
    },
    /// No answer came in time; the call may have been delivered.
    #[error("{0} did not answer in time")]
    NoAnswer(String),
    /// Lambda had no room for the call.
    #[error("Lambda has no room for {0} now")]
    Throttled(String),
    /// Lambda answered with another error.
    #[error("Lambda: {code}: {message}")]
    Lambda {
        /// AWS's error code.
        code: String,
        /// AWS's message.
        message: String,
    },
    /// The function answered with an error.
    #[error("{kind}: {message}")]
    Function {
        /// `errorType`.
        kind: Kind,
        /// `errorMessage`.
        message: String,
        /// The answer as it came.
        raw: String,
    },
    /// The answer is not what this version expects.
    #[error("the answer could not be read: {0}")]
    Unreadable(String),
    /// What was typed cannot be done.
    #[error("{0}")]
    Input(String),
    /// A file could not be written.
    #[error("{file} could not be written: {why}")]
    File {
        /// Its name.
        file: String,
        /// The error's own words.
        why: String,
    },
    /// Several instances fit.
    #[error("{} instances have {what}", found.len() + more)]
    Several {
        /// `the Name tag web`.
        what: String,
        /// Each of them as the command takes it, with what is known of it.
        found: Vec<(String, String)>,
        /// How many more there are.
        more: usize,
    },
    /// The terminal could not be read.
    #[error("nothing could be read from the terminal: {0}")]
    Terminal(#[source] std::io::Error),
}

/// The `errorType` of a function's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The request is wrong.
    InvalidRequest,
    /// The function does not know this kind of request.
    UnsupportedEvent,
    /// Another function serves it.
    NotServed,
    /// Work is left over.
    Incomplete,
    /// The ledger could not be read.
    LedgerUnreachable,
    /// An instance could not be looked up.
    LookupFailed,
    /// The account cannot be looked at by the function that looks back.
    Unreachable,
    /// The ledger has no containment of it.
    NotOnRecord,
    /// No evidence is kept, or not safely: what to do is said.
    NoEvidence,
    /// Somebody else is at it.
    InProgress,
    /// Something that evidence needs did not answer.
    Unavailable,
    /// The function ended early: its time was over, or it died.
    Died(String),
}

impl Kind {
    /// From the word in the answer.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word {
            "InvalidRequest" => Self::InvalidRequest,
            "UnsupportedEvent" => Self::UnsupportedEvent,
            "NotServed" => Self::NotServed,
            "Incomplete" => Self::Incomplete,
            "LedgerUnreachable" => Self::LedgerUnreachable,
            "LookupFailed" => Self::LookupFailed,
            "Unreachable" | "NoAccount" => Self::Unreachable,
            "NotOnRecord" => Self::NotOnRecord,
            "NoEvidence" | "NoObjectLock" => Self::NoEvidence,
            "InProgress" => Self::InProgress,
            "Unavailable" => Self::Unavailable,
            other => Self::Died(other.to_owned()),
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::InvalidRequest => "the request was refused",
            Self::Unreachable => "the account cannot be looked at",
            Self::UnsupportedEvent => "the function does not know this request",
            Self::NotServed => "this function does not serve it",
            Self::Incomplete => "work is left over",
            Self::LedgerUnreachable => "the ledger could not be read",
            Self::LookupFailed => "the look-up failed",
            Self::NotOnRecord => "not on record",
            Self::NoEvidence => "no evidence is taken",
            Self::InProgress => "somebody else is taking it",
            Self::Unavailable => "it could not be done now",
            Self::Died(word) => return write!(f, "the function ended early ({word})"),
        })
    }
}

impl Fault {
    /// The exit code.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::NoRegion
            | Self::NoCredentials(_)
            | Self::Credentials { .. }
            | Self::NotAllowed { .. }
            | Self::NoFunction { .. }
            | Self::Network { .. }
            | Self::NoAnswer(_)
            | Self::Throttled(_)
            | Self::Lambda { .. }
            | Self::Unreadable(_) => Exit::Unreachable,
            Self::Input(_) | Self::File { .. } | Self::Several { .. } | Self::Terminal(_) => Exit::Refused,
            Self::Function { kind, .. } => match kind {
                Kind::InvalidRequest
                | Kind::UnsupportedEvent
                | Kind::NotServed
                | Kind::NotOnRecord
                | Kind::NoEvidence => Exit::Refused,
                Kind::LedgerUnreachable | Kind::Unreachable => Exit::Unreachable,
                Kind::Incomplete | Kind::LookupFailed | Kind::InProgress | Kind::Unavailable | Kind::Died(_) => {
                    Exit::Partial
                }
            },
        }
    }

    /// What to do about it; empty where the error says it all. `brig` is how the command is called.
    #[must_use]
    pub fn advice(&self, brig: &str) -> String {
        match self {
            Self::NoRegion => "Give --region, set AWS_REGION, or set a Region in the profile.".to_owned(),
            Self::NoCredentials(_) => {
                "Sign in (aws sso login), choose a profile with --profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
                    .to_owned()
            }
            Self::Credentials { .. } => "They may have expired: sign in again, or choose another --profile.".to_owned(),
            Self::NotAllowed { .. } => {
                "Ask for the managed policy that the stack's output MayContainPolicyArn (for a release: MayReleasePolicyArn) names."
                    .to_owned()
            }
            Self::NoFunction { .. } => {
                "Is the stack called something else (--stack), or deployed in another Region (--region) or account (--profile)?"
                    .to_owned()
            }
            Self::Network { .. } => "Nothing was changed by this call. Check the network and the endpoint, then try again.".to_owned(),
            Self::NoAnswer(_) => format!(
                "The call may have arrived, and Brig may still be working. Look at what is true with `{brig} status` before you repeat it; repeating it is safe."
            ),
            Self::Throttled(_) => "Nothing was changed by this call. Try again in a few seconds.".to_owned(),
            Self::Lambda { .. } | Self::Several { .. } | Self::Input(_) | Self::File { .. } | Self::Terminal(_) => {
                String::new()
            },
            Self::Unreadable(_) => {
                "The deployed function may be of another version than this command. --json shows the answer as it came."
                    .to_owned()
            }
            Self::Function { kind, .. } => match kind {
                Kind::InvalidRequest | Kind::NoEvidence | Kind::InProgress => String::new(),
                Kind::NotOnRecord => format!("{brig} status lists what is contained; {brig} trace needs no containment."),
                Kind::Unavailable => "Run the same command again: it goes on where it stopped, and writes nothing twice.".to_owned(),
                Kind::LookupFailed => "Name the instance by its id.".to_owned(),
                Kind::UnsupportedEvent => "The deployed function may be older than this command.".to_owned(),
                Kind::NotServed => "Check --stack: functions are found by the names <stack>-contain, <stack>-release and <stack>-investigate.".to_owned(),
                Kind::Unreachable => "Nothing was changed. brig trace asks about the account of its function; of another one, give it the trail's files (--files).".to_owned(),
                Kind::Incomplete => "Run the same command again: it continues where it stopped.".to_owned(),
                Kind::LedgerUnreachable => "Look at the DynamoDB table of the ledger and its key. Nothing was changed.".to_owned(),
                Kind::Died(_) => format!(
                    "What it had done is on record, and a repeat continues from there. Look at what is true with `{brig} status`; the function's log says why it ended."
                ),
            },
        }
    }
}
