//! What a person sees of a plan and of a check.

#![allow(clippy::unwrap_used)]

mod applied;
mod dress;

use serde_json::json;

use crate::model::change::{ChangeKind, Intent, Severity};
use crate::model::status::Status;
use crate::output::fixtures::{
    account, accounts, change, drifted, fresh, gate, plan, problem, teardown, view,
};
use crate::output::view::{AccountState, Command};

use super::*;

fn plain_text(view: &View<'_>) -> String {
    render(view, &Style::PLAIN)
}

#[test]
fn a_fresh_plan_shows_everything_that_would_be_made() {
    let (plan, accounts) = (fresh(), accounts());
    let mut view = view(Command::Plan, Status::Changes, &plan, &accounts);
    view.next = Some("run `crossgate bootstrap` to make it so".to_owned());
    insta::assert_snapshot!(plain_text(&view), @r#"
    crossgate plan: project checkout, 1 gate

    tools (111111111111)
      + inline policy  MyServiceRole/crossgate-checkout-assume  [validate]
          the inline policy is missing
          + {
          +   "Version": "2012-10-17",
          +   "Statement": [
          +     {
          +       "Effect": "Allow",
          +       "Action": "sts:AssumeRole",
          +       "Resource": "arn:aws:iam::222222222222:role/crossgate-checkout-validate"
          +     }
          +   ]
          + }
      + pipeline action  MyPipeline/InvokeValidationLambda/RunValidation  us-east-1  [validate]
          the pipeline action is missing
          + {
          +   "name": "RunValidation",
          +   "actionTypeId": {"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"},
          +   "runOrder": 1,
          +   "configuration": {"FunctionName": "MyFunction", "UserParameters": "{\"level\":2}"},
          +   "roleArn": "arn:aws:iam::222222222222:role/crossgate-checkout-validate"
          + }

    dev (222222222222)
      + role  crossgate-checkout-validate  [validate]
          the role is missing
          + {
          +   "Path": "/",
          +   "AssumeRolePolicyDocument": {
          +     "Version": "2012-10-17",
          +     "Statement": [
          +       {
          +         "Effect": "Allow",
          +         "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
          +         "Action": "sts:AssumeRole",
          +         "Condition": {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/MyServiceRole"}}
          +       }
          +     ]
          +   },
          +   "Tags": {"crossgate:project": "checkout"}
          + }

    Plan: 3 to create, 0 to update, 0 to delete.
    Next: run `crossgate bootstrap` to make it so
    "#);
}

#[test]
fn a_plan_with_updates_shows_what_differs() {
    let (plan, accounts) = (drifted(), accounts());
    let view = view(Command::Plan, Status::Changes, &plan, &accounts);
    insta::assert_snapshot!(plain_text(&view), @r#"
    crossgate plan: project checkout, 1 gate

    tools (111111111111)
      ~ pipeline action  MyPipeline/InvokeValidationLambda/RunValidation  us-east-1  [validate]
          the pipeline action differs
            ... 7 unchanged lines
              },
              "runOrder": 1,
              "configuration": {
          -     "FunctionName": "Other",
          +     "FunctionName": "MyFunction",
                "UserParameters": "{\"level\":2}"
              },
              "roleArn": "arn:aws:iam::222222222222:role/crossgate-checkout-validate"
            }

    dev (222222222222)
      ~ trust policy of role  crossgate-checkout-validate  [validate]
          the trust policy of role differs
            ... 8 unchanged lines
                  "Action": "sts:AssumeRole",
                  "Condition": {
                    "ArnEquals": {
          -           "aws:PrincipalArn": "arn:aws:iam::111111111111:role/Other"
          +           "aws:PrincipalArn": "arn:aws:iam::111111111111:role/MyServiceRole"
                    }
                  }
                }
            ... 2 unchanged lines
      ! unexpected policy  crossgate-checkout-validate/somebody  [validate]
          the policy is not of this project
          kept as it is: --remove-unexpected removes it
            {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}

    Plan: 0 to create, 2 to update, 0 to delete, 1 kept as it is.
    "#);
}

