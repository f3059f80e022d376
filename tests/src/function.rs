//! The function's binary as Lambda runs it: a process that polls the runtime API
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>), which is served here.

use std::{
    collections::HashMap,
    convert::Infallible,
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use http_body_util::{BodyExt, Collected, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    sync::{Mutex as AsyncMutex, mpsc, oneshot},
};

use crate::{
    account::{ACCOUNT, Account},
    stack::{Session, Stack},
};

static NEXT: AtomicU64 = AtomicU64::new(0);

/// One invocation on its way to the binary.
struct Job {
    request_id: String,
    deadline: SystemTime,
    payload: String,
}

type Reply = Result<Value, FunctionError>;
type Waiting = Arc<Mutex<HashMap<String, oneshot::Sender<Reply>>>>;

/// The error that an invoker of the function sees.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionError {
    /// `errorType`.
    pub kind: String,
    /// `errorMessage`.
    pub message: String,
}

/// How one invocation differs from the usual.
#[derive(Debug, Clone)]
pub struct Invoke {
    /// The request id; Lambda's retries repeat it.
    pub request_id: String,
    /// Until the function's deadline.
    pub timeout: Duration,
}

impl Default for Invoke {
    fn default() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            request_id: format!("00000000-0000-4000-8000-{:04x}{number:08x}", std::process::id() & 0xffff),
            timeout: Duration::from_mins(1),
        }
    }
}

/// A running function.
pub struct Function {
    child: AsyncMutex<Child>,
    jobs: mpsc::UnboundedSender<Job>,
    waiting: Waiting,
    first_poll: Mutex<Option<oneshot::Receiver<()>>>,
    log: PathBuf,
    arn: String,
}

impl Function {
    /// Starts the `bootstrap` that was built next to this program, with these settings in addition to the environment's.
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_binary(&bootstrap(), settings).await
    }

    /// Starts another binary that polls the runtime API.
    pub async fn start_binary(binary: &Path, settings: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let address = listener.local_addr().expect("an address").to_string();
        let (jobs, queue) = mpsc::unbounded_channel();
        let waiting = Waiting::default();
        let (polled, first_poll) = oneshot::channel();
        tokio::spawn(serve(listener, queue, Arc::clone(&waiting), polled));
        let name = format!("brig-{}-{}.log", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let log = std::env::temp_dir().join(name);
        let output = File::create(&log).expect("a log file");
        // Under the deployed roles, where there are any: a permission that the template lacks fails the test.
        let elsewhere = settings.iter().any(|(name, _)| matches!(*name, "AWS_ENDPOINT_URL" | "AWS_ACCESS_KEY_ID"));
        let session = match Stack::deployed() {
            Some(stack) if !elsewhere => stack.session(&Account::open().await, settings).await,
            _ => Session::default(),
        };
        let child = Command::new(binary)
            .env("AWS_LAMBDA_RUNTIME_API", address)
            .env("AWS_LAMBDA_FUNCTION_NAME", "brig-contain")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/brig-contain")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "local")
            .envs(session.variables)
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("the log file"))
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .expect("the function's binary starts; `make test` builds it");
        Self {
            child: AsyncMutex::new(child),
            jobs,
            waiting,
            first_poll: Mutex::new(Some(first_poll)),
            log,
            arn: session.arn,
        }
    }

    /// Waits for the end of the init phase: the first poll for an event.
    pub async fn ready(&self) {
        let first = self.first_poll.lock().expect("lock").take();
        if let Some(first) = first {
            first.await.expect("the function polls");
        }
    }

    /// Invokes and waits for the answer.
    pub async fn invoke(&self, payload: &Value) -> Reply {
        self.invoke_as(payload, Invoke::default()).await
    }

    /// Invokes with a given request id and timeout.
    pub async fn invoke_as(&self, payload: &Value, how: Invoke) -> Reply {
        self.send(payload, how).await.expect("the function answers")
    }

    /// Invokes; the receiver fails if the function dies.
    pub fn send(&self, payload: &Value, how: Invoke) -> oneshot::Receiver<Reply> {
        let (answer, answered) = oneshot::channel();
        self.waiting.lock().expect("lock").insert(how.request_id.clone(), answer);
        let deadline = now() + how.timeout;
        self.jobs.send(Job { request_id: how.request_id, deadline, payload: payload.to_string() }).expect("served");
        answered
    }

    /// Ends the process as Lambda's timeout does: at once.
    pub async fn kill(&self) {
        self.child.lock().await.kill().await.expect("the process ends");
    }

    /// The process's id.
    pub async fn pid(&self) -> u32 {
        self.child.lock().await.id().expect("it runs")
    }

    /// Waits for a process that ends by itself, and says whether it succeeded.
    pub async fn ended(&self) -> bool {
        self.child.lock().await.wait().await.expect("the process ends").success()
    }

    /// The ARN that CloudTrail would name for its calls; empty where it has no session of its own.
    #[must_use]
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// Everything that it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.log);
    }
}

