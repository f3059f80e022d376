//! From the SDK's errors to the engine's: what was called, what AWS answered, of what kind it is.

mod denial;

use std::error::Error;

use aws_smithy_runtime_api::client::{
    orchestrator::HttpResponse,
    result::{ConnectorError, SdkError},
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use brig_core::step::Denial;
use brig_engine::ports::{CloudError, ErrorKind};

use crate::sound::Unsound;

/// The code of an answer that is not AWS's, or not whole. Asking again may help, as with a 5xx.
pub(crate) const UNREADABLE: &str = "Unreadable";

/// An answer of the SDK that is no success.
pub(crate) trait Explain<T> {
    /// Names the operation and sorts the error.
    fn explain(self, operation: &'static str) -> Result<T, CloudError>;
}

impl<T, E: ProvideErrorMetadata + std::fmt::Debug> Explain<T> for Result<T, SdkError<E, HttpResponse>> {
    fn explain(self, operation: &'static str) -> Result<T, CloudError> {
        self.map_err(|error| cloud_error(operation, &error))
    }
}

pub(crate) fn cloud_error<E: ProvideErrorMetadata>(
    operation: &'static str,
    error: &SdkError<E, HttpResponse>,
) -> CloudError {
    let (kind, code, message) = match error {
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            let code = answer.err().code().unwrap_or_default();
            let message = answer.err().message().unwrap_or_default();
            if code.is_empty() {
                // Not AWS's words, whatever the status: a page of something between, a redirection, a cut body.
                (ErrorKind::Transient, UNREADABLE.to_owned(), format!("HTTP {status}: the answer cannot be read"))
            } else {
                (kind_of(code, message, status), code.to_owned(), message.to_owned())
            }
        }
        SdkError::TimeoutError(_) => {
            (ErrorKind::Transient, "Timeout".to_owned(), "AWS did not answer in time".to_owned())
        }
        SdkError::DispatchFailure(failure) => {
            let why = failure.as_connector_error().and_then(Error::source);
            if let Some(unsound) = why.and_then(|why| why.downcast_ref::<Unsound>()) {
                (ErrorKind::Transient, UNREADABLE.to_owned(), unsound.to_string())
            } else {
                let why = failure.as_connector_error().map_or_else(String::new, ConnectorError::to_string);
                (ErrorKind::Transient, "NoConnection".to_owned(), why)
            }
        }
        SdkError::ResponseError(answer) => {
            let status = answer.raw().status().as_u16();
            (ErrorKind::Transient, UNREADABLE.to_owned(), format!("HTTP {status}: the answer cannot be read"))
        }
        // The request could not be built: the SDK's own words, since no answer exists.
        SdkError::ConstructionFailure(_) => (ErrorKind::Other, "BadRequest".to_owned(), error.to_string()),
        _ => (ErrorKind::Transient, "Unknown".to_owned(), error.to_string()),
    };
    CloudError { operation, kind, code, message: message.chars().take(400).collect() }
}

/// Sorts by code; AWS has no list for all services, so that suffixes stand for families
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>).
pub(crate) fn kind_of(code: &str, message: &str, status: u16) -> ErrorKind {
    const THROTTLED: [&str; 13] = [
        "RequestLimitExceeded",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "ConcurrentSnapshotLimitExceeded",
        "PendingSnapshotLimitExceeded",
        "SnapshotCreationPerVolumeRateExceeded",
        "RequestThrottled",
        "SlowDown",
        "KMSThrottling",
        "KMSThrottlingException",
    ];
    const DENIED: [&str; 11] = [
        "UnauthorizedOperation",
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "AuthFailure",
        "OptInRequired",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "KMSAccessDenied",
        "KMSAccessDeniedException",
    ];
    const CONFLICT: [&str; 10] = [
        "IncorrectState",
        "IncorrectInstanceState",
        "InvalidState",
        "ConcurrentModification",
        "ConcurrentModificationException",
        "ScalingActivityInProgress",
        "ResourceContention",
        "TransactionConflictException",
        "TransactionInProgressException",
        "EntityTemporarilyUnmodifiable",
    ];
    // What AWS does not offer for this resource
    // (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>).
    const UNSUPPORTED: [&str; 6] = [
        "Unsupported",
        "UnsupportedOperation",
        "UnsupportedInstanceAttribute",
        "UnsupportedHibernationConfiguration",
        "UnsupportedTenancy",
        "InvalidParameterCombination",
    ];
    const FULL: [&str; 9] = [
        "LimitExceeded",
        "TagLimitExceeded",
        "SnapshotLimitExceeded",
        "ResourceLimitExceeded",
        "NetworkAclEntryLimitExceeded",
        "SecurityGroupLimitExceeded",
        "RulesPerSecurityGroupLimitExceeded",
        "SecurityGroupsPerInterfaceLimitExceeded",
        "SecurityGroupsPerInstanceLimitExceeded",
    ];
    const DUPLICATE: [&str; 2] = ["EntityAlreadyExists", "NetworkAclEntryAlreadyExists"];
    const MISSING: [&str; 6] = [
        "NoSuchEntity",
        "NoSuchBucket",
        "NoSuchKey",
        "AccessPointNotFound",
        "LoadBalancerNotFound",
        "TargetGroupNotFound",
    ];
    let is = |codes: &[&str]| codes.contains(&code);
    if is(&THROTTLED) {
        ErrorKind::Throttled
    } else if is(&DENIED) {
        ErrorKind::Denied(denial::denial_of(code, message))
    } else if denial::is_managed(code, message) {
        ErrorKind::Denied(Denial::Managed)
    } else if is(&MISSING) || code.ends_with(".NotFound") || code.ends_with("NotFoundException") {
        ErrorKind::NotFound
    } else if is(&UNSUPPORTED) {
        ErrorKind::Unsupported
    } else if is(&FULL) {
        ErrorKind::LimitReached
    } else if code.ends_with(".Duplicate") || is(&DUPLICATE) {
        ErrorKind::Duplicate
    } else if is(&CONFLICT) || (code == "ValidationError" && message.contains("is not in InService or Standby")) {
        ErrorKind::Conflict
    } else if code == "ValidationError" && (message.contains("not found") || message.contains("is not part of")) {
        // Auto Scaling's words for a group that is gone and for an instance that is no longer in it.
        ErrorKind::NotFound
    } else if status >= 500
        || code == "TemporaryRedirect"
        || code == "InternalError"
        || code == "Unavailable"
        || code == "ServiceUnavailable"
    {
        ErrorKind::Transient
    } else {
        ErrorKind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_sorted_by_what_can_be_done_about_them() {
        for (code, message, status, kind) in [
            ("RequestLimitExceeded", "", 503, ErrorKind::Throttled),
            ("UnauthorizedOperation", "", 403, ErrorKind::Denied(Denial::Unsaid)),
            ("InvalidGroup.NotFound", "", 400, ErrorKind::NotFound),
            ("ResourceNotFoundException", "", 400, ErrorKind::NotFound),
            ("InvalidGroup.Duplicate", "", 400, ErrorKind::Duplicate),
            ("NetworkAclEntryAlreadyExists", "", 400, ErrorKind::Duplicate),
            ("ValidationError", "The instance i-1 is not in InService or Standby.", 400, ErrorKind::Conflict),
            ("ValidationError", "AutoScalingGroup name not found - null", 400, ErrorKind::NotFound),
            ("ValidationError", "The instance i-1 is not part of Auto Scaling group web.", 400, ErrorKind::NotFound),
            ("InternalError", "", 500, ErrorKind::Transient),
            ("HTTP 503", "", 503, ErrorKind::Transient),
            ("TemporaryRedirect", "", 307, ErrorKind::Transient),
            ("KMSAccessDenied", "", 400, ErrorKind::Denied(Denial::Unsaid)),
            ("KMSThrottling", "", 400, ErrorKind::Throttled),
            ("InvalidParameter", "", 400, ErrorKind::Other),
            ("InvalidParameterValue", "", 400, ErrorKind::Other),
            ("UnsupportedOperation", "", 400, ErrorKind::Unsupported),
            ("InvalidParameterCombination", "", 400, ErrorKind::Unsupported),
            ("LimitExceeded", "", 409, ErrorKind::LimitReached),
            ("TagLimitExceeded", "", 400, ErrorKind::LimitReached),
            ("SecurityGroupLimitExceeded", "", 400, ErrorKind::LimitReached),
        ] {
            assert_eq!(kind_of(code, message, status), kind, "{code}");
        }
    }
}
