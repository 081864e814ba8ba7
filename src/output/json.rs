//! A result as one JSON object for programs: the contract of design.md, "Commands".
//! Fields may be added; to rename, remove or retype one, `FORMAT_VERSION` must grow.

use serde::Serialize;
use serde_json::Value;

use crate::model::account::{AccountName, Region};
use crate::model::change::{Change, Failure, Outcome, Plan, Problem, Report};
use crate::model::failure::{CloudError, CloudErrorKind};
use crate::model::json_text::JsonText;
use crate::model::name::GateName;
use crate::model::status::Status;

use super::error::ErrorMessage;
use super::sanitize;
use super::view::{AccountLine, View};

/// The version of the object's shape.
pub const FORMAT_VERSION: u32 = 1;

/// Renders the result of a command: one pretty-printed object and a line feed.
///
/// What a terminal would act on is written as `\uXXXX`: the value is the same, and the text is harmless. The error is
/// serde_json's, and cannot happen with these types.
pub fn render(view: &View<'_>) -> serde_json::Result<String> {
    let View {
        command,
        status,
        plan,
        report,
        accounts,
        proof,
        partition,
        next: _,
    } = view;
    let Plan {
        intent: _,
        project,
        gates,
        changes: _,
        steps: _,
        problems: _,
    } = plan;
    let backups = report.map(|report| {
        let Report {
            outcomes: _,
            backups,
            problems: _,
            writes: _,
        } = report;
        backups
            .iter()
            .map(|path| path.display().to_string())
            .collect()
    });
    text(&Document {
        format_version: FORMAT_VERSION,
        command: command.as_str(),
        status: status.as_str(),
        project: Some(project.as_str()),
        partition: partition.map(|part| part.to_string()),
        gates: names(gates),
        accounts: accounts.iter().map(account).collect(),
        changes: view
            .changes()
            .map(|(c, outcome)| change(c, outcome, report.is_some()))
            .collect(),
        problems: view.problems().map(problem).collect(),
        backups,
        writes: report.map(|report| report.writes),
        verify: proof.map(|proved| super::proof::as_member(proved.proof)),
    })
}

/// Renders an error that stopped a command before there was a plan: status `failed`, and the error as the only problem.
///
/// `code` is the problem's stable code, for example `manifest_invalid`.
pub fn render_error(command: &str, code: &str, error: &ErrorMessage) -> serde_json::Result<String> {
    let ErrorMessage {
        message,
        causes,
        hint,
    } = error;
    let mut message = message.clone();
    for cause in causes {
        message.push_str(": ");
        message.push_str(cause);
    }
    text(&Document {
        format_version: FORMAT_VERSION,
        command,
        status: Status::Failed.as_str(),
        project: None,
        partition: None,
        gates: Vec::new(),
        accounts: Vec::new(),
        changes: Vec::new(),
        problems: vec![ProblemJson {
            code,
            severity: "error",
            account: None,
            gates: Vec::new(),
            message: &message,
            hint: hint.as_deref(),
        }],
        backups: None,
        writes: None,
        verify: None,
    })
}

pub(super) fn text<T: Serialize>(document: &T) -> serde_json::Result<String> {
    let mut text = sanitize::json(&serde_json::to_string_pretty(document)?);
    text.push('\n');
    Ok(text)
}

#[derive(Serialize)]
struct Document<'a> {
    format_version: u32,
    command: &'a str,
    status: &'a str,
    project: Option<&'a str>,
    /// Only where the run is about one partition: `merge` then knows whether all are there.
    #[serde(skip_serializing_if = "Option::is_none")]
    partition: Option<String>,
    gates: Vec<&'a str>,
    accounts: Vec<AccountJson<'a>>,
    changes: Vec<ChangeJson<'a>>,
    problems: Vec<ProblemJson<'a>>,
    /// Only after an apply.
    #[serde(skip_serializing_if = "Option::is_none")]
    backups: Option<Vec<String>>,
    /// Only after an apply: how many write calls AWS accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    writes: Option<usize>,
    /// Only where the hops were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    verify: Option<Value>,
}

/// An account as a value.
pub(super) fn account_json(line: &AccountLine) -> serde_json::Result<Value> {
    serde_json::to_value(account(line))
}

/// A problem as a value.
pub(super) fn problem_json(one: &Problem) -> serde_json::Result<Value> {
    serde_json::to_value(problem(one))
}

#[derive(Serialize)]
struct AccountJson<'a> {
    name: &'a str,
    id: &'a str,
    /// Why the account could not be read; null where it could.
    unreachable: Option<&'a str>,
}

#[derive(Serialize)]
struct ChangeJson<'a> {
    id: &'a str,
    account: &'a str,
    account_id: &'a str,
    region: Option<&'a str>,
    kind: &'a str,
    resource: &'a str,
    action: &'a str,
    gates: Vec<&'a str>,
    reason: &'a str,
    before: Option<&'a JsonText>,
    after: Option<&'a JsonText>,
    /// Why an apply leaves the object as it is; null where it does not.
    held: Option<&'a str>,
    #[serde(flatten)]
    applied: Option<AppliedJson<'a>>,
}

