//! A proxy before an endpoint: notes every call, and can make each slower, as a distant AWS Region is.

use std::{
    borrow::Cow,
    convert::Infallible,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use http_body_util::{BodyExt, Collected, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

/// A call that went through.
#[derive(Debug, Clone)]
pub struct Call {
    /// AWS's name of the operation.
    pub operation: String,
    /// When the request arrived.
    pub began: Instant,
    /// When its answer left.
    pub ended: Instant,
    /// The request's body.
    pub body: Bytes,
}

/// What becomes of a call on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is refused with this status and AWS error code, and never arrives.
    Refuse(u16, &'static str),
    /// It arrives and takes effect, and its answer is lost.
    LoseAnswer,
    /// It never arrives: something between answers with a page for a browser, and this status.
    Page(u16),
    /// It never arrives: something between leads elsewhere.
    Redirect,
    /// It arrives and takes effect, and its answer comes without a body.
    Empty,
    /// It arrives and takes effect, and half of its answer comes.
    Cut,
}

impl Fault {
    /// Answers that are not AWS's, or not whole.
    pub const UNREADABLE: [Self; 4] = [Self::Page(200), Self::Redirect, Self::Empty, Self::Cut];
}

/// Breaks the first `times` calls of one operation.
#[derive(Debug, Clone)]
pub struct Break {
    /// AWS's name of the operation.
    pub operation: Cow<'static, str>,
    /// How.
    pub fault: Fault,
    /// How often.
    pub times: usize,
}

/// A running proxy.
pub struct Proxy {
    /// Where it listens.
    pub url: String,
    calls: Arc<Mutex<Vec<Call>>>,
    breaks: Arc<Mutex<Vec<Break>>>,
}

impl Proxy {
    /// Starts one before `target`, which adds `delay` to every call.
    pub async fn start(target: &str, delay: Duration) -> Self {
        Self::breaking(target, delay, Vec::new()).await
    }

    /// Starts one that also breaks calls.
    pub async fn breaking(target: &str, delay: Duration, breaks: Vec<Break>) -> Self {
        let breaks = Arc::new(Mutex::new(breaks));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let calls = Arc::new(Mutex::new(Vec::new()));
        let target: Arc<str> = target.trim_start_matches("http://").trim_end_matches('/').into();
        let (noted, begun) = (Arc::clone(&calls), Arc::clone(&breaks));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let (target, noted, breaks) = (Arc::clone(&target), Arc::clone(&noted), Arc::clone(&begun));
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        forward(request, Arc::clone(&target), Arc::clone(&noted), Arc::clone(&breaks), delay)
                    });
                    let server = hyper::server::conn::http1::Builder::new();
                    let _ = server.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { url, calls, breaks }
    }

    /// Breaks these calls from now on, and no others.
    pub fn set(&self, breaks: Vec<Break>) {
        *self.breaks.lock().expect("lock") = breaks;
    }

    /// The calls so far, in the order in which their answers left.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().expect("lock").clone()
    }
}

async fn forward(
    request: Request<Incoming>,
    target: Arc<str>,
    noted: Arc<Mutex<Vec<Call>>>,
    breaks: Arc<Mutex<Vec<Break>>>,
    delay: Duration,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let began = Instant::now();
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
    let json_target = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
    let operation = match json_target {
        Some(target) => target.rsplit('.').next().unwrap_or_default().to_owned(),
        None => parameter(&body, "Action").unwrap_or_default(),
    };
    tokio::time::sleep(delay).await;
    let fault = breaks.lock().expect("lock").iter_mut().find(|b| b.operation == operation && b.times > 0).map(|b| {
        b.times -= 1;
        b.fault
    });
    let mut answer = match fault {
        Some(Fault::Refuse(status, code)) => Some(refusal(&body, status, code)),
        Some(Fault::Page(status)) => Some(page(status)),
        Some(Fault::Redirect) => Some(redirection()),
        Some(Fault::LoseAnswer | Fault::Empty | Fault::Cut) | None => {
            send(Request::from_parts(parts, Full::from(body.clone())), &target).await
        }
    };
    match fault {
        Some(Fault::LoseAnswer) => answer = Some(refusal(&body, 500, "InternalError")),
        Some(Fault::Empty) => answer = answer.map(|whole| shortened(whole, |_| 0)),
        Some(Fault::Cut) => answer = answer.map(|whole| shortened(whole, |length| length / 2)),
        Some(Fault::Refuse(..) | Fault::Page(_) | Fault::Redirect) | None => {}
    }
    noted.lock().expect("lock").push(Call { operation, began, ended: Instant::now(), body });
    let broken = || {
        let mut broken = Response::new(Full::default());
        *broken.status_mut() = StatusCode::BAD_GATEWAY;
        broken
    };
    Ok(answer.map_or_else(broken, |answer| answer.map(Full::from)))
}

/// An error as EC2 writes it, or as the other services with a query protocol do
/// (<https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-error-response-format.html>,
/// <https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html>).
fn refusal(request: &Bytes, status: u16, code: &str) -> Response<Bytes> {
    let error = format!("<Error><Code>{code}</Code><Message>broken by the test</Message></Error>");
    let text = if parameter(request, "Version").as_deref() == Some("2016-11-15") {
        format!("<Response><Errors>{error}</Errors><RequestID>broken</RequestID></Response>")
    } else {
        format!("<ErrorResponse>{error}<RequestId>broken</RequestId></ErrorResponse>")
    };
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response
}

fn page(status: u16) -> Response<Bytes> {
    let text = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in.</body></html>";
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response.headers_mut().insert("content-type", "text/html".parse().expect("a value"));
    response
}

fn redirection() -> Response<Bytes> {
    let mut response = page(307);
    response.headers_mut().insert("location", "http://127.0.0.1:9/".parse().expect("a value"));
    response
}

fn shortened(whole: Response<Bytes>, length: impl Fn(usize) -> usize) -> Response<Bytes> {
    let (mut parts, body) = whole.into_parts();
    // Whoever cuts an answer says how long the rest is.
    parts.headers.remove("content-length");
    let left = body.slice(0..length(body.len()));
    Response::from_parts(parts, left)
}

/// Headers go through as they are: the signature covers the host's name.
async fn send(request: Request<Full<Bytes>>, target: &str) -> Option<Response<Bytes>> {
    let stream = TcpStream::connect(target).await.ok()?;
    let _ = stream.set_nodelay(true);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    let (mut parts, body) = sender.send_request(request).await.ok()?.into_parts();
    let body = body.collect().await.ok()?.to_bytes();
    // The whole body goes on in one piece.
    parts.headers.remove("transfer-encoding");
    parts.headers.remove("connection");
    Some(Response::from_parts(parts, body))
}

/// A parameter of a form, as AWS's query protocol sends it.
#[must_use]
pub fn parameter(body: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
