//! Amazon S3 (<https://docs.aws.amazon.com/AmazonS3/latest/API/>), as far as files of flow logs need it: two requests, signed
//! by the SDK's own signer. The SDK's client for S3 has a hundred more, and the binary has little room left under its limit.

mod answer;
mod request;

use std::{
    collections::HashMap,
    fmt::Display,
    sync::{Mutex, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, SharedHttpConnector},
    orchestrator::HttpResponse,
};
use aws_smithy_types::byte_stream::ByteStream;
use brig_core::model::Listing;
use brig_engine::ports::{Clock as _, CloudError, ErrorKind, Lines, Object, PortResult};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use self::{
    answer::{Page, Refusal, Unzip},
    request::{base, signed},
};
use crate::{
    body::{Unread, whole},
    clock::SystemClock,
    error::{UNREADABLE, kind_of},
    tls,
};

/// So many pages of a list are read, each of 1,000 objects.
const MOST_PAGES: usize = 5;
/// For an answer, and for each part of one.
const PATIENCE: Duration = Duration::from_secs(5);
/// Before a second try.
const PAUSE: Duration = Duration::from_millis(300);
/// A page of a list, or an error, is no larger.
const LARGEST: usize = 4 * 1024 * 1024;
/// What stands in a request for itself
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &VALUE.remove(b'/');

/// S3 in the Region of the instance, or where a bucket says that it is.
pub(crate) struct S3 {
    config: SdkConfig,
    connector: SharedHttpConnector,
    /// Regions of buckets that are elsewhere.
    elsewhere: Mutex<HashMap<String, String>>,
}

impl S3 {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self {
            config: config.clone(),
            connector: SharedHttpConnector::new(tls::connector()),
            elsewhere: Mutex::default(),
        }
    }

    pub(crate) async fn list_objects(&self, bucket: &str, listing: &Listing) -> PortResult<Vec<Object>> {
        const OPERATION: &str = "ListObjectsV2";
        let value = |text: &str| utf8_percent_encode(text, VALUE).to_string();
        let query = format!("list-type=2&prefix={}&start-after={}", value(&listing.prefix), value(&listing.after));
        let (mut objects, mut next) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let more = next.map_or_else(String::new, |token: String| format!("&continuation-token={}", value(&token)));
            let answer = self.get(OPERATION, bucket, "", &format!("{query}{more}")).await?;
            let text = in_time(OPERATION, whole(answer.into_body(), LARGEST)).await?;
            let text = text.map_err(|why| unread(OPERATION, why))?;
            let page =
                Page::of(&String::from_utf8_lossy(&text)).map_err(|why| unreadable(OPERATION, why.to_string()))?;
            objects.extend(page.objects);
            next = page.next;
            if next.is_none() {
                return Ok(objects);
            }
        }
        let message = format!("more than {} objects begin with {}", objects.len(), listing.prefix);
        Err(CloudError { operation: OPERATION, kind: ErrorKind::Other, code: "TooMany".to_owned(), message })
    }

    pub(crate) async fn get_object_lines(&self, bucket: &str, key: &str, line: Lines<'_>) -> PortResult<()> {
        const OPERATION: &str = "GetObject";
        let unreadable = |why: String| unreadable(OPERATION, format!("{key}: {why}"));
        let mut body = ByteStream::new(self.get(OPERATION, bucket, key, "").await?.into_body());
        let mut unzip = Unzip::to(line);
        while let Some(part) = in_time(OPERATION, body.next()).await? {
            unzip.read(&part.map_err(|why| broken(OPERATION, why))?).map_err(unreadable)?;
        }
        unzip.end().map_err(unreadable)
    }

    /// GET; again where the answer said that the bucket is in another Region, and once more where it might do better.
    async fn get(&self, operation: &'static str, bucket: &str, key: &str, query: &str) -> PortResult<HttpResponse> {
        let (mut moves, mut tries) = (0, 0);
        loop {
            let error = match in_time(operation, self.ask(operation, bucket, key, query)).await.flatten() {
                Ok(answer) if answer.status().as_u16() == 200 => return Ok(answer),
                Ok(answer) => {
                    let region = answer.headers().get("x-amz-bucket-region").map(str::to_owned);
                    let (error, named) = refusal(operation, answer).await;
                    if moves == 0 && self.moved(bucket, region.or(named)) {
                        moves += 1;
                        continue;
                    }
                    error
                }
                Err(error) => error,
            };
            if tries > 0 || !error.is_retryable() {
                return Err(error);
            }
            tries += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Keeps the Region that an answer names for a bucket; whether it is news.
    fn moved(&self, bucket: &str, region: Option<String>) -> bool {
        let Some(region) = region.filter(|region| *region != self.region(bucket)) else { return false };
        self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner).insert(bucket.to_owned(), region);
        true
    }

    fn region(&self, bucket: &str) -> String {
        let elsewhere = self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner);
        let own = || self.config.region().map(|region| region.as_ref().to_owned()).unwrap_or_default();
        elsewhere.get(bucket).cloned().unwrap_or_else(own)
    }

    async fn ask(&self, operation: &'static str, bucket: &str, key: &str, query: &str) -> PortResult<HttpResponse> {
        let region = self.region(bucket);
        let base = base(&self.config, bucket, &region).await.map_err(|why| bad(operation, why))?;
        let key = utf8_percent_encode(key, PATH);
        let mark = if query.is_empty() { "" } else { "?" };
        let uri = format!("{base}/{key}{mark}{query}");
        let provider = self.config.credentials_provider();
        let provider = provider.ok_or_else(|| bad(operation, "there are no credentials".to_owned()))?;
        let credentials = provider.provide_credentials().await.map_err(|why| broken(operation, why))?;
        let since = u64::try_from(SystemClock.now().millis()).unwrap_or(0);
        let at = UNIX_EPOCH + Duration::from_millis(since);
        let request = signed(&uri, &region, credentials, at).map_err(|why| bad(operation, why.to_string()))?;
        self.connector.call(request).await.map_err(|why| broken(operation, why))
    }
}

