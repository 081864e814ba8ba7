//! One recorded call to AWS, and what can be said of many: writes, and how many had to wait for another.
//! Pure: reads requests, sends nothing.

use std::fmt::Write as _;
use std::time::Instant;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::http::Message;

/// One call as it went over the wire.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// When the request had arrived.
    pub(crate) started: Instant,
    /// When the answer was about to be passed on.
    pub(crate) finished: Instant,
    /// What was asked.
    pub(crate) request: Request,
    /// The HTTP status; 0 for a dropped connection.
    pub(crate) status: u16,
}

/// What a request asks, of whom.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The signing name of the service: `iam`, `sts`, `lambda`, `codepipeline`.
    pub(crate) service: String,
    /// The region of the signature.
    pub(crate) region: String,
    /// The operation, as AWS names it.
    pub(crate) operation: String,
    /// The account of that key, as far as the proxy knows it.
    pub(crate) account: String,
    /// The path, with the query.
    pub(crate) path: String,
    /// The body as text.
    pub(crate) body: String,
}

impl Request {
    /// Reads a request. `account_of` says which account an access key belongs to.
    pub(crate) fn of(message: &Message, account_of: impl Fn(&str) -> String) -> Self {
        let scope = message
            .header("authorization")
            .and_then(|value| value.split("Credential=").nth(1))
            .and_then(|rest| rest.split(',').next())
            .unwrap_or("");
        let part = |n: usize| scope.split('/').nth(n).unwrap_or("").to_owned();
        let path = message.second_word().to_owned();
        let body = message.text();
        let mut request = Self {
            account: account_of(&part(0)),
            region: part(2),
            service: part(3),
            operation: String::new(),
            path,
            body,
        };
        let method = message.first_line.split(' ').next().unwrap_or("");
        request.operation = match message.header("x-amz-target") {
            Some(target) => target.rsplit('.').next().unwrap_or("").to_owned(),
            None => request
                .form("Action")
                .unwrap_or_else(|| match request.service.as_str() {
                    "s3" => bucket_operation(method, &request.path),
                    _ => lambda_operation(method, &request.path),
                }),
        };
        request
    }

    /// A parameter of a query-protocol call (IAM, STS).
    pub(crate) fn form(&self, name: &str) -> Option<String> {
        let value = self
            .body
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)?
            .1
            .replace('+', " ");
        Some(percent_decode_str(&value).decode_utf8_lossy().into_owned())
    }

    /// The body as JSON; null where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// True unless the operation is known to change nothing: what is unknown counts as a write.
    pub(crate) fn is_write(&self) -> bool {
        let reads = [
            "Get",
            "List",
            "Describe",
            "Filter",
            "Simulate",
            "AssumeRole",
        ];
        !reads
            .iter()
            .any(|prefix| self.operation.starts_with(prefix))
    }
}

fn bucket_operation(method: &str, path: &str) -> String {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    let mut keys = query
        .split('&')
        .map(|pair| pair.split('=').next().unwrap_or(""));
    match (method, keys.any(|key| key == "policy")) {
        ("GET", true) => "GetBucketPolicy".to_owned(),
        ("PUT", true) => "PutBucketPolicy".to_owned(),
        ("DELETE", true) => "DeleteBucketPolicy".to_owned(),
        (method, _) => format!("{method} {path}"),
    }
}

fn lambda_operation(method: &str, path: &str) -> String {
    let bare = path.split('?').next().unwrap_or("");
    let mut parts = bare.trim_matches('/').split('/').skip(1);
    let (collection, name, sub) = (parts.next(), parts.next(), parts.next());
    match (method, collection, name, sub) {
        ("GET", Some("functions"), None, None) => "ListFunctions".to_owned(),
        ("GET", Some("functions"), Some(_), None) => "GetFunction".to_owned(),
        ("GET", Some("functions"), Some(_), Some("configuration")) => {
            "GetFunctionConfiguration".to_owned()
        }
        ("GET", Some("functions"), Some(_), Some("policy")) => "GetPolicy".to_owned(),
        ("GET", Some("functions"), Some(_), Some("concurrency")) => {
            "GetFunctionConcurrency".to_owned()
        }
        ("GET", Some("functions"), Some(_), Some("event-invoke-config")) => {
            "GetFunctionEventInvokeConfig".to_owned()
        }
        ("POST", Some("functions"), None, None) => "CreateFunction".to_owned(),
        ("PUT", Some("functions"), Some(_), Some("code")) => "UpdateFunctionCode".to_owned(),
        ("PUT", Some("functions"), Some(_), Some("configuration")) => {
            "UpdateFunctionConfiguration".to_owned()
        }
        ("DELETE", Some("functions"), Some(_), None) => "DeleteFunction".to_owned(),
        ("POST", Some("tags"), ..) => "TagResource".to_owned(),
        ("GET", ..) => format!("Get {bare}"),
        (method, ..) => format!("{method} {bare}"),
    }
}

/// The calls that change something.
pub(crate) fn writes(calls: &[Call]) -> Vec<&Call> {
    calls
        .iter()
        .filter(|call| call.request.is_write())
        .collect()
}

/// The longest chain of calls each of which began after the one before it had ended. Meaningful when every call takes
/// much longer than the caller needs between two calls: give the proxy some latency.
pub(crate) fn rounds(calls: &[Call]) -> usize {
    super::rounds::rounds(calls.iter().map(|call| (call.started, call.finished)))
}

/// One line a call, for a failed assertion.
pub(crate) fn listing(calls: &[Call]) -> String {
    let mut text = String::new();
    for call in calls {
        let Request {
            service,
            region,
            operation,
            account,
            ..
        } = &call.request;
        let mark = if call.request.is_write() { "W" } else { " " };
        let detail = match service.as_str() {
            "iam" | "sts" => ["RoleName", "PolicyName", "RoleArn"]
                .iter()
                .filter_map(|key| call.request.form(key))
                .collect::<Vec<_>>()
                .join(" "),
            _ => call.request.path.clone(),
        };
        let status = call.status;
        writeln!(
            text,
            "  {mark} {status} {account} {region} {service}:{operation} {detail}"
        )
        .unwrap();
    }
    text
}
