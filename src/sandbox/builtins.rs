//! The sandbox's own functions: those that answer well, and those that go wrong as people's functions do.
//! They decide nothing about pipelines: an answer goes through CodePipeline's own door, authorized like any other.

use std::time::Duration;

use serde_json::{Value, json};

use super::caller::Caller;
use super::errors::Refused;
use super::execution::Job;
use super::functions::{Answered, again, execution_session, failure, find};
use super::jobs::{artifact_session, record};
use super::records::Ended;
use super::state::{Builtin, Function, Run, State, Timer};
use super::{codepipeline, runlog, stores, structure};

/// How long a built-in function takes.
const WORK: Duration = Duration::from_secs(1);
/// How often the built-in `slow` asks for more time.
const ROUNDS: usize = 2;

/// Runs a built-in function up to the moment where it would answer.
pub(super) fn run(state: &mut State, run: &Run, builtin: Builtin, function: &Function) -> Answered {
    match builtin {
        Builtin::Approve
        | Builtin::Reject
        | Builtin::Slow
        | Builtin::WrongCredentials
        | Builtin::Twice
        | Builtin::Artifact => {
            ended(state, run, Ended::Returned);
            if run.job.is_some() {
                later(state, WORK, run, builtin);
            } else {
                runlog::end(state, run, &[]);
            }
        }
        Builtin::Silent => {
            let line = "the check is done (and nobody is told)".to_owned();
            ended(state, run, Ended::Returned);
            if let Some(invocation) = find(state, &run.request_id) {
                invocation.logs.push(line.clone());
            }
            runlog::end(state, run, &[line]);
        }
        Builtin::Crash => {
            let message = "this function always fails";
            ended(
                state,
                run,
                Ended::Failed(format!("RuntimeError: {message}")),
            );
            runlog::end(state, run, &crash(message));
            return failure("RuntimeError", message);
        }
        Builtin::Timeout if run.job.is_some() => {
            let timeout = Duration::from_secs(function.timeout);
            runlog::say(state, run, "this check takes its time");
            later(state, timeout, run, builtin);
        }
        Builtin::Timeout => {
            ended(state, run, Ended::TimedOut);
            runlog::end(state, run, &[]);
            let message = format!("Task timed out after {}.00 seconds", function.timeout);
            return failure("Sandbox.Timedout", &message);
        }
    }
    Answered {
        payload: "null".to_owned(),
        failed: false,
    }
}

fn later(state: &mut State, delay: Duration, run: &Run, builtin: Builtin) {
    let run = Box::new(run.clone());
    state.after(delay, Timer::Answer { run, builtin });
}

fn ended(state: &mut State, run: &Run, how: Ended) {
    if let Some(invocation) = find(state, &run.request_id) {
        invocation.ended = how;
    }
}

/// What Python prints of an error that nobody catches.
fn crash(message: &str) -> Vec<String> {
    [
        "Traceback (most recent call last):",
        "  File \"/var/task/index.py\", line 7, in handler",
        &format!("    raise RuntimeError(\"{message}\")"),
        &format!("RuntimeError: {message}"),
    ]
    .map(str::to_owned)
    .to_vec()
}

/// A built-in function calls CodePipeline, or runs out of time.
pub(super) fn answer(state: &mut State, run: Run, builtin: Builtin) {
    if builtin == Builtin::Timeout {
        ended(state, &run, Ended::TimedOut);
        runlog::end(state, &run, &[]);
        return again(state, run);
    }
    let job = run.job.as_ref().and_then(|id| state.jobs.get(id)).cloned();
    let found = state.function(&run.account, &run.region, &run.function);
    let (Some(job), Some(function)) = (job, found.cloned()) else {
        return;
    };
    for (operation, input) in replies(state, builtin, &run, &job, &function) {
        let refused = call(state, builtin, &job, &function, operation, &input).err();
        let line = match &refused {
            Some(refused) => refused.to_string(),
            None => format!("{operation}: done"),
        };
        if let Some(invocation) = find(state, &run.request_id) {
            invocation.logs.push(line.clone());
        }
        match refused {
            Some(refused) => runlog::error(state, &run, &client_error(operation, &refused)),
            None => runlog::say(state, &run, &line),
        }
    }
    runlog::end(state, &run, &[]);
}

