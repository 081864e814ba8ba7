//! What the lines of a function's log say of a job: whether it ran, how it ended, and what its answer met.
//! It reads lines as Lambda and the SDKs write them, quotes no credential, and decides nothing.
//!
//! Source: Lambda developer guide, "Working with Lambda function logs" (START, END, REPORT; in the JSON format `platform.start`,
//! `platform.report`, `platform.runtimeDone`) and "Troubleshoot invocation issues" (`Task timed out`, `Runtime.…`).

use std::collections::BTreeSet;

use crate::model::read::{LogLine, LogLines};

use super::redact::redact;

/// The most characters of a line that are quoted.
const QUOTED: usize = 400;

/// The errors with which CodePipeline refuses an answer to a job that is not open (api: PutJobSuccessResult).
const NOT_OPEN: &[&str] = &["InvalidJobStateException", "InvalidNonceException"];

/// Marks of a function that ended with an error, or never began.
const FAILED: &[&str] = &[
    "Runtime.ImportModuleError",
    "Runtime.HandlerNotFound",
    "Runtime.UserCodeSyntaxError",
    "Runtime.MalformedHandlerName",
    "Runtime.InvalidEntrypoint",
    "Runtime.ExitError",
    "Runtime.Unknown",
    "Runtime.UnhandledPromiseRejection",
    "Runtime.OutOfMemory",
    "Runtime exited with error",
    "Runtime exited without providing a reason",
    "Extension.Crash",
    "Invoke Error",
    "Uncaught Exception",
    "Unhandled exception",
    "Traceback (most recent call last)",
    "panicked at",
];

/// What a log says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct LogFacts {
    /// The request ids of the invocations that began. Lambda keeps the id when it tries an invocation again.
    pub(super) begun: BTreeSet<String>,
    /// How many invocations began, repetitions counted.
    pub(super) attempts: usize,
    /// Of those the ones that ended, however.
    pub(super) ended: BTreeSet<String>,
    /// An answer that was refused, and as whom the function sent it, where the line says so.
    pub(super) refused: Option<Refused>,
    /// An answer that failed for its credentials alone: they are none, or ended.
    pub(super) bad_credentials: Option<String>,
    /// An answer to a job that was no longer open.
    pub(super) not_open: Option<String>,
    /// Lambda stopped the function.
    pub(super) timed_out: Option<String>,
    /// The function, or its start, failed.
    pub(super) failed: Option<String>,
    /// An error that the function itself put into its log: it may have gone on.
    pub(super) caught: Option<String>,
    /// Lambda ended an invocation with an error of the function, without a word of the function itself.
    pub(super) ended_in_error: Option<String>,
    /// Whether there are more lines than were read.
    pub(super) cut: bool,
}

/// An answer that AWS refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// The ARN of the caller, as AWS names it.
    pub(super) caller: Option<String>,
    /// The line.
    pub(super) line: String,
}

/// Reads all lines.
pub(super) fn facts(log: &LogLines) -> LogFacts {
    let LogLines { lines, cut } = log;
    let mut facts = LogFacts {
        cut: *cut,
        ..LogFacts::default()
    };
    for line in lines {
        let LogLine {
            at_ms: _,
            stream: _,
            message,
        } = line;
        platform(message, &mut facts);
        answers(message, &mut facts);
        failures(message, &mut facts);
    }
    facts
}

/// The lines that Lambda itself writes.
fn platform(message: &str, facts: &mut LogFacts) {
    let text = message.trim_start();
    let after = |mark: &str| {
        let rest = text.strip_prefix(mark)?.trim_start();
        let id = rest.split([' ', '\t', '\n', '\r']).next()?;
        (!id.is_empty()).then(|| id.to_owned())
    };
    if let Some(id) = after("START RequestId:") {
        facts.attempts += 1;
        facts.begun.insert(id);
    } else if let Some(id) = after("END RequestId:").or_else(|| after("REPORT RequestId:")) {
        facts.ended.insert(id);
    } else if text.starts_with('{') && text.contains("\"platform.") {
        platform_json(text, facts);
    }
    let init = text.starts_with("INIT_REPORT") || text.starts_with("REPORT RequestId:");
    if init && (text.contains("Status: error") || text.contains("Error Type:")) {
        facts.ended_in_error.get_or_insert_with(|| quote(message));
    }
    if init && text.contains("Status: timeout") {
        facts.timed_out.get_or_insert_with(|| quote(message));
    }
}

fn platform_json(text: &str, facts: &mut LogFacts) {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(text) else {
        return;
    };
    let member = |pointer: &str| value.pointer(pointer).and_then(serde_json::Value::as_str);
    let id = member("/record/requestId").unwrap_or_default().to_owned();
    match member("/type").unwrap_or_default() {
        "platform.start" => {
            facts.attempts += 1;
            facts.begun.insert(id);
        }
        "platform.runtimeDone" | "platform.report" | "platform.initReport" => {
            if !id.is_empty() {
                facts.ended.insert(id);
            }
            match member("/record/status").unwrap_or_default() {
                "timeout" => {
                    facts.timed_out.get_or_insert_with(|| quote(text));
                }
                "error" | "failure" => {
                    facts.ended_in_error.get_or_insert_with(|| quote(text));
                }
                _ => {}
            }
        }
        _ => {}
    }
}

