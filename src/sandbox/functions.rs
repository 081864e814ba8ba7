//! Runs functions: the sandbox's own, and users' handlers as local processes with their role's credentials.
//! Decides nothing about pipelines: an answer goes through CodePipeline's own door, authorized like any other.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::caller::Caller;
use super::clock::seconds;
use super::jobs::record;
use super::records::{Ended, Invocation};
use super::state::{Builtin, Code, Function, Role, Run, State, Timer, function_arn};
use super::{Shared, codepipeline, sts};

/// How long a built-in function takes.
const WORK: Duration = Duration::from_secs(1);
/// When Lambda tries a failed asynchronous invocation again: after one minute, then after two (Lambda developer guide,
/// "Error handling in asynchronous invocations").
const RETRIES: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(2)];
/// How often the built-in `slow` asks for more time.
const ROUNDS: usize = 2;

const PYTHON: &str = include_str!("bootstrap.py");
const NODE: &str = include_str!("bootstrap.mjs");

/// What a run gives to whoever waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answered {
    /// JSON.
    pub(super) payload: String,
    pub(super) failed: bool,
}

/// Starts an asynchronous run.
pub(super) fn start(state: &mut State, run: Run) {
    let Some((function, _, _)) = ready(state, &run) else {
        return;
    };
    match function.code {
        Code::Builtin(builtin) => {
            if builtin_run(state, &run, builtin, &function).failed {
                again(state, run);
            }
        }
        Code::File(_) | Code::Zip(_) => state.runs.push_back(run),
    }
}

/// Runs a function while somebody waits.
pub(super) async fn run_now(shared: Arc<Shared>, run: Run) -> Answered {
    let builtin = {
        let mut state = shared.lock();
        match ready(&mut state, &run) {
            None => return failure("Runtime.Unknown", "the function cannot be started"),
            Some((function, _, _)) => match function.code {
                Code::Builtin(builtin) => Some(builtin_run(&mut state, &run, builtin, &function)),
                Code::File(_) | Code::Zip(_) => {
                    state.running += 1;
                    None
                }
            },
        }
    };
    match builtin {
        Some(answered) => answered,
        None => execute(shared, &run).await,
    }
}

/// The task of an asynchronous run of a user's handler.
pub(super) async fn process(shared: Arc<Shared>, run: Run) {
    let answered = execute(Arc::clone(&shared), &run).await;
    if answered.failed {
        again(&mut shared.lock(), run);
    }
    shared.wake.notify_one();
}

/// The function and a session of its role; a run that cannot begin is remembered as failed.
fn ready(state: &mut State, run: &Run) -> Option<(Function, Caller, Role)> {
    let found = state.function(&run.account, &run.region, &run.function);
    let function = found.cloned()?;
    let why = if function.concurrency == Some(0) {
        "Rate Exceeded.".to_owned()
    } else {
        match execution_session(state, &function) {
            Ok((caller, role)) => {
                remember(state, run, Ended::Running);
                return Some((function, caller, role));
            }
            Err(message) => message,
        }
    };
    remember(state, run, Ended::Failed(why));
    None
}

/// Lambda's session of an execution role.
fn execution_session(state: &State, function: &Function) -> Result<(Caller, Role), String> {
    let service = Caller::service("lambda.amazonaws.com");
    sts::session(state, &service, &function.role, &function.name)
}

/// Lambda's second and third try.
fn again(state: &mut State, mut run: Run) {
    let tried = usize::try_from(run.attempt).unwrap_or(usize::MAX);
    if let Some(delay) = tried.checked_sub(1).and_then(|n| RETRIES.get(n)) {
        run.attempt += 1;
        let run = Box::new(run);
        state.after(*delay, Timer::Retry { run });
    }
}

