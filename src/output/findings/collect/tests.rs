//! Which findings and which cases come of a result.

#![allow(clippy::unwrap_used)]

use crate::model::change::{ChangeKind, Plan};
use crate::output::fixtures::{
    account, accounts, drifted, findings, fresh, gate, manifest, object, objects, plan, problem,
    proof_findings, view,
};

use super::*;

/// Suite, name and outcome of each case, a line each.
fn cases(found: &Findings) -> String {
    let line = |case: &Case| {
        let outcome = match &case.outcome {
            Outcome::Passed => "passed".to_owned(),
            Outcome::Failed(_) | Outcome::Errored(_) => {
                let (word, indices) = match &case.outcome {
                    Outcome::Errored(indices) => ("error", indices),
                    Outcome::Failed(indices) => ("failed", indices),
                    Outcome::Passed | Outcome::Skipped(_) => unreachable!(),
                };
                let ids: Vec<&str> = found.of(indices).map(|f| f.id.as_str()).collect();
                format!("{word} {}", ids.join(" "))
            }
            Outcome::Skipped(reason) => format!("skipped: {reason}"),
        };
        format!("{}: {}: {outcome}", case.suite, case.name)
    };
    found.cases.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn about_validate(mut one: Problem, of: &str) -> Problem {
    one.account = Some(account(of).0);
    one.gates = vec![gate("validate")];
    one
}

#[test]
fn every_object_is_a_case_and_the_parts_of_a_role_are_one() {
    let found = findings(&drifted(), Status::Drift, &objects());
    insta::assert_snapshot!(cases(&found), @"
    account tools (111111111111): the account can be read: passed
    account dev (222222222222): the account can be read: passed
    account dev (222222222222): role crossgate-checkout-validate: failed iam_trust_policy/222222222222/crossgate-checkout-validate iam_unexpected_policy/222222222222/crossgate-checkout-validate/somebody
    account dev (222222222222): inline policy MyFunction-role/crossgate-checkout-callback: passed
    account dev (222222222222): inline policy crossgate-checkout-validate/crossgate-checkout-invoke: passed
    account tools (111111111111): inline policy MyServiceRole/crossgate-checkout-assume: passed
    account tools (111111111111): pipeline action MyPipeline/InvokeValidationLambda/RunValidation (us-east-1): failed pipeline_action/111111111111/MyPipeline/InvokeValidationLambda/RunValidation
    ");
    insta::assert_snapshot!(found.summary.join("\n"), @"Drift: 3 objects differ, gates affected: validate");
    assert!(found.list.iter().all(|f| f.level == Level::Error));
    assert_eq!(found.list[0].places[0].line, 12);
}

#[test]
fn what_is_in_sync_passes() {
    let found = findings(&plan(Vec::new()), Status::InSync, &objects());
    let passed = |case: &&Case| case.outcome == Outcome::Passed;
    assert_eq!(found.cases.iter().filter(passed).count(), 7);
    assert_eq!(found.cases.len(), 7, "two accounts and five objects");
    assert_eq!(found.list, []);
}

#[test]
fn pending_changes_of_a_plan_warn() {
    let (plan, accounts, manifest) = (fresh(), accounts(), manifest());
    let asked = Asked {
        manifest: &manifest,
        exit_code: 0,
    };
    let view = view(Command::Plan, Status::Changes, &plan, &accounts);
    let found = Findings::of_plan(&view, &objects(), &asked);
    assert_eq!(found.list.len(), 3);
    assert!(found.list.iter().all(|f| f.level == Level::Warning));
}

fn unread() -> Plan {
    let mut plan = plan(Vec::new());
    let read = problem(
        Severity::Incomplete,
        "read_failed",
        "iam:GetRole was refused",
        None,
    );
    plan.problems.push(about_validate(read.clone(), "dev"));
    let other = Problem {
        message: "lambda:GetFunction was refused".to_owned(),
        ..read
    };
    plan.problems.push(about_validate(other, "dev"));
    plan
}

#[test]
fn what_could_not_be_read_is_an_error_and_what_hangs_on_it_does_not_pass() {
    let mut objects = objects();
    objects[0].looked = Looked::Unreadable("iam:GetRole was refused".to_owned());
    objects[1].looked = Looked::NotLooked("nobody knows the role".to_owned());
    let found = findings(&unread(), Status::Incomplete, &objects);
    insta::assert_snapshot!(cases(&found), @"
    account tools (111111111111): the account can be read: passed
    account dev (222222222222): the account can be read: passed
    account dev (222222222222): role crossgate-checkout-validate: error read_failed/dev (222222222222)/validate
    account dev (222222222222): inline policy MyFunction-role/crossgate-checkout-callback: skipped: nobody knows the role
    account dev (222222222222): inline policy crossgate-checkout-validate/crossgate-checkout-invoke: skipped: nothing is said of it, because of read_failed
    account tools (111111111111): inline policy MyServiceRole/crossgate-checkout-assume: passed
    account tools (111111111111): pipeline action MyPipeline/InvokeValidationLambda/RunValidation (us-east-1): passed
    account dev (222222222222): no read_failed of validate: error read_failed/dev (222222222222)/validate#2
    ");
    assert!(!found.is_whole());
    assert!(found.list.iter().all(|f| f.unseen));
    let ids: Vec<&str> = found.list.iter().map(|f| f.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "read_failed/dev (222222222222)/validate",
            "read_failed/dev (222222222222)/validate#2"
        ],
        "unique and without what changes from run to run"
    );
}

#[test]
fn an_account_that_is_out_of_reach_is_an_error_of_its_own() {
    let (mut plan, mut accounts, manifest) = (plan(Vec::new()), accounts(), manifest());
    accounts[1].state = AccountState::Unreachable("no credentials".to_owned());
    let reach = problem(
        Severity::Incomplete,
        "account_unreachable",
        "no credentials",
        None,
    );
    plan.problems.push(about_validate(reach, "dev"));
    let objects = [object(
        "dev",
        ChangeKind::IamRole,
        "R",
        Looked::NotLooked("account dev could not be reached".to_owned()),
    )];
    let asked = Asked {
        manifest: &manifest,
        exit_code: 4,
    };
    let view = view(Command::Check, Status::Incomplete, &plan, &accounts);
    let found = Findings::of_plan(&view, &objects, &asked);
    insta::assert_snapshot!(cases(&found), @"
    account tools (111111111111): the account can be read: passed
    account dev (222222222222): the account can be read: error account_unreachable/dev (222222222222)/validate
    account dev (222222222222): role R: skipped: account dev could not be reached
    ");
}

#[test]
fn a_change_of_no_known_object_and_a_blocked_gate_are_cases_of_their_own() {
    let mut plan = plan(fresh().changes.drain(..1).collect());
    let conflict = problem(Severity::Blocked, "role_conflict", "somebody's role", None);
    plan.problems.push(about_validate(conflict, "dev"));
    let role = object("dev", ChangeKind::IamRole, "R", Looked::Seen);
    let found = findings(&plan, Status::Drift, &[role]);
    insta::assert_snapshot!(cases(&found), @"
    account tools (111111111111): the account can be read: passed
    account dev (222222222222): the account can be read: passed
    account dev (222222222222): role R: skipped: nothing is said of it, because of role_conflict
    account tools (111111111111): inline policy MyServiceRole/crossgate-checkout-assume: failed iam_inline_policy/111111111111/MyServiceRole/crossgate-checkout-assume
    account dev (222222222222): no role_conflict of validate: failed role_conflict/dev (222222222222)/validate
    ");
}

#[test]
fn every_hop_is_a_case_and_remarks_are_none() {
    let found = proof_findings();
    insta::assert_snapshot!(cases(&found), @"
    account tools (111111111111): the account can be read: passed
    account dev (222222222222): the account can be read: passed
    gate validate: hop 0 sts:AssumeRole: passed
    gate validate: hop 1 sts:AssumeRole: failed hop_1/validate/sts:AssumeRole
    gate validate: hop 3 codepipeline:PutJobSuccessResult: error hop_3/validate/codepipeline:PutJobSuccessResult
    gate validate: no function_not_active: failed function_not_active/validate
    ");
    insta::assert_snapshot!(found.summary.join("\n"), @"
    Not proven: 0 gates proven, 0 refuted, 1 not proven.
    SCPs and RCPs were not seen: an organization's policies may still deny a hop.
    ");
    let levels: Vec<Level> = found.list.iter().map(|f| f.level).collect();
    assert_eq!(
        levels,
        [Level::Error, Level::Error, Level::Error, Level::Note]
    );
}

#[test]
fn a_command_that_failed_has_one_error() {
    let error = ErrorMessage {
        message: "crossgate.toml has 2 mistakes\n  line 3: `stag`".to_owned(),
        causes: vec!["it was\u{1b}[2J written so".to_owned()],
        hint: None,
    };
    let manifest = manifest();
    let asked = Asked {
        manifest: &manifest,
        exit_code: 2,
    };
    let found = Findings::of_error("check", "manifest", &error, &asked);
    insta::assert_snapshot!(cases(&found), @"command: the command can be carried out: error manifest");
    assert_eq!(
        found.list[0].message,
        "crossgate.toml has 2 mistakes: it was\\u{1b}[2J written so"
    );
    assert_eq!(found.list[0].places, [Place::top()]);
    assert!(!found.is_whole());
}
