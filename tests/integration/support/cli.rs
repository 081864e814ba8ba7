//! Runs the binary with nothing of the caller's environment, and holds what came of it.
//! Reads no file of the project; the assertions here are about the contract of design.md only.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crossgate::sandbox::Sandbox;
use serde_json::Value;

use super::calls::{self, Call};
use super::schema;

const TIMEOUT: Duration = Duration::from_mins(2);

/// The binary under test: `CROSSGATE_BIN`, else the one that cargo built for this test.
pub(crate) fn binary() -> PathBuf {
    let built = || PathBuf::from(env!("CARGO_BIN_EXE_crossgate"));
    std::env::var_os("CROSSGATE_BIN").map_or_else(built, PathBuf::from)
}

/// The environment in which the binary meets a sandbox whose files are in the folder, and nothing of the caller's.
pub(crate) fn variables(sandbox: &Sandbox, folder: &Path) -> BTreeMap<String, String> {
    let files = sandbox.config_files(folder).unwrap();
    let files = files.variables().into_iter();
    let home = ("HOME".to_owned(), folder.display().to_string());
    files
        .map(|(name, value)| (name.to_owned(), value))
        .chain([home])
        .collect()
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) arguments: Vec<String>,
    /// None where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) wall: Duration,
    /// The peak of resident memory, in KiB, as last seen before the end.
    pub(crate) peak_kib: u64,
    /// What it asked of AWS.
    pub(crate) calls: Vec<Call>,
}

/// Runs the binary in a folder with exactly these variables.
pub(crate) fn run(folder: &Path, variables: &BTreeMap<String, String>, arguments: &[&str]) -> Run {
    run_beside(folder, variables, arguments, |_| {})
}

/// The same, with something that happens while it runs, on the caller's thread; it is given the process id.
pub(crate) fn run_beside(
    folder: &Path,
    variables: &BTreeMap<String, String>,
    arguments: &[&str],
    meanwhile: impl FnOnce(u32),
) -> Run {
    let began = Instant::now();
    let mut child = Command::new(binary())
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(variables)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = collect(child.stdout.take().unwrap());
    let stderr = collect(child.stderr.take().unwrap());
    meanwhile(child.id());
    let (code, peak_kib) = watch(&mut child, began);
    let run = Run {
        arguments: arguments.iter().map(|&a| a.to_owned()).collect(),
        code,
        stdout: stdout.join().unwrap(),
        stderr: stderr.join().unwrap(),
        wall: began.elapsed(),
        peak_kib,
        calls: Vec::new(),
    };
    // Whatever the case is about: what a run prints is what the published schema says. One that was killed may be cut off.
    if code.is_some() {
        let violations = schema::violations(&run.arguments, &run.stdout);
        run.ensure(
            violations.is_empty(),
            &format!("config/output.schema.json: {violations:#?}"),
        );
    }
    run
}

fn collect(mut from: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn watch(child: &mut Child, began: Instant) -> (Option<i32>, u64) {
    let status_file = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return (status.code(), peak);
        }
        let text = fs::read_to_string(&status_file).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(kib.unwrap_or(0));
        if began.elapsed() > TIMEOUT {
            child.kill().unwrap();
        }
        thread::sleep(Duration::from_millis(2));
    }
}

impl Run {
    /// Everything there is to know, for a failed assertion.
    pub(crate) fn dump(&self) -> String {
        let Self {
            arguments,
            code,
            stdout,
            stderr,
            calls,
            ..
        } = self;
        let arguments = arguments.join(" ");
        let calls = calls::listing(calls);
        format!(
            "crossgate {arguments}: exit {code:?}\n-- stdout\n{stdout}\n-- stderr\n{stderr}\n-- calls\n{calls}"
        )
    }

    /// Fails with everything there is to know unless the condition holds.
    #[track_caller]
    pub(crate) fn ensure(&self, holds: bool, what: &str) -> &Self {
        assert!(holds, "{what}\n{}", self.dump());
        self
    }

    /// The run ended with this code.
    #[track_caller]
    pub(crate) fn exits(&self, code: i32) -> &Self {
        self.ensure(self.code == Some(code), &format!("exit {code} expected"));
        self.sane()
    }

