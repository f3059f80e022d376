//! Invoking the deployed functions, with the caller's own credentials and nothing that `aws lambda invoke` does not need.

use std::{error::Error, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_lambda::{
    Client,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
    operation::invoke::{InvokeError, InvokeOutput},
    primitives::Blob,
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    answer::Reply,
    args::Global,
    fault::{Fault, Kind},
};

const CONNECT: Duration = Duration::from_secs(5);
/// Longer than a function of Brig's may run: the SDKs' usual minute would end while it works.
const READ: Duration = Duration::from_secs(150);
/// Asking who is calling must not hold up a containment.
const WHO: Duration = Duration::from_secs(2);
/// A throttled call was not delivered, and may be sent again.
const THROTTLED_TRIES: u32 = 3;

/// Which of the functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// `<stack>-contain`.
    Contain,
    /// `<stack>-release`.
    Release,
    /// `<stack>-investigate`.
    Investigate,
}

/// The AWS configuration of the person who calls. Makes no call.
pub async fn configuration(global: &Global) -> SdkConfig {
    let client = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(client)
        // A call that got no answer may have been delivered: it is a person who repeats it.
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(READ).build());
    if let Some(profile) = &global.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &global.region {
        loader = loader.region(Region::new(region.clone()));
    }
    loader.load().await
}

/// The functions of a stack.
pub struct Caller {
    lambda: Client,
    sts: aws_sdk_sts::Client,
    stack: String,
    region: String,
}

impl Caller {
    /// Reads the AWS configuration. Makes no call.
    ///
    /// # Errors
    /// No Region is configured.
    pub async fn open(global: &Global) -> Result<Self, Fault> {
        let config = configuration(global).await;
        let region = config.region().ok_or(Fault::NoRegion)?.to_string();
        let timeouts = TimeoutConfig::builder().operation_timeout(WHO).build();
        let sts = aws_sdk_sts::config::Builder::from(&config).timeout_config(timeouts).build();
        Ok(Self {
            lambda: Client::new(&config),
            sts: aws_sdk_sts::Client::from_conf(sts),
            stack: global.stack.clone(),
            region,
        })
    }

    /// The name of a function.
    #[must_use]
    pub fn function(&self, duty: Duty) -> String {
        let duty = match duty {
            Duty::Contain => "contain",
            Duty::Release => "release",
            Duty::Investigate => "investigate",
        };
        format!("{}-{duty}", self.stack)
    }

    /// Invokes a function and waits for its answer.
    ///
    /// # Errors
    /// It was not reached, did not answer, or answered with an error.
    pub async fn ask(&self, duty: Duty, payload: &Value) -> Result<Reply, Fault> {
        let function = self.function(duty);
        let mut tries = 0;
        let output = loop {
            tries += 1;
            let call = self.lambda.invoke().function_name(&function).payload(Blob::new(payload.to_string()));
            // The SDK's futures are large; every caller's would hold one.
            match Box::pin(call.send()).await {
                Ok(output) => break output,
                Err(error) => {
                    let fault = self.explain(&function, &error);
                    if !matches!(fault, Fault::Throttled(_)) || tries >= THROTTLED_TRIES {
                        return Err(fault);
                    }
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        };
        read(&output)
    }

    /// Asks what only reads: of the function that contains, or, where the caller may not invoke that one, of the other.
    ///
    /// # Errors
    /// Neither can be asked; the error is the first one's.
    pub async fn read(&self, payload: &Value) -> Result<Reply, Fault> {
        match self.ask(Duty::Contain, payload).await {
            Err(refused @ Fault::NotAllowed { .. }) => match self.ask(Duty::Release, payload).await {
                Err(Fault::NotAllowed { .. }) => Err(refused),
                other => other,
            },
            other => other,
        }
    }

    /// The caller's ARN, by sts:GetCallerIdentity, which needs no permission
    /// (<https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>); none where STS does not say.
    pub async fn who(&self) -> Option<String> {
        Box::pin(self.sts.get_caller_identity().send()).await.ok()?.arn().map(str::to_owned)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the SDK's enum is open")]
    fn explain(&self, function: &str, error: &SdkError<InvokeError>) -> Fault {
        let function = function.to_owned();
        if let Some(credentials) = credentials_error(error) {
            return Fault::NoCredentials(DisplayErrorContext(credentials).to_string());
        }
        match error {
            SdkError::TimeoutError(_) | SdkError::ResponseError(_) => Fault::NoAnswer(function),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Fault::NoAnswer(function),
            SdkError::ServiceError(service) => {
                let code = service.err().code().unwrap_or("unknown").to_owned();
                let message = service.err().message().unwrap_or_default().to_owned();
                match code.as_str() {
                    "ResourceNotFoundException" => Fault::NoFunction { function, region: self.region.clone() },
                    "AccessDeniedException" | "AccessDenied" => Fault::NotAllowed { function, message },
                    "UnrecognizedClientException"
                    | "InvalidClientTokenId"
                    | "InvalidSignatureException"
                    | "ExpiredTokenException"
                    | "ExpiredToken"
                    | "IncompleteSignature"
                    | "MissingAuthenticationToken"
                    | "SignatureDoesNotMatch" => Fault::Credentials { code, message },
                    "TooManyRequestsException" => Fault::Throttled(function),
                    _ => Fault::Lambda { code, message },
                }
            }
            other => Fault::Network { function, why: cause_of(other) },
        }
    }
}

/// The last cause, which is the one that a person can mend: `Connection refused (os error 111)`.
fn cause_of(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// The error of the credentials' provider, where that is why a call failed.
fn credentials_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CredentialsError> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(found) = cause.downcast_ref() {
            return Some(found);
        }
        source = cause.source();
    }
    None
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FunctionError {
    #[serde(default)]
    error_type: String,
    #[serde(default)]
    error_message: String,
}

fn read(output: &InvokeOutput) -> Result<Reply, Fault> {
    let payload = output.payload().map(AsRef::as_ref).unwrap_or_default();
    let reply = Reply::read(payload)?;
    if output.function_error().is_none() {
        return Ok(reply);
    }
    let error: FunctionError = reply.typed()?;
    Err(Fault::Function { kind: Kind::of(&error.error_type), message: error.error_message, raw: reply.raw })
}