fn builtin_run(state: &mut State, run: &Run, builtin: Builtin, function: &Function) -> Answered {
    match builtin {
        Builtin::Approve | Builtin::Reject | Builtin::Slow => {
            if let Some(job) = &run.job {
                let (job, request_id) = (job.clone(), run.request_id.clone());
                let function = function.name.clone();
                let timer = Timer::Answer {
                    job,
                    builtin,
                    function,
                    request_id,
                };
                state.after(WORK, timer);
            }
            ended(state, run, Ended::Returned, None);
        }
        Builtin::Silent => {
            let log = "the check is done (and nobody is told)".to_owned();
            ended(state, run, Ended::Returned, Some(log));
        }
        Builtin::Crash => {
            let message = "RuntimeError: this function always fails";
            ended(state, run, Ended::Failed(message.to_owned()), None);
            return failure("RuntimeError", "this function always fails");
        }
    }
    Answered {
        payload: "null".to_owned(),
        failed: false,
    }
}

/// A built-in function calls CodePipeline, with the credentials of its execution role.
pub(super) fn answer(
    state: &mut State,
    id: &str,
    builtin: Builtin,
    function: &str,
    request_id: &str,
) {
    let Some(job) = state.jobs.get(id).cloned() else {
        return;
    };
    let Some(function) = state.function(&job.account, &job.region, function).cloned() else {
        return;
    };
    let (operation, input) = reply(builtin, id, job.rounds, &function, request_id);
    let refused = match execution_session(state, &function) {
        Ok((caller, _)) => {
            let given = codepipeline::call(state, &caller, &job.region, operation, &input);
            let refused = given.err();
            let message = refused.as_ref().map(|r| &r.message);
            record(state, "codepipeline", operation, &caller, message);
            refused.map(|r| r.to_string())
        }
        Err(message) => Some(message),
    };
    let line = refused.unwrap_or_else(|| format!("{operation}: done"));
    if let Some(invocation) = find(state, request_id) {
        invocation.logs.push(line);
    }
}

/// What a built-in function says, in which round of its job.
fn reply(
    builtin: Builtin,
    id: &str,
    round: usize,
    function: &Function,
    request_id: &str,
) -> (&'static str, Value) {
    match builtin {
        Builtin::Slow if round <= ROUNDS => (
            "PutJobSuccessResult",
            json!({
                "jobId": id,
                "continuationToken": format!("round-{round}"),
                "executionDetails": {
                    "summary": format!("still checking, round {round}"),
                    "externalExecutionId": request_id,
                    "percentComplete": 30 * round,
                },
            }),
        ),
        Builtin::Reject => {
            let message = function.environment.get("SANDBOX_MESSAGE");
            let message = message.map_or("the validation found a problem", String::as_str);
            (
                "PutJobFailureResult",
                json!({
                    "jobId": id,
                    "failureDetails": { "type": "JobFailed", "message": message, "externalExecutionId": request_id },
                }),
            )
        }
        Builtin::Approve | Builtin::Slow | Builtin::Silent | Builtin::Crash => (
            "PutJobSuccessResult",
            json!({
                "jobId": id,
                "executionDetails": { "summary": "all checks passed", "externalExecutionId": request_id },
            }),
        ),
    }
}

/// Runs a user's handler as a process.
async fn execute(shared: Arc<Shared>, run: &Run) -> Answered {
    let (owned, wanted) = (Arc::clone(&shared), run.clone());
    // Unpacking an archive takes its time, in which others are to be answered.
    let prepared = tokio::task::spawn_blocking(move || prepare(&owned, &wanted)).await;
    let outcome = match prepared.unwrap_or_else(|e| Err(e.to_string())) {
        Ok(prepared) => {
            let outcome = child(&prepared, run).await;
            if let Some(folder) = &prepared.folder {
                // A folder that cannot be removed is the system's to clean.
                let _ = std::fs::remove_dir_all(folder);
            }
            outcome
        }
        Err(why) => Outcome::failed(why, Vec::new()),
    };
    let mut state = shared.lock();
    state.running = state.running.saturating_sub(1);
    let Outcome {
        ended: how,
        payload,
        logs,
    } = outcome;
    let failed = how != Ended::Returned;
    if let Some(invocation) = find(&mut state, &run.request_id) {
        invocation.ended = how;
        invocation.logs.extend(logs);
    }
    drop(state);
    shared.wake.notify_one();
    Answered { payload, failed }
}

