//! What Lambda writes into a function's log group: START, the lines of the function, how it failed, END, REPORT.
//! Words only: who may write is decided in `logs`, when a run begins and ends in `functions`.
//!
//! Forms: Lambda developer guide, "Sending Python function logs to CloudWatch Logs" and its like for Node.js; the text of an
//! uncaught error is that of AWS's open runtime (awslambdaric, `log_error`). The figure of the used memory is invented.

use std::fmt::Write as _;

use super::caller::Caller;
use super::clock::{Moment, iso, seconds};
use super::records::{Ended, Invocation};
use super::state::{Function, Run, State};
use super::{logs, sts};

/// Megabytes that every run is said to use.
const USED: u64 = 48;
/// How Python begins what follows an uncaught error.
const TRACEBACK: &str = "Traceback (most recent call last):";

/// A run begins.
pub(super) fn begin(state: &mut State, run: &Run) {
    let start = format!("START RequestId: {} Version: $LATEST\n", run.request_id);
    write(state, run, vec![start]);
}

/// The function writes a line.
pub(super) fn say(state: &mut State, run: &Run, line: &str) {
    write(state, run, vec![format!("{line}\n")]);
}

/// The function writes an error that it has caught, as Python's `logging` does in Lambda.
pub(super) fn error(state: &mut State, run: &Run, text: &str) {
    let moment = precise(state.clock.now());
    say(
        state,
        run,
        &format!("[ERROR]\t{moment}\t{}\t{text}", run.request_id),
    );
}

/// A run has ended, as its record says; `lines` are those that it wrote since it began.
pub(super) fn end(state: &mut State, run: &Run, lines: &[String]) {
    let mut newest = state.invocations.iter().rev();
    let Some(invocation) = newest.find(|i| i.request_id == run.request_id).cloned() else {
        return;
    };
    let found = state.function(&run.account, &run.region, &run.function);
    let Some(function) = found.cloned() else {
        return;
    };
    let texts = ending(&invocation, &function, state.clock.now(), lines);
    write(state, run, texts);
}

fn ending(run: &Invocation, function: &Function, now: Moment, lines: &[String]) -> Vec<String> {
    let id = &run.request_id;
    let mut status = "";
    let mut texts = Vec::new();
    match &run.ended {
        Ended::Running | Ended::Returned => texts.extend(own(lines)),
        Ended::TimedOut => {
            texts.extend(own(lines));
            let moment = precise(now);
            texts.push(format!(
                "{moment} {id} Task timed out after {}.00 seconds\n\n",
                function.timeout
            ));
            status = "Status: timeout\t";
        }
        Ended::Failed(why) => texts.extend(failure(function, id, now, why, lines)),
    }
    texts.push(format!("END RequestId: {id}\n"));
    let took = (seconds(now) - run.started).max(0.0) * 1000.0;
    texts.push(format!(
        "REPORT RequestId: {id}\tDuration: {took:.2} ms\tBilled Duration: {:.0} ms\tMemory Size: {} MB\t\
         Max Memory Used: {} MB\t{status}\n",
        took.ceil(),
        function.memory,
        USED.min(function.memory),
    ));
    texts
}

/// The lines of a run that failed: what it wrote, and its error as one event, the traceback within.
fn failure(function: &Function, id: &str, now: Moment, why: &str, lines: &[String]) -> Vec<String> {
    if function.runtime.starts_with("nodejs") {
        let (kind, message) = why.split_once(": ").unwrap_or(("Error", why));
        let at = lines.iter().rposition(|line| line.starts_with(why));
        let (before, stack) = lines.split_at(at.unwrap_or(lines.len()));
        let error =
            serde_json::json!({ "errorType": kind, "errorMessage": message, "stack": stack });
        let mut texts = own(before);
        texts.push(format!(
            "{}\t{id}\tERROR\tInvoke Error \t{error}\n",
            precise(now)
        ));
        return texts;
    }
    if why.starts_with("Runtime exited") {
        let mut texts = own(lines);
        texts.push(format!("RequestId: {id} Error: {why}\nRuntime.ExitError\n"));
        return texts;
    }
    let at = lines.iter().rposition(|line| line == TRACEBACK);
    let (before, trace) = lines.split_at(at.unwrap_or(lines.len()));
    let mut text = format!("[ERROR] {why}");
    // The last line of Python's own traceback is the error again.
    let last = trace.len().saturating_sub(1);
    for line in trace.iter().take(last) {
        let bare = line.trim_start();
        let indent = "\u{a0}".repeat(line.len() - bare.len());
        // Writing to a String does not fail.
        let _ = write!(text, "\n{indent}{bare}");
    }
    let mut texts = own(before);
    texts.push(text + "\n");
    texts
}