/// The binary that was built into the same target folder as this program.
#[must_use]
pub fn bootstrap() -> PathBuf {
    let program = std::env::current_exe().expect("a path");
    let folder = program.parent().expect("a folder");
    let folder = if folder.ends_with("deps") { folder.parent().expect("a folder") } else { folder };
    folder.join("bootstrap")
}

#[expect(clippy::disallowed_methods, reason = "the Lambda service has the real time")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// Waits where the clock's hour is nearly over: what is counted in an hour would be counted in two.
pub async fn within_one_hour() {
    let seconds = now().duration_since(UNIX_EPOCH).expect("a time").as_secs();
    let left = 3600 - seconds % 3600;
    if left < 60 {
        tokio::time::sleep(Duration::from_secs(left + 1)).await;
    }
}

async fn serve(
    listener: TcpListener,
    queue: mpsc::UnboundedReceiver<Job>,
    waiting: Waiting,
    polled: oneshot::Sender<()>,
) {
    let queue = Arc::new(AsyncMutex::new(queue));
    let polled = Arc::new(Mutex::new(Some(polled)));
    while let Ok((stream, _)) = listener.accept().await {
        let (queue, waiting, polled) = (Arc::clone(&queue), Arc::clone(&waiting), Arc::clone(&polled));
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                route(request, Arc::clone(&queue), Arc::clone(&waiting), Arc::clone(&polled))
            });
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn route(
    request: Request<Incoming>,
    queue: Arc<AsyncMutex<mpsc::UnboundedReceiver<Job>>>,
    waiting: Waiting,
    polled: Arc<Mutex<Option<oneshot::Sender<()>>>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().trim_start_matches("/2018-06-01/runtime/").to_owned();
    if path == "invocation/next" {
        let first = polled.lock().expect("lock").take();
        if let Some(first) = first {
            let _ = first.send(());
        }
        let Some(job) = queue.lock().await.recv().await else { return Ok(status(StatusCode::GONE)) };
        let deadline = job.deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let answer = Response::builder()
            .header("lambda-runtime-aws-request-id", job.request_id)
            .header("lambda-runtime-deadline-ms", deadline.to_string())
            .header(
                "lambda-runtime-invoked-function-arn",
                format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:brig-contain"),
            )
            .header("content-type", "application/json")
            .body(Full::from(job.payload))
            .expect("a response");
        return Ok(answer);
    }
    let body = request.into_body().collect().await.map(Collected::to_bytes).unwrap_or_default();
    let value: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let mut parts = path.trim_start_matches("invocation/").splitn(2, '/');
    let (id, what) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let reply = match what {
        "response" => Ok(value),
        _ => Err(FunctionError { kind: text("errorType"), message: text("errorMessage") }),
    };
    if let Some(answer) = waiting.lock().expect("lock").remove(id) {
        let _ = answer.send(reply);
    }
    Ok(status(StatusCode::ACCEPTED))
}

fn status(code: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = code;
    response
}

/// Milliseconds from the start of a binary to its first poll for an event.
pub async fn first_poll(binary: &Path, settings: &[(&str, &str)]) -> f64 {
    let began = Instant::now();
    let function = Function::start_binary(binary, settings).await;
    function.ready().await;
    began.elapsed().as_secs_f64() * 1e3
}

/// The value in the middle; sorts what it is given.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