/// A process that can be started.
struct Prepared {
    program: &'static str,
    bootstrap: &'static str,
    /// The file with the handler.
    file: PathBuf,
    /// The handler's name in it; empty for the usual ones.
    handler: String,
    environment: Vec<(String, String)>,
    timeout: Duration,
    /// An unpacked archive, to be removed.
    folder: Option<PathBuf>,
}

/// How a process ended.
struct Outcome {
    ended: Ended,
    payload: String,
    logs: Vec<String>,
}

impl Outcome {
    fn failed(why: String, logs: Vec<String>) -> Self {
        Self {
            payload: json!({ "errorType": "Runtime.Error", "errorMessage": why }).to_string(),
            ended: Ended::Failed(why),
            logs,
        }
    }
}

fn prepare(shared: &Shared, run: &Run) -> Result<Prepared, String> {
    let mut state = shared.lock();
    let found = state.function(&run.account, &run.region, &run.function);
    let function = found.cloned().ok_or("the function is gone")?;
    let (_, role) = execution_session(&state, &function)?;
    let environment = environment(&mut state, run, &function, &role);
    drop(state);
    let timeout = Duration::from_secs(function.timeout);
    let (file, handler, folder) = match &function.code {
        Code::File(path) => (path.clone(), String::new(), None),
        Code::Zip(archive) => {
            let folder = unpack(archive, &run.request_id)?;
            let (module, name) = function
                .handler
                .rsplit_once('.')
                .ok_or("the handler is not FILE.FUNCTION")?;
            let file = ["py", "mjs", "js", "cjs"]
                .into_iter()
                .map(|end| folder.join(format!("{module}.{end}")))
                .find(|file| file.exists())
                .ok_or_else(|| format!("Unable to import module '{module}'"))?;
            (file, name.to_owned(), Some(folder))
        }
        Code::Builtin(_) => return Err("a built-in function needs no process".to_owned()),
    };
    let python = file.extension().is_some_and(|end| end == "py");
    let (program, bootstrap) = if python {
        ("python3", PYTHON)
    } else {
        ("node", NODE)
    };
    Ok(Prepared {
        program,
        bootstrap,
        file,
        handler,
        environment,
        timeout,
        folder,
    })
}

/// The environment that Lambda gives (Lambda developer guide, "Defined runtime environment variables"), the endpoint of
/// the sandbox, and what a process of this machine needs to start.
fn environment(
    state: &mut State,
    run: &Run,
    function: &Function,
    role: &Role,
) -> Vec<(String, String)> {
    let lifetime = function.timeout.max(900) + 900;
    let issued = sts::issue(state, &run.account, role, &function.name, None, lifetime);
    let arn = function_arn(&run.account, &run.region, &function.name);
    let fixed = [
        ("AWS_ACCESS_KEY_ID", issued.key),
        ("AWS_SECRET_ACCESS_KEY", issued.secret),
        ("AWS_SESSION_TOKEN", issued.token),
        ("AWS_REGION", run.region.clone()),
        ("AWS_DEFAULT_REGION", run.region.clone()),
        ("AWS_ENDPOINT_URL", state.endpoint.clone()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        (
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            function.memory.to_string(),
        ),
        ("_HANDLER", function.handler.clone()),
        ("SANDBOX_FUNCTION_ARN", arn),
    ];
    let mut all: Vec<(String, String)> = [
        "PATH",
        "HOME",
        "LANG",
        "TMPDIR",
        "VIRTUAL_ENV",
        "NODE_PATH",
        "PYTHONPATH",
    ]
    .into_iter()
    .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
    .collect();
    all.extend(function.environment.clone());
    all.extend(fixed.map(|(name, value)| (name.to_owned(), value)));
    all
}

/// Unpacks an archive with Python, which spares the sandbox a decompressor.
fn unpack(archive: &str, request_id: &str) -> Result<PathBuf, String> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(archive)
        .map_err(|e| format!("the archive is not base64: {e}"))?;
    let folder = std::env::temp_dir().join(format!("crossgate-sandbox-{request_id}"));
    let say = |e: std::io::Error| format!("{}: {e}", folder.display());
    std::fs::create_dir_all(&folder).map_err(say)?;
    let file = folder.join("archive.zip");
    std::fs::write(&file, bytes).map_err(say)?;
    let status = std::process::Command::new("python3")
        .args(["-m", "zipfile", "-e"])
        .args([&file, &folder])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|e| format!("python3, which unpacks archives, cannot be started: {e}"))?;
    if status.success() {
        Ok(folder)
    } else {
        Err("Could not unzip uploaded file".to_owned())
    }
}

