//! The wire: HTTP connections, who is calling, which service is meant, and answers in each protocol's shape.
//! Knows no resource; what an operation does is known to the services.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use thiserror::Error;
use tokio::sync::oneshot;

use super::caller::Caller;
use super::clock::{iso, parse_basic, wall};
use super::errors::Refused;
use super::lambda::{Output, Rest};
use super::query::Params;
use super::records::CallRecord;
use super::script::{Answer, Asked, Fate};
use super::sigv4::{Claim, Received};
use super::state::{AccessKey, Holder, Run, State};
use super::stores::{self, BucketCall};
use super::{Shared, codepipeline, engine, functions, iam, lambda, logs, query, sts};

/// The largest body: Lambda takes archives of 50 MB, base64.
const BODY: usize = 72 * 1024 * 1024;
/// How far a signature's moment may be from now.
const SKEW: Duration = Duration::from_mins(15);
/// The secret key of the access keys that are twelve digits: an account's root.
const ROOT_SECRET: &str = "test";

/// A connection that ends on purpose.
#[derive(Debug, Error)]
#[error("the sandbox dropped the connection, as it was told to")]
struct Dropped;

/// Serves until it is told to stop.
pub(super) async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    mut stopped: oneshot::Receiver<()>,
) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    tokio::spawn(engine::run(Arc::clone(&shared)));
    loop {
        let accepted = tokio::select! {
            _ = &mut stopped => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, most likely: others may become free.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        // Small answers are not held back; where it cannot be set they are only slower.
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(Arc::clone(&shared), request));
            let mut builder = http1::Builder::new();
            builder.timer(TokioTimer::new());
            // A connection that ends early is the client's wish, or a fault that was asked for.
            let _ = builder
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// What a call gives before it is written in a protocol.
enum Given {
    Xml(&'static str, String),
    Json(u16, Value),
    Text(&'static str, String),
    Empty(u16),
    Wait(Run),
}

/// Whatever is known of a call, for its record and for the protocol of its answer.
#[derive(Debug, Clone, Default)]
struct About {
    service: String,
    operation: String,
    account: String,
    caller: String,
}

async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Dropped> {
    let began = wall();
    let (latency, dropped, after) = {
        let mut state = shared.lock();
        let (latency, share) = (state.faults.latency, state.faults.dropped);
        let dropped = state.chances.chance(share);
        let after = dropped && state.chances.chance(0.5);
        (latency, dropped, after)
    };
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    if dropped && !after {
        return Err(Dropped);
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY).collect().await else {
        return Err(Dropped);
    };
    let body = body.to_bytes();
    let headers: Vec<(String, String)> = parts
        .headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect();
    let received = Received {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &headers,
        body: &body,
    };
    let mut about = About::default();
    let (request_id, fate, given) = {
        let mut state = shared.lock();
        let id = state.random.uuid();
        let fate = shared.script().fate(|| describe(&state, &received));
        let given = match &fate {
            Fate::Before(reply) => {
                let Asked {
                    service,
                    operation,
                    account,
                    key: _,
                    content: _,
                    invocation: _,
                } = describe(&state, &received);
                (about.service, about.operation, about.account) = (service, operation, account);
                match reply {
                    Answer::Refused(refused) => Some(Err(refused.clone())),
                    Answer::Body(_) | Answer::Half | Answer::Dropped | Answer::Never => None,
                }
            }
            Fate::Passes | Fate::After(_) => Some(carry_out(&mut state, &received, &mut about)),
        };
        (id, fate, given)
    };
    shared.wake.notify_one();
    let service = about.service.clone();
    let response = match given {
        Some(given) => finish(&shared, given, about, &request_id, began).await,
        None => respond(200, content_type(&service), String::new(), &request_id),
    };
    let response = fated(response, fate, &service, &request_id).await?;
    if dropped { Err(Dropped) } else { Ok(response) }
}

/// The call for a script: what can be known without a look whether it is allowed.
fn describe(state: &State, received: &Received<'_>) -> Asked {
    let claim = received.header("authorization").and_then(Claim::parse);
    let (service, key) = claim.map_or_else(Default::default, |claim| (claim.service, claim.key));
    let known = state.keys.get(&key).cloned().or_else(|| root_key(&key));
    let Received {
        method,
        path,
        query,
        headers: _,
        body,
    } = received;
    let body = String::from_utf8_lossy(body);
    Asked {
        operation: operation(&service, received),
        service,
        account: known.map(|known| known.account).unwrap_or_default(),
        key,
        content: format!("{method} {path}?{query} {body}"),
        invocation: received
            .header("amz-sdk-invocation-id")
            .unwrap_or_default()
            .to_owned(),
    }
}

/// Puts the scripted reply in the place of the answer that the service gave.
async fn fated(
    response: Response<Full<Bytes>>,
    fate: Fate,
    service: &str,
    request_id: &str,
) -> Result<Response<Full<Bytes>>, Dropped> {
    let (Fate::Before(reply) | Fate::After(reply)) = fate else {
        return Ok(response);
    };
    match reply {
        Answer::Refused(refused) => Ok(refusal(&refused, service, request_id)),
        Answer::Body(text) => Ok(respond(200, content_type(service), text, request_id)),
        Answer::Half => {
            let (mut head, body) = response.into_parts();
            let Ok(body) = body.collect().await;
            let body = body.to_bytes();
            head.headers.remove(hyper::header::CONTENT_LENGTH);
            let half = body.slice(..body.len() / 2);
            Ok(Response::from_parts(head, Full::new(half)))
        }
        Answer::Dropped => Err(Dropped),
        Answer::Never => std::future::pending().await,
    }
}

/// Waits where somebody must, writes the answer, and remembers the call.
async fn finish(
    shared: &Arc<Shared>,
    given: Result<Given, Refused>,
    about: About,
    request_id: &str,
    began: Duration,
) -> Response<Full<Bytes>> {
    let error = given.as_ref().err().map(|r| r.code.clone());
    let response = match given {
        Ok(Given::Xml(namespace, inside)) => {
            let text = query::response(namespace, &about.operation, &inside, request_id);
            respond(200, "text/xml", text, request_id)
        }
        Ok(Given::Json(status, value)) => {
            let kind = content_type(&about.service);
            respond(status, kind, value.to_string(), request_id)
        }
        Ok(Given::Text(kind, text)) => respond(200, kind, text, request_id),
        Ok(Given::Empty(status)) => respond(status, "application/json", String::new(), request_id),
        Ok(Given::Wait(run)) => {
            let answered = functions::run_now(Arc::clone(shared), run).await;
            let mut response = respond(200, "application/json", answered.payload, request_id);
            if answered.failed {
                header(&mut response, "x-amz-function-error", "Unhandled");
            }
            header(&mut response, "x-amz-executed-version", "$LATEST");
            response
        }
        Err(refused) => refusal(&refused, &about.service, request_id),
    };
    let About {
        service,
        operation,
        account,
        caller,
    } = about;
    shared.lock().record(CallRecord {
        service,
        operation,
        account,
        caller,
        status: response.status().as_u16(),
        error,
        request_id: request_id.to_owned(),
        began,
        at: wall(),
    });
    response
}

/// From request to result: signature, caller, faults, service.
fn carry_out(
    state: &mut State,
    received: &Received<'_>,
    about: &mut About,
) -> Result<Given, Refused> {
    let (claim, key) = signed(state, received, about)?;
    let caller = Caller::of_key(state, &key.account, &key.holder)
        .ok_or_else(|| invalid_token(&about.service))?;
    about.account.clone_from(&caller.account);
    about.caller.clone_from(&caller.arn);
    let region = claim.region.as_str();
    about.operation = operation(&about.service, received);
    disturbed(state, about)?;
    match about.service.as_str() {
        "iam" | "sts" => {
            let params = form(received);
            let operation = &about.operation;
            if about.service == "iam" {
                let inside = iam::call(state, &caller, operation, &params)?;
                Ok(Given::Xml(iam::NAMESPACE, inside))
            } else {
                let inside = sts::call(state, &caller, operation, &params)?;
                Ok(Given::Xml(sts::NAMESPACE, inside))
            }
        }
        "codepipeline" | "logs" | "kms" => {
            let operation = about.operation.as_str();
            let input: Value = serde_json::from_slice(received.body)
                .map_err(|e| Refused::new(400, "SerializationException", e.to_string()))?;
            let output = match about.service.as_str() {
                "logs" => logs::call(state, &caller, region, operation, &input)?,
                "kms" => stores::kms(state, &caller, region, operation, &input)?,
                _ => codepipeline::call(state, &caller, region, operation, &input)?,
            };
            Ok(Given::Json(200, output))
        }
        "lambda" => Ok(
            match lambda::call(state, &caller, region, &rest(received))? {
                Output::Json(status, value) => Given::Json(status, value),
                Output::Empty(status) => Given::Empty(status),
                Output::Wait(run) => Given::Wait(run),
            },
        ),
        "s3" => {
            let call = bucket_call(received);
            Ok(match stores::bucket(state, &caller, region, &call)? {
                Some(text) if text.starts_with('<') => Given::Text("application/xml", text),
                Some(text) => Given::Text("application/json", text),
                None => Given::Empty(204),
            })
        }
        other => Err(Refused::new(
            400,
            "InvalidAction",
            format!("the service {other} is not in the sandbox"),
        )),
    }
}

fn form(received: &Received<'_>) -> Params {
    let body = String::from_utf8_lossy(received.body);
    Params::parse(if body.is_empty() {
        received.query
    } else {
        &body
    })
}

fn rest<'a>(received: &Received<'a>) -> Rest<'a> {
    Rest {
        method: received.method,
        path: received.path,
        query: received.query,
        invocation: received.header("x-amz-invocation-type"),
        body: received.body,
    }
}

fn bucket_call<'a>(received: &Received<'a>) -> BucketCall<'a> {
    BucketCall {
        method: received.method,
        path: received.path,
        query: received.query,
        expected_owner: received.header("x-amz-expected-bucket-owner"),
        body: received.body,
    }
}