/// Each line as an event of its own; blank ones make none.
fn own(lines: &[String]) -> Vec<String> {
    let full = lines.iter().filter(|line| !line.trim().is_empty());
    full.map(|line| format!("{line}\n")).collect()
}

/// As the session of the execution role, into the stream of the function's present environment.
fn write(state: &mut State, run: &Run, texts: Vec<String>) {
    let Some(function) = state.function(&run.account, &run.region, &run.function) else {
        return;
    };
    let lambda = Caller::service("lambda.amazonaws.com");
    let Ok((caller, _)) = sts::session(state, &lambda, &function.role, &function.name) else {
        return;
    };
    let day: String = iso(state.clock.now()).chars().take(10).collect();
    let environment = function.revision.replace('-', "");
    let stream = format!("{}/[$LATEST]{environment}", day.replace('-', "/"));
    let group = group(&run.function);
    logs::append(state, &caller, &run.region, &group, &stream, texts);
}

/// The log group of a function that names no other.
pub(super) fn group(function: &str) -> String {
    format!("/aws/lambda/{function}")
}

/// `2026-01-15T12:00:00.123Z`.
fn precise(moment: Moment) -> String {
    iso(moment).replace('Z', &format!(".{:03}Z", moment.subsec_millis()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::function::fresh;
    use super::super::options::{ClockMode, Faults};
    use super::super::{Builtin, Code, clock::Clock};
    use super::*;

    /// What follows START where a run of this runtime failed so, its numbers cut off.
    fn failed(runtime: &str, why: &str, lines: &[&str]) -> String {
        let clock = Clock::new(ClockMode::Jump);
        let mut state = State::new(1, clock, Faults::default(), String::new());
        let code = Code::Builtin(Builtin::Crash);
        let mut function =
            fresh(&mut state, "f", "arn:aws:iam::222222222222:role/r", code).unwrap();
        runtime.clone_into(&mut function.runtime);
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let run = Invocation {
            function: "f".to_owned(),
            request_id: "ID".to_owned(),
            job: None,
            attempt: 1,
            started: 0.0,
            ended: Ended::Failed(why.to_owned()),
            logs: Vec::new(),
        };
        let moment = Moment::from_millis(1_767_225_600_250);
        ending(&run, &function, moment, &lines).concat()
    }

    #[test]
    fn pythons_traceback_is_one_event_after_what_was_printed() {
        let lines = [
            "seen",
            "",
            TRACEBACK,
            "  File \"/tmp/gate.py\", line 3, in handler",
            "    event[\"x\"]",
            "KeyError: 'x'",
        ];
        let text = failed("python3.13", "KeyError: 'x'", &lines);
        let begin = "seen\n[ERROR] KeyError: 'x'\nTraceback (most recent call last):\n\u{a0}\u{a0}File \
                     \"/tmp/gate.py\", line 3, in handler\n\u{a0}\u{a0}\u{a0}\u{a0}event[\"x\"]\nEND RequestId: ID\nREPORT";
        assert!(text.starts_with(begin), "{text}");
    }

    #[test]
    fn nodes_error_is_a_line_of_json_and_a_lost_process_says_so() {
        let lines = ["asked", "RangeError: no SDK", "    at handler (gate.mjs:4)"];
        let text = failed("nodejs22.x", "RangeError: no SDK", &lines);
        let begin = "asked\n2026-01-01T00:00:00.250Z\tID\tERROR\tInvoke Error \t{\"errorType\":\"RangeError\",\
                     \"errorMessage\":\"no SDK\",\"stack\":[\"RangeError: no SDK\",\"    at handler (gate.mjs:4)\"]}\nEND";
        assert!(text.starts_with(begin), "{text}");
        let lost = "Runtime exited without providing a reason (exit status: 1)";
        let text = failed("python3.13", lost, &["bye"]);
        let begin = format!("bye\nRequestId: ID Error: {lost}\nRuntime.ExitError\nEND");
        assert!(text.starts_with(&begin), "{text}");
    }
}
