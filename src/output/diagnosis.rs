//! Diagnoses and the pages of causes, as text and as JSON: one paragraph a gate, the surest cause first.
//! It decides nothing: causes, certainties and status are given.

use serde_json::{Value, json};

use crate::model::change::Problem;
use crate::model::diagnosis::{Cause, Certainty, Diagnosis, Evidence, Finding, Kind, Mend};
use crate::model::execution::ExecutionId;
use crate::model::name::Project;
use crate::model::status::Status;

use super::json::{FORMAT_VERSION, account_json, problem_json};
use super::page::{Page, plain, span};
use super::style::{Paint, Style};
use super::view::AccountLine;
use super::{problem, sanitize, words};

/// The result of `diagnose`, ready to be shown.
#[derive(Debug, Clone)]
pub struct DiagnosisView<'a> {
    /// How it ended.
    pub status: Status,
    /// The project.
    pub project: &'a Project,
    /// The diagnoses.
    pub diagnoses: &'a [Diagnosis],
    /// The accounts.
    pub accounts: &'a [AccountLine],
    /// What could not be read.
    pub problems: &'a [Problem],
}

/// Renders the result of `diagnose` as text, ended by a line feed.
pub fn render(view: &DiagnosisView<'_>, style: &Style) -> String {
    let DiagnosisView {
        status: _,
        project,
        diagnoses,
        accounts: _,
        problems,
    } = view;
    let mut page = Page::new(style);
    let gates = words::counted(diagnoses.len(), "gate");
    let about = format!(": project {project}, {gates}");
    page.line(
        0,
        &[span(Paint::Strong, "crossgate diagnose"), plain(about)],
    );
    for diagnosis in *diagnoses {
        gate(&mut page, diagnosis);
    }
    problem::write(&mut page, problems.iter());
    page.finish()
}

fn gate(page: &mut Page<'_>, diagnosis: &Diagnosis) {
    let Diagnosis {
        gate,
        execution,
        first,
        others,
        notes,
    } = diagnosis;
    page.gap();
    let execution = execution.as_ref();
    let execution = execution.map_or(String::new(), |id| format!(", execution {id}"));
    page.line(
        0,
        &[
            span(Paint::Strong, format!("Gate {gate}")),
            span(Paint::Faint, execution),
        ],
    );
    finding(page, first);
    if !others.is_empty() {
        page.line(2, &[span(Paint::Strong, "Also")]);
    }
    for one in others {
        finding(page, one);
    }
    for note in notes {
        page.prose(2, span(Paint::Faint, "note: "), Paint::Plain, note);
    }
}

fn finding(page: &mut Page<'_>, finding: &Finding) {
    let Finding {
        cause,
        certainty,
        evidence,
        mend,
    } = finding;
    let paint = match cause.kind() {
        Kind::Fine => Paint::Added,
        Kind::Broken => Paint::Error,
        Kind::Unknown => Paint::Warning,
    };
    // That nothing is wrong needs no word of how sure it is: it is always read.
    let sure = match (cause.kind(), certainty) {
        (Kind::Fine, Certainty::Certain) => String::new(),
        (_, certainty) => format!(" ({})", certainty.as_str()),
    };
    page.prose(
        2,
        span(paint, format!("{} ", cause.code())),
        Paint::Strong,
        &format!("{}{sure}", cause.title()),
    );
    for Evidence { from, text } in evidence {
        page.prose(
            4,
            span(Paint::Faint, format!("{from}: ")),
            Paint::Plain,
            text,
        );
    }
    for Mend { what, command } in mend {
        page.prose(4, span(Paint::Hint, "mend: "), Paint::Plain, what);
        if let Some(command) = command {
            page.line(6, &[plain(command.clone())]);
        }
    }
}

/// Renders the result of `diagnose` as one JSON object and a line feed.
pub fn render_json(view: &DiagnosisView<'_>) -> serde_json::Result<String> {
    let DiagnosisView {
        status,
        project,
        diagnoses,
        accounts,
        problems,
    } = view;
    let document = json!({
        "format_version": FORMAT_VERSION,
        "command": "diagnose",
        "status": status.as_str(),
        "project": project.as_str(),
        "diagnoses": diagnoses.iter().map(diagnosis_json).collect::<Vec<Value>>(),
        "accounts": accounts.iter().map(account_json).collect::<Result<Vec<Value>, _>>()?,
        "changes": [],
        "problems": problems.iter().map(problem_json).collect::<Result<Vec<Value>, _>>()?,
    });
    finish(&document)
}

fn finish(document: &Value) -> serde_json::Result<String> {
    let mut text = sanitize::json(&serde_json::to_string_pretty(document)?);
    text.push('\n');
    Ok(text)
}

fn diagnosis_json(diagnosis: &Diagnosis) -> Value {
    let Diagnosis {
        gate,
        execution,
        first,
        others,
        notes,
    } = diagnosis;
    let mut value = json!({
        "gate": gate.as_str(),
        "execution": execution.as_ref().map(ExecutionId::as_str),
    });
    if let (Some(object), Value::Object(first)) = (value.as_object_mut(), finding_json(first)) {
        object.extend(first);
        let others: Vec<Value> = others.iter().map(finding_json).collect();
        object.insert("others".to_owned(), json!(others));
        object.insert("notes".to_owned(), json!(notes));
    }
    value
}

