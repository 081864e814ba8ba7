//! Faults at single calls: whoever tests a client of AWS sees each call as it comes in, and says what becomes of it.
//! Knows codes and statuses, no resource; how an answer looks on the wire is known to `http`.

use std::fmt;

use super::errors::Refused;

/// A call as it came in, before anybody has looked whether it is signed well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// `iam`, `sts`, `codepipeline`, `lambda`, `s3`, `kms`, `logs`; empty where the request is not signed.
    pub service: String,
    /// The operation, for example `GetRole`; empty where the request could not be read.
    pub operation: String,
    /// The account of the access key; empty where nobody has it.
    pub account: String,
    /// The id of the access key.
    pub key: String,
    /// What is asked: method, path and query, and the body. The same call gives the same text.
    pub content: String,
    /// The SDK's id of the call, the same for all its attempts (header `amz-sdk-invocation-id`); empty where there is none.
    pub invocation: String,
}

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is carried out and answered.
    Passes,
    /// It is not carried out, and answered so.
    Before(Answer),
    /// It is carried out, and answered so all the same.
    After(Answer),
}

/// An answer that is not the service's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A refusal, in the protocol of the service.
    Refused(Refused),
    /// A 200 with this body.
    Body(String),
    /// The true answer, of which only the first half of the body comes; of a call that is not carried out, nothing.
    Half,
    /// The connection ends without an answer.
    Dropped,
    /// No answer ever.
    Never,
}

/// Says what becomes of each call. It is asked while the state of the sandbox is held: it must not use the sandbox, and whoever
/// uses it afterwards finds the call carried out, where it is.
pub type Script = Box<dyn FnMut(&Asked) -> Fate + Send>;

/// A script or none, for values that are shown.
#[derive(Default)]
pub(super) struct Scripted(Option<Script>);

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let there = if self.0.is_some() { "a script" } else { "none" };
        f.debug_tuple("Scripted").field(&there).finish()
    }
}

impl Scripted {
    pub(super) fn set(&mut self, script: Option<Script>) {
        self.0 = script;
    }

    /// What becomes of a call; where nothing is scripted it is not even described.
    pub(super) fn fate(&mut self, describe: impl FnOnce() -> Asked) -> Fate {
        match &mut self.0 {
            Some(script) => script(&describe()),
            None => Fate::Passes,
        }
    }
}

/// The services whose errors have the names of the JSON protocols, with `Exception` at the end.
fn says_exception(service: &str) -> bool {
    matches!(service, "codepipeline" | "logs" | "kms" | "lambda")
}

impl Refused {
    /// Too many calls (api: "Common Errors" of IAM and CodePipeline; api: S3 "Error responses", Lambda "TooManyRequestsException").
    pub fn throttled(service: &str) -> Self {
        let (status, code) = match service {
            "lambda" => (429, "TooManyRequestsException"),
            "s3" => (503, "SlowDown"),
            _ if says_exception(service) => (400, "ThrottlingException"),
            _ => (400, "Throttling"),
        };
        Self::new(status, code, "Rate exceeded")
    }

    /// A 500.
    pub fn broken(service: &str) -> Self {
        let code = match service {
            "iam" => "ServiceFailure",
            "lambda" => "ServiceException",
            "s3" => "InternalError",
            _ => "InternalFailure",
        };
        let message = "The request processing has failed because of an unknown error.";
        Self::new(500, code, message)
    }

    /// A 503.
    pub fn unavailable() -> Self {
        let message = "Service is unable to handle request.";
        Self::new(503, "ServiceUnavailable", message)
    }

    /// Session credentials whose time is over.
    pub fn expired(service: &str) -> Self {
        let (status, code) = match service {
            "s3" => (400, "ExpiredToken"),
            "lambda" => (403, "ExpiredTokenException"),
            _ if says_exception(service) => (400, "ExpiredTokenException"),
            _ => (403, "ExpiredToken"),
        };
        let message = "The security token included in the request is expired";
        Self::new(status, code, message)
    }

    /// A caller who may not.
    pub fn denied(service: &str, operation: &str) -> Self {
        let (status, code) = match service {
            "lambda" => (403, "AccessDeniedException"),
            _ if says_exception(service) => (400, "AccessDeniedException"),
            _ => (403, "AccessDenied"),
        };
        let message = format!("User is not authorized to perform: {service}:{operation}");
        Self::new(status, code, message)
    }
}