#[test]
fn a_check_sets_expected_against_actual() {
    let (mut plan, accounts) = (drifted(), accounts());
    let missing = change(
        "dev",
        ChangeKind::IamRoleTags,
        "crossgate-checkout-validate",
        (None, Some(json!({"owner": "me"}))),
    );
    plan.changes.insert(2, missing);
    let mut view = view(Command::Check, Status::Drift, &plan, &accounts);
    view.next = Some("run `crossgate bootstrap` to repair it".to_owned());
    insta::assert_snapshot!(plain_text(&view), @r#"
    crossgate check: project checkout, 1 gate

    tools (111111111111)
      ~ pipeline action  MyPipeline/InvokeValidationLambda/RunValidation  us-east-1  [validate]
          the pipeline action differs
          --- actual
          +++ expected
            ... 7 unchanged lines
              },
              "runOrder": 1,
              "configuration": {
          -     "FunctionName": "Other",
          +     "FunctionName": "MyFunction",
                "UserParameters": "{\"level\":2}"
              },
              "roleArn": "arn:aws:iam::222222222222:role/crossgate-checkout-validate"
            }

    dev (222222222222)
      ~ trust policy of role  crossgate-checkout-validate  [validate]
          the trust policy of role differs
          --- actual
          +++ expected
            ... 8 unchanged lines
                  "Action": "sts:AssumeRole",
                  "Condition": {
                    "ArnEquals": {
          -           "aws:PrincipalArn": "arn:aws:iam::111111111111:role/Other"
          +           "aws:PrincipalArn": "arn:aws:iam::111111111111:role/MyServiceRole"
                    }
                  }
                }
            ... 2 unchanged lines
      + tags of role  crossgate-checkout-validate  [validate]
          the tags of role is missing
          --- actual
          +++ expected
          + {"owner": "me"}
      ! unexpected policy  crossgate-checkout-validate/somebody  [validate]
          the policy is not of this project
          kept as it is: --remove-unexpected removes it
          --- actual
          +++ expected
          - {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}

    Drift: 4 objects differ, gates affected: validate
    Next: run `crossgate bootstrap` to repair it
    "#);
}