/// Makes the call as the execution role; the one function that knows no better, with the job's own credentials.
fn call(
    state: &mut State,
    builtin: Builtin,
    job: &Job,
    function: &Function,
    operation: &str,
    input: &Value,
) -> Result<(), Refused> {
    let gone = |message| Refused::new(403, "AccessDeniedException", message);
    let caller: Caller = if builtin == Builtin::WrongCredentials {
        artifact_session(state, job).map_err(gone)?
    } else {
        let (caller, _) = execution_session(state, function).map_err(gone)?;
        caller
    };
    let given = codepipeline::call(state, &caller, &job.region, operation, input);
    let refused = given.as_ref().err().map(|r| &r.message);
    record(state, "codepipeline", operation, &caller, refused);
    given.map(drop)
}

/// A refusal as boto3 words it (botocore, `ClientError.MSG_TEMPLATE`).
fn client_error(operation: &str, refused: &Refused) -> String {
    let Refused {
        status: _,
        code,
        message,
        retry_after: _,
    } = refused;
    format!("An error occurred ({code}) when calling the {operation} operation: {message}")
}

/// What a built-in function says, in which round of its job.
fn replies(
    state: &mut State,
    builtin: Builtin,
    run: &Run,
    job: &Job,
    function: &Function,
) -> Vec<(&'static str, Value)> {
    let (Some(id), request) = (&run.job, &run.request_id) else {
        return Vec::new();
    };
    let message = function.environment.get("SANDBOX_MESSAGE");
    let message = message.map_or("the validation found a problem", String::as_str);
    let passed = || {
        let details = json!({ "summary": "all checks passed", "externalExecutionId": request });
        (
            "PutJobSuccessResult",
            json!({ "jobId": id, "executionDetails": details }),
        )
    };
    let failed = |message: &str| {
        let details =
            json!({ "type": "JobFailed", "message": message, "externalExecutionId": request });
        (
            "PutJobFailureResult",
            json!({ "jobId": id, "failureDetails": details }),
        )
    };
    match builtin {
        Builtin::Slow if job.rounds <= ROUNDS => {
            let round = job.rounds;
            let summary = format!("still checking, round {round}");
            runlog::say(state, run, &summary);
            let details = json!({
                "summary": summary,
                "externalExecutionId": request,
                "percentComplete": 30 * round,
            });
            let input = json!({
                "jobId": id,
                "continuationToken": format!("round-{round}"),
                "executionDetails": details,
            });
            vec![("PutJobSuccessResult", input)]
        }
        Builtin::Reject => {
            runlog::say(state, run, message);
            vec![failed(message)]
        }
        // The failure is told, and then the function goes on to its last line.
        Builtin::Twice => {
            runlog::say(state, run, message);
            vec![failed(message), passed()]
        }
        Builtin::Artifact => match unreadable(state, job) {
            Some(why) => {
                runlog::error(state, run, &why);
                vec![failed(&why)]
            }
            None => vec![passed()],
        },
        Builtin::Approve
        | Builtin::Slow
        | Builtin::WrongCredentials
        | Builtin::Silent
        | Builtin::Timeout
        | Builtin::Crash => {
            runlog::say(state, run, "all checks passed");
            vec![passed()]
        }
    }
}

/// Why the first input artifact that cannot be read with the job's credentials cannot be: the bucket's policy and the key's decide
/// with the role's own. A bucket that nobody made has none: another account's is closed, one's own is as open as the role's say.
fn unreadable(state: &State, job: &Job) -> Option<String> {
    let refused = "An error occurred (AccessDenied) when calling the GetObject operation: ";
    let artifacts = job.data.get("inputArtifacts").and_then(Value::as_array);
    let caller = artifact_session(state, job);
    let readable = |artifact: &Value| -> Result<(), String> {
        let place = &artifact["location"]["s3Location"];
        let (bucket, key) = (
            structure::name(place, "bucketName"),
            structure::name(place, "objectKey"),
        );
        let caller = caller.as_ref().map_err(|_| "Access Denied".to_owned())?;
        let home = &job.home.account;
        let ask = stores::may_use_object(state, caller, "s3:GetObject", (bucket, key), home);
        let ask = ask.region(&job.region);
        ask.check(state).map_err(|_| "Access Denied".to_owned())?;
        // S3 tells of the key, in KMS's words.
        let encrypting = job
            .data
            .pointer("/encryptionKey/id")
            .and_then(Value::as_str);
        let ask = encrypting.and_then(|arn| stores::may_use_key(state, caller, "kms:Decrypt", arn));
        ask.map_or(Ok(()), |ask| ask.region(&job.region).check(state))
    };
    let closed = artifacts?
        .iter()
        .find_map(|artifact| readable(artifact).err());
    closed.map(|why| format!("{refused}{why}"))
}
