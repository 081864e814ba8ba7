//! A merged report: the JSON of an undivided run, or for people what it comes to.
//! It decides nothing: the document is given, its status in it.

use serde_json::Value;

use crate::model::listed::listed;

use super::page::{Page, plain, span};
use super::sanitize;
use super::style::{Paint, Style};
use super::words::counted;

/// One JSON object, byte for byte as the command itself would write it.
///
/// # Errors
/// serde_json's, which cannot happen with a value.
pub fn json(document: &Value) -> serde_json::Result<String> {
    let mut text = sanitize::json(&serde_json::to_string_pretty(document)?);
    text.push('\n');
    Ok(text)
}

/// What is not as it shall be, in a line each, and the sum.
pub fn text(document: &Value, style: &Style) -> String {
    let mut page = Page::new(style);
    let command = word(document, "command");
    let (gates, accounts) = (list(document, "gates"), list(document, "accounts"));
    let about = format!(
        ": {}, {} in {}",
        document.get("project").and_then(Value::as_str).map_or_else(
            || "no project".to_owned(),
            |project| format!("project {project}")
        ),
        counted(gates.len(), "gate"),
        counted(accounts.len(), "account")
    );
    page.line(
        0,
        &[
            span(Paint::Strong, format!("crossgate {command}, merged")),
            plain(about),
        ],
    );
    for account in accounts {
        if let Some(why) = account.get("unreachable").and_then(Value::as_str) {
            let name = format!("{} ({}): ", word(account, "name"), word(account, "id"));
            page.prose(0, span(Paint::Error, name), Paint::Plain, why);
        }
    }
    for change in list(document, "changes") {
        self::change(&mut page, change);
    }
    let proof = document.get("verify").unwrap_or(document);
    for chain in list(proof, "gates") {
        let standing = word(chain, "standing");
        if !standing.is_empty() && standing != "proven" {
            let gate = format!("gate {}: ", word(chain, "name"));
            page.line(
                0,
                &[plain(gate), span(Paint::Error, standing.replace('_', " "))],
            );
        }
    }
    let mut problems: Vec<&Value> = list(document, "problems").iter().collect();
    // The gravest last: nearest to where people begin to read in a terminal.
    problems.reverse();
    for problem in problems {
        page.gap();
        let head = format!("{}: ", word(problem, "severity"));
        page.prose(
            0,
            span(Paint::Error, head),
            Paint::Strong,
            word(problem, "message"),
        );
        let gates = names(problem);
        if !gates.is_empty() {
            page.line(2, &[span(Paint::Faint, format!("gates {}", listed(gates)))]);
        }
        if let Some(hint) = problem.get("hint").and_then(Value::as_str) {
            page.prose(2, span(Paint::Hint, "hint: "), Paint::Plain, hint);
        }
    }
    page.gap();
    let status = word(document, "status");
    let paint = match status {
        "in_sync" => Paint::Added,
        "changes" => Paint::Changed,
        _ => Paint::Error,
    };
    let sum = format!(
        ": {}, {}.",
        counted(list(document, "changes").len(), "change"),
        counted(list(document, "problems").len(), "problem")
    );
    page.line(0, &[span(paint, status.replace('_', " ")), plain(sum)]);
    page.finish()
}

fn change(page: &mut Page<'_>, change: &Value) {
    let (sign, paint) = match word(change, "action") {
        "create" => ("+", Paint::Added),
        "update" => ("~", Paint::Changed),
        _ => ("-", Paint::Removed),
    };
    let kind = word(change, "kind").replace('_', " ");
    let mut line = vec![
        span(paint, format!("{sign} {kind}")),
        plain("  "),
        span(Paint::Strong, word(change, "resource")),
        plain(format!(
            "  {} ({})",
            word(change, "account"),
            word(change, "account_id")
        )),
    ];
    let gates = names(change);
    if !gates.is_empty() {
        line.push(span(Paint::Faint, format!("  [{}]", listed(gates))));
    }
    page.line(0, &line);
    page.prose(6, plain(""), Paint::Plain, word(change, "reason"));
}

fn word<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn names(value: &Value) -> Vec<&str> {
    list(value, "gates")
        .iter()
        .filter_map(Value::as_str)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_person_reads_what_differs_and_what_it_comes_to() {
        let gates: Vec<String> = (0..200).map(|n| format!("g{n:03}")).collect();
        let document = json!({
            "command": "check", "status": "incomplete", "project": "p", "gates": gates,
            "accounts": [{"name": "tools", "id": "111111111111", "unreachable": "no\u{1b}[2J credentials"}],
            "changes": [{"action": "update", "kind": "iam_inline_policy", "resource": "R/P", "account": "dev",
                "account_id": "222222222222", "gates": gates, "reason": "too little"}],
            "problems": [{"severity": "incomplete", "message": "no report of hash:1/2", "gates": [], "hint": "hand it in"}],
        });
        let shown = text(&document, &Style::PLAIN);
        for line in [
            "crossgate check, merged: project p, 200 gates in 1 account",
            "~ iam inline policy  R/P  dev (222222222222)  [g000, g001, g002 and 197 more]",
            "      too little",
            "incomplete: no report of hash:1/2",
            "  hint: hand it in",
            "incomplete: 1 change, 1 problem.",
        ] {
            assert!(
                shown.lines().any(|found| found == line),
                "{line} in\n{shown}"
            );
        }
        assert!(shown.contains("tools (111111111111): no") && !shown.contains('\u{1b}'));
    }
}