/// A call that takes no longer than an answer of AWS may.
async fn in_time<T>(operation: &'static str, call: impl Future<Output = T>) -> PortResult<T> {
    tokio::time::timeout(PATIENCE, call).await.map_err(|_| broken(operation, format!("no answer within {PATIENCE:?}")))
}

/// The refusal, and the bucket's Region where it names one.
async fn refusal(operation: &'static str, answer: HttpResponse) -> (CloudError, Option<String>) {
    let status = answer.status().as_u16();
    let text = in_time(operation, whole(answer.into_body(), LARGEST)).await.ok().and_then(Result::ok);
    let refusal = Refusal::of(&String::from_utf8_lossy(&text.unwrap_or_default()));
    let error = match refusal.code {
        Some(code) => {
            let kind = kind_of(&code, &refusal.message, status);
            CloudError { operation, kind, code, message: refusal.message }
        }
        None => unreadable(operation, format!("HTTP {status}: the answer cannot be read")),
    };
    (error, refusal.region)
}

fn unread(operation: &'static str, why: Unread) -> CloudError {
    match why {
        Unread::Broken(why) => broken(operation, why),
        Unread::TooLarge => bad(operation, format!("it is larger than {LARGEST} bytes")),
    }
}

fn broken(operation: &'static str, why: impl Display) -> CloudError {
    CloudError { operation, kind: ErrorKind::Transient, code: "NoConnection".to_owned(), message: why.to_string() }
}

fn bad(operation: &'static str, message: String) -> CloudError {
    CloudError { operation, kind: ErrorKind::Other, code: "BadRequest".to_owned(), message }
}

fn unreadable(operation: &'static str, message: String) -> CloudError {
    CloudError { operation, kind: ErrorKind::Transient, code: UNREADABLE.to_owned(), message }
}

#[cfg(test)]
mod tests;