#[derive(Serialize)]
struct AppliedJson<'a> {
    outcome: Option<&'a str>,
    /// Why it was kept, skipped or failed; null otherwise.
    outcome_detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<FailureJson<'a>>,
}

#[derive(Serialize)]
struct FailureJson<'a> {
    /// A stable word for scripts: see [`kind`].
    kind: &'a str,
    operation: Option<&'a str>,
    account: &'a str,
    account_id: &'a str,
    resource: &'a str,
    /// AWS's code.
    code: Option<&'a str>,
    message: &'a str,
    request_id: Option<&'a str>,
    hint: Option<&'a str>,
}

#[derive(Serialize)]
struct ProblemJson<'a> {
    code: &'a str,
    severity: &'a str,
    account: Option<&'a str>,
    gates: Vec<&'a str>,
    message: &'a str,
    hint: Option<&'a str>,
}

fn names(gates: &[GateName]) -> Vec<&str> {
    gates.iter().map(GateName::as_str).collect()
}

fn account(line: &AccountLine) -> AccountJson<'_> {
    let AccountLine {
        name,
        id,
        partition: _,
        state,
    } = line;
    AccountJson {
        name: name.as_str(),
        id: id.as_str(),
        unreachable: state.unreachable(),
    }
}

fn change<'a>(change: &'a Change, outcome: Option<&'a Outcome>, applied: bool) -> ChangeJson<'a> {
    let Change {
        id,
        account,
        account_id,
        region,
        kind,
        resource,
        action,
        gates,
        reason,
        before,
        after,
        held,
    } = change;
    ChangeJson {
        id,
        account: account.as_str(),
        account_id: account_id.as_str(),
        region: region.as_ref().map(Region::as_str),
        kind: kind.as_str(),
        resource,
        action: action.as_str(),
        gates: names(gates),
        reason,
        before: before.as_ref(),
        after: after.as_ref(),
        held: held.as_deref(),
        applied: applied.then(|| self::applied(change, outcome)),
    }
}

fn applied<'a>(change: &'a Change, outcome: Option<&'a Outcome>) -> AppliedJson<'a> {
    let (outcome_detail, error) = match outcome {
        None | Some(Outcome::Done | Outcome::AlreadyThere) => (None, None),
        Some(Outcome::Kept(reason)) => (Some(reason.clone()), None),
        Some(Outcome::Skipped { because_of }) => (Some(because_of.clone()), None),
        Some(Outcome::Failed(why)) => (Some(why.to_string()), Some(failure(change, why))),
    };
    AppliedJson {
        outcome: outcome.map(Outcome::as_str),
        outcome_detail,
        error,
    }
}

fn failure<'a>(change: &'a Change, failure: &'a Failure) -> FailureJson<'a> {
    let local = |kind, message| FailureJson {
        kind,
        operation: None,
        account: change.account.as_str(),
        account_id: change.account_id.as_str(),
        resource: &change.resource,
        code: None,
        message,
        request_id: None,
        hint: failure.hint(),
    };
    let error: &CloudError = match failure {
        Failure::Stale { message } => return local("stale", message),
        Failure::NotReady { message } => return local("not_ready", message),
        Failure::Backup { message } => return local("backup", message),
        Failure::Cloud(error) => error,
    };
    let CloudError {
        kind,
        operation,
        account,
        account_id,
        resource,
        code,
        message,
        request_id,
        hint,
    } = error;
    FailureJson {
        kind: self::kind(*kind),
        operation: Some(operation),
        account: account.as_str(),
        account_id: account_id.as_str(),
        resource,
        code: code.as_deref(),
        message,
        request_id: request_id.as_deref(),
        hint: hint.as_deref(),
    }
}

fn kind(kind: CloudErrorKind) -> &'static str {
    match kind {
        CloudErrorKind::Credentials => "credentials",
        CloudErrorKind::Unreachable => "unreachable",
        CloudErrorKind::AccessDenied => "access_denied",
        CloudErrorKind::Throttled => "throttled",
        CloudErrorKind::NotFound => "not_found",
        CloudErrorKind::NotSettled => "not_settled",
        CloudErrorKind::Conflict => "conflict",
        CloudErrorKind::Limit => "limit",
        CloudErrorKind::Invalid => "invalid",
        CloudErrorKind::Malformed => "malformed",
        CloudErrorKind::Other => "other",
    }
}

fn problem(problem: &Problem) -> ProblemJson<'_> {
    let Problem {
        code,
        severity,
        account,
        gates,
        message,
        hint,
    } = problem;
    ProblemJson {
        code,
        severity: severity.as_str(),
        account: account.as_ref().map(AccountName::as_str),
        gates: names(gates),
        message,
        hint: hint.as_deref(),
    }
}

#[cfg(test)]
mod tests;