/// The operation that is asked for, in the protocol of the service; empty where there is none.
fn operation(service: &str, received: &Received<'_>) -> String {
    let version = match service {
        "iam" | "sts" => return form(received).get("Action").unwrap_or_default().to_owned(),
        "lambda" => return lambda::route(&rest(received)).0,
        "s3" => return bucket_call(received).operation().to_owned(),
        "logs" => "Logs_20140328.",
        "kms" => "TrentService.",
        "codepipeline" => "CodePipeline_20150709.",
        _ => return String::new(),
    };
    let target = received.header("x-amz-target").unwrap_or_default();
    let operation = target.strip_prefix(version);
    operation.unwrap_or_default().to_owned()
}

/// Who signed the request, if the signature holds.
fn signed(
    state: &State,
    received: &Received<'_>,
    about: &mut About,
) -> Result<(Claim, AccessKey), Refused> {
    let header = received.header("authorization");
    let Some(claim) = header.and_then(Claim::parse) else {
        let code = "MissingAuthenticationToken";
        return Err(Refused::new(
            403,
            code,
            "Request is missing Authentication Token",
        ));
    };
    about.service.clone_from(&claim.service);
    let service = claim.service.as_str();
    let key = match state.keys.get(&claim.key) {
        Some(key) => key.clone(),
        None => root_key(&claim.key).ok_or_else(|| invalid_token(service))?,
    };
    if !claim.is_signed_with(&key.secret, received) {
        let (status, code) = named(
            service,
            "SignatureDoesNotMatch",
            "InvalidSignatureException",
        );
        return Err(Refused::new(
            status,
            code,
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
             Key and signing method. Consult the service documentation for details.",
        ));
    }
    let moment = received
        .header("x-amz-date")
        .and_then(parse_basic)
        .unwrap_or_default();
    let now = wall();
    if moment.abs_diff(now) > SKEW {
        let (status, code) = named(
            service,
            "SignatureDoesNotMatch",
            "InvalidSignatureException",
        );
        let message = format!("Signature expired: {} is now {}", iso(moment), iso(now));
        return Err(Refused::new(status, code, message));
    }
    if key.token.as_deref() != received.header("x-amz-security-token") {
        return Err(invalid_token(service));
    }
    if key.expires.is_some_and(|at| at <= now) {
        let (status, code) = named(service, "ExpiredToken", "ExpiredTokenException");
        let message = "The security token included in the request is expired";
        return Err(Refused::new(status, code, message));
    }
    Ok((claim, key))
}

