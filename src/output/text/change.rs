//! One change as text: its line, why, and the difference of its documents; after an apply what became of it.
//! What is compared and what it means is decided in `plan`; here two documents are put side by side.

use serde_json::Value;

use crate::model::change::{Change, ChangeAction, ChangeKind, Outcome};

use crate::output::diff::{self, Line};
use crate::output::document;
use crate::output::page::{Page, Span, linked, plain, span};
use crate::output::problem;
use crate::output::style::{Paint, Style};
use crate::output::view::{Command, View};
use crate::output::words;

use super::address;

/// The column of what stands below a change's line.
const INDENT: usize = 6;

/// The widest line of a compact document, signs and indent included.
const WIDEST: usize = 120;

/// Writes a change, as planned or as carried out.
pub(super) fn write(
    page: &mut Page<'_>,
    view: &View<'_>,
    change: &Change,
    outcome: Option<&Outcome>,
) {
    let mut line = head(view, change);
    let Some(outcome) = outcome else {
        page.line(2, &line);
        planned(page, view.command, change);
        return;
    };
    let paint = match outcome {
        Outcome::Done => Paint::Added,
        Outcome::AlreadyThere => Paint::Faint,
        Outcome::Kept(_) | Outcome::Skipped { .. } => Paint::Warning,
        Outcome::Failed(_) => Paint::Error,
    };
    line.push(plain(": "));
    line.push(span(paint, words::outcome(outcome, &view.plan.changes)));
    page.line(2, &line);
    if let Outcome::Failed(failure) = outcome {
        problem::detail(page, INDENT, &failure.to_string(), failure.hint());
    }
}

/// `+ inline policy  role/policy  us-east-1  [gate]`.
fn head<'a>(view: &View<'_>, change: &'a Change) -> Vec<Span<'a>> {
    let Change {
        id: _,
        account,
        account_id: _,
        region,
        kind,
        resource,
        action,
        gates,
        reason: _,
        before: _,
        after: _,
        held,
    } = change;
    let (sign, paint) = match (held, action) {
        (Some(_), _) => ('!', Paint::Warning),
        (None, ChangeAction::Create) => (action.sign(), Paint::Added),
        (None, ChangeAction::Update) => (action.sign(), Paint::Changed),
        (None, ChangeAction::Delete) => (action.sign(), Paint::Removed),
    };
    let known = view.accounts.iter().find(|line| line.name == *account);
    let address = known.and_then(|account| address::of(change, account.partition));
    let mut line = vec![
        span(paint, format!("{sign} {}", kind.noun())),
        plain("  "),
        linked(Paint::Strong, resource.as_str(), address),
    ];
    if let Some(region) = region {
        line.push(plain(format!("  {region}")));
    }
    if !gates.is_empty() {
        line.push(span(Paint::Faint, format!("  [{}]", words::gates(gates))));
    }
    line
}

fn planned(page: &mut Page<'_>, command: Command, change: &Change) {
    page.prose(INDENT, plain(""), Paint::Plain, &change.reason);
    if let Some(held) = &change.held {
        problem::labelled(page, INDENT, "kept as it is", held);
    }
    let check = match command {
        Command::Check => true,
        Command::Plan
        | Command::Bootstrap
        | Command::Teardown
        | Command::Prune
        | Command::Restore => false,
    };
    let lines = match (&change.before, &change.after) {
        (None, None) => Vec::new(),
        (None, Some(after)) => whole(page.style(), Side::Added, &after.value()),
        (Some(before), None) => gone(page, check, change, &before.value()),
        (Some(before), Some(after)) => difference(page.style(), &before.value(), &after.value()),
    };
    if check && !lines.is_empty() {
        page.line(INDENT, &[span(Paint::Removed, "--- actual")]);
        page.line(INDENT, &[span(Paint::Added, "+++ expected")]);
    }
    for line in lines {
        page.line(INDENT, &[line]);
    }
}

/// What is there and shall not be. It is shown whole where somebody must judge it; what we put there ourselves is summed up.
fn gone(page: &mut Page<'_>, check: bool, change: &Change, before: &Value) -> Vec<Span<'static>> {
    if check {
        whole(page.style(), Side::Removed, before)
    } else if change.held.is_some() {
        whole(page.style(), Side::Kept, before)
    } else if page.style().verbose || change.kind == ChangeKind::IamUnexpectedPolicy {
        whole(page.style(), Side::Removed, before)
    } else {
        let text = format!("{} (-v shows it)", document::summary(before));
        problem::labelled(page, INDENT, "was", &text);
        Vec::new()
    }
}

/// On which side of a difference a whole document stands.
#[derive(Clone, Copy)]
enum Side {
    Added,
    Removed,
    Kept,
}

fn whole(style: &Style, side: Side, value: &Value) -> Vec<Span<'static>> {
    let (sign, paint) = match side {
        Side::Added => ("+ ", Paint::Added),
        Side::Removed => ("- ", Paint::Removed),
        Side::Kept => ("  ", Paint::Plain),
    };
    let room = style.width.min(WIDEST).saturating_sub(INDENT + sign.len());
    let lines = document::compact(value, room);
    lines
        .iter()
        .map(|line| span(paint, format!("{sign}{line}")))
        .collect()
}

fn difference(style: &Style, before: &Value, after: &Value) -> Vec<Span<'static>> {
    let dress = |line| match line {
        Line::Same(text) => plain(format!("  {text}")),
        Line::Added(text) => span(Paint::Added, format!("+ {text}")),
        Line::Removed(text) => span(Paint::Removed, format!("- {text}")),
        Line::Folded(n) => {
            let lines = words::counted(n, "unchanged line");
            span(Paint::Faint, format!("  {} {lines}", style.ellipsis()))
        }
    };
    let lines = diff::documents(Some(before), Some(after));
    lines.into_iter().map(dress).collect()
}
