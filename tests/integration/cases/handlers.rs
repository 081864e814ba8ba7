//! The handler templates of `config/handlers`, run by the sandbox as Lambda would run them: real processes, real SDKs.
//! Only the marked check is replaced, as a user would; what the pipeline heard is read from the sandbox's own records.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crossgate::sandbox::{Code, Ended, Invocation, SandboxOptions, seed};
use serde_json::{Value, json};

use super::sandbox::{Story, ended, message};
use crate::support::emulators;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Python,
    Node,
    Rust,
}
use Language::{Node, Python, Rust};

/// A check that does what `user_parameters.do` says, and leaves the credentials where the test finds them.
const PYTHON: &str = r#"
def validate(parameters, job, credentials):
    import os, sys, time
    with open(os.environ["SECRETS"], "w") as file:
        json.dump(credentials, file)
    token = job["data"].get("continuationToken")
    match parameters["do"]:
        case "pass":
            return Pass("all is well", {"build": 42})
        case "refuse":
            raise Refuse("é" * 6000, "PermissionError")
        case "fail":
            raise RuntimeError("the database is away")
        case "exit":
            sys.exit("enough")
        case "hang":
            time.sleep(600)
        case "wait":
            return Pass("done after " + token) if token else Wait("round-1", "halfway")
        case "unsound":
            return Pass("fine", {"no name": "x"})
"#;

const NODE: &str = r#"
async function validate(parameters, job, { credentials, signal }) {
  (await import("node:fs")).writeFileSync(process.env.SECRETS, JSON.stringify(credentials));
  const token = job.data.continuationToken;
  switch (parameters.do) {
    case "pass": return pass("all is well", { build: 42 });
    case "refuse": throw new Refuse("é".repeat(6000), "PermissionError");
    case "fail": throw new RangeError("the database is away");
    case "exit": return Promise.reject("enough");
    case "hang": return new Promise((resolve) => setTimeout(resolve, 600_000));
    case "wait": return token ? pass("done after " + token) : wait("round-1", "halfway");
    case "unsound": return pass("fine", { "no name": "x" });
  }
}
"#;

const RUST: &str = r#"
async fn validate(parameters: Value, job: Value, credentials: Value) -> Result<Answer, Refuse> {
    std::fs::write(std::env::var("SECRETS")?, credentials.to_string())?;
    let pass = |summary: &str, name: &str| {
        let variables = HashMap::from([(name.to_owned(), "42".to_owned())]);
        Ok(Answer::Pass { summary: summary.to_owned(), variables })
    };
    let token = job.pointer("/data/continuationToken").and_then(Value::as_str);
    match (parameters["do"].as_str().unwrap(), token) {
        ("pass", _) => pass("all is well", "build"),
        ("refuse", _) => Err(Refuse { kind: FailureType::PermissionError, message: "é".repeat(6000) }),
        ("fail", _) => Err(std::io::Error::other("the database is away"))?,
        ("exit", _) => panic!("enough"),
        ("hang", _) => loop { std::thread::sleep(Duration::from_secs(600)) },
        ("wait", None) => Ok(Answer::Wait { token: "round-1".to_owned(), summary: "halfway".to_owned() }),
        ("wait", Some(token)) => pass(&format!("done after {token}"), "build"),
        _ => pass("fine", "no name"),
    }
}
"#;

fn template(language: Language) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/handlers");
    folder.join(match language {
        Python => "python/handler.py",
        Node => "node/handler.mjs",
        Rust => "rust/src/main.rs",
    })
}

/// The template with another check.
fn with_check(language: Language, check: &str) -> String {
    let text = fs::read_to_string(template(language)).unwrap();
    let (before, rest) = text.split_once(">>> your check\n").unwrap();
    let (_, after) = rest.split_once("<<< your check\n").unwrap();
    let comment = if language == Python { "# " } else { "// " };
    format!("{before}>>> your check\n{check}{comment}<<< your check\n{after}")
}

