//! A call to AWS that failed, as a value: what was attempted, where, what AWS answered, what to do next.
//! It is made in `aws` (and by worlds in memory); nothing here interprets an SDK's error.

use std::fmt;

use thiserror::Error;

use super::account::{AccountId, AccountName};

/// A call that failed: what was attempted, where, and what AWS answered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct CloudError {
    /// What kind of failure it is.
    pub kind: CloudErrorKind,
    /// The IAM action of the call, for example `iam:GetRole`.
    pub operation: String,
    /// The account's name in the manifest.
    pub account: AccountName,
    /// The account's id in the manifest.
    pub account_id: AccountId,
    /// The resource, in words, for example `role x`.
    pub resource: String,
    /// AWS's error code, for example `AccessDenied`.
    pub code: Option<String>,
    /// AWS's message, or what happened on the way to AWS.
    pub message: String,
    /// AWS's request id.
    pub request_id: Option<String>,
    /// What to do next.
    pub hint: Option<String>,
}

/// The failures that callers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloudErrorKind {
    /// No usable credentials: a missing profile, an expired token, a refused assume-role.
    Credentials,
    /// No answer: name resolution, connection, time-out.
    Unreachable,
    /// The caller may not do it.
    AccessDenied,
    /// AWS asks to slow down, after all retries.
    Throttled,
    /// AWS does not find what the call needs.
    NotFound,
    /// A principal or role that was just made is not known everywhere yet (domain.md, IAM is eventually consistent).
    NotSettled,
    /// The thing exists already, or something still hangs on it.
    Conflict,
    /// A quota.
    Limit,
    /// AWS refuses the content of the request.
    Invalid,
    /// AWS's answer could not be understood.
    Malformed,
    /// Anything else, server faults among them.
    Other,
}

impl CloudErrorKind {
    /// True where the whole account cannot be reached, not only this resource.
    pub fn is_account_wide(self) -> bool {
        matches!(self, Self::Credentials | Self::Unreachable)
    }

    /// True where a write may have been made all the same: its answer was lost, or says nothing of it.
    pub fn leaves_in_doubt(self) -> bool {
        match self {
            Self::Unreachable | Self::Malformed | Self::Other => true,
            Self::Credentials
            | Self::AccessDenied
            | Self::Throttled
            | Self::NotFound
            | Self::NotSettled
            | Self::Conflict
            | Self::Limit
            | Self::Invalid => false,
        }
    }
}

impl fmt::Display for CloudError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind: _,
            operation,
            account,
            account_id,
            resource,
            code,
            message,
            request_id,
            hint: _,
        } = self;
        write!(
            f,
            "{operation} on {resource} in account {account} ({account_id}) failed: "
        )?;
        if let Some(code) = code {
            write!(f, "{code}: ")?;
        }
        write!(f, "{message}")?;
        if let Some(id) = request_id {
            write!(f, " (request id {id})")?;
        }
        Ok(())
    }
}
