//! What AWS answers instead of a result.

use brig_core::{model::text, step::Denial};

/// What kind of answer AWS gave instead of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Too many calls.
    Throttled,
    /// A fault on the way or at AWS: timeouts, broken connections, 5xx.
    Transient,
    /// The caller is not let do it.
    Denied(Denial),
    /// The resource is not there.
    NotFound,
    /// It exists already.
    Duplicate,
    /// The resource is in a state that does not allow this now.
    Conflict,
    /// AWS does not offer this for this resource, whoever asks: a Spot instance has no stop protection.
    Unsupported,
    /// A quota, of the account or of the resource, is used up.
    LimitReached,
    /// Anything else: the request itself is wrong, or AWS says something new.
    Other,
}

/// Characters of AWS's message that are shown.
const LONGEST_MESSAGE: usize = 400;

/// An AWS call that did not succeed. `Display` says what was called and what AWS answered; never a request's content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: {}: {}", text::one_line(.code, text::NAME), text::one_line(.message, LONGEST_MESSAGE))]
pub struct CloudError {
    /// AWS's name of the operation, `ModifyNetworkInterfaceAttribute`.
    pub operation: &'static str,
    /// The kind of answer.
    pub kind: ErrorKind,
    /// AWS's error code, or what stands for it.
    pub code: String,
    /// AWS's message.
    pub message: String,
}

impl CloudError {
    /// Why it was denied, where it was.
    #[must_use]
    pub fn denial(&self) -> Option<Denial> {
        if let ErrorKind::Denied(denial) = self.kind { Some(denial) } else { None }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, ErrorKind::Throttled | ErrorKind::Transient | ErrorKind::Conflict)
    }

    /// Whether AWS will not do this here, whoever asks and however often.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self.kind, ErrorKind::Unsupported | ErrorKind::LimitReached | ErrorKind::Other)
    }
}

/// The answer to an AWS call.
pub type PortResult<T> = Result<T, CloudError>;
