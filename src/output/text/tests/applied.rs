//! What a person sees after an apply.

use std::path::PathBuf;

use crate::model::change::{Failure, Outcome, Severity};
use crate::model::status::Status;
use crate::output::fixtures::{accounts, drifted, fresh, partial, problem, report, view};
use crate::output::view::Command;

use super::plain_text;

#[test]
fn an_apply_tells_what_became_of_each_change() {
    let (plan, accounts, report) = (fresh(), accounts(), partial());
    let mut view = view(Command::Bootstrap, Status::Partial, &plan, &accounts);
    view.report = Some(&report);
    view.next = Some("run `crossgate bootstrap` again: it continues".to_owned());
    insta::assert_snapshot!(plain_text(&view), @"
    crossgate bootstrap: project checkout, 1 gate

    tools (111111111111)
      + inline policy  MyServiceRole/crossgate-checkout-assume  [validate]: failed
          error: iam:PutRolePolicy on policy crossgate-checkout-assume on role MyServiceRole in account tools (111111111111) failed: AccessDenied: User is not authorized (request id 5f1c)
          hint: allow iam:PutRolePolicy on the role
      + pipeline action  MyPipeline/InvokeValidationLambda/RunValidation  us-east-1  [validate]: skipped (because of inline policy MyServiceRole/crossgate-checkout-assume)

    dev (222222222222)
      + role  crossgate-checkout-validate  [validate]: done

    Partly applied: 1 created, 0 updated, 0 deleted, 1 failed, 1 skipped.
    Next: run `crossgate bootstrap` again: it continues
    ");
}

#[test]
fn an_apply_that_went_well_is_short() {
    let (plan, accounts) = (drifted(), accounts());
    let kept = Outcome::Kept("--remove-unexpected removes it".to_owned());
    let mut report = report(vec![Outcome::Done, Outcome::AlreadyThere, kept]);
    report
        .backups
        .push(PathBuf::from(".crossgate/backup/MyPipeline-12.json"));
    let moved = "somebody else wrote pipeline MyPipeline in between";
    report.problems.push(problem(
        Severity::Warning,
        "written_in_between",
        moved,
        None,
    ));
    let mut view = view(Command::Bootstrap, Status::Applied, &plan, &accounts);
    view.report = Some(&report);
    insta::assert_snapshot!(plain_text(&view), @"
    crossgate bootstrap: project checkout, 1 gate

    tools (111111111111)
      ~ pipeline action  MyPipeline/InvokeValidationLambda/RunValidation  us-east-1  [validate]: done

    dev (222222222222)
      ~ trust policy of role  crossgate-checkout-validate  [validate]: already there
      ! unexpected policy  crossgate-checkout-validate/somebody  [validate]: kept (--remove-unexpected removes it)

    warning: somebody else wrote pipeline MyPipeline in between
      code written_in_between

    Old pipeline documents were saved:
      .crossgate/backup/MyPipeline-12.json

    Applied: 0 created, 1 updated, 0 deleted, 1 already there, 1 kept.
    ");
}

#[test]
fn a_failure_that_is_not_aws_has_a_hint_too() {
    let (plan, accounts) = (fresh(), accounts());
    let stale = Failure::Stale {
        message: "the service role has changed".to_owned(),
    };
    let backup = Failure::Backup {
        message: ".crossgate/backup: permission denied".to_owned(),
    };
    let interrupted = Outcome::Skipped {
        because_of: "an interruption".to_owned(),
    };
    let report = report(vec![
        Outcome::Failed(stale),
        Outcome::Failed(backup),
        interrupted,
    ]);
    let mut view = view(Command::Bootstrap, Status::Failed, &plan, &accounts);
    view.report = Some(&report);
    insta::assert_snapshot!(plain_text(&view), @"
    crossgate bootstrap: project checkout, 1 gate

    tools (111111111111)
      + inline policy  MyServiceRole/crossgate-checkout-assume  [validate]: failed
          error: the service role has changed
          hint: run the command again: it plans from what is there now
      + pipeline action  MyPipeline/InvokeValidationLambda/RunValidation  us-east-1  [validate]: failed
          error: .crossgate/backup: permission denied
          hint: make the folder writable; nothing was sent

    dev (222222222222)
      + role  crossgate-checkout-validate  [validate]: skipped (because of an interruption)

    Failed, nothing was changed: 0 created, 0 updated, 0 deleted, 2 failed, 1 skipped.
    ");
}