/// The Rust gate with this `main.rs`, built where it has changed; gives the executable. The dependencies are built once,
/// whoever comes first.
fn build(name: &str, main: &str) -> PathBuf {
    let (target, template) = (target(), template(Rust));
    let source = template.ancestors().nth(2).unwrap();
    let krate = target.join("gate");
    let lock = fs::File::create(target.join("lock")).unwrap();
    lock.lock().unwrap();
    let file = |name: &str| fs::read_to_string(source.join(name)).unwrap();
    let files = [
        ("Cargo.toml", file("Cargo.toml")),
        ("Cargo.lock", file("Cargo.lock")),
        ("src/main.rs", main.to_owned()),
    ];
    let (executable, stamp) = (target.join(name), target.join(format!("{name}.stamp")));
    let wanted: String = files.iter().map(|(_, text)| text.as_str()).collect();
    if executable.exists() && fs::read_to_string(&stamp).is_ok_and(|built| built == wanted) {
        return executable;
    }
    fs::create_dir_all(krate.join("src")).unwrap();
    for (name, text) in files {
        fs::write(krate.join(name), text).unwrap();
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--locked", "--quiet", "--manifest-path"])
        .arg(krate.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env_remove("RUSTFLAGS")
        .status()
        .unwrap();
    assert!(built.success(), "the gate in Rust does not build");
    fs::copy(target.join("debug/bootstrap"), &executable).unwrap();
    fs::write(stamp, wanted).unwrap();
    executable
}

fn target() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let folder = target.join("handlers");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A wired sample with a gate in it.
struct Gate {
    story: Story,
    language: Language,
}

impl Gate {
    /// The template with the tests' check, which is told what to do.
    fn told(language: Language, what: &str) -> Self {
        let folder = target().join("told");
        fs::create_dir_all(&folder).unwrap();
        let written = |name: &str, check: &str| {
            // Tests of other threads write the same text: each file appears as a whole.
            let new = tempfile::NamedTempFile::new_in(&folder).unwrap();
            fs::write(new.path(), with_check(language, check)).unwrap();
            new.persist(folder.join(name)).unwrap();
            folder.join(name)
        };
        let file = match language {
            Python => written("handler.py", PYTHON),
            Node => written("handler.mjs", NODE),
            Rust => build("told-bootstrap", &with_check(Rust, RUST)),
        };
        Self::new(language, file, &format!(r#"{{ do = "{what}" }}"#))
    }

    fn new(language: Language, file: PathBuf, parameters: &str) -> Self {
        let story = Story::with(SandboxOptions::default(), Code::File(file.clone()));
        let manifest = seed::manifest().replace(
            "after = \"Deploy\"\n",
            &format!("after = \"Deploy\"\nuser_parameters = {parameters}\n"),
        );
        fs::write(story.folder.path().join("crossgate.toml"), manifest).unwrap();
        let before = std::env::var("PATH").unwrap();
        let first = |bin: &Path| format!("{}:{before}", bin.display());
        let (path, modules) = match language {
            Python => (first(emulators::python().parent().unwrap()), String::new()),
            Node => {
                let node = emulators::node();
                let modules = node.join("node_modules").display().to_string();
                (first(&node.join("bin")), modules)
            }
            Rust => (before, String::new()),
        };
        let secrets = story.folder.path().join("secrets").display().to_string();
        let environment = [
            ("PATH", path.as_str()),
            ("NODE_PATH", modules.as_str()),
            ("SECRETS", secrets.as_str()),
        ];
        let role = format!("arn:aws:iam::{}:role/{}", seed::DEV, seed::EXECUTION_ROLE);
        let dev = story.sandbox.admin(&story.accounts.dev, seed::REGION);
        dev.put_function(seed::FUNCTION, &role, Code::File(file), &environment)
            .unwrap();
        dev.set_timeout(seed::FUNCTION, 60).unwrap();
        story.run(&["bootstrap", "--yes"]).exits(0);
        Self { story, language }
    }

    /// Starts the pipeline and waits for its end.
    fn heard(&self) -> Heard {
        let (status, action) = self.story.execute();
        let runs = ended(&self.story.sandbox);
        let calls = self.story.sandbox.calls().into_iter();
        let answers = calls
            .filter(|call| call.operation.starts_with("PutJob"))
            .map(|call| (call.operation, call.error))
            .collect();
        let heard = Heard {
            status,
            action,
            runs,
            answers,
        };
        heard.keeps_secrets(&self.story.folder.path().join("secrets"));
        heard
    }
}

/// What came of an execution.
#[derive(Debug)]
struct Heard {
    status: String,
    /// The gate's action, as ListActionExecutions has it.
    action: Value,
    runs: Vec<Invocation>,
    /// Each call of PutJob…Result, with its error.
    answers: Vec<(String, Option<String>)>,
}

impl Heard {
    fn logs(&self) -> String {
        let lines: Vec<&str> = self
            .runs
            .iter()
            .flat_map(|run| &run.logs)
            .map(String::as_str)
            .collect();
        lines.join("\n")
    }

    fn result(&self) -> &Value {
        &self.action["output"]["executionResult"]
    }

    /// The event is in the logs, and none of its secrets.
    fn keeps_secrets(&self, file: &Path) {
        let logs = self.logs();
        assert!(logs.contains("inputArtifacts"), "{logs}");
        assert!(!logs.contains("artifactCredentials"), "{logs}");
        let Ok(text) = fs::read_to_string(file) else {
            return;
        };
        let secrets: Value = serde_json::from_str(&text).unwrap();
        for name in ["accessKeyId", "secretAccessKey", "sessionToken"] {
            let secret = secrets[name].as_str().unwrap();
            assert!(
                secret.len() > 10 && !logs.contains(secret),
                "{name}: {logs}"
            );
        }
    }

    /// The function ran so often, ended well each time, and made exactly these calls.
    #[track_caller]
    fn answered(&self, answers: &[(&str, Option<&str>)]) -> &Self {
        let seen: Vec<(&str, Option<&str>)> = self
            .answers
            .iter()
            .map(|(operation, error)| (operation.as_str(), error.as_deref()))
            .collect();
        assert_eq!(seen, answers, "{self:#?}");
        for run in &self.runs {
            assert_eq!(
                (&run.ended, run.attempt),
                (&Ended::Returned, 1),
                "{self:#?}"
            );
        }
        self
    }

    #[track_caller]
    fn failed(&self, code: &str, text: &str) {
        let said = message(&self.action);
        let found = self.result()["errorDetails"]["code"].as_str();
        assert_eq!(
            (self.status.as_str(), found),
            ("Failed", Some(code)),
            "{self:#?}"
        );
        assert!(said.contains(text), "{self:#?}");
    }
}

const SUCCESS: (&str, Option<&str>) = ("PutJobSuccessResult", None);
const FAILURE: (&str, Option<&str>) = ("PutJobFailureResult", None);

fn passes(language: Language) {
    let heard = Gate::told(language, "pass").heard();
    heard.answered(&[SUCCESS]);
    assert_eq!(heard.status, "Succeeded", "{heard:#?}");
    assert_eq!(heard.result()["externalExecutionSummary"], "all is well");
    let request = heard.runs[0].request_id.as_str();
    assert_eq!(heard.result()["externalExecutionId"], request);
    let variables = &heard.action["output"]["outputVariables"];
    assert_eq!(variables, &json!({ "build": "42" }));
}

fn refuses_and_cuts_its_message(language: Language) {
    let heard = Gate::told(language, "refuse").heard();
    heard.answered(&[FAILURE]);
    heard.failed("PermissionError", &"é".repeat(5000));
}

fn an_error_refuses(language: Language) {
    let heard = Gate::told(language, "fail").heard();
    heard.answered(&[FAILURE]);
    heard.failed("JobFailed", "the database is away");
}

/// What is no ordinary error: an exit, a rejection with a text, a panic.
fn an_end_of_another_kind_refuses(language: Language) {
    let heard = Gate::told(language, "exit").heard();
    heard.answered(&[FAILURE]);
    heard.failed("JobFailed", "enough");
}

fn the_deadline_refuses_before_lambda_ends_it(language: Language) {
    let gate = Gate::told(language, "hang");
    let dev = gate
        .story
        .sandbox
        .admin(&gate.story.accounts.dev, seed::REGION);
    dev.set_timeout(seed::FUNCTION, 12).unwrap();
    let heard = gate.heard();
    heard.answered(&[FAILURE]);
    heard.failed("JobFailed", "not done in time");
}

fn waits_and_is_asked_again(language: Language) {
    let heard = Gate::told(language, "wait").heard();
    heard.answered(&[SUCCESS, SUCCESS]);
    assert_eq!((heard.status.as_str(), heard.runs.len()), ("Succeeded", 2));
    let summary = &heard.result()["externalExecutionSummary"];
    assert_eq!(summary, "done after round-1");
}

/// The execution role may not answer: the log says what to mend, and Lambda has no reason to run the check again.
fn a_refused_answer_is_logged(language: Language) {
    let gate = Gate::told(language, "pass");
    let dev = gate
        .story
        .sandbox
        .admin(&gate.story.accounts.dev, seed::REGION);
    dev.delete_role_policy(seed::EXECUTION_ROLE, "crossgate-demo-callback")
        .unwrap();
    let heard = gate.heard();
    heard.answered(&[("PutJobSuccessResult", Some("AccessDeniedException"))]);
    heard.failed("JobFailed", "failed to return a result");
    assert_eq!(heard.runs.len(), 1, "{heard:#?}");
    let logs = heard.logs();
    assert!(
        logs.contains("run `crossgate check`"),
        "{:?}: {logs}",
        gate.language
    );
}

/// CodePipeline does not take what the check says: the job is still open, and gets a reason.
fn an_unsound_answer_becomes_a_refusal(language: Language) {
    let heard = Gate::told(language, "unsound").heard();
    heard.answered(&[
        ("PutJobSuccessResult", Some("ValidationException")),
        FAILURE,
    ]);
    heard.failed("ConfigurationError", "no name");
}

/// The file as it is, with its example.
fn the_template_itself(language: Language) {
    let file = match language {
        Python | Node => template(language),
        Rust => build("bootstrap", &fs::read_to_string(template(Rust)).unwrap()),
    };
    let gate = Gate::new(language, file.clone(), "{}");
    let heard = gate.heard();
    heard.answered(&[SUCCESS]);
    assert_eq!(heard.status, "Succeeded", "{heard:#?}");
    let weekday = &heard.action["output"]["outputVariables"]["weekday"];
    assert!(weekday.as_str().unwrap().ends_with("day"), "{heard:#?}");

    let days = r#"["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]"#;
    let gate = Gate::new(language, file, &format!("{{ closed_on = {days} }}"));
    let heard = gate.heard();
    heard.answered(&[FAILURE]);
    heard.failed("JobFailed", "no release on a ");
}

macro_rules! for_each_language {
    ($($case:ident),* $(,)?) => {
        mod python { $(#[test] fn $case() { super::$case(super::Python); })* }
        mod node { $(#[test] fn $case() { super::$case(super::Node); })* }
        mod rust { $(#[test] fn $case() { super::$case(super::Rust); })* }
    };
}

for_each_language!(
    passes,
    refuses_and_cuts_its_message,
    an_error_refuses,
    an_end_of_another_kind_refuses,
    the_deadline_refuses_before_lambda_ends_it,
    waits_and_is_asked_again,
    a_refused_answer_is_logged,
    an_unsound_answer_becomes_a_refusal,
    the_template_itself,
);

/// Otherwise the cases above would test something else than the templates.
#[test]
fn each_template_has_one_marked_check() {
    for language in [Python, Node, Rust] {
        let text = fs::read_to_string(template(language)).unwrap();
        assert_eq!(text.matches(">>> your check").count(), 1);
        assert_eq!(text.matches("<<< your check").count(), 1);
    }
}

/// An executable of one's own, in Python only so that the tests need no other compiler.
const EXECUTABLE: &str = r#"#!/usr/bin/env python3
import json, os, sys, time, urllib.request
base = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/"

def post(path, kind, message):
    body = json.dumps({"errorType": kind, "errorMessage": message}).encode()
    return urllib.request.urlopen(base + path, data=body).status

what = os.environ["DO"]
print("begins", flush=True)
if what == "start":
    post("init/error", "Init.Broken", "no table")
    sys.exit(1)
if what == "exit":
    sys.exit(3)
with urllib.request.urlopen(base + "invocation/next") as event:
    job = json.load(event)["CodePipeline.job"]["id"]
    request, arn = event.headers["Lambda-Runtime-Aws-Request-Id"], event.headers["Lambda-Runtime-Invoked-Function-Arn"]
    left = int(event.headers["Lambda-Runtime-Deadline-Ms"]) / 1000 - time.time()
assert 0 < left <= 60 and arn.endswith(":function:MyFunction") and len(job) == 36
try:
    post("invocation/other/error", "No", "such")
except urllib.error.HTTPError as error:
    assert error.code == 400
assert post("invocation/" + request + "/error", "Own", "as told") == 202
urllib.request.urlopen(base + "invocation/next")
"#;

/// What Lambda's Runtime API takes from an executable that does not return: at its start, in its work, and nothing at all.
#[test]
fn an_executable_that_fails_says_how() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("bootstrap");
    fs::write(&file, EXECUTABLE).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    for (what, why) in [
        ("start", "Init.Broken: no table"),
        ("work", "Own: as told"),
        (
            "exit",
            "Runtime exited without providing a reason (exit status: 3)",
        ),
    ] {
        let gate = Gate::new(Rust, file.clone(), "{}");
        let role = format!("arn:aws:iam::{}:role/{}", seed::DEV, seed::EXECUTION_ROLE);
        let dev = gate
            .story
            .sandbox
            .admin(&gate.story.accounts.dev, seed::REGION);
        let code = Code::File(file.clone());
        dev.put_function(seed::FUNCTION, &role, code, &[("DO", what)])
            .unwrap();
        dev.set_timeout(seed::FUNCTION, 60).unwrap();
        assert_eq!(gate.story.execute().0, "Failed");
        let runs = ended(&gate.story.sandbox);
        let seen: Vec<(&Ended, u32)> = runs.iter().map(|run| (&run.ended, run.attempt)).collect();
        let failed = Ended::Failed(why.to_owned());
        assert_eq!(
            seen,
            [(&failed, 1), (&failed, 2), (&failed, 3)],
            "{runs:#?}"
        );
        assert!(runs[0].logs.contains(&"begins".to_owned()), "{runs:#?}");
    }
}