#[test]
fn in_sync_is_short() {
    let (plan, accounts) = (plan(Vec::new()), accounts());
    let view = view(Command::Check, Status::InSync, &plan, &accounts);
    insta::assert_snapshot!(plain_text(&view), @"
    crossgate check: project checkout, 1 gate

    tools (111111111111): in sync
    dev (222222222222): in sync

    In sync: 1 gate, nothing to do.
    ");
}

#[test]
fn a_teardown_sums_up_what_goes() {
    let (plan, accounts) = (teardown(), accounts());
    let view = view(Command::Teardown, Status::Changes, &plan, &accounts);
    insta::assert_snapshot!(plain_text(&view), @"
    crossgate teardown: project checkout, 1 gate

    tools (111111111111)
      - inline policy  MyServiceRole/crossgate-checkout-assume  [validate]
          no gate needs it any more
          was: a policy of 1 statement (-v shows it)
      - pipeline action  MyPipeline/InvokeValidationLambda/RunValidation  us-east-1  [validate]
          no gate needs it any more
          was: a document of 5 values (-v shows it)

    dev (222222222222)
      - role  crossgate-checkout-validate  [validate]
          no gate needs it any more
          was: a document of 3 values (-v shows it)

    Plan: 0 to create, 0 to update, 3 to delete.
    ");
    let verbose = render(&view, &Style::PLAIN.with_verbose(true));
    assert!(
        verbose.contains("      -   \"Version\": \"2012-10-17\",\n"),
        "{verbose}"
    );
}

#[test]
fn a_teardown_of_nothing_says_so() {
    let (mut plan, accounts) = (plan(Vec::new()), accounts());
    plan.intent = Intent::Teardown;
    let view = view(Command::Teardown, Status::InSync, &plan, &accounts);
    insta::assert_snapshot!(plain_text(&view), @"
    crossgate teardown: project checkout, 1 gate

    tools (111111111111): nothing to remove
    dev (222222222222): nothing to remove

    In sync: 1 gate, nothing to remove.
    ");
}

#[test]
fn an_unreachable_account_is_not_in_sync() {
    let (mut plan, mut accounts) = (plan(Vec::new()), accounts());
    accounts.last_mut().unwrap().state =
        AccountState::Unreachable("the token of profile `dev` has expired".to_owned());
    let (dev, _) = account("dev");
    let mut unread = problem(
        Severity::Incomplete,
        "account_unreachable",
        "account dev could not be read",
        Some("run `aws sso login --profile dev`"),
    );
    unread.account = Some(dev);
    unread.gates = vec![gate("approve"), gate("validate")];
    plan.problems.push(unread);
    let view = view(Command::Check, Status::Incomplete, &plan, &accounts);
    insta::assert_snapshot!(plain_text(&view), @"
    crossgate check: project checkout, 1 gate

    tools (111111111111): no changes found

    dev (222222222222): unreachable
      the token of profile `dev` has expired

    incomplete: account dev could not be read
      account dev; gates approve, validate; code account_unreachable
      hint: run `aws sso login --profile dev`

    Incomplete: 1 account could not be read; no difference in what was read.
    ");
}

#[test]
fn an_incomplete_check_still_shows_what_it_saw() {
    let (plan, mut accounts) = (drifted(), accounts());
    accounts.last_mut().unwrap().state = AccountState::Unreachable("no answer".to_owned());
    let view = view(Command::Check, Status::Incomplete, &plan, &accounts);
    let text = plain_text(&view);
    let last = "Incomplete: 1 account could not be read; in what was read, 3 objects differ, gates affected: validate\n";
    assert!(text.ends_with(last), "{text}");
}

#[test]
fn an_incomplete_plan_counts_what_it_would_do() {
    let (mut plan, accounts) = (fresh(), accounts());
    plan.problems.push(problem(
        Severity::Incomplete,
        "role_unreadable",
        "role x could not be read",
        None,
    ));
    let view = view(Command::Plan, Status::Incomplete, &plan, &accounts);
    let text = plain_text(&view);
    let last = text.lines().last().unwrap();
    insta::assert_snapshot!(last, @"Incomplete: not everything could be read; in what was read, 3 to create, 0 to update, 0 to delete. As it stands, nothing would be written.");
}

#[test]
fn a_blocked_plan_says_what_stands_in_the_way() {
    let (mut plan, accounts) = (plan(Vec::new()), accounts());
    let (dev, _) = account("dev");
    let mut conflict = problem(
        Severity::Blocked,
        "role_conflict",
        "role crossgate-checkout-validate is there and is not ours",
        Some("choose another name, or take it on with --adopt"),
    );
    conflict.account = Some(dev);
    conflict.gates = vec![gate("validate")];
    plan.problems.push(conflict);
    let masked = "action MyPipeline/Source/GitHub has a masked OAuthToken";
    plan.problems
        .push(problem(Severity::Warning, "masked_secret", masked, None));
    let view = view(Command::Bootstrap, Status::Failed, &plan, &accounts);
    insta::assert_snapshot!(plain_text(&view), @"
    crossgate bootstrap: project checkout, 1 gate

    tools (111111111111): no changes found
    dev (222222222222): no changes found

    warning: action MyPipeline/Source/GitHub has a masked OAuthToken
      code masked_secret

    blocked: role crossgate-checkout-validate is there and is not ours
      account dev; gate validate; code role_conflict
      hint: choose another name, or take it on with --adopt

    Blocked: 1 problem stands in the way, nothing was changed.
    ");
}

#[test]
fn a_change_in_an_account_that_is_not_listed_is_shown_all_the_same() {
    let plan = fresh();
    let text = plain_text(&view(Command::Plan, Status::Changes, &plan, &[]));
    assert!(text.contains("\ntools (111111111111)\n"));
    assert!(text.contains("\ndev (222222222222)\n"));
}

#[test]
fn a_check_without_a_difference_of_documents_has_no_header() {
    let same = json!({"name": "RunValidation"});
    let resource = "MyPipeline/Gate/RunValidation";
    let documents = (Some(same.clone()), Some(same));
    let mut moved = change("tools", ChangeKind::PipelineAction, resource, documents);
    moved.reason = "the stage stands in another place".to_owned();
    let (plan, accounts) = (plan(vec![moved]), accounts());
    let text = plain_text(&view(Command::Check, Status::Drift, &plan, &accounts));
    assert!(
        text.contains("      the stage stands in another place\n\ndev"),
        "{text}"
    );
}

#[test]
fn a_check_that_is_blocked_says_so_and_names_the_gates() {
    let (mut plan, accounts) = (fresh(), accounts());
    plan.changes.clear();
    let mut missing = problem(Severity::Blocked, "function_not_found", "no function", None);
    missing.gates = vec![gate("validate")];
    plan.problems = vec![missing];
    let view = view(Command::Check, Status::Drift, &plan, &accounts);
    let text = plain_text(&view);
    let last = text.lines().last().unwrap();
    assert_eq!(
        last, "Drift: 1 problem stands in the way, gates affected: validate",
        "{text}"
    );
}
