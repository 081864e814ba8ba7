//! Stands before the emulators: records each call, can slow calls down, and can answer in AWS's stead with a fault.
//! Decides nothing about what is right; changes no request but for the header that tells moto the account.

use std::collections::HashMap;
use std::io::{self, BufReader};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::calls::{Call, Request};
use super::http::{self, Message};

/// The request id of every injected fault.
pub(crate) const INJECTED_REQUEST_ID: &str = "c0ffee00-1111-4222-8333-444455556666";

/// Which emulator a listening port leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upstream {
    /// moto takes the account from a header that the proxy adds.
    Moto(u16),
    /// ministack takes a twelve-digit access key for the root of that account.
    Ministack(u16),
}

/// What to do with a matching call instead of passing it on.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// An error as AWS shapes it in the service's protocol.
    Error {
        status: u16,
        code: &'static str,
        message: String,
    },
    /// This status and body.
    Answer { status: u16, body: String },
    /// Close the connection without an answer.
    Drop,
}

/// A fault: where it strikes, and what happens. Absent conditions match everything.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) account: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) operation: Option<String>,
    /// Text that the body must contain.
    pub(crate) body: Option<String>,
    /// Only writes.
    pub(crate) writes_only: bool,
    /// How many matching calls pass before it strikes.
    pub(crate) skip: usize,
    pub(crate) act: Act,
}

impl Fault {
    /// A fault on every call.
    pub(crate) fn everywhere(act: Act) -> Self {
        Self {
            account: None,
            service: None,
            operation: None,
            body: None,
            writes_only: false,
            skip: 0,
            act,
        }
    }

    /// A fault on every call of one operation.
    pub(crate) fn on(operation: &str, act: Act) -> Self {
        Self {
            operation: Some(operation.to_owned()),
            ..Self::everywhere(act)
        }
    }

    /// The same, in one account only.
    pub(crate) fn in_account(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }

    fn matches(&self, request: &Request) -> bool {
        let same =
            |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|wanted| wanted == is);
        same(&self.account, &request.account)
            && same(&self.service, &request.service)
            && same(&self.operation, &request.operation)
            && self
                .body
                .as_ref()
                .is_none_or(|text| request.body.contains(text))
            && (!self.writes_only || request.is_write())
    }
}

/// `AccessDenied` as the service itself would say it.
pub(crate) fn access_denied() -> Act {
    Act::Error {
        status: 403,
        code: "AccessDenied",
        message: "User is not authorized to perform this (injected)".to_owned(),
    }
}

/// Credentials that have run out.
pub(crate) fn expired_token() -> Act {
    Act::Error {
        status: 403,
        code: "ExpiredToken",
        message: "The security token included in the request is expired".to_owned(),
    }
}

#[derive(Default)]
struct Shared {
    calls: Mutex<Vec<Call>>,
    faults: Mutex<Vec<(Fault, usize)>>,
    /// Session access keys whose account was seen in an `AssumeRole` answer.
    sessions: Mutex<HashMap<String, String>>,
    latency_ms: AtomicU64,
    stopped: AtomicBool,
}

/// Two listening ports over one record: one for `CodePipeline`, one for the rest.
pub(crate) struct Proxy {
    shared: Arc<Shared>,
    /// The port for `AWS_ENDPOINT_URL`.
    pub(crate) port: u16,
    /// The port for `AWS_ENDPOINT_URL_CODEPIPELINE`.
    pub(crate) codepipeline_port: u16,
}

impl Proxy {
    /// Starts listening on two free loopback ports.
    pub(crate) fn start(default: Upstream, codepipeline: Upstream) -> Self {
        let shared = Arc::new(Shared::default());
        let port = listen(&shared, default);
        let codepipeline_port = listen(&shared, codepipeline);
        Self {
            shared,
            port,
            codepipeline_port,
        }
    }

    /// The calls since the last time this was asked, in the order in which they began.
    pub(crate) fn take_calls(&self) -> Vec<Call> {
        let mut calls = std::mem::take(&mut *self.shared.calls.lock().unwrap());
        calls.sort_by_key(|call| call.started);
        calls
    }

    /// Makes each call take at least this long.
    pub(crate) fn set_latency(&self, latency: Duration) {
        let millis = u64::try_from(latency.as_millis()).unwrap();
        self.shared.latency_ms.store(millis, Ordering::SeqCst);
    }

    /// Adds a fault.
    pub(crate) fn inject(&self, fault: Fault) {
        self.shared.faults.lock().unwrap().push((fault, 0));
    }

