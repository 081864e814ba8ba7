//! Runs functions: the sandbox's own, and users' handlers as local processes with their role's credentials.
//! Decides nothing about pipelines: an answer goes through CodePipeline's own door, authorized like any other.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;

use super::caller::Caller;
use super::clock::{Moment, seconds};
use super::process::{self as child, Outcome, Prepared, Program};
use super::records::{Ended, Invocation};
use super::state::{Code, Function, Role, Run, State, Timer, function_arn};
use super::{Shared, builtins, invocation, runlog, sts};

/// What a run gives to whoever waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answered {
    /// JSON.
    pub(super) payload: String,
    pub(super) failed: bool,
}

/// Starts an asynchronous run.
pub(super) fn start(state: &mut State, run: Run) {
    if is_throttled(state, &run) {
        remember(state, &run, Ended::Failed("Rate Exceeded.".to_owned()));
        return wait(state, run, None);
    }
    let Some((function, _, _)) = ready(state, &run) else {
        return;
    };
    match function.code {
        Code::Builtin(builtin) => {
            if builtins::run(state, &run, builtin, &function).failed {
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
                Code::Builtin(builtin) => Some(builtins::run(&mut state, &run, builtin, &function)),
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
    match execution_session(state, &function) {
        Ok((caller, role)) => {
            remember(state, run, Ended::Running);
            runlog::begin(state, run);
            Some((function, caller, role))
        }
        Err(why) => {
            remember(state, run, Ended::Failed(why));
            None
        }
    }
}

/// Lambda's session of an execution role.
pub(super) fn execution_session(
    state: &State,
    function: &Function,
) -> Result<(Caller, Role), String> {
    let service = Caller::service("lambda.amazonaws.com");
    sts::session(state, &service, &function.role, &function.name)
}

/// Lambda's second and third try.
pub(super) fn again(state: &mut State, mut run: Run) {
    let function = state.function(&run.account, &run.region, &run.function);
    let config = function.and_then(|f| f.invoke_config.as_ref());
    if let Some(delay) = invocation::retry(config, run.attempt) {
        run.attempt += 1;
        let run = Box::new(run);
        state.after(delay, Timer::Retry { run });
    }
}

/// Whether nothing is reserved for the function.
fn is_throttled(state: &State, run: &Run) -> bool {
    let function = state.function(&run.account, &run.region, &run.function);
    function.is_some_and(|f| f.concurrency == Some(0))
}

/// A throttled run goes back to the queue, until its event is too old.
fn wait(state: &mut State, run: Run, before: Option<(Moment, Duration)>) {
    let now = state.clock.now();
    let since = before.map_or(now, |(since, _)| since);
    let function = state.function(&run.account, &run.region, &run.function);
    let config = function.and_then(|f| f.invoke_config.as_ref());
    if let Some(pause) = invocation::throttled(config, since, now, before.map(|(_, p)| p)) {
        let run = Box::new(run);
        state.after(pause, Timer::Throttled { run, since, pause });
    }
}

/// Tries a throttled run again.
pub(super) fn start_throttled(state: &mut State, run: Run, since: Moment, pause: Duration) {
    if is_throttled(state, &run) {
        wait(state, run, Some((since, pause)));
    } else {
        start(state, run);
    }
}

/// Runs a user's handler as a process.
async fn execute(shared: Arc<Shared>, run: &Run) -> Answered {
    let (owned, wanted) = (Arc::clone(&shared), run.clone());
    // Unpacking an archive takes its time, in which others are to be answered.
    let prepared = tokio::task::spawn_blocking(move || prepare(&owned, &wanted)).await;
    let outcome = match prepared.unwrap_or_else(|e| Err(e.to_string())) {
        Ok(prepared) => {
            let outcome = child::run(&prepared).await;
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
        invocation.logs.extend(logs.iter().cloned());
    }
    runlog::end(&mut state, run, &logs);
    drop(state);
    shared.wake.notify_one();
    Answered { payload, failed }
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
        Code::Zip(archive) if function.runtime.starts_with("provided") => {
            let folder = unpack(archive, &run.request_id)?;
            let file = folder.join("bootstrap");
            if !file.exists() {
                return Err("Runtime.InvalidEntrypoint: the archive has no bootstrap".to_owned());
            }
            (file, String::new(), Some(folder))
        }
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
    Ok(Prepared {
        program: Program::of(&file),
        file,
        handler,
        environment,
        timeout,
        folder,
        request_id: run.request_id.clone(),
        function_arn: function_arn(&run.account, &run.region, &run.function),
        event: run.event.clone(),
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

/// How many archives this process has unpacked: sandboxes beside each other have the same request ids.
static UNPACKED: AtomicU64 = AtomicU64::new(0);

/// Unpacks an archive as Lambda does, with the permissions that it has, into a folder that was not there.
fn unpack(archive: &str, request_id: &str) -> Result<PathBuf, String> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(archive)
        .map_err(|e| format!("the archive is not base64: {e}"))?;
    let number = UNPACKED.fetch_add(1, Ordering::Relaxed);
    let name = format!(
        "crossgate-sandbox-{}-{number}-{request_id}",
        std::process::id()
    );
    let folder = std::env::temp_dir().join(name);
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(&folder)
        .map_err(|e| format!("{}: {e}", folder.display()))?;
    zip::ZipArchive::new(std::io::Cursor::new(bytes))
        .and_then(|mut archive| archive.extract(&folder))
        .map_err(|e| format!("Could not unzip uploaded file: {e}"))?;
    Ok(folder)
}

pub(super) fn failure(kind: &str, message: &str) -> Answered {
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

/// The newest run of a request.
pub(super) fn find<'a>(state: &'a mut State, request_id: &str) -> Option<&'a mut Invocation> {
    let mut newest = state.invocations.iter_mut().rev();
    newest.find(|i| i.request_id == request_id)
}
