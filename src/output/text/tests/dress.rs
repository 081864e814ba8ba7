//! Colour, width, folding, and that nothing from outside acts on a terminal.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::json;

use crate::model::change::{ChangeKind, Failure, Outcome, Severity};
use crate::model::status::Status;
use crate::output::fixtures::{
    accounts, change, drifted, fresh, partial, plan, problem, report, teardown, view,
};
use crate::output::text::{Style, render};
use crate::output::view::{AccountState, Command};

use super::plain_text;

#[test]
fn colour_adds_nothing_but_colour() {
    let (plan, accounts, report) = (fresh(), accounts(), partial());
    let colour = Style {
        color: true,
        ..Style::PLAIN
    };
    let without_sequences = |text: &str| {
        let mut parts = text.split('\u{1b}');
        let mut out = parts.next().unwrap().to_owned();
        for part in parts {
            out.push_str(part.split_once('m').unwrap().1);
        }
        out
    };
    let (drift, teardown) = (drifted(), teardown());
    let mut applied = view(Command::Bootstrap, Status::Partial, &plan, &accounts);
    applied.report = Some(&report);
    for view in [
        applied,
        view(Command::Check, Status::Drift, &drift, &accounts),
        view(Command::Teardown, Status::Changes, &teardown, &accounts),
    ] {
        let coloured = render(&view, &colour);
        assert!(coloured.contains('\u{1b}'));
        assert_eq!(without_sequences(&coloured), plain_text(&view));
    }
}

#[test]
fn colour_is_where_it_helps() {
    let boundary = change(
        "dev",
        ChangeKind::IamPermissionsBoundary,
        "r",
        (Some(json!("arn:a")), Some(json!("arn:b"))),
    );
    let (plan, accounts) = (plan(vec![boundary]), accounts());
    let view = view(Command::Check, Status::Drift, &plan, &accounts);
    let colour = Style {
        color: true,
        unicode: true,
        ..Style::PLAIN
    };
    let text = render(&view, &colour).replace('\u{1b}', "ESC");
    insta::assert_snapshot!(text, @r#"
    ESC[1mcrossgate checkESC[0m: project checkout, 1 gate

    ESC[1mtoolsESC[0m (111111111111)ESC[2m: in syncESC[0m

    ESC[1mdevESC[0m (222222222222)
      ESC[33m~ permissions boundary of roleESC[0m  ESC[1mrESC[0mESC[2m  [validate]ESC[0m
          the permissions boundary of role differs
          ESC[31m--- actualESC[0m
          ESC[32m+++ expectedESC[0m
          ESC[31m- "arn:a"ESC[0m
          ESC[32m+ "arn:b"ESC[0m

    ESC[1;31mDrift: ESC[0m1 object differs, gates affected: validate
    "#);
}

#[test]
fn a_narrow_terminal_gets_wrapped_sentences() {
    let (mut plan, accounts) = (drifted(), accounts());
    plan.problems.push(problem(
        Severity::Warning,
        "trust_gone",
        "the trust policy names AROA1234567890, the unique id of a principal that was deleted",
        Some("run `crossgate bootstrap`, which writes the trust policy anew"),
    ));
    let view = view(Command::Plan, Status::Changes, &plan, &accounts);
    let narrow = Style {
        width: 44,
        ..Style::PLAIN
    };
    let text = render(&view, &narrow);
    let tail = text.split_once("somebody").unwrap().1;
    insta::assert_snapshot!(tail, @r#"
      [validate]
          the policy is not of this project
          kept as it is: --remove-unexpected
            removes it
            {
              "Version": "2012-10-17",
              "Statement": {
                "Effect": "Allow",
                "Action": "*",
                "Resource": "*"
              }
            }

    warning: the trust policy names
      AROA1234567890, the unique id of a
      principal that was deleted
      code trust_gone
      hint: run `crossgate bootstrap`, which
        writes the trust policy anew

    Plan: 0 to create, 2 to update, 0 to delete,
      1 kept as it is.
    "#);
}

#[test]
fn a_long_document_is_folded() {
    let tags = |last: &str| {
        let all = (0..30).map(|i| {
            (
                format!("key{i:02}"),
                json!(if i == 20 { last } else { "v" }),
            )
        });
        serde_json::Value::Object(all.collect())
    };
    let long = change(
        "dev",
        ChangeKind::IamRoleTags,
        "r",
        (Some(tags("old")), Some(tags("new"))),
    );
    let (plan, accounts) = (plan(vec![long]), accounts());
    let view = view(Command::Plan, Status::Changes, &plan, &accounts);
    let text = plain_text(&view);
    let tail = text.split_once("differs\n").unwrap().1;
    insta::assert_snapshot!(tail, @r#"
            ... 18 unchanged lines
              "key17": "v",
              "key18": "v",
              "key19": "v",
          -   "key20": "old",
          +   "key20": "new",
              "key21": "v",
              "key22": "v",
              "key23": "v",
            ... 7 unchanged lines

    Plan: 0 to create, 1 to update, 0 to delete.
    "#);
}

proptest! {
    /// Whatever text comes from outside, at any place, a terminal sees only line feeds and what can be seen.
    #[test]
    fn nothing_from_outside_acts_on_a_terminal(evil in "(\u{1b}\\[2J|\u{9b}|\r|\n|\u{202e}|\u{7}|a| ){0,8}") {
        let (mut plan, mut accounts) = (drifted(), accounts());
        for change in &mut plan.changes {
            change.resource.push_str(&evil);
            change.reason.push_str(&evil);
            change.before = Some(json!({ &evil: &evil }).into());
            change.held = Some(evil.clone());
        }
        let shown = problem(Severity::Warning, "code", &evil, Some(&evil));
        plan.problems.push(shown.clone());
        accounts.first_mut().unwrap().state = AccountState::Unreachable(evil.clone());
        let mut failed = report(vec![
            Outcome::Failed(Failure::Stale { message: evil.clone() }),
            Outcome::Kept(evil.clone()),
            Outcome::Skipped { because_of: evil.clone() },
        ]);
        failed.problems.push(shown);
        failed.backups.push(PathBuf::from(&evil));
        let mut view = view(Command::Check, Status::Drift, &plan, &accounts);
        view.next = Some(evil.clone());
        let planned = plain_text(&view);
        view.report = Some(&failed);
        for text in [planned, plain_text(&view)] {
            prop_assert!(!text.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'), "{:?}", text);
        }
    }
}
