//! One process that runs a function once: started, given its event, listened to, ended at its time-out.
//! Knows no account and no pipeline; what is to be run is prepared by `functions`.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::clock::wall;
use super::records::Ended;
use super::runtime_api::{Event, RuntimeApi, Said};

const PYTHON: &str = include_str!("bootstrap.py");
const NODE: &str = include_str!("bootstrap.mjs");
/// How long the output of an ended process may take to arrive: a child of its own may hold the pipe open for ever.
const DRAIN: Duration = Duration::from_secs(1);

/// What runs a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    Python,
    Node,
    /// The file itself, which speaks the Runtime API.
    Own,
}

impl Program {
    /// By the file's extension.
    pub(super) fn of(file: &std::path::Path) -> Self {
        match file.extension().and_then(|end| end.to_str()) {
            Some("py") => Self::Python,
            Some("js" | "mjs" | "cjs") => Self::Node,
            _ => Self::Own,
        }
    }
}

/// A process that can be started.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) program: Program,
    /// The file with the handler.
    pub(super) file: PathBuf,
    /// The handler's name in it; empty for the usual ones.
    pub(super) handler: String,
    pub(super) environment: Vec<(String, String)>,
    pub(super) timeout: Duration,
    /// An unpacked archive, to be removed.
    pub(super) folder: Option<PathBuf>,
    pub(super) request_id: String,
    pub(super) function_arn: String,
    /// JSON.
    pub(super) event: String,
}

/// How a process ended.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) ended: Ended,
    pub(super) payload: String,
    pub(super) logs: Vec<String>,
}

impl Outcome {
    pub(super) fn failed(why: String, logs: Vec<String>) -> Self {
        Self {
            payload: json!({ "errorType": "Runtime.Error", "errorMessage": why }).to_string(),
            ended: Ended::Failed(why),
            logs,
        }
    }

    fn timed_out(timeout: Duration, logs: Vec<String>) -> Self {
        let message = format!("Task timed out after {:.2} seconds", timeout.as_secs_f64());
        Self {
            ended: Ended::TimedOut,
            payload: json!({ "errorType": "Sandbox.Timedout", "errorMessage": message })
                .to_string(),
            logs,
        }
    }

    /// The function itself said that it failed.
    fn raised(error: &Value, logs: Vec<String>) -> Self {
        let member = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default();
        let why = format!("{}: {}", member("errorType"), member("errorMessage"));
        Self {
            ended: Ended::Failed(why),
            payload: error.to_string(),
            logs,
        }
    }

    fn returned(payload: String, logs: Vec<String>) -> Self {
        Self {
            ended: Ended::Returned,
            payload,
            logs,
        }
    }

    fn silent(status: ExitStatus, logs: Vec<String>) -> Self {
        let why = format!("Runtime exited without providing a reason ({status})");
        Self::failed(why, logs)
    }
}

/// Runs it to its end.
pub(super) async fn run(prepared: &Prepared) -> Outcome {
    let ran = match prepared.program {
        Program::Python | Program::Node => interpreted(prepared).await,
        Program::Own => own(prepared).await,
    };
    ran.unwrap_or_else(|why| Outcome::failed(why, Vec::new()))
}

/// A handler in an interpreter, with the sandbox's own bootstrap before it.
async fn interpreted(prepared: &Prepared) -> Result<Outcome, String> {
    let Prepared {
        file,
        handler,
        request_id,
        timeout,
        ..
    } = prepared;
    let file = std::path::absolute(file).unwrap_or_else(|_| file.clone());
    let mut command = if prepared.program == Program::Python {
        let mut command = Command::new("python3");
        command.args(["-c", PYTHON]);
        command
    } else {
        let mut command = Command::new("node");
        command.args(["--input-type=module", "-e", NODE, "--"]);
        command
    };
    let deadline = wall() + *timeout;
    command
        .arg(file)
        .args([handler, request_id, &deadline.as_millis().to_string()]);
    let mut process = Process::start(command, prepared)?;
    let ended = tokio::time::timeout(*timeout, process.feed(&prepared.event)).await;
    let logs = process.end().await;
    match ended {
        Err(_) => Ok(Outcome::timed_out(*timeout, logs)),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(status)) => Ok(read(status, logs, request_id)),
    }
}

