//! AWS's published address ranges (<https://docs.aws.amazon.com/vpc/latest/userguide/aws-ip-ranges.html>), fetched when a
//! plan first needs them and kept for an hour.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use aws_smithy_runtime_api::{
    client::{http::HttpConnector, orchestrator::HttpRequest},
    http::Headers,
};
use brig_core::model::network_acl;
use brig_engine::ports::{CloudError, ErrorKind, PortResult};
use ipnet::IpNet;

use crate::{
    body::{Unread, whole},
    tls,
};

const KEPT: Duration = Duration::from_hours(1);
/// For everything: the name, the connection, the list of some two megabytes.
const PATIENCE: Duration = Duration::from_secs(5);
const LARGEST: usize = 32 * 1024 * 1024;

/// The list, and where it is fetched.
#[derive(Debug)]
pub(crate) struct Ranges {
    url: String,
    kept: Mutex<Option<(Instant, Arc<[IpNet]>)>>,
}

impl Ranges {
    pub(crate) fn new(url: String) -> Self {
        Self { url, kept: Mutex::default() }
    }

    pub(crate) async fn published(&self) -> PortResult<Arc<[IpNet]>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, ranges)) = kept
            && at.elapsed() < KEPT
        {
            return Ok(ranges);
        }
        let twice = async {
            match fetch(&self.url).await {
                Err(error) if error.is_retryable() => fetch(&self.url).await,
                answer => answer,
            }
        };
        let text = match tokio::time::timeout(PATIENCE, twice).await {
            Ok(text) => text?,
            Err(_) => return Err(error(ErrorKind::Transient, "NoAnswer", format!("none within {PATIENCE:?}"))),
        };
        let ranges = network_acl::published(&text).map_err(|why| error(ErrorKind::Transient, "NotTheList", why))?;
        let ranges: Arc<[IpNet]> = ranges.into();
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), Arc::clone(&ranges)));
        Ok(ranges)
    }
}

fn error(kind: ErrorKind, code: &str, message: String) -> CloudError {
    CloudError { operation: "GET ip-ranges.json", kind, code: code.to_owned(), message }
}

async fn fetch(url: &str) -> PortResult<Vec<u8>> {
    let broken = |why: String| error(ErrorKind::Transient, "Connection", why);
    let mut request = HttpRequest::empty();
    request.set_uri(url).map_err(|why| error(ErrorKind::Other, "BadUrl", why.to_string()))?;
    let headers: &mut Headers = request.headers_mut();
    headers.insert("accept", "application/json");
    let answer = tls::connector().call(request).await.map_err(|why| broken(why.to_string()))?;
    let status = answer.status().as_u16();
    if status != 200 {
        // A redirection or a page of something between is not the mirror's own word.
        let refused = (400..500).contains(&status) && status != 408 && status != 429;
        let kind = if refused { ErrorKind::Other } else { ErrorKind::Transient };
        return Err(error(kind, "Status", status.to_string()));
    }
    whole(answer.into_body(), LARGEST).await.map_err(|why| match why {
        Unread::Broken(why) => broken(why),
        Unread::TooLarge => error(ErrorKind::Other, "NotTheList", "it is too large to be the list".to_owned()),
    })
}