    /// Removes every fault.
    pub(crate) fn heal(&self) {
        self.shared.faults.lock().unwrap().clear();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Each listener waits for a connection before it looks at the flag.
        for port in [self.port, self.codepipeline_port] {
            let _ = TcpStream::connect(("127.0.0.1", port));
        }
    }
}

fn listen(shared: &Arc<Shared>, upstream: Upstream) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if shared.stopped.load(Ordering::SeqCst) {
                return;
            }
            let shared = Arc::clone(&shared);
            // A connection that breaks is the client's affair: it sees it, and the test sees what the client says.
            thread::spawn(move || drop(serve(&shared, upstream, &stream)));
        }
    });
    port
}

fn serve(shared: &Shared, upstream: Upstream, stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(message) = http::read(&mut reader, false)? {
        let started = Instant::now();
        let request = Request::of(&message, |key| shared.account_of(key));
        thread::sleep(Duration::from_millis(
            shared.latency_ms.load(Ordering::SeqCst),
        ));
        let answer = match shared.fault(&request) {
            Some(act) => injected(&act, &request.service),
            None => Some(pass_on(shared, upstream, message, &request)?),
        };
        let status = answer
            .as_ref()
            .and_then(|a| a.second_word().parse().ok())
            .unwrap_or(0);
        let finished = Instant::now();
        shared.calls.lock().unwrap().push(Call {
            started,
            finished,
            request,
            status,
        });
        let Some(mut answer) = answer else {
            return Ok(());
        };
        answer.set("connection", "keep-alive");
        let mut writer = stream;
        http::write(&mut writer, &answer)?;
    }
    Ok(())
}

fn pass_on(
    shared: &Shared,
    upstream: Upstream,
    mut message: Message,
    request: &Request,
) -> io::Result<Message> {
    let port = match upstream {
        Upstream::Ministack(port) => port,
        Upstream::Moto(port) => {
            if is_account(&request.account) {
                message.set("x-moto-account-id", &*request.account);
            }
            port
        }
    };
    let answer = http::send(port, &message)?;
    if request.operation.starts_with("AssumeRole") {
        shared.learn_session(&answer.text());
    }
    Ok(answer)
}

impl Shared {
    fn account_of(&self, key: &str) -> String {
        if is_account(key) {
            return key.to_owned();
        }
        self.sessions
            .lock()
            .unwrap()
            .get(key)
            .cloned()
            .unwrap_or_default()
    }

    fn learn_session(&self, answer: &str) {
        let between = |open: &str, close: &str| {
            let rest = answer.split(open).nth(1)?;
            Some(rest.split(close).next()?.to_owned())
        };
        let account =
            between("<Arn>", "</Arn>").and_then(|arn| arn.split(':').nth(4).map(str::to_owned));
        if let (Some(key), Some(account)) = (between("<AccessKeyId>", "</AccessKeyId>"), account) {
            self.sessions.lock().unwrap().insert(key, account);
        }
    }

    fn fault(&self, request: &Request) -> Option<Act> {
        let mut faults = self.faults.lock().unwrap();
        let (fault, seen) = faults
            .iter_mut()
            .find(|(fault, _)| fault.matches(request))?;
        *seen += 1;
        (*seen > fault.skip).then(|| fault.act.clone())
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// An answer in the protocol of the service: XML for IAM and STS, JSON 1.1 for `CodePipeline` and Organizations, REST JSON for Lambda.
fn injected(act: &Act, service: &str) -> Option<Message> {
    let (status, code, body) = match act {
        Act::Drop => return None,
        Act::Answer { status, body } => (*status, None, body.clone()),
        Act::Error {
            status,
            code,
            message,
        } => {
            let body = match service {
                "codepipeline" | "organizations" => {
                    format!(r#"{{"__type":"{code}Exception","message":"{message}"}}"#)
                }
                "lambda" => format!(r#"{{"Type":"User","Message":"{message}"}}"#),
                _ => format!(
                    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                     <RequestId>{INJECTED_REQUEST_ID}</RequestId></ErrorResponse>"
                ),
            };
            (*status, Some(format!("{code}Exception")), body)
        }
    };
    let mut answer = Message {
        first_line: format!("HTTP/1.1 {status} Injected"),
        body: body.into_bytes(),
        ..Message::default()
    };
    let kind = match service {
        "codepipeline" | "organizations" => "application/x-amz-json-1.1",
        "lambda" => "application/json",
        _ => "text/xml",
    };
    answer.set("content-type", kind);
    answer.set("x-amzn-requestid", INJECTED_REQUEST_ID);
    if let Some(code) = code.filter(|_| service == "lambda") {
        answer.set("x-amzn-errortype", code);
    }
    Some(answer)
}
