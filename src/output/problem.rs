//! Problems as text: what is the matter, about what, and what to do.
//! Which problems there are, and how grave, is decided in `plan`, `observe` and `apply`.

use crate::model::change::{Problem, Severity};

use super::page::{Page, plain, span};
use super::style::Paint;
use super::words;

/// Writes the problems, the gravest last: nearest to where people begin to read in a terminal.
pub(super) fn write<'a>(page: &mut Page<'_>, problems: impl Iterator<Item = &'a Problem>) {
    let mut problems: Vec<&Problem> = problems.collect();
    problems.sort_by_key(|problem| problem.severity);
    for problem in problems {
        page.gap();
        one(page, problem);
    }
}

fn one(page: &mut Page<'_>, problem: &Problem) {
    let Problem {
        code,
        severity,
        account,
        gates,
        message,
        hint,
    } = problem;
    let paint = match severity {
        Severity::Warning => Paint::Warning,
        Severity::Blocked | Severity::Incomplete => Paint::Error,
    };
    let head = format!("{}: ", severity.as_str());
    page.prose(0, span(paint, head), Paint::Strong, message);
    let mut about = Vec::new();
    about.extend(account.as_ref().map(|name| format!("account {name}")));
    if !gates.is_empty() {
        let noun = if gates.len() == 1 { "gate" } else { "gates" };
        about.push(format!("{noun} {}", words::gates(gates)));
    }
    about.push(format!("code {code}"));
    page.line(2, &[span(Paint::Faint, about.join("; "))]);
    if let Some(hint) = hint {
        page.prose(2, span(Paint::Hint, "hint: "), Paint::Plain, hint);
    }
}

/// Writes `hint: …` after an empty line, at the left.
pub(super) fn closing_hint(page: &mut Page<'_>, hint: &str) {
    page.gap();
    page.prose(0, span(Paint::Hint, "hint: "), Paint::Plain, hint);
}

/// Writes what went wrong with one thing, below its line.
pub(super) fn detail(page: &mut Page<'_>, indent: usize, message: &str, hint: Option<&str>) {
    page.prose(indent, span(Paint::Error, "error: "), Paint::Plain, message);
    if let Some(hint) = hint {
        page.prose(indent, span(Paint::Hint, "hint: "), Paint::Plain, hint);
    }
}

/// Writes a label and what belongs to it.
pub(super) fn labelled(page: &mut Page<'_>, indent: usize, label: &str, text: &str) {
    page.prose(indent, plain(format!("{label}: ")), Paint::Plain, text);
}
