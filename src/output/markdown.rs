//! Findings as GitHub-flavoured Markdown, for a comment on a pull request or a step's summary: a short table, details folded.
//! What somebody else named stands in code only, every sign of it escaped: it cannot break out, link, or call a person.

use std::fmt::Write as _;

use super::findings::{Finding, Findings, Level, Outcome};

/// The longest comment that GitHub takes has 65,536 characters. Counted in bytes, which are never fewer, with room for the note
/// of what was left out.
const LONGEST: usize = 64_000;

/// So much of the room may the table take; the rest is for details.
const LONGEST_TABLE: usize = 40_000;

/// Renders a comment. Its first line is an HTML comment by which a later run finds it again.
pub fn render(all: &Findings) -> String {
    let Findings {
        command,
        status,
        exit_code: _,
        project,
        manifest,
        summary,
        next,
        list: findings,
        cases,
    } = all;
    let mut out = String::new();
    // Writing to a String cannot fail, here and below.
    let project = project.as_deref().unwrap_or("-");
    let _ = writeln!(out, "<!-- crossgate {command} {project} -->");
    let status = status.as_str().replace('_', " ");
    let _ = writeln!(out, "### crossgate {command}: {status}\n");
    for line in summary {
        let _ = writeln!(out, "{}\n", code(line));
    }
    if let Some(next) = next {
        let _ = writeln!(out, "Next: {}\n", code(next));
    }
    let mut findings: Vec<&Finding> = findings.iter().collect();
    findings.sort_by_key(|finding| finding.level);
    let rows = table(&mut out, &findings);
    let folded = details(&mut out, &findings);
    let passed = cases.iter().filter(|case| case.outcome == Outcome::Passed);
    let _ = writeln!(
        out,
        "{} of {} checks passed. Manifest: {}",
        passed.count(),
        cases.len(),
        code(&shortened(manifest, 1000))
    );
    let (all, short) = (findings.len(), rows.min(folded));
    if short < all {
        let _ = writeln!(
            out,
            "\n**Shortened**: of {all} findings {rows} are in the table and {folded} have their details here. The job's log has \
             all of them."
        );
    }
    out
}

/// Writes the rows that fit, and says how many did.
fn table(out: &mut String, findings: &[&Finding]) -> usize {
    if findings.is_empty() {
        return 0;
    }
    out.push_str("| | gate | object | what |\n|---|---|---|---|\n");
    let mut rows = 0;
    for finding in findings {
        let row = row(finding);
        if out.len() + row.len() > LONGEST_TABLE {
            break;
        }
        out.push_str(&row);
        rows += 1;
    }
    out.push('\n');
    rows
}

fn row(finding: &Finding) -> String {
    let Finding {
        rule,
        level,
        unseen: _,
        id: _,
        gates,
        account: _,
        subject: _,
        message: _,
        hint: _,
        details: _,
        places: _,
    } = finding;
    let level = match level {
        Level::Error => "**error**",
        Level::Warning | Level::Note => level.as_str(),
    };
    let gates: Vec<String> = gates.iter().map(|gate| code(gate)).collect();
    let about = about(finding);
    format!(
        "| {level} | {} | {about} | {} |\n",
        shortened_list(&gates),
        rule.title
    )
}

/// Three gates are shown, the others counted.
fn shortened_list(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
    match names.len().saturating_sub(3) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// What the finding is about, and in which account.
fn about(finding: &Finding) -> String {
    let subject = &finding.subject;
    let mut about = subject.noun.clone();
    if !subject.name.is_empty() {
        let _ = write!(about, " {}", code(&shortened(&subject.name, 300)));
    }
    match &finding.account {
        Some(account) if !subject.name.contains(account) => {
            let _ = write!(about, " in {}", code(account));
        }
        Some(_) | None => {}
    }
    about
}

/// Writes the details that fit, and says how many did.
fn details(out: &mut String, findings: &[&Finding]) -> usize {
    let mut written = 0;
    for finding in findings {
        let block = folded(finding);
        if out.len() + block.len() > LONGEST {
            break;
        }
        out.push_str(&block);
        written += 1;
    }
    written
}

fn folded(finding: &Finding) -> String {
    let mut lines = vec![finding.message.clone()];
    lines.extend(finding.hint.as_ref().map(|hint| format!("hint: {hint}")));
    if !finding.details.is_empty() {
        lines.push(String::new());
        lines.extend(finding.details.iter().cloned());
    }
    let text = lines.join("\n");
    let fence = fence(&text);
    // The empty lines make the block Markdown again within the HTML around it.
    format!(
        "<details><summary>{}: {}</summary>\n\n{fence}diff\n{text}\n{fence}\n\n</details>\n\n",
        about(finding),
        finding.rule.title
    )
}

/// A fence that is longer than any run of backticks in the text.
fn fence(text: &str) -> String {
    let runs = text.split(|c| c != '`').map(str::len);
    "`".repeat(runs.max().unwrap_or(0).max(2) + 1)
}

/// A text as inline code. In HTML and with every sign as a character reference, it holds in a table and a summary too, and
/// neither mentions nor links are made of it.
fn code(text: &str) -> String {
    let mut out = String::from("<code>");
    for c in text.chars() {
        if c.is_alphanumeric() || matches!(c, ' ' | '-' | '/') {
            out.push(c);
        } else {
            let _ = write!(out, "&#{};", u32::from(c));
        }
    }
    out.push_str("</code>");
    out
}

/// The text, cut behind so many characters.
fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