/// The result of an interpreter that ended: a marked line among the others.
fn read(status: ExitStatus, lines: Vec<String>, request_id: &str) -> Outcome {
    let mark = format!("SANDBOX-RESULT-{request_id} ");
    let (mut result, mut logs) = (None, Vec::new());
    for line in lines {
        match line.strip_prefix(&mark) {
            Some(text) => result = serde_json::from_str::<Value>(text).ok(),
            None => logs.push(line),
        }
    }
    let Some(result) = result else {
        return Outcome::silent(status, logs);
    };
    if let Some(error) = result.get("error") {
        return Outcome::raised(error, logs);
    }
    let value = result.get("value").unwrap_or(&Value::Null);
    Outcome::returned(value.to_string(), logs)
}

/// An executable of a `provided` runtime.
async fn own(prepared: &Prepared) -> Result<Outcome, String> {
    let say = |error: std::io::Error| error.to_string();
    let timeout = prepared.timeout;
    let event = Event {
        request_id: prepared.request_id.clone(),
        function_arn: prepared.function_arn.clone(),
        deadline: wall() + timeout,
        body: prepared.event.clone(),
    };
    let api = RuntimeApi::open(event).await.map_err(say)?;
    let mut command = Command::new(&prepared.file);
    command.env("AWS_LAMBDA_RUNTIME_API", api.address().map_err(say)?);
    let mut process = Process::start(command, prepared)?;
    let ended = tokio::select! {
        () = api.serve() => None,
        status = process.child.wait() => Some(Ok(status.map_err(say)?)),
        () = tokio::time::sleep(timeout) => Some(Err(())),
    };
    let logs = process.end().await;
    Ok(match (ended, api.said()) {
        (Some(Err(())), _) => Outcome::timed_out(timeout, logs),
        (_, Some(Said::Returned(payload))) => Outcome::returned(payload, logs),
        (_, Some(Said::Failed(error))) => {
            let error =
                serde_json::from_str(&error).unwrap_or_else(|_| json!({ "errorMessage": error }));
            Outcome::raised(&error, logs)
        }
        (Some(Ok(status)), None) => Outcome::silent(status, logs),
        (None, None) => {
            let why = "the executable asked for another event before it had answered this one";
            Outcome::failed(why.to_owned(), logs)
        }
    })
}

/// A process whose output is read all the while.
struct Process {
    child: Child,
    output: [JoinHandle<Vec<u8>>; 2],
}

impl Process {
    fn start(mut command: Command, prepared: &Prepared) -> Result<Self, String> {
        let own = command.as_std().get_envs();
        let own: Vec<_> = own
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        let variables = prepared.environment.iter();
        command
            .env_clear()
            .envs(variables.map(|(name, value)| (name, value)))
            .envs(own)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| {
            let program = command.as_std().get_program().display();
            format!("{program} cannot be started: {error}")
        })?;
        let output = [
            tokio::spawn(all(child.stdout.take())),
            tokio::spawn(all(child.stderr.take())),
        ];
        Ok(Self { child, output })
    }

    /// Gives it the event, and waits for its end.
    async fn feed(&mut self, event: &str) -> std::io::Result<ExitStatus> {
        if let Some(mut stdin) = self.child.stdin.take() {
            // A handler that ends without reading its event is told by how it ended.
            let _ = stdin.write_all(event.as_bytes()).await;
        }
        self.child.wait().await
    }

    /// Ends it, if it has not; gives the lines of its output, standard error last.
    async fn end(mut self) -> Vec<String> {
        // It fails where the process is gone already.
        let _ = self.child.kill().await;
        let mut lines = Vec::new();
        for mut output in self.output {
            match tokio::time::timeout(DRAIN, &mut output).await {
                Ok(bytes) => {
                    let text = String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
                    lines.extend(text.lines().map(str::to_owned));
                }
                Err(_) => output.abort(),
            }
        }
        lines
    }
}

async fn all(pipe: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        // What was read until then is the output.
        let _ = pipe.read_to_end(&mut bytes).await;
    }
    bytes
}
