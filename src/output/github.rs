//! Findings as workflow commands of GitHub Actions: an annotation each, at the line of its gate in the manifest.
//! Nothing but an annotation of ours may begin a line: a workflow command in a name from AWS would be carried out.

use std::fmt::Write as _;

use super::findings::{Finding, Findings, Level, Place};

/// Renders the annotations, the gravest first, then the lines that sum up. GitHub shows ten errors, ten warnings and ten notices
/// of a step beside the file (docs: workflow commands, limits); all are in the log and in the step's summary.
pub fn render(all: &Findings) -> String {
    let Findings {
        command,
        status: _,
        exit_code: _,
        project: _,
        manifest,
        summary,
        next,
        list: findings,
        cases: _,
    } = all;
    let mut out = String::new();
    let mut findings: Vec<&Finding> = findings.iter().collect();
    findings.sort_by_key(|finding| finding.level);
    for finding in findings {
        annotation(&mut out, finding, manifest);
    }
    for line in summary {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "crossgate {command}: {line}");
    }
    if let Some(next) = next {
        let _ = writeln!(out, "Next: {next}");
    }
    out
}

fn annotation(out: &mut String, finding: &Finding, manifest: &str) {
    let Finding {
        rule,
        level,
        unseen: _,
        id: _,
        gates,
        account,
        subject,
        message,
        hint,
        details: _,
        places,
    } = finding;
    let word = match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "notice",
    };
    let first = places.first().cloned().unwrap_or_else(Place::top);
    let title = format!("{} ({})", rule.title, rule.id);
    let mut text = format!("{}: {message}", subject.words());
    if let Some(hint) = hint {
        text.push_str("\nhint: ");
        text.push_str(hint);
    }
    if let Some(account) = account {
        text.push_str("\naccount: ");
        text.push_str(account);
    }
    if !gates.is_empty() {
        text.push_str("\ngates: ");
        text.push_str(&gates.join(", "));
    }
    let _ = writeln!(
        out,
        "::{word} file={},line={},col={},title={}::{}",
        property(manifest),
        first.line,
        first.column,
        property(&title),
        data(&text)
    );
}

/// Escapes the message of a command (actions/toolkit, `escapeData`).
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes a property of a command (actions/toolkit, `escapeProperty`).
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests;
