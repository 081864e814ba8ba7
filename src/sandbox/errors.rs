//! What AWS says when it says no: code, message, HTTP status.
//! How an error is written on the wire is in `http`.

use std::time::Duration;

use thiserror::Error;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{code}: {message}")]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// The error code as the service's own documentation has it.
    pub code: String,
    /// The message.
    pub message: String,
    /// When to come again, where the service says so (`Retry-After`).
    pub retry_after: Option<Duration>,
}

impl Refused {
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
            retry_after: None,
        }
    }

    /// An operation that crossgate does not need, and so the sandbox does not have.
    pub(super) fn not_here(service: &str, operation: &str) -> Self {
        Self::new(
            400,
            "InvalidAction",
            format!("{service}:{operation} is not in the sandbox"),
        )
    }
}