/// What the function's answers to CodePipeline met.
fn answers(message: &str, facts: &mut LogFacts) {
    let refused = "not authorized to perform: codepipeline:PutJob";
    if message.contains(refused) {
        // Of several refused answers the first counts: handlers answer `failed` after a refused `succeeded`.
        facts.refused.get_or_insert_with(|| Refused {
            caller: caller(message),
            line: quote(message),
        });
        return;
    }
    if NOT_OPEN.iter().any(|code| message.contains(code)) {
        facts.not_open.get_or_insert_with(|| quote(message));
        return;
    }
    let of_answer = message.contains("PutJobSuccessResult")
        || message.contains("PutJobFailureResult")
        || message.contains("put_job_");
    let bad = [
        "UnrecognizedClientException",
        "ExpiredToken",
        "InvalidClientTokenId",
    ];
    if of_answer && bad.iter().any(|code| message.contains(code)) {
        facts.bad_credentials.get_or_insert_with(|| quote(message));
    }
}

/// `User: ARN is not authorized …`.
fn caller(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("User: ")?;
    let arn = rest.split(' ').next()?;
    arn.starts_with("arn:").then(|| redact(arn))
}

fn failures(message: &str, facts: &mut LogFacts) {
    if message.contains("Task timed out after") {
        // The message of Lambda itself tells more than its report.
        facts.timed_out = Some(quote(message));
    }
    let text = message.trim_start();
    // With tabs it is Python's logger; with a blank it is Lambda, for an exception that nobody caught.
    if text.starts_with("[ERROR]\t") {
        if !message.contains("PutJob") {
            facts.caught.get_or_insert_with(|| quote(message));
        }
        return;
    }
    let python = text.starts_with("[ERROR]") && !message.contains("PutJob");
    if python || FAILED.iter().any(|mark| message.contains(mark)) {
        facts.failed.get_or_insert_with(|| quote(message));
    }
}

/// A line as it may be shown: without credentials, on one line, and not too long.
fn quote(message: &str) -> String {
    let safe = redact(message);
    let one_line: Vec<&str> = safe.split_whitespace().collect();
    let one_line = one_line.join(" ");
    if one_line.chars().count() <= QUOTED {
        return one_line;
    }
    let start: String = one_line.chars().take(QUOTED).collect();
    format!("{start} …")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> LogFacts {
        let lines = lines.iter().zip(0..).map(|(message, at_ms)| LogLine {
            at_ms,
            stream: "s".to_owned(),
            message: (*message).to_owned(),
        });
        facts(&LogLines {
            lines: lines.collect(),
            cut: false,
        })
    }

    #[test]
    fn an_invocation_begins_and_ends_in_either_format() {
        let text = of(&[
            "START RequestId: r-1 Version: $LATEST\n",
            "hello",
            "END RequestId: r-1\n",
            "REPORT RequestId: r-1\tDuration: 3.00 ms",
        ]);
        let json = of(&[
            r#"{"time":"t","type":"platform.start","record":{"requestId":"r-1","version":"$LATEST"}}"#,
            r#"{"time":"t","type":"platform.report","record":{"requestId":"r-1","status":"success"}}"#,
        ]);
        for facts in [text, json] {
            assert_eq!(facts.begun, BTreeSet::from(["r-1".to_owned()]));
            assert_eq!(facts.ended, facts.begun);
            assert_eq!((facts.failed, facts.timed_out), (None, None));
        }
    }

    #[test]
    fn a_refused_answer_tells_who_sent_it() {
        let line = "[ERROR] ClientError: An error occurred (AccessDeniedException) when calling the PutJobSuccessResult \
            operation: User: arn:aws:sts::222222222222:assumed-role/Invoke/codepipeline is not authorized to perform: \
            codepipeline:PutJobSuccessResult because no session policy allows it";
        let facts = of(&[line]);
        let refused = facts.refused.unwrap();
        let caller = "arn:aws:sts::222222222222:assumed-role/Invoke/codepipeline";
        assert_eq!(refused.caller.as_deref(), Some(caller));
        assert_eq!(
            facts.failed, None,
            "the refusal is what is the matter, not the exception"
        );
    }

    #[test]
    fn time_outs_and_failures_are_known() {
        let facts = of(&["2026-01-01T00:00:00.000Z r-1 Task timed out after 3.00 seconds\n\n"]);
        assert!(facts.timed_out.unwrap().contains("3.00 seconds"));
        for line in [
            "[ERROR] KeyError: 'x'\nTraceback (most recent call last):",
            "[ERROR] Runtime.ImportModuleError: Unable to import module 'validate'",
            "2026-01-01\tr-1\tERROR\tInvoke Error \t{\"errorType\":\"Error\"}",
            "RequestId: r-1 Error: Runtime exited with error: signal: killed\nRuntime.ExitError",
            "thread 'main' panicked at src/main.rs:3:5:",
        ] {
            assert!(of(&[line]).failed.is_some(), "{line}");
        }
        assert_eq!(of(&["all is well", "no error here"]), LogFacts::default());
    }

    #[test]
    fn an_answer_too_much_is_no_failure_of_the_function() {
        let facts = of(&[
            "[ERROR] InvalidJobStateException: An error occurred (InvalidJobStateException) when calling the PutJobFailureResult operation: x",
        ]);
        assert!(facts.not_open.is_some());
        assert_eq!(facts.failed, None);
    }

    #[test]
    fn what_is_quoted_holds_no_secret_and_no_line_break() {
        let facts =
            of(&["[ERROR] Bad: {'artifactCredentials': {'secretAccessKey': 'abc'}}\r\nTraceback"]);
        let quoted = facts.failed.unwrap();
        assert!(
            !quoted.contains("abc") && !quoted.contains('\n'),
            "{quoted}"
        );
        let long = of(&[&format!("[ERROR] {}", "word ".repeat(500))]);
        assert!(long.failed.unwrap().chars().count() < 410);
    }
}