/// A twelve-digit access key is that account's root.
fn root_key(id: &str) -> Option<AccessKey> {
    let digits = id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| AccessKey {
        secret: ROOT_SECRET.to_owned(),
        token: None,
        account: id.to_owned(),
        holder: Holder::Root,
        expires: None,
    })
}

fn invalid_token(service: &str) -> Refused {
    let (status, code) = named(
        service,
        "InvalidClientTokenId",
        "UnrecognizedClientException",
    );
    Refused::new(
        status,
        code,
        "The security token included in the request is invalid.",
    )
}

/// Status and code of a refused signature, which differ between the protocols.
fn named(service: &str, query: &'static str, json: &'static str) -> (u16, &'static str) {
    match service {
        "codepipeline" | "logs" | "kms" => (400, json),
        "lambda" => (403, json),
        _ => (403, query),
    }
}

/// The faults and limits that were asked for.
fn disturbed(state: &mut State, about: &About) -> Result<(), Refused> {
    let About {
        service,
        operation,
        account,
        caller: _,
    } = about;
    if let Err(wait) = state.limits.take(account, service, operation, wall()) {
        let mut refused = Refused::throttled(service);
        // Of the services that are here, Lambda says it (api: Invoke, TooManyRequestsException), in whole seconds.
        let seconds = Duration::from_secs_f64(wait.as_secs_f64().ceil());
        refused.retry_after = (service == "lambda").then_some(seconds);
        return Err(refused);
    }
    let (throttled, broken) = (state.faults.throttled, state.faults.broken);
    if state.chances.chance(throttled) {
        return Err(Refused::throttled(service));
    }
    if state.chances.chance(broken) {
        return Err(if state.chances.chance(0.5) {
            Refused::unavailable()
        } else {
            Refused::broken(service)
        });
    }
    Ok(())
}