async fn child(prepared: &Prepared, run: &Run) -> Outcome {
    let Prepared {
        program,
        bootstrap,
        file,
        handler,
        environment,
        timeout,
        folder: _,
    } = prepared;
    let flag = if *program == "python3" {
        "-c"
    } else {
        "--input-type=module"
    };
    let mut command = Command::new(program);
    command.arg(flag);
    if *program == "node" {
        command.arg("-e").arg(bootstrap).arg("--");
    } else {
        command.arg(bootstrap);
    }
    command
        .args([absolute(file).as_os_str(), handler.as_ref()])
        .args([&run.request_id, &timeout.as_secs().to_string()])
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(e) => return Outcome::failed(format!("{program} cannot be started: {e}"), Vec::new()),
    };
    if let Some(mut stdin) = child.stdin.take() {
        // A handler that ends without reading its event is told by how it ended.
        let _ = stdin.write_all(run.event.as_bytes()).await;
    }
    match tokio::time::timeout(*timeout, child.wait_with_output()).await {
        Err(_) => Outcome {
            ended: Ended::TimedOut,
            payload: json!({
                "errorType": "Sandbox.Timedout",
                "errorMessage": format!("Task timed out after {:.2} seconds", timeout.as_secs_f64()),
            })
            .to_string(),
            logs: Vec::new(),
        },
        Ok(Err(e)) => Outcome::failed(e.to_string(), Vec::new()),
        Ok(Ok(output)) => read(&output, &run.request_id),
    }
}

/// Result and log lines of a process that ended.
fn read(output: &std::process::Output, request_id: &str) -> Outcome {
    let mark = format!("SANDBOX-RESULT-{request_id} ");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let (mut result, mut logs) = (None, Vec::new());
    for line in stdout.lines().chain(stderr.lines()) {
        match line.strip_prefix(&mark) {
            Some(text) => result = serde_json::from_str::<Value>(text).ok(),
            None => logs.push(line.to_owned()),
        }
    }
    let Some(result) = result else {
        let why = format!(
            "Runtime exited without providing a reason ({})",
            output.status
        );
        return Outcome::failed(why, logs);
    };
    match result.get("error") {
        Some(error) => {
            let member = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default();
            Outcome {
                ended: Ended::Failed(format!(
                    "{}: {}",
                    member("errorType"),
                    member("errorMessage")
                )),
                payload: error.to_string(),
                logs,
            }
        }
        None => Outcome {
            ended: Ended::Returned,
            payload: result.get("value").unwrap_or(&Value::Null).to_string(),
            logs,
        },
    }
}

fn absolute(file: &Path) -> PathBuf {
    std::path::absolute(file).unwrap_or_else(|_| file.to_owned())
}

fn failure(kind: &str, message: &str) -> Answered {
    Answered {
        payload: json!({ "errorType": kind, "errorMessage": message }).to_string(),
        failed: true,
    }
}

fn remember(state: &mut State, run: &Run, ended: Ended) {
    let started = seconds(state.clock.now());
    state.invocations.push(Invocation {
        function: function_arn(&run.account, &run.region, &run.function),
        request_id: run.request_id.clone(),
        job: run.job.clone(),
        attempt: run.attempt,
        started,
        ended,
        logs: Vec::new(),
    });
}

fn ended(state: &mut State, run: &Run, how: Ended, log: Option<String>) {
    if let Some(invocation) = find(state, &run.request_id) {
        invocation.ended = how;
        invocation.logs.extend(log);
    }
}

/// The newest run of a request.
fn find<'a>(state: &'a mut State, request_id: &str) -> Option<&'a mut Invocation> {
    let mut newest = state.invocations.iter_mut().rev();
    newest.find(|i| i.request_id == request_id)
}
