//! How a run ended, in one word, from the plan and the report.
//! The exit code follows from the word in `exit_code`; nothing is printed here.

use crate::model::change::{
    Change, ChangeAction, ChangeKind, Failure, Outcome, Plan, Problem, Report, Severity,
};
use crate::model::failure::CloudErrorKind;
use crate::model::status::Status;

/// What decides the status of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The gravest problem.
    pub gravest: Option<Severity>,
    /// Credentials of another account.
    pub wrong_account: bool,
    /// Nothing stands in the way but a mistake in the command line.
    pub only_asked_wrong: bool,
    /// Something is not as it shall be.
    pub changes: bool,
}

impl Seen {
    fn of(plan: &Plan) -> Self {
        Self {
            gravest: plan.severity(),
            wrong_account: is_wrong_account(&plan.problems),
            only_asked_wrong: is_only_asked_wrong(plan),
            changes: !plan.changes.is_empty(),
        }
    }
}

/// The status of `plan`, and of an apply that was not carried out.
pub fn of_plan(plan: &Plan) -> Status {
    status_of_plan(Seen::of(plan))
}

/// [`of_plan`], of a plan that is known by what decides only.
pub fn status_of_plan(seen: Seen) -> Status {
    match seen.gravest {
        Some(Severity::Incomplete) if !seen.wrong_account => Status::Incomplete,
        Some(Severity::Incomplete | Severity::Blocked) => Status::Failed,
        Some(Severity::Warning) | None if !seen.changes => Status::InSync,
        Some(Severity::Warning) | None => Status::Changes,
    }
}

/// The status of `check`. What blocks a bootstrap (a function that is gone, a role that is somebody else's) is not as the
/// manifest wants it either: it is drift.
pub fn of_check(plan: &Plan) -> Status {
    status_of_check(Seen::of(plan))
}

/// [`of_check`], of a plan that is known by what decides only.
pub fn status_of_check(seen: Seen) -> Status {
    match status_of_plan(seen) {
        Status::Changes => Status::Drift,
        Status::Failed if !seen.wrong_account && !seen.only_asked_wrong => Status::Drift,
        other => other,
    }
}

/// A `--secret` for what is not masked: a mistake in the command line, which says nothing of the accounts.
fn is_only_asked_wrong(plan: &Plan) -> bool {
    let mut blocked = plan
        .problems
        .iter()
        .filter(|p| p.severity == Severity::Blocked);
    plan.changes.is_empty() && blocked.all(|p| p.code == "secret_not_masked")
}

fn is_made(change: &Change) -> bool {
    matches!(
        change.kind,
        ChangeKind::IamRole | ChangeKind::LambdaFunction
    ) && change.action == ChangeAction::Create
}

/// Credentials of another account: whatever else is known, the run is about the wrong thing.
pub fn is_wrong_account(problems: &[Problem]) -> bool {
    problems.iter().any(|p| p.code == "wrong_account")
}

/// The status of a plan that was carried out.
///
/// `failed` promises that nothing was changed. A write that got no answer may have been made, so it counts as made.
pub fn of_apply(plan: &Plan, report: &Report) -> Status {
    let unfinished = report
        .outcomes
        .iter()
        .any(|o| matches!(o, Outcome::Failed(_) | Outcome::Skipped { .. }));
    if !unfinished {
        return if plan.changes.is_empty() {
            Status::InSync
        } else {
            Status::Applied
        };
    }
    let in_doubt = plan
        .changes
        .iter()
        .zip(&report.outcomes)
        .any(|(c, o)| match o {
            Outcome::Failed(Failure::Cloud(error)) => match error.kind {
                CloudErrorKind::Unreachable | CloudErrorKind::Malformed | CloudErrorKind::Other => {
                    true
                }
                // The role or function was not there when the plan was made: the answer to a first attempt that made it may have been lost.
                CloudErrorKind::Conflict if is_made(c) => true,
                CloudErrorKind::Credentials
                | CloudErrorKind::AccessDenied
                | CloudErrorKind::Throttled
                | CloudErrorKind::NotFound
                | CloudErrorKind::NotSettled
                | CloudErrorKind::Conflict
                | CloudErrorKind::Limit
                | CloudErrorKind::Invalid => false,
            },
            // A function that is not ready was written: the report counts it.
            Outcome::Failed(
                Failure::Stale { .. } | Failure::NotReady { .. } | Failure::Backup { .. },
            )
            | Outcome::Done
            | Outcome::AlreadyThere
            | Outcome::Kept(_)
            | Outcome::Skipped { .. } => false,
        });
    if report.writes > 0 || in_doubt {
        Status::Partial
    } else {
        Status::Failed
    }
}
