//! Cases as JUnit XML, which every CI shows: a test case an object and hop, those that are in sync included.
//! A failure is what is not as it shall be, an error what could not be read, skipped what was not looked at.

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::findings::{Case, Finding, Findings, Outcome};

/// Renders one report, a suite an account and a gate.
pub fn render(all: &Findings) -> Result<String, SerializeError> {
    let Findings {
        command,
        status: _,
        exit_code: _,
        project,
        manifest,
        summary: _,
        next: _,
        list: _,
        cases,
    } = all;
    let about = match project {
        Some(project) => format!("crossgate {command}: {project}"),
        None => format!("crossgate {command}"),
    };
    let mut suites: Vec<(&str, TestSuite)> = Vec::new();
    for one in cases {
        let rendered = case(all, command, manifest, one);
        let known = suites.iter_mut().find(|(name, _)| *name == one.suite);
        if let Some((_, suite)) = known {
            suite.add_test_case(rendered);
        } else {
            let mut suite = TestSuite::new(xml(&one.suite));
            suite.add_test_case(rendered);
            suites.push((&one.suite, suite));
        }
    }
    let mut report = Report::new(xml(&about));
    report.add_test_suites(suites.into_iter().map(|(_, suite)| suite));
    report.to_string()
}

fn case(all: &Findings, command: &str, manifest: &str, case: &Case) -> TestCase {
    let Case {
        suite: _,
        class,
        name,
        place,
        outcome,
    } = case;
    let mut rendered = TestCase::new(xml(name), status(all, outcome));
    let class = format!("crossgate.{command}.{class}");
    rendered.set_classname(xml(&class));
    // Not in every reader's schema, but pytest writes them and GitLab links them.
    rendered.extra.insert("file".into(), xml(manifest).into());
    rendered
        .extra
        .insert("line".into(), place.line.to_string().into());
    rendered
}

fn status(all: &Findings, outcome: &Outcome) -> TestCaseStatus {
    let (kind, indices) = match outcome {
        Outcome::Passed => return TestCaseStatus::success(),
        Outcome::Skipped(reason) => {
            let mut skipped = TestCaseStatus::skipped();
            skipped.set_message(xml(reason));
            return skipped;
        }
        Outcome::Failed(indices) => (NonSuccessKind::Failure, indices),
        Outcome::Errored(indices) => (NonSuccessKind::Error, indices),
    };
    let findings: Vec<&Finding> = all.of(indices).collect();
    let messages: Vec<&str> = findings.iter().map(|f| f.message.as_str()).collect();
    let rules: Vec<&str> = findings.iter().map(|f| f.rule.id).collect();
    let told: Vec<String> = findings.iter().map(|finding| told(finding)).collect();
    let mut status = TestCaseStatus::non_success(kind);
    status
        .set_message(xml(&messages.join("; ")))
        .set_type(rules.join(","))
        .set_description(xml(&told.join("\n\n")));
    status
}

fn told(finding: &Finding) -> String {
    let Finding {
        rule: _,
        level: _,
        unseen: _,
        id: _,
        gates,
        account,
        subject,
        message,
        hint,
        details,
        places: _,
    } = finding;
    let mut lines = vec![format!("{}: {message}", subject.words())];
    lines.extend(
        account
            .as_ref()
            .map(|account| format!("account: {account}")),
    );
    if !gates.is_empty() {
        lines.push(format!("gates: {}", gates.join(", ")));
    }
    lines.extend(hint.as_ref().map(|hint| format!("hint: {hint}")));
    lines.extend(details.iter().cloned());
    lines.join("\n")
}

/// Shows what XML 1.0 cannot hold (its production 2, Char) instead of dropping it; control characters are shown already.
fn xml(text: &str) -> String {
    let shown = |c: char| match c {
        '\u{fffe}' | '\u{ffff}' => c.escape_unicode().to_string(),
        c => c.to_string(),
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests;