fn refusal(refused: &Refused, service: &str, request_id: &str) -> Response<Full<Bytes>> {
    let Refused {
        status,
        code,
        message,
        retry_after,
    } = refused;
    let mut response = match service {
        "iam" | "sts" => {
            let namespace = if service == "iam" {
                iam::NAMESPACE
            } else {
                sts::NAMESPACE
            };
            let text = query::error(namespace, refused, request_id);
            respond(*status, "text/xml", text, request_id)
        }
        "lambda" => {
            let kind = if *status < 500 { "User" } else { "Service" };
            // Both spellings are out there: "Message" in refusals of authorization, "message" elsewhere.
            let body = json!({ "Type": kind, "Message": message, "message": message });
            let mut response =
                respond(*status, content_type(service), body.to_string(), request_id);
            header(&mut response, "x-amzn-errortype", code);
            response
        }
        // Objects are not in the sandbox, but a function may well ask for its artifacts: the refusal is to be readable.
        "s3" => {
            let inside = query::text("Code", code) + &query::text("Message", message);
            let text = query::element("Error", &inside);
            respond(*status, "application/xml", text, request_id)
        }
        _ => {
            let body = json!({ "__type": code, "message": message });
            respond(*status, content_type(service), body.to_string(), request_id)
        }
    };
    if let Some(wait) = retry_after {
        header(&mut response, "retry-after", &wait.as_secs().to_string());
    }
    response
}

fn content_type(service: &str) -> &'static str {
    match service {
        "lambda" => "application/json",
        _ => "application/x-amz-json-1.1",
    }
}

fn respond(status: u16, kind: &str, body: String, request_id: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    header(&mut response, "content-type", kind);
    header(&mut response, "x-amzn-requestid", request_id);
    header(&mut response, "x-amz-request-id", request_id);
    response
}

fn header(response: &mut Response<Full<Bytes>>, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
}
