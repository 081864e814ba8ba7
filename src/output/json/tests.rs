//! The JSON object, field by field, and that it is harmless to show.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use serde_json::json;

use crate::model::change::Severity;
use crate::output::fixtures::{
    accounts, action, change, drifted, fresh, partial, plan, problem, report, view,
};
use crate::output::view::Command;

use super::*;

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn a_plan_has_the_shape_of_the_contract() {
    let (mut plan, accounts) = (drifted(), accounts());
    plan.changes.drain(..2);
    plan.problems.push(problem(
        Severity::Warning,
        "masked_secret",
        "a message",
        Some("a hint"),
    ));
    let view = view(Command::Check, Status::Drift, &plan, &accounts);
    insta::assert_snapshot!(render(&view).unwrap(), @r#"
    {
      "format_version": 1,
      "command": "check",
      "status": "drift",
      "project": "checkout",
      "gates": [
        "validate"
      ],
      "accounts": [
        {
          "name": "tools",
          "id": "111111111111",
          "unreachable": null
        },
        {
          "name": "dev",
          "id": "222222222222",
          "unreachable": null
        }
      ],
      "changes": [
        {
          "id": "iam_unexpected_policy/222222222222/crossgate-checkout-validate/somebody",
          "account": "dev",
          "account_id": "222222222222",
          "region": null,
          "kind": "iam_unexpected_policy",
          "resource": "crossgate-checkout-validate/somebody",
          "action": "delete",
          "gates": [
            "validate"
          ],
          "reason": "the policy is not of this project",
          "before": {
            "Version": "2012-10-17",
            "Statement": {
              "Effect": "Allow",
              "Action": "*",
              "Resource": "*"
            }
          },
          "after": null,
          "held": "--remove-unexpected removes it"
        }
      ],
      "problems": [
        {
          "code": "masked_secret",
          "severity": "warning",
          "account": null,
          "gates": [],
          "message": "a message",
          "hint": "a hint"
        }
      ]
    }
    "#);
}

#[test]
fn the_keys_of_design_are_all_there() {
    let (plan, accounts) = (fresh(), accounts());
    let view = view(Command::Plan, Status::Changes, &plan, &accounts);
    let object = value(&render(&view).unwrap());
    for key in ["format_version", "command", "status", "changes", "problems"] {
        assert!(keys(&object).contains(&key), "{key}");
    }
    assert!(!keys(&object).contains(&"backups"));
    let change = &object["changes"][1];
    let wanted = [
        "id",
        "account",
        "account_id",
        "region",
        "kind",
        "resource",
        "action",
        "gates",
        "reason",
        "before",
        "after",
        "held",
    ];
    assert_eq!(keys(change), wanted);
    assert_eq!(change["region"], json!("us-east-1"));
    assert_eq!(object["changes"][0]["region"], Value::Null);
    assert_eq!(change["after"], action("MyFunction"));
}

#[test]
fn an_apply_adds_outcomes_errors_and_backups() {
    let (plan, accounts, mut report) = (fresh(), accounts(), partial());
    report
        .backups
        .push(PathBuf::from(".crossgate/backup/p.json"));
    report
        .problems
        .push(problem(Severity::Warning, "written_in_between", "m", None));
    let mut view = view(Command::Bootstrap, Status::Partial, &plan, &accounts);
    view.report = Some(&report);
    let object = value(&render(&view).unwrap());
    assert_eq!(object["status"], json!("partial"));
    assert_eq!(object["backups"], json!([".crossgate/backup/p.json"]));
    assert_eq!(object["writes"], json!(1));
    assert_eq!(object["problems"][0]["code"], json!("written_in_between"));
    let changes = object["changes"].as_array().unwrap();
    let outcomes: Vec<&Value> = changes.iter().map(|change| &change["outcome"]).collect();
    assert_eq!(
        outcomes,
        [&json!("failed"), &json!("skipped"), &json!("done")]
    );
    assert_eq!(changes[1]["outcome_detail"], json!(plan.changes[0].id));
    assert_eq!(changes[2]["outcome_detail"], Value::Null);
    assert!(changes[2].get("error").is_none());
    insta::assert_snapshot!(format!("{:#}", changes[0]["error"]), @r#"
    {
      "kind": "access_denied",
      "operation": "iam:PutRolePolicy",
      "account": "tools",
      "account_id": "111111111111",
      "resource": "policy crossgate-checkout-assume on role MyServiceRole",
      "code": "AccessDenied",
      "message": "User is not authorized",
      "request_id": "5f1c",
      "hint": "allow iam:PutRolePolicy on the role"
    }
    "#);
}

#[test]
fn a_report_that_is_too_short_leaves_outcomes_null() {
    let (plan, accounts, report) = (fresh(), accounts(), report(Vec::new()));
    let mut view = view(Command::Bootstrap, Status::Failed, &plan, &accounts);
    view.report = Some(&report);
    let object = value(&render(&view).unwrap());
    assert_eq!(object["changes"][0]["outcome"], Value::Null);
    assert!(keys(&object["changes"][0]).contains(&"outcome"));
}

#[test]
fn numbers_and_unknown_fields_pass_as_they_are() {
    let before: Value =
        serde_json::from_str(r#"{"z": 1.10, "a": 12345678901234567890123, "new": {"x": []}}"#)
            .unwrap();
    let odd = change(
        "tools",
        crate::model::change::ChangeKind::PipelineAction,
        "p/s/a",
        (Some(before), Some(json!({}))),
    );
    let (plan, accounts) = (plan(vec![odd]), accounts());
    let text = render(&view(Command::Plan, Status::Changes, &plan, &accounts)).unwrap();
    let (z, a) = (
        text.find("\"z\": 1.10").unwrap(),
        text.find("\"a\": 12345678901234567890123").unwrap(),
    );
    assert!(z < a);
}

#[test]
fn what_a_terminal_would_act_on_is_escaped_and_the_value_is_kept() {
    let (mut plan, accounts) = (fresh(), accounts());
    let evil = "\u{1b}[2J\u{9b}\u{202e}\u{e0041}\u{7f}\n";
    plan.changes.first_mut().unwrap().reason = evil.to_owned();
    let text = render(&view(Command::Plan, Status::Changes, &plan, &accounts)).unwrap();
    assert!(text.contains(r#""\u001b[2J\u009b\u202e\udb40\udc41\u007f\n""#));
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'));
    assert_eq!(value(&text)["changes"][0]["reason"], json!(evil));
}

#[test]
fn an_error_before_the_plan_is_an_object_too() {
    let error = ErrorMessage {
        message: "cannot read crossgate.toml".to_owned(),
        causes: vec!["permission denied".to_owned()],
        hint: Some("make it readable".to_owned()),
    };
    let text = render_error("plan", "manifest_unreadable", &error).unwrap();
    insta::assert_snapshot!(text, @r#"
    {
      "format_version": 1,
      "command": "plan",
      "status": "failed",
      "project": null,
      "gates": [],
      "accounts": [],
      "changes": [],
      "problems": [
        {
          "code": "manifest_unreadable",
          "severity": "error",
          "account": null,
          "gates": [],
          "message": "cannot read crossgate.toml: permission denied",
          "hint": "make it readable"
        }
      ]
    }
    "#);
}