fn finding_json(finding: &Finding) -> Value {
    let Finding {
        cause,
        certainty,
        evidence,
        mend,
    } = finding;
    json!({
        "code": cause.code(),
        "title": cause.title(),
        "kind": kind(*cause),
        "certainty": certainty.as_str(),
        "evidence": evidence.iter().map(|Evidence { from, text }| json!({"from": from, "text": text})).collect::<Vec<_>>(),
        "mend": mend.iter().map(|Mend { what, command }| json!({"what": what, "command": command})).collect::<Vec<_>>(),
    })
}

fn kind(cause: Cause) -> &'static str {
    match cause.kind() {
        Kind::Fine => "fine",
        Kind::Broken => "broken",
        Kind::Unknown => "unknown",
    }
}

/// All codes with their titles, as text.
pub fn codes(style: &Style) -> String {
    let mut page = Page::new(style);
    let mut group = "";
    for cause in Cause::ALL {
        let next = cause.code().get(..4).unwrap_or_default();
        if next != group {
            page.gap();
            page.line(0, &[span(Paint::Strong, heading(next))]);
            group = next;
        }
        page.line(
            2,
            &[plain(cause.code()), plain(format!("  {}", cause.title()))],
        );
    }
    page.gap();
    page.prose(
        0,
        plain(""),
        Paint::Plain,
        "`crossgate explain CODE` shows a code's page.",
    );
    page.finish()
}

fn heading(group: &str) -> &'static str {
    match group {
        "CG-0" => "Nothing wrong, or not known",
        "CG-1" => "Wiring",
        "CG-2" => "Permissions",
        "CG-3" => "The function",
        "CG-4" => "Answers",
        "CG-5" => "The pipeline and its executions",
        "CG-6" => "Artifacts",
        _ => "Throttling",
    }
}

/// A cause's page as text: Markdown, with its headings dressed.
pub fn page(text: &str, style: &Style) -> String {
    let mut page = Page::new(style);
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("# ").or_else(|| line.strip_prefix("## ")) {
            page.gap();
            page.line(0, &[span(Paint::Strong, heading)]);
        } else if line.is_empty() {
            page.gap();
        } else {
            page.line(0, &[plain(line)]);
        }
    }
    page.finish()
}

/// Causes, each with its page where one was asked for, as one JSON object and a line feed.
pub fn explain_json(causes: &[(Cause, Option<&str>)]) -> serde_json::Result<String> {
    let codes: Vec<Value> = causes
        .iter()
        .map(|(cause, page)| {
            json!({"code": cause.code(), "title": cause.title(), "kind": kind(*cause), "page": page})
        })
        .collect();
    finish(&json!({
        "format_version": FORMAT_VERSION,
        "command": "explain",
        "status": Status::InSync.as_str(),
        "codes": codes,
        "changes": [],
        "problems": [],
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::name::GateName;

    fn sample() -> Diagnosis {
        Diagnosis {
            gate: GateName::new("validate").unwrap(),
            execution: ExecutionId::new("e-1"),
            first: Finding {
                cause: Cause::FunctionTimedOut,
                certainty: Certainty::Certain,
                evidence: vec![Evidence {
                    from: "the function's log",
                    text: "Task timed out after 3.00 seconds\u{1b}[2J".to_owned(),
                }],
                mend: vec![Mend {
                    what: "give the function more time".to_owned(),
                    command: Some("aws lambda update-function-configuration".to_owned()),
                }],
            },
            others: vec![Finding {
                cause: Cause::Drift,
                certainty: Certainty::Possible,
                evidence: Vec::new(),
                mend: Vec::new(),
            }],
            notes: vec!["the log holds 2 invocations".to_owned()],
        }
    }

    fn view<'a>(project: &'a Project, diagnoses: &'a [Diagnosis]) -> DiagnosisView<'a> {
        DiagnosisView {
            status: Status::Drift,
            project,
            diagnoses,
            accounts: &[],
            problems: &[],
        }
    }

    #[test]
    fn a_gate_is_one_paragraph_with_its_surest_cause_first() {
        let (project, diagnoses) = (Project::new("checkout").unwrap(), [sample()]);
        let text = render(&view(&project, &diagnoses), &Style::PLAIN);
        insta::assert_snapshot!(text, @r"
        crossgate diagnose: project checkout, 1 gate

        Gate validate, execution e-1
          CG-305 Lambda stopped the function before it answered (certain)
            the function's log: Task timed out after 3.00 seconds\u{1b}[2J
            mend: give the function more time
              aws lambda update-function-configuration
          Also
          CG-103 the wiring is not as the manifest wants it (possible)
          note: the log holds 2 invocations
        ");
    }

    #[test]
    fn the_json_holds_code_certainty_evidence_and_mend() {
        let (project, diagnoses) = (Project::new("checkout").unwrap(), [sample()]);
        let text = render_json(&view(&project, &diagnoses)).unwrap();
        let json: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["format_version"], 1);
        assert_eq!(json["status"], "drift");
        let one = &json["diagnoses"][0];
        assert_eq!(one["gate"], "validate");
        assert_eq!(one["code"], "CG-305");
        assert_eq!(one["certainty"], "certain");
        assert_eq!(
            one["mend"][0]["command"],
            "aws lambda update-function-configuration"
        );
        assert_eq!(one["others"][0]["code"], "CG-103");
        assert_eq!(one["notes"][0], "the log holds 2 invocations");
    }
}
