//! CloudTrail's LookupEvents, replayed from records: by attribute and time, newest first, fifty a page, each Region with its
//! own, as AWS documents it (<https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>). It can throttle.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use brig_core::model::timestamp::Timestamp;
use http_body_util::{BodyExt, Collected, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A page has at most so many.
const PAGE: usize = 50;

/// A running endpoint.
pub struct Replay {
    /// Where it listens.
    pub url: String,
    calls: Arc<AtomicUsize>,
}

impl Replay {
    /// Starts one with these records, each in its own Region; every so many calls are throttled, where that is said.
    pub async fn start(records: Vec<Value>, throttles: Option<usize>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let mut regions: HashMap<String, Vec<Value>> = HashMap::new();
        for record in records {
            let region = record.get("awsRegion").and_then(Value::as_str).unwrap_or_default().to_owned();
            regions.entry(region).or_default().push(record);
        }
        for of_region in regions.values_mut() {
            of_region.sort_by_key(|record| std::cmp::Reverse(time(record)));
        }
        let (regions, calls) = (Arc::new(regions), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&calls);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (regions, calls) = (Arc::clone(&regions), Arc::clone(&calls));
                tokio::spawn(async move {
                    let service =
                        service_fn(move |request| answer(request, Arc::clone(&regions), Arc::clone(&calls), throttles));
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { url, calls: counted }
    }

    /// How many look-ups there were.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

fn time(record: &Value) -> Option<Timestamp> {
    record.get("eventTime").and_then(Timestamp::read)
}

async fn answer(
    request: Request<Incoming>,
    regions: Arc<HashMap<String, Vec<Value>>>,
    calls: Arc<AtomicUsize>,
    throttles: Option<usize>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let header =
        |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let (target, signed) = (header("x-amz-target"), header("authorization"));
    // AWS4-HMAC-SHA256 Credential=<key>/<date>/<Region>/cloudtrail/aws4_request
    let region = signed.split('/').nth(2).unwrap_or_default().to_owned();
    let body = request.into_body().collect().await.map(Collected::to_bytes).unwrap_or_default();
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let number = calls.fetch_add(1, Ordering::Relaxed) + 1;
    if !target.ends_with(".LookupEvents") {
        return Ok(reply(StatusCode::BAD_REQUEST, &json!({"__type": "UnknownOperationException"})));
    }
    if throttles.is_some_and(|every| number.is_multiple_of(every)) {
        return Ok(reply(
            StatusCode::BAD_REQUEST,
            &json!({"__type": "ThrottlingException", "message": "Rate exceeded"}),
        ));
    }
    Ok(reply(StatusCode::OK, &page(regions.get(&region).map_or(&[], Vec::as_slice), &asked)))
}

fn page(records: &[Value], asked: &Value) -> Value {
    let text = |path: &str| asked.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let (key, value) = (text("/LookupAttributes/0/AttributeKey"), text("/LookupAttributes/0/AttributeValue"));
    let moment = |name: &str| asked.get(name).and_then(Value::as_f64);
    let within = |record: &Value| {
        #[expect(clippy::cast_precision_loss, reason = "seconds")]
        let at = time(record).map_or(0.0, |at| at.millis() as f64 / 1000.0);
        moment("StartTime").is_none_or(|start| at >= start) && moment("EndTime").is_none_or(|end| at <= end)
    };
    let of = |record: &Value, path: &str| record.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_meant = |record: &Value| match key {
        "AccessKeyId" => of(record, "/userIdentity/accessKeyId") == value,
        "Username" => {
            let session = of(record, "/userIdentity/principalId");
            of(record, "/userIdentity/userName") == value || session.split(':').nth(1) == Some(value)
        }
        "ResourceName" => {
            record.get("resources").and_then(Value::as_array).into_iter().flatten().any(|one| of(one, "/ARN") == value)
        }
        _ => false,
    };
    let found: Vec<&Value> = records.iter().filter(|record| within(record) && is_meant(record)).collect();
    let from: usize = text("/NextToken").parse().unwrap_or_default();
    let events: Vec<Value> = found
        .iter()
        .skip(from)
        .take(PAGE)
        .map(|record| json!({"EventId": record.get("eventID"), "EventName": record.get("eventName"), "CloudTrailEvent": record.to_string()}))
        .collect();
    let next = from + events.len();
    let mut answer = json!({"Events": events});
    if let Some(map) = answer.as_object_mut().filter(|_| next < found.len()) {
        map.insert("NextToken".to_owned(), json!(next.to_string()));
    }
    answer
}

fn reply(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", "application/x-amz-json-1.1".parse().expect("a header"));
    response
}
