//! What a sandbox remembers for whoever looks at it from outside: calls and runs of functions.
//! Values only; no credentials and no bodies are kept.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One call, as CloudTrail would have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// `iam`, `sts`, `codepipeline`, `lambda`, `logs`.
    pub service: String,
    /// The operation, for example `GetRole`; empty where the request could not be read.
    pub operation: String,
    /// The caller's account; empty where nobody is known.
    pub account: String,
    /// The caller's ARN; empty where nobody is known.
    pub caller: String,
    /// The HTTP status.
    pub status: u16,
    /// The error code, if it failed.
    pub error: Option<String>,
    /// The request id.
    pub request_id: String,
    /// When its request came, of the same time as `at`: before the latency that was asked for.
    pub began: Duration,
    /// When it was answered: the time since 1970, the real one whatever the sandbox's clock.
    pub at: Duration,
}

/// How a run of a function ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    /// It still runs.
    Running,
    /// It returned; for a gate this says nothing about the answer.
    Returned,
    /// It raised an error.
    Failed(String),
    /// It was stopped at its time-out.
    TimedOut,
}

/// One run of a function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Invocation {
    /// The function's ARN.
    pub function: String,
    /// The request id, as in `context.aws_request_id`.
    pub request_id: String,
    /// The job of CodePipeline that it is about.
    pub job: Option<String>,
    /// 1 for the first try; Lambda tries a failed asynchronous invocation twice more.
    pub attempt: u32,
    /// Seconds since 1970, the sandbox's time.
    pub started: f64,
    /// How it ended.
    pub ended: Ended,
    /// What it printed, and the refusals of its calls where it is a built-in one.
    pub logs: Vec<String>,
}
