//! Lambda's Runtime API for one invocation: how the executable of a `provided` runtime gets its event and answers.
//! Starts no process and judges no answer; that is `process`.
//!
//! Source: Lambda developer guide, "Using the Lambda runtime API for custom runtimes".

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// The largest answer of a synchronous invocation (Lambda quotas).
const ANSWER: usize = 6 * 1024 * 1024;
const PREFIX: &str = "/2018-06-01/runtime/";

/// What the executable is to be told.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) request_id: String,
    pub(super) function_arn: String,
    /// When the function is ended: the time since 1970.
    pub(super) deadline: Duration,
    /// JSON.
    pub(super) body: String,
}

/// What the executable said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// The function returned this text, JSON as a rule.
    Returned(String),
    /// The function, or its start, failed; an object with `errorType` and `errorMessage`, as a rule.
    Failed(String),
}

/// The API of one invocation, on a port of its own. It is closed when this is dropped.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    listener: TcpListener,
    exchange: Arc<Exchange>,
}

#[derive(Debug)]
struct Exchange {
    event: Event,
    taken: AtomicBool,
    said: Mutex<Option<Said>>,
    /// The executable asked for the event after this one: it is done.
    done: Notify,
}

impl RuntimeApi {
    pub(super) async fn open(event: Event) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let exchange = Exchange {
            event,
            taken: AtomicBool::new(false),
            said: Mutex::new(None),
            done: Notify::new(),
        };
        Ok(Self {
            listener,
            exchange: Arc::new(exchange),
        })
    }

    /// `127.0.0.1:PORT`, for `AWS_LAMBDA_RUNTIME_API`.
    pub(super) fn address(&self) -> std::io::Result<String> {
        self.listener
            .local_addr()
            .map(|address| address.to_string())
    }

    /// Serves until the executable asks for the event after this one. An executable that fails to start never does.
    pub(super) async fn serve(&self) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = self.exchange.done.notified() => return,
                accepted = self.listener.accept() => {
                    let Ok((stream, _)) = accepted else { continue };
                    let exchange = Arc::clone(&self.exchange);
                    connections.spawn(async move {
                        let service = service_fn(|request| answer(Arc::clone(&exchange), request));
                        // A connection that ends early is the executable's end, which is seen elsewhere.
                        let _ = http1::Builder::new()
                            .serve_connection(TokioIo::new(stream), service)
                            .await;
                    });
                }
            }
        }
    }

    /// What was said; none where nothing was.
    pub(super) fn said(&self) -> Option<Said> {
        self.exchange.said().clone()
    }
}

impl Exchange {
    fn said(&self) -> std::sync::MutexGuard<'_, Option<Said>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to the first is the event; whoever asks again has done with it, and is told nothing more.
    async fn next(&self) -> Response<Full<Bytes>> {
        if self.taken.swap(true, Ordering::Relaxed) {
            self.done.notify_one();
            std::future::pending::<()>().await;
        }
        let Event {
            request_id,
            function_arn,
            deadline,
            body,
        } = &self.event;
        let response = Response::builder()
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", request_id)
            .header("lambda-runtime-invoked-function-arn", function_arn)
            .header(
                "lambda-runtime-deadline-ms",
                deadline.as_millis().to_string(),
            )
            .body(Full::from(body.clone()));
        response.unwrap_or_default()
    }

    /// The first word counts.
    fn hear(&self, said: Said) -> Response<Full<Bytes>> {
        let mut heard = self.said();
        if heard.is_some() {
            return reply(403, "InvalidStateTransition", "this event is answered");
        }
        *heard = Some(said);
        let mut accepted = Response::new(Full::from(r#"{"status":"OK"}"#));
        *accepted.status_mut() = hyper::StatusCode::ACCEPTED;
        accepted
    }
}

async fn answer(
    exchange: Arc<Exchange>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    if parts.method == Method::GET && path == "invocation/next" {
        return Ok(exchange.next().await);
    }
    let about = path
        .strip_prefix("invocation/")
        .and_then(|rest| rest.split_once('/'));
    let asked = match (path, about) {
        ("init/error", _) => Said::Failed,
        (_, Some((id, "response" | "error"))) if id != exchange.event.request_id => {
            return Ok(reply(400, "InvalidRequestID", "no such invocation"));
        }
        (_, Some((_, "response"))) => Said::Returned,
        (_, Some((_, "error"))) => Said::Failed,
        _ => return Ok(reply(404, "NotFound", "no such call of the Runtime API")),
    };
    if parts.method != Method::POST {
        return Ok(reply(405, "MethodNotAllowed", "POST is right"));
    }
    let Ok(body) = Limited::new(body, ANSWER).collect().await else {
        return Ok(reply(
            413,
            "RequestEntityTooLarge",
            "the answer is over 6 MB",
        ));
    };
    let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    Ok(exchange.hear(asked(text)))
}

fn reply(status: u16, kind: &str, message: &str) -> Response<Full<Bytes>> {
    let body = serde_json::json!({ "errorType": kind, "errorMessage": message });
    let response = Response::builder()
        .status(status)
        .body(Full::from(body.to_string()));
    response.unwrap_or_default()
}