    /// The run ended with one of these codes.
    #[track_caller]
    pub(crate) fn exits_one_of(&self, codes: &[i32]) -> &Self {
        let is = self.code.is_some_and(|code| codes.contains(&code));
        self.ensure(is, &format!("an exit of {codes:?} expected"));
        self.sane()
    }

    #[track_caller]
    fn sane(&self) -> &Self {
        let panicked =
            self.stderr.contains("panicked at") || self.stderr.contains("RUST_BACKTRACE");
        self.ensure(!panicked, "never a panic or a backtrace")
    }

    /// The run changed nothing in AWS.
    #[track_caller]
    pub(crate) fn wrote_nothing(&self) -> &Self {
        let writes = calls::writes(&self.calls).len();
        self.ensure(writes == 0, &format!("no write expected, {writes} seen"))
    }

    /// The run changed something in AWS.
    #[track_caller]
    pub(crate) fn wrote(&self) -> &Self {
        self.ensure(!calls::writes(&self.calls).is_empty(), "a write expected")
    }

    /// The output, on either stream, has this text, whatever its case.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        self.ensure(self.has(text), &format!("`{text}` expected in the output"))
    }

    /// The output, on either stream, has one of these texts.
    #[track_caller]
    pub(crate) fn says_one_of(&self, texts: &[&str]) -> &Self {
        let is = texts.iter().any(|text| self.has(text));
        self.ensure(is, &format!("one of {texts:?} expected in the output"))
    }

    /// Whether either stream has this text, whatever its case.
    pub(crate) fn has(&self, text: &str) -> bool {
        let all = format!("{}\n{}", self.stdout, self.stderr).to_lowercase();
        all.contains(&text.to_lowercase())
    }

    /// stdout as the one JSON object of the contract.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let parsed = serde_json::from_str::<Value>(&self.stdout);
        self.ensure(parsed.is_ok(), "one JSON object expected on stdout");
        let value = parsed.unwrap();
        self.ensure(value["format_version"] == 1, "format_version 1 expected");
        self.ensure(
            value["command"] == self.arguments[0].as_str(),
            "the command expected in the JSON",
        );
        self.ensure(
            value["changes"].is_array() && value["problems"].is_array(),
            "changes and problems expected",
        );
        for change in value["changes"].as_array().unwrap() {
            self.ensure(
                KINDS.iter().any(|kind| change["kind"] == *kind),
                &format!("a known kind expected in {change}"),
            );
            for key in [
                "id",
                "account",
                "account_id",
                "region",
                "resource",
                "action",
                "gates",
                "reason",
                "before",
                "after",
            ] {
                self.ensure(
                    change.get(key).is_some(),
                    &format!("`{key}` expected in {change}"),
                );
            }
        }
        value
    }

    /// The status in the JSON.
    #[track_caller]
    pub(crate) fn has_status(&self, status: &str) -> &Self {
        let is = self.json()["status"].clone();
        self.ensure(
            is == status,
            &format!("status `{status}` expected, not {is}"),
        )
    }

    /// The changes in the JSON.
    #[track_caller]
    pub(crate) fn changes(&self) -> Vec<Value> {
        self.json()["changes"].as_array().unwrap().clone()
    }

    /// There is a change of this kind on a resource whose name has this text; it.
    #[track_caller]
    pub(crate) fn change(&self, kind: &str, resource: &str) -> Value {
        let fits = |change: &&Value| {
            change["kind"] == kind && change["resource"].to_string().contains(resource)
        };
        let changes = self.changes();
        let found = changes.iter().find(fits);
        self.ensure(
            found.is_some(),
            &format!("a change `{kind}` on `{resource}` expected"),
        );
        found.unwrap().clone()
    }
}

const KINDS: [&str; 13] = [
    "iam_role",
    "iam_trust_policy",
    "iam_role_tags",
    "iam_permissions_boundary",
    "iam_inline_policy",
    "iam_unexpected_policy",
    "lambda_function",
    "lambda_function_code",
    "lambda_function_configuration",
    "lambda_function_tags",
    "pipeline_action",
    "s3_bucket_policy",
    "kms_key_policy",
];
